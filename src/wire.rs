//! The wire contract with Data API Builder (DAB) for stored procedures that return one row: how a call becomes an HTTP
//! request, and how the answer becomes a [`Row`], whose text may still be on its way. DAB turns one `GET` or `POST` into
//! one `EXEC`, answers `{"value":[{…}]}`, and never parses a text column: the JSON that SQL built arrives as a JSON
//! string.

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, Serializer};

use crate::envelope::{Envelope, Head};
use crate::platform::Chunks;
use crate::retry::Failure;
use crate::route::Call;
use crate::settings::Settings;

/// The header that DAB prefixes its log lines with, when its value is a GUID.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-ms-correlation-id");

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// An `INT`.
    Integer(i32),
    /// An `NVARCHAR`.
    Text(String),
}

/// The parameters of a call: name, value. A parameter that is not among them takes its T-SQL default.
pub type Arguments = Vec<(&'static str, Value)>;

/// How much of a text is collected before it is passed on, in bytes. Up to here a failure can still be retried; beyond,
/// the client is already receiving. The sample's whole list (663 customers, 39 KB) fits, and one read of a longer one
/// ([`crate::platform`] reads 64 KiB) is more.
const COLLECT_BYTES: usize = 48 * 1024;

/// The one row that a procedure answers with.
#[derive(Debug)]
pub struct Row<C> {
    /// The columns before `Json`.
    pub head: Head,
    /// `Json`: the response text, or for a status of 400 and above `{"detail", "errors"}`.
    pub text: Option<Text<C>>,
}

/// The text of a row.
#[derive(Debug)]
pub enum Text<C> {
    /// All of it.
    Whole(Vec<u8>),
    /// Its beginning, while the rest is on its way. Only texts of successes arrive so.
    Arriving(Arriving<C>),
}

/// A long text on its way from the bridge.
#[derive(Debug)]
pub struct Arriving<C> {
    collected: Vec<u8>,
    envelope: Envelope,
    chunks: C,
}

impl<C: Chunks> Row<C> {
    /// Reads the body of a successful answer, all of it or as much as is collected; `id_column` is the column that
    /// becomes [`Head::created_id`].
    ///
    /// # Errors
    ///
    /// [`Failure::Send`] when the body breaks off, and those of [`Envelope::push`].
    pub async fn read(mut chunks: C, id_column: Option<&'static str>) -> Result<Self, Failure> {
        let mut envelope = Envelope::new(id_column);
        let mut collected = Vec::new();
        while let Some(chunk) = chunks.next().await.map_err(Failure::Send)? {
            let mut piece = envelope.push(chunk)?;
            match collected.is_empty() {
                true => collected = piece,
                false => collected.append(&mut piece),
            }
            if collected.len() >= COLLECT_BYTES
                && let Some(head) = envelope.head()?.filter(|head| head.status < 400).cloned()
            {
                let text = Text::Arriving(Arriving {
                    collected,
                    envelope,
                    chunks,
                });
                return Ok(Self { head, text: Some(text) });
            }
        }
        let (head, has_text) = envelope.finish()?;
        Ok(Self {
            head: head.clone(),
            text: has_text.then_some(Text::Whole(collected)),
        })
    }
}

impl<C: Chunks> Arriving<C> {
    /// The next piece of the text; `None` when all of it has been read, to the end of the answer.
    ///
    /// # Errors
    ///
    /// As [`Row::read`]: what was passed on before is then not the whole.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        while self.collected.is_empty() {
            match self.chunks.next().await.map_err(Failure::Send)? {
                Some(chunk) => self.collected = self.envelope.push(chunk)?,
                None => return self.envelope.finish().map(|_| None),
            }
        }
        Ok(Some(std::mem::take(&mut self.collected)))
    }
}

/// The request that makes `call` with `arguments`, carrying `headers` besides its own.
pub fn request(call: &Call, arguments: &Arguments, settings: &Settings, headers: HeaderMap) -> Request<Bytes> {
    let mut target = [&settings.dab_url, &settings.dab_path, "/", call.procedure].concat();
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
    // A text grows by its escapes: few in most.
    let lengths = arguments.iter().map(|(name, value)| match value {
        Value::Integer(_) => name.len() + 16,
        Value::Text(text) => name.len() + text.len() + text.len() / 4 + 8,
    });
    let mut json = Vec::with_capacity(lengths.sum::<usize>() + 2);
    // Text and numbers can always be written.
    let _ = serde_json::Serializer::new(&mut json).collect_map(arguments.iter().map(|(name, value)| (name, value)));
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platform;
    use crate::platform::fake::Fake;
    use crate::route::Created;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn call(method: Method) -> Call {
        Call {
            procedure: "do_thing",
            method,
            parameters: &[],
            created: None::<Created>,
        }
    }

    fn settings() -> Settings {
        Fake::default().settings().cloned().unwrap()
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

    proptest! {
        #[test]
        fn any_text_reaches_the_parameter_unchanged(text in any::<String>()) {
            let sent = object(&vec![("Json", Value::Text(text.clone()))]);
            let parsed: BTreeMap<String, String> = serde_json::from_slice(&sent).unwrap();
            prop_assert_eq!(&parsed["Json"], &text);
        }
    }
}
