//! What a client may send: ids, query parameters, bodies and headers, each with its limits. Nothing here changes a byte
//! of the JSON.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName};
use http::{HeaderValue, Method};
use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;

use crate::platform::Chunks;
use crate::problem::{Problem, kind};

/// The header that makes a write exactly-once across requests (IETF draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A row's id: decimal digits only, 1..=2147483647 (an `INT` of SQL Server above zero).
///
/// # Errors
///
/// 400 for anything else.
pub fn id(text: &str) -> Result<i32, Problem> {
    integer(text, 1..=i32::MAX).ok_or_else(|| {
        Problem::new(
            kind::INVALID_PARAMETER,
            "The id in the path must be a whole number between 1 and 2147483647.",
        )
    })
}

/// The query parameter `name` of `query` as an integer of `range`; `default` when it is absent.
///
/// # Errors
///
/// 400 when it is given twice or is anything but an integer of the range.
pub fn query_integer(query: &str, name: &str, default: i32, range: RangeInclusive<i32>) -> Result<i32, Problem> {
    let mut values = fields(query).filter(|(field, _)| field.as_deref() == Some(name));
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(default),
        (Some((_, value)), None) => value.and_then(|value| integer(&value, range.clone())),
        (Some(_), Some(_)) => None,
    };
    value.ok_or_else(|| {
        let (min, max) = range.into_inner();
        Problem::new(
            kind::INVALID_PARAMETER,
            format!("The query parameter {name} must be given once, as a whole number between {min} and {max}."),
        )
    })
}

fn integer(text: &str, range: RangeInclusive<i32>) -> Option<i32> {
    // `parse` would also take a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && range.contains(number))
}

/// The `Idempotency-Key` of a request: 1..=255 visible ASCII characters.
///
/// # Errors
///
/// 400 for any other value, or for several.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(value), next) = (values.next(), values.next()) else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if next.is_none() && (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => {
            Ok(Some(key))
        }
        _ => Err(Problem::new(
            kind::INVALID_PARAMETER,
            "Idempotency-Key must be given once, as 1 to 255 visible ASCII characters.",
        )),
    }
}

/// How a body carries its JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MediaType {
    /// `application/json`, and for `PATCH` also `application/merge-patch+json`: the body is the JSON.
    Json,
    /// `application/x-www-form-urlencoded`: a field of the body is the JSON.
    Form,
}

/// Reads the body and returns the text of its JSON object, byte for byte as sent, white space included.
///
/// # Errors
///
/// 415 for another media type or charset; 413 above `max_bytes`; 400 for an empty body, invalid UTF-8, a form without
/// exactly one `form_field`, malformed JSON (with line and column) and JSON that is not an object.
pub async fn json_object(
    method: &Method,
    headers: &HeaderMap,
    body: impl Chunks,
    max_bytes: usize,
    form_field: &str,
) -> Result<String, Problem> {
    let media_type = match headers.get(CONTENT_TYPE) {
        None => None,
        Some(value) => Some(media_type(method, value)?),
    };
    let body = read(headers, body, max_bytes).await?;
    if body.is_empty() {
        return Err(invalid_body("The body is empty; it must be a JSON object."));
    }
    let Ok(text) = String::from_utf8(body) else {
        return Err(invalid_body("The body is not valid UTF-8."));
    };
    let json = match media_type {
        None => return Err(unsupported(method)),
        Some(MediaType::Json) => text,
        Some(MediaType::Form) => form_value(&text, form_field)?,
    };
    check_object(&json)?;
    Ok(json)
}

fn media_type(method: &Method, value: &HeaderValue) -> Result<MediaType, Problem> {
    let value = value.to_str().unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
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
        Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") => {
            charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if utf8 { Ok(media_type) } else { Err(unsupported(method)) }
}

fn unsupported(method: &Method) -> Problem {
    let detail = match *method {
        Method::PATCH => {
            "Send application/json, application/merge-patch+json or application/x-www-form-urlencoded, in UTF-8."
        }
        _ => "Send application/json or application/x-www-form-urlencoded, in UTF-8.",
    };
    Problem::new(kind::UNSUPPORTED_MEDIA_TYPE, detail)
}

async fn read(headers: &HeaderMap, mut body: impl Chunks, max_bytes: usize) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        let detail = format!("The body is larger than {max_bytes} bytes.");
        Problem::new(kind::BODY_TOO_LARGE, detail)
    };
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
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

/// The pairs of an `application/x-www-form-urlencoded` text; a name or value that is not UTF-8 once decoded is `None`.
fn fields(text: &str) -> impl Iterator<Item = (Option<Cow<'_, str>>, Option<Cow<'_, str>>)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// `+` is a space, `%XX` a byte, and a `%` that begins no such escape stands for itself (WHATWG URL, section 5.1).
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
        return Some(Cow::Owned(decoded.into_owned()));
    }
    percent_decode_str(text).decode_utf8().ok()
}

fn form_value(text: &str, form_field: &str) -> Result<String, Problem> {
    let mut values = fields(text).filter(|(name, _)| name.as_deref() == Some(form_field));
    match (values.next(), values.next()) {
        (Some((_, Some(value))), None) => Ok(value.into_owned()),
        (Some((_, None)), None) => Err(invalid_body(format!("The form field {form_field} is not valid UTF-8."))),
        _ => Err(invalid_body(format!(
            "The form must have the field {form_field} exactly once, with a JSON object as its value."
        ))),
    }
}

fn check_object(json: &str) -> Result<(), Problem> {
    // Skipping values needs no stack, so nesting has no limit here.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(json) {
        return Err(invalid_body(format!("Malformed JSON: {error}.")));
    }
    match json.trim_start().starts_with('{') {
        true => Ok(()),
        false => Err(invalid_body("The JSON is not an object.")),
    }
}

fn invalid_body(detail: impl AsRef<str>) -> Problem {
    Problem::new(kind::INVALID_BODY, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fake::{Parts, block_on};
    use http::StatusCode;
    use proptest::prelude::*;

    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";

    fn body(method: Method, content_type: &str, body: &[u8]) -> Result<String, (u16, String)> {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        }
        let body = Parts::whole(body);
        block_on(json_object(&method, &headers, body, 100, "customer")).map_err(|problem| {
            let response = problem.into_response("/", "");
            let status = response.status().as_u16();
            (status, String::from_utf8(response.body().to_vec()).unwrap())
        })
    }

    fn status(method: Method, content_type: &str, bytes: &[u8]) -> u16 {
        body(method, content_type, bytes).map_or_else(|(status, _)| status, |_| 200)
    }

    #[test]
    fn ids_are_positive_ints_in_plain_digits() {
        assert_eq!(id("1").unwrap(), 1);
        assert_eq!(id("2147483647").unwrap(), i32::MAX);
        assert_eq!(id("007").unwrap(), 7);
        let long = "1".repeat(10_240);
        for text in [
            "0",
            "-1",
            "abc",
            "2147483648",
            "1.5",
            " ",
            "+1",
            "",
            "1 ",
            "1e3",
            "\u{664}",
            &long,
        ] {
            assert_eq!(id(text).unwrap_err().kind(), kind::INVALID_PARAMETER, "{text}");
        }
    }

    #[test]
    fn query_parameters_are_given_once_and_in_range() {
        let limit = |query| query_integer(query, "limit", 1000, 1..=10_000).ok();
        assert_eq!(limit(""), Some(1000));
        assert_eq!(limit("after=3&x"), Some(1000));
        assert_eq!(limit("limit=1"), Some(1));
        assert_eq!(limit("l%69mit=%31%30"), Some(10));
        assert_eq!(limit("a=b&limit=10000"), Some(10_000));
        for query in [
            "limit",
            "limit=",
            "limit=0",
            "limit=10001",
            "limit=x",
            "limit=+1",
            "limit=1&limit=1",
            "limit=%ff",
        ] {
            assert_eq!(limit(query), None, "{query}");
        }
    }

    #[test]
    fn json_passes_byte_for_byte() {
        let text = " \r\n{\"a\": 1.50, \"a\":\"\\u00e9 \\/ \u{2028}\", \"n\":1e400, \"s\":\"\\ud800\"}\t";
        assert_eq!(body(Method::PUT, JSON, text.as_bytes()).unwrap(), text);
        assert_eq!(
            body(Method::PUT, "Application/JSON; charset=\"UTF-8\"", b"{}").unwrap(),
            "{}"
        );
        assert_eq!(
            body(Method::PATCH, "application/merge-patch+json", b"{}").unwrap(),
            "{}"
        );
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
        let json: [&[u8]; 9] = [
            b"",
            b" ",
            b"[]",
            b"\"x\"",
            b"{",
            b"{}{}",
            b"{\"a\":01}",
            b"\xff",
            b"\xef\xbb\xbf{}",
        ];
        for bytes in json {
            assert_eq!(status(Method::PUT, JSON, bytes), 400, "{bytes:?}");
        }
        for form in [
            "x={}",
            "customer={}&customer={}",
            "customer=",
            "customer=x",
            "customer=%ff",
            "customer",
        ] {
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
        let problem = block_on(json_object(&Method::PUT, &headers, never_read, 100, "x")).unwrap_err();
        assert_eq!(problem.kind().status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[test]
    fn deep_nesting_is_accepted() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
        assert!(check_object(&deep).is_ok());
    }

    #[test]
    fn idempotency_keys_are_visible_ascii() {
        let key = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).unwrap());
            idempotency_key(&headers).map(|key| key.map(str::to_owned)).ok()
        };
        assert_eq!(idempotency_key(&HeaderMap::new()).unwrap(), None);
        assert_eq!(key(b"a-~!\"1"), Some(Some("a-~!\"1".to_owned())));
        assert!(key("k".repeat(255).as_bytes()).is_some());
        for value in ["".as_bytes(), b"a b", "k".repeat(256).as_bytes(), "\u{e9}".as_bytes()] {
            assert_eq!(key(value), None);
        }
        let mut twice = HeaderMap::new();
        twice.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        twice.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        assert!(idempotency_key(&twice).is_err());
    }

    proptest! {
        #[test]
        fn any_object_survives_form_encoding(text in any::<String>()) {
            let json = serde_json::to_string(&std::collections::BTreeMap::from([("a", &text)])).unwrap();
            let encoded: String = json.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(form_value(&format!("customer={encoded}"), "customer").unwrap(), json);
        }

        #[test]
        fn forms_are_decoded_as_the_reference_decodes_them(form in "([a=&%+ ;0-9A-Fac\u{e9}]|customer=|%[0-9A-F]{2}){0,24}") {
            let reference: Vec<_> = form_urlencoded::parse(form.as_bytes()).collect();
            let ours: Vec<_> = fields(&form).collect();
            prop_assert_eq!(ours.len(), reference.len());
            for ((name, value), (reference_name, reference_value)) in ours.iter().zip(&reference) {
                for (ours, reference) in [(name, reference_name), (value, reference_value)] {
                    match ours {
                        Some(ours) => prop_assert_eq!(ours, reference),
                        // The reference replaces what is not UTF-8; here it is an error.
                        None => prop_assert_ne!(reference.find(char::REPLACEMENT_CHARACTER), None),
                    }
                }
            }
        }

        #[test]
        fn ids_are_what_a_wider_integer_says(text in "[0-9]{1,12}|[-+ 0-9a\u{664}.]{0,4}") {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let expected = text.parse::<u64>().ok().filter(|number| digits && (1..=2_147_483_647).contains(number));
            prop_assert_eq!(id(&text).ok().map(|id| id as u64), expected);
        }

        #[test]
        fn query_parameters_are_what_the_reference_finds(query in "((limit|after|l%69mit|x)=[0-9%a]{0,6}&?){0,4}") {
            let found: Vec<_> = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "limit").collect();
            let expected = match found.as_slice() {
                [] => Some(1000),
                [(_, value)] => value.parse().ok().filter(|limit| (1..=10_000).contains(limit)),
                _ => None,
            };
            prop_assert_eq!(query_integer(&query, "limit", 1000, 1..=10_000).ok(), expected);
        }

        #[test]
        fn no_body_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..99), form in any::<bool>()) {
            let _ = body(Method::PATCH, if form { FORM } else { JSON }, &bytes);
        }
    }
}
