//! What the guest may call: WASI 0.2 without files, environment or sockets; HTTP; Spin's variables.

use std::sync::Arc;

use anyhow::Result;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::outbound::{Hooks, Outbound};
use crate::variables::{self, Unavailable, Variables};

use self::spin::fermyon::spin::variables as spin_variables;

mod spin {
    wasmtime::component::bindgen!({
        inline: "
            package fermyon:spin@2.0.0;

            interface variables {
                get: func(name: string) -> result<string, error>;

                variant error {
                    invalid-name(string),
                    undefined(string),
                    provider(string),
                    other(string),
                }
            }

            world component {
                import variables;
            }
        ",
    });
}

/// What every instance of the component shares.
pub(crate) struct Application {
    pub component: String,
    pub variables: Variables,
    pub outbound: Arc<Outbound>,
}

/// What belongs to one instance.
pub(crate) struct InstanceState {
    application: Arc<Application>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    table: ResourceTable,
}

impl InstanceState {
    pub fn new(application: Arc<Application>) -> Self {
        Self {
            wasi: WasiCtx::builder().inherit_stdout().inherit_stderr().build(),
            http: WasiHttpCtx::new(),
            hooks: Hooks(application.outbound.clone()),
            table: ResourceTable::new(),
            application,
        }
    }
}

/// Links everything a component may import. One that imports more cannot be instantiated, which says so before the
/// first request.
pub(crate) fn link(engine: &Engine) -> Result<Linker<InstanceState>> {
    let mut linker = Linker::new(engine);
    // All of WASI 0.2, as in Spin: what the start of a Rust program asks for depends on its compiler. It finds no files,
    // no environment and no address that it may use.
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    spin_variables::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut InstanceState| state)?;
    Ok(linker)
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for InstanceState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.hooks,
        }
    }
}

impl spin_variables::Host for InstanceState {
    fn get(&mut self, name: String) -> Result<String, spin_variables::Error> {
        let Application {
            component, variables, ..
        } = &*self.application;
        variables::get(variables, component, &name).map_err(|unavailable| match unavailable {
            Unavailable::InvalidName(reason) => spin_variables::Error::InvalidName(reason),
            Unavailable::Undefined(reason) => spin_variables::Error::Undefined(reason),
        })
    }
}
