use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll};

use rusqlite::OpenFlags;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::{
    database::{Database, connect},
    procedures::{Row, SqlType, Value},
};

const THINGS: &str =
    "CREATE TABLE Things (ThingID INTEGER PRIMARY KEY, Name TEXT NOT NULL UNIQUE CHECK (Name <> 'no')) STRICT;
INSERT INTO Things VALUES (1, 'One'), (2, 'Two');
CREATE TABLE Parts (ThingID INTEGER NOT NULL REFERENCES Things (ThingID)) STRICT;
INSERT INTO Parts VALUES (1);
";

const GET: &str = "-- @ThingID INT
SELECT 200 AS Status, 'v1' AS ETag, json_array(json_object('Name', Name)) AS Json FROM Things WHERE ThingID = :ThingID;

SELECT 404 AS Status, 'none' AS Json;
";

const PUT: &str = "-- @Name NVARCHAR(5), @RequestKey NVARCHAR(4000)
-- @IfMatch NVARCHAR(40) = NULL
INSERT INTO Things (Name) VALUES ('spoilt by ' || :Name);
INSERT INTO Things (Name) VALUES (:Name) RETURNING ThingID AS RowID;
SELECT 409 AS Status, 'taken' AS Json WHERE :ErrorNumber = 2627;
DELETE FROM Things WHERE Name = 'spoilt by ' || :Name;

-- The end.
SELECT 201 AS Status, :RowID AS ThingID, ifnull(max(Name), 'gone') AS Json FROM Things WHERE ThingID = :RowID;
";

/// A database and a folder of scripts.
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
        Self { folder, database, runtime }
    }

    fn connect(&self) -> Connection {
        let path = self.folder.path().join("bridge.db");
        connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE, &self.database.clock).unwrap()
    }

    fn load(&self, scripts: &[(&str, &str)]) -> Result<Vec<Procedure>> {
        for (name, text) in scripts {
            fs::write(self.folder.path().join(name), text).unwrap();
        }
        load(self.folder.path(), &mut self.connect())
    }

    /// The only procedure of these scripts.
    fn procedure(&self, text: &str) -> Arc<Procedure> {
        let scripts = [("things.schema.sql", THINGS), ("web.it.sql", text)];
        Arc::new(self.load(&scripts).unwrap().remove(0))
    }

    fn call<const N: usize>(&self, procedure: &Arc<Procedure>, arguments: [(&str, Value); N]) -> Result<Row> {
        let arguments = arguments.map(|(name, value)| (name.to_owned(), value)).into();
        self.runtime.block_on(self.database.call(procedure.clone(), arguments))
    }

    fn put(&self, procedure: &Arc<Procedure>, name: &str, key: &str, if_match: Value) -> (u16, Value, i64, String) {
        let arguments = [("Name", text(name)), ("RequestKey", text(key)), ("IfMatch", if_match)];
        let row = self.call(procedure, arguments).unwrap();
        match <[Value; 4]>::try_from(row.values) {
            Ok([_, id, Value::Integer(replayed), Value::Text(json)]) => (row.status, id, replayed, json),
            other => panic!("{other:?}"),
        }
    }

    fn names(&self) -> String {
        let sql = "SELECT group_concat(Name) FROM Things";
        self.connect().query_row(sql, (), |row| row.get(0)).unwrap()
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let error = load(Path::new("no/such/folder"), &mut Fixture::new().connect()).unwrap_err();
    assert!(error.to_string().contains("no/such/folder"));
}

#[test]
fn a_script_declares_its_parameters_and_selects_its_columns() {
    let fixture = Fixture::new();
    let procedure = fixture.procedure(PUT);
    assert_eq!((&*procedure.name, procedure.writes()), ("web.it", true));
    assert_eq!(procedure.columns, ["Status", "ThingID", "Replayed", "Json"]);
    let all = "-- About it.
        -- @A int, @B Bit = 1,
        -- @C nvarchar(max), @D NVARCHAR( 7 ) = null
        -- The rest.
        SELECT 404 AS Status, 7 AS NextAfter, 'none' AS Json WHERE :A;
        SELECT 200 AS Status, NULL AS XID, :C || :B AS Json";
    let procedure = fixture.procedure(all);
    let declared: Vec<_> =
        procedure.parameters.iter().map(|parameter| (parameter.sql_type, parameter.default.clone())).collect();
    assert_eq!(
        declared,
        [
            (SqlType::Int, None),
            (SqlType::Bit, Some(Value::Integer(1))),
            (SqlType::NVarChar(None), None),
            (SqlType::NVarChar(Some(7)), Some(Value::Null)),
        ]
    );
    assert_eq!(procedure.columns, ["Status", "XID", "NextAfter", "Json"]);
    let arguments = [("A", Value::Null), ("B", Value::Integer(1)), ("C", text("c"))];
    let row = fixture.call(&procedure, arguments).unwrap();
    assert_eq!(row.values, [200.into(), Value::Null, Value::Null, text("c1")]);
}

#[test]
fn a_procedure_of_many_rows_names_the_procedure_for_one() {
    let fixture = Fixture::new();
    let many = "-- @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000)\n-- Each row of @Json: web.one\n";
    let message = |scripts: &[(&str, &str)]| format!("{:#}", fixture.load(scripts).unwrap_err());
    assert!(message(&[("web.a_many.sql", many)]).contains("web.a_many has no procedure web.one for each row"));
    let one = "-- @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000)\nSELECT 201 AS Status, :Json AS Json;";
    let procedures = fixture.load(&[("web.one.sql", one)]).unwrap();
    assert_eq!((&*procedures[0].name, procedures[0].writes()), ("web.a_many", true));
    assert_eq!(procedures[0].columns, ["Status", "Replayed", "Json"]);
    assert!(message(&[("web.a_many.sql", "-- Each row of @Json: web.one\n")]).contains("declare"));
}

#[test]
fn the_first_statement_with_a_status_answers() {
    let fixture = Fixture::new();
    let procedure = fixture.procedure(GET);
    assert!(!procedure.writes());
    let get = |id| fixture.call(&procedure, [("ThingID", Value::Integer(id))]).unwrap();
    let found = Row { status: 200, values: vec![200.into(), text("v1"), text(r#"[{"Name":"Two"}]"#)] };
    assert_eq!(get(2), found);
    assert_eq!(get(3).values, [404.into(), Value::Null, text("none")]);
}

#[test]
fn a_write_is_done_once_for_a_key_and_answers_with_the_row_as_it_is_now() {
    let fixture = Fixture::new();
    let put = fixture.procedure(PUT);
    let again = |if_match| fixture.put(&put, "Three", "k", if_match);
    assert_eq!(again(Value::Null), (201, 4.into(), 0, "Three".into()));
    // The version named in If-Match does not make it another request.
    assert_eq!(again(text("v")), (201, 4.into(), 1, "Three".into()));
    assert_eq!(fixture.put(&put, "Four", "k", Value::Null).0, 422);
    assert_eq!(fixture.names(), "One,Two,Three");
    fixture.connect().execute_batch("UPDATE Things SET Name = 'Now' WHERE ThingID = 4").unwrap();
    assert_eq!(again(Value::Null), (201, 4.into(), 1, "Now".into()));
    fixture.connect().execute_batch("DELETE FROM Things WHERE ThingID = 4").unwrap();
    assert_eq!(again(Value::Null), (201, 4.into(), 1, "gone".into()));
}

#[test]
fn what_was_refused_is_undone_and_its_key_not_used() {
    let fixture = Fixture::new();
    let put = fixture.procedure(PUT);
    let refused = fixture.put(&put, "Two", "k", Value::Null);
    assert_eq!(refused, (409, Value::Null, 0, "taken".into()));
    assert_eq!(fixture.names(), "One,Two");
    assert_eq!(fixture.put(&put, "Three", "k", Value::Null).0, 201);
}

#[test]
fn a_violation_that_nothing_answers_for_fails_and_is_undone() {
    let fixture = Fixture::new();
    let remove = "-- @Name NVARCHAR(5), @RequestKey NVARCHAR(4000)\nDELETE FROM Things WHERE Name = :Name;\nSELECT 202 AS Status, '' AS Json;\n";
    for (script, name, number) in [(PUT, "no", 547), (remove, "One", 547)] {
        let procedure = fixture.procedure(script);
        let arguments = [("Name", text(name)), ("RequestKey", text("k"))];
        let error = fixture.call(&procedure, arguments).unwrap_err();
        assert_eq!(crate::procedures::error_number(error.downcast_ref().unwrap()), Some(number));
        assert_eq!(fixture.names(), "One,Two");
    }
}

#[test]
fn a_broken_reference_is_named_and_leaves_nothing_behind() {
    let fixture = Fixture::new();
    let script = "-- @ThingID INT, @Name NVARCHAR(9), @RequestKey NVARCHAR(4000)
UPDATE Pairs SET ThingID = :ThingID, Name = :Name;
SELECT 200 AS Status, :ErrorNumber || ' ' || :ErrorConstraint AS Json WHERE :ErrorNumber IS NOT NULL;
SELECT 202 AS Status, 'done' AS Json;
";
    let pairs = format!(
        "{THINGS}CREATE UNIQUE INDEX Whole ON Things (ThingID, Name);
CREATE TABLE Pairs (ThingID INTEGER REFERENCES Things, Name TEXT, FOREIGN KEY (ThingID, Name) REFERENCES Things (ThingID, Name)) STRICT;
INSERT INTO Pairs VALUES (1, 'One');"
    );
    let scripts = [("things.schema.sql", &*pairs), ("web.it.sql", script)];
    let update = Arc::new(fixture.load(&scripts).unwrap().remove(0));
    for (thing, name, answer) in [
        (1, "Two", "547 foreign key Pairs.ThingID, Pairs.Name"),
        (2, "Two", "done"),
        (2, "One", "547 foreign key Pairs.ThingID, Pairs.Name"),
    ] {
        let key = text(&format!("{thing}{name}"));
        let arguments = [("ThingID", Value::Integer(thing)), ("Name", text(name)), ("RequestKey", key)];
        let row = fixture.call(&update, arguments).unwrap();
        assert_eq!(row.values.last(), Some(&text(answer)), "{thing} {name}");
        let stored = "SELECT ThingID || Name FROM Pairs";
        let stored: String = fixture.connect().query_row(stored, (), |row| row.get(0)).unwrap();
        assert_eq!(stored, if thing == 1 { "1One" } else { "2Two" });
    }
}

#[test]
fn a_key_must_not_be_null_whatever_else_is_wrong() {
    let fixture = Fixture::new();
    let put = fixture.procedure(PUT);
    let error = fixture.call(&put, [("Name", text("Two")), ("RequestKey", Value::Null)]).unwrap_err();
    assert!(error.to_string().contains("NOT NULL constraint failed: web_Requests.RequestKey"));
}

#[test]
fn a_call_ends_even_when_nobody_waits_for_it() {
    let fixture = Fixture::new();
    let put = fixture.procedure(PUT);
    let arguments = [("Name", text("Three")), ("RequestKey", text("abandoned"))];
    let arguments = arguments.map(|(name, value)| (name.to_owned(), value)).into();
    fixture.runtime.block_on(async {
        let mut call = pin!(fixture.database.call(put.clone(), arguments));
        let polled_once = poll_fn(|context| Poll::Ready(call.as_mut().poll(context)));
        assert!(polled_once.await.is_pending());
    });
    // The writer is free again only after the abandoned call.
    fixture.put(&put, "Four", "k", Value::Null);
    assert_eq!(fixture.names(), "One,Two,Three,Four");
}

#[test]
fn a_schema_is_executed_once_and_another_is_refused_with_the_way_out() {
    let fixture = Fixture::new();
    fixture.procedure(PUT);
    fixture.connect().execute_batch("DELETE FROM Things WHERE ThingID = 2").unwrap();
    fixture.procedure(PUT);
    assert_eq!(fixture.names(), "One");
    let error = fixture.load(&[("things.schema.sql", "CREATE TABLE Others (x)")]).unwrap_err();
    assert!(format!("{error:#}").contains("make reset"), "{error:#}");
}

#[test]
fn a_script_that_must_fail_is_an_error_at_start_that_tells_what_to_do() {
    for (name, script, error) in [
        ("get.sql", "", "rename it to web.get.sql"),
        ("web.a.sql", "", "does not select Status"),
        ("web.a.sql", "-- @Id\n", "`@Id` is no declaration: write `@Name TYPE`"),
        ("web.a.sql", "-- @Id DATE\n", "`@Id DATE` is no declaration"),
        ("web.a.sql", "-- @Id INT = now\n", "the default NULL or a whole number"),
        ("web.a.sql", "-- ThingID INT\nSELECT :ThingID", "begin the script with `-- @ThingID TYPE`"),
        ("web.a.sql", "-- @Id INT\nSELECT ?", "? is not declared"),
        ("web.a.sql", "-- @Id INT\n\nSELECT 1;\nSELECT Nmae\nFROM Things", "line 4: no such column: Nmae"),
        ("web.a.sql", "SELECT 1;\nSELEC 2;", "line 2: near \"SELEC\": syntax error"),
        ("web.a.sql", "SELECT 1; SELECT 2;\n", "Multiple statements"),
        ("web.a.sql", "DELETE FROM Things", "declare `-- @RequestKey NVARCHAR(4000)`"),
        (
            "web.a.sql",
            "-- @RequestKey NVARCHAR(4000)\nSELECT 1 AS Name;\nSELECT 201 AS Status, :Name AS Json;\n",
            "uses :Name, which a replay does not have",
        ),
        ("web.a.sql", "SELECT 200 AS Status", "selects (Status), and must select"),
        ("web.a.sql", "SELECT '' AS Json, 200 AS Status", "must select Status, then"),
        ("web.a.sql", "SELECT 200 AS Status, 1 AS AID, 2 AS BID, '' AS Json", "selects (Status, AID, BID, Json)"),
        (
            "web.a.sql",
            "SELECT 400 AS Status, 1 AS AID, '' AS Json;\nSELECT 200 AS Status, 1 AS BID, '' AS Json;\n",
            "it has two ids, AID and BID",
        ),
        ("web.a.sql", "SELECT 200 AS Status, 0 AS Replayed, '' AS Json", "Replayed is added where it belongs"),
        (
            "more.schema.sql",
            "CREATE TABLE More (Name TEXT);\nCREATE TABEL Less (Name TEXT);",
            "line 2: near \"TABEL\": syntax error",
        ),
    ] {
        let fixture = Fixture::new();
        fixture.load(&[("things.schema.sql", THINGS)]).unwrap();
        let message = format!("{:#}", fixture.load(&[(name, script)]).unwrap_err());
        assert!(message.contains(error), "{message}");
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn a_row_of_another_shape_is_an_error_that_tells_why() {
    let fixture = Fixture::new();
    for (script, error) in [
        ("SELECT 200 AS Status, '' AS Json WHERE 0", "its last statement gave no row"),
        ("SELECT 302 AS Status, '' AS Json", "its Status is Some(Integer(302))"),
        ("SELECT '200' AS Status, '' AS Json", "must be 2xx or 4xx"),
        ("SELECT 200 AS Status, NULL AS Json", "its Json is Null, which is no NVARCHAR(MAX)"),
        ("SELECT 200 AS Status, 1 AS ETag, '' AS Json", "which is no NVARCHAR(40)"),
        ("SELECT 200 AS Status, 1.5 AS NextAfter, '' AS Json", "its NextAfter is Real(1.5), which is no key"),
    ] {
        let cause = fixture.call(&fixture.procedure(script), []).unwrap_err();
        assert!(cause.to_string().contains(error), "{cause:#}");
        assert!(cause.downcast_ref::<rusqlite::Error>().is_none());
    }
}

#[test]
fn first_rows_without_the_rows_they_refer_to_are_left_out_and_own_scripts_win() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, sql: &str| {
        let path = folder.path().join("scripts").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, sql).unwrap();
    };
    write(
        "things.schema.sql",
        "CREATE TABLE Things (ID INTEGER PRIMARY KEY, Other INTEGER REFERENCES Things) STRICT;\n",
    );
    write("things.rows.sql", "INSERT INTO Things VALUES (9, NULL);\n");
    // Row 3 refers to a missing row, and row 4 to row 3.
    write("own/things.rows.sql", "INSERT INTO Things VALUES (1, NULL), (2, 1), (3, 99), (4, 3);\n");
    let path = folder.path().join("bridge.db");
    let database = Database::open(&path).unwrap();
    let mut connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE, &database.clock).unwrap();
    load(&folder.path().join("scripts"), &mut connection).unwrap();
    let rows: String = connection.query_row("SELECT group_concat(ID) FROM Things", (), |row| row.get(0)).unwrap();
    assert_eq!(rows, "1,2");
}
