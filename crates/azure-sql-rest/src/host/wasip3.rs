//! Spin with WASI 0.3: one instance answers many requests, several at a time.
//!
//! Bodies use the raw streams, because the SDK's own types have three faults:
//!
//! - The SDK sends a body even where there is none.
//! - The SDK reads only 16 KiB at a time.
//! - The SDK begins to write a body after the head of the request has left, so that the two leave apart. Spin sets no
//!   `TCP_NODELAY`, so that the body waits for an acknowledgement of the head (Nagle's algorithm).

use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use futures::future::poll_immediate;
use http::{Method, Request, Response};
use spin_sdk_wasip3::variables;
use spin_sdk_wasip3::wasip3::clocks::monotonic_clock;
use spin_sdk_wasip3::wasip3::http::client;
use spin_sdk_wasip3::wasip3::http::types::{self, ErrorCode, Fields, Trailers};
use spin_sdk_wasip3::wasip3::random::random::get_random_bytes;
use spin_sdk_wasip3::wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};
use spin_sdk_wasip3::wasip3::{spawn, wit_future, wit_stream};

use super::{INSTANCE, READ_BYTES, SETTINGS, failure, fields, write_log};
use crate::app::App;
use crate::failure::Failure;
use crate::handler;
use crate::headers;
use crate::instance::Instance;
use crate::platform::{Chunks, Platform};
use crate::settings::{Settings, SettingsError};

/// The host that runs this component.
#[derive(Clone, Copy)]
pub struct Spin;

/// Answers a request; an instance has several at a time.
///
/// # Errors
///
/// Never fails: `wasi:http/handler` requires the type.
#[doc(hidden)]
pub fn run(app: &'static App, request: types::Request) -> Answer {
    Box::pin(answer(app, request))
}

/// The answer to a request, as a boxed future. Without the box, the app's crate would compile all of it a second time.
type Answer = Pin<Box<dyn Future<Output = Result<types::Response, ErrorCode>>>>;

async fn answer(app: &'static App, request: types::Request) -> Result<types::Response, ErrorCode> {
    let response = handler::handle(&Spin, app, settings(), incoming(request)).await;
    let (parts, mut pieces) = response.into_parts();
    // The host refuses only hop-by-hop headers and invalid statuses; the core makes neither.
    let headers = Fields::from_list(&fields(&parts.headers)).unwrap_or_else(|_| Fields::new());
    let (mut writer, contents, end) = BodyWriter::new();
    let (response, _) = types::Response::new(headers, Some(contents), end);
    let _ = response.set_status_code(parts.status.as_u16());
    begin(async move {
        // The host breaks the response off when its body stays unfinished.
        while let Ok(piece) = pieces.next(&Spin).await {
            let Some(piece) = piece else {
                return writer.finish().await;
            };
            if writer.write(piece).await.is_err() {
                return;
            }
        }
    })
    .await;
    Ok(response)
}

/// Starts `task` at once, so that its first bytes are ready when the host looks. The rest of the task runs in the
/// background.
async fn begin(task: impl Future<Output = ()> + 'static) {
    let mut task = Box::pin(task);
    if poll_immediate(&mut task).await.is_none() {
        spawn(task);
    }
}

/// The settings, read once for each instance. Spin does not keep an instance for long, so that a changed variable takes
/// effect soon.
async fn settings() -> Result<&'static Settings, SettingsError> {
    static READ: OnceLock<Settings> = OnceLock::new();
    if let Some(settings) = READ.get() {
        return Ok(settings);
    }
    match variables::get(SETTINGS).await {
        Ok(text) => Settings::parse(&text).map(|settings| READ.get_or_init(|| settings)),
        Err(variables::Error::Undefined(_)) => Err(SettingsError::undefined(SETTINGS)),
        Err(error) => Err(SettingsError::Provider(error.to_string())),
    }
}

fn incoming(request: types::Request) -> Request<Incoming> {
    // TRACE stands for an invalid method: no path has it.
    let method = request.get_method().try_into().unwrap_or(Method::TRACE);
    let target = request.get_path_with_query();
    let headers = headers::read(request.get_headers().copy_all());
    super::request(method, target, headers, Incoming::Unopened(Message::Request(request)))
}

impl Platform for Spin {
    type Body = Incoming;

    async fn send(&self, request: &Request<Bytes>) -> Result<Response<Incoming>, Failure> {
        let outgoing = outgoing(request).await.map_err(|()| Failure::Refused("request refused by the host"))?;
        let incoming = client::send(outgoing).await.map_err(|code| failure!(code))?;
        let head = super::response(incoming.get_status_code(), || headers::read(incoming.get_headers().copy_all()));
        Ok(head.map(|()| Incoming::Unopened(Message::Response(incoming))))
    }

    async fn sleep(&self, duration: Duration) {
        monotonic_clock::wait_for(duration.as_nanos().try_into().unwrap_or(u64::MAX)).await;
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

async fn outgoing(request: &Request<Bytes>) -> Result<types::Request, ()> {
    let headers = Fields::from_list(&fields(request.headers())).map_err(drop)?;
    let body = request.body().clone();
    let outgoing = if body.is_empty() {
        // The writer is dropped at once, and the host reads this value.
        let (_, end) = wit_future::new(|| Ok(None));
        types::Request::new(headers, None, end, None).0
    } else {
        let (mut writer, contents, end) = BodyWriter::new();
        // When the other side stops reading, its answer follows, or the reason why none does. Dropping the exchange also
        // ends the writing.
        begin(async move {
            if writer.write(body).await.is_ok() {
                writer.finish().await;
            }
        })
        .await;
        types::Request::new(headers, Some(contents), end, None).0
    };
    let uri = request.uri();
    outgoing.set_method(&request.method().into())?;
    outgoing.set_scheme(uri.scheme().map(Into::into).as_ref())?;
    outgoing.set_authority(uri.authority().map(|authority| authority.as_str()))?;
    outgoing.set_path_with_query(uri.path_and_query().map(|target| target.as_str()))?;
    Ok(outgoing)
}

/// How a body ends: perhaps with trailers, or too early.
type End = Result<Option<Trailers>, ErrorCode>;

/// A body that arrives. The first read opens it; nobody reads the body of a `GET`.
pub enum Incoming {
    /// Not read yet.
    Unopened(Message),
    /// Being read.
    Open(Open),
    /// Read.
    Closed,
}

/// A message with a body.
pub enum Message {
    /// The client's request.
    Request(types::Request),
    /// Data API Builder's response.
    Response(types::Response),
}

/// A body that is open.
pub struct Open {
    contents: StreamReader<u8>,
    end: FutureReader<End>,
    /// Tells the other side, when dropped, that nothing is wrong.
    _result: FutureWriter<Result<(), ErrorCode>>,
}

impl Message {
    fn open(self) -> Open {
        let (_result, result) = wit_future::new(|| Ok(()));
        let (contents, end) = match self {
            Self::Request(request) => types::Request::consume_body(request, result),
            Self::Response(response) => types::Response::consume_body(response, result),
        };
        Open { contents, end, _result }
    }
}

impl Chunks for Incoming {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut open = match std::mem::replace(self, Self::Closed) {
            Self::Unopened(message) => message.open(),
            Self::Open(open) => open,
            Self::Closed => return Ok(None),
        };
        if let (StreamResult::Complete(_), chunk) = open.contents.read(Vec::with_capacity(READ_BYTES)).await {
            *self = Self::Open(open);
            return Ok(Some(chunk));
        }
        let end = open.end.await;
        end.map(|_| None).map_err(|_| Failure::Interrupted("body broken off"))
    }
}

/// A body that is sent.
struct BodyWriter {
    contents: StreamWriter<u8>,
    end: FutureWriter<End>,
}

impl BodyWriter {
    fn new() -> (Self, StreamReader<u8>, FutureReader<End>) {
        let (contents, read) = wit_stream::new();
        // The host reads this value when the writer is dropped.
        let (end, ended) = wit_future::new(|| Err(ErrorCode::InternalError(None)));
        (Self { contents, end }, read, ended)
    }

    /// Sends `bytes`, no faster than the other side reads. An error means that the other side has stopped reading.
    async fn write(&mut self, bytes: Bytes) -> Result<(), ()> {
        let left = self.contents.write_all(bytes.into()).await;
        left.is_empty().then_some(()).ok_or(())
    }

    /// Ends the body.
    async fn finish(self) {
        drop(self.contents);
        // The call fails when nobody reads to the end.
        let _ = self.end.write(Ok(None)).await;
    }
}
