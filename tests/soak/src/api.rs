//! An HTTP client for the API.

use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::timeout;

/// How long an answer may take. Far beyond the component's own deadline: only a hang takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who answers HTTP.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client<HttpConnector, Full<Bytes>>,
    origin: String,
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// The body, or null when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A request without what all have.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub method: Method,
    pub target: String,
    /// `Idempotency-Key`.
    pub key: Option<String>,
    /// `If-Match`, quotes and all.
    pub if_match: Option<String>,
    pub body: Option<String>,
}

impl Ask {
    pub fn get(target: impl Into<String>) -> Self {
        Self { method: Method::GET, target: target.into(), key: None, if_match: None, body: None }
    }
}

impl Api {
    pub fn new(url: &str) -> Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("{url:?} is not a URL"))?;
        let authority = uri.authority().with_context(|| format!("{url:?} has no host"))?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, origin: format!("http://{authority}") })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    ///
    /// There was no complete answer.
    pub async fn send(&self, ask: Ask) -> Result<Reply> {
        let mut request = Request::builder().method(ask.method).uri(format!("{}{}", self.origin, ask.target));
        if ask.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in [("idempotency-key", ask.key), ("if-match", ask.if_match)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let request = request.body(Full::from(ask.body.unwrap_or_default()))?;
        let exchange = async {
            let (parts, body) = self.client.request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            anyhow::Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
        };
        timeout(PATIENCE, exchange).await.with_context(|| format!("no answer within {} s", PATIENCE.as_secs()))?
    }
}
