//! Runs cases on a database and compares.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};
use futures::future::join_all;
use serde_json::Value;

use crate::case::{Argument, Call, Case, Engine, Expect, Row, Step};

/// A result row: columns in order.
pub type Columns = Vec<(String, Value)>;

/// The outcome of a call: a row, or the number of the error.
pub type Answer = Result<Columns, ErrorNumber>;

/// The number of an error, as far as the database tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorNumber {
    /// SQL Server's number.
    Sql(u32),
    /// Data API Builder's HTTP status; it hides the number.
    Http(u16),
}

impl ErrorNumber {
    /// True if `number` shows like this. For Data API Builder, 201 (a parameter is missing) and 515 (NULL in a column that
    /// must not be) are 400. Everything else that cases expect is 500.
    fn is(self, number: u32) -> bool {
        match self {
            Self::Sql(actual) => actual == number,
            Self::Http(status) => status == if matches!(number, 201 | 515) { 400 } else { 500 },
        }
    }
}

/// The most retries that one case may need. Deadlocks and steps of the clock are to be expected where calls run at the same time; a
/// procedure that needs luck is not.
pub const MOST_RETRIES: usize = 20;

/// Something that has the procedures and the tables.
pub trait Database {
    /// The kind of engine.
    fn engine(&self) -> Engine;

    /// Calls a procedure as Data API Builder does. The outer error means that nothing can be said about the procedure.
    fn call(&self, procedure: &str, writes: bool, arguments: &[(&str, Value)]) -> impl Future<Output = Result<Answer>>;

    /// Lets its clock stand still, or go on.
    fn stop_clock(&self, stop: bool) -> impl Future<Output = Result<()>>;

    /// Sets the sequence of ids: the next one that it gives.
    fn set_next_id(&self, id: i32) -> impl Future<Output = Result<()>>;

    /// How many times calls were repeated so far, because of errors that pass.
    fn retries(&self) -> usize;

    /// Columns of a customer's row, as texts; `None` when there is no such row.
    fn stored(&self, id: i32, columns: &[&str]) -> impl Future<Output = Result<Option<Vec<Option<String>>>>>;

    /// The ledger's row for a key: operation, status, customer.
    fn recorded(&self, key: &str) -> impl Future<Output = Result<Option<(String, i32, Option<i32>)>>>;
}

/// Runs the cases that hold for this engine, saying what it runs. Returns how many ran.
///
/// # Errors
/// Names every case that failed, and why.
pub async fn run(database: &impl Database, cases: &[Case], say: impl Fn(&str)) -> Result<usize> {
    let mut failures = Vec::new();
    let mut count = 0;
    for (number, case) in cases.iter().enumerate() {
        if !case.engines.contains(&database.engine()) {
            say(&format!("  - {} (not on this engine)", case.name));
            continue;
        }
        count += 1;
        let mut run =
            Run { database, number, ids: HashMap::new(), versions: HashMap::new(), used_keys: HashSet::new() };
        match run.case(case).await {
            Ok(()) => say(&format!("  ✓ {}", case.name)),
            Err(error) => {
                say(&format!("  ✗ {}: {error:#}", case.name));
                failures.push(format!("{}: {error:#}", case.name));
            }
        }
    }
    ensure!(failures.is_empty(), "{} of {count} cases failed:\n{}", failures.len(), failures.join("\n"));
    Ok(count)
}

/// A case while it runs.
struct Run<'a, D> {
    database: &'a D,
    number: usize,
    ids: HashMap<&'static str, i32>,
    versions: HashMap<&'static str, String>,
    /// The keys of requests that were carried out.
    used_keys: HashSet<&'static str>,
}

impl<D: Database> Run<'_, D> {
    async fn case(&mut self, case: &Case) -> Result<()> {
        let before = self.database.retries();
        if case.clock_stands {
            self.database.stop_clock(true).await?;
        }
        let outcome = self.steps(&case.steps).await;
        if case.clock_stands {
            self.database.stop_clock(false).await?;
        }
        let retries = self.database.retries() - before;
        ensure!(retries <= MOST_RETRIES, "it needed {retries} retries");
        outcome
    }

    async fn steps(&mut self, steps: &[Step]) -> Result<()> {
        for (number, step) in steps.iter().enumerate() {
            self.step(step).await.with_context(|| format!("step {}", number + 1))?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Call(call, expect) => {
                let answer = self.call(call).await?;
                self.compare(&answer, expect)?;
                self.check_replays(&[(call, &answer)])
            }
            Step::Together(calls, expectations) => {
                let answers = join_all(calls.iter().map(|call| self.call(call))).await;
                let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
                self.share_out(&answers, expectations)?;
                self.check_replays(&calls.iter().zip(&answers).collect::<Vec<_>>())
            }
            Step::Stored(name, columns) => {
                let names: Vec<_> = columns.iter().map(|(column, _)| *column).collect();
                let stored = self.database.stored(self.id(name)?, &names).await?;
                let expected = columns.iter().map(|(_, value)| value.map(str::to_owned)).collect();
                ensure!(stored == Some(expected), "the row is {names:?} = {stored:?}");
                Ok(())
            }
            Step::NextId(name) => self.database.set_next_id(self.id(name)?).await,
            Step::Recorded(key, expected) => {
                let recorded = self.database.recorded(&self.key(key)).await?;
                let expected = match expected {
                    Some((operation, status, id)) => Some(((*operation).to_owned(), *status, Some(self.id(id)?))),
                    None => None,
                };
                ensure!(recorded == expected, "the ledger has {recorded:?} for the key");
                Ok(())
            }
        }
    }

    async fn call(&self, call: &Call) -> Result<Answer> {
        let mut arguments = Vec::new();
        for (name, argument) in &call.arguments {
            arguments.push((*name, self.value(argument)?));
        }
        self.database.call(call.procedure, call.writes, &arguments).await
    }

    /// Of the successes under one key, the first that ever was is no replay, and all others are. What fails is none
    /// either.
    fn check_replays(&mut self, calls: &[(&Call, &Answer)]) -> Result<()> {
        for (call, answer) in calls {
            let Ok(columns) = answer else { continue };
            let column = |name: &str| columns.iter().find(|(column, _)| column == name).map(|(_, value)| value);
            let succeeded = column("Status").and_then(Value::as_i64).is_some_and(|status| status < 400);
            match (call.key(), column("Replayed").and_then(Value::as_bool)) {
                (Some(key), Some(false)) if succeeded => {
                    ensure!(self.used_keys.insert(key), "Replayed is 0 for a key that was used before");
                }
                (Some(_), Some(replayed)) => ensure!(replayed == succeeded, "Replayed is {replayed}"),
                (Some(_), None) => bail!("Replayed is missing"),
                (None, _) => {}
            }
        }
        let replayed_first = calls.iter().find(|(call, answer)| {
            let success = answer
                .as_ref()
                .is_ok_and(|columns| columns.iter().any(|(name, value)| name == "Replayed" && *value == true));
            success && call.key().is_some_and(|key| !self.used_keys.contains(key))
        });
        ensure!(replayed_first.is_none(), "Replayed is 1 for a key that was not used before");
        Ok(())
    }

    /// Every answer is as one of the expectations says, and each of these has its number of answers.
    fn share_out(&mut self, answers: &[Answer], expectations: &[(usize, Expect)]) -> Result<()> {
        let mut left: Vec<_> = expectations.iter().map(|(count, _)| *count).collect();
        for answer in answers {
            let mut reasons = Vec::new();
            let mut matched = None;
            for (index, (_, expect)) in expectations.iter().enumerate().filter(|(index, _)| left[*index] > 0) {
                // An answer that did not match must leave no names behind.
                let names = (self.ids.clone(), self.versions.clone());
                match self.compare(answer, expect) {
                    Ok(()) => {
                        matched = Some(index);
                        break;
                    }
                    Err(error) => {
                        (self.ids, self.versions) = names;
                        reasons.push(format!("{error:#}"));
                    }
                }
            }
            let index = matched.with_context(|| format!("an answer that was not expected: {}", reasons.join("; ")))?;
            left[index] -= 1;
        }
        ensure!(left.iter().all(|count| *count == 0), "{left:?} of the expected answers are missing");
        Ok(())
    }

    fn compare(&mut self, answer: &Answer, expect: &Expect) -> Result<()> {
        match (answer, expect) {
            (Ok(columns), Expect::Row(row)) => self.compare_row(columns, row).with_context(|| shown(columns)),
            (Err(number), Expect::Error(expected)) => {
                ensure!(number.is(*expected), "{number:?} instead of error {expected}");
                Ok(())
            }
            (Ok(columns), Expect::Error(expected)) => bail!("{} instead of error {expected}", shown(columns)),
            (Err(number), Expect::Row(row)) => bail!("{number:?} instead of status {}", row.status),
        }
    }

    fn compare_row(&mut self, columns: &Columns, row: &Row) -> Result<()> {
        let column =
            |name: &str| columns.iter().find(|(column, _)| column == name).map_or(&Value::Null, |(_, value)| value);
        ensure!(columns.first().is_some_and(|(name, _)| name == "Status"), "the first column is not Status");
        ensure!(columns.last().is_some_and(|(name, _)| name == "Json"), "the last column is not Json");
        ensure!(*column("Status") == row.status, "Status is not {}", row.status);
        let next_after = row.next_after.as_ref().map_or(Ok(Value::Null), |id| self.value(id))?;
        ensure!(*column("NextAfter") == next_after, "NextAfter is not {next_after}");
        self.compare_id(column("CustomerID"), row.id)?;
        let json = column("Json").as_str().context("Json is not a text")?;
        if !row.ids.is_empty() {
            let rows: Vec<Value> = serde_json::from_str(json)?;
            ensure!(rows.len() == row.ids.len(), "Json has {} rows", rows.len());
            for (shown, name) in rows.iter().zip(&row.ids) {
                self.compare_id(&shown["CustomerID"], Some(name))?;
            }
        }
        if let Some(expected) = &row.json {
            let expected = self.with_ids(expected)?;
            ensure!(json == expected, "Json is not {expected}");
        }
        let shows_a_customer = row.status < 400
            && json.starts_with(r#"[{"CustomerID":"#)
            && columns.iter().any(|(name, _)| name == "ETag");
        self.compare_version(column("ETag"), row.version, shows_a_customer)
    }

    fn compare_id(&mut self, actual: &Value, name: Option<&'static str>) -> Result<()> {
        let Some(name) = name else {
            ensure!(actual.is_null(), "CustomerID is not NULL");
            return Ok(());
        };
        let id = actual.as_i64().and_then(|id| i32::try_from(id).ok()).context("CustomerID is not an INT")?;
        match self.ids.get(name) {
            Some(known) => ensure!(id == *known, "CustomerID is not {known}"),
            None => {
                ensure!(id > 1061 && !self.ids.values().any(|known| *known == id), "the id is not new");
                self.ids.insert(name, id);
            }
        }
        Ok(())
    }

    fn compare_version(&mut self, actual: &Value, name: Option<&'static str>, must_be: bool) -> Result<()> {
        ensure!(actual.is_null() != must_be, "ETag is {actual}");
        let Some(name) = name else { return Ok(()) };
        let version = actual.as_str().context("ETag is not a text")?;
        ensure!((19..=40).contains(&version.len()) && !version.contains('"'), "ETag has another form");
        match self.versions.get(name) {
            Some(known) => ensure!(version == known, "ETag is not {known}"),
            None => {
                ensure!(!self.versions.values().any(|known| known == version), "ETag has not changed");
                self.versions.insert(name, version.to_owned());
            }
        }
        Ok(())
    }

    fn value(&self, argument: &Argument) -> Result<Value> {
        Ok(match argument {
            Argument::Null => Value::Null,
            Argument::Int(number) => (*number).into(),
            Argument::Id(name) => self.id(name)?.into(),
            Argument::Text(text) => self.with_ids(text)?.into(),
            Argument::Key(key) => self.key(key).into(),
            Argument::Version(name) => self.version(name)?.into(),
            Argument::AmongVersions(name) => format!("x {} y", self.version(name)?).into(),
        })
    }

    fn version(&self, name: &str) -> Result<&str> {
        let version = self.versions.get(name).with_context(|| format!("no version {name}"))?;
        Ok(version)
    }

    fn id(&self, name: &str) -> Result<i32> {
        self.ids.get(name).copied().with_context(|| format!("no customer {name}"))
    }

    /// `$name` becomes the customer's id.
    fn with_ids(&self, text: &str) -> Result<String> {
        let mut result = text.to_owned();
        for (name, id) in &self.ids {
            result = result.replace(&format!("${name}"), &id.to_string());
        }
        ensure!(!result.contains('$'), "a customer without a name in {text}");
        Ok(result)
    }

    fn key(&self, key: &str) -> String {
        format!("{}-{key}", self.number)
    }
}

fn shown(columns: &Columns) -> String {
    let column = |(name, value): &(String, Value)| format!("{name}={value}");
    columns.iter().map(column).collect::<Vec<_>>().join(" ")
}
