//! Writes the schemas of an entity in `openapi.json`, from its plan in `entities/<name>.toml`.
//!
//! The schema of a row is JSON Schema. What is `readOnly` is not sent by clients; what is not `required` can be null. The schemas for a new
//! row and for a patch are derived from it. Besides JSON Schema, a member may have:
//! - `x-accepts`: another type that clients may send;
//! - `x-optional`: a new row has a default for it, although it cannot be null;
//! - `x-unique`: no two rows have the same value, or the same values of the members that it names;
//! - `x-reference`: it refers to a row of a table;
//! - `x-checked`: a CHECK of the table names it, and may refuse what the schema allows;
//! - `x-conflict`: its rules that a CHECK holds (a write that breaks one is 409, and 422 for any other rule);
//! - `x-padded`: it is shown with blanks up to its `maxLength`;
//! - `x-decimals`: how many digits it may have behind the point;
//! - `x-code-page`: its column lacks characters, and a text with one of them is refused.
//!
//! All but the first two stay in the document, for the tests of every entity (`tests/e2e/conformance`).

use std::path::Path;

use anyhow::{Context, Result};
use azure_sql_rest::route::Call;
use serde_json::{Map, Value, json};

use super::schemas::title;
use crate::entity::plan::Plan;
use crate::entity::plan::condition::{Compare, Condition, VALUES};
use crate::entity::project::plans;

/// An entity as `openapi.json` describes it.
pub(super) struct Entity {
    pub(super) name: String,
    pub(super) plural: String,
    /// A row as it is shown.
    schema: Value,
    /// A row as a list shows it, where that is less.
    listed: Option<Value>,
    /// The members that name a row in paths, each with its segment there.
    pub(super) key: Vec<(String, String)>,
    /// The parameters in the query by which its list is filtered and ordered, each with the parameter of the procedure.
    filters: Vec<(String, Value)>,
    /// True if a page begins behind a text that only `Link` has.
    pub(super) has_cursor: bool,
    /// By procedure, the `path` and `query` of a request, its JSON (`request`) and its answer (`response`).
    examples: Map<String, Value>,
}

impl Entity {
    /// Reads the plans of the project at `root`.
    pub(super) fn all(root: &Path) -> Result<Vec<Self>> {
        Ok(plans(root)?.iter().map(Self::of).collect())
    }

    fn of(plan: &Plan) -> Self {
        let listed = (!plan.listed.is_empty()).then(|| plan.schema(plan.in_list()));
        Self {
            name: plan.name.clone(),
            plural: plan.plural.clone(),
            schema: plan.schema(plan.shown()),
            listed,
            key: plan.segments().into_iter().map(|(segment, column)| (column.path().to_owned(), segment)).collect(),
            filters: plan
                .conditions()
                .iter()
                .map(|condition| (condition.parameter.clone(), filter(plan, condition)))
                .chain(sort(plan))
                .chain(plan.count.then(count))
                .collect(),
            has_cursor: plan.has_cursor(),
            examples: plan.examples(),
        }
    }

    /// An entity with one filter, for tests.
    #[cfg(test)]
    pub(super) fn of_filter(name: &str, plural: &str, (parameter, filter): (&str, Value), examples: &Value) -> Self {
        Self {
            name: name.to_owned(),
            plural: plural.to_owned(),
            schema: json!({}),
            listed: None,
            key: Vec::new(),
            filters: vec![(parameter.to_owned(), filter)],
            has_cursor: false,
            examples: examples.as_object().cloned().unwrap_or_default(),
        }
    }

    /// `color_name` as `ColorName`, as in the names of schemas.
    pub(super) fn title(&self) -> String {
        title(&self.name)
    }

    /// The schemas of components: a row, a list of one or none, a new row, a patch, a page, a deleted row.
    pub(super) fn schemas(&self) -> Result<Vec<(String, Value)>> {
        let title = self.title();
        let row = reference("schemas", &title);
        let listed = self.listed.as_ref().map_or_else(|| row.clone(), shown);
        let mut new = sent(&self.schema, false);
        new["description"] = json!("Lengths count UTF-16 code units. Other members are ignored.");
        let mut patch = sent(&self.schema, true);
        if let Some(members) = patch["properties"].as_object_mut() {
            for (member, _) in &self.key {
                members.shift_remove(member);
            }
        }
        patch["description"] = json!("What is absent stays as it is. `null` clears what can be null.");
        // The path has the key.
        let mut replace = new.clone();
        if let Some(required) = replace["required"].as_array_mut() {
            required.retain(|member| self.key.iter().all(|(name, _)| member != name));
        }
        let mut schemas = vec![
            (title.clone(), shown(&self.schema)),
            (format!("{title}Rows"), json!({"type": "array", "maxItems": 1, "items": row})),
            (format!("{title}Patch"), patch),
            (format!("{title}New"), new),
            (format!("{title}Page"), json!({"type": "array", "items": listed})),
        ];
        let deleted = json!({"type": "array", "minItems": 1, "maxItems": 1, "items": self.only_key()?});
        schemas.push((format!("{title}Deleted"), deleted));
        schemas.push((format!("{title}Replace"), replace));
        Ok(schemas)
    }

    /// The schema of a row that has only its key.
    fn only_key(&self) -> Result<Value> {
        let mut schema = json!({"type": "object", "required": [], "properties": {}});
        let mut required = Vec::new();
        for (name, _) in &self.key {
            let member = self.schema["properties"].get(name);
            let member = member.with_context(|| format!("the schema of {} has no {name}", self.name))?;
            schema["properties"][name] = shown(member);
            required.push(json!(name));
        }
        schema["required"] = required.into();
        Ok(schema)
    }

    /// The filter or order that is this parameter in the query.
    pub(super) fn filter(&self, name: &str) -> Option<&Value> {
        self.filters.iter().map(|(_, filter)| filter).find(|filter| filter["name"] == name)
    }

    /// The filter that is this parameter of the procedure.
    pub(super) fn filter_of(&self, parameter: &str) -> Option<&Value> {
        self.filters.iter().find(|(name, _)| name == parameter).map(|(_, filter)| filter)
    }

    pub(super) fn example(&self, call: &Call, part: &str) -> Option<&Value> {
        self.examples.get(call.procedure)?.get(part)
    }
}

/// A filter as a parameter in the query. `x-filter` says how it compares with which member.
fn filter(plan: &Plan, condition: &Condition) -> Value {
    let (by, words) = match condition.compare {
        Compare::Equal => ("equal", "is this"),
        Compare::In => ("in", "is one of these"),
        Compare::Prefix => ("prefix", "begins with this"),
        Compare::From => ("from", "is this or greater"),
        Compare::Before => ("before", "is less than this"),
    };
    let member = condition.column.path();
    let mut schema = condition.column.sql_type.schema();
    if condition.column.sql_type.is_text() {
        schema = json!({"type": "string", "minLength": 1, "maxLength": condition.length_of_value()});
    }
    let mut parameter = json!({
        "name": condition.query,
        "in": "query",
        "schema": schema,
        "description": format!("Rows whose {member} {words}"),
        "x-filter": {"member": member, "by": by},
    });
    if condition.compare == Compare::In {
        // Commas separate the values, so that no value has one.
        if condition.column.sql_type.is_text() {
            schema["pattern"] = json!("^[^,]+$");
            if let Some(texts) = plan.texts_of_check(condition.column) {
                schema["enum"] = json!(texts);
            }
        }
        parameter["schema"] = json!({"type": "array", "minItems": 1, "maxItems": VALUES, "items": schema});
        parameter["style"] = json!("form");
        parameter["explode"] = json!(false);
    }
    parameter
}

/// The order of a list as a parameter in the query.
fn sort(plan: &Plan) -> Option<(String, Value)> {
    let (values, _) = plan.sort_values();
    let parameter = json!({
        "name": "sort",
        "in": "query",
        "schema": {"type": "string", "enum": values},
        "description": "The order of the rows: by this member, and descending with `-`. By key without it",
    });
    (!values.is_empty()).then(|| ("Sort".to_owned(), parameter))
}

/// The question for the length of a list as a parameter in the query.
fn count() -> (String, Value) {
    let parameter = json!({
        "name": "count",
        "in": "query",
        "schema": {"type": "boolean"},
        "description": "If `true`, `X-Total-Count` tells how many rows the list has",
    });
    ("Count".to_owned(), parameter)
}

/// A schema as clients see it, and so for each of its members. A column's collation may accept other spellings than
/// the `enum` has.
fn shown(schema: &Value) -> Value {
    let mut seen = schema.clone();
    if let Some(schema) = seen.as_object_mut() {
        schema.remove("x-accepts");
        schema.remove("x-optional");
        for rule in ["enum", "default", "x-conflict"] {
            schema.shift_remove(rule);
        }
    }
    members(&mut seen).for_each(|(_, member)| *member = shown(member));
    seen
}

/// A schema of what clients send: nothing that is read only, `null` for what can be null. A patch requires nothing, and has no defaults.
fn sent(schema: &Value, is_patch: bool) -> Value {
    let mut written = schema.clone();
    let Some(object) = written.as_object_mut() else {
        return written;
    };
    let other = object.remove("x-accepts");
    if is_patch {
        object.shift_remove("default");
    }
    let mut required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(members) = object.get_mut("properties").and_then(Value::as_object_mut) {
        members.retain(|_, member| !is_read_only(member));
        for (name, member) in &mut *members {
            *member = sent(member, is_patch);
            if !required.contains(&json!(name)) {
                accept(member, json!("null"));
            }
            let is_optional = member.as_object_mut().and_then(|member| member.remove("x-optional"));
            required.retain(|required| is_optional != Some(json!(true)) || required != name);
        }
        required.retain(|name| name.as_str().is_some_and(|name| members.contains_key(name)));
    }
    if is_patch || required.is_empty() {
        object.remove("required");
    } else {
        object["required"] = required.into();
    }
    if let Some(other) = other {
        accept(&mut written, other);
    }
    written
}

/// Lets a schema accept another type as well.
fn accept(schema: &mut Value, other: Value) {
    if let (Some(values), true) = (schema.get_mut("enum").and_then(Value::as_array_mut), other == "null") {
        values.push(Value::Null);
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) => types.push(other),
        Some(one) => *one = json!([one, other]),
        None => *schema = json!({"anyOf": [schema, {"type": other}]}),
    }
}

fn is_read_only(schema: &Value) -> bool {
    schema["readOnly"] == true
}

fn members(schema: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    members.into_iter().flatten()
}

/// A reference to a component of the document.
pub(super) fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_checks_and_defaults_are_for_what_clients_send() {
        let open = json!({"type": "string", "enum": ["open"], "x-conflict": ["enum"], "default": "open"});
        let schema = json!({"type": "object", "required": [], "properties": {"Status": open}});
        assert_eq!(shown(&schema)["properties"]["Status"], json!({"type": "string"}));
        let member =
            json!({"type": ["string", "null"], "enum": ["open", null], "x-conflict": ["enum"], "default": "open"});
        assert_eq!(sent(&schema, false)["properties"]["Status"], member);
        let mut changed = member;
        changed.as_object_mut().unwrap().remove("default");
        assert_eq!(sent(&schema, true)["properties"]["Status"], changed);
    }

    #[test]
    fn a_filter_by_several_values_is_an_array_with_commas() {
        let text = r#"
            name = "order"
            plural = "orders"
            table = "dbo.Orders"
            script = "sql/40-order.sql"
            operations = ["list"]
            key = { column = "Id", from = "client" }
            filter = ["Id:in", "Status:in"]
            columns = [{ name = "Id", type = "smallint" }, { name = "Status", type = "varchar(9)" }]
            checks = [{ expression = "[Status]='open' OR [Status]='done'" }]
        "#;
        let plan = Plan::parse(text).unwrap();
        let filters: Vec<_> = plan.conditions().iter().map(|condition| filter(&plan, condition)).collect();
        let items = [
            json!({"type": "integer", "minimum": i16::MIN, "maximum": i16::MAX}),
            json!({"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^[^,]+$", "enum": ["open", "done"]}),
        ];
        for (member, filter, items) in [("Id", &filters[0], &items[0]), ("Status", &filters[1], &items[1])] {
            let schema = json!({"type": "array", "minItems": 1, "maxItems": 100, "items": items});
            let described = json!({
                "name": format!("{member}.in"), "in": "query", "schema": schema,
                "description": format!("Rows whose {member} is one of these"),
                "x-filter": {"member": member, "by": "in"}, "style": "form", "explode": false
            });
            assert_eq!(*filter, described);
        }
    }

    #[test]
    fn what_clients_send_follows_from_what_they_see() {
        let name = json!({"type": "string", "maxLength": 20});
        let schema = json!({
            "type": "object",
            "required": ["ColorID", "ColorName"],
            "properties": {
                "ColorID": {"$ref": "#/components/schemas/Id", "readOnly": true},
                "ColorName": name,
                "Code": {"type": "string", "x-accepts": "number"},
                "Mix": {"$ref": "#/components/schemas/Mix"}
            }
        });
        let entity = Entity {
            name: "color".into(),
            plural: "colors".into(),
            schema,
            listed: None,
            key: vec![("ColorID".into(), "id".into())],
            filters: Vec::new(),
            has_cursor: false,
            examples: Map::new(),
        };
        let schemas = entity.schemas().unwrap();
        let schema = |name| &schemas.iter().find(|(found, _)| found == name).unwrap().1;
        let sent = json!({
            "ColorName": name,
            "Code": {"type": ["string", "number", "null"]},
            "Mix": {"anyOf": [{"$ref": "#/components/schemas/Mix"}, {"type": "null"}]}
        });
        let listed = json!({"type": "object", "required": [], "properties": {"Code": {"type": "string"}}});
        let short = Entity { listed: Some(listed.clone()), ..entity };
        assert_eq!(short.schemas().unwrap()[4].1["items"], listed);
        assert_eq!(schema("Color")["properties"]["Code"], json!({"type": "string"}));
        assert_eq!(schema("ColorPage")["items"], reference("schemas", "Color"));
        assert_eq!(schema("ColorDeleted")["items"]["required"], json!(["ColorID"]));
        assert_eq!(schema("ColorNew")["properties"], sent);
        assert_eq!(schema("ColorNew")["required"], json!(["ColorName"]));
        assert_eq!(schema("ColorPatch")["properties"], sent);
        assert_eq!(schema("ColorPatch").get("required"), None);
    }
}
