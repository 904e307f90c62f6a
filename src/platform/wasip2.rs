//! The Spin platform with WASI 0.2: an instance for each request. The only file that knows WASI 0.2 and the SDK for it.

#![cfg_attr(
    target_family = "wasm",
    allow(unsafe_code, reason = "what the entry point macro expands to")
)]

use std::cell::OnceCell;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri};
use spin_executor::{CancelOnDropToken, push_waker_and_get_token};
use wasi::clocks::monotonic_clock;
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    self, ErrorCode, Fields, IncomingBody, IncomingRequest, IncomingResponse, OutgoingBody, OutgoingRequest,
    OutgoingResponse, ResponseOutparam, Scheme,
};
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};
use wasi::random::random::get_random_u64;

use super::wasi::{READ_BYTES, fields, header_map, send_error, write_log};
use super::{Chunks, Platform, SendError};
use crate::handler;
use crate::settings::{InvalidSetting, Settings};

/// The host that runs this component.
#[derive(Default)]
pub struct Spin {
    settings: OnceCell<Result<Settings, InvalidSetting>>,
}

// Natively, where this file is only checked, a linker could not take the names that the macro exports.
#[cfg(target_family = "wasm")]
wasi::http::proxy::export!(Spin);

impl Guest for Spin {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        spin_executor::run(async {
            let spin = Self::default();
            let response = handler::handle(&spin, incoming(request)).await;
            // An error means that the client is gone, or that the rest of the body will not come. Then the body is left
            // unfinished, and the host breaks the response off.
            let _ = spin.respond(response, out).await;
        });
    }
}

impl Spin {
    async fn respond(
        &self,
        response: Response<crate::response::Body<Incoming>>,
        out: ResponseOutparam,
    ) -> Result<(), ()> {
        let (parts, mut pieces) = response.into_parts();
        // The host refuses only hop-by-hop headers and statuses out of range; the core makes neither.
        let headers = Fields::from_list(&fields(&parts.headers)).unwrap_or_else(|_| Fields::new());
        let response = OutgoingResponse::new(headers);
        response.set_status_code(parts.status.as_u16())?;
        let body = response.body()?;
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write()?;
        while let Some(piece) = pieces.next(self).await.map_err(drop)? {
            write(&stream, &piece).await.map_err(drop)?;
        }
        drop(stream);
        OutgoingBody::finish(body, None).map_err(drop)
    }
}

fn incoming(request: IncomingRequest) -> Request<Incoming> {
    let method = match request.method() {
        types::Method::Get => Method::GET,
        types::Method::Head => Method::HEAD,
        types::Method::Post => Method::POST,
        types::Method::Put => Method::PUT,
        types::Method::Delete => Method::DELETE,
        types::Method::Connect => Method::CONNECT,
        types::Method::Options => Method::OPTIONS,
        types::Method::Trace => Method::TRACE,
        types::Method::Patch => Method::PATCH,
        types::Method::Other(name) => Method::from_bytes(name.as_bytes()).unwrap_or_default(),
    };
    // A target that is no URI becomes `/`, which is no route.
    let uri = request
        .path_with_query()
        .and_then(|target| Uri::try_from(target).ok())
        .unwrap_or_default();
    let headers = header_map(request.headers().entries());
    let mut request = Request::new(Incoming::new(request.consume(), Message::Request(request)));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}

impl Platform for Spin {
    type Body = Incoming;

    async fn send(&self, request: &Request<Bytes>) -> Result<Response<Incoming>, SendError> {
        let (outgoing, body) = outgoing(request).map_err(|()| SendError::Refused("request refused by the host"))?;
        let pending = outgoing_handler::handle(outgoing, None).map_err(|code| send_error!(code))?;
        // When the bridge stops reading, its answer or the reason why there is none follows.
        let _ = send_body(body, request.body()).await;
        let result = wait(|| pending.get(), || pending.subscribe()).await;
        let incoming = match result {
            Ok(Ok(incoming)) => incoming,
            Ok(Err(code)) => return Err(send_error!(code)),
            Err(()) => return Err(SendError::Interrupted("response taken twice")),
        };
        let status = StatusCode::from_u16(incoming.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = header_map(incoming.headers().entries());
        let mut response = Response::new(Incoming::new(incoming.consume(), Message::Response(incoming)));
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

    fn settings(&self) -> Result<&Settings, InvalidSetting> {
        let settings = self
            .settings
            .get_or_init(|| Settings::read(|name| spin_sdk::variables::get(name).ok()));
        settings.as_ref().map_err(Clone::clone)
    }

    fn log(&self, line: &str) {
        write_log(line);
    }
}

/// A body that arrives. The fields are dropped in this order, as the host wants it: children first.
pub struct Incoming {
    /// `None` when the host has none to give.
    stream: Option<InputStream>,
    _body: Option<IncomingBody>,
    _message: Message,
}

/// What a body belongs to.
enum Message {
    Request(#[expect(dead_code, reason = "kept until its body is dropped")] IncomingRequest),
    Response(#[expect(dead_code, reason = "kept until its body is dropped")] IncomingResponse),
}

impl Incoming {
    fn new(body: Result<IncomingBody, ()>, message: Message) -> Self {
        let body = body.ok();
        Self {
            stream: body.as_ref().and_then(|body| body.stream().ok()),
            _body: body,
            _message: message,
        }
    }
}

impl Chunks for Incoming {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, SendError> {
        let broken = SendError::Interrupted("body broken off");
        let Some(stream) = &self.stream else { return Err(broken) };
        let chunk = wait(
            || match stream.read(READ_BYTES as u64) {
                Ok(chunk) if chunk.is_empty() => None,
                result => Some(result),
            },
            || stream.subscribe(),
        )
        .await;
        match chunk {
            Ok(chunk) => Ok(Some(chunk)),
            Err(StreamError::Closed) => Ok(None),
            Err(StreamError::LastOperationFailed(_)) => Err(broken),
        }
    }
}

fn outgoing(request: &Request<Bytes>) -> Result<(OutgoingRequest, OutgoingBody), ()> {
    let outgoing = OutgoingRequest::new(Fields::from_list(&fields(request.headers())).map_err(drop)?);
    let method = match *request.method() {
        Method::GET => types::Method::Get,
        Method::POST => types::Method::Post,
        _ => types::Method::Other(request.method().to_string()),
    };
    let scheme = match request.uri().scheme_str() {
        Some("https") => Scheme::Https,
        _ => Scheme::Http,
    };
    outgoing.set_method(&method)?;
    outgoing.set_scheme(Some(&scheme))?;
    outgoing.set_authority(request.uri().authority().map(|authority| authority.as_str()))?;
    outgoing.set_path_with_query(request.uri().path_and_query().map(|target| target.as_str()))?;
    let body = outgoing.body()?;
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

async fn send_body(body: OutgoingBody, bytes: &[u8]) -> Result<(), ()> {
    if !bytes.is_empty() {
        write(&body.write()?, bytes).await.map_err(drop)?;
    }
    OutgoingBody::finish(body, None).map_err(drop)
}

/// Writes all of `bytes`, no faster than the other side reads.
async fn write(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = wait(
            || match stream.check_write() {
                Ok(0) => None,
                result => Some(result),
            },
            || stream.subscribe(),
        )
        .await?;
        let (piece, rest) = bytes.split_at(bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
        stream.write(piece)?;
        bytes = rest;
    }
    stream.flush()
}
