//! An order of a list, as its owner writes it.

use anyhow::{Error, bail, ensure};
use serde::{Deserialize, Serialize};

/// An order as `entities/<name>.toml` writes it: `Name` or `CreatedAt desc`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Sort {
    pub(crate) column: String,
    pub(super) is_descending: bool,
}

impl TryFrom<String> for Sort {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        let (column, is_descending) = match text.trim().rsplit_once(' ') {
            None => (text.trim(), false),
            Some((column, direction)) if direction.eq_ignore_ascii_case("desc") => (column.trim(), true),
            Some((column, direction)) if direction.eq_ignore_ascii_case("asc") => (column.trim(), false),
            Some(_) => bail!("the order {text:?} is no column, or a column and desc"),
        };
        ensure!(!column.is_empty(), "the order {text:?} has no column");
        Ok(Self { column: column.to_owned(), is_descending })
    }
}

impl From<Sort> for String {
    fn from(sort: Sort) -> Self {
        sort.column + if sort.is_descending { " desc" } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, Error> {
        Sort::try_from(text.to_owned()).map(String::from)
    }

    #[test]
    fn an_order_is_a_column_and_a_direction() {
        for (text, written) in
            [("Name", "Name"), ("Name asc", "Name"), ("CreatedAt desc", "CreatedAt desc"), (" At  DESC ", "At desc")]
        {
            assert_eq!(read(text).unwrap(), written);
        }
        for text in ["", " ", "Name down", "desc desc desc x"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
