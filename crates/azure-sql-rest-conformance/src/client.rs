//! An HTTP client that takes every answer as it is.

use std::net::SocketAddr;
use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// An API to talk to. A connection a request.
#[derive(Clone, Copy)]
pub struct Api {
    /// Where it listens.
    pub address: SocketAddr,
}

/// A complete answer.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The value of a header that must be there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}")).to_str().expect("ASCII")
    }

    /// Checks the status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The path of the created row. The header is relative to the request, whose path has one segment.
    pub fn location(&self) -> String {
        format!("/{}", self.header("location"))
    }

    /// Checks that this is a problem of `status` with all its members, and returns it.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail", "instance"] {
            assert!(problem[member].is_string(), "{member} in {problem}");
        }
        assert_eq!(problem["correlationId"], self.header("x-correlation-id"));
        problem
    }
}

impl Api {
    /// Sends a `GET`.
    pub fn get(&self, target: &str) -> Reply {
        self.send(Method::GET, target, &[], b"")
    }

    /// Sends a JSON body.
    pub fn json(&self, method: Method, target: &str, body: &str) -> Reply {
        self.send(method, target, &[("content-type", "application/json")], body.as_bytes())
    }

    /// Sends exactly this.
    pub fn send(&self, method: Method, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = Request::builder().method(method).uri(target).header("host", self.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).expect("a request");
        runtime().block_on(async {
            let stream = TcpStream::connect(self.address).await.expect("the API listens");
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
            tokio::spawn(connection);
            let (parts, body) = sender.send_request(request).await.expect("an answer").into_parts();
            let body = body.collect().await.expect("a whole body").to_bytes();
            Reply { status: parts.status.as_u16(), headers: parts.headers, body }
        })
    }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    &RUNTIME
}

/// The address in `http://address:port`.
pub fn address(url: &str) -> SocketAddr {
    url.strip_prefix("http://").and_then(|address| address.parse().ok()).expect("http://address:port")
}
