//! Faults, for tests of whoever calls the bridge: it refuses, resets, delays, cuts off, lies and goes away, as a
//! database under maintenance and the network before it do. There are none unless [`serve_with_faults`] is called
//! instead of [`serve`](crate::serve).
//!
//! In reading order: `plan` (which call gets which fault: a pure function of a seed and the call's number), `log` (what
//! has happened so far), `call` (one faulted exchange), `scene` (what happens on the wire when HTTP is not kept to),
//! `port` (a listener that can go away and come back), `server` (connections) and `control` (reading and replacing the
//! plan at run time).

mod call;
mod control;
mod log;
mod plan;
mod port;
mod scene;
mod server;

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context;
use tokio::{sync::Notify, time::Instant};

pub use log::Log;
pub use plan::{Fault, Outage, OutageKind, Plan};
pub use server::serve_with_faults;

use plan::Decision;

/// The faults of one bridge: the plan in force, and what has come of it. Clones share both.
#[derive(Clone)]
pub struct Faults(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Told when the port may have to open or close.
    changed: Notify,
}

struct State {
    plan: Arc<Plan>,
    /// When the plan came into force: outages count from here.
    since: Instant,
    /// The end of the short outage that a call with [`Fault::Refuse`] began.
    refused_until: Instant,
    log: Log,
}

/// What is to be done with a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    /// It is answered as DAB would.
    Proper,
    /// It fails by itself.
    Fault(Decision),
    /// It fails because the database is away.
    Outage(OutageKind),
}

impl Faults {
    /// Faults by this plan, from now on.
    pub fn new(plan: Plan) -> Self {
        let state = State::begin(plan);
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changed: Notify::new(),
        }))
    }

    /// Faults by the plan in a file.
    ///
    /// # Errors
    /// When the file cannot be read or is not a plan.
    pub fn load(file: &Path) -> anyhow::Result<Self> {
        let read = || Plan::parse(&fs::read(file)?);
        Ok(Self::new(read().with_context(|| {
            format!("cannot use the faults in {}", file.display())
        })?))
    }

    /// Puts another plan into force: calls are numbered and counted from nought again, and outages count from now.
    pub fn replace(&self, plan: Plan) {
        *self.state() = State::begin(plan);
        self.0.changed.notify_one();
    }

    /// The plan in force, and what has happened since it is.
    pub fn snapshot(&self) -> (Arc<Plan>, Log) {
        let state = self.state();
        (state.plan.clone(), state.log.clone())
    }

    /// Numbers and counts a call, and decides on it.
    fn next_call(&self) -> Turn {
        let now = Instant::now();
        let mut state = self.state();
        let call = state.log.calls;
        state.log.calls += 1;
        let turn = match state.outage(now) {
            Some(kind) => Turn::Outage(kind),
            None => state.plan.decide(call).map_or(Turn::Proper, Turn::Fault),
        };
        match turn {
            Turn::Proper => {}
            Turn::Outage(_) => state.log.in_outage += 1,
            Turn::Fault(decision) => *state.log.faults.entry(decision.fault).or_default() += 1,
        }
        if matches!(
            turn,
            Turn::Fault(Decision {
                fault: Fault::Refuse,
                ..
            })
        ) {
            state.refused_until = now + Duration::from_millis(state.plan.refuse_ms);
            self.0.changed.notify_one();
        }
        turn
    }

    /// Whether nobody may be listening now.
    fn refuses(&self) -> bool {
        self.state().outage(Instant::now()) == Some(OutageKind::Refuse)
    }

    /// When that changes next by the plan's clock.
    fn next_change(&self) -> Option<Instant> {
        let (now, state) = (Instant::now(), self.state());
        let windows = state
            .plan
            .outages
            .iter()
            .flat_map(|outage| [state.since + outage.begin(), state.since + outage.end()]);
        windows
            .chain([state.refused_until])
            .filter(|change| *change > now)
            .min()
    }

    /// Waits until it may have changed for another reason.
    async fn changed(&self) {
        self.0.changed.notified().await;
    }

    fn plan(&self) -> Arc<Plan> {
        self.state().plan.clone()
    }

    /// Counts something.
    fn count(&self, what: impl FnOnce(&mut Log)) {
        what(&mut self.state().log);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(plan: Plan) -> Self {
        let now = Instant::now();
        Self {
            plan: Arc::new(plan),
            since: now,
            refused_until: now,
            log: Log::default(),
        }
    }

    fn outage(&self, now: Instant) -> Option<OutageKind> {
        if now < self.refused_until {
            return Some(OutageKind::Refuse);
        }
        self.plan.outage(now - self.since)
    }
}
