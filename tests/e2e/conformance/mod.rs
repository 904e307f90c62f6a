//! What the API promises of every entity, asked of each that its description names, with nothing written for it: names,
//! rules and values come from the schema of a new row and from the examples. An entity that lacks an operation is asked for
//! what it has.
//!
//! `entity` reads the description, `values` makes values from schemas, and the other modules are the cases.

mod entity;
mod promises;
mod reads;
mod rules;
mod texts;
mod values;
mod writes;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use http::Method;
use serde_json::{Value, json};

use crate::faulty::Faulty;
use crate::harness::Reply;
use crate::openapi::Description;
use entity::{Entity, Member};

type Case = fn(&Subject);

/// Cases by their names.
macro_rules! cases {
    ($($module:ident::$case:ident,)*) => { &[$((stringify!($case), $module::$case as Case)),*] };
}

/// Every case, in the order in which they run: the list last, when there are rows.
const CASES: &[(&str, Case)] = cases![
    writes::what_is_created_is_there,
    writes::patches_change_the_named_member_only,
    writes::what_is_deleted_is_gone,
    writes::unique_values_are_taken,
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
    reads::pages_hold_while_rows_come_and_go,
];

/// Attempts and waits that are short, so that faults do not hold the tests up.
pub const SHORT: [(&str, u64); 3] =
    [("attempt_timeout_ms", 1000), ("request_deadline_ms", 5000), ("retry_base_ms", 10)];

#[test]
fn every_entity_keeps_every_promise() {
    let entities = conform(&Faulty::start(&SHORT));
    assert!(entities.contains(&"customers".to_owned()), "{entities:?}");
}

/// Asks an API with fresh data for everything that it promises, and returns the names of its entities.
pub fn conform(stack: &Faulty) -> Vec<String> {
    let document = stack.api.get("/openapi.json").json();
    let description = Description::new(&document);
    let entities = Entity::all(&document);
    let mut failures = Vec::new();
    let mut names = Vec::new();
    for entity in entities {
        names.push(entity.name.clone());
        let subject = Subject {
            entity,
            stack,
            description: &description,
            taken: OnceLock::new(),
            count: AtomicU64::new(0),
            keys: AtomicU64::new(0),
            last: Mutex::default(),
        };
        for (name, case) in CASES {
            let outcome = catch_unwind(AssertUnwindSafe(|| case(&subject)));
            // Faults are of one case only.
            stack.set(&json!({}));
            if let Err(panic) = outcome {
                let said = panic.downcast_ref::<String>().map(String::as_str);
                let said = said.or(panic.downcast_ref().copied()).unwrap_or_default();
                let last = subject.last.lock().expect("no panic holds it");
                failures.push(format!("{}: {name}: {said}\n  after {last}", subject.entity.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} failed:\n\n{}\n", failures.len(), failures.join("\n\n"));
    names
}

/// One entity, and the API to ask for it.
pub struct Subject<'s> {
    pub entity: Entity,
    pub stack: &'s Faulty,
    description: &'s Description<'s>,
    /// Values of the rows that were there before the first case.
    taken: OnceLock<Vec<Value>>,
    count: AtomicU64,
    keys: AtomicU64,
    last: Mutex<String>,
}

impl Subject<'_> {
    /// Sends a request and checks the answer against the description.
    pub fn ask(&self, method: &Method, target: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut headers = headers.to_vec();
        if !body.is_empty() && headers.iter().all(|(name, _)| *name != "content-type") {
            headers.push(("content-type", "application/json"));
        }
        let reply = self.stack.api.send(method.clone(), target, &headers, body.as_bytes());
        let sent = format!(
            "{method} {target} {headers:?} {body}\n    {} {}",
            reply.status,
            String::from_utf8_lossy(&reply.body)
        );
        *self.last.lock().expect("no panic holds it") = sent;
        let template = self.entity.template(target);
        self.description.check(template, &method.as_str().to_lowercase(), &reply);
        reply
    }

    pub fn get(&self, target: &str) -> Reply {
        self.ask(&Method::GET, target, &[], "")
    }

    /// A number that was not given before.
    pub fn count(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A key of a write that was not used before.
    pub fn request_key(&self) -> String {
        format!("{}-{}", self.entity.name, self.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether a row had this value before the first case.
    fn is_taken(&self, value: &Value) -> bool {
        let taken = self.taken.get_or_init(|| {
            let rows = self.entity.list.as_ref().map(|_| self.all_rows()).unwrap_or_default();
            let rows = rows.iter().filter_map(Value::as_object);
            rows.flat_map(|row| row.values().cloned()).collect()
        });
        taken.contains(value)
    }

    /// A value for this member that no row has.
    pub fn another(&self, member: &Member) -> Value {
        let values = (0..1000).map(|_| values::another(&member.schema, &member.base, self.count()));
        let mut free = values.filter(|value| values::allows(&member.schema, value) && !self.is_taken(value));
        free.next().unwrap_or_else(|| panic!("no value is free for {}", member.field))
    }

    /// What a client sends for a new row, with every member that has a value in an example or can have any, and unlike all
    /// before in what must be unique.
    pub fn new_row(&self) -> Value {
        let mut row = json!({});
        for member in self.entity.new.iter().filter(|member| !member.base.is_null()) {
            let value = if member.varies() { self.another(member) } else { member.base.clone() };
            entity::set(&mut row, &member.field, value);
        }
        row
    }

    /// A new row as a client sends it, other than one with another number.
    pub fn new_row_like(&self, number: u64) -> Value {
        let row = entity::with(&self.new_row(), "NoMember", json!(number));
        self.changed(&row, &self.entity.new, number).unwrap_or(row)
    }

    /// A patch that makes a row another than one with another number does, and with an odd number another than a new row.
    /// `None` when nothing can be changed.
    pub fn patch(&self, number: u64) -> Option<String> {
        let patch = self.changed(&json!({}), &self.entity.patch, number)?;
        Some(patch.to_string())
    }

    /// `row` with one member as no other number has it; only a Boolean has two values.
    fn changed(&self, row: &Value, members: &[Member], number: u64) -> Option<Value> {
        let has_values = |member: &&Member| !member.base.is_null() && !member.is_reference();
        let last_resort = |member: &&Member| (member.varies(), member.base.is_boolean());
        let member = members.iter().filter(has_values).min_by_key(last_resort)?;
        let value = match &member.base {
            _ if member.varies() => self.another(member),
            Value::Bool(value) => json!(value ^ (number % 2 == 1)),
            base => values::another(&member.schema, base, number),
        };
        Some(entity::with(row, &member.field, value))
    }

    /// Creates a row and returns the answer.
    pub fn create(&self, row: &Value) -> Reply {
        let (method, path) = &self.entity.creates[0];
        self.ask(method, path, &[], &row.to_string()).is(201)
    }

    /// The path of a new row; of that in the example, where none can be created.
    pub fn path_of_a_row(&self) -> Option<String> {
        match self.entity.creates.is_empty() {
            false => Some(self.create(&self.new_row()).location()),
            true => self.entity.path_of_example.clone(),
        }
    }

    /// The row that an answer shows.
    pub fn row(&self, reply: &Reply) -> Value {
        let rows = reply.json();
        assert_eq!(rows.as_array().map(Vec::len), Some(1), "one row: {rows}");
        rows[0].clone()
    }

    /// Checks that `row` shows what was sent.
    pub fn shows(&self, row: &Value, sent: &Value) {
        for member in &self.entity.row {
            let (Some(sent), shown) = (entity::get(sent, &member.field), entity::get(row, &member.field)) else {
                continue;
            };
            let shown = shown.unwrap_or(&Value::Null);
            let is_same = member.is_object || values::is_same(&member.schema, sent, shown);
            assert!(is_same, "{}: {sent} was sent, {shown} is shown", member.field);
        }
    }

    /// Checks that a write is refused for this field, and for no other.
    #[track_caller]
    pub fn refuses(&self, reply: &Reply, field: &str, why: &str) {
        assert_eq!(reply.status, 422, "{field} is {why}: {}", reply.text());
        let problem = reply.problem(422);
        let errors = problem["errors"].as_array().expect("errors");
        let fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap_or_default()).collect();
        assert_eq!(fields, [field], "{why}: {problem}");
    }
}
