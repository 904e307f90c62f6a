//! Ids and query parameters are what wider integers and the reference (`form_urlencoded`) make of them.
#![no_main]

use customer_api::request::{id, query_integer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    assert_eq!(id(text).ok(), integer(text, 1));
    let found: Vec<_> = form_urlencoded::parse(text.as_bytes()).filter(|(name, _)| name == "a").collect();
    let expected = match found.as_slice() {
        [] => Some(7),
        [(_, value)] => integer(value, 0),
        _ => None,
    };
    assert_eq!(query_integer(text, "a", 7, 0..=i32::MAX).ok(), expected);
});

fn integer(text: &str, min: u128) -> Option<i32> {
    let digits = !text.is_empty() && text.chars().all(|character| character.is_ascii_digit());
    let number: u128 = text.trim_start_matches('0').parse().unwrap_or(if digits && text.trim_matches('0').is_empty() {
        0
    } else {
        u128::MAX
    });
    (digits && number >= min).then(|| i32::try_from(number).ok()).flatten()
}
