//! Tests everything that an API of `azure-sql-rest` promises of every entity in its `openapi.json`. Nothing is written for an entity:
//! names, rules and values come from the schema of a new row and from the examples. Only the operations of an entity are tested.
//!
//! A case is a test: it panics with what is wrong, and [`conform`] catches that and goes on with the next case. In reading order:
//! `client` sends requests, `description` is the document, `examples` sends its examples, and `faults` has the bridge fail. `entity`
//! reads an entity from the document, `values` makes values from schemas, and `subject` is an entity under test. The rest are the cases.

#![allow(clippy::missing_panics_doc, reason = "a case panics with what is wrong")]

pub mod client;
mod counts;
pub mod description;
mod entity;
pub mod examples;
pub mod faults;
mod orders;
mod promises;
mod reads;
mod replace;
mod rows;
mod rules;
mod subject;
mod texts;
mod values;
mod writes;

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use crate::client::Api;
use crate::description::Description;
use crate::entity::Entity;
use crate::faults::Faults;
use crate::subject::Subject;

type Case = fn(&Subject);

/// Cases by their names.
macro_rules! cases {
    ($($module:ident::$case:ident,)*) => { &[$((stringify!($case), $module::$case as Case)),*] };
}

/// Every case, in the order in which they run: the list last, when there are rows.
const CASES: &[(&str, Case)] = cases![
    writes::what_is_created_is_there,
    writes::patches_change_the_named_member_only,
    writes::texts_that_clients_only_read_are_not_taken,
    writes::what_is_deleted_is_gone,
    writes::unique_values_are_taken,
    writes::references_to_no_row_are_named,
    rows::an_array_creates_all_of_its_rows,
    rows::an_array_with_a_wrong_row_creates_none,
    replace::a_row_is_created_or_replaced_at_its_path,
    replace::conditions_guard_a_replacement,
    replace::a_replacement_keeps_the_key_and_the_rules,
    rules::fields_that_break_a_rule_are_named,
    rules::values_at_their_limits_come_back,
    texts::texts_come_back_as_they_were,
    texts::keys_of_any_characters_find_their_row,
    promises::a_key_makes_a_write_happen_once,
    promises::a_key_is_for_one_request,
    promises::versions_guard_a_row,
    promises::of_changes_to_one_version_one_succeeds,
    promises::faults_are_not_seen,
    reads::a_version_that_is_known_is_not_sent_again,
    reads::what_is_not_there_is_404,
    reads::pages_are_the_list,
    reads::filters_choose_the_rows_of_a_list,
    counts::a_list_that_counts_has_as_many_rows,
    orders::every_order_has_each_row_once,
    reads::rows_of_another_row_are_its_own,
    reads::pages_hold_while_rows_come_and_go,
];

/// Settings with which the suite runs: attempts and waits that are short, in milliseconds, so that faults do not hold it up.
pub const SHORT: [(&str, u64); 3] =
    [("attempt_timeout_ms", 1000), ("request_deadline_ms", 5000), ("retry_base_ms", 10)];

/// The outcome of a case for an entity.
pub struct Outcome {
    /// The name of the entity, which is its tag in the description.
    pub entity: String,
    /// The name of the case, which says what it asks for.
    pub case: &'static str,
    /// The reason why it failed, with the last request and its answer; `None` when it passed.
    pub failure: Option<String>,
}

/// Asks an API with fresh data for everything that it promises, and tells each outcome as soon as it is there.
pub fn conform(api: Api, faults: &Faults, mut tell: impl FnMut(&Outcome)) -> Vec<Outcome> {
    let document = api.get("/openapi.json").json();
    let description = Description::new(&document);
    let mut outcomes = Vec::new();
    for entity in Entity::all(&document) {
        let subject = Subject::new(entity, api, faults, &description);
        for (name, case) in CASES {
            let failure = failure(|| case(&subject)).map(|said| format!("{said}\n  after {}", subject.last()));
            // Faults are of one case only.
            faults.set(&json!({}));
            let outcome = Outcome { entity: subject.entity.name.clone(), case: name, failure };
            tell(&outcome);
            outcomes.push(outcome);
        }
    }
    outcomes
}

/// Runs what panics when something is wrong, and returns what it says then.
pub fn failure(check: impl FnOnce()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(check)).err()?;
    let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref().copied());
    Some(said.unwrap_or("it failed without a word").to_owned())
}
