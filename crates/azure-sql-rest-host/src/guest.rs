//! Sends requests through instances of the component. With WASI 0.2, each request has a fresh instance. With WASI
//! 0.3, one instance answers many requests, several at a time.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use http::{Request, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use wasmtime::component::{Component, GuestTaskId};
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyHandler, ProxyPre, ShouldAccept, TrapOrPanicError, WorkerExpiration, WorkerState,
    WorkerStatus,
};
use wasmtime_wasi_http::p2::bindings::ProxyPre as Wasi02;
use wasmtime_wasi_http::p3::bindings::ServicePre as Wasi03;
use wasmtime_wasi_http::{WasiBody, WasiHttpView};

use crate::engine::max_instances;
use crate::imports::{InstanceState, link};
use crate::outbound::Application;

/// How many requests an instance of a WASI 0.3 component answers, how many at a time, and how long it is kept without
/// any. The values are Spin's.
const REUSE: usize = 128;
const CONCURRENT_REUSE: usize = 16;
const IDLE_LIMIT: Duration = Duration::from_secs(1);

/// The component, linked and ready to be instantiated.
pub(crate) struct Guest {
    handler: ProxyHandler<Instances>,
}

impl Guest {
    pub fn new(component: &Component, application: Application) -> Result<Self> {
        let pre = link(component.engine())?.instantiate_pre(component)?;
        let pre = match Wasi03::new(pre.clone()) {
            Ok(pre) => ProxyPre::P3(pre),
            Err(_) => ProxyPre::P2(Wasi02::new(pre).map_err(anyhow::Error::from).context(
                "it exports neither wasi:http/handler@0.3 nor wasi:http/incoming-handler@0.2, so it handles no HTTP requests",
            )?),
        };
        let handler = ProxyHandler::new(Instances {
            application: Arc::new(application),
            pre,
            free: Arc::new(Semaphore::new(max_instances() as usize)),
            stopped: Arc::default(),
        });
        Ok(Self { handler })
    }

    pub fn component(&self) -> &str {
        &self.handler.state().application.component
    }

    /// Makes instances end silently from now on.
    pub fn stop(&self) {
        self.handler.state().stopped.store(true, Ordering::Release);
    }

    /// Lets an instance answer a request. `None` when the instance fails before the head of its response; standard
    /// error says why.
    pub async fn answer(&self, request: Request<WasiBody>) -> Option<Response<WasiBody>> {
        let answer = self.handler.handle((), request).await;
        answer
            .inspect_err(|error| {
                // An instance that fails reports it itself.
                if !error.is::<TrapOrPanicError>() {
                    eprintln!("built-in host: {} gave no answer: {error:#}", self.component());
                }
            })
            .ok()
    }
}

/// Makes instances, up to the limit at a time. As in Spin, a request that finds none free fails, and does not wait.
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
        let place = self.free.clone().try_acquire_owned();
        let place = place.map_err(|_| wasmtime::Error::msg("all instances are in use"))?;
        let (engine, reused) = match &self.pre {
            ProxyPre::P2(pre) => (pre.engine(), false),
            ProxyPre::P3(pre) => (pre.engine(), true),
        };
        let state = InstanceState::new(self.application.clone()).map_err(wasmtime::Error::from_anyhow)?;
        let mut store = Store::new(engine, state);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let proxy = self.pre.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy,
            view: InstanceState::http,
            expiration: Expiration(Box::pin(sleep(IDLE_LIMIT))),
            state: Worker {
                application: self.application.clone(),
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
    reused: bool,
    stopped: Arc<AtomicBool>,
    _place: OwnedSemaphorePermit,
}

impl WorkerState for Worker {
    type StoreData = InstanceState;
    type RequestData = ();

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
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        // There is no limit on the time for a response, nor does an instance end when its client leaves.
        Box::pin(pending())
    }

    fn drop(&self, store: Store<InstanceState>, result: Result<(), wasmtime::Error>) {
        drop(store);
        if let Err(error) = result
            && !self.stopped.load(Ordering::Acquire)
        {
            eprintln!("built-in host: {} failed: {error:#}", self.application.component);
        }
    }
}

/// Ends an instance that has had nothing to do for some time.
struct Expiration(Pin<Box<Sleep>>);

impl WorkerExpiration for Expiration {
    fn poll(mut self: Pin<&mut Self>, context: &mut Context, status: WorkerStatus, since: Instant) -> Poll<()> {
        if status != WorkerStatus::Idle {
            return Poll::Pending;
        }
        let end = (since + IDLE_LIMIT).into();
        if self.0.deadline() != end {
            self.0.as_mut().reset(end);
        }
        self.0.as_mut().poll(context)
    }
}
