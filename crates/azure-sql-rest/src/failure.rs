//! How one attempt at a call can fail. The text of a failure is for the log: it holds nothing that a client sent.

use std::fmt;
use std::time::Duration;

/// Why an attempt brought no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection was made (refused, DNS, TLS, connect timeout): nothing was executed.
    NotConnected(&'static str),
    /// The connection broke before the answer was complete: the call may have been executed.
    Interrupted(&'static str),
    /// The attempt took longer than it may: the call may have been executed.
    TimedOut,
    /// The host refuses this destination or request: a matter of configuration.
    Refused(&'static str),
    /// Data API Builder answered with a status other than success.
    Status {
        /// The HTTP status.
        status: u16,
        /// The answer's `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// A success whose body is not JSON, or is cut off. A broken connection or proxy leaves such a body.
    Malformed,
    /// A success whose JSON does not have the shape that the procedures return. The text says what differs.
    Contract(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected(reason) | Self::Interrupted(reason) | Self::Refused(reason) => f.write_str(reason),
            Self::TimedOut => f.write_str("attempt timeout"),
            Self::Status { status, .. } => write!(f, "bridge status {status}"),
            Self::Malformed => f.write_str("malformed or truncated answer"),
            Self::Contract(what) => write!(f, "contract broken: {what}"),
        }
    }
}
