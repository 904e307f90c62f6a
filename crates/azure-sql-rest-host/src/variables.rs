//! Variables: resolved at each look-up, as in Spin, by the providers and from the defaults.

use std::collections::BTreeMap;
use std::env::{self, VarError};

use anyhow::{Context, Result, bail};
use tokio::task::block_in_place;

use crate::manifest::{Manifest, check_name};

/// Reads an environment variable.
type Environment = dyn Fn(&str) -> Result<String, VarError> + Send + Sync;

/// The values of all variables of the application.
pub(crate) type Values = BTreeMap<String, String>;

/// Resolves the variables of the application and of its one component. No value is remembered, because a provider
/// may give another value the next time.
pub(crate) struct Resolver {
    component: String,
    /// The variables of the application with their defaults.
    declared: BTreeMap<String, Option<String>>,
    /// The variables of the component, as templates over the variables of the application.
    templates: BTreeMap<String, String>,
    /// The first provider.
    overrides: BTreeMap<String, String>,
    /// The second provider.
    environment: Box<Environment>,
}

/// Why there is no value, as an error of `fermyon:spin/variables`.
#[derive(Debug, PartialEq)]
pub(crate) enum Unavailable {
    /// No variable can have this name.
    InvalidName(String),
    /// The manifest gives the component no such variable.
    Undefined(String),
    /// No provider has the value, or one of them failed.
    Provider(String),
}

impl Resolver {
    /// Checks that every variable has a value now.
    ///
    /// # Errors
    ///
    /// An override or a name in a template that is not declared, a malformed template, or a required variable that
    /// nothing sets.
    pub fn new(manifest: &Manifest, overrides: &BTreeMap<String, String>) -> Result<Self> {
        Self::with_environment(manifest, overrides, Box::new(|key| env::var(key)))
    }

    fn with_environment(
        manifest: &Manifest,
        overrides: &BTreeMap<String, String>,
        environment: Box<Environment>,
    ) -> Result<Self> {
        if let Some(name) = overrides.keys().find(|name| !manifest.declared.contains_key(*name)) {
            bail!("variable {name:?} is not declared in [variables]");
        }
        let declared = manifest.declared.iter();
        let resolver = Self {
            component: manifest.component.clone(),
            declared: declared.map(|(name, declaration)| (name.clone(), declaration.default.clone())).collect(),
            templates: manifest.variables.clone(),
            overrides: overrides.clone(),
            environment,
        };
        let values = resolver.all()?;
        for (name, template) in &resolver.templates {
            fill(template, |name| declared_value(&values, name))
                .with_context(|| format!("[component.{}.variables] {name}", resolver.component))?;
        }
        Ok(resolver)
    }

    /// Reads one variable for the component.
    pub fn get(&self, name: &str) -> Result<String, Unavailable> {
        check_name(name).map_err(|error| Unavailable::InvalidName(format!("{name:?}: {error}")))?;
        let Some(template) = self.templates.get(name) else {
            let component = &self.component;
            return Err(Unavailable::Undefined(format!("no variable for {component:?}.{name:?}")));
        };
        let filled = block_in_place(|| fill(template, |name| self.value(name)));
        filled.map_err(|error| Unavailable::Provider(format!("{error:#}")))
    }

    /// Reads all variables of the application.
    pub fn all(&self) -> Result<Values> {
        let names = self.declared.keys();
        block_in_place(|| names.map(|name| Ok((name.clone(), self.value(name)?))).collect())
    }

    /// Asks the providers in turn for a variable of the application, and takes its default when none has a value. The
    /// environment is asked within `block_in_place`: once for a look-up, because each time may cost a change of thread.
    fn value(&self, name: &str) -> Result<String> {
        if let Some(value) = self.overrides.get(name) {
            return Ok(value.clone());
        }
        let key = format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
        match (self.environment)(&key) {
            Ok(value) => Ok(value),
            Err(VarError::NotUnicode(_)) => bail!("{key} is not valid UTF-8"),
            Err(VarError::NotPresent) => {
                let default = self.declared.get(name).cloned().flatten();
                default.with_context(|| format!("variable {name:?} is required: set {key}"))
            }
        }
    }
}

/// Returns the value of a declared variable, for [`fill`].
pub(crate) fn declared_value(values: &Values, name: &str) -> Result<String> {
    let value = values.get(name).cloned();
    value.with_context(|| format!("{name:?} is not declared in [variables]"))
}

/// Replaces every `{{ name }}` of a template by the value of that variable.
///
/// # Errors
///
/// An unclosed `{{`, or a name that has no value.
pub(crate) fn fill(template: &str, value: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((literal, tail)) = rest.split_once("{{") {
        let (name, tail) = tail.split_once("}}").with_context(|| format!("unmatched '{{{{' in {template:?}"))?;
        filled += literal;
        filled += &value(name.trim())?;
        rest = tail;
    }
    Ok(filled + rest)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::allowed_hosts::AllowedHosts;
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
            log_dir: PathBuf::new(),
            declared: BTreeMap::from([
                ("host".into(), default("localhost")),
                ("port".into(), default("5000")),
                ("token".into(), Declaration::default()),
            ]),
            variables: variables.iter().map(|(name, template)| ((*name).into(), (*template).into())).collect(),
            allowed_outbound_hosts: vec!["http://{{ host }}:1".into(), "http://fixed:2".into()],
        }
    }

    type Texts = &'static [(&'static str, &'static str)];

    fn resolver(variables: Texts, overrides: Texts, environment: Texts) -> Result<Resolver> {
        let overrides = overrides.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let environment = |key: &str| {
            let found = environment.iter().find(|(name, _)| *name == key);
            found.map(|(_, value)| (*value).into()).ok_or(VarError::NotPresent)
        };
        Resolver::with_environment(&manifest(variables), &overrides, Box::new(environment))
    }

    const TOKEN: Texts = &[("token", "t")];
    const ALL: Texts = &[("all", "[{{ host }}]:{{port}} {{token }}")];

    #[test]
    fn an_override_beats_the_environment_which_beats_the_default() {
        let environment = &[("SPIN_VARIABLE_PORT", "6000"), ("SPIN_VARIABLE_TOKEN", "secret")];
        let value = |overrides| resolver(ALL, overrides, environment).unwrap().get("all").unwrap();
        assert_eq!(value(&[]), "[localhost]:6000 secret");
        assert_eq!(value(&[("port", "7000")]), "[localhost]:7000 secret");
    }

    #[test]
    fn an_empty_value_in_the_environment_is_a_value() {
        let resolver = resolver(ALL, TOKEN, &[("SPIN_VARIABLE_HOST", "")]).unwrap();
        assert_eq!(resolver.get("all").unwrap(), "[]:5000 t");
    }

    #[test]
    fn a_required_variable_names_what_to_set() {
        let error = resolver(&[], &[], &[]).err().unwrap().to_string();
        assert!(error.contains("set SPIN_VARIABLE_TOKEN"), "{error}");
    }

    #[test]
    fn an_undeclared_override_is_refused() {
        let error = resolver(&[], &[("prot", "1"), ("token", "t")], &[]).err().unwrap();
        assert!(error.to_string().contains("\"prot\""), "{error}");
    }

    #[test]
    fn a_broken_template_names_its_place() {
        let error = resolver(&[("url", "{{ nothing }}")], TOKEN, &[]).err().unwrap();
        let error = format!("{error:#}");
        assert!(error.contains("[component.api.variables] url") && error.contains("\"nothing\""), "{error}");
        let fill = |template| fill(template, |_| Ok("x".into()));
        assert!(fill("{{ host }").unwrap_err().to_string().contains("unmatched"));
        assert_eq!(fill("a } b }} {c").unwrap(), "a } b }} {c");
    }

    #[test]
    fn values_are_not_templates_themselves() {
        let resolver = resolver(ALL, &[("token", "{{ host }}")], &[]).unwrap();
        assert_eq!(resolver.get("all").unwrap(), "[localhost]:5000 {{ host }}");
    }

    #[test]
    fn the_component_reads_only_what_the_manifest_gives_it() {
        let resolver = resolver(ALL, TOKEN, &[]).unwrap();
        assert!(matches!(resolver.get("host"), Err(Unavailable::Undefined(_))));
        assert!(matches!(resolver.get("No"), Err(Unavailable::InvalidName(_))));
    }

    #[test]
    fn every_look_up_asks_the_environment_and_allowed_hosts_ask_for_all_variables() {
        let asked = Arc::new(AtomicUsize::new(0));
        let asking = asked.clone();
        let environment = move |_: &str| {
            asking.fetch_add(1, Ordering::Relaxed);
            Err(VarError::NotPresent)
        };
        let manifest = manifest(&[("url", "http://{{ host }}:{{ port }}")]);
        let overrides = BTreeMap::from([("token".into(), "t".into())]);
        let resolver = Resolver::with_environment(&manifest, &overrides, Box::new(environment)).unwrap();
        asked.store(0, Ordering::Relaxed);
        for look_ups in 1..=2 {
            resolver.get("url").unwrap();
            assert_eq!(asked.load(Ordering::Relaxed), 2 * look_ups);
        }
        asked.store(0, Ordering::Relaxed);
        AllowedHosts::resolve(&manifest.allowed_outbound_hosts, &resolver).unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 2, "the third has an override");
    }

    #[tokio::test]
    #[should_panic(expected = "can call blocking only when running on the multi-threaded runtime")]
    async fn the_environment_is_asked_where_blocking_is_allowed() {
        drop(resolver(&[], TOKEN, &[]));
    }
}
