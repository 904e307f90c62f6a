//! Makes the script of an entity ask the catalog, whenever it is applied, if the table is still as planned.

use super::super::plan::{Column, Key, Plan, Role, bracketed};
use super::text::{literal, qualified, wrapped};

/// The statements that compare the table with the plan. They stop the deployment with all that differs, and tell of rows that no path names.
pub(super) fn check(plan: &Plan) -> String {
    let table = literal(&qualified(&plan.table));
    let columns = plan.columns.iter().map(|column| member(plan, column)).collect::<Vec<_>>();
    let columns = format!("N'{{\n{}\n}}'", wrapped(&columns, "    ").replace('\'', "''"));
    let uniques = plan.uniques.iter().map(|unique| {
        let columns: Vec<_> = unique.columns.iter().map(|column| bracketed(column)).collect();
        serde_json::json!({"columns": columns.join(","), "filtered": u8::from(unique.filter.is_some())}).to_string()
    });
    let uniques = uniques.collect::<Vec<_>>();
    let uniques = format!("N'[\n{}\n]'", wrapped(&uniques, "    ").replace('\'', "''"));
    let check = format!("EXECUTE ops.check_table {table}, {columns}, {uniques};");
    let is_above = |key: &&Key| {
        let column = plan.column(&key.column);
        column.is_some_and(|column| column.sql_type.is_integer()) && !plan.counts_from_below(key)
    };
    match plan.key.iter().find(is_above) {
        Some(key) => format!(
            "{check}\nIF EXISTS (SELECT 1 FROM {} AS c WHERE c.{} < 1)\n    PRINT {};",
            qualified(&plan.table),
            bracketed(&key.column),
            literal(&format!(
                "Rows of {} with a key below 1 cannot be read or changed: no path names them.",
                plan.table
            ))
        ),
        None => check,
    }
}

/// A column as `ops.check_table` compares it, a member of JSON. What no procedure names may change: it is `null`.
fn member(plan: &Plan, column: &Column) -> String {
    let is_version = plan.version().column().is_some_and(|version| version.name == column.name);
    let name = serde_json::Value::from(column.name.clone());
    if column.role == Role::Hidden && !is_version {
        return format!("{name}: null");
    }
    let null = if column.is_nullable { " null" } else { "" };
    let collation = column.collation.as_ref().map_or(String::new(), |collation| format!(" collate {collation}"));
    let definition = serde_json::Value::from(format!("{}{null}{collation}", column.sql_type));
    format!("{name}: {definition}")
}
