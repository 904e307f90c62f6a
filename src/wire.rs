//! The wire contract with Data API Builder (DAB) for stored procedures that return one row: how a call becomes an HTTP
//! request, and how the answer becomes a [`Row`]. DAB turns one `GET` or `POST` into one `EXEC`, answers
//! `{"value":[{…}]}`, and never parses a text column: the JSON that SQL built arrives as a JSON string.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::retry::Failure;
use crate::route::Call;
use crate::settings::Settings;

/// The header that DAB prefixes its log lines with, when its value is a GUID.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-ms-correlation-id");

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An `INT`.
    Integer(i32),
    /// An `NVARCHAR`.
    Text(String),
}

/// The parameters of a call: name, value. A parameter that is not among them takes its T-SQL default.
pub type Arguments = Vec<(&'static str, Value)>;

/// The one row that a procedure answers with.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The HTTP status for the client.
    pub status: u16,
    /// The row's version, without quotes.
    pub etag: Option<String>,
    /// The id of a created row.
    pub created_id: Option<i32>,
    /// The last id of a page when more rows follow.
    pub next_after: Option<i32>,
    /// Whether the request key had been used before, so that nothing was done this time.
    pub replayed: Option<bool>,
    /// The response text, or for a status of 400 and above `{"detail", "errors"}`.
    pub json: Option<String>,
}

/// The request that makes `call` with `arguments`, carrying `headers` besides its own.
pub fn request(call: &Call, arguments: &Arguments, settings: &Settings, headers: HeaderMap) -> Request<Bytes> {
    let mut target = format!("{}{}/{}", settings.dab_url, settings.dab_path, call.procedure);
    let mut request = Request::new(Bytes::new());
    *request.headers_mut() = headers;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    // DAB compresses for whoever does not say otherwise.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if call.method == Method::GET {
        for (index, (name, value)) in arguments.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
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
    *request.method_mut() = call.method.clone();
    // The settings hold a checked origin and path, and everything after them is encoded.
    *request.uri_mut() = Uri::try_from(target).unwrap_or_default();
    request
}

/// `{"name":value,…}`. A text becomes a JSON string: what DAB decodes it to is the text, byte for byte.
fn object(arguments: &Arguments) -> Vec<u8> {
    let mut json = vec![b'{'];
    for (index, (name, value)) in arguments.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        // Writing into memory does not fail.
        let _ = serde_json::to_writer(&mut json, name);
        json.push(b':');
        let _ = match value {
            Value::Integer(number) => serde_json::to_writer(&mut json, number),
            Value::Text(text) => serde_json::to_writer(&mut json, text),
        };
    }
    json.push(b'}');
    json
}

/// The row in the body of a successful answer; `id_column` is the column that becomes [`Row::created_id`].
///
/// # Errors
///
/// [`Failure::Malformed`] for what is not JSON, [`Failure::Contract`] for JSON of another shape than one row with a
/// usable `Status`.
pub fn row(body: &[u8], id_column: Option<&str>) -> Result<Row, Failure> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        value: Vec<Columns<'a>>,
    }
    let envelope: Envelope = serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => Failure::Contract("the answer is not a list of rows"),
        Category::Io | Category::Syntax | Category::Eof => Failure::Malformed,
    })?;
    let [columns] = envelope.value.as_slice() else {
        return Err(Failure::Contract("the answer has not exactly one row"));
    };
    let row = Row {
        status: column(columns, "Status")?.ok_or(Failure::Contract("Status is missing"))?,
        etag: column(columns, "ETag")?,
        created_id: id_column.map_or(Ok(None), |id_column| column(columns, id_column))?,
        next_after: column(columns, "NextAfter")?,
        replayed: column(columns, "Replayed")?,
        json: column(columns, "Json")?,
    };
    match row.status {
        200..=299 | 400..=499 => Ok(row),
        _ => Err(Failure::Contract("Status is neither a success nor a client error")),
    }
}

/// A row as it arrives: each column's name and its value's JSON text.
type Columns<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

fn column<'a, T: Deserialize<'a>>(columns: &Columns<'a>, name: &str) -> Result<Option<T>, Failure> {
    match columns.get(name) {
        Some(value) => {
            serde_json::from_str(value.get()).map_err(|_| Failure::Contract("a column has another type than agreed"))
        }
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fake::Fake;
    use crate::route::Created;
    use proptest::prelude::*;

    fn call(method: Method) -> Call {
        Call {
            procedure: "do_thing",
            method,
            parameters: &[],
            created: None::<Created>,
        }
    }

    fn settings() -> Settings {
        Settings::read(&Fake::default()).unwrap()
    }

    #[test]
    fn a_read_is_a_get_with_a_query() {
        let arguments = vec![
            ("After", Value::Integer(0)),
            ("Name", Value::Text("a b&c=\u{e9}".into())),
        ];
        let request = request(&call(Method::GET), &arguments, &settings(), HeaderMap::new());
        assert_eq!(request.method(), Method::GET);
        assert_eq!(
            request.uri(),
            "http://127.0.0.1:5000/api/do_thing?After=0&Name=a%20b%26c%3D%C3%A9"
        );
        assert!(request.body().is_empty());
        assert_eq!(request.headers()[ACCEPT_ENCODING], "identity");
    }

    #[test]
    fn a_write_is_a_post_with_an_object() {
        let arguments = vec![
            ("CustomerID", Value::Integer(7)),
            ("Json", Value::Text("{\"a\": \"\\/\u{1f600}\"}\n".into())),
        ];
        let request = request(&call(Method::POST), &arguments, &settings(), HeaderMap::new());
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "http://127.0.0.1:5000/api/do_thing");
        let body = "{\"CustomerID\":7,\"Json\":\"{\\\"a\\\": \\\"\\\\/\u{1f600}\\\"}\\n\"}";
        assert_eq!(request.body(), body);
        assert_eq!(request.headers()[CONTENT_LENGTH], body.len().to_string());
    }

    #[test]
    fn a_row_is_read_by_column_names() {
        let body = br#"{"value":[{"Status":201,"ETag":"v1","CustomerID":7,"Extra":null,"NextAfter":null,"Replayed":true,"Json":"[\"\u00e9\uD83D\uDE00\"]"}]}"#;
        let expected = Row {
            status: 201,
            etag: Some("v1".into()),
            created_id: Some(7),
            next_after: None,
            replayed: Some(true),
            json: Some("[\"\u{e9}\u{1f600}\"]".into()),
        };
        assert_eq!(row(body, Some("CustomerID")), Ok(expected));
        assert_eq!(row(br#"{"value":[{"Status":404}]}"#, None).unwrap().json, None);
    }

    #[test]
    fn what_is_not_whole_json_is_malformed() {
        for body in [
            "",
            "{",
            r#"{"value":[{"Status":200,"Json":"["#,
            "<html>",
            r#"{"value":[]}x"#,
            "\u{feff}{}",
        ] {
            assert_eq!(row(body.as_bytes(), None), Err(Failure::Malformed), "{body}");
        }
        assert_eq!(row(b"{\"value\":[{\"Json\":\"\xff\"}]}", None), Err(Failure::Malformed));
    }

    #[test]
    fn json_of_another_shape_breaks_the_contract() {
        for body in [
            "[]",
            "{}",
            r#"{"value":[]}"#,
            r#"{"value":{}}"#,
            r#"{"value":[{}]}"#,
            r#"{"value":[{"Status":200},{"Status":200}]}"#,
            r#"{"value":[{"Status":"200"}]}"#,
            r#"{"value":[{"Status":500}]}"#,
            r#"{"value":[{"Status":302}]}"#,
            r#"{"value":[{"Status":200,"Json":{}}]}"#,
            r#"{"value":[{"JSON_F52E2B61-18A1-11d1-B105-00805F49916B":"[{"}]}"#,
        ] {
            assert!(
                matches!(row(body.as_bytes(), None), Err(Failure::Contract(_))),
                "{body}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_reaches_the_parameter_and_comes_back_unchanged(text in any::<String>()) {
            let sent = object(&vec![("Json", Value::Text(text.clone()))]);
            let parsed: BTreeMap<String, String> = serde_json::from_slice(&sent).unwrap();
            prop_assert_eq!(&parsed["Json"], &text);
            let answer = serde_json::json!({"value": [{"Status": 200, "Json": text}]}).to_string();
            prop_assert_eq!(row(answer.as_bytes(), None).unwrap().json, Some(text));
        }

        #[test]
        fn no_answer_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = row(&bytes, Some("CustomerID"));
        }
    }
}
