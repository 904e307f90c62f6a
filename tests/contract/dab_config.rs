//! `dab/dab-config.json`: the settings on which the component or the database's safety rests.

use std::fs;

use azure_sql_rest::settings::Settings;
use serde_json::{Value, json};

use crate::root;

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

fn config() -> Value {
    serde_json::from_str(&text("dab/dab-config.json")).expect("JSON")
}

#[test]
fn only_rest_is_served_in_production_mode_with_strict_bodies() {
    let runtime = &config()["runtime"];
    assert_eq!(runtime["host"]["mode"], "production");
    // Without the object, DAB would take a forged X-MS-CLIENT-PRINCIPAL for a login.
    assert_eq!(runtime["host"]["authentication"]["provider"], "Unauthenticated");
    let rest = json!({"enabled": true, "path": "/api", "request-body-strict": true});
    assert_eq!(runtime["rest"], rest);
    for off in ["graphql", "mcp", "cache"] {
        assert_eq!(runtime[off]["enabled"], false, "{off}");
    }
    assert_eq!(runtime["health"]["enabled"], true);
    // In production nobody else may read /health.
    assert_eq!(runtime["health"]["roles"], json!(["anonymous"]));
}

#[test]
fn telemetry_is_switched_on_by_its_endpoint_alone() {
    let telemetry = &config()["runtime"]["telemetry"]["open-telemetry"];
    // A text that is no absolute URI, such as the name of a variable that is not set, leaves it off. A boolean from a
    // variable that is not set would make the whole file invalid.
    assert_eq!(telemetry["endpoint"], "@env('OTEL_EXPORTER_OTLP_ENDPOINT')");
    assert_eq!(telemetry["enabled"], true);
    assert!(telemetry["service-name"].is_string(), "DAB has no default for it");
}

#[test]
fn the_connection_string_comes_from_the_environment() {
    let source = &config()["data-source"];
    assert_eq!(source["database-type"], "mssql");
    assert_eq!(source["connection-string"], "@env('DAB_SQL')");
    assert_eq!(source["options"]["set-session-context"], false);
    let text = config().to_string().to_lowercase();
    assert!(!text.contains("password") && !text.contains("pwd"), "a secret");
}

#[test]
fn the_component_looks_where_dab_serves() {
    let config = config();
    let path = config["runtime"]["rest"]["path"].as_str().expect("a path");
    assert_eq!(Settings::parse("").unwrap().dab_path, path);
}

#[test]
fn schema_and_image_are_of_one_version() {
    let config = config();
    let schema = config["$schema"].as_str().expect("$schema");
    let (_, version) = schema.split_once("/download/v").expect("a version");
    let (version, _) = version.split_once('/').expect("a version");
    let image = format!("azure-databases/data-api-builder:{version}");
    assert!(text("deploy/compose.yaml").contains(&image), "{image}");
}
