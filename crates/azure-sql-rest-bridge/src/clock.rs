//! The time that scripts read.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{NaiveDateTime, Utc};

/// The clock of a bridge. Tests can stop it, to see what happens within one step of a clock. Clones share one clock.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Mutex<Option<NaiveDateTime>>>);

impl Clock {
    /// Stops the clock.
    pub fn stop(&self) {
        self.set(Some(Utc::now().naive_utc()));
    }

    /// Restarts the clock at the true time.
    pub fn go(&self) {
        self.set(None);
    }

    fn set(&self, stopped: Option<NaiveDateTime>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stopped;
    }

    /// The time in UTC as `CONVERT(NVARCHAR(40), …, 126)` writes it, always with seven digits of a second.
    pub(crate) fn now(&self) -> String {
        let stopped = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        datetime2(stopped.unwrap_or_else(|| Utc::now().naive_utc()))
    }
}

/// A time as the text of a `DATETIME2(7)`.
pub(crate) fn datetime2(time: NaiveDateTime) -> String {
    let mut text = time.format("%Y-%m-%dT%H:%M:%S%.9f").to_string();
    text.truncate("2026-01-02T03:04:05.1234567".len());
    text
}
