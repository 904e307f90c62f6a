//! The plan as the text of `entities/<name>.toml`: one line a column, long texts word for word.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use toml::ser::ValueSerializer;

use super::{Definition, Example, Key, Operation, Plan};

impl Plan {
    /// Reads the text of `entities/<name>.toml`.
    ///
    /// # Errors
    ///
    /// When the text is no TOML, when a member is missing, unknown or of another type, and when it names unknown columns.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let plan: Self = toml::from_str(text)?;
        let named = plan.uniques.iter().flat_map(|unique| &unique.columns);
        let named = named.chain(plan.references.iter().flat_map(|reference| &reference.columns));
        let named = named.chain(plan.filter.iter().map(|filter| &filter.column));
        let named = named.chain(plan.sort.iter().map(|sort| &sort.column));
        let named = named.chain(&plan.listed).chain(plan.key.iter().map(|key| &key.column));
        for name in named {
            plan.column(name).with_context(|| format!("there is no column {name}"))?;
        }
        ensure!(!plan.key.is_empty(), "the key has no column");
        for (at, key) in plan.key.iter().enumerate() {
            let is_new = !plan.key[..at].iter().any(|other| other.column.eq_ignore_ascii_case(&key.column));
            ensure!(is_new, "the key has the column {} twice", key.column);
        }
        for (at, column) in plan.columns.iter().enumerate() {
            let is_new = !plan.columns[..at].iter().any(|other| other.name == column.name);
            ensure!(is_new, "there are two columns {}", column.name);
        }
        Ok(plan)
    }

    /// The text of `entities/<name>.toml`. [`Plan::parse`] reads it back.
    ///
    /// # Errors
    ///
    /// Never in practice: when a value has no place in TOML.
    pub(crate) fn to_toml(&self) -> Result<String> {
        let mut text = String::new();
        let mut line = |name: &str, value: String| text.push_str(&format!("{name} = {value}\n"));
        line("name", inline(&self.name)?);
        line("plural", inline(&self.plural)?);
        line("table", inline(&self.table)?);
        if self.view {
            line("view", inline(&self.view)?);
        }
        line("script", inline(&self.script)?);
        if let Some(source) = &self.source {
            line("source", inline(source)?);
        }
        line("operations", inline(&self.operations)?);
        line("key", key_of(&self.key)?);
        if self.camel {
            line("camel", inline(&self.camel)?);
        }
        if !self.bigint.is_number() {
            line("bigint", inline(&self.bigint)?);
        }
        line("limit", inline(&self.limit)?);
        if !self.listed.is_empty() {
            line("listed", inline(&self.listed)?);
        }
        if !self.filter.is_empty() {
            line("filter", inline(&self.filter)?);
        }
        if !self.sort.is_empty() {
            line("sort", inline(&self.sort)?);
        }
        if self.count {
            line("count", inline(&self.count)?);
        }
        line("columns", lines(&self.columns)?);
        for (name, list) in [
            ("uniques", lines(&self.uniques)?),
            ("references", lines(&self.references)?),
            ("checks", lines(&self.checks)?),
            ("triggers", lines(&self.triggers)?),
        ] {
            if list != "[]" {
                line(name, list);
            }
        }
        if let Some(period) = &self.temporal {
            line("temporal", inline(period)?);
        }
        text.push_str(&sections(self)?);
        Ok(text)
    }
}

/// Writes the tables of TOML, which follow the lines.
fn sections(plan: &Plan) -> Result<String> {
    #[derive(Serialize)]
    struct Rest<'p> {
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        docs: &'p BTreeMap<String, Vec<String>>,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        examples: &'p BTreeMap<Operation, Example>,
        #[serde(skip_serializing_if = "<[Definition]>::is_empty")]
        ddl: &'p [Definition],
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        written: &'p BTreeMap<String, String>,
    }
    let Plan { docs, examples, ddl, written, .. } = plan;
    let rest = toml::to_string_pretty(&Rest { docs, examples, ddl, written })?;
    Ok(if rest.is_empty() { rest } else { format!("\n{rest}") })
}

/// The key in one line.
fn key_of(key: &[Key]) -> Result<String> {
    match key {
        [one] => inline(one),
        several => inline(several),
    }
}

fn inline<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    let mut text = String::new();
    value.serialize(ValueSerializer::new(&mut text))?;
    Ok(text)
}

/// A list with one item a line.
fn lines<T: Serialize>(items: &[T]) -> Result<String> {
    if items.is_empty() {
        return Ok("[]".to_owned());
    }
    let items = items.iter().map(|item| Ok(format!("    {},\n", inline(item)?))).collect::<Result<String>>()?;
    Ok(format!("[\n{items}]"))
}
