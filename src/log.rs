//! The log: lines of JSON on standard error, without customer data, keys or query strings.

use std::time::Duration;

use crate::json;
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

/// One line: a JSON object that begins with its `event`.
pub struct Line {
    level: Level,
    json: String,
}

impl Line {
    /// A line about `event`.
    pub fn new(level: Level, event: &str) -> Self {
        let mut json = String::with_capacity(200);
        json.push_str("{\"event\":");
        json::text(&mut json, event);
        Self { level, json }
    }

    fn name(&mut self, name: &str) {
        self.json.push(',');
        json::text(&mut self.json, name);
        self.json.push(':');
    }

    /// Adds a member with a text.
    pub fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        json::text(&mut self.json, value);
        self
    }

    /// Adds a member with a text, or null.
    pub fn text_or_null(mut self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => {
                self.name(name);
                self.json.push_str("null");
                self
            }
        }
    }

    /// Adds a member with a number.
    pub fn number(mut self, name: &str, value: u64) -> Self {
        self.name(name);
        json::number(&mut self.json, value);
        self
    }

    /// Adds a member with a time in milliseconds, to the microsecond.
    pub fn millis(mut self, name: &str, value: Duration) -> Self {
        self.name(name);
        json::millis(&mut self.json, value);
        self
    }

    /// Writes the line, unless `log_level` is below its level. Settings that cannot be read silence nothing.
    pub fn write(mut self, platform: &impl Platform) {
        let limit = platform.settings().map_or(Level::Info, |settings| settings.log_level);
        if self.level <= limit {
            self.json.push('}');
            platform.log(&self.json);
        }
    }
}

/// Whether lines of `level` are written at all.
pub fn writes(platform: &impl Platform, level: Level) -> bool {
    platform.settings().is_ok_and(|settings| level <= settings.log_level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fake::Fake;

    #[test]
    fn levels_include_those_before_them() {
        for (name, expected) in [("off", 0), ("error", 1), ("warn", 2), ("info", 3)] {
            let platform = Fake::default().set("log_level", name);
            for level in [Level::Error, Level::Warn, Level::Info] {
                Line::new(level, "e").write(&platform);
            }
            assert_eq!(platform.lines.borrow().len(), expected, "{name}");
        }
        assert_eq!(Level::parse("INFO"), None);
    }

    #[test]
    fn a_line_is_a_json_object() {
        let platform = Fake::default();
        Line::new(Level::Error, "e")
            .text("a", "\"\n")
            .text_or_null("b", None)
            .number("c", 70)
            .millis("d", Duration::from_micros(1_002_034))
            .write(&platform);
        let line = &platform.lines.borrow()[0];
        assert_eq!(
            line,
            "{\"event\":\"e\",\"a\":\"\\\"\\n\",\"b\":null,\"c\":70,\"d\":1002.034}"
        );
    }
}
