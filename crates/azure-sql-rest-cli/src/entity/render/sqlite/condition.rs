//! Translates the conditions of filtered indexes and CHECKs from T-SQL to SQLite.

use super::super::super::plan::{Plan, SqlType};
use super::names::column_name;

/// The condition in SQLite; `None` for one that has more than columns, literals, comparisons and AND, OR, NOT, IN, LIKE, BETWEEN.
pub(super) fn condition(plan: &Plan, text: &str) -> Option<String> {
    let mut local = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '\'' => literal(rest)?,
            'N' | 'n' if rest[1..].starts_with('\'') => literal(&rest[1..])?,
            '[' => {
                let (name, after) = rest[1..].split_once(']')?;
                (column(plan, name)?, after)
            }
            _ if first.is_alphabetic() || first == '_' => {
                let end = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
                (word(plan, &rest[..end])?, &rest[end..])
            }
            _ if first.is_whitespace() || first.is_ascii_digit() || "()<>=!,.+-*".contains(first) => {
                (first.to_string(), &rest[first.len_utf8()..])
            }
            _ => return None,
        };
        local.push_str(&token);
        rest = after;
    }
    Some(local)
}

/// A text between apostrophes; one with a class of LIKE has another meaning in SQLite.
fn literal(text: &str) -> Option<(String, &str)> {
    let mut from = 1;
    loop {
        let end = from + text[from..].find('\'')?;
        if !text[end + 1..].starts_with('\'') {
            return (!text[..end].contains('[')).then(|| (text[..=end].to_owned(), &text[end + 1..]));
        }
        from = end + 2;
    }
}

fn word(plan: &Plan, word: &str) -> Option<String> {
    match word.to_ascii_uppercase().as_str() {
        known @ ("AND" | "OR" | "NOT" | "IS" | "NULL" | "IN" | "LIKE" | "BETWEEN") => Some(known.to_owned()),
        "LEN" => Some("length".to_owned()),
        _ => column(plan, word),
    }
}

/// A column as a number or text that compares as SQL Server's value does.
fn column(plan: &Plan, name: &str) -> Option<String> {
    let column = plan.column(name)?;
    let name = column_name(column);
    match column.sql_type {
        SqlType::Bit => Some(format!("({name} = 'true')")),
        SqlType::Decimal { .. }
        | SqlType::Numeric { .. }
        | SqlType::Money
        | SqlType::SmallMoney
        | SqlType::Real
        | SqlType::Float => Some(format!("CAST({name} AS NUMERIC)")),
        sql_type if sql_type.is_integer() || sql_type.is_text() => Some(name),
        // IS NULL is all that a date can be asked; its literals are written in many ways.
        _ => None,
    }
}
