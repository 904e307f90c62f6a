//! Scripts, tested over HTTP.

use std::fs;

use tempfile::TempDir;

use super::server::Server;

const SCHEMA: &str =
    "CREATE TABLE Notes (NoteID INTEGER PRIMARY KEY, Note TEXT NOT NULL UNIQUE CHECK (Note <> '')) STRICT;";

const PUT_NOTE: &str = "-- @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000)
INSERT INTO Notes (Note) VALUES (:Json ->> '$.Note') RETURNING NoteID AS RowID;
SELECT 201 AS Status, 'v' AS ETag, NoteID, json_array(Note) AS Json FROM Notes WHERE NoteID = :RowID;";

const GET_NOTES: &str = "-- @IsLoud BIT, @Limit INT = 1
SELECT 200 AS Status, iif(count(*) > :Limit, :Limit, NULL) AS NextAfter, iif(:IsLoud, 'LOUD', 'low') AS Json FROM Notes;";

/// An entity for a procedure.
fn entity(name: &str, method: &str) -> String {
    format!(
        r#""{name}":{{"source":{{"type":"stored-procedure","object":"web.{name}"}},"rest":{{"methods":["{method}"]}},"permissions":[{{"role":"anonymous"}}]}}"#
    )
}

fn start() -> Server {
    let folder = TempDir::new().unwrap();
    let entities = [entity("put_note", "post"), entity("get_notes", "get")].join(",");
    for (name, text) in [
        ("dab-config.json", &*format!("{{\"entities\":{{{entities}}}}}")),
        ("notes.schema.sql", SCHEMA),
        ("web.put_note.sql", PUT_NOTE),
        ("web.get_notes.sql", GET_NOTES),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    Server::with_scripts(folder)
}

fn put(server: &Server, note: &str, key: &str) -> (u16, String) {
    let reply = server.post("/api/put_note", &format!(r#"{{"Json":{{"Note":"{note}"}},"RequestKey":"{key}"}}"#));
    (reply.status, reply.body)
}

#[test]
fn columns_have_their_types_and_texts_their_escapes() {
    let server = start();
    let created = |replayed| {
        format!(
            r#"{{"value":[{{"Status":201,"ETag":"v","NoteID":1,"Replayed":{replayed},"Json":"[\"O'Hara <x> \uD83D\uDE00\"]"}}]}}"#
        )
    };
    assert_eq!(put(&server, "O'Hara <x> 😀", "k"), (201, created(false)));
    assert_eq!(put(&server, "O'Hara <x> 😀", "k"), (201, created(true)));
    put(&server, "another", "l");
    let reply = server.get("/api/get_notes?IsLoud=true");
    assert_eq!((reply.status, &*reply.body), (200, r#"{"value":[{"Status":200,"NextAfter":1,"Json":"LOUD"}]}"#));
    assert_eq!(
        server.get("/api/get_notes?IsLoud=false&Limit=2").body,
        r#"{"value":[{"Status":200,"NextAfter":null,"Json":"low"}]}"#
    );
}

#[test]
fn parameters_are_checked_as_they_are_declared() {
    let server = start();
    for (query, message) in [
        ("", "Invalid request. Missing required request parameters."),
        ("IsLoud=1", "Invalid value provided for field: IsLoud"),
        ("IsLoud=true&Limit=many", "Invalid value provided for field: Limit"),
        ("IsLoud=true&After=1", "Invalid request. Contained unexpected fields: After for entity: get_notes"),
    ] {
        let reply = server.get(&format!("/api/get_notes?{query}"));
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.body.contains(message), "{}", reply.body);
    }
}

#[test]
fn a_violated_constraint_has_the_status_of_its_sql_error() {
    let server = start();
    assert_eq!(put(&server, "once", "1").0, 201);
    let error = |status| {
        format!(
            r#"{{"error":{{"code":"DatabaseOperationFailed","message":"While processing your request the database ran into an error.","status":{status}}}}}"#
        )
    };
    assert_eq!(put(&server, "once", "2"), (409, error(409)));
    assert_eq!(put(&server, "", "3"), (400, error(400)));
    let reply = server.post("/api/put_note", r#"{"Json":"{}","RequestKey":"4"}"#);
    assert_eq!((reply.status, reply.body), (400, error(400)));
    let reply = server.post("/api/put_note", r#"{"Json":"no JSON","RequestKey":"5"}"#);
    assert_eq!((reply.status, reply.body), (500, error(500)));
}
