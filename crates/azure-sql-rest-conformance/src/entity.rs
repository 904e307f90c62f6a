//! An entity as the description has it: the operations under its tag, and the members of its rows.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::values;

/// An entity: what is described under one tag.
pub struct Entity {
    pub name: String,
    /// Methods and paths that create a row; none where the table cannot take any number of rows.
    pub creates: Vec<(Method, String)>,
    /// The path to which an array of rows can be sent, and how many it may have.
    pub many: Option<(String, usize)>,
    /// The path of a row, its key or the parts of it in braces, and the methods there.
    pub one: String,
    methods: BTreeSet<Method>,
    /// The schemas of the key in the path, one for each part.
    pub keys_in_path: Vec<Value>,
    /// The path of the list.
    pub list: Option<String>,
    /// The lists of rows of another row, `/customer/{id}/orders`: the path, and the parameter in it.
    pub of_others: Vec<(String, Value)>,
    /// The largest `limit` of a page.
    pub limit: Option<u64>,
    /// The parameters by which the list is filtered, as the description has them.
    pub filters: Vec<Value>,
    /// The orders of the list that `sort` chooses: a member, and `-` in front for descending.
    pub sorts: Vec<String>,
    /// True if a request may ask how many rows the list has.
    pub is_counted: bool,
    /// The members that are the key.
    pub keys: Vec<String>,
    /// The members of a row as it is shown, of a new one, and of a patch.
    pub row: Vec<Member>,
    pub new: Vec<Member>,
    pub patch: Vec<Member>,
    /// Of a row that is created or replaced at its path.
    pub replace: Vec<Member>,
    /// The name of the JSON in a form.
    pub form_field: String,
    /// The key of the row that is read in the example, and its path.
    pub key_of_example: Option<Value>,
    pub path_of_example: Option<String>,
}

/// A member of a row, or of an object in it.
#[derive(Clone)]
pub struct Member {
    /// Its place, as `errors[].field` names it: `Delivery.PostalCode`.
    pub field: String,
    pub schema: Value,
    pub is_object: bool,
    /// True if the object that it is in must have it.
    pub is_required: bool,
    /// True if no two rows have the same value: a key, or `x-unique`.
    pub is_unique: bool,
    /// The members whose values no two rows have together (`x-unique`).
    pub unique_with: Vec<String>,
    /// A valid value, from an example or made up; null when there is none.
    pub base: Value,
}

impl Member {
    pub fn is_nullable(&self) -> bool {
        values::types(&self.schema).contains(&"null")
    }

    /// True if it is part of a unique, and can have another value in each row.
    pub fn varies(&self) -> bool {
        self.is_in_unique() && self.has_many_values()
    }

    /// True if only the example's value is known to be allowed. Such members refer to a row, or are unique with few values, or
    /// have one value. Or a CHECK names them that the schema does not express.
    pub fn is_given(&self) -> bool {
        self.schema["x-checked"] == true
            || values::few(&self.schema) == Some(1)
            || !self.has_many_values() && (self.is_in_unique() || self.is_reference())
    }

    fn is_in_unique(&self) -> bool {
        self.is_unique || !self.unique_with.is_empty()
    }

    fn has_many_values(&self) -> bool {
        !self.is_reference() && !self.has_few_values()
    }

    /// True of a Boolean, and where a CHECK leaves few values.
    pub fn has_few_values(&self) -> bool {
        values::few(&self.schema).is_some()
    }

    /// True if a new row may leave it out. The default of a reference may refer to no row.
    pub fn is_optional(&self) -> bool {
        !(self.is_required || self.is_reference() && self.schema.get("default").is_some())
    }

    /// True if it refers to a row.
    pub fn is_reference(&self) -> bool {
        self.schema["x-reference"] == true
    }
}

/// The orders of a list.
fn sorts(list: &Value) -> Vec<String> {
    let values = parameter(list, "query", "sort")["schema"]["enum"].as_array();
    values.into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

impl Entity {
    /// Every entity of the document.
    pub fn all(document: &Value) -> Vec<Self> {
        let document = inline(document, document);
        // By tag and method, the operations on the paths of all rows, and on the path of one. Then, by path, the lists of rows of
        // another.
        let mut tags = BTreeMap::<_, [Value; 3]>::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                if let Some(tag) =
                    operation["tags"][0].as_str().filter(|tag| !["operations", "procedures"].contains(tag))
                {
                    let groups = tags.entry(tag).or_default();
                    let place = match (path.ends_with('}'), path.contains('{')) {
                        (true, _) => &mut groups[1][method],
                        (false, false) => &mut groups[0][method],
                        (false, true) if method == "get" => &mut groups[2][path],
                        (false, true) => continue,
                    };
                    *place = operation.clone();
                    place["path"] = json!(path);
                }
            }
        }
        tags.iter().map(|(tag, [all, one, of_others])| Self::new(tag, all, one, of_others)).collect()
    }

    fn new(tag: &str, all: &Value, one: &Value, of_others: &Value) -> Self {
        let create = if all["put"].is_null() { &all["post"] } else { &all["put"] };
        let any_of_one = one.as_object().into_iter().flatten().next();
        let any_of_one = any_of_one.map_or(&Value::Null, |(_, operation)| operation);
        let path = |operation: &Value| operation["path"].as_str().map(str::to_owned);

        let shown = [&one["get"], create, &all["get"]].map(success);
        let [new, patch, replace] = [create, &one["patch"], &one["put"]]
            .map(|operation| &operation["requestBody"]["content"]["application/json"]);
        let most = all["post"]["requestBody"]["content"]["application/json"]["x-rows"].as_u64();
        let mut examples = vec![&new["example"], &patch["example"]];
        examples.extend(shown.map(|shown| &shown["example"][0]));
        let row = shown.map(|shown| &shown["schema"]["items"]).into_iter().find(|schema| schema.is_object());
        let row = members(row.expect("a row is shown somewhere"), &examples);
        let in_path: Vec<_> = parameters(any_of_one).filter(|one| one["in"] == "path").collect();
        let of_example = parameters(&one["get"]).filter(|one| one["in"] == "path");
        let ids: Vec<_> = of_example.filter_map(|one| one.get("example").cloned()).collect();
        let deleted = success(&one["delete"])["schema"]["items"]["required"].as_array();
        let text = |name: &Value| name.as_str().unwrap_or_default().to_owned();
        let keys = match (deleted, in_path.as_slice()) {
            (Some(names), _) => names.iter().map(text).collect(),
            // Parts have the names of their members.
            (None, [_, _, ..]) => in_path.iter().map(|one| text(&one["name"])).collect(),
            (None, _) => vec![key(&row, &shown[0]["example"][0], ids.first().unwrap_or(&Value::Null))],
        };
        let form = &create["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];

        let mut entity = Self {
            name: tag.to_owned(),
            creates: [(Method::PUT, "put"), (Method::POST, "post")]
                .into_iter()
                .filter_map(|(method, name)| Some((method, path(&all[name])?)))
                .collect(),
            many: most.and_then(|most| Some((path(&all["post"])?, usize::try_from(most).ok()?))),
            one: path(any_of_one).unwrap_or_default(),
            methods: one
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(name, _)| name.to_uppercase().parse().ok())
                .collect(),
            keys_in_path: in_path.iter().map(|one| one["schema"].clone()).collect(),
            list: path(&all["get"]),
            of_others: of_others
                .as_object()
                .into_iter()
                .flatten()
                .map(|(path, operation)| (path.clone(), parameter(operation, "path", "").clone()))
                .filter(|(_, parameter)| parameter["x-filter"].is_object())
                .collect(),
            limit: parameter(&all["get"], "query", "limit")["schema"]["maximum"].as_u64(),
            filters: parameters(&all["get"]).filter(|one| one["x-filter"].is_object()).cloned().collect(),
            sorts: sorts(&all["get"]),
            is_counted: !parameter(&all["get"], "query", "count").is_null(),
            new: members(&new["schema"], &examples),
            patch: members(&patch["schema"], &examples),
            replace: members(&replace["schema"], &examples),
            form_field: form["required"][0].as_str().unwrap_or_default().to_owned(),
            key_of_example: None,
            path_of_example: None,
            row,
            keys,
        };
        for member in entity.row.iter_mut().chain(&mut entity.new).chain(&mut entity.patch).chain(&mut entity.replace) {
            member.is_unique |= entity.keys == [member.field.clone()];
        }
        if !entity.new_rows_differ() {
            entity.creates.clear();
            entity.many = None;
        }
        entity.key_of_example = Some(one_or_list(ids)).filter(|key| !key.is_null());
        entity.path_of_example = entity.key_of_example.as_ref().map(|key| entity.path_of(key));
        entity
    }

    /// True if any number of rows can be made: in each unique, a member varies, or has no value.
    fn new_rows_differ(&self) -> bool {
        let can_differ = |field: &String| {
            self.new
                .iter()
                .find(|member| member.field == *field)
                .is_none_or(|member| member.varies() || member.base.is_null())
        };
        self.new.iter().all(|member| match member.is_unique {
            true => can_differ(&member.field),
            false => member.unique_with.is_empty() || member.unique_with.iter().any(can_differ),
        })
    }

    pub fn has(&self, method: Method) -> bool {
        self.methods.contains(&method)
    }

    /// The key of a row: a value, or a list of the values of its parts.
    pub fn key_of(&self, row: &Value) -> Value {
        one_or_list(self.keys.iter().map(|name| row[name].clone()).collect())
    }

    /// The path of the row with this key.
    pub fn path_of(&self, key: &Value) -> String {
        let (before, _) = self.one.split_once('{').expect("rows have paths");
        let encoded = |part: String| utf8_percent_encode(&part, NON_ALPHANUMERIC).to_string();
        format!("{before}{}", parts(key).into_iter().map(encoded).collect::<Vec<_>>().join("/"))
    }

    /// The path of the description that a target is one of.
    pub fn template<'p>(&'p self, target: &'p str) -> &'p str {
        let path = target.split('?').next().unwrap_or_default();
        let whole = self.creates.iter().map(|(_, path)| path).chain(&self.list);
        let is_whole = whole.into_iter().any(|known| known == path);
        let is_of = |template: &&String| {
            let (before, after) = template.split_once('{').unwrap_or_default();
            let after = after.split_once('}').map_or("", |(_, after)| after);
            path.starts_with(before) && path.ends_with(after)
        };
        let of_another = self.of_others.iter().map(|(template, _)| template).find(is_of);
        if is_whole { path } else { of_another.unwrap_or(&self.one) }
    }
}

/// The only value, or the list of several. Null of none.
fn one_or_list(mut values: Vec<Value>) -> Value {
    match values.len() {
        0 => Value::Null,
        1 => values.remove(0),
        _ => values.into(),
    }
}

/// The texts of a key, one for each part.
pub fn parts(key: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    key.as_array().map_or_else(|| vec![text(key)], |parts| parts.iter().map(text).collect())
}

/// The parameter of an operation that is there and has this name, or any; null without one.
fn parameter<'d>(operation: &'d Value, place: &str, name: &str) -> &'d Value {
    let is_wanted = |one: &&Value| one["in"] == place && (name.is_empty() || one["name"] == name);
    parameters(operation).find(is_wanted).unwrap_or(&Value::Null)
}

fn parameters(operation: &Value) -> impl Iterator<Item = &Value> {
    operation["parameters"].as_array().into_iter().flatten()
}

/// The content of an operation's answer when it succeeds.
fn success(operation: &Value) -> &Value {
    let mut responses = operation["responses"].as_object().into_iter().flatten();
    let success = responses.find(|(status, _)| status.starts_with('2'));
    success.map_or(&Value::Null, |(_, success)| &success["content"]["application/json"])
}

/// The key, where no answer to DELETE names it: the first member of `row` that is in the path of the example. Members
/// that clients do not send come first.
fn key(row: &[Member], example: &Value, id: &Value) -> String {
    let is_id = |value: &Value| parts(value) == parts(id);
    let is_key = |member: &&Member| (!example.get(&member.field).is_some_and(is_id), member.schema["readOnly"] != true);
    row.iter().min_by_key(is_key).map(|member| member.field.clone()).unwrap_or_default()
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
        let example = examples.iter().find_map(|example| get(example, &field)).filter(|example| !example.is_null());
        let base = match is_object {
            true => Value::Null,
            false => values::base(member, example),
        };
        found.push(Member {
            field: field.clone(),
            schema: member.clone(),
            is_object,
            is_required: schema["required"].as_array().is_some_and(|names| names.contains(&json!(name))),
            is_unique: member["x-unique"] == true,
            unique_with: serde_json::from_value(member["x-unique"].clone()).unwrap_or_default(),
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
                Some(reference) => inline(document, document.pointer(&reference[1..]).expect("what is referred to")),
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

/// The value of a field in a row.
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
    let object = if object.is_empty() { Some(&mut row) } else { row.pointer_mut(&pointer(object)) };
    if let Some(object) = object.and_then(Value::as_object_mut) {
        object.remove(name);
    }
    row
}

#[test]
fn rows_are_made_only_where_any_number_of_them_can_differ() {
    let differ = |properties: Value| {
        let row = json!({"type": "object", "properties": properties});
        let content = json!({"content": {"application/json": {"schema": {"items": row, "type": "array"}}}});
        let example = json!({"A": 1, "B": 1});
        let body = json!({"content": {"application/json": {"schema": row, "example": example}}});
        let put = json!({"tags": ["x"], "requestBody": body, "responses": {"201": content}});
        let document = json!({"paths": {"/x": {"put": put}}});
        !Entity::all(&document)[0].creates.is_empty()
    };
    let (text, reference) =
        (json!({"type": "string", "readOnly": true}), json!({"type": "integer", "x-reference": true}));
    let with_unique = |schema: &Value, unique: Value| with(schema, "x-unique", unique);
    assert!(differ(json!({"Id": text, "Name": with_unique(&text, json!(true))})));
    assert!(!differ(json!({"Id": text, "IsDefault": {"type": "boolean", "x-unique": true}})));
    let pair = |other: &Value| {
        let together = json!(["A", "B"]);
        json!({"Id": text, "A": with_unique(&reference, together.clone()), "B": with_unique(other, together)})
    };
    assert!(differ(pair(&json!({"type": "integer"}))));
    assert!(!differ(pair(&reference)));
}

#[test]
fn lists_of_rows_of_another_row_are_found_beside_the_list() {
    let row = json!({"type": "object", "properties": {"A": {"type": "integer"}, "B": {"type": "integer"}}});
    let answer = json!({"200": {"content": {"application/json": {"schema": {"items": row, "type": "array"}}}}});
    let get = |parameters: Value| json!({"get": {"tags": ["orders"], "parameters": parameters, "responses": answer}});
    let in_path = |name: &str, example: i64| json!({"name": name, "in": "path", "schema": {}, "example": example});
    let mut of_customer = in_path("id", 1);
    of_customer["x-filter"] = json!({"member": "A", "by": "equal"});
    let document = json!({"paths": {
        "/customer/{id}/orders": get(json!([of_customer])),
        "/order/{A}/{B}": get(json!([in_path("A", 7), in_path("B", 8)])),
        "/orders": get(json!([])),
    }});
    let entities = Entity::all(&document);
    let [entity] = &entities[..] else { panic!("one entity") };
    assert_eq!((entity.list.as_deref(), &*entity.one), (Some("/orders"), "/order/{A}/{B}"));
    assert_eq!(entity.of_others, [("/customer/{id}/orders".to_owned(), of_customer)]);
    assert_eq!(entity.template("/customer/7/orders?limit=1"), "/customer/{id}/orders");
    assert_eq!((entity.keys.join(" "), entity.path_of_example.as_deref()), ("A B".to_owned(), Some("/order/7/8")));
    assert_eq!(entity.key_of(&json!({"A": 1, "B": "b/"})), json!([1, "b/"]));
    assert_eq!(entity.path_of(&json!([1, "b/"])), "/order/1/b%2F");
}
