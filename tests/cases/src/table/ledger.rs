//! Exactly-once: the same key again, for the same request and for another.

use super::customer::{but, new, shown};
use crate::case::{
    Argument, Call, Case, Expect, absent, call, case, delete, get, patch, problem, put, reused, row, status, taken,
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = replays();
    cases.extend(other_requests());
    cases.extend(failures());
    cases
}

fn gone() -> Expect {
    row(202, r#"[{"CustomerID":$a}]"#)
}

fn replays() -> Vec<Case> {
    let once = || put("1", new("Once"));
    let created = |name: &str| row(201, shown("a", name)).id("a");
    vec![
        case("a put with the same key creates nothing new")
            .then(once(), created("Once").version("v"))
            .then(once(), created("Once").version("v"))
            .then(once(), created("Once").version("v"))
            .recorded("1", "web.put_customer", 201, "a"),
        case("a replayed put shows the customer as it is now")
            .then(put("1", new("Now")), created("Now").version("v1"))
            .then(patch("2", "a", r#"{"CustomerName":"Later"}"#), row(202, shown("a", "Later")).version("v2"))
            .then(put("1", new("Now")), created("Later").version("v2")),
        case("a replayed put of what was deleted since shows nothing and creates nothing")
            .then(put("1", new("Deleted since")), created("Deleted since"))
            .then(delete("2", "a"), gone())
            .then(put("1", new("Deleted since")), row(201, "[]").id("a"))
            .then(get("a"), absent("$a"))
            .then(put("3", new("Deleted since")), row(201, shown("b", "Deleted since")).id("b")),
        case("a replayed patch changes nothing again")
            .then(put("1", new("Patched")), created("Patched"))
            .then(patch("2", "a", r#"{"FaxNumber":"f"}"#), status(202).version("v2"))
            .then(patch("3", "a", r#"{"FaxNumber":"g"}"#), status(202).version("v3"))
            .then(
                patch("2", "a", r#"{"FaxNumber":"f"}"#),
                row(202, but(&shown("a", "Patched"), r#""2""#, r#""g""#)).version("v3"),
            ),
        case("a replayed patch of what was deleted since shows nothing")
            .then(put("1", new("Patched and deleted")), status(201).id("a"))
            .then(patch("2", "a", "{}"), status(202))
            .then(delete("3", "a"), gone())
            .then(patch("2", "a", "{}"), row(202, "[]")),
        case("a replayed delete deletes nothing again")
            .then(put("1", new("Deleted once")), status(201).id("a"))
            .then(delete("2", "a"), gone())
            .then(delete("2", "a"), gone())
            .then(put("3", new("Deleted once")), status(201).id("b"))
            .then(delete("2", "a"), gone())
            .then(get("b"), status(200)),
        case("the version asked for is no part of the request")
            .then(put("1", new("Any version again")), status(201).id("a").version("v1"))
            .then(delete("2", "a").if_match(Argument::Version("v1")), gone())
            .then(delete("2", "a").if_match(Argument::Text("x".into())), gone())
            .then(delete("2", "a"), gone()),
        case("a key may have 255 characters")
            .then(long_key("Long key"), created("Long key").version("v"))
            .then(long_key("Long key"), created("Long key").version("v")),
    ]
}

fn long_key(name: &str) -> Call {
    with_key(new(name), "~".repeat(255))
}

/// A put with exactly this key.
fn with_key(json: String, key: String) -> Call {
    call("put_customer", true, vec![("Json", Argument::Text(json)), ("RequestKey", Argument::Text(key))])
}

fn other_requests() -> Vec<Case> {
    let pair = |name: &'static str, customer: &str, other: &str| {
        case(name)
            .then(put("a", new(customer)), status(201).id("a").version("v1"))
            .then(put("b", new(other)), status(201).id("b"))
    };
    vec![
        case("a key is for one text")
            .then(put("1", new("One text")), status(201).id("a"))
            .then(put("1", new("Another text")), reused())
            .then(put("1", format!("{} ", new("One text"))), reused())
            .then(put("1", "no JSON"), reused())
            .then(put("1", "{}"), reused())
            .then(put("2", new("Another text")), status(201).id("b"))
            .recorded("1", "web.put_customer", 201, "a"),
        pair("a key is for one procedure", "One procedure", "Its other")
            .then(patch("a", "a", new("One procedure")), reused())
            .then(delete("a", "a"), reused())
            .then(get("a"), row(200, shown("a", "One procedure")).version("v1")),
        pair("a key is for one customer", "One customer", "Another customer")
            .then(patch("1", "a", "{}"), status(202))
            .then(patch("1", "b", "{}"), reused())
            .then(delete("2", "a"), gone())
            .then(delete("2", "b"), reused())
            .then(get("b"), status(200)),
        case("keys are case-sensitive")
            .then(put("k", new("Small key")), status(201).id("a"))
            .then(put("K", new("Large key")), status(201).id("b")),
        pair("a patch's key is for one text", "One patch", "Unused")
            .then(patch("1", "a", r#"{"FaxNumber":"f"}"#), status(202).version("v2"))
            .then(patch("1", "a", r#"{"FaxNumber": "f"}"#), reused())
            .then(patch("1", "a", r#"{"FaxNumber":7}"#), reused())
            .then(patch("1", 9999, "[]").if_match(Argument::Text("x".into())), reused())
            .then(get("a"), status(200).version("v2")),
    ]
}

fn failures() -> Vec<Case> {
    let without_key = |key| {
        let mut call = put("1", new("Without a key"));
        call.arguments.truncate(1);
        call.arguments.extend(key);
        call
    };
    vec![
        case("a key whose request failed may be used for another")
            .then(put("1", "{}"), status(422))
            .then(put("1", "[]"), status(400))
            .then(put("1", new("Wingtip Toys (Head Office)")), taken())
            .not_recorded("1")
            .then(put("1", new("Finally")), status(201).id("a"))
            .recorded("1", "web.put_customer", 201, "a"),
        case("a patch that failed may be repaired with its key")
            .then(put("1", new("Repaired")), status(201).id("a"))
            .then(patch("2", "a", r#"{"FaxNumber":1}"#), status(422))
            .then(patch("2", "a", "{}").if_match(Argument::Text("x".into())), status(412))
            .then(patch("2", 9999, "{}"), status(404))
            .not_recorded("2")
            .then(patch("2", "a", "{}"), status(202)),
        case("a delete that failed may be tried again with its key")
            .then(delete("1", 123), status(409))
            .then(delete("1", 123), status(409))
            .then(delete("1", 9999), status(202)),
        case("a key of NULL is an error and changes nothing")
            .then(without_key(Some(("RequestKey", Argument::Null))), Expect::Error(515))
            .then(put("2", new("Without a key")), status(201).id("a")),
        ["", " ", "a b", "k ", "\u{e9}", "k\n", "\u{7f}", "\u{1f600}"]
            .map(str::to_owned)
            .into_iter()
            .chain([256, 4000, 5000].map(|length| "k".repeat(length)))
            .fold(case("what is not 1 to 255 visible ASCII characters is no key"), |case, key| {
                let refused = || problem(400, "The idempotency key must be 1 to 255 visible ASCII characters.");
                case.then(with_key(new("No key"), key.clone()), refused())
                    .then(with_key("no JSON".to_owned(), key), refused())
            })
            .then(put("1", new("No key")), status(201).id("a")),
        case("a key that is missing is an error").then(without_key(None), Expect::Error(201)),
    ]
}
