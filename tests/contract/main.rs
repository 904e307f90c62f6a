//! Contract tests: the T-SQL in `sql/`, the component and the scripts of the local bridge say the same about procedures,
//! parameters, result columns and lengths; `dab/dab-config.json` and the two manifests say what they must. Nothing here
//! runs T-SQL; the tests read it.

mod dab_config;
mod fields;
mod manifests;
mod procedures;
mod rules;
mod tsql;

use std::path::Path;

use customer_api::api::ROUTES;
use customer_api::route::{Operation, Source};
use http::Method;

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A call that the component makes, in the terms of `sql/`.
struct Call {
    /// The procedure, with its schema.
    procedure: String,
    /// Whether it is a `POST`.
    writes: bool,
    /// As `sql/` declares them.
    parameters: Vec<String>,
    /// The values of parameters that the component lets through, as conditions.
    ranges: Vec<String>,
    /// The column for the id of a new row.
    id_column: Option<&'static str>,
}

/// Every call of the component: the only place here that reads its route table.
fn calls() -> Vec<Call> {
    let operations = ROUTES.iter().flat_map(|route| route.operations);
    let calls = operations.filter_map(|(_, operation)| match operation {
        Operation::Call(call) | Operation::Ready(call) => Some(call),
        Operation::Alive | Operation::Document(_) => None,
    });
    let parameter = |(name, source): &(&str, Source)| {
        // Only a parameter with a default may be left out, and what the component sends in its place is that default.
        let declaration = match source {
            Source::PathId => "INT".into(),
            Source::Query { default, .. } => format!("INT = {default}"),
            Source::Body { .. } => "NVARCHAR(MAX)".into(),
            Source::RequestKey => "NVARCHAR(255)".into(),
            Source::IfMatch => "NVARCHAR(4000) = NULL".into(),
        };
        format!("@{name} {declaration}")
    };
    let range = |(name, source): &(&str, Source)| match source {
        Source::Query { min, max, .. } if *max == i32::MAX => Some(format!("@{name} >= {min}")),
        Source::Query { min, max, .. } => Some(format!("@{name} BETWEEN {min} AND {max}")),
        _ => None,
    };
    let call = calls.map(|call| Call {
        procedure: format!("web.{}", call.procedure),
        writes: call.method == Method::POST,
        parameters: call.parameters.iter().map(parameter).collect(),
        ranges: call.parameters.iter().filter_map(range).collect(),
        id_column: call.created.as_ref().map(|created| created.id_column),
    });
    call.collect()
}
