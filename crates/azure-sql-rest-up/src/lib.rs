//! Runs the API on a developer's machine: the local bridge, then the component on Spin or on the built-in host.
//!
//! `make up` calls [`up::run`]. [`bridge::run`] runs only the bridge, for a Spin that somebody starts by hand. [`trial::Trial`] is a
//! stack with fresh data, for tests. In reading order: `up` has the steps, and `service` is something that runs until it is stopped.
//! `bridge`, `builtin` and `spin` are the three services, `ready` waits for the API, `listen` has addresses, and `stop` the end.

use std::process::ExitCode;

pub mod bridge;
pub mod builtin;
mod listen;
mod ready;
mod samples;
pub mod service;
mod spin;
pub mod steps;
pub mod stop;
pub mod trial;
pub mod up;

/// Reports how a command ended: its error goes to standard error, and Spin's own exit status is passed on.
pub fn report(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            error.downcast_ref::<spin::SpinEnded>().map_or(ExitCode::FAILURE, spin::SpinEnded::exit_code)
        }
    }
}
