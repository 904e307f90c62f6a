//! The log: lines of JSON on standard error, without customer data, keys or query strings.
//!
//! `docs/alerts.md` explains the lines.

use serde::Serialize;

use crate::platform::Platform;

/// The level from which lines are written; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Off,
    /// Lines that need attention: requests given up, wrong settings, wrong answers, and answers of 500 and above.
    Error,
    /// Failures that a retry follows.
    Warn,
    /// Every request, except probes that succeed.
    Info,
}

impl Level {
    /// The level of this name in lower case.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "off" => Some(Self::Off),
            "error" => Some(Self::Error),
            "warn" => Some(Self::Warn),
            "info" => Some(Self::Info),
            _ => None,
        }
    }
}

/// A line of the log, as a JSON object with its name as `event`.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A request was answered.
    Request {
        /// The HTTP method.
        method: &'a str,
        /// The route's path, as the table of routes has it. `None` if no route has the path of the request.
        route: Option<&'static str>,
        /// The HTTP status.
        status: u16,
        /// The time from the head of the request to the head of the answer, in microseconds.
        duration_us: u64,
        /// How often Data API Builder was called.
        attempts: u32,
        /// The name of the caller's API key.
        #[serde(skip_serializing_if = "str::is_empty")]
        caller: &'a str,
    },
    /// An attempt failed, and another follows.
    Retry {
        /// The stored procedure.
        procedure: &'static str,
        /// The attempt's number, from 1.
        attempt: u32,
        /// Why it failed.
        reason: String,
        /// The wait before the next attempt, in milliseconds.
        delay_ms: u64,
    },
    /// An attempt failed, and no other follows.
    GiveUp {
        /// The stored procedure.
        procedure: &'static str,
        /// The attempt's number, from 1.
        attempt: u32,
        /// Why it failed.
        reason: String,
    },
    /// The readiness probe failed.
    NotReady {
        /// Why it failed.
        reason: String,
    },
    /// A response broke off after its head was sent.
    BrokenOff {
        /// Why the rest did not arrive.
        reason: String,
    },
    /// A procedure's answer breaks the contract.
    ContractBroken {
        /// The stored procedure.
        procedure: &'static str,
        /// The part of the contract that it breaks.
        reason: &'static str,
    },
    /// The settings cannot be used.
    Misconfigured {
        /// Which variable, and why.
        reason: String,
    },
}

impl Event<'_> {
    fn level(&self) -> Level {
        match self {
            Self::Request { status, .. } if *status < 500 => Level::Info,
            Self::Retry { .. } => Level::Warn,
            _ => Level::Error,
        }
    }
}

/// The log of one request.
#[derive(Clone, Debug)]
pub struct Log {
    /// Lines below this level are not written.
    pub level: Level,
    /// A GUID that ties the lines of a request together and to its answer. Each line ends with the GUID.
    pub correlation_id: String,
}

impl Log {
    /// True if requests that succeed are logged.
    pub fn has_requests(&self) -> bool {
        self.level >= Level::Info
    }

    /// Writes the line, unless it is below the level.
    pub fn write(&self, platform: &impl Platform, event: &Event) {
        if event.level() <= self.level
            && let Ok(mut line) = serde_json::to_string(event)
        {
            line.pop();
            line.extend([",\"correlation_id\":\"", &self.correlation_id, "\"}\n"]);
            platform.log(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fake::Fake;

    fn request(status: u16) -> Event<'static> {
        Event::Request { method: "GET", route: None, status, duration_us: 1_002_034, attempts: 0, caller: "" }
    }

    fn lines(level: Level, events: &[Event]) -> Vec<String> {
        let platform = Fake::default();
        let log = Log { level, correlation_id: "id".into() };
        for event in events {
            log.write(&platform, event);
        }
        platform.lines.take()
    }

    #[test]
    fn levels_include_those_before_them() {
        let retry =
            Event::Retry { procedure: "do_thing", attempt: 1, reason: "bridge status 503".into(), delay_ms: 70 };
        let events = [request(200), retry, request(503)];
        for (level, count) in [(Level::Off, 0), (Level::Error, 1), (Level::Warn, 2), (Level::Info, 3)] {
            assert_eq!(lines(level, &events).len(), count, "{level:?}");
        }
    }

    #[test]
    fn a_line_is_an_object_that_begins_with_its_event_and_ends_with_the_correlation_id() {
        let expected = r#"{"event":"request","method":"GET","route":null,"status":404,"duration_us":1002034,"attempts":0,"correlation_id":"id"}"#;
        assert_eq!(lines(Level::Info, &[request(404)]), [expected]);
    }

    #[test]
    fn levels_are_known_by_name() {
        for name in ["off", "error", "warn", "info"] {
            assert!(Level::parse(name).is_some());
        }
        assert_eq!(Level::parse("INFO"), None);
    }
}
