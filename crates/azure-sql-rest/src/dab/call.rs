//! Calls a procedure. Makes attempts until one succeeds or the retry policy gives up. Each has one time limit for connect,
//! headers and body together.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, Request, StatusCode};

use crate::dab::answer::Row;
use crate::failure::Failure;
use crate::instance::Permit;
use crate::log::{Event, Log};
use crate::platform::Platform;
use crate::retry::{Attempt, Decision, GiveUp, Policy};
use crate::route;

/// The attempts at one call.
pub struct Attempts<'a, P> {
    /// The host.
    pub platform: &'a P,
    /// Where attempts are logged.
    pub log: &'a Log,
    /// The procedure and its columns.
    pub call: &'static route::Call,
    /// The request, the same for every attempt.
    pub request: Request<Bytes>,
}

/// The effort that a call took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// How many attempts were made.
    pub attempts: u32,
    /// How long they took, waits between them included.
    pub took: Duration,
}

/// A call that brought no row.
#[derive(Debug, PartialEq, Eq)]
pub struct GaveUp {
    /// The answer to the client.
    pub because: GiveUp,
    /// How the last attempt failed.
    pub failure: Failure,
}

impl<P: Platform> Attempts<'_, P> {
    /// Makes the call as often as `policy` and the other requests of the instance allow. The time of the policy begins now.
    ///
    /// # Errors
    ///
    /// If no attempt brought a row.
    pub async fn make(&self, policy: &Policy) -> (Effort, Result<Row<P::Body>, GaveUp>) {
        let instance = self.platform.instance();
        let begin = self.platform.now();
        let mut now = begin;
        let mut slow = Duration::ZERO;
        let mut effort = Effort::default();
        let mut last = None;
        loop {
            let Some(began) = self.admit(policy, effort.attempts, begin, now).await else {
                effort.took = self.platform.now().saturating_sub(begin);
                let failure = last.unwrap_or(Failure::NotConnected("not tried: the last attempts of others failed"));
                return (effort, Err(self.give_up(effort, policy.exhausted(&failure), failure)));
            };
            effort.attempts += 1;
            let result = self.attempt(policy.attempt_limit(began.saturating_sub(begin))).await;
            now = self.platform.now();
            let took = now.saturating_sub(began);
            effort.took = now.saturating_sub(begin);
            let failure = match result {
                Ok(row) => {
                    instance.answered(policy, took, now);
                    return (effort, Ok(row));
                }
                Err(failure) => failure,
            };
            let attempt = Attempt { number: effort.attempts, took, slow };
            slow += took.min(policy.cap);
            let decision = policy.decide(&attempt, &failure, effort.took, self.random());
            match instance.failed(policy, &attempt, &failure, now, decision) {
                Decision::Retry(wait) => {
                    self.log.write(self.platform, &self.retry(&attempt, &failure, wait));
                    self.platform.sleep(wait).await;
                    now = self.platform.now();
                    last = Some(failure);
                }
                Decision::GiveUp(because) => return (effort, Err(self.give_up(effort, because, failure))),
            }
        }
    }

    /// Waits until the instance permits the next attempt, and returns the time then. Returns `None` if the instance refuses,
    /// or if no time is left: an attempt without time would be sent and abandoned.
    async fn admit(&self, policy: &Policy, attempts: u32, begin: Duration, mut now: Duration) -> Option<Duration> {
        loop {
            let limit = policy.attempt_limit(now.saturating_sub(begin));
            if limit.is_zero() {
                return None;
            }
            match self.platform.instance().permit(policy, attempts, now) {
                Permit::Attempt => return Some(now),
                Permit::Refuse => return None,
                Permit::Hold => self.platform.sleep(policy.spread(self.random()).min(limit)).await,
            }
            now = self.platform.now();
        }
    }

    /// The high bits of random bits are as random as any.
    fn random(&self) -> u32 {
        (self.platform.random() >> 96) as u32
    }

    fn retry(&self, attempt: &Attempt, failure: &Failure, wait: Duration) -> Event<'static> {
        Event::Retry {
            procedure: self.call.procedure,
            attempt: attempt.number,
            reason: failure.to_string(),
            delay_ms: wait.as_millis() as u64,
        }
    }

    fn give_up(&self, effort: Effort, because: GiveUp, failure: Failure) -> GaveUp {
        let procedure = self.call.procedure;
        let event = match failure {
            Failure::Contract(reason) => Event::ContractBroken { procedure, reason },
            _ => Event::GiveUp { procedure, attempt: effort.attempts, reason: failure.to_string() },
        };
        self.log.write(self.platform, &event);
        GaveUp { because, failure }
    }

    /// Makes one attempt of at most `limit`.
    ///
    /// # Errors
    ///
    /// How it failed.
    pub async fn attempt(&self, limit: Duration) -> Result<Row<P::Body>, Failure> {
        let timer = pin!(self.platform.sleep(limit));
        let exchange = pin!(self.exchange());
        // The timer is set first: with WASI 0.3 the host reads the body once this task only waits.
        match select(timer, exchange).await {
            Either::Left(((), _)) => Err(Failure::TimedOut),
            Either::Right((row, _)) => row,
        }
    }

    async fn exchange(&self) -> Result<Row<P::Body>, Failure> {
        let response = self.platform.send(&self.request).await?;
        match response.status() {
            StatusCode::OK | StatusCode::CREATED => {
                let created = self.call.creates.map(|creates| creates.column);
                Row::read(response.into_body(), created).await
            }
            status => Err(Failure::Status { status: status.as_u16(), retry_after: retry_after(response.headers()) }),
        }
    }
}

/// Reads `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3). A date counts relative to the answer's own
/// `Date`, so that the two clocks need not agree.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim_ascii();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(date).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Level;
    use crate::platform::fake::{Fake, Parts};
    use http::Response;

    static CALL: route::Call = route::Call { procedure: "do_thing", parameters: &[], creates: None, many: None };
    const ROW: &str = r#"{"value":[{"Status":200,"Json":"[]"}]}"#;

    fn policy() -> Policy {
        Policy {
            base: Duration::from_millis(100),
            cap: Duration::from_millis(2000),
            attempt_timeout: Duration::from_millis(10_000),
            deadline: Duration::from_millis(25_000),
        }
    }

    fn make(platform: &Fake) -> (Effort, Result<Row<Parts>, GaveUp>) {
        let log = Log { level: Level::Warn, correlation_id: "id".into() };
        let request = Request::new(Bytes::from_static(b"{}"));
        let attempts = Attempts { platform, log: &log, call: &CALL, request };
        platform.run(attempts.make(&policy()))
    }

    fn gives_up(platform: &Fake) -> GiveUp {
        make(platform).1.unwrap_err().because
    }

    /// The milliseconds at which attempts were made.
    fn attempts_ms(platform: &Fake) -> Vec<u128> {
        let sent = platform.sent.borrow();
        sent.iter().map(|(at, _)| at.as_millis() - 1000).collect()
    }

    #[test]
    fn failures_that_pass_are_ridden_out_and_logged() {
        let platform = Fake::default()
            .then(0, Err(Failure::NotConnected("connection refused")))
            .answer(10, 500, "")
            .then(5, Err(Failure::Interrupted("connection closed")))
            .answer(0, 200, "{\"value\":[")
            .answer(0, 201, ROW);
        let (effort, row) = make(&platform);
        assert_eq!(row.unwrap().head.status, 200);
        // The longest waits: 100, 200, 400, 800 ms, and in addition as long as the attempt took.
        assert_eq!(attempts_ms(&platform), [0, 100, 320, 730, 1530]);
        let took = Duration::from_millis(1530);
        assert_eq!(effort, Effort { attempts: 5, took });
        let lines = platform.lines.borrow();
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines[1],
            r#"{"event":"retry","procedure":"do_thing","attempt":2,"reason":"bridge status 500","delay_ms":210,"correlation_id":"id"}"#
        );
    }

    #[test]
    fn an_attempt_that_takes_too_long_is_given_up() {
        let platform = Fake::default().answer(60_000, 200, ROW).answer(9999, 200, ROW);
        assert!(make(&platform).1.is_ok());
        assert_eq!(attempts_ms(&platform), [0, 12_100]);
    }

    #[test]
    fn the_deadline_ends_it_in_a_timeout_when_the_last_attempt_timed_out() {
        let mut platform = Fake::default();
        for _ in 0..3 {
            platform = platform.answer(60_000, 200, ROW);
        }
        assert!(matches!(gives_up(&platform), GiveUp::Timeout { .. }));
        assert_eq!(platform.now().as_millis() - 1000, 25_000);
    }

    #[test]
    fn an_outage_longer_than_the_deadline_ends_in_unavailable() {
        let mut platform = Fake::default();
        for _ in 0..20 {
            platform = platform.then(0, Err(Failure::NotConnected("connection refused")));
        }
        let retry_after = Duration::from_millis(2000);
        assert_eq!(gives_up(&platform), GiveUp::Unavailable { retry_after });
        assert!(platform.now().as_millis() - 1000 < 25_000);
        assert!(platform.lines.borrow().last().unwrap().contains("give_up"));
    }

    #[test]
    fn ten_seconds_without_a_database_cost_no_request_however_long_dab_holds_a_call() {
        // Data API Builder holds a call for one of four times: none, one time-out to connect, three attempts to connect, or
        // its own time-outs. `failures` is how many attempts begin in the ten seconds.
        for (held_ms, failures, answered_ms) in
            [(0, 9, 11_100), (3000, 2, 10_300), (6000, 2, 16_300), (33_000, 1, 12_100)]
        {
            let mut platform = Fake::default();
            for _ in 0..failures {
                platform = platform.answer(held_ms, 500, "");
            }
            let platform = platform.answer(0, 200, ROW);
            assert!(make(&platform).1.is_ok(), "{held_ms} ms");
            assert_eq!(attempts_ms(&platform).last(), Some(&answered_ms));
        }
    }

    #[test]
    fn a_request_in_a_long_outage_is_refused_at_once() {
        let platform = Fake::default();
        let policy = policy();
        for number in 1..=9 {
            let attempt = Attempt { number, took: Duration::ZERO, slow: Duration::ZERO };
            let failure = Failure::NotConnected("connection refused");
            let decision = Decision::Retry(Duration::from_secs(60));
            platform.instance().failed(&policy, &attempt, &failure, platform.now(), decision);
            platform.run(platform.sleep(Duration::from_secs(2)));
        }
        let before = platform.now();
        assert!(matches!(gives_up(&platform), GiveUp::Unavailable { .. }));
        assert_eq!((platform.now(), platform.sent.borrow().len()), (before, 0));
        assert!(platform.lines.borrow()[0].contains(r#""attempt":0,"reason":"not tried"#));
    }

    #[test]
    fn requests_wait_for_the_probe_of_another() {
        let platform = Fake::default();
        for _ in 0..5 {
            let attempt = Attempt { number: 1, took: Duration::ZERO, slow: Duration::ZERO };
            let failure = Failure::NotConnected("connection refused");
            let decision = Decision::Retry(Duration::from_secs(3));
            platform.instance().failed(&policy(), &attempt, &failure, platform.now(), decision);
        }
        let platform = platform.answer(0, 200, ROW);
        assert!(make(&platform).1.is_ok());
        assert_eq!(attempts_ms(&platform), [4000], "two waits of the cap, then it is the probe");
    }

    #[test]
    fn a_request_that_waits_for_the_probe_of_another_ends_at_its_deadline() {
        let platform = Fake::default();
        for _ in 0..5 {
            let attempt = Attempt { number: 1, took: Duration::ZERO, slow: Duration::ZERO };
            let failure = Failure::NotConnected("connection refused");
            let decision = Decision::Retry(Duration::from_secs(60));
            platform.instance().failed(&policy(), &attempt, &failure, platform.now(), decision);
        }
        assert!(matches!(gives_up(&platform), GiveUp::Unavailable { .. }));
        assert_eq!(platform.now().as_millis() - 1000, 25_000);
    }

    #[test]
    fn a_misconfigured_bridge_is_not_tried_again() {
        for platform in [
            Fake::default().answer(0, 404, ""),
            Fake::default().answer(0, 307, ""),
            Fake::default().answer(0, 204, ""),
            Fake::default().answer(0, 200, r#"{"value":[]}"#),
            Fake::default().then(0, Err(Failure::Refused("destination denied"))),
        ] {
            assert_eq!(gives_up(&platform), GiveUp::Misconfigured);
            assert_eq!(platform.sent.borrow().len(), 1);
        }
        assert_eq!(gives_up(&Fake::default().answer(0, 409, "")), GiveUp::Conflict);
    }

    #[test]
    fn retry_after_is_obeyed_in_both_forms() {
        let busy = |headers: &[(&str, &str)]| {
            let mut response = Response::builder().status(503);
            for (name, value) in headers {
                response = response.header(*name, *value);
            }
            let platform = Fake::default().then(0, Ok(response.body(Vec::new()).unwrap())).answer(0, 200, ROW);
            assert!(make(&platform).1.is_ok());
            attempts_ms(&platform)[1]
        };
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        // The first wait, at its longest, is added.
        assert_eq!(busy(&[("retry-after", "3")]), 3100);
        assert_eq!(busy(&[("retry-after", "Sun, 06 Nov 1994 08:49:41 GMT"), date]), 4100);
        assert_eq!(busy(&[("retry-after", "Sun, 06 Nov 1994 08:49:30 GMT"), date]), 100);
        assert_eq!(busy(&[("retry-after", "Sun, 06 Nov 1994 08:49:41 GMT")]), 100);
        assert_eq!(busy(&[("retry-after", "soon")]), 100);
    }

    #[test]
    fn nothing_is_sent_when_no_time_is_left() {
        let platform = Fake::default().oversleeping(60_000).answer(0, 503, "");
        assert!(matches!(gives_up(&platform), GiveUp::Unavailable { .. }));
        assert_eq!(platform.sent.borrow().len(), 1);
    }

    #[test]
    fn every_attempt_sends_the_same_request() {
        let platform = Fake::default().answer(0, 503, "").answer(0, 200, ROW);
        make(&platform).1.unwrap();
        let sent = platform.sent.borrow();
        assert_eq!(sent[0].1.body(), sent[1].1.body());
        assert_eq!(sent[0].1.headers(), sent[1].1.headers());
    }
}
