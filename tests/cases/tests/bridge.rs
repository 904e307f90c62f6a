//! The cases against the local bridge.

use procedure_cases::{bridge::LocalBridge, run::run, table};

#[tokio::test]
async fn the_local_bridge_does_what_the_table_says() {
    let cases = table::all();
    let bridge = LocalBridge::start().await.expect("a bridge");
    if let Err(failures) = run(&bridge, &cases, |_| {}).await {
        panic!("{failures}");
    }
}

#[test]
fn the_table_has_enough_cases_with_names_of_their_own() {
    let cases = table::all();
    let names: std::collections::HashSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len());
    assert!(cases.len() >= 60, "{}", cases.len());
}
