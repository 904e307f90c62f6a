//! The plan of an entity: what was told and decided about a table. Everything that is generated follows from the plan, and
//! `entities/<name>.toml` is its text.
//!
//! In reading order, after [`Plan`] and its parts here:
//! - `name` reads the name of a table, `sql_type` SQL Server's types, and `expression` the values that columns are set to;
//! - `key` says which columns name a row, and `row` what follows from that;
//! - `bigint` says how JSON has a BIGINT, and `caller` what stores the name of the caller;
//! - `filter` says how a list is filtered, `condition` has the conditions of a filter, `sort` how it is ordered, and `order` the
//!   orders that follow;
//! - `json` reads and writes JSON inside of the plan, and `text` the plan as TOML;
//! - `rule` reads CHECKs and defaults, and `schema` and `example` make the JSON Schema and the examples.

mod bigint;
mod caller;
mod column;
pub(crate) mod condition;
mod example;
mod expression;
mod filter;
mod json;
mod key;
mod name;
pub(crate) mod order;
mod row;
mod rule;
mod schema;
mod sort;
mod sql_type;
mod text;

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use bigint::BigInt;
use column::is_false;
pub(crate) use column::{Column, Filled, Identity, Role};
pub(crate) use expression::Expression;
pub(crate) use filter::Filter;
pub(crate) use key::{Key, KeySource};
pub(crate) use name::{TableName, bracketed};
pub(crate) use sort::Sort;
pub(crate) use sql_type::{Length, SqlType};

/// Has all that was told and decided about a table.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// The name of one row in paths and procedures: `color`. At most 28 lower-case letters, digits and underscores.
    pub(crate) name: String,
    /// The name of many rows in paths and procedures: `colors`.
    pub(crate) plural: String,
    /// The table in SQL Server.
    pub(crate) table: TableName,
    /// True for a view, which nothing here creates or writes to.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) view: bool,
    /// The script of T-SQL that is generated: `sql/40-color.sql`.
    pub(crate) script: String,
    /// The operations that clients can ask for.
    pub(crate) operations: Vec<Operation>,
    /// The column that names a row in paths, or several.
    #[serde(deserialize_with = "key::read", serialize_with = "key::write")]
    pub(crate) key: Vec<Key>,
    /// True if the member of a new column begins with a small letter.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) camel: bool,
    /// The form of a BIGINT in JSON.
    #[serde(default, skip_serializing_if = "BigInt::is_number")]
    pub(crate) bigint: BigInt,
    /// Rows in a page.
    #[serde(default)]
    pub(crate) limit: Limit,
    /// The columns that a list shows, in the order of `columns`; all that a row shows when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) listed: Vec<String>,
    /// The filters of a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) filter: Vec<Filter>,
    /// The orders of a list besides the order by key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sort: Vec<Sort>,
    /// True if a request may ask how many rows a list has.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) count: bool,
    /// Every column of the table, in its order.
    pub(crate) columns: Vec<Column>,
    /// The primary key (`is_primary`), unique constraints and unique indexes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) uniques: Vec<Unique>,
    /// Foreign keys of the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) references: Vec<Reference>,
    /// CHECK constraints of the table and its columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) checks: Vec<Check>,
    /// Names of triggers that fire after a change. An INSTEAD OF trigger is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) triggers: Vec<String>,
    /// The period, when the table is system-versioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) temporal: Option<Period>,
    /// Words of routes in `openapi.json`, a line of summary first, by operation or `post`. The generator makes up absent words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) docs: BTreeMap<String, Vec<String>>,
    /// Examples of requests and answers, by operation. The generator makes up absent examples.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) examples: BTreeMap<Operation, Example>,
    /// The statements that create the table where it does not exist, in this order, word for word. Empty: the table exists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ddl: Vec<Definition>,
    /// Where the table was read: the path of a file with its DDL, or `database`. Never a connection string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    /// SHA-256, in hexadecimal digits, of each file as it was generated, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) written: BTreeMap<String, String>,
    /// Examples of the rows to which columns refer, by column, from the plans of their tables.
    #[serde(skip)]
    pub(crate) referred: BTreeMap<String, Vec<serde_json::Value>>,
}

/// An operation on rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Operation {
    Get,
    List,
    Put,
    Patch,
    Replace,
    Delete,
}

impl Operation {
    /// All, in the order of procedures.
    pub(crate) const ALL: [Self; 6] = [Self::Get, Self::List, Self::Put, Self::Patch, Self::Replace, Self::Delete];
}

/// Rows in a page: without `limit` in a request, and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    pub(crate) default: u32,
    pub(crate) max: u32,
}

impl Default for Limit {
    fn default() -> Self {
        Self { default: 100, max: 1000 }
    }
}

/// A primary key, unique constraint or unique index.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unique {
    /// Its name; `None` when SQL Server made one up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<String>,
    /// The condition behind WHERE of a filtered index, word for word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) is_primary: bool,
}

impl Unique {
    /// True if it holds for every row that has values: it has no filter, or one that only leaves NULL out.
    pub(crate) fn holds_of_values(&self) -> bool {
        let leaves_null_out = |filter: &str| {
            let filter = filter.replace(['(', ')', '[', ']', '"'], " ").to_lowercase();
            filter.split(" and ").all(|part| {
                let name = part.trim().strip_suffix("is not null").map(str::trim);
                name.is_some_and(|name| self.columns.iter().any(|column| column.eq_ignore_ascii_case(name)))
            })
        };
        self.filter.as_deref().is_none_or(leaves_null_out)
    }
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reference {
    /// Its name; `None` when SQL Server made one up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<String>,
    /// The table that it refers to.
    pub(crate) table: TableName,
    /// Columns there, in the order of `columns`. Empty: its primary key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) referenced: Vec<String>,
    #[serde(default, skip_serializing_if = "Action::is_none")]
    pub(crate) on_delete: Action,
    #[serde(default, skip_serializing_if = "Action::is_none")]
    pub(crate) on_update: Action,
}

/// Happens to a row that refers to one that is deleted or gets another key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Action {
    #[default]
    #[serde(rename = "no action")]
    None,
    #[serde(rename = "cascade")]
    Cascade,
    #[serde(rename = "set null")]
    SetNull,
    #[serde(rename = "set default")]
    SetDefault,
}

impl Action {
    fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// The action as SQL says it, in both engines.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::None => "NO ACTION",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }
}

/// A CHECK.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    /// Its name; `None` when SQL Server made one up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The T-SQL between its parentheses, word for word.
    pub(crate) expression: String,
}

impl Check {
    /// True if it names this column.
    pub(crate) fn names(&self, column: &str) -> bool {
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        // Every second piece between apostrophes is a text.
        self.expression.split('\'').step_by(2).any(|code| {
            code.split(|character| !is_part(character)).any(|word| word.eq_ignore_ascii_case(column))
                || code.split(['[', ']', '"']).any(|name| name.eq_ignore_ascii_case(column))
        })
    }
}

/// The period of a system-versioned table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Period {
    /// The column GENERATED ALWAYS AS ROW START.
    pub(crate) start: String,
    /// The column GENERATED ALWAYS AS ROW END.
    pub(crate) end: String,
    /// The table with the old versions; `None` when SQL Server made one up, or SYSTEM_VERSIONING is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) history: Option<TableName>,
    /// HISTORY_RETENTION_PERIOD as T-SQL says it: `12 MONTHS`; `None` when old versions stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retention: Option<String>,
}

/// A request and its answer.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    /// Parameters of the path, an object.
    #[serde(default, with = "json", skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<Value>,
    /// Parameters of the query, an object.
    #[serde(default, with = "json", skip_serializing_if = "Option::is_none")]
    pub(crate) query: Option<Value>,
    /// The JSON that is sent.
    #[serde(default, with = "json", skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<Value>,
    /// The JSON that is answered.
    #[serde(default, with = "json", skip_serializing_if = "Option::is_none")]
    pub(crate) response: Option<Value>,
}

/// An object that is created where it does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    pub(crate) object: TableName,
    pub(crate) kind: ObjectKind,
    /// Statements that create it and what belongs to it, word for word, each with its semicolon.
    pub(crate) text: String,
}

/// The kind of an object, which says how its existence is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ObjectKind {
    /// `OBJECT_ID(N'…', N'U')`
    Table,
    /// `OBJECT_ID(N'…', N'SO')`
    Sequence,
    /// `TYPE_ID(N'…')`
    Type,
}

/// The parts from which a row's version is made.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::enum_variant_names, reason = "ROWVERSION is a name of SQL Server's")]
pub(crate) enum Version<'p> {
    /// The start of its period, and its text.
    Period(&'p Column),
    /// Its ROWVERSION.
    RowVersion(&'p Column),
    /// Only its text.
    Text,
}

impl<'p> Version<'p> {
    /// The column that it is made of.
    pub(crate) fn column(self) -> Option<&'p Column> {
        match self {
            Self::Period(column) | Self::RowVersion(column) => Some(column),
            Self::Text => None,
        }
    }
}

impl Plan {
    /// The column of this name, without regard to case.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        let exact = self.columns.iter().find(|column| column.name == name);
        exact.or_else(|| self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)))
    }

    /// True if clients can do this with rows.
    pub(crate) fn has(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// The columns that clients send, in the table's order; the key among them when clients give it.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.role == Role::Sent)
    }

    /// The columns that a patch can change.
    pub(crate) fn changed(&self) -> impl Iterator<Item = &Column> {
        self.sent().filter(|column| self.key_of(&column.name).is_none())
    }

    /// The columns that a row shows: the key first where it stands, and all that are sent or shown.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.is_shown())
    }

    /// The columns that a list shows.
    pub(crate) fn in_list(&self) -> impl Iterator<Item = &Column> {
        self.shown().filter(|column| self.listed.is_empty() || self.listed.contains(&column.name))
    }

    /// Finds the parts from which a row's version is made.
    pub(crate) fn version(&self) -> Version<'_> {
        let filled = |filled: &Filled| self.columns.iter().find(|column| column.filled == *filled);
        match (&self.temporal, filled(&Filled::RowStart), filled(&Filled::RowVersion)) {
            (Some(_), Some(start), _) => Version::Period(start),
            (_, _, Some(version)) => Version::RowVersion(version),
            _ => Version::Text,
        }
    }

    /// The procedure of schema `web` that does this.
    pub(crate) fn procedure(&self, operation: Operation) -> String {
        match operation {
            Operation::List => format!("get_{}", self.plural),
            Operation::Get => format!("get_{}", self.name),
            Operation::Put => format!("put_{}", self.name),
            Operation::Patch => format!("patch_{}", self.name),
            Operation::Replace => format!("replace_{}", self.name),
            Operation::Delete => format!("delete_{}", self.name),
        }
    }

    /// True if a row can be created or replaced at its path: clients give every part of its key.
    pub(crate) fn can_replace(&self) -> bool {
        let is_of_client = |key: &Key| key.from == KeySource::Client;
        self.has(Operation::Put) && self.has(Operation::Patch) && self.key.iter().all(is_of_client)
    }

    /// The procedure that creates many rows.
    pub(crate) fn procedure_of_rows(&self) -> String {
        format!("put_{}", self.plural)
    }
}

#[cfg(test)]
mod tests;
