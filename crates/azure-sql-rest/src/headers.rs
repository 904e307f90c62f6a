//! Header names that the `http` crate does not have, and the headers that the core reads.

use http::header::{
    ACCEPT, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, DATE, IF_MATCH, IF_NONE_MATCH, ORIGIN, RETRY_AFTER,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The API's name for the id that ties an answer to the log.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// Data API Builder's name for the correlation id, which the API accepts too. A value that is a GUID prefixes the lines of
/// its log.
pub const MS_CORRELATION_ID: HeaderName = HeaderName::from_static("x-ms-correlation-id");

/// Makes a write exactly-once across requests (IETF draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that a write had been done before under the same `Idempotency-Key`, and was not done again.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How many rows a list has, of which an answer has a page. The name is a custom of many APIs; no standard has one.
pub const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// How long Data API Builder took, and in how many attempts (W3C Server Timing).
pub const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// W3C Trace Context, handed on so that Data API Builder's spans join the client's trace.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The part of the trace context that belongs to vendors.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The media types of a `PATCH` (RFC 5789, section 3.1).
pub const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// An API key, from clients to this API and from this API to a gateway in front of Data API Builder.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The role in which a caller wants to act, one of the roles of its token. The name is Data API Builder's.
pub const ROLE: HeaderName = HeaderName::from_static("x-ms-api-role");

/// The headers that the core reads, of requests and of Data API Builder's answers. To read every header would compare each
/// name of a request, and would make the component 15 KB larger.
static READ: [HeaderName; 19] = [
    ACCEPT,
    ACCESS_CONTROL_REQUEST_METHOD,
    API_KEY,
    AUTHORIZATION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    CORRELATION_ID,
    DATE,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    MS_CORRELATION_ID,
    ORIGIN,
    RETRY_AFTER,
    ROLE,
    TRACEPARENT,
    TRACESTATE,
];

/// Keeps the headers that the core reads. The unit tests use this function too, so that a name that is missing above fails
/// them.
pub fn read(fields: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<[u8]>)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let known = READ.iter().find(|known| name.as_ref().eq_ignore_ascii_case(known.as_str()));
        if let (Some(known), Ok(value)) = (known, HeaderValue::from_bytes(value.as_ref())) {
            headers.append(known, value);
        }
    }
    headers
}
