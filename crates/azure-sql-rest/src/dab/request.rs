//! A call as an HTTP request to Data API Builder, which turns one `GET` or `POST` into one `EXEC`.

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, Serializer};

/// An argument's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// An `INT` or `BIGINT`.
    Integer(i64),
    /// An `NVARCHAR` or `UNIQUEIDENTIFIER`.
    Text(String),
}

/// The arguments of a call: name, value. A parameter that is not among them takes its T-SQL default.
pub type Arguments = Vec<(&'static str, Value)>;

/// The request that calls the procedure at `target` with `arguments`, carrying `headers` besides its own. With `GET` the
/// arguments are the query, with `POST` a JSON object.
pub fn request(method: Method, mut target: String, arguments: &Arguments, headers: HeaderMap) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.headers_mut() = headers;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    // Data API Builder compresses answers by default.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if method == Method::GET {
        for (index, (name, value)) in arguments.iter().enumerate() {
            target.extend([if index == 0 { "?" } else { "&" }, name, "="]);
            match value {
                Value::Integer(number) => target.push_str(&number.to_string()),
                Value::Text(text) => target.extend(utf8_percent_encode(text, NON_ALPHANUMERIC)),
            }
        }
    } else {
        let body = object(arguments);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        *request.body_mut() = body.into();
    }
    *request.method_mut() = method;
    // The settings hold a checked origin and path, and everything after them is encoded.
    *request.uri_mut() = Uri::try_from(target).unwrap_or_default();
    request
}

/// Writes `{"name":value,…}`. A text becomes a JSON string, which Data API Builder decodes to the same text, byte for byte.
fn object(arguments: &Arguments) -> Vec<u8> {
    // Escapes make a text longer, but most texts have few.
    let lengths = arguments.iter().map(|(name, value)| match value {
        Value::Integer(_) => name.len() + 24,
        Value::Text(text) => name.len() + text.len() + text.len() / 4 + 8,
    });
    let mut json = Vec::with_capacity(lengths.sum::<usize>() + 2);
    // Writing texts and numbers cannot fail.
    let _ = serde_json::Serializer::new(&mut json).collect_map(arguments.iter().map(|(name, value)| (name, value)));
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn request_to_dab(method: Method, arguments: &Arguments) -> Request<Bytes> {
        request(method, "http://127.0.0.1:5000/api/do_thing".into(), arguments, HeaderMap::new())
    }

    #[test]
    fn a_read_is_a_get_with_a_query() {
        let arguments = vec![("After", Value::Integer(0)), ("Name", Value::Text("a b&c=\u{e9}".into()))];
        let request = request_to_dab(Method::GET, &arguments);
        assert_eq!(request.method(), Method::GET);
        assert_eq!(request.uri(), "http://127.0.0.1:5000/api/do_thing?After=0&Name=a%20b%26c%3D%C3%A9");
        assert!(request.body().is_empty());
        assert_eq!(request.headers()[ACCEPT_ENCODING], "identity");
    }

    #[test]
    fn a_write_is_a_post_with_an_object() {
        let json = Value::Text("{\"a\": \"\\/\u{1f600}\"}\n".into());
        let request = request_to_dab(Method::POST, &vec![("CustomerID", Value::Integer(7)), ("Json", json)]);
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "http://127.0.0.1:5000/api/do_thing");
        let body = "{\"CustomerID\":7,\"Json\":\"{\\\"a\\\": \\\"\\\\/\u{1f600}\\\"}\\n\"}";
        assert_eq!(request.body(), body);
        assert_eq!(request.headers()[CONTENT_LENGTH], body.len().to_string());
    }

    proptest! {
        #[test]
        fn any_text_reaches_the_parameter_unchanged(text in any::<String>()) {
            let sent = object(&vec![("Json", Value::Text(text.clone()))]);
            let parsed: BTreeMap<String, String> = serde_json::from_slice(&sent).unwrap();
            prop_assert_eq!(&parsed["Json"], &text);
        }
    }
}
