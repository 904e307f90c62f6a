//! `spin.toml`: the part of a Spin manifest that this host understands.
//!
//! One component on the route `/...`, its variables and its allowed outbound hosts. A key that would change what the
//! component sees (`files`, `environment`, …) is refused. If it were ignored, this host would differ from Spin without a
//! message.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// The one component of a `spin.toml`, with its templates not yet filled in.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The key of the component.
    pub component: String,
    /// The WebAssembly file, resolved against the folder of the manifest.
    pub source: PathBuf,
    /// Where its standard output and error are kept: Spin's default, beside the manifest.
    pub log_dir: PathBuf,
    /// `[variables]`: what the application declares.
    pub declared: BTreeMap<String, Declaration>,
    /// `[component.….variables]`: what the component may read, as templates over the declared variables.
    pub variables: BTreeMap<String, String>,
    /// `allowed_outbound_hosts`, as templates over the declared variables.
    pub allowed_outbound_hosts: Vec<String>,
}

/// One entry of `[variables]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Declaration {
    /// The value when no `SPIN_VARIABLE_…` sets another one.
    pub default: Option<String>,
    /// Without a default, a variable must say that it is required, as in Spin.
    #[serde(default)]
    required: bool,
    /// Accepted; this host never prints the value of any variable.
    #[serde(default, rename = "secret")]
    _secret: bool,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    spin_manifest_version: u32,
    #[serde(default)]
    variables: BTreeMap<String, Declaration>,
    #[serde(default)]
    trigger: BTreeMap<String, Vec<Trigger>>,
    #[serde(default)]
    component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
struct Trigger {
    route: String,
    component: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    source: PathBuf,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    // Keys that do not affect a running component.
    #[serde(default, rename = "build")]
    _build: toml::Table,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not TOML, or asks for something this host does not do; the message names file and
    /// key.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).with_context(|| format!("{} cannot be used", path.display()))
    }

    fn parse(text: &str, folder: &Path) -> Result<Self> {
        let mut document: Document = toml::from_str(text)?;
        let version = document.spin_manifest_version;
        ensure!(version == 2, "spin_manifest_version is {version}, the built-in host knows version 2");
        for (name, declaration) in &document.variables {
            check_name(name).with_context(|| format!("[variables] {name:?}"))?;
            check_declaration(declaration).with_context(|| format!("[variables] {name:?}"))?;
        }
        let name = only_component(document.trigger)?;
        let Some(component) = document.component.remove(&name) else {
            bail!("[[trigger.http]] names component {name:?}, but there is no [component.{name}]");
        };
        for variable in component.variables.keys() {
            check_name(variable).with_context(|| format!("[component.{name}.variables] {variable:?}"))?;
        }
        Ok(Self {
            source: folder.join(component.source),
            log_dir: folder.join(".spin/logs"),
            declared: document.variables,
            variables: component.variables,
            allowed_outbound_hosts: component.allowed_outbound_hosts,
            component: name,
        })
    }
}

/// The component behind the one trigger that this host can serve: HTTP, on every path.
fn only_component(triggers: BTreeMap<String, Vec<Trigger>>) -> Result<String> {
    let mut http = Vec::new();
    for (kind, list) in triggers {
        ensure!(kind == "http", "[[trigger.{kind}]]: the built-in host serves HTTP triggers only");
        http = list;
    }
    match <[Trigger; 1]>::try_from(http) {
        Ok([trigger]) if trigger.route == "/..." => Ok(trigger.component),
        Ok([trigger]) => {
            bail!("[[trigger.http]] has route {:?}, the built-in host serves \"/...\" only", trigger.route)
        }
        Err(list) => bail!("there are {} [[trigger.http]], the built-in host serves exactly one", list.len()),
    }
}

fn check_declaration(declaration: &Declaration) -> Result<()> {
    match (&declaration.default, declaration.required) {
        (Some(_), true) => bail!("is required and has a default; it can only be one of these"),
        (None, false) => bail!("needs a default, or required = true"),
        _ => Ok(()),
    }
}

/// Spin's rule for names of variables: they must survive being turned into an environment variable and back.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    ensure!(
        name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(inner),
        "must start with a lower-case letter and hold only lower-case letters, digits and underscores"
    );
    ensure!(!name.ends_with('_') && !name.contains("__"), "an underscore must stand between two other characters");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"
        spin_manifest_version = 2
        [variables]
        dab_url = { default = "http://127.0.0.1:5000" }
        [[trigger.http]]
        route = "/..."
        component = "api"
        [component.api]
        source = "target/api.wasm"
        allowed_outbound_hosts = ["{{ dab_url }}"]
        [component.api.variables]
        url = "{{ dab_url }}"
    "#;

    fn refusal(text: &str) -> String {
        format!("{:#}", Manifest::parse(text, Path::new("")).expect_err("must be refused"))
    }

    #[test]
    fn the_manifests_of_this_repository_are_understood() {
        for name in ["spin.toml", "spin.wasip3.toml"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
            let manifest = Manifest::read(&path).unwrap();
            let module = manifest.component.replace('-', "_");
            assert_eq!(manifest.source.file_stem().unwrap().to_str(), Some(&*module));
            assert_eq!(manifest.allowed_outbound_hosts, ["{{ dab_url }}"]);
            assert!(manifest.variables.contains_key("settings"));
        }
    }

    #[test]
    fn the_source_is_relative_to_the_manifest() {
        let manifest = Manifest::parse(MINIMAL, Path::new("some/folder")).unwrap();
        assert_eq!(manifest.source, Path::new("some/folder/target/api.wasm"));
    }

    #[test]
    fn keys_that_would_change_the_component_are_refused_by_name() {
        let text = MINIMAL.replace("allowed_outbound_hosts", "files = [\"x\"]\nallowed_outbound_hosts");
        assert!(refusal(&text).contains("`files`"), "{}", refusal(&text));
    }

    #[test]
    fn other_triggers_routes_and_counts_are_refused() {
        assert!(refusal(&MINIMAL.replace("/...", "/api/...")).contains("route \"/api/...\""));
        assert!(refusal(&MINIMAL.replace("trigger.http", "trigger.redis")).contains("trigger.redis"));
        let twice = format!("{MINIMAL}\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"api\"");
        assert!(refusal(&twice).contains("there are 2"));
        assert!(refusal("spin_manifest_version = 2").contains("there are 0"));
        assert!(refusal(&MINIMAL.replace("component = \"api\"", "component = \"x\"")).contains("[component.x]"));
        assert!(refusal("spin_manifest_version = 1").contains("version 2"));
    }

    #[test]
    fn a_variable_has_a_default_or_is_required() {
        let with = |declaration: &str| MINIMAL.replace("{ default = \"http://127.0.0.1:5000\" }", declaration);
        assert!(Manifest::parse(&with("{ required = true, secret = true }"), Path::new("")).is_ok());
        assert!(refusal(&with("{}")).contains("needs a default"));
        assert!(refusal(&with("{ default = \"x\", required = true }")).contains("only be one"));
        assert!(refusal(&with("{ defualt = \"x\" }")).contains("defualt"));
    }

    #[test]
    fn names_follow_the_rule_of_spin() {
        for good in ["a", "dab_url", "a1_b2"] {
            check_name(good).unwrap();
        }
        for bad in ["", "A", "1a", "_a", "a_", "a__b", "a-b", "ä"] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
