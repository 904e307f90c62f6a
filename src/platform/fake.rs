//! A platform for tests: scripted answers, a virtual clock, no waiting. Time passes only when nothing else can happen.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use super::{Platform, SendError};

/// One scripted exchange: how long it takes and how it ends.
pub struct Scripted {
    /// Time until the end.
    pub after: Duration,
    /// The end.
    pub result: Result<Response<Bytes>, SendError>,
}

/// See the module's documentation.
pub struct Fake {
    variables: BTreeMap<String, String>,
    script: RefCell<VecDeque<Scripted>>,
    /// Every request sent, in order, with the time at which it was.
    pub sent: RefCell<Vec<(Duration, Request<Bytes>)>>,
    /// Every line logged.
    pub lines: RefCell<Vec<String>>,
    clock: Cell<Duration>,
    timers: RefCell<Vec<Duration>>,
    random: Cell<u128>,
}

impl Default for Fake {
    /// A platform with the defaults of `spin.toml`.
    fn default() -> Self {
        let manifest = include_str!("../../spin.toml");
        let variables = manifest
            .lines()
            .filter_map(|line| line.split_once(" = { default = \""))
            .filter_map(|(name, rest)| Some((name.to_owned(), rest.split_once('"')?.0.to_owned())))
            .collect();
        Self {
            variables,
            script: RefCell::default(),
            sent: RefCell::default(),
            lines: RefCell::default(),
            clock: Cell::new(Duration::from_secs(1)),
            timers: RefCell::default(),
            random: Cell::new(u128::MAX),
        }
    }
}

impl Fake {
    /// With another value of a variable.
    pub fn set(mut self, variable: &str, value: &str) -> Self {
        self.variables.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// Without a variable.
    pub fn unset(mut self, variable: &str) -> Self {
        self.variables.remove(variable);
        self
    }

    /// With one more answer at once: 200 and a row of these columns, as JSON members.
    pub fn row(self, columns: &str) -> Self {
        self.answer(0, 200, &format!(r#"{{"value":[{{{columns}}}]}}"#))
    }

    /// With one more answer: `status` and `body` after `after_ms`.
    pub fn answer(self, after_ms: u64, status: u16, body: &str) -> Self {
        let response = Response::builder()
            .status(status)
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        self.then(after_ms, Ok(response))
    }

    /// With one more exchange.
    pub fn then(self, after_ms: u64, result: Result<Response<Bytes>, SendError>) -> Self {
        let after = Duration::from_millis(after_ms);
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
            let next = self
                .timers
                .take()
                .into_iter()
                .min()
                .expect("waits for something that never happens");
            self.clock.set(next);
        }
    }
}

/// Runs a future that waits for nothing.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    Fake::default().run(future)
}

impl Platform for Fake {
    async fn send(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, SendError> {
        self.sent.borrow_mut().push((self.clock.get(), request.clone()));
        let Scripted { after, result } = self
            .script
            .borrow_mut()
            .pop_front()
            .expect("an exchange that was scripted");
        self.sleep(after).await;
        result
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.clock.get().saturating_add(duration);
        poll_fn(|_| {
            if self.clock.get() >= until {
                return Poll::Ready(());
            }
            self.timers.borrow_mut().push(until);
            Poll::Pending
        })
        .await;
    }

    fn now(&self) -> Duration {
        self.clock.get()
    }

    /// All ones first, so that jitter is at its longest; then other values, so that ids differ.
    fn random(&self) -> u128 {
        self.random.replace(self.random.get() - 1)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn log(&self, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }
}
