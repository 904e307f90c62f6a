//! The imports that the component may call: WASI with a clock that stands still and known random bytes, the bridge, and
//! Spin's variables.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use azure_sql_rest_host::interfaces::{variables_2, variables_3};
use http::{Request, Response};
use wasmtime::component::{Accessor, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::random::Deterministic;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use crate::cases::Answer;

/// The state of one instance.
pub(crate) struct State {
    /// How often the instance has called out of WebAssembly.
    pub host_calls: u64,
    variables: Arc<BTreeMap<String, String>>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    bridge: Bridge,
    table: ResourceTable,
}

impl State {
    pub fn new(variables: Arc<BTreeMap<String, String>>) -> Self {
        let random = || Deterministic::new((0..=u8::MAX).collect());
        let wasi = WasiCtx::builder()
            .monotonic_clock(Stopped)
            .wall_clock(Stopped)
            .secure_random(random())
            .insecure_random(random())
            .insecure_random_seed(0x0123_4567_89ab_cdef)
            .build();
        Self {
            host_calls: 0,
            variables,
            wasi,
            http: WasiHttpCtx::new(),
            bridge: Bridge(None),
            table: ResourceTable::new(),
        }
    }

    /// Sets the bridge's answer to every request.
    pub fn bridge_answers(&mut self, answer: Answer) {
        self.bridge.0 = Some(answer);
    }
}

/// Links every import that a component may have.
pub(crate) fn link(linker: &mut Linker<State>) -> Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi::p3::add_to_linker(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    wasmtime_wasi_http::p3::add_to_linker(linker)?;
    variables_2::add_to_linker::<_, HasSelf<_>>(linker, |state: &mut State| state)?;
    variables_3::add_to_linker::<_, HasSelf<_>>(linker, |state: &mut State| state)?;
    Ok(())
}

/// A clock that always shows the same time.
struct Stopped;

impl HostMonotonicClock for Stopped {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        1_000_000_000
    }
}

impl HostWallClock for Stopped {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1_800_000_000)
    }
}

/// The bridge: gives the same answer to every request, at once.
struct Bridge(Option<Answer>);

/// The transmission of a request.
type Transmission = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Bridge {
    fn send_request(
        &mut self,
        _: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Transmission,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Transmission), Error>> + Send> {
        let response = match &self.0 {
            Some(answer) => answer.response(),
            None => Err(Error::ConnectionRefused),
        };
        Box::new(async { Ok((response?, Box::new(async { Ok(()) }) as Transmission)) })
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.bridge }
    }
}

impl variables_2::Host for State {
    fn get(&mut self, name: String) -> Result<String, variables_2::Error> {
        let value = self.variables.get(&name).cloned();
        value.ok_or(variables_2::Error::Undefined(name))
    }
}

impl variables_3::Host for State {}

impl variables_3::HostWithStore<State> for HasSelf<State> {
    async fn get(instance: &Accessor<State, Self>, name: String) -> Result<String, variables_3::Error> {
        let value = instance.with(|mut state| state.get().variables.get(&name).cloned());
        value.ok_or(variables_3::Error::Undefined(name))
    }
}
