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
    /// Name, type, default.
    parameters: Vec<tsql::Parameter>,
    /// The values of a parameter that the component lets through.
    ranges: Vec<(&'static str, i32, i32)>,
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
        let (sql_type, default) = match source {
            Source::PathId => ("INT", None),
            Source::Query { default, .. } => ("INT", Some(default.to_string())),
            Source::Body { .. } => ("NVARCHAR(MAX)", None),
            Source::RequestKey => ("NVARCHAR(255)", None),
            Source::IfMatch => ("NVARCHAR(4000)", Some("NULL".into())),
        };
        let (name, sql_type) = ((*name).into(), sql_type.into());
        tsql::Parameter {
            name,
            sql_type,
            default,
        }
    };
    let range = |(name, source): &(&'static str, Source)| match source {
        Source::Query { min, max, .. } => Some((*name, *min, *max)),
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
