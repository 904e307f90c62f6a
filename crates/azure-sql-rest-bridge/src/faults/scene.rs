//! Events on a connection that HTTP does not allow.

use std::{io, time::Duration};

use http_body_util::BodyExt;
use hyper::{Response, body::Bytes, header::TRANSFER_ENCODING};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::wire::ReplyBody;

/// Some bytes, and how the connection ends.
#[derive(Debug, PartialEq)]
pub(crate) struct Scene(Vec<u8>, Ending);

#[derive(Debug, PartialEq)]
enum Ending {
    /// In good order, as if the answer were complete.
    Close,
    /// At once: the client's system reports a reset, even when it still has something to read.
    Reset,
    /// After this long, or when the client leaves, with a reset.
    Hang(Duration),
}

impl Scene {
    /// No answer.
    pub fn reset() -> Self {
        Self(Vec::new(), Ending::Reset)
    }

    /// The head and half of a chunked body, then silence.
    pub async fn stall(response: Response<ReplyBody>, limit: Duration) -> Self {
        Self(half(response).await, Ending::Hang(limit))
    }

    /// The head and half of a chunked body, then the end.
    pub async fn truncate(response: Response<ReplyBody>) -> Self {
        Self(half(response).await, Ending::Close)
    }

    /// The whole answer, with an announced length of `length` times its true length.
    pub async fn mismeasured(response: Response<ReplyBody>, length: impl FnOnce(usize) -> usize) -> Self {
        let (head, body) = taken_apart(response, |body| format!("content-length: {}", length(body))).await;
        Self([&head[..], &body].concat(), Ending::Close)
    }

    /// Plays the scene to its end.
    ///
    /// # Errors
    /// When the client disconnects first.
    pub async fn play(self, mut stream: TcpStream) -> io::Result<()> {
        stream.write_all(&self.0).await?;
        match self.1 {
            Ending::Close => return stream.shutdown().await,
            Ending::Hang(limit) => {
                // The end of the client's side, an error and the time limit all end the scene.
                let _ = timeout(limit, stream.read(&mut [0])).await;
            }
            Ending::Reset => {}
        }
        stream.set_zero_linger()
    }
}

async fn half(response: Response<ReplyBody>) -> Vec<u8> {
    let (mut bytes, body) = taken_apart(response, |_| format!("{TRANSFER_ENCODING}: chunked")).await;
    bytes.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(&body[..body.len() / 2]);
    bytes
}

/// The bytes of a response's head, with one more header made from the length of its body, and the body.
async fn taken_apart(response: Response<ReplyBody>, framing: impl FnOnce(usize) -> String) -> (Vec<u8>, Bytes) {
    let (parts, body) = response.into_parts();
    let Ok(body) = body.collect().await.map(|body| body.to_bytes());
    let mut head = format!("HTTP/1.1 {}\r\n", parts.status).into_bytes();
    for (name, value) in &parts.headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(framing(body.len()).as_bytes());
    head.extend_from_slice(b"\r\n\r\n");
    (head, body)
}
