//! Connections: HTTP/1.1 in, an instance for each request, and an orderly end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{HOST, HeaderName};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Either, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use wasmtime_wasi_http::Error;

use crate::guest::{Guest, GuestBody};

/// How long requests in progress may take to finish once the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long to wait after a failed accept (such as too many open files) before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves connections until `shutdown` resolves.
pub(crate) async fn serve(guest: Arc<Guest>, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => {
                    connections.spawn(serve_connection(guest.clone(), stream, client, graceful.watcher()));
                }
                Err(error) => {
                    eprintln!("built-in host: cannot accept a connection: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
    drop(listener);
    if timeout(GRACE, graceful.shutdown()).await.is_err() {
        eprintln!(
            "built-in host: requests still in progress after {} s are dropped",
            GRACE.as_secs()
        );
    }
    guest.stop();
}

async fn serve_connection(guest: Arc<Guest>, stream: TcpStream, client: SocketAddr, watcher: Watcher) {
    // Fails only on a connection that is closed already.
    let _ = stream.set_nodelay(true);
    let current = Arc::new(CurrentRequest::default());
    let requests = current.clone();
    let service = service_fn(move |request| handle(guest.clone(), requests.clone(), client, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    // An error means that the client has gone or broken the protocol, with its request unanswered: its instance works
    // for nobody. A connection that ended well may have left an instance that still does something after its response.
    if watcher.watch(connection).await.is_ok() {
        current.replace(None);
    }
}

async fn handle(
    guest: Arc<Guest>,
    current: Arc<CurrentRequest>,
    client: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Either<GuestBody, Empty<bytes::Bytes>>>, Infallible> {
    let Some(authority) = authority(&request) else {
        return Ok(empty(StatusCode::BAD_REQUEST));
    };
    let uri = request.uri().clone();
    add_spin_headers(request.headers_mut(), &uri, &authority, client);
    *request.uri_mut() = absolute(uri, authority);
    let (waiting, client) = oneshot::channel();
    current.replace(Some(waiting));
    let response = guest.answer(request.map(|body| body.map_err(Error::from).boxed_unsync()), client);
    Ok(match response.await {
        Some(response) => response.map(Either::Left),
        None => empty(StatusCode::INTERNAL_SERVER_ERROR),
    })
}

fn empty<B>(status: StatusCode) -> Response<Either<B, Empty<bytes::Bytes>>> {
    let mut response = Response::new(Either::Right(Empty::new()));
    *response.status_mut() = status;
    response
}

/// Whom the request is for: the target, when it is absolute, or the `Host` header. `None` is a bad request (RFC 9112,
/// 3.2).
fn authority<B>(request: &Request<B>) -> Option<Authority> {
    let target = request.uri().authority();
    let mut hosts = request.headers().get_all(HOST).iter();
    match (target, hosts.next(), hosts.next()) {
        (_, _, Some(_second)) => None,
        (target, None, None) => target.cloned(),
        (target, Some(host), None) => {
            let host = Authority::try_from(host.as_bytes()).ok()?;
            target.is_none_or(|target| *target == host).then_some(host)
        }
    }
}

/// The target with scheme and authority, which WASI 0.3 takes from there.
fn absolute(target: Uri, authority: Authority) -> Uri {
    let mut parts = target.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    // That of CONNECT has no path, and stays as it is.
    Uri::from_parts(parts).unwrap_or(target)
}

/// The headers by which Spin tells a component how its route matched; that is always `/...` here.
fn add_spin_headers(headers: &mut HeaderMap, uri: &Uri, authority: &Authority, client: SocketAddr) {
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let wildcard = if uri.path() == "/" { "" } else { uri.path() };
    for (name, value) in [
        ("spin-path-info", wildcard),
        ("spin-full-url", &format!("http://{authority}{target}")),
        ("spin-matched-route", "/..."),
        ("spin-base-path", "/"),
        ("spin-raw-component-route", "/..."),
        ("spin-component-route", ""),
        ("spin-client-addr", &client.to_string()),
    ] {
        // Whatever was part of a request can be part of a header.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// The request that a connection waits for. When the connection ends before it is replaced, its client has left.
#[derive(Default)]
struct CurrentRequest(Mutex<Option<oneshot::Sender<()>>>);

impl CurrentRequest {
    /// The previous one has been answered, or there would be no next: its instance may go on.
    fn replace(&self, waiting: Option<oneshot::Sender<()>>) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answered) = std::mem::replace(&mut *current, waiting) {
            // Fails when the instance has ended.
            let _ = answered.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority_of(target: &str, hosts: &[&str]) -> Option<String> {
        let mut request = Request::get(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        authority(&request.body(()).unwrap()).map(|authority| authority.to_string())
    }

    #[test]
    fn the_authority_is_that_of_target_and_host_and_must_be_one() {
        assert_eq!(authority_of("/x", &["localhost:3000"]).unwrap(), "localhost:3000");
        assert_eq!(authority_of("http://a.test/x", &[]).unwrap(), "a.test");
        assert_eq!(authority_of("http://a.test/x", &["a.test"]).unwrap(), "a.test");
        assert_eq!(authority_of("http://a.test/x", &["b.test"]), None);
        assert_eq!(authority_of("/x", &[]), None);
        assert_eq!(authority_of("/x", &["a.test", "a.test"]), None);
        assert_eq!(authority_of("/x", &["a b"]), None);
    }

    #[test]
    fn the_target_gets_scheme_and_authority() {
        let absolute = |target: &'static str| {
            let authority = Authority::from_static("localhost:3000");
            super::absolute(Uri::from_static(target), authority).to_string()
        };
        assert_eq!(absolute("/a?b"), "http://localhost:3000/a?b");
        assert_eq!(absolute("http://localhost:3000/a"), "http://localhost:3000/a");
        assert_eq!(absolute("localhost:3000"), "localhost:3000");
    }

    #[test]
    fn spin_headers_describe_the_request_and_cannot_be_forged() {
        let mut headers = HeaderMap::new();
        headers.insert("spin-client-addr", HeaderValue::from_static("forged"));
        let authority = Authority::from_static("localhost:3000");
        let client = SocketAddr::from(([127, 0, 0, 1], 4000));
        add_spin_headers(&mut headers, &Uri::from_static("/a%2Fb?c=d"), &authority, client);
        assert_eq!(headers["spin-full-url"], "http://localhost:3000/a%2Fb?c=d");
        assert_eq!(headers["spin-path-info"], "/a%2Fb");
        assert_eq!(headers["spin-client-addr"], "127.0.0.1:4000");
    }
}
