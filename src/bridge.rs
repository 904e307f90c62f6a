//! Calls a procedure by way of the bridge: attempts, each with a limit on connect, headers and body together, until one
//! succeeds or the retry policy gives up.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{DATE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};

use crate::log::Event;
use crate::platform::Platform;
use crate::problem::{Problem, kind};
use crate::retry::{Decision, Failure, GiveUp, Policy};
use crate::route::Call;
use crate::wire::Row;

/// One request's way to the bridge.
pub struct Bridge<'a, P> {
    /// The host.
    pub platform: &'a P,
    /// How hard to try.
    pub policy: Policy,
    /// When the client's request arrived, on the platform's clock: its deadline counts from here.
    pub started: Duration,
    /// Ties the log lines to the client's answer.
    pub correlation_id: &'a str,
    /// Whether the client's own credentials go along, so that the bridge's 401 and 403 are about the client.
    pub forwards_credentials: bool,
}

/// How a call ended.
pub struct Outcome<C> {
    /// The row, or the problem for the client.
    pub result: Result<Row<C>, Problem>,
    /// How many attempts were made.
    pub attempts: u32,
    /// How long they took, waits between them included.
    pub took: Duration,
}

impl<C> Outcome<C> {
    /// The value of `Server-Timing` (W3C): how long the bridge took, in milliseconds, and in how many attempts.
    pub fn server_timing(&self) -> String {
        let micros = self.took.as_micros();
        format!(
            "bridge;dur={}.{:03}, attempts;desc=\"{}\"",
            micros / 1000,
            micros % 1000,
            self.attempts
        )
    }
}

impl<P: Platform> Bridge<'_, P> {
    /// Makes `call`, sent as `request`, as often as the policy allows: the row, or the problem for the client when no
    /// attempt brought one (502, 503, 504 or 409).
    pub async fn call(&self, call: &Call, request: &Request<Bytes>) -> Outcome<P::Body> {
        let begin = self.platform.now();
        let (attempts, result) = self.attempts(call, request).await;
        Outcome {
            result,
            attempts,
            took: self.platform.now().saturating_sub(begin),
        }
    }

    async fn attempts(&self, call: &Call, request: &Request<Bytes>) -> (u32, Result<Row<P::Body>, Problem>) {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let limit = self.policy.attempt_limit(self.elapsed());
            let failure = match self.attempt(call, request, limit).await {
                Ok(row) => return (attempt, Ok(row)),
                Err(failure) => failure,
            };
            if let Some(problem) = self.refusal(&failure) {
                return (attempt, Err(problem));
            }
            // The high bits of random bits are as random as any.
            let random = (self.platform.random() >> 96) as u32;
            match self.policy.decide(attempt, &failure, self.elapsed(), random) {
                Decision::Retry(wait) => {
                    Event::Retry {
                        procedure: call.procedure,
                        attempt,
                        reason: failure.reason(),
                        delay_ms: wait.as_millis() as u64,
                        correlation_id: self.correlation_id,
                    }
                    .write(self.platform);
                    self.platform.sleep(wait).await;
                }
                Decision::GiveUp(give_up) => {
                    Event::GiveUp {
                        procedure: call.procedure,
                        attempt,
                        reason: failure.reason(),
                        correlation_id: self.correlation_id,
                    }
                    .write(self.platform);
                    return (attempt, Err(problem(give_up, attempt)));
                }
            }
        }
    }

    /// Makes one attempt at `call` of at most `limit`; what goes wrong is 503, whatever the reason, which the log
    /// tells.
    pub async fn probe(&self, call: &Call, request: &Request<Bytes>, limit: Duration) -> Outcome<P::Body> {
        let begin = self.platform.now();
        let result = self.attempt(call, request, limit).await.map_err(|failure| {
            Event::NotReady {
                reason: failure.reason(),
                correlation_id: self.correlation_id,
            }
            .write(self.platform);
            Problem::new(
                kind::UNAVAILABLE,
                "The bridge or the database behind it does not answer.",
            )
            .with_header(RETRY_AFTER, 1.into())
        });
        Outcome {
            result,
            attempts: 1,
            took: self.platform.now().saturating_sub(begin),
        }
    }

    async fn attempt(&self, call: &Call, request: &Request<Bytes>, limit: Duration) -> Result<Row<P::Body>, Failure> {
        let exchange = pin!(self.exchange(call, request));
        let timer = pin!(self.platform.sleep(limit));
        match select(exchange, timer).await {
            Either::Left((row, _)) => row,
            Either::Right(((), _)) => Err(Failure::TimedOut),
        }
    }

    async fn exchange(&self, call: &Call, request: &Request<Bytes>) -> Result<Row<P::Body>, Failure> {
        let response = self.platform.send(request).await.map_err(Failure::Send)?;
        match response.status() {
            StatusCode::OK | StatusCode::CREATED => {
                let id_column = call.created.as_ref().map(|created| created.id_column);
                Row::read(response.into_body(), id_column).await
            }
            status => Err(Failure::Status {
                status: status.as_u16(),
                retry_after: retry_after(response.headers()),
            }),
        }
    }

    /// What the bridge says about the client's credentials, when it has been given them.
    fn refusal(&self, failure: &Failure) -> Option<Problem> {
        match failure {
            Failure::Status { status: 401, .. } if self.forwards_credentials => Some(
                Problem::new(kind::UNAUTHORIZED, "The bearer token is missing, expired or not valid.")
                    .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            ),
            Failure::Status { status: 403, .. } if self.forwards_credentials => Some(Problem::new(
                kind::FORBIDDEN,
                "The caller's role does not have permission for this operation.",
            )),
            _ => None,
        }
    }

    fn elapsed(&self) -> Duration {
        self.platform.now().saturating_sub(self.started)
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3); a date is taken relative to the answer's own
/// `Date`, so that the two clocks need not agree.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(date).unwrap_or_default())
}

fn problem(give_up: GiveUp, attempts: u32) -> Problem {
    let tried = match attempts {
        1 => "1 attempt was made".to_owned(),
        attempts => format!("{attempts} attempts were made"),
    };
    // Rounded up, so that a client which obeys does not come too early.
    let seconds = |wait: Duration| wait.as_millis().div_ceil(1000) as u64;
    match give_up {
        GiveUp::Unavailable { retry_after } => Problem::new(
            kind::UNAVAILABLE,
            format!("{tried}. The request can be repeated as it is."),
        )
        .with_header(RETRY_AFTER, seconds(retry_after).into()),
        GiveUp::Timeout { retry_after } => Problem::new(
            kind::TIMEOUT,
            format!("{tried}; the last one timed out. The request can be repeated as it is."),
        )
        .with_header(RETRY_AFTER, seconds(retry_after).into()),
        GiveUp::Misconfigured => Problem::new(
            kind::BRIDGE_MISCONFIGURED,
            "Repeating the request will not help; the reason is in the log under the correlation id.",
        ),
        GiveUp::Conflict => Problem::new(kind::CONFLICT, "The database reports a conflict with another change."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::SendError;
    use crate::platform::fake::{Fake, Parts};
    use http::{Method, Response};

    static CALL: Call = Call {
        procedure: "do_thing",
        method: Method::POST,
        parameters: &[],
        created: None,
    };
    const ROW: &str = r#"{"value":[{"Status":200,"Json":"[]"}]}"#;

    fn call(platform: &Fake) -> Result<Row<Parts>, Problem> {
        let bridge = Bridge {
            platform,
            policy: platform.settings().unwrap().retry,
            started: platform.now(),
            correlation_id: "id",
            forwards_credentials: false,
        };
        platform
            .run(bridge.call(&CALL, &Request::new(Bytes::from_static(b"{}"))))
            .result
    }

    /// The milliseconds at which attempts were made.
    fn attempts_ms(platform: &Fake) -> Vec<u128> {
        platform
            .sent
            .borrow()
            .iter()
            .map(|(at, _)| at.as_millis() - 1000)
            .collect()
    }

    fn status(error: &Problem) -> u16 {
        error.kind().status.as_u16()
    }

    #[test]
    fn failures_that_pass_are_ridden_out_and_logged() {
        let platform = Fake::default()
            .then(0, Err(SendError::NotConnected("connection refused")))
            .answer(10, 500, "")
            .then(5, Err(SendError::Interrupted("connection closed")))
            .answer(0, 200, "{\"value\":[")
            .answer(0, 201, ROW);
        assert_eq!(call(&platform).unwrap().head.status, 200);
        // Waits at their longest: 100, 200, 400, 800 ms.
        assert_eq!(attempts_ms(&platform), [0, 100, 310, 715, 1515]);
        let lines = platform.lines.borrow();
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines[1],
            r#"{"event":"retry","procedure":"do_thing","attempt":2,"reason":"bridge status 500","delay_ms":200,"correlation_id":"id"}"#
        );
    }

    #[test]
    fn an_attempt_that_takes_too_long_is_given_up() {
        let platform = Fake::default().answer(60_000, 200, ROW).answer(9999, 200, ROW);
        assert!(call(&platform).is_ok());
        assert_eq!(attempts_ms(&platform), [0, 10_100]);
    }

    #[test]
    fn the_deadline_ends_in_504_when_the_last_attempt_timed_out() {
        let mut platform = Fake::default();
        for _ in 0..3 {
            platform = platform.answer(60_000, 200, ROW);
        }
        let error = call(&platform).unwrap_err();
        assert_eq!(status(&error), 504);
        assert_eq!(platform.now().as_millis() - 1000, 25_000);
    }

    #[test]
    fn an_outage_longer_than_the_deadline_ends_in_503_with_retry_after() {
        let mut platform = Fake::default();
        for _ in 0..20 {
            platform = platform.then(0, Err(SendError::NotConnected("connection refused")));
        }
        let error = call(&platform).unwrap_err();
        assert_eq!(status(&error), 503);
        assert!(platform.now().as_millis() - 1000 < 25_000);
        let response = error.into_response("/", "id");
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        let body = std::str::from_utf8(response.body()).unwrap();
        assert!(
            body.contains(&format!("{} attempts were made", platform.sent.borrow().len())),
            "{body}"
        );
        assert!(platform.lines.borrow().last().unwrap().contains("give_up"));
    }

    #[test]
    fn a_misconfigured_bridge_is_502_at_once() {
        for platform in [
            Fake::default().answer(0, 404, ""),
            Fake::default().answer(0, 307, ""),
            Fake::default().answer(0, 204, ""),
            Fake::default().answer(0, 200, r#"{"value":[]}"#),
            Fake::default().then(0, Err(SendError::Refused("destination denied"))),
        ] {
            assert_eq!(status(&call(&platform).unwrap_err()), 502);
            assert_eq!(platform.sent.borrow().len(), 1);
        }
        assert_eq!(status(&call(&Fake::default().answer(0, 409, "")).unwrap_err()), 409);
    }

    #[test]
    fn retry_after_is_obeyed_in_both_forms() {
        let busy = |headers: &[(&str, &str)]| {
            let mut response = Response::builder().status(503);
            for (name, value) in headers {
                response = response.header(*name, *value);
            }
            let platform = Fake::default()
                .then(0, Ok(response.body(Vec::new()).unwrap()))
                .answer(0, 200, ROW);
            assert!(call(&platform).is_ok());
            attempts_ms(&platform)[1]
        };
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(busy(&[("retry-after", "3")]), 3000);
        assert_eq!(busy(&[("retry-after", "Sun, 06 Nov 1994 08:49:41 GMT"), date]), 4000);
        assert_eq!(busy(&[("retry-after", "Sun, 06 Nov 1994 08:49:30 GMT"), date]), 100);
        assert_eq!(busy(&[("retry-after", "Sun, 06 Nov 1994 08:49:41 GMT")]), 100);
        assert_eq!(busy(&[("retry-after", "soon")]), 100);
    }

    #[test]
    fn every_attempt_sends_the_same_request() {
        let platform = Fake::default().answer(0, 503, "").answer(0, 200, ROW);
        call(&platform).unwrap();
        let sent = platform.sent.borrow();
        assert_eq!(sent[0].1.body(), sent[1].1.body());
        assert_eq!(sent[0].1.headers(), sent[1].1.headers());
    }

    #[test]
    fn a_probe_makes_one_attempt() {
        let platform = Fake::default().answer(0, 503, "");
        let bridge = Bridge {
            platform: &platform,
            policy: platform.settings().unwrap().retry,
            started: platform.now(),
            correlation_id: "id",
            forwards_credentials: false,
        };
        let request = Request::new(Bytes::new());
        let result = platform.run(bridge.probe(&CALL, &request, Duration::from_millis(100)));
        assert_eq!(status(&result.result.unwrap_err()), 503);
    }

    #[test]
    fn timing_is_in_milliseconds() {
        let outcome = Outcome::<Parts> {
            result: Err(Problem::new(kind::TIMEOUT, "")),
            attempts: 3,
            took: Duration::from_micros(1_002_034),
        };
        assert_eq!(outcome.server_timing(), "bridge;dur=1002.034, attempts;desc=\"3\"");
    }
}
