//! The Spin platform with WASI 0.3: one instance answers many requests, several at a time. The only file that knows
//! WASI 0.3 and the SDK for it.

#![cfg_attr(
    target_family = "wasm",
    allow(unsafe_code, reason = "what the entry point macro expands to")
)]

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri};
use spin_sdk_wasip3::wasip3::clocks::monotonic_clock;
use spin_sdk_wasip3::wasip3::exports::http::handler::Guest;
use spin_sdk_wasip3::wasip3::http::client;
use spin_sdk_wasip3::wasip3::http::types::{self, ErrorCode, Fields, Trailers};
use spin_sdk_wasip3::wasip3::random::random::get_random_u64;
use spin_sdk_wasip3::wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};
use spin_sdk_wasip3::wasip3::{spawn, wit_future, wit_stream};

use super::wasi::{READ_BYTES, fields, header_map, send_error, write_log};
use super::{Chunks, Platform, SendError};
use crate::handler;
use crate::settings::{InvalidSetting, Settings};

/// The host that runs this component, as one request sees it; nothing of a request stays behind.
pub struct Spin {
    settings: Result<&'static Settings, InvalidSetting>,
}

// Natively, where this file is only checked, a linker could not take the names that the macro exports.
#[cfg(target_family = "wasm")]
spin_sdk_wasip3::wasip3::http::service::export!(Spin);

impl Guest for Spin {
    async fn handle(request: types::Request) -> Result<types::Response, ErrorCode> {
        let spin = Self {
            settings: settings().await,
        };
        let response = handler::handle(&spin, incoming(request)).await;
        let (parts, mut pieces) = response.into_parts();
        // The host refuses only hop-by-hop headers and statuses out of range; the core makes neither.
        let headers = Fields::from_list(&fields(&parts.headers)).unwrap_or_else(|_| Fields::new());
        let (mut writer, contents, end) = BodyWriter::new();
        let (response, _) = types::Response::new(headers, Some(contents), end);
        let _ = response.set_status_code(parts.status.as_u16());
        spawn(async move {
            // A body that is left unfinished makes the host break the response off.
            loop {
                match pieces.next(&spin).await {
                    Ok(Some(piece)) => {
                        if writer.write(piece).await.is_err() {
                            return;
                        }
                    }
                    Ok(None) => return writer.finish().await,
                    Err(_) => return,
                }
            }
        });
        Ok(response)
    }
}

/// The settings, read once for each instance. Spin keeps no instance for long, so that another value of a variable is
/// seen soon.
async fn settings() -> Result<&'static Settings, InvalidSetting> {
    static SETTINGS: OnceLock<Settings> = OnceLock::new();
    if let Some(settings) = SETTINGS.get() {
        return Ok(settings);
    }
    let mut values = BTreeMap::new();
    for name in Settings::VARIABLES {
        values.insert(name, spin_sdk_wasip3::variables::get(name).await.ok());
    }
    Settings::read(|name| values.get(name).cloned().flatten()).map(|settings| SETTINGS.get_or_init(|| settings))
}

fn incoming(request: types::Request) -> Request<Incoming> {
    let method = request.get_method().try_into().unwrap_or_default();
    // A target that is no URI becomes `/`, which is no route.
    let uri = request
        .get_path_with_query()
        .and_then(|target| Uri::try_from(target).ok())
        .unwrap_or_default();
    let headers = header_map(request.get_headers().copy_all());
    let mut request = Request::new(Message::Request(request).into());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}

impl Platform for Spin {
    type Body = Incoming;

    async fn send(&self, request: &Request<Bytes>) -> Result<Response<Incoming>, SendError> {
        let outgoing = outgoing(request).map_err(|()| SendError::Refused("request refused by the host"))?;
        let incoming = client::send(outgoing).await.map_err(|code| send_error!(code))?;
        let status = StatusCode::from_u16(incoming.get_status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = header_map(incoming.get_headers().copy_all());
        let mut response = Response::new(Message::Response(incoming).into());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    async fn sleep(&self, duration: Duration) {
        monotonic_clock::wait_for(duration.as_nanos().try_into().unwrap_or(u64::MAX)).await;
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    fn random(&self) -> u128 {
        u128::from(get_random_u64()) << 64 | u128::from(get_random_u64())
    }

    fn settings(&self) -> Result<&Settings, InvalidSetting> {
        self.settings.clone()
    }

    fn log(&self, line: &str) {
        write_log(line);
    }
}

fn outgoing(request: &Request<Bytes>) -> Result<types::Request, ()> {
    let headers = Fields::from_list(&fields(request.headers())).map_err(drop)?;
    let body = request.body().clone();
    let outgoing = if body.is_empty() {
        // The writer is dropped at once, and the host reads this value.
        let (_, end) = wit_future::new(|| Ok(None));
        types::Request::new(headers, None, end, None).0
    } else {
        let (mut writer, contents, end) = BodyWriter::new();
        // When the bridge stops reading, its answer or the reason why there is none follows. Giving the exchange up
        // ends the writing, too.
        spawn(async move {
            if writer.write(body).await.is_ok() {
                writer.finish().await;
            }
        });
        types::Request::new(headers, Some(contents), end, None).0
    };
    let uri = request.uri();
    outgoing.set_method(&request.method().into())?;
    outgoing.set_scheme(uri.scheme().map(Into::into).as_ref())?;
    outgoing.set_authority(uri.authority().map(|authority| authority.as_str()))?;
    outgoing.set_path_with_query(uri.path_and_query().map(|target| target.as_str()))?;
    Ok(outgoing)
}

/// How a body ends: with trailers perhaps, or before its time.
type End = Result<Option<Trailers>, ErrorCode>;

/// A body that arrives. It is opened when it is first read, which that of a GET never is.
pub struct Incoming {
    /// `None` once it is open.
    message: Option<Message>,
    /// `None` before it is open, and once it has been read.
    open: Option<Open>,
}

/// What has the body.
enum Message {
    Request(types::Request),
    Response(types::Response),
}

struct Open {
    contents: StreamReader<u8>,
    end: FutureReader<End>,
    /// Tells the other side, when this is dropped, that nothing is wrong.
    _result: FutureWriter<Result<(), ErrorCode>>,
}

impl From<Message> for Incoming {
    fn from(message: Message) -> Self {
        Self {
            message: Some(message),
            open: None,
        }
    }
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
    async fn next(&mut self) -> Result<Option<Vec<u8>>, SendError> {
        if let Some(message) = self.message.take() {
            self.open = Some(message.open());
        }
        if let Some(open) = &mut self.open
            && let (StreamResult::Complete(_), chunk) = open.contents.read(Vec::with_capacity(READ_BYTES)).await
        {
            return Ok(Some(chunk));
        }
        match self.open.take() {
            Some(open) => open
                .end
                .await
                .map(|_| None)
                .map_err(|_| SendError::Interrupted("body broken off")),
            None => Ok(None),
        }
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
        // What the host reads when the writer is dropped.
        let (end, ended) = wit_future::new(|| Err(ErrorCode::InternalError(None)));
        (Self { contents, end }, read, ended)
    }

    /// Sends `bytes`, no faster than the other side reads; an error means that it does not read any more.
    async fn write(&mut self, bytes: Bytes) -> Result<(), ()> {
        match self.contents.write_all(bytes.into()).await.is_empty() {
            true => Ok(()),
            false => Err(()),
        }
    }

    /// Says that this was all.
    async fn finish(self) {
        drop(self.contents);
        // Fails when nobody reads to the end.
        let _ = self.end.write(Ok(None)).await;
    }
}
