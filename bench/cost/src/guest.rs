//! Runs one request in a fresh instance of a component, in a world where nothing differs from one run to the next. The clock
//! stands still, random bytes are known, the bridge answers at once, and one thread does everything.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use http::Request;
use http_body_util::{BodyExt, Full};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wasmtime::component::{Component, GuestTaskId, Linker};
use wasmtime::{Cache, CacheConfig, CallHook, Config, Engine, OptLevel, Store, StoreContextMut};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyHandler, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p2::bindings::ProxyPre as Wasi02;
use wasmtime_wasi_http::p3::bindings::ServicePre as Wasi03;
use wasmtime_wasi_http::{Error, WasiHttpView};

use crate::cases::{Answer, Case};
use crate::component::Artifact;
use crate::imports::{self, State};
use crate::memory::{MAX_BYTES, Memories, Memory};

/// The cost of a request so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Instructions of WebAssembly, as the engine counts them: a bulk copy counts as one for each byte.
    pub fuel: u64,
    /// Calls out of WebAssembly: imports, ends of resources, and the component model's own functions.
    pub host_calls: u64,
    /// The memory that the instance has, in pages of 64 KiB.
    pub pages: u64,
    /// The pages of 4 KiB in it that are not all zero.
    pub touched: u64,
    /// How deep the stack has been, in bytes: down to the lowest byte that is not zero.
    pub stack: u64,
}

/// A component that is ready to answer.
pub(crate) struct Guest {
    handler: ProxyHandler<Instances>,
    costs: UnboundedReceiver<Result<[Cost; 2]>>,
}

impl Guest {
    /// Compiles a component, or loads an earlier result from `cache`.
    pub fn new(artifact: &Artifact, variables: BTreeMap<String, String>, cache: &Path) -> Result<Self> {
        let memories = Arc::new(Memories::default());
        let mut config = Config::new();
        config.cache(Some(open_cache(cache)?));
        config.consume_fuel(true);
        config.wasm_component_model_async(true);
        // Fuel is counted before the code is optimised.
        config.cranelift_opt_level(OptLevel::None);
        config.with_host_memory(memories.clone());
        config.memory_reservation(MAX_BYTES as u64);
        config.memory_guard_size(0);
        // An image of the initial memory requires memory of the engine itself.
        config.memory_init_cow(false);
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, &artifact.wasm)?;
        let mut linker = Linker::new(&engine);
        imports::link(&mut linker)?;
        let pre = linker.instantiate_pre(&component)?;
        let pre = match Wasi03::new(pre.clone()) {
            Ok(pre) => ProxyPre::P3(pre),
            Err(_) => ProxyPre::P2(Wasi02::new(pre)?),
        };
        let (done, costs) = unbounded_channel();
        let handler = ProxyHandler::new(Instances {
            engine,
            pre,
            memories,
            stack_bytes: artifact.stack_bytes,
            variables: Arc::new(variables),
            done,
        });
        Ok(Self { handler, costs })
    }

    /// Lets a fresh instance answer one request, and returns its cost before the request and after the answer.
    pub async fn cost(&mut self, case: &Case) -> Result<[Cost; 2]> {
        let body = Full::new(case.body.clone()).map_err(Error::from).boxed_unsync();
        let mut request = Request::builder()
            .method(case.method.clone())
            .uri(format!("http://localhost:3000{}", case.target))
            .header("host", "localhost:3000")
            .header("user-agent", "curl/8.5.0")
            .header("accept", "*/*");
        for (name, value) in &case.headers {
            request = request.header(*name, *value);
        }
        if !case.body.is_empty() {
            request = request.header("content-length", case.body.len());
        }
        let response = self.handler.handle(case.answer.clone(), request.body(body)?).await?;
        let status = response.status().as_u16();
        ensure!(status == case.status, "answered with {status} instead of {}", case.status);
        let text = response.into_body().collect().await.context("its body broke off")?;
        let length = text.to_bytes().len();
        ensure!(length >= case.least_bytes, "answered with {length} bytes instead of at least {}", case.least_bytes);
        self.costs.recv().await.context("the instance has left no trace")?
    }
}

fn open_cache(folder: &Path) -> Result<Cache> {
    std::fs::create_dir_all(folder)?;
    let mut config = CacheConfig::new();
    // Wasmtime needs an absolute path.
    config.with_directory(folder.canonicalize()?);
    Ok(Cache::new(config)?)
}

/// Makes an instance for each request.
struct Instances {
    engine: Engine,
    pre: ProxyPre<State>,
    memories: Arc<Memories>,
    stack_bytes: u64,
    variables: Arc<BTreeMap<String, String>>,
    done: UnboundedSender<Result<[Cost; 2]>>,
}

impl HandlerState for Instances {
    type StoreData = State;
    type WorkerExpiration = NoExpiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, NoExpiration, Worker>> {
        let mut store = Store::new(&self.engine, State::new(self.variables.clone()));
        store.set_fuel(u64::MAX)?;
        store.call_hook(|mut store, transition| {
            if matches!(transition, CallHook::CallingHost) {
                store.data_mut().host_calls += 1;
            }
            Ok(())
        });
        self.memories.take();
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let memories = self.memories.take();
        let [memory] = memories.as_slice() else {
            wasmtime::bail!("the component has {} memories instead of one", memories.len());
        };
        let mut worker =
            Worker { memory: memory.clone(), stack_bytes: self.stack_bytes, before: None, done: self.done.clone() };
        worker.before = Some(worker.cost(&store)?);
        Ok(Instance { store, proxy, view: State::http, expiration: NoExpiration, state: worker })
    }
}

/// An instance at work.
struct Worker {
    memory: Arc<Memory>,
    stack_bytes: u64,
    before: Option<Cost>,
    done: UnboundedSender<Result<[Cost; 2]>>,
}

impl Worker {
    fn cost(&self, store: &Store<State>) -> wasmtime::Result<Cost> {
        Ok(Cost {
            fuel: u64::MAX - store.get_fuel()?,
            host_calls: store.data().host_calls,
            pages: self.memory.pages(),
            touched: self.memory.touched(),
            stack: self.memory.depth_below(self.stack_bytes),
        })
    }
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = Answer;

    fn should_accept_request(&self, _: usize, total_count: usize) -> ShouldAccept {
        match total_count {
            0 => ShouldAccept::Yes,
            _ => ShouldAccept::Never,
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, State>,
        answer: Answer,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        store.data_mut().bridge_answers(answer);
        // There is no limit on the time for a response.
        Box::pin(pending())
    }

    fn drop(&self, store: Store<State>, result: wasmtime::Result<()>) {
        let costs = || {
            result?;
            let before = self.before.context("the instance was never ready")?;
            Ok([before, self.cost(&store)?])
        };
        // After a wrong answer, nobody waits for the task.
        let _ = self.done.send(costs());
    }
}

/// An instance ends by itself after its one request.
struct NoExpiration;

impl WorkerExpiration for NoExpiration {
    fn poll(self: Pin<&mut Self>, _: &mut Context, _: WorkerStatus, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}
