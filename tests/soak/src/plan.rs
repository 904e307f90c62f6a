//! Requests, and the outcomes that they must have: decided before anything is sent, only from a seed.
//!
//! Requests for one row follow each other, in the order of the plan; requests for different rows run at the same time.
//! So the answer to each is known beforehand, with any timing. Two requests at once for one row are planned
//! as such: [`Action::Twins`] and [`Action::Race`].

use fastrand::Rng;
use http::Method;
use serde_json::json;

use crate::customer::{Customer, Delivery};
use crate::mix;

/// A row of the model.
pub(crate) struct Row {
    /// The row that the database must have; `None` after a DELETE.
    pub customer: Option<Customer>,
    /// Orders refer to it: it cannot be deleted.
    referenced: bool,
    /// Its writes so far that had an `Idempotency-Key`.
    keyed: Vec<Write>,
}

/// A request that changes a row.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub method: Method,
    pub body: Option<String>,
    pub key: Option<String>,
    pub precondition: Precondition,
    /// The status it must be answered with.
    pub status: u16,
}

/// `If-Match` of a write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Precondition {
    /// No such header.
    None,
    /// The row's version as the client knows it.
    Current,
    /// A version that the row never had.
    Stale,
}

/// An action on a row.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// GET of a row.
    Get,
    /// GET of a page of all.
    List { after: i32, limit: usize },
    /// A write, once.
    Write(Write),
    /// A write that was answered before, again with its key: nothing may change.
    Replay(Write),
    /// A write twice at the same time with one key: done once, answered twice.
    Twins(Write),
    /// Two PATCHes of the same version at the same time: one is done, the other is 412.
    Race { body: String },
}

/// A step of the plan.
pub(crate) struct Step {
    /// How the report calls it.
    pub kind: &'static str,
    pub action: Action,
    /// The row, by its place in the model; nothing for a list.
    pub row: Option<usize>,
    /// The row after this step.
    pub after: Option<Customer>,
}

impl Step {
    /// How many requests it takes.
    pub fn requests(&self) -> usize {
        match self.action {
            Action::Twins(_) | Action::Race { .. } => 2,
            _ => 1,
        }
    }
}

/// How often a row is looked for that a kind of step can be done to.
const TRIES: usize = 100;

/// Makes the plan.
pub(crate) struct Planner {
    rng: Rng,
    rows: Vec<Row>,
    /// Steps made so far; makes texts and keys unlike any other.
    steps: u64,
    seed: u64,
    highest_id: i32,
}

impl Planner {
    /// A plan over the rows that are there, in the order of `existing`. A row is referenced when orders refer to it.
    pub fn new(seed: u64, existing: Vec<(Customer, bool)>, highest_id: i32) -> Self {
        let row = |(customer, referenced)| Row { customer: Some(customer), referenced, keyed: Vec::new() };
        let rows = existing.into_iter().map(row).collect();
        Self { rng: Rng::with_seed(seed), rows, steps: 0, seed, highest_id }
    }

    /// The model: what must be true once every step so far is done.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The next step.
    pub fn next(&mut self) -> Step {
        self.steps += 1;
        let kind = mix::draw(&mut self.rng);
        // A kind that fits no row yet (a replay at the beginning) gives way to a new row.
        self.step(kind).unwrap_or_else(|| self.post(mix::POST, false))
    }

    fn step(&mut self, kind: &'static str) -> Option<Step> {
        match kind {
            mix::LIST => {
                let action = Action::List { after: self.rng.i32(0..=self.highest_id), limit: self.rng.usize(1..=100) };
                Some(Step { kind, action, row: None, after: None })
            }
            mix::POST | mix::POST_KEY => Some(self.post(kind, kind == mix::POST_KEY)),
            mix::PATCH => self.patch(kind, false, Precondition::None),
            mix::PATCH_KEY => self.patch(kind, true, Precondition::None),
            mix::PATCH_MATCH => self.patch(kind, false, Precondition::Current),
            mix::PATCH_MATCH_KEY => self.patch(kind, true, Precondition::Current),
            mix::PATCH_STALE => self.stale(),
            mix::DELETE | mix::DELETE_KEY => self.delete(kind, kind == mix::DELETE_KEY),
            mix::DELETE_REFERENCED => self.refused_delete(),
            mix::REPLAY => self.replay(),
            mix::TWINS => self.twins(),
            mix::RACE => self.race(),
            _ => {
                let row = self.rng.usize(..self.rows.len());
                Some(self.of_row(mix::GET, Action::Get, row))
            }
        }
    }

    fn post(&mut self, kind: &'static str, keyed: bool) -> Step {
        let customer = self.new_customer();
        let write = self.write(Method::POST, Some(customer.text()), keyed, 201);
        self.rows.push(Row { customer: Some(customer), referenced: false, keyed: Vec::new() });
        let row = self.rows.len() - 1;
        self.remember(row, &write);
        self.highest_id += 1;
        self.of_row(kind, Action::Write(write), row)
    }

    fn patch(&mut self, kind: &'static str, keyed: bool, precondition: Precondition) -> Option<Step> {
        let row = self.find(|row| row.customer.is_some())?;
        let body = self.change(row);
        let write = Write { precondition, ..self.write(Method::PATCH, Some(body), keyed, 202) };
        self.remember(row, &write);
        Some(self.of_row(kind, Action::Write(write), row))
    }

    fn stale(&mut self) -> Option<Step> {
        let row = self.find(|row| row.customer.is_some())?;
        let body = json!({"PhoneNumber": "never"}).to_string();
        let write = Write { precondition: Precondition::Stale, ..self.write(Method::PATCH, Some(body), false, 412) };
        Some(self.of_row(mix::PATCH_STALE, Action::Write(write), row))
    }

    fn delete(&mut self, kind: &'static str, keyed: bool) -> Option<Step> {
        let row = self.find(|row| row.customer.is_some() && !row.referenced)?;
        let write = self.write(Method::DELETE, None, keyed, 202);
        self.rows[row].customer = None;
        self.remember(row, &write);
        Some(self.of_row(kind, Action::Write(write), row))
    }

    fn refused_delete(&mut self) -> Option<Step> {
        let row = self.find(|row| row.referenced)?;
        let write = self.write(Method::DELETE, None, false, 409);
        Some(self.of_row(mix::DELETE_REFERENCED, Action::Write(write), row))
    }

    fn replay(&mut self) -> Option<Step> {
        let row = self.find(|row| !row.keyed.is_empty())?;
        let keyed = &self.rows[row].keyed;
        let write = keyed[self.rng.usize(..keyed.len())].clone();
        Some(self.of_row(mix::REPLAY, Action::Replay(write), row))
    }

    fn twins(&mut self) -> Option<Step> {
        let step = match self.rng.u32(0..3) {
            0 => self.post(mix::TWINS, true),
            1 => self.patch(mix::TWINS, true, Precondition::Current)?,
            _ => self.delete(mix::TWINS, true)?,
        };
        let Action::Write(write) = step.action else { return None };
        Some(Step { action: Action::Twins(write), ..step })
    }

    fn race(&mut self) -> Option<Step> {
        let row = self.find(|row| row.customer.is_some())?;
        let body = self.change(row);
        Some(self.of_row(mix::RACE, Action::Race { body }, row))
    }

    fn of_row(&self, kind: &'static str, action: Action, row: usize) -> Step {
        Step { kind, action, row: Some(row), after: self.rows[row].customer.clone() }
    }

    /// A row at random that is as asked.
    fn find(&mut self, fits: impl Fn(&Row) -> bool) -> Option<usize> {
        (0..TRIES).map(|_| self.rng.usize(..self.rows.len())).find(|row| fits(&self.rows[*row]))
    }

    fn write(&self, method: Method, body: Option<String>, keyed: bool, status: u16) -> Write {
        let key = keyed.then(|| format!("soak-{}-{}", self.seed, self.steps));
        Write { method, body, key, precondition: Precondition::None, status }
    }

    fn remember(&mut self, row: usize, write: &Write) {
        if write.key.is_some() {
            self.rows[row].keyed.push(write.clone());
        }
    }

    /// Changes a row of the model in one of several ways; the body of the PATCH that does it in the database.
    fn change(&mut self, row: usize) -> String {
        let step = self.steps;
        let way = self.rng.u32(0..5);
        let Some(customer) = &mut self.rows[row].customer else {
            return "{}".to_owned();
        };
        let patch = match way {
            0 => {
                customer.phone_number = format!("+{step}");
                json!({"PhoneNumber": customer.phone_number})
            }
            1 => {
                customer.customer_name = format!("Söak \"{step}\" \u{1F4C8}");
                customer.fax_number = format!("f/{step}");
                json!({"CustomerName": customer.customer_name, "FaxNumber": customer.fax_number})
            }
            2 => {
                customer.delivery.address_line2 = Some(format!("Level {step}\t\\"));
                json!({"Delivery": {"AddressLine2": customer.delivery.address_line2}})
            }
            3 => {
                customer.delivery.address_line2 = None;
                customer.delivery.postal_code = step.to_string();
                json!({"Delivery": {"AddressLine2": null, "PostalCode": step}})
            }
            _ => {
                customer.website_url = format!("https://example.com/{step}");
                customer.delivery.address_line1 = format!("{step} Main St");
                json!({"WebsiteURL": customer.website_url, "Delivery": {"AddressLine1": customer.delivery.address_line1}})
            }
        };
        patch.to_string()
    }

    fn new_customer(&self) -> Customer {
        let step = self.steps;
        Customer {
            customer_name: format!("Soak {step}"),
            phone_number: format!("+1 {step}"),
            fax_number: String::new(),
            website_url: format!("http://example.com/{step}"),
            delivery: Delivery {
                address_line1: "One Way".to_owned(),
                address_line2: step.is_multiple_of(2).then(|| "Floor 2".to_owned()),
                postal_code: "98052".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn planner(seed: u64) -> Planner {
        let mut customer = Planner::new(0, Vec::new(), 0).new_customer();
        let existing = (0..20).map(|number| {
            customer.customer_name = format!("Existing {number}");
            (customer.clone(), number < 10)
        });
        Planner::new(seed, existing.collect(), 20)
    }

    #[test]
    fn a_seed_makes_one_plan() {
        let plan = |seed| {
            let mut planner = planner(seed);
            (0..500).map(|_| format!("{:?}", planner.next().action)).collect::<Vec<_>>()
        };
        assert_eq!(plan(1), plan(1));
        assert_ne!(plan(1), plan(2));
    }

    #[test]
    fn names_of_the_model_are_unique_and_referenced_rows_stay() {
        let mut planner = planner(4);
        (0..5000).for_each(|_| drop(planner.next()));
        let customers = planner.rows().iter().filter_map(|row| row.customer.as_ref());
        let names: Vec<_> = customers.map(|customer| customer.customer_name.to_lowercase()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(planner.rows()[..10].iter().all(|row| row.customer.is_some()));
    }
}
