//! The hosts: Spin with WASI 0.2 and with WASI 0.3. No other module uses WASI and the SDKs. This file has the code that both
//! share.

use std::io::{self, Write};

use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};

use crate::instance::Instance;

#[cfg(feature = "wasip2")]
pub mod wasip2;
#[cfg(feature = "wasip3")]
pub mod wasip3;

/// The component variable with all settings.
const SETTINGS: &str = "settings";

/// How much of a body is read at a time, in bytes.
const READ_BYTES: usize = 64 * 1024;

/// The state that the requests of this instance share.
static INSTANCE: Instance = Instance::new();

/// Headers in the form that the host takes.
fn fields(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}

/// The client's request in the form that the core takes. A target that is not a URI becomes `/`, which never has a route.
fn request<B>(method: Method, target: Option<String>, headers: HeaderMap, body: B) -> Request<B> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = target.and_then(|target| Uri::try_from(target).ok()).unwrap_or_default();
    *request.headers_mut() = headers;
    request
}

/// The head of Data API Builder's response. The headers of a success are not read.
fn response(status: u16, headers: impl FnOnce() -> HeaderMap) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !matches!(response.status(), StatusCode::OK | StatusCode::CREATED) {
        *response.headers_mut() = headers();
    }
    response
}

/// Writes to standard error in one piece, which `eprintln!` does not do. An error is ignored, because there is nowhere to
/// report it.
fn write_log(line: &str) {
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Converts the host's error into a failure. A request may have been sent unless the error says that it was not. This is a
/// macro, because the `ErrorCode`s of the two worlds are alike and have no type in common.
macro_rules! failure {
    ($code:expr) => {
        match $code {
            ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => Failure::NotConnected("DNS error"),
            ErrorCode::DestinationNotFound | ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
                Failure::NotConnected("destination unavailable")
            }
            ErrorCode::ConnectionRefused => Failure::NotConnected("connection refused"),
            ErrorCode::ConnectionTimeout => Failure::NotConnected("connect timeout"),
            ErrorCode::ConnectionLimitReached => Failure::NotConnected("connection limit reached"),
            ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError | ErrorCode::TlsAlertReceived(_) => {
                Failure::NotConnected("TLS error")
            }
            ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout | ErrorCode::HttpResponseTimeout => {
                Failure::TimedOut
            }
            ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => Failure::Refused("destination denied"),
            ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestMethodInvalid | ErrorCode::ConfigurationError => {
                Failure::Refused("request refused by the host")
            }
            ErrorCode::ConnectionTerminated => Failure::Interrupted("connection closed"),
            ErrorCode::HttpResponseIncomplete => Failure::Interrupted("response incomplete"),
            _ => Failure::Interrupted("HTTP exchange failed"),
        }
    };
}
use failure;
