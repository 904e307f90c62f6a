//! `azure-sql-rest`: the command line program for developers.
//!
//! `up` and `bridge` run the API with the crate `azure-sql-rest-up`. The other commands, in reading order:
//! - `entity` adds a table;
//! - `routes` reads the table of routes, and `generate` writes the files that follow from tables and routes;
//! - `component` builds, and `sql` writes and applies T-SQL;
//! - `test` checks that the API keeps its promises.

mod component;
mod entity;
mod generate;
mod routes;
mod sql;
mod steps;
mod test;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use azure_sql_rest_up::bridge::{self, BridgeArguments};
use azure_sql_rest_up::stop::Stop;
use azure_sql_rest_up::up::{self, UpArguments};
use clap::{Parser, Subcommand};

use crate::component::BuildArguments;
use crate::entity::EntityArguments;
use crate::sql::SqlArguments;
use crate::test::TestArguments;

#[derive(Parser)]
#[command(name = "azure-sql-rest", version, about = "REST APIs on Azure SQL: add tables, run and test on this machine")]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// Stop when standard input ends, so that a program that starts this leaves nothing behind
    #[arg(long, global = true)]
    exit_on_stdin_eof: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the local bridge, and the API on Spin or the built-in host
    Up(UpArguments),
    /// Run only the local bridge
    Bridge(BridgeArguments),
    /// Write the files that follow from the table of routes: DAB's entities, openapi.json
    Generate,
    /// Add a table of one's own to the API
    Entity(EntityArguments),
    /// Build the component of each manifest
    Build(BuildArguments),
    /// Write or apply all T-SQL of the project and of the library
    Sql(SqlArguments),
    /// Test that the API keeps all its promises about every entity
    Test(TestArguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    azure_sql_rest_up::report(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<()> {
    let root = Path::new(".");
    let stop = || Stop::listen(arguments.exit_on_stdin_eof);
    match arguments.command {
        Command::Up(arguments) => up::run(arguments, stop()?).await,
        Command::Bridge(arguments) => bridge::run(arguments, stop()?).await,
        Command::Generate => generate::generate(root),
        Command::Entity(arguments) => entity::run(root, arguments),
        Command::Build(arguments) => component::run(&arguments),
        Command::Sql(arguments) => sql::run(root, arguments),
        Command::Test(arguments) => test::run(arguments).await,
    }
}
