//! The log: lines of JSON on standard error, without customer data, keys or query strings.

use serde::Serialize;

use crate::platform::Platform;

/// From which weight on lines are written; each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Off,
    /// What somebody has to look at: requests given up, settings and answers that are wrong, answers of 500 and above.
    Error,
    /// What went wrong and was made good: retries.
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

/// What is logged: each line is one of these, as a JSON object that begins with its name as `event`. `docs/operations.md`
/// explains them to those who read logs.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A request was answered.
    Request {
        /// The HTTP method.
        method: &'a str,
        /// The route's path, as the table of routes has it; `None` for a path that is no route's.
        route: Option<&'static str>,
        /// The HTTP status.
        status: u16,
        /// From its head to the head of its answer, in microseconds.
        duration_us: u64,
        /// How often the bridge was called.
        attempts: u32,
        /// Ties the lines of a request together, and to its answer.
        correlation_id: &'a str,
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
        /// As above.
        correlation_id: &'a str,
    },
    /// An attempt failed, and no other follows.
    GiveUp {
        /// The stored procedure.
        procedure: &'static str,
        /// The attempt's number, from 1.
        attempt: u32,
        /// Why it failed.
        reason: String,
        /// As above.
        correlation_id: &'a str,
    },
    /// The readiness probe failed.
    NotReady {
        /// Why it failed.
        reason: String,
        /// As above.
        correlation_id: &'a str,
    },
    /// A response broke off after its head had been sent.
    BrokenOff {
        /// Why the rest did not come.
        reason: String,
        /// As above.
        correlation_id: &'a str,
    },
    /// A procedure's answer is not what was agreed.
    ContractBroken {
        /// The stored procedure.
        procedure: &'static str,
        /// As above.
        correlation_id: &'a str,
    },
    /// A variable has a value that cannot be used.
    Misconfigured {
        /// The variable.
        variable: &'static str,
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

    /// Writes the line, unless `log_level` is below its level. Settings that cannot be read silence nothing.
    pub fn write(&self, platform: &impl Platform) {
        let limit = platform.settings().map_or(Level::Info, |settings| settings.log_level);
        if self.level() <= limit
            && let Ok(mut line) = serde_json::to_string(self)
        {
            line.push('\n');
            platform.log(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fake::Fake;

    fn request(status: u16) -> Event<'static> {
        Event::Request {
            method: "GET",
            route: None,
            status,
            duration_us: 1_002_034,
            attempts: 0,
            correlation_id: "\"\n",
        }
    }

    #[test]
    fn levels_include_those_before_them() {
        let retry = || Event::Retry {
            procedure: "do_thing",
            attempt: 1,
            reason: "bridge status 503".into(),
            delay_ms: 70,
            correlation_id: "id",
        };
        for (name, expected) in [("off", 0), ("error", 1), ("warn", 2), ("info", 3)] {
            let platform = Fake::default().set("log_level", name);
            for event in [request(500), retry(), request(404)] {
                event.write(&platform);
            }
            assert_eq!(platform.lines.borrow().len(), expected, "{name}");
        }
        assert_eq!(Level::parse("INFO"), None);
    }

    #[test]
    fn settings_that_cannot_be_read_silence_nothing() {
        let platform = Fake::default().set("retry_base_ms", "many");
        request(200).write(&platform);
        assert_eq!(platform.lines.borrow().len(), 1);
    }

    #[test]
    fn a_line_is_a_json_object() {
        let platform = Fake::default().set("log_level", "info");
        request(404).write(&platform);
        assert_eq!(
            platform.lines.borrow()[0],
            r#"{"event":"request","method":"GET","route":null,"status":404,"duration_us":1002034,"attempts":0,"correlation_id":"\"\n"}"#
        );
    }
}
