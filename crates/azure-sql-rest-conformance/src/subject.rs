//! An entity under test: its requests, each of which is compared with the description, and the rows that are made up for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::client::{Api, Reply};
use crate::description::Description;
use crate::entity::{self, Entity, Member};
use crate::faults::Faults;
use crate::values;

/// One entity, and the API to ask for it.
pub struct Subject<'s> {
    pub entity: Entity,
    pub api: Api,
    pub faults: &'s Faults,
    description: &'s Description<'s>,
    /// Values of the rows that were there before the first case.
    taken: OnceLock<Vec<Value>>,
    count: AtomicU64,
    keys: AtomicU64,
    last: Mutex<String>,
}

impl<'s> Subject<'s> {
    /// An entity of the description of this API.
    pub fn new(entity: Entity, api: Api, faults: &'s Faults, description: &'s Description<'s>) -> Self {
        Self {
            entity,
            api,
            faults,
            description,
            taken: OnceLock::new(),
            count: AtomicU64::new(0),
            keys: AtomicU64::new(0),
            last: Mutex::default(),
        }
    }

    /// The last request and its answer, for a report.
    pub fn last(&self) -> String {
        self.last.lock().map(|last| last.clone()).unwrap_or_default()
    }

    /// Sends a request and checks the answer against the description.
    pub fn ask(&self, method: &Method, target: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut headers = headers.to_vec();
        if !body.is_empty() && headers.iter().all(|(name, _)| *name != "content-type") {
            headers.push(("content-type", "application/json"));
        }
        let reply = self.api.send(method.clone(), target, &headers, body.as_bytes());
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

    /// True if a row had this value before the first case.
    pub fn is_taken(&self, value: &Value) -> bool {
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

    /// A new row as a client sends it, with every member that has a value in an example or can have any value. The unique
    /// members differ from all rows before.
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

    /// `row` with one member as no other number has it; only a Boolean, or what a CHECK limits, has few values.
    fn changed(&self, row: &Value, members: &[Member], number: u64) -> Option<Value> {
        let has_values = |member: &&Member| !member.base.is_null() && !member.is_given();
        let last_resort = |member: &&Member| (member.varies(), member.has_few_values());
        let member = members.iter().filter(has_values).min_by_key(last_resort)?;
        let value = match &member.base {
            _ if member.varies() => self.another(member),
            Value::Bool(value) => json!(value ^ (number % 2 == 1)),
            base if member.has_few_values() => values::another(&member.schema, base, number % 2),
            // The row of the example has what the last case gave it.
            base if self.entity.creates.is_empty() => values::another(&member.schema, base, self.count()),
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

    /// Checks that a value which breaks a CHECK was refused.
    pub fn conflicts(&self, reply: &Reply, field: &str, why: &str) {
        assert_eq!(reply.status, 409, "{field} is {why}: {}", reply.text());
        reply.problem(409);
    }

    /// Checks that no row is at this path.
    pub fn is_absent(&self, path: &str) {
        if self.entity.has(Method::GET) {
            assert_eq!(self.get(path).problem(404)["instance"], path);
            self.ask(&Method::HEAD, path, &[], "").is(404);
        }
        if self.entity.has(Method::PATCH) {
            self.ask(&Method::PATCH, path, &[], "{}").problem(404);
        }
    }

    /// The target of a page of at most so many rows; behind a key, or at the beginning.
    pub fn page(&self, limit: u64, after: Option<&Value>) -> String {
        let list = self.entity.list.as_deref().expect("a list");
        // The text of a key of several columns, as `ops.key_text` says.
        let escaped = |part: String| part.replace('%', "%25").replace('/', "%2F");
        let after = after.map(|key| match key.is_array() {
            true => entity::parts(key).into_iter().map(escaped).collect::<Vec<_>>().join("/"),
            false => entity::parts(key).remove(0),
        });
        let after = after.map(|after| format!("&after={}", utf8_percent_encode(&after, NON_ALPHANUMERIC)));
        format!("{list}?limit={limit}{}", after.unwrap_or_default())
    }

    /// All rows of the list, in pages of at most so many.
    pub fn rows_in_pages(&self, limit: u64, after: Option<&Value>) -> Vec<Value> {
        self.rows_from(self.page(limit, after), limit)
    }

    /// The rows from this page on, in pages of at most so many.
    pub fn rows_from(&self, first: String, limit: u64) -> Vec<Value> {
        let (mut rows, mut next) = (Vec::new(), Some(first));
        while let Some(target) = next {
            let page = self.get(&target).is(200);
            let of_page = page.json();
            let of_page = of_page.as_array().expect("a list");
            let is_full = of_page.len() as u64 == limit;
            assert!(
                if page.headers.contains_key("link") { is_full } else { of_page.len() as u64 <= limit },
                "{} rows",
                of_page.len()
            );
            let again = of_page.first().filter(|first| rows.contains(*first));
            assert!(again.is_none(), "{target} begins with a row that has been: {again:?}");
            rows.extend_from_slice(of_page);
            next = self.next_page(&target, &page);
        }
        rows
    }

    /// Where the link of the page at a target leads.
    pub fn next_page(&self, target: &str, page: &Reply) -> Option<String> {
        let link = page.headers.get("link")?.to_str().expect("ASCII");
        let query = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
        let (path, _) = target.split_once('?').unwrap_or((target, ""));
        Some(format!("{path}{}", query.expect("the next page")))
    }

    /// All rows of the list.
    pub fn all_rows(&self) -> Vec<Value> {
        self.rows_in_pages(self.entity.limit.expect("a list has a limit"), None)
    }

    pub fn keys(&self, rows: &[Value]) -> Vec<Value> {
        rows.iter().map(|row| self.entity.key_of(row)).collect()
    }
}

/// Does this for each at the same time, and returns the results in their order.
pub fn at_once<T: Sync, R: Send>(each: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let started: Vec<_> = each.iter().map(|one| scope.spawn(|| act(one))).collect();
        started.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}
