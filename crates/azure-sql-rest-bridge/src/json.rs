//! JSON text, interpreted only as far as necessary: numbers keep their digits, and values their text.
//!
//! `serde_json` checks the text, and skips values without recursion, so that nesting has no limit here.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One JSON value in its original text, well-formed, without white space around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Raw<'a>(&'a str);

/// The types of JSON, numbered as in SQL Server's `OPENJSON`, from 0 (null) to 5 (object).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Null,
    String,
    Number,
    Boolean,
    Array,
    Object,
}

impl<'a> Raw<'a> {
    /// The only value in `text`, or `None` when the text is not well-formed JSON.
    pub fn parse(text: &'a str) -> Option<Self> {
        let value: &RawValue = serde_json::from_str(text).ok()?;
        Some(Self(value.get()))
    }

    /// The original text of the value.
    pub fn text(self) -> &'a str {
        self.0
    }

    pub fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// Names and values of an object's members in their original text, duplicates included. Nothing for any other value.
    pub fn members(self) -> Vec<(Raw<'a>, Raw<'a>)> {
        let mut object = serde_json::Deserializer::from_str(self.0);
        object.deserialize_map(Members).unwrap_or_default()
    }

    /// The elements of an array in their original text. Nothing for any other value.
    pub fn elements(self) -> Vec<Raw<'a>> {
        let elements: Vec<&RawValue> = serde_json::from_str(self.0).unwrap_or_default();
        elements.into_iter().map(|element| Raw(element.get())).collect()
    }

    /// The UTF-16 code units of a string. They need not be well-formed: JSON can name one half of a surrogate pair
    /// (`"\ud800"`).
    pub fn utf16(self) -> Vec<u16> {
        let mut units = Vec::with_capacity(self.0.len());
        let inner = self.0.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let mut characters = inner.unwrap_or_default().chars();
        while let Some(character) = characters.next() {
            if character != '\\' {
                units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
                continue;
            }
            match characters.next() {
                Some('b') => units.push(0x08),
                Some('t') => units.push(0x09),
                Some('n') => units.push(0x0a),
                Some('f') => units.push(0x0c),
                Some('r') => units.push(0x0d),
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).collect();
                    units.extend(u16::from_str_radix(&digits, 16));
                }
                // `\"`, `\\` and `\/` stand for themselves.
                Some(literal) => units.extend_from_slice(literal.encode_utf16(&mut [0; 2])),
                None => {}
            }
        }
        units
    }

    /// True if SQL Server reads JSON that is nested as deep: error 13606 refuses deeper nesting.
    pub fn is_readable(self) -> bool {
        self.depth() <= 128
    }

    /// How deep arrays and objects are nested: 0 for a scalar, 1 for `{}`.
    pub fn depth(self) -> usize {
        let (mut deepest, mut depth, mut in_string, mut escaped) = (0, 0, false, false);
        for byte in self.0.bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b'}' | b']' if !in_string => depth -= 1,
                _ => {}
            }
        }
        deepest
    }
}

/// Collects members in their order. (A map would decode the names and lose duplicates.)
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Raw<'de>, Raw<'de>)>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            members.push((Raw(name.get()), Raw(value.get())));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::any_text;

    fn raw(text: &str) -> Raw<'_> {
        Raw::parse(text).unwrap()
    }

    #[test]
    fn only_one_well_formed_value_is_json() {
        for text in ["", " ", "{", "{}{}", "[1,]", "{\"a\":1,}", "01", "+1", "\"\t\"", "\"\\x\"", "nul"] {
            assert_eq!(Raw::parse(text), None, "{text}");
        }
        for text in ["{}", " [ ] ", "\"\"", "-0", "1e400", "true", "null", "\"\\ud800\"", "\"\u{7f}\""] {
            assert_eq!(raw(text).text(), text.trim());
        }
    }

    #[test]
    fn members_keep_their_order_their_text_and_their_duplicates() {
        let object = raw(" { \"a\" : 1E+2 , \"\\u0061\":[ 1 ],\"b\":{\"x\":null} , \"a\":\"\" } ");
        let members: Vec<_> = object.members().into_iter().map(|(name, value)| (name.text(), value.text())).collect();
        assert_eq!(
            members,
            [("\"a\"", "1E+2"), ("\"\\u0061\"", "[ 1 ]"), ("\"b\"", "{\"x\":null}"), ("\"a\"", "\"\"")]
        );
        assert!(raw("[1]").members().is_empty());
        let elements: Vec<_> = raw(" [ {\"a\" : 1} , [1] ,null ] ").elements().into_iter().map(Raw::text).collect();
        assert_eq!(elements, ["{\"a\" : 1}", "[1]", "null"]);
        assert!(raw("{}").elements().is_empty());
    }

    #[test]
    fn strings_are_decoded_to_utf16() {
        assert_eq!(
            String::from_utf16(&raw(r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00\u0000é😀""#).utf16()).unwrap(),
            "\"\\/\u{8}\u{c}\n\r\té😀\0é😀"
        );
        assert_eq!(raw(r#""a\ud800\udbff\udfff\udc00""#).utf16(), [97, 0xd800, 0xdbff, 0xdfff, 0xdc00]);
        assert_eq!(raw(r#""\"""#).utf16(), [34]);
    }

    #[test]
    fn depth_ignores_brackets_in_strings() {
        for (text, depth) in [("1", 0), ("{}", 1), (r#"[{"a":"[[\"[["},[[]]]"#, 3), (r#""{""#, 0)] {
            assert_eq!(raw(text).depth(), depth);
        }
    }

    #[test]
    fn deep_nesting_is_read_without_recursion() {
        let deep = format!("{{\"x\":{}{},\"y\":1}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(raw(&deep).members()[1].1.text(), "1");
        assert_eq!(raw(&deep).depth(), 100_001);
    }

    proptest! {
        #![proptest_config(crate::testing::deterministic())]

        #[test]
        fn strings_are_decoded_as_serde_json_does(text in any_text()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(String::from_utf16(&raw(&json).utf16()).unwrap(), text);
        }
    }
}
