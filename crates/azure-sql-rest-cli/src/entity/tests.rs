//! The generator on tables: the customers, those of public sample databases, and what it refuses.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;

use tempfile::TempDir;

use super::files::{self, Change};
use super::{Add, Recorded, written_as};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A command line after `azure-sql-rest entity add`.
fn command(line: &str) -> Add {
    let words = shell_words::split(line).unwrap();
    Recorded::try_parse_from(words).unwrap().add
}

/// A project without entities of anybody's own: these may have any name.
fn project() -> TempDir {
    let project = TempDir::new().unwrap();
    for folder in ["sql", "src", "entities", "sqlite"] {
        fs::create_dir_all(project.path().join(folder)).unwrap();
    }
    fs::write(project.path().join("src/lib.rs"), ROUTES).unwrap();
    project
}

const ROUTES: &str = r#"azure_sql_rest::component! {
    openapi: include_str!("../openapi.json"),
    routes: {
        /// Read a customer
        GET "/customer/{id}" => get_customer(CustomerID: key(ID));

        /// List customers
        GET "/customers" => get_customers(After: page(ID), Limit: query("limit", 1..=10_000, 1000));

        /// Liveness
        GET "/healthz" => alive;
    }
}
"#;

/// What is written for it: texts by their path, the lines of the routes among them.
fn written(line: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let (project, add) = (project(), command(line));
    let changes = written_as(project.path(), &add, &format!("sql/40-{}.sql", add.name), false)?;
    let text = |change| match change {
        Change::File { path, text } => (path, text),
        Change::Routes { lines } => ("routes".to_owned(), lines),
    };
    Ok(changes.into_iter().map(text).collect())
}

fn refused(line: &str) -> String {
    format!("{:#}", written(line).err().unwrap_or_else(|| panic!("{line} must be refused")))
}

/// The customers are what the generator writes for their table and `customer.json`, but for these.
#[test]
fn the_customers_come_out_of_it() {
    let (path, line) = super::recorded(root(), "customer").unwrap();
    let changes = written_as(root(), &command(&line), &path, true).unwrap();
    let present = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let mut compared = Vec::new();
    for change in changes {
        let path = change.path().to_owned();
        let text = present(&path);
        match change {
            // The rows are those of WideWorldImporters, and orders refer to them.
            Change::File { text: written, .. } if path.ends_with(".schema.sql") => {
                let (create, rest) = written.split_once("INSERT INTO").unwrap();
                let (_, create) = create.split_once("CREATE TABLE").unwrap();
                let (_, views) = rest.split_once("\n\n").unwrap();
                assert!(text.contains(create) && text.contains(views), "{path}");
            }
            // The examples are those of the documents.
            Change::File { text: written, .. } if path.starts_with("entities/") => {
                let schema = |text: &str| {
                    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
                    value["examples"] = serde_json::Value::Null;
                    value
                };
                assert_eq!(schema(&text), schema(&written), "{path}");
            }
            Change::File { text: written, .. } => assert!(text == written, "{path} is not as it is written"),
            // They have more to say.
            Change::Routes { lines } => {
                for line in lines.lines().filter(|line| !line.trim().starts_with("///")) {
                    assert!(text.contains(line), "{path} has no {line}");
                }
            }
        }
        compared.push(PathBuf::from(path));
    }
    assert_eq!(compared.len(), 9);
}

/// The tables of public databases are added, or refused for the right reason. `tests/e2e` serves those that are added.
#[test]
fn tables_of_public_databases_are_added_or_refused_with_the_reason() {
    let commands = fs::read_to_string(root().join("tests/entities/commands.txt")).unwrap();
    let (mut added, mut reasons) = (0, 0);
    for line in commands.lines() {
        let tables = root().join("tests/entities/tables.sql");
        let with_tables = |command: &str| format!("{command} --ddl {}", tables.display());
        match line.split_once(" ! ") {
            None => {
                let files = written(&with_tables(line)).unwrap_or_else(|error| panic!("{line}: {error:#}"));
                assert!(files.len() >= 6, "{line}");
                added += 1;
            }
            Some((command, reason)) => {
                let message = refused(&with_tables(command));
                assert!(message.contains(reason), "{message}");
                reasons += 1;
            }
        }
    }
    assert_eq!((added, reasons), (19, 9));
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
        ("--table Colors", "ColorID int key", "no column can be changed: leave patch out with --only"),
        ("--table Colors", "ColorID int key, Shape geometry", "column Shape is geometry"),
        ("--table Colors", "ColorID decimal(5) key, A int", "the key ColorID is DECIMAL(5, 0)"),
        ("--table Colors", "ColorID nvarchar(451) key, A int", "the key ColorID is NVARCHAR(451)"),
        ("--table Colors", "Status int key, A int", "the key Status has a name that the procedures use"),
        (
            "--table Colors",
            "ColorID int key, A int default (dbo.f())",
            "column A has the default (dbo.f()), which the local bridge does not know",
        ),
        ("--table Colors", "ColorID int key, A int)", "cannot read the columns"),
        ("--table Colors", "ColorID int key, A nvarchar(10", "cannot read the columns"),
        (
            "--table Colors --without B",
            "ColorID int key, A int, B int not null",
            "column B must have a value in a new row",
        ),
        ("--table Colors --without C", key, "dbo.Colors has no column C"),
        ("--table Colors --without ColorID", key, "the key ColorID cannot be left out"),
        (
            "--table Colors --set B=300",
            "ColorID int key, A int, B tinyint",
            r#"column B cannot be set to "300": it is TINYINT"#,
        ),
        ("--table Colors --set B=@C", "ColorID int key, A int, B int", "clients give no C"),
        (
            "--table Colors --touch B=@A",
            "ColorID int key, A int, B int",
            "column B is set to @A with each change, which may not have that",
        ),
        ("--table Colors --set b=1", "ColorID int key, A int, B int", "dbo.Colors has no column b"),
        ("--table Colors --set A", key, r#""A" is not COLUMN=VALUE"#),
        ("--table Colors", "ColorID int key, [A B] int", "is not made of letters, digits and underscores"),
        (
            "--table Colors",
            "ColorID int key, [A]]; DROP TABLE x; --] int",
            "is not made of letters, digits and underscores",
        ),
        ("--table Colors", "ColorID int key, A int); DROP TABLE x; --", "cannot read the columns"),
        ("--table Colors --only put", key, "--only needs get as well"),
        ("--table Colors --plural color", key, "one row and many need different names"),
        ("--table Colors --plural customers", key, r#"the plural "customers" is taken"#),
        ("--table 'Colors; DROP TABLE x'", key, "is no name of a table"),
        ("--table '[dbo].Colors'", key, "is no name of a table"),
        ("--table a.b.c", key, "is no name of a table"),
    ] {
        let columns = if columns.is_empty() { String::new() } else { format!(" --columns \"{columns}\"") };
        let message = refused(&format!("color {options}{columns}"));
        assert!(message.contains(reason), "{options}{columns}: {message}");
    }
    for (name, reason) in [
        ("customer", "is taken"),
        ("healthz", "is taken"),
        ("ready", "is taken"),
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

/// What was written is found again by the command in it, and taken away when it was not changed.
#[test]
fn what_was_written_is_taken_away_untouched_and_nothing_is_overwritten() {
    let project = project();
    let root = project.path();
    let add =
        command("color --table Colors --columns \"ColorID int identity key,  Name nvarchar(20) default 'it is'\"");
    let remove = || {
        let command = super::Command::Remove { name: "color".into(), dry_run: false };
        super::run(root, super::EntityArguments { command })
    };
    let changes = super::written(root, &add).unwrap();
    files::add(root, &changes).unwrap();
    assert!(fs::read_to_string(root.join("src/lib.rs")).unwrap().contains("get_color(ColorID: key(ID))"));

    let again = super::written(root, &add).err().unwrap().to_string();
    assert!(again.contains("the name \"color\" is taken"), "{again}");
    let again = files::add(root, &changes).unwrap_err().to_string();
    assert!(again.contains("is there already: nothing was written"), "{again}");

    let script = root.join("sqlite/web.get_color.sql");
    let text = fs::read_to_string(&script).unwrap();
    fs::write(&script, format!("{text}-- mine\n")).unwrap();
    let touched = remove().unwrap_err().to_string();
    assert!(touched.contains("web.get_color.sql was changed since it was written: nothing was removed"), "{touched}");

    fs::write(&script, text).unwrap();
    remove().unwrap();
    assert_eq!(fs::read_to_string(root.join("src/lib.rs")).unwrap(), ROUTES);
    assert_eq!(fs::read_dir(root.join("sqlite")).unwrap().count(), 0);
    let unknown = remove().unwrap_err().to_string();
    assert!(unknown.contains("no script of sql/ was written by"), "{unknown}");
}

/// SQL Server does not tell names apart by case: a constraint that spells a column in another way is about that column.
#[test]
fn constraints_are_about_their_columns_however_these_are_spelled() {
    let columns = "ColorID int, Name nvarchar(20) not null, Parent int null, UNIQUE (NAME), PRIMARY KEY (colorid), \
                   FOREIGN KEY (PARENT) REFERENCES dbo.Colors (ColorID)";
    let files = written(&format!("color --table Colors --columns \"{columns}\"")).unwrap();
    assert!(files["sqlite/color.schema.sql"].contains("UNIQUE (Name)"));
    assert!(files["sql/40-color.sql"].contains("A color with this ColorID or Name already exists."));
    assert!(files["sql/40-color.sql"].contains("NOT IN (2601, 2627, 547)"));
    assert!(files["entities/color.json"].contains(r#""x-reference": true"#));
}

#[test]
fn what_is_special_is_text_and_never_sql() {
    let folder = TempDir::new().unwrap();
    let special = folder.path().join("special.json");
    let line = format!(
        "color --table Colors --columns 'ColorID int identity key, Name nvarchar(9) not null unique' --special {}",
        special.display()
    );
    fs::write(&special, r#"{"called": {"Name": "owner's name"}}"#).unwrap();
    let files = written(&line).unwrap();
    for path in ["sql/40-color.sql", "sqlite/web.put_color.sql"] {
        assert!(files[path].contains("this owner''s name already exists.'"), "{path}");
    }
    fs::write(&special, r#"{"members": [["ColorID", "ColorID"], ["a'b", "Name"]]}"#).unwrap();
    let message = refused(&line);
    assert!(message.contains("member \"a'b\" is not made of letters, digits and underscores"), "{message}");
}
