//! Translates the conditions of filtered indexes and CHECKs from T-SQL to SQLite.

use sqlparser::dialect::MsSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::super::super::plan::{Plan, SqlType};
use super::super::text::quoted;
use super::names::column_name;

/// The condition in SQLite; `None` for one that has more than columns, literals, comparisons and AND, OR, NOT, IN, LIKE, BETWEEN.
pub(super) fn condition(plan: &Plan, text: &str) -> Option<String> {
    use Token::{Comma, Eq, Gt, GtEq, LParen, Lt, LtEq, Minus, Mul, Neq, Number, Plus, RParen};
    let tokens = Tokenizer::new(&MsSqlDialect {}, text).tokenize().ok()?;
    let is_call =
        |at: usize| tokens[at + 1..].iter().find(|next| !matches!(next, Token::Whitespace(_))) == Some(&LParen);
    let translated = |(at, token): (usize, &Token)| match token {
        // A text with a class of LIKE has another meaning in SQLite.
        Token::SingleQuotedString(text) | Token::NationalStringLiteral(text) => {
            (!text.contains('[')).then(|| quoted(text))
        }
        Token::Word(word) => match (word.quote_style, word.value.to_ascii_uppercase().as_str()) {
            (None, known @ ("AND" | "OR" | "NOT" | "IS" | "NULL" | "IN" | "LIKE" | "BETWEEN")) => {
                Some(known.to_owned())
            }
            (None, "LEN") if is_call(at) => Some("length".to_owned()),
            (None | Some('['), _) => column(plan, &word.value),
            _ => None,
        },
        Token::Whitespace(_) => Some(" ".to_owned()),
        Number(..) | LParen | RParen | Comma | Eq | Neq | Lt | Gt | LtEq | GtEq | Plus | Minus | Mul => {
            Some(token.to_string())
        }
        _ => None,
    };
    tokens.iter().enumerate().map(translated).collect()
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
