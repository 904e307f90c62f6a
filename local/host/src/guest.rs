//! Requests through instances of the component: a fresh one for each with WASI 0.2; with WASI 0.3 one for many, several
//! at a time.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Sleep, sleep};
use wasmtime::component::{Component, GuestTaskId};
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyHandler, ProxyPre, ShouldAccept, TrapOrPanicError, WorkerExpiration, WorkerState,
    WorkerStatus,
};
use wasmtime_wasi_http::p2::bindings::ProxyPre as Wasi02;
use wasmtime_wasi_http::p3::bindings::ServicePre as Wasi03;
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpView};

use crate::engine::MAX_INSTANCES;
use crate::imports::{Application, InstanceState, link};
use crate::outbound::Outbound;
use crate::variables::Variables;

/// How many requests an instance of a WASI 0.3 component answers, and how many at a time; how long it is kept when it
/// has none. As in Spin.
const REUSE: usize = 128;
const CONCURRENT_REUSE: usize = 16;
const IDLE_LIMIT: Duration = Duration::from_secs(1);

/// The client of a request: a value when it has its answer, dropped when it has left without.
pub(crate) type Client = oneshot::Receiver<()>;

/// The component, linked and ready to be instantiated.
pub(crate) struct Guest {
    handler: ProxyHandler<Instances>,
}

impl Guest {
    pub fn new(component: &Component, name: String, variables: Variables, outbound: Arc<Outbound>) -> Result<Self> {
        let pre = link(component.engine())?.instantiate_pre(component)?;
        let pre = match Wasi03::new(pre.clone()) {
            Ok(pre) => ProxyPre::P3(pre),
            Err(_) => ProxyPre::P2(Wasi02::new(pre).map_err(anyhow::Error::from).context(
                "it exports neither wasi:http/handler@0.3 nor wasi:http/incoming-handler@0.2, so it handles no HTTP requests",
            )?),
        };
        let application = Arc::new(Application {
            component: name,
            variables,
            outbound,
        });
        let handler = ProxyHandler::new(Instances {
            application,
            pre,
            free: Arc::new(Semaphore::new(MAX_INSTANCES as usize)),
            stopped: Arc::default(),
        });
        Ok(Self { handler })
    }

    pub fn component(&self) -> &str {
        &self.handler.state().application.component
    }

    /// From now on, instances end without a word.
    pub fn stop(&self) {
        self.handler.state().stopped.store(true, Ordering::Release);
    }

    /// Has an instance answer a request. `None` when it fails before the head of its response; why is on standard error.
    pub async fn answer(&self, request: Request<WasiBody>, client: Client) -> Option<Response<GuestBody>> {
        let (taken, instance) = oneshot::channel();
        match self.handler.handle(Taken { client, taken }, request).await {
            Ok(response) => {
                let instance = instance.await.ok()?;
                Some(response.map(|body| GuestBody { body, instance }))
            }
            Err(error) => {
                // An instance that fails says so itself.
                if !error.is::<TrapOrPanicError>() {
                    eprintln!("built-in host: {} gave no answer: {error:#}", self.component());
                }
                None
            }
        }
    }
}

/// What an instance learns of a request that it takes, and whom it tells.
struct Taken {
    client: Client,
    taken: oneshot::Sender<Arc<Progress>>,
}

/// How far an instance has come.
#[derive(Default)]
struct Progress {
    /// It has trapped, and its responses with it.
    failed: AtomicBool,
    /// The client for whom alone it works, with WASI 0.2.
    client: Mutex<Option<Client>>,
    /// That client has left.
    abandoned: AtomicBool,
}

impl Progress {
    /// Resolves when its only client has left.
    fn poll_left(&self, context: &mut Context) -> Poll<()> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        match client.as_mut().map(|client| Pin::new(client).poll(context)) {
            Some(Poll::Ready(answered)) => {
                *client = None;
                self.abandoned.store(answered.is_err(), Ordering::Release);
                if answered.is_err() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }
            Some(Poll::Pending) | None => Poll::Pending,
        }
    }
}

/// Makes instances, no more at a time than there may be.
struct Instances {
    application: Arc<Application>,
    pre: ProxyPre<InstanceState>,
    free: Arc<Semaphore>,
    stopped: Arc<AtomicBool>,
}

impl HandlerState for Instances {
    type StoreData = InstanceState;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<InstanceState, Expiration, Worker>> {
        let place = self.free.clone().acquire_owned().await?;
        let (engine, reused) = match &self.pre {
            ProxyPre::P2(pre) => (pre.engine(), false),
            ProxyPre::P3(pre) => (pre.engine(), true),
        };
        let mut store = Store::new(engine, InstanceState::new(self.application.clone()));
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let progress = Arc::new(Progress::default());
        Ok(Instance {
            store,
            proxy,
            view: InstanceState::http,
            expiration: Expiration {
                progress: progress.clone(),
                idle: Box::pin(sleep(IDLE_LIMIT)),
            },
            state: Worker {
                application: self.application.clone(),
                progress,
                reused,
                stopped: self.stopped.clone(),
                _place: place,
            },
        })
    }
}

/// An instance at work.
struct Worker {
    application: Arc<Application>,
    progress: Arc<Progress>,
    reused: bool,
    stopped: Arc<AtomicBool>,
    _place: OwnedSemaphorePermit,
}

impl WorkerState for Worker {
    type StoreData = InstanceState;
    type RequestData = Taken;

    fn should_accept_request(&self, concurrent_count: usize, total_count: usize) -> ShouldAccept {
        let (reuse, concurrent_reuse) = if self.reused { (REUSE, CONCURRENT_REUSE) } else { (1, 1) };
        if total_count >= reuse {
            ShouldAccept::Never
        } else if concurrent_count >= concurrent_reuse {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, InstanceState>,
        request: Taken,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        // Nobody waits for it when the client has gone.
        let _ = request.taken.send(self.progress.clone());
        // An instance with other requests outlives a client that leaves.
        if !self.reused {
            *self.progress.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.client);
        }
        // There is no limit on the time for a response.
        Box::pin(pending())
    }

    fn drop(&self, store: Store<InstanceState>, result: Result<(), wasmtime::Error>) {
        // Before the store is dropped: that ends the bodies of its responses as if they were complete.
        self.progress.failed.store(result.is_err(), Ordering::Release);
        drop(store);
        let ended = self.progress.abandoned.load(Ordering::Acquire) || self.stopped.load(Ordering::Acquire);
        if let Err(error) = result
            && !ended
        {
            eprintln!("built-in host: {} failed: {error:#}", self.application.component);
        }
    }
}

/// Ends an instance that has had nothing to do for some time, or works for nobody.
struct Expiration {
    progress: Arc<Progress>,
    idle: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Expiration {
    fn poll(mut self: Pin<&mut Self>, context: &mut Context, status: WorkerStatus, since: Instant) -> Poll<()> {
        if status != WorkerStatus::Idle {
            return self.progress.poll_left(context);
        }
        let end = (since + IDLE_LIMIT).into();
        if self.idle.deadline() != end {
            self.idle.as_mut().reset(end);
        }
        self.idle.as_mut().poll(context)
    }
}

/// The body of a response. When the guest fails before its end, so does the body: the client sees the connection break
/// off, instead of taking a part for the whole.
pub(crate) struct GuestBody {
    body: WasiBody,
    instance: Arc<Progress>,
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None if self.instance.failed.load(Ordering::Acquire) => {
                Poll::Ready(Some(Err(Error::HttpResponseIncomplete)))
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use http_body_util::{BodyExt, Full};

    use super::*;

    #[tokio::test]
    async fn a_body_whose_instance_failed_does_not_end_well() {
        for failed in [false, true] {
            let body = GuestBody {
                body: Full::from("part").map_err(Error::from).boxed_unsync(),
                instance: Arc::new(Progress {
                    failed: failed.into(),
                    ..Progress::default()
                }),
            };
            assert_eq!(body.collect().await.is_err(), failed);
        }
    }

    #[test]
    fn an_instance_is_abandoned_when_its_client_leaves_without_an_answer() {
        for answered in [true, false] {
            let (waiting, client) = oneshot::channel();
            let progress = Progress {
                client: Mutex::new(Some(client)),
                ..Progress::default()
            };
            let mut context = Context::from_waker(Waker::noop());
            assert!(progress.poll_left(&mut context).is_pending());
            match answered {
                true => waiting.send(()).unwrap(),
                false => drop(waiting),
            }
            assert_eq!(progress.poll_left(&mut context).is_pending(), answered);
            assert_eq!(progress.abandoned.into_inner(), !answered);
        }
    }
}
