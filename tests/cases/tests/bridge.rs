//! The cases against the local bridge.

use procedure_cases::{bridge::LocalBridge, entities, run::run, table};

#[tokio::test]
async fn the_azure_sql_rest_bridge_does_what_the_table_says() {
    let cases = table::all();
    let bridge = LocalBridge::start().await.expect("a bridge");
    if let Err(failures) = run(&bridge, &cases, |_| {}).await {
        panic!("{failures}");
    }
}

#[tokio::test]
async fn the_azure_sql_rest_bridge_does_for_every_entity_what_all_have_in_common() {
    let bridge = LocalBridge::start().await.expect("a bridge");
    let count = entities::run(&bridge, |_| {}).await;
    assert!(count.expect("every entity") >= 1);
}

#[test]
fn the_table_has_enough_cases_with_names_of_their_own() {
    let cases = table::all();
    let names: std::collections::HashSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len());
    assert!(cases.len() >= 60, "{}", cases.len());
}
