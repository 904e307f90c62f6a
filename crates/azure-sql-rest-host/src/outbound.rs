//! Requests of the component: only to allowed hosts, over pooled connections, within the time limits it sets.

use std::error::Error as _;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioExecutor;
use tokio::time::{Sleep, sleep, timeout};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::allowed_hosts::AllowedHosts;
use crate::connect::{ConnectError, Connector, with_limit};
use crate::variables::Resolver;

/// The limit of each phase of a request that sets none, as in Spin.
const DEFAULT_LIMIT: Duration = Duration::from_secs(600);

/// The connections of the application, shared by all instances, with hyper's defaults, as in Spin.
pub(crate) struct Outbound(Client<Connector, WasiBody>);

impl Outbound {
    pub fn new() -> Result<Self> {
        // hyper repeats a request only if the pooled connection was closed before one byte of the request was written.
        // This is safe with every method. The component judges a failure after that.
        Ok(Self(Client::builder(TokioExecutor::new()).build(Connector::new()?)))
    }

    async fn send(&self, request: Request<WasiBody>, options: RequestOptions) -> Result<Response<WasiBody>, Error> {
        let connect_limit = options.connect_timeout.unwrap_or(DEFAULT_LIMIT);
        let response = with_limit(connect_limit, self.0.request(request));
        let response = timeout(options.first_byte_timeout.unwrap_or(DEFAULT_LIMIT), response).await;
        let response = response.map_err(|_| Error::ConnectionReadTimeout)?.map_err(|error| request_error(&error))?;
        let limit = options.between_bytes_timeout.unwrap_or(DEFAULT_LIMIT);
        Ok(response.map(|body| LimitedBody { body: Some(body), limit, sleep: None }.boxed_unsync()))
    }
}

/// Why a request has no response, as the `wasi:http` error that Spin chooses.
fn request_error(error: &legacy::Error) -> Error {
    match error.source().and_then(|source| source.downcast_ref()) {
        Some(ConnectError::NoHost) => Error::HttpRequestUriInvalid,
        Some(ConnectError::UnknownHost) => {
            Error::DnsError { rcode: Some("address not available".into()), info_code: Some(0) }
        }
        Some(ConnectError::Refused) => Error::ConnectionRefused,
        Some(ConnectError::Timeout) => Error::ConnectionTimeout,
        Some(ConnectError::Tls) => Error::TlsProtocolError,
        None => Error::HttpProtocolError,
    }
}

/// The parts that all instances of the component share.
pub(crate) struct Application {
    pub component: String,
    pub variables: Resolver,
    /// Templates.
    pub allowed_outbound_hosts: Vec<String>,
    pub log_dir: PathBuf,
    pub outbound: Outbound,
}

/// Sends the requests of one instance. The first request resolves the allowed hosts.
pub(crate) struct Hooks {
    application: Arc<Application>,
    /// `None` when the allowed hosts cannot be resolved: nothing is allowed then.
    allowed_hosts: Arc<OnceLock<Option<AllowedHosts>>>,
}

impl Hooks {
    pub fn new(application: Arc<Application>) -> Self {
        Self { application, allowed_hosts: Arc::default() }
    }
}

/// True if a request may be sent. A refusal writes its reason to standard error.
fn is_allowed(uri: &Uri, application: &Application, allowed_hosts: &OnceLock<Option<AllowedHosts>>) -> bool {
    let component = &application.component;
    let resolve = || {
        AllowedHosts::resolve(&application.allowed_outbound_hosts, &application.variables)
            .inspect_err(|error| eprintln!("built-in host: {component} may not send requests: {error:#}"))
            .ok()
    };
    let Some(allowed_hosts) = allowed_hosts.get_or_init(resolve) else {
        return false;
    };
    let allowed = allowed_hosts.allow(uri);
    if !allowed {
        eprintln!(
            "built-in host: {component} may not send requests to {}://{}: it is not in allowed_outbound_hosts",
            uri.scheme_str().unwrap_or("?"),
            uri.authority().map_or("?", |authority| authority.as_str())
        );
    }
    allowed
}

/// The transmission of a response's body may fail after its head has arrived; here such a failure is part of the body.
type Transmission = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    // The client adds this header, without the default port of the scheme.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _guest: Transmission,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Transmission), Error>> + Send> {
        let application = self.application.clone();
        let allowed_hosts = self.allowed_hosts.clone();
        Box::new(async move {
            if !is_allowed(request.uri(), &application, &allowed_hosts) {
                return Err(Error::HttpRequestDenied);
            }
            let response = application.outbound.send(request, options.unwrap_or_default()).await?;
            Ok((response, Box::new(async { Ok(()) }) as Transmission))
        })
    }
}

/// The body of a response, each part of which must arrive within a limit.
struct LimitedBody {
    /// `None` after a failure: dropping the body closes its connection at once, not when the guest gets round to it.
    body: Option<Incoming>,
    limit: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Body for LimitedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            self.sleep = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(|_| self.fail(Error::HttpProtocolError))));
        }
        let limit = self.limit;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(Some(Err(self.fail(Error::ConnectionReadTimeout))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl LimitedBody {
    fn fail(&mut self, error: Error) -> Error {
        self.body = None;
        error
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::Ipv4Addr;
    use std::path::PathBuf;

    use http_body_util::Empty;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::manifest::Manifest;
    use crate::variables::Resolver;

    const SHORT: Duration = Duration::from_millis(20);

    fn outbound() -> Outbound {
        Outbound::new().unwrap()
    }

    async fn listen() -> (TcpListener, String) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        (listener, url)
    }

    /// Reads the head of a request and answers with these bytes; the connection stays open until the result is dropped.
    async fn answer(stream: &mut TcpStream, bytes: &str) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(bytes.as_bytes()).await.unwrap();
    }

    fn serve_once(listener: TcpListener, bytes: &'static str) -> JoinHandle<TcpStream> {
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            answer(&mut stream, bytes).await;
            stream
        })
    }

    fn get(url: &str) -> Request<WasiBody> {
        let body = Empty::new().map_err(Error::from).boxed_unsync();
        Request::get(url).body(body).unwrap()
    }

    async fn send(outbound: &Outbound, url: &str) -> Result<Response<WasiBody>, Error> {
        let limits = RequestOptions { between_bytes_timeout: Some(SHORT), ..RequestOptions::default() };
        outbound.send(get(url), limits).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn other_hosts_are_denied_without_a_connection() {
        let manifest = Manifest {
            component: "test".into(),
            source: PathBuf::new(),
            log_dir: PathBuf::new(),
            declared: BTreeMap::new(),
            variables: BTreeMap::new(),
            allowed_outbound_hosts: vec!["http://a.test".into()],
        };
        let mut hooks = Hooks::new(Arc::new(Application {
            variables: Resolver::new(&manifest, &BTreeMap::new()).unwrap(),
            component: manifest.component,
            allowed_outbound_hosts: manifest.allowed_outbound_hosts,
            log_dir: manifest.log_dir,
            outbound: outbound(),
        }));
        let (listener, url) = listen().await;
        let sending = hooks.send_request(get(&url), None, Box::new(async { Ok(()) }));
        assert!(matches!(Box::into_pin(sending).await, Err(Error::HttpRequestDenied)));
        assert!(tokio::time::timeout(SHORT, listener.accept()).await.is_err());
    }

    #[tokio::test]
    async fn nobody_listening_is_connection_refused() {
        let (listener, url) = listen().await;
        drop(listener);
        assert!(matches!(send(&outbound(), &url).await, Err(Error::ConnectionRefused)));
    }

    #[tokio::test]
    async fn a_host_without_an_address_is_a_dns_error() {
        assert!(matches!(send(&outbound(), "http://a..b/").await, Err(Error::DnsError { .. })));
    }

    #[tokio::test]
    async fn silence_ends_as_a_read_timeout() {
        let (_listener, url) = listen().await;
        let limits = RequestOptions { first_byte_timeout: Some(SHORT), ..RequestOptions::default() };
        assert!(matches!(outbound().send(get(&url), limits).await, Err(Error::ConnectionReadTimeout)));
    }

    #[tokio::test]
    async fn a_body_that_stalls_ends_as_a_read_timeout() {
        let (listener, url) = listen().await;
        let server = serve_once(listener, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
        let mut body = send(&outbound(), &url).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
        assert!(matches!(body.frame().await, Some(Err(Error::ConnectionReadTimeout))));
        assert!(body.frame().await.is_none());
        drop(server.await);
    }

    #[tokio::test]
    async fn a_truncated_body_is_a_protocol_error() {
        let (listener, url) = listen().await;
        let server = serve_once(listener, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
        let mut body = send(&outbound(), &url).await.unwrap().into_body();
        drop(server.await);
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
        assert!(matches!(body.frame().await, Some(Err(Error::HttpProtocolError))));
    }

    #[tokio::test]
    async fn a_connection_closed_without_an_answer_is_a_protocol_error() {
        let (listener, url) = listen().await;
        let server = tokio::spawn(async move { drop(serve_once(listener, "").await) });
        assert!(matches!(send(&outbound(), &url).await, Err(Error::HttpProtocolError)));
        server.await.unwrap();
    }

    #[tokio::test]
    async fn connections_are_used_again() {
        let (listener, url) = listen().await;
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for _ in 0..2 {
                answer(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
        });
        let outbound = outbound();
        for _ in 0..2 {
            let body = send(&outbound, &url).await.unwrap().into_body();
            assert_eq!(body.collect().await.unwrap().to_bytes(), "ok");
        }
        server.await.unwrap();
    }
}
