//! Carries out a step of the plan and judges the answers.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

use http::{HeaderName, Method, header};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::api::{Api, Ask, Reply};
use crate::plan::{Action, Precondition, Step, Write};
use crate::registry::{Flaw, Registry};
use crate::tally::{Broken, Tally};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A version that no row ever had.
const STALE: &str = "\"1999-12-31T23:59:59.0000000\"";

/// The parts that all steps work with.
#[derive(Clone)]
pub(crate) struct Bench {
    pub api: Api,
    pub registry: Arc<Registry>,
    pub tally: Arc<Tally>,
}

/// The knowledge of a row that only answers give. Each step on the row hands it to the next.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    pub id: Option<i32>,
    /// Of the last acknowledged version, quotes and all.
    pub etag: Option<String>,
    /// A step on the row failed: what it has come to is unknown, and further steps on it are left out.
    pub is_lost: bool,
    /// When the last step ended.
    pub free_since: Option<Instant>,
    /// `If-Match` of the requests that had a key: a replay sends the same.
    sent: HashMap<String, String>,
}

impl Lane {
    /// A row that is there.
    pub fn existing(id: i32, etag: String) -> Self {
        Self { id: Some(id), etag: Some(etag), ..Self::default() }
    }

    /// A row of which nothing is known.
    pub fn lost() -> Self {
        Self { is_lost: true, ..Self::default() }
    }
}

/// A promise that was broken, in words.
type Verdict = Result<(), (Broken, String)>;

fn ensure(broken: Broken, holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err((broken, what())) }
}

fn ensure_eq<T: PartialEq + Debug>(broken: Broken, what: &str, is: &T, must_be: &T) -> Verdict {
    ensure(broken, is == must_be, || format!("{what} is {is:?}, must be {must_be:?}"))
}

fn ensure_json(broken: Broken, reply: &Reply, must_be: &Value) -> Verdict {
    ensure(broken, reply.json() == *must_be, || {
        format!("the body is {}, must be {must_be}", String::from_utf8_lossy(&reply.body))
    })
}

impl Bench {
    /// Carries out a step. `begin` is when it was to begin.
    pub async fn perform(&self, step: &Step, lane: &mut Lane, begin: Instant) {
        if lane.is_lost {
            return;
        }
        let verdict = match &step.action {
            Action::Get => self.get(step, lane, begin).await,
            Action::List { after, limit } => self.list(step.kind, *after, *limit, begin).await,
            Action::Write(write) => self.write(step, write, lane, begin).await,
            Action::Replay(write) => self.replay(step, write, lane, begin).await,
            Action::Twins(write) => self.twins(step, write, lane, begin).await,
            Action::Race { body } => self.race(step, body, lane, begin).await,
        };
        if let Err((broken, what)) = verdict {
            let id = lane.id.unwrap_or_default();
            self.tally.broken(broken, format_args!("{} of customer {id}: {what}", step.kind));
            lane.is_lost = true;
            if !matches!(step.action, Action::Get | Action::List { .. }) {
                self.tally.count(|counts| counts.uncertain += 1);
            }
        }
    }

    async fn get(&self, step: &Step, lane: &Lane, begin: Instant) -> Verdict {
        let reply = self.send(step.kind, Ask::get(path(lane)), begin).await?;
        match (&step.after, reply.status) {
            (Some(customer), 200) => {
                let answer = customer.answer(lane.id.unwrap_or_default());
                ensure_json(Broken::Lost, &reply, &answer)?;
                ensure_eq(Broken::Duplicated, "the version", &reply.header(header::ETAG), &lane.etag.as_deref())
            }
            (Some(_), 404) => Err((Broken::Lost, "the row is not there".to_owned())),
            (None, 200) => Err((Broken::Phantom, "the row was deleted, and is there".to_owned())),
            (None, status) => expect(&reply, status, 404),
            (Some(_), status) => expect(&reply, status, 200),
        }
    }

    async fn list(&self, kind: &'static str, after: i32, limit: usize, begin: Instant) -> Verdict {
        let moment = self.registry.moment();
        let reply = self.send(kind, Ask::get(format!("/customers?limit={limit}&after={after}")), begin).await?;
        expect(&reply, reply.status, 200)?;
        let listed = ids(&reply.json());
        let in_order = listed.is_sorted_by(|one, next| one < next);
        let as_asked = in_order && listed.len() <= limit && listed.first().is_none_or(|id| *id > after);
        ensure(Broken::Failure, as_asked, || format!("not the page that was asked for: {listed:?}"))?;
        let end = if listed.len() < limit { i32::MAX } else { listed.last().copied().unwrap_or(after) };
        for flaw in self.registry.judge(moment, after, end, &listed) {
            match flaw {
                Flaw::Missing(id) => self.tally.broken(Broken::Lost, format_args!("customer {id} is not in the list")),
                Flaw::Deleted(id) => self.tally.broken(Broken::Phantom, format_args!("customer {id} is in the list")),
            }
        }
        Ok(())
    }

    async fn write(&self, step: &Step, write: &Write, lane: &mut Lane, begin: Instant) -> Verdict {
        let ask = self.ask(write, lane);
        let reply = self.send(step.kind, ask, begin).await?;
        expect(&reply, reply.status, write.status)?;
        if reply.status < 300 {
            self.tally.count(|counts| counts.acknowledged += 1);
            self.acknowledged(step, write, lane, &reply)?;
        }
        Ok(())
    }

    async fn replay(&self, step: &Step, write: &Write, lane: &mut Lane, begin: Instant) -> Verdict {
        let ask = self.ask(write, lane);
        let reply = self.send(step.kind, ask, begin).await?;
        expect(&reply, reply.status, write.status)?;
        let mark = reply.header(REPLAYED);
        if mark != Some("true") {
            // Nothing follows from it for the row.
            let what = format_args!("{}: idempotency-replayed is {mark:?}, must be true", step.kind);
            self.tally.broken(Broken::Failure, what);
        }
        as_it_is_now(step, write, lane, &reply)
    }

    async fn twins(&self, step: &Step, write: &Write, lane: &mut Lane, begin: Instant) -> Verdict {
        let ask = self.ask(write, lane);
        let (one, other) = tokio::join!(self.send(step.kind, ask.clone(), begin), self.send(step.kind, ask, begin));
        let (one, other) = (one?, other?);
        expect(&one, one.status, write.status)?;
        expect(&other, other.status, write.status)?;
        self.tally.count(|counts| counts.acknowledged += 1);
        self.acknowledged(step, write, lane, &one)?;
        as_it_is_now(step, write, lane, &other)
    }

    async fn race(&self, step: &Step, body: &str, lane: &mut Lane, begin: Instant) -> Verdict {
        let write = Write {
            method: Method::PATCH,
            body: Some(body.to_owned()),
            key: None,
            precondition: Precondition::Current,
            status: 202,
        };
        let ask = self.ask(&write, lane);
        let (one, other) = tokio::join!(self.send(step.kind, ask.clone(), begin), self.send(step.kind, ask, begin));
        let (one, other) = (one?, other?);
        let (winner, loser) = if one.status < other.status { (one, other) } else { (other, one) };
        expect(&winner, winner.status, 202)?;
        ensure(Broken::Lost, loser.status != 202, || {
            "both were acknowledged, so one is overwritten unseen".to_owned()
        })?;
        expect(&loser, loser.status, 412)?;
        self.tally.count(|counts| counts.acknowledged += 1);
        self.acknowledged(step, &write, lane, &winner)
    }

    /// The request of a write; notes what the row's next steps need.
    fn ask(&self, write: &Write, lane: &mut Lane) -> Ask {
        let sent = write.key.as_ref().and_then(|key| lane.sent.get(key)).cloned();
        let if_match = match write.precondition {
            Precondition::None => None,
            Precondition::Stale => Some(STALE.to_owned()),
            Precondition::Current => sent.or_else(|| lane.etag.clone()),
        };
        if let (Some(key), Some(etag)) = (&write.key, &if_match) {
            lane.sent.insert(key.clone(), etag.clone());
        }
        if let (Some(id), &Method::DELETE, 202) = (lane.id, &write.method, write.status) {
            self.registry.ending(id);
        }
        let target = if write.method == Method::POST { "/customers".to_owned() } else { path(lane) };
        Ask { method: write.method.clone(), target, key: write.key.clone(), if_match, body: write.body.clone() }
    }

    /// Judges the first acknowledgement of a write and takes over what it says.
    fn acknowledged(&self, step: &Step, write: &Write, lane: &mut Lane, reply: &Reply) -> Verdict {
        if write.method == Method::POST {
            let location = reply.header(header::LOCATION).and_then(|location| location.strip_prefix("customer/"));
            lane.id = location.and_then(|id| id.parse().ok());
            let Some(id) = lane.id else {
                return Err((Broken::Failure, "no Location".to_owned()));
            };
            self.registry.created(id);
        }
        if let (Some(id), &Method::DELETE) = (lane.id, &write.method) {
            self.registry.ended(id);
        }
        lane.etag = reply.header(header::ETAG).map(str::to_owned);
        as_it_is_now(step, write, lane, reply)
    }

    async fn send(&self, kind: &'static str, ask: Ask, begin: Instant) -> Result<Reply, (Broken, String)> {
        let reply = self.api.send(ask).await;
        self.tally.request(kind, begin.elapsed());
        let reply = reply.map_err(|error| (Broken::Failure, format!("no answer: {error:#}")))?;
        if reply.headers.contains_key(REPLAYED) {
            self.tally.count(|counts| counts.replayed += 1);
        }
        Ok(reply)
    }
}

/// Judges the body, version and place that an acknowledged write was answered with. They must be the row's, as it is now.
fn as_it_is_now(step: &Step, write: &Write, lane: &Lane, reply: &Reply) -> Verdict {
    let id = lane.id.unwrap_or_default();
    if write.method == Method::POST {
        let location = Some(format!("customer/{id}"));
        let is = reply.header(header::LOCATION).map(str::to_owned);
        ensure_eq(Broken::Duplicated, "Location", &is, &location)?;
    }
    let must_be = match (&write.method, &step.after) {
        (&Method::DELETE, _) => json!([{"CustomerID": id}]),
        (_, Some(customer)) => customer.answer(id),
        (_, None) => json!([]),
    };
    ensure_json(Broken::Failure, reply, &must_be)?;
    if write.method == Method::DELETE || step.after.is_none() {
        return Ok(());
    }
    ensure(Broken::Failure, reply.headers.contains_key(header::ETAG), || "no ETag".to_owned())?;
    ensure_eq(Broken::Duplicated, "the version", &reply.header(header::ETAG), &lane.etag.as_deref())
}

fn expect(reply: &Reply, status: u16, must_be: u16) -> Verdict {
    ensure(Broken::Failure, status == must_be, || {
        format!("status {status}, must be {must_be}: {}", String::from_utf8_lossy(&reply.body))
    })
}

fn path(lane: &Lane) -> String {
    format!("/customer/{}", lane.id.unwrap_or_default())
}

/// The ids of a list.
pub(crate) fn ids(list: &Value) -> Vec<i32> {
    let rows = list.as_array().into_iter().flatten();
    rows.filter_map(|row| row["CustomerID"].as_i64()?.try_into().ok()).collect()
}
