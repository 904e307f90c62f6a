//! Keys, credentials that travel on, and pages of other origins.

use http::Method;
use serde_json::json;

use crate::customers::customer;
use crate::harness::{Recorder, Stack, shared, up_with};

#[test]
fn keys_open_what_touches_data() {
    let stack = Stack::with(&[("api_key", "first,second")]);
    let api = stack.api();
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        assert_eq!(api.get(path).status, 200, "{path}");
    }
    for (method, path) in [
        (Method::GET, "/customer/123"),
        (Method::GET, "/customers"),
        (Method::PUT, "/customer"),
        (Method::PATCH, "/customer/123"),
        (Method::DELETE, "/customer/123"),
    ] {
        for headers in [&[][..], &[("x-api-key", "third")], &[("authorization", "Basic first")]] {
            let reply = api.send(method.clone(), path, headers, b"");
            reply.problem(401);
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
    }
    for header in [("x-api-key", "first"), ("authorization", "Bearer second")] {
        assert_eq!(api.send(Method::GET, "/customer/123", &[header], b"").status, 200);
    }
}

#[test]
fn a_key_of_two_callers_is_two_keys() {
    let stack = Stack::with(&[("api_key", "shop:first,stock:second")]);
    let create = |caller: &str, name: &str| {
        let headers = [("x-api-key", caller), ("idempotency-key", "same"), ("content-type", "application/json")];
        stack.api().send(Method::POST, "/customers", &headers, customer(name).to_string().as_bytes())
    };
    let shop = create("first", "Of the shop").is(201);
    assert_eq!(shop.header("idempotency-key"), "same");
    create("second", "Of the stock").is(201);
    let again = create("first", "Of the shop").is(201);
    assert_eq!((again.header("idempotency-replayed"), again.text()), ("true", shop.text()));
    create("second", "Of the shop").problem(422);
}

#[test]
fn any_version_is_one_that_exists() {
    let api = shared();
    let any = [("if-match", "*")];
    let row = api.json(Method::POST, "/customers", &customer("Any version").to_string()).is(201).location();
    api.send(Method::DELETE, &row, &any, b"").is(202);
    api.send(Method::DELETE, &row, &any, b"").problem(412);
    api.send(Method::DELETE, &row, &[], b"").is(202);
}

#[test]
fn credentials_reach_the_bridge_when_they_are_meant_to() {
    let bridge = Recorder::start();
    let variables = [("forward_authorization", "true"), ("dab_api_key", "gateway")];
    let process = up_with(&variables, &["--dab-url", &bridge.url()]);
    let api = process.api();
    bridge.row(json!({"Status": 200, "Json": "[]"}));
    bridge.take();
    let headers = [("authorization", "Bearer token"), ("x-ms-api-role", "clerk"), ("x-api-key", "mine")];
    assert_eq!(api.send(Method::GET, "/customers", &headers, b"").status, 200);
    let asked = bridge.take().remove(0);
    assert_eq!(asked.headers["authorization"], "Bearer token");
    assert_eq!(asked.headers["x-ms-api-role"], "clerk");
    assert_eq!(asked.headers["x-api-key"], "gateway");
    for status in [401, 403] {
        bridge.answer(status, "");
        api.get("/customers").problem(status);
    }
}

#[test]
fn browsers_are_told_which_origins_may_call() {
    let stack = Stack::with(&[("cors_allowed_origins", "https://shop.example,http://localhost:8080")]);
    let api = stack.api();
    let preflight = |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "content-type,if-match"),
        ];
        api.send(Method::OPTIONS, "/customer/123", &headers, b"")
    };
    let reply = preflight("http://localhost:8080");
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), "http://localhost:8080");
    assert!(reply.header("access-control-allow-methods").contains("PATCH"));
    for name in ["if-match", "baggage", "x-ms-correlation-id"] {
        assert!(reply.header("access-control-allow-headers").contains(name), "{name}");
    }
    let reply = preflight("https://evil.example");
    assert!(!reply.headers.contains_key("access-control-allow-origin"));
    let page = [("origin", "https://shop.example")];
    for path in ["/customer/123", "/customer/300", "/customer/x", "/nowhere"] {
        let reply = api.send(Method::GET, path, &page, b"");
        assert_eq!(reply.header("access-control-allow-origin"), "https://shop.example", "{path}");
        assert!(reply.header("access-control-expose-headers").contains("etag"), "{path}");
    }
}
