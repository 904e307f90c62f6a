//! Tests the tables that are read from scripts as people have them.

use super::*;
use crate::entity::plan::{Action, Filled, Identity, Length, SqlType};

fn table_of(script: &str) -> anyhow::Result<Table> {
    let scripts = [("tables.sql".to_owned(), script.to_owned())];
    read(&scripts, &"dbo.Colors".parse()?)?.ok_or_else(|| anyhow::anyhow!("no table"))
}

fn problem(script: &str) -> String {
    format!("{:#}", table_of(script).expect_err(script))
}

/// Names, defaults and conditions are cut out of the script, so that no quote and no bracket is lost.
#[test]
fn texts_are_kept_word_for_word() {
    let script = "CREATE TABLE [dbo].[Colors](\r\n  [Color ID] int IDENTITY(10, 5) NOT NULL PRIMARY KEY, -- a comment\r\n\
                  Name nvarchar(20) COLLATE Latin1_General_BIN2 NOT NULL DEFAULT N'it''s',\n\
                  Über varchar(9) CONSTRAINT DF_U DEFAULT 'x''); DROP TABLE x; --',\n\
                  Price money CHECK (Price > $0.00 AND Price <> ')'),\n\
                  Total AS (Price * 2) PERSISTED);\n\
                  CREATE UNIQUE INDEX UX ON dbo.Colors (Name) INCLUDE (Price) WHERE ([Name] IS NOT NULL) WITH (FILLFACTOR = 80) ON [PRIMARY]\nGO";
    let table = table_of(script).unwrap();
    let column = |name: &str| table.column(name).unwrap().clone();
    assert_eq!(column("Color ID").filled, Filled::Identity(Identity(10, 5)));
    assert_eq!(column("Name").default.unwrap(), "N'it''s'");
    assert_eq!(column("Name").collation.unwrap(), "Latin1_General_BIN2");
    assert_eq!(column("Über").default.unwrap(), "'x''); DROP TABLE x; --'");
    assert_eq!(column("Über").default_name.unwrap(), "DF_U");
    assert_eq!(table.checks[0].expression, "Price > $0.00 AND Price <> ')'");
    assert_eq!(column("Total").filled, Filled::Computed("(Price * 2)".into()));
    assert_eq!(table.uniques[1].filter.as_deref(), Some("([Name] IS NOT NULL)"));
    let [definition] = table.ddl.as_slice() else { panic!("{:?}", table.ddl) };
    assert!(definition.text.starts_with("CREATE TABLE [dbo].[Colors](\r\n  [Color ID] int IDENTITY(10, 5)"));
    assert!(definition.text.ends_with("WITH (FILLFACTOR = 80) ON [PRIMARY];"));
}

#[test]
fn later_statements_change_the_table() {
    let script = "SET ANSI_NULLS ON\nGO\nIF OBJECT_ID(N'dbo.Colors') IS NOT NULL DROP TABLE dbo.Colors\nGO
        CREATE TYPE dbo.Name FROM nvarchar(50) NOT NULL
        CREATE TABLE Colors (ID int NOT NULL, A int, B tinyint CONSTRAINT DF_B DEFAULT 1, Period int, Old dbo.Name,
            CONSTRAINT UQ_A UNIQUE (A), CONSTRAINT CK CHECK (A > 0), INDEX UX UNIQUE (B))
        ALTER TABLE Colors ADD CONSTRAINT PK PRIMARY KEY NONCLUSTERED (id), C bit NOT NULL CONSTRAINT DF_C DEFAULT ((0)) WITH VALUES
        ALTER TABLE Colors ALTER COLUMN A bigint NOT NULL
        ALTER TABLE Colors DROP CONSTRAINT DF_B, UQ_A, CONSTRAINT CK, COLUMN Old;
        DROP INDEX UX ON Colors
        ALTER TABLE [dbo].[Colors] WITH CHECK ADD CONSTRAINT FK FOREIGN KEY (A) REFERENCES dbo.Other (X) ON DELETE SET NULL
        ALTER TABLE [dbo].[Colors] CHECK CONSTRAINT FK\nGO
        CREATE TRIGGER dbo.TR ON dbo.Colors AFTER UPDATE AS BEGIN UPDATE dbo.Colors SET A = 1; END\nGO
        EXEC sys.sp_addextendedproperty @name=N'MS_Description', @level1name=N'Colors'
        INSERT INTO Colors (ID, A) VALUES (1, 2); GRANT ALTER ON dbo.Colors TO someone";
    let table = table_of(script).unwrap();
    let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["ID", "A", "B", "Period", "C"]);
    assert_eq!(table.column("A").unwrap().sql_type, Some(SqlType::BigInt));
    assert!(!table.column("A").unwrap().is_nullable && table.column("B").unwrap().default.is_none());
    assert_eq!(table.column("C").unwrap().default.as_deref(), Some("((0))"));
    assert_eq!(table.uniques.len(), 1);
    assert_eq!(table.primary().unwrap().columns, ["ID"]);
    assert_eq!(table.references[0].on_delete, Action::SetNull);
    assert_eq!((table.checks.len(), table.triggers.len()), (0, 1));
    assert_eq!(table.ddl.len(), 2, "the type that it uses, and the table");
}

#[test]
fn a_period_and_its_history_are_read() {
    let script = "CREATE TABLE dbo.Colors (ID int PRIMARY KEY, A datetime2(7) GENERATED ALWAYS AS ROW START HIDDEN NOT NULL,
        B datetime2(7) GENERATED ALWAYS AS ROW END NOT NULL, Secret nvarchar(max) MASKED WITH (FUNCTION = 'default()'),
        L bigint GENERATED ALWAYS AS TRANSACTION_ID START HIDDEN NOT NULL, PERIOD FOR SYSTEM_TIME (a, b)) ON [USERDATA] TEXTIMAGE_ON [USERDATA]
        WITH (DATA_COMPRESSION = PAGE, SYSTEM_VERSIONING = ON (HISTORY_TABLE = [dbo].[Colors_Archive], HISTORY_RETENTION_PERIOD = 6 MONTHS))";
    let table = table_of(script).unwrap();
    let period = table.temporal.clone().unwrap();
    assert_eq!((period.start.as_str(), period.retention.as_deref()), ("A", Some("6 MONTHS")));
    assert_eq!(period.history.unwrap().to_string(), "dbo.Colors_Archive");
    assert_eq!(table.column("Secret").unwrap().veil, Some(Veil::Masked));
    assert_eq!(table.column("Secret").unwrap().sql_type, Some(SqlType::NVarChar(Length::Max)));
    assert_eq!(table.column("L").unwrap().veil, Some(Veil::Ledger));
    assert_eq!(table.column("L").unwrap().filled, Filled::ByInsert);
}

#[test]
fn nothing_that_is_not_understood_is_skipped() {
    for (script, reason) in [
        ("CREATE TABLE Colors (ID int unsigned AUTO_INCREMENT)", "line 1: unsigned is not understood"),
        ("CREATE TABLE Colors (ID int);\nCREATE TABLE dbo.Colors (ID int)", "line 2: a second CREATE TABLE dbo.Colors"),
        ("CREATE TABLE Colors (ID int)\nEXEC sp_rename 'dbo.Colors', 'Hues'", "line 2: EXEC sp_rename"),
        (
            "CREATE TABLE Colors (ID int, A int CHECK (A > 0))\nEXEC sp_rename 'Colors.A', 'B', 'COLUMN'",
            "line 2: EXEC sp_rename",
        ),
        (
            "CREATE TABLE Colors (ID int)\nEXEC('ALTER TABLE Colors SWITCH TO Other')",
            "line 2, in EXECUTE: line 1: SWITCH",
        ),
        ("CREATE TABLE Colors (ID int)\nIF 1 = 1 EXEC(N'ALTER TABLE Colors DROP COLUMN ' + @var)", "line 2: EXEC"),
        ("CREATE TABLE Colors (ID int)\nALTER TABLE Colors SWITCH TO Other", "SWITCH is not understood"),
        ("ALTER TABLE Colors ADD A int", "no CREATE TABLE stands before that"),
        ("CREATE TABLE Colors (ID int, A decimal(5,7))", "\"decimal(5,7)\" is no type of SQL Server"),
        ("CREATE TABLE Colors (ID int, A dbo.Name)", "dbo.Name, a type of the database's own"),
        ("CREATE TABLE Colors (ID int) WITH (REMOTE_DATA_ARCHIVE = ON)", "is no option of a table"),
        ("CREATE TABLE Colors (ID int, CONSTRAINT x PRIMARY KEY (Nothing))", "has no column Nothing"),
        ("CREATE TABLE Colors (ID int, Name int, name int)", "there are two columns name"),
        ("CREATE TABLE Colors (ID int key)", "key is not understood"),
        ("CREATE TABLE Colors (ID int", "a parenthesis has no end"),
        ("CREATE TABLE Colors (ID int primary key, A int, primary key (A))", "there are two keys, ID and A"),
    ] {
        let said = problem(script);
        assert!(said.contains(reason), "{script}: {said}");
    }
    let said = problem("CREATE TABLE Colors (ID int, A nothing, B int unsigned, C decimal(50), D int)");
    assert_eq!(said.lines().count(), 3, "{said}");
}

/// Scripts that must run more than once say parts of themselves as texts, and drop what was there before.
#[test]
fn scripts_that_run_again_are_understood() {
    let script = "IF EXISTS (SELECT 1 FROM sys.tables) ALTER TABLE dbo.Colors DROP CONSTRAINT FK;
        ALTER TABLE dbo.Colors SET (SYSTEM_VERSIONING = OFF); DROP TABLE IF EXISTS Colors; DROP VIEW IF EXISTS Colors\nGO
        IF 1 = 1 EXEC(N'CREATE TABLE [Colors] ([ID] int PRIMARY KEY, [Name] nvarchar(9) DEFAULT N''it''''s'', [Old] int, B bit DEFAULT 1)');
        EXEC sys.sp_executesql @statement = N'CREATE VIEW dbo.All_Colors AS SELECT * FROM Colors';
        EXECUTE sp_executesql N'CREATE UNIQUE INDEX UX ON Colors (Old)'
        BULK INSERT Colors FROM 'colors.csv'
        EXEC dbo.Rebuild 'ColorsOfOthers'
        DECLARE @var0 sysname;
        SELECT @var0 = [d].[name] FROM [sys].[default_constraints] [d] INNER JOIN [sys].[columns] [c] ON 1 = 1
        WHERE ([d].[parent_object_id] = OBJECT_ID(N'[Colors]') AND [c].[name] = N'Name');
        IF @var0 IS NOT NULL EXEC(N'ALTER TABLE [Colors] DROP CONSTRAINT [' + @var0 + '];');
        ALTER TABLE [Colors] ALTER COLUMN [Name] nvarchar(20) NOT NULL;
        EXEC sp_rename N'[Colors].[Old]', N'New', N'COLUMN';
        ALTER PROCEDURE dbo.P AS ALTER TABLE Colors ADD Nothing int\nGO
        CREATE TRIGGER TR ON Colors AFTER INSERT AS SELECT 1\nGO
        DROP TRIGGER IF EXISTS TR";
    let table = table_of(script).unwrap();
    let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names, table.triggers.len()), (vec!["ID", "Name", "New", "B"], 0));
    let default = |name: &str| table.column(name).unwrap().default.clone();
    assert_eq!((default("Name"), default("B").as_deref()), (None, Some("1")));
    assert_eq!(table.uniques[1].columns, ["New"]);
    let text = &table.ddl[0].text;
    assert!(
        text.starts_with("CREATE TABLE [Colors] ([ID] int PRIMARY KEY, [Name] nvarchar(9) DEFAULT N'it''s'"),
        "{text}"
    );
    assert!(text.contains("= N'Name'\n);\nEXECUTE (@Drop2);\nALTER TABLE [Colors] ALTER COLUMN"), "{text}");
    assert!(text.ends_with("EXEC sp_rename N'[Colors].[Old]', N'New', N'COLUMN';"), "{text}");
}

#[test]
fn a_type_says_if_its_columns_are_nullable() {
    let script = "execute sp_addtype id, 'varchar(11)', 'NOT NULL'\nGO
        CREATE TYPE dbo.Name FROM nvarchar(50) NOT NULL; CREATE TYPE Note FROM nvarchar(99)
        CREATE TABLE Colors (ID id PRIMARY KEY, A Name, B Name NULL, C Note, D sysname, E money DEFAULT $1.5,
            F xml COLUMN_SET FOR ALL_SPARSE_COLUMNS)";
    let table = table_of(script).unwrap();
    let nullable: Vec<_> =
        table.columns.iter().filter(|column| column.is_nullable).map(|column| &*column.name).collect();
    assert_eq!(nullable, ["B", "C", "E", "F"]);
    assert_eq!(table.column("ID").unwrap().sql_type, Some(SqlType::VarChar(Length::Of(11))));
    assert_eq!(table.column("E").unwrap().default.as_deref(), Some("$1.5"));
    assert_eq!(table.ddl[0].text, "execute sp_addtype id, 'varchar(11)', 'NOT NULL';");
    let said = problem("CREATE TABLE Colors (ID Nothing)");
    assert!(
        said.contains("put its CREATE TYPE into the same file") && said.contains("\"Nothing\" is no type"),
        "{said}"
    );
}

/// A table that is not understood leaves the others as they are, and no table is left out without a word.
#[test]
fn each_of_several_tables_is_read_or_refused() {
    let script = "CREATE TABLE dbo.Bad (ID int unsigned); CREATE TABLE Sales.Good (ID int PRIMARY KEY)
        CREATE TABLE dbo.Colors (ID int PRIMARY KEY, A datetime2 GENERATED ALWAYS AS ROW START, B datetime2 GENERATED ALWAYS AS ROW END,
            PERIOD FOR SYSTEM_TIME (A, B)) WITH (SYSTEM_VERSIONING = ON (HISTORY_TABLE = dbo.OldColors))
        EXEC('CREATE TABLE dbo.OldColors (ID int NOT NULL)'); CREATE TABLE dbo.Knows AS EDGE; CREATE TABLE #Mine (ID int)\nGO
        CREATE PROCEDURE dbo.P AS CREATE TABLE dbo.Inner_Table (ID int)";
    let scripts = [("tables.sql".to_owned(), script.to_owned())];
    let said = |pattern: &str| -> Vec<String> {
        let read = |(name, table): Found| match table {
            Ok(table) => format!("{name} {:?}", table.traits),
            Err(error) => format!("{name} {error:#}"),
        };
        all(&scripts, pattern).unwrap().into_iter().map(read).collect()
    };
    let [bad, colors, old, edge, inner] = &said("dbo.*")[..] else { panic!("{:?}", said("dbo.*")) };
    assert!(bad.starts_with("dbo.Bad tables.sql: line 1: unsigned"), "{bad}");
    assert_eq!(colors, "dbo.Colors []");
    assert_eq!(old, "dbo.OldColors [Special(\"the history of dbo.Colors\")]");
    assert_eq!(edge, "dbo.Knows [Special(\"AS EDGE\")]");
    assert!(inner.contains("its CREATE TABLE is in a procedure"), "{inner}");
    assert_eq!(said("*").len(), 6);
    assert!(all(&scripts, "Sales").is_err());
}

/// A line of data may have a megabyte.
#[test]
fn a_long_line_is_read_in_time() {
    let script =
        format!("CREATE TABLE Colors (ID int PRIMARY KEY)\nINSERT INTO Colors VALUES {}", "(1), ".repeat(300_000));
    let began = std::time::Instant::now();
    table_of(&script).unwrap();
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn files_are_read_as_ssms_saves_them() {
    let script = "CREATE TABLE dbo.Colors (Größe int PRIMARY KEY)";
    let wide: Vec<u8> = [0xfeff].into_iter().chain(script.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(decoded(&wide).unwrap().trim_start_matches('\u{feff}'), script);
    let marked = [&[0xef, 0xbb, 0xbf], script.as_bytes()].concat();
    assert_eq!(decoded(&marked).unwrap(), script);
    let refused = decoded(b"CREATE TABLE Gr\xf6\xdfe").unwrap_err().to_string();
    assert!(refused.contains("save it as one of these"), "{refused}");
}

#[test]
fn a_list_of_columns_is_a_table() {
    let name = "Warehouse.Colors".parse().unwrap();
    let table = of_columns("ColorID int identity key,  Name nvarchar(20) default 'a, b' unique", &name).unwrap();
    assert_eq!(
        table.ddl[0].text,
        "CREATE TABLE [Warehouse].[Colors]\n(\n    ColorID int identity PRIMARY key,\n    Name nvarchar(20) default 'a, b' unique\n);"
    );
    assert_eq!(table.uniques.len(), 2);
    for columns in ["A int); DROP TABLE x; --", "A int key; DROP TABLE x", "A nvarchar(10", ""] {
        assert!(of_columns(columns, &name).is_err(), "{columns}");
    }
}

/// The catalog's answer, as SQL Server gives it for a table with everything.
const CATALOG: &str = r#"[{
    "schema": "Sales", "name": "Order Details", "owner": "sales_owner", "is_memory_optimized": false, "is_node": false, "is_edge": false,
    "is_filetable": false, "is_external": false, "is_view": false, "ledger_type": 3, "history_schema": "Sales", "history_name": "History", "retention": 6,
    "retention_unit": "MONTH",
    "columns": [
        {"name": "Id", "type_name": "int", "max_length": 4, "precision": 10, "scale": 0, "is_nullable": false, "collation": null,
         "seed": 10, "increment": 5, "generated_always_type": 0, "is_masked": false, "is_encrypted": 0},
        {"name": "Name", "type_name": "nvarchar", "max_length": 200, "precision": 0, "scale": 0, "is_nullable": false,
         "collation": "Latin1_General_BIN2", "default": "(N'it''s')", "generated_always_type": 0, "is_masked": false, "is_encrypted": 0},
        {"name": "Notes", "type_name": "varchar", "max_length": -1, "precision": 0, "scale": 0, "is_nullable": true,
         "generated_always_type": 0, "is_masked": true, "is_encrypted": 0},
        {"name": "Total", "type_name": "decimal", "max_length": 9, "precision": 18, "scale": 3, "is_nullable": true,
         "computed": "([Id]*(2))", "generated_always_type": 0, "is_masked": false, "is_encrypted": 0},
        {"name": "Version", "type_name": "timestamp", "max_length": 8, "precision": 0, "scale": 0, "is_nullable": false,
         "generated_always_type": 0, "is_masked": false, "is_encrypted": 0},
        {"name": "T", "type_name": "bigint", "max_length": 8, "precision": 19, "scale": 0, "is_nullable": false,
         "generated_always_type": 7, "is_masked": false, "is_encrypted": 0},
        {"name": "ValidFrom", "type_name": "datetime2", "max_length": 8, "precision": 27, "scale": 7, "is_nullable": false,
         "generated_always_type": 1, "is_masked": false, "is_encrypted": 0},
        {"name": "ValidTo", "type_name": "datetime2", "max_length": 8, "precision": 27, "scale": 7, "is_nullable": false,
         "generated_always_type": 2, "is_masked": false, "is_encrypted": 0}],
    "uniques": [
        {"name": "PK", "is_primary_key": true, "filter": null, "ignore_dup_key": false, "columns": [{"name": "Id"}]},
        {"name": "UX", "is_primary_key": false, "filter": "([Name] IS NOT NULL)", "ignore_dup_key": true, "columns": [{"name": "Name"}]}],
    "references": [{"name": "FK", "referenced_schema": "dbo", "referenced_name": "Names", "on_delete": "SET_NULL", "on_update": "NO_ACTION",
        "columns": [{"name": "Name", "referenced": "Name"}]}],
    "checks": [{"name": "CK", "expression": "([Id]>(0))"}],
    "triggers": [{"name": "TR", "is_instead_of": true}],
    "policies": [{"name": "dbo.Filter"}]
}]"#;

#[test]
fn a_table_is_what_the_catalog_says() {
    let first = |document: &str| catalog::tables(document).unwrap().remove(0).1;
    let table = first(CATALOG).unwrap();
    assert_eq!(table.name.to_string(), "[Sales].[Order Details]");
    let types: Vec<_> = table.columns.iter().map(|column| column.sql_type.unwrap().to_string()).collect();
    let expected = [
        "int",
        "nvarchar(100)",
        "varchar(max)",
        "decimal(18,3)",
        "rowversion",
        "bigint",
        "datetime2(7)",
        "datetime2(7)",
    ];
    assert_eq!(types, expected);
    assert_eq!(table.columns[0].filled, Filled::Identity(Identity(10, 5)));
    assert_eq!(table.columns[1].default.as_deref(), Some("(N'it''s')"));
    assert_eq!(table.columns[3].filled, Filled::Computed("([Id]*(2))".into()));
    let veils: Vec<_> = table.columns.iter().filter_map(|column| column.veil).collect();
    assert_eq!(veils, [Veil::Masked, Veil::Ledger]);
    assert_eq!(table.uniques[1].filter.as_deref(), Some("([Name] IS NOT NULL)"));
    assert_eq!(table.references[0].on_delete, Action::SetNull);
    assert_eq!(table.temporal.as_ref().unwrap().retention.as_deref(), Some("6 MONTH"));
    assert!(table.triggers[0].is_instead_of && table.traits.len() == 4, "{:?}", table.traits);
    let view = first(&CATALOG.replace("\"is_view\": false", "\"is_view\": true")).unwrap();
    assert!(view.traits.contains(&Trait::View) && !table.traits.contains(&Trait::View));
    assert!(first(&CATALOG.replace("\"bigint\"", "\"future\"")).is_err());
}

#[test]
fn tables_are_asked_for_by_name_or_schema() {
    for (tables, pattern) in [
        ("Sales.Customers", "Sales.Customers"),
        ("[dbo].[Order Details]", "dbo.Order Details"),
        ("dbo.a_b%[c", "error"),
        ("[dbo].[a_b%[c]", r"dbo.a\_b\%\[c"),
        ("Sales.*", "Sales.%"),
        ("[My Schema].*", "My Schema.%"),
        ("*", "%"),
    ] {
        assert_eq!(catalog::pattern(tables).unwrap_or_else(|_| "error".into()), pattern);
    }
}

/// Without a SQL Server at hand, the test shows only that the question is T-SQL.
#[test]
fn the_question_to_the_catalog_is_t_sql() {
    let sql = catalog::QUERY.replace(", INCLUDE_NULL_VALUES", "").replace("@P1", "'x'");
    sqlparser::parser::Parser::parse_sql(&sqlparser::dialect::MsSqlDialect {}, &sql).unwrap();
}
