//! The built-in host: runs the component of a `spin.toml` where Spin is not installed.
//!
//! A stand-in for development and tests, not a replacement. It embeds the engine that is inside Spin (Wasmtime with
//! `wasmtime-wasi-http`) and follows Spin where a component can tell the difference: variables and their templates,
//! `allowed_outbound_hosts`, one fresh instance for each request with WASI 0.2 and one for many with WASI 0.3, `spin-*`
//! request headers, error codes of outbound requests. The guest gets clocks, random numbers, standard output and error,
//! HTTP in and out, and its variables; no files, no environment, no sockets. There is one component, on the route
//! `/...`, over plain HTTP/1.1.
//!
//! In reading order: `manifest` what `spin.toml` says, `variables` and `allowed_hosts` what that means for the
//! component, `engine` its compiled code, `imports` and `interfaces` what it may call, `outbound` and `connect` where
//! its own requests go, `guest` requests through instances, `server` the connections.

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
use crate::imports::Application;
use crate::manifest::Manifest;
use crate::outbound::Outbound;
use crate::variables::Resolver;

pub use crate::engine::CodeOrigin;

/// What to run, and where to keep its compiled code.
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
    /// Everything Spin would refuse at start, with the file and the key in the message: a manifest that cannot be read
    /// or asks for what this host does not do, a variable without a value, an outbound host with a path, a component
    /// that is missing or does not handle HTTP requests.
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
        Ok(Self {
            guest: Arc::new(guest),
            code_origin: code.origin,
        })
    }

    /// Whether the component was compiled just now or found in the cache.
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
