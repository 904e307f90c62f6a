//! The little JSON that this component writes itself: texts in problems, log lines and calls.

use std::time::Duration;

/// Appends `text` as a JSON string.
pub fn text(json: &mut String, text: &str) {
    json.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        json.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            byte @ (b'"' | b'\\') => json.extend(['\\', byte as char]),
            b'\n' => json.push_str("\\n"),
            b'\r' => json.push_str("\\r"),
            b'\t' => json.push_str("\\t"),
            control => {
                let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
                json.push_str("\\u00");
                json.extend([digit(control >> 4), digit(control & 15)]);
            }
        }
        rest = &rest[at + 1..];
    }
    json.push_str(rest);
    json.push('"');
}

/// Appends `number` in decimal.
pub fn number(json: &mut String, number: u64) {
    if number > 9 {
        self::number(json, number / 10);
    }
    json.push(char::from(b'0' + (number % 10) as u8));
}

/// Appends `time` in milliseconds, to the microsecond: `12.034`.
pub fn millis(json: &mut String, time: Duration) {
    let micros = time.as_micros() as u64;
    number(json, micros / 1000);
    json.push('.');
    for digit in [micros / 100, micros / 10, micros] {
        number(json, digit % 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_read_back_as_it_was(given in any::<String>(), controls in "[\\x00-\\x20\"\\\\\u{7f}]{0,9}") {
            let given = [given, controls].concat();
            let mut json = String::new();
            text(&mut json, &given);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), given);
        }

        #[test]
        fn any_number_is_written_as_it_is(given in any::<u64>()) {
            let mut json = String::new();
            number(&mut json, given);
            prop_assert_eq!(json, given.to_string());
        }
    }
}
