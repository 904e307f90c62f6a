//! When each row began and ended, so that a list which ran at the same time can be judged.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Something that happened before or after something else.
type Tick = u64;

/// The lives of all rows, by id.
#[derive(Default)]
pub(crate) struct Registry(Mutex<Lives>);

#[derive(Default)]
struct Lives {
    now: Tick,
    rows: BTreeMap<i32, Life>,
}

struct Life {
    /// When its creation had been acknowledged.
    created: Tick,
    /// When its deletion was asked for.
    ending: Option<Tick>,
    /// When its deletion had been acknowledged.
    ended: Option<Tick>,
}

/// The fault of a list.
#[derive(Debug, PartialEq)]
pub(crate) enum Flaw {
    /// A row that was there all the time is not listed.
    Missing(i32),
    /// A row is listed that had been deleted.
    Deleted(i32),
}

impl Registry {
    pub fn created(&self, id: i32) {
        self.tick(|now, rows| {
            rows.insert(id, Life { created: now, ending: None, ended: None });
        });
    }

    pub fn ending(&self, id: i32) {
        self.tick(|now, rows| {
            if let Some(life) = rows.get_mut(&id) {
                life.ending.get_or_insert(now);
            }
        });
    }

    pub fn ended(&self, id: i32) {
        self.tick(|now, rows| {
            if let Some(life) = rows.get_mut(&id) {
                life.ended.get_or_insert(now);
            }
        });
    }

    /// A moment, to be handed to [`Registry::judge`] after a list that begins now.
    pub fn moment(&self) -> Tick {
        self.tick(|now, _| now)
    }

    /// Compares a list of the ids above `after`, complete up to `end`, that was asked for at `begin` and has just
    /// arrived.
    pub fn judge(&self, begin: Tick, after: i32, end: i32, listed: &[i32]) -> Vec<Flaw> {
        self.tick(|_, rows| {
            let Some(first) = after.checked_add(1).filter(|first| *first <= end) else {
                return Vec::new();
            };
            let flaw = |(id, life): (&i32, &Life)| match listed.binary_search(id) {
                Ok(_) if life.ended.is_some_and(|ended| ended < begin) => Some(Flaw::Deleted(*id)),
                Err(_) if life.created < begin && life.ending.is_none() => Some(Flaw::Missing(*id)),
                _ => None,
            };
            rows.range(first..=end).filter_map(flaw).collect()
        })
    }

    fn tick<T>(&self, work: impl FnOnce(Tick, &mut BTreeMap<i32, Life>) -> T) -> T {
        let mut lives: MutexGuard<Lives> = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lives.now += 1;
        let now = lives.now;
        work(now, &mut lives.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_is_judged() {
        let registry = Registry::default();
        (1..=5).for_each(|id| registry.created(id));
        registry.ending(2);
        registry.ended(2);
        registry.ending(3);
        let begin = registry.moment();
        registry.created(6);
        registry.ending(5);
        registry.ended(5);
        assert_eq!(registry.judge(begin, 0, i32::MAX, &[1, 4]), []);
        assert_eq!(registry.judge(begin, 0, i32::MAX, &[1, 3, 4, 5, 6]), []);
        assert_eq!(registry.judge(begin, 0, i32::MAX, &[2, 4]), [Flaw::Missing(1), Flaw::Deleted(2)]);
        assert_eq!(registry.judge(begin, 1, 3, &[]), []);
        assert_eq!(registry.judge(begin, i32::MAX, i32::MAX, &[]), []);
    }
}
