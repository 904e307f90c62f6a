//! Values that come as parameters of a query or a cursor: how they are checked and compared.

use super::super::super::plan::{Column, Plan, SqlType};
use super::super::tsql::rule_of_text;
use super::values::arguments_of;

/// A value of a query or a cursor as JSON. A query has a number or Boolean as in JSON, and any other value as its text.
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
