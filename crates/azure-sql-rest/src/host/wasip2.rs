//! Spin with WASI 0.2: an instance for each request.
//!
//! Bodies use the raw streams, and requests the raw handler, because the SDK's own types have three faults:
//!
//! - The SDK's sink finishes a body that is dropped, so that a response which breaks off looks whole.
//! - The sink sends a head before the body is there, so that the two leave apart. Spin sets no `TCP_NODELAY`, so that the body
//!   waits for an acknowledgement of the head (Nagle's algorithm).
//! - The SDK's `send` adds 5 KB to the component for errors that nobody reads.

use std::cell::OnceCell;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Wake};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join;
use http::{Method, Request, Response, StatusCode};
use spin_executor::{CancelOnDropToken, push_waker_and_get_token};
use spin_sdk::http::{
    ErrorCode, Fields, IncomingRequest, IncomingResponse, OutgoingBody, OutgoingRequest, OutgoingResponse,
    ResponseOutparam, Scheme,
};
use spin_sdk::variables;
use spin_sdk::wit::wasi::clocks0_2_0::monotonic_clock;
use spin_sdk::wit::wasi::http0_2_0::outgoing_handler;
use spin_sdk::wit::wasi::http0_2_0::types::IncomingBody;
use spin_sdk::wit::wasi::random0_2_0::random::get_random_bytes;
use wasi::http::types;
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};

use super::{INSTANCE, READ_BYTES, SETTINGS, failure, fields, write_log};
use crate::app::App;
use crate::client::response::Body;
use crate::failure::Failure;
use crate::handler;
use crate::headers;
use crate::instance::Instance;
use crate::platform::{Chunks, Platform};
use crate::settings::{Settings, SettingsError};

/// The host that runs this component.
pub struct Spin;

/// Answers the request of one instance. The handles are the types of `wasi:http/types` of WASI 0.2.0, which the SDK also
/// uses.
#[doc(hidden)]
#[allow(unsafe_code, reason = "the same resource has a type in either crate")]
pub fn run(app: &'static App, request: types::IncomingRequest, out: types::ResponseOutparam) {
    // Each handle is taken from one owner and given to one other.
    let (request, out) = unsafe {
        (IncomingRequest::from_handle(request.take_handle()), ResponseOutparam::from_handle(out.take_handle()))
    };
    spin_executor::run(handle(app, request, out));
}

async fn handle(app: &'static App, request: IncomingRequest, out: ResponseOutparam) {
    let settings = OnceCell::new();
    let read = async { settings.get_or_init(settings_of_spin).as_ref().map_err(Clone::clone) };
    let response = handler::handle(&Spin, app, read, incoming(request)).await;
    // An error means that the client is gone, or that the rest of the body does not arrive, which is logged. The body stays
    // unfinished, so that the host breaks the response off.
    let _ = respond(response, out).await;
}

fn settings_of_spin() -> Result<Settings, SettingsError> {
    match variables::get(SETTINGS) {
        Ok(text) => Settings::parse(&text),
        Err(variables::Error::Undefined(_)) => Err(SettingsError::undefined(SETTINGS)),
        Err(error) => Err(SettingsError::Provider(error.to_string())),
    }
}

async fn respond(response: Response<Body<Incoming>>, out: ResponseOutparam) -> Result<(), Failure> {
    let (parts, mut pieces) = response.into_parts();
    // The host refuses only hop-by-hop headers and invalid statuses; the core makes neither.
    let headers = Fields::from_list(&fields(&parts.headers)).unwrap_or_else(|_| Fields::new());
    let response = OutgoingResponse::new(headers);
    // A new response has status 200.
    if parts.status != StatusCode::OK {
        let _ = response.set_status_code(parts.status.as_u16());
    }
    let mut body = Writer::new(response.body())?;
    let mut piece = pieces.next(&Spin).await?.unwrap_or_default();
    let written = body.write_now(&piece)?;
    if written == piece.len() && pieces.is_whole() {
        // The body is finished before the host sees it, so that it leaves together with the head.
        body.finish()?;
        out.set(response);
        return Ok(());
    }
    out.set(response);
    piece = piece.split_off(written);
    loop {
        body.write(&piece).await?;
        match pieces.next(&Spin).await? {
            Some(next) => piece = next,
            None => return body.finish(),
        }
    }
}

fn incoming(request: IncomingRequest) -> Request<Incoming> {
    let method = request.method().into();
    let target = request.path_with_query();
    let headers = headers::read(request.headers().entries());
    super::request(method, target, headers, Incoming::Unopened(Message::Request(request)))
}

impl Platform for Spin {
    type Body = Incoming;

    async fn send(&self, request: &Request<Bytes>) -> Result<Response<Incoming>, Failure> {
        let (outgoing, body) = outgoing(request)?;
        // The part that did not fit before the request began is written while the request is under way. When the other side
        // stops reading, its answer follows, or the reason why none does.
        let rest = async {
            if let Some((mut writer, rest)) = body
                && writer.write(rest).await.is_ok()
            {
                let _ = writer.finish();
            }
        };
        let pending = outgoing_handler::handle(outgoing, None).map_err(|code| failure!(code))?;
        let response = async {
            // The response is never ready at once.
            until(pending.subscribe()).await;
            wait(|| pending.get(), || pending.subscribe()).await
        };
        let incoming = match join(response, rest).await {
            (Ok(Ok(incoming)), ()) => incoming,
            (Ok(Err(code)), ()) => return Err(failure!(code)),
            (Err(()), ()) => return Err(Failure::Interrupted("response taken twice")),
        };
        let head = super::response(incoming.status(), || headers::read(incoming.headers().entries()));
        Ok(head.map(|()| Incoming::Unopened(Message::Response(incoming))))
    }

    async fn sleep(&self, duration: Duration) {
        let nanoseconds = duration.as_nanos().try_into().unwrap_or(u64::MAX);
        until(monotonic_clock::subscribe_duration(nanoseconds)).await;
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    fn random(&self) -> u128 {
        let bytes = get_random_bytes(16);
        u128::from_le_bytes(bytes.try_into().unwrap_or_default())
    }

    fn instance(&self) -> &Instance {
        &INSTANCE
    }

    fn log(&self, line: &str) {
        write_log(line);
    }
}

/// The part of a body that the host has not taken.
type Unsent<'b> = (Writer, &'b [u8]);

/// A request with as much of its body as the host takes at once, and the rest of the body.
fn outgoing(request: &Request<Bytes>) -> Result<(OutgoingRequest, Option<Unsent<'_>>), Failure> {
    let refused = Failure::Refused("request refused by the host");
    let headers = Fields::from_list(&fields(request.headers())).map_err(|_| refused.clone())?;
    let outgoing = OutgoingRequest::new(headers);
    let uri = request.uri();
    let scheme = if uri.scheme_str() == Some("https") { Scheme::Https } else { Scheme::Http };
    let set = outgoing
        .set_scheme(Some(&scheme))
        .and(outgoing.set_authority(uri.authority().map(|authority| authority.as_str())))
        .and(outgoing.set_path_with_query(uri.path_and_query().map(|target| target.as_str())));
    set.map_err(|()| refused.clone())?;
    // A new request has method `GET`.
    if request.method() != Method::GET {
        let method = request.method().clone().into();
        outgoing.set_method(&method).map_err(|()| refused)?;
    }
    if request.body().is_empty() {
        return Ok((outgoing, None));
    }
    let mut writer = Writer::new(outgoing.body())?;
    match &request.body()[writer.write_now(request.body())?..] {
        [] => writer.finish().map(|()| (outgoing, None)),
        rest => Ok((outgoing, Some((writer, rest)))),
    }
}

/// A body that arrives. The first read opens it; nobody reads the body of a `GET`.
pub enum Incoming {
    /// Not read yet.
    Unopened(Message),
    /// Being read. The fields are dropped in this order because the host requires children first.
    Open(InputStream, IncomingBody),
    /// Read to its end, or not readable.
    Closed,
}

/// A message with a body.
pub enum Message {
    /// The client's request.
    Request(IncomingRequest),
    /// Data API Builder's response.
    Response(IncomingResponse),
}

impl Incoming {
    fn stream(&mut self) -> Option<&InputStream> {
        if let Self::Unopened(message) = self {
            let body = match message {
                Message::Request(request) => request.consume(),
                Message::Response(response) => response.consume(),
            };
            *self = match body.and_then(|body| Ok(Self::Open(body.stream()?, body))) {
                Ok(open) => open,
                Err(()) => Self::Closed,
            };
        }
        match self {
            Self::Open(stream, _) => Some(stream),
            _ => None,
        }
    }
}

impl Chunks for Incoming {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let broken = Failure::Interrupted("body broken off");
        let Some(stream) = self.stream() else {
            return Err(broken);
        };
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

/// A body that is sent.
struct Writer {
    stream: OutputStream,
    body: OutgoingBody,
}

impl Writer {
    fn new(body: Result<OutgoingBody, ()>) -> Result<Self, Failure> {
        let writer = body.and_then(|body| Ok(Self { stream: body.write()?, body }));
        writer.map_err(|()| Failure::Interrupted("the body is taken"))
    }

    /// Writes as much of `bytes` as the host takes at once, and returns how many bytes that is.
    fn write_now(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let room = usize::try_from(self.stream.check_write().map_err(closed)?).unwrap_or(usize::MAX);
        let length = bytes.len().min(room);
        self.stream.write(&bytes[..length]).map_err(closed)?;
        Ok(length)
    }

    /// Writes all of `bytes`, no faster than the other side reads.
    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        while !bytes.is_empty() {
            let ready = || match self.stream.check_write() {
                Ok(0) => None,
                result => Some(result.map(drop)),
            };
            wait(ready, || self.stream.subscribe()).await.map_err(closed)?;
            bytes = &bytes[self.write_now(bytes)?..];
        }
        Ok(())
    }

    /// Ends the body.
    fn finish(self) -> Result<(), Failure> {
        drop(self.stream);
        OutgoingBody::finish(self.body, None).map_err(|code| failure!(code))
    }
}

fn closed(_: StreamError) -> Failure {
    Failure::Interrupted("the other side has stopped reading")
}

/// Waits until `ready` returns a value. When it returns none, it can return one once the pollable is ready.
async fn wait<T>(ready: impl Fn() -> Option<T>, subscribe: impl Fn() -> Pollable) -> T {
    loop {
        match ready() {
            Some(value) => return value,
            None => until(subscribe()).await,
        }
    }
}

/// Returns when `pollable` is ready. The waker sets a flag: to ask the host at each poll would cost a call.
async fn until(pollable: Pollable) {
    struct Ready(AtomicBool);

    impl Wake for Ready {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let ready = Arc::new(Ready(AtomicBool::new(false)));
    let _subscription = CancelOnDropToken::from(push_waker_and_get_token(pollable, ready.clone().into()));
    poll_fn(|_| match ready.0.load(Ordering::Relaxed) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}
