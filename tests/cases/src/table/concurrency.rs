//! Calls at the same time. What each answers may depend on which is first; how many answer what does not.

use super::customer::{new, shown};
use crate::case::{Argument, Call, Case, absent, case, changed, delete, get, patch, put, reused, row, status, taken};

/// Keys to have one each.
const KEYS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];

pub(super) fn cases() -> Vec<Case> {
    let each = |call: fn(&'static str) -> Call| KEYS.map(call).to_vec();
    let gone = || row(202, r#"[{"CustomerID":$a}]"#);
    let with = |name: &'static str, customer: &str| {
        case(name).then(put("new", new(customer)), status(201).id("a").version("v1"))
    };
    vec![
        case("of puts with one key at once one creates, and all answer with its customer")
            .together(
                vec![put("1", new("Same key")); 6],
                vec![(6, row(201, shown("a", "Same key")).id("a").version("v"))],
            )
            .then(get("a"), status(200).version("v"))
            .recorded("1", "web.put_customer", 201, "a"),
        case("of puts with one name at once one creates, and the name is taken for the others")
            .together(
                each(|key| put(key, new("Same name"))),
                vec![(1, row(201, shown("a", "Same name")).id("a")), (5, taken())],
            )
            .then(get("a"), row(200, shown("a", "Same name"))),
        case("of two puts with one key and two texts one creates")
            .together(
                vec![put("1", new("This text")), put("1", new("That text"))],
                vec![(1, status(201).id("a")), (1, reused())],
            )
            .recorded("1", "web.put_customer", 201, "a"),
        case("puts of different customers at once all create")
            .together(
                vec![put("1", new("Left")), put("2", new("Right")), put("3", new("Middle"))],
                vec![
                    (1, row(201, shown("a", "Left")).id("a")),
                    (1, row(201, shown("b", "Right")).id("b")),
                    (1, row(201, shown("c", "Middle")).id("c")),
                ],
            )
            .then(get("b"), row(200, shown("b", "Right"))),
        with("of patches of one version at once one changes, and the others are 412", "One version")
            .together(
                ["1", "2", "3"].map(|key| patch(key, "a", "{}").if_match(Argument::Version("v1"))).to_vec(),
                vec![(1, status(202).version("v2")), (2, changed("$a"))],
            )
            .then(get("a"), status(200).version("v2")),
        with("of patches with one key at once one changes", "One patch key")
            .together(vec![patch("1", "a", r#"{"FaxNumber":"f"}"#); 4], vec![(4, status(202).version("v2"))])
            .then(get("a"), status(200).version("v2")),
        with("patches of different fields at once all count", "Both fields")
            .together(
                vec![patch("1", "a", r#"{"PhoneNumber":"p"}"#), patch("2", "a", r#"{"FaxNumber":"f"}"#)],
                vec![(1, status(202).version("v2")), (1, status(202).version("v3"))],
            )
            .stored("a", &[("PhoneNumber", Some("p")), ("FaxNumber", Some("f"))]),
        with("deletes with one key at once all succeed", "One delete key")
            .together(vec![delete("1", "a"); 4], vec![(4, gone())])
            .then(get("a"), absent("$a")),
        with("deletes with different keys at once all succeed", "Many delete keys")
            .together(each(|key| delete(key, "a")), vec![(6, gone())])
            .then(get("a"), absent("$a")),
    ]
}
