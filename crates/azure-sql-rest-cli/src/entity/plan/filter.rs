//! A filter of a list: a column, and how its values are compared with a query parameter.

use anyhow::{Error, bail, ensure};
use serde::{Deserialize, Serialize};

/// A filter as `entities/<name>.toml` writes it: `Status`, `Status:in`, `CustomerName:prefix` or `CreatedAt:range`. With a name of the
/// query parameter in front: `name=CustomerName:prefix`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Filter {
    /// The query parameter, where it is not called after the column.
    pub(super) name: Option<String>,
    pub(crate) column: String,
    pub(super) by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Value,
    In,
    Prefix,
    Range,
}

impl TryFrom<String> for Filter {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        let (name, rest) = text.split_once('=').map_or((None, &*text), |(name, rest)| (Some(name.to_owned()), rest));
        let (column, by) = match rest.rsplit_once(':') {
            None => (rest, By::Value),
            Some((column, "in")) => (column, By::In),
            Some((column, "prefix")) => (column, By::Prefix),
            Some((column, "range")) => (column, By::Range),
            Some((_, other)) => bail!("the filter {text:?} is by {other:?}: in, prefix or range"),
        };
        ensure!(!column.is_empty() && name.as_deref() != Some(""), "the filter {text:?} has an empty name");
        Ok(Self { name, column: column.to_owned(), by })
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        let name = filter.name.map(|name| name + "=").unwrap_or_default();
        let by = match filter.by {
            By::Value => "",
            By::In => ":in",
            By::Prefix => ":prefix",
            By::Range => ":range",
        };
        [&name, &*filter.column, by].concat()
    }
}
