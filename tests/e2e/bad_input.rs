//! Requests that the component refuses without asking the bridge.

use http::Method;

use crate::harness::{Api, Recorder, up};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Runs `requests` against a component whose bridge must not be asked.
fn refused(requests: impl FnOnce(&Api)) {
    let bridge = Recorder::start();
    let process = up(&["--dab-url", &bridge.url()]);
    requests(&process.api());
    assert!(bridge.take().is_empty(), "the bridge was asked");
}

#[test]
fn ids_that_are_none() {
    refused(|api| {
        let long = format!("/customer/{}", "1".repeat(10 * 1024));
        for path in ["0", "-1", "abc", "2147483648", "1.5", "%20", "+1", "%2B1", "1%2F2", "%00", "%ff", "1e3"] {
            for method in [Method::GET, Method::DELETE, Method::HEAD] {
                let reply = api.send(method.clone(), &format!("/customer/{path}"), &[], b"");
                assert_eq!(reply.status, 400, "{method} {path}");
                if method != Method::HEAD {
                    assert_eq!(reply.problem(400)["type"], "../problems#invalid-parameter");
                }
            }
            api.json(Method::PATCH, &format!("/customer/{path}"), "{}").problem(400);
        }
        api.get(&long).problem(400);
    });
}

#[test]
fn bodies_that_are_no_json_object() {
    refused(|api| {
        let send = |content_type: &str, body: &[u8]| {
            api.send(Method::PUT, "/customer", &[("content-type", content_type)], body)
        };
        let json: [&[u8]; 8] =
            [b"", b"[]", b"\"x\"", b"{", b"null", b"{\"CustomerName\":\"\xff\"}", b"{}x", b"{'a':1}"];
        for body in json {
            assert_eq!(send(JSON, body).problem(400)["type"], "problems#invalid-body", "{body:?}");
        }
        for body in ["", "a=b", "customer=", "customer={", "customer=[]", "customer={}&customer={}", "customer=%ff"] {
            assert_eq!(send(FORM, body.as_bytes()).problem(400)["type"], "problems#invalid-body", "{body}");
        }
        let problem = send(JSON, b"{\n  \"a\": ,\n}").problem(400);
        assert!(problem["detail"].as_str().unwrap().contains("line 2 column 8"), "{problem}");
        for content_type in
            ["text/plain", "application/xml", "application/json;charset=latin1", "multipart/form-data; boundary=x"]
        {
            send(content_type, b"{}").problem(415);
        }
        api.send(Method::PUT, "/customer", &[], b"{}").problem(415);
        api.send(Method::PUT, "/customer", &[], b"").problem(400);
    });
}

#[test]
fn bodies_above_64_kib() {
    refused(|api| {
        let json = format!("{{\"CustomerName\":\"{}\"}}", "x".repeat(64 * 1024 + 1 - 19));
        assert_eq!(json.len(), 64 * 1024 + 1);
        api.json(Method::PUT, "/customer", &json).problem(413);
        api.json(Method::PATCH, "/customer/1", &json).problem(413);
    });
}

#[test]
fn paths_and_methods_that_are_none() {
    refused(|api| {
        for path in [
            "/docs/",
            "/customer/",
            "/customer/1/2",
            "/Customers",
            "/customers/",
            "/favicon.ico",
            "//customers",
            "/customer/1/",
        ] {
            api.get(path).problem(404);
        }
        for (path, allow) in [
            ("/customer", "PUT, OPTIONS"),
            ("/customer/1", "GET, HEAD, PATCH, DELETE, OPTIONS"),
            ("/customers", "GET, HEAD, POST, OPTIONS"),
            ("/healthz", "GET, HEAD, OPTIONS"),
            ("/docs", "GET, HEAD, OPTIONS"),
        ] {
            for method in [Method::TRACE, Method::from_bytes(b"BREW").unwrap()] {
                let reply = api.send(method, path, &[], b"");
                reply.problem(405);
                assert_eq!(reply.header("allow"), allow);
            }
            let reply = api.send(Method::OPTIONS, path, &[], b"");
            assert_eq!((reply.status, reply.header("allow")), (204, allow));
        }
    });
}

#[test]
fn parameters_and_headers_that_are_none() {
    refused(|api| {
        for query in ["limit=0", "limit=1001", "limit=x", "limit=", "after=-1", "after=2147483648", "limit=1&limit=2"] {
            api.get(&format!("/customers?{query}")).problem(400);
        }
        let long = "k".repeat(256);
        for key in ["", "two words", &long] {
            let headers = [("content-type", JSON), ("idempotency-key", key)];
            api.send(Method::PUT, "/customer", &headers, b"{}").problem(400);
        }
        api.send(Method::DELETE, "/customer/1", &[("if-match", "unquoted")], b"").problem(400);
        api.send(Method::DELETE, "/customer/1", &[("if-match", "W/\"weak\"")], b"").problem(412);
    });
}
