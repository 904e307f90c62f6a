//! Requests that clients of HTTP do not make: what becomes of them before the component sees them. The built-in host does
//! what Spin does.

use std::error::Error;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::harness::{Api, shared, up};

/// The answer to these bytes until the connection ends; empty if the connection ends without a byte.
fn answer(api: &Api, request: &[u8]) -> String {
    rest(sent(api, request))
}

/// The connection, after these bytes were sent.
fn sent(api: &Api, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(api.address).expect("the API listens");
    stream.write_all(request).expect("sent");
    stream
}

fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8(answer).expect("UTF-8"),
    }
}

#[test]
fn a_request_for_nobody_or_for_two_is_not_answered() {
    for request in [
        "GET /healthz HTTP/1.0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET http://a.test/healthz HTTP/1.1\r\nhost: b.test\r\nconnection: close\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n",
        "CONNECT a.test:80 HTTP/1.1\r\nhost: a.test:80\r\nconnection: close\r\n\r\n",
    ] {
        assert_eq!(answer(&shared(), request.as_bytes()), "", "{request}");
    }
}

#[test]
fn a_request_for_the_first_of_two_hosts_is_answered() {
    let request = b"GET /healthz HTTP/1.1\r\nhost: a.test\r\nhost: b.test\r\nconnection: close\r\n\r\n";
    let answer = answer(&shared(), request);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn a_header_that_is_not_utf_8_is_a_failure_without_a_body() {
    let request = b"GET /healthz HTTP/1.1\r\nhost: a\r\nx-latin-1: \xe9\r\nconnection: close\r\n\r\n";
    let answer = answer(&shared(), request);
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn a_coding_before_chunked_is_ignored() {
    let request = b"PATCH /customer/123 HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
        transfer-encoding: gzip, chunked\r\nconnection: close\r\n\r\n2\r\n[]\r\n0\r\n\r\n";
    let answer = answer(&shared(), request);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("/problems#invalid-body"), "{answer}");
}

#[test]
fn a_client_that_ends_its_side_after_the_request_gets_no_answer_and_its_request_goes_on() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let ((called, calls), (go_on, told)) = (channel(), channel());
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = BufReader::new(stream);
            let head = stream.by_ref().lines().map_while(Result::ok);
            head.take_while(|line| !line.is_empty()).for_each(drop);
            called.send(())?;
            told.recv()?;
            // The component tries this again.
            let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.get_mut().write_all(answer)?;
        }
        Ok::<_, Box<dyn Error + Send + Sync>>(())
    });
    let process = up(&["--dab-url", &url]);
    let client = sent(&process.api(), b"GET /customer/123 HTTP/1.1\r\nhost: a\r\n\r\n");
    let call = || calls.recv_timeout(Duration::from_secs(20));
    // A host that reads the end together with the request does not begin with it.
    call().expect("the first attempt");
    client.shutdown(Shutdown::Write).expect("an open socket");
    assert_eq!(rest(client), "");
    go_on.send(()).expect("the bridge waits");
    call().expect("the second attempt, for a client that has gone");
}
