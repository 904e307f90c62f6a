//! Connections: HTTP/1.1 in, an orderly end, and what Spin does with a request before the component sees it.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use http::header::{HOST, HeaderName};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use wasmtime_wasi_http::{Error, WasiBody};

/// How long requests in progress may take to finish after the server begins to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long to wait after a failed accept (such as too many open files) before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves connections until `shutdown` resolves. `answer` gives each request its response, or `None` when it fails.
pub(crate) async fn serve<A, F>(listener: TcpListener, shutdown: impl Future<Output = ()>, answer: A)
where
    A: Fn(Request<WasiBody>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Option<Response<WasiBody>>> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => {
                    connections.spawn(serve_connection(stream, client, graceful.watcher(), answer.clone()));
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
        eprintln!("built-in host: requests still in progress after {} s are dropped", GRACE.as_secs());
    }
}

/// No option of the socket is set, as in Spin: Nagle's algorithm is on.
async fn serve_connection<A, F>(stream: TcpStream, client: SocketAddr, watcher: Watcher, answer: A)
where
    A: Fn(Request<WasiBody>) -> F,
    F: Future<Output = Option<Response<WasiBody>>>,
{
    let service = service_fn(|request| handle(request, client, &answer));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // An error means that the client has gone, or that it broke the protocol.
    let _ = watcher.watch(connection).await;
}

/// An error closes the connection without an answer.
async fn handle<F>(
    mut request: Request<Incoming>,
    client: SocketAddr,
    answer: impl Fn(Request<WasiBody>) -> F,
) -> Result<Response<WasiBody>, &'static str>
where
    F: Future<Output = Option<Response<WasiBody>>>,
{
    let uri = absolute_uri(&request).ok_or("whom the request is for is missing or ambiguous")?;
    let utf8 = |value: &HeaderValue| std::str::from_utf8(value.as_bytes()).is_ok();
    if !request.headers().values().all(utf8) {
        return Ok(failure());
    }
    add_spin_headers(request.headers_mut(), &uri, client);
    *request.uri_mut() = uri;
    let response = answer(request.map(|body| body.map_err(Error::from).boxed_unsync())).await;
    Ok(response.unwrap_or_else(failure))
}

fn failure() -> Response<WasiBody> {
    let mut response = Response::new(Empty::new().map_err(Error::from).boxed_unsync());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// The target with scheme and authority: its own, or that of the first `Host`. `None` when neither has one, when they
/// differ, and for CONNECT.
fn absolute_uri<B>(request: &Request<B>) -> Option<Uri> {
    let mut parts = request.uri().clone().into_parts();
    if let Some(host) = request.headers().get(HOST) {
        let host = Authority::try_from(host.as_bytes()).ok()?;
        if parts.authority.is_some_and(|target| target != host) {
            return None;
        }
        parts.authority = Some(host);
    }
    parts.scheme = Some(Scheme::HTTP);
    Uri::from_parts(parts).ok()
}

/// The headers by which Spin tells a component how its route matched, which is always `/...` here. They come after the
/// client's headers of the same names.
fn add_spin_headers(headers: &mut HeaderMap, uri: &Uri, client: SocketAddr) {
    let wildcard = if uri.path() == "/" { "" } else { uri.path() };
    for (name, value) in [
        ("spin-path-info", wildcard),
        ("spin-full-url", &uri.to_string()),
        ("spin-matched-route", "/..."),
        ("spin-base-path", "/"),
        ("spin-raw-component-route", "/..."),
        ("spin-component-route", ""),
        ("spin-client-addr", &client.to_string()),
    ] {
        // Any part of a request can be part of a header.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net;

    use super::*;

    fn uri_of(target: &str, hosts: &[&str]) -> Option<String> {
        let mut request = Request::get(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        absolute_uri(&request.body(()).unwrap()).map(|uri| uri.to_string())
    }

    #[test]
    fn the_authority_is_that_of_target_or_first_host_and_must_be_one() {
        assert_eq!(uri_of("/x?y", &["localhost:3000"]).unwrap(), "http://localhost:3000/x?y");
        assert_eq!(uri_of("http://a.test/x", &[]).unwrap(), "http://a.test/x");
        assert_eq!(uri_of("http://a.test/x", &["a.test"]).unwrap(), "http://a.test/x");
        assert_eq!(uri_of("/x", &["a.test", "b.test"]).unwrap(), "http://a.test/x");
        assert_eq!(uri_of("http://a.test/x", &["b.test"]), None);
        assert_eq!(uri_of("/x", &[]), None);
        assert_eq!(uri_of("/x", &["a b"]), None);
        assert_eq!(uri_of("a.test:80", &["a.test:80"]), None);
    }

    #[test]
    fn spin_headers_describe_the_request_after_those_of_the_client() {
        let mut headers = HeaderMap::new();
        headers.insert("spin-client-addr", HeaderValue::from_static("the client's"));
        let client = SocketAddr::from(([127, 0, 0, 1], 4000));
        let uri = Uri::from_static("http://localhost:3000/a%2Fb?c=d");
        add_spin_headers(&mut headers, &uri, client);
        assert_eq!(headers["spin-full-url"], "http://localhost:3000/a%2Fb?c=d");
        assert_eq!(headers["spin-path-info"], "/a%2Fb");
        let addresses: Vec<_> = headers.get_all("spin-client-addr").iter().collect();
        assert_eq!(addresses, ["the client's", "127.0.0.1:4000"]);
    }

    /// Serves one connection that gets only these bytes. Returns the answer to them, and true if Nagle's algorithm is
    /// off.
    async fn exchange(request: &[u8]) -> (String, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, address) = listener.accept().await.unwrap();
        // The same socket, to read its options.
        let socket = stream.into_std().unwrap();
        let stream = TcpStream::from_std(socket.try_clone().unwrap()).unwrap();
        client.write_all(request).unwrap();
        let graceful = GracefulShutdown::new();
        let answer = |_| async { Some(Response::new(Empty::new().map_err(Error::from).boxed_unsync())) };
        serve_connection(stream, address, graceful.watcher(), answer).await;
        let nodelay = socket.nodelay().unwrap();
        drop(socket);
        let mut answered = String::new();
        client.read_to_string(&mut answered).unwrap();
        (answered, nodelay)
    }

    #[tokio::test]
    async fn nagle_is_on() {
        let (answered, nodelay) = exchange(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        assert!(answered.starts_with("HTTP/1.1 200 OK\r\n"), "{answered}");
        assert!(!nodelay);
    }
}
