//! `web.patch_customer`: merging (RFC 7396), versions, and the order of its checks.

use super::customer::{but, new, shown};
use crate::case::{
    Argument, Case, Expect, absent, call, case, changed, delete, get, invalid, no_object, patch, put, row, status,
    taken,
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = merging();
    cases.extend(versions());
    cases.extend(refusals());
    cases
}

/// A case that begins with a new customer `a` at version `v1`.
fn with(name: &'static str, customer: &str) -> Case {
    case(name).then(put("new", new(customer)), status(201).id("a").version("v1"))
}

fn merging() -> Vec<Case> {
    let line2 = |name: &str| but(&shown("a", name), r#""PostalCode""#, r#""AddressLine2":"Two","PostalCode""#);
    vec![
        with("a field that is absent keeps its value", "Keep")
            .then(
                patch("1", "a", r#"{"PhoneNumber":"9"}"#),
                row(202, but(&shown("a", "Keep"), r#""1""#, r#""9""#)).version("v2"),
            )
            .then(get("a"), row(200, but(&shown("a", "Keep"), r#""1""#, r#""9""#)).version("v2"))
            .recorded("1", "web.patch_customer", 202, "a"),
        with("every field can be changed at once", "All fields").then(
            patch(
                "1",
                "a",
                r#"{"CustomerName":"All changed","PhoneNumber":"p","FaxNumber":"f","WebsiteURL":"w","Delivery":{"AddressLine1":"1","AddressLine2":"2","PostalCode":3}}"#,
            ),
            row(
                202,
                r#"[{"CustomerID":$a,"CustomerName":"All changed","PhoneNumber":"p","FaxNumber":"f","WebsiteURL":"w","Delivery":{"AddressLine1":"1","AddressLine2":"2","PostalCode":"3"}}]"#,
            ),
        ),
        with("Delivery is merged member by member", "Merge")
            .then(patch("1", "a", r#"{"Delivery":{"AddressLine2":"Two"}}"#), row(202, line2("Merge")))
            .then(patch("2", "a", r#"{"Delivery":{"PostalCode":"Q"}}"#), row(202, but(&line2("Merge"), r#""P""#, r#""Q""#)))
            .then(patch("3", "a", r#"{"Delivery":{}}"#), row(202, but(&line2("Merge"), r#""P""#, r#""Q""#))),
        with("null clears the second address line", "Clear")
            .then(patch("1", "a", r#"{"Delivery":{"AddressLine2":"Two"}}"#), row(202, line2("Clear")))
            .then(patch("2", "a", r#"{"Delivery":{"AddressLine2":null}}"#), row(202, shown("a", "Clear")))
            .stored("a", &[("DeliveryAddressLine2", None)]),
        with("an empty text is not null", "Not null")
            .then(patch("1", "a", r#"{"Delivery":{"AddressLine2":""}}"#), row(202, but(&line2("Not null"), "Two", "")))
            .stored("a", &[("DeliveryAddressLine2", Some(""))]),
        with("the postal address stays", "Postal address")
            .then(patch("1", "a", r#"{"Delivery":{"AddressLine1":"New","PostalCode":"N"}}"#), status(202))
            .stored("a", &[("PostalAddressLine1", Some("L")), ("PostalPostalCode", Some("P")), ("LastEditedBy", Some("1"))]),
        with("members that are no fields change nothing but the version", "No fields")
            .then(patch("1", "a", r#"{"customerid":1,"customername":"x","Delivery":{"x":null}}"#), row(202, shown("a", "No fields")).version("v2")),
        with("of two members with one name the first counts in a patch", "First of a patch")
            .then(
                patch("1", "a", r#"{"FaxNumber":"f","FaxNumber":null,"Delivery":{"AddressLine2":null,"AddressLine2":"x"}}"#),
                row(202, but(&shown("a", "First of a patch"), r#""2""#, r#""f""#)),
            ),
        with("a patch is shown with its escapes", "Escapes").then(
            patch("1", "a", "{\"WebsiteURL\":\"https:\\/\\/\u{fc}/\\u65e5\"}"),
            row(202, but(&shown("a", "Escapes"), r"http:\/\/w", "https:\\/\\/\u{fc}\\/\u{65e5}")),
        ),
    ]
}

fn versions() -> Vec<Case> {
    let is = |version| Argument::Version(version);
    let text = |text: &str| Argument::Text(text.into());
    vec![
        with("an empty patch makes a new version", "New version")
            .then(patch("1", "a", "{}"), row(202, shown("a", "New version")).version("v2"))
            .then(patch("2", "a", "{}"), row(202, shown("a", "New version")).version("v3"))
            .then(get("a"), status(200).version("v3")),
        with(
            "a patch in the step of the clock in which the row was written is an error, to be tried again",
            "One step",
        )
        .then(patch("1", "a", r#"{"FaxNumber":"f"}"#), Expect::Error(50023))
        .within_one_step_of_the_clock(),
        with("a patch of the version that was read succeeds", "Right version")
            .then(patch("1", "a", r#"{"FaxNumber":"f"}"#).if_match(is("v1")), status(202).version("v2"))
            .then(patch("2", "a", r#"{"FaxNumber":"g"}"#).if_match(is("v2")), status(202).version("v3")),
        with("a patch of an older version is 412 and changes nothing", "Older version")
            .then(patch("1", "a", r#"{"FaxNumber":"f"}"#), status(202).version("v2"))
            .then(patch("2", "a", r#"{"FaxNumber":"g"}"#).if_match(is("v1")), changed("$a"))
            .then(get("a"), row(200, but(&shown("a", "Older version"), r#""2""#, r#""f""#)).version("v2"))
            .not_recorded("2"),
        with("one of several versions is enough", "Several versions")
            .then(patch("1", "a", "{}").if_match(Argument::AmongVersions("v1")), status(202).version("v2"))
            .then(patch("2", "a", "{}").if_match(Argument::AmongVersions("v1")), changed("$a"))
            .then(delete("3", "a").if_match(Argument::AmongVersions("v1")), changed("$a"))
            .then(delete("3", "a").if_match(Argument::AmongVersions("v2")), status(202)),
        with("what never was a version is 412", "Never a version")
            .then(patch("1", "a", "{}").if_match(text("x")), changed("$a"))
            .then(patch("1", "a", "{}").if_match(text("")), changed("$a"))
            .then(patch("1", "a", "{}").if_match(text("2026-01-02t03:04:05.1234567")), changed("$a")),
        with("an If-Match of NULL asks for no version", "Any version")
            .then(patch("1", "a", "{}").if_match(Argument::Null), status(202)),
        with("a patch with a stale version can be replayed", "Stale replay")
            .then(patch("1", "a", r#"{"FaxNumber":"f"}"#).if_match(is("v1")), status(202).version("v2"))
            .then(patch("1", "a", r#"{"FaxNumber":"f"}"#).if_match(is("v1")), status(202).version("v2"))
            .then(patch("2", "a", r#"{"FaxNumber":"f"}"#).if_match(is("v1")), changed("$a")),
    ]
}

fn refusals() -> Vec<Case> {
    let null = "must not be null";
    vec![
        case("a patch of what does not exist is 404 and not recorded")
            .then(patch("1", 9999, "{}"), absent("9999"))
            .then(patch("1", 9999, r#"{"FaxNumber":null}"#).if_match(Argument::Text("x".into())), absent("9999"))
            .not_recorded("1"),
        case("a patch without an id is 404").then(
            call(
                "patch_customer",
                true,
                vec![("CustomerID", Argument::Null), ("Json", Argument::Text("{}".into())), ("RequestKey", Argument::Key("1"))],
            ),
            absent(""),
        ),
        with("a patch of what was deleted is 404", "Deleted before")
            .then(delete("1", "a"), status(202))
            .then(patch("2", "a", "{}"), absent("$a")),
        case("a text that is no object is found before a customer that is absent")
            .then(patch("1", 9999, "[]"), no_object())
            .then(patch("1", 9999, ""), no_object()),
        with("a stale version is found before an invalid field", "Before fields")
            .then(patch("1", "a", r#"{"FaxNumber":7}"#).if_match(Argument::Text("x".into())), changed("$a"))
            .then(patch("1", "a", r#"{"FaxNumber":7}"#), invalid(&[("FaxNumber", "must be a string")])),
        with("null is an error for what is required", "Null")
            .then(
                patch("1", "a", r#"{"CustomerName":null,"PhoneNumber":null,"FaxNumber":null,"WebsiteURL":null,"Delivery":{"AddressLine1":null,"PostalCode":null}}"#),
                invalid(&[
                    ("CustomerName", null),
                    ("PhoneNumber", null),
                    ("FaxNumber", null),
                    ("WebsiteURL", null),
                    ("Delivery.AddressLine1", null),
                    ("Delivery.PostalCode", null),
                ]),
            )
            .then(patch("1", "a", r#"{"Delivery":null}"#), invalid(&[("Delivery", null)]))
            .then(get("a"), row(200, shown("a", "Null")).version("v1")),
        with("an invalid field changes nothing", "Invalid")
            .then(
                patch("1", "a", r#"{"CustomerName":"Not invalid","PhoneNumber":"123456789012345678901"}"#),
                invalid(&[("PhoneNumber", "must be at most 20 characters")]),
            )
            .then(patch("1", "a", r#"{"Delivery":"x"}"#), invalid(&[("Delivery", "must be an object")]))
            .then(get("a"), row(200, shown("a", "Invalid")).version("v1"))
            .not_recorded("1"),
        [r#"1"#, r#""1""#, "null", "$a.5", r#""$a""#]
            .into_iter()
            .fold(with("a key cannot be changed", "Key kept"), |case, key| {
                case.then(
                    patch("1", "a", format!(r#"{{"FaxNumber":"f","CustomerID":{key}}}"#)),
                    invalid(&[("CustomerID", "must be the key of the row, which cannot be changed")]),
                )
            })
            .not_recorded("1")
            .then(get("a"), row(200, shown("a", "Key kept")).version("v1"))
            .then(patch("1", "a", r#"{"CustomerID":$a}"#), status(202).version("v2"))
            .then(patch("2", "a", r#"{"CustomerID":$a.0}"#), status(202).version("v3")),
        with("a stale version is found before another key", "Before the key")
            .then(patch("1", "a", r#"{"CustomerID":1}"#).if_match(Argument::Text("x".into())), changed("$a")),
        with("a name that another customer has is taken", "Own name")
            .then(put("other", new("Other name")), status(201).id("b"))
            .then(patch("1", "a", r#"{"CustomerName":"other NAME "}"#), taken())
            .then(get("a"), row(200, shown("a", "Own name")).version("v1"))
            .not_recorded("1"),
        with("a customer's own name may be written in another way", "Own way")
            .then(patch("1", "a", r#"{"CustomerName":"OWN WAY "}"#), row(202, shown("a", "OWN WAY "))),
    ]
}
