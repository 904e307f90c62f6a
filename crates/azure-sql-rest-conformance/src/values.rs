//! Values that a schema allows, values at its limits, and values that it forbids.

use serde_json::{Value, json};

/// The types that a schema allows.
pub fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// The type that a schema is about, which is the first.
fn kind(schema: &Value) -> &str {
    types(schema).first().copied().unwrap_or_default()
}

/// True if any text that is short enough may stand here.
pub fn is_text(schema: &Value) -> bool {
    let is_free = ["format", "pattern", "enum"].iter().all(|rule| schema.get(rule).is_none());
    types(schema).contains(&"string") && is_free
}

/// True if a text may have any character, and not only the characters of a code page.
pub fn is_unicode(schema: &Value) -> bool {
    schema["x-code-page"] != true
}

/// Length as SQL Server counts it, in UTF-16 code units.
pub fn units(text: &str) -> u64 {
    text.encode_utf16().count() as u64
}

/// True if a schema allows a value.
pub fn allows(schema: &Value, value: &Value) -> bool {
    jsonschema::draft202012::is_valid(schema, value)
}

/// A value that a schema allows: the example, or one that is made up; null when only an example can tell.
pub fn base(schema: &Value, example: Option<&Value>) -> Value {
    match example {
        // A member that also takes numbers shows them as text.
        Some(Value::Number(number)) if kind(schema) == "string" => json!(number.to_string()),
        Some(example) => example.clone(),
        None if ["x-reference", "x-checked"].iter().any(|rule| schema[rule] == true)
            || schema.get("pattern").is_some() =>
        {
            Value::Null
        }
        None => match (kind(schema), schema["format"].as_str()) {
            _ if !listed(schema).is_empty() => listed(schema)[0].clone(),
            ("boolean", _) => json!(true),
            ("integer" | "number", _) => lowest(schema).unwrap_or(json!(1)),
            (_, Some("date")) => json!("2026-01-31"),
            (_, Some("uuid")) => json!("0f8fad5b-d9cb-469f-a165-70867728950e"),
            _ => json!(longest(schema, "abcd").unwrap_or("abcd".into())),
        },
    }
}

/// A value that no row has.
pub fn absent(schema: &Value) -> Option<Value> {
    match (kind(schema), schema["format"].as_str()) {
        // The largest may be there: what is at its limits was created.
        ("integer", _) => Some((schema["maximum"].as_i64().unwrap_or(i64::MAX) - 1).into()),
        (_, Some("int64")) => Some((i64::MAX - 1).to_string().into()),
        (_, Some("uuid")) => Some("ffffffff-ffff-4fff-bfff-ffffffffffff".into()),
        ("", _) => None,
        (_, Some("date")) => None,
        _ => Some("~".into()).filter(|text| allows(schema, text)),
    }
}

/// The values that a schema lists, without null.
fn listed(schema: &Value) -> Vec<&Value> {
    schema["enum"].as_array().into_iter().flatten().filter(|value| !value.is_null()).collect()
}

/// How many values a schema allows, where these are few: a Boolean, or what a CHECK leaves.
pub fn few(schema: &Value) -> Option<u64> {
    let count = match kind(schema) {
        "boolean" => 2,
        "integer" | "number" => {
            schema.get("x-conflict")?;
            let (low, high) = range(schema);
            u64::try_from(high - low + 1).ok()?
        }
        _ if !listed(schema).is_empty() => listed(schema).len() as u64,
        _ => return None,
    };
    (count < 200).then_some(count)
}

/// The value that is `number` steps behind `base`: of a text, one of its shape where that may matter. Steps to values that a
/// pattern forbids do not count.
pub fn another(schema: &Value, base: &Value, number: u64) -> Value {
    let text = base.as_str().unwrap_or_default();
    match (base, schema["format"].as_str()) {
        (Value::Bool(value), _) => json!(!value),
        _ if !listed(schema).is_empty() => {
            let listed = listed(schema);
            let at = listed.iter().position(|value| *value == base).unwrap_or(0);
            listed[(at + number as usize) % listed.len()].clone()
        }
        (Value::Number(_), _) => count_number_on(schema, base, number),
        (_, Some("int64")) => json!((text.parse::<i64>().unwrap_or(0) + number as i64).to_string()),
        (_, Some("date")) => {
            let (month, day) = (number / 28 % 12 + 1, number % 28 + 1);
            json!(format!("{:04}-{month:02}-{day:02}", 1990 + number / 336 % 60))
        }
        (_, Some("uuid")) => json!(count_on(text, number, &["0123456789abcdef", "0123456789ABCDEF"])),
        // A short text has more values when it is longer.
        _ if is_text(schema) => {
            let length = schema["maxLength"].as_u64().unwrap_or(4).min(4) as usize;
            let text = format!("{text:0<length$}");
            json!(count_on(&text, number, &["0123456789abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]))
        }
        _ => {
            let schema = jsonschema::draft202012::new(schema).expect("a schema");
            let alphabets = &["0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
            let values = (0..MOST_STEPS).map(|number| json!(count_on(text, number, alphabets)));
            values.filter(|value| schema.is_valid(value)).nth(number as usize).unwrap_or_else(|| base.clone())
        }
    }
}

/// How many steps are tried for a value that a pattern allows.
const MOST_STEPS: u64 = 100_000;

/// How many steps make one. A step is one of the last decimal that the schema allows.
fn scale(schema: &Value) -> f64 {
    10_f64.powi(schema["x-decimals"].as_i64().unwrap_or(0).clamp(0, 6) as i32)
}

/// A number in such steps.
fn steps(schema: &Value, value: &Value) -> Option<i128> {
    let scale = scale(schema);
    let whole = value.as_i64().filter(|_| scale == 1.0);
    whole.or(value.as_f64().map(|value| (value * scale).floor() as i64)).map(i128::from)
}

/// The least and the largest number that a schema allows, in steps.
fn range(schema: &Value) -> (i128, i128) {
    let of = |name: &str| steps(schema, &schema[name]);
    let low = of("minimum").or_else(|| Some(of("exclusiveMinimum")? + 1)).unwrap_or(0);
    (low, of("maximum").or_else(|| Some(of("exclusiveMaximum")? - 1)).unwrap_or(i64::MAX.into()))
}

/// Counts in the last decimal that the schema allows, and from its least number on behind its largest.
fn count_number_on(schema: &Value, base: &Value, number: u64) -> Value {
    let scale = scale(schema);
    let step = schema["multipleOf"].as_i64().unwrap_or(1);
    let (low, high) = range(schema);
    let on = steps(schema, base).unwrap_or(0) - low + i128::from(number) * i128::from(step);
    let sum = i64::try_from(low + on.rem_euclid(high - low + 1)).expect("not beyond its limits");
    if scale == 1.0 { json!(sum) } else { json!(sum as f64 / scale) }
}

/// Counts a text on as an odometer does it, with the alphabet of each character that is in one.
fn count_on(text: &str, mut number: u64, alphabets: &[&str]) -> String {
    let mut text: Vec<_> = text.chars().collect();
    for place in text.iter_mut().rev() {
        let found = alphabets.iter().find_map(|alphabet| Some((alphabet, alphabet.find(*place)?)));
        let Some((alphabet, index)) = found else {
            continue;
        };
        let (sum, size) = (index as u64 + number, alphabet.len() as u64);
        *place = char::from(alphabet.as_bytes()[(sum % size) as usize]);
        number = sum / size;
    }
    text.into_iter().collect()
}

/// The longest text that a schema allows and that ends like `end`.
pub fn longest(schema: &Value, end: &str) -> Option<String> {
    filled(schema["maxLength"].as_u64()?, end, "x")
}

/// The same of characters that are two UTF-16 code units each.
pub fn longest_of_pairs(schema: &Value, end: &str) -> Option<String> {
    filled(schema["maxLength"].as_u64()?, end, "\u{20bb7}")
}

/// A text of so many UTF-16 code units, filled up with a character at its beginning.
fn filled(length: u64, end: &str, with: &str) -> Option<String> {
    let ends = end.char_indices().map(|(index, _)| &end[index..]).chain([""]);
    let end = ends.into_iter().find(|end| units(end) <= length)?;
    let rest = length - units(end);
    let (count, odd) = (rest / units(with), rest % units(with));
    let count = usize::try_from(count).ok()?;
    Some(with.repeat(count) + if odd == 1 { "x" } else { "" } + end)
}

/// The `minimum` or `maximum` of a number: that of its schema, or of SQL Server's type that its format stands for.
fn limit(schema: &Value, name: &str) -> Option<Value> {
    let largest = match schema["format"].as_str() {
        Some("float") => Some(3.4e38),
        Some("double") => Some(1.79e308),
        _ => None,
    };
    let sign = if name == "minimum" { -1.0 } else { 1.0 };
    let is_exclusive = schema.get(if name == "minimum" { "exclusiveMinimum" } else { "exclusiveMaximum" }).is_some();
    schema.get(name).cloned().or_else(|| Some(json!(sign * largest.filter(|_| !is_exclusive)?)))
}

/// The largest number, the latest date or the longest text; `like` is how texts end.
pub fn highest(schema: &Value, like: &Value) -> Option<Value> {
    let exclusive = || Some(json!(schema["exclusiveMaximum"].as_i64()? - 1));
    if !listed(schema).is_empty() {
        return None;
    }
    match (kind(schema), schema["format"].as_str()) {
        ("integer" | "number", _) => limit(schema, "maximum").or_else(exclusive),
        (_, Some("int64")) => Some(json!(i64::MAX.to_string())),
        (_, Some("date")) => Some(json!("9999-12-31")),
        (_, Some(_)) => None,
        ("string", _) => longest(schema, like.as_str()?).map(Value::from),
        _ => None,
    }
    .filter(|value| allows(schema, value) && is_exact(schema, value))
}

/// The smallest number, the first date or the shortest text.
pub fn lowest(schema: &Value) -> Option<Value> {
    let exclusive = || Some(json!(schema["exclusiveMinimum"].as_i64()? + 1));
    if !listed(schema).is_empty() {
        return None;
    }
    match (kind(schema), schema["format"].as_str()) {
        ("integer" | "number", _) => limit(schema, "minimum").or_else(exclusive),
        (_, Some("int64")) => Some(json!(i64::MIN.to_string())),
        (_, Some("date")) => Some(json!("0001-01-01")),
        (_, Some(_)) => None,
        ("string", _) => filled(schema["minLength"].as_u64().unwrap_or(0), "", "a").map(Value::from),
        _ => None,
    }
    .filter(|value| allows(schema, value) && is_exact(schema, value))
}

/// True if a binary number is exactly this decimal one.
fn is_exact(schema: &Value, value: &Value) -> bool {
    let digits = value.to_string().bytes().filter(u8::is_ascii_digit).count();
    let is_binary = schema.get("x-decimals").is_none() || !value.is_f64();
    is_binary || digits <= 15 && !value.to_string().contains('e')
}

/// Values that a schema forbids, each with what is wrong.
pub fn forbidden(schema: &Value, is_object: bool) -> Vec<(&'static str, Value)> {
    let kinds = types(schema);
    let mut values =
        vec![("null", json!(null)), ("true", json!(true)), ("a number", json!(7)), ("a fraction", json!(1.5))];
    values.extend([("an array", json!([])), ("a text", json!("x"))]);
    if !is_object {
        values.push(("an object", json!({})));
    }
    values.retain(|(_, value)| {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_i64() => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        !(kinds.contains(&kind) || kind == "integer" && kinds.contains(&"number"))
    });
    if let Some(length) = schema["maxLength"].as_u64() {
        values.extend(filled(length + 1, "", "x").map(|text| ("one too long", json!(text))));
        values.extend(filled(length + 1, "", "\u{20bb7}").map(|text| ("one UTF-16 unit too long", json!(text))));
    }
    if let Some(length) = schema["minLength"].as_u64().and_then(|length| length.checked_sub(1)) {
        values.extend(filled(length, "", "x").map(|text| ("one too short", json!(text))));
    }
    values.extend(numbers_beyond(schema, false));
    if let Some(step) = schema["multipleOf"].as_f64() {
        values.push(("between two steps", json!(step / 2.0)));
    }
    if let Some(decimals) = schema["x-decimals"].as_u64().and_then(|decimals| usize::try_from(decimals).ok()) {
        let number = format!("0.{}1", "0".repeat(decimals)).parse::<f64>();
        values.extend(number.map(|number| ("of one decimal too many", json!(number))));
    }
    let texts: &[&str] = match schema["format"].as_str() {
        Some("uuid") => &[
            "",
            "0f8fad5b-d9cb-469f-a165-70867728950g",
            "0f8fad5b-d9cb-469f-a165-70867728950ee",
            "0f8fad5bd9cb469fa16570867728950e",
        ],
        Some("int64") if kinds.contains(&"string") => &["9223372036854775808", "1.5", "1e99", " 7", "007", "null"],
        Some("date") => &["", "2026-02-30", "31.01.2026", "2026-1-1"],
        _ => &[],
    };
    values.extend(texts.iter().map(|text| ("malformed", json!(text))));
    if schema.get("pattern").is_some() {
        let odd = ["", "\u{1}", "~"].map(Value::from).into_iter().find(|text| !allows(schema, text));
        values.extend(odd.map(|text| ("against the pattern", text)));
    }
    values
}

/// Values that break a rule of a CHECK and no other (`x-conflict`), each with what is wrong. A text in other cases is none: a collation
/// may take it for the same.
pub fn conflicting(schema: &Value) -> Vec<(&'static str, Value)> {
    let mut values = numbers_beyond(schema, true);
    if is_of_check(schema, "enum") {
        let other = ["~", "!"].map(Value::from).into_iter().find(|text| !listed(schema).contains(&text));
        values.extend(other.map(|text| ("none of the list", text)));
    }
    values
}

/// True if a CHECK holds this rule.
fn is_of_check(schema: &Value, rule: &str) -> bool {
    schema["x-conflict"].as_array().is_some_and(|rules| rules.contains(&json!(rule)))
}

/// Numbers beyond the limits of CHECKs, or beyond the others.
fn numbers_beyond(schema: &Value, of_checks: bool) -> Vec<(&'static str, Value)> {
    let limit = |name: &str| limit(schema, name).filter(|_| is_of_check(schema, name) == of_checks);
    let exclusive = |name: &str| schema.get(name).filter(|_| is_of_check(schema, name) == of_checks);
    let mut values = Vec::new();
    values.extend(limit("maximum").and_then(|limit| beyond(&limit, 1)).map(|value| ("too large", value)));
    values.extend(limit("minimum").and_then(|limit| beyond(&limit, -1)).map(|value| ("too small", value)));
    for limit in ["exclusiveMaximum", "exclusiveMinimum"] {
        values.extend(exclusive(limit).map(|value| ("the limit itself", value.clone())));
    }
    values
}

/// The number behind a limit, by one unless that is too little for the type.
fn beyond(limit: &Value, by: i32) -> Option<Value> {
    if let Some(sum) = limit.as_i64().and_then(|limit| limit.checked_add(by.into())) {
        return Some(json!(sum));
    }
    let limit = limit.as_f64()?;
    let mut beyond = [limit + f64::from(by), limit * 2.0, limit * 1.001].into_iter();
    beyond.find(|beyond| *beyond != limit && beyond.is_finite()).map(Value::from)
}

/// True if the shown value is the sent value.
pub fn is_same(schema: &Value, sent: &Value, shown: &Value) -> bool {
    match (sent, shown) {
        (Value::String(sent), Value::String(shown)) if schema["x-padded"] == true => {
            sent.trim_end_matches(' ') == shown.trim_end_matches(' ')
        }
        (Value::String(sent), Value::String(shown)) if schema["format"] == "uuid" => sent.eq_ignore_ascii_case(shown),
        (Value::Number(sent), Value::String(shown)) => sent.to_string() == *shown,
        (Value::Number(one), Value::Number(other)) if one.is_f64() || other.is_f64() => one.as_f64() == other.as_f64(),
        _ => sent == shown,
    }
}

#[test]
fn values_keep_the_rules_of_checks() {
    for (schema, count, wrong) in [
        (json!({"type": "string", "enum": ["a", "b"], "x-conflict": ["enum"], "maxLength": 1}), Some(2), json!(["~"])),
        (json!({"type": ["string", "null"], "enum": ["~", null], "x-conflict": ["enum"]}), Some(1), json!(["!"])),
        (
            json!({"type": "integer", "minimum": 1, "maximum": 5, "x-conflict": ["minimum", "maximum"]}),
            Some(5),
            json!([6, 0]),
        ),
        (json!({"type": "integer", "minimum": 18, "maximum": 255, "x-conflict": ["minimum"]}), None, json!([17])),
        (
            json!({"type": "number", "exclusiveMinimum": 0, "maximum": 0.5, "x-decimals": 1, "x-conflict": ["exclusiveMinimum"]}),
            Some(5),
            json!([0]),
        ),
    ] {
        assert_eq!(few(&schema), count, "{schema}");
        let first = match schema.get("x-decimals") {
            Some(_) => json!(0.1),
            None => base(&schema, None),
        };
        let others = (0..20).map(|number| another(&schema, &first, number));
        for value in others.chain(highest(&schema, &first)).chain(lowest(&schema)) {
            assert!(allows(&schema, &value), "{schema} allows {value}");
        }
        let conflicts: Vec<_> = conflicting(&schema).into_iter().map(|(_, value)| value).collect();
        assert_eq!(json!(conflicts), wrong, "{schema}");
        assert!(forbidden(&schema, false).iter().all(|(_, value)| !conflicts.contains(value)), "{schema}");
    }
}

#[test]
fn values_keep_the_rules_that_they_are_made_for() {
    for schema in [
        json!({"type": "string", "maxLength": 20}),
        json!({"type": ["string", "null"], "minLength": 3, "maxLength": 3}),
        json!({"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$", "x-example": "AB-0012"}),
        json!({"type": "string", "pattern": "^2026-01-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:00$", "x-example": "2026-01-31T12:30:00"}),
        json!({"type": "string", "pattern": "^([A-Za-z0-9+/]{4}){2}[A-Za-z0-9+/][AQgw]==$", "x-example": "AAAAAAAAAQ=="}),
        json!({"type": ["string", "integer"], "format": "int64", "pattern": "^(0|-?[1-9][0-9]{0,18})$", "x-example": "4"}),
        json!({"type": "string", "format": "uuid"}),
        json!({"type": "string", "format": "date"}),
        json!({"type": "integer", "minimum": 0, "maximum": 255}),
        json!({"type": ["integer", "null"], "minimum": i64::MIN, "maximum": i64::MAX}),
        json!({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 1000}),
        json!({"type": "number", "minimum": -999.99, "maximum": 999.99, "x-decimals": 2}),
        json!({"type": "number", "minimum": -0.99, "maximum": 0.99, "x-decimals": 2}),
        json!({"type": "number", "format": "float"}),
        json!({"type": ["number", "null"], "format": "double"}),
        json!({"type": "boolean"}),
    ] {
        let base = base(&schema, schema.get("x-example"));
        let others: Vec<_> = (1..100).map(|number| another(&schema, &base, number)).collect();
        let texts: std::collections::BTreeSet<_> = others.iter().map(Value::to_string).collect();
        assert_eq!(texts.len(), if base.is_boolean() { 1 } else { 99 }, "{schema}: no two are the same");
        assert!(!others.contains(&base), "{schema}: none is {base}");
        for value in others.iter().chain([&base]).chain(&highest(&schema, &base)).chain(&lowest(&schema)) {
            assert!(allows(&schema, value), "{schema} allows {value}");
        }
        let wrong = forbidden(&schema, false);
        assert!(wrong.len() > 3, "{schema}: {wrong:?}");
        for (why, value) in wrong {
            // JSON Schema takes a format for a note, counts characters, and does not know decimals.
            let is_binary = ["float", "double"].iter().any(|format| schema["format"] == *format);
            let is_other_rule = ["malformed", "one UTF-16 unit too long", "of one decimal too many"].contains(&why)
                || is_binary && ["too large", "too small"].contains(&why);
            assert!(is_other_rule || !allows(&schema, &value), "{schema}: {value} is {why}");
        }
    }
}
