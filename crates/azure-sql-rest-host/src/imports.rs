//! The functions that the guest may call: WASI 0.2 and 0.3 without files, environment or sockets, HTTP, and Spin's variables.

use std::sync::Arc;

use anyhow::Result;
use wasmtime::Engine;
use wasmtime::component::{Accessor, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::interfaces::{variables_2, variables_3};
use crate::outbound::{Application, Hooks};
use crate::stdio::Stdio;
use crate::variables::Unavailable;

/// The state of one instance.
pub(crate) struct InstanceState {
    application: Arc<Application>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    table: ResourceTable,
}

impl InstanceState {
    /// # Errors
    ///
    /// A log file that cannot be opened.
    pub fn new(application: Arc<Application>) -> Result<Self> {
        let log = |stream| Stdio::open(&application.log_dir, &application.component, stream);
        let (stdout, stderr) = (log("stdout")?, log("stderr")?);
        Ok(Self {
            wasi: WasiCtx::builder().stdout(stdout).stderr(stderr).build(),
            http: WasiHttpCtx::new(),
            hooks: Hooks::new(application.clone()),
            table: ResourceTable::new(),
            application,
        })
    }
}

/// Links every import that a component may have. A component with other imports cannot be instantiated, which an
/// error says before the first request.
pub(crate) fn link(engine: &Engine) -> Result<Linker<InstanceState>> {
    let mut linker = Linker::new(engine);
    // All of WASI, as in Spin: the imports at the start of a Rust program depend on its compiler. A component for WASI 0.3
    // imports WASI 0.2 as well. The component finds no files, no environment and no address that it may use.
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    variables_2::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut InstanceState| state)?;
    variables_3::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut InstanceState| state)?;
    Ok(linker)
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for InstanceState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

impl InstanceState {
    fn variable(&self, name: &str) -> Result<String, Unavailable> {
        self.application.variables.get(name)
    }
}

impl variables_2::Host for InstanceState {
    fn get(&mut self, name: String) -> Result<String, variables_2::Error> {
        self.variable(&name).map_err(|unavailable| match unavailable {
            Unavailable::InvalidName(reason) => variables_2::Error::InvalidName(reason),
            Unavailable::Undefined(reason) => variables_2::Error::Undefined(reason),
            Unavailable::Provider(reason) => variables_2::Error::Provider(reason),
        })
    }
}

impl variables_3::Host for InstanceState {}

impl variables_3::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn get(instance: &Accessor<InstanceState, Self>, name: String) -> Result<String, variables_3::Error> {
        instance.with(|mut state| state.get().variable(&name)).map_err(|unavailable| match unavailable {
            Unavailable::InvalidName(reason) => variables_3::Error::InvalidName(reason),
            Unavailable::Undefined(reason) => variables_3::Error::Undefined(reason),
            Unavailable::Provider(reason) => variables_3::Error::Provider(reason),
        })
    }
}
