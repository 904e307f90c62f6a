//! The world around the component. The core uses only [`Platform`] and the `http` types, so that its tests run natively
//! against a fake with a virtual clock.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use crate::failure::Failure;
use crate::instance::Instance;

#[cfg(test)]
pub mod fake;

/// The host's side: outbound HTTP, time, randomness and the log.
#[allow(async_fn_in_trait, reason = "used generically within this crate, on one thread")]
pub trait Platform {
    /// The body of a request or a response.
    type Body: Chunks;

    /// Sends `request` and returns the response when its head has arrived. Dropping the future or the body abandons the
    /// exchange.
    async fn send(&self, request: &Request<Bytes>) -> Result<Response<Self::Body>, Failure>;

    /// Returns after `duration`.
    async fn sleep(&self, duration: Duration);

    /// The monotonic clock: the time since some fixed moment.
    fn now(&self) -> Duration;

    /// Random bits, of a quality that makes keys unguessable.
    fn random(&self) -> u128;

    /// The state that the requests of this instance share.
    fn instance(&self) -> &Instance;

    /// Writes `line`, with the line break at its end, to the log (stderr) in one piece, because others also write there.
    fn log(&self, line: &str);
}

/// A body as it arrives.
#[allow(async_fn_in_trait, reason = "used generically within this crate, on one thread")]
pub trait Chunks {
    /// The next bytes; `None` after the last.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure>;
}
