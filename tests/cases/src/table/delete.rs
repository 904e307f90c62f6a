//! `web.delete_customer`.

use super::customer::{new, shown};
use crate::case::{Argument, Case, Expect, absent, case, changed, delete, get, patch, problem, put, row, status};

pub(super) fn cases() -> Vec<Case> {
    let gone = |id: &str| row(202, format!(r#"[{{"CustomerID":{id}}}]"#));
    let referred = |id: &str| -> Expect {
        problem(409, &format!("Customer {id} is referred to by other rows and cannot be deleted."))
    };
    let with = |name: &'static str, customer: &str| {
        case(name).then(put("new", new(customer)), row(201, shown("a", customer)).id("a").version("v1"))
    };
    vec![
        with("a customer that was deleted does not exist", "To be deleted")
            .then(delete("1", "a"), gone("$a"))
            .then(get("a"), absent("$a"))
            .recorded("1", "web.delete_customer", 202, "a"),
        with("deleting again succeeds", "Deleted again")
            .then(delete("1", "a"), gone("$a"))
            .then(delete("2", "a"), gone("$a"))
            .recorded("2", "web.delete_customer", 202, "a"),
        case("deleting what never was succeeds")
            .then(delete("1", 9999), gone("9999"))
            .then(delete("2", 300), gone("300")),
        case("a customer of the sample without orders can be deleted")
            .then(delete("1", 1000), gone("1000"))
            .then(get(1000), absent("1000")),
        case("a customer with orders cannot be deleted")
            .then(delete("1", 123), referred("123"))
            .then(get(123), status(200))
            .not_recorded("1"),
        case("a customer to whom others are billed cannot be deleted")
            .then(delete("1", 1), referred("1"))
            .then(delete("2", 401), referred("401")),
        with("deleting an older version is 412 and deletes nothing", "Delete older")
            .then(patch("1", "a", "{}"), status(202).version("v2"))
            .then(delete("2", "a").if_match(Argument::Version("v1")), changed("$a"))
            .then(get("a"), status(200).version("v2"))
            .not_recorded("2"),
        with("deleting the version that was read succeeds", "Delete read")
            .then(delete("1", "a").if_match(Argument::Version("v1")), gone("$a"))
            .then(get("a"), absent("$a")),
        case("a stale version is found before a reference")
            .then(delete("1", 123).if_match(Argument::Text("x".into())), changed("123")),
        case("deleting a version of what does not exist is 412, for nothing is there that could match")
            .then(delete("1", 9999).if_match(Argument::Text("x".into())), changed("9999"))
            .not_recorded("1")
            .then(delete("1", 9999), gone("9999")),
        with("deleting any version deletes what is there", "Delete any")
            .then(delete("1", "a").if_match(Argument::Text("*".into())), gone("$a"))
            .then(delete("1", "a").if_match(Argument::Text("*".into())), gone("$a")),
        case("deleting any version of what does not exist is 412")
            .then(delete("1", 9999).if_match(Argument::Text("*".into())), changed("9999"))
            .not_recorded("1"),
        with("a delete of a version can be repeated under its key, and not under another", "Delete a version")
            .then(delete("1", "a").if_match(Argument::Version("v1")), gone("$a"))
            .then(delete("1", "a").if_match(Argument::Version("v1")), gone("$a"))
            .then(delete("2", "a").if_match(Argument::Version("v1")), changed("$a")),
        with("a name is free again once its customer is deleted", "Free again")
            .then(delete("1", "a"), gone("$a"))
            .then(put("2", new("Free again")), row(201, shown("b", "Free again")).id("b")),
    ]
}
