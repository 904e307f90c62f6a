//! A gateway before the API whose prefix the API does not know.

use http::Method;
use serde_json::json;

use crate::customers::customer;
use crate::harness::Stack;

/// Resolves a reference in the answer to a request for `path` (RFC 3986, section 5.2).
fn resolve(path: &str, reference: &str) -> String {
    match reference.strip_prefix('?') {
        Some(_) => format!("{path}{reference}"),
        None => format!("{}/{reference}", path.rsplit_once('/').expect("a path").0),
    }
}

#[test]
fn a_prefix_that_a_gateway_removes_stays_in_references() {
    let stack = Stack::start();
    let api = stack.api();
    // The client asks for /shop/…, and the gateway hands on what follows /shop.
    let through = |target: &str| api.get(target.strip_prefix("/shop").expect("a target behind the gateway"));
    let new = customer("Behind a gateway").to_string();
    let created = api.json(Method::POST, "/customers", &new);
    let row = through(&resolve("/shop/customers", created.header("location")));
    assert_eq!(row.text(), created.text());
    let first = through("/shop/customers?limit=2");
    let (link, _) = first.header("link")[1..].split_once(">; rel=\"next\"").expect("the next page");
    let second = through(&resolve("/shop/customers", link)).json();
    assert_eq!(json!([second[0]["CustomerID"], second[1]["CustomerID"]]), json!([3, 4]));
    let problem = through("/shop/customer/0").problem(400);
    assert_eq!(
        normal(&resolve("/shop/customer/0", problem["type"].as_str().expect("a type"))),
        "/shop/problems#invalid-parameter"
    );
    let document = through("/shop/openapi.json").json();
    assert_eq!(
        normal(&resolve("/shop/openapi.json", document["servers"][0]["url"].as_str().expect("a server"))),
        "/shop/"
    );
}

/// A path without dot segments (RFC 3986, section 5.2.4).
fn normal(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.join("/") + if path.ends_with("/.") { "/" } else { "" }
}
