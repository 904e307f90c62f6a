//! `azure-sql-rest`: everything the API needs, on a developer's machine.
//!
//! `azure-sql-rest up` is what `make up` calls: the local bridge, then the API on Spin or on the built-in host. `azure-sql-rest bridge`
//! is the bridge alone, for a Spin that somebody starts by hand. In reading order: `up` the steps, `service` what runs
//! until it is stopped, `bridge`, `builtin` and `spin` the three such services, `ready` when the API answers, `listen`
//! addresses, `stop` the end.

mod bridge;
mod builtin;
mod entity;
mod generate;
mod listen;
mod ready;
mod routes;
mod service;
mod spin;
mod steps;
mod stop;
mod up;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bridge::BridgeArguments;
use crate::entity::EntityArguments;
use crate::spin::SpinEnded;
use crate::stop::Stop;
use crate::up::UpArguments;

#[derive(Parser)]
#[command(name = "azure-sql-rest", about = "The API on this machine, without Azure SQL, and without Spin if need be")]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// Stop when standard input ends, so that whoever started this leaves nothing behind
    #[arg(long, global = true)]
    exit_on_stdin_eof: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the local bridge, and the API on Spin or the built-in host
    Up(UpArguments),
    /// Run the local bridge alone
    Bridge(BridgeArguments),
    /// Write what follows from the table of routes: DAB's entities, openapi.json
    Generate,
    /// Add a table of one's own to the API
    Entity(EntityArguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let stop = match Stop::listen(arguments.exit_on_stdin_eof) {
        Ok(stop) => stop,
        Err(error) => return failure(&error),
    };
    let outcome = match arguments.command {
        Command::Up(arguments) => up::run(arguments, stop).await,
        Command::Bridge(arguments) => bridge::run(arguments, stop).await,
        Command::Generate => generate::generate(Path::new(".")),
        Command::Entity(arguments) => entity::run(Path::new("."), arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure(&error),
    }
}

fn failure(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    error.downcast_ref::<SpinEnded>().map_or(ExitCode::FAILURE, SpinEnded::exit_code)
}
