//! The retry policy. From how an attempt ended and how long the request has taken, it decides: try again after a wait, or
//! give up. The module has no clock and no I/O; [`crate::dab::call`] drives it, and [`crate::instance`] reviews it.
//!
//! Every call is safe to repeat: reads by nature, writes by their request key. So the policy decides only whether another
//! attempt can help. Data API Builder answers 500 for a deadlock, a failover and an outage alike, because expected failures
//! come back as data. An attempt that fails after seconds has waited in a queue that other requests need. So the wait is at
//! least as long as the attempt took, and there are at most [`SLOW_ATTEMPTS`] of that kind.

use std::time::Duration;

use crate::failure::Failure;

/// How hard a request tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The longest first wait; it doubles with each attempt.
    pub base: Duration,
    /// The longest wait.
    pub cap: Duration,
    /// The most that an attempt may take.
    pub attempt_timeout: Duration,
    /// The time for all attempts at a call, with the waits between them.
    pub deadline: Duration,
}

/// An attempt that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number in the request, from 1.
    pub number: u32,
    /// How long it took.
    pub took: Duration,
    /// How long the attempts before this one took together, each counted up to [`Policy::cap`].
    pub slow: Duration,
}

/// The decision about a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Try again after this long.
    Retry(Duration),
    /// Answer the client now.
    GiveUp(GiveUp),
}

/// The answer to the client when no further attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// 503: the budget is spent.
    Unavailable {
        /// How long the client should wait before it asks again.
        retry_after: Duration,
    },
    /// 504: the budget is spent, and the last attempt timed out.
    Timeout {
        /// How long the client should wait before it asks again.
        retry_after: Duration,
    },
    /// 502: the bridge is not set up as this component expects; trying again cannot help.
    Misconfigured,
    /// 409: the database reports a conflict that the procedure did not expect.
    Conflict,
}

/// The longest `Retry-After` for a client, even if Data API Builder or a gateway in front of it says more.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// How many attempts of [`Policy::cap`] or longer a request makes. A shorter attempt counts as its fraction of that. Four
/// attempts of three seconds, with the waits between them, begin within fifteen seconds.
pub const SLOW_ATTEMPTS: u32 = 4;

impl Policy {
    /// The most time for an attempt that starts `elapsed` into the request.
    pub fn attempt_limit(&self, elapsed: Duration) -> Duration {
        self.attempt_timeout.min(self.deadline.saturating_sub(elapsed))
    }

    /// Decides after `attempt` ended in `failure`, `elapsed` into the request. `random` is uniform over all `u32`.
    pub fn decide(&self, attempt: &Attempt, failure: &Failure, elapsed: Duration, random: u32) -> Decision {
        let no_earlier_than = match failure {
            Failure::Refused(_) | Failure::Contract(_) => return Decision::GiveUp(GiveUp::Misconfigured),
            Failure::NotConnected(_) | Failure::Interrupted(_) | Failure::TimedOut | Failure::Malformed => {
                Duration::ZERO
            }
            Failure::Status { status, retry_after } => match status {
                408 | 429 | 500 | 502 | 503 | 504 => retry_after.unwrap_or_default(),
                409 => return Decision::GiveUp(GiveUp::Conflict),
                _ => return Decision::GiveUp(GiveUp::Misconfigured),
            },
        };
        // Jitter is added on top. Without jitter, all that wait for the same time would come back at once.
        let took = attempt.took.min(self.cap);
        let wait = self.backoff(attempt.number, random).saturating_add(no_earlier_than.max(took));
        let is_tired = attempt.slow.saturating_add(took) >= self.cap.saturating_mul(SLOW_ATTEMPTS);
        if is_tired || elapsed.saturating_add(wait) >= self.deadline {
            return Decision::GiveUp(self.exhausted(failure));
        }
        Decision::Retry(wait)
    }

    /// The answer to the client when the time is up after `failure`.
    pub fn exhausted(&self, failure: &Failure) -> GiveUp {
        let retry_after = match failure {
            Failure::Status { retry_after: Some(wait), .. } => self.cap.max(*wait).min(MAX_RETRY_AFTER),
            _ => self.cap,
        };
        match failure {
            Failure::TimedOut => GiveUp::Timeout { retry_after },
            _ => GiveUp::Unavailable { retry_after },
        }
    }

    /// Exponential backoff with full jitter: uniform between zero and `base * 2^(attempt - 1)`, at most `cap`.
    fn backoff(&self, attempt: u32, random: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt.saturating_sub(1));
        let ceiling =
            factor.and_then(|factor| self.base.checked_mul(factor)).map_or(self.cap, |wait| wait.min(self.cap));
        part(ceiling, random)
    }

    /// A wait that spreads requests evenly over the longest backoff.
    pub fn spread(&self, random: u32) -> Duration {
        part(self.cap, random)
    }
}

/// Returns the part of `whole` that `random` is of all `u32`.
fn part(whole: Duration, random: u32) -> Duration {
    // Waits are u32 milliseconds, so the microseconds times a u32 fit. A division of u128 would add 1 KB to the component.
    // So this multiplies by `random` plus one, and shifts, which divides by 2^32.
    let micros = (whole.as_micros() * (u128::from(random) + 1)) >> 32;
    Duration::from_micros(micros as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> Policy {
        Policy { base: ms(100), cap: ms(2000), attempt_timeout: ms(10_000), deadline: ms(25_000) }
    }

    /// An attempt that failed at once, after others that also did.
    fn quick(number: u32) -> Attempt {
        Attempt { number, took: ms(0), slow: ms(0) }
    }

    fn status(status: u16) -> Failure {
        Failure::Status { status, retry_after: None }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn failures_that_may_pass_are_retried() {
        let failures = [
            Failure::NotConnected("connection refused"),
            Failure::Interrupted("connection reset"),
            Failure::TimedOut,
            Failure::Malformed,
            status(408),
            status(429),
            status(500),
            status(502),
            status(503),
            status(504),
        ];
        for failure in failures {
            assert_eq!(policy().decide(&quick(1), &failure, ms(0), u32::MAX), Decision::Retry(ms(100)), "{failure:?}");
        }
    }

    #[test]
    fn misconfiguration_is_not_retried() {
        let mut failures = vec![Failure::Refused("destination denied"), Failure::Contract("no row")];
        failures.extend([300, 302, 307, 400, 401, 403, 404, 405, 413, 414, 422, 431, 501, 505].map(status));
        for failure in failures {
            assert_eq!(
                policy().decide(&quick(1), &failure, ms(0), 0),
                Decision::GiveUp(GiveUp::Misconfigured),
                "{failure:?}"
            );
        }
    }

    #[test]
    fn a_conflict_is_the_answer() {
        assert_eq!(policy().decide(&quick(1), &status(409), ms(0), 0), Decision::GiveUp(GiveUp::Conflict));
    }

    #[test]
    fn waits_double_up_to_the_cap_with_full_jitter() {
        let waits: Vec<_> =
            (1..=7).map(|attempt| policy().decide(&quick(attempt), &status(503), ms(0), u32::MAX)).collect();
        let expected = [100, 200, 400, 800, 1600, 2000, 2000].map(|wait| Decision::Retry(ms(wait)));
        assert_eq!(waits, expected);
        assert_eq!(policy().decide(&quick(3), &status(503), ms(0), u32::MAX / 2), Decision::Retry(ms(200)));
        assert_eq!(policy().decide(&quick(9), &status(503), ms(0), 0), Decision::Retry(ms(0)));
    }

    #[test]
    fn retry_after_is_the_least_wait_and_jitter_comes_on_top() {
        let failure = Failure::Status { status: 503, retry_after: Some(ms(7000)) };
        assert_eq!(policy().decide(&quick(1), &failure, ms(0), u32::MAX), Decision::Retry(ms(7100)));
        assert_eq!(policy().decide(&quick(1), &failure, ms(0), 0), Decision::Retry(ms(7000)));
        assert_eq!(
            policy().decide(&quick(1), &failure, ms(18_000), 0),
            Decision::GiveUp(GiveUp::Unavailable { retry_after: ms(7000) })
        );
    }

    #[test]
    fn a_wait_is_as_long_as_the_attempt_took_and_jitter_comes_on_top() {
        for (took, wait) in [(0, 100), (500, 600), (2000, 2100), (10_000, 2100)] {
            let attempt = Attempt { took: ms(took), ..quick(1) };
            assert_eq!(policy().decide(&attempt, &status(500), ms(took), u32::MAX), Decision::Retry(ms(wait)));
        }
        let failure = Failure::Status { status: 503, retry_after: Some(ms(1000)) };
        let attempt = Attempt { took: ms(1500), ..quick(1) };
        assert_eq!(policy().decide(&attempt, &failure, ms(0), 0), Decision::Retry(ms(1500)), "the longer of the two");
    }

    #[test]
    fn slow_attempts_are_repeated_three_times() {
        let slow = |number, before| Attempt { number, took: ms(3000), slow: ms(before) };
        assert!(matches!(policy().decide(&slow(3, 4000), &status(500), ms(13_000), 0), Decision::Retry(_)));
        let retry_after = ms(2000);
        let give_up = Decision::GiveUp(GiveUp::Unavailable { retry_after });
        assert_eq!(policy().decide(&slow(4, 6000), &status(500), ms(18_000), 0), give_up);
    }

    #[test]
    fn a_client_is_never_told_to_wait_for_long() {
        let retry_after = Some(Duration::MAX);
        let failure = Failure::Status { status: 503, retry_after };
        let retry_after = Duration::from_secs(300);
        let give_up = GiveUp::Unavailable { retry_after };
        assert_eq!(policy().decide(&quick(1), &failure, ms(0), 0), Decision::GiveUp(give_up));
    }

    #[test]
    fn a_spent_budget_ends_in_503_or_504() {
        let retry_after = ms(2000);
        assert_eq!(
            policy().decide(&quick(9), &status(500), ms(24_000), u32::MAX),
            Decision::GiveUp(GiveUp::Unavailable { retry_after })
        );
        assert_eq!(
            policy().decide(&quick(3), &Failure::TimedOut, ms(25_000), 0),
            Decision::GiveUp(GiveUp::Timeout { retry_after })
        );
    }

    #[test]
    fn an_attempt_never_outlasts_the_request() {
        assert_eq!(policy().attempt_limit(ms(0)), ms(10_000));
        assert_eq!(policy().attempt_limit(ms(20_000)), ms(5000));
        assert_eq!(policy().attempt_limit(ms(26_000)), ms(0));
    }

    fn failure() -> impl Strategy<Value = Failure> {
        let retry_after = proptest::option::of((0_u64..100_000).prop_map(ms));
        prop_oneof![
            Just(Failure::TimedOut),
            Just(Failure::Malformed),
            Just(Failure::Contract("x")),
            Just(Failure::NotConnected("x")),
            Just(Failure::Interrupted("x")),
            Just(Failure::Refused("x")),
            (100_u16..600, retry_after).prop_map(|(status, retry_after)| Failure::Status { status, retry_after }),
        ]
    }

    proptest! {
        #[test]
        fn waits_stay_within_bounds_and_budget(
            base in 1_u32..10_000, more in 0_u32..10_000, timeout in 1_u32.., deadline in 1_u32..,
            number in 1_u32.., took in 0_u64..100_000, elapsed in 0_u64..10_000_000_000, random in any::<u32>(), failure in failure(),
        ) {
            let policy = Policy {
                base: ms(base.into()),
                cap: ms((base + more).into()),
                attempt_timeout: ms(timeout.into()),
                deadline: ms(deadline.into()),
            };
            let attempt = Attempt { number, took: ms(took), slow: ms(0) };
            if let Decision::Retry(wait) = policy.decide(&attempt, &failure, ms(elapsed), random) {
                let asked = match failure {
                    Failure::Status { retry_after, .. } => retry_after.unwrap_or_default(),
                    _ => Duration::ZERO,
                };
                let least = asked.max(attempt.took.min(policy.cap));
                prop_assert!(wait >= least && wait <= policy.cap + least);
                prop_assert!(ms(elapsed) + wait < policy.deadline);
                prop_assert!(policy.attempt_limit(ms(elapsed) + wait) > Duration::ZERO);
            }
        }

        #[test]
        fn every_schedule_ends(deadline in 1_u32..30_000, timeout in 1_u32..30_000, took in 1_u64..5000, random in any::<u32>()) {
            let policy = Policy {
                attempt_timeout: ms(timeout.into()),
                deadline: ms(deadline.into()),
                ..policy()
            };
            let mut elapsed = Duration::ZERO;
            for number in 1.. {
                let took = ms(took).min(policy.attempt_limit(elapsed));
                elapsed += took;
                let attempt = Attempt { number, took, slow: ms(0) };
                match policy.decide(&attempt, &Failure::TimedOut, elapsed, random) {
                    Decision::Retry(wait) => elapsed += wait,
                    Decision::GiveUp(_) => break,
                }
                prop_assert!(number <= deadline, "each attempt takes a millisecond at least");
            }
            prop_assert!(elapsed <= policy.deadline);
        }
    }
}
