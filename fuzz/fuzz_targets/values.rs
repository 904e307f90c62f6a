//! Keys and query parameters are read as wider integers and the reference (`form_urlencoded`) read them.
#![no_main]

use azure_sql_rest::client::arguments::{of_head, value};
use azure_sql_rest::client::precondition::Preconditions;
use azure_sql_rest::dab::request::Value;
use azure_sql_rest::route::{Call, Kind, kind, source};
use http::Request;
use libfuzzer_sys::fuzz_target;

static LIST: Call =
    Call { procedure: "list", parameters: &[("A", source::query("a", 0..=i32::MAX as i64, 7))], creates: None };

fuzz_target!(|text: &str| {
    assert_eq!(value(kind::ID, text), integer(text, 1).map(Value::Integer));
    if let Some(Value::Text(guid)) = value(Kind::Guid, text) {
        assert!(guid.eq_ignore_ascii_case(text) && !guid.bytes().any(|byte| byte.is_ascii_lowercase()));
    }
    let Ok(request) = Request::get(format!("/a?{text}")).body(()) else { return };
    let (head, ()) = request.into_parts();
    let query = head.uri.query().unwrap_or_default().as_bytes();
    let found: Vec<_> = form_urlencoded::parse(query).filter(|(name, _)| name == "a").collect();
    let expected = match found.as_slice() {
        [] => Some(7),
        [(_, value)] => integer(value, 0),
        _ => None,
    };
    let arguments = of_head(&LIST, &head, "/a", &Preconditions::of(&head.headers)).ok();
    assert_eq!(arguments, expected.map(|number| vec![("A", Value::Integer(number))]));
});

fn integer(text: &str, min: u128) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than a u128 has are beyond every limit.
    let number: u128 = text.trim_start_matches('0').parse().unwrap_or(match text.trim_matches('0') {
        "" => 0,
        _ => u128::MAX,
    });
    (digits && number >= min).then(|| i32::try_from(number).ok().map(i64::from)).flatten()
}
