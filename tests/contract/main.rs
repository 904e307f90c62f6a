//! Contract tests. The T-SQL in `sql/`, the component and the scripts of the local bridge must agree about procedures,
//! parameters and result columns. `dab/dab-config.json` and the two manifests must fit. Nothing here runs T-SQL; the
//! tests read it.

mod dab_config;
mod features;
mod manifests;
mod order;
mod packages;
mod procedures;
mod rules;
mod tsql;

use std::collections::BTreeMap;
use std::path::Path;

use azure_sql_rest::route::{Action, Kind, READY, Source};
use customer_api::ROUTES;
use http::Method;

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A call that the component makes, in the terms of `sql/`.
struct Call {
    /// The procedure, with its schema.
    procedure: String,
    /// True for a `POST`.
    writes: bool,
    /// In the form in which `sql/` declares them.
    parameters: Vec<String>,
    /// The values of parameters that the component lets through, as conditions.
    ranges: Vec<String>,
    /// The column for the id of a new row.
    id_column: Option<&'static str>,
    /// Its type.
    id_type: String,
    /// The type of `@After`.
    after: String,
}

/// Every call of the component: the only place here that reads its route table. Two routes may make the same call.
fn calls() -> Vec<Call> {
    let calls = ROUTES.iter().flat_map(|route| {
        let (call, many) = match &route.action {
            Action::Call(call) => (Some(call), call.many),
            Action::Ready => (Some(&READY), None),
            Action::Alive | Action::OpenApi | Action::Page(_) => (None, None),
        };
        [call, many].into_iter().flatten().map(move |call| (&route.method, route.path, call))
    });
    // Only a parameter with a default may be left out, and what the component sends in its place is that default.
    let parameter = |(name, source): &(&str, Source)| match source {
        Source::Path(kind) => format!("@{name} {}", sql_type(*kind)),
        Source::Query(_, kind, Some(default)) => format!("@{name} {} = {default}", sql_type(*kind)),
        Source::Query(_, kind, None) | Source::Page(kind) => format!("@{name} {} = NULL", sql_type(*kind)),
        Source::Body(_) => format!("@{name} NVARCHAR(MAX)"),
        Source::IfMatch => format!("@{name} NVARCHAR(4000) = NULL"),
        Source::IfNoneMatch => format!("@{name} INT = NULL"),
        Source::Caller => format!("@{name} NVARCHAR(255) = NULL"),
    };
    let range = |(name, source): &(&str, Source)| match source {
        Source::Query(_, Kind::Integer(min, max), _) => Some(format!("@{name} BETWEEN {min} AND {max}")),
        _ => None,
    };
    // A row that is created is read by its key.
    let key_type = |path: &str| {
        let mut arguments = ROUTES.iter().filter_map(|route| match &route.action {
            Action::Call(call) if route.path == path => Some(call.parameters),
            _ => None,
        });
        arguments.find_map(|arguments| match arguments.first() {
            Some((_, Source::Path(kind))) => Some(sql_type(*kind)),
            _ => None,
        })
    };
    let after = |(_, source): &(&str, Source)| match source {
        Source::Page(kind) => Some(sql_type(*kind)),
        _ => None,
    };
    let mut all = BTreeMap::new();
    for (method, path, call) in calls {
        let writes = *method != Method::GET;
        let key = writes.then(|| "@RequestKey NVARCHAR(4000)".to_owned());
        let call = Call {
            procedure: format!("web.{}", call.procedure),
            writes,
            parameters: call.parameters.iter().map(parameter).chain(key).collect(),
            ranges: call.parameters.iter().filter_map(range).collect(),
            id_column: call.creates.map(|creates| creates.column),
            id_type: match call.creates {
                // The text of a key of several columns.
                Some(creates) if creates.has_parts() => "NVARCHAR(4000)".to_owned(),
                creates => creates.and_then(|creates| key_type(creates.path)).unwrap_or_default(),
            },
            after: call.parameters.iter().find_map(after).unwrap_or_default(),
        };
        // A route to the rows of another row gives a filter of the list as a part of its path.
        let is_of_another = path.contains('{') && !path.ends_with('}');
        match is_of_another {
            true => drop(all.entry(call.procedure.clone()).or_insert(call)),
            false => drop(all.insert(call.procedure.clone(), call)),
        }
    }
    all.into_values().collect()
}

/// The type of the parameter that takes such a value.
fn sql_type(kind: Kind) -> String {
    match kind {
        Kind::Integer(_, max) if max > i32::MAX.into() => "BIGINT".to_owned(),
        Kind::Integer(..) => "INT".to_owned(),
        Kind::Text(max) => format!("NVARCHAR({max})"),
        Kind::Guid => "UNIQUEIDENTIFIER".to_owned(),
    }
}
