//! Scenarios: how many requests come, and how the database does, by time.

use crate::{SECOND, Time};

/// Answers a second that the database has when nothing is wrong.
pub const CAPACITY: f64 = 40.0;

/// How the database does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Database {
    /// The server answers.
    Up,
    /// The server takes this many times as long.
    Slow(u64),
    /// Connections are refused.
    Refused,
    /// DAB answers 500 after this long.
    Error(Time),
}

/// A scenario: the database is as `meanwhile` and requests come at `rush` from [`BEGIN`] on for `length`.
#[derive(Debug)]
pub struct Scenario {
    /// How it is called in the documents.
    pub name: &'static str,
    /// Requests a second before and after.
    pub usual: u64,
    /// Requests a second meanwhile.
    pub rush: u64,
    /// How the database does meanwhile.
    pub meanwhile: Database,
    /// How long that lasts.
    pub length: Time,
}

/// When it begins.
pub const BEGIN: Time = 30 * SECOND;

/// How long requests come after it is over.
pub const AFTER: Time = 90 * SECOND;

const fn outage(name: &'static str, meanwhile: Database) -> Scenario {
    Scenario { name, usual: 20, rush: 20, meanwhile, length: 10 * SECOND }
}

/// All of them.
pub const SCENARIOS: [Scenario; 8] = [
    Scenario { name: "overload", usual: 30, rush: 100, meanwhile: Database::Up, length: 15 * SECOND },
    Scenario { name: "half as fast", usual: 30, rush: 30, meanwhile: Database::Slow(2), length: 30 * SECOND },
    outage("refused for 10 s", Database::Refused),
    outage("500 for 10 s", Database::Error(SECOND / 200)),
    outage("500 after 3 s for 10 s", Database::Error(3 * SECOND)),
    outage("500 after 6 s for 10 s", Database::Error(6 * SECOND)),
    outage("silent for 10 s", Database::Error(33 * SECOND)),
    Scenario {
        name: "refused for 2 min, load x3",
        usual: 20,
        rush: 60,
        meanwhile: Database::Refused,
        length: 120 * SECOND,
    },
];

impl Scenario {
    fn is_on(&self, now: Time) -> bool {
        (BEGIN..self.over()).contains(&now)
    }

    /// When it is over.
    pub fn over(&self) -> Time {
        BEGIN + self.length
    }

    /// When the last request comes.
    pub fn end(&self) -> Time {
        self.over() + AFTER
    }

    /// Requests a second.
    pub fn rate(&self, now: Time) -> u64 {
        if self.is_on(now) { self.rush } else { self.usual }
    }

    /// How the database does.
    pub fn database(&self, now: Time) -> Database {
        if self.is_on(now) { self.meanwhile } else { Database::Up }
    }
}
