//! Tests that only customers have. `conformance` tests what all entities promise.

use http::Method;
use serde_json::{Value, json};

use crate::harness::shared;

/// The body that a client sends for a customer of this name.
pub fn customer(name: &str) -> Value {
    json!({"CustomerName": name, "PhoneNumber": "1", "FaxNumber": "2", "WebsiteURL": "http://a",
           "Delivery": {"AddressLine1": "b", "AddressLine2": "c", "PostalCode": "d"}})
}

#[test]
fn customers_with_orders_stay() {
    let problem = shared().send(Method::DELETE, "/customer/123", &[], b"").problem(409);
    assert_eq!(problem["detail"], "Customer 123 is referred to by other rows and cannot be deleted.");
    assert_eq!(shared().get("/customer/123").status, 200);
}

#[test]
fn health_and_readiness() {
    let api = shared();
    assert_eq!(api.get("/healthz").text(), r#"{"status":"alive"}"#);
    assert_eq!(api.get("/readyz").text(), r#"{"status":"ready"}"#);
}
