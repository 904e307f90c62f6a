//! Says which filters and orders of a list no index serves.

use std::collections::BTreeSet;

use super::plan::{Column, Plan, Unique};

/// Notes for the owner of a large table. A plan has only the unique indexes.
pub(super) fn absent(plan: &Plan) -> Vec<String> {
    let (conditions, orders) = (plan.conditions(), plan.orders());
    let note = |columns: Vec<&Column>, what: &str| {
        let scanned = columns.iter().map(|column| &*column.name).filter(|name| !has_index(plan, name));
        let scanned = Vec::from_iter(scanned.collect::<BTreeSet<_>>()).join(", ");
        (!scanned.is_empty()).then(|| {
            format!("no unique index begins with {scanned}: {what} of a large table needs an index of its own")
        })
    };
    let filters = note(conditions.iter().map(|condition| condition.column).collect(), "a filter");
    filters.into_iter().chain(note(orders.iter().map(|order| order.column).collect(), "an order")).collect()
}

fn has_index(plan: &Plan, column: &str) -> bool {
    let begins = |unique: &Unique| unique.columns.first().is_some_and(|first| first.eq_ignore_ascii_case(column));
    plan.uniques.iter().any(begins)
}
