//! The suite of `azure-sql-rest test`, over the customers.

use azure_sql_rest_conformance::SHORT;

use crate::faulty::Faulty;

#[test]
fn every_entity_keeps_every_promise() {
    let entities = conform(&Faulty::start(&SHORT));
    assert!(!entities.is_empty());
}

/// Runs the suite over a stack with fresh data, and returns the names of the entities.
pub fn conform(stack: &Faulty) -> Vec<String> {
    let outcomes = azure_sql_rest_conformance::conform(stack.api, &stack.faults, |_| {});
    let failures = outcomes.iter().filter_map(|outcome| {
        outcome.failure.as_ref().map(|failure| format!("{}: {}: {failure}", outcome.entity, outcome.case))
    });
    let failures: Vec<_> = failures.collect();
    assert!(failures.is_empty(), "{} failed:\n\n{}\n", failures.len(), failures.join("\n\n"));
    let mut names: Vec<_> = outcomes.into_iter().map(|outcome| outcome.entity).collect();
    names.dedup();
    names
}
