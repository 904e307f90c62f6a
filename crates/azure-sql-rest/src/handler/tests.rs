//! Whole requests against a scripted bridge.

mod long_text;
mod surface;

use super::*;
use crate::headers::IDEMPOTENCY_REPLAYED;
use crate::platform::fake::{Fake, Parts};
use http::header::{
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION,
    VARY,
};
use serde_json::Value as Json;

crate::component! {
    openapi: "{ }",
    routes: {
        /// Create a customer
        PUT "/customer" => put_customer(Json: body("customer")) creates CustomerID at "/customer/{id}";
        /// Read a customer
        GET "/customer/{id}" => get_customer(CustomerID: key(ID));
        /// List customers
        GET "/customers" => get_customers(After: page(ID), Limit: query("limit", 1..=1000, 100));
        /// Change a customer
        PATCH "/customer/{id}" => patch_customer(CustomerID: key(ID), Json: body("customer"), IfMatch: if_match);
        /// Delete a customer
        DELETE "/customer/{id}" => delete_customer(CustomerID: key(ID), IfMatch: if_match, DeletedBy: caller);
        /// Create a customer
        POST "/customers" => put_customer(Json: body("customer"), By: caller) creates CustomerID at "/customer/{id}", many by put_customers;
        /// Create or replace a code
        PUT "/code/{id}" => replace_code(CodeID: key(ID), Json: body("code"), IfMatch: if_match, IfNoneMatch: if_none_match);
        /// Description
        GET "/openapi.json" => openapi;
        /// Liveness
        GET "/healthz" => alive;
        /// Readiness
        GET "/readyz" => ready;
        /// Home
        GET "/" => home;
        /// Docs
        GET "/docs" => docs;
        /// Problems
        GET "/problems" => problems;
    }
}

const CUSTOMER: &str = r#"{"CustomerName":"A"}"#;
const GUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Parts> {
    let mut request = Request::builder().method(method).uri(path).body(Parts::whole(body.as_bytes())).unwrap();
    *request.headers_mut() = headers::read(headers.iter().copied());
    request
}

async fn respond(platform: &Fake, request: Request<Parts>) -> Response<Body<Parts>> {
    let settings = Settings::parse(&platform.settings);
    let read = async { settings.as_ref().map_err(Clone::clone) };
    handle(platform, &APP, read, request).await
}

/// The whole answer.
fn ask(platform: &Fake, request: Request<Parts>) -> Response<Bytes> {
    let (response, failure) = receive(platform, request);
    assert_eq!(failure, None);
    response
}

/// The part of the answer that arrived, and why the rest did not.
fn receive(platform: &Fake, request: Request<Parts>) -> (Response<Bytes>, Option<Failure>) {
    platform.run(async {
        let (parts, mut body) = respond(platform, request).await.into_parts();
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
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
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
fn an_array_goes_to_the_procedure_for_many_rows() {
    let rows = " [{\"A\": 1.50}, 7]\n";
    let headers = [("content-type", "application/json"), ("idempotency-key", "k"), ("x-api-key", "a")];
    let platform = Fake::default().set("api_key", "shop:a").row(r#""Status":201,"Replayed":true,"Json":"[{},{}]""#);
    let response = ask(&platform, request(Method::POST, "/customers", &headers, rows));
    assert_eq!((response.status().as_u16(), &response.body()[..]), (201, &b"[{},{}]"[..]));
    assert_eq!(response.headers()[IDEMPOTENCY_REPLAYED], "true");
    assert!(!response.headers().contains_key(LOCATION));
    assert_eq!(platform.sent.borrow()[0].1.uri().path(), "/api/put_customers");
    assert_eq!(sent(&platform), serde_json::json!({"By": "shop", "Json": rows, "RequestKey": "shop:k"}));
    let platform = Fake::default();
    for (method, path, content_type) in [
        (Method::PUT, "/customer", "application/json"),
        (Method::PATCH, "/customer/7", "application/json"),
        (Method::POST, "/customers", "application/x-www-form-urlencoded"),
    ] {
        let body = if content_type.ends_with("json") { rows } else { "customer=[{}]" };
        let response = ask(&platform, request(method, path, &[("content-type", content_type)], body));
        let (status, problem) = problem(&response);
        assert_eq!((status, problem["detail"].as_str()), (400, Some("The JSON is not an object.")), "{path}");
    }
}

#[test]
fn a_put_makes_up_a_key() {
    let platform = Fake::default().row(r#""Status":201,"CustomerID":1062,"Json":"[]""#);
    assert_eq!(write(&platform, Method::PUT, "/customer", &[]).status(), 201);
    let sent = sent(&platform);
    assert_eq!(sent["Json"], CUSTOMER);
    assert!(is_guid(sent["RequestKey"].as_str().unwrap()));
}

#[test]
fn a_row_is_replaced_at_its_path_under_both_conditions() {
    let platform = Fake::default().row(r#""Status":200,"ETag":"v2","Json":"[]""#);
    let headers = [("if-match", "*"), ("if-none-match", "*"), ("idempotency-key", "k")];
    let response = write(&platform, Method::PUT, "/code/7", &headers);
    assert_eq!((response.status().as_u16(), response.headers().get(ETAG)), (200, None));
    let arguments =
        serde_json::json!({"CodeID": 7, "IfMatch": "*", "IfNoneMatch": 1, "RequestKey": "k", "Json": CUSTOMER});
    assert_eq!(sent(&platform), arguments);
}

#[test]
fn put_has_no_etag_post_has() {
    for (method, path, tag) in [(Method::PUT, "/customer", None), (Method::POST, "/customers", Some("\"v1\""))] {
        let platform = Fake::default().row(r#""Status":201,"ETag":"v1","CustomerID":1062,"Json":"[]""#);
        let response = write(&platform, method, path, &[]);
        assert_eq!(response.headers().get(ETAG).map(|tag| tag.to_str().unwrap()), tag);
    }
}

#[test]
fn every_broken_contract_is_logged_as_such() {
    for (path, status, row) in [
        ("/customer/7", 502, r#""Status":200,"Json":null"#),
        ("/customer/7", 502, r#""Status":200,"ETag":"a b","Json":"[]""#),
        ("/customer/7", 502, r#""Status":404,"Json":"no report""#),
        ("/customers", 502, r#""Status":"200","Json":"[]""#),
        ("/readyz", 503, r#""Status":200"#),
    ] {
        let platform = Fake::default().row(row);
        assert_eq!(problem(&get(&platform, path)).0, status, "{row}");
        let lines = platform.lines.borrow();
        assert!(lines[0].starts_with(r#"{"event":"contract_broken","procedure":""#), "{lines:?}");
        assert_eq!(lines.len(), 2, "and the request: {lines:?}");
    }
    let platform = Fake::default().row(r#""Status":201,"Json":"[]""#);
    assert_eq!(problem(&write(&platform, Method::PUT, "/customer", &[])).0, 502);
    let expected =
        r#"{"event":"contract_broken","procedure":"put_customer","reason":"the key of the new row is missing","#;
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

/// `sub` of a token, unsigned.
fn bearer(subject: &str) -> String {
    use base64::Engine;
    let claims = format!(r#"{{"iss":"i","sub":"{subject}"}}"#);
    format!("Bearer e30.{}.", base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(claims))
}

#[test]
fn keys_are_scoped_to_the_caller_whose_name_is_an_argument() {
    let run_under = |settings: [(&str, &str); 2], header: (&str, &str)| {
        let platform = Fake::default().set(settings[0].0, settings[0].1).set(settings[1].0, settings[1].1);
        let platform = platform.row(r#""Status":202,"Json":"[]""#);
        let headers = [("idempotency-key", "k-1"), header];
        let response = write(&platform, Method::DELETE, "/customer/7?DeletedBy=x", &headers);
        assert_eq!(response.headers()[IDEMPOTENCY_KEY], "k-1", "the client's own");
        let sent = sent(&platform);
        let key = sent["RequestKey"].as_str().unwrap().to_owned();
        let name = key.strip_suffix(":k-1").filter(|name| !name.is_empty());
        assert_eq!(sent.get("DeletedBy").and_then(Json::as_str), name);
        key
    };
    let none = ("log_level", "warn");
    let keys = [("api_key", "shop:a,stock:b,c"), none];
    assert_eq!(run_under(keys, ("x-api-key", "a")), "shop:k-1");
    assert_eq!(run_under(keys, ("authorization", "Bearer b")), "stock:k-1");
    assert_eq!(run_under(keys, ("x-api-key", "c")), ":k-1");
    assert_eq!(run_under([("api_key", "a,b"), none], ("x-api-key", "a")), "k-1", "callers cannot be told apart");
    let tokens = [("options", "forward_authorization=true"), none];
    assert_eq!(run_under(tokens, ("authorization", &bearer("me"))), "i!me:k-1");
    assert_eq!(run_under(tokens, ("authorization", "Bearer opaque")), ":k-1");
    assert_eq!(run_under([none, ("api_key", "")], ("authorization", &bearer("me"))), "k-1", "tokens are not passed on");
    let both = [("options", "forward_authorization=true"), ("api_key", "shop:a")];
    assert_eq!(run_under(both, ("x-api-key", "a")), "shop:k-1");
}

#[test]
fn the_log_names_the_caller() {
    let platform = Fake::default().set("log_level", "info").set("api_key", "shop:a");
    for (key, expected) in [("a", r#","caller":"shop","correlation_id""#), ("b", r#""attempts":0,"correlation_id""#)] {
        ask(&platform, request(Method::GET, "/customers?limit=0", &[("x-api-key", key)], ""));
        assert!(platform.lines.take()[0].contains(expected));
    }
}

#[test]
fn references_are_relative_to_the_request() {
    for (path, expected) in [("/nowhere", "problems#"), ("/a/b/c", "../../problems#"), ("/customer/x", "../problems#")]
    {
        let (_, body) = problem(&get(&Fake::default(), path));
        assert!(body["type"].as_str().unwrap().starts_with(expected), "{body}");
    }
}

#[test]
fn every_write_that_was_sent_tells_the_key_it_ran_under() {
    let row = r#"{"value":[{"Status":202,"Json":"[]"}]}"#;
    for (status, body) in [(200, row), (409, ""), (404, "")] {
        let platform = Fake::default().answer(0, status, body);
        let headers = [("idempotency-key", "k-1")];
        let response = write(&platform, Method::PATCH, "/customer/7", &headers);
        assert_eq!(response.headers()[IDEMPOTENCY_KEY], "k-1");
        let platform = Fake::default().answer(0, status, body);
        let response = write(&platform, Method::DELETE, "/customer/7", &[]);
        assert_eq!(response.headers()[IDEMPOTENCY_KEY].to_str().ok(), sent(&platform)["RequestKey"].as_str());
    }
    let platform = Fake::default();
    assert!(!write(&platform, Method::PUT, "/customer", &[("if-match", "*")]).headers().contains_key(IDEMPOTENCY_KEY));
    let platform = Fake::default().row(r#""Status":200,"Json":"[]""#);
    assert!(!get(&platform, "/customers").headers().contains_key(IDEMPOTENCY_KEY));
}

#[test]
fn a_given_up_request_says_how_to_repeat_it() {
    let lost = || (0..3).fold(Fake::default(), |platform, _| platform.answer(60_000, 200, ""));
    let (status, body) = problem(&write(&lost(), Method::PUT, "/customer", &[]));
    assert_eq!(status, 504);
    assert!(body["detail"].as_str().unwrap().ends_with("repeat it with the Idempotency-Key of this answer."));
    let (status, body) = problem(&get(&lost(), "/customers"));
    assert_eq!(status, 504);
    assert!(body["detail"].as_str().unwrap().ends_with("can be repeated as it is."));
}

#[test]
fn requests_above_the_limit_are_refused_and_probes_are_not() {
    let (ready, list) = (r#""Status":200,"Json":"{}""#, r#""Status":200,"Json":"[]""#);
    let platform = Fake::default().set("options", "max_in_flight=1").row(ready).row(list);
    let other = platform.instance().enter(1);
    let reply = get(&platform, "/customers");
    assert_eq!(reply.headers()[RETRY_AFTER], "1");
    assert_eq!(problem(&reply).0, 503);
    assert_eq!(get(&platform, "/healthz").status(), 200);
    assert_eq!(get(&platform, "/readyz").status(), 200);
    drop(other);
    assert_eq!(get(&platform, "/customers").status(), 200);
}

#[test]
fn a_slow_upload_leaves_the_whole_budget_for_the_database() {
    let platform = Fake::default().answer(10_000, 200, "");
    let platform = platform.answer(9000, 200, r#"{"value":[{"Status":201,"CustomerID":7,"Json":"[]"}]}"#);
    let late = platform.late_body(24_900, CUSTOMER);
    let request = Request::put("/customer").header(CONTENT_TYPE, "application/json").body(late).unwrap();
    assert_eq!(ask(&platform, request).status(), 201);
}

#[test]
fn a_provider_that_fails_is_no_misconfiguration() {
    let platform = Fake::default();
    let failed = async { Err(SettingsError::Provider("vault sealed".into())) };
    let request = request(Method::GET, "/customer/7", &[], "");
    let response = platform.run(handle(&platform, &APP, failed, request));
    assert_eq!((response.status().as_u16(), &response.headers()[RETRY_AFTER]), (503, &HeaderValue::from_static("1")));
    let lines = platform.lines.borrow();
    assert!(lines[0].contains("misconfigured") && lines[0].contains("vault sealed"), "{lines:?}");
}

#[test]
fn headers_of_the_body_are_obeyed() {
    for (name, value, status) in
        [("content-encoding", "gzip", 415), ("content-range", "bytes 0-1/2", 400), ("content-length", "65537", 413)]
    {
        let response = write(&Fake::default(), Method::PUT, "/customer", &[(name, value)]);
        assert_eq!(problem(&response).0, status, "{name}");
    }
}

#[test]
fn options_say_what_a_patch_takes() {
    let options = |path| ask(&Fake::default(), request(Method::OPTIONS, path, &[], ""));
    assert_eq!(options("/customer/7").headers()[ACCEPT_PATCH], ACCEPT_PATCH_TYPES);
    assert!(!options("/customers").headers().contains_key(ACCEPT_PATCH));
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
    let slow = Fake::default().answer(0, 503, "").answer(7, 200, r#"{"value":[{"Status":200,"Json":"[]"}]}"#);
    assert_eq!(get(&slow, "/customers").headers()[SERVER_TIMING], "bridge;dur=107.000, attempts;desc=\"2\"");
    let failed = Fake::default().answer(3, 404, "");
    assert_eq!(get(&failed, "/customers").headers()[SERVER_TIMING], "bridge;dur=3.000, attempts;desc=\"1\"");
    assert!(!get(&Fake::default(), "/healthz").headers().contains_key(SERVER_TIMING));
    assert!(!get(&Fake::default(), "/customer/x").headers().contains_key(SERVER_TIMING));
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
    let response = ask(&platform, request(Method::PATCH, "/customers", &[], ""));
    assert_eq!(response.headers()[ALLOW], "GET, HEAD, POST, OPTIONS");
}

#[test]
fn the_correlation_id_is_the_clients_guid_or_a_new_one() {
    let ask = |headers: &[(&str, &str)]| {
        let platform = Fake::default().row(r#""Status":404,"Json":"{\"detail\":\"No.\"}""#);
        let response = ask(&platform, request(Method::GET, "/customer/7", headers, ""));
        let id = response.headers()[CORRELATION_ID].to_str().unwrap().to_owned();
        assert_eq!(platform.sent.borrow()[0].1.headers()[headers::MS_CORRELATION_ID], id);
        assert_eq!(problem(&response).1["correlationId"], id);
        id
    };
    assert_eq!(ask(&[("x-correlation-id", GUID)]), GUID);
    assert_eq!(ask(&[("x-ms-correlation-id", GUID)]), GUID);
    for other in ["abc", "", "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e"] {
        let id = ask(&[("x-correlation-id", other)]);
        assert!(id != other && is_guid(&id));
    }
}

#[test]
fn trace_context_travels_and_other_headers_do_not() {
    let platform = Fake::default().row(r#""Status":200,"Json":"[]""#);
    let headers = [
        ("traceparent", "00-1-2-01"),
        ("tracestate", "a=b"),
        ("tracestate", "c=d"),
        ("cookie", "c"),
        ("authorization", "Bearer x"),
    ];
    ask(&platform, request(Method::GET, "/customers", &headers, ""));
    let sent = platform.sent.borrow();
    assert_eq!(sent[0].1.headers().get_all("tracestate").iter().count(), 2);
    let mut names: Vec<_> = sent[0].1.headers().keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "traceparent", "tracestate", "x-ms-correlation-id"]);
}

#[test]
fn bad_settings_are_named_everywhere_but_at_healthz() {
    let platform = Fake::default().set("options", "retry_cap_ms=soon");
    for path in ["/customer/7", "/customers", "/readyz", "/openapi.json", "/docs", "/nowhere"] {
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
    let request = Request::put("/customer").header(CONTENT_TYPE, "application/json").body(body).unwrap();
    let response = ask(&platform, request);
    assert_eq!(problem(&response).0, 408);
    assert_eq!(platform.now(), Duration::from_secs(26), "after the request's deadline of 25 s");
}

#[test]
fn each_request_is_a_line_and_says_nothing_of_its_data() {
    let platform = Fake::default().set("log_level", "info").answer(0, 503, "").answer(
        7,
        200,
        r#"{"value":[{"Status":200,"Json":"[]"}]}"#,
    );
    let headers = [("x-correlation-id", GUID), ("x-api-key", "secret")];
    ask(&platform, request(Method::GET, "/customer/7?name=Bob", &headers, ""));
    let lines = platform.lines.borrow();
    let expected = format!(
        r#"{{"event":"request","method":"GET","route":"/customer/{{id}}","status":200,"duration_us":107000,"attempts":2,"correlation_id":"{GUID}"}}"#
    );
    assert_eq!(lines.last(), Some(&expected));
}

#[test]
fn unknown_paths_and_good_probes_are_not_logged() {
    let platform = Fake::default().set("log_level", "info").row(r#""Status":200,"Json":"{}""#).answer(0, 500, "");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(get(&platform, path).status(), 200);
    }
    assert!(platform.lines.borrow().is_empty());
    get(&platform, "/secret-path");
    assert!(platform.lines.borrow()[0].contains(r#""route":null,"status":404"#));
    get(&platform, "/readyz");
    assert!(platform.lines.borrow().last().unwrap().contains(r#""route":"/readyz","status":503"#));
}
