use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::database::{CallError, Database};

const THINGS: &str = "CREATE TABLE IF NOT EXISTS Things (
    ThingID INTEGER PRIMARY KEY,
    Name    TEXT NOT NULL UNIQUE
) STRICT;
INSERT OR IGNORE INTO Things VALUES (1, 'One'), (2, 'Two');
";

const GET: &str = "-- @ThingID INT
SELECT 200 AS Status, 'v1' AS ETag, json_array(json_object('Name', Name)) AS Json FROM Things WHERE ThingID = :ThingID
UNION ALL
SELECT 404, NULL, json_object('detail', 'none') WHERE NOT EXISTS (SELECT * FROM Things WHERE ThingID = :ThingID);
";

const PUT: &str = "-- @Name NVARCHAR(5), @RequestKey NVARCHAR(255)
-- @IfMatch NVARCHAR(40) = NULL
INSERT INTO Things (Name) VALUES (:Name) ON CONFLICT DO NOTHING;
UPDATE Things SET Name = 'spoilt' WHERE changes() = 0 AND Name = :Name;
SELECT iif(changes() = 0, 201, 409) AS Status, last_insert_rowid() AS ThingID, '[]' AS Json;
-- The end.
";

/// A seeded database and a folder of scripts.
struct Fixture {
    folder: TempDir,
    database: Database,
    runtime: Runtime,
}

impl Fixture {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let database = Database::open(&folder.path().join("bridge.db")).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self {
            folder,
            database,
            runtime,
        }
    }

    fn load(&self, scripts: &[(&str, &str)]) -> Result<Vec<Procedure>> {
        for (name, text) in scripts {
            fs::write(self.folder.path().join(name), text).unwrap();
        }
        load_scripts(self.folder.path(), &self.folder.path().join("bridge.db"))
    }

    /// The only procedure of these scripts.
    fn procedure(&self, text: &str) -> Procedure {
        self.load(&[(SCHEMA, THINGS), ("web.it.sql", text)]).unwrap()[0]
    }

    fn call<const N: usize>(
        &self,
        procedure: Procedure,
        arguments: [(&'static str, Value); N],
    ) -> Result<Row, CallError> {
        self.runtime
            .block_on(self.database.call(procedure, Arguments(arguments.into())))
    }

    fn put(&self, procedure: Procedure, name: &str, key: &str, if_match: Value) -> Row {
        let arguments = [("Name", text(name)), ("RequestKey", text(key)), ("IfMatch", if_match)];
        self.call(procedure, arguments).unwrap()
    }

    fn names(&self) -> String {
        let sql = "SELECT 200 AS Status, (SELECT group_concat(Name) FROM Things) AS Json";
        let names = self.load(&[("web.names.sql", sql)]).unwrap();
        let names = names.into_iter().find(|procedure| procedure.name == "web.names");
        self.call(names.unwrap(), []).unwrap().json
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn without_a_folder_there_are_no_scripts() {
    assert!(
        load_scripts(Path::new("no/such/folder"), Path::new("none"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_script_declares_its_parameters_and_selects_its_columns() {
    let fixture = Fixture::new();
    let procedure = fixture.procedure(PUT);
    assert_eq!((procedure.name, procedure.writes), ("web.it", true));
    assert_eq!(
        procedure.parameters,
        [
            Parameter::required("Name", SqlType::NVarChar(5)),
            Parameter::required("RequestKey", SqlType::NVarChar(255)),
            Parameter::optional("IfMatch", SqlType::NVarChar(40), DefaultValue::Null),
        ]
    );
    let id = Column::Id("ThingID");
    assert_eq!(procedure.columns, [Column::Status, id, Column::Replayed, Column::Json]);
    let all = "-- About it.
        -- @A int, @B Bit = 1,
        -- @C nvarchar(max)
        -- The rest.
        SELECT 200 AS Status, NULL AS ETag, NULL AS XID, 7 AS NextAfter, :C || @B AS Json";
    let procedure = fixture.procedure(all);
    assert_eq!(
        procedure.parameters,
        [
            Parameter::required("A", SqlType::Int),
            Parameter::optional("B", SqlType::Bit, DefaultValue::Int(1)),
            Parameter::required("C", SqlType::NVarCharMax),
        ]
    );
    assert_eq!(procedure.columns[2], Column::Id("XID"));
    let arguments = [("A", Value::Null), ("B", Value::Int(1)), ("C", text("c"))];
    let row = fixture.call(procedure, arguments).unwrap();
    assert_eq!(
        row,
        Row {
            next_after: Some(7),
            ..Row::new(200, "c1".into())
        }
    );
}

#[test]
fn a_read_gives_its_row() {
    let fixture = Fixture::new();
    let procedure = fixture.procedure(GET);
    assert!(!procedure.writes);
    let get = |id| fixture.call(procedure, [("ThingID", Value::Int(id))]).unwrap();
    let found = Row {
        etag: Some("v1".into()),
        ..Row::new(200, r#"[{"Name":"Two"}]"#.into())
    };
    assert_eq!(get(2), found);
    assert_eq!(get(3), Row::new(404, r#"{"detail":"none"}"#.into()));
}

#[test]
fn a_write_is_done_once_for_a_key() {
    let fixture = Fixture::new();
    let put = fixture.procedure(PUT);
    let created = fixture.put(put, "Three", "k", Value::Null);
    assert_eq!((created.status, created.id, created.replayed), (201, Some(3), false));
    let replayed = Row {
        replayed: true,
        ..created.clone()
    };
    // The version named in If-Match does not make it another request.
    assert_eq!(fixture.put(put, "Three", "k", text("v")), replayed);
    assert_eq!(fixture.put(put, "Four", "k", Value::Null).status, 422);
    assert_eq!(fixture.put(put, "Four", "l", Value::Null).status, 201);
    assert_eq!(fixture.names(), "One,Two,Three,Four");
}

#[test]
fn what_was_refused_is_undone_and_its_key_not_used() {
    let fixture = Fixture::new();
    let put = fixture.procedure(PUT);
    assert_eq!(fixture.put(put, "Two", "k", Value::Null).status, 409);
    assert_eq!(fixture.names(), "One,Two");
    assert_eq!(fixture.put(put, "Three", "k", Value::Null).status, 201);
}

#[test]
fn the_schema_keeps_what_is_there() {
    let fixture = Fixture::new();
    let put = fixture.procedure(PUT);
    fixture.put(put, "Three", "k", Value::Null);
    fixture.procedure(PUT);
    assert_eq!(fixture.names(), "One,Two,Three");
}

#[test]
fn a_script_that_must_fail_is_an_error_at_start_that_tells_what_to_do() {
    let selects = |columns: &str| format!("SELECT {columns}");
    for (name, script, error) in [
        ("get.sql", "", "rename it to web.get.sql"),
        ("web.get_customer.sql", "", "is built in: rename it"),
        ("web.a.sql", "", "selects (), and must select Status"),
        ("web.a.sql", "-- @Id\n", "`@Id` is no declaration: write `@Name TYPE`"),
        ("web.a.sql", "-- @Id DATE\n", "`@Id DATE` is no declaration"),
        ("web.a.sql", "-- @Id INT = now\n", "the default NULL or a whole number"),
        (
            "web.a.sql",
            "-- ThingID INT\nSELECT :ThingID",
            "begin the script with `-- @ThingID TYPE`",
        ),
        ("web.a.sql", "-- @Id INT\nSELECT ?", "? is not declared"),
        (
            "web.a.sql",
            "-- @Id INT\n\nSELECT Nmae\nFROM Things",
            "line 3: no such column: Nmae",
        ),
        (
            "web.a.sql",
            "SELECT 1;\nSELEC 2;",
            "line 2: near \"SELEC\": syntax error",
        ),
        (
            "web.a.sql",
            "DELETE FROM Things",
            "declare `-- @RequestKey NVARCHAR(255)`",
        ),
        (
            "web.a.sql",
            &selects("200 AS Status"),
            "selects (Status), and must select",
        ),
        (
            "web.a.sql",
            &selects("'' AS Json, 200 AS Status"),
            "must select Status, then",
        ),
        (
            "web.a.sql",
            &selects("200 AS Status, 1 AS AID, 2 AS BID, '' AS Json"),
            "selects (Status, AID, BID, Json)",
        ),
        (
            "web.a.sql",
            &selects("200 AS Status, 0 AS Replayed, '' AS Json"),
            "Replayed is added where it belongs",
        ),
        (
            "schema.sql",
            "CREATE TABLE More (Name TXT) STRICT",
            "unknown datatype for More.Name",
        ),
    ] {
        let fixture = Fixture::new();
        fixture.load(&[(SCHEMA, THINGS)]).unwrap();
        let message = format!("{:#}", fixture.load(&[(name, script)]).unwrap_err());
        assert!(message.contains(error), "{message}");
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn a_result_of_another_shape_is_an_internal_error_that_tells_why() {
    let fixture = Fixture::new();
    for (script, error) in [
        (
            "SELECT 200 AS Status, '' AS Json WHERE 0",
            "selected 0 rows, and must select one",
        ),
        (
            "SELECT 200 AS Status, Name AS Json FROM Things",
            "selected 2 rows, and must select one",
        ),
        ("SELECT 302 AS Status, '' AS Json", "its Status is Integer(302)"),
        ("SELECT '200' AS Status, '' AS Json", "must be a status of 2xx or 4xx"),
        (
            "SELECT 200 AS Status, NULL AS Json",
            "its Json is Null, and must be a text",
        ),
        ("SELECT 200 AS Status, 1 AS ETag, '' AS Json", "must be a text or NULL"),
        (
            "SELECT 200 AS Status, 1.5 AS NextAfter, '' AS Json",
            "must be an integer or NULL",
        ),
        ("SELECT 200 AS Status, 3000000000 AS AID, '' AS Json", "out of range"),
    ] {
        let outcome = fixture.call(fixture.procedure(script), []);
        let Err(CallError::Internal(cause)) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(format!("{cause:#}").contains(error), "{cause:#}");
    }
}
