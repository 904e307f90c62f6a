//! Preconditions, access, negotiation and other origins: everything before and after the call of Data API Builder.

use super::*;

#[test]
fn every_answer_has_the_headers_that_all_have() {
    let platform =
        Fake::default().row(r#""Status":200,"Json":"[]""#).row(r#""Status":404,"Json":"{\"detail\":\"No.\"}""#);
    for path in
        ["/customers", "/customer/7", "/healthz", "/openapi.json", "/", "/docs", "/problems", "/nowhere", "/customer/x"]
    {
        let response = get(&platform, path);
        assert_eq!(response.headers()[CACHE_CONTROL], "private, no-cache", "{path}");
        assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
    }
}

#[test]
fn a_known_version_is_not_sent_again() {
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
        assert_eq!(problem(&write(&platform, method, path, &[(header, "*")])).0, status, "{path}");
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
        let platform = Fake::default().set("api_key", "old,new").row(r#""Status":200,"Json":"[]""#);
        let response = ask(&platform, request(Method::GET, "/customers", &headers, ""));
        assert_eq!(response.status(), 200);
        assert!(!platform.sent.borrow()[0].1.headers().contains_key(AUTHORIZATION));
    }
    let open = Fake::default().set("api_key", "old").row(r#""Status":200,"Json":"{}""#);
    for path in ["/healthz", "/openapi.json", "/docs", "/problems", "/readyz"] {
        assert_eq!(get(&open, path).status(), 200, "{path}");
    }
    let response = ask(&open, request(Method::OPTIONS, "/customers", &[], ""));
    assert_eq!(response.status(), 204);
}

#[test]
fn credentials_travel_only_when_they_are_meant_to() {
    let headers = [("authorization", "Bearer token"), ("x-ms-api-role", "clerk"), ("cookie", "c")];
    let send = |platform: &Fake| ask(platform, request(Method::GET, "/customers", &headers, ""));
    let kept = Fake::default().row(r#""Status":200,"Json":"[]""#);
    send(&kept);
    assert!(!kept.sent.borrow()[0].1.headers().contains_key(AUTHORIZATION));
    let passed = Fake::default()
        .set("options", "forward_authorization=true")
        .set("dab_api_key", "gateway")
        .row(r#""Status":200,"Json":"[]""#);
    send(&passed);
    let sent = passed.sent.borrow();
    assert_eq!(sent[0].1.headers()[AUTHORIZATION], "Bearer token");
    assert_eq!(sent[0].1.headers()[headers::ROLE], "clerk");
    assert_eq!(sent[0].1.headers()[headers::API_KEY], "gateway");
    assert!(!sent[0].1.headers().contains_key("cookie"));
}

#[test]
fn the_bridges_word_on_credentials_is_the_clients_only_when_they_are_the_clients() {
    for (forward, bridge, client) in [("true", 401, 401), ("true", 403, 403), ("false", 401, 502), ("false", 403, 502)]
    {
        let platform =
            Fake::default().set("options", &format!("forward_authorization={forward}")).answer(0, bridge, "");
        let response = get(&platform, "/customers");
        assert_eq!(problem(&response).0, client);
        assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), client == 401);
    }
}

#[test]
fn a_token_for_the_bridge_is_no_api_key() {
    let platform = Fake::default().set("options", "forward_authorization=true").set("api_key", "key");
    let headers = [("authorization", "Bearer key")];
    let response = ask(&platform, request(Method::GET, "/customers", &headers, ""));
    assert_eq!(problem(&response).0, 401);
}

#[test]
fn probes_are_answered_whatever_is_acceptable() {
    let platform = Fake::default().row(r#""Status":200,"Json":"{}""#);
    let html = [("accept", "text/html")];
    for (method, path) in [(Method::GET, "/customers"), (Method::GET, "/openapi.json"), (Method::DELETE, "/customer/7")]
    {
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
            .set("options", "cors_allowed_origins=https://shop.example")
            .row(r#""Status":200,"Json":"[]""#);
        let headers = [("origin", origin), ("access-control-request-method", "PATCH")];
        ask(&platform, request(method, path, &headers, ""))
    };
    for path in ["/customers", "/nowhere", "/customer/x", "/openapi.json"] {
        let response = ask(Method::GET, path, "https://shop.example");
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "https://shop.example", "{path}");
        let response = ask(Method::GET, path, "https://evil.example");
        assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{path}");
        assert_eq!(response.headers()[VARY], "Origin", "{path}");
    }
    let preflight = ask(Method::OPTIONS, "/customer/7", "https://shop.example");
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.headers()[ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD, PATCH, DELETE, OPTIONS");
}

#[test]
fn the_document_is_the_apps() {
    assert_eq!(get(&Fake::default(), "/openapi.json").body(), "{}");
}

#[test]
fn pages_are_html_under_a_policy_of_their_own() {
    let platform = Fake::default();
    let home = get(&platform, "/");
    assert_eq!((home.status().as_u16(), home.headers()[LOCATION].as_bytes()), (303, &b"docs"[..]));
    for path in ["/docs", "/problems"] {
        let response = get(&platform, path);
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        let post = ask(&platform, request(Method::POST, path, &[], ""));
        assert_eq!((problem(&post).0, post.headers()[ALLOW].as_bytes()), (405, &b"GET, HEAD, OPTIONS"[..]));
    }
}

#[test]
fn an_option_takes_the_pages_away() {
    let platform = Fake::default().set("options", "serve_docs=false");
    for path in ["/", "/docs", "/problems"] {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
            let response = ask(&platform, request(method.clone(), path, &[], ""));
            assert_eq!(response.status(), 404, "{method} {path}");
        }
    }
    assert_eq!(get(&platform, "/openapi.json").status(), 200);
}

#[test]
fn failures_are_logged_at_every_level_but_off() {
    for (level, lines) in [("off", 0), ("error", 2), ("warn", 2)] {
        let platform = Fake::default().set("log_level", level).answer(0, 404, "");
        get(&platform, "/customers");
        assert_eq!(platform.lines.borrow().len(), lines, "{level}");
    }
}
