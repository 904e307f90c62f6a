//! Content negotiation: whether a client takes what this API has, which is JSON (RFC 9110, section 12.5.1).

use http::header::{ACCEPT, HeaderMap};

/// Whether `Accept` lets `application/json` through. Of the ranges that cover it, the most specific decides; no header,
/// or one that is not a list of ranges, lets everything through.
pub fn takes_json(headers: &HeaderMap) -> bool {
    let mut decisive = (0, true);
    let mut ranges = false;
    for range in headers.get_all(ACCEPT).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b',')) {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        if name.is_empty() {
            continue;
        }
        if !name.contains(&b'/') {
            return true;
        }
        ranges = true;
        let precedence = match name {
            b"*/*" => 1,
            name if name.eq_ignore_ascii_case(b"application/*") => 2,
            name if name.eq_ignore_ascii_case(b"application/json") => 3,
            _ => continue,
        };
        let wanted = !parts.any(refuses);
        if precedence > decisive.0 {
            decisive = (precedence, wanted);
        } else if precedence == decisive.0 {
            decisive.1 |= wanted;
        }
    }
    match decisive {
        (0, _) => !ranges,
        (_, wanted) => wanted,
    }
}

/// A weight of zero: `q=0`, `q=0.`, `q=0.000`.
fn refuses(parameter: &[u8]) -> bool {
    let mut halves = parameter.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
    let (Some(b"q" | b"Q"), Some(weight)) = (halves.next(), halves.next()) else {
        return false;
    };
    weight.starts_with(b"0") && weight.iter().all(|byte| matches!(byte, b'0' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn takes(lines: &[&str]) -> bool {
        takes_json(&lines.iter().map(|line| (ACCEPT, HeaderValue::from_str(line).unwrap())).collect())
    }

    #[test]
    fn json_is_taken_unless_it_is_excluded() {
        for lines in [
            &[][..],
            &[""],
            &["*/*"],
            &["application/json"],
            &["Application/JSON; charset=utf-8"],
            &["application/*;q=0.1"],
            &["text/html", "application/json"],
            &["text/html, */*;q=0.001"],
            &["application/json, */*;q=0"],
            &["application/json;v=1;q=0, application/json"],
            &["nonsense"],
        ] {
            assert!(takes(lines), "{lines:?}");
        }
    }

    #[test]
    fn what_excludes_json_is_not_acceptable() {
        for lines in [
            &["text/html"][..],
            &["text/*"],
            &["application/xml, image/*"],
            &["application/json;q=0"],
            &["application/json; Q=0.000, */*"],
            &["application/*;q=0, */*"],
            &["*/*;q=0."],
            &["application/problem+json"],
        ] {
            assert!(!takes(lines), "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn json_named_without_a_weight_is_taken(others in proptest::collection::vec("[a-z]{1,4}/[a-z]{1,4}(;q=0(\\.[0-9]{1,3})?)?", 0..4)) {
            let list = [others, vec!["application/json".to_owned()]].concat().join(", ");
            prop_assert!(takes(&[&list]), "{}", list);
        }
    }
}
