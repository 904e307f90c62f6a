//! The table.

mod concurrency;
mod delete;
mod fields;
mod ledger;
mod patch;
mod put;
mod reads;

use crate::case::Case;

/// All cases, in the order in which they run.
pub fn all() -> Vec<Case> {
    [
        reads::cases(),
        put::cases(),
        fields::cases(),
        patch::cases(),
        delete::cases(),
        ledger::cases(),
        concurrency::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What a client sends for a new customer with this name, every required field and no other.
fn new(name: &str) -> String {
    format!(
        r#"{{"CustomerName":"{name}","PhoneNumber":"1","FaxNumber":"2","WebsiteURL":"http://w","Delivery":{{"AddressLine1":"L","PostalCode":"P"}}}}"#
    )
}

/// How that customer is shown, once it has the id `$id`.
fn shown(id: &str, name: &str) -> String {
    format!(
        r#"[{{"CustomerID":${id},"CustomerName":"{name}","PhoneNumber":"1","FaxNumber":"2","WebsiteURL":"http:\/\/w","Delivery":{{"AddressLine1":"L","PostalCode":"P"}}}}]"#
    )
}

/// `text` with one part of it replaced.
///
/// # Panics
/// When it has no such part: a mistake in the table.
fn but(text: &str, part: &str, by: &str) -> String {
    assert!(text.contains(part), "{part} is not in {text}");
    text.replacen(part, by, 1)
}
