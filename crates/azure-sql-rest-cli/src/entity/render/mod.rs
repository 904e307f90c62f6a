//! A [`Plan`] as SQL: T-SQL for SQL Server, and scripts for the local bridge on SQLite. The plan has decided everything; nothing is refused
//! here.
//!
//! In reading order: `text` writes lines and names, `tsql` the script of `sql/`, and `sqlite` the scripts of `sqlite/`. This file has what both
//! use.

mod check;
pub(crate) mod sqlite;
mod text;
pub(crate) mod tsql;

use super::plan::{Column, Key, Operation, Plan};

/// The columns in the order of a row's JSON object. `FOR JSON PATH` requires the members of an inner object next to each other.
fn members<'p>(columns: impl Iterator<Item = &'p Column>) -> Vec<&'p Column> {
    let columns: Vec<_> = columns.collect();
    let first = |column: &Column| columns.iter().position(|other| object(other) == object(column));
    let mut ordered: Vec<_> = columns.iter().copied().enumerate().collect();
    ordered.sort_by_key(|(at, column)| (object(column).and_then(|_| first(column)).unwrap_or(*at), *at));
    ordered.into_iter().map(|(_, column)| column).collect()
}

/// The inner object that a column is a member of: `Delivery` of `Delivery.PostalCode`.
fn object(column: &Column) -> Option<&str> {
    column.path().split_once('.').map(|(object, _)| object)
}

/// The entity's name for people: `special deal`.
fn label(plan: &Plan) -> String {
    plan.name.replace('_', " ")
}

/// The same with its article: `an order item`.
fn one(plan: &Plan) -> String {
    let label = label(plan);
    let article = if label.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {label}")
}

/// Tells people that a row with the values of these columns exists.
fn taken(plan: &Plan, columns: &[String]) -> String {
    let names: Vec<_> = columns.iter().map(|name| plan.column(name).map_or(name.as_str(), Column::called)).collect();
    format!("{} with this {} already exists.", text::capitalized(&one(plan)), names.join(" and "))
}

/// The fields among these columns that clients send, as the errors of an answer. `None` when clients send none of them.
fn errors(plan: &Plan, columns: &[String], message: &str) -> Option<String> {
    let sent = columns.iter().filter_map(|name| plan.sent().find(|column| column.name == *name));
    let errors: Vec<_> =
        sent.map(|column| serde_json::json!({"field": column.path(), "message": message}).to_string()).collect();
    (!errors.is_empty()).then(|| format!("[{}]", errors.join(",")))
}

/// The errors of an answer, where another row has the values of these columns.
fn taken_fields(plan: &Plan, columns: &[String]) -> Option<String> {
    errors(plan, columns, "is taken")
}

/// The columns of each foreign key whose value a client can give, with the errors of an answer where no row has the value.
fn references(plan: &Plan) -> Vec<(&[String], String)> {
    let mut found: Vec<(&[String], String)> = Vec::new();
    for reference in &plan.references {
        let columns = reference.columns.as_slice();
        let is_known = found.iter().any(|(known, _)| *known == columns);
        if let Some(errors) = errors(plan, columns, REFERS_TO_NONE).filter(|_| !is_known) {
            found.push((columns, errors));
        }
    }
    found
}

/// The fault of a field that refers to no row.
const REFERS_TO_NONE: &str = "refers to a row that does not exist";

/// Tells the same of the row.
const BROKEN_REFERENCE: &str = "A value refers to a row that does not exist.";

/// Tells why a row cannot be deleted or changed, when the table refuses it and no better reason is known.
const BROKEN_RULE: &str = "It refers to a row that does not exist, or breaks another rule of the table.";

/// The fault of a patch whose member for the key differs from the row's key.
const CHANGED_KEY: &str = "must be the key of the row, which cannot be changed";

/// The parameter of the procedure of an operation, behind the others, if it stores the name of the caller.
fn caller_parameter(plan: &Plan, operation: Operation) -> &'static str {
    if plan.takes_caller(operation) { ", @Caller NVARCHAR(255) = NULL" } else { "" }
}

/// Tells a caller that no column holds its name.
fn long_caller(most: u16) -> String {
    format!("The name of the caller has more than {most} characters.")
}

/// Names that a key's parameter cannot have, because procedures use them.
const RESERVED: [&str; 13] = [
    "Json",
    "RequestKey",
    "IfMatch",
    "After",
    "Limit",
    "Status",
    "ETag",
    "NextAfter",
    "Replayed",
    "Result",
    "Version",
    "Invalid",
    "Problem",
];

/// The parameters, without `@`, for the key of a row: the names of its columns, if they are plain ones that nothing else has. Names of variables
/// fold case, width and kana; a plain one has but case.
pub(crate) fn key_parameters(plan: &Plan) -> Vec<String> {
    let is_free = |name: &str| {
        let others = RESERVED.iter().chain(&["Current", "Referred", "RowID", "ErrorNumber", "Document"]);
        let others = others.chain(&["IfNoneMatch", "Caller", "Count", "Total", "Sent", "OtherKey", "IsThere"]);
        text::is_plain(name) && !others.into_iter().any(|other| other.eq_ignore_ascii_case(name))
    };
    // `RowKey1` and `After1` are of procedures for keys of several columns.
    let is_of_parts = |name: &str| {
        let name = name.trim_end_matches(|last: char| last.is_ascii_digit());
        ["RowKey", "After", "RowID"].iter().any(|other| other.eq_ignore_ascii_case(name))
    };
    let name = |(at, key): (usize, &Key)| match key.column.as_str() {
        name if is_free(name) && !(plan.has_parts() && is_of_parts(name)) => name.to_owned(),
        _ if plan.has_parts() => format!("RowKey{}", at + 1),
        _ => "RowKey".to_owned(),
    };
    plan.key.iter().enumerate().map(name).collect()
}

/// The result column, and the variable, by which the ledger knows a row: its key, or the text of a key of several columns.
pub(crate) fn row_id(plan: &Plan) -> String {
    match key_parameters(plan) {
        mut one if one.len() == 1 => one.remove(0),
        _ => "RowID".to_owned(),
    }
}

/// The variable, without `@`, for a column's value in the cursor of a list with several orders.
fn cursor_variable(plan: &Plan, column: &Column) -> String {
    let place = |columns: &[&Column]| columns.iter().position(|other| other.name == column.name).map(|at| at + 1);
    match place(&plan.key_columns()) {
        Some(place) => format!("After{place}"),
        None => format!("Value{}", place(&plan.sorted()).unwrap_or_default()),
    }
}

/// The parameter of a list's procedure that asks how many rows the list has.
const COUNT: &str = ", @Count NVARCHAR(5) = NULL";

/// Tells clients which orders there are.
fn unknown_sort(plan: &Plan) -> String {
    format!("sort must be one of {}.", plan.sort_values().0.join(", "))
}

/// Tells clients that a page begins nowhere.
const BAD_CURSOR: &str = "after is from no link of this list.";

/// The longest cursor of a list, which is the text of a key of several columns.
pub(crate) const CURSOR: u16 = 4000;

#[cfg(test)]
mod caller;
#[cfg(test)]
mod count;
#[cfg(test)]
mod json;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod million;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod tests;
