//! Requests that the component refuses without asking the bridge: one of each kind. The unit tests of the library have all.

use http::Method;

use crate::harness::{Recorder, up};

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[test]
fn bad_requests_are_refused_and_the_bridge_is_not_asked() {
    let bridge = Recorder::start();
    let process = up(&["--dab-url", &bridge.url()]);
    let api = process.api();
    let long = format!("{{\"CustomerName\":\"{}\"}}", "x".repeat(64 * 1024));
    let (parameter, body) = ("#invalid-parameter", "#invalid-body");
    for (method, path, headers, sent, status, kind) in [
        (Method::GET, "/customer/1%2F2", &[][..], "", 400, parameter),
        (Method::DELETE, "/customer/2147483648", &[], "", 400, parameter),
        (Method::PATCH, "/customer/%ff", &[JSON], "{}", 400, parameter),
        (Method::GET, "/customers?limit=1&limit=2", &[], "", 400, parameter),
        (Method::PUT, "/customer", &[JSON], "{}x", 400, body),
        (Method::PUT, "/customer", &[FORM], "customer={}&customer={}", 400, body),
        (Method::PUT, "/customer", &[("content-type", "text/plain")], "{}", 415, "#unsupported-media-type"),
        (Method::PUT, "/customer", &[JSON], &long, 413, "#body-too-large"),
        (Method::PUT, "/customer", &[JSON, ("idempotency-key", "two words")], "{}", 400, parameter),
        (Method::DELETE, "/customer/1", &[("if-match", "unquoted")], "", 400, parameter),
        (Method::GET, "//customers", &[], "", 404, "#unknown-route"),
        (Method::TRACE, "/customers", &[], "", 405, "#method-not-allowed"),
    ] {
        let reply = api.send(method.clone(), path, headers, sent.as_bytes());
        let problem = reply.problem(status);
        assert!(problem["type"].as_str().unwrap().ends_with(kind), "{method} {path}: {problem}");
    }
    let reply = api.send(Method::OPTIONS, "/customer/1", &[], b"");
    assert_eq!((reply.status, reply.header("allow")), (204, "GET, HEAD, PATCH, DELETE, OPTIONS"));
    assert!(bridge.take().is_empty(), "the bridge was asked");
}
