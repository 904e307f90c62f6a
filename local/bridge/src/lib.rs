//! The local bridge: a stand-in for Data API Builder 2.0.9 (DAB) and Azure SQL on a developer's machine.
//!
//! It answers as DAB in production mode would for the stored procedures of the customer API: same URLs, statuses,
//! envelopes, escaping and error messages. The procedures are SQLite scripts in a folder, with the rules of `sql/`, on an
//! embedded SQLite file. A component that works with it works with DAB unchanged.
//!
//! Not imitated, because the component does not use it: compression (`Accept-Encoding` is ignored, bodies are always
//! plain), HTTPS redirection, authentication and roles, GraphQL, MCP, OpenAPI, caching, hot reload and development
//! mode.
//!
//! In reading order: [`bridge`](Bridge) (the checks of one request), `config` (dab-config.json), `parameters` (request
//! to arguments), `scripts`, [`procedures`], `functions` and `ledger` (what happens), `wire` and `escape` (row to
//! response), `database`. Apart from all of it: [`faults`], for tests.

mod bridge;
mod config;
mod database;
mod escape;
pub mod faults;
mod functions;
mod health;
mod json;
mod ledger;
mod parameters;
pub mod procedures;
mod scripts;
mod wire;

use std::{convert::Infallible, pin::pin, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{net::TcpListener, select, time::sleep};

pub use bridge::{Bridge, Config};
pub use wire::ReplyBody;

/// How long Kestrel keeps an idle connection.
const KEEP_ALIVE: Duration = Duration::from_secs(130);

/// How long requests may go on after the shutdown began.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// How long to wait before accepting again when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves HTTP/1.1 until `shutdown` is ready; then accepts nothing more, lets running requests end (for 10 s at most)
/// and returns.
///
/// # Errors
/// None at present; trouble with single connections does not end the server.
pub async fn serve(listener: TcpListener, bridge: Bridge, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let stream = select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    eprintln!("local bridge: cannot accept a connection: {error}");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        // A small answer waits for no other. A connection that is gone already ends below.
        let _ = stream.set_nodelay(true);
        let bridge = bridge.clone();
        let service = service_fn(move |request| {
            let bridge = bridge.clone();
            async move { Ok::<_, Infallible>(bridge.answer(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(KEEP_ALIVE)
            .serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        // An error here is a client that went away or does not speak HTTP; there is nobody to tell.
        tokio::spawn(async move { connection.await.ok() });
    }
    drop(listener);
    select! {
        () = connections.shutdown() => {}
        () = sleep(SHUTDOWN) => {}
    }
    Ok(())
}

#[cfg(test)]
mod testing {
    use proptest::{
        collection::vec,
        prelude::*,
        test_runner::{Config, RngSeed},
    };

    /// The same cases in every run.
    pub(crate) fn deterministic() -> Config {
        Config {
            rng_seed: RngSeed::Fixed(2026),
            failure_persistence: None,
            ..Config::default()
        }
    }

    /// Texts of any characters (proptest's own strings have no control characters).
    pub(crate) fn any_text() -> impl Strategy<Value = String> {
        vec(any::<char>(), 0..100).prop_map(String::from_iter)
    }
}
