//! The customers that the cases create, as JSON.

/// The JSON of a new customer with this name: every required field and no other.
pub(super) fn new(name: &str) -> String {
    format!(
        r#"{{"CustomerName":"{name}","PhoneNumber":"1","FaxNumber":"2","WebsiteURL":"http://w","Delivery":{{"AddressLine1":"L","PostalCode":"P"}}}}"#
    )
}

/// The JSON that shows that customer, once it has the id `$id`.
pub(super) fn shown(id: &str, name: &str) -> String {
    format!(
        r#"[{{"CustomerID":${id},"CustomerName":"{name}","PhoneNumber":"1","FaxNumber":"2","WebsiteURL":"http:\/\/w","Delivery":{{"AddressLine1":"L","PostalCode":"P"}}}}]"#
    )
}

/// `text` with one part of it replaced.
///
/// # Panics
/// When it has no such part: a mistake in the table.
pub(super) fn but(text: &str, part: &str, by: &str) -> String {
    assert!(text.contains(part), "{part} is not in {text}");
    text.replacen(part, by, 1)
}
