//! The local bridge: a stand-in for Data API Builder 2.0.9 (DAB) and Azure SQL on a developer's machine.
//!
//! It answers as DAB in production mode would for the stored procedures of the API: same URLs, statuses,
//! envelopes, escaping and error messages. The procedures are SQLite scripts in a folder, with the rules of `sql/`, on an
//! embedded SQLite file. A component that works with it works with DAB unchanged.
//!
//! Not imitated, because the component does not use it: compression (`Accept-Encoding` is ignored, bodies are always
//! plain), HTTPS redirection, `X-Forwarded-Host` in `Location`, authentication and roles, GraphQL, MCP, OpenAPI, caching,
//! hot reload and development mode.
//!
//! In reading order: [`bridge`](Bridge) (the checks of one request), `config` (dab-config.json), `parameters` (request
//! to arguments), `scripts`, [`procedures`], `functions`, [`fields`] and `ledger` (what happens), `wire` and `escape` (row to
//! response), `database`, `server`. Apart from all of it: [`faults`], for tests.

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
mod scripts;
mod server;
mod wire;

pub use bridge::{Bridge, Config};
pub use clock::Clock;
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

    /// A procedure with these parameters, as a script declares them. It does nothing.
    pub(crate) fn procedure(name: &str, parameters: &str) -> Procedure {
        Procedure {
            name: name.into(),
            parameters: declared(&format!("-- {parameters}")).unwrap(),
            columns: Vec::new(),
            statements: Vec::new(),
        }
    }

    /// The same cases in every run.
    pub(crate) fn deterministic() -> Config {
        Config { rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..Config::default() }
    }

    /// Texts of any characters (proptest's own strings have no control characters).
    pub(crate) fn any_text() -> impl Strategy<Value = String> {
        vec(any::<char>(), 0..100).prop_map(String::from_iter)
    }
}
