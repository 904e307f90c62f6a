//! The part of DAB's configuration, `dab-config.json`, that the bridge reads: paths, methods, procedures. Both read the same
//! file, so that the two cannot drift apart.
//!
//! The bridge always behaves as in production mode, and ignores `runtime.host.mode`. Unlike DAB, it does not accept comments
//! in the file.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use anyhow::{Context, Result, ensure};
use hyper::Method;
use serde::Deserialize;

use crate::procedures::Procedure;

/// The REST side of DAB's configuration.
#[derive(Debug)]
pub(crate) struct DabConfig {
    /// `runtime.rest.path`, such as `/api`.
    pub rest_path: String,
    /// True if a field that is not a parameter is an error. Otherwise such a field is ignored.
    pub request_body_strict: bool,
    /// Entities by path, without a slash in front.
    pub entities: BTreeMap<String, Entity>,
}

/// A procedure on DAB's wire.
#[derive(Debug)]
pub(crate) struct Entity {
    /// The key in `entities`, which is the name in error messages.
    pub name: String,
    pub procedure: Arc<Procedure>,
    pub methods: Vec<Method>,
    /// True if role `anonymous` may execute the procedure.
    pub is_public: bool,
    /// Defaults in the configuration, which take precedence over the defaults of the procedure.
    pub defaults: BTreeMap<String, String>,
}

impl DabConfig {
    /// Reads the file, for a bridge with these procedures.
    ///
    /// # Errors
    /// When it cannot be read, or asks for something that the bridge does not have.
    pub fn read(path: &Path, procedures: &[Arc<Procedure>]) -> Result<Self> {
        let read = || Self::parse(&fs::read_to_string(path)?, procedures);
        read().with_context(|| format!("cannot use DAB's configuration {}", path.display()))
    }

    fn parse(json: &str, procedures: &[Arc<Procedure>]) -> Result<Self> {
        let file: File = serde_json::from_str(json)?;
        let rest = file.runtime.rest;
        let rest_path = rest.path.unwrap_or_else(|| "/api".into());
        ensure!(rest.enabled.unwrap_or(true), "runtime.rest.enabled is false");
        ensure!(rest_path.starts_with('/'), "runtime.rest.path does not start with `/`");
        let mut entities = BTreeMap::new();
        let served = |entity: &EntityFile| entity.rest.enabled.unwrap_or(true);
        for (name, entity) in file.entities.into_iter().filter(|(_, entity)| served(entity)) {
            let path = entity.rest.path.as_ref().unwrap_or(&name);
            let path = path.trim_start_matches('/').to_owned();
            let entity = entity.check(&name, procedures);
            let taken = entities.insert(path, entity.with_context(|| format!("entity {name}"))?);
            ensure!(taken.is_none(), "entity {name}: its path is taken");
        }
        Ok(Self { rest_path, request_body_strict: rest.request_body_strict.unwrap_or(true), entities })
    }
}

impl EntityFile {
    fn check(self, name: &str, procedures: &[Arc<Procedure>]) -> Result<Entity> {
        let Source { kind, object, parameters } = self.source;
        ensure!(kind == "stored-procedure", "the local bridge only has stored procedures");
        let procedure = find_procedure(&object, procedures)?;
        for parameter in &parameters {
            let mut known = procedure.parameters.iter();
            ensure!(known.any(|known| known.name == parameter.name), "{object} has no parameter {}", parameter.name);
        }
        let defaults = parameters.into_iter();
        Ok(Entity {
            name: name.into(),
            procedure,
            methods: methods(&self.rest.methods)?,
            is_public: self.permissions.iter().any(|permission| permission.role == "anonymous"),
            defaults: defaults.filter_map(|parameter| Some((parameter.name, parameter.default?))).collect(),
        })
    }
}

/// The procedure that `source.object` names, perhaps in brackets.
fn find_procedure(object: &str, procedures: &[Arc<Procedure>]) -> Result<Arc<Procedure>> {
    let name = object.replace(['[', ']'], "");
    let procedure = procedures.iter().find(|procedure| procedure.name == name);
    procedure.cloned().with_context(|| {
        format!("the local bridge has no procedure {name}; add it as a script, {name}.sql, to the folder of procedures")
    })
}

/// An entity without methods accepts only POST.
fn methods(names: &[String]) -> Result<Vec<Method>> {
    if names.is_empty() {
        return Ok(vec![Method::POST]);
    }
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let parse = |name: &String| {
        let method = known.iter().find(|method| name.eq_ignore_ascii_case(method.as_str()));
        method.cloned().with_context(|| format!("{name} is not a method that DAB knows"))
    };
    names.iter().map(parse).collect()
}

// The file, as far as it is read here. An absent member has DAB's default at run time.

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    runtime: Runtime,
    entities: BTreeMap<String, EntityFile>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Runtime {
    rest: Rest,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Rest {
    enabled: Option<bool>,
    path: Option<String>,
    request_body_strict: Option<bool>,
}

#[derive(Deserialize)]
struct EntityFile {
    source: Source,
    #[serde(default)]
    rest: EntityRest,
    #[serde(default)]
    permissions: Vec<Permission>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(rename = "type")]
    kind: String,
    object: String,
    #[serde(default)]
    parameters: Vec<ParameterFile>,
}

#[derive(Deserialize)]
struct ParameterFile {
    name: String,
    default: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EntityRest {
    enabled: Option<bool>,
    path: Option<String>,
    methods: Vec<String>,
}

#[derive(Deserialize)]
struct Permission {
    role: String,
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::{
        bridge::{Bridge, Config},
        testing::procedure,
    };

    fn config(json: &str) -> Result<DabConfig> {
        DabConfig::parse(json, &[Arc::new(procedure("web.ready", ""))])
    }

    fn entity(body: &str) -> Result<Entity> {
        let config = config(&format!(r#"{{"entities":{{"get":{{{body}}}}}}}"#))?;
        Ok(config.entities.into_values().next().unwrap())
    }

    const READY: &str = r#""source":{"type":"stored-procedure","object":"[web].[ready]"}"#;

    #[test]
    fn the_project_configuration_names_every_procedure() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = TempDir::new().unwrap();
        let dab_config = root.join("dab/dab-config.json");
        let bridge = Bridge::open(Config {
            database: folder.path().join("bridge.db"),
            dab_config: dab_config.clone(),
            procedures: root.join("sqlite"),
        })
        .unwrap();
        let config = DabConfig::read(&dab_config, bridge.procedures()).unwrap();
        assert_eq!((config.rest_path.as_str(), config.request_body_strict), ("/api", true));
        let mut named: Vec<_> = config.entities.values().map(|entity| &entity.procedure.name).collect();
        let mut all: Vec<_> = bridge.procedures().iter().map(|procedure| &procedure.name).collect();
        named.sort();
        all.sort();
        assert_eq!(named, all);
        assert_eq!(config.entities["get_customer"].methods, [Method::GET]);
        assert_eq!(config.entities["put_customer"].methods, [Method::POST]);
        assert!(config.entities.values().all(|entity| entity.is_public));
    }

    #[test]
    fn defaults_are_those_of_dab() {
        let entity = entity(READY).unwrap();
        assert_eq!((&*entity.name, &*entity.procedure.name), ("get", "web.ready"));
        assert_eq!(entity.methods, [Method::POST]);
        assert!(!entity.is_public);
        let empty = config(r#"{"entities":{}}"#).unwrap();
        assert_eq!((empty.rest_path.as_str(), empty.request_body_strict), ("/api", true));
    }

    #[test]
    fn an_entity_can_be_left_out_of_rest() {
        let config = config(&format!(r#"{{"entities":{{"a":{{{READY},"rest":{{"enabled":false}}}}}}}}"#));
        assert!(config.unwrap().entities.is_empty());
    }

    #[test]
    fn what_the_bridge_does_not_have_is_an_error_at_start() {
        for (body, error) in [
            (r#""source":{"type":"table","object":"Sales.Customers"}"#, "only has stored procedures"),
            (r#""source":{"type":"stored-procedure","object":"web.nothing"}"#, "no procedure web.nothing"),
            (
                r#""source":{"type":"stored-procedure","object":"web.ready","parameters":[{"name":"x"}]}"#,
                "no parameter x",
            ),
            (&format!(r#"{READY},"rest":{{"methods":["head"]}}"#), "head is not a method"),
        ] {
            let message = format!("{:#}", entity(body).unwrap_err());
            assert!(message.contains(error), "{message}");
        }
    }
}
