//! Byte equality: what the client sends reaches the procedure's parameter, and what the procedure returns reaches the
//! client, unchanged.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Api, OF_THE_BRIDGE, Recorder, shared, up};

/// JSON objects that something on the way might be tempted to tidy up.
fn hostile() -> Vec<String> {
    let deep = format!("{{\"Deep\":{}{}}}", "[".repeat(127), "]".repeat(127));
    let objects = [
        r#"{}"#,
        r#"{"a":"\" \\ \/ / \b\f\n\r\t"}"#,
        r#"{"a":"\u0000\u001f\u007f\u00e9\u2028\ud83d\ude00"}"#,
        "{\"a\":\"\u{2028}\u{2029}\u{a0}\u{7f}\u{85}\u{feff}\u{1f600}\u{1f468}\u{200d}\u{1f469}e\u{301}\u{5e9}\u{5dc}\u{5d5}\u{5dd}\u{202e}\u{10ffff}\u{fffd}\"}",
        "\r\n\t {\"a\" :\r\n1 }\n\n ",
        r#"{"n":[1e400,-0,0.10,1E+2,12345678901234567890,123456789012345678901234567890.5]}"#,
        r#"{"a":1,"a":2,"\u0061":3,"":null}"#,
        r#"{"a":"<script>&'+%41%</script>`"}"#,
    ];
    objects.into_iter().map(str::to_owned).chain([deep]).collect()
}

fn with_recorder(test: impl FnOnce(&Api, &Recorder)) {
    let bridge = Recorder::start();
    let process = up(&["--dab-url", &bridge.url()]);
    test(&process.api(), &bridge);
}

fn parameter(bridge: &Recorder) -> String {
    let asked = bridge.take();
    assert_eq!(asked.len(), 1);
    let body: Value = serde_json::from_slice(&asked[0].body).unwrap();
    body["Json"].as_str().unwrap().to_owned()
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn from_the_client_to_the_procedure() {
    with_recorder(|api, bridge| {
        bridge.row(json!({"Status": 201, "CustomerID": 1, "Json": "[]"}));
        for object in hostile() {
            assert_eq!(api.json(Method::PUT, "/customer", &object).status, 201);
            assert_eq!(parameter(bridge), object, "as the body");
            let form = format!("customer={}", percent_encoded(&object));
            let headers = [("content-type", "application/x-www-form-urlencoded")];
            assert_eq!(api.send(Method::PUT, "/customer", &headers, form.as_bytes()).status, 201);
            assert_eq!(parameter(bridge), object, "as a form field");
            assert_eq!(api.json(Method::PATCH, "/customer/7", &object).status, 201);
            assert_eq!(parameter(bridge), object, "of a patch");
        }
    });
}

#[test]
fn from_the_procedure_to_the_client() {
    with_recorder(|api, bridge| {
        for object in hostile() {
            bridge.row(json!({"Status": 200, "ETag": "v1", "Json": object}));
            let reply = api.get("/customer/7");
            assert_eq!(reply.status, 200);
            assert_eq!(reply.text(), object);
        }
        // The same text, escaped as DAB escapes it.
        bridge
            .answer(200, r#"{"value":[{"Status":200,"Json":"\uD83D\uDE00\u00A0\u2028\u0085 \"\\\b\f\n\r\t\u001F"}]}"#);
        assert_eq!(api.get("/customer/7").text(), "\u{1f600}\u{a0}\u{2028}\u{85} \"\\\u{8}\u{c}\n\r\t\u{1f}");
    });
}

#[test]
fn percent_encoded_ids_are_decoded() {
    with_recorder(|api, bridge| {
        bridge.row(json!({"Status": 200, "Json": "[]"}));
        assert_eq!(api.get("/customer/%31%32%33").status, 200);
        let asked = bridge.take();
        assert_eq!(asked[0].method, Method::GET);
        assert_eq!(asked[0].target, "/api/get_customer?CustomerID=123");
    });
}

#[test]
fn only_agreed_headers_travel() {
    with_recorder(|api, bridge| {
        bridge.row(json!({"Status": 200, "Json": "[]"}));
        let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let headers = [
            ("x-correlation-id", id),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("authorization", "Bearer secret"),
            ("cookie", "a=b"),
            ("x-ms-api-role", "admin"),
        ];
        let reply = api.send(Method::GET, "/customers", &headers, b"");
        assert_eq!(reply.header("x-correlation-id"), id);
        let asked = bridge.take().remove(0);
        assert_eq!(asked.headers["x-ms-correlation-id"], id);
        assert_eq!(asked.headers["accept-encoding"], "identity");
        for name in ["authorization", "cookie", "x-ms-api-role", "x-correlation-id"] {
            assert!(!asked.headers.contains_key(name), "{name}");
        }
        for (name, _) in OF_THE_BRIDGE {
            assert!(!reply.headers.contains_key(name), "{name}");
        }
    });
}

#[test]
fn no_column_can_write_headers() {
    with_recorder(|api, bridge| {
        for etag in ["a\r\nset-cookie: b=c", "a\nb", "a\0"] {
            bridge.row(json!({"Status": 200, "ETag": etag, "Json": "[]"}));
            let reply = api.get("/customer/1");
            reply.problem(502);
            assert!(!reply.headers.contains_key("set-cookie"));
        }
    });
}

/// A value as `FOR JSON` writes it.
fn for_json(text: &str) -> String {
    serde_json::to_string(text).unwrap().replace('/', "\\/")
}

#[test]
fn through_the_whole_stack_and_back() {
    let api = shared();
    // 60 UTF-16 code units in 30 code points, and in 60.
    let texts = [
        "\u{1f600}".repeat(30),
        "\u{5e9}".repeat(60),
        "\u{2028}\u{a0}\u{85}\u{7f} e\u{301} \u{202e}\u{5dc}\u{10ffff}".to_owned(),
        "quotes \" ' \\ / \u{8}\u{c}\n\r\t\u{1}\u{1f}".to_owned(),
        "\u{0} <b>&amp;`".to_owned(),
        "  both ends  ".to_owned(),
        String::new(),
    ];
    for (index, text) in texts.iter().enumerate() {
        let value = serde_json::to_string(text).unwrap();
        let name = format!("Through the stack {index}");
        let body = format!(
            r#" {{"CustomerName":"{name}","PhoneNumber":"1","FaxNumber":"2","WebsiteURL":{value},"Ignored":1e400,
               "Delivery":{{"AddressLine1":{value},"AddressLine2":{value},"PostalCode":12345}}}} "#
        );
        let reply = api.json(Method::PUT, "/customer", &body);
        assert_eq!(reply.status, 201, "{}", reply.text());
        let id = reply.header("location").strip_prefix("customer/").unwrap();
        let text = for_json(text);
        let expected = format!(
            r#"[{{"CustomerID":{id},"CustomerName":"{name}","PhoneNumber":"1","FaxNumber":"2","WebsiteURL":{text},"Delivery":{{"AddressLine1":{text},"AddressLine2":{text},"PostalCode":"12345"}}}}]"#
        );
        assert_eq!(reply.text(), expected);
        assert_eq!(api.get(&format!("/customer/{id}")).text(), expected);
    }
}

#[test]
fn json_that_sql_server_cannot_read_is_refused() {
    let bridge = Recorder::start();
    let process = up(&["--dab-url", &bridge.url()]);
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(128), "]".repeat(128));
    for (body, detail) in [(deep.as_str(), "128 levels"), (r#"{"a":"\ud800"}"#, "line 1 column 7")] {
        let problem = process.api().json(Method::PUT, "/customer", body).problem(400);
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    }
    assert!(bridge.take().is_empty(), "the bridge was asked");
}
