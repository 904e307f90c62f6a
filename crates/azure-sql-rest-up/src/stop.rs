//! When to stop: Ctrl-C, SIGTERM, or the end of standard input.

use std::io;
use std::thread;

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// The wish to stop, from whatever side it comes.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
    input_ended: Option<oneshot::Receiver<()>>,
}

impl Stop {
    /// Starts to listen. From here on, signals no longer end the process by themselves.
    pub fn listen(on_stdin_eof: bool) -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            input_ended: if on_stdin_eof { Some(watch_input()?) } else { None },
        })
    }

    /// Resolves when it is time to stop, and at once ever after.
    pub async fn requested(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = ended(&mut self.input_ended) => {}
        }
    }
}

async fn ended(input: &mut Option<oneshot::Receiver<()>>) {
    match input {
        Some(input) => {
            let _ = input.await;
        }
        None => std::future::pending().await,
    }
}

/// Reads standard input to its end on a thread of its own: Tokio's would keep the process alive until the read returns.
fn watch_input() -> Result<oneshot::Receiver<()>> {
    let (ended, receiver) = oneshot::channel();
    let read = move || {
        // An input that cannot be read has ended.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = ended.send(());
    };
    thread::Builder::new().name("stdin".into()).spawn(read).context("cannot start a thread")?;
    Ok(receiver)
}
