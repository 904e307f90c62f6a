//! `azure-sql-rest-up`: only the command `up` of `azure-sql-rest`. This program needs no generator, no parser and no template engine,
//! and so is built sooner. `make up` builds it.

use std::process::ExitCode;

use azure_sql_rest_up::stop::Stop;
use azure_sql_rest_up::up::{self, UpArguments};
use clap::Parser;

#[derive(Parser)]
#[command(name = "azure-sql-rest-up", about = "Run the local bridge, and the API on Spin or the built-in host")]
struct Arguments {
    #[command(flatten)]
    up: UpArguments,

    /// Stop when standard input ends, so that the program that started this leaves nothing behind
    #[arg(long)]
    exit_on_stdin_eof: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    azure_sql_rest_up::report(match Stop::listen(arguments.exit_on_stdin_eof) {
        Ok(stop) => up::run(arguments.up, stop).await,
        Err(error) => Err(error),
    })
}
