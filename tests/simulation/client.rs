//! Requests and their behaviour after a failure.

use std::time::Duration;

use azure_sql_rest::failure::Failure;
use azure_sql_rest::instance::{Instance, Permit};
use azure_sql_rest::retry::{Attempt, Decision, GiveUp, Policy};
use azure_sql_rest::settings::Settings;

use crate::{SECOND, Time};

/// How many requests an instance has at a time with WASI 0.3, how many in all, and how long it is kept without any. These are
/// Spin's defaults.
const CONCURRENT_REUSE: usize = 16;
const REUSE: usize = 128;
const IDLE: Time = SECOND;

/// The behaviour of requests after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// They end.
    Never,
    /// They try once more, ten seconds after they came: the fewest attempts that survive an outage of ten seconds.
    Once,
    /// They try again after an exponential backoff with full jitter, until their deadline: the policy before this one.
    Backoff,
    /// They follow the policy, each in an instance of its own: WASI 0.2.
    Fresh,
    /// They follow the policy, several in an instance: WASI 0.3.
    Reused,
}

impl Strategy {
    pub const ALL: [Self; 5] = [Self::Never, Self::Once, Self::Backoff, Self::Fresh, Self::Reused];

    /// How it is called in the documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Never => "no retries",
            Self::Once => "one, after 10 s",
            Self::Backoff => "backoff only",
            Self::Fresh => "WASI 0.2",
            Self::Reused => "WASI 0.3",
        }
    }
}

/// A request on its way.
pub struct Request {
    /// When it came.
    pub came: Time,
    instance: usize,
    attempts: u32,
    slow: Duration,
    /// When its last attempt began.
    began: Time,
}

/// Instances, and the requests that they have.
pub struct Clients {
    strategy: Strategy,
    policy: Policy,
    instances: Vec<Used>,
}

#[derive(Default)]
struct Used {
    shared: Instance,
    now: usize,
    ever: usize,
    idle_since: Time,
}

/// The next step of a request.
pub enum Next {
    /// An attempt, which may take this long.
    Attempt(Time),
    /// Nothing for this long; then it asks again.
    Wait(Time),
    /// The request is refused.
    Refuse,
}

fn duration(time: Time) -> Duration {
    Duration::from_micros(time)
}

fn time(duration: Duration) -> Time {
    duration.as_micros() as Time
}

impl Clients {
    pub fn new(strategy: Strategy) -> Self {
        Self { strategy, policy: Settings::parse("").expect("defaults").policy(), instances: Vec::new() }
    }

    /// A new request, in the first instance that takes it.
    pub fn begin(&mut self, now: Time) -> Request {
        let has_room = |used: &Used| {
            let is_kept = used.now > 0 || now - used.idle_since < IDLE;
            is_kept && used.now < CONCURRENT_REUSE && used.ever < REUSE
        };
        let is_reused = self.strategy == Strategy::Reused;
        let found = if is_reused { self.instances.iter().position(has_room) } else { None };
        let instance = found.unwrap_or_else(|| {
            self.instances.push(Used::default());
            self.instances.len() - 1
        });
        self.instances[instance].now += 1;
        self.instances[instance].ever += 1;
        Request { came: now, instance, attempts: 0, slow: Duration::ZERO, began: 0 }
    }

    /// Says what the request does now.
    pub fn next(&self, request: &mut Request, now: Time, random: u32) -> Next {
        let limit = self.policy.attempt_limit(duration(now - request.came));
        if limit.is_zero() {
            return Next::Refuse;
        }
        if self.is_of_the_policy() {
            let shared = &self.instances[request.instance].shared;
            match shared.permit(&self.policy, request.attempts, duration(now)) {
                Permit::Attempt => {}
                Permit::Hold => return Next::Wait(time(self.policy.spread(random).min(limit))),
                Permit::Refuse => return Next::Refuse,
            }
        }
        request.attempts += 1;
        request.began = now;
        Next::Attempt(time(limit))
    }

    /// Says how long the request waits after a failure; `None` if it gives up.
    pub fn failed(&self, request: &mut Request, failure: &Failure, now: Time, random: u32) -> Option<Time> {
        let took = duration(now - request.began);
        let attempt = Attempt { number: request.attempts, took, slow: request.slow };
        request.slow += took.min(self.policy.cap);
        let elapsed = duration(now - request.came);
        let decision = match self.strategy {
            Strategy::Once if attempt.number == 1 => Decision::Retry(duration(10 * SECOND).saturating_sub(elapsed)),
            Strategy::Never | Strategy::Once => Decision::GiveUp(GiveUp::Conflict),
            Strategy::Backoff => {
                let at_once = Attempt { took: Duration::ZERO, slow: Duration::ZERO, ..attempt };
                self.policy.decide(&at_once, failure, elapsed, random)
            }
            Strategy::Fresh | Strategy::Reused => {
                let decision = self.policy.decide(&attempt, failure, elapsed, random);
                let shared = &self.instances[request.instance].shared;
                shared.failed(&self.policy, &attempt, failure, duration(now), decision)
            }
        };
        match decision {
            Decision::Retry(wait) => Some(time(wait)),
            Decision::GiveUp(_) => None,
        }
    }

    /// Notes an answer.
    pub fn answered(&self, request: &Request, now: Time) {
        let shared = &self.instances[request.instance].shared;
        shared.answered(&self.policy, duration(now - request.began), duration(now));
    }

    /// The request is over.
    pub fn end(&mut self, request: &Request, now: Time) {
        let used = &mut self.instances[request.instance];
        used.now -= 1;
        used.idle_since = now;
    }

    fn is_of_the_policy(&self) -> bool {
        matches!(self.strategy, Strategy::Fresh | Strategy::Reused)
    }
}
