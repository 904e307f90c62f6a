//! The server with faults: as [`serve`](crate::serve), but it can close its port, cut connections and take the wire out
//! of HTTP's hands.

use std::{
    future::{pending, poll_fn},
    io,
    pin::{self, pin},
    sync::{Arc, Mutex, PoisonError},
};

use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{Faults, call, control, port::Port, scene::Scene};
use crate::{ACCEPT_PAUSE, KEEP_ALIVE, SHUTDOWN, bridge::Bridge, wire::ReplyBody};

/// Serves HTTP/1.1 with faults until `shutdown` is ready, and `/faults` on `control`: `GET` tells the plan and what has
/// come of it, `PUT` puts another plan into force. `control` is a port of its own, so that it answers during an outage
/// too and no path of DAB changes.
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
        ended = serve(listener, bridge, &faults, shutdown) => Ok(ended?),
        never = control::serve(control, &faults) => match never {},
    }
}

async fn serve(
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
            accepted = port.accept() => match accepted {
                Ok(stream) => {
                    let connection = Connection { bridge: bridge.clone(), faults: faults.clone(), scene: Arc::default() };
                    connections.spawn(connection.run(stream, cut.subscribe(), stop.subscribe()));
                }
                Err(error) => {
                    eprintln!("local bridge: cannot accept a connection: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            () = until(faults.next_change()) => {}
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

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// One connection of a client.
#[derive(Clone)]
struct Connection {
    bridge: Bridge,
    faults: Faults,
    /// What is to happen when HTTP is over. Left here by a call, because hyper takes only an error from it.
    scene: Arc<Mutex<Option<Scene>>>,
}

impl Connection {
    async fn run(self, stream: TcpStream, mut cut: watch::Receiver<()>, mut stop: watch::Receiver<()>) {
        // A small answer waits for no other. A connection that is gone already ends below.
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
                // How HTTP ended does not matter; what matters is whether it left a scene.
                _ = poll_fn(|context| http.poll_without_shutdown(context)) => break false,
                _ = cut.changed() => break true,
                _ = stop.changed(), if !stopping => {
                    stopping = true;
                    pin::Pin::new(&mut http).graceful_shutdown();
                }
            }
        };
        // This drops a call that is still going on.
        let stream = http.into_parts().io.into_inner();
        let scene = self.scene.lock().unwrap_or_else(PoisonError::into_inner).take();
        if is_cut {
            self.faults.count(|log| log.cut_connections += 1);
            // What fails with the connection is gone with it.
            let _ = stream.set_zero_linger();
        } else if let Some(scene) = scene {
            let leave = async {
                if !stopping {
                    let _ = stop.changed().await;
                }
            };
            select! {
                biased;
                _ = scene.play(stream) => {}
                _ = cut.changed() => {}
                () = leave => {}
            }
        }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<ReplyBody>, io::Error> {
        call::answer(&self.bridge, &self.faults, request)
            .await
            .map_err(|scene| {
                *self.scene.lock().unwrap_or_else(PoisonError::into_inner) = Some(scene);
                io::ErrorKind::ConnectionAborted.into()
            })
    }
}
