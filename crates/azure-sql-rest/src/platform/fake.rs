//! A platform for tests: scripted answers, a virtual clock, no waiting. Time passes only when nothing else can happen.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use super::{Chunks, Platform};
use crate::failure::Failure;
use crate::headers;
use crate::instance::Instance;

/// One scripted exchange: how long it takes until its head, and how it goes on.
struct Scripted {
    after: Duration,
    result: Result<Response<Vec<Part>>, Failure>,
}

/// One part of a body: how long the part takes, and its bytes or failure.
pub type Part = (Duration, Result<Vec<u8>, Failure>);

/// The body of a scripted response.
#[derive(Debug)]
pub struct Parts {
    clock: Rc<Clock>,
    parts: VecDeque<Part>,
}

impl Parts {
    /// A body that is there at once.
    pub fn whole(bytes: &[u8]) -> Self {
        let parts = [(Duration::ZERO, Ok(bytes.to_vec()))];
        Self { clock: Rc::default(), parts: parts.into() }
    }

    /// A body that never arrives.
    pub fn never() -> Self {
        let parts = [(Duration::MAX, Err(Failure::TimedOut))];
        Self { clock: Rc::default(), parts: parts.into() }
    }
}

impl Chunks for Parts {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let Some((after, part)) = self.parts.pop_front() else {
            return Ok(None);
        };
        self.clock.sleep(after).await;
        part.map(Some)
    }
}

/// A wait in virtual time: the clock moves when the future that runs waits for it.
#[derive(Debug, Default)]
struct Clock {
    now: Cell<Duration>,
    timers: RefCell<Vec<Duration>>,
}

impl Clock {
    async fn sleep(&self, duration: Duration) {
        let until = self.now.get().saturating_add(duration);
        poll_fn(|_| {
            if self.now.get() >= until {
                return Poll::Ready(());
            }
            self.timers.borrow_mut().push(until);
            Poll::Pending
        })
        .await;
    }
}

/// See the module's documentation.
pub struct Fake {
    script: RefCell<VecDeque<Scripted>>,
    /// Every request sent, in order, with the time at which it was.
    pub sent: RefCell<Vec<(Duration, Request<Bytes>)>>,
    /// Every line logged.
    pub lines: RefCell<Vec<String>>,
    clock: Rc<Clock>,
    random: Cell<u128>,
    oversleep: Duration,
    instance: Instance,
    /// The text of the settings, for tests that read settings.
    pub settings: String,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            script: RefCell::default(),
            sent: RefCell::default(),
            lines: RefCell::default(),
            clock: Rc::new(Clock { now: Cell::new(Duration::from_secs(1)), timers: RefCell::default() }),
            random: Cell::new(u128::MAX),
            oversleep: Duration::ZERO,
            instance: Instance::new(),
            settings: String::new(),
        }
    }
}

impl Fake {
    /// With another value of a variable.
    pub fn set(mut self, variable: &str, value: &str) -> Self {
        self.settings.push_str(&format!("{variable}={value}\u{1e}"));
        self
    }

    /// The body of a request that comes after this time on this platform's clock.
    pub fn late_body(&self, after_ms: u64, body: &str) -> Parts {
        let parts = [(Duration::from_millis(after_ms), Ok(body.as_bytes().to_vec()))];
        Parts { clock: self.clock.clone(), parts: parts.into() }
    }

    /// With waits of less than a second that take this much longer, as on a machine under load.
    pub fn oversleeping(mut self, by_ms: u64) -> Self {
        self.oversleep = Duration::from_millis(by_ms);
        self
    }

    /// With one more answer at once: 200 and a row of these columns, as JSON members.
    pub fn row(self, columns: &str) -> Self {
        self.answer(0, 200, &format!(r#"{{"value":[{{{columns}}}]}}"#))
    }

    /// With one more answer: `status` and `body` after `after_ms`.
    pub fn answer(self, after_ms: u64, status: u16, body: &str) -> Self {
        let response = Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap();
        self.then(after_ms, Ok(response))
    }

    /// With one more exchange, whose body comes with its head.
    pub fn then(self, after_ms: u64, result: Result<Response<Vec<u8>>, Failure>) -> Self {
        let whole = |body| vec![(Duration::ZERO, Ok(body))];
        self.script(after_ms, result.map(|response| response.map(whole)))
    }

    /// With one more answer of 200, at once, whose body comes in parts.
    pub fn parts(self, parts: Vec<Part>) -> Self {
        self.script(0, Ok(Response::new(parts)))
    }

    fn script(self, after_ms: u64, result: Result<Response<Vec<Part>>, Failure>) -> Self {
        let after = Duration::from_millis(after_ms);
        let result = result.map(|mut response| {
            let headers = response.headers().iter();
            *response.headers_mut() = headers::read(headers.map(|(name, value)| (name.as_str(), value.as_bytes())));
            response
        });
        self.script.borrow_mut().push_back(Scripted { after, result });
        self
    }

    /// Runs `future` to its end, moving the clock to the next timer whenever it waits.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
            let next = self.clock.timers.take().into_iter().min().expect("waits for something that never happens");
            self.clock.now.set(next);
        }
    }
}

/// Runs a future that waits for nothing.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    Fake::default().run(future)
}

impl Platform for Fake {
    type Body = Parts;

    async fn send(&self, request: &Request<Bytes>) -> Result<Response<Parts>, Failure> {
        self.sent.borrow_mut().push((self.now(), request.clone()));
        let Scripted { after, result } = self.script.borrow_mut().pop_front().expect("an exchange that was scripted");
        self.sleep(after).await;
        result.map(|response| response.map(|parts| Parts { clock: self.clock.clone(), parts: parts.into() }))
    }

    async fn sleep(&self, duration: Duration) {
        let is_late = !duration.is_zero() && duration < Duration::from_secs(1);
        let late = if is_late { self.oversleep } else { Duration::ZERO };
        self.clock.sleep(duration + late).await;
    }

    fn now(&self) -> Duration {
        self.clock.now.get()
    }

    /// All ones first, so that jitter is at its longest; then other values, so that ids differ.
    fn random(&self) -> u128 {
        self.random.replace(self.random.get() - 1)
    }

    fn instance(&self) -> &Instance {
        &self.instance
    }

    fn log(&self, line: &str) {
        let line = line.strip_suffix('\n').expect("a line");
        self.lines.borrow_mut().push(line.to_owned());
    }
}
