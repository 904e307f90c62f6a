//! Long lists pass through as they arrive: the first byte is out before the last is in. A list that breaks off on the way
//! never looks whole.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::harness::up;

/// A list of about `length` bytes.
fn list(length: usize) -> String {
    let row = r#"{"CustomerID":1,"CustomerName":"Ã \/ é 😀"},"#;
    let rows = row.repeat(length / row.len());
    format!("[{}]", rows.trim_end_matches(','))
}

/// The bridge's answer with `text`.
fn answer(text: &str) -> String {
    let text = serde_json::to_string(text).expect("JSON");
    format!(r#"{{"value":[{{"Status":200,"NextAfter":null,"Json":{text}}}]}}"#)
}

/// A bridge that answers every request with the first `part` bytes of `answer` at once, and with the rest on a message.
/// If no message can come any more, the bridge closes the connection.
fn bridge(answer: String, part: usize, go_on: Receiver<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = BufReader::new(stream);
            let head = stream.by_ref().lines().map_while(Result::ok);
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let stream = stream.get_mut();
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", answer.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&answer.as_bytes()[..part]));
            if go_on.recv().is_ok() {
                let _ = stream.write_all(&answer.as_bytes()[part..]);
            }
        }
    });
    address
}

/// Asks for the list, says so whenever bytes of it have arrived, and returns what came and whether it came to its end.
fn fetch(api: SocketAddr, first_byte: &Sender<()>) -> (Vec<u8>, bool) {
    let mut stream = BufReader::new(TcpStream::connect(api).expect("the API listens"));
    let request = b"GET /customers HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    stream.get_mut().write_all(request).expect("sent");
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).expect("a head");
        assert!(!line.to_lowercase().starts_with("content-length"), "its length is not known yet");
    }
    let mut body = Vec::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).is_err() || line.is_empty() {
            return (body, false);
        }
        let size = usize::from_str_radix(line.trim(), 16).expect("the size of a chunk");
        let mut chunk = vec![0; size + 2];
        if stream.read_exact(&mut chunk).is_err() {
            return (body, false);
        }
        if size == 0 {
            return (body, true);
        }
        body.extend_from_slice(&chunk[..size]);
        let _ = first_byte.send(());
    }
}

#[test]
fn the_first_byte_is_out_before_the_last_is_in() {
    let text = list(1_000_000);
    let answer = answer(&text);
    let (first_byte, go_on) = channel();
    let part = answer.len() / 2;
    let process = up(&["--dab-url", &format!("http://{}", bridge(answer, part, go_on))]);
    let (body, whole) = fetch(process.api().address, &first_byte);
    assert!(whole);
    assert!(body == text.as_bytes(), "{} bytes of {}", body.len(), text.len());
}

#[test]
fn a_list_that_breaks_off_never_looks_whole() {
    let text = list(1_000_000);
    let answer = answer(&text);
    let (nobody, go_on) = channel::<()>();
    drop(nobody);
    let part = answer.len() / 2;
    let process = up(&["--dab-url", &format!("http://{}", bridge(answer, part, go_on))]);
    let (first_byte, _) = channel();
    let (body, whole) = fetch(process.api().address, &first_byte);
    assert!(!whole, "it ended as if it were whole");
    assert!(text.as_bytes().starts_with(&body));
}

#[test]
fn ten_megabytes_pass_byte_for_byte() {
    let text = list(10_000_000);
    let answer = answer(&text);
    let (first_byte, go_on) = channel();
    let part = answer.len() - 1;
    let process = up(&["--dab-url", &format!("http://{}", bridge(answer, part, go_on))]);
    let (body, whole) = fetch(process.api().address, &first_byte);
    assert!(whole && body == text.as_bytes(), "{} bytes of {}", body.len(), text.len());
}
