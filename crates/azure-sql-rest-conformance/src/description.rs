//! The description of an API, `openapi.json`, and what it says of an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::client::Reply;

/// Returns `value`, or the component that it refers to.
fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference} is nowhere")),
        None => value,
    }
}

/// Path and method of every operation in the document.
pub fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let methods =
        paths.flat_map(|(path, item)| item.as_object().expect("operations").keys().map(move |method| (path, method)));
    methods.filter(|(_, method)| *method != "parameters").map(|(path, method)| (path.clone(), method.clone())).collect()
}

/// A document that answers are compared with.
pub struct Description<'d> {
    document: &'d Value,
    /// By the schema: to make one takes longer than an answer.
    validators: Mutex<BTreeMap<String, Validator>>,
}

impl<'d> Description<'d> {
    /// A document, read as JSON.
    pub fn new(document: &'d Value) -> Self {
        let validators = Mutex::default();
        Self { document, validators }
    }

    /// Checks an answer against what the document says about its status: content type, body and headers.
    pub fn check(&self, path: &str, method: &str, reply: &Reply) {
        let document = self.document;
        let place = format!("{method} {path}: {}", reply.status);
        let responses = &document["paths"][path][method]["responses"];
        let response = responses
            .get(reply.status.to_string())
            .or_else(|| responses.get("default"))
            .unwrap_or_else(|| panic!("{place} is not described"));
        let response = resolve(document, response);
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let header = resolve(document, header);
            let value = reply.headers.get(name.to_lowercase());
            assert!(value.is_some() || header["required"] != true, "{place}: no {name}");
            // Numbers are text in a header.
            if let Some(value) = value.filter(|_| header["schema"]["type"] != "integer") {
                let value = json!(value.to_str().expect("ASCII"));
                self.valid(&header["schema"], &value, &place);
            }
        }
        match response["content"].as_object() {
            None => assert!(reply.body.is_empty(), "{place}: a body that is not described"),
            Some(content) if method != "head" => {
                let media_type = &content[reply.header("content-type")];
                self.valid(&media_type["schema"], &reply.json(), &place);
            }
            Some(_) => assert!(reply.body.is_empty(), "{place}: HEAD with a body"),
        }
    }

    fn valid(&self, schema: &Value, instance: &Value, place: &str) {
        let mut validators = self.validators.lock().expect("no panic holds it");
        let validator = validators.entry(schema.to_string()).or_insert_with(|| {
            // References of the schema name components of the document.
            let whole = json!({"components": self.document["components"], "allOf": [schema]});
            jsonschema::draft202012::new(&whole).expect("a schema")
        });
        let outcome = validator.validate(instance).map_err(|error| format!("{error} at {}", error.instance_path()));
        drop(validators);
        assert!(outcome.is_ok(), "{place}: {}: {instance}", outcome.unwrap_err());
    }
}

/// Checks that the schemas of the document are schemas.
pub fn schemas_hold(document: &Value) {
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        let outcome = jsonschema::draft202012::meta::validate(schema);
        assert!(outcome.is_ok(), "{name}: {}", outcome.unwrap_err());
    }
}
