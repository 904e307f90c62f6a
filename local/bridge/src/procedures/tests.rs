use std::{path::PathBuf, thread};

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::database::{CallError, Database};

/// A seeded database of its own.
struct Fixture {
    runtime: Runtime,
    database: Database,
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let database = Database::open(&path_in(&folder)).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self {
            runtime,
            database,
            folder,
        }
    }

    fn get(&self, id: i32) -> Row {
        self.call("web.get_customer", [("CustomerID", Value::Int(id))])
    }

    fn put(&self, key: &str, json: &str) -> Row {
        self.call("web.put_customer", [("Json", text(json)), ("RequestKey", text(key))])
    }

    fn patch(&self, key: &str, id: i32, json: &str, if_match: Option<&str>) -> Row {
        let if_match = if_match.map_or(Value::Null, text);
        let arguments = [
            ("CustomerID", Value::Int(id)),
            ("Json", text(json)),
            ("RequestKey", text(key)),
            ("IfMatch", if_match),
        ];
        self.call("web.patch_customer", arguments)
    }

    fn delete(&self, key: &str, id: i32, if_match: Option<&str>) -> Row {
        let if_match = if_match.map_or(Value::Null, text);
        let arguments = [
            ("CustomerID", Value::Int(id)),
            ("RequestKey", text(key)),
            ("IfMatch", if_match),
        ];
        self.call("web.delete_customer", arguments)
    }

    fn page(&self, after: i32, limit: i32) -> Row {
        self.call(
            "web.get_customers",
            [("After", Value::Int(after)), ("Limit", Value::Int(limit))],
        )
    }

    fn call<const N: usize>(&self, name: &str, arguments: [(&'static str, Value); N]) -> Row {
        self.try_call(name, arguments.into()).unwrap()
    }

    fn try_call(&self, name: &str, arguments: Vec<(&'static str, Value)>) -> Result<Row, CallError> {
        let procedure = PROCEDURES.into_iter().find(|procedure| procedure.name == name).unwrap();
        self.runtime
            .block_on(self.database.call(procedure, Arguments(arguments)))
    }
}

fn path_in(folder: &TempDir) -> PathBuf {
    folder.path().join("bridge.db")
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn new_customer(name: &str) -> String {
    format!(
        r#"{{"CustomerName":"{name}","PhoneNumber":"123-234-5678","FaxNumber":"123-234-5678","WebsiteURL":"http://www.something.com","Delivery":{{"AddressLine1":"One Microsoft Way","PostalCode":98052}}}}"#
    )
}

fn detail(status: u16, detail: &str) -> Row {
    Row::new(status, format!(r#"{{"detail":"{detail}"}}"#))
}

#[test]
fn the_database_is_ready() {
    assert_eq!(
        Fixture::new().call("web.ready", []),
        Row::new(200, r#"{"status":"ready"}"#.into())
    );
}

#[test]
fn customer_123_is_the_one_of_the_original() {
    let row = Fixture::new().get(123);
    assert_eq!(row.status, 200);
    assert_eq!(row.etag.as_deref(), Some("2026-01-01T00:00:00.0000000"));
    assert_eq!(
        row.json,
        r#"[{"CustomerID":123,"CustomerName":"Tailspin Toys (Roe Park, NY)","PhoneNumber":"(212) 555-0100","FaxNumber":"(212) 555-0101","WebsiteURL":"http:\/\/www.tailspintoys.com\/RoePark","Delivery":{"AddressLine1":"Shop 219","AddressLine2":"528 Persson Road","PostalCode":"90775"}}]"#
    );
}

#[test]
fn an_absent_customer_is_404() {
    let fixture = Fixture::new();
    assert_eq!(fixture.get(9999), detail(404, "Customer 9999 does not exist."));
    assert_eq!(
        fixture.patch("k", 9999, "{}", None),
        detail(404, "Customer 9999 does not exist.")
    );
    assert_eq!(
        fixture.call("web.get_customer", [("CustomerID", Value::Null)]),
        detail(404, "Customer  does not exist.")
    );
}

#[test]
fn pages_say_whether_more_follow() {
    let fixture = Fixture::new();
    let first = fixture.page(0, 2);
    assert_eq!((first.status, first.next_after), (200, Some(2)));
    assert!(
        first
            .json
            .starts_with(r#"[{"CustomerID":1,"CustomerName":"Tailspin Toys (Head Office)"},{"CustomerID":2,"#)
    );
    assert_eq!(fixture.page(200, 2).next_after, Some(401));
    assert_eq!(fixture.page(1059, 2).next_after, None);
    assert_eq!(fixture.page(1059, 1).next_after, Some(1060));
    assert_eq!(fixture.page(i32::MAX, 10_000), Row::new(200, "[]".into()));
    let all = fixture.page(0, 10_000);
    assert_eq!(all.next_after, None);
    let all: Vec<serde_json::Value> = serde_json::from_str(&all.json).unwrap();
    assert_eq!(all.len(), 663);
}

#[test]
fn pages_have_limits() {
    let fixture = Fixture::new();
    let refused = detail(400, "limit must be between 1 and 10000 and after must not be negative.");
    for (after, limit) in [(0, 0), (0, 10_001), (-1, 10), (0, i32::MIN)] {
        assert_eq!(fixture.page(after, limit), refused);
    }
    assert_eq!(
        fixture.call("web.get_customers", [("After", Value::Int(0)), ("Limit", Value::Null)]),
        refused
    );
}

#[test]
fn a_new_customer_gets_the_next_id_and_is_stored() {
    let fixture = Fixture::new();
    let created = fixture.put("k", &new_customer("Zoë <x> 😀"));
    assert_eq!((created.status, created.id), (201, Some(1062)));
    assert_eq!(
        created.json,
        r#"[{"CustomerID":1062,"CustomerName":"Zoë <x> 😀","PhoneNumber":"123-234-5678","FaxNumber":"123-234-5678","WebsiteURL":"http:\/\/www.something.com","Delivery":{"AddressLine1":"One Microsoft Way","PostalCode":"98052"}}]"#
    );
    let stored = fixture.get(1062);
    assert_eq!((stored.etag, stored.json), (created.etag, created.json));
}

/// The same answer, marked as one that was given before.
fn replay_of(row: &Row) -> Row {
    Row {
        replayed: true,
        ..row.clone()
    }
}

#[test]
fn a_replay_changes_nothing_and_answers_with_the_row_as_it_is_now() {
    let fixture = Fixture::new();
    let created = fixture.put("k", &new_customer("once"));
    assert_eq!(fixture.put("k", &new_customer("once")), replay_of(&created));
    let patched = fixture.patch("k2", 1062, r#"{"CustomerName":"twice"}"#, None);
    let replayed = fixture.put("k", &new_customer("once"));
    assert_eq!((replayed.status, replayed.id), (201, Some(1062)));
    assert_eq!(
        (replayed.etag, replayed.json),
        (patched.etag.clone(), patched.json.clone())
    );
    assert_eq!(
        fixture.patch("k2", 1062, r#"{"CustomerName":"twice"}"#, None),
        replay_of(&patched)
    );
    assert_eq!(fixture.get(1063).status, 404);

    let deleted = fixture.delete("k3", 1062, None);
    assert_eq!(deleted.json, r#"[{"CustomerID":1062}]"#);
    assert_eq!(fixture.delete("k3", 1062, None), replay_of(&deleted));
    let gone = Row {
        id: Some(1062),
        replayed: true,
        ..Row::new(201, "[]".into())
    };
    assert_eq!(fixture.put("k", &new_customer("once")), gone);
    let gone = Row { status: 202, ..gone };
    assert_eq!(fixture.patch("k2", 1062, r#"{"CustomerName":"twice"}"#, None), gone);
}

#[test]
fn a_key_is_for_one_request_only() {
    let fixture = Fixture::new();
    let reused = detail(422, "This idempotency key was already used for a different request.");
    fixture.put("k", &new_customer("a"));
    assert_eq!(fixture.put("k", &new_customer("b")), reused);
    assert_eq!(fixture.put("k", "no JSON"), reused);
    assert_eq!(fixture.patch("k", 1062, &new_customer("a"), None), reused);
    assert_eq!(fixture.delete("k", 1062, None), reused);
    assert_eq!(fixture.put("K", &new_customer("b")).status, 201);
    fixture.delete("d", 801, None);
    assert_eq!(fixture.delete("d", 802, None), reused);
}

#[test]
fn what_was_refused_is_not_recorded() {
    let fixture = Fixture::new();
    assert_eq!(fixture.put("k", "{}").status, 422);
    assert_eq!(fixture.put("k", "[]"), detail(400, "The body is not a JSON object."));
    assert_eq!(
        fixture.put("k", &new_customer("wingtip toys (HEAD OFFICE)  ")).status,
        409
    );
    assert_eq!(fixture.put("k", &new_customer("a")).status, 201);
}

#[test]
fn a_key_must_not_be_null() {
    let fixture = Fixture::new();
    let arguments = vec![("Json", text(&new_customer("a"))), ("RequestKey", Value::Null)];
    let Err(CallError::Database(error)) = fixture.try_call("web.put_customer", arguments) else {
        panic!("must fail")
    };
    assert!(
        error
            .to_string()
            .contains("NOT NULL constraint failed: web_Requests.RequestKey")
    );
    assert_eq!(fixture.get(1062).status, 404);
}

#[test]
fn all_invalid_fields_are_named() {
    let row = Fixture::new().put(
        "k",
        r#"{"CustomerName":null,"PhoneNumber":1,"FaxNumber":"","Delivery":{"AddressLine1":""}}"#,
    );
    assert_eq!(row.status, 422);
    assert_eq!(
        row.json,
        r#"{"detail":"The customer has invalid fields.","errors":[{"field":"CustomerName","message":"must not be null"},{"field":"PhoneNumber","message":"must be a string"},{"field":"WebsiteURL","message":"is required"},{"field":"Delivery.PostalCode","message":"is required"}]}"#
    );
}

#[test]
fn names_are_unique_but_for_case_and_trailing_spaces() {
    let fixture = Fixture::new();
    let taken = detail(409, "A customer with this name already exists.");
    assert_eq!(fixture.put("1", &new_customer("tailspin toys (roe park, ny) ")), taken);
    assert_eq!(fixture.put("2", &new_customer("Resume")).status, 201);
    assert_eq!(fixture.put("3", &new_customer("Résumé")).status, 201);
    assert_eq!(fixture.patch("4", 801, r#"{"CustomerName":"RÉSUMÉ"}"#, None), taken);
    assert_eq!(
        fixture.patch("5", 1062, r#"{"CustomerName":"RESUME"}"#, None).status,
        202
    );
}

#[test]
fn a_patch_merges_and_changes_the_version_even_when_nothing_else_changes() {
    let fixture = Fixture::new();
    let before = fixture.get(123);
    let patched = fixture.patch("1", 123, "{}", before.etag.as_deref());
    assert_eq!((patched.status, &patched.json), (202, &before.json));
    assert!(patched.etag > before.etag);
    let cleared = fixture.patch("2", 123, r#"{"Delivery":{"AddressLine2":null}}"#, None);
    assert_eq!(
        cleared.json,
        before.json.replace(r#""AddressLine2":"528 Persson Road","#, "")
    );
    assert!(cleared.etag > patched.etag);
    assert_eq!(fixture.get(123).etag, cleared.etag);
}

#[test]
fn a_lost_update_is_412_but_a_replay_is_not() {
    let fixture = Fixture::new();
    let version = fixture.get(801).etag.unwrap();
    let patched = fixture.patch("1", 801, r#"{"FaxNumber":"1"}"#, Some(&version));
    assert_eq!(patched.status, 202);
    assert_eq!(
        fixture.patch("1", 801, r#"{"FaxNumber":"1"}"#, Some(&version)),
        replay_of(&patched)
    );
    let changed = detail(412, "Customer 801 has changed since the version named in If-Match.");
    assert_eq!(fixture.patch("2", 801, r#"{"FaxNumber":7}"#, Some(&version)), changed);
    assert_eq!(fixture.delete("3", 801, Some(&version)), changed);
    assert_eq!(fixture.delete("3", 801, patched.etag.as_deref()).status, 202);
    assert_eq!(fixture.patch("4", 801, "[]", Some("x")).status, 400);
    assert_eq!(fixture.patch("4", 801, "{}", Some("x")).status, 404);
}

#[test]
fn only_customers_that_nothing_refers_to_can_be_deleted() {
    let fixture = Fixture::new();
    for id in [1, 2, 123, 201, 401, 601] {
        let detail = detail(
            409,
            &format!("Customer {id} is referred to by other rows and cannot be deleted."),
        );
        assert_eq!(fixture.delete("k", id, None), detail);
        assert_eq!(fixture.get(id).status, 200);
    }
    for (key, id) in [("a", 801), ("b", 1061), ("c", 801), ("d", 9999)] {
        let row = fixture.delete(key, id, None);
        assert_eq!((row.status, row.json), (202, format!(r#"[{{"CustomerID":{id}}}]"#)));
        assert_eq!(fixture.get(id).status, 404);
    }
}

#[test]
fn ids_are_never_used_again() {
    let fixture = Fixture::new();
    assert_eq!(fixture.put("1", &new_customer("a")).id, Some(1062));
    fixture.delete("2", 1062, None);
    assert_eq!(fixture.put("3", &new_customer("a")).id, Some(1063));
}

#[test]
fn unusual_characters_are_stored_as_they_are() {
    let fixture = Fixture::new();
    let created = fixture.put("k", &new_customer(r"a\u0000b\/\u001f\ud800"));
    assert!(
        created.json.contains("\"a\\u0000b\\/\\u001f\u{fffd}\""),
        "{}",
        created.json
    );
    assert_eq!(fixture.get(1062).json, created.json);
}

#[test]
fn of_concurrent_duplicates_one_creates_and_the_others_get_its_answer() {
    let fixture = Fixture::new();
    // Each thread opens the file for itself, as another process would.
    let rows: Vec<Row> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let folder = &fixture.folder;
                scope.spawn(move || {
                    let database = Database::open(&path_in(folder)).unwrap();
                    let runtime = Builder::new_current_thread().build().unwrap();
                    let arguments = Arguments(vec![
                        ("Json", text(&new_customer("a"))),
                        ("RequestKey", text(if number < 3 { "one" } else { "other" })),
                    ]);
                    runtime
                        .block_on(database.call(put_customer::PROCEDURE, arguments))
                        .unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    // Either the three with one key or the one with another key came first; the name is taken for the rest.
    let created: Vec<&Row> = rows.iter().filter(|row| row.status == 201).collect();
    assert!(matches!(created.len(), 1 | 3), "{rows:?}");
    let (replays, firsts): (Vec<&Row>, Vec<&Row>) = created.iter().partition(|row| row.replayed);
    assert_eq!((firsts.len(), firsts[0].id), (1, Some(1062)));
    assert!(replays.iter().all(|row| **row == replay_of(firsts[0])));
    assert!(rows.iter().all(|row| matches!(row.status, 201 | 409)));
    assert_eq!(fixture.get(1063).status, 404);
}

#[test]
fn a_call_ends_even_when_nobody_waits_for_it() {
    let fixture = Fixture::new();
    let arguments = Arguments(vec![
        ("Json", text(&new_customer("a"))),
        ("RequestKey", text("abandoned")),
    ]);
    fixture.runtime.block_on(async {
        let call = fixture.database.call(put_customer::PROCEDURE, arguments);
        assert!(tokio::time::timeout(std::time::Duration::ZERO, call).await.is_err());
    });
    // The writer is free again only after the abandoned call.
    assert_eq!(fixture.delete("k", 9999, None).status, 202);
    assert_eq!(fixture.get(1062).status, 200);
}
