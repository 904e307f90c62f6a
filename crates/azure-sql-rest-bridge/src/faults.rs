//! Faults, for tests of whoever calls the bridge: it refuses, resets, delays, cuts off, lies and goes away, as a
//! database under maintenance and the network before it do. There are none unless
//! [`serve_with_faults`](crate::serve_with_faults) is called instead of [`serve`](crate::serve).
//!
//! In reading order: `control` (reading and replacing the plan at run time), `call` (one faulted exchange), `cold` (first calls that
//! compile), `scene` (what happens on the wire when HTTP is not kept to), `port` (a listener that can go away and come back), `state`
//! (the plan in force, and what it has led to) and `plan` (which call gets which fault: a pure function of a seed and the call's number).

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
