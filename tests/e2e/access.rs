//! Keys, their callers, and pages of other origins. The unit tests of the library have each rule.

use http::Method;

use crate::customers::customer;
use crate::harness::{Stack, shared};

#[test]
fn a_key_opens_and_a_listed_origin_may_read() {
    let stack = Stack::with(&[("api_key", "first,second"), ("cors_allowed_origins", "https://shop.example")]);
    let origin = ("origin", "https://shop.example");
    for (path, key, status) in [
        ("/readyz", "", 200),
        ("/customer/123", "third", 401),
        ("/customer/123", "second", 200),
        ("/nowhere", "first", 404),
    ] {
        let reply = stack.api().send(Method::GET, path, &[origin, ("x-api-key", key)], b"");
        assert_eq!(reply.status, status, "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), origin.1, "{path}");
    }
    let preflight = [origin, ("access-control-request-method", "PATCH")];
    let reply = stack.api().send(Method::OPTIONS, "/customer/123", &preflight, b"");
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, origin.1));
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
