//! What has come of a plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fault;

/// Counts since the plan came into force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// Calls whose head was received.
    pub calls: u64,
    /// Calls that got a fault of their own, by kind.
    pub faults: BTreeMap<Fault, u64>,
    /// Calls that were received during an outage. Those that were refused a connection are not among them: nobody was
    /// there to count.
    pub in_outage: u64,
    /// Writes (calls by POST) that were executed and whose answer was withheld or spoilt by the call's own fault.
    pub unanswered_writes: u64,
    /// Times that the port was closed.
    pub closings: u64,
    /// Connections that were cut because the port was closed.
    pub cut_connections: u64,
    /// Calls whose client went away before it was answered.
    pub abandoned: u64,
}
