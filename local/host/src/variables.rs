//! Variables: from declarations, environment and the caller's own values to what the component reads.

use std::collections::BTreeMap;
use std::env::{self, VarError};

use anyhow::{Context, Result, bail};

use crate::manifest::{Manifest, check_name};

/// What the component sees: its own variables, with every template filled in.
pub(crate) type Variables = BTreeMap<String, String>;

/// Looks up an environment variable; `None` when it is not set.
type Environment<'a> = &'a dyn Fn(&str) -> Result<Option<String>>;

/// The values of the declared variables, from which templates are filled in.
#[derive(Debug)]
pub(crate) struct Values(BTreeMap<String, String>);

impl Values {
    /// Gives each declared variable its value: that of `overrides`, else `SPIN_VARIABLE_<NAME>`, else its default.
    ///
    /// # Errors
    ///
    /// An override that is not declared, or a required variable that nothing sets.
    pub fn collect(manifest: &Manifest, overrides: &BTreeMap<String, String>) -> Result<Self> {
        Self::collect_from(manifest, overrides, &process_environment)
    }

    fn collect_from(
        manifest: &Manifest,
        overrides: &BTreeMap<String, String>,
        environment: Environment,
    ) -> Result<Self> {
        if let Some(name) = overrides.keys().find(|name| !manifest.declared.contains_key(*name)) {
            bail!("variable {name:?} is not declared in [variables]");
        }
        let mut values = BTreeMap::new();
        for (name, declaration) in &manifest.declared {
            let key = format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
            let value = match overrides.get(name) {
                Some(value) => Some(value.clone()),
                None => environment(&key)?.or_else(|| declaration.default.clone()),
            };
            let value = value.with_context(|| format!("variable {name:?} is required: set {key}"))?;
            values.insert(name.clone(), value);
        }
        Ok(Self(values))
    }

    /// Fills in the variables of the component.
    ///
    /// # Errors
    ///
    /// A template that is malformed or names an undeclared variable.
    pub fn of_component(&self, manifest: &Manifest) -> Result<Variables> {
        let fill = |(name, template): (&String, &String)| {
            let value = self.fill(template);
            let value = value.with_context(|| format!("[component.{}.variables] {name}", manifest.component))?;
            Ok((name.clone(), value))
        };
        manifest.variables.iter().map(fill).collect()
    }

    /// Replaces every `{{ name }}` of a template by the value of that variable.
    ///
    /// # Errors
    ///
    /// An unclosed `{{`, or a name that is not declared.
    pub fn fill(&self, template: &str) -> Result<String> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((literal, tail)) = rest.split_once("{{") {
            let (name, tail) = tail
                .split_once("}}")
                .with_context(|| format!("unmatched '{{{{' in {template:?}"))?;
            let name = name.trim();
            let value = self.0.get(name);
            filled += literal;
            filled +=
                value.with_context(|| format!("{template:?} names {name:?}, which [variables] does not declare"))?;
            rest = tail;
        }
        Ok(filled + rest)
    }
}

/// Why the component does not get a variable, in the terms of `fermyon:spin/variables`.
#[derive(Debug, PartialEq)]
pub(crate) enum Unavailable {
    /// No variable can have this name.
    InvalidName(String),
    /// The manifest gives the component no such variable.
    Undefined(String),
}

/// Reads one variable for the component.
pub(crate) fn get(variables: &Variables, component: &str, name: &str) -> Result<String, Unavailable> {
    check_name(name).map_err(|error| Unavailable::InvalidName(format!("{name:?}: {error}")))?;
    let value = variables.get(name).cloned();
    value.ok_or_else(|| Unavailable::Undefined(format!("no variable for {component:?}.{name:?}")))
}

fn process_environment(key: &str) -> Result<Option<String>> {
    match env::var(key) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => bail!("{key} is not valid UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::manifest::Declaration;

    fn manifest(variables: &[(&str, &str)]) -> Manifest {
        let default = |value: &str| {
            let mut declaration = Declaration::default();
            declaration.default = Some(value.into());
            declaration
        };
        Manifest {
            component: "api".into(),
            source: PathBuf::new(),
            declared: BTreeMap::from([
                ("host".into(), default("localhost")),
                ("port".into(), default("5000")),
                ("token".into(), Declaration::default()),
            ]),
            variables: variables
                .iter()
                .map(|(name, template)| ((*name).into(), (*template).into()))
                .collect(),
            allowed_outbound_hosts: Vec::new(),
        }
    }

    fn collect(overrides: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Values> {
        let overrides = overrides
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        let lookup = |key: &str| {
            Ok(environment
                .iter()
                .find(|(name, _)| *name == key)
                .map(|(_, value)| (*value).into()))
        };
        Values::collect_from(&manifest(&[]), &overrides, &lookup)
    }

    #[test]
    fn an_override_beats_the_environment_which_beats_the_default() {
        let environment = [("SPIN_VARIABLE_PORT", "6000"), ("SPIN_VARIABLE_TOKEN", "secret")];
        let values = collect(&[], &environment).unwrap();
        assert_eq!(
            values.fill("{{ host }}:{{port}} {{token }}").unwrap(),
            "localhost:6000 secret"
        );
        let values = collect(&[("port", "7000")], &environment).unwrap();
        assert_eq!(values.fill("{{ port }}").unwrap(), "7000");
    }

    #[test]
    fn an_empty_value_in_the_environment_is_a_value() {
        let values = collect(&[], &[("SPIN_VARIABLE_HOST", ""), ("SPIN_VARIABLE_TOKEN", "t")]).unwrap();
        assert_eq!(values.fill("[{{ host }}]").unwrap(), "[]");
    }

    #[test]
    fn a_required_variable_names_what_to_set() {
        let error = collect(&[], &[]).unwrap_err().to_string();
        assert!(error.contains("set SPIN_VARIABLE_TOKEN"), "{error}");
    }

    #[test]
    fn an_undeclared_override_is_refused() {
        let error = collect(&[("prot", "1"), ("token", "t")], &[]).unwrap_err().to_string();
        assert!(error.contains("\"prot\""), "{error}");
    }

    #[test]
    fn a_broken_template_names_its_place() {
        let values = collect(&[("token", "t")], &[]).unwrap();
        let error = format!(
            "{:#}",
            values.of_component(&manifest(&[("url", "{{ nothing }}")])).unwrap_err()
        );
        assert!(
            error.contains("[component.api.variables] url") && error.contains("\"nothing\""),
            "{error}"
        );
        assert!(values.fill("{{ host }").unwrap_err().to_string().contains("unmatched"));
        assert_eq!(values.fill("a } b }} {c").unwrap(), "a } b }} {c");
    }

    #[test]
    fn values_are_not_templates_themselves() {
        let values = collect(&[("token", "{{ host }}")], &[]).unwrap();
        assert_eq!(values.fill("{{ token }}").unwrap(), "{{ host }}");
    }

    #[test]
    fn the_component_reads_only_what_the_manifest_gives_it() {
        let values = collect(&[("token", "t")], &[]).unwrap();
        let variables = values
            .of_component(&manifest(&[("url", "http://{{ host }}:{{ port }}")]))
            .unwrap();
        assert_eq!(get(&variables, "api", "url").unwrap(), "http://localhost:5000");
        assert!(matches!(get(&variables, "api", "host"), Err(Unavailable::Undefined(_))));
        assert!(matches!(get(&variables, "api", "No"), Err(Unavailable::InvalidName(_))));
    }
}
