//! The report, in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use crate::tally::{Broken, Counts};

/// All that is reported.
pub(crate) struct Report<'a> {
    pub seed: u64,
    pub rate: u32,
    pub took: Duration,
    /// Variables of the component that were changed.
    pub variables: &'a [(&'a str, &'a str)],
    /// The plan of faults; null when the stack was not ours.
    pub plan: &'a Value,
    /// The log of the plan's faults.
    pub log: &'a Value,
    /// Retries and requests given up, as the component logged them.
    pub retries: [usize; 2],
    pub without_faults: &'a Counts,
    pub with_faults: &'a Counts,
    /// Rows compared at the end.
    pub rows: usize,
    /// Entries of the ledger.
    pub ledger: u64,
}

impl Report<'_> {
    /// The outcome in a line.
    pub fn summary(&self) -> String {
        let requests = self.without_faults.total() + self.with_faults.total();
        let faults = self.log["faults"].as_object().into_iter().flat_map(|faults| faults.values());
        let faults: u64 = faults.filter_map(Value::as_u64).sum();
        let broken = Broken::ALL.map(|broken| format!("{} {broken}", self.broken(broken)));
        format!(
            "soak: {requests} requests in {:.0} s, {faults} faults, {} retries; {}",
            self.took.as_secs_f64(),
            self.retries[0],
            broken.join(", ")
        )
    }

    /// How often a promise was broken.
    fn broken(&self, broken: Broken) -> u64 {
        of(&self.without_faults.broken, &broken) + of(&self.with_faults.broken, &broken)
    }

    /// The whole report.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "# Resilience report\n\n`make soak` writes this page. The test sends requests at a fixed rate through the component and the \
             local bridge, which fails on purpose. A model predicts each answer. At the end, the test compares every row of the \
             database with the model, and the ledger of writes with the acknowledged writes.\n\n",
        );
        self.outcome(&mut text);
        self.requests(&mut text);
        self.faults(&mut text);
        self.latency(&mut text);
        self.how(&mut text);
        text
    }

    fn outcome(&self, text: &mut String) {
        table(text, "Outcome", ["promise broken", "times"]);
        for broken in Broken::ALL {
            row(text, [broken.to_string(), self.broken(broken).to_string()]);
        }
        let total = self.without_faults.total() + self.with_faults.total();
        let acknowledged = self.without_faults.acknowledged + self.with_faults.acknowledged;
        let _ = writeln!(
            text,
            "\n{total} requests, {acknowledged} writes acknowledged, {} entries in the ledger, {} rows compared at the end.\n",
            self.ledger, self.rows
        );
    }

    fn requests(&self, text: &mut String) {
        table(text, "Requests", ["kind", "without faults", "with faults"]);
        let kinds: BTreeMap<_, _> = self.without_faults.requests.iter().chain(&self.with_faults.requests).collect();
        for kind in kinds.keys() {
            let [without, with] = [self.without_faults, self.with_faults].map(|counts| of(&counts.requests, kind));
            row(text, [(*kind).to_string(), without.to_string(), with.to_string()]);
        }
        let [without, with] = [self.without_faults, self.with_faults].map(|counts| counts.total().to_string());
        row(text, ["**all**".to_owned(), without, with]);
        text.push('\n');
    }

    fn faults(&self, text: &mut String) {
        let Some(faults) = self.log["faults"].as_object() else {
            return;
        };
        let calls = self.log["calls"].as_u64().unwrap_or_default();
        table(text, "Faults of the local bridge", ["kind", "calls", "share"]);
        let count = |count: &Value| count.as_u64().unwrap_or_default();
        let share = |count: u64| format!("{:.1} %", 100.0 * count as f64 / calls.max(1) as f64);
        for (kind, calls) in faults {
            row(text, [format!("`{kind}`"), count(calls).to_string(), share(count(calls))]);
        }
        let in_outage = count(&self.log["in_outage"]);
        row(text, ["arrived in an outage, and failed".to_owned(), in_outage.to_string(), share(in_outage)]);
        let all = faults.values().map(count).sum::<u64>() + in_outage;
        row(text, ["**all that failed**".to_owned(), all.to_string(), share(all)]);
        row(text, ["**all calls**".to_owned(), calls.to_string(), String::new()]);
        let [retries, given_up] = self.retries;
        let _ = writeln!(
            text,
            "\nOutages and `refuse` closed the port {} times and cut {} open connections. The answers to {} writes were lost or damaged \
             after the write was done. The component ended {} calls that took too long. The component retried {retries} times, gave up \
             {given_up} times, and marked {} answers `Idempotency-Replayed`.\n",
            count(&self.log["closings"]),
            count(&self.log["cut_connections"]),
            count(&self.log["unanswered_writes"]),
            count(&self.log["abandoned"]),
            self.with_faults.replayed,
        );
    }

    fn latency(&self, text: &mut String) {
        table(text, "Latency", ["milliseconds", "p50", "p90", "p99", "max"]);
        for (name, counts) in [("without faults", self.without_faults), ("with faults", self.with_faults)] {
            let [p50, p90, p99, max] = counts.percentiles().map(|time| format!("{:.1}", time.as_secs_f64() * 1000.0));
            row(text, [name.to_owned(), p50, p90, p99, max]);
        }
        text.push_str(
            "\nThe time begins when a request is due, so that a slow answer does not hide the requests after it. Requests for one row \
             follow each other. If a request has to wait for the previous request, its time begins at the end of that request.\n\n",
        );
    }

    fn how(&self, text: &mut String) {
        let variables: Vec<_> = self.variables.iter().map(|(name, value)| format!("`{name}={value}`")).collect();
        let _ = writeln!(
            text,
            "## How\n\nSeed {}, {} requests a second, {:.0} s in all. The component had the variables of `spin.toml`, except {}. A stalled \
             answer costs an attempt its whole time, and ten seconds for each would make the run long. `delay` is longer than an attempt: \
             the call runs after the component has given it up and tried again. The plan of faults:\n\n```json\n{}\n```",
            self.seed,
            self.rate,
            self.took.as_secs_f64(),
            variables.join(", "),
            serde_json::to_string_pretty(self.plan).unwrap_or_default(),
        );
    }
}

fn of<K: Ord>(counts: &BTreeMap<K, u64>, key: &K) -> u64 {
    counts.get(key).copied().unwrap_or_default()
}

fn table<const N: usize>(text: &mut String, title: &str, columns: [&str; N]) {
    let _ = writeln!(text, "## {title}\n");
    row(text, columns.map(str::to_owned));
    let _ = writeln!(text, "|{}", "---|".repeat(N));
}

fn row<const N: usize>(text: &mut String, cells: [String; N]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}
