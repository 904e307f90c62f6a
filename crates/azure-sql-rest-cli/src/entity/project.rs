//! The project: its entities, its scripts, and the names that are taken.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::plan::Plan;
use super::source::decoded;
use crate::generate::title;

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
    paths.iter().map(|path| Plan::parse(&text(root, path)?).with_context(|| format!("cannot use {path}"))).collect()
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

/// The scripts of `sql/`, in their order, without those that belong to an entity.
pub(super) fn scripts(root: &Path, plans: &[Plan]) -> Result<Vec<(String, String)>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(root.join("sql")).context("cannot read sql/")? {
        let path = format!("sql/{}", entry?.file_name().to_string_lossy());
        if path.ends_with(".sql") && !plans.iter().any(|plan| plan.script == path) {
            paths.push(path);
        }
    }
    paths.sort();
    paths.into_iter().map(|path| text(root, &path).map(|text| (path, text))).collect()
}

/// The path of a script that no other has: its number is between the customers and the end, and above those of the tables that the
/// entity refers to, where there is room.
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

/// Reasons for which an entity cannot have its names: a path, a procedure or a schema of `openapi.json` has one of them.
pub(super) fn taken(root: &Path, plan: &Plan, plans: &[Plan]) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    let others: Vec<_> = plans.iter().filter(|other| other.name != plan.name || !other.table.is(&plan.table)).collect();
    let routes = super::routes::without(&text(root, ROUTES_FILE)?, plan);
    let own: Vec<_> = schemas(plan).collect();
    for (what, option, name) in [("name", "NAME=", &plan.name), ("plural", "--plural ", &plan.plural)] {
        let other = others.iter().find(|other| [&other.name, &other.plural].contains(&name));
        let of_the_api = ["ready", "healthz", "readyz", "docs", "problems"];
        if let Some(other) = other {
            reasons.push(format!(
                "the {what} {name:?} is taken, by entities/{}.toml: give another with {option}…",
                other.name
            ));
        } else if of_the_api.contains(&name.as_str()) || super::routes::has_path(&routes, name) {
            reasons
                .push(format!("the {what} {name:?} is taken, by a path of {ROUTES_FILE}: give another with {option}…"));
        }
    }
    let base = crate::generate::base_schemas();
    for name in own {
        let other = others.iter().find(|other| schemas(other).any(|schema| schema == name));
        match other {
            Some(other) => reasons.push(format!(
                "openapi.json has the schema {name} already, of entities/{}.toml: give another NAME=…",
                other.name
            )),
            None if base.contains(&name) => {
                reasons.push(format!("openapi.json has the schema {name} already, for every API: give another NAME=…"))
            }
            None => {}
        }
    }
    let same_table = others.iter().find(|other| other.table.is(&plan.table));
    if let Some(other) = same_table {
        reasons.push(format!(
            "{} is served already, by entities/{}.toml: change that, and run make entity NAME={}",
            plan.table, other.name, other.name
        ));
    }
    Ok(reasons)
}

/// The names of the schemas that `openapi.json` has for an entity.
fn schemas(plan: &Plan) -> impl Iterator<Item = String> {
    let title = title(&plan.name);
    ["", "Rows", "Patch", "New", "Page", "Deleted"].into_iter().map(move |end| format!("{title}{end}"))
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
