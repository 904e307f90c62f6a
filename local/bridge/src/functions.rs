//! What scripts may use beyond SQLite's own functions, because SQL Server has it:
//!
//! | name | what it is |
//! |---|---|
//! | `openjson(text)` | the JSON object that a text is, or NULL; SQLite's functions can read it however deep it is nested |
//! | `json_text(json)` | the text of a JSON value as `OPENJSON` gives it: a string decoded, a number as it is written, NULL for `null` |
//! | `utf16_length(text)` | its length in UTF-16 code units, as `NVARCHAR(n)` counts |
//! | `sysutcdatetime()` | the time in UTC as the text of a `DATETIME2(7)` |
//! | `sysutcdatetime(after)` | the same, but always later than `after`: the version of a row that replaces version `after` |
//! | `COLLATE Latin1_General_100_CI_AS` | equal but for case and trailing spaces |

use std::cmp::Ordering;

use chrono::{NaiveDateTime, TimeDelta, Utc};
use rusqlite::{
    Connection, Result,
    functions::{Context, FunctionFlags},
    types::ValueRef,
};

use crate::json::{Kind, Raw};

/// Registers all of it on a connection.
pub(crate) fn register(connection: &Connection) -> Result<()> {
    let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("openjson", 1, pure, |call| Ok(text(call)?.and_then(openjson)))?;
    connection.create_scalar_function("json_text", 1, pure, |call| Ok(text(call)?.and_then(json_text)))?;
    connection.create_scalar_function("utf16_length", 1, pure, |call| {
        Ok(text(call)?.map(|text| text.encode_utf16().count() as i64))
    })?;
    connection.create_scalar_function("sysutcdatetime", -1, FunctionFlags::SQLITE_UTF8, |call| {
        let after = if call.is_empty() { None } else { text(call)? };
        Ok(after.map_or_else(now, later_than))
    })?;
    connection.create_collation("Latin1_General_100_CI_AS", compare)
}

/// The first argument; `None` is NULL.
fn text<'a>(call: &'a Context) -> Result<Option<&'a str>> {
    match call.get_raw(0) {
        ValueRef::Null => Ok(None),
        value => Ok(Some(value.as_str()?)),
    }
}

/// SQLite's functions read 1000 levels. What is nested deeper is no field of anybody.
fn openjson(text: &str) -> Option<String> {
    let object = Raw::parse(text).filter(|value| value.kind() == Kind::Object)?;
    Some(object.pruned(999))
}

/// SQL Server would keep half a surrogate pair as it is; Data API Builder shows it as U+FFFD.
fn json_text(json: &str) -> Option<String> {
    let value = Raw::parse(json)?;
    match value.kind() {
        Kind::Null => None,
        Kind::String => Some(String::from_utf16_lossy(&value.utf16())),
        Kind::Number | Kind::Boolean | Kind::Array | Kind::Object => Some(value.text().into()),
    }
}

/// The time as `CONVERT(NVARCHAR(40), …, 126)` writes it, always with seven digits of a second.
pub(crate) fn now() -> String {
    datetime2(Utc::now().naive_utc())
}

fn later_than(previous: &str) -> String {
    let following = previous
        .parse()
        .map(|time: NaiveDateTime| time + TimeDelta::nanoseconds(100));
    following.map_or_else(|_| now(), |following| now().max(datetime2(following)))
}

fn datetime2(time: NaiveDateTime) -> String {
    let mut text = time.format("%Y-%m-%dT%H:%M:%S%.9f").to_string();
    text.truncate("2026-01-02T03:04:05.1234567".len());
    text
}

/// Case-insensitive (by the Unicode lower-case mapping), accent-sensitive, trailing spaces ignored. The order is that
/// of code points, not of a dictionary. (SQL Server also ignores width and the kind of kana; this does not.)
fn compare(left: &str, right: &str) -> Ordering {
    fn folded(text: &str) -> impl Iterator<Item = char> {
        text.trim_end_matches(' ').chars().flat_map(char::to_lowercase)
    }
    folded(left).cmp(folded(right))
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
        ] {
            assert_eq!(compare(left, right), Ordering::Equal, "{left:?} {right:?}");
        }
        for (left, right) in [("resume", "résumé"), (" a", "a"), ("a b", "ab"), ("a", "a\0")] {
            assert_ne!(compare(left, right), Ordering::Equal, "{left:?} {right:?}");
        }
    }

    #[test]
    fn a_version_follows_its_predecessor_even_when_the_clock_stands_behind() {
        assert_eq!(later_than("2999-12-31T23:59:59.9999999"), "3000-01-01T00:00:00.0000000");
        assert_eq!(later_than("2999-01-02T03:04:05.1234567"), "2999-01-02T03:04:05.1234568");
        let before = now();
        assert!(later_than(&before) > before);
        assert!(later_than("2026-01-01T00:00:00.0000000") >= before);
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
