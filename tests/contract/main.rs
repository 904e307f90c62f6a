//! Contract tests: the T-SQL in `sql/`, `dab/dab-config.json`, the component and the local bridge say the same about
//! procedures, parameters, result columns and lengths, and so do the two manifests about the rest. Nothing here runs
//! T-SQL; the tests read it.

mod tsql;

mod columns;
mod dab_config;
mod lengths;
mod manifests;
mod rules;
mod signatures;

use std::path::Path;
use std::sync::LazyLock;

use customer_api::api::ROUTES;
use customer_api::route::{Call, Operation};
use local_bridge::procedures::Procedure;
use local_bridge::{Bridge, Config};
use tempfile::TempDir;

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every call that the component makes.
fn calls() -> Vec<&'static Call> {
    let operations = ROUTES.iter().flat_map(|route| route.operations);
    operations
        .filter_map(|(_, operation)| match operation {
            Operation::Call(call) | Operation::Ready(call) => Some(call),
            Operation::Alive | Operation::Document(_) => None,
        })
        .collect()
}

/// A call by the name of its procedure, with its schema.
fn call(procedure: &str) -> &'static Call {
    let found = calls().into_iter().find(|call| web(call.procedure) == procedure);
    found.unwrap_or_else(|| panic!("the component does not call {procedure}"))
}

/// The procedures of the local bridge, scripts included.
fn bridge_procedures() -> &'static [Procedure] {
    static PROCEDURES: LazyLock<Vec<Procedure>> = LazyLock::new(|| {
        let folder = TempDir::new().expect("a folder");
        let bridge = Bridge::open(Config {
            database: folder.path().join("bridge.db"),
            dab_config: root().join("dab/dab-config.json"),
            procedures: root().join("local/procedures"),
        });
        bridge.expect("a bridge").procedures().to_vec()
    });
    &PROCEDURES
}

/// A procedure of the local bridge.
fn bridge(procedure: &str) -> Procedure {
    let found = bridge_procedures().iter().find(|candidate| candidate.name == procedure);
    *found.unwrap_or_else(|| panic!("the local bridge has no {procedure}"))
}

/// The procedures of `sql/` that the API may call.
fn web_procedures() -> Vec<tsql::Routine> {
    tsql::procedures()
        .into_iter()
        .filter(|procedure| procedure.name.starts_with("web."))
        .collect()
}

/// A name in the schema that the API may call.
fn web(name: &str) -> String {
    format!("web.{name}")
}
