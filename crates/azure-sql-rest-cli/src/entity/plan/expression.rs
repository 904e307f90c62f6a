//! The value to which the database sets a column that clients do not send.

use std::fmt;
use std::str::FromStr;

use anyhow::{Error, bail};
use serde::{Deserialize, Serialize};

/// The value to which the database sets a column that clients do not send. In text: `now()`, `caller()`, `@Column`, or a
/// literal of T-SQL.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Expression {
    /// The time in UTC, as the column's type has it.
    Now,
    /// The name of the caller: of the API key, or issuer and subject of the token. NULL, or an empty text, without one.
    Caller,
    /// The value of another column of the same row: one that clients send, or the key.
    Column(String),
    /// A number: digits, with a sign and a point perhaps.
    Number(String),
    /// A text, without quotes.
    Text(String),
    /// Bytes: `0x` and an even number of hexadecimal digits.
    Binary(String),
    /// NULL
    Null,
}

impl Expression {
    /// Reads what the command line gives: as `from_str`, but any other text stands for itself.
    pub(crate) fn of_argument(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self::Text(text.to_owned()))
    }

    /// The literal of T-SQL; `None` for `Now`, `Caller` and `Column`.
    pub(crate) fn literal(&self) -> Option<String> {
        match self {
            Self::Now | Self::Caller | Self::Column(_) => None,
            Self::Number(number) => Some(number.clone()),
            Self::Text(text) => Some(format!("N'{}'", text.replace('\'', "''"))),
            Self::Binary(bytes) => Some(bytes.clone()),
            Self::Null => Some("NULL".to_owned()),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Now => formatter.write_str("now()"),
            Self::Caller => formatter.write_str("caller()"),
            Self::Column(name) => write!(formatter, "@{name}"),
            other => formatter.write_str(&other.literal().unwrap_or_default()),
        }
    }
}

impl FromStr for Expression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.eq_ignore_ascii_case("now()") {
            return Ok(Self::Now);
        }
        if text.eq_ignore_ascii_case("caller()") {
            return Ok(Self::Caller);
        }
        if text.eq_ignore_ascii_case("null") {
            return Ok(Self::Null);
        }
        if let Some(name) = text.strip_prefix('@').filter(|name| !name.is_empty()) {
            return Ok(Self::Column(name.to_owned()));
        }
        if let Some(digits) = text.strip_prefix("0x")
            && digits.len() % 2 == 0
            && digits.chars().all(|digit| digit.is_ascii_hexdigit())
        {
            return Ok(Self::Binary(text.to_owned()));
        }
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let is_number = digits.starts_with(|first: char| first.is_ascii_digit())
            && digits.matches('.').count() <= 1
            && !digits.ends_with('.')
            && digits.chars().all(|digit| digit.is_ascii_digit() || digit == '.');
        if is_number {
            return Ok(Self::Number(text.to_owned()));
        }
        let quoted = text.strip_prefix(['N', 'n']).unwrap_or(text);
        let inner = quoted.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        match inner {
            Some(inner) if !inner.replace("''", "").contains('\'') => Ok(Self::Text(inner.replace("''", "'"))),
            _ => bail!("{text:?} is no literal of T-SQL, no @Column, and neither now() nor caller()"),
        }
    }
}

impl TryFrom<String> for Expression {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.to_string()
    }
}
