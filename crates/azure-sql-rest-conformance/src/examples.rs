//! The examples of a description, sent as they stand.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::client::Api;
use crate::description::{Description, operations};

/// Sends every example of the document to an API with fresh data, and compares the answers. Returns the path and method of each.
pub fn examples_hold(document: &Value, api: Api) -> BTreeSet<(String, String)> {
    let all = operations(document);
    let description = Description::new(document);
    let mut tried = BTreeSet::new();
    let mut exchanges = Vec::new();
    // The rows to read are there from the start. A row that was created can be changed, and then deleted.
    for method in ["get", "put", "post", "patch", "delete"] {
        for (path, _) in all.iter().filter(|(_, other)| other == method) {
            let operation = &document["paths"][path][method];
            let responses = operation["responses"].as_object().expect("responses").iter();
            let mut successes = responses.filter(|(status, _)| status.starts_with('2'));
            let (status, response) = successes.next().expect("a success");
            let Some(expected) = response["content"]["application/json"].get("example") else {
                continue;
            };
            let body = operation.pointer("/requestBody/content/application~1json/example");
            let exchange = (&operation["tags"], body.map_or(String::new(), Value::to_string), expected);
            let target = target(path, operation);
            // Two operations that do the same have the same example: the second is answered with the row of the first.
            let key = exchanges.iter().position(|known| *known == exchange);
            let key = key.unwrap_or(exchanges.len()).to_string();
            let headers = [("content-type", "application/json"), ("idempotency-key", &*key)];
            let mut ask = |method: &str, body: &str| {
                let name = method.to_uppercase().parse().expect("a method");
                let reply = api.send(name, &target, &headers, body.as_bytes());
                // Rows of another entity may refer to it.
                let is_referred = method == "delete" && reply.status == 409;
                assert!(is_referred || reply.status.to_string() == *status, "{method} {target}: {}", reply.text());
                description.check(path, method, &reply);
                tried.insert((path.clone(), method.to_owned()));
                reply
            };
            let reply = ask(method, &exchange.1);
            if reply.status != 409 {
                assert_eq!(reply.json(), *expected, "{method} {target}");
            }
            if method == "get" {
                ask("head", "");
            }
            exchanges.push(exchange);
        }
    }
    tried
}

/// A path with the examples of its parameters.
fn target(path: &str, operation: &Value) -> String {
    let (mut path, mut query) = (path.to_owned(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (Some(name), Some(example)) = (parameter["name"].as_str(), parameter.get("example")) else {
            continue;
        };
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{name}}}"), &encoded(example)),
            _ => query.push(format!("{name}={}", encoded(example))),
        }
    }
    path + if query.is_empty() { "" } else { "?" } + query.join("&").as_str()
}

/// A value in a path or a query.
fn encoded(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()
}
