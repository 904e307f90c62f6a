//! Applies `ALTER TABLE` and the options of a table.

use anyhow::{Context, Result, bail, ensure};
use sqlparser::tokenizer::Token;

use super::pieces::Script;
use super::script::Reader;
use super::skip::skip_rest;
use super::table::{Table, Trait, is_same};
use crate::entity::plan::bracketed;

/// Options of a table that change nothing for the API.
const OPTIONS: [&str; 13] = [
    "DATA_COMPRESSION",
    "XML_COMPRESSION",
    "DURABILITY",
    "PAD_INDEX",
    "FILLFACTOR",
    "STATISTICS_NORECOMPUTE",
    "ALLOW_ROW_LOCKS",
    "ALLOW_PAGE_LOCKS",
    "OPTIMIZE_FOR_SEQUENTIAL_KEY",
    "LOCK_ESCALATION",
    "DISTRIBUTION",
    "SORT_IN_TEMPDB",
    "IGNORE_DUP_KEY",
];

impl Reader<'_> {
    /// Reads the options of a table, in parentheses.
    pub(super) fn options(&mut self, script: &mut Script, table: &mut Table) -> Result<()> {
        script.expect(&Token::LParen)?;
        loop {
            if script.take(&["SYSTEM_VERSIONING"]) {
                script.expect(&Token::Eq)?;
                let is_on = script.take(&["ON"]) || !script.take(&["OFF"]);
                self.versioning(script, table)?;
                if !is_on && let Some(period) = &mut table.temporal {
                    (period.history, period.retention) = (None, None);
                }
            } else if script.take(&["LEDGER"]) {
                script.expect(&Token::Eq)?;
                script.take_any(&["ON", "OFF"]);
                let inside = if script.peek() == Some(&Token::LParen) { script.parenthesis()? } else { String::new() };
                let inside = inside.to_uppercase().replace(' ', "");
                if inside.contains("APPEND_ONLY=ON") {
                    table.traits.push(Trait::AppendOnly);
                }
            } else if script.take(&["MEMORY_OPTIMIZED"]) {
                script.expect(&Token::Eq)?;
                if script.take(&["ON"]) || !script.take(&["OFF"]) {
                    table.traits.push(Trait::MemoryOptimized);
                }
            } else if OPTIONS.iter().any(|option| script.take(&[option])) {
                script.expect(&Token::Eq)?;
                script.at += 1;
                script.skip_parenthesis()?;
                if script.take(&["ON"]) {
                    script.take(&["PARTITIONS"]);
                    script.skip_parenthesis()?;
                }
            } else {
                bail!("{} is no option of a table that is known here", script.here());
            }
            if !script.take_token(&Token::Comma) {
                return script.expect(&Token::RParen);
            }
        }
    }

    fn versioning(&mut self, script: &mut Script, table: &mut Table) -> Result<()> {
        if !script.take_token(&Token::LParen) {
            return Ok(());
        }
        loop {
            let option = script.name()?.to_uppercase();
            script.expect(&Token::Eq)?;
            match option.as_str() {
                "HISTORY_TABLE" => {
                    let history = script.object()?;
                    if let Some(period) = &mut table.temporal {
                        period.history = Some(history);
                    }
                }
                "HISTORY_RETENTION_PERIOD" => {
                    let first = script.at;
                    script.at += if script.is_next(&["INFINITE"]) { 1 } else { 2 };
                    let retention = Some(script.since(first).to_owned()).filter(|text| !is_same(text, "infinite"));
                    if let Some(period) = &mut table.temporal {
                        period.retention = retention;
                    }
                }
                "DATA_CONSISTENCY_CHECK" => script.at += 1,
                _ => bail!("{option} is no option of SYSTEM_VERSIONING"),
            }
            if !script.take_token(&Token::Comma) {
                return script.expect(&Token::RParen);
            }
        }
    }

    pub(super) fn alter(&mut self, script: &mut Script, table: &mut Table) -> Result<()> {
        if script.take(&["WITH"]) {
            script.take_any(&["CHECK", "NOCHECK"]);
        }
        if script.take(&["ADD"]) {
            // ADD CONSTRAINT x DEFAULT 1 FOR y
            loop {
                match script.is_next(&["DEFAULT"]) {
                    true => script.constraint(table)?,
                    false => script.item(table, &self.types)?,
                }
                if !script.take_token(&Token::Comma) {
                    return Ok(());
                }
            }
        }
        if script.take(&["DROP"]) {
            return drop_items(script, table);
        }
        if script.take(&["ALTER", "COLUMN"]) {
            return self.alter_column(script, table);
        }
        if script.take(&["SET"]) {
            return self.options(script, table);
        }
        let is_harmless = script.take(&["CHECK", "CONSTRAINT"])
            || script.take(&["NOCHECK", "CONSTRAINT"])
            || script.take(&["ENABLE", "TRIGGER"])
            || script.take(&["ENABLE", "CHANGE_TRACKING"])
            || script.take(&["REBUILD"]);
        ensure!(is_harmless, "{} is not understood behind ALTER TABLE", script.here());
        skip_rest(script);
        Ok(())
    }

    fn alter_column(&mut self, script: &mut Script, table: &mut Table) -> Result<()> {
        let name = script.name()?;
        if script.take_any(&["ADD", "DROP"]) {
            let is_harmless = script.take_any(&["ROWGUIDCOL", "SPARSE", "PERSISTED", "HIDDEN"])
                || script.take(&["NOT", "FOR", "REPLICATION"]);
            ensure!(is_harmless, "{} is not understood behind ALTER COLUMN", script.here());
            return Ok(());
        }
        let (sql_type, is_nullable) = script.sql_type(&self.types).with_context(|| format!("column {name}"))?;
        let column = table.column_mut(&name)?;
        (column.sql_type, column.is_nullable) = (Some(sql_type), is_nullable);
        loop {
            if script.take(&["COLLATE"]) {
                column.collation = Some(script.name()?);
            } else if script.take(&["NOT", "NULL"]) {
                column.is_nullable = false;
            } else if script.take(&["NULL"]) {
                column.is_nullable = true;
            } else if !script.take(&["SPARSE"]) {
                return Ok(());
            }
        }
    }
}

/// Reads the columns and constraints that `ALTER TABLE … DROP` names, and removes them from the table.
fn drop_items(script: &mut Script, table: &mut Table) -> Result<()> {
    if script.take(&["PERIOD", "FOR", "SYSTEM_TIME"]) {
        table.temporal = None;
        return Ok(());
    }
    let mut is_column = false;
    loop {
        if script.take(&["COLUMN"]) {
            is_column = true;
        } else if script.take(&["CONSTRAINT"]) {
            is_column = false;
        }
        script.take(&["IF", "EXISTS"]);
        let name = script.name()?;
        if is_column {
            drop_column(table, &name)?;
        } else {
            drop_constraint(table, &name)?;
        }
        if !script.take_token(&Token::Comma) {
            return Ok(());
        }
    }
}

fn drop_column(table: &mut Table, name: &str) -> Result<()> {
    let name = table.column_mut(name)?.name.clone();
    let uses = table.uniques.iter().map(|unique| &unique.columns);
    let uses = uses.chain(table.references.iter().map(|reference| &reference.columns));
    ensure!(!uses.flatten().any(|used| *used == name), "column {name} is dropped, and a constraint still names it");
    table.columns.retain(|column| column.name != name);
    Ok(())
}

fn drop_constraint(table: &mut Table, name: &str) -> Result<()> {
    let is_it = |own: &Option<String>| own.as_ref().is_some_and(|own| is_same(own, name));
    let before = table.uniques.len() + table.references.len() + table.checks.len();
    table.uniques.retain(|unique| !is_it(&unique.name));
    table.references.retain(|reference| !is_it(&reference.name));
    table.checks.retain(|check| !is_it(&check.name));
    let default = table.columns.iter_mut().find(|column| is_it(&column.default_name));
    let is_default = default.is_some();
    if let Some(column) = default {
        (column.default, column.default_name) = (None, None);
    }
    let after = table.uniques.len() + table.references.len() + table.checks.len();
    ensure!(is_default || after < before, "{} has no constraint {}", table.name, bracketed(name));
    Ok(())
}
