//! Reads the statements of scripts strictly. A statement that changes the table is applied, and `skip` knows the harmless. Any
//! other statement that names the table is refused with its place.

use anyhow::{Context, Result, bail, ensure};
use sqlparser::tokenizer::Token;

use super::definition::{Alias, DefaultOf, Types};
use super::pieces::{Script, is_word};
use super::skip::{MODULES, begins, is_harmless, names, recover, shortened, skip, skip_batch, skip_rest};
use super::table::{Found, Table, Trait, Trigger, is_same};
use crate::entity::plan::{Definition, ObjectKind, TableName};

/// Reads the table of this name from scripts, each with its path, in their order.
///
/// # Errors
///
/// All that is not understood, a line each.
pub(crate) fn read(scripts: &[(String, String)], name: &TableName) -> Result<Option<Table>> {
    read_table(&mut parsed(scripts)?, name)
}

/// Reads all tables of a schema, `Sales.*`, or all, `*`, from scripts. A table that is not understood is an error of its own.
///
/// # Errors
///
/// When a script has no words of T-SQL, or the pattern is none.
pub(crate) fn all(scripts: &[(String, String)], tables: &str) -> Result<Vec<Found>> {
    let schema = match tables {
        "*" => None,
        _ => Some(tables.strip_suffix(".*").with_context(|| format!("{tables:?} is neither Schema.* nor *"))?),
    };
    let of = schema.map(|schema| format!("{schema}.x").parse::<TableName>()).transpose()?;
    let mut scripts = parsed(scripts)?;
    let mut names: Vec<TableName> = Vec::new();
    for (_, script) in &mut scripts {
        created(script, &mut names);
    }
    names.retain(|name| of.as_ref().is_none_or(|of| is_same(&name.schema, &of.schema)));
    let mut read = |name: &TableName| {
        let within = "its CREATE TABLE is in a procedure, or a later statement drops it: give a file that creates it";
        read_table(&mut scripts, name)?.context(within)
    };
    let mut tables: Vec<_> =
        names.into_iter().map(|name| (read(&name), name)).map(|(table, name)| (name, table)).collect();
    let periods =
        tables.iter().filter_map(|(name, table)| Some((name.clone(), table.as_ref().ok()?.temporal.clone()?)));
    for (name, period) in periods.collect::<Vec<_>>() {
        let is_history = |of: &TableName| period.history.as_ref().is_some_and(|history| history.is(of));
        if let Some((_, Ok(table))) = tables.iter_mut().find(|(of, _)| is_history(of)) {
            table.traits.push(Trait::Special(format!("the history of {name}")));
        }
    }
    Ok(tables)
}

/// Collects the tables that a script creates.
fn created(script: &mut Script, names: &mut Vec<TableName>) {
    while script.peek().is_some() {
        if let Some(text) = script.executed() {
            if let Ok(mut inner) = Script::new(&text) {
                created(&mut inner, names);
            }
        } else if !script.take(&["CREATE", "TABLE"]) {
            script.at += 1;
        } else if let Ok(name) = script.object()
            && !name.name.starts_with(['#', '@'])
            && !names.iter().any(|other| other.is(&name))
        {
            names.push(name);
        }
    }
}

fn parsed(scripts: &[(String, String)]) -> Result<Vec<(&str, Script<'_>)>> {
    let mut parsed = Vec::new();
    for (path, text) in scripts {
        parsed.push((path.as_str(), Script::new(text).with_context(|| format!("cannot read {path}"))?));
    }
    Ok(parsed)
}

fn read_table(scripts: &mut [(&str, Script)], name: &TableName) -> Result<Option<Table>> {
    let mut reader = Reader {
        name,
        table: None,
        types: Vec::new(),
        sequences: Vec::new(),
        defaults: Vec::new(),
        text: Vec::new(),
        problems: Vec::new(),
    };
    for (path, script) in scripts {
        script.at = 0;
        reader.statements(script, path);
    }
    ensure!(reader.problems.is_empty(), "{}", reader.problems.join("\n"));
    Ok(reader.finished())
}

/// Reads a list of columns, as `CREATE TABLE` has it between its parentheses. `key` is short for PRIMARY KEY.
///
/// # Errors
///
/// All that is not understood.
pub(crate) fn of_columns(columns: &str, name: &TableName) -> Result<Table> {
    let script = Script::new(columns).context("cannot read the columns")?;
    let mut text = format!("CREATE TABLE {}\n(\n    ", name.quoted());
    let (mut depth, mut end) = (0, 0);
    for (at, piece) in script.pieces.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| &script.pieces[before].token);
        let is_short = is_word(&piece.token, "KEY")
            && !before.is_some_and(|before| is_word(before, "PRIMARY") || is_word(before, "FOREIGN"));
        text.push_str(&columns[end..piece.place.start]);
        text.push_str(if is_short && depth == 0 { "PRIMARY " } else { "" });
        text.push_str(&columns[piece.place.clone()]);
        end = piece.place.end;
        match piece.token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::Comma if depth == 0 => {
                text.push_str("\n    ");
                end += columns[end..].len() - columns[end..].trim_start().len();
            }
            _ => {}
        }
        ensure!(depth >= 0, "cannot read the columns: a parenthesis ends them");
        ensure!(piece.token != Token::SemiColon, "cannot read the columns: a semicolon ends them");
    }
    ensure!(depth == 0, "cannot read the columns: a parenthesis has no end");
    text.push_str("\n)");
    let scripts = [("the columns".to_owned(), text)];
    read(&scripts, name)?.context("cannot read the columns")
}

pub(super) struct Reader<'n> {
    name: &'n TableName,
    pub(super) table: Option<Table>,
    pub(super) types: Types,
    /// Sequences and types that the scripts create, word for word.
    sequences: Vec<Definition>,
    pub(super) defaults: Vec<DefaultOf>,
    /// Statements that create the table and what belongs to it, word for word.
    pub(super) text: Vec<String>,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// The table with its text.
    fn finished(self) -> Option<Table> {
        let mut table = self.table?;
        let text = self.text.join("\n");
        let names = |object: &TableName| {
            let is_default = table.columns.iter().filter_map(|column| column.default.as_ref()).any(|default| {
                default.to_lowercase().replace(['[', ']', '"'], "").contains(&object.name.to_lowercase())
            });
            is_default || self.types.iter().any(|alias| alias.name.is(object)) && text.contains(&object.name)
        };
        let mut ddl: Vec<_> = self.sequences.iter().filter(|definition| names(&definition.object)).cloned().collect();
        ddl.push(Definition { object: table.name.clone(), kind: ObjectKind::Table, text });
        table.ddl = ddl;
        Some(table)
    }

    /// Reads all statements of a script.
    fn statements(&mut self, script: &mut Script, path: &str) {
        while script.peek().is_some() {
            let before = script.at;
            if let Err(problem) = self.statement(script) {
                self.problems.push(format!("{path}: {problem:#}"));
                skip(script);
            }
            script.at = script.at.max(before + 1);
        }
    }

    /// Reads the next statement.
    fn statement(&mut self, script: &mut Script) -> Result<()> {
        let first = script.at;
        if script.take_token(&Token::SemiColon) || script.take(&["GO"]) {
            return Ok(());
        }
        if script.take(&["CREATE"]) {
            script.take(&["OR", "ALTER"]);
            return self.create(script, first);
        }
        if script.take(&["ALTER", "TABLE"]) {
            return self.alter_table(script, first);
        }
        if script.take(&["ALTER"]) && MODULES.iter().any(|word| script.is_next(&[word])) {
            skip_batch(script);
            return Ok(());
        }
        script.at = first;
        if script.take(&["DROP", "TABLE"]) {
            return self.drop_table(script);
        }
        if script.take(&["DROP", "INDEX"]) {
            return self.drop_index(script);
        }
        if script.take(&["DROP", "TRIGGER"]) {
            return self.drop_trigger(script);
        }
        if let Some(text) = script.executed() {
            let line = script.line(first);
            let mut inner = Script::new(&text).with_context(|| format!("line {line}"))?;
            self.statements(&mut inner, &format!("line {line}, in EXECUTE"));
            return Ok(());
        }
        let line = script.line(first);
        skip(script);
        let said = script.since(first);
        let pieces = &script.pieces[first..script.at];
        let is_known = self.finds_default(pieces)
            || self.drops_default(pieces)
            || self.adds_type(pieces, said)?
            || self.renames(pieces, said);
        if is_known || is_harmless(pieces) || !names(said, &self.name.name) {
            return Ok(());
        }
        bail!(
            "line {line}: {} is not understood: give a file without it, or ask the database with FROM=",
            shortened(said)
        )
    }

    /// Reads `ALTER TABLE`. What is dropped or set before the table is created was of an older table.
    fn alter_table(&mut self, script: &mut Script, first: usize) -> Result<()> {
        let object = script.object()?;
        let is_of_older = || ["DROP", "SET", "CHECK", "NOCHECK"].iter().any(|word| script.is_next(&[word]));
        if self.table.is_none() && object.is(self.name) && is_of_older() {
            skip(script);
            return Ok(());
        }
        script.at = first + 2;
        self.of_table(script, first, Self::alter)
    }

    pub(super) fn create_type(&mut self, alias: Alias, said: &str) {
        let definition = Definition { object: alias.name.clone(), kind: ObjectKind::Type, text: format!("{said};") };
        self.sequences.push(definition);
        self.types.push(alias);
    }

    fn create(&mut self, script: &mut Script, first: usize) -> Result<()> {
        if script.take(&["TABLE"]) {
            return self.of_table(script, first, Self::create_table);
        }
        if script.take(&["TYPE"]) {
            let object = script.object()?;
            if script.take(&["FROM"]) {
                let (sql_type, _) = script.sql_type(&self.types)?;
                let is_nullable = !script.take(&["NOT", "NULL"]);
                script.take(&["NULL"]);
                self.create_type(Alias { name: object, sql_type, is_nullable }, script.since(first));
                return Ok(());
            }
        } else if script.take(&["SEQUENCE"]) {
            let object = script.object()?;
            skip(script);
            let text = format!("{};", script.since(first));
            self.sequences.push(Definition { object, kind: ObjectKind::Sequence, text });
            return Ok(());
        } else if script.is_next(&["TRIGGER"]) {
            self.trigger(script)?;
            skip_batch(script);
            return Ok(());
        } else if MODULES.iter().any(|word| script.is_next(&[word])) {
            skip_batch(script);
            return Ok(());
        }
        let is_unique = script.take(&["UNIQUE"]);
        let is_plain = script.take(&["CLUSTERED"]) || {
            script.take(&["NONCLUSTERED"]);
            !script.is_next(&["COLUMNSTORE"])
        };
        if is_plain && script.take(&["INDEX"]) {
            let name = script.name()?;
            script.expect_word("ON")?;
            return self.of_table(script, first, move |_, script, table| {
                script.index_rest(table, name.clone(), is_unique, Vec::new())
            });
        }
        skip(script);
        Ok(())
    }

    /// Reads a statement about a table. Applies it and keeps its text if the table is wanted, and skips it otherwise.
    fn of_table(
        &mut self,
        script: &mut Script,
        first: usize,
        apply: impl Fn(&mut Self, &mut Script, &mut Table) -> Result<()>,
    ) -> Result<()> {
        let line = script.line(first);
        let object = script.object()?;
        if !object.is(self.name) {
            skip(script);
            return Ok(());
        }
        let is_create =
            is_word(&script.pieces[first].token, "CREATE") && is_word(&script.pieces[first + 1].token, "TABLE");
        let mut table = match (is_create, self.table.take()) {
            (true, None) => Table::new(object),
            (true, Some(table)) => {
                self.table = Some(table);
                bail!("line {line}: a second CREATE TABLE {object}: give a file with one")
            }
            (false, Some(table)) => table,
            (false, None) => bail!("line {line}: {object} is changed, and no CREATE TABLE stands before that"),
        };
        let applied = apply(self, script, &mut table);
        self.table = Some(table);
        applied?;
        let is_end = script.peek().is_none_or(|token| *token == Token::SemiColon || begins(token));
        ensure!(is_end, "{} is not understood", script.here());
        self.text.push(format!("{};", script.since(first)));
        Ok(())
    }

    fn create_table(&mut self, script: &mut Script, table: &mut Table) -> Result<()> {
        for kind in ["FileTable", "NODE", "EDGE"] {
            if script.take(&["AS", kind]) {
                table.traits.push(Trait::Special(format!("AS {kind}")));
            }
        }
        // An edge may have no columns.
        if script.peek() != Some(&Token::LParen) && !table.traits.is_empty() {
            return script.places();
        }
        script.expect(&Token::LParen)?;
        let mut problems = Vec::new();
        loop {
            if let Err(problem) = script.item(table, &self.types) {
                problems.push(format!("{problem:#}"));
                recover(script);
            }
            // SSMS leaves no comma before PERIOD and constraints, people do.
            let is_comma = script.take_token(&Token::Comma);
            if script.take_token(&Token::RParen) {
                break;
            }
            if !is_comma && !script.is_next(&["PERIOD", "FOR"]) && !script.is_next(&["CONSTRAINT"]) {
                ensure!(script.peek().is_some(), "a parenthesis has no end");
                problems.push(format!("{} is not understood", script.here()));
                recover(script);
                if !script.take_token(&Token::Comma) && script.take_token(&Token::RParen) {
                    break;
                }
            }
        }
        for kind in ["NODE", "EDGE"] {
            if script.take(&["AS", kind]) {
                table.traits.push(Trait::Special(format!("AS {kind}")));
            }
        }
        script.places()?;
        if script.take(&["WITH"]) {
            self.options(script, table)?;
        }
        ensure!(problems.is_empty(), "{}", problems.join("\n"));
        Ok(())
    }

    /// Reads the head of a trigger, which is kept when it is on the table.
    fn trigger(&mut self, script: &mut Script) -> Result<()> {
        script.expect_word("TRIGGER")?;
        let name = script.object()?;
        script.expect_word("ON")?;
        let of = script.object()?;
        let ahead = (0..12).filter_map(|count| script.ahead(count));
        let is_instead_of = ahead.take_while(|token| !is_word(token, "AS")).any(|token| is_word(token, "INSTEAD"));
        if let Some(table) = self.table.as_mut().filter(|table| table.name.is(&of)) {
            table.triggers.push(Trigger { name: name.name, is_instead_of });
        }
        Ok(())
    }

    fn drop_table(&mut self, script: &mut Script) -> Result<()> {
        script.take(&["IF", "EXISTS"]);
        loop {
            if script.object()?.is(self.name) {
                self.table = None;
                self.text.clear();
            }
            if !script.take_token(&Token::Comma) {
                return Ok(());
            }
        }
    }

    fn drop_trigger(&mut self, script: &mut Script) -> Result<()> {
        script.take(&["IF", "EXISTS"]);
        let trigger = script.object()?;
        if let Some(table) = &mut self.table {
            table.triggers.retain(|own| !is_same(&own.name, &trigger.name));
        }
        skip_rest(script);
        Ok(())
    }

    fn drop_index(&mut self, script: &mut Script) -> Result<()> {
        let first = script.at - 2;
        script.take(&["IF", "EXISTS"]);
        let index = script.object()?;
        // DROP INDEX name ON table, or DROP INDEX table.name
        let of = if script.take(&["ON"]) { script.object()? } else { TableName::new("dbo", &index.schema) };
        let Some(table) = self.table.as_mut().filter(|table| table.name.is(&of)) else {
            skip(script);
            return Ok(());
        };
        table.uniques.retain(|unique| !unique.name.as_ref().is_some_and(|name| is_same(name, &index.name)));
        script.skip_parenthesis()?;
        self.text.push(format!("{};", script.since(first)));
        Ok(())
    }
}
