//! `azure-sql-rest up`: the steps from nothing to an API that answers.

use std::collections::BTreeMap;
use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use http::Uri;

use crate::bridge::{self, DataArguments};
use crate::service::Service;
use crate::steps::{Steps, say};
use crate::stop::Stop;
use crate::{builtin, listen, ready, samples, spin};

/// How long the API may take to answer. Spin compiles the component in this time.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Options of `azure-sql-rest up`.
#[derive(Args)]
pub struct UpArguments {
    /// Address of the API; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,

    /// Address of the local bridge [default: 127.0.0.1:5000, or any free port]
    #[arg(long, value_name = "ADDRESS")]
    bridge_listen: Option<SocketAddr>,

    #[command(flatten)]
    data: DataArguments,

    /// Manifest of the application
    #[arg(long, value_name = "FILE", env = "MANIFEST", default_value = "spin.toml")]
    manifest: PathBuf,

    /// Use the Data API Builder at this URL, and no local bridge
    #[arg(long, value_name = "URL", env = "DAB_URL")]
    dab_url: Option<String>,

    /// The host of the component [default: auto, or the environment variable HOST]
    #[arg(long, value_enum)]
    host: Option<HostChoice>,

    /// Path of Spin [default: as found on PATH]
    #[arg(long, value_name = "FILE", env = "SPIN")]
    spin: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum HostChoice {
    /// Spin when it is there, else the built-in host
    Auto,
    /// The built-in host
    Local,
    /// Spin
    Spin,
}

/// Starts everything, serves until told to stop, and stops everything.
///
/// # Errors
///
/// When something cannot be started, or ends by itself.
pub async fn run(arguments: UpArguments, mut stop: Stop) -> Result<()> {
    let mut stack = Stack::default();
    let outcome = tokio::select! {
        () = stop.requested() => Ok(()),
        error = stack.serve(&arguments) => error,
    };
    // The API first: its requests in progress still need the bridge.
    let mut outcome = outcome;
    for service in [stack.api.take(), stack.bridge.take()].into_iter().flatten() {
        outcome = outcome.and(service.stop().await);
    }
    outcome
}

/// The services that have been started so far.
#[derive(Default)]
struct Stack {
    bridge: Option<Service>,
    api: Option<Service>,
}

impl Stack {
    /// Starts what is needed and serves; returns only when something fails.
    async fn serve(&mut self, arguments: &UpArguments) -> Result<()> {
        let begin = Instant::now();
        let mut steps = Steps::begin();
        let spin = choose(arguments)?;
        // Before anything slow: the most common mistake is a second `make up`.
        let listener = listen::api(arguments.listen).await?;
        let address = listener.local_addr()?;
        let dab_url = match arguments.dab_url.as_deref().filter(|url| !url.is_empty()) {
            Some(url) => {
                ensure!(
                    arguments.data.faults.is_none(),
                    "--faults is for the local bridge, which is not started when a DAB URL is given"
                );
                origin(url)?
            }
            None => {
                let bridge = bridge::start(arguments.bridge_listen, &arguments.data, &mut steps).await?;
                self.bridge = Some(bridge.service);
                format!("http://{}", bridge.address)
            }
        };
        let manifest = &arguments.manifest;
        let (api, host) = match &spin {
            Some(spin) => {
                // Spin listens itself.
                drop(listener);
                (spin::start(spin, manifest, &dab_url, address)?, "Spin")
            }
            None => {
                let variables = BTreeMap::from([("dab_url".to_owned(), dab_url.clone())]);
                (builtin::start(manifest, variables, listener, &mut steps).await?, "built-in host")
            }
        };
        let api = self.api.insert(api);
        tokio::select! {
            ready = ready::wait(address, READY_LIMIT) => ready?,
            error = api.failed() => return Err(error),
        }
        steps.done(format_args!("API on http://{address} ({host})"));
        summarize(address, manifest, &dab_url, spin.is_none(), begin.elapsed());
        tokio::select! {
            error = api.failed() => Err(error),
            error = failed(&mut self.bridge) => Err(error),
        }
    }
}

async fn failed(service: &mut Option<Service>) -> anyhow::Error {
    match service {
        Some(service) => service.failed().await,
        None => std::future::pending().await,
    }
}

/// The Spin to use, or `None` for the built-in host.
fn choose(arguments: &UpArguments) -> Result<Option<PathBuf>> {
    let given = arguments.spin.clone().filter(|path| !path.as_os_str().is_empty());
    match (arguments.host.unwrap_or_else(from_environment), given) {
        (HostChoice::Local, _) => Ok(None),
        (HostChoice::Auto | HostChoice::Spin, Some(path)) => spin::at(path).map(Some),
        (HostChoice::Auto, None) => Ok(spin::on_path()),
        (HostChoice::Spin, None) => match spin::on_path() {
            Some(path) => Ok(Some(path)),
            None => {
                bail!("there is no spin on PATH; give its path with SPIN=…, or use the built-in host with HOST=local")
            }
        },
    }
}

/// `HOST` counts only when it is one of our words: some shells export it as the name of the machine.
fn from_environment() -> HostChoice {
    let value = env::var("HOST").unwrap_or_default();
    HostChoice::from_str(&value, false).unwrap_or(HostChoice::Auto)
}

/// Checks that a URL is an origin, which is what Spin's `allowed_outbound_hosts` takes.
fn origin(url: &str) -> Result<String> {
    let uri: Uri = url.parse().with_context(|| format!("{url:?} is not a URL"))?;
    ensure!(matches!(uri.scheme_str(), Some("http" | "https")), "{url:?} must begin with http:// or https://");
    ensure!(
        uri.path_and_query().is_none_or(|path| path == "/"),
        "{url:?} must be scheme, host and port only; the path goes into SPIN_VARIABLE_OPTIONS, as dab_path=/…"
    );
    Ok(url.trim_end_matches('/').to_owned())
}

fn summarize(api: SocketAddr, manifest: &Path, dab_url: &str, built_in: bool, time: Duration) {
    let page = format!("http://{api}");
    say(format_args!("API ready at {page}"));
    say(format_args!("Started in {:.1} s. Data comes from {dab_url}. Ctrl-C stops everything.", time.as_secs_f64()));
    if built_in {
        say("The built-in host is a stand-in for development and tests; with spin on PATH, Spin is used.");
    }
    let samples = samples::read(&manifest.with_file_name("openapi.json"), &page);
    say(format_args!("Open that address in a browser{}", if samples.is_empty() { "." } else { ", or try:" }));
    for sample in samples {
        say(format_args!("  {sample}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dab_url_is_an_origin() {
        assert_eq!(origin("http://localhost:5000").unwrap(), "http://localhost:5000");
        assert_eq!(origin("https://dab.example.com/").unwrap(), "https://dab.example.com");
        for (url, reason) in [
            ("http://localhost:5000/api", "SPIN_VARIABLE_OPTIONS"),
            ("http://localhost:5000/?a=b", "SPIN_VARIABLE_OPTIONS"),
            ("localhost:5000", "must begin with http"),
            ("ftp://localhost", "must begin with http"),
            ("http://", "not a URL"),
        ] {
            let error = origin(url).unwrap_err().to_string();
            assert!(error.contains(reason), "{url}: {error}");
        }
    }
}
