//! The project: its entities, its scripts, and the names that are taken.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::decide::Wishes;
use super::plan::{Plan, TableName};
use super::source::decoded;
use crate::generate::schemas;

/// The file with the routes.
pub(super) const ROUTES_FILE: &str = crate::routes::FILE;

/// The plans of the project at `root`, by name.
///
/// # Errors
///
/// When a file of `entities/` is no plan, with its path.
pub(crate) fn plans(root: &Path) -> Result<Vec<Plan>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(root.join("entities")).context("cannot read entities/")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".toml") && !name.starts_with('.') {
            paths.push(format!("entities/{name}"));
        }
    }
    paths.sort();
    let plan = |path: &String| Plan::parse(&text(root, path)?).with_context(|| format!("cannot use {path}"));
    let mut plans = paths.iter().map(plan).collect::<Result<Vec<_>>>()?;
    // Rows refer to rows that refer to others.
    for _ in 0..plans.len() {
        let before = plans.clone();
        let mut is_new = false;
        for plan in &mut plans {
            is_new |= plan.refer_to(&before);
        }
        if !is_new {
            break;
        }
    }
    Ok(plans)
}

/// The plan of an entity, if there is one.
pub(super) fn plan(root: &Path, name: &str) -> Result<Option<Plan>> {
    let path = path_of(name);
    if !root.join(&path).exists() {
        return Ok(None);
    }
    Plan::parse(&text(root, &path)?).map(Some).with_context(|| format!("cannot use {path}"))
}

/// The path of an entity's plan.
pub(super) fn path_of(name: &str) -> String {
    format!("entities/{name}.toml")
}

/// The text of a file of the project.
pub(super) fn text(root: &Path, path: &str) -> Result<String> {
    let bytes = fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
    decoded(&bytes).with_context(|| format!("cannot read {path}"))
}

/// The scripts of the samples and of `sql/`, in their order, without the scripts of entities.
pub(super) fn scripts(root: &Path, plans: &[Plan]) -> Result<Vec<(String, String)>> {
    let mut paths = Vec::new();
    for folder in ["sql/samples", "sql"].into_iter().filter(|folder| root.join(folder).exists()) {
        let first = paths.len();
        for entry in fs::read_dir(root.join(folder)).with_context(|| format!("cannot read {folder}/"))? {
            let path = format!("{folder}/{}", entry?.file_name().to_string_lossy());
            if path.ends_with(".sql") && !plans.iter().any(|plan| plan.script == path) {
                paths.push(path);
            }
        }
        paths[first..].sort();
    }
    paths.into_iter().map(|path| text(root, &path).map(|text| (path, text))).collect()
}

/// Finds a path that no other script has. Its number is between the customers and the end. Where there is room, the number is above
/// the numbers of the tables to which the entity refers.
pub(super) fn free_script(root: &Path, name: &str) -> Result<String> {
    let mut taken = BTreeSet::new();
    for entry in fs::read_dir(root.join("sql")).context("cannot read sql/")? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        // Left there by a command that was stopped.
        if file.split_once('-').is_some_and(|(_, rest)| rest == format!("{name}.sql")) {
            return Ok(format!("sql/{file}"));
        }
        taken.extend(file.split('-').next().and_then(|number| number.parse::<u32>().ok()));
    }
    match (40..=88).find(|number| !taken.contains(number)) {
        Some(number) => Ok(format!("sql/{number}-{name}.sql")),
        // Scripts may share a number: nothing of an entity needs another's.
        None => Ok(format!("sql/88-{name}.sql")),
    }
}

/// Reasons for which an entity cannot have its names: a path, a procedure or a schema of `openapi.json` has one of them; or its table.
pub(super) fn taken(root: &Path, wishes: &Wishes, table: &TableName, plans: &[Plan]) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    let is_other = |plan: &&Plan| plan.name != wishes.name || !plan.table.is(table);
    let others: Vec<_> = plans.iter().filter(is_other).collect();
    let base = schemas::of_every_api();
    let routes = text(root, ROUTES_FILE)?;
    let routes = match &wishes.before {
        Some(before) => super::routes::without(&routes, before),
        // Left there by a command that was stopped.
        None => super::routes::without_calls(&routes, &wishes.name, &wishes.plural),
    };
    for (what, option, name) in [("name", "NAME=", &wishes.name), ("plural", "--plural ", &wishes.plural)] {
        let other = others.iter().find(|other| [&other.name, &other.plural].contains(&name));
        let of_the_api = ["ready", "healthz", "readyz", "docs", "problems"];
        let by = match other {
            Some(other) => format!("entities/{}.toml", other.name),
            None if of_the_api.contains(&name.as_str()) => "the API itself".to_owned(),
            None if super::routes::has_path(&routes, name) => format!("a path of {ROUTES_FILE}"),
            None => continue,
        };
        reasons.push(format!("the {what} {name:?} is taken, by {by}: give another with {option}…"));
    }
    for schema in schemas::of_entity(&wishes.name) {
        let other = others
            .iter()
            .find(|other| other.name != wishes.name && schemas::of_entity(&other.name).any(|own| own == schema));
        let of = match other {
            Some(other) => format!("of entities/{}.toml", other.name),
            None if base.contains(&schema) => "for every API".to_owned(),
            None => continue,
        };
        reasons.push(format!("openapi.json has the schema {schema} already, {of}: give another NAME=…"));
    }
    if let Some(other) = others.iter().find(|other| other.table.is(table)) {
        let name = &other.name;
        reasons.push(format!(
            "{table} is served already, by entities/{name}.toml: change that, and run make entity NAME={name}"
        ));
    }
    Ok(reasons)
}

/// Fails while other entities refer to the table of one that is removed.
pub(super) fn is_free_to_go(plan: &Plan, plans: &[Plan]) -> Result<()> {
    let refers = |other: &&Plan| {
        other.name != plan.name && other.references.iter().any(|reference| reference.table.is(&plan.table))
    };
    let names: Vec<_> = plans.iter().filter(refers).map(|other| other.name.as_str()).collect();
    if !names.is_empty() && !plan.ddl.is_empty() {
        bail!("{} refers to {}: remove that first, and then {}", names.join(", "), plan.table, plan.name);
    }
    if !names.is_empty() {
        bail!(
            "{} refers to {}, of which the local database has the rows: remove that first",
            names.join(", "),
            plan.table
        );
    }
    Ok(())
}
