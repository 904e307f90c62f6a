//! How a connection to an outbound destination is made: TCP, TLS for `https`, and a time limit that each request sets
//! for itself.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Result;
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower_service::Service;

tokio::task_local! {
    /// The connect timeout of the request being sent. The pooling client has no parameter for it, hence a task-local,
    /// as in Spin.
    static LIMIT: Duration;
}

/// Sends a request with a time limit for making its connection, should it need a new one.
pub(crate) async fn with_limit<F: Future>(limit: Duration, request: F) -> F::Output {
    LIMIT.scope(limit, request).await
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ConnectError {
    /// The URI has no host.
    NoHost,
    /// The host has no address.
    UnknownHost,
    /// No process listens there, or it cannot be reached.
    Refused,
    /// The limit passed.
    Timeout,
    /// The TLS handshake failed.
    Tls,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoHost => "the URI has no host",
            Self::UnknownHost => "the host has no address",
            Self::Refused => "the connection was refused",
            Self::Timeout => "the connection was not made in time",
            Self::Tls => "the TLS handshake failed",
        })
    }
}

impl std::error::Error for ConnectError {}

/// Makes connections for the pooling client.
#[derive(Clone)]
pub(crate) struct Connector {
    tls: Arc<ClientConfig>,
}

impl Connector {
    /// Trusts Mozilla's root certificates, as Spin does.
    pub fn new() -> Result<Self> {
        let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: Arc::new(tls) })
    }

    async fn connect(self, uri: Uri) -> Result<Stream, ConnectError> {
        let host = uri.host().ok_or(ConnectError::NoHost)?;
        // Brackets belong to the syntax of a URI, not to the address.
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let tls = uri.scheme() == Some(&Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let stream = connect_tcp(host, port).await?;
        if !tls {
            return Ok(Stream(Box::new(stream)));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| ConnectError::UnknownHost)?;
        let stream = TlsConnector::from(self.tls).connect(name, stream).await.map_err(|_| ConnectError::Tls)?;
        Ok(Stream(Box::new(stream)))
    }
}

/// No option of the socket is set, as in Spin: Nagle's algorithm is on.
async fn connect_tcp(host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let addresses: Vec<_> = lookup_host((host, port)).await.map_err(|_| ConnectError::UnknownHost)?.collect();
    TcpStream::connect(&*addresses).await.map_err(|_| ConnectError::Refused)
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // Read here, where the request's task calls: the client may drive the future from another one.
        let limit = LIMIT.try_with(|limit| *limit).unwrap_or(Duration::MAX);
        let connection = self.clone().connect(uri);
        Box::pin(async move {
            let stream = timeout(limit, connection).await.map_err(|_| ConnectError::Timeout)??;
            Ok(TokioIo::new(stream))
        })
    }
}

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// A connection, with TLS or without.
pub(crate) struct Stream(Box<dyn Transport>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context, buffer: &mut ReadBuf) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

// Without vectored writes, as in Spin: head and body are copied into one buffer.
impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn nagle_is_on_and_writes_are_not_vectored() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = connect_tcp("127.0.0.1", port).await.unwrap();
        assert!(!stream.nodelay().unwrap());
        assert!(!Stream(Box::new(stream)).is_write_vectored());
    }
}
