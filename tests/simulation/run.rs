//! One event after another.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use azure_sql_rest::failure::Failure;

use crate::client::{Clients, Next, Request, Strategy};
use crate::scenario::{Database, Scenario};
use crate::server::{Call, POOL_WAIT, SERVICE, Server};
use crate::{SECOND, Time};

/// A request that is over.
pub struct Ended {
    /// When it came.
    pub came: Time,
    /// When it was over.
    pub at: Time,
    /// True if it was answered, false if it was refused.
    pub is_answered: bool,
}

/// All that came of a run.
#[derive(Default)]
pub struct Run {
    /// In the order of their ends.
    pub requests: Vec<Ended>,
    /// How many attempts were made.
    pub attempts: usize,
    /// The most requests at a time.
    pub held: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Comes,
    Continues(usize),
    Answers(Call),
    Refuses(Call),
    PoolIsFull(Call),
    TimesOut(Call),
}

struct World {
    scenario: &'static Scenario,
    now: Time,
    random: u64,
    events: BinaryHeap<Reverse<(Time, usize, Event)>>,
    scheduled: usize,
    clients: Clients,
    requests: Vec<Option<Request>>,
    server: Server,
    /// The request of each call, until the call is over for it.
    calls: Vec<Option<usize>>,
    in_flight: usize,
    run: Run,
}

/// Runs a scenario.
pub fn run(scenario: &'static Scenario, strategy: Strategy, seed: u64) -> Run {
    let mut world = World {
        scenario,
        now: 0,
        random: seed,
        events: BinaryHeap::new(),
        scheduled: 0,
        clients: Clients::new(strategy),
        requests: Vec::new(),
        server: Server::default(),
        calls: Vec::new(),
        in_flight: 0,
        run: Run::default(),
    };
    world.after(0, Event::Comes);
    while let Some(Reverse((at, _, event))) = world.events.pop() {
        world.now = at;
        world.happens(event);
    }
    world.run
}

impl World {
    fn after(&mut self, wait: Time, event: Event) {
        self.scheduled += 1;
        self.events.push(Reverse((self.now + wait, self.scheduled, event)));
    }

    /// SplitMix64.
    fn random(&mut self) -> u32 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 32) as u32
    }

    /// Evenly between nothing and twice `mean`.
    fn about(&mut self, mean: Time) -> Time {
        2 * mean * Time::from(self.random()) / Time::from(u32::MAX)
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Comes => self.comes(),
            Event::Continues(request) => self.goes_on(request),
            Event::Answers(call) => {
                self.server.finish();
                if let Some(number) = self.calls[call].take() {
                    let request = self.requests[number].as_ref().expect("a request waits for its call");
                    self.clients.answered(request, self.now);
                    self.ends(number, true);
                }
                self.work();
            }
            Event::PoolIsFull(call) => {
                if self.server.give_up(call) {
                    self.fails(call, &Failure::Status { status: 500, retry_after: None });
                }
            }
            Event::Refuses(call) => match self.scenario.meanwhile {
                Database::Refused => self.fails(call, &Failure::NotConnected("connection refused")),
                _ => self.fails(call, &Failure::Status { status: 500, retry_after: None }),
            },
            Event::TimesOut(call) => {
                self.server.give_up(call);
                self.fails(call, &Failure::TimedOut);
            }
        }
    }

    fn comes(&mut self) {
        let mean = SECOND / self.scenario.rate(self.now);
        let gap = self.about(mean);
        if self.now + gap < self.scenario.end() {
            self.after(gap, Event::Comes);
        }
        self.requests.push(Some(self.clients.begin(self.now)));
        self.in_flight += 1;
        self.run.held = self.run.held.max(self.in_flight);
        self.goes_on(self.requests.len() - 1);
    }

    fn goes_on(&mut self, number: usize) {
        let random = self.random();
        let request = self.requests[number].as_mut().expect("a request that goes on");
        match self.clients.next(request, self.now, random) {
            Next::Attempt(limit) => self.attempts(number, limit),
            Next::Wait(wait) => self.after(wait, Event::Continues(number)),
            Next::Refuse => self.ends(number, false),
        }
    }

    fn attempts(&mut self, number: usize, limit: Time) {
        self.run.attempts += 1;
        let call = self.calls.len();
        self.calls.push(Some(number));
        self.after(limit, Event::TimesOut(call));
        match self.scenario.database(self.now) {
            Database::Up | Database::Slow(_) => {
                self.server.take(call);
                self.after(POOL_WAIT, Event::PoolIsFull(call));
                self.work();
            }
            Database::Refused => self.after(SECOND / 1000, Event::Refuses(call)),
            Database::Error(wait) => self.after(wait, Event::Refuses(call)),
        }
    }

    /// Gives free connections their calls.
    fn work(&mut self) {
        while let Some(call) = self.server.start() {
            let times = if let Database::Slow(times) = self.scenario.database(self.now) { times } else { 1 };
            let half = times * SERVICE / 2;
            let service = half + self.about(half);
            self.after(service, Event::Answers(call));
        }
    }

    fn fails(&mut self, call: Call, failure: &Failure) {
        let Some(number) = self.calls[call].take() else {
            return;
        };
        let random = self.random();
        let request = self.requests[number].as_mut().expect("a request waits for its call");
        match self.clients.failed(request, failure, self.now, random) {
            Some(wait) => self.after(wait, Event::Continues(number)),
            None => self.ends(number, false),
        }
    }

    fn ends(&mut self, number: usize, is_answered: bool) {
        let request = self.requests[number].take().expect("a request ends once");
        self.in_flight -= 1;
        self.clients.end(&request, self.now);
        self.run.requests.push(Ended { came: request.came, at: self.now, is_answered });
    }
}
