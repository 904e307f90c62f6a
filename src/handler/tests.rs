//! Whole requests against a scripted bridge.

use super::*;
use crate::platform::SendError;
use crate::platform::fake::{Fake, Parts};
use crate::retry::Failure;
use http::header::{ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ETAG, VARY};
use serde_json::Value as Json;

const CUSTOMER: &str = r#"{"CustomerName":"A"}"#;
const GUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Parts> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Parts::whole(body.as_bytes())).unwrap()
}

/// The answer, all of it.
fn ask(platform: &Fake, request: Request<Parts>) -> Response<Bytes> {
    let (response, failure) = receive(platform, request);
    assert_eq!(failure, None);
    response
}

/// As much of the answer as came, and why no more did.
fn receive(platform: &Fake, request: Request<Parts>) -> (Response<Bytes>, Option<Failure>) {
    platform.run(async {
        let (parts, mut body) = handle(platform, request).await.into_parts();
        let mut bytes = Vec::new();
        loop {
            let failure = match body.next(platform).await {
                Ok(Some(piece)) => {
                    bytes.extend_from_slice(&piece);
                    continue;
                }
                Ok(None) => None,
                Err(failure) => Some(failure),
            };
            return (Response::from_parts(parts, bytes.into()), failure);
        }
    })
}

fn get(platform: &Fake, path: &str) -> Response<Bytes> {
    ask(platform, request(Method::GET, path, &[], ""))
}

fn write(platform: &Fake, method: Method, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
    let headers = [headers, &[("content-type", "application/json")]].concat();
    ask(platform, request(method, path, &headers, CUSTOMER))
}

fn sent(platform: &Fake) -> Json {
    serde_json::from_slice(platform.sent.borrow()[0].1.body()).unwrap()
}

fn problem(response: &Response<Bytes>) -> (u16, Json) {
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    (
        response.status().as_u16(),
        serde_json::from_slice(response.body()).unwrap(),
    )
}

#[test]
fn a_get_brings_what_sql_wrote() {
    let platform = Fake::default().row(r#""Status":200,"ETag":"v1","Json":"[{\"A\":\"\\\/\u00e9\uD83D\uDE00\"} ]""#);
    let response = get(&platform, "/customer/7");
    assert_eq!(response.body(), "[{\"A\":\"\\/\u{e9}\u{1f600}\"} ]");
    assert_eq!(response.headers()[CONTENT_LENGTH], response.body().len().to_string());
    let target = platform.sent.borrow()[0].1.uri().to_string();
    assert_eq!(target, "http://127.0.0.1:5000/api/get_customer?CustomerID=7");
}

#[test]
fn a_put_makes_up_a_key() {
    let platform = Fake::default().row(r#""Status":201,"CustomerID":1062,"Json":"[]""#);
    assert_eq!(write(&platform, Method::PUT, "/customer", &[]).status(), 201);
    let sent = sent(&platform);
    assert_eq!(sent["Json"], CUSTOMER);
    assert!(Uuid::try_parse(sent["RequestKey"].as_str().unwrap()).is_ok());
}

#[test]
fn an_answer_that_was_not_agreed_is_502_and_logged() {
    let platform = Fake::default().row(r#""Status":200,"Json":null"#);
    assert_eq!(problem(&get(&platform, "/customer/7")).0, 502);
    let expected = r#"{"event":"contract_broken","procedure":"get_customer","correlation_id":"#;
    assert!(platform.lines.borrow()[0].starts_with(expected));
}

#[test]
fn head_is_get_without_the_body() {
    let platform = Fake::default().row(r#""Status":200,"ETag":"v1","Json":"[]""#);
    let response = ask(&platform, request(Method::HEAD, "/customer/7", &[], ""));
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[ETAG], "\"v1\"");
    assert!(response.body().is_empty());
}

#[test]
fn key_and_precondition_are_the_clients() {
    let platform = Fake::default().row(r#""Status":202,"Json":"[]""#);
    let headers = [("idempotency-key", "k-1"), ("if-match", "\"v1\"")];
    assert_eq!(write(&platform, Method::PATCH, "/customer/7", &headers).status(), 202);
    let expected = serde_json::json!({"CustomerID": 7, "Json": CUSTOMER, "RequestKey": "k-1", "IfMatch": "v1"});
    assert_eq!(sent(&platform), expected);
}

#[test]
fn a_replay_is_marked_when_the_key_is_the_clients() {
    for (headers, marked) in [(&[("idempotency-key", "k")][..], true), (&[], false)] {
        let platform = Fake::default().row(r#""Status":202,"Replayed":true,"Json":"[]""#);
        let response = write(&platform, Method::PATCH, "/customer/7", headers);
        assert_eq!(response.headers().contains_key(IDEMPOTENCY_REPLAYED), marked);
    }
    let first = Fake::default().row(r#""Status":202,"Replayed":false,"Json":"[]""#);
    let response = write(&first, Method::PATCH, "/customer/7", &[("idempotency-key", "k")]);
    assert!(!response.headers().contains_key(IDEMPOTENCY_REPLAYED));
}

#[test]
fn every_proxied_answer_tells_its_timing() {
    let slow = Fake::default()
        .answer(0, 503, "")
        .answer(7, 200, r#"{"value":[{"Status":200,"Json":"[]"}]}"#);
    assert_eq!(
        get(&slow, "/customers").headers()[SERVER_TIMING],
        "bridge;dur=107.000, attempts;desc=\"2\""
    );
    let failed = Fake::default().answer(3, 404, "");
    assert_eq!(
        get(&failed, "/customers").headers()[SERVER_TIMING],
        "bridge;dur=3.000, attempts;desc=\"1\""
    );
    assert!(!get(&Fake::default(), "/healthz").headers().contains_key(SERVER_TIMING));
    assert!(
        !get(&Fake::default(), "/customer/x")
            .headers()
            .contains_key(SERVER_TIMING)
    );
}

#[test]
fn bad_requests_never_reach_the_bridge() {
    let platform = Fake::default();
    for (method, path, status) in [
        (Method::GET, "/nowhere", 404),
        (Method::GET, "/customer/", 404),
        (Method::GET, "/customer/abc", 400),
        (Method::GET, "/customers?limit=0", 400),
        (Method::POST, "/customer", 405),
        (Method::TRACE, "/customers", 405),
        (Method::GET, "/customer", 405),
    ] {
        let response = ask(&platform, request(method, path, &[], ""));
        assert_eq!(problem(&response).0, status, "{path}");
    }
    assert!(platform.sent.borrow().is_empty());
}

#[test]
fn methods_are_told() {
    let platform = Fake::default();
    let response = ask(&platform, request(Method::OPTIONS, "/customer/7", &[], ""));
    assert_eq!(response.status(), 204);
    assert_eq!(response.headers()[ALLOW], "GET, HEAD, PATCH, DELETE, OPTIONS");
    let response = ask(&platform, request(Method::POST, "/customers", &[], ""));
    assert_eq!(response.headers()[ALLOW], "GET, HEAD, OPTIONS");
}

#[test]
fn the_correlation_id_is_the_clients_guid_or_a_new_one() {
    let ask = |headers: &[(&str, &str)]| {
        let platform = Fake::default().row(r#""Status":404,"Json":"{\"detail\":\"No.\"}""#);
        let response = ask(&platform, request(Method::GET, "/customer/7", headers, ""));
        let id = response.headers()[CORRELATION_ID].to_str().unwrap().to_owned();
        assert_eq!(platform.sent.borrow()[0].1.headers()[wire::CORRELATION_ID], id);
        assert_eq!(problem(&response).1["correlationId"], id);
        id
    };
    assert_eq!(ask(&[("x-correlation-id", GUID)]), GUID);
    assert_eq!(ask(&[("x-ms-correlation-id", GUID)]), GUID);
    for other in ["abc", "", "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e"] {
        let id = ask(&[("x-correlation-id", other)]);
        assert!(id != other && Uuid::try_parse(&id).is_ok());
    }
}

#[test]
fn trace_context_travels_and_other_headers_do_not() {
    let platform = Fake::default().row(r#""Status":200,"Json":"[]""#);
    let headers = [
        ("traceparent", "00-1-2-01"),
        ("tracestate", "a=b"),
        ("cookie", "c"),
        ("authorization", "Bearer x"),
    ];
    ask(&platform, request(Method::GET, "/customers", &headers, ""));
    let sent = platform.sent.borrow();
    let mut names: Vec<_> = sent[0].1.headers().keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "traceparent",
            "tracestate",
            "x-ms-correlation-id"
        ]
    );
}

#[test]
fn bad_settings_are_named_everywhere_but_at_healthz() {
    let platform = Fake::default().set("retry_cap_ms", "soon");
    for path in ["/customer/7", "/customers", "/readyz"] {
        let (status, body) = problem(&get(&platform, path));
        assert_eq!(status, 500);
        assert!(body["detail"].as_str().unwrap().contains("retry_cap_ms"));
    }
    assert_eq!(get(&platform, "/healthz").status(), 200);
}

#[test]
fn readiness_is_one_short_attempt() {
    let ready = Fake::default().row(r#""Status":200,"Json":"{\"status\":\"ready\"}""#);
    assert_eq!(get(&ready, "/readyz").status(), 200);
    let broken = Fake::default().answer(0, 500, "");
    assert_eq!(problem(&get(&broken, "/readyz")).0, 503);
    let slow = Fake::default().answer(901, 200, "");
    assert_eq!(problem(&get(&slow, "/readyz")).0, 503);
    assert_eq!(slow.sent.borrow().len(), 1);
}

#[test]
fn a_body_that_does_not_come_ends_in_408() {
    let platform = Fake::default();
    let body = Parts::never();
    let request = Request::put("/customer")
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .unwrap();
    let response = ask(&platform, request);
    assert_eq!(problem(&response).0, 408);
    assert_eq!(
        platform.now(),
        Duration::from_secs(26),
        "after the request's deadline of 25 s"
    );
}

#[test]
fn every_answer_has_the_headers_that_all_have() {
    let platform = Fake::default()
        .row(r#""Status":200,"Json":"[]""#)
        .row(r#""Status":404,"Json":"{\"detail\":\"No.\"}""#);
    for path in [
        "/customers",
        "/customer/7",
        "/healthz",
        "/openapi.json",
        "/nowhere",
        "/customer/x",
    ] {
        let response = get(&platform, path);
        assert_eq!(response.headers()[CACHE_CONTROL], "private, no-cache", "{path}");
        assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
    }
}

#[test]
fn who_has_the_version_is_not_sent_it_again() {
    for method in [Method::GET, Method::HEAD] {
        let platform = Fake::default().row(r#""Status":200,"ETag":"v1","Json":"[]""#);
        let headers = [("if-none-match", "\"v0\", W/\"v1\"")];
        let response = ask(&platform, request(method, "/customer/7", &headers, ""));
        assert_eq!(response.status(), 304);
        assert_eq!(response.headers()[ETAG], "\"v1\"");
        assert!(response.body().is_empty());
        for name in [CONTENT_TYPE, CONTENT_LENGTH] {
            assert!(!response.headers().contains_key(name));
        }
    }
}

#[test]
fn a_read_can_insist_on_a_version() {
    let platform = Fake::default().row(r#""Status":200,"ETag":"v1","Json":"[]""#);
    let headers = [("if-match", "\"v0\"")];
    let response = ask(&platform, request(Method::GET, "/customer/7", &headers, ""));
    assert_eq!(problem(&response).0, 412);
}

#[test]
fn an_absent_row_is_404_whatever_the_preconditions() {
    let platform = Fake::default().row(r#""Status":404,"Json":"{\"detail\":\"No.\"}""#);
    let headers = [("if-none-match", "*")];
    let response = ask(&platform, request(Method::GET, "/customer/7", &headers, ""));
    assert_eq!(problem(&response).0, 404);
}

#[test]
fn preconditions_that_a_write_cannot_evaluate_are_refused() {
    for (method, path, header, status) in [
        (Method::PUT, "/customer", "if-match", 412),
        (Method::PATCH, "/customer/7", "if-none-match", 400),
        (Method::DELETE, "/customer/7", "if-none-match", 400),
    ] {
        let platform = Fake::default();
        assert_eq!(
            problem(&write(&platform, method, path, &[(header, "*")])).0,
            status,
            "{path}"
        );
        assert!(platform.sent.borrow().is_empty());
    }
}

#[test]
fn several_versions_are_passed_on_for_sql_to_compare() {
    let platform = Fake::default().row(r#""Status":202,"Json":"[]""#);
    let headers = [("if-match", "\"v1\", W/\"v2\""), ("if-match", "\"v3\"")];
    assert_eq!(write(&platform, Method::PATCH, "/customer/7", &headers).status(), 202);
    assert_eq!(sent(&platform)["IfMatch"], "v1 v3");
}

#[test]
fn a_key_opens_everything_that_touches_data_and_nothing_else_needs_one() {
    let platform = Fake::default().set("api_key", "old,new");
    for (method, path) in [
        (Method::GET, "/customer/7"),
        (Method::HEAD, "/customers"),
        (Method::PUT, "/customer"),
        (Method::PATCH, "/customer/7"),
        (Method::DELETE, "/customer/7"),
    ] {
        for headers in [&[][..], &[("x-api-key", "other")], &[("authorization", "Bearer other")]] {
            let response = ask(&platform, request(method.clone(), path, headers, ""));
            assert_eq!(response.status(), 401, "{method} {path}");
            assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
        }
    }
    assert!(platform.sent.borrow().is_empty());
    for headers in [[("x-api-key", "old")], [("authorization", "Bearer new")]] {
        let platform = Fake::default()
            .set("api_key", "old,new")
            .row(r#""Status":200,"Json":"[]""#);
        let response = ask(&platform, request(Method::GET, "/customers", &headers, ""));
        assert_eq!(response.status(), 200);
        assert!(!platform.sent.borrow()[0].1.headers().contains_key(AUTHORIZATION));
    }
    let open = Fake::default().set("api_key", "old").row(r#""Status":200,"Json":"{}""#);
    for path in ["/healthz", "/openapi.json", "/readyz"] {
        assert_eq!(get(&open, path).status(), 200, "{path}");
    }
    let response = ask(&open, request(Method::OPTIONS, "/customers", &[], ""));
    assert_eq!(response.status(), 204);
}

#[test]
fn credentials_travel_only_when_they_are_meant_to() {
    let headers = [
        ("authorization", "Bearer token"),
        ("x-ms-api-role", "clerk"),
        ("cookie", "c"),
    ];
    let send = |platform: &Fake| ask(platform, request(Method::GET, "/customers", &headers, ""));
    let kept = Fake::default().row(r#""Status":200,"Json":"[]""#);
    send(&kept);
    assert!(!kept.sent.borrow()[0].1.headers().contains_key(AUTHORIZATION));
    let passed = Fake::default()
        .set("forward_authorization", "true")
        .set("dab_api_key", "gateway")
        .row(r#""Status":200,"Json":"[]""#);
    send(&passed);
    let sent = passed.sent.borrow();
    assert_eq!(sent[0].1.headers()[AUTHORIZATION], "Bearer token");
    assert_eq!(sent[0].1.headers()[access::ROLE], "clerk");
    assert_eq!(sent[0].1.headers()[access::API_KEY], "gateway");
    assert!(!sent[0].1.headers().contains_key("cookie"));
}

#[test]
fn the_bridges_word_on_credentials_is_the_clients_only_when_they_are_the_clients() {
    for (forward, bridge, client) in [
        ("true", 401, 401),
        ("true", 403, 403),
        ("false", 401, 502),
        ("false", 403, 502),
    ] {
        let platform = Fake::default()
            .set("forward_authorization", forward)
            .answer(0, bridge, "");
        let response = get(&platform, "/customers");
        assert_eq!(problem(&response).0, client);
        assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), client == 401);
    }
}

#[test]
fn a_token_for_the_bridge_is_no_api_key() {
    let platform = Fake::default()
        .set("forward_authorization", "true")
        .set("api_key", "key");
    let headers = [("authorization", "Bearer key")];
    let response = ask(&platform, request(Method::GET, "/customers", &headers, ""));
    assert_eq!(problem(&response).0, 401);
}

#[test]
fn what_excludes_json_is_not_acceptable_but_probes_are_answered() {
    let platform = Fake::default().row(r#""Status":200,"Json":"{}""#);
    let html = [("accept", "text/html")];
    for (method, path) in [
        (Method::GET, "/customers"),
        (Method::GET, "/openapi.json"),
        (Method::DELETE, "/customer/7"),
    ] {
        let response = ask(&platform, request(method, path, &html, ""));
        assert_eq!(problem(&response).0, 406);
    }
    for path in ["/healthz", "/readyz"] {
        let response = ask(&platform, request(Method::GET, path, &html, ""));
        assert_eq!(response.status(), 200);
    }
}

#[test]
fn pages_of_listed_origins_may_read_every_answer() {
    let ask = |method: Method, path: &str, origin: &str| {
        let platform = Fake::default()
            .set("cors_allowed_origins", "https://shop.example")
            .row(r#""Status":200,"Json":"[]""#);
        let headers = [("origin", origin), ("access-control-request-method", "PATCH")];
        ask(&platform, request(method, path, &headers, ""))
    };
    for path in ["/customers", "/nowhere", "/customer/x", "/healthz"] {
        let response = ask(Method::GET, path, "https://shop.example");
        assert_eq!(
            response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN],
            "https://shop.example",
            "{path}"
        );
        let response = ask(Method::GET, path, "https://evil.example");
        assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{path}");
        assert_eq!(response.headers()[VARY], "Origin", "{path}");
    }
    let preflight = ask(Method::OPTIONS, "/customer/7", "https://shop.example");
    assert_eq!(preflight.status(), 204);
    assert_eq!(
        preflight.headers()[ACCESS_CONTROL_ALLOW_METHODS],
        "GET, HEAD, PATCH, DELETE, OPTIONS"
    );
}

#[test]
fn the_document_is_the_file_without_its_white_space() {
    let served: Json = serde_json::from_slice(get(&Fake::default(), "/openapi.json").body()).unwrap();
    let file: Json = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    assert_eq!(served, file);
}

/// The beginning of an answer whose text is longer than what is collected, and the text itself.
fn long_text() -> (Vec<u8>, String) {
    let text = format!("[{}]", "\"\u{e9}\",".repeat(60_000));
    let escaped = serde_json::to_string(&text).unwrap();
    let answer = format!(r#"{{"value":[{{"Status":200,"NextAfter":7,"Json":{escaped}}}]}}"#);
    (answer.into_bytes(), text)
}

#[test]
fn a_long_text_is_passed_on_while_it_arrives() {
    let (answer, text) = long_text();
    let late = Duration::from_secs(9);
    let parts = answer
        .chunks(answer.len() / 3 + 1)
        .map(|part| (late, Ok(part.to_vec())))
        .collect();
    let platform = Fake::default().parts(parts);
    let (begun, response) = platform.run(async {
        let response = handle(&platform, request(Method::GET, "/customers", &[], "")).await;
        let begun = platform.now();
        let (parts, mut body) = response.into_parts();
        let mut bytes = Vec::new();
        while let Some(piece) = body.next(&platform).await.unwrap() {
            bytes.extend_from_slice(&piece);
        }
        (begun, Response::from_parts(parts, bytes))
    });
    assert_eq!(response.status(), 200);
    assert!(response.headers().contains_key("link"));
    assert!(!response.headers().contains_key(CONTENT_LENGTH));
    assert_eq!(response.body(), text.as_bytes());
    assert!(begun < platform.now(), "the response began before the answer ended");
    assert_eq!(
        platform.now(),
        Duration::from_secs(1 + 27),
        "each part has the time of an attempt"
    );
}

#[test]
fn a_failure_after_the_beginning_breaks_the_response_off_and_is_logged() {
    let (answer, text) = long_text();
    let most = answer[..answer.len() - 40_000].to_vec();
    for (end, reason) in [
        (vec![], "malformed or truncated answer"),
        (
            vec![(Duration::ZERO, Err(SendError::Interrupted("response body broken off")))],
            "response body broken off",
        ),
        (vec![(Duration::from_secs(11), Ok(Vec::new()))], "attempt timeout"),
        (
            vec![(Duration::ZERO, Ok(b"\n".to_vec()))],
            "malformed or truncated answer",
        ),
    ] {
        let parts = [vec![(Duration::ZERO, Ok(most.clone()))], end].concat();
        let platform = Fake::default().parts(parts);
        let headers = [("x-correlation-id", GUID)];
        let (response, failure) = receive(&platform, request(Method::GET, "/customers", &headers, ""));
        assert!(failure.is_some());
        assert!(text.as_bytes().starts_with(response.body()) && response.body().len() < text.len());
        let expected = format!(r#"{{"event":"broken_off","reason":"{reason}","correlation_id":"{GUID}"}}"#);
        assert_eq!(platform.lines.borrow().as_slice(), [expected]);
    }
}

#[test]
fn what_was_collected_is_retried_when_it_breaks_off() {
    let platform = Fake::default()
        .parts(vec![(
            Duration::ZERO,
            Ok(br#"{"value":[{"Status":200,"Json":"[1,"#.to_vec()),
        )])
        .row(r#""Status":200,"Json":"[1,2]""#);
    assert_eq!(get(&platform, "/customers").body(), "[1,2]");
}

#[test]
fn a_head_request_does_not_wait_for_a_long_text() {
    let (answer, _) = long_text();
    let platform = Fake::default().parts(vec![
        (Duration::ZERO, Ok(answer)),
        (Duration::from_secs(60), Ok(Vec::new())),
    ]);
    let response = ask(&platform, request(Method::HEAD, "/customers", &[], ""));
    assert_eq!((response.status(), response.body().len()), (StatusCode::OK, 0));
}
