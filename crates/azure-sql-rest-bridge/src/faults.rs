//! Faults, to test clients of the bridge. The bridge refuses, resets, delays, cuts off, lies and disappears, like a database
//! under maintenance and the network before it. Faults happen only in a server started by
//! [`serve_with_faults`](crate::serve_with_faults), not by [`serve`](crate::serve).
//!
//! In reading order:
//!
//! - `control`: reading and replacing the plan at run time
//! - `call`: one faulted exchange
//! - `cold`: first calls that compile
//! - `scene`: events on the wire that HTTP does not allow
//! - `port`: a listener that can close and open again
//! - `state`: the plan in force, and its effects so far
//! - `plan`: which call gets which fault, a pure function of a seed and the call's number

mod call;
mod cold;
mod control;
mod plan;
mod port;
mod scene;
mod state;

pub use plan::{Fault, Outage, Plan};
pub use state::Faults;

pub(crate) use call::answer;
pub(crate) use control::serve_control;
pub(crate) use port::Port;
pub(crate) use scene::Scene;
