//! One fault at a time, of every kind: the client gets its answer, and a write is done once.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::faulty::Faulty;

/// Every kind of fault.
const KINDS: [&str; 16] = [
    "refuse",
    "reset_before_read",
    "reset_after_read",
    "delay",
    "stall",
    "truncate",
    "length_too_long",
    "length_too_short",
    "error_429",
    "error_500",
    "login_refused",
    "silence",
    "error_502",
    "error_503",
    "garbage",
    "commit_then_drop",
];

/// Attempts that are short, so that stalls and delays do not hold the tests up.
const SHORT: [(&str, u64); 2] = [("attempt_timeout_ms", 300), ("retry_base_ms", 20)];

/// The first call has this fault, the second this one, and those after have none.
fn first(kind: &str, second: &str) -> Value {
    json!({"first": [kind, second], "delay_ms": 600, "login_ms": 180, "refuse_ms": 60})
}

/// Does something while the first two calls of it fail; every kind once first and once second.
fn with_each(stack: &Faulty, mut act: impl FnMut(usize, &str)) {
    for (number, kind) in KINDS.into_iter().enumerate() {
        let second = KINDS[(number + 5) % KINDS.len()];
        stack.set(&first(kind, second));
        act(number, &format!("{kind}, then {second}"));
        let log = stack.log();
        assert_eq!(log["faults"], json!({kind: 1, second: 1}), "both happened");
        assert_eq!(log["calls"], 3, "{kind}, then {second}: one attempt each, and one that succeeds");
    }
    stack.set(&json!({}));
}

fn customer(name: &str) -> String {
    json!({"CustomerName": name, "PhoneNumber": "1", "FaxNumber": "2", "WebsiteURL": "3",
        "Delivery": {"AddressLine1": "4", "PostalCode": "5"}})
    .to_string()
}

#[test]
fn reads_ride_out_faults_of_every_kind() {
    let stack = Faulty::start(&SHORT);
    let plain = stack.api.get("/customer/123");
    with_each(&stack, |_, faults| {
        let reply = stack.api.get("/customer/123");
        assert_eq!((reply.status, &reply.body), (200, &plain.body), "{faults}");
    });
}

#[test]
fn a_row_is_created_once_whatever_fails() {
    let stack = Faulty::start(&SHORT);
    with_each(&stack, |number, faults| {
        let reply = stack.api.json(Method::PUT, "/customer", &customer(&format!("Once {number}")));
        assert_eq!(reply.status, 201, "{faults}: {}", reply.text());
        assert_eq!(reply.json()[0]["CustomerName"], format!("Once {number}"), "{faults}");
    });
    let list = stack.api.get("/customers?after=1061").json();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|row| row["CustomerName"].as_str().unwrap()).collect();
    let expected: Vec<_> = (0..KINDS.len()).map(|number| format!("Once {number}")).collect();
    assert_eq!(names, expected);
}

#[test]
fn a_patch_with_if_match_that_had_succeeded_is_no_412_when_it_is_retried() {
    let stack = Faulty::start(&SHORT);
    let mut etag = stack.api.get("/customer/801").header("etag").to_owned();
    with_each(&stack, |number, faults| {
        let body = json!({"PhoneNumber": number.to_string()}).to_string();
        let headers = [("content-type", "application/json"), ("if-match", etag.as_str())];
        let reply = stack.api.send(Method::PATCH, "/customer/801", &headers, body.as_bytes());
        assert_eq!(reply.status, 202, "{faults}: {}", reply.text());
        assert_eq!(reply.json()[0]["PhoneNumber"], number.to_string(), "{faults}");
        etag = reply.header("etag").to_owned();
    });
    // Nothing was done after its acknowledgement, late attempts included.
    assert_eq!(stack.api.get("/customer/801").header("etag"), etag);
}

#[test]
fn a_delete_that_had_succeeded_is_acknowledged_when_it_is_retried() {
    let stack = Faulty::start(&SHORT);
    with_each(&stack, |number, faults| {
        let path = format!("/customer/{}", 801 + number);
        let reply = stack.api.send(Method::DELETE, &path, &[], b"");
        assert_eq!(reply.status, 202, "{faults}: {}", reply.text());
        assert_eq!(reply.json(), json!([{"CustomerID": 801 + number}]), "{faults}");
    });
    for number in 0..KINDS.len() {
        stack.api.get(&format!("/customer/{}", 801 + number)).problem(404);
    }
}

#[test]
fn retry_after_is_obeyed() {
    let stack = Faulty::start(&[]);
    for kind in ["error_429", "error_500", "error_502", "error_503"] {
        stack.set(&json!({"first": [kind], "retry_after_share": 1, "retry_after_s": 1}));
        let begin = Instant::now();
        assert_eq!(stack.api.get("/customer/123").status, 200);
        assert!(begin.elapsed() >= Duration::from_secs(1), "{kind}: {:?}", begin.elapsed());
    }
}

#[test]
fn a_write_whose_answers_are_all_lost_is_repeated_with_the_key_that_the_client_is_told() {
    let stack = Faulty::start(&[("request_deadline_ms", 400), ("retry_base_ms", 20)]);
    stack.set(&json!({"rates": {"commit_then_drop": 1.0}}));
    let body = customer("Lost and found");
    let lost = stack.api.json(Method::POST, "/customers", &body);
    // The deadline is in a wait for the next attempt (503) or in an attempt (504).
    assert!([503, 504].contains(&lost.status), "{}", lost.text());
    let problem = lost.problem(lost.status);
    assert!(problem["detail"].as_str().unwrap().contains("Idempotency-Key"), "{problem}");
    let key = lost.header("idempotency-key").to_owned();
    stack.set(&json!({}));
    let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
    let found = stack.api.send(Method::POST, "/customers", &headers, body.as_bytes());
    assert_eq!((found.status, found.header("idempotency-replayed")), (201, "true"));
    assert_eq!(found.header("idempotency-key"), key);
    let taken = stack.api.json(Method::POST, "/customers", &body);
    taken.problem(409);
}
