//! Entity tags: a list that is taken can be written again and means the same; no tag that has quotes inside is taken.
#![no_main]

use azure_sql_rest::client::precondition::{Preconditions, Verdict};
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let lines: Option<Vec<_>> =
        data.split(|byte| *byte == b'\n').map(|line| HeaderValue::from_bytes(line).ok()).collect();
    let Some(lines) = lines else { return };
    let of = |name: &HeaderName| lines.iter().map(|line| (name.clone(), line.clone())).collect::<HeaderMap>();
    let (if_match, if_none_match) = (of(&IF_MATCH), of(&IF_NONE_MATCH));
    let read = |headers: &HeaderMap, version: &str| Preconditions::of(headers).of_read(version);
    let versions = |headers: &HeaderMap| Preconditions::of(headers).versions(&Method::PATCH);
    match versions(&if_match) {
        Ok(Some(list)) => {
            assert!(!list.contains('"'));
            for version in list.split(' ') {
                assert_eq!(read(&if_match, version), Verdict::Proceed);
                assert_eq!(read(&if_none_match, version), Verdict::NotModified);
            }
            let again: Vec<_> = list.split(' ').map(|version| format!("\"{version}\"")).collect();
            let again = [(IF_MATCH, HeaderValue::try_from(again.join(",")).expect("ASCII"))].into_iter().collect();
            assert_eq!(versions(&again).expect("a list"), Some(list));
        }
        // Any row will do, or the header is malformed, or no tag is one that can match.
        Ok(None) => assert_eq!(read(&if_match, "any"), Verdict::Proceed),
        Err(problem) => assert!(matches!(problem.kind().status.as_u16(), 400 | 412)),
    }
});
