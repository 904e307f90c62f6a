//! `soak`: sends requests at a fixed rate through component and bridge while the bridge fails on purpose. At the end it
//! proves that no write was lost or done twice. If a promise was broken, the status is not 0, and the output says which.
//!
//! In reading order: [`mix`] and [`plan`] (requests and their outcomes), [`drive`] (when), [`perform`] (asking and
//! judging), [`verify`] (the end), [`tally`], [`registry`] and [`report`] (the results). [`stack`] and [`api`] reach the
//! API under test.

mod api;
mod customer;
mod drive;
mod mix;
mod perform;
mod plan;
mod registry;
mod report;
mod stack;
mod tally;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::{Value, json};

use crate::api::Api;
use crate::drive::{Lanes, Load, drive};
use crate::perform::{Bench, Lane};
use crate::plan::Planner;
use crate::report::Report;
use crate::stack::{Stack, VARIABLES};
use crate::tally::Tally;

/// Drives the API while the bridge behind it fails.
#[derive(Parser)]
struct Arguments {
    /// Requests with faults
    #[arg(long, default_value_t = 1500)]
    requests: usize,

    /// Requests without faults, before [default: a tenth of the requests with faults]
    #[arg(long)]
    baseline: Option<usize>,

    /// Requests a second
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,

    /// Decides on requests and faults
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How long it may take at most, seconds
    #[arg(long, default_value_t = 900)]
    limit: u64,

    /// Where to write the report
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// The API to drive. The API must have the data of a fresh local bridge, and has only its own faults [default: a stack of
    /// the program's own]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(broken) if broken.is_empty() => ExitCode::SUCCESS,
        Ok(broken) => {
            broken.iter().for_each(|line| eprintln!("{line}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs it all; returns what was broken, in words.
async fn run(arguments: &Arguments) -> Result<Vec<String>> {
    let begin = Instant::now();
    let stack = match arguments.url {
        Some(_) => None,
        None => Some(Stack::start().await?),
    };
    let url = stack.as_ref().map(|stack| &stack.url).or(arguments.url.as_ref()).context("no URL")?;
    let mut bench = Bench { api: Api::new(url)?, registry: Arc::default(), tally: Arc::default() };
    let (mut planner, mut lanes) = begin_with_what_is_there(&bench, arguments.seed).await?;
    let limit = Duration::from_secs(arguments.limit);
    let load = |requests| Load { requests, rate: arguments.rate, limit };

    let baseline = arguments.baseline.unwrap_or(arguments.requests / 10);
    drive(&bench, &mut planner, &mut lanes, load(baseline)).await?;
    let without_faults = std::mem::replace(&mut bench.tally, Arc::new(Tally::default())).counts();

    let (mut plan, mut log, mut retries, mut ledger) = (Value::Null, Value::Null, [0, 0], 0);
    if let Some(stack) = &stack {
        plan = faults(arguments);
        stack.set_faults(&plan).await?;
    }
    drive(&bench, &mut planner, &mut lanes, load(arguments.requests)).await?;
    if let Some(stack) = &stack {
        log = stack.fault_log().await?;
        stack.set_faults(&json!({})).await?;
        // A delayed call that nobody waits for any more must be over before rows are compared.
        tokio::time::sleep(Duration::from_millis(DELAY_MS + 500)).await;
        retries = stack.retries()?;
    }
    let lanes = lanes.finish().await?;
    let rows = verify::compare(&bench, planner.rows(), &lanes).await?;
    if let Some(stack) = &stack {
        let phases = [&without_faults, &bench.tally.counts()];
        let acknowledged = phases.iter().map(|counts| counts.acknowledged).sum();
        let uncertain = phases.iter().map(|counts| counts.uncertain).sum();
        ledger = verify::compare_ledger(&bench.tally, &stack.database(), acknowledged, uncertain)?;
    }
    let with_faults = bench.tally.counts();
    if let Some(stack) = stack {
        stack.stop().await?;
    }
    let report = Report {
        seed: arguments.seed,
        rate: arguments.rate,
        took: begin.elapsed(),
        variables: &VARIABLES,
        plan: &plan,
        log: &log,
        retries,
        without_faults: &without_faults,
        with_faults: &with_faults,
        rows,
        ledger,
    };
    if let Some(file) = &arguments.report {
        std::fs::write(file, report.markdown()).with_context(|| format!("cannot write {}", file.display()))?;
    }
    println!("{}", report.summary());
    Ok([without_faults, with_faults].into_iter().flat_map(|counts| counts.told).collect())
}

/// Orders refer to these customers of a fresh local bridge, so that they cannot be deleted.
fn is_referenced(id: i32) -> bool {
    id < 800
}

/// The model of a database on which nothing was done yet.
async fn begin_with_what_is_there(bench: &Bench, seed: u64) -> Result<(Planner, Lanes)> {
    let stored = verify::fetch_all(&bench.api).await?;
    let highest_id = stored.keys().max().copied().unwrap_or_default();
    let (mut customers, mut lanes) = (Vec::new(), Vec::new());
    for (id, row) in stored {
        bench.registry.created(id);
        customers.push((row.customer, is_referenced(id)));
        lanes.push(Lane::existing(id, row.etag));
    }
    Ok((Planner::new(seed, customers, highest_id), Lanes::new(lanes)))
}

/// Longer than an attempt: the call is executed after the component has tried again.
const DELAY_MS: u64 = 1500;

/// A fifth of all calls fails, a quarter of these after their commit; and the database is unavailable four times. DAB's own
/// attempts and time-outs are a tenth of the real ones, as an attempt is here.
fn faults(arguments: &Arguments) -> Value {
    let whole_ms = 1000 * arguments.requests as u64 / u64::from(arguments.rate);
    let outage = |kind, percent| json!({"after_ms": whole_ms * percent / 100, "for_ms": (whole_ms / 10).min(3000), "kind": kind});
    json!({
        "seed": arguments.seed,
        "rates": {
            "commit_then_drop": 0.05,
            "reset_before_read": 0.015,
            "reset_after_read": 0.015,
            "delay": 0.015,
            "stall": 0.01,
            "truncate": 0.015,
            "length_too_long": 0.01,
            "length_too_short": 0.01,
            "error_429": 0.01,
            "error_500": 0.01,
            "login_refused": 0.005,
            "silence": 0.002,
            "error_502": 0.01,
            "error_503": 0.015,
            "garbage": 0.007,
            "refuse": 0.001,
        },
        "retry_after_share": 0.5,
        "delay_ms": DELAY_MS,
        "login_ms": 600,
        "silence_ms": 3300,
        "outages": [outage("refuse", 20), outage("error_500", 40), outage("login_refused", 60), outage("silence", 80)],
    })
}
