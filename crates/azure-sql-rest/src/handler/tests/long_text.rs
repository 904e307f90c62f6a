//! Texts that are longer than the component collects.

use super::*;

/// The beginning of an answer whose text is too long to be collected, and the text itself.
fn long_text() -> (Vec<u8>, String) {
    let text = format!("[{}]", "\"\u{e9}\",".repeat(240_000));
    let escaped = serde_json::to_string(&text).unwrap();
    let answer = format!(r#"{{"value":[{{"Status":200,"NextAfter":7,"Json":{escaped}}}]}}"#);
    (answer.into_bytes(), text)
}

#[test]
fn a_long_text_is_passed_on_while_it_arrives() {
    let (answer, text) = long_text();
    let late = Duration::from_secs(9);
    let parts = answer.chunks(answer.len() / 3 + 1).map(|part| (late, Ok(part.to_vec()))).collect();
    let platform = Fake::default().parts(parts);
    let (begun, response) = platform.run(async {
        let response = respond(&platform, request(Method::GET, "/customers", &[], "")).await;
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
    assert_eq!(platform.now(), Duration::from_secs(1 + 27), "each part has the time of an attempt");
}

#[test]
fn a_failure_after_the_beginning_breaks_the_response_off_and_is_logged() {
    let (answer, text) = long_text();
    let most = answer[..answer.len() - 40_000].to_vec();
    for (end, reason) in [
        (vec![], "malformed or truncated answer"),
        (vec![(Duration::ZERO, Err(Failure::Interrupted("response body broken off")))], "response body broken off"),
        (vec![(Duration::from_secs(11), Ok(Vec::new()))], "attempt timeout"),
        (vec![(Duration::ZERO, Ok(b"\n".to_vec()))], "malformed or truncated answer"),
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
fn a_collected_text_that_breaks_off_is_retried() {
    let platform = Fake::default()
        .parts(vec![(Duration::ZERO, Ok(br#"{"value":[{"Status":200,"Json":"[1,"#.to_vec()))])
        .row(r#""Status":200,"Json":"[1,2]""#);
    assert_eq!(get(&platform, "/customers").body(), "[1,2]");
}

#[test]
fn a_head_request_does_not_wait_for_a_long_text() {
    let (answer, _) = long_text();
    let platform = Fake::default().parts(vec![(Duration::ZERO, Ok(answer)), (Duration::from_secs(60), Ok(Vec::new()))]);
    let response = ask(&platform, request(Method::HEAD, "/customers", &[], ""));
    assert_eq!((response.status(), response.body().len()), (StatusCode::OK, 0));
}
