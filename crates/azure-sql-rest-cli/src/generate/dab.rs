//! The `entities` of `dab/dab-config.json`: each procedure that a route calls, for role `anonymous`, only over REST. The
//! rest of the file is written by hand.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use azure_sql_rest::route::{Action, Call, READY, REQUEST_KEY, Route, Source};
use http::Method;
use serde_json::{Map, Value, json};

/// The whole file.
pub(super) fn config(root: &Path, routes: &[Route]) -> Result<Value> {
    let mut config = read(&root.join("dab/dab-config.json"))?;
    let mut entities = Map::new();
    for route in routes {
        let call = match &route.action {
            Action::Call(call) => call,
            Action::Ready => &READY,
            Action::Alive | Action::OpenApi | Action::Page(_) => continue,
        };
        let line = format!("{} {}: {}", route.method, route.path, route.doc[0].trim());
        match entities.get_mut(call.procedure) {
            None => drop(entities.insert(call.procedure.to_owned(), entity(route, call, line.clone()))),
            Some(entity) => {
                entity["description"] =
                    json!(format!("{}; {line}", entity["description"].as_str().unwrap_or_default()));
                merge(&mut entity["source"], &parameters(&route.method, call));
            }
        }
        if let Some(many) = call.many {
            entities.insert(many.procedure.to_owned(), entity(route, many, format!("{line}, many at once")));
        }
    }
    config["entities"] = entities.into();
    Ok(config)
}

fn entity(route: &Route, call: &Call, description: String) -> Value {
    let method = if route.method == Method::GET { "get" } else { "post" };
    let parameters = parameters(&route.method, call).into_iter();
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

/// Adds the parameters of another route. A parameter that one of the routes leaves out is not required.
fn merge(source: &mut Value, others: &[(&str, bool)]) {
    let Some(known) = source["parameters"].as_array_mut() else { return };
    for parameter in &mut *known {
        let is_required = others.iter().any(|(name, is_required)| parameter["name"] == *name && *is_required);
        parameter["required"] = json!(is_required && parameter["required"] == true);
    }
    let new = others.iter().filter(|(name, _)| !known.iter().any(|parameter| parameter["name"] == *name));
    let new: Vec<_> = new.map(|(name, _)| json!({"name": name, "required": false})).collect();
    known.extend(new);
}

fn read(path: &Path) -> Result<Value> {
    let read = || anyhow::Ok(serde_json::from_str(&fs::read_to_string(path)?)?);
    read().with_context(|| format!("cannot use {}", path.display()))
}

/// The parameters of a call, `RequestKey` included, and whether each must be given.
fn parameters(method: &Method, call: &Call) -> Vec<(&'static str, bool)> {
    let given = call.parameters.iter().map(|(name, source)| {
        let required = matches!(source, Source::Path(_) | Source::Body(_));
        (*name, required)
    });
    let key = (method != Method::GET).then_some((REQUEST_KEY, true));
    given.chain(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_route_leaves_out_is_not_required() {
        let mut source =
            json!({"parameters": [{"name": "ByCustomerID", "required": true}, {"name": "Limit", "required": false}]});
        merge(&mut source, &[("Limit", false), ("After", true)]);
        let merged = ["ByCustomerID", "Limit", "After"].map(|name| json!({"name": name, "required": false}));
        assert_eq!(source["parameters"], json!(merged));
    }
}
