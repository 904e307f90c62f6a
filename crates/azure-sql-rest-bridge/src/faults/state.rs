//! The plan in force, and its effects so far.

use std::{
    collections::BTreeMap,
    fs,
    future::pending,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context;
use serde::Serialize;
use tokio::{
    select,
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::plan::{Decision, Fault, Outage, Plan};

/// The faults of one bridge: the plan in force, and its effects so far. Clones share both.
#[derive(Clone)]
pub struct Faults(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Notified when the port may have to open or close.
    changed: Notify,
}

pub(super) struct State {
    pub(super) plan: Arc<Plan>,
    /// When the plan came into force: outages count from here.
    since: Instant,
    /// The end of the short outage that a call with [`Fault::Refuse`] began.
    refused_until: Instant,
    /// How many calls compile.
    pub(super) compiling: u32,
    /// True once one of them has compiled to the end.
    pub(super) is_warm: bool,
    log: Log,
}

/// Counts since the plan took effect.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Log {
    /// Calls whose head arrived.
    calls: u64,
    /// Calls that got a fault of their own, by kind.
    faults: BTreeMap<Fault, u64>,
    /// Calls that arrived during an outage. Refused connections do not count, because nobody was listening.
    in_outage: u64,
    /// Writes (calls by POST) that were executed, and whose answer the call's own fault withheld or spoilt.
    pub(super) unanswered_writes: u64,
    /// Times that the port was closed.
    pub closings: u64,
    /// Connections that were cut because the port was closed.
    pub cut_connections: u64,
    /// Calls whose client disconnected before the answer.
    pub(super) abandoned: u64,
}

impl Faults {
    /// Faults by this plan, beginning now.
    pub fn new(plan: Plan) -> Self {
        Self(Arc::new(Shared { state: Mutex::new(State::begin(plan)), changed: Notify::new() }))
    }

    /// Faults by the plan in a file.
    ///
    /// # Errors
    /// When the file cannot be read or is not a plan.
    pub fn load(file: &Path) -> anyhow::Result<Self> {
        let read = || Plan::parse(&fs::read(file)?);
        let plan = read().with_context(|| format!("cannot use the faults in {}", file.display()))?;
        Ok(Self::new(plan))
    }

    /// Puts another plan into force. Calls are numbered and counted from 0 again, and outages count from now.
    pub(super) fn replace(&self, plan: Plan) {
        *self.state() = State::begin(plan);
        self.0.changed.notify_one();
    }

    /// The plan in force, and the counts since it took effect.
    pub(super) fn snapshot(&self) -> (Arc<Plan>, Log) {
        let state = self.state();
        (state.plan.clone(), state.log.clone())
    }

    /// Numbers and counts a call, and decides on it.
    pub(super) fn next_call(&self) -> Option<Decision> {
        let now = Instant::now();
        let mut state = self.state();
        let call = state.log.calls;
        state.log.calls += 1;
        if let Some(kind) = state.outage(now) {
            state.log.in_outage += 1;
            return Some(Decision::outage(kind));
        }
        let decision = state.plan.decide(call)?;
        *state.log.faults.entry(decision.fault).or_default() += 1;
        if decision.fault == Fault::Refuse {
            state.refused_until = now + Duration::from_millis(state.plan.refuse_ms);
            self.0.changed.notify_one();
        }
        Some(decision)
    }

    /// True if nobody may be listening now.
    pub(crate) fn refuses(&self) -> bool {
        self.state().outage(Instant::now()) == Some(Fault::Refuse)
    }

    /// Waits until the answer of [`Self::refuses`] may have changed.
    pub(crate) async fn changed(&self) {
        let change = self.state().next_change();
        let planned = async {
            match change {
                Some(time) => sleep_until(time).await,
                None => pending().await,
            }
        };
        select! {
            () = planned => {}
            () = self.0.changed.notified() => {}
        }
    }

    /// Adds one to a count.
    pub(crate) fn count(&self, what: impl FnOnce(&mut Log)) {
        what(&mut self.state().log);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(plan: Plan) -> Self {
        let now = Instant::now();
        Self { plan: Arc::new(plan), since: now, refused_until: now, compiling: 0, is_warm: false, log: Log::default() }
    }

    fn outage(&self, now: Instant) -> Option<Fault> {
        if now < self.refused_until {
            return Some(Fault::Refuse);
        }
        self.plan.outage(now - self.since)
    }

    /// When the next outage begins or ends, by the plan's clock.
    fn next_change(&self) -> Option<Instant> {
        let now = Instant::now();
        let windows = self.plan.outages.iter().map(Outage::window);
        let changes = windows.flat_map(|window| [self.since + window.start, self.since + window.end]);
        let changes = changes.chain([self.refused_until]);
        changes.filter(|change| *change > now).min()
    }
}
