//! The manifest of the Spin plugin, which a release makes, is one that Spin installs.
//!
//! The rules come from Spin 4.0.2, `crates/plugins/src/manifest.rs`, `manager.rs` and `store.rs`, and of the schema 0.1 of spin-plugins.

use std::fs;
use std::process::Command;

use jsonschema::draft201909;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{output, root};

#[test]
fn spin_installs_the_plugin_of_a_release() {
    let folder = tempfile::TempDir::new().unwrap();
    let places = ["linux-aarch64", "linux-amd64", "macos-aarch64"];
    for place in places {
        fs::write(folder.path().join(format!("azure-sql-1.2.3-{place}.tar.gz")), place).unwrap();
    }
    let mut script = Command::new(root().join("scripts/plugin.sh"));
    let (status, said) = output(script.args(["1.2.3", "https://example.com/v1.2.3"]).arg(folder.path()));
    assert!(status.success(), "{said}");
    let manifest: Value = serde_json::from_slice(&fs::read(folder.path().join("azure-sql.json")).unwrap()).unwrap();

    let text = json!({"type": "string", "minLength": 1});
    let schema = json!({
        "type": "object",
        "required": ["name", "description", "version", "spinCompatibility", "license", "packages"],
        "additionalProperties": false,
        "properties": {
            "name": {"const": "azure-sql"}, "description": text, "homepage": text, "license": text,
            "version": {"const": "1.2.3"},
            "spinCompatibility": {"type": "string", "pattern": r"^[><~^*]?=?(0|[1-9]\d*)(\.(0|[1-9]\d*))?(\.(0|[1-9]\d*))?$"},
            "packages": {"type": "array", "minItems": 1, "items": {
                "type": "object",
                "required": ["os", "arch", "url", "sha256"],
                "additionalProperties": false,
                "properties": {
                    "os": {"enum": ["linux", "macos", "windows"]}, "arch": {"enum": ["amd64", "aarch64"]},
                    "url": {"type": "string", "pattern": r"^https://[^ ]+\.tar\.gz$"},
                    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}
                }
            }}
        }
    });
    let valid = draft201909::new(&schema).unwrap().validate(&manifest).map_err(|error| error.to_string());
    assert_eq!(valid, Ok(()), "{manifest}");
    let packages = manifest["packages"].as_array().unwrap();
    assert_eq!(packages.len(), places.len());
    for (package, place) in packages.iter().zip(places) {
        assert_eq!(format!("{}-{}", package["os"].as_str().unwrap(), package["arch"].as_str().unwrap()), place);
        let sum: String = Sha256::digest(place).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(package["sha256"], sum);
        assert_eq!(package["url"], format!("https://example.com/v1.2.3/azure-sql-1.2.3-{place}.tar.gz"));
    }
}

/// Spin runs the program `azure-sql` in the archive's top folder, with any manifest.
#[test]
fn the_release_packs_the_program_under_the_name_of_the_plugin() {
    let workflow = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    for expected in [
        "-p azure-sql-rest-cli",
        "/azure-sql\n",
        "azure-sql-$version-$PLACE.tar.gz\" -C plugin azure-sql",
        "scripts/plugin.sh",
    ] {
        assert!(workflow.contains(expected), "{expected}");
    }
}
