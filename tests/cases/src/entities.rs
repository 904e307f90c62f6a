//! Cases that the procedures of every entity have in common. They run for each entity of the table of routes, with the examples of
//! `openapi.json`. Nothing is written for an entity.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use azure_sql_rest::route::{Action, Call, Kind, Source};
use customer_api::ROUTES;
use serde_json::{Value, json};

use crate::case::Engine;
use crate::run::{Columns, Database};

/// An entity that can be created, and its calls.
struct Entity<'d, D> {
    database: &'d D,
    name: String,
    description: Value,
    put: &'static Call,
    /// The column with the key of a new row.
    key: &'static str,
    count: u32,
}

/// The call of the procedure with this name.
fn call(procedure: &str) -> Option<&'static Call> {
    ROUTES.iter().find_map(|route| match &route.action {
        Action::Call(call) if call.procedure == procedure => Some(call),
        _ => None,
    })
}

/// The entities of which `openapi.json` says how a row is created: `name`, `plural`, the `schema` of a row, and `examples` by procedure.
fn descriptions(document: &Value) -> Vec<Value> {
    let calls = || {
        ROUTES.iter().filter_map(|route| match &route.action {
            Action::Call(call) => Some((route, call)),
            _ => None,
        })
    };
    let mut descriptions = Vec::new();
    for (route, call) in calls().filter(|(route, call)| route.method == "POST" && call.creates.is_some()) {
        let name = call.procedure.trim_start_matches("put_");
        let words = name.split('_').filter_map(|word| word.split_at_checked(1));
        let title: String = words.map(|(first, rest)| first.to_uppercase() + rest).collect();
        let mut examples = json!({});
        for (route, call) in calls() {
            let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
            let request = &operation["requestBody"]["content"]["application/json"]["example"];
            let success = ["200", "201", "202"].iter().find_map(|status| operation["responses"].get(status));
            let response = success.map(|success| &success["content"]["application/json"]["example"]);
            for (part, example) in [("request", Some(request)), ("response", response)] {
                if let Some(example) = example.filter(|example| !example.is_null()) {
                    examples[call.procedure][part] = example.clone();
                }
            }
        }
        descriptions.push(json!({
            "name": name,
            "plural": route.path.trim_start_matches('/'),
            "parameters": document["paths"][route.path]["get"]["parameters"],
            "schema": document["components"]["schemas"][title],
            "sorts": sorts(&document["paths"][route.path]["get"]),
            "examples": examples
        }));
    }
    descriptions
}

/// The orders of a list.
fn sorts(list: &Value) -> Value {
    let mut parameters = list["parameters"].as_array().into_iter().flatten();
    parameters.find(|one| one["name"] == "sort").map_or(Value::Null, |sort| sort["schema"]["enum"].clone())
}

/// Asks every entity, and returns how many there are.
///
/// # Errors
/// The first that is not as it should be, with what was asked.
pub async fn run(database: &impl Database, say: impl Fn(&str)) -> Result<usize> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let document: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let mut count = 0;
    for description in descriptions(&document) {
        let name = description["name"].as_str().unwrap_or_default().to_owned();
        let Some(put) = call(&format!("put_{name}")) else {
            continue;
        };
        let key = put.creates.context("put creates a row")?.column;
        let mut entity = Entity { database, name, description, put, key, count: 0 };
        let outcome = entity.check().await;
        let name = entity.name;
        outcome.with_context(|| name.clone())?;
        say(&format!("  ✓ every {name}"));
        count += 1;
    }
    Ok(count)
}

impl<D: Database> Entity<'_, D> {
    async fn check(&mut self) -> Result<()> {
        let Some(new) = self.example(self.put, "request") else {
            return Ok(());
        };
        let first = self.request_key();
        let created = self.put(&new, &first, 201).await?;
        let row = json_of(&created)?;
        let (id, etag) = (column(&created, self.key)?, column(&created, "ETag")?);
        ensure!(id != Value::Null && etag != Value::Null, "{created:?}");
        let key = self.parts(&id);
        ensure!(column(&created, "Replayed")? == false, "{created:?}");
        self.shows(&row[0], &new)?;

        let again = self.put(&new, &first, 201).await?;
        ensure!(column(&again, "Replayed")? == true && json_of(&again)? == row, "{again:?}");
        let mut other = new.clone();
        other["NoMember"] = json!(1);
        self.put(&other, &first, 422).await?;
        let refused = self.put(&json!([]), &self.another_key(1), 400).await?;
        ensure!(column(&refused, self.key)? == Value::Null, "{refused:?}");
        if self.is_unique(&new) {
            let taken = self.put(&new, &self.another_key(2), 409).await?;
            ensure!(column(&taken, self.key)? == Value::Null && column(&taken, "ETag")? == Value::Null, "{taken:?}");
        }
        self.invalid(&new).await?;

        let read = self.of_key("get", &key, vec![], 200).await?;
        if let Some(read) = &read {
            ensure!(json_of(read)? == row && column(read, "ETag")? == etag, "{read:?}");
        }
        self.page().await?;
        self.filters().await?;
        self.change(&key, &etag).await?;
        self.delete(&key, &row[0]).await?;
        let replayed = self.put(&new, &first, 201).await?;
        let is_gone = call(&format!("delete_{}", self.name)).is_some();
        ensure!(!is_gone || json_of(&replayed)? == json!([]), "{replayed:?}");
        if is_gone {
            self.replace(&new, &key).await?;
        }
        // The unique values are free again.
        if is_gone || !self.is_unique(&new) {
            self.references(&new).await?;
        }
        if is_gone {
            self.rows(&new).await?;
        }
        Ok(())
    }

    /// The row, which is not there, is created and replaced at its path, and is gone again.
    async fn replace(&mut self, new: &Value, key: &[Value]) -> Result<()> {
        if call(&format!("replace_{}", self.name)).is_none() {
            return Ok(());
        }
        let arguments = |request_key: String, more: Option<(&'static str, Value)>| {
            let json = ("Json", json!(new.to_string()));
            [json, ("RequestKey", json!(request_key))].into_iter().chain(more).collect::<Vec<_>>()
        };
        let any = || Some(("IfMatch", json!("*")));
        let none = || Some(("IfNoneMatch", json!(1)));
        self.of_key("replace", key, arguments(self.another_key(7), any()), 412).await?;
        let request_key = self.request_key();
        let created =
            self.of_key("replace", key, arguments(request_key.clone(), none()), 201).await?.context("a row")?;
        self.shows(&json_of(&created)?[0], new)?;
        let again = self.of_key("replace", key, arguments(request_key, none()), 201).await?.context("a row")?;
        ensure!(column(&again, "Replayed")? == true && json_of(&again)? == json_of(&created)?, "{again:?}");
        self.of_key("replace", key, arguments(self.another_key(8), none()), 412).await?;
        let replaced =
            self.of_key("replace", key, arguments(self.another_key(9), any()), 200).await?.context("a row")?;
        self.shows(&json_of(&replaced)?[0], new)?;
        let request_key = json!(self.request_key());
        self.of_key("delete", key, vec![("RequestKey", request_key)], 202).await?;
        Ok(())
    }

    /// An array of the row, which is not there.
    async fn rows(&mut self, new: &Value) -> Result<()> {
        let many = ROUTES.iter().find_map(|route| match &route.action {
            Action::Call(call) if call.procedure == self.put.procedure => call.many,
            _ => None,
        });
        let (Some(many), caller) = (many, self.caller()) else { return Ok(()) };
        let arguments = |request_key: &str, rows: Value| {
            let arguments = [("Json", json!(rows.to_string())), ("RequestKey", json!(request_key))];
            arguments.into_iter().chain(caller.clone()).collect()
        };
        let request_key = self.request_key();
        let refused = self.ask(many, true, arguments(&request_key, json!([new, 7])), 422).await?;
        let errors = json!([{"index": 1, "message": "must be an object"}]);
        ensure!(json_of(&refused)?["errors"] == errors, "{refused:?}");
        for replayed in [false, true] {
            let created = self.ask(many, true, arguments(&request_key, json!([new])), 201).await?;
            let rows = json_of(&created)?;
            ensure!(rows.as_array().map(Vec::len) == Some(1), "{created:?}");
            self.shows(&rows[0], new)?;
            ensure!(column(&created, "Replayed")? == replayed, "{created:?}");
        }
        self.ask(many, true, arguments(&request_key, json!([new, new])), 422).await?;
        Ok(())
    }

    /// Each member with a value of no type of its own.
    async fn invalid(&self, new: &Value) -> Result<()> {
        for (name, member) in self.description["schema"]["properties"].as_object().context("members")? {
            if member["readOnly"] == true {
                continue;
            }
            let mut wrong = new.clone();
            wrong[name] = if member["type"] == "object" { json!(7) } else { json!({}) };
            let refused = self.put(&wrong, &self.another_key(3), 422).await?;
            let errors = json_of(&refused)?["errors"].clone();
            ensure!(errors.as_array().is_some_and(|errors| errors.len() == 1), "{errors}");
            ensure!(errors[0]["field"] == json!(name), "{errors}");
        }
        Ok(())
    }

    /// Each member that refers to a row, with a value that no row has. The bridge has only the tables of entities.
    async fn references(&mut self, new: &Value) -> Result<()> {
        let members = self.description["schema"]["properties"].as_object().context("members")?.clone();
        for (name, member) in &members {
            let is_sent = member["readOnly"] != true && member["x-checked"] != true;
            let absent = match (member["type"].as_str(), member["format"].as_str()) {
                (Some("integer"), _) => json!(member["maximum"].as_i64().unwrap_or(i64::MAX) - 1),
                (_, Some("int64")) => json!((i64::MAX - 1).to_string()),
                (_, Some("uuid")) => json!("ffffffff-ffff-4fff-bfff-ffffffffffff"),
                _ => json!("~"),
            };
            if member["x-reference"] != true || !is_sent {
                continue;
            }
            let mut wrong = new.clone();
            wrong[name] = absent;
            let arguments = vec![("Json", json!(wrong.to_string())), ("RequestKey", json!(self.request_key()))];
            let answer = self.database.call(self.put.procedure, true, &arguments).await?;
            let Ok(columns) = answer else { bail!("{name}: {answer:?}") };
            if column(&columns, "Status")? == 201 && self.database.engine() == Engine::Bridge {
                let key = self.parts(&column(&columns, self.key)?);
                let request_key = json!(self.request_key());
                self.of_key("delete", &key, vec![("RequestKey", request_key)], 202).await?;
                continue;
            }
            ensure!(column(&columns, "Status")? == 409, "{name}: {columns:?}");
            let errors = json_of(&columns)?["errors"].clone();
            let mut fields = errors.as_array().into_iter().flatten().map(|error| &error["field"]);
            ensure!(fields.any(|field| field == name), "{name}: {columns:?}");
        }
        Ok(())
    }

    async fn page(&self) -> Result<()> {
        let Some(list) = call(&format!("get_{}", self.description["plural"].as_str().unwrap_or_default())) else {
            return Ok(());
        };
        let page = self.ask(list, false, vec![("Limit", json!(1))], 200).await?;
        ensure!(json_of(&page)?.as_array().is_some_and(|rows| rows.len() == 1), "{page:?}");
        self.ask(list, false, vec![("Limit", json!(0))], 400).await?;
        let next = column(&page, "NextAfter")?;
        if next != Value::Null {
            let second = self.ask(list, false, vec![("After", next), ("Limit", json!(1))], 200).await?;
            ensure!(json_of(&second)? != json_of(&page)?, "{second:?}");
        }
        if list.parameters.iter().any(|(name, _)| *name == "Count") {
            let counted = self.ask(list, false, vec![("Count", json!("true")), ("Limit", json!(1))], 200).await?;
            ensure!(column(&counted, "Total")?.as_i64() >= Some(1), "{counted:?}");
            self.ask(list, false, vec![("Count", json!("TRUE"))], 400).await?;
        }
        ensure!(column(&page, "Total").unwrap_or_default() == Value::Null, "{page:?}");
        for sort in self.description["sorts"].as_array().into_iter().flatten() {
            self.order(list, sort).await?;
            self.ask(list, false, vec![("Sort", json!("?"))], 400).await?;
        }
        Ok(())
    }

    /// Pages of one row in an order are the list, as far as its first page goes.
    async fn order(&self, list: &'static Call, sort: &Value) -> Result<()> {
        let first = self.ask(list, false, vec![("Sort", sort.clone()), ("Limit", json!(20))], 200).await?;
        let first = json_of(&first)?;
        let first = first.as_array().context("a list")?;
        let (mut rows, mut arguments) = (Vec::new(), vec![("Sort", sort.clone()), ("Limit", json!(1))]);
        while rows.len() < first.len() {
            let page = self.ask(list, false, arguments.clone(), 200).await?;
            rows.extend(json_of(&page)?.as_array().context("a list")?.clone());
            arguments.truncate(2);
            arguments.push(("After", column(&page, "NextAfter")?));
        }
        ensure!(rows == *first, "{sort}: {rows:?} and {first:?}");
        Ok(())
    }

    /// Each filter by several values finds the first row by its value.
    async fn filters(&self) -> Result<()> {
        let plural = self.description["plural"].as_str().unwrap_or_default();
        let Some(list) = call(&format!("get_{plural}")) else { return Ok(()) };
        let page = self.ask(list, false, vec![("Limit", json!(1))], 200).await?;
        let first = json_of(&page)?[0].clone();
        let described = self.description["parameters"].as_array().into_iter().flatten();
        for filter in described.filter(|parameter| parameter["x-filter"]["by"] == "in") {
            let is_it = |source: &Source| matches!(source, Source::Query(name, ..) if filter["name"] == *name);
            let parameter = list.parameters.iter().find(|(_, source)| is_it(source)).context("a parameter")?.0;
            let member = filter["x-filter"]["member"].as_str().unwrap_or_default();
            let value = match &first[member] {
                Value::Null => continue,
                Value::String(text) if text.is_empty() || text.contains(',') => continue,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let with = |values: String| vec![(parameter, json!(values)), ("Limit", json!(1))];
            let found = self.ask(list, false, with(format!("{value},{value}")), 200).await?;
            ensure!(json_of(&found)?[0] == first, "{parameter}: {found:?}");
            self.ask(list, false, with(format!("{value},")), 400).await?;
        }
        Ok(())
    }

    /// The parts of a key, which is a value, or the text that `ops.key_text` makes of several.
    fn parts(&self, id: &Value) -> Vec<Value> {
        match id.as_str().filter(|_| self.put.creates.is_some_and(|creates| creates.has_parts())) {
            None => vec![id.clone()],
            Some(text) => text.split('/').map(|part| json!(part.replace("%2F", "/").replace("%25", "%"))).collect(),
        }
    }

    async fn change(&mut self, key: &[Value], etag: &Value) -> Result<()> {
        let Some(patch) = call(&format!("patch_{}", self.name)).and_then(|call| self.example(call, "request")) else {
            return Ok(());
        };
        let patch = json!(patch.to_string());
        let arguments = |request_key: String, etag: &Value| {
            vec![("Json", patch.clone()), ("RequestKey", json!(request_key)), ("IfMatch", etag.clone())]
        };
        self.of_key("patch", key, arguments(self.another_key(4), &json!("no-version")), 412).await?;
        let request_key = self.request_key();
        let changed = self.of_key("patch", key, arguments(request_key.clone(), etag), 202).await?.context("a row")?;
        ensure!(column(&changed, "ETag")? != *etag, "{changed:?}");
        let again = self.of_key("patch", key, arguments(request_key, etag), 202).await?.context("a row")?;
        ensure!(column(&again, "Replayed")? == true && json_of(&again)? == json_of(&changed)?, "{again:?}");
        self.of_key("patch", key, arguments(self.another_key(5), etag), 412).await?;
        Ok(())
    }

    async fn delete(&mut self, key: &[Value], row: &Value) -> Result<()> {
        let stale = vec![("RequestKey", json!(self.another_key(6))), ("IfMatch", json!("no-version"))];
        self.of_key("delete", key, stale, 412).await?;
        let request_key = json!(self.request_key());
        for replayed in [false, true] {
            let arguments = vec![("RequestKey", request_key.clone())];
            if let Some(deleted) = self.of_key("delete", key, arguments, 202).await? {
                ensure!(column(&deleted, "Replayed")? == replayed, "{deleted:?}");
                let shown = json_of(&deleted)?;
                let mut members = shown[0].as_object().into_iter().flatten();
                let is_same = |(name, value): (&String, &Value)| row[name] == *value;
                ensure!(shown[0] != json!({}) && members.all(is_same), "{deleted:?}");
                self.of_key("get", key, vec![], 404).await?;
            }
        }
        Ok(())
    }

    /// True if a second row of the same values is refused, because something in it is unique.
    fn is_unique(&self, new: &Value) -> bool {
        let members = &self.description["schema"]["properties"];
        let is_sent = |name: &Value| name.as_str().is_some_and(|name| !new[name].is_null());
        let mut each = members.as_object().into_iter().flatten();
        let is_given_key = |name: &String, member: &Value| name == self.key && member["readOnly"] != true;
        each.any(|(name, member)| {
            let together = member["x-unique"].as_array();
            let are_sent = together.is_some_and(|names| names.iter().all(is_sent));
            member["x-unique"] == true || are_sent || is_given_key(name, member)
        })
    }

    fn example(&self, call: &Call, part: &str) -> Option<Value> {
        self.description["examples"][call.procedure].get(part).cloned()
    }

    /// A key of a write that no other has.
    fn request_key(&mut self) -> String {
        self.count += 1;
        self.another_key(self.count + 100)
    }

    fn another_key(&self, number: u32) -> String {
        format!("every-{}-{number}", self.name)
    }

    /// Every member that was sent is shown with the same value.
    fn shows(&self, row: &Value, sent: &Value) -> Result<()> {
        let expected = &self.description["examples"][self.put.procedure]["response"][0];
        for (name, value) in sent.as_object().into_iter().flatten() {
            let expected = expected.get(name).unwrap_or(value);
            let is_padded = self.description["schema"]["properties"][name]["x-padded"] == true;
            let is_same =
                row[name].as_str().zip(expected.as_str()).map(|(one, other)| one.trim_end() == other.trim_end());
            let is_shown = row[name] == *expected || is_padded && is_same == Some(true);
            ensure!(is_shown, "{name}: {} is shown, and not {expected}", row[name]);
        }
        Ok(())
    }

    /// The name of a caller, where the procedures store it.
    fn caller(&self) -> Option<(&'static str, Value)> {
        self.put.takes_caller().then(|| ("Caller", json!("cases")))
    }

    async fn put(&self, json: &Value, request_key: &str, status: i64) -> Result<Columns> {
        let mut arguments = vec![("Json", json!(json.to_string())), ("RequestKey", json!(request_key))];
        arguments.extend(self.caller());
        self.ask(self.put, true, arguments, status).await
    }

    /// Calls the procedure with this verb for a row; `None` when there is none.
    async fn of_key(
        &self,
        verb: &str,
        key: &[Value],
        mut arguments: Vec<(&str, Value)>,
        status: i64,
    ) -> Result<Option<Columns>> {
        let Some(call) = call(&format!("{verb}_{}", self.name)) else {
            return Ok(None);
        };
        let kinds = call.parameters.iter().filter_map(|(name, source)| match source {
            Source::Path(kind) => Some((*name, *kind)),
            _ => None,
        });
        for ((name, kind), part) in kinds.zip(key) {
            let number = part.as_str().and_then(|text| text.parse::<i64>().ok());
            let number = number.filter(|_| matches!(kind, Kind::Integer(..)));
            arguments.insert(0, (name, number.map_or_else(|| part.clone(), Value::from)));
        }
        self.ask(call, verb != "get", arguments, status).await.map(Some)
    }

    async fn ask(&self, call: &Call, writes: bool, arguments: Vec<(&str, Value)>, status: i64) -> Result<Columns> {
        let said = || format!("{} {arguments:?}", call.procedure);
        match self.database.call(call.procedure, writes, &arguments).await.with_context(said)? {
            Ok(columns) => {
                ensure!(column(&columns, "Status")? == status, "{}: {columns:?}, and not {status}", said());
                Ok(columns)
            }
            Err(number) => bail!("{}: {number:?}", said()),
        }
    }
}

fn column(columns: &Columns, name: &str) -> Result<Value> {
    let found = columns.iter().find(|(column, _)| column == name);
    Ok(found.with_context(|| format!("there is no column {name}"))?.1.clone())
}

fn json_of(columns: &Columns) -> Result<Value> {
    let text = column(columns, "Json")?;
    Ok(serde_json::from_str(text.as_str().context("Json is no text")?)?)
}
