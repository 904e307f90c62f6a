//! The JSON in the body of a request, within limits and byte for byte as it was sent.

use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, Method};
use serde::de::IgnoredAny;

use crate::client::arguments::fields;
use crate::client::problem::{Problem, kind};
use crate::dab::answer::utf16_escape;
use crate::headers::ACCEPT_PATCH;
use crate::platform::Chunks;

/// The media types of a `PATCH` (RFC 5789, section 3.1).
pub const ACCEPT_PATCH_TYPES: &str =
    "application/merge-patch+json, application/json, application/x-www-form-urlencoded";

/// How deep SQL Server reads JSON: at 129 levels its functions fail with error 13606.
const MAX_DEPTH: usize = 128;

/// How a body carries its JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MediaType {
    /// `application/json`, and for `PATCH` also `application/merge-patch+json`: the body is the JSON.
    Json,
    /// `application/x-www-form-urlencoded`: a field of the body is the JSON.
    Form,
}

/// Reads the body and returns the text of its JSON object, byte for byte as sent, white space included. `takes_rows` is true
/// if the JSON may be an array, too; a form has an object in any case.
///
/// # Errors
///
/// - 415 for another media type, charset or content encoding
/// - 413 above `max_bytes`
/// - 400 for an incomplete body, an empty body, invalid UTF-8, or a form without exactly one `form_field`
/// - 400 for malformed JSON or half a surrogate pair (with line and column)
/// - 400 for JSON that is not an object, and for nesting that SQL Server cannot read
pub async fn json(
    method: &Method,
    headers: &HeaderMap,
    body: impl Chunks,
    max_bytes: usize,
    form_field: &str,
    takes_rows: bool,
) -> Result<String, Problem> {
    if headers.contains_key(CONTENT_RANGE) {
        return Err(invalid_body("Content-Range is not for this method: send the whole body."));
    }
    if headers.get_all(CONTENT_ENCODING).iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let problem = Problem::new(kind::UNSUPPORTED_MEDIA_TYPE, "Send the body without Content-Encoding.");
        return Err(problem.with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity")));
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let media_type = match (types.next(), types.next()) {
        (None, _) => None,
        (Some(value), None) => Some(media_type(method, value)?),
        (Some(_), Some(_)) => return Err(unsupported(method)),
    };
    let body = read(headers, body, max_bytes).await?;
    if body.is_empty() {
        return Err(invalid_body("The body is empty; it must be a JSON object."));
    }
    let Ok(text) = String::from_utf8(body) else {
        return Err(invalid_body("The body is not valid UTF-8."));
    };
    if text.starts_with('\u{feff}') {
        return Err(invalid_body("The body begins with a byte order mark; send it without."));
    }
    let (json, takes_rows) = match media_type {
        None => return Err(unsupported(method)),
        Some(MediaType::Json) => (text, takes_rows),
        Some(MediaType::Form) => (form_value(&text, form_field)?, false),
    };
    check(&json, takes_rows)?;
    Ok(json)
}

/// True if well-formed JSON is an array.
pub fn is_array(json: &str) -> bool {
    json.trim_ascii_start().starts_with('[')
}

fn media_type(method: &Method, value: &HeaderValue) -> Result<MediaType, Problem> {
    let value = value.to_str().unwrap_or_default();
    let mut parts = value.split(';').map(str::trim_ascii);
    let essence = parts.next().unwrap_or_default();
    let is = |name: &str| essence.eq_ignore_ascii_case(name);
    let media_type = if is("application/json") || (method == Method::PATCH && is("application/merge-patch+json")) {
        MediaType::Json
    } else if is("application/x-www-form-urlencoded") {
        MediaType::Form
    } else {
        return Err(unsupported(method));
    };
    let utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, charset)) if name.trim_ascii().eq_ignore_ascii_case("charset") => {
            // The names of UTF-8 (WHATWG Encoding), and of ASCII, which is a part of it.
            let labels = ["utf-8", "utf8", "us-ascii"];
            let charset = charset.trim_ascii().trim_matches('"');
            labels.iter().any(|label| charset.eq_ignore_ascii_case(label))
        }
        _ => true,
    });
    if utf8 { Ok(media_type) } else { Err(unsupported(method)) }
}

fn unsupported(method: &Method) -> Problem {
    if method == Method::PATCH {
        let problem = Problem::new(kind::UNSUPPORTED_MEDIA_TYPE, &format!("Send {ACCEPT_PATCH_TYPES}, in UTF-8."));
        return problem.with_header(ACCEPT_PATCH, HeaderValue::from_static(ACCEPT_PATCH_TYPES));
    }
    let detail = "Send application/json or application/x-www-form-urlencoded, in UTF-8.";
    Problem::new(kind::UNSUPPORTED_MEDIA_TYPE, detail)
}

async fn read(headers: &HeaderMap, mut body: impl Chunks, max_bytes: usize) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        let detail = format!("The body is larger than {max_bytes} bytes.");
        Problem::new(kind::BODY_TOO_LARGE, &detail)
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > max_bytes as u64) {
        return Err(too_large());
    }
    let mut read = Vec::new();
    loop {
        match body.next().await {
            Ok(None) => return Ok(read),
            Ok(Some(chunk)) if read.len() + chunk.len() > max_bytes => return Err(too_large()),
            Ok(Some(chunk)) if read.is_empty() => read = chunk,
            Ok(Some(chunk)) => read.extend_from_slice(&chunk),
            Err(_) => return Err(invalid_body("The body did not arrive whole.")),
        }
    }
}

fn form_value(text: &str, form_field: &str) -> Result<String, Problem> {
    let mut values = fields(text).filter(|(name, _)| name.as_deref() == Some(form_field));
    match (values.next(), values.next()) {
        (Some((_, Some(value))), None) => Ok(value.into_owned()),
        (Some((_, None)), None) => Err(invalid_body(&format!("The form field {form_field} is not valid UTF-8."))),
        _ => Err(invalid_body(&format!(
            "The form must have the field {form_field} exactly once, with a JSON object as its value."
        ))),
    }
}

fn check(json: &str, takes_rows: bool) -> Result<(), Problem> {
    // Skipping values needs no stack, so that no nesting can exhaust the stack.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(json) {
        return Err(invalid_body(&format!("Malformed JSON: {error}.")));
    }
    if !(json.trim_ascii_start().starts_with('{') || takes_rows && is_array(json)) {
        return Err(invalid_body("The JSON is not an object."));
    }
    check_text(json)
}

/// Refuses well-formed JSON that SQL Server cannot store unchanged. Such JSON is nested too deep or has half a surrogate
/// pair, which would silently become another character.
fn check_text(json: &str) -> Result<(), Problem> {
    let (mut depth, mut in_string, mut rest) = (0, false, json.as_bytes());
    while let [byte, after @ ..] = rest {
        let escape = rest;
        rest = after;
        match byte {
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    let detail = format!("The JSON is nested deeper than {MAX_DEPTH} levels.");
                    return Err(invalid_body(&detail));
                }
            }
            b'}' | b']' if !in_string => depth -= 1,
            b'\\' => {
                let length = match utf16_escape(escape) {
                    Some(Ok(character)) => 6 * character.len_utf16(),
                    Some(Err(_)) => return Err(half_a_pair(json, json.len() - rest.len())),
                    None => 2,
                };
                rest = &escape[length..];
            }
            _ => {}
        }
    }
    Ok(())
}

fn half_a_pair(json: &str, at: usize) -> Problem {
    let before = &json.as_bytes()[..at];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
    invalid_body(&format!("The escape at line {line} column {column} is half of a surrogate pair."))
}

fn invalid_body(detail: &str) -> Problem {
    Problem::new(kind::INVALID_BODY, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fake::{Parts, block_on};
    use http::{HeaderName, StatusCode};
    use proptest::prelude::*;

    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";

    fn body(method: Method, content_type: &str, body: &[u8]) -> Result<String, (u16, String)> {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        }
        let body = Parts::whole(body);
        block_on(json(&method, &headers, body, 100, "customer", false)).map_err(|problem| {
            let response = problem.into_response("/", "");
            let status = response.status().as_u16();
            (status, String::from_utf8(response.body().to_vec()).unwrap())
        })
    }

    fn status(method: Method, content_type: &str, bytes: &[u8]) -> u16 {
        body(method, content_type, bytes).map_or_else(|(status, _)| status, |_| 200)
    }

    #[test]
    fn json_passes_byte_for_byte() {
        let text = " \r\n{\"a\": 1.50, \"a\":\"\\u00e9 \\/ \u{2028}\", \"n\":1e400, \"s\":\"\\ud83d\\ude00\"}\t";
        assert_eq!(body(Method::PUT, JSON, text.as_bytes()).unwrap(), text);
        assert_eq!(body(Method::PUT, "Application/JSON; charset=\"UTF-8\"", b"{}").unwrap(), "{}");
        assert_eq!(body(Method::PATCH, "application/merge-patch+json", b"{}").unwrap(), "{}");
    }

    #[test]
    fn a_form_field_is_decoded_once() {
        let cases = [
            ("customer={}", "{}"),
            ("customer={\"a\": \"b=c\"}", "{\"a\": \"b=c\"}"),
            ("x=1&customer=%7B%22a%22%3A+%22%2B%26%22%7D&y", "{\"a\": \"+&\"}"),
            ("customer={\"a\":\"100%\"}", "{\"a\":\"100%\"}"),
            ("c%75stomer={}", "{}"),
        ];
        for (form, json) in cases {
            assert_eq!(body(Method::PUT, FORM, form.as_bytes()).unwrap(), json, "{form}");
        }
    }

    #[test]
    fn unusable_bodies_are_400() {
        let json: [&[u8]; 9] = [b"", b" ", b"[]", b"\"x\"", b"{", b"{}{}", b"{\"a\":01}", b"\xff", b"\xef\xbb\xbf{}"];
        for bytes in json {
            assert_eq!(status(Method::PUT, JSON, bytes), 400, "{bytes:?}");
        }
        for form in ["x={}", "customer={}&customer={}", "customer=", "customer=x", "customer=%ff", "customer"] {
            assert_eq!(status(Method::PUT, FORM, form.as_bytes()), 400, "{form}");
        }
        assert_eq!(status(Method::PUT, "", b""), 400);
    }

    #[test]
    fn malformed_json_is_located() {
        let (_, problem) = body(Method::PUT, JSON, b"{\n \"a\": ]\n}").unwrap_err();
        assert!(problem.contains("line 2 column 7"), "{problem}");
    }

    #[test]
    fn other_media_types_are_415() {
        for content_type in [
            "",
            "text/plain",
            "application/xml",
            "application/json; charset=utf-16",
            "application/merge-patch+json",
            "json",
        ] {
            assert_eq!(status(Method::PUT, content_type, b"{}"), 415, "{content_type}");
        }
    }

    #[test]
    fn bodies_above_the_limit_are_413_whether_announced_or_not() {
        let fits = format!("{{\"a\":\"{}\"}}", "x".repeat(92));
        assert_eq!(status(Method::PUT, JSON, fits.as_bytes()), 200);
        assert_eq!(status(Method::PUT, JSON, format!("{fits} ").as_bytes()), 413);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("18446744073709551615"));
        let never_read = Parts::never();
        let problem = block_on(json(&Method::PUT, &headers, never_read, 100, "x", false)).unwrap_err();
        assert_eq!(problem.kind().status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[test]
    fn json_is_nested_as_deep_as_sql_server_reads() {
        let nested = |levels: usize| format!("{{\"[\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        assert!(check(&nested(128), false).is_ok());
        for levels in [129, 20_000] {
            let problem = check(&nested(levels), false).unwrap_err().into_response("/", "");
            assert!(String::from_utf8_lossy(problem.body()).contains("128 levels"));
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_refused_with_its_place() {
        for json in [r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"\\ud800"}"#, r#"{"a\uD83D\uDE00\u00e9":"\/\"\n"}"#] {
            assert!(check(json, false).is_ok(), "{json}");
        }
        for json in [
            "{\n \"a\":\"\\ud800\"}",
            "{\n \"a\":\"\\udc00\\ud800\"}",
            "{\n \"a\":\"\\uD800\\n\"}",
            "{\n \"a\":\"\\ud800\\ud800\"}",
        ] {
            let problem = check(json, false).unwrap_err().into_response("/", "");
            let body = String::from_utf8_lossy(problem.body()).into_owned();
            assert!(body.contains("line 2 column 7 "), "{json}: {body}");
        }
    }

    /// The status of the answer to a body with this additional header.
    fn with_header(method: Method, name: HeaderName, value: &'static str) -> (u16, HeaderMap) {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.append(name, HeaderValue::from_static(value));
        let read = block_on(json(&method, &headers, Parts::whole(b"{}"), 100, "customer", false));
        read.map_or_else(
            |problem| {
                let response = problem.into_response("/", "");
                (response.status().as_u16(), response.headers().clone())
            },
            |_| (200, HeaderMap::new()),
        )
    }

    #[test]
    fn only_a_whole_plain_body_is_taken() {
        assert_eq!(with_header(Method::PUT, CONTENT_ENCODING, "Identity").0, 200);
        let (status, headers) = with_header(Method::PUT, CONTENT_ENCODING, "gzip");
        assert_eq!((status, &headers[ACCEPT_ENCODING]), (415, &HeaderValue::from_static("identity")));
        assert_eq!(with_header(Method::PUT, CONTENT_RANGE, "bytes 0-1/2").0, 400);
        assert_eq!(with_header(Method::PUT, CONTENT_TYPE, JSON).0, 415, "two types");
        let (status, headers) = with_header(Method::PATCH, CONTENT_TYPE, JSON);
        assert_eq!((status, &headers[ACCEPT_PATCH]), (415, &HeaderValue::from_static(ACCEPT_PATCH_TYPES)));
    }

    #[test]
    fn utf_8_has_several_names() {
        for charset in ["utf-8", "UTF8", "\"us-ascii\""] {
            assert_eq!(status(Method::PUT, &format!("{JSON}; charset={charset}"), b"{}"), 200, "{charset}");
        }
        assert_eq!(status(Method::PUT, "application/json; charset=latin1", b"{}"), 415);
        let (_, problem) = body(Method::PUT, JSON, b"\xef\xbb\xbf{}").unwrap_err();
        assert!(problem.contains("byte order mark"), "{problem}");
    }

    proptest! {
        #[test]
        fn any_object_survives_form_encoding(text in any::<String>()) {
            let json = serde_json::to_string(&std::collections::BTreeMap::from([("a", &text)])).unwrap();
            let encoded: String = json.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(form_value(&format!("customer={encoded}"), "customer").unwrap(), json);
        }

        #[test]
        fn no_body_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..99), form in any::<bool>()) {
            let _ = body(Method::PATCH, if form { FORM } else { JSON }, &bytes);
        }
    }
}
