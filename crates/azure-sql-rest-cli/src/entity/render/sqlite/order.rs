//! A list with several orders: its cursors, and the ranges of rows behind one. `render/tsql/order.rs` says what a cursor is.

use super::super::super::plan::order::{Order, Range};
use super::super::super::plan::{Column, Plan};
use super::super::text::{listed, quoted};
use super::super::{CURSOR, cursor_variable, unknown_sort};
use super::key::{self, Keyset, bad_cursor};
use super::names::{column_name, local, table_name};
use super::values::{compared, problem_of};

impl Keyset {
    /// The list with the orders of the plan. `filters` are conditions that rows must fulfil.
    pub(super) fn by_sort(plan: &Plan, filters: &[String]) -> Self {
        let (values, length) = plan.sort_values();
        let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
        Self {
            sql_type: format!("NVARCHAR({CURSOR})"),
            sort: format!(", @Sort NVARCHAR({length}) = NULL"),
            check: format!(
                "SELECT 400 AS Status, json_object('detail', {}) AS Json\nWHERE :Sort NOT IN ({});\n\n{}\n\n{}",
                quoted(&unknown_sort(plan)),
                values.join(", "),
                parts(plan),
                bad_cursor(&problem(plan)),
            ),
            rows: rows(plan, filters),
            order: "web_Part, web_Place".to_owned(),
            cursor: cursor(plan),
        }
    }
}

/// The indexes that the orders need.
pub(super) fn indexes(plan: &Plan) -> Vec<String> {
    let mut indexes = Vec::new();
    // The key has its own.
    let is_first = |order: &&Order| plan.key.first().is_some_and(|key| plan.key_of(&order.column.name) == Some(key));
    for order in plan.orders().iter().filter(|order| !is_first(order)) {
        let name = local(&format!("IX_{}_{}_{}", plan.table.schema, plan.table.name, order.column.name));
        let ascending = Order { is_descending: false, query: None, rest: order.rest.clone(), ..*order };
        let index = format!(
            "CREATE INDEX IF NOT EXISTS {name} ON {} ({});",
            table_name(&plan.table),
            order_by(&ascending, Range::All)
        );
        if !indexes.contains(&index) {
            indexes.push(index);
        }
    }
    indexes
}

/// The statement that reads the cursor.
fn parts(plan: &Plan) -> String {
    let part = |(at, key): (usize, &Column)| {
        let part = key::part_of(":After", at, key);
        let part = if plan.is_text_key() { format!("iif(:Sort IS NULL, :After, {part})") } else { part };
        format!("{part} AS {}", cursor_variable(plan, key))
    };
    let mut parts: Vec<_> = plan.key_columns().into_iter().enumerate().map(part).collect();
    let nth = parts.len() + 2;
    parts.extend(
        plan.sorted().iter().map(|column| format!("key_part(:After, {nth}, '') AS {}", cursor_variable(plan, column))),
    );
    format!("SELECT\n{};", listed(&parts, "    "))
}

/// The condition that no row has the cursor in this order.
fn problem(plan: &Plan) -> String {
    let keys = plan.key_columns();
    let mut faults: Vec<_> = keys.iter().map(|key| format!(":{} IS NULL", cursor_variable(plan, key))).collect();
    faults.push(format!("key_part(:After, {}, '') IS NOT :Sort", keys.len() + 1));
    faults.push(format!("key_part(:After, {}, '') IS NOT NULL", keys.len() + 3));
    let value = format!("key_part(:After, {}, '')", keys.len() + 2);
    let mut cases = String::new();
    for Order { query, column, .. } in plan.orders() {
        if plan.key_of(&column.name).is_none() {
            let variable = format!(":{}", cursor_variable(plan, column));
            let is_absent = if column.is_nullable { String::new() } else { format!("{variable} IS NULL OR ") };
            let is_wrong = match column.sql_type.is_text() {
                true => "FALSE".to_owned(),
                false => format!("{variable} IS NOT NULL AND {} IS NOT NULL", problem_of(plan, column, &variable)),
            };
            cases += &format!(" WHEN {} THEN {is_absent}{is_wrong}", quoted(&query.unwrap_or_default()));
        }
    }
    faults.push(match cases.is_empty() {
        true => format!("{value} IS NOT NULL"),
        false => format!("CASE :Sort{cases} ELSE {value} IS NOT NULL END"),
    });
    let faults = faults.join("\n    OR ");
    if plan.is_text_key() { format!(":Sort IS NOT NULL AND ({faults})") } else { faults }
}

/// The cursor of a row.
fn cursor(plan: &Plan) -> String {
    let mut cases = String::new();
    for Order { query, column, .. } in plan.orders() {
        if plan.key_of(&column.name).is_none() {
            cases += &format!(" WHEN {} THEN key_text({})", quoted(&query.unwrap_or_default()), column_name(column));
        }
    }
    let value = if cases.is_empty() { String::new() } else { format!(", CASE :Sort{cases} END") };
    let key = match plan.key_columns().as_slice() {
        [key] if key.sql_type.is_text() => format!("iif(:Sort IS NULL, {0}, key_text({0}))", column_name(key)),
        _ => key::text(plan),
    };
    // concat_ws leaves NULL out.
    format!("concat_ws('/', {key}, :Sort{value})")
}

/// The ranges of all orders. Only the ranges of one order have rows.
fn rows(plan: &Plan, filters: &[String]) -> String {
    let mut ranges = Vec::new();
    for order in plan.all_orders() {
        let is_asked =
            order.query.as_ref().map_or(":Sort IS NULL".to_owned(), |query| format!(":Sort = {}", quoted(query)));
        for (at, range) in order.ranges().into_iter().enumerate() {
            let order_by = order_by(&order, range);
            let conditions = [&[is_asked.clone(), is_in(plan, &order, range)], filters].concat();
            ranges.push(format!(
                "        SELECT *, {} AS web_Part, row_number() OVER (ORDER BY {order_by}) AS web_Place
        FROM (
{}
        )",
                at + 1,
                key::rows(plan, "        ", &conditions, &order_by, ":Limit + 1"),
            ));
        }
    }
    ranges.join("\n        UNION ALL\n")
}

fn order_by(order: &Order, range: Range) -> String {
    let direction = if order.is_descending { " DESC" } else { "" };
    let column = |column: &&Column| format!("{}{direction}", compared(column, &column_name(column)));
    order.columns(range).iter().map(column).collect::<Vec<_>>().join(", ")
}

/// The condition that a row is in a range of an order.
fn is_in(plan: &Plan, order: &Order, range: Range) -> String {
    let variable = |column: &Column| format!(":{}", cursor_variable(plan, column));
    let column = compared(order.column, &column_name(order.column));
    let value = compared(order.column, &variable(order.column));
    let operator = if order.is_descending { '<' } else { '>' };
    match range {
        Range::All => ":After IS NULL".to_owned(),
        Range::Same => {
            let rest: Vec<_> = order.rest.iter().map(|column| column_name(column)).collect();
            let after: Vec<_> = order.rest.iter().map(|column| variable(column)).collect();
            format!("{column} IS {value} AND ({}) {operator} ({})", rest.join(", "), after.join(", "))
        }
        Range::Behind => format!("{column} {operator} {value}"),
        Range::Values => format!(":After IS NOT NULL AND {value} IS NULL AND {column} IS NOT NULL"),
        Range::Nulls => format!("{value} IS NOT NULL AND {column} IS NULL"),
    }
}
