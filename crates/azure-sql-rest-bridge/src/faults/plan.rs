//! The plan: which call gets which fault.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use anyhow::ensure;
use serde::{Deserialize, Serialize};

/// A fault of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The call's connection is reset, and nobody listens for `refuse_ms`. Nothing is executed.
    Refuse,
    /// The connection is reset once the head of the request has arrived, with its body unread. Nothing is executed.
    ResetBeforeRead,
    /// The connection is reset once the whole request was read. Nothing is executed.
    ResetAfterRead,
    /// Execution begins after `delay_ms`, even when the client has gone by then; the answer is proper.
    Delay,
    /// Executed; the answer stops half-way through its body, and the connection stays open for `stall_ms`.
    Stall,
    /// Executed; the answer's chunked body ends half-way with the connection.
    Truncate,
    /// Executed; the answer announces more bytes than there are before the connection ends.
    LengthTooLong,
    /// Executed; the answer announces half the bytes that are sent.
    LengthTooShort,
    /// 429 from a gateway, with `Retry-After` or without. Nothing is executed.
    #[serde(rename = "error_429")]
    Error429,
    /// 500 as DAB answers for trouble with the database. Nothing is executed.
    #[serde(rename = "error_500")]
    Error500,
    /// DAB's 500 after `login_ms`: the database refuses the login, and DAB tries three times. Nothing is executed.
    LoginRefused,
    /// DAB's 500 after `silence_ms`: the database is silent until DAB's time-outs end. Nothing is executed.
    Silence,
    /// 502 from a gateway. Nothing is executed.
    #[serde(rename = "error_502")]
    Error502,
    /// 503 from a gateway. Nothing is executed.
    #[serde(rename = "error_503")]
    Error503,
    /// The status of a success, and a page instead of JSON. Nothing is executed.
    Garbage,
    /// Executed and committed; the connection is reset instead of an answer.
    CommitThenDrop,
}

/// A time in which the whole database is unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// When it begins, counted from when the plan came into force.
    pub after_ms: u64,
    /// How long it lasts.
    pub for_ms: u64,
    /// The fault that every call gets. With [`Fault::Refuse`] nobody listens, and open connections are reset.
    pub kind: Fault,
}

impl Outage {
    /// From its beginning to its end, counted from when the plan came into force.
    pub(super) fn window(&self) -> Range<Duration> {
        let begin = Duration::from_millis(self.after_ms);
        begin..begin + Duration::from_millis(self.for_ms)
    }
}

/// How cold the database is, and how long compiling takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cold {
    /// How long one call compiles by itself. With others at the same time, the time is multiplied by their number.
    pub compile_ms: u64,
    /// `Command Timeout`: how long a call compiles before SqlClient cuts it off.
    pub command_ms: u64,
}

/// A plan, as in the JSON file that `--faults` names. Every member has a default; a plan of defaults has no faults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// Another seed hits other calls.
    pub seed: u64,
    /// The faults of the first calls, one after the other; `null` is no fault. `rates` are for the calls after these.
    pub first: Vec<Option<Fault>>,
    /// The share of calls that get each fault; together 1 at most.
    pub rates: BTreeMap<Fault, f64>,
    /// The share of answers 429, 500, 502 and 503 that have `Retry-After`.
    pub retry_after_share: f64,
    /// The value of `Retry-After`, in seconds.
    pub retry_after_s: u64,
    /// See [`Fault::Delay`].
    pub delay_ms: u64,
    /// See [`Fault::LoginRefused`].
    pub login_ms: u64,
    /// See [`Fault::Silence`].
    pub silence_ms: u64,
    /// See [`Fault::Stall`].
    pub stall_ms: u64,
    /// See [`Fault::Refuse`].
    pub refuse_ms: u64,
    /// Windows of time in which every call fails.
    pub outages: Vec<Outage>,
    /// The first calls compile; `null` is a warm database.
    pub cold: Option<Cold>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 0,
            first: Vec::new(),
            rates: BTreeMap::new(),
            retry_after_share: 0.0,
            retry_after_s: 1,
            delay_ms: 500,
            login_ms: 6000,
            silence_ms: 33_000,
            stall_ms: 30_000,
            refuse_ms: 50,
            outages: Vec::new(),
            cold: None,
        }
    }
}

/// The longest time in a plan: a day.
const MAX_MS: u64 = 86_400_000;

/// A fault for one call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Decision {
    pub fault: Fault,
    /// `Retry-After` in seconds, for the faults that may have one.
    pub retry_after_s: Option<u64>,
    /// 0 or 1: the form of a fault that has two forms.
    pub form: bool,
}

impl Decision {
    /// The fault of a call that comes through in an outage.
    pub fn outage(kind: Fault) -> Self {
        let refused = kind == Fault::Refuse;
        Self { fault: if refused { Fault::ResetBeforeRead } else { kind }, retry_after_s: None, form: false }
    }
}

impl Plan {
    /// Reads a plan from JSON.
    ///
    /// # Errors
    /// Not JSON, a member that does not exist, or a number out of range.
    pub fn parse(json: &[u8]) -> anyhow::Result<Self> {
        let plan: Self = serde_json::from_slice(json)?;
        let shares = plan.rates.values().chain([&plan.retry_after_share]);
        ensure!(
            shares.copied().all(|share| (0.0..=1.0).contains(&share)),
            "`retry_after_share` and each of `rates` must be between 0 and 1"
        );
        // Room for the rounding of decimal fractions.
        let sum: f64 = plan.rates.values().sum();
        ensure!(sum <= 1.0 + 1e-9, "`rates` must together be 1 at most");
        let outages = plan.outages.iter().flat_map(|outage| [outage.after_ms, outage.for_ms]);
        let cold = plan.cold.iter().flat_map(|cold| [cold.compile_ms, cold.command_ms]);
        let mut times =
            outages.chain(cold).chain([plan.delay_ms, plan.login_ms, plan.silence_ms, plan.stall_ms, plan.refuse_ms]);
        ensure!(times.all(|time| time <= MAX_MS), "times must be at most {MAX_MS} ms, which is a day");
        Ok(plan)
    }

    /// Decides the fault of call number `call`, from 0, outside of outages.
    pub(super) fn decide(&self, call: u64) -> Option<Decision> {
        let exactly = usize::try_from(call).ok().and_then(|call| self.first.get(call));
        let fault = match exactly {
            Some(fault) => (*fault)?,
            None => self.drawn(self.uniform(call, 0))?,
        };
        let says_when = self.uniform(call, 1) < self.retry_after_share;
        Some(Decision {
            fault,
            retry_after_s: says_when.then_some(self.retry_after_s),
            form: self.uniform(call, 2) < 0.5,
        })
    }

    /// The outage at this time since the plan came into force.
    pub(super) fn outage(&self, elapsed: Duration) -> Option<Fault> {
        let mut outages = self.outages.iter();
        let outage = outages.find(|outage| outage.window().contains(&elapsed));
        outage.map(|outage| outage.kind)
    }

    /// The fault whose part of 0..1 contains `point`.
    fn drawn(&self, point: f64) -> Option<Fault> {
        let mut end = 0.0;
        self.rates.iter().find_map(|(fault, rate)| {
            end += rate;
            (point < end).then_some(*fault)
        })
    }

    /// A number in 0..1 that looks random. The same seed, call and purpose give the same number.
    fn uniform(&self, call: u64, purpose: u64) -> f64 {
        let bits = [call, purpose].into_iter().fold(mix(self.seed), |bits, part| mix(bits ^ part));
        // The 53 bits that an f64 has.
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLS: u64 = 100_000;

    fn plan(json: &str) -> Plan {
        Plan::parse(json.as_bytes()).unwrap()
    }

    fn counts(plan: &Plan) -> BTreeMap<Fault, u64> {
        let mut counts = BTreeMap::new();
        for decision in (0..CALLS).filter_map(|call| plan.decide(call)) {
            *counts.entry(decision.fault).or_default() += 1;
        }
        counts
    }

    #[test]
    fn rates_are_kept_over_many_calls() {
        let rates = r#"{"rates":{"commit_then_drop":0.05,"refuse":0.001,"error_503":0.1}}"#;
        for seed in 0..5 {
            let counts = counts(&Plan { seed, ..plan(rates) });
            for (fault, expected) in
                [(Fault::CommitThenDrop, 5000.0), (Fault::Refuse, 100.0), (Fault::Error503, 10_000.0)]
            {
                let off = (counts[&fault] as f64 - expected).abs();
                // Five standard deviations.
                assert!(off < 5.0 * f64::sqrt(expected), "{fault:?}: {off} off {expected} with seed {seed}");
            }
            assert_eq!(counts.len(), 3);
        }
    }

    #[test]
    fn the_same_seed_decides_the_same_and_another_seed_otherwise() {
        let decide = |seed| {
            let plan = plan(r#"{"rates":{"truncate":0.2,"error_429":0.2},"retry_after_share":0.5}"#);
            let plan = Plan { seed, ..plan };
            (0..1000).map(|call| plan.decide(call)).collect::<Vec<_>>()
        };
        assert_eq!(decide(7), decide(7));
        let differ = decide(7).iter().zip(&decide(8)).filter(|(one, other)| one != other).count();
        assert!(differ > 300, "{differ}");
    }

    #[test]
    fn retry_after_has_its_share() {
        let share = |share| {
            let rates = r#"{"rates":{"error_503":1.0},"retry_after_s":3}"#;
            let plan = Plan { retry_after_share: share, ..plan(rates) };
            (0..10_000).filter(|call| plan.decide(*call).unwrap().retry_after_s == Some(3)).count()
        };
        assert_eq!(share(0.0), 0);
        assert_eq!(share(1.0), 10_000);
        assert!((4800..5200).contains(&share(0.5)));
    }

    #[test]
    fn the_first_calls_get_exactly_what_they_were_promised() {
        let plan = plan(r#"{"first":["stall",null,"error_500"],"rates":{"garbage":1}}"#);
        let faults: Vec<_> = (0..5).map(|call| plan.decide(call).map(|decision| decision.fault)).collect();
        let expected = [Some(Fault::Stall), None, Some(Fault::Error500), Some(Fault::Garbage), Some(Fault::Garbage)];
        assert_eq!(faults, expected);
    }

    #[test]
    fn no_plan_is_no_faults() {
        assert!(counts(&plan("{}")).is_empty());
        assert_eq!(plan("{}").outage(Duration::ZERO), None);
    }

    #[test]
    fn outages_have_a_beginning_and_an_end() {
        let plan = plan(
            r#"{"outages":[{"after_ms":100,"for_ms":50,"kind":"refuse"},{"after_ms":150,"for_ms":1,"kind":"error_500"}]}"#,
        );
        let at = |ms| plan.outage(Duration::from_millis(ms));
        let (refuse, error) = (Some(Fault::Refuse), Some(Fault::Error500));
        assert_eq!([99, 100, 149, 150, 151].map(at), [None, refuse, refuse, error, None]);
    }

    #[test]
    fn what_is_not_a_plan_is_refused() {
        for (json, reason) in [
            ("", "EOF"),
            ("7", "invalid type"),
            (r#"{"rate":{}}"#, "unknown field"),
            (r#"{"rates":{"meteorite":0.1}}"#, "unknown variant"),
            (r#"{"rates":{"stall":-0.1}}"#, "between 0 and 1"),
            (r#"{"rates":{"stall":0.6,"delay":0.5}}"#, "together"),
            (r#"{"retry_after_share":2}"#, "retry_after_share"),
            (r#"{"stall_ms":86400001}"#, "day"),
            (r#"{"outages":[{"after_ms":0,"for_ms":18446744073709551615,"kind":"refuse"}]}"#, "day"),
        ] {
            let error = Plan::parse(json.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }

    #[test]
    fn a_plan_reads_back_as_it_was_written() {
        let written = plan(r#"{"seed":5,"first":[null,"delay"],"rates":{"error_502":0.25},"outages":[]}"#);
        let text = serde_json::to_string(&written).unwrap();
        assert_eq!(plan(&text), written);
    }
}
