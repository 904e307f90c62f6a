//! Standard output and error of an instance. As in Spin, each goes to a file, which every instance opens for itself,
//! and to the standard error of the host. A write returns when it is complete, even if others wait for it.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// The most that the guest may write at a time, in bytes.
const MAX_WRITE: usize = 1 << 20;

/// Standard output or standard error.
#[derive(Clone)]
pub(crate) struct Stdio(Arc<File>);

impl Stdio {
    /// Opens the file of `stream`, `stdout` or `stderr`.
    ///
    /// # Errors
    ///
    /// A file that cannot be opened; the message names it.
    pub fn open(log_dir: &Path, component: &str, stream: &str) -> Result<Self> {
        let path = log_dir.join(format!("{component}_{stream}.txt"));
        let file = File::options().create(true).append(true).open(&path);
        let file = file.with_context(|| format!("cannot open the log file {}", path.display()))?;
        Ok(Self(Arc::new(file)))
    }

    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        (&*self.0).write_all(bytes)?;
        io::stderr().write_all(bytes)
    }
}

impl StdoutStream for Stdio {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl IsTerminal for Stdio {
    fn is_terminal(&self) -> bool {
        false
    }
}

#[async_trait]
impl Pollable for Stdio {
    async fn ready(&mut self) {}
}

impl OutputStream for Stdio {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_all(&bytes).map_err(|error| StreamError::LastOperationFailed(error.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_WRITE)
    }
}

impl AsyncWrite for Stdio {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write_all(bytes).map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_instances_write_is_in_the_file_of_the_component_when_the_write_returns() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let mut stream = Stdio::open(folder.path(), "api", "stderr").unwrap().p2_stream();
            assert_eq!(stream.check_write().unwrap(), MAX_WRITE);
            stream.write(Bytes::from_static(b"line\n")).unwrap();
        }
        let written = std::fs::read_to_string(folder.path().join("api_stderr.txt")).unwrap();
        assert_eq!(written, "line\nline\n");
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named() {
        let error = Stdio::open(Path::new("no/such"), "api", "stdout").err().unwrap();
        assert!(error.to_string().contains("no/such/api_stdout.txt"), "{error}");
    }
}
