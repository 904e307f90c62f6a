//! A list with several orders: its cursors, and the ranges of rows behind one.
//!
//! A cursor is the text of the key (`ops.key_text`) with two more parts: the value of `sort`, and the row's value in this order. A row
//! with NULL has no last part. Without `sort`, the cursor is only the key, as in a list with one order.

use super::super::super::plan::order::{Order, Range};
use super::super::super::plan::{Column, Plan};
use super::super::text::{literal, name, qualified};
use super::super::{cursor_variable, unknown_sort};
use super::key::{self, Keyset, behind, next_of};
use super::types;

impl Keyset {
    /// The list with the orders of the plan. `selected` are its columns of the table `c`, and `filters` what rows must fulfil.
    pub(super) fn by_sort(plan: &Plan, selected: &str, filters: &[String]) -> Self {
        let (values, length) = plan.sort_values();
        let wheres = match filters {
            [] => String::new(),
            filters => format!("\n            WHERE {}", filters.join("\n                AND ")),
        };
        let literals: Vec<_> = values.iter().map(|value| literal(value)).collect();
        let is_unknown = format!(
            "IIF(@Sort COLLATE Latin1_General_100_BIN2 NOT IN ({}), {}, NULL)",
            literals.join(", "),
            literal(&unknown_sort(plan))
        );
        let columns = plan.key_columns().into_iter().chain(plan.sorted());
        let columns: Vec<_> = columns.map(|column| format!("r.{}", name(&column.name))).collect();
        Self {
            sql_type: format!("NVARCHAR({})", super::super::CURSOR),
            parts: parts(plan),
            problems: vec![is_unknown, problem(plan)],
            sort: format!(", @Sort NVARCHAR({length}) = NULL"),
            with: format!(
                "        WITH web_Listed AS (
            SELECT {selected}
            FROM {} AS c{wheres}
        )\n",
                qualified(&plan.table)
            ),
            rows: rows(plan),
            columns: columns.join(", "),
            order: "r.web_Part, r.web_Place".to_owned(),
            next: next_of(&cursor(plan)),
        }
    }
}

/// The statement that reads the cursor.
fn parts(plan: &Plan) -> String {
    let keys = plan.key_columns();
    let of_key = |(at, key): (usize, &&Column)| {
        let part = key::part_of("@After", at, key.sql_type);
        let part = if plan.is_text_key() { format!("IIF(@Sort IS NULL, @After, {part})") } else { part };
        format!("@{} {} = {part}", cursor_variable(plan, key), types::parameter(key.sql_type))
    };
    let of_value = |column: &&Column| {
        format!(
            "@{} {} = {}",
            cursor_variable(plan, column),
            types::of_cursor(column),
            types::from_cursor(column, "@Value")
        )
    };
    let mut statements = vec![keys.iter().enumerate().map(of_key).collect::<Vec<_>>().join(", ")];
    let sorted = plan.sorted();
    if !sorted.is_empty() {
        statements.push(format!("@Value NVARCHAR(4000) = ops.key_part(@After, {})", keys.len() + 2));
        statements.push(sorted.iter().map(of_value).collect::<Vec<_>>().join(", "));
    }
    statements.iter().map(|statement| format!("    DECLARE {statement};\n")).collect()
}

/// An expression for what is wrong with a cursor that no row has in this order.
fn problem(plan: &Plan) -> String {
    let keys = plan.key_columns();
    let mut faults: Vec<_> = keys.iter().map(|key| format!("@{} IS NULL", cursor_variable(plan, key))).collect();
    faults.push(format!("ops.key_part(@After, {}) IS DISTINCT FROM @Sort", keys.len() + 1));
    let last = keys.len() + if plan.sorted().is_empty() { 2 } else { 3 };
    faults.push(format!("ops.key_part(@After, {last}) IS NOT NULL"));
    let mut cases = String::new();
    for Order { query, column, .. } in plan.orders() {
        if plan.key_of(&column.name).is_none() {
            let variable = cursor_variable(plan, column);
            let has_none = if column.is_nullable { "@Value IS NOT NULL AND " } else { "" };
            cases +=
                &format!(" WHEN {} THEN IIF({has_none}@{variable} IS NULL, 1, 0)", literal(&query.unwrap_or_default()));
        }
    }
    if !cases.is_empty() {
        faults.push(format!("CASE @Sort{cases} ELSE IIF(@Value IS NULL, 0, 1) END = 1"));
    }
    let is_split = if plan.is_text_key() { "@Sort IS NOT NULL AND " } else { "" };
    format!(
        "IIF(@After IS NOT NULL AND {is_split}({}), {}, NULL)",
        faults.join(" OR "),
        literal(super::super::BAD_CURSOR)
    )
}

/// The cursor of a row of `p`.
fn cursor(plan: &Plan) -> String {
    let key = match plan.key_columns().as_slice() {
        // One collation for both: two make no value of MAX.
        [key] if key.sql_type.is_text() => format!(
            "IIF(@Sort IS NULL, CONVERT({}, p.{column}) COLLATE DATABASE_DEFAULT, ops.key_text(p.{column}))",
            types::parameter(key.sql_type),
            column = name(&key.name)
        ),
        _ => key::parts_of_text(plan, |_, key| format!("p.{}", name(&key.name))).join(", "),
    };
    let mut cases = String::new();
    for Order { query, column, .. } in plan.orders() {
        if plan.key_of(&column.name).is_none() {
            let value = types::to_cursor(column, &format!("p.{}", name(&column.name)));
            cases += &format!(" WHEN {} THEN {value}", literal(&query.unwrap_or_default()));
        }
    }
    let value = if cases.is_empty() { String::new() } else { format!(", CASE @Sort{cases} END") };
    // CONCAT_WS leaves NULL out.
    format!("CONCAT_WS(N'/', {key}, @Sort{value})")
}

/// The ranges of all orders. Only the ranges of one order have rows.
fn rows(plan: &Plan) -> String {
    let mut ranges = Vec::new();
    for order in plan.all_orders() {
        let is_asked = match &order.query {
            Some(query) => format!("@Sort = {}", literal(query)),
            None => "@Sort IS NULL".to_owned(),
        };
        for (at, range) in order.ranges().into_iter().enumerate() {
            let Some(is_in) = is_in(plan, &order, range) else { continue };
            let order_by = order_by(&order, range);
            ranges.push(format!(
                "SELECT s.* FROM (SELECT TOP (@Limit + 1) c.*, {at} AS web_Part, ROW_NUMBER() OVER (ORDER BY {order_by}) AS web_Place \
                 FROM web_Listed AS c WHERE {is_asked} AND {is_in} ORDER BY web_Place) AS s"
            ));
        }
    }
    format!(
        "                SELECT TOP (@Limit + 1) u.* FROM (
                    {}
                ) AS u ORDER BY u.web_Part, u.web_Place",
        ranges.join("\n                    UNION ALL ")
    )
}

fn order_by(order: &Order, range: Range) -> String {
    let direction = if order.is_descending { " DESC" } else { "" };
    let column = |column: &&Column| format!("c.{}{direction}", name(&column.name));
    order.columns(range).iter().map(column).collect::<Vec<_>>().join(", ")
}

/// The condition that a row is in a range of an order. `None` for all rows, because the rows behind a value are then all.
fn is_in(plan: &Plan, order: &Order, range: Range) -> Option<String> {
    let part =
        |column: &Column| (format!("c.{}", name(&column.name)), types::key(column, &cursor_variable(plan, column)));
    let ((column, value), variable) = (part(order.column), cursor_variable(plan, order.column));
    let operator = if order.is_descending { '<' } else { '>' };
    match range {
        Range::All => None,
        Range::Same => {
            let rest: Vec<_> = order.rest.iter().map(|column| part(column)).collect();
            let equals = if order.column.is_nullable { "IS NOT DISTINCT FROM" } else { "=" };
            let is_behind = behind(&rest, operator);
            let is_behind = if rest.len() > 1 { format!("({is_behind})") } else { is_behind };
            Some(format!("{column} {equals} {value} AND {is_behind}"))
        }
        Range::Behind => Some(format!("(@After IS NULL OR {column} {operator} {value})")),
        Range::Values => Some(format!("@After IS NOT NULL AND @{variable} IS NULL AND {column} IS NOT NULL")),
        Range::Nulls => Some(format!("@{variable} IS NOT NULL AND {column} IS NULL")),
    }
}
