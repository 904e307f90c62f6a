//! Values of columns in SQLite: as they are stored, sent, shown and set.

use azure_sql_rest_bridge::fields::{Type, stored};
use azure_sql_rest_bridge::procedures::Value as Stored;
use serde_json::{Value, json};

use super::super::super::plan::{Column, Expression, Plan, Role, SqlType};
use super::super::text::{json_path, quoted};
use super::super::tsql::{Rule, rule, rule_of_text};
use super::names::column_name;

/// The arguments behind the value in `column_value` and `field_error`.
fn rule_arguments(plan: &Plan, column: &Column) -> String {
    arguments_of(rule(plan, column).unwrap_or(("object", None, None)))
}

/// The same for any rule.
pub(super) fn arguments_of((name, size, scale): Rule) -> String {
    let number = |number: Option<u32>| number.map_or("NULL".to_owned(), |number| number.to_string());
    format!("{}, {}, {}", quoted(name), number(size), number(scale))
}

/// The member of the document for a column, NULL when it is absent.
pub(super) fn member(column: &Column) -> String {
    format!(":Document -> {}", quoted(&json_path(column.path())))
}

/// The value that a client sent for a column, as the database stores it.
pub(super) fn given(plan: &Plan, column: &Column) -> String {
    let value = format!("column_value({}, {})", member(column), rule_arguments(plan, column));
    match column.sql_type {
        SqlType::Char(length) | SqlType::NChar(length) => format!("padded({value}, {length})"),
        _ => value,
    }
}

/// A JSON value as a literal.
fn literal(plan: &Plan, column: &Column, value: &Value) -> Option<String> {
    if column.sql_type == SqlType::Json {
        return Some(quoted(&value.to_string()));
    }
    let (name, size, scale) = rule(plan, column)?;
    Some(match stored(&value.to_string(), Type { name, size, scale }).ok()? {
        Stored::Integer(number) => number.to_string(),
        Stored::Text(text) if column.sql_type.is_padded() => {
            let width = size.unwrap_or_default() as usize;
            quoted(&format!("{text:<width$}"))
        }
        Stored::Text(text) => quoted(&text),
        _ => "NULL".to_owned(),
    })
}

/// The `n`th example of a column.
pub(super) fn example(plan: &Plan, column: &Column, n: usize) -> String {
    literal(plan, column, &plan.example_value(column, n)).unwrap_or_else(|| "NULL".to_owned())
}

/// A constant of T-SQL, with or without parentheses, or the time, or a new UUID.
fn constant(plan: &Plan, column: &Column, text: &str) -> Option<String> {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        text = inner.trim();
    }
    match text.to_ascii_lowercase().as_str() {
        "newid()" | "newsequentialid()" => return Some("newid()".to_owned()),
        "getdate()"
        | "getutcdate()"
        | "sysdatetime()"
        | "sysutcdatetime()"
        | "current_timestamp"
        | "sysdatetimeoffset()" => {
            return now(column.sql_type);
        }
        _ => {}
    }
    let value = match text.parse().ok()? {
        Expression::Number(number) if column.sql_type == SqlType::Bit => {
            json!(!number.trim_start_matches('0').is_empty())
        }
        Expression::Number(number) => serde_json::from_str(&number).ok()?,
        Expression::Text(text) if column.sql_type == SqlType::Bit => json!(text != "0"),
        Expression::Text(text) => {
            let as_number = serde_json::from_str::<Value>(&text).ok().filter(Value::is_number);
            as_number.filter(|_| !column.sql_type.is_text()).unwrap_or_else(|| json!(text))
        }
        Expression::Null => return Some("NULL".to_owned()),
        Expression::Now | Expression::Caller | Expression::Column(_) | Expression::Binary(_) => return None,
    };
    literal(plan, column, &value)
}

/// The default of a column, or a value of the local database's own where only SQL Server can compute it.
pub(super) fn default(plan: &Plan, column: &Column) -> String {
    let default = column.default.as_deref().unwrap_or("NULL");
    constant(plan, column, default).unwrap_or_else(|| match column.is_nullable {
        true => "NULL".to_owned(),
        false => example(plan, column, 1),
    })
}

/// The time in a column of this type.
fn now(sql_type: SqlType) -> Option<String> {
    let with_digits = |digits: u8| 19 + u32::from(digits) + u32::from(digits > 0);
    match sql_type {
        SqlType::Date => Some("date()".to_owned()),
        SqlType::SmallDateTime => Some("substr(sysutcdatetime(), 1, 17) || '00'".to_owned()),
        SqlType::DateTime => Some("substr(sysutcdatetime(), 1, 22) || '0'".to_owned()),
        SqlType::DateTime2(digits) => Some(format!("substr(sysutcdatetime(), 1, {})", with_digits(digits))),
        SqlType::DateTimeOffset(digits) => Some(format!("substr(sysutcdatetime(), 1, {}) || 'Z'", with_digits(digits))),
        SqlType::Time(digits) => Some(format!("substr(sysutcdatetime(), 12, {})", with_digits(digits) - 11)),
        _ => None,
    }
}

/// The source of another column's value.
pub(super) enum Source {
    /// A client's document; the key that a new row gets is `:RowID`.
    Document,
    /// The examples with this number.
    Example(usize),
}

/// True for a column that shows fewer digits than it has.
pub(super) fn is_float(column: &Column) -> bool {
    matches!(column.sql_type, SqlType::Float | SqlType::Real)
}

/// The value of a column that clients do not send.
pub(super) fn set(plan: &Plan, column: &Column, value: &Expression, source: &Source) -> String {
    let of = |other: &Column| match source {
        Source::Document if plan.key_of(&other.name).is_some() && other.role != Role::Sent => ":RowID".to_owned(),
        Source::Document => given(plan, other),
        Source::Example(n) => example(plan, other, *n),
    };
    let value = match value {
        Expression::Now => now(column.sql_type),
        Expression::Caller => {
            let caller = if matches!(source, Source::Document) { ":Caller" } else { "NULL" };
            Some(if column.is_nullable { caller.to_owned() } else { format!("ifnull({caller}, '')") })
        }
        Expression::Column(name) => plan.column(name).map(of),
        // Nothing here reads it: its text stands for it.
        Expression::Text(text) | Expression::Binary(text)
            if rule(plan, column).is_none() || column.sql_type.is_binary() =>
        {
            Some(super::super::text::quoted(text))
        }
        other => constant(plan, column, &other.to_string()),
    };
    value.unwrap_or_else(|| if column.is_nullable { "NULL".to_owned() } else { example(plan, column, 1) })
}

/// A column as its JSON.
pub(super) fn shown(plan: &Plan, column: &Column) -> String {
    let name = column_name(column);
    match column.sql_type {
        SqlType::BigInt => in_json(plan, column, name),
        SqlType::Bit
        | SqlType::Decimal { .. }
        | SqlType::Numeric { .. }
        | SqlType::Money
        | SqlType::SmallMoney
        | SqlType::Json => {
            format!("json({name})")
        }
        SqlType::Float => format!("json(shown_float({name}, 15))"),
        SqlType::Real => format!("json(shown_float({name}, 7))"),
        _ => name,
    }
}

/// The value of a column as JSON has it.
pub(super) fn in_json(plan: &Plan, column: &Column, value: String) -> String {
    if plan.has_digits_as_text(column) { format!("CAST({value} AS TEXT)") } else { value }
}

/// A value of a query or a cursor as JSON. There, a number or Boolean is as in JSON, and any other value is its text.
pub(super) fn json_of(column: &Column, value: &str) -> String {
    let types = match column.sql_type {
        SqlType::Bit => "'true', 'false'",
        sql_type if sql_type.is_integer() || is_stored_number(sql_type) => "'integer', 'real'",
        _ => return format!("json_quote({value})"),
    };
    format!("iif(iif(json_valid({value}), json_type({value}), '') IN ({types}), {value}, json_quote({value}))")
}

/// The fault of a parameter's value for a column; NULL for a value without one.
pub(super) fn problem_of(plan: &Plan, column: &Column, parameter: &str) -> String {
    format!("field_error({}, {})", json_of(column, parameter), arguments_of(rule_of_text(plan, column)))
}

/// A value of a column as SQLite compares it: numbers and times with an offset by what they say, not as texts.
pub(super) fn compared(column: &Column, value: &str) -> String {
    match column.sql_type {
        sql_type if is_stored_number(sql_type) => format!("CAST({value} AS NUMERIC)"),
        SqlType::DateTimeOffset(_) => format!("julianday({value})"),
        _ => value.to_owned(),
    }
}

/// True for the numbers that are stored as the text of their digits.
fn is_stored_number(sql_type: SqlType) -> bool {
    matches!(
        sql_type,
        SqlType::Decimal { .. }
            | SqlType::Numeric { .. }
            | SqlType::Money
            | SqlType::SmallMoney
            | SqlType::Real
            | SqlType::Float
    )
}
