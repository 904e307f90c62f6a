//! The description of an entity for `entities/`, and its lines in the table of routes.

use serde_json::{Map, Value, json};

use super::Operation;
use super::key::{From, Key};
use super::local::SEEDS;
use super::member::Member;
use super::special::Special;

/// `entities/<entity>.json`
pub(super) fn description(
    name: &str,
    plural: &str,
    key: &Key,
    members: &[Member],
    listed: &[Member],
    operations: &[Operation],
    special: &Special,
) -> Value {
    let mut schema = json!({"type": "object", "required": [], "properties": {}});
    for member in members {
        let (object, name) =
            member.path.split_once('.').map_or((None, member.path.as_str()), |(object, name)| (Some(object), name));
        let is_required = member.nullable == 0;
        let target = match object {
            None => &mut schema,
            Some(object) => {
                if schema["properties"][object].is_null() {
                    schema["properties"][object] = json!({"type": "object", "required": [], "properties": {}});
                    push(&mut schema["required"], json!(object));
                }
                &mut schema["properties"][object]
            }
        };
        target["properties"][name] = member.schema.clone();
        if is_required {
            push(&mut target["required"], json!(name));
        }
    }
    let row = |n: usize, members: &[Member], is_sent: bool| {
        let mut row = json!({});
        for member in members.iter().filter(|member| member.is_sent || !is_sent) {
            let is_reference = member.schema["x-reference"] == json!(true);
            let value = match (is_reference, member.nullable) {
                (true, 1) => continue,
                (true, _) if member.name != key.column.name => member.column_type.example(&member.name, 1),
                _ => member.column_type.example(&member.name, n),
            };
            let value = if member.column_type.is_padded && !is_sent {
                let width = member.column_type.size.unwrap_or_default() as usize;
                json!(format!("{:<width$}", value.as_str().unwrap_or_default()))
            } else {
                value
            };
            match member.path.split_once('.') {
                Some((object, name)) => row[object][name] = value,
                None => row[&member.path] = value,
            }
        }
        row
    };
    let key_value = |n| key.column_type.example(&key.column.name, n);
    let (shown, new) = (row(SEEDS, members, false), SEEDS + 1);
    let mut examples = Map::new();
    for operation in operations {
        let (procedure, example) = match operation {
            Operation::Get => (format!("get_{name}"), json!({"path": {"id": key_value(SEEDS)}, "response": [shown]})),
            Operation::List => {
                let query = json!({"after": key_value(SEEDS - 1), "limit": 2});
                (format!("get_{plural}"), json!({"query": query, "response": [row(SEEDS, listed, false)]}))
            }
            Operation::Put => {
                let mut example = json!({"request": row(new, members, true)});
                // A random key has no example.
                if key.from != From::NewId {
                    example["response"] = json!([row(new, members, false)]);
                }
                (format!("put_{name}"), example)
            }
            Operation::Patch => {
                let member = members.iter().find(|member| {
                    member.is_sent && member.name != key.column.name && member.schema["x-reference"].is_null()
                });
                let mut changed = row(SEEDS, members, false);
                let mut patch = json!({});
                if let Some(member) = member {
                    let others = row(new + 1, std::slice::from_ref(member), false);
                    let sent = row(new + 1, std::slice::from_ref(member), true);
                    merge(&mut changed, &others);
                    patch = sent;
                }
                (
                    format!("patch_{name}"),
                    json!({"path": {"id": key_value(SEEDS)}, "request": patch, "response": [changed]}),
                )
            }
            Operation::Delete => {
                let mut deleted = json!({});
                deleted[&key.column.name] = key_value(SEEDS);
                (format!("delete_{name}"), json!({"path": {"id": key_value(SEEDS)}, "response": [deleted]}))
            }
        };
        examples.insert(procedure, example);
    }
    let mut description = json!({"name": name, "plural": plural, "schema": schema});
    if !special.listed.is_empty() {
        description["listed"] = json!(special.listed);
    }
    description["examples"] = examples.into();
    description
}

pub(super) fn push(list: &mut Value, value: Value) {
    if let Some(list) = list.as_array_mut() {
        list.push(value);
    }
}

fn merge(into: &mut Value, other: &Value) {
    for (name, value) in other.as_object().into_iter().flatten() {
        if value.is_object() {
            merge(&mut into[name], value);
        } else {
            into[name] = value.clone();
        }
    }
}

/// The lines of the table of routes.
pub(super) fn routes(
    name: &str,
    plural: &str,
    key: &Key,
    operations: &[Operation],
    (limit, max): (u32, u32),
) -> String {
    let has = |operation| operations.contains(&operation);
    let column = &key.column.name;
    let size = key.column_type.size.unwrap_or_default();
    let kind = match key.column_type.parameter().as_str() {
        "INT" => "ID".to_owned(),
        "BIGINT" => "BIG_ID".into(),
        "UNIQUEIDENTIFIER" => "GUID".into(),
        _ => format!("NVARCHAR({size})"),
    };
    let (id, page) = (format!("key({kind})"), format!("page({kind})"));
    let label = name.replace('_', " ");
    let article = if label.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    let mut routes = String::new();
    let mut add = |is_there: bool, docs: &[&str], line: String| {
        if is_there {
            for doc in docs {
                routes += &format!("        /// {doc}\n");
            }
            routes += &format!("        {line};\n\n");
        }
    };
    let create = format!("Create {article} {label}");
    let body = format!("put_{name}(Json: body(\"{name}\")) creates {column} at \"/{name}/{{id}}\"");
    add(has(Operation::Put), &[&create], format!("PUT \"/{name}\" => {body}"));
    add(
        has(Operation::Get),
        &[&format!("Read {article} {label}")],
        format!("GET \"/{name}/{{id}}\" => get_{name}({column}: {id})"),
    );
    let patch =
        format!("PATCH \"/{name}/{{id}}\" => patch_{name}({column}: {id}, Json: body(\"{name}\"), IfMatch: if_match)");
    add(
        has(Operation::Patch),
        &[&format!("Change some fields of {article} {label}"), "JSON Merge Patch (RFC 7396)."],
        patch,
    );
    let delete = format!("DELETE \"/{name}/{{id}}\" => delete_{name}({column}: {id}, IfMatch: if_match)");
    add(
        has(Operation::Delete),
        &[&format!("Delete {article} {label}"), "Deleting what does not exist succeeds."],
        delete,
    );
    let grouped = |number: u32| {
        if number < 10_000 { number.to_string() } else { format!("{}_{:03}", number / 1000, number % 1000) }
    };
    let list = format!(
        "GET \"/{plural}\" => get_{plural}(After: {page}, Limit: query(\"limit\", 1..={}, {}))",
        grouped(max),
        grouped(limit)
    );
    add(has(Operation::List), &[&format!("List {}, a page at a time", plural.replace('_', " "))], list);
    add(has(Operation::Put), &[&create], format!("POST \"/{plural}\" => {body}"));
    routes
}
