//! The two encoders of System.Text.Json that DAB uses for its bodies. Both write a string in JSON differently from
//! `serde_json`.
//!
//! Each function appends `text` escaped, without the quotes around it.

mod undefined;

/// Escapes like `JavaScriptEncoder.UnsafeRelaxedJsonEscaping`, the encoder of DAB's success bodies. `< > & ' + /` and
/// graphic characters of the Basic Multilingual Plane stay unchanged. Controls, separators other than the space, private use
/// and unassigned code points become `\uXXXX`, upper-case. Everything above U+FFFF does too, as a surrogate pair.
pub(crate) fn relaxed(text: &str, out: &mut String) {
    let plain = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    escape(text, out, plain, |character, out| match short_form(character) {
        Some(escaped) => out.push_str(escaped),
        None if character == '"' => out.push_str("\\\""),
        None if is_graphic(character) => out.push(character),
        None => push_utf16(character, out),
    });
}

/// Escapes like `JavaScriptEncoder.Default`, the encoder of DAB's error bodies: ASCII only, with `" ' < > & +` and the
/// backtick as `\uXXXX`.
pub(crate) fn strict(text: &str, out: &mut String) {
    let plain =
        |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'\'' | b'<' | b'>' | b'&' | b'+' | b'`');
    escape(text, out, plain, |character, out| match short_form(character) {
        Some(escaped) => out.push_str(escaped),
        None => push_utf16(character, out),
    });
}

/// Copies runs of plain bytes whole, and passes each other character to `escaped`. `plain` must hold only for ASCII bytes: a
/// run must not end within a character.
fn escape(text: &str, out: &mut String, plain: impl Fn(u8) -> bool, escaped: impl Fn(char, &mut String)) {
    out.reserve(text.len());
    let mut rest = text;
    loop {
        let run = rest.bytes().position(|byte| !plain(byte)).unwrap_or(rest.len());
        let (copied, following) = rest.split_at(run);
        out.push_str(copied);
        let mut characters = following.chars();
        let Some(character) = characters.next() else { return };
        escaped(character, out);
        rest = characters.as_str();
    }
}

/// The two-character escapes that both encoders share.
fn short_form(character: char) -> Option<&'static str> {
    match character {
        '\\' => Some("\\\\"),
        '\u{8}' => Some("\\b"),
        '\t' => Some("\\t"),
        '\n' => Some("\\n"),
        '\u{c}' => Some("\\f"),
        '\r' => Some("\\r"),
        _ => None,
    }
}

/// `\uXXXX` for each UTF-16 code unit, as System.Text.Json writes it: upper-case hex.
fn push_utf16(character: char, out: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.push_str(&format!("\\u{unit:04X}"));
    }
}

/// True if the relaxed encoder leaves the character unchanged. `"` and `\` are not considered.
fn is_graphic(character: char) -> bool {
    let Ok(unit) = u16::try_from(u32::from(character)) else {
        return false;
    };
    let after = undefined::UNDEFINED.partition_point(|&(first, _)| first <= unit);
    after == 0 || undefined::UNDEFINED[after - 1].1 < unit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::any_text;

    fn with(encoder: fn(&str, &mut String), text: &str) -> String {
        let mut out = String::new();
        encoder(text, &mut out);
        out
    }

    #[test]
    fn relaxed_escapes_as_dot_net_does() {
        for (text, expected) in [
            (r#"Zoë O'Hara <x> & 1+1=2 / `"#, r#"Zoë O'Hara <x> & 1+1=2 / `"#),
            (r#"say "hi" \o/"#, r#"say \"hi\" \\o/"#),
            ("\u{8}\t\n\u{c}\r", r"\b\t\n\f\r"),
            ("\0\u{b}\u{1f}\u{7f}\u{80}\u{9f}", r"\u0000\u000B\u001F\u007F\u0080\u009F"),
            ("😀", r"\uD83D\uDE00"),
            ("𠮷", r"\uD842\uDFB7"),
            ("a\u{a0}b\u{2003}c\u{3000}", r"a\u00A0b\u2003c\u3000"),
            ("\u{2028}\u{2029}", r"\u2028\u2029"),
            ("\u{e000}\u{f8ff}", r"\uE000\uF8FF"),
            ("\u{378}\u{ffff}", r"\u0378\uFFFF"),
            // Format characters, marks, letters of any script, the replacement character.
            ("\u{ad}\u{200b}\u{200e}\u{feff}\u{301}", "\u{ad}\u{200b}\u{200e}\u{feff}\u{301}"),
            ("ŁŒ Νίκη Шевченко 佐藤 ‘€’ \u{fffd}", "ŁŒ Νίκη Шевченко 佐藤 ‘€’ \u{fffd}"),
            // Assigned only since Unicode 15.1 and 16.0: not yet defined in .NET 8.
            ("\u{2ffc}\u{897}", r"\u2FFC\u0897"),
        ] {
            assert_eq!(with(relaxed, text), expected);
        }
    }

    #[test]
    fn strict_is_ascii_and_safe_in_html() {
        assert_eq!(
            with(strict, "can't <b>\"&+`\\/é😀\n\u{7f}"),
            r"can\u0027t \u003Cb\u003E\u0022\u0026\u002B\u0060\\/\u00E9\uD83D\uDE00\n\u007F"
        );
    }

    #[test]
    fn the_table_is_sorted_and_without_overlaps() {
        assert!(undefined::UNDEFINED.iter().all(|(first, last)| first <= last));
        assert!(undefined::UNDEFINED.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }

    proptest! {
        #![proptest_config(crate::testing::deterministic())]

        #[test]
        fn every_string_survives_every_encoder(text in any_text()) {
            for encoder in [relaxed, strict] {
                let json = format!("\"{}\"", with(encoder, &text));
                prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text.clone());
            }
        }
    }
}
