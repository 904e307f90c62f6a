//! DAB's replies: the envelopes of success and of errors, and the headers on every response.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use hyper::{
    HeaderMap, Response, StatusCode,
    body::{Body, Bytes, Frame, SizeHint},
    header::{CONTENT_TYPE, HeaderValue},
};
use uuid::Uuid;

use crate::{
    escape,
    procedures::{REPLAYED, Row, Value},
};

/// The header that carries a GUID through client, DAB and DAB's log.
pub(crate) const CORRELATION_ID: &str = "x-ms-correlation-id";

/// The body of a response: nothing, or a text of unannounced length. So HTTP/1.1 sends the text chunked, as ASP.NET Core
/// does.
#[derive(Debug, Default)]
pub struct ReplyBody(Option<Bytes>);

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|text| Ok(Frame::data(text))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.0 {
            Some(_) => SizeHint::default(),
            None => SizeHint::with_exact(0),
        }
    }
}

/// A failure as DAB reports it in production mode.
#[derive(Debug, PartialEq)]
pub(crate) struct DabError {
    pub status: StatusCode,
    /// A name of the enum `SubStatusCodes`.
    pub code: &'static str,
    pub message: String,
}

impl DabError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// SQL error 201, the only SQL error with a text of its own.
    pub fn missing_parameter() -> Self {
        let message = "Invalid request. Missing required request parameters.";
        Self::new(StatusCode::BAD_REQUEST, "DatabaseInputError", message)
    }

    /// A SQL error; a client learns only its status.
    pub fn database(status: StatusCode) -> Self {
        let message = "While processing your request the database ran into an error.";
        Self::new(status, "DatabaseOperationFailed", message)
    }

    /// Any other exception.
    pub fn unexpected() -> Self {
        let message = "While processing your request the server ran into an unexpected error.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "UnexpectedError", message)
    }

    /// The response, in the error envelope.
    pub fn into_response(self) -> Response<ReplyBody> {
        let mut body = format!("{{\"error\":{{\"code\":\"{}\",\"message\":\"", self.code);
        escape::strict(&self.message, &mut body);
        body.push_str(&format!("\",\"status\":{}}}}}", self.status.as_u16()));
        json(self.status, body)
    }
}

/// A response with a body.
pub(crate) fn with_body(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<ReplyBody> {
    let mut response = empty(status);
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    *response.body_mut() = ReplyBody(Some(body.into()));
    response
}

/// A response with a JSON body.
pub(crate) fn json(status: StatusCode, body: String) -> Response<ReplyBody> {
    with_body(status, "application/json; charset=utf-8", body)
}

/// A response without a body.
pub(crate) fn empty(status: StatusCode) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::default());
    *response.status_mut() = status;
    response
}

/// The text of the success envelope around one row.
pub(crate) fn envelope(columns: &[String], row: &Row) -> String {
    let mut text = String::from("{\"value\":[{");
    for (index, (name, value)) in columns.iter().zip(&row.values).enumerate() {
        let separator = if index > 0 { "," } else { "" };
        text.push_str(&format!("{separator}\"{name}\":"));
        match value {
            Value::Text(value) => {
                text.push('"');
                escape::relaxed(value, &mut text);
                text.push('"');
            }
            Value::Integer(number) if name == REPLAYED => text.push_str(if *number == 1 { "true" } else { "false" }),
            Value::Integer(number) => text.push_str(&number.to_string()),
            Value::Null | Value::Real(_) | Value::Blob(_) => text.push_str("null"),
        }
    }
    text.push_str("}]}");
    text
}

/// The GUID of a request: the client's own, with or without hyphens, else a new one.
pub(crate) fn correlation_id(headers: &HeaderMap) -> Uuid {
    let mut sent = headers.get_all(CORRELATION_ID).iter();
    let only = sent.next().filter(|_| sent.next().is_none());
    let text = only.and_then(|value| value.to_str().ok()).map(str::trim);
    // Uuid would also accept a URN or braces.
    let plain = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'));
    plain.and_then(|text| Uuid::try_parse(text).ok()).unwrap_or_else(Uuid::new_v4)
}
