//! Counts of the requests' outcomes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many violations are shown in full.
const TOLD: usize = 20;

/// A way to break a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Broken {
    /// A request was not answered as it must be.
    Failure,
    /// A write that was acknowledged is not there.
    Lost,
    /// A write was done more than once.
    Duplicated,
    /// There is something that nobody wrote, or that was deleted.
    Phantom,
}

impl Broken {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 4] = [Self::Failure, Self::Lost, Self::Duplicated, Self::Phantom];
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            Self::Failure => "client-visible failures",
            Self::Lost => "lost acknowledged writes",
            Self::Duplicated => "duplicated writes",
            Self::Phantom => "phantom rows",
        })
    }
}

/// Counts and times, filled by many tasks.
#[derive(Default)]
pub(crate) struct Tally(Mutex<Counts>);

/// The counts of a tally.
#[derive(Clone, Default)]
pub(crate) struct Counts {
    /// Requests by kind of step.
    pub requests: BTreeMap<&'static str, u64>,
    /// Broken promises.
    pub broken: BTreeMap<Broken, u64>,
    /// The first of them in words.
    pub told: Vec<String>,
    /// Writes that were acknowledged as done, each once however often it was sent.
    pub acknowledged: u64,
    /// Writes of which that is not known, because their request failed.
    pub uncertain: u64,
    /// Answers marked `Idempotency-Replayed`.
    pub replayed: u64,
    times: Vec<Duration>,
}

impl Tally {
    /// Counts a request and how long its answer took.
    pub fn request(&self, kind: &'static str, time: Duration) {
        let mut counts = self.lock();
        *counts.requests.entry(kind).or_default() += 1;
        counts.times.push(time);
    }

    /// Counts a broken promise.
    pub fn broken(&self, broken: Broken, what: fmt::Arguments) {
        let mut counts = self.lock();
        *counts.broken.entry(broken).or_default() += 1;
        if counts.told.len() < TOLD {
            counts.told.push(format!("{broken}: {what}"));
        }
    }

    /// Counts something else.
    pub fn count(&self, what: impl FnOnce(&mut Counts)) {
        what(&mut self.lock());
    }

    /// All there is so far.
    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// All requests.
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }

    /// The times that 50, 90, 99 and 100 % of the answers took at most.
    pub fn percentiles(&self) -> [Duration; 4] {
        let mut times = self.times.clone();
        times.sort_unstable();
        [50, 90, 99, 100].map(|percent| {
            let rank = (times.len() * percent).div_ceil(100);
            times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let tally = Tally::default();
        for ms in (1..=200).rev() {
            tally.request("GET", Duration::from_millis(ms));
        }
        assert_eq!(tally.counts().percentiles().map(|time| time.as_millis()), [100, 180, 198, 200]);
        assert_eq!(Counts::default().percentiles(), [Duration::ZERO; 4]);
    }

    #[test]
    fn the_first_violations_are_told_and_all_are_counted() {
        let tally = Tally::default();
        for number in 0..50 {
            tally.broken(Broken::Lost, format_args!("row {number}"));
        }
        let counts = tally.counts();
        assert_eq!(counts.broken[&Broken::Lost], 50);
        assert_eq!((counts.told.len(), counts.told[0].as_str()), (TOLD, "lost acknowledged writes: row 0"));
    }
}
