//! The five routes over real data, and what the procedures refuse.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Api, shared};

const TAILSPIN: &str = r#"[{"CustomerID":123,"CustomerName":"Tailspin Toys (Roe Park, NY)","PhoneNumber":"(212) 555-0100","FaxNumber":"(212) 555-0101","WebsiteURL":"http:\/\/www.tailspintoys.com\/RoePark","Delivery":{"AddressLine1":"Shop 219","AddressLine2":"528 Persson Road","PostalCode":"90775"}}]"#;

pub fn customer(name: &str) -> Value {
    json!({"CustomerName": name, "PhoneNumber": "1", "FaxNumber": "2", "WebsiteURL": "http://a",
           "Delivery": {"AddressLine1": "b", "AddressLine2": "c", "PostalCode": "d"}})
}

/// Makes a customer and returns its path.
pub fn put(api: &Api, name: &str) -> String {
    let reply = api.json(Method::PUT, "/customer", &customer(name).to_string());
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.location()
}

#[test]
fn get_one() {
    let reply = shared().get("/customer/123");
    assert_eq!((reply.status, reply.text()), (200, TAILSPIN));
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("content-length"), TAILSPIN.len().to_string());
    assert!(reply.header("etag").starts_with('"'));
    let head = shared().send(Method::HEAD, "/customer/123", &[], b"");
    assert_eq!((head.status, head.header("etag")), (200, reply.header("etag")));
    assert!(head.body.is_empty());
}

#[test]
fn get_one_that_is_not_there() {
    let problem = shared().get("/customer/300").problem(404);
    assert_eq!(problem["detail"], "Customer 300 does not exist.");
    assert_eq!(problem["instance"], "/customer/300");
}

#[test]
fn put_answers_as_get_does() {
    let api = shared();
    let reply = api.json(Method::PUT, "/customer", &customer("Put and get").to_string());
    assert_eq!(reply.status, 201);
    let get = api.get(&reply.location());
    assert_eq!(get.body, reply.body);
    // What was sent is not what is stored (RFC 9110, section 9.3.4).
    assert!(!reply.headers.contains_key("etag"));
}

#[test]
fn post_to_the_list_creates_as_put_does_and_tells_the_version() {
    let api = shared();
    let reply = api.json(Method::POST, "/customers", &customer("Post and get").to_string());
    assert_eq!(reply.status, 201, "{}", reply.text());
    let get = api.get(&reply.location());
    assert_eq!((get.text(), get.header("etag")), (reply.text(), reply.header("etag")));
    let taken = api.json(Method::POST, "/customers", &customer("Post and get").to_string());
    assert_eq!(taken.problem(409)["instance"], "/customers");
}

#[test]
fn patch_changes_the_named_fields_only() {
    let api = shared();
    let path = put(&api, "Before the patch");
    let before = api.get(&path).json();
    let reply = api.json(
        Method::PATCH,
        &path,
        r#"{"PhoneNumber":"9","Delivery":{"AddressLine2":null}}"#,
    );
    assert_eq!(reply.status, 202);
    let mut expected = before;
    expected[0]["PhoneNumber"] = json!("9");
    expected[0]["Delivery"].as_object_mut().unwrap().remove("AddressLine2");
    assert_eq!(reply.json(), expected);
    assert_eq!(api.get(&path).json(), expected);
    api.json(Method::PATCH, "/customer/300", "{}").problem(404);
}

#[test]
fn delete_is_idempotent() {
    let api = shared();
    let path = put(&api, "To be deleted");
    let id: u32 = path.rsplit('/').next().unwrap().parse().unwrap();
    for _ in 0..2 {
        let reply = api.send(Method::DELETE, &path, &[], b"");
        assert_eq!(
            (reply.status, reply.text()),
            (202, format!(r#"[{{"CustomerID":{id}}}]"#).as_str())
        );
        api.get(&path).problem(404);
    }
}

#[test]
fn field_errors_come_all_at_once() {
    let body = json!({"CustomerName": "x".repeat(101), "FaxNumber": null, "WebsiteURL": 1, "Delivery": {"PostalCode": 12_345_678_901_u64}});
    let problem = shared().json(Method::PUT, "/customer", &body.to_string()).problem(422);
    let expected = json!([
        {"field": "CustomerName", "message": "must be at most 100 characters"},
        {"field": "PhoneNumber", "message": "is required"},
        {"field": "FaxNumber", "message": "must not be null"},
        {"field": "WebsiteURL", "message": "must be a string"},
        {"field": "Delivery.AddressLine1", "message": "is required"},
        {"field": "Delivery.PostalCode", "message": "must be at most 10 characters"},
    ]);
    assert_eq!(problem["errors"], expected);
}

#[test]
fn names_are_unique() {
    let problem = shared()
        .json(
            Method::PUT,
            "/customer",
            &customer("TAILSPIN toys (Roe Park, NY)").to_string(),
        )
        .problem(409);
    assert_eq!(problem["detail"], "A customer with this name already exists.");
    let path = put(&shared(), "About to clash");
    shared()
        .json(
            Method::PATCH,
            &path,
            r#"{"CustomerName":"Tailspin Toys (Roe Park, NY)"}"#,
        )
        .problem(409);
}

#[test]
fn customers_with_orders_stay() {
    let problem = shared().send(Method::DELETE, "/customer/123", &[], b"").problem(409);
    assert_eq!(
        problem["detail"],
        "Customer 123 is referred to by other rows and cannot be deleted."
    );
    assert_eq!(shared().get("/customer/123").status, 200);
}

#[test]
fn a_key_makes_a_write_happen_once() {
    let api = shared();
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "e2e-put-once"),
    ];
    let body = customer("Only once").to_string();
    let first = api.send(Method::PUT, "/customer", &headers, body.as_bytes());
    let second = api.send(Method::PUT, "/customer", &headers, body.as_bytes());
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.header("location"), second.header("location"));
    api.send(
        Method::PUT,
        "/customer",
        &headers,
        customer("Another").to_string().as_bytes(),
    )
    .problem(422);
}

#[test]
fn health_and_readiness() {
    let api = shared();
    assert_eq!(api.get("/healthz").text(), r#"{"status":"alive"}"#);
    assert_eq!(api.get("/readyz").text(), r#"{"status":"ready"}"#);
}
