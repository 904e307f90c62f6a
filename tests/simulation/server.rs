//! DAB with its pool of connections: calls beyond them wait in a queue, and fail when that takes too long.

use std::collections::VecDeque;

use crate::{SECOND, Time};

/// How many calls the database works on at a time.
const CONNECTIONS: usize = 8;

/// How long it takes for one, on average: with [`CONNECTIONS`], 40 answers a second.
pub const SERVICE: Time = SECOND / 5;

/// How long a call waits for a connection before DAB answers 500.
pub const POOL_WAIT: Time = 3 * SECOND;

/// The number of a call.
pub type Call = usize;

/// The pool and its queue.
#[derive(Default)]
pub struct Server {
    waiting: VecDeque<Call>,
    working: usize,
}

impl Server {
    /// Queues a call.
    pub fn take(&mut self, call: Call) {
        self.waiting.push_back(call);
    }

    /// The next call to work on, if a connection is free.
    pub fn start(&mut self) -> Option<Call> {
        let call = if self.working < CONNECTIONS { self.waiting.pop_front() } else { None };
        self.working += usize::from(call.is_some());
        call
    }

    /// A connection has become free.
    pub fn finish(&mut self) {
        self.working -= 1;
    }

    /// Takes a call out of the queue; false if it is not in there any more.
    pub fn give_up(&mut self, call: Call) -> bool {
        let place = self.waiting.iter().position(|waiting| *waiting == call);
        place.is_some_and(|place| self.waiting.remove(place).is_some())
    }
}
