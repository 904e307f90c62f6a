//! `dab/dab-config.json`: what an entity says, and the settings on which the component or the database's safety rests.

use std::fs;

use serde_json::{Value, json};

use crate::root;

/// An entity, as far as the contract goes.
pub struct Entity {
    /// Its key.
    pub name: String,
    /// `source.object`
    pub object: String,
    /// `rest.path`
    pub path: String,
    /// `rest.methods`
    pub methods: Vec<String>,
    /// `source.parameters`: name, `required`, `default`.
    pub parameters: Vec<(String, bool, Option<String>)>,
}

/// The whole file.
fn config() -> Value {
    let text = fs::read_to_string(root().join("dab/dab-config.json")).expect("dab/dab-config.json");
    serde_json::from_str(&text).expect("JSON")
}

/// Its entities.
pub fn entities() -> Vec<Entity> {
    let config = config();
    let entities = config["entities"].as_object().expect("entities");
    entities.iter().map(|(name, entity)| read(name, entity)).collect()
}

fn read(name: &str, entity: &Value) -> Entity {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let parameter = |value: &Value| {
        let default = value.get("default").map(|default| default.to_string());
        (
            text(&value["name"]),
            value["required"].as_bool().expect("required"),
            default,
        )
    };
    Entity {
        name: name.to_owned(),
        object: text(&entity["source"]["object"]),
        path: text(&entity["rest"]["path"]),
        methods: list(&entity["rest"]["methods"]).iter().map(text).collect(),
        parameters: list(&entity["source"]["parameters"]).iter().map(parameter).collect(),
    }
}

#[test]
fn an_entity_is_a_procedure_that_anonymous_may_execute_over_rest_alone() {
    for (name, entity) in config()["entities"].as_object().expect("entities") {
        assert_eq!(entity["source"]["type"], "stored-procedure", "{name}");
        assert_eq!(entity["rest"]["enabled"], true, "{name}");
        assert_eq!(
            (&entity["graphql"]["enabled"], &entity["mcp"]),
            (&json!(false), &json!(false)),
            "{name}"
        );
        let execute = json!([{"role": "anonymous", "actions": [{"action": "execute"}]}]);
        assert_eq!(entity["permissions"], execute, "{name}");
    }
}

#[test]
fn only_rest_is_served_in_production_mode_with_strict_bodies() {
    let runtime = &config()["runtime"];
    assert_eq!(runtime["host"]["mode"], "production");
    // Without the object, DAB would take a forged X-MS-CLIENT-PRINCIPAL for a login.
    assert_eq!(runtime["host"]["authentication"]["provider"], "Unauthenticated");
    assert_eq!(
        runtime["rest"],
        json!({"enabled": true, "path": "/api", "request-body-strict": true})
    );
    for off in ["graphql", "mcp", "cache"] {
        assert_eq!(runtime[off]["enabled"], false, "{off}");
    }
    assert_eq!(runtime["health"]["enabled"], true);
    assert_eq!(
        runtime["health"]["roles"],
        json!(["anonymous"]),
        "in production nobody else may read /health"
    );
}

#[test]
fn telemetry_is_switched_on_by_its_endpoint_alone() {
    let telemetry = &config()["runtime"]["telemetry"]["open-telemetry"];
    // What is not an absolute URI, such as the text of a variable that is not set, leaves it off. A boolean from a
    // variable that is not set would make the whole file invalid.
    assert_eq!(telemetry["endpoint"], "@env('OTEL_EXPORTER_OTLP_ENDPOINT')");
    assert_eq!(telemetry["enabled"], true);
    assert!(
        telemetry["service-name"].is_string(),
        "DAB has no default for it, and needs one"
    );
}

#[test]
fn the_connection_string_comes_from_the_environment() {
    let source = &config()["data-source"];
    assert_eq!(source["database-type"], "mssql");
    assert_eq!(source["connection-string"], "@env('DAB_SQL')");
    assert_eq!(source["options"]["set-session-context"], false);
    let text = config().to_string().to_lowercase();
    assert!(
        !text.contains("password") && !text.contains("pwd"),
        "no secret in the file"
    );
}

#[test]
fn the_component_looks_where_dab_serves() {
    let path = config()["runtime"]["rest"]["path"].as_str().expect("a path").to_owned();
    let manifest = fs::read_to_string(root().join("spin.toml")).expect("spin.toml");
    assert!(
        manifest.contains(&format!("dab_path = {{ default = \"{path}\" }}")),
        "spin.toml: dab_path is not {path}"
    );
}

#[test]
fn schema_and_image_are_of_one_version() {
    let schema = config()["$schema"].as_str().expect("$schema").to_owned();
    let version = schema
        .split("/download/v")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .expect("a version");
    let compose = fs::read_to_string(root().join("deploy/compose.yaml")).expect("deploy/compose.yaml");
    let image = format!("mcr.microsoft.com/azure-databases/data-api-builder:{version}");
    assert!(compose.contains(&image), "deploy/compose.yaml: {image}");
}
