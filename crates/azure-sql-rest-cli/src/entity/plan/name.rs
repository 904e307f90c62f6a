//! The name of a table or sequence.

use std::fmt;
use std::str::FromStr;

use anyhow::{Error, bail, ensure};
use serde::{Deserialize, Serialize};

/// How many UTF-16 code units SQL Server's names have at most.
const MAX_LENGTH: usize = 128;

/// The name of a table, sequence or type: its schema and its own, without brackets. In text it is `Sales.Customers`, or
/// `[dbo].[Order Details]` where a part is not made of ASCII letters, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct TableName {
    pub(crate) schema: String,
    pub(crate) name: String,
}

impl TableName {
    pub(crate) fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// The name as T-SQL writes it, both parts in brackets: `[Sales].[Customers]`.
    pub(crate) fn quoted(&self) -> String {
        format!("{}.{}", bracketed(&self.schema), bracketed(&self.name))
    }

    /// True if both name one object in a database that does not tell case apart.
    pub(crate) fn is(&self, other: &Self) -> bool {
        folded(&self.schema) == folded(&other.schema) && folded(&self.name) == folded(&other.name)
    }
}

/// A name in brackets, as T-SQL writes any name: `[Order Details]`. SQLite reads it as well unless the name has a `]`.
pub(crate) fn bracketed(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

fn folded(name: &str) -> String {
    name.to_lowercase()
}

impl fmt::Display for TableName {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let is_plain = |part: &String| {
            part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && part.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
        };
        match is_plain(&self.schema) && is_plain(&self.name) {
            true => write!(formatter, "{}.{}", self.schema, self.name),
            false => write!(formatter, "{}", self.quoted()),
        }
    }
}

impl FromStr for TableName {
    type Err = Error;

    /// Reads `Customers`, which is in `dbo`, `Sales.Customers`, `[dbo].[Order Details]` and `"dbo"."Order Details"`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = Vec::new();
        let mut rest = text.trim();
        loop {
            let (part, after) = part(rest, text)?;
            let length = part.encode_utf16().count();
            ensure!(
                (1..=MAX_LENGTH).contains(&length) && !part.contains('\0'),
                "{text:?} is no name of a table: a part has {length} characters"
            );
            parts.push(part);
            rest = after.trim_start();
            if rest.is_empty() {
                break;
            }
            let Some(after) = rest.strip_prefix('.') else {
                bail!("{text:?} is no name of a table: {rest:?} follows; names with blanks or dots stand in brackets")
            };
            rest = after.trim_start();
        }
        match parts.as_slice() {
            [name] => Ok(Self::new("dbo", name)),
            [schema, name] => Ok(Self::new(schema, name)),
            _ => bail!("{text:?} is no name of a table: give it as Schema.Table, without server or database"),
        }
    }
}

/// The first part of a name, and the rest of the text.
fn part<'t>(rest: &'t str, text: &str) -> Result<(String, &'t str), Error> {
    let close = match rest.chars().next() {
        Some('[') => ']',
        Some('"') => '"',
        _ => {
            let is_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '@' | '#' | '$');
            let end = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
            ensure!(
                end > 0 && !rest.starts_with(|first: char| first.is_numeric() || matches!(first, '@' | '#' | '$')),
                "{text:?} is no name of a table: give it as Schema.Table"
            );
            return Ok((rest[..end].to_owned(), &rest[end..]));
        }
    };
    let mut name = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == close {
            match characters.next_if(|(_, next)| *next == close) {
                Some(_) => name.push(close),
                None => return Ok((name, &rest[at + close.len_utf8()..])),
            }
        } else {
            name.push(character);
        }
    }
    bail!("{text:?} is no name of a table: a {close} is missing")
}

impl TryFrom<String> for TableName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<TableName> for String {
    fn from(name: TableName) -> Self {
        name.to_string()
    }
}
