//! The figures of a run.

use std::fmt;

use crate::run::{Ended, Run};
use crate::scenario::{BEGIN, Scenario};
use crate::{SECOND, Time};

/// A latency that is normal, in milliseconds: three times the usual one.
const NORMAL_MS: u64 = 600;

/// How soon an answer counts as given at once.
const AT_ONCE: Time = SECOND / 20;

/// The figures of a run.
pub struct Outcome {
    /// Requests that were answered.
    pub answered: usize,
    /// Requests that were refused.
    pub refused: usize,
    /// How many of these were refused within 50 ms.
    pub refused_at_once: usize,
    /// Answers a second while it lasted, after its first second.
    pub goodput: f64,
    /// Seconds after its end until the median of new requests is normal again, and stays normal.
    pub recovery_s: u64,
    /// Attempts.
    pub attempts: usize,
    /// The most requests at a time.
    pub held: usize,
    /// The median time to an answer or a refusal of the requests that came in each second, in milliseconds.
    pub seconds: Vec<Option<u64>>,
}

impl Outcome {
    /// The figures of an average run of this scenario, rounded up.
    pub fn of(scenario: &Scenario, runs: impl Iterator<Item = Run>) -> Self {
        let runs: Vec<_> = runs.collect();
        let average = |sum: usize| sum.div_ceil(runs.len());
        let requests: Vec<_> = runs.iter().flat_map(|run| &run.requests).collect();
        let count = |counts: &dyn Fn(&Ended) -> bool| requests.iter().filter(|request| counts(request)).count();
        let seconds = medians(&requests, scenario.end() / SECOND);
        let is_late = |ms: &Option<u64>| ms.is_some_and(|ms| ms > NORMAL_MS);
        let late = seconds.iter().skip((scenario.over() / SECOND) as usize).rposition(is_late);
        let measured = BEGIN + SECOND..scenario.over();
        let good = count(&|request| request.is_answered && measured.contains(&request.at));
        let measured_s = (runs.len() as u64 * (measured.end - measured.start)) as f64 / SECOND as f64;
        Self {
            answered: average(count(&|request| request.is_answered)),
            refused: average(count(&|request| !request.is_answered)),
            refused_at_once: average(count(&|request| !request.is_answered && request.at - request.came <= AT_ONCE)),
            goodput: good as f64 / measured_s,
            recovery_s: late.map_or(0, |second| second as u64 + 1),
            attempts: average(runs.iter().map(|run| run.attempts).sum()),
            held: runs.iter().map(|run| run.held).max().unwrap_or_default(),
            seconds,
        }
    }

    /// The cells of its row in the documents.
    pub fn row(&self) -> String {
        let share = 100.0 * self.answered as f64 / (self.answered + self.refused) as f64;
        format!(
            "{share:.1} % | {} | {:.1}/s | {} s | {} | {}",
            self.refused, self.goodput, self.recovery_s, self.attempts, self.held
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} ({} refused at once)", self.row(), self.refused_at_once)
    }
}

/// The median time to the end of the requests that came in each second, in milliseconds.
fn medians(requests: &[&Ended], seconds: Time) -> Vec<Option<u64>> {
    let mut took = vec![Vec::new(); seconds as usize];
    for request in requests {
        took[(request.came / SECOND) as usize].push((request.at - request.came) / 1000);
    }
    let median = |took: &mut Vec<u64>| {
        took.sort_unstable();
        took.get(took.len() / 2).copied()
    };
    took.iter_mut().map(median).collect()
}
