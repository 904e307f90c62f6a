//! Fields that are invalid, and the limits of lengths, for `web.put_customer`.

use super::customer::{but, new, shown};
use crate::case::{Case, case, invalid, put, row, status};

/// Every text field: how [`new`] writes it, path, length.
const TEXTS: [(&str, &str, usize); 4] = [
    (r#""PhoneNumber":"1""#, "PhoneNumber", 20),
    (r#""FaxNumber":"2""#, "FaxNumber", 20),
    (r#""WebsiteURL":"http://w""#, "WebsiteURL", 256),
    (r#""AddressLine1":"L""#, "Delivery.AddressLine1", 60),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = missing_and_wrong();
    cases.extend(lengths());
    cases
}

fn missing_and_wrong() -> Vec<Case> {
    let string = "must be a string";
    let wrong = |value: &str| {
        format!(
            r#"{{"CustomerName":{value},"PhoneNumber":{value},"FaxNumber":{value},"WebsiteURL":{value},"Delivery":{{"AddressLine1":{value},"AddressLine2":{value},"PostalCode":{value}}}}}"#
        )
    };
    let all_wrong = || {
        invalid(&[
            ("CustomerName", string),
            ("PhoneNumber", string),
            ("FaxNumber", string),
            ("WebsiteURL", string),
            ("Delivery.AddressLine1", string),
            ("Delivery.AddressLine2", string),
            ("Delivery.PostalCode", "must be a string or a number"),
        ])
    };
    let delivery = |name: &str, value: &str| but(&new(name), r#"{"AddressLine1":"L","PostalCode":"P"}"#, value);
    vec![
        case("every required field that is absent is named")
            .then(
                put("1", "{}"),
                invalid(&[
                    ("CustomerName", "is required"),
                    ("PhoneNumber", "is required"),
                    ("FaxNumber", "is required"),
                    ("WebsiteURL", "is required"),
                    ("Delivery.AddressLine1", "is required"),
                    ("Delivery.PostalCode", "is required"),
                ]),
            )
            .not_recorded("1"),
        case("names of members are case-sensitive and exact")
            .then(
                put("1", but(&new("Member"), "CustomerName", "customername")),
                invalid(&[("CustomerName", "is required")]),
            )
            .then(
                put("1", but(&new("Member"), "CustomerName", "CustomerName ")),
                invalid(&[("CustomerName", "is required")]),
            )
            .then(
                put("1", but(&new("Member"), "PostalCode", "postalCode")),
                invalid(&[("Delivery.PostalCode", "is required")]),
            ),
        case("a member's name may be written with escapes").then(
            put("1", but(&new("Escaped member"), "CustomerName", r"\u0043ustomerName")),
            row(201, shown("a", "Escaped member")).id("a"),
        ),
        case("null is an error for every required field").then(
            put("1", wrong("null")),
            invalid(&[
                ("CustomerName", "must not be null"),
                ("PhoneNumber", "must not be null"),
                ("FaxNumber", "must not be null"),
                ("WebsiteURL", "must not be null"),
                ("Delivery.AddressLine1", "must not be null"),
                ("Delivery.PostalCode", "must not be null"),
            ]),
        ),
        case("true is no text").then(put("1", wrong("true")), all_wrong()),
        case("an array is no text").then(put("1", wrong("[]")), all_wrong()),
        case("an object is no text").then(put("1", wrong("{}")), all_wrong()),
        case("a number is a text only for the postal code").then(
            put("1", wrong("7")),
            invalid(&[
                ("CustomerName", string),
                ("PhoneNumber", string),
                ("FaxNumber", string),
                ("WebsiteURL", string),
                ("Delivery.AddressLine1", string),
                ("Delivery.AddressLine2", string),
            ]),
        ),
        case("a Delivery of null has one error")
            .then(put("1", delivery("Delivery", "null")), invalid(&[("Delivery", "must not be null")])),
        case("a Delivery that is no object has one error")
            .then(put("1", delivery("Delivery", r#""x""#)), invalid(&[("Delivery", "must be an object")]))
            .then(put("1", delivery("Delivery", "[]")), invalid(&[("Delivery", "must be an object")]))
            .then(put("1", delivery("Delivery", "5")), invalid(&[("Delivery", "must be an object")])),
        case("an empty Delivery lacks its required members").then(
            put("1", delivery("Delivery", "{}")),
            invalid(&[("Delivery.AddressLine1", "is required"), ("Delivery.PostalCode", "is required")]),
        ),
        case("errors of all kinds come together, in the order of the columns").then(
            put(
                "1",
                r#"{"Delivery":{"PostalCode":"12345678901","AddressLine2":1},"FaxNumber":null,"CustomerName":[]}"#,
            ),
            invalid(&[
                ("CustomerName", "must be a string"),
                ("PhoneNumber", "is required"),
                ("FaxNumber", "must not be null"),
                ("WebsiteURL", "is required"),
                ("Delivery.AddressLine1", "is required"),
                ("Delivery.AddressLine2", "must be a string"),
                ("Delivery.PostalCode", "must be at most 10 characters"),
            ]),
        ),
    ]
}

fn lengths() -> Vec<Case> {
    let too_long = |field: &str, length: usize| invalid(&[(field, &format!("must be at most {length} characters"))]);
    let name = |text: &str| put("1", new(text));
    let hundred = "n".repeat(100);
    let mut limits = case("every text may be as long as its column, and no longer");
    let mut longest = new("Longest");
    for (written, path, length) in TEXTS {
        let member = written.split(':').next().unwrap_or_default();
        let of_length = |length: usize| format!(r#"{member}:"{}""#, "x".repeat(length));
        limits = limits.then(put("1", but(&new("Too long"), written, &of_length(length + 1))), too_long(path, length));
        longest = but(&longest, written, &of_length(length));
    }
    let second = |length: usize| {
        format!(r#""AddressLine2":"{}","PostalCode":"{}""#, "y".repeat(length), "z".repeat(length.min(10)))
    };
    limits = limits
        .then(
            put("1", but(&new("Too long"), r#""PostalCode":"P""#, &second(61))),
            too_long("Delivery.AddressLine2", 60),
        )
        .then(put("2", but(&longest, r#""PostalCode":"P""#, &second(60))), status(201).id("a"))
        .stored("a", &[("DeliveryPostalCode", Some("zzzzzzzzzz")), ("PhoneNumber", Some("xxxxxxxxxxxxxxxxxxxx"))]);
    vec![
        case("a name may have 100 characters").then(name(&hundred), row(201, shown("a", &hundred)).id("a")),
        case("a name must not have 101 characters").then(name(&"m".repeat(101)), too_long("CustomerName", 100)),
        limits,
        case("a character beyond U+FFFF counts as two")
            .then(put("1", new(&"\u{1f600}".repeat(50))), row(201, shown("a", &"\u{1f600}".repeat(50))).id("a"))
            .then(put("2", new(&"\u{1f600}".repeat(51))), too_long("CustomerName", 100))
            .then(put("2", new(&format!("x{}", "\u{1f600}".repeat(50)))), too_long("CustomerName", 100)),
        case("an escaped surrogate pair counts as two")
            .then(
                put("1", but(&new("Pairs"), r#""P""#, &format!(r#""{}""#, r"\ud83d\ude00".repeat(6)))),
                too_long("Delivery.PostalCode", 10),
            )
            .then(
                put("1", but(&new("Pairs"), r#""P""#, &format!(r#""{}""#, r"\ud83d\ude00".repeat(5)))),
                status(201).id("a"),
            ),
        case("trailing blanks count")
            .then(name(&format!("{}  ", "t".repeat(99))), too_long("CustomerName", 100))
            .then(name(&format!("{} ", "t".repeat(99))), row(201, shown("a", &format!("{} ", "t".repeat(99)))).id("a")),
        case("a text that is far too long is not cut").then(name(&"l".repeat(9000)), too_long("CustomerName", 100)),
        case("a number that is too long is not cut")
            .then(put("1", but(&new("Long number"), r#""P""#, "12345678901")), too_long("Delivery.PostalCode", 10)),
    ]
}
