//! Content negotiation: this API answers in JSON, and refuses a client that does not accept JSON (RFC 9110, section 12.5.1).

use http::header::{ACCEPT, HeaderMap};

/// True if `Accept` allows `application/json`. Of the ranges that cover it, the most specific decides. An absent header, or
/// a value that is not a list of ranges, allows everything.
pub fn takes_json(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let ranges = lines.map(<[u8]>::trim_ascii).filter(|range| !range.is_empty());
    ranges.map(decision).max().is_none_or(|(_, takes)| takes)
}

/// Returns how specific a range is, and true if the range allows JSON. Of two ranges that are equally specific, the range
/// that allows JSON wins.
fn decision(range: &[u8]) -> (u8, bool) {
    let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let specificity = match parts.next().unwrap_or_default() {
        name if !name.contains(&b'/') => return (4, true),
        name if name.eq_ignore_ascii_case(b"application/json") => 3,
        name if name.eq_ignore_ascii_case(b"application/*") => 2,
        b"*/*" => 1,
        _ => return (0, false),
    };
    (specificity, !parts.any(refuses))
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
    fn json_can_be_excluded() {
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
