//! Each fault as a client sees it on the wire, whether the call is executed, and how the plan is controlled.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::server::{Server, connect};

const PATCH: &str = r#"{"CustomerID":801,"Json":"{\"PhoneNumber\":\"changed\"}","RequestKey":"k"}"#;

/// The result of one request: all bytes of the answer up to the end of the connection, and how the connection ended.
struct Heard {
    bytes: String,
    ended: Result<(), ErrorKind>,
}

impl Heard {
    /// The bytes after the head.
    fn body(&self) -> &str {
        self.bytes.split_once("\r\n\r\n").expect("a head").1
    }
}

/// Sends the call of a PATCH on a new connection.
fn patch(server: &Server) -> Heard {
    let length = PATCH.len();
    let request = format!(
        "POST /api/patch_customer HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{PATCH}"
    );
    exchange(server, &request)
}

fn exchange(server: &Server, request: &str) -> Heard {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes).map(drop).map_err(|error| error.kind());
    Heard { bytes: String::from_utf8(bytes).unwrap(), ended }
}

/// A server whose first call has `fault`, with further members of the plan.
fn with_first(fault: &str, members: &str) -> (Server, String) {
    Server::with_faults(&format!(r#"{{"first":["{fault}"]{members}}}"#))
}

fn was_executed(server: &Server) -> bool {
    server.get("/api/get_customer?CustomerID=801").body.contains("changed")
}

fn control(address: &str, method: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let request = format!("{method} /faults HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}");
    let reply = connect(address).exchange(request.as_bytes());
    (reply.status, reply.body)
}

fn log(address: &str) -> Value {
    let (status, report) = control(address, "GET", "");
    assert_eq!(status, 200);
    serde_json::from_str::<Value>(&report).unwrap()["log"].take()
}

/// Waits until the log has this line.
fn await_log(address: &str, holds: impl Fn(&Value) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds(&log(address)) {
        assert!(Instant::now() < deadline, "{}", log(address));
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_call_without_a_fault_is_answered_as_ever() {
    let (faulty, control) = Server::with_faults(r#"{"first":[null]}"#);
    let plain = Server::start();
    for target in ["/", "/api/get_customer?CustomerID=123", "/api/nothing"] {
        let (one, other) = (faulty.get(target), plain.get(target));
        assert_eq!((one.status, &one.body), (other.status, &other.body));
    }
    assert_eq!(log(&control)["calls"], 3);
}

#[test]
fn resets_end_the_connection_without_an_answer() {
    for (fault, executed) in [("reset_before_read", false), ("reset_after_read", false), ("commit_then_drop", true)] {
        let (server, control) = with_first(fault, "");
        let heard = patch(&server);
        assert_eq!(heard.bytes, "", "{fault}");
        assert_eq!(heard.ended, Err(ErrorKind::ConnectionReset), "{fault}");
        assert_eq!(was_executed(&server), executed, "{fault}");
        let log = log(&control);
        assert_eq!(log["faults"], json!({fault: 1}));
        assert_eq!(log["unanswered_writes"], u64::from(executed));
        assert_eq!(log["abandoned"], 0);
    }
}

#[test]
fn a_reset_can_come_before_the_body_was_sent() {
    let (server, _control) = with_first("reset_before_read", "");
    let heard = exchange(&server, "POST /api/patch_customer HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    assert_eq!(heard.ended, Err(ErrorKind::ConnectionReset));
}

#[test]
fn refuse_closes_the_port_for_a_while() {
    let (server, control) = with_first("refuse", r#","refuse_ms":400"#);
    // Another client's connection, open and idle.
    let mut idle = TcpStream::connect(&server.address).unwrap();
    assert_eq!(patch(&server).ended, Err(ErrorKind::ConnectionReset));
    await_log(&control, |log| log["closings"] == 1);
    assert_eq!(TcpStream::connect(&server.address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(idle.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let begin = Instant::now();
    while TcpStream::connect(&server.address).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(5));
    }
    assert!(!was_executed(&server));
}

#[test]
fn a_delayed_call_is_executed_even_when_its_client_has_gone() {
    let (server, control) = with_first("delay", r#","delay_ms":300"#);
    let begin = Instant::now();
    let heard = patch(&server);
    assert!(begin.elapsed() >= Duration::from_millis(300));
    assert!(heard.bytes.starts_with("HTTP/1.1 201 Created\r\n"), "{}", heard.bytes);
    assert!(was_executed(&server));

    let (server, control_of_second) = with_first("delay", r#","delay_ms":300"#);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let length = PATCH.len();
    write!(stream, "POST /api/patch_customer HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{PATCH}").unwrap();
    await_log(&control_of_second, |log| log["calls"] == 1);
    drop(stream);
    await_log(&control_of_second, |log| log["abandoned"] == 1);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !was_executed(&server) {
        assert!(Instant::now() < deadline);
    }
    assert_eq!(log(&control)["abandoned"], 0);
}

#[test]
fn a_stalled_answer_stops_half_way_and_stays_open() {
    let (server, _control) = with_first("stall", r#","stall_ms":300"#);
    let begin = Instant::now();
    let heard = patch(&server);
    assert!(begin.elapsed() >= Duration::from_millis(300));
    assert_eq!(heard.ended, Err(ErrorKind::ConnectionReset));
    assert!(heard.bytes.starts_with("HTTP/1.1 201 Created\r\n"), "{}", heard.bytes);
    assert!(heard.bytes.contains("\r\ntransfer-encoding: chunked\r\n"));
    assert!(heard.body().contains(r#"{"value":[{"Status":202,"#) && !heard.body().ends_with('}'));
    assert!(was_executed(&server));
}

#[test]
fn a_truncated_answer_ends_half_way() {
    let (server, control) = with_first("truncate", "");
    let heard = patch(&server);
    assert_eq!(heard.ended, Ok(()));
    let (length, chunk) = heard.body().split_once("\r\n").unwrap();
    assert_eq!(usize::from_str_radix(length, 16).unwrap() / 2, chunk.len());
    assert!(was_executed(&server));
    assert_eq!(log(&control)["unanswered_writes"], 1);
}

#[test]
fn a_wrong_content_length_is_too_long_or_too_short() {
    for (fault, numerator, more) in [("length_too_long", 4, 1), ("length_too_short", 1, 0)] {
        let (server, _control) = with_first(fault, "");
        let heard = patch(&server);
        let header = format!("\r\ncontent-length: {}\r\n", heard.body().len() * numerator / 2 + more);
        assert!(heard.bytes.contains(&header), "{fault}: {}", heard.bytes);
        assert!(!heard.bytes.contains("transfer-encoding"));
        assert!(heard.body().starts_with(r#"{"value":[{"Status":202,"#) && heard.body().ends_with("}]}"));
        assert!(was_executed(&server));
    }
}

#[test]
fn errors_come_with_and_without_retry_after() {
    for (fault, status) in [
        ("error_429", "429 Too Many Requests"),
        ("error_500", "500 Internal Server Error"),
        ("error_502", "502 Bad Gateway"),
        ("error_503", "503 Service Unavailable"),
    ] {
        for share in [0, 1] {
            let members = format!(r#","retry_after_share":{share},"retry_after_s":7"#);
            let (server, _control) = with_first(fault, &members);
            let heard = patch(&server);
            assert_eq!(heard.ended, Ok(()));
            assert!(heard.bytes.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{}", heard.bytes);
            assert_eq!(heard.bytes.contains("\r\nretry-after: 7\r\n"), share == 1, "{fault}");
            assert!(!was_executed(&server));
        }
    }
}

#[test]
fn error_500_is_the_one_that_dab_gives_in_production() {
    let (server, _control) = with_first("error_500", "");
    let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let reply = server.send("GET", "/api/ready", &format!("x-ms-correlation-id: {id}\r\n"), "");
    let message = "While processing your request the database ran into an error.";
    let envelope = format!(r#"{{"error":{{"code":"DatabaseOperationFailed","message":"{message}","status":500}}}}"#);
    assert_eq!((reply.status, reply.body.as_str()), (500, envelope.as_str()));
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(reply.header("server"), Some("Kestrel"));
    assert_eq!(reply.header("x-ms-correlation-id"), Some(id));
}

#[test]
fn dab_waits_before_that_500_when_it_cannot_connect_and_executes_nothing() {
    for fault in ["login_refused", "silence"] {
        let (server, control) = with_first(fault, r#","login_ms":300,"silence_ms":300"#);
        let begin = Instant::now();
        let heard = patch(&server);
        assert!(begin.elapsed() >= Duration::from_millis(300), "{fault}");
        assert!(heard.body().contains("DatabaseOperationFailed"), "{fault}");
        assert!(!was_executed(&server), "{fault}");
        assert_eq!(log(&control)["faults"], json!({fault: 1}));
    }
}

#[test]
fn garbage_has_the_status_of_a_success_and_is_not_json() {
    for seed in 0..8 {
        let (server, _control) = with_first("garbage", &format!(r#","seed":{seed}"#));
        let reply = server.get("/api/get_customer?CustomerID=801");
        assert_eq!(reply.status, 200);
        assert!(serde_json::from_str::<Value>(&reply.body).is_err(), "{}", reply.body);
    }
    let (server, _control) = with_first("garbage", "");
    assert!(patch(&server).bytes.starts_with("HTTP/1.1 201 Created\r\n"));
    assert!(!was_executed(&server));
}

#[test]
fn an_outage_refuses_and_cuts_until_it_is_over() {
    let (server, address) = Server::with_faults("{}");
    let mut idle = TcpStream::connect(&server.address).unwrap();
    let (status, _) = control(&address, "PUT", r#"{"outages":[{"after_ms":0,"for_ms":400,"kind":"refuse"}]}"#);
    let begin = Instant::now();
    assert_eq!(status, 200);
    await_log(&address, |log| log["closings"] == 1);
    assert_eq!(idle.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(TcpStream::connect(&server.address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    while TcpStream::connect(&server.address).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(5));
    }
    assert!(begin.elapsed() > Duration::from_millis(300));
    assert_eq!(server.get("/api/ready").status, 200);
}

#[test]
fn the_plan_is_read_and_replaced_on_a_port_of_its_own() {
    let (server, address) = Server::with_faults(r#"{"rates":{"error_503":1}}"#);
    assert_eq!(server.get("/api/ready").status, 503);
    let (_, report) = control(&address, "GET", "");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["plan"]["rates"], json!({"error_503": 1.0}));
    assert_eq!(report["log"]["faults"], json!({"error_503": 1}));

    let (status, why) = control(&address, "PUT", r#"{"rates":{"error_503":2}}"#);
    assert_eq!(status, 400);
    assert!(why.contains("between 0 and 1"), "{why}");
    assert_eq!(server.get("/api/ready").status, 503, "the old plan stays");

    assert_eq!(control(&address, "PUT", "{}").0, 200);
    assert_eq!(server.get("/api/ready").status, 200);
    assert_eq!(log(&address)["calls"], 1, "counted anew");
    assert_eq!(control(&address, "DELETE", "").0, 404);
    assert_eq!(server.get("/faults").status, 400, "DAB has no such path");
}

#[test]
fn the_end_of_the_server_does_not_wait_for_stalled_answers() {
    let (server, control) = with_first("stall", "");
    let mut stream = TcpStream::connect(&server.address).unwrap();
    write!(stream, "GET /api/ready HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 1);
    await_log(&control, |log| log["faults"]["stall"] == 1);
    let begin = Instant::now();
    drop(server);
    assert!(begin.elapsed() < Duration::from_secs(5));
}
