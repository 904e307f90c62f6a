//! What the component needs from the world around it. The core is written against [`Platform`] and the `http` types
//! only, so that its tests run natively against a fake with a virtual clock.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use crate::settings::{InvalidSetting, Settings};

#[cfg(test)]
pub mod fake;
#[cfg(any(feature = "wasip2", feature = "wasip3"))]
mod wasi;
#[cfg(feature = "wasip2")]
pub mod wasip2;
#[cfg(feature = "wasip3")]
pub mod wasip3;

/// The host's side: outbound HTTP, time, randomness, configuration and the log.
#[allow(async_fn_in_trait, reason = "used generically within this crate, on one thread")]
pub trait Platform {
    /// The body of a response.
    type Body: Chunks;

    /// Sends `request` and returns the response when its head has arrived. Dropping the future or the body gives the
    /// exchange up.
    async fn send(&self, request: &Request<Bytes>) -> Result<Response<Self::Body>, SendError>;

    /// Returns after `duration`.
    async fn sleep(&self, duration: Duration);

    /// The monotonic clock: the time since some fixed moment.
    fn now(&self) -> Duration;

    /// Random bits, of a quality that makes keys unguessable.
    fn random(&self) -> u128;

    /// The settings, read when they are first asked for.
    ///
    /// # Errors
    ///
    /// As [`Settings::read`].
    fn settings(&self) -> Result<&Settings, InvalidSetting>;

    /// Writes `line`, with the line break at its end, to the log (stderr), in one piece: others write there, too.
    fn log(&self, line: &str);
}

/// A body as it arrives.
#[allow(async_fn_in_trait, reason = "used generically within this crate, on one thread")]
pub trait Chunks {
    /// The next bytes; `None` after the last.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, SendError>;
}

/// Why an exchange did not end in a complete response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// No connection was made (refused, DNS, TLS, connect timeout): the request cannot have been executed.
    NotConnected(&'static str),
    /// The connection broke before the response was complete: the request may have been executed.
    Interrupted(&'static str),
    /// The host's own limit on waiting was reached: the request may have been executed.
    TimedOut,
    /// The host refuses this destination or request: a matter of configuration.
    Refused(&'static str),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected(reason) | Self::Interrupted(reason) | Self::Refused(reason) => reason,
            Self::TimedOut => "response timeout",
        })
    }
}
