//! Entity tags: what is taken can be written again and means the same; nothing that has quotes inside is taken.
#![no_main]

use customer_api::precondition::{Verdict, of_read, versions};
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let lines: Option<Vec<_>> =
        data.split(|byte| *byte == b'\n').map(|line| HeaderValue::from_bytes(line).ok()).collect();
    let Some(lines) = lines else { return };
    let of = |name: &http::HeaderName| lines.iter().map(|line| (name.clone(), line.clone())).collect::<HeaderMap>();
    let _ = of_read(&of(&IF_NONE_MATCH), "v1");
    let if_match = of(&IF_MATCH);
    match versions(&if_match) {
        Ok(Some(list)) => {
            assert!(!list.contains('"'));
            for version in list.split(' ') {
                assert_eq!(of_read(&if_match, version), Verdict::Proceed);
                assert_eq!(of_read(&of(&IF_NONE_MATCH), version), Verdict::NotModified);
            }
            let again: Vec<_> = list.split(' ').map(|version| format!("\"{version}\"")).collect();
            let again = [(IF_MATCH, HeaderValue::try_from(again.join(",")).unwrap())].into_iter().collect();
            assert_eq!(versions(&again).unwrap(), Some(list));
        }
        // Any row will do, or the header is malformed, or only weak tags are named.
        Ok(None) => assert_eq!(of_read(&if_match, "any"), Verdict::Proceed),
        Err(problem) => assert!(matches!(problem.kind().status.as_u16(), 400 | 412)),
    }
});
