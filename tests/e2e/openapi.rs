//! The API answers as `openapi.json` says. Its paths are made from the table of routes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use jsonschema::Validator;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::harness::{Api, Reply, Stack, root};

/// The document, with every `$ref` to one of its components still in it.
fn document() -> Value {
    let text = std::fs::read_to_string(root().join("openapi.json")).expect("openapi.json");
    serde_json::from_str(&text).expect("JSON")
}

/// `value` itself, or the component that it refers to.
fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference} is nowhere")),
        None => value,
    }
}

/// Path and method of every operation in the document.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let methods =
        paths.flat_map(|(path, item)| item.as_object().expect("operations").keys().map(move |method| (path, method)));
    methods.filter(|(_, method)| *method != "parameters").map(|(path, method)| (path.clone(), method.clone())).collect()
}

/// A document that answers are compared with.
pub struct Description<'d> {
    document: &'d Value,
    /// By the schema: to make one takes longer than an answer.
    validators: Mutex<BTreeMap<String, Validator>>,
}

impl<'d> Description<'d> {
    pub fn new(document: &'d Value) -> Self {
        let validators = Mutex::default();
        Self { document, validators }
    }

    /// Checks an answer against what the document says about its status: content type, body and headers.
    pub fn check(&self, path: &str, method: &str, reply: &Reply) {
        let document = self.document;
        let place = format!("{method} {path}: {}", reply.status);
        let responses = &document["paths"][path][method]["responses"];
        let response = responses
            .get(reply.status.to_string())
            .or_else(|| responses.get("default"))
            .unwrap_or_else(|| panic!("{place} is not described"));
        let response = resolve(document, response);
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let header = resolve(document, header);
            let value = reply.headers.get(name.to_lowercase());
            assert!(value.is_some() || header["required"] != true, "{place}: no {name}");
            // Numbers are text in a header.
            if let Some(value) = value.filter(|_| header["schema"]["type"] != "integer") {
                let value = json!(value.to_str().expect("ASCII"));
                self.valid(&header["schema"], &value, &place);
            }
        }
        match response["content"].as_object() {
            None => assert!(reply.body.is_empty(), "{place}: a body that is not described"),
            Some(content) if method != "head" => {
                let media_type = &content[reply.header("content-type")];
                self.valid(&media_type["schema"], &reply.json(), &place);
            }
            Some(_) => assert!(reply.body.is_empty(), "{place}: HEAD with a body"),
        }
    }

    fn valid(&self, schema: &Value, instance: &Value, place: &str) {
        let mut validators = self.validators.lock().expect("no panic holds it");
        let validator = validators.entry(schema.to_string()).or_insert_with(|| {
            // References of the schema lead to components of the document.
            let whole = json!({"components": self.document["components"], "allOf": [schema]});
            jsonschema::draft202012::new(&whole).expect("a schema")
        });
        let outcome = validator.validate(instance).map_err(|error| format!("{error} at {}", error.instance_path()));
        drop(validators);
        assert!(outcome.is_ok(), "{place}: {}: {instance}", outcome.unwrap_err());
    }
}

#[test]
fn the_api_answers_as_it_says() {
    let document = document();
    let description = Description::new(&document);
    let stack = Stack::start();
    let api = stack.api();
    let mut seen = BTreeSet::new();
    let mut ask = |method: &str, path: &str, target: &str, header: (&str, &str), body: &str, status: u16| {
        let headers = [("content-type", "application/json"), header];
        let headers = if header.0 == "content-type" { &headers[1..] } else { &headers };
        let method_name = method.to_uppercase().parse().expect("a method");
        let reply = api.send(method_name, target, headers, body.as_bytes()).is(status);
        description.check(path, method, &reply);
        seen.insert((path.to_owned(), method.to_owned()));
    };
    let (html, text, none) = (("accept", "text/html"), ("content-type", "text/plain"), ("x-none", ""));
    let (collection, one, list) = ("/customer", "/customer/{id}", "/customers");
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(65_536));
    // What else an entity answers, `conformance` asks.
    for (method, path, target) in
        [("put", collection, collection), ("post", list, list), ("patch", one, "/customer/123")]
    {
        ask(method, path, target, none, "{", 400);
        ask(method, path, target, html, "{}", 406);
        ask(method, path, target, none, &large, 413);
        ask(method, path, target, text, "{}", 415);
    }
    for method in ["get", "head"] {
        ask(method, one, "/customer/123", html, "", 406);
        ask(method, list, list, html, "", 406);
        ask(method, list, "/customers?limit=0", none, "", 400);
        for path in ["/healthz", "/readyz", "/openapi.json"] {
            ask(method, path, path, none, "", 200);
        }
    }
    ask("delete", one, "/customer/123", none, "", 409);
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
    let description = Description::new(document);
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
