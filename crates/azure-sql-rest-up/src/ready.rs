//! Readiness: the API is up when `GET /healthz` answers 200.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// How long to wait between two attempts while nobody listens.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until the API answers, for at most `limit`.
///
/// # Errors
///
/// Nobody listened or answered in time, or the answer was not 200.
pub async fn wait(api: SocketAddr, limit: Duration) -> Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match timeout(left, health(api)).await {
            Ok(Ok(status)) => {
                ensure!(status == "200", "GET /healthz was answered with status {status}; the reason should be above");
                return Ok(());
            }
            Ok(Err(_)) if !left.is_zero() => sleep(PAUSE).await,
            Ok(Err(_)) | Err(_) => bail!("the API did not answer GET /healthz within {} s", limit.as_secs()),
        }
    }
}

/// The status of one `GET /healthz`. By hand, because it is the only request this program ever sends.
async fn health(api: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(api).await?;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let status = answer.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    status.map(|status| String::from_utf8_lossy(status).into()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    async fn answer_once(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 512];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn ready_is_200_and_nothing_else() {
        let ready = answer_once("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        wait(ready, Duration::from_secs(30)).await.unwrap();
        let broken = answer_once("HTTP/1.1 500 Internal Server Error\r\n\r\n").await;
        let error = wait(broken, Duration::from_secs(30)).await.unwrap_err().to_string();
        assert!(error.contains("status 500"), "{error}");
    }

    #[tokio::test]
    async fn a_silent_port_is_reported_after_the_limit() {
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let limit = Duration::from_millis(30);
        assert!(wait(silent.local_addr().unwrap(), limit).await.is_err());
    }
}
