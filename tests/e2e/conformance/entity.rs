//! What the description says of an entity: the operations under its tag, and what its rows look like.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::values;

/// An entity: what is described under one tag.
pub struct Entity {
    pub name: String,
    /// Methods and paths that create a row.
    pub creates: Vec<(Method, String)>,
    /// The path of a row, its key in braces, and the methods there.
    pub one: String,
    methods: BTreeSet<Method>,
    /// The schema of the key in the path.
    pub key_in_path: Value,
    /// The path of the list.
    pub list: Option<String>,
    /// The largest `limit` of a page.
    pub limit: Option<u64>,
    /// The member that is the key.
    pub key: String,
    /// The members of a row as it is shown, of a new one, and of a patch.
    pub row: Vec<Member>,
    pub new: Vec<Member>,
    pub patch: Vec<Member>,
    /// The name of the JSON in a form.
    pub form_field: String,
    /// The row that is read in the example.
    pub path_of_example: Option<String>,
}

/// A member of a row, or of an object in it.
#[derive(Clone)]
pub struct Member {
    /// Its place, as `errors[].field` names it: `Delivery.PostalCode`.
    pub field: String,
    pub schema: Value,
    pub is_object: bool,
    /// Whether the object that it is in must have it.
    pub is_required: bool,
    /// Whether no two rows have the same: a key, or `x-unique`.
    pub is_unique: bool,
    /// A valid value, from an example or made up; null when there is none.
    pub base: Value,
}

impl Member {
    pub fn is_nullable(&self) -> bool {
        values::types(&self.schema).contains(&"null")
    }

    /// Whether its value must be the key of another row, so that only the example's is known to be one.
    pub fn is_reference(&self) -> bool {
        self.schema["x-reference"] == true
    }
}

/// The operations under a tag, by method: those on the path of a row, and those on the paths of all.
#[derive(Default)]
struct Operations<'d> {
    one: BTreeMap<&'d str, (&'d str, &'d Value)>,
    all: BTreeMap<&'d str, (&'d str, &'d Value)>,
}

impl Entity {
    /// Every entity of the document.
    pub fn all(document: &Value) -> Vec<Self> {
        let document = inline(document, document);
        let mut tags = BTreeMap::<_, Operations>::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                if let Some(tag) = operation["tags"][0].as_str().filter(|tag| *tag != "operations") {
                    let operations = tags.entry(tag).or_default();
                    let is_one = path.ends_with('}');
                    let place = if is_one {
                        &mut operations.one
                    } else {
                        &mut operations.all
                    };
                    place.insert(method, (path, operation));
                }
            }
        }
        tags.iter()
            .map(|(tag, operations)| Self::new(tag, operations))
            .collect()
    }

    fn new(tag: &str, Operations { one, all }: &Operations) -> Self {
        let at = |place: &BTreeMap<_, (_, _)>, method: &str| {
            place
                .get(method)
                .map_or(json!({}), |(_, it): &(&str, &Value)| (*it).clone())
        };
        let create = if all.contains_key("put") {
            at(all, "put")
        } else {
            at(all, "post")
        };
        let (read, patch, list) = (at(one, "get"), at(one, "patch"), at(all, "get"));
        let of_one = one.values().next();
        let id = of_one
            .map(|(_, operation)| parameter(operation, |one| one["in"] == "path"))
            .unwrap_or_default();
        let limit = parameter(&list, |one| one["in"] == "query" && one["name"] == "limit");

        let shown = [&read, &create, &list].map(success);
        let sent = [&create, &patch].map(|operation| operation["requestBody"]["content"]["application/json"].clone());
        let examples: Vec<_> = sent
            .iter()
            .map(|sent| &sent["example"])
            .chain(shown.iter().map(|shown| &shown["example"][0]))
            .collect();
        let of_row = shown
            .iter()
            .map(|shown| &shown["schema"]["items"])
            .find(|schema| schema.is_object());
        let row = members(of_row.unwrap_or(&Value::Null), &examples);
        let id_of_example = parameter(&read, |one| one["in"] == "path")["example"].take();
        let deleted = success(&at(one, "delete"));
        let only = deleted["schema"]["items"]["required"][0].as_str().map(str::to_owned);
        let key = only.unwrap_or_else(|| key(&row, &shown[0]["example"][0], &id_of_example));
        let form = &create["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];

        let mut entity = Self {
            name: tag.to_owned(),
            creates: ["put", "post"]
                .into_iter()
                .filter_map(|method| Some((method.to_uppercase().parse().ok()?, all.get(method)?.0.to_owned())))
                .collect(),
            one: of_one.map(|(path, _)| (*path).to_owned()).unwrap_or_default(),
            methods: one
                .keys()
                .filter_map(|method| method.to_uppercase().parse().ok())
                .collect(),
            key_in_path: id["schema"].clone(),
            list: all.get("get").map(|(path, _)| (*path).to_owned()),
            limit: limit["schema"]["maximum"].as_u64(),
            new: members(&sent[0]["schema"], &examples),
            patch: members(&sent[1]["schema"], &examples),
            form_field: form["required"][0].as_str().unwrap_or_default().to_owned(),
            path_of_example: None,
            row,
            key,
        };
        for member in entity.row.iter_mut().chain(&mut entity.new).chain(&mut entity.patch) {
            member.is_unique |= member.field == entity.key;
        }
        entity.path_of_example = (!id_of_example.is_null()).then(|| entity.path_of(&id_of_example));
        entity
    }

    pub fn has(&self, method: Method) -> bool {
        self.methods.contains(&method)
    }

    /// The path of the row with this key.
    pub fn path_of(&self, key: &Value) -> String {
        let (before, _) = self.one.split_once('{').expect("rows have paths");
        let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        format!("{before}{}", utf8_percent_encode(&key, NON_ALPHANUMERIC))
    }

    /// The path of the description that a target is one of.
    pub fn template<'p>(&'p self, target: &'p str) -> &'p str {
        let path = target.split('?').next().unwrap_or_default();
        let whole = self.creates.iter().map(|(_, path)| path).chain(&self.list);
        let is_whole = whole.into_iter().any(|known| known == path);
        if is_whole { path } else { &self.one }
    }
}

/// The parameter of an operation for which this holds; null without one.
fn parameter(operation: &Value, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let mut parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters
        .find(|parameter| is_wanted(parameter))
        .cloned()
        .unwrap_or_default()
}

/// What an operation answers with when it succeeds.
fn success(operation: &Value) -> Value {
    let mut responses = operation["responses"].as_object().into_iter().flatten();
    let success = responses.find(|(status, _)| status.starts_with('2'));
    success.map_or(Value::Null, |(_, success)| {
        success["content"]["application/json"].clone()
    })
}

/// The key, where no answer to DELETE names it: the member of `row` that is in the path of the example.
fn key(row: &[Member], example: &Value, id: &Value) -> String {
    let named = row
        .iter()
        .filter(|member| example.get(&member.field) == Some(id) && !id.is_null());
    let named: Vec<_> = if named.clone().count() == 0 {
        row.iter().collect()
    } else {
        named.collect()
    };
    let of_server = named.iter().find(|member| member.schema["readOnly"] == true);
    of_server
        .or(named.first())
        .map(|member| member.field.clone())
        .unwrap_or_default()
}

/// The members of an object's schema and of the objects in it.
fn members(schema: &Value, examples: &[&Value]) -> Vec<Member> {
    let mut found = Vec::new();
    add_members(&mut found, "", schema, examples);
    found
}

fn add_members(found: &mut Vec<Member>, prefix: &str, schema: &Value, examples: &[&Value]) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let field = format!("{prefix}{name}");
        let is_object = member["properties"].is_object();
        let example = examples
            .iter()
            .find_map(|example| get(example, &field))
            .filter(|example| !example.is_null());
        let base = match is_object {
            true => Value::Null,
            false => values::base(member, example),
        };
        found.push(Member {
            field: field.clone(),
            schema: member.clone(),
            is_object,
            is_required: schema["required"]
                .as_array()
                .is_some_and(|names| names.contains(&json!(name))),
            is_unique: member["x-unique"] == true,
            base,
        });
        add_members(found, &format!("{field}."), member, examples);
    }
}

/// The document with every reference replaced by what it refers to, and "this or null" by one schema.
fn inline(document: &Value, value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| inline(document, item)).collect(),
        Value::Object(object) => {
            let mut whole = match object.get("$ref").and_then(Value::as_str) {
                Some(reference) => inline(
                    document,
                    document.pointer(&reference[1..]).expect("what is referred to"),
                ),
                None => json!({}),
            };
            for (name, member) in object.iter().filter(|(name, _)| *name != "$ref") {
                whole[name] = inline(document, member);
            }
            if let [schema, null] = whole["anyOf"].as_array().map_or(&[][..], |any| any)
                && null["type"] == "null"
            {
                let mut schema = schema.clone();
                schema["type"] = json!([schema["type"], "null"]);
                return schema;
            }
            whole
        }
        other => other.clone(),
    }
}

/// The pointer to a field.
fn pointer(field: &str) -> String {
    format!("/{}", field.replace('.', "/"))
}

/// What a row has for a field.
pub fn get<'r>(row: &'r Value, field: &str) -> Option<&'r Value> {
    row.pointer(&pointer(field))
}

/// Gives a field a value, in an object that is made if need be.
pub fn set(row: &mut Value, field: &str, value: Value) {
    let mut place = row;
    for name in field.split('.') {
        place = &mut place[name];
    }
    *place = value;
}

/// `row` with another value for a field.
pub fn with(row: &Value, field: &str, value: Value) -> Value {
    let mut row = row.clone();
    set(&mut row, field, value);
    row
}

/// `row` without a field.
pub fn without(row: &Value, field: &str) -> Value {
    let mut row = row.clone();
    let (object, name) = field.rsplit_once('.').unwrap_or(("", field));
    let object = if object.is_empty() {
        Some(&mut row)
    } else {
        row.pointer_mut(&pointer(object))
    };
    if let Some(object) = object.and_then(Value::as_object_mut) {
        object.remove(name);
    }
    row
}
