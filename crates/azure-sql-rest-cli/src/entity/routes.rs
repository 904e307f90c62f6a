//! The lines of an entity in the table of routes.

use anyhow::{Context, Result};

use super::plan::condition::Condition;
use super::plan::{Key, Operation, Plan, SqlType};
use super::render;
use super::rules;

/// The line of the table after which new ones go.
const BEGIN: &str = "    routes: {\n";

/// The lines of an entity, each with its words for `openapi.json`.
pub(super) fn lines(plan: &Plan) -> String {
    let (name, plural, row) = (&plan.name, &plan.plural, plan.path_of_row());
    let kinds: Vec<_> = plan.key.iter().map(|key| kind(plan, key)).collect();
    let parameters = render::key_parameters(plan).into_iter().zip(&kinds);
    let key = parameters.map(|(parameter, kind)| format!("{parameter}: key({kind})")).collect::<Vec<_>>().join(", ");
    let page = match kinds.as_slice() {
        [kind] if !plan.has_cursor() => format!("page({kind})"),
        _ => format!("page(NVARCHAR({}))", render::CURSOR),
    };
    let label = name.replace('_', " ");
    let article = if label.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    let create = format!("Create {article} {label}");
    let caller = |operation| if plan.takes_caller(operation) { ", Caller: caller" } else { "" };
    let put_caller = caller(Operation::Put);
    let body = format!("put_{name}(Json: body(\"{name}\"){put_caller}) creates {} at \"{row}\"", render::row_id(plan));
    let (limit, max) = (grouped(plan.limit.default), grouped(plan.limit.max));
    let made_up = |operation: Operation| match operation {
        Operation::Put => (vec![create.clone()], format!("PUT \"/{name}\" => {body}")),
        Operation::Get => (vec![format!("Read {article} {label}")], format!("GET \"{row}\" => get_{name}({key})")),
        Operation::Patch => (
            vec![format!("Change some fields of {article} {label}"), "JSON Merge Patch (RFC 7396).".to_owned()],
            format!(
                "PATCH \"{row}\" => patch_{name}({key}, Json: body(\"{name}\"), IfMatch: if_match{})",
                caller(operation)
            ),
        ),
        Operation::Replace => (
            vec![format!("Create or replace {article} {label}")],
            format!(
                "PUT \"{row}\" => replace_{name}({key}, Json: body(\"{name}\"), IfMatch: if_match, IfNoneMatch: if_none_match{})",
                caller(operation)
            ),
        ),
        Operation::Delete => (
            vec![format!("Delete {article} {label}"), "Deleting what does not exist succeeds.".to_owned()],
            format!("DELETE \"{row}\" => delete_{name}({key}, IfMatch: if_match)"),
        ),
        Operation::List => (
            vec![format!("List {}, a page at a time", plural.replace('_', " "))],
            format!(
                "GET \"/{plural}\" => get_{plural}(After: {page}, Limit: query(\"limit\", 1..={max}, {limit}){}{}{})",
                sort(plan),
                if plan.count { ", Count: optional(\"count\", NVARCHAR(5))" } else { "" },
                plan.conditions().iter().map(filter).collect::<String>()
            ),
        ),
    };
    let told = |name: &str, (docs, line): (Vec<String>, String)| (plan.docs.get(name).cloned().unwrap_or(docs), line);
    let route = |operation| told(rules::list(&[&operation]).as_str(), made_up(operation));
    let order =
        [Operation::Put, Operation::Get, Operation::Replace, Operation::Patch, Operation::Delete, Operation::List];
    let mut routes: Vec<_> = order.into_iter().filter(|operation| plan.has(*operation)).map(route).collect();
    if plan.has(Operation::Put) {
        let line = format!("POST \"/{plural}\" => {body}, many by {}", plan.procedure_of_rows());
        routes.push(told("post", (vec![create.clone()], line)));
    }
    let text = |(docs, line): (Vec<String>, String)| {
        let docs = docs.iter().map(|doc| format!("        /// {doc}\n")).collect::<String>();
        format!("{docs}        {line};\n\n")
    };
    routes.into_iter().map(text).collect()
}

/// The kind of a key, or of a part of it.
fn kind(plan: &Plan, key: &Key) -> String {
    let is_below = plan.counts_from_below(key);
    match plan.column(&key.column).map(|column| column.sql_type) {
        Some(SqlType::BigInt) if is_below => "BIGINT".to_owned(),
        Some(SqlType::BigInt) => "BIG_ID".to_owned(),
        Some(SqlType::UniqueIdentifier) => "GUID".to_owned(),
        Some(sql_type) if sql_type.is_text() => format!("NVARCHAR({})", sql_type.length().unwrap_or_default()),
        _ if is_below => "INT".to_owned(),
        _ => "ID".to_owned(),
    }
}

/// The parameter for the order of the list, if it has several.
fn sort(plan: &Plan) -> String {
    match plan.sort_values() {
        (_, 0) => String::new(),
        (_, length) => format!(", Sort: optional(\"sort\", NVARCHAR({length}))"),
    }
}

/// The parameter of a filter.
fn filter(condition: &Condition) -> String {
    let kind = match condition.column.sql_type {
        _ if !condition.is_native() => format!("NVARCHAR({})", condition.length()),
        SqlType::BigInt => "BIGINT".to_owned(),
        SqlType::UniqueIdentifier => "GUID".to_owned(),
        _ => "INT".to_owned(),
    };
    format!(", {}: optional(\"{}\", {kind})", condition.parameter, condition.query)
}

/// A number as Rust writes one of five digits or more: `10_000`.
fn grouped(number: u32) -> String {
    if number < 10_000 { number.to_string() } else { format!("{}_{:03}", number / 1000, number % 1000) }
}

/// A route of the table: its words, its line, and the blank line behind it.
struct Item<'t> {
    text: &'t str,
    line: &'t str,
}

/// The file in items: routes, and what stands between them, of which the line is empty.
fn items(text: &str) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut is_open = false;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        let end = at + line.len();
        if trimmed.starts_with("/// ") && !is_open && text.contains(BEGIN) && at > text.find(BEGIN).unwrap_or_default()
        {
            items.push(Item { text: &text[start..at], line: "" });
            (start, is_open) = (at, true);
        } else if is_open && trimmed.is_empty() {
            items.push(Item {
                text: &text[start..end],
                line: text[start..end].trim().rsplit('\n').next().unwrap_or_default().trim(),
            });
            (start, is_open) = (end, false);
        } else if is_open && trimmed == "}" {
            items.push(Item {
                text: &text[start..at],
                line: text[start..at].trim().rsplit('\n').next().unwrap_or_default().trim(),
            });
            (start, is_open) = (at, false);
        }
        at = end;
    }
    items.push(Item { text: &text[start..], line: "" });
    items
}

impl Item<'_> {
    /// True if it calls a procedure of the entity, and is no line of the owner's own: `/customer/{id}/orders`.
    fn is_of(&self, plan: &Plan) -> bool {
        if is_of_another(self.line) {
            return false;
        }
        Operation::ALL.iter().any(|operation| self.line.contains(&format!("=> {}(", plan.procedure(*operation))))
    }
}

/// True for a route to rows of another row, whose path goes on behind its key.
fn is_of_another(line: &str) -> bool {
    let path = line.split('"').nth(1).unwrap_or_default();
    path.contains('{') && !path.ends_with('}')
}

/// The lines of the entity as they are in the file.
pub(super) fn present(text: &str, plan: &Plan) -> String {
    items(text).iter().filter(|item| item.is_of(plan)).map(|item| item.text).collect()
}

/// The file without the lines of the entity.
pub(super) fn without(text: &str, plan: &Plan) -> String {
    items(text).iter().filter(|item| !item.is_of(plan)).map(|item| item.text).collect()
}

/// The file without the lines that call procedures of these names.
pub(super) fn without_calls(text: &str, name: &str, plural: &str) -> String {
    let calls: Vec<_> =
        ["get", "put", "patch", "replace", "delete"].iter().map(|verb| format!("=> {verb}_{name}(")).collect();
    let list = format!("=> get_{plural}(");
    let is_of = |item: &&Item| {
        !is_of_another(item.line) && (item.line.contains(&list) || calls.iter().any(|call| item.line.contains(call)))
    };
    items(text).iter().filter(|item| !is_of(item)).map(|item| item.text).collect()
}

/// The file with these lines for the entity, where it has lines, or at the beginning of the table.
///
/// # Errors
///
/// When the file has no table of routes.
pub(super) fn with(text: &str, plan: &Plan, lines: &str) -> Result<String> {
    let all = items(text);
    if let Some(first) = all.iter().position(|item| item.is_of(plan)) {
        let rest =
            |items: &[Item]| items.iter().filter(|item| !item.is_of(plan)).map(|item| item.text).collect::<String>();
        let (before, after) = (rest(&all[..first]), rest(&all[first..]));
        // Without a blank line before the end of the table.
        let lines = if after.starts_with("    }") { lines.trim_end().to_owned() + "\n" } else { lines.to_owned() };
        return Ok([before, lines, after].concat());
    }
    let at = text.find(BEGIN).context("there is no line `    routes: {`")? + BEGIN.len();
    Ok([&text[..at], lines, &text[at..]].concat())
}

/// True if a route has this first segment in its path.
pub(super) fn has_path(text: &str, name: &str) -> bool {
    let paths = [format!("\"/{name}\""), format!("\"/{name}/")];
    text.lines().filter(|line| !is_of_another(line)).any(|line| paths.iter().any(|path| line.contains(path)))
}
