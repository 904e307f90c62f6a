//! The wire contract, over real HTTP, byte by byte: what a client of Data API Builder 2.0.9 would see, beyond the record in
//! `transcript`.

use super::server::{Reply, Server};

const ERROR: &str = "While processing your request the database ran into an error.";

/// The text of the only row's `Json` column.
fn json_column(reply: &Reply) -> serde_json::Value {
    let envelope: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    let text = envelope["value"][0]["Json"].as_str().unwrap().to_owned();
    serde_json::from_str(&text).unwrap()
}

fn error(code: &str, message: &str, status: u16) -> String {
    format!(r#"{{"error":{{"code":"{code}","message":"{message}","status":{status}}}}}"#)
}

fn put_body(name: &str, key: &str) -> String {
    let json = format!(
        r#"{{"CustomerName":"{name}","PhoneNumber":"1","FaxNumber":"2","WebsiteURL":"w","Delivery":{{"AddressLine1":"a","PostalCode":98052}}}}"#
    );
    format!(r#"{{"Json":{json},"RequestKey":"{key}"}}"#)
}

#[test]
fn every_post_is_201_with_a_location() {
    let server = Server::start();
    let reply = server.post("/api/put_customer", &put_body("Zoë O'Hara <x> 😀", "k1"));
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header("location"), Some(format!("http://{}/api/put_customer", server.address).as_str()));
    assert!(reply.body.starts_with(r#"{"value":[{"Status":201,"ETag":"20"#), "{}", reply.body);
    let rest = r#"","CustomerID":1062,"Replayed":false,"Json":"[{\"CustomerID\":1062,\"CustomerName\":\"Zoë O'Hara <x> \uD83D\uDE00\",\"PhoneNumber\":\"1\",\"FaxNumber\":\"2\",\"WebsiteURL\":\"w\",\"Delivery\":{\"AddressLine1\":\"a\",\"PostalCode\":\"98052\"}}]"}]}"#;
    assert!(reply.body.ends_with(rest), "{}", reply.body);

    // Refusals are data: still 201.
    let reply = server.post("/api/delete_customer", r#"{"CustomerID":"123","RequestKey":"k2"}"#);
    assert_eq!(reply.status, 201);
    assert_eq!(
        reply.body,
        r#"{"value":[{"Status":409,"Replayed":false,"Json":"{\"detail\":\"Customer 123 is referred to by other rows and cannot be deleted.\"}"}]}"#
    );
}

#[test]
fn paths_are_matched_as_dab_does() {
    let server = Server::start();
    for (path, status, body) in [
        ("/api/get_customer/?CustomerID=1", 200, None),
        ("/api//get%5Fcustomer?CustomerID=1", 200, None),
        ("/api/nothing/at/all", 404, Some(error("EntityNotFound", "Invalid Entity path: nothing/at/all.", 404))),
        ("/caf%C3%A9'", 400, Some(error("BadRequest", r"Invalid Path for route: caf\u00E9\u0027.", 400))),
        ("/GraphQL/x", 404, Some(String::new())),
        ("/graphqlé", 400, Some(error("BadRequest", r"Invalid Path for route: graphql\u00E9.", 400))),
        ("/mcp/x", 400, Some(error("BadRequest", "Invalid Path for route: mcp/x.", 400))),
        ("/api/openapis", 404, Some(error("EntityNotFound", "Invalid Entity path: openapis.", 404))),
    ] {
        let reply = server.get(&path.replace('é', "%C3%A9"));
        assert_eq!(reply.status, status, "{path}");
        assert!(body.is_none_or(|body| reply.body == body), "{path}: {}", reply.body);
    }
}

#[test]
fn methods_are_those_of_the_configuration() {
    let server = Server::start();
    let reply = server.get("/api/put_customer?x=1");
    assert_eq!((reply.status, reply.body), (405, error("BadRequest", "This operation is not supported.", 405)));
    let reply = server.send("PATCH", "/api/patch_customer", "If-Match: \"1\"\r\n", "");
    assert_eq!(reply.body, error("BadRequest", r"Etags not supported, use \u0027*\u0027", 400));
    let reply = server.send("TRACE", "/api/get_customer", "", "");
    assert_eq!((reply.status, reply.body.as_str()), (405, ""));
}

#[test]
fn bodies_that_are_no_arguments_are_400() {
    let server = Server::start();
    for (body, expected) in [
        ("\u{feff}{", error("BadRequest", "Request body contains invalid JSON.", 400)),
        (
            r#"{"json":"{}","RequestKey":"k","é":1}"#,
            error(
                "BadRequest",
                r"Invalid request. Contained unexpected fields: json, \u00E9 for entity: put_customer",
                400,
            ),
        ),
        (&put_body("a", "k").replace("\"k\"", "null"), error("DatabaseOperationFailed", ERROR, 400)),
    ] {
        let reply = server.post("/api/put_customer", body);
        assert_eq!((reply.status, reply.body), (400, expected), "{body}");
    }
    let reply = server.post("/api/put_customer?", &put_body("a", "k"));
    assert!(reply.body.contains("Primary key for POST requests"), "{}", reply.body);
}

#[test]
fn a_json_text_and_a_json_object_reach_the_procedure_alike() {
    let server = Server::start();
    let object = put_body("a", "k");
    let created = server.post("/api/put_customer", &format!("\u{feff}{object}"));
    assert_eq!(created.status, 201);
    let document: serde_json::Value = serde_json::from_str(&object).unwrap();
    let raw = &object[r#"{"Json":"#.len()..object.find(r#","RequestKey""#).unwrap()];
    let text = serde_json::to_string(raw).unwrap();
    let as_text = format!(r#"{{"RequestKey":{},"Json":{text}}}"#, document["RequestKey"]);
    let replay = created.body.replace("\"Replayed\":false", "\"Replayed\":true");
    assert_eq!(server.post("/api/put_customer", &as_text).body, replay);
    // Another text with the same meaning is another payload.
    let spaced = format!(r#"{{"RequestKey":"k","Json":{}}}"#, raw.replacen(':', ": ", 1));
    assert!(server.post("/api/put_customer", &spaced).body.contains("\"Status\":422"));
}

#[test]
fn the_correlation_id_is_echoed_when_it_is_a_guid() {
    let server = Server::start();
    let echo = |path: &str, id: &str| {
        let reply = server.send("GET", path, &format!("x-ms-correlation-id: {id}\r\n"), "");
        reply.header("x-ms-correlation-id").unwrap().to_owned()
    };
    let guid = "01234567-89ab-cdef-0123-456789abcdef";
    for path in ["/api/ready", "/api/nothing", "/wrong", "/", "/health"] {
        assert_eq!(echo(path, guid), guid);
        assert_eq!(echo(path, &guid.to_uppercase().replace('-', "")), guid);
        let new = echo(path, "abc");
        assert_eq!((new.len(), new.matches('-').count()), (36, 4));
        assert_ne!(new, echo(path, "abc"));
    }
    let two = format!("x-ms-correlation-id: {guid}\r\nx-ms-correlation-id: {guid}\r\n");
    assert_ne!(server.send("GET", "/api/ready", &two, "").header("x-ms-correlation-id"), Some(guid));
}

#[test]
fn connections_are_kept_alive() {
    let server = Server::start();
    let mut connection = server.connect();
    for id in [1, 123, 1061] {
        let request = format!("GET /api/get_customer?CustomerID={id} HTTP/1.1\r\nHost: x\r\n\r\n");
        let reply = connection.exchange(request.as_bytes());
        assert_eq!(json_column(&reply)[0]["CustomerID"], id);
        assert_eq!(reply.header("connection"), None);
    }
}

#[test]
fn too_much_is_refused_and_ends_the_connection() {
    let server = Server::start();
    let reply = server.exchange(b"POST /api/put_customer HTTP/1.1\r\nHost: x\r\nContent-Length: 30000001\r\n\r\n");
    let unexpected = "While processing your request the server ran into an unexpected error.";
    assert_eq!(reply.body, error("UnexpectedError", unexpected, 500));
    assert_eq!(reply.header("connection"), Some("close"));
    let long = "x".repeat(8192);
    let reply = server.get(&format!("/api/get_customers?Limit={long}"));
    assert_eq!((reply.status, reply.body.as_str()), (414, ""));
    assert_eq!(reply.header("connection"), Some("close"));
}

#[test]
fn chunked_requests_are_read() {
    let server = Server::start();
    let body = put_body("a", "k");
    let (first, second) = body.split_at(40);
    let reply = server.exchange(
        format!(
            "POST /api/put_customer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
            first.len(),
            second.len()
        )
        .as_bytes(),
    );
    assert_eq!(reply.status, 201);
}
