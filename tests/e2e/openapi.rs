//! What `openapi.json` says of the answers is what the API answers. Its paths are made from the table of routes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Api, Reply, Stack, root};

/// The document, with every `$ref` to one of its components still in it.
fn document() -> Value {
    let text = std::fs::read_to_string(root().join("openapi.json")).expect("openapi.json");
    serde_json::from_str(&text).expect("JSON")
}

/// What `value` says, or what it refers to.
fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document
            .pointer(&reference[1..])
            .unwrap_or_else(|| panic!("{reference} is nowhere")),
        None => value,
    }
}

/// Path and method of every operation in the document.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let methods = paths.flat_map(|(path, item)| {
        item.as_object()
            .expect("operations")
            .keys()
            .map(move |method| (path, method))
    });
    methods
        .filter(|(_, method)| *method != "parameters")
        .map(|(path, method)| (path.clone(), method.clone()))
        .collect()
}

/// Checks an answer against what the document says about its status: content type, body and headers.
pub fn check(document: &Value, path: &str, method: &str, reply: &Reply) {
    let place = format!("{method} {path}: {}", reply.status);
    let responses = &document["paths"][path][method]["responses"];
    let response = responses
        .get(reply.status.to_string())
        .or_else(|| responses.get(format!("{}XX", reply.status / 100)))
        .unwrap_or_else(|| panic!("{place} is not described"));
    let response = resolve(document, response);
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let header = resolve(document, header);
        let value = reply.headers.get(name.to_lowercase());
        assert!(value.is_some() || header["required"] != true, "{place}: no {name}");
        if let (Some(value), "string") = (value, header["schema"]["type"].as_str().unwrap_or_default()) {
            valid(
                document,
                &header["schema"],
                &json!(value.to_str().expect("ASCII")),
                &place,
            );
        }
    }
    match response["content"].as_object() {
        None => assert!(reply.body.is_empty(), "{place}: a body that is not described"),
        Some(content) if method != "head" => {
            let media_type = &content[reply.header("content-type")];
            valid(document, &media_type["schema"], &reply.json(), &place);
        }
        Some(_) => assert!(reply.body.is_empty(), "{place}: HEAD with a body"),
    }
}

fn valid(document: &Value, schema: &Value, instance: &Value, place: &str) {
    // References of the schema lead to components of the document.
    let whole = json!({"components": document["components"], "allOf": [schema]});
    let validator = jsonschema::draft202012::new(&whole).expect("a schema");
    if let Err(error) = validator.validate(instance) {
        panic!("{place}: {error} at {}: {instance}", error.instance_path());
    }
}

#[test]
fn what_the_api_answers_is_what_it_says() {
    let document = document();
    let stack = Stack::start();
    let api = stack.api();
    let json = ("content-type", "application/json");
    let new = crate::customers::customer("Described").to_string();
    let mut seen = BTreeSet::new();
    let mut ask = |method: &str, path: &str, target: &str, headers: &[(&str, &str)], body: &str, status: u16| {
        let reply = api.send(
            method.to_uppercase().parse().expect("a method"),
            target,
            headers,
            body.as_bytes(),
        );
        assert_eq!(reply.status, status, "{method} {target}: {}", reply.text());
        check(&document, path, method, &reply);
        seen.insert((path.to_owned(), method.to_owned()));
        reply
    };
    let (collection, one, list) = ("/customer", "/customer/{id}", "/customers");
    let created = ask("put", collection, collection, &[json], &new, 201);
    let target = &created.location();
    ask("post", list, list, &[json], &new, 409);
    ask("post", list, list, &[json], &new.replace("Described", "Posted"), 201);
    ask("put", collection, collection, &[json], &new, 409);
    ask("put", collection, collection, &[json], "{}", 422);
    ask("put", collection, collection, &[json], "{", 400);
    ask(
        "put",
        collection,
        collection,
        &[("content-type", "text/plain")],
        "{}",
        415,
    );
    ask(
        "put",
        collection,
        collection,
        &[json],
        &format!("{{\"a\":\"{}\"}}", "x".repeat(65_536)),
        413,
    );
    ask("put", collection, collection, &[json, ("if-match", "*")], &new, 412);
    ask(
        "put",
        collection,
        collection,
        &[json, ("accept", "text/html")],
        &new,
        406,
    );
    for method in ["get", "head"] {
        let etag = ask(method, one, target, &[], "", 200).header("etag").to_owned();
        ask(method, one, target, &[("if-none-match", &etag)], "", 304);
        ask(method, one, target, &[("accept", "text/html")], "", 406);
        ask(method, one, "/customer/300", &[], "", 404);
        ask(method, one, "/customer/x", &[], "", 400);
        ask(method, list, "/customers?limit=5", &[], "", 200);
        ask(method, list, "/customers?after=2147483647", &[], "", 200);
        ask(method, list, "/customers?limit=0", &[], "", 400);
        ask(method, list, list, &[("accept", "text/html")], "", 406);
        for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/openapi.json", 200)] {
            ask(method, path, path, &[], "", status);
        }
    }
    let key = ("idempotency-key", "described");
    ask("patch", one, target, &[json, key], r#"{"PhoneNumber":"3"}"#, 202);
    let replayed = ask("patch", one, target, &[json, key], r#"{"PhoneNumber":"3"}"#, 202);
    assert_eq!(replayed.header("idempotency-replayed"), "true");
    ask("patch", one, target, &[json, key], r#"{"PhoneNumber":"4"}"#, 422);
    ask("patch", one, target, &[json], r#"{"PhoneNumber":null}"#, 422);
    ask("patch", one, target, &[json, ("if-match", "\"x\"")], "{}", 412);
    ask("patch", one, target, &[json], "[]", 400);
    ask("patch", one, "/customer/300", &[json], "{}", 404);
    ask("delete", one, "/customer/1", &[("if-match", "\"x\"")], "", 412);
    ask("delete", one, "/customer/123", &[], "", 409);
    ask("delete", one, "/customer/x", &[], "", 400);
    ask("delete", one, target, &[], "", 202);
    seen.extend(examples_hold(&document, Stack::start().api()));
    assert_eq!(seen, operations(&document), "every operation was tried");
}

#[test]
fn its_schemas_are_schemas() {
    schemas_hold(&document());
}

pub fn schemas_hold(document: &Value) {
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        let outcome = jsonschema::draft202012::meta::validate(schema);
        assert!(outcome.is_ok(), "{name}: {}", outcome.unwrap_err());
    }
}

/// Sends every example of the document to an API with fresh data, and compares the answers. Returns the path and method of each.
pub fn examples_hold(document: &Value, api: Api) -> BTreeSet<(String, String)> {
    let all = operations(document);
    let mut tried = BTreeSet::new();
    let mut exchanges = Vec::new();
    // What is read is there from the start; what is created can be changed, and then deleted.
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
            let exchange = (body.map_or(String::new(), Value::to_string), expected);
            let target = target(path, operation);
            // Two operations that do the same have the same example: the second is answered with the row of the first.
            let key = exchanges.iter().position(|known| *known == exchange);
            let key = key.unwrap_or(exchanges.len()).to_string();
            let headers = [("content-type", "application/json"), ("idempotency-key", &*key)];
            let mut ask = |method: &str, body: &str| {
                let name = method.to_uppercase().parse().expect("a method");
                let reply = api.send(name, &target, &headers, body.as_bytes());
                assert_eq!(reply.status.to_string(), *status, "{method} {target}: {}", reply.text());
                check(document, path, method, &reply);
                tried.insert((path.clone(), method.to_owned()));
                reply
            };
            assert_eq!(ask(method, &exchange.0).json(), *expected, "{method} {target}");
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
            Some("path") => path = path.replace(&format!("{{{name}}}"), &example.to_string()),
            _ => query.push(format!("{name}={example}")),
        }
    }
    path + if query.is_empty() { "" } else { "?" } + &query.join("&")
}
