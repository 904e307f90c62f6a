//! The retry policy against a bounded server: the answers that clients get in an outage, a brownout and an overload. The
//! strategies are no retries, one after ten seconds, plain backoff, and the policy of the component's `retry.rs` and `instance.rs`. Time
//! is virtual, and numbers come from a seed, so that a run takes a part of a second and always has the same result.
//!
//! In reading order: `scenario` (the load and the fault), `server` (DAB and its pool), `client` (requests and their strategy),
//! `run` (the events), `measure` (the results). `docs/pictures/overload.py` draws `overload.csv`.

mod client;
mod measure;
mod run;
mod scenario;
mod server;

use std::fmt::Write;
use std::sync::LazyLock;

use client::Strategy;
use measure::Outcome;
use run::run;
use scenario::SCENARIOS;

/// Time on the virtual clock, in microseconds.
type Time = u64;

const SECOND: Time = 1_000_000;

/// How often each scenario is run, each time with other random numbers. The figures are averages.
const RUNS: u64 = 10;

/// The figures of this scenario with this strategy. Each is made once.
fn outcome(scenario: &str, strategy: Strategy) -> &'static Outcome {
    static OUTCOMES: LazyLock<Vec<(&str, Strategy, Outcome)>> = LazyLock::new(|| {
        let all = SCENARIOS.iter().flat_map(|scenario| Strategy::ALL.map(|strategy| (scenario, strategy)));
        all.map(|(scenario, strategy)| {
            let runs = (0..RUNS).map(|seed| run(scenario, strategy, seed));
            (scenario.name, strategy, Outcome::of(scenario, runs))
        })
        .collect()
    });
    let outcome = OUTCOMES.iter().find(|(name, of, _)| *name == scenario && *of == strategy);
    &outcome.expect("a scenario").2
}

#[test]
fn an_overload_wastes_nothing_and_is_over_soon() {
    let capacity = scenario::CAPACITY;
    for (strategy, most) in [(Strategy::Reused, 20), (Strategy::Fresh, 44)] {
        let outcome = outcome("overload", strategy);
        println!("{strategy:?}: {outcome}");
        assert!(outcome.goodput >= 0.98 * capacity, "{strategy:?}: {outcome}");
        assert!(outcome.recovery_s <= most, "{strategy:?}: {outcome}");
    }
    assert!(outcome("overload", Strategy::Backoff).recovery_s > 50, "or there is nothing to improve");
    assert!(outcome("overload", Strategy::Once).recovery_s > 20, "or 20 s can be had without shared state");
}

#[test]
fn an_outage_of_ten_seconds_costs_no_request() {
    for name in
        ["refused for 10 s", "500 for 10 s", "500 after 3 s for 10 s", "500 after 6 s for 10 s", "silent for 10 s"]
    {
        for strategy in [Strategy::Once, Strategy::Fresh, Strategy::Reused] {
            let outcome = outcome(name, strategy);
            println!("{name}, {strategy:?}: {outcome}");
            assert_eq!(outcome.refused, 0, "{name}, {strategy:?}: {outcome}");
            assert!(outcome.answered > 1000);
        }
        assert!(outcome(name, Strategy::Never).refused > 100, "{name}: or there is nothing to ride out");
    }
}

#[test]
fn an_outage_of_two_minutes_refuses_most_at_once() {
    let name = "refused for 2 min, load x3";
    let (before, after) = (outcome(name, Strategy::Backoff), outcome(name, Strategy::Reused));
    println!("{before}\n{after}");
    assert!(after.refused_at_once * 2 > after.refused, "{after}");
    assert!(after.attempts * 20 < before.attempts, "{after}");
    assert!(after.held * 4 < before.held * 3, "{after}");
    assert!(after.recovery_s <= 12 && before.recovery_s > 25, "{after}");
}

#[test]
fn a_brownout_wastes_nothing_and_ends_sooner() {
    let (before, after) = (outcome("half as fast", Strategy::Backoff), outcome("half as fast", Strategy::Reused));
    println!("{before}\n{after}");
    assert!(after.goodput >= 0.98 * scenario::CAPACITY / 2.0, "{after}");
    assert!(after.recovery_s < before.recovery_s, "{after}");
}

#[test]
fn the_document_has_these_figures() {
    let mut table = String::new();
    for name in ["overload", "half as fast", "refused for 10 s", "refused for 2 min, load x3"] {
        for strategy in Strategy::ALL {
            let row = outcome(name, strategy).row();
            writeln!(table, "| {name} | {} | {row} |", strategy.name()).expect("a text");
        }
    }
    let document = include_str!("../../docs/resilience.md");
    for row in table.lines() {
        assert!(document.contains(row), "docs/resilience.md needs these rows:\n{table}");
    }
}

#[test]
fn the_picture_has_these_figures() {
    let drawn = include_str!("../../docs/pictures/overload.csv");
    let outcomes = Strategy::ALL.map(|strategy| outcome("overload", strategy));
    let mut csv = format!("second,{}\n", Strategy::ALL.map(Strategy::name).join(","));
    for second in 0..outcomes[0].seconds.len() {
        let row = outcomes.iter().map(|outcome| outcome.seconds[second].map_or(String::new(), |ms| ms.to_string()));
        writeln!(csv, "{second},{}", row.collect::<Vec<_>>().join(",")).expect("a text");
    }
    if drawn != csv {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/pictures/overload.csv");
        std::fs::write(path, csv).expect("docs/pictures");
        panic!("docs/pictures/overload.csv was not of this policy; it is now: run `make outage` to draw it");
    }
}
