//! The Spin platform: WASI 0.2 and the Spin SDK. The only file that knows either.

#![cfg_attr(
    target_family = "wasm",
    allow(unsafe_code, reason = "what the SDK's entry point macro expands to")
)]

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::StreamBody;
use spin_executor::{CancelOnDropToken, push_waker_and_get_token};
use spin_sdk::http::{Fields, IncomingRequest, OutgoingResponse, ResponseOutparam};
use wasi::clocks::monotonic_clock;
use wasi::http::outgoing_handler;
use wasi::http::types::{self, ErrorCode, IncomingBody, OutgoingBody, OutgoingRequest, Scheme};
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};
use wasi::random::random::get_random_u64;

use super::{Platform, SendError};
use crate::handler;

/// How much of a body is read at a time, in bytes.
const READ_BYTES: u64 = 64 * 1024;

/// The host that runs this component.
pub struct Spin;

// Natively, where this file is only checked, a linker could not take the names that the macro exports.
#[cfg_attr(target_family = "wasm", spin_sdk::http_component)]
#[cfg_attr(not(target_family = "wasm"), allow(dead_code))]
async fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let response = handler::handle(&Spin, incoming(request)).await;
    let (parts, body) = response.into_parts();
    let headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    // The host refuses only hop-by-hop headers and statuses out of range; the core makes neither.
    let response = OutgoingResponse::new(Fields::from_list(&headers).unwrap_or_else(|_| Fields::new()));
    let _ = response.set_status_code(parts.status.as_u16());
    // An error here means that the client is gone.
    let _ = out.set_with_body(response, body.into()).await;
}

fn incoming(request: IncomingRequest) -> Request<impl http_body::Body<Data = Bytes, Error = std::io::Error>> {
    let method = Method::from_bytes(request.method().to_string().as_bytes()).unwrap_or_default();
    // A target that is no URI becomes `/`, which is no route.
    let uri = request
        .path_with_query()
        .and_then(|target| Uri::try_from(target).ok())
        .unwrap_or_default();
    let headers = header_map(request.headers().entries());
    let body = request
        .into_body_stream()
        .map_ok(|chunk| http_body::Frame::data(Bytes::from(chunk)))
        .map_err(|_| std::io::ErrorKind::ConnectionAborted.into());
    let mut request = Request::new(StreamBody::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}

fn header_map(entries: Vec<(String, Vec<u8>)>) -> HeaderMap {
    entries
        .into_iter()
        .filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?)))
        .collect()
}

impl Platform for Spin {
    async fn send(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, SendError> {
        let (outgoing, body) = outgoing(request)?;
        let pending = outgoing_handler::handle(outgoing, None).map_err(|code| send_error(&code))?;
        // When the bridge stops reading, its answer or the reason why there is none follows.
        let _ = write(body, request.body()).await;
        let result = wait(|| pending.get(), || pending.subscribe()).await;
        let incoming = match result {
            Ok(Ok(incoming)) => incoming,
            Ok(Err(code)) => return Err(send_error(&code)),
            Err(()) => return Err(SendError::Interrupted("response taken twice")),
        };
        let status = StatusCode::from_u16(incoming.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = header_map(incoming.headers().entries());
        let body = incoming
            .consume()
            .map_err(|()| SendError::Interrupted("body taken twice"))?;
        let mut response = Response::new(read(&body).await?.into());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    async fn sleep(&self, duration: Duration) {
        let until = monotonic_clock::now().saturating_add(duration.as_nanos().try_into().unwrap_or(u64::MAX));
        wait(
            || (monotonic_clock::now() >= until).then_some(()),
            || monotonic_clock::subscribe_instant(until),
        )
        .await;
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    fn random(&self) -> u128 {
        u128::from(get_random_u64()) << 64 | u128::from(get_random_u64())
    }

    fn variable(&self, name: &str) -> Option<String> {
        spin_sdk::variables::get(name).ok()
    }

    fn log(&self, line: &str) {
        eprintln!("{line}");
    }
}

fn outgoing(request: &Request<Bytes>) -> Result<(OutgoingRequest, OutgoingBody), SendError> {
    let invalid = || SendError::Refused("request refused by the host");
    let headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let outgoing = OutgoingRequest::new(types::Fields::from_list(&headers).map_err(|_| invalid())?);
    let method = match *request.method() {
        Method::GET => types::Method::Get,
        Method::POST => types::Method::Post,
        _ => types::Method::Other(request.method().to_string()),
    };
    let scheme = match request.uri().scheme_str() {
        Some("https") => Scheme::Https,
        _ => Scheme::Http,
    };
    outgoing.set_method(&method).map_err(|()| invalid())?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| invalid())?;
    outgoing
        .set_authority(request.uri().authority().map(|authority| authority.as_str()))
        .map_err(|()| invalid())?;
    outgoing
        .set_path_with_query(request.uri().path_and_query().map(|target| target.as_str()))
        .map_err(|()| invalid())?;
    let body = outgoing.body().map_err(|()| invalid())?;
    Ok((outgoing, body))
}

/// Waits until `ready` has something; `subscribe` wakes it when it is worth asking again.
async fn wait<T>(ready: impl Fn() -> Option<T>, subscribe: impl Fn() -> Pollable) -> T {
    let mut subscription: Option<CancelOnDropToken> = None;
    poll_fn(|context| match ready() {
        Some(value) => Poll::Ready(value),
        None => {
            let token = push_waker_and_get_token(subscribe(), context.waker().clone());
            drop(subscription.replace(token.into()));
            Poll::Pending
        }
    })
    .await
}

async fn write(body: OutgoingBody, mut bytes: &[u8]) -> Result<(), StreamError> {
    if !bytes.is_empty() {
        let stream: OutputStream = body.write().map_err(|()| StreamError::Closed)?;
        while !bytes.is_empty() {
            let room = wait(
                || match stream.check_write() {
                    Ok(0) => None,
                    result => Some(result),
                },
                || stream.subscribe(),
            )
            .await?;
            let (chunk, rest) = bytes.split_at(bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            stream.write(chunk)?;
            bytes = rest;
        }
        stream.flush()?;
    }
    OutgoingBody::finish(body, None).map_err(|_| StreamError::Closed)
}

async fn read(body: &IncomingBody) -> Result<Vec<u8>, SendError> {
    let broken = SendError::Interrupted("response body broken off");
    let stream: InputStream = body.stream().map_err(|()| broken)?;
    let mut bytes = Vec::new();
    loop {
        let chunk = wait(
            || match stream.read(READ_BYTES) {
                Ok(chunk) if chunk.is_empty() => None,
                result => Some(result),
            },
            || stream.subscribe(),
        )
        .await;
        match chunk {
            Ok(chunk) if bytes.is_empty() => bytes = chunk,
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(_)) => return Err(broken),
        }
    }
}

/// What the host's error says about whether the bridge can have executed the request. What is not known not to have
/// been sent may have been.
fn send_error(code: &ErrorCode) -> SendError {
    match code {
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
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => SendError::Refused("destination denied"),
        ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestMethodInvalid | ErrorCode::ConfigurationError => {
            SendError::Refused("request refused by the host")
        }
        ErrorCode::ConnectionTerminated => SendError::Interrupted("connection closed"),
        ErrorCode::HttpResponseIncomplete => SendError::Interrupted("response incomplete"),
        _ => SendError::Interrupted("HTTP exchange failed"),
    }
}
