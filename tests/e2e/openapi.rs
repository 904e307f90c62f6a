//! The API answers as `openapi.json` says. Its paths are made from the table of routes.

use std::collections::BTreeSet;

use azure_sql_rest_conformance::description::{Description, operations, schemas_hold};
use azure_sql_rest_conformance::examples::examples_hold;
use serde_json::Value;

use crate::harness::{Stack, root};

/// The document, with every `$ref` to one of its components still in it.
fn document() -> Value {
    let text = std::fs::read_to_string(root().join("openapi.json")).expect("openapi.json");
    serde_json::from_str(&text).expect("JSON")
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
    // `conformance` tests the other answers of an entity.
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
