//! The requests of one instance: how many there are, and what they know together about the database. With WASI 0.2 an
//! instance has one request, which learns only from itself. With WASI 0.3 an instance has several requests at a time, and
//! learns from all of them. The module has no clock and no I/O; [`crate::dab::call`] drives it.
//!
//! - **In flight**: above a limit, a request is refused at once.
//! - **Breaker**: after `OPEN_AFTER` failures in a row, one request at a time may try, as a probe; the others wait. An
//!   answer closes the breaker. Once an outage has lasted as long as a request can survive, new requests are refused.
//! - **Budget**: where answers take seconds, the database is overloaded, and a retry takes the place of another request.
//!   After a burst, there is one such retry for every twenty requests. Without slow answers retries are free: an outage is not an
//!   overload.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::failure::Failure;
use crate::retry::{Attempt, Decision, GiveUp, Policy};

/// How many failures in a row open the breaker.
const OPEN_AFTER: u32 = 5;

/// How many slow attempts the instance may repeat at once. An attempt of `retry_cap_ms` or longer counts as one, and a
/// shorter attempt as its fraction of that.
const BURST: u32 = 6;

/// How many requests pay for one more such attempt.
const REQUESTS_A_RETRY: u32 = 20;

/// The state that the requests of one instance share.
#[derive(Debug, Default)]
pub struct Instance(Mutex<State>);

#[derive(Debug)]
struct State {
    in_flight: usize,
    /// Failures since the last answer.
    failures: u32,
    /// When the first failure in that row began.
    failing_since: Duration,
    /// When the last attempt began that failed in that row.
    last_failure: Duration,
    /// When the next probe may start, while the breaker is open.
    next_probe: Duration,
    /// When the last answer came that took `retry_cap_ms` or longer.
    last_slow_answer: Option<Duration>,
    /// The time that repeated attempts took, less the time that requests have paid.
    debt: Duration,
}

/// The next step that a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Make an attempt.
    Attempt,
    /// Wait for [`Policy::spread`], and ask again: another request tests whether the database answers.
    Hold,
    /// Answer the client now: the database has not answered for too long.
    Refuse,
}

/// A request in flight, until this value is dropped.
#[derive(Debug)]
pub struct InFlight<'a>(&'a Instance);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
    }
}

impl Default for State {
    fn default() -> Self {
        Self::NEW
    }
}

impl State {
    const NEW: Self = Self {
        in_flight: 0,
        failures: 0,
        failing_since: Duration::ZERO,
        last_failure: Duration::ZERO,
        next_probe: Duration::ZERO,
        last_slow_answer: None,
        debt: Duration::ZERO,
    };

    fn is_open(&self) -> bool {
        self.failures >= OPEN_AFTER
    }

    /// True if the database has not answered for so long that another hanging attempt does not fit into a request. An attempt
    /// that hangs only shows that the database did not answer when it began.
    fn is_lost(&self, policy: &Policy) -> bool {
        let away = self.last_failure.saturating_sub(self.failing_since);
        self.is_open() && away > policy.deadline.saturating_sub(policy.attempt_timeout)
    }
}

impl Instance {
    /// An instance without requests.
    pub const fn new() -> Self {
        Self(Mutex::new(State::NEW))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request, unless `most` are in flight.
    pub fn enter(&self, most: usize) -> Option<InFlight<'_>> {
        let mut state = self.state();
        if state.in_flight >= most {
            return None;
        }
        state.in_flight += 1;
        Some(InFlight(self))
    }

    /// Decides at `now` whether a request that has made `attempts` may make another.
    pub fn permit(&self, policy: &Policy, attempts: u32, now: Duration) -> Permit {
        let mut state = self.state();
        if attempts == 0 {
            state.debt = state.debt.saturating_sub(policy.cap / REQUESTS_A_RETRY);
        }
        // A failure longer ago than a request takes says nothing about the database now.
        if now.saturating_sub(state.last_failure) > policy.deadline {
            state.failures = 0;
        }
        if !state.is_open() {
            return Permit::Attempt;
        }
        if now >= state.next_probe {
            state.next_probe = now.saturating_add(policy.attempt_timeout);
            return Permit::Attempt;
        }
        if attempts == 0 && state.is_lost(policy) {
            return Permit::Refuse;
        }
        Permit::Hold
    }

    /// Notes that an attempt which took `took` brought an answer at `now`.
    pub fn answered(&self, policy: &Policy, took: Duration, now: Duration) {
        let mut state = self.state();
        state.failures = 0;
        if took >= policy.cap {
            state.last_slow_answer = Some(now);
        }
    }

    /// Notes that `attempt` failed at `now`, and reviews the decision that its request made by itself.
    pub fn failed(
        &self,
        policy: &Policy,
        attempt: &Attempt,
        failure: &Failure,
        now: Duration,
        decision: Decision,
    ) -> Decision {
        let began = now.saturating_sub(attempt.took);
        if let Decision::GiveUp(GiveUp::Misconfigured | GiveUp::Conflict) = decision {
            self.answered(policy, attempt.took, now);
            return decision;
        }
        let mut state = self.state();
        if state.failures == 0 {
            state.failing_since = began;
            state.last_failure = began;
        }
        state.failures = state.failures.saturating_add(1);
        state.last_failure = state.last_failure.max(began);
        let Decision::Retry(wait) = decision else {
            state.next_probe = now;
            return decision;
        };
        state.next_probe = now.saturating_add(wait);
        if attempt.number == 1 && state.is_lost(policy) {
            state.next_probe = now.saturating_add(policy.cap);
            return Decision::GiveUp(policy.exhausted(failure));
        }
        if state.last_slow_answer.is_some_and(|answer| answer >= began) {
            let debt = state.debt.saturating_add(attempt.took.min(policy.cap));
            if debt > policy.cap.saturating_mul(BURST) {
                return Decision::GiveUp(policy.exhausted(failure));
            }
            state.debt = debt;
        }
        decision
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy { base: ms(100), cap: ms(2000), attempt_timeout: ms(10_000), deadline: ms(25_000) };

    const REFUSED: Failure = Failure::NotConnected("connection refused");

    const FULL_POOL: Failure = Failure::Status { status: 500, retry_after: None };

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Lets an attempt that took `took_ms` fail at `now`, and returns what its request does.
    fn fail(instance: &Instance, number: u32, failure: &Failure, took_ms: u64, now_ms: u64) -> Decision {
        let attempt = Attempt { number, took: ms(took_ms), slow: Duration::ZERO };
        let decision = POLICY.decide(&attempt, failure, attempt.took, u32::MAX);
        instance.failed(&POLICY, &attempt, failure, ms(now_ms), decision)
    }

    /// An instance whose attempts have all failed since `now_ms`.
    fn open(now_ms: u64) -> Instance {
        let instance = Instance::new();
        for _ in 0..OPEN_AFTER {
            assert_eq!(instance.permit(&POLICY, 0, ms(now_ms)), Permit::Attempt);
            fail(&instance, 1, &REFUSED, 0, now_ms);
        }
        instance
    }

    #[test]
    fn requests_above_the_limit_are_refused() {
        let instance = Instance::new();
        let two = [instance.enter(2), instance.enter(2)];
        assert!(two.iter().all(Option::is_some));
        assert!(instance.enter(2).is_none());
        drop(two);
        assert!(instance.enter(2).is_some());
    }

    #[test]
    fn an_open_breaker_lets_one_probe_through() {
        let instance = open(1000);
        // The request whose attempt failed comes back after its wait of 100 ms.
        assert_eq!(instance.permit(&POLICY, 1, ms(1050)), Permit::Hold);
        assert_eq!(instance.permit(&POLICY, 1, ms(1100)), Permit::Attempt);
        assert_eq!(instance.permit(&POLICY, 1, ms(1200)), Permit::Hold);
        // A probe that never ends blocks nobody for longer than an attempt.
        assert_eq!(instance.permit(&POLICY, 1, ms(11_100)), Permit::Attempt);
    }

    #[test]
    fn an_answer_closes_the_breaker() {
        let instance = open(1000);
        instance.answered(&POLICY, ms(5), ms(1200));
        for _ in 0..3 {
            assert_eq!(instance.permit(&POLICY, 1, ms(1200)), Permit::Attempt);
        }
    }

    #[test]
    fn a_misconfigured_bridge_is_no_outage() {
        let instance = open(1000);
        let refused = Failure::Status { status: 404, retry_after: None };
        assert_eq!(fail(&instance, 1, &refused, 1, 1100), Decision::GiveUp(GiveUp::Misconfigured));
        assert_eq!(instance.permit(&POLICY, 1, ms(1100)), Permit::Attempt);
    }

    #[test]
    fn a_long_outage_refuses_new_requests_but_for_a_probe() {
        let instance = open(1000);
        fail(&instance, 9, &REFUSED, 0, 15_000);
        // The longest outage that a request survives: a deadline less an attempt.
        assert_eq!(instance.permit(&POLICY, 0, ms(15_050)), Permit::Hold);
        fail(&instance, 9, &REFUSED, 0, 16_001);
        assert_eq!(instance.permit(&POLICY, 0, ms(17_000)), Permit::Refuse);
        assert_eq!(instance.permit(&POLICY, 1, ms(17_000)), Permit::Hold, "one that waits goes on");
        assert_eq!(instance.permit(&POLICY, 0, ms(18_100)), Permit::Attempt);
        let retry_after = ms(2000);
        assert_eq!(
            fail(&instance, 1, &REFUSED, 0, 18_200),
            Decision::GiveUp(GiveUp::Unavailable { retry_after }),
            "a probe that is new is not held"
        );
        assert_eq!(instance.permit(&POLICY, 0, ms(20_199)), Permit::Refuse);
        assert_eq!(instance.permit(&POLICY, 0, ms(20_200)), Permit::Attempt);
    }

    #[test]
    fn an_attempt_that_hangs_beyond_the_outage_refuses_nobody() {
        let instance = open(0);
        // Data API Builder answers 500 after 6 s. The database is back after 10 s.
        fail(&instance, 2, &FULL_POOL, 6000, 15_900);
        assert_eq!(instance.permit(&POLICY, 0, ms(16_000)), Permit::Hold);
        fail(&instance, 3, &FULL_POOL, 6000, 21_001);
        assert_eq!(instance.permit(&POLICY, 0, ms(21_002)), Permit::Refuse);
    }

    #[test]
    fn an_old_outage_is_forgotten() {
        let instance = open(1000);
        fail(&instance, 9, &REFUSED, 0, 20_000);
        assert_eq!(instance.permit(&POLICY, 0, ms(45_001)), Permit::Attempt);
        assert_eq!(instance.permit(&POLICY, 0, ms(45_001)), Permit::Attempt);
    }

    #[test]
    fn slow_failures_beside_slow_answers_are_paid_for() {
        let instance = Instance::new();
        let retries = |at: u64| {
            let made = (0..20).take_while(|_| {
                instance.answered(&POLICY, ms(2900), ms(at));
                matches!(fail(&instance, 1, &FULL_POOL, 3000, at), Decision::Retry(_))
            });
            made.count()
        };
        assert_eq!(retries(4000), 6, "a burst");
        for _ in 0..40 {
            instance.permit(&POLICY, 0, ms(5000));
        }
        assert_eq!(retries(9000), 2, "a twentieth of the requests");
    }

    #[test]
    fn failures_without_slow_answers_cost_nothing() {
        let instance = Instance::new();
        for at in 0..20 {
            instance.answered(&POLICY, ms(50), ms(4000 + at));
            assert!(matches!(fail(&instance, 1, &FULL_POOL, 3000, 4000 + at), Decision::Retry(_)));
        }
    }

    #[test]
    fn failures_at_once_cost_nothing() {
        let instance = Instance::new();
        for at in 0..20 {
            instance.answered(&POLICY, ms(2900), ms(4000 + at));
            assert!(matches!(fail(&instance, 1, &REFUSED, 0, 4000 + at), Decision::Retry(_)));
        }
    }
}
