//! Connections: HTTP/1.1 as Kestrel serves it, with the effects of [`faults`](crate::faults). Faults can close the port, cut
//! connections and bypass HTTP on the wire.

use std::{
    future::poll_fn,
    io,
    pin::{self, pin},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    select,
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use crate::{
    bridge::Bridge,
    faults::{Faults, Plan, Port, Scene, answer, serve_control},
    wire::ReplyBody,
};

/// How long Kestrel keeps an idle connection.
const KEEP_ALIVE: Duration = Duration::from_secs(130);

/// How long requests may go on after the shutdown has begun.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// Serves HTTP/1.1 until `shutdown` is ready. Then accepts no further connections, lets running requests end (for 10 s at
/// most) and returns.
///
/// # Errors
/// When the listener has no address. A failure of one connection does not end the server.
pub async fn serve(listener: TcpListener, bridge: Bridge, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    Ok(run(listener, bridge, &Faults::new(Plan::default()), shutdown).await?)
}

/// Serves like [`serve`], but with faults, and with `/faults` on `control`. `GET` shows the plan and its effects so far,
/// `PUT` puts another plan into force. `control` is a separate port, so that it answers during an outage too and no path of
/// DAB changes.
///
/// # Errors
/// When the port cannot be opened again after an outage.
pub async fn serve_with_faults(
    listener: TcpListener,
    bridge: Bridge,
    faults: Faults,
    control: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    select! {
        ended = run(listener, bridge, &faults, shutdown) => Ok(ended?),
        never = serve_control(control, &faults) => match never {},
    }
}

async fn run(
    listener: TcpListener,
    bridge: Bridge,
    faults: &Faults,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut port = Port::new(listener)?;
    let mut connections = JoinSet::new();
    let (cut, stop) = (watch::Sender::new(()), watch::Sender::new(()));
    let mut shutdown = pin!(shutdown);
    loop {
        if !faults.refuses() {
            port.open()?;
        } else if port.close()? {
            faults.count(|log| log.closings += 1);
            cut.send_replace(());
        }
        select! {
            stream = port.accept() => {
                let connection = Connection { bridge: bridge.clone(), faults: faults.clone(), scene: Arc::default() };
                connections.spawn(connection.run(stream, cut.subscribe(), stop.subscribe()));
            }
            () = faults.changed() => {}
            Some(_ended) = connections.join_next() => {}
            () = &mut shutdown => break,
        }
    }
    drop(port);
    stop.send_replace(());
    let _ = timeout(SHUTDOWN, connections.join_all()).await;
    Ok(())
}

/// One connection of a client.
#[derive(Clone)]
struct Connection {
    bridge: Bridge,
    faults: Faults,
    /// The scene that follows when HTTP has ended. A call leaves it here, because hyper accepts only an error from a call.
    scene: Arc<Mutex<Option<Scene>>>,
}

impl Connection {
    async fn run(self, stream: TcpStream, mut cut: watch::Receiver<()>, mut stop: watch::Receiver<()>) {
        // A small answer does not wait for another. A connection that is already gone ends below.
        let _ = stream.set_nodelay(true);
        let connection = self.clone();
        let service = service_fn(move |request| Box::pin(connection.clone().answer(request)));
        let mut http = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(KEEP_ALIVE)
            .serve_connection(TokioIo::new(stream), service);
        let mut stopping = false;
        let is_cut = loop {
            select! {
                // Any end of HTTP is the same here; only a scene that it left matters.
                _ = poll_fn(|context| http.poll_without_shutdown(context)) => break false,
                _ = cut.changed() => break true,
                _ = stop.changed(), if !stopping => {
                    stopping = true;
                    pin::Pin::new(&mut http).graceful_shutdown();
                }
            }
        };
        // This drops a call that still runs.
        let mut stream = http.into_parts().io.into_inner();
        let scene = self.scene.lock().unwrap_or_else(PoisonError::into_inner).take();
        // From here on, an error means that the client has disconnected.
        if is_cut {
            self.faults.count(|log| log.cut_connections += 1);
            let _ = stream.set_zero_linger();
        } else if let Some(scene) = scene {
            select! {
                biased;
                _ = scene.play(stream) => {}
                _ = cut.changed() => {}
                _ = stop.changed(), if !stopping => {}
            }
        } else {
            let _ = stream.shutdown().await;
        }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<ReplyBody>, io::Error> {
        answer(&self.bridge, &self.faults, request).await.map_err(|scene| {
            *self.scene.lock().unwrap_or_else(PoisonError::into_inner) = Some(scene);
            io::ErrorKind::ConnectionAborted.into()
        })
    }
}
