//! JSON values for the columns of SQL Server: which values a type accepts, and how `FOR JSON` shows what was stored. The
//! twin of `ops.field_error` in `sql/04-field_error.sql`, with its names of types and its messages.
//!
//! A script stores whole numbers as INTEGER; texts, dates and UUIDs are TEXT. All else is the TEXT of its JSON, which
//! `json(…)` shows: `true`, `12.50`. FLOAT and REAL keep all their digits, and [`shown_float`] shows the digits that `FOR
//! JSON` shows.

use base64::prelude::{BASE64_STANDARD, Engine};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use uuid::Uuid;

use crate::{
    arguments::Value,
    json::{Kind, Raw},
};

/// A column's type.
#[derive(Clone, Copy, Debug)]
pub struct Type<'t> {
    /// `@SqlType`
    pub name: &'t str,
    /// `@Size`
    pub size: Option<u32>,
    /// `@Scale`
    pub scale: Option<u32>,
}

/// Returns the value that a column of this type stores for a JSON value, in SQLite. `null` is NULL.
///
/// # Errors
/// The message that says what is wrong with the value.
pub fn stored(json: &str, sql_type: Type) -> Result<Value, String> {
    let Type { name, size, scale } = sql_type;
    let value = Raw::parse(json).ok_or("must be JSON")?;
    let kind = value.kind();
    if kind == Kind::Null {
        return Ok(Value::Null);
    }
    // The text of a number counts as the number.
    if let Some(name) = name.strip_suffix(" or text") {
        let text = (kind == Kind::String).then(|| String::from_utf16_lossy(&value.utf16()));
        let is_number = |text: &String| {
            let has_digits_only = text.bytes().all(|byte| b"-+.eE0123456789".contains(&byte));
            has_digits_only && Raw::parse(text).is_some_and(|value| value.kind() == Kind::Number)
        };
        return stored(text.filter(is_number).as_deref().unwrap_or(json), Type { name, size, scale });
    }
    // TRY_CONVERT does not accept longer values.
    let number = (kind == Kind::Number).then(|| value.text()).filter(|number| number.len() <= LONGEST);
    let plain = number.and_then(plain_number);
    let text = || (kind == Kind::String).then(|| String::from_utf16_lossy(&value.utf16()));
    let scale_or_0 = scale.unwrap_or_default() as usize;
    let valid = |value: Option<Value>, message: &dyn Fn() -> String| value.ok_or_else(message);
    if let Some((min, max)) = range(name) {
        let whole = plain.and_then(|number| number.parse().ok()).filter(|number| (min..=max).contains(number));
        return valid(whole.map(Value::Integer), &|| format!("must be a whole number from {min} to {max}"));
    }
    match name {
        "object" => valid((kind == Kind::Object).then(|| Value::Text(json.into())), &|| "must be an object".into()),
        "bit" => valid((kind == Kind::Boolean).then(|| Value::Text(json.into())), &|| "must be true or false".into()),
        "decimal" => {
            let whole = (size.unwrap_or_default() as usize).saturating_sub(scale_or_0);
            let text = plain.and_then(|number| decimal(&number, whole, scale_or_0));
            valid(text.map(Value::Text), &|| {
                format!("must be a number with at most {whole} digits before the point and {scale_or_0} behind it")
            })
        }
        "money" | "smallmoney" => {
            let (min, max) = if name == "money" { MONEY } else { SMALLMONEY };
            let text = plain.and_then(|number| decimal(&number, 15, 4)).filter(|number| {
                let units = number.replace('.', "").parse::<i128>();
                units.is_ok_and(|units| (units_of(min)..=units_of(max)).contains(&units))
            });
            valid(text.map(Value::Text), &|| {
                format!("must be a number from {min} to {max}, with at most 4 digits behind the point")
            })
        }
        "real" => {
            let number = number
                .filter(|number| number.parse().is_ok_and(|number: f64| number.abs() <= 3.4e38))
                .and_then(|number| number.parse::<f32>().ok());
            let text = number.map(|number| Value::Text(exponential(format!("{number:.8e}"))));
            valid(text, &|| "must be a number of at most 3.40E+38".into())
        }
        "float" => {
            let number = number.and_then(|number| number.parse().ok()).filter(|number: &f64| number.abs() <= 1.79e308);
            let text = number.map(|number| Value::Text(exponential(format!("{number:.16e}"))));
            valid(text, &|| "must be a number of at most 1.79E+308".into())
        }
        "uniqueidentifier" => {
            let uuid = text().filter(|text| text.len() == 36).and_then(|text| Uuid::parse_str(&text).ok());
            valid(uuid.map(|uuid| Value::Text(uuid.to_string().to_uppercase())), &|| "must be a UUID".into())
        }
        "date" => {
            let date = text().filter(|text| shape(text) == "0000-00-00" && text.as_str() >= "0001");
            let date = date.filter(|text| text.parse::<NaiveDate>().is_ok());
            valid(date.map(Value::Text), &|| "must be a date, such as 2026-01-31".into())
        }
        "binary" => {
            let length = |text: &String| BASE64_STANDARD.decode(text).ok().map(|bytes| bytes.len() as u32);
            let least = scale.unwrap_or_default();
            let fits = |text: &String| {
                length(text).is_some_and(|bytes| bytes >= least && size.is_none_or(|most| bytes <= most))
            };
            valid(text().filter(fits).map(Value::Text), &|| match (size, scale) {
                (Some(bytes), Some(_)) => format!("must be {bytes} bytes in base64"),
                (Some(bytes), None) => format!("must be at most {bytes} bytes in base64"),
                _ => "must be bytes in base64".into(),
            })
        }
        "time" | "smalldatetime" | "datetime" | "datetime2" | "datetimeoffset" => {
            let text = text().and_then(|text| time(name, &text, scale_or_0));
            let example = match name {
                "time" => "must be a time, such as 12:30:00",
                "datetimeoffset" => "must be a date and time with an offset, such as 2026-01-31T12:30:00+01:00",
                _ => "must be a date and time without an offset, such as 2026-01-31T12:30:00",
            };
            valid(text.map(Value::Text), &|| match name {
                "smalldatetime" => format!("{example}, with 00 seconds and from 1900-01-01 to 2079-06-06"),
                "datetime" => format!("{example}, with no digits of a second or three that end in 0, 3 or 7"),
                _ => format!("{example}, with at most {scale_or_0} digits of a second"),
            })
        }
        _ => characters(value, name, size, scale).map(Value::Text),
    }
}

/// The range of a whole number's type.
fn range(name: &str) -> Option<(i64, i64)> {
    match name {
        "tinyint" => Some((0, 255)),
        "smallint" => Some((i16::MIN.into(), i16::MAX.into())),
        "int" => Some((i32::MIN.into(), i32::MAX.into())),
        "bigint" => Some((i64::MIN, i64::MAX)),
        _ => None,
    }
}

fn characters(value: Raw, name: &str, size: Option<u32>, scale: Option<u32>) -> Result<String, String> {
    let text = match (value.kind(), name) {
        (Kind::String, _) => String::from_utf16_lossy(&value.utf16()),
        (Kind::Number, "nchar or number" | "char or number") => value.text().into(),
        (_, "nchar or number" | "char or number") => return Err("must be a string or a number".into()),
        _ => return Err("must be a string".into()),
    };
    let length = text.encode_utf16().count();
    if scale.is_some_and(|min| length < min as usize) {
        return Err("must not be empty".into());
    }
    if scale == Some(1) && [".", ".."].contains(&text.as_str()) {
        return Err("must not be . or .., which a path cannot have".into());
    }
    if let Some(max) = size.filter(|max| length > *max as usize) {
        return Err(format!("must be at most {max} characters"));
    }
    // The code points of code page 1252, the code page of Latin1_General.
    let is_in_code_page =
        |character| matches!(character, '\0'..='\u{7f}' | '\u{a0}'..='\u{ff}') || CODE_PAGE.contains(character);
    if name.starts_with("char") && !text.chars().all(is_in_code_page) {
        return Err("has a character that the column cannot keep".into());
    }
    Ok(text)
}

/// The characters of code page 1252 from 0x80 to 0x9F.
const CODE_PAGE: &str = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\u{81}\u{8d}\u{8f}\u{90}\u{9d}";

/// The most characters of a number.
const LONGEST: usize = 4000;

/// The smallest and the largest value.
const MONEY: (&str, &str) = ("-922337203685477.5808", "922337203685477.5807");
const SMALLMONEY: (&str, &str) = ("-214748.3648", "214748.3647");

/// A number with four digits behind the point, as a count of its last unit.
fn units_of(money: &str) -> i128 {
    money.replace('.', "").parse().unwrap_or_default()
}

/// The equivalent of `ops.plain_number`: the digits of a JSON number without exponent and needless zeros. `None` for a
/// number with more than 400 digits before or behind the point.
fn plain_number(number: &str) -> Option<String> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |mantissa| ("-", mantissa));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let leading = all.len() - digits.len();
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return Some("0".into());
    }
    let exponent: i64 = exponent.parse::<i32>().ok()?.into();
    let before = i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()? + exponent;
    if !(-400..=400).contains(&before) {
        return None;
    }
    let zeros = |count: usize| "0".repeat(count);
    let text = match usize::try_from(before) {
        Err(_) | Ok(0) => format!("0.{}{digits}", zeros(before.unsigned_abs() as usize)),
        Ok(before) if before >= digits.len() => format!("{digits}{}", zeros(before - digits.len())),
        Ok(before) => format!("{}.{}", &digits[..before], &digits[before..]),
    };
    Some(format!("{sign}{text}"))
}

/// A plain number with `scale` digits behind the point. `None` if it has more, or more than `whole` before the point.
fn decimal(number: &str, whole: usize, scale: usize) -> Option<String> {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (before, behind) = digits.split_once('.').unwrap_or((digits, ""));
    let before_length = if before == "0" { 0 } else { before.len() };
    if before_length > whole || behind.len() > scale {
        return None;
    }
    let point = if scale == 0 { "" } else { "." };
    Some(format!("{sign}{before}{point}{behind:0<scale$}"))
}

/// A FLOAT or REAL with so many digits behind the point, as `FOR JSON` shows it: 15 for FLOAT, 7 for REAL.
pub(crate) fn shown_float(stored: &str, digits: usize) -> Option<String> {
    Some(exponential(match digits {
        7 => format!("{:.7e}", stored.parse::<f32>().ok()?),
        _ => format!("{:.digits$e}", stored.parse::<f64>().ok()?),
    }))
}

/// `1.5e-7` with the three digits that SQL Server gives an exponent.
fn exponential(number: String) -> String {
    let (mantissa, exponent) = number.split_once('e').unwrap_or((&number, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>3}")
}

/// The text with every digit replaced by 0.
fn shape(text: &str) -> String {
    let zero = |character: char| if character.is_ascii_digit() { '0' } else { character };
    text.chars().map(zero).collect()
}

/// A time in its stored form, with all digits of a second or none. `DATETIME` counts milliseconds and shows three digits. A
/// time without an offset may end in `Z`: the client then says that it is in UTC.
fn time(name: &str, text: &str, scale: usize) -> Option<String> {
    let zone = match (name, shape(text)) {
        ("time", _) => 0,
        (_, shape) if shape.ends_with('Z') => 1,
        ("datetimeoffset", shape) if ["+00:00", "-00:00"].iter().any(|zone| shape.ends_with(zone)) => 6,
        ("datetimeoffset", _) => return None,
        _ => 0,
    };
    let (local, zone) = text.split_at(text.len() - zone);
    let (seconds, fraction) = local.split_once('.').unwrap_or((local, ""));
    let expected = if name == "time" { "00:00:00" } else { "0000-00-00T00:00:00" };
    let is_shaped = shape(seconds) == expected
        && fraction.len() <= 7
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && local.contains('.') != fraction.is_empty();
    if !is_shaped {
        return None;
    }
    // Digits that the column does not keep must be zeros. DATETIME keeps thirds of hundredths.
    let digits = format!("{fraction:0<7}");
    let (kept, rest) = digits.split_at(scale);
    let is_kept = rest.bytes().all(|byte| byte == b'0') && (name != "datetime" || kept.ends_with(['0', '3', '7']));
    // chrono accepts a leap second, and the year 0.
    let is_possible = !seconds.ends_with(":60")
        && match name {
            "time" => true,
            "smalldatetime" => seconds.ends_with(":00") && ("1900".."2079-06-07").contains(&text),
            "datetime" => text >= "1753",
            _ => text >= "0001",
        };
    let is_time = match name {
        "time" => local.parse::<NaiveTime>().is_ok(),
        "datetimeoffset" => {
            // The time is stored in UTC, where it must be a valid date as well.
            DateTime::parse_from_rfc3339(text).is_ok_and(|time| {
                time.offset().local_minus_utc().abs() <= 14 * 3600 && (1..=9999).contains(&time.naive_utc().year())
            })
        }
        _ => local.parse::<NaiveDateTime>().is_ok(),
    };
    let zone = if name != "datetimeoffset" {
        ""
    } else if zone.ends_with("00:00") {
        "Z"
    } else {
        zone
    };
    let is_whole = kept.bytes().all(|byte| byte == b'0');
    let fraction = if is_whole { String::new() } else { format!(".{kept}") };
    (is_kept && is_possible && is_time).then(|| format!("{seconds}{fraction}{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'t>(name: &'t str, size: impl Into<Option<u32>>, scale: impl Into<Option<u32>>) -> Type<'t> {
        Type { name, size: size.into(), scale: scale.into() }
    }

    #[test]
    fn what_a_type_takes_is_stored_as_for_json_shows_it() {
        let text = |text: &str| Value::Text(text.into());
        for (json, sql_type, value) in [
            ("null", of("int", None, None), Value::Null),
            ("-2147483648", of("int", None, None), Value::Integer(-2_147_483_648)),
            ("9223372036854775807", of("bigint", None, None), Value::Integer(i64::MAX)),
            (r#""9223372036854775807""#, of("bigint or text", None, None), Value::Integer(i64::MAX)),
            (r#""-1e3""#, of("bigint or text", None, None), Value::Integer(-1000)),
            ("7.0", of("bigint or text", None, None), Value::Integer(7)),
            ("true", of("bit", None, None), text("true")),
            ("12.5", of("decimal", 4, 2), text("12.50")),
            ("-0.1", of("decimal", 2, 2), text("-0.10")),
            ("-0", of("decimal", 3, 0), text("0")),
            ("1.0", of("int", None, None), Value::Integer(1)),
            ("1e3", of("int", None, None), Value::Integer(1000)),
            ("12300E-2", of("tinyint", None, None), Value::Integer(123)),
            ("1e-7", of("decimal", 9, 7), text("0.0000001")),
            ("1.5000", of("decimal", 4, 2), text("1.50")),
            ("10e-1", of("decimal", 1, 0), text("1")),
            ("-922337203685477.5808", of("money", None, None), text("-922337203685477.5808")),
            ("214748.3647", of("smallmoney", None, None), text("214748.3647")),
            ("0.1", of("float", None, None), text("1.0000000000000001e-001")),
            ("0.10000000000000002", of("float", None, None), text("1.0000000000000002e-001")),
            ("1.5", of("float", None, None), text("1.5000000000000000e+000")),
            ("-2e-7", of("real", None, None), text("-2.00000002e-007")),
            ("-3.4e38", of("real", None, None), text("-3.39999995e+038")),
            (
                r#""6f9619ff-8b86-d011-b42d-00c04fc964ff""#,
                of("uniqueidentifier", None, None),
                text("6F9619FF-8B86-D011-B42D-00C04FC964FF"),
            ),
            (r#""2024-02-29""#, of("date", None, None), text("2024-02-29")),
            (r#""23:59:59.5""#, of("time", None, 3), text("23:59:59.500")),
            (r#""2026-01-31T12:30:00.127""#, of("datetime", None, 3), text("2026-01-31T12:30:00.127")),
            (r#""2026-01-31T12:30:00.12""#, of("datetime", None, 3), text("2026-01-31T12:30:00.120")),
            (r#""2026-01-31T12:30:00.000Z""#, of("datetime", None, 3), text("2026-01-31T12:30:00")),
            (r#""2026-01-31T12:30:00.000Z""#, of("datetime2", None, 0), text("2026-01-31T12:30:00")),
            (r#""12:30:00.1000""#, of("time", None, 1), text("12:30:00.1")),
            (r#""2026-01-31T12:30:00""#, of("datetime2", None, 7), text("2026-01-31T12:30:00")),
            (r#""2026-01-31T12:30:00.1234567""#, of("datetime2", None, 7), text("2026-01-31T12:30:00.1234567")),
            (r#""2026-01-31T12:30:00.5-00:00""#, of("datetimeoffset", None, 2), text("2026-01-31T12:30:00.50Z")),
            (r#""2026-01-31T12:30:00+14:00""#, of("datetimeoffset", None, 0), text("2026-01-31T12:30:00+14:00")),
            (r#""2079-06-06T23:59:00.0Z""#, of("smalldatetime", None, 0), text("2079-06-06T23:59:00")),
            (r#""AQI=""#, of("binary", 2, 2), text("AQI=")),
            (r#""""#, of("binary", 2, None), text("")),
            (r#""a\ud83d\ude00""#, of("nchar", 3, 1), text("a😀")),
            (r#""é€""#, of("char", 2, None), text("é€")),
            (r#"". ""#, of("nchar", 3, 1), text(". ")),
            (r#"".""#, of("nchar", 3, None), text(".")),
            ("98.0", of("nchar or number", 10, None), text("98.0")),
            (r#"{"a":1}"#, of("object", None, None), text(r#"{"a":1}"#)),
        ] {
            assert_eq!(stored(json, sql_type), Ok(value), "{json}");
        }
    }

    #[test]
    fn a_float_is_shown_with_fewer_digits_than_it_has() {
        assert_eq!(shown_float("1.0000000000000002e-001", 15).as_deref(), Some("1.000000000000000e-001"));
        assert_eq!(shown_float("-3.39999995e+038", 7).as_deref(), Some("-3.4000000e+038"));
    }

    #[test]
    fn numbers_of_more_than_4000_characters_are_refused() {
        let long = "1".repeat(4001);
        for name in ["int", "decimal", "money", "float", "real"] {
            assert!(stored(&long, of(name, 38, 0)).is_err(), "{name}");
        }
    }

    #[test]
    fn what_a_type_cannot_keep_as_it_is_is_refused() {
        for (sql_type, values) in [
            (
                of("bigint or text", None, None),
                &[
                    "9223372036854775808",
                    r#""9223372036854775808""#,
                    r#""""#,
                    r#"" 7""#,
                    r#""007""#,
                    r#""null""#,
                    r#""1.5""#,
                ] as &[&str],
            ),
            (of("int", None, None), &["2147483648", "1.5", "1e10", "1e99999999999", "\"1\"", "true"]),
            (of("tinyint", None, None), &["-1", "256"]),
            (of("smallint", None, None), &["32768"]),
            (of("bigint", None, None), &["9223372036854775808"]),
            (of("bit", None, None), &["1", "\"true\"", "[]"]),
            (of("decimal", 4, 2), &["123", "1.001", "1e2", "1e-3", "\"1\""]),
            (of("decimal", 2, 2), &["1"]),
            (of("float", None, None), &["1e999", "1.7900000000000002e308", "\"1\""]),
            (of("real", None, None), &["3.5e38", "-3.4000000000000003e38"]),
            (of("uniqueidentifier", None, None), &["1", "\"{6f9619ff-8b86-d011-b42d-00c04fc964ff}\"", "\"\""]),
            (of("date", None, None), &["\"2023-02-29\"", "\"2023-2-01\"", "\"0000-01-01\"", "\"20230101\"", "5"]),
            (of("time", None, 0), &["\"24:00:00\"", "\"12:30\"", "\"12:30:00.1\"", "\"12:30:00.\"", "\"12:30:60\""]),
            (
                of("datetime", None, 3),
                &[
                    "\"1752-12-31T00:00:00\"",
                    "\"2026-01-31T12:30:00.1235\"",
                    "\"2026-01-31T12:30:00.124\"",
                    "\"2026-01-31 12:30:00\"",
                    "\"2026-01-31T12:30:00+00:00\"",
                ],
            ),
            (
                of("smalldatetime", None, 0),
                &[
                    "\"1899-12-31T00:00:00\"",
                    "\"2079-06-07T00:00:00\"",
                    "\"2026-01-31T12:30:01\"",
                    "\"2026-01-31T12:30:00.5\"",
                ],
            ),
            (of("binary", 2, 2), &["\"AQ==\"", "\"AQID\"", "\"\"", "1"]),
            (of("binary", None, None), &["\"AQI\"", "\"AQJ=\"", "\"A-==\"", "\"AQI=\\n\"", "\"====\"", "\"A===\""]),
            (
                of("datetime2", None, 2),
                &["\"2026-01-31T12:30:00.123\"", "\"2026-13-01T00:00:00\"", "\"0000-01-01T00:00:00\""],
            ),
            (
                of("datetimeoffset", None, 7),
                &[
                    "\"2026-01-31T12:30:00\"",
                    "\"2026-01-31T12:30:00+15:00\"",
                    "\"0001-01-01T00:00:00+01:00\"",
                    "\"9999-12-31T23:59:59-00:01\"",
                    "\"Z\"",
                ],
            ),
            (of("money", None, None), &["922337203685477.5808", "0.00001", "1e16"]),
            (of("smallmoney", None, None), &["-214748.3649"]),
            (of("nchar", 2, 1), &["\"\"", "\".\"", "\"..\"", "\"abc\"", "\"a😀\"", "1"]),
            (of("char", 9, None), &["\"ł\"", "\"😀\""]),
            (of("nchar or number", 3, None), &["1234", "true"]),
            (of("object", None, None), &["[]", "1"]),
        ] {
            for json in values {
                assert!(stored(json, sql_type).is_err(), "{json} {sql_type:?}");
            }
        }
    }
}
