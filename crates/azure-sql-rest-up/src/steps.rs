//! Progress on standard output: one line for each step, with the time it took.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Instant;

/// Where the time column begins.
const WIDTH: usize = 88;

/// Times the steps of a start.
pub struct Steps {
    since: Instant,
}

impl Steps {
    /// The first step begins now.
    pub fn begin() -> Self {
        Self { since: Instant::now() }
    }

    /// Reports a step as done; the next one begins now.
    pub fn done(&mut self, what: impl Display) {
        let seconds = self.since.elapsed().as_secs_f64();
        say(format_args!("  ✓ {:WIDTH$} {seconds:>6.2} s", what.to_string()));
        self.since = Instant::now();
    }
}

/// Writes a line. Nobody reading it is no reason to stop serving.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}
