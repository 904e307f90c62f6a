//! The local bridge: a stand-in for Data API Builder 2.0.9 (DAB) and Azure SQL on a developer's machine.
//!
//! The bridge answers like DAB in production mode for the stored procedures of the API: same URLs, statuses, envelopes,
//! escaping and error messages. The procedures are SQLite scripts in a folder, with the rules of `sql/`, on an embedded
//! SQLite file. A component that works with the bridge works with DAB unchanged.
//!
//! The bridge leaves out what the component does not use:
//!
//! - compression, forms and UTF-16: bodies are always plain JSON in UTF-8
//! - HTTPS redirection, and `X-Forwarded-Host` in `Location`
//! - authentication and roles
//! - GraphQL, MCP, OpenAPI, caching, hot reload and development mode
//!
//! In reading order:
//!
//! - [`bridge`](Bridge): the checks of one request
//! - `config`: dab-config.json
//! - `parameters`: from a request to arguments
//! - `scripts`, [`procedures`], `rows`, `functions`, [`fields`] and `ledger`: the execution of a procedure
//! - `wire` and `escape`: from a row to a response
//! - `database` and `server`
//! - [`faults`], for tests

mod arguments;
mod bridge;
mod clock;
mod config;
mod database;
mod escape;
pub mod faults;
pub mod fields;
mod functions;
mod health;
mod json;
mod ledger;
mod listener;
mod parameters;
pub mod procedures;
mod rows;
mod scripts;
mod server;
mod wire;

pub use bridge::{Bridge, Config};
pub use clock::Clock;
pub use functions::register;
pub use server::{serve, serve_with_faults};
pub use wire::ReplyBody;

#[cfg(test)]
mod testing {
    use proptest::{
        collection::vec,
        prelude::*,
        test_runner::{Config, RngSeed},
    };

    use crate::{procedures::Procedure, scripts::declared};

    /// A procedure with these parameters, as a script declares them. The procedure has no statements.
    pub(crate) fn procedure(name: &str, parameters: &str) -> Procedure {
        Procedure {
            name: name.into(),
            parameters: declared(&format!("-- {parameters}")).unwrap(),
            columns: Vec::new(),
            statements: Vec::new(),
            one: None,
        }
    }

    /// Runs the same cases every time.
    pub(crate) fn deterministic() -> Config {
        Config { rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..Config::default() }
    }

    /// Texts of any characters (proptest's own strings have no control characters).
    pub(crate) fn any_text() -> impl Strategy<Value = String> {
        vec(any::<char>(), 0..100).prop_map(String::from_iter)
    }
}
