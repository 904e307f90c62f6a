//! Names in SQLite.

use super::super::super::plan::{Column, Key, KeySource, Plan, TableName, Version};
use super::super::text::{is_plain, name as in_tsql};

/// A name in SQLite, between quotation marks where it is not plain or a reserved word.
pub(super) fn local(name: &str) -> String {
    match in_tsql(name) == name && is_plain(name) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// The name of a column in SQLite.
pub(super) fn column_name(column: &Column) -> String {
    local(&column.name)
}

/// The name of a table in SQLite: `Sales_Customers`.
pub(super) fn table_name(table: &TableName) -> String {
    local(&format!("{}_{}", table.schema, table.name))
}

/// The column that has a row's version: the start of its period, or one of the bridge's own for a ROWVERSION. `None` where the version is
/// only the text.
pub(super) fn version_column(plan: &Plan) -> Option<String> {
    match plan.version() {
        Version::Period(start) => Some(column_name(start)),
        Version::RowVersion(column) => Some(column_name(column)),
        Version::Text => None,
    }
}

/// True if SQLite counts this part of the key.
pub(super) fn is_counted(key: &Key) -> bool {
    matches!(key.from, KeySource::Identity | KeySource::Sequence)
}
