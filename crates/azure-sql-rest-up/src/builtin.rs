//! The API on the built-in host, in this process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use azure_sql_rest_host::{CodeOrigin, Host, HostConfig};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use crate::service::Service;
use crate::steps::Steps;

/// Where compiled code is kept, next to the bridge's data.
const CACHE: &str = ".local/cache";

/// Compiles the component, or finds its compiled code, and serves it. `variables` count more than the environment's `SPIN_VARIABLE_…`.
///
/// # Errors
///
/// When the manifest or the component cannot be used.
pub async fn start(
    manifest: &Path,
    variables: BTreeMap<String, String>,
    listener: TcpListener,
    steps: &mut Steps,
) -> Result<Service> {
    let config = HostConfig { manifest: manifest.to_owned(), cache_dir: PathBuf::from(CACHE), variables };
    let host = spawn_blocking(move || Host::load(&config)).await??;
    let origin = match host.code_origin() {
        CodeOrigin::Compiled => "compiled",
        CodeOrigin::Cached => "loaded, compiled before",
    };
    steps.done(format_args!("component {} {origin}", host.component()));
    Ok(Service::start("the built-in host", |stopped| async move {
        host.serve(listener, stopped.wait()).await;
        Ok(())
    }))
}
