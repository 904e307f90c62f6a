//! Tests the generator on tables: the customers, tables of public sample databases, and tables that it refuses.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use tempfile::TempDir;

use super::decide::Decided;
use super::*;

mod files;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A command line after `azure-sql-rest entity add`.
fn command(line: &str) -> Add {
    Add::try_parse_from(shell_words::split(line).unwrap()).unwrap()
}

/// A project with the customers, and with the scripts of tables.
fn project() -> TempDir {
    let project = TempDir::new().unwrap();
    let folder = project.path();
    for name in ["sql/samples", "src", "entities", "sqlite", "tests/entities"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    for name in ["src/lib.rs", "entities/customer.toml", "sql/samples/01-sample-schema.sql"] {
        fs::copy(root().join(name), folder.join(name)).unwrap();
    }
    for entry in fs::read_dir(root().join("tests/entities")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join("tests/entities").join(path.file_name().unwrap())).unwrap();
    }
    project
}

fn decided_in(root: &Path, line: &str) -> Result<Decided> {
    let add = command(line).with_arguments()?;
    let before = super::before(root, &add)?;
    let (table, source) = super::table_of(root, &add, before.as_ref())?;
    super::decided(root, &add, &table, source, before)
}

#[test]
fn rows_are_replaced_where_clients_give_the_whole_key() {
    let has = |columns: &str, more: &str| {
        let project = project();
        let line = format!("thing --table Things --columns '{columns}' {more}");
        decided_in(project.path(), &line).unwrap().plan.has(plan::Operation::Replace)
    };
    let name = "Name nvarchar(20) not null";
    assert!(has(&format!("Code varchar(9) not null key, {name}"), ""));
    assert!(!has(&format!("ThingID int identity key, {name}"), ""));
    assert!(!has(&format!("ThingID uniqueidentifier not null default newid() key, {name}"), ""));
    assert!(!has(&format!("Code varchar(9) not null key, {name}"), "--only get,put,patch"));
    let message = refused(&format!(
        "thing --table Things --columns 'ThingID int identity key, {name}' --only get,put,patch,replace"
    ));
    assert!(message.contains("leave replace out with --only get,put,patch"), "{message}");
}

fn refused(line: &str) -> String {
    let project = project();
    match decided_in(project.path(), line) {
        Ok(decided) => panic!("{line} must be refused: {:?}", decided.notes),
        Err(error) => format!("{error:#}"),
    }
}

/// Adds an entity in the project at `root`.
fn add(root: &Path, line: &str) -> Result<()> {
    let command = super::Command::Add(Box::new(command(line)));
    run(root, EntityArguments { command })
}

fn remove(root: &Path, name: &str) -> Result<()> {
    let command = super::Command::Remove { name: name.into(), dry_run: false };
    run(root, EntityArguments { command })
}

fn commands() -> Vec<(String, Vec<String>)> {
    let commands = fs::read_to_string(root().join("tests/entities/commands.txt")).unwrap();
    let parsed = commands.lines().map(|line| match line.split_once(" ! ") {
        None => (line.to_owned(), Vec::new()),
        Some((command, reasons)) => (command.to_owned(), reasons.split(" | ").map(str::to_owned).collect()),
    });
    parsed.collect()
}

/// Each table of public databases is served, or refused with all reasons. All served tables go into one project: any two go together.
#[test]
fn tables_of_public_databases_are_added_or_refused_with_all_reasons() {
    let project = project();
    let (mut added, mut refusals) = (BTreeSet::new(), 0);
    for (line, reasons) in commands() {
        let outcome = decided_in(project.path(), &line);
        if reasons.is_empty() {
            let Decided { plan, .. } = outcome.unwrap_or_else(|error| panic!("{line}: {error:#}"));
            assert_eq!(Plan::parse(&plan.to_toml().unwrap()).unwrap(), plan, "{line}");
            let script = render::tsql::tsql(&plan);
            assert_eq!(lint::problems(&script, &plan).join("\n"), "", "{line}");
            write::write(project.path(), &plan, None, false).unwrap_or_else(|error| panic!("{line}: {error:#}"));
            added.insert(plan.table);
        } else {
            let said = format!("{:#}", outcome.err().unwrap_or_else(|| panic!("{line} must be refused")));
            for reason in &reasons {
                assert!(said.contains(reason.as_str()), "{line}: {said}");
            }
            refusals += 1;
        }
    }
    assert!(added.len() >= 70 && refusals >= 12, "{} added, {refusals} refused", added.len());
}

#[test]
fn what_cannot_be_done_is_refused_with_the_place() {
    let key = "ColorID int key, A int";
    for (options, columns, reason) in [
        ("--table Warehouse.Paints", "", "sql/ has no CREATE TABLE Warehouse.Paints"),
        ("--table Colors --ddl missing.sql", "", "cannot read missing.sql"),
        ("--table Colors", "ColorID int key, Other int key", "there are two keys, ColorID and Other"),
        ("--table Colors", "ColorID int, Name nvarchar(20)", "dbo.Colors has no primary key"),
        ("--table Colors", "ColorID int key, Name int, name int", "there are two columns name"),
        (
            "--table Colors --only get,list,put,patch,delete",
            "ColorID int key",
            "no column can be changed: leave patch out with --only get,list,put,delete",
        ),
        ("--table Colors", "ColorID int key, Shape geometry not null", "column Shape must have a value in a new row"),
        ("--table Colors", "ColorID decimal(5) key, A int", "the key ColorID is decimal(5,0)"),
        ("--table Colors", "ColorID nvarchar(451) key, A int", "the key ColorID is nvarchar(451)"),
        ("--table Colors", "ColorID int key, A decimal(5,7)", "\"decimal(5,7)\" is no type of SQL Server"),
        ("--table Colors", "ColorID int key, A int)", "cannot read the columns"),
        ("--table Colors", "ColorID int key, A nvarchar(10", "cannot read the columns"),
        (
            "--table Colors --without B",
            "ColorID int key, A int, B int not null",
            "column B must have a value in a new row",
        ),
        ("--table Colors --without C", key, "dbo.Colors has no column C: its columns are ColorID, A"),
        ("--table Colors --without ColorID", key, "the key ColorID cannot be left out"),
        ("--table Colors --key A", key, "column A does not name one row, because it is not UNIQUE and NOT NULL"),
        (
            "--table Colors --key A,B",
            "A int, B int, primary key (A)",
            "the columns A, B do not name one row, because they are not UNIQUE together and NOT NULL",
        ),
        (
            "--table Colors --key A,B",
            "A int not null, B int, C int key, unique (A, B)",
            "the columns A, B do not name one row",
        ),
        (
            "--table Colors --without B",
            "A int, B int, C int, primary key (A, B)",
            "the key B cannot be left out: it is sent by clients",
        ),
        (
            "--table Colors --set B=300",
            "ColorID int key, A int, B tinyint",
            "column B cannot be set to 300: it is tinyint",
        ),
        ("--table Colors --set B=1e9", "ColorID int key, A int, B int", "column B cannot be set to N'1e9': it is int"),
        (
            "--table Colors --set B=99999999999999999999",
            "ColorID int key, A int, B int",
            "column B cannot be set to 9999",
        ),
        (
            "--table Colors --set B=@C",
            "ColorID int key, A int, B int",
            "which clients do not give before the row is there",
        ),
        ("--table Colors --set B=@ColorID", "ColorID int identity key, A int, B int", "which clients do not give"),
        ("--table Colors --touch B=@A", "ColorID int key, A int, B int", "a change need not have that"),
        ("--table Colors --set A", key, r#""A" is not COLUMN=VALUE"#),
        ("--table Colors", "ColorID int key, A int); DROP TABLE x; --", "cannot read the columns"),
        ("--table Colors --only put", key, "--only needs get as well"),
        ("--table Colors --plural color", key, "one row and many need different names"),
        ("--table Colors --plural customers", key, r#"the plural "customers" is taken"#),
        ("--table 'Colors; DROP TABLE x'", key, "is no name of a table"),
        ("--table 'dbo.Order Details'", key, "names with blanks or dots stand in brackets"),
        ("--table a.b.c", key, "is no name of a table"),
        ("", "", "a new entity needs its table"),
    ] {
        let columns = if columns.is_empty() { String::new() } else { format!(" --columns \"{columns}\"") };
        let message = refused(&format!("color {options}{columns}"));
        assert!(message.contains(reason), "{options}{columns}: {message}");
    }
    for (name, reason) in [
        ("healthz", "is taken"),
        ("ready", "is taken"),
        ("problem", "openapi.json has the schema Problem already, for every API"),
        ("health", "openapi.json has the schema Health already"),
        ("customer_page", "openapi.json has the schema CustomerPage already, of entities/customer.toml"),
        ("'x; DROP'", "is not made of at most 28 lower-case letters"),
        ("../color", "is not made of"),
        ("'`id`'", "is not made of"),
        ("Color", "is not made of"),
        ("\"it's\"", "is not made of"),
    ] {
        let message = refused(&format!("{name} --table Colors --columns '{key}'"));
        assert!(message.contains(reason), "{name}: {message}");
    }
}

/// All reasons are given at once.
#[test]
fn a_table_is_refused_with_all_its_reasons() {
    let columns = "Id decimal(9) key, A int, B sql_variant not null, C int not null";
    let said = refused(&format!("customer --table Colors --without C,D --set A=x --columns '{columns}'"));
    for reason in ["the key Id is", "column B must have", "column C must have", "no column D"] {
        assert!(said.contains(reason), "{reason}: {said}");
    }
}

#[test]
fn members_of_like_names_are_numbered() {
    let project = project();
    let line =
        "thing --table Things --columns 'Id int key, [#No] int, No int, [No.] int, [名] int, [Имя] int, Größe int'";
    let mut plan = decided_in(project.path(), line).unwrap().plan;
    let paths: Vec<_> = plan.columns.iter().map(|column| column.path().to_owned()).collect();
    assert_eq!(paths, ["Id", "No_2", "No", "No_3", "Column", "Column_2", "Groesse"]);
    plan.columns[1].path = Some("No".into());
    let said = rules::refusals(&plan).join("\n");
    assert!(said.contains("columns #No and No are both the member No"), "{said}");
}

/// A table has one IDENTITY at most, and each column its own name.
#[test]
fn a_table_without_a_key_is_told_how_to_get_one() {
    for (columns, remedy) in [
        (
            "A int",
            "ALTER TABLE [dbo].[Hues] ADD RowID int IDENTITY(1, 1) NOT NULL CONSTRAINT [UQ_Hues_RowID] UNIQUE; adds one",
        ),
        (
            "RowId char(9)",
            "ADD ApiRowID int IDENTITY(1, 1) NOT NULL CONSTRAINT [UQ_Hues_ApiRowID] UNIQUE; adds one, and --key ApiRowID",
        ),
        (
            "A int, [No] int identity",
            "ADD CONSTRAINT [UQ_Hues_No] UNIQUE ([No]); makes No unique, and --key No takes it",
        ),
        ("A int not null unique, B date key, [No] int identity", "--key A takes the unique column A"),
    ] {
        let said = refused(&format!("hue --table Hues --columns '{columns}'"));
        assert!(said.contains(remedy), "{said}");
    }
}

/// One reason names each column of a key that no path has.
#[test]
fn a_key_of_several_columns_is_refused_with_one_reason() {
    let columns = "A int, B date, C numeric(5), D nvarchar(9), primary key (A, B, C, D)";
    let said = refused(&format!("color --table Colors --columns '{columns}'"));
    assert!(said.contains("the key B is date, C is numeric(5,0), and a path takes"), "{said}");
    assert_eq!(said.matches("--key RowID takes it").count(), 1, "{said}");
    let counted = "A int default (next value for dbo.A), B int identity, primary key (A, B)";
    let said = refused(&format!("color --table Colors --columns '{counted}'"));
    assert!(said.contains("the database counts A and B of the key"), "{said}");
}

/// The primary key names a row, in its own order; the parts that the database gives are not sent.
#[test]
fn a_key_may_have_several_columns() {
    let project = project();
    let line = "line --table Lines --columns 'Nr int identity, Code nvarchar(9), A int, primary key (Code, Nr)'";
    let Decided { plan, .. } = decided_in(project.path(), line).unwrap();
    let keys: Vec<_> = plan.key.iter().map(|key| (key.column.as_str(), key.from)).collect();
    assert_eq!(keys, [("Code", plan::KeySource::Client), ("Nr", plan::KeySource::Identity)]);
    let lines = routes::lines(&plan);
    for expected in [
        r#"PUT "/line" => put_line(Json: body("line")) creates RowID at "/line/{Code}/{Nr}";"#,
        r#"GET "/line/{Code}/{Nr}" => get_line(Code: key(NVARCHAR(9)), Nr: key(ID));"#,
        r#"GET "/lines" => get_lines(After: page(NVARCHAR(4000)), Limit: query("limit", 1..=1000, 100));"#,
    ] {
        assert!(lines.contains(expected), "{expected} is not in {lines}");
    }
    // A table of nothing but its key has nothing to change.
    let decided =
        decided_in(project.path(), "pair --table Pairs --columns 'A int, B int, primary key (A, B)'").unwrap();
    assert!(!decided.plan.has(Operation::Patch) && decided.plan.has(Operation::Delete));
    assert_eq!(decided.notes, ["no column can be changed: patch is left out"]);
    assert!(!decided.plan.has(plan::Operation::Replace));
    // In the order that is asked for, of a table that has another primary key.
    let line = "pair --table Pairs --key B,A --columns 'Id int key, A int not null, B bigint not null, unique (A, B)'";
    let plan = decided_in(project.path(), line).unwrap().plan;
    assert_eq!(plan.path_of_row(), "/pair/{B}/{A}");
    assert!(routes::lines(&plan).contains("get_pair(B: key(BIGINT), A: key(INT))"));
    // Without a primary key, the first columns that are unique and fit a path.
    let columns = "A int not null, B int null unique, C date not null unique, D char(2) not null, E int not null, index U unique (E) where E > 0, unique (A, D)";
    let decided = decided_in(project.path(), &format!("pair --table Pairs --columns '{columns}'")).unwrap();
    assert_eq!(decided.plan.path_of_row(), "/pair/{A}/{D}");
    assert_eq!(decided.notes, ["no primary key: --key A,D takes what is unique"]);
}

/// Each way out that an error names works, so that nobody goes in a circle.
#[test]
fn every_way_out_works() {
    for (line, way) in [
        ("--only get,list --columns 'Id int key, Data varbinary(max) not null, Shape geography not null'", ""),
        ("--columns 'Id int key, A int, Data sql_variant not null'", " --set Data=0"),
        ("--columns 'Id int key, A int, Data xml not null'", " --only get,list,patch,delete"),
        (
            "--columns 'Id int key, Total as (1 + 2), A bit default ((0)), B date default (CONVERT(date, getdate()))'",
            "",
        ),
        ("--columns 'Id decimal(9) key, Code varchar(9) not null unique, A int'", " --key Code"),
        (
            "--columns 'A int, B date, RowID int IDENTITY(1, 1) NOT NULL CONSTRAINT UQ UNIQUE, primary key (A, B)'",
            " --key RowID",
        ),
        (
            "--columns 'A int, B date, C int not null, D int not null, E int, primary key (A, B), unique (C, D)'",
            " --key C,D",
        ),
    ] {
        let project = project();
        let line = format!("color --table Colors {line}");
        assert!(way.is_empty() || decided_in(project.path(), &line).is_err(), "{line}");
        decided_in(project.path(), &format!("{line}{way}")).unwrap_or_else(|error| panic!("{line}{way}: {error:#}"));
    }
}

/// The rule is that of .NET's JsonNamingPolicy.CamelCase, and a column that is added later keeps to it.
#[test]
fn members_begin_with_a_small_letter_on_request() {
    let project = project();
    let columns = "ID int key, OrderDate date, URLPath nvarchar(9), sku_code int, X int";
    add(project.path(), &format!("color --table Colors --camel --set X=1 --show X --columns '{columns}'")).unwrap();
    let added = decided_in(project.path(), "color --columns 'ID int key, OrderDate date, X int, NewOne int'").unwrap();
    let paths: Vec<_> = added.plan.shown().map(|column| column.path().to_owned()).collect();
    assert_eq!(paths, ["id", "orderDate", "x", "newOne"]);
    let plan = fs::read_to_string(project.path().join("entities/color.toml")).unwrap();
    assert!(plan.contains(r#"path = "urlPath""#) && !plan.contains("sku_code\", path"), "{plan}");
    assert!(
        plan.contains(r#"name = "X", type = "int", null = true, read_only = true, set = "1", path = "x""#),
        "{plan}"
    );
}

#[test]
fn a_list_goes_on_to_count() {
    let project = project();
    let columns = "--columns 'ID int key, Name nvarchar(20)'";
    add(project.path(), &format!("color --table Colors --count {columns}")).unwrap();
    assert!(decided_in(project.path(), &format!("color {columns}")).unwrap().plan.count);
}

/// Names are compared whole, not as parts of other names.
#[test]
fn a_name_is_taken_exactly() {
    let project = project();
    add(project.path(), "product_category --table Categories --columns 'Id int key, A int'").unwrap();
    add(project.path(), "category --table Other --columns 'Id int key, A int'").unwrap();
    let twice =
        decided_in(project.path(), "genre --table Other --columns 'Id int key, A int'").unwrap_err().to_string();
    assert!(twice.contains("dbo.Other is served already, by entities/category.toml"), "{twice}");
}

/// Options that `make` gives in one text are split as a shell splits them, and nothing is executed.
#[test]
fn options_in_one_text_keep_their_quotes() {
    let project = project();
    let line = "color --table Colors --columns 'Id int key, A int, Source nvarchar(20), B int' \
                --arguments \"--set 'Source=my own api' --without B\"";
    let plan = decided_in(project.path(), line).unwrap().plan;
    assert_eq!(plan.column("Source").unwrap().role, plan::Role::Set(plan::Expression::Text("my own api".into())));
    assert_eq!(plan.column("B").unwrap().role, plan::Role::Hidden);
    assert!(refused(&line.replace("my own api' ", "my own api ")).contains("cannot read"));
}

#[test]
fn all_tables_of_a_schema_are_added_under_their_singular() {
    let project = project();
    let root = project.path();
    let command = super::Command::AddAll {
        tables: "HangFire.*".into(),
        from: None,
        ddl: Some("tests/entities/hangfire.sql".into()),
        only: vec![Operation::Get, Operation::List],
        dry_run: false,
    };
    run(root, EntityArguments { command }).unwrap();
    let names: Vec<_> = project::plans(root).unwrap().into_iter().map(|plan| plan.name).collect();
    assert_eq!(names, ["aggregated_counter", "customer", "hash", "job", "server", "state"]);
    let script = "CREATE TABLE web.Requests (ID int PRIMARY KEY, A int); CREATE TABLE dbo.Bad (ID int unsigned)
        CREATE TABLE dbo.Good (ID int PRIMARY KEY, A int)";
    fs::write(root.join("all.sql"), script).unwrap();
    let all = |tables: &str| super::Command::AddAll {
        tables: tables.into(),
        from: None,
        ddl: Some("all.sql".into()),
        only: Vec::new(),
        dry_run: false,
    };
    run(root, EntityArguments { command: all("*") }).unwrap();
    let has = |name: &str| project::plan(root, name).unwrap().is_some();
    assert_eq!((has("good"), has("bad"), has("request")), (true, false, false));
    assert!(run(root, EntityArguments { command: all("Nothing.*") }).is_err());
    for (table, name) in [
        ("OrderDetails", "order_detail"),
        ("Order Details", "order_detail"),
        ("Categories", "category"),
        ("Boxes", "box"),
        ("Address", "address"),
        ("auth_user", "auth_user"),
        ("OrderID", "order_id"),
        ("SSOUsers", "sso_user"),
        ("QRTZ_LOCKS", "qrtz_lock"),
        ("Größen", "groessen"),
    ] {
        assert_eq!(singular(table), name);
    }
}

#[test]
fn lists_leave_out_long_texts_and_secrets() {
    let project = project();
    fs::write(
        project.path().join("users.sql"),
        "CREATE TABLE dbo.Users (UserID int PRIMARY KEY, Name nvarchar(20) NOT NULL, Biography nvarchar(max) NULL, PasswordHash varchar(200) NULL, IsPasswordOld bit NULL)",
    )
    .unwrap();
    let decided = decided_in(project.path(), "user --table Users --ddl users.sql").unwrap();
    assert_eq!(decided.plan.listed, ["UserID", "Name", "IsPasswordOld"]);
    assert!(decided.notes.iter().any(|note| note.contains("--without PasswordHash")), "{:?}", decided.notes);
}

#[test]
fn a_history_keeps_its_table_and_its_retention() {
    let project = project();
    let script = "CREATE TABLE dbo.Paints (PaintID int PRIMARY KEY, Name nvarchar(20) NOT NULL,
    A datetime2(7) GENERATED ALWAYS AS ROW START HIDDEN NOT NULL, B datetime2(7) GENERATED ALWAYS AS ROW END HIDDEN NOT NULL,
    PERIOD FOR SYSTEM_TIME (A, B)) WITH (SYSTEM_VERSIONING = ON (HISTORY_TABLE = dbo.OldPaints, HISTORY_RETENTION_PERIOD = 6 MONTHS))";
    fs::write(project.path().join("paints.sql"), script).unwrap();
    add(project.path(), "paint --table Paints --ddl paints.sql").unwrap();
    let sql = fs::read_to_string(project.path().join("sql/40-paint.sql")).unwrap();
    assert!(sql.contains(script), "{sql}");
    let plan = fs::read_to_string(project.path().join("entities/paint.toml")).unwrap();
    assert!(plan.contains(r#"history = "dbo.OldPaints""#) && plan.contains(r#"retention = "6 MONTHS""#), "{plan}");
}
