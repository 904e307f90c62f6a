//! The `entities` of `dab/dab-config.json`: each procedure that a route calls, for role `anonymous`, over REST alone. The
//! rest of the file is written by hand.

use std::path::Path;

use anyhow::Result;
use azure_sql_rest::route::{Action, Call, READY, Route};
use http::Method;
use serde_json::{Map, Value, json};

/// The whole file.
pub(super) fn config(root: &Path, routes: &[Route]) -> Result<Value> {
    let mut config = super::read(&root.join("dab/dab-config.json"))?;
    let mut entities = Map::new();
    for route in routes {
        let call = match &route.action {
            Action::Call(call) => call,
            Action::Ready => &READY,
            Action::Alive | Action::OpenApi | Action::Page(_) => continue,
        };
        let line = format!("{} {}: {}", route.method, route.path, route.doc[0].trim());
        match entities.get_mut(call.procedure) {
            None => drop(entities.insert(call.procedure.to_owned(), entity(route, call, line))),
            Some(entity) => {
                entity["description"] = json!(format!("{}; {line}", entity["description"].as_str().unwrap_or_default()))
            }
        }
    }
    config["entities"] = entities.into();
    Ok(config)
}

fn entity(route: &Route, call: &Call, description: String) -> Value {
    let method = if route.method == Method::GET { "get" } else { "post" };
    let parameters = super::parameters(&route.method, call).into_iter();
    let parameters: Vec<_> = parameters.map(|(name, required)| json!({"name": name, "required": required})).collect();
    let mut source = json!({"type": "stored-procedure", "object": format!("web.{}", call.procedure)});
    if !parameters.is_empty() {
        source["parameters"] = parameters.into();
    }
    json!({
        "description": description,
        "source": source,
        "rest": {"enabled": true, "path": call.procedure, "methods": [method]},
        "graphql": {"enabled": false},
        "mcp": false,
        "permissions": [{"role": "anonymous", "actions": [{"action": "execute"}]}]
    })
}
