//! The column by which a path names a row.

use anyhow::{Context, Result, bail, ensure};

use super::names::{is_plain, stripped};
use super::table::{Column, Filled, Table};
use super::types::ColumnType;

/// Names that procedures use for themselves.
pub(super) const VARIABLES: [&str; 18] = [
    "After",
    "Detail",
    "ETag",
    "ErrorNumber",
    "Errors",
    "FieldErrors",
    "IfMatch",
    "Invalid",
    "IsNew",
    "Json",
    "Limit",
    "NextAfter",
    "OwnTransaction",
    "Replayed",
    "RequestKey",
    "Result",
    "Status",
    "Version",
];

/// The key, and who gives a new row its own.
pub(super) struct Key<'t> {
    pub(super) column: &'t Column,
    pub(super) column_type: ColumnType,
    pub(super) from: From,
    pub(super) sequence: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Client,
    Identity,
    NewId,
    Sequence,
}

impl From {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Identity => "identity",
            Self::NewId => "newid",
            Self::Sequence => "sequence",
        }
    }
}

pub(super) fn key_of(table: &Table) -> Result<Key<'_>> {
    let full = format!("{}.{}", table.schema, table.name);
    let [name] = table.key.as_slice() else {
        match table.key.len() {
            0 => bail!("{full} has no primary key: a path needs one column that names a row"),
            _ => bail!(
                "the key of {full} has the columns {}: a path needs one column that names a row",
                table.key.join(", ")
            ),
        }
    };
    let column = table.columns.iter().find(|column| column.name == *name);
    let column =
        column.with_context(|| format!("the key of {full} names the column {name}, which it does not have"))?;
    let name = &column.name;
    ensure!(is_plain(name), "the key {name:?} is not made of letters, digits and underscores");
    ensure!(
        !VARIABLES.contains(&name.as_str()) && !["Document", "RowID"].contains(&name.as_str()),
        "the key {name} has a name that the procedures use for something else"
    );
    let column_type = column.sql_type.clone().ok().filter(ColumnType::can_be_key);
    let column_type = column_type.with_context(|| {
        let declared = match &column.sql_type { Ok(known) => &known.declared, Err(other) => other };
        format!("the key {name} is {declared}: it can be INT, BIGINT, UNIQUEIDENTIFIER, or VARCHAR or NVARCHAR of at most 450 characters")
    })?;
    let default = column.default.as_deref().map(stripped).unwrap_or_default();
    let lower = default.to_lowercase();
    let (from, sequence) = match (&column.filled, lower.strip_prefix("next value for ")) {
        (Filled::Identity, _) => (From::Identity, None),
        (Filled::ByInsert, Some(_)) if column_type.is_integer() => {
            (From::Sequence, Some(default["next value for ".len()..].trim().to_owned()))
        }
        (Filled::ByInsert, None) if ["newid()", "newsequentialid()"].contains(&lower.as_str()) => (From::NewId, None),
        (Filled::ByInsert, None) if lower.is_empty() => (From::Client, None),
        (Filled::ByInsert, _) => bail!("the key {name} has the default {default}, which is no sequence and no NEWID()"),
        _ => bail!("the key {name} is computed"),
    };
    Ok(Key { column, column_type, from, sequence })
}
