//! The scripts of an entity for the local bridge: the table with its rules, its first rows, and the procedures. They are generated each time,
//! and a script of the same name in `sqlite/own` replaces one.

mod condition;
mod procedures;
mod schema;
mod values;

use super::super::plan::{Column, KeySource, Operation, Plan, TableName, Version};
use super::text::is_plain;

/// The scripts, each with its path in the project. `plans` are all entities of the project: a foreign key holds where the table that it
/// refers to is one of theirs.
pub(crate) fn sqlite(plan: &Plan, plans: &[&Plan]) -> Vec<(String, String)> {
    let name = &plan.name;
    let mut scripts = vec![
        (format!("sqlite/{name}.schema.sql"), schema::schema(plan, plans)),
        (format!("sqlite/{name}.rows.sql"), schema::rows(plan)),
    ];
    scripts.extend(plan.operations.iter().map(|operation| {
        let text = match operation {
            Operation::Get => procedures::get(plan),
            Operation::List => procedures::list(plan),
            Operation::Put => procedures::put(plan),
            Operation::Patch => procedures::patch(plan),
            Operation::Delete => procedures::delete(plan),
        };
        (format!("sqlite/web.{}.sql", plan.procedure(*operation)), text)
    }));
    scripts
}

/// A name in SQLite, between quotation marks where it is not plain or a reserved word.
fn local(name: &str) -> String {
    match super::text::name(name) == name && is_plain(name) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// The name of a column in SQLite.
fn column_name(column: &Column) -> String {
    local(&column.name)
}

/// The name of a table in SQLite: `Sales_Customers`.
fn table_name(table: &TableName) -> String {
    local(&format!("{}_{}", table.schema, table.name))
}

/// The column that has a row's version: the start of its period, or one of the bridge's own for a ROWVERSION. `None` where the text alone is
/// the version.
fn version_column(plan: &Plan) -> Option<String> {
    match plan.version() {
        Version::Period(start) => Some(column_name(start)),
        Version::RowVersion(column) => Some(column_name(column)),
        Version::Text => None,
    }
}

/// True if SQLite counts the keys.
fn is_counted(plan: &Plan) -> bool {
    matches!(plan.key.from, KeySource::Identity | KeySource::Sequence)
}
