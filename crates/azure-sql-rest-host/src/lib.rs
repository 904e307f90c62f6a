//! The built-in host: runs the component of a `spin.toml` where Spin is not installed.
//!
//! A stand-in for development, tests and measurements, not a replacement. The host embeds the engine of Spin (Wasmtime
//! with `wasmtime-wasi-http`) and follows Spin where a component or its client can tell the difference. The guest gets
//! clocks, random numbers, standard output and error, HTTP in and out, and its variables. There are no files, no
//! environment and no sockets. There is one component, on the route `/...`, over plain HTTP/1.1.
//!
//! # How Spin behaves
//!
//! In Spin 3.6.3 and 4.1.0-pre0, which agree unless a row says otherwise. Then a component for WASI 0.2 gets the
//! behaviour of 3.6, and a component for WASI 0.3 the behaviour of 4.1. Files are below `crates/` of Spin's repository. Tests are in the module that
//! the row names, or in `tests/e2e` of this repository, which also run on Spin itself.
//!
//! | behaviour | in Spin | test |
//! |---|---|---|
//! | No option of an accepted socket is set, `TCP_NODELAY` neither. | `trigger-http/src/server.rs`: `serve_http`, `serve_connection` | `server`: `nagle_is_on` |
//! | The same holds for a connection that Spin makes. Without TLS, it has no vectored writes: head and body are copied into one buffer. | `factor-outbound-http/src/wasi.rs`: `ConnectOptions::connect_tcp`, `impl AsyncWrite for PermittedTcpStream` | `connect`: `nagle_is_on_and_writes_are_not_vectored` |
//! | Connections are pooled. All settings are the defaults of hyper, also its limit for one read. | `factor-outbound-http/src/wasi.rs`: `HttpClients::new` | `outbound`: `connections_are_used_again` |
//! | A variable is looked up when the component asks for it: each provider in turn, the environment within `block_in_place`, at last the default. Nothing is remembered. Spin leaves the thread for each variable. This host leaves it once for a look-up. | `expressions/src/lib.rs`: `ProviderResolver::resolve_variable`, `variables-env/src/lib.rs`: `EnvVariablesProvider::get`, `runtime-factors/src/build.rs`: `build`, for `--variable`, which comes first | `variables`: `every_look_up_asks_the_environment_and_allowed_hosts_ask_for_all_variables`, `the_environment_is_asked_where_blocking_is_allowed` |
//! | The first request of each instance resolves `allowed_outbound_hosts`, and with them all variables of the application, whichever the templates name. With WASI 0.2 that is every request that has a call to make. | `factor-outbound-networking/src/lib.rs`: `OutboundNetworkingFactor::prepare`, `expressions/src/lib.rs`: `ProviderResolver::prepare` | `variables`: `every_look_up_asks_the_environment_and_allowed_hosts_ask_for_all_variables`; `outbound`: `other_hosts_are_denied_without_a_connection` |
//! | Each instance opens `.spin/logs/<component>_stdout.txt` and `…_stderr.txt`. A write goes to the file and to Spin's standard error before it returns. There is no prefix. | `trigger/src/cli/stdio.rs`: `StdioLoggingExecutorHooks::prepare_instance`, `ComponentStdioWriter::write`; `factor-wasi/src/io.rs`: `PipedWriteStream` | `stdio`: `what_instances_write_is_in_the_file_of_the_component_when_the_write_returns` |
//! | A fresh instance for each request with WASI 0.2. With WASI 0.3 (4.1) an instance answers 128 requests, 16 at a time. An idle instance is kept for a second. | `trigger-http/src/wasi.rs`: `WasiHttpExecutor::execute`; `trigger-http/src/lib.rs`: `DEFAULT_WASIP3_MAX_INSTANCE_REUSE_COUNT` and the next two | `interleaved`: `every_answer_belongs_to_its_request` |
//! | The pool has `SPIN_MAX_INSTANCE_COUNT` instances, or 1,000. A request that finds none free is 500 without a body, at once. | `core/src/lib.rs`: `Config::default`; Wasmtime's `PoolingAllocationConfig` | `outage`: `a_full_pool_answers_500_at_once_and_without_a_body` |
//! | No authority, two that differ, or CONNECT: the connection is closed without a byte. Of several `Host`, the first counts. | `trigger-http/src/server.rs`: `set_req_uri` | `raw_requests`: `a_request_for_nobody_or_for_two_is_not_answered`, `a_request_for_the_first_of_two_hosts_is_answered` |
//! | A header that is not UTF-8: 500 without a body, before the component runs. | `trigger-http/src/headers.rs`: `prepare_request_headers` | `raw_requests`: `a_header_that_is_not_utf_8_is_a_failure_without_a_body` |
//! | A client closes its sending half after a whole request. Spin closes the connection without a byte, and the instance runs on. | `trigger-http/src/server.rs`: `serve_connection`; `trigger-http/src/wasi.rs`: `WasiHttpExecutor::execute` | `raw_requests`: `a_client_that_ends_its_side_after_the_request_gets_no_answer_and_its_request_goes_on` |
//! | `Transfer-Encoding: gzip, chunked` is read as plain. | `trigger-http/src/server.rs`: `serve_connection`, by hyper's default | `raw_requests`: `a_coding_before_chunked_is_ignored` |
//! | `spin-*` headers come after the client's headers of the same name. | `trigger-http/src/wasi.rs`: `prepare_request`; `trigger-http/src/headers.rs`: `compute_default_headers` | `server`: `spin_headers_describe_the_request_after_those_of_the_client` |
//!
//! # Where it differs
//!
//! - Spin makes spans and counts metrics. This host has neither.
//! - Spin's `runtime-config.toml` is not read: the environment is the only provider, and connections are pooled. Each
//!   provider that it names makes a look-up dearer on Spin.
//! - Spin 4.1.0-pre0 shows a component for WASI 0.3 the hop-by-hop headers of an answer, and refuses them on a response
//!   (`HeaderError::Forbidden`, then 500). The engine here (Wasmtime 48; Spin's is 47) removes them before.
//! - Spin speaks HTTP/2 as well, to clients and by TLS to destinations.
//!
//! In reading order: `manifest` reads `spin.toml`, `variables` and `allowed_hosts` apply it. `engine` compiles the
//! component, and `imports`, `interfaces` and `stdio` have the functions that it may call. `outbound` and `connect` send
//! its own requests, `guest` sends requests through instances, and `server` serves the connections.

mod allowed_hosts;
mod connect;
mod engine;
mod guest;
mod imports;
#[allow(missing_docs, reason = "generated")]
pub mod interfaces;
mod manifest;
mod outbound;
mod server;
mod stdio;
mod variables;

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpListener;

use crate::allowed_hosts::AllowedHosts;
use crate::guest::Guest;
use crate::manifest::Manifest;
use crate::outbound::{Application, Outbound};
use crate::variables::Resolver;

pub use crate::engine::CodeOrigin;

/// The application to run, and where its compiled code is kept.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// The `spin.toml`.
    pub manifest: PathBuf,
    /// A folder for compiled code, created when absent. Its contents are executed: it must be as trusted as this
    /// program.
    pub cache_dir: PathBuf,
    /// Values of declared variables; they win over `SPIN_VARIABLE_…` in the environment.
    pub variables: BTreeMap<String, String>,
}

/// A component that is compiled, linked and ready to serve.
#[derive(Clone)]
pub struct Host {
    guest: Arc<Guest>,
    code_origin: CodeOrigin,
}

impl Host {
    /// Reads the manifest, resolves its variables and compiles the component, or loads it when it was compiled before.
    ///
    /// # Errors
    ///
    /// Everything that Spin would refuse at start, with the file and the key in the message. Examples are a manifest that
    /// cannot be read or asks for something that this host does not do, and a variable without a value. So are an outbound
    /// host with a path, a component that is missing, and a component that does not handle HTTP requests.
    pub fn load(config: &HostConfig) -> Result<Self> {
        let manifest = Manifest::read(&config.manifest)?;
        let unusable = || format!("{} cannot be used", config.manifest.display());
        let variables = Resolver::new(&manifest, &config.variables).with_context(unusable)?;
        AllowedHosts::resolve(&manifest.allowed_outbound_hosts, &variables).with_context(unusable)?;
        let log_dir = manifest.log_dir;
        fs::create_dir_all(&log_dir).with_context(|| format!("cannot create {}", log_dir.display()))?;
        let code = engine::load(&manifest.source, &config.cache_dir)?;
        let application = Application {
            component: manifest.component,
            variables,
            allowed_outbound_hosts: manifest.allowed_outbound_hosts,
            log_dir,
            outbound: Outbound::new()?,
        };
        let guest = Guest::new(&code.component, application)
            .with_context(|| format!("{} cannot be run", manifest.source.display()))?;
        Ok(Self { guest: Arc::new(guest), code_origin: code.origin })
    }

    /// Says if the component was compiled now or found in the cache.
    pub fn code_origin(&self) -> CodeOrigin {
        self.code_origin
    }

    /// The key of the component in the manifest.
    pub fn component(&self) -> &str {
        self.guest.component()
    }

    /// Serves HTTP/1.1 on `listener` until `shutdown` resolves, then lets requests in progress finish for up to five
    /// seconds.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let guest = self.guest.clone();
        let answer = move |request| {
            let guest = guest.clone();
            async move { guest.answer(request).await }
        };
        server::serve(listener, shutdown, answer).await;
        self.guest.stop();
    }
}
