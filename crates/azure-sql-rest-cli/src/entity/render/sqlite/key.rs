//! The key of a row: its parameters, its conditions, and the text that stands for it.

use super::super::super::plan::{Column, KeySource, Plan};
use super::super::text::{listed, quoted};
use super::super::{CURSOR, key_parameters, row_id};
use super::names::{column_name, is_counted, table_name};
use super::values::{default, given, in_json, member};

/// Something for each column of the key and its parameter, separated by this.
fn each(plan: &Plan, between: &str, text: impl Fn(&Column, &str) -> String) -> String {
    parts(plan).map(|(column, parameter)| text(column, &parameter)).collect::<Vec<_>>().join(between)
}

/// The type of a parameter for a column of the key.
fn parameter_type(column: &Column) -> String {
    super::super::tsql::parameter(column.sql_type)
}

/// The declaration of the parameters: `@OrderID INT, @ProductID INT`.
pub(super) fn declared(plan: &Plan) -> String {
    each(plan, ", ", |column, parameter| format!("@{parameter} {}", parameter_type(column)))
}

/// The condition that a row has the key of the parameters.
pub(super) fn is_key(plan: &Plan) -> String {
    each(plan, " AND ", |column, parameter| format!("{} = :{parameter}", column_name(column)))
}

/// The columns of the key with their parameters.
pub(super) fn parts(plan: &Plan) -> impl Iterator<Item = (&Column, String)> {
    plan.key_columns().into_iter().zip(key_parameters(plan))
}

/// The condition that a row has the key of `:RowID`.
pub(super) fn is_row(plan: &Plan) -> String {
    let keys = plan.key_columns();
    match keys.as_slice() {
        [key] => format!("{} = :RowID", column_name(key)),
        several => {
            let part = |(at, key): (usize, &&Column)| format!("{} = {}", column_name(key), part_of(":RowID", at, key));
            several.iter().enumerate().map(part).collect::<Vec<_>>().join(" AND ")
        }
    }
}

/// The columns of the key.
pub(super) fn columns(plan: &Plan) -> String {
    plan.key_columns().into_iter().map(column_name).collect::<Vec<_>>().join(", ")
}

/// The key as people read it, from the parameters: arguments of `concat`.
pub(super) fn for_people(plan: &Plan) -> String {
    each(plan, ", ', ', ", |_, parameter| format!(":{parameter}"))
}

/// The text of the key of a row in the table.
pub(super) fn text(plan: &Plan) -> String {
    let keys = plan.key_columns();
    match keys.as_slice() {
        [key] => column_name(key),
        several => {
            let part = |key: &&Column| match key.sql_type.is_text() {
                true => format!("key_text({})", column_name(key)),
                false => column_name(key),
            };
            format!("concat({})", several.iter().map(part).collect::<Vec<_>>().join(", '/', "))
        }
    }
}

/// A part of the text of a key of several columns; NULL where it is no such text.
pub(super) fn part_of(text: &str, at: usize, key: &Column) -> String {
    format!("key_part({text}, {}, {})", at + 1, quoted(&parameter_type(key)))
}

/// Sets `:RowID` to the key of the row that the parameters name, or to what they say where there is none.
pub(super) fn find(plan: &Plan) -> String {
    let table = table_name(&plan.table);
    let asked = match plan.has_parts() {
        false => each(plan, "", |_, parameter| format!(":{parameter}")),
        true => format!("concat({})", each(plan, ", '/', ", |_, parameter| format!("key_text(:{parameter})"))),
    };
    format!("SELECT ifnull((SELECT {} FROM {table} WHERE {}), {asked}) AS RowID;", text(plan), is_key(plan))
}

/// The members of a row that are its key, from `:RowID`: arguments of `json_object`.
pub(super) fn shown(plan: &Plan) -> String {
    let keys = plan.key_columns();
    match keys.as_slice() {
        [key] => format!("{}, {}", quoted(key.path()), in_json(plan, key, ":RowID".to_owned())),
        several => {
            let part = |(at, key): (usize, &&Column)| {
                format!("{}, {}", quoted(key.path()), in_json(plan, key, part_of(":RowID", at, key)))
            };
            several.iter().enumerate().map(part).collect::<Vec<_>>().join(", ")
        }
    }
}

/// The variable with a new row's value for this column of the key.
pub(super) fn variable_of_new_row(plan: &Plan, column: &Column) -> Option<String> {
    let at = plan.key.iter().position(|key| key.column.eq_ignore_ascii_case(&column.name))?;
    Some(if plan.has_parts() { format!(":RowKey{}", at + 1) } else { ":RowID".to_owned() })
}

/// The statement that sets these variables.
pub(super) fn of_new_row(plan: &Plan) -> String {
    let sequence = quoted(&format!("{}_{}", plan.table.schema, plan.table.name));
    let value = |(at, column): (usize, &Column)| {
        let key = match plan.key_of(&column.name).map(|key| key.from) {
            Some(KeySource::Client) if column.default.is_some() && plan.has_parts() => {
                format!("iif({} IS NULL, {}, {})", member(column), default(plan, column), given(plan, column))
            }
            Some(KeySource::Client) => given(plan, column),
            Some(KeySource::Default) => "newid()".to_owned(),
            _ => format!("ifnull((SELECT seq FROM sqlite_sequence WHERE name = {sequence}), 0) + 1"),
        };
        let name = if plan.has_parts() { format!("RowKey{}", at + 1) } else { "RowID".to_owned() };
        format!("{key} AS {name}")
    };
    let values: Vec<_> = plan.key_columns().into_iter().enumerate().map(value).collect();
    match values.as_slice() {
        [value] => format!("SELECT {value};"),
        several => format!("SELECT\n{};", listed(several, "    ")),
    }
}

/// The result column with the key of a new row.
pub(super) fn created(plan: &Plan) -> String {
    row_id(plan)
}

/// The definition of a column of the key, behind its name and type.
pub(super) fn definition(plan: &Plan, column: &Column) -> Option<&'static str> {
    let key = plan.key_of(&column.name)?;
    Some(match (is_counted(key), plan.has_parts()) {
        // SQLite counts only what is a primary key by itself. The others of a key are unique with it.
        (true, _) => " PRIMARY KEY AUTOINCREMENT",
        (false, false) => " NOT NULL PRIMARY KEY",
        (false, true) => " NOT NULL",
    })
}

/// How a list goes on behind a cursor.
pub(super) struct Keyset {
    /// The type of `@After`.
    pub(super) sql_type: String,
    /// The parameter for the order.
    pub(super) sort: String,
    /// The statements that read `@After` and refuse one that is none.
    pub(super) check: String,
    /// The query of the rows of the page, and one more if the key is no cursor by itself.
    pub(super) rows: String,
    /// The order of these rows.
    pub(super) order: String,
    /// The cursor of a row.
    pub(super) cursor: String,
}

impl Keyset {
    /// The list by key. `filters` are conditions that rows must fulfil.
    pub(super) fn by_key(plan: &Plan, filters: &[String]) -> Self {
        let (keys, order) = (plan.key_columns(), columns(plan));
        let rows = |is_behind: String, limit: &str| {
            let is_behind = if filters.is_empty() { is_behind } else { format!("({is_behind})") };
            rows(plan, "", &[&[is_behind], filters].concat(), &order, limit)
        };
        let (sql_type, check, rows) = match keys.as_slice() {
            [key] => (
                parameter_type(key),
                String::new(),
                rows(format!(":After IS NULL OR {} > :After", column_name(key)), ":Limit"),
            ),
            several => {
                let parts: Vec<_> = several.iter().enumerate().map(|(at, key)| part_of(":After", at, key)).collect();
                let is_null = parts.iter().map(|part| format!("{part} IS NULL")).collect::<Vec<_>>().join(" OR ");
                let is_bad = format!("{is_null} OR key_part(:After, {}, '') IS NOT NULL", several.len() + 1);
                (
                    format!("NVARCHAR({CURSOR})"),
                    bad_cursor(&is_bad),
                    rows(format!(":After IS NULL OR ({order}) > ({})", parts.join(", ")), ":Limit + 1"),
                )
            }
        };
        Self { sql_type, sort: String::new(), check, rows, cursor: text(plan), order }
    }
}

/// The statement that refuses a cursor that fulfils this condition.
pub(super) fn bad_cursor(is_bad: &str) -> String {
    format!(
        "SELECT 400 AS Status, json_object('detail', {}) AS Json\nWHERE :After IS NOT NULL AND ({is_bad});\n\n",
        quoted(super::super::BAD_CURSOR)
    )
}

/// The rows of the table that fulfil conditions, in an order, at most so many.
pub(super) fn rows(plan: &Plan, indent: &str, conditions: &[String], order: &str, limit: &str) -> String {
    format!(
        "{indent}    SELECT *
{indent}    FROM {}
{indent}    WHERE {}
{indent}    ORDER BY {order}
{indent}    LIMIT {limit}",
        table_name(&plan.table),
        conditions.join(&format!("\n{indent}        AND "))
    )
}
