//! The local bridge, in this process: by itself or as one step of `up`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, Result};
use azure_sql_rest_bridge::faults::Faults;
use azure_sql_rest_bridge::{Bridge, Config, serve, serve_with_faults};
use clap::Args;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use crate::listen;
use crate::service::{Service, Stopped};
use crate::steps::{Steps, say};
use crate::stop::Stop;

/// Where Data API Builder listens as well.
const USUAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

/// Its name in messages.
const NAME: &str = "the local bridge";

/// Options of `azure-sql-rest bridge`.
#[derive(Args)]
pub struct BridgeArguments {
    /// Address of the bridge [default: 127.0.0.1:5000]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    #[command(flatten)]
    data: DataArguments,
}

/// The files that the bridge serves.
#[derive(Args)]
pub struct DataArguments {
    /// SQLite file with the rows, made and filled on first start
    #[arg(long, value_name = "FILE", default_value = ".local/data.db")]
    pub database: PathBuf,

    /// Configuration of Data API Builder, for paths and methods of the procedures
    #[arg(long, value_name = "FILE", default_value = "dab/dab-config.json")]
    pub dab_config: PathBuf,

    /// Folder of the procedures, as SQLite scripts
    #[arg(long, value_name = "FOLDER", default_value = "sqlite")]
    pub procedures: PathBuf,

    /// Plan of faults, in JSON: the bridge fails on purpose, for tests
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
}

/// A bridge that serves.
pub struct Started {
    /// Stops it.
    pub service: Service,
    /// The address to which requests may be sent at once.
    pub address: SocketAddr,
    /// The address of the control of its faults, `/faults`, if it was given a plan.
    pub control: Option<SocketAddr>,
}

/// Runs only the bridge, until `stop` resolves.
///
/// # Errors
///
/// The errors of [`start`], and when serving fails.
pub async fn run(arguments: BridgeArguments, mut stop: Stop) -> Result<()> {
    let mut steps = Steps::begin();
    let started = start(arguments.listen.or(Some(USUAL)), &arguments.data, &mut steps).await?;
    let mut bridge = started.service;
    say(format_args!("Bridge ready at http://{}", started.address));
    let outcome = tokio::select! {
        () = stop.requested() => Ok(()),
        error = bridge.failed() => Err(error),
    };
    outcome.and(bridge.stop().await)
}

/// Starts the bridge as a service, on the address asked for, or else on port 5000 or any free one.
///
/// # Errors
///
/// When the address is taken, or a file of `data` cannot be used.
pub async fn start(asked: Option<SocketAddr>, data: &DataArguments, steps: &mut Steps) -> Result<Started> {
    let listener = listen::bridge(asked, USUAL).await?;
    let address = listener.local_addr()?;
    let config = Config {
        database: data.database.clone(),
        dab_config: data.dab_config.clone(),
        procedures: data.procedures.clone(),
    };
    let bridge = spawn_blocking(move || Bridge::open(config)).await?.context("cannot start the local bridge")?;
    let (service, control) = match &data.faults {
        None => (Service::start(NAME, |stopped| serve(listener, bridge, stopped.wait())), None),
        Some(file) => {
            let faults = Faults::load(file)?;
            let control = TcpListener::bind((address.ip(), 0)).await?;
            let address = control.local_addr()?;
            steps.done(format_args!("faults at http://{address}/faults"));
            let serve = |stopped: Stopped| serve_with_faults(listener, bridge, faults, control, stopped.wait());
            (Service::start(NAME, serve), Some(address))
        }
    };
    let moved = if asked.is_none() && address.port() != USUAL.port() { ", the usual port is in use" } else { "" };
    steps.done(format_args!("local bridge on http://{address} ({}{moved})", data.database.display()));
    Ok(Started { service, address, control })
}
