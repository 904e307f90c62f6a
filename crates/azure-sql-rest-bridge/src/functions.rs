//! The functions of scripts that SQLite lacks and SQL Server has:
//!
//! | name | what it is |
//! |---|---|
//! | `openjson(text)` | the JSON object that a text is, or NULL, also for more than 128 levels of nesting |
//! | `json_text(json)` | the text of a JSON value as `OPENJSON` gives it: a string decoded, a number as it is written, NULL for `null` |
//! | `field_error(json, type, size, scale)` | `ops.field_error`: what is wrong with a JSON value for a column of a type, or NULL |
//! | `column_value(json, type, size, scale)` | what such a column stores for it; NULL for `null`, and for what is wrong |
//! | `padded(text, length)` | as `CHAR(n)` and `NCHAR(n)` keep it: with blanks up to its length |
//! | `shown_float(text, digits)` | a FLOAT or REAL as `FOR JSON` shows it, with so many digits behind the point |
//! | `key_text(part)` | `ops.key_text`: a part of a key of several columns as it stands in the text of the key |
//! | `key_part(key, n, type)` | `ops.key_part`: the part at a place of that text, for a parameter of a type; NULL for what is none |
//! | `newid()` | `NEWID()` |
//! | `utf16_length(text)` | its length in UTF-16 code units, as `NVARCHAR(n)` counts |
//! | `sha2_256(text)` | `HASHBYTES('SHA2_256', …)` of an `NVARCHAR`, in lower-case hexadecimal digits |
//! | `throw(number, message)` | ends the call with an error that is nobody's fault, to be tried again |
//! | `sysutcdatetime()` | the time in UTC as the text of a `DATETIME2(7)` |
//! | `sysutcdatetime(after)` | the same, but always later than `after`: the version of a row that replaces version `after` |
//! | `COLLATE Latin1_General_100_CI_AS` | equal but for case, width, the kind of kana, NUL and trailing spaces; `ß` is `ss`, `æ` is `ae` |

use std::cmp::Ordering;

use chrono::{NaiveDateTime, TimeDelta};
use rusqlite::{
    Connection, Error, Result,
    functions::{Context, FunctionFlags},
    types::ValueRef,
};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    arguments::Value,
    clock::{Clock, datetime2},
    fields,
    json::{Kind, Raw},
};

/// Registers every function and the collation on a connection.
///
/// # Errors
///
/// When SQLite refuses one.
pub fn register(connection: &Connection, clock: &Clock) -> Result<()> {
    let clock = clock.clone();
    let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection
        .create_scalar_function("openjson", 1, pure, |call| Ok(text(call)?.and_then(openjson).map(str::to_owned)))?;
    connection.create_scalar_function("json_text", 1, pure, |call| Ok(text(call)?.and_then(json_text)))?;
    connection.create_scalar_function("utf16_length", 1, pure, |call| {
        Ok(text(call)?.map(|text| text.encode_utf16().count() as i64))
    })?;
    connection.create_scalar_function("sha2_256", 1, pure, |call| Ok(text(call)?.map(sha2_256)))?;
    connection.create_scalar_function("field_error", 4, pure, |call| {
        let json = text(call)?;
        Ok(json.and_then(|json| field(call, json).err()))
    })?;
    connection.create_scalar_function("column_value", 4, pure, |call| {
        let json = text(call)?;
        Ok(json.and_then(|json| field(call, json).ok()))
    })?;
    connection.create_scalar_function("padded", 2, pure, |call| {
        let length = call.get::<u32>(1)? as usize;
        Ok(text(call)?.map(|text| {
            let blanks = length.saturating_sub(text.encode_utf16().count());
            format!("{text}{}", " ".repeat(blanks))
        }))
    })?;
    connection.create_scalar_function("shown_float", 2, pure, |call| {
        let digits = call.get::<u8>(1)?.into();
        Ok(text(call)?.and_then(|stored| fields::shown_float(stored, digits)))
    })?;
    connection.create_scalar_function("key_text", 1, pure, |call| {
        Ok(match call.get_raw(0) {
            ValueRef::Integer(number) => Some(number.to_string()),
            _ => text(call)?.map(key_text),
        })
    })?;
    connection.create_scalar_function("key_part", 3, pure, |call| {
        let (nth, sql_type) = (call.get::<u8>(1)?.into(), call.get::<String>(2)?);
        Ok(text(call)?.and_then(|key| key_part(key, nth, &sql_type)))
    })?;
    connection.create_scalar_function("newid", 0, FunctionFlags::SQLITE_UTF8, |_| {
        Ok(Uuid::new_v4().to_string().to_uppercase())
    })?;
    connection.create_scalar_function("throw", 2, FunctionFlags::SQLITE_UTF8, |call| -> Result<Option<bool>> {
        let message = format!("{}: {}", call.get::<i64>(0)?, call.get::<String>(1)?);
        Err(Error::UserFunctionError(message.into()))
    })?;
    connection.create_scalar_function("sysutcdatetime", -1, FunctionFlags::SQLITE_UTF8, move |call| {
        let after = if call.is_empty() { None } else { text(call)? };
        let now = clock.now();
        Ok(after.map_or(now.clone(), |after| later_than(after, now)))
    })?;
    connection.create_collation("Latin1_General_100_CI_AS", compare)
}

/// A JSON value, for a column of the type that the next arguments give.
fn field(call: &Context, json: &str) -> Result<Value, String> {
    let digits = |index| call.get(index).ok().flatten();
    let name = call.get_raw(1).as_str().map_err(|error| error.to_string())?;
    let (size, scale) = (digits(2), digits(3));
    fields::stored(json, fields::Type { name, size, scale })
}

/// The first argument; `None` is NULL.
fn text<'a>(call: &'a Context) -> Result<Option<&'a str>> {
    match call.get_raw(0) {
        ValueRef::Null => Ok(None),
        value => Ok(Some(value.as_str()?)),
    }
}

/// A part of a key in the text of the key: slashes separate the parts.
fn key_text(part: &str) -> String {
    part.replace('%', "%25").replace('/', "%2F")
}

/// The part at a place of that text, counted from 1.
fn key_part(key: &str, nth: usize, sql_type: &str) -> Option<Value> {
    let part = key.split('/').nth(nth.checked_sub(1)?)?.replace("%2F", "/").replace("%25", "%");
    match sql_type {
        "INT" => part.parse::<i32>().ok().map(|number| Value::Integer(number.into())),
        "BIGINT" => part.parse().ok().map(Value::Integer),
        "UNIQUEIDENTIFIER" => Uuid::try_parse(&part).ok().map(|guid| Value::Text(guid.to_string().to_uppercase())),
        _ => Some(Value::Text(part)),
    }
}

fn openjson(text: &str) -> Option<&str> {
    let value = Raw::parse(text)?;
    (value.kind() == Kind::Object && value.is_readable()).then(|| value.text())
}

/// The hash of the text in the encoding of `NVARCHAR`, UTF-16LE.
fn sha2_256(text: &str) -> String {
    let bytes: Vec<_> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    format!("{:x}", Sha256::digest(bytes))
}

/// SQL Server would keep half a surrogate pair unchanged; Data API Builder shows it as U+FFFD.
fn json_text(json: &str) -> Option<String> {
    let value = Raw::parse(json)?;
    match value.kind() {
        Kind::Null => None,
        Kind::String => Some(String::from_utf16_lossy(&value.utf16())),
        Kind::Number | Kind::Boolean | Kind::Array | Kind::Object => Some(value.text().into()),
    }
}

fn later_than(previous: &str, now: String) -> String {
    let following = previous.parse().map(|time: NaiveDateTime| datetime2(time + TimeDelta::nanoseconds(100)));
    following.map_or_else(|_| now.clone(), |following| now.clone().max(following))
}

/// Compares without regard to case (by the Unicode lower-case mapping) and trailing spaces, but with regard to accents. As
/// in SQL Server, NUL has no weight, `ß` is `ss` and `æ` is `ae`, and width and the kind of kana do not matter. The order
/// follows code points, not a dictionary.
fn compare(left: &str, right: &str) -> Ordering {
    fn folded(text: &str) -> impl Iterator<Item = char> {
        text.trim_end_matches([' ', '\0']).chars().flat_map(char::to_lowercase).flat_map(expanded)
    }
    folded(left).cmp(folded(right))
}

/// The letters that a lower-case letter is equal to.
fn expanded(letter: char) -> impl Iterator<Item = char> {
    let (first, second) = match letter {
        '\0' => (None, None),
        'ß' => (Some('s'), Some('s')),
        'æ' => (Some('a'), Some('e')),
        'œ' => (Some('o'), Some('e')),
        // Full-width forms of ASCII, and katakana.
        '\u{ff01}'..='\u{ff5e}' => (moved(letter, 0xfee0), None),
        '\u{30a1}'..='\u{30f6}' => (moved(letter, 0x60), None),
        _ => (Some(letter), None),
    };
    first.into_iter().chain(second)
}

fn moved(letter: char, by: u32) -> Option<char> {
    char::from_u32(u32::from(letter) - by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_trailing_spaces_do_not_matter_accents_do() {
        for (left, right) in [
            ("", "  "),
            ("Wingtip Toys", "wINGTIP tOYS  "),
            ("ÅNGSTRÖM", "ångström"),
            ("ΝΙΚΗ", "νικη"),
            ("a", "a\0"),
            ("Straße", "STRASSE"),
            ("Ｗidth", "width"),
            ("カナ", "かな"),
        ] {
            assert_eq!(compare(left, right), Ordering::Equal, "{left:?} {right:?}");
        }
        for (left, right) in [("resume", "résumé"), (" a", "a"), ("a b", "ab"), ("😀", "😁")] {
            assert_ne!(compare(left, right), Ordering::Equal, "{left:?} {right:?}");
        }
    }

    #[test]
    fn a_version_follows_its_predecessor_even_when_the_clock_stands_behind() {
        let clock = Clock::default();
        for (previous, later) in [
            ("2999-12-31T23:59:59.9999999", "3000-01-01T00:00:00.0000000"),
            ("2999-01-02T03:04:05.1234567", "2999-01-02T03:04:05.1234568"),
        ] {
            assert_eq!(later_than(previous, clock.now()), later);
        }
        clock.stop();
        let stopped = clock.now();
        assert_eq!(clock.now(), stopped);
        assert_eq!(later_than("2026-01-01T00:00:00.0000000", clock.now()), stopped);
        assert!(later_than(&stopped, clock.now()) > stopped);
        clock.go();
        assert!(clock.now() >= stopped);
    }

    #[test]
    fn a_text_is_hashed_as_utf_16() {
        // HASHBYTES('SHA2_256', N'abc'), and of no character.
        for (text, hash) in [
            ("abc", "13e228567e8249fce53337f25d7970de3bd68ab2653424c7b8f9fd05e33caedf"),
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ] {
            assert_eq!(sha2_256(text), hash);
        }
        assert_eq!(sha2_256("😀"), format!("{:x}", Sha256::digest([0x3d, 0xd8, 0x00, 0xde])));
    }

    #[test]
    fn a_key_of_several_columns_is_one_text() {
        for parts in [["a", "b"], ["a/b", "%2F"], ["", "%25/"], ["/", "%"], ["\0", "\u{ff0f}"]] {
            let key = parts.map(key_text).join("/");
            let part = |nth| key_part(&key, nth, "NVARCHAR(9)");
            assert_eq!([part(1), part(2)], parts.map(|part| Some(Value::Text(part.into()))), "{key}");
            assert_eq!((part(0), part(3)), (None, None), "{key}");
        }
        let guid = "0f8fad5b-d9cb-469f-a165-70867728950e";
        for (part, sql_type, value) in [
            ("-7", "INT", Some(Value::Integer(-7))),
            ("2147483648", "INT", None),
            ("2147483648", "BIGINT", Some(Value::Integer(2_147_483_648))),
            ("7x", "BIGINT", None),
            (guid, "UNIQUEIDENTIFIER", Some(Value::Text(guid.to_uppercase()))),
            ("x", "UNIQUEIDENTIFIER", None),
        ] {
            assert_eq!(key_part(part, 1, sql_type), value, "{part}");
        }
    }

    #[test]
    fn an_object_has_at_most_128_levels() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        assert_eq!(openjson(&format!(" {} ", nested(128))), Some(&*nested(128)));
        assert_eq!(openjson(&nested(129)), None);
        assert_eq!(openjson("[]"), None);
    }

    #[test]
    fn json_values_have_the_text_that_was_written() {
        for (json, text) in [
            ("null", None),
            (r#""a\u0000\"\ud83d\ude00""#, Some("a\0\"😀")),
            (r#""\ud800x\udc00""#, Some("\u{fffd}x\u{fffd}")),
            ("-0.10", Some("-0.10")),
            ("1E+400", Some("1E+400")),
        ] {
            assert_eq!(json_text(json).as_deref(), text);
        }
    }
}
