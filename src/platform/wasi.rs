//! What the platforms for WASI 0.2 and for WASI 0.3 share.

use std::io::{self, Write};

use http::header::{
    ACCEPT, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, IF_MATCH, IF_NONE_MATCH,
    ORIGIN, RETRY_AFTER,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{access, handler, request, wire};

/// How much of a body is read at a time, in bytes.
pub const READ_BYTES: usize = 64 * 1024;

/// The headers that the core reads, of requests and of the bridge's responses. Others are not taken over.
static READ: [HeaderName; 17] = [
    ACCEPT,
    ACCESS_CONTROL_REQUEST_METHOD,
    AUTHORIZATION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    DATE,
    IF_MATCH,
    IF_NONE_MATCH,
    ORIGIN,
    RETRY_AFTER,
    access::API_KEY,
    access::ROLE,
    handler::CORRELATION_ID,
    handler::TRACEPARENT,
    handler::TRACESTATE,
    request::IDEMPOTENCY_KEY,
    wire::CORRELATION_ID,
];

/// Headers as the host gives them.
pub fn header_map(fields: Vec<(String, Vec<u8>)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let known = READ.iter().find(|known| name.eq_ignore_ascii_case(known.as_str()));
        if let (Some(known), Ok(value)) = (known, HeaderValue::try_from(value)) {
            headers.append(known, value);
        }
    }
    headers
}

/// Headers as the host takes them.
pub fn fields(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect()
}

/// Writes to standard error in one piece, which `eprintln!` does not do. There is nobody to tell when that fails.
pub fn write_log(line: &str) {
    let _ = io::stderr().write_all(line.as_bytes());
}

/// What the host's error says about whether the bridge can have executed the request. What is not known not to have
/// been sent may have been. A macro, because the `ErrorCode`s of the two worlds are alike and have no type in common.
macro_rules! send_error {
    ($code:expr) => {
        match $code {
            ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => SendError::NotConnected("DNS error"),
            ErrorCode::DestinationNotFound | ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
                SendError::NotConnected("destination unavailable")
            }
            ErrorCode::ConnectionRefused => SendError::NotConnected("connection refused"),
            ErrorCode::ConnectionTimeout => SendError::NotConnected("connect timeout"),
            ErrorCode::ConnectionLimitReached => SendError::NotConnected("connection limit reached"),
            ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError | ErrorCode::TlsAlertReceived(_) => {
                SendError::NotConnected("TLS error")
            }
            ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout | ErrorCode::HttpResponseTimeout => {
                SendError::TimedOut
            }
            ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => {
                SendError::Refused("destination denied")
            }
            ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestMethodInvalid | ErrorCode::ConfigurationError => {
                SendError::Refused("request refused by the host")
            }
            ErrorCode::ConnectionTerminated => SendError::Interrupted("connection closed"),
            ErrorCode::HttpResponseIncomplete => SendError::Interrupted("response incomplete"),
            _ => SendError::Interrupted("HTTP exchange failed"),
        }
    };
}
pub(super) use send_error;
