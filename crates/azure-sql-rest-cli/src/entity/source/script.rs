//! Reads the statements of scripts strictly. A statement that is known not to matter is skipped, and one that changes the table is applied.
//! Any other statement that names the table is refused with its place.

use anyhow::{Context, Result, bail, ensure};
use sqlparser::tokenizer::Token;

use super::definition::Types;
use super::pieces::{Script, is_word};
use super::table::{Table, Trait, Trigger, is_same};
use crate::entity::plan::{Definition, ObjectKind, TableName};

/// Words that begin a statement.
const BEGINNINGS: [&str; 35] = [
    "CREATE",
    "ALTER",
    "DROP",
    "TRUNCATE",
    "INSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "SELECT",
    "WITH",
    "SET",
    "USE",
    "PRINT",
    "DECLARE",
    "EXEC",
    "EXECUTE",
    "GRANT",
    "DENY",
    "REVOKE",
    "IF",
    "ELSE",
    "BEGIN",
    "END",
    "COMMIT",
    "ROLLBACK",
    "SAVE",
    "RETURN",
    "RAISERROR",
    "THROW",
    "WHILE",
    "GO",
    "DBCC",
    "ENABLE",
    "DISABLE",
    "CHECKPOINT",
];

/// Statements that change rows, settings or rights, but no table.
const HARMLESS: [&str; 26] = [
    "INSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "SELECT",
    "WITH",
    "SET",
    "USE",
    "PRINT",
    "DECLARE",
    "GRANT",
    "DENY",
    "REVOKE",
    "IF",
    "ELSE",
    "BEGIN",
    "END",
    "COMMIT",
    "ROLLBACK",
    "SAVE",
    "RETURN",
    "RAISERROR",
    "THROW",
    "DBCC",
    "TRUNCATE",
    "CHECKPOINT",
];

/// Reads the table of this name from scripts, each with its path, in their order.
///
/// # Errors
///
/// All that is not understood, a line each.
pub(crate) fn read(scripts: &[(String, String)], name: &TableName) -> Result<Option<Table>> {
    let mut reader =
        Reader { name, table: None, types: Vec::new(), sequences: Vec::new(), text: Vec::new(), problems: Vec::new() };
    for (path, text) in scripts {
        let mut script = Script::new(text).with_context(|| format!("cannot read {path}"))?;
        while script.peek().is_some() {
            let before = script.at;
            if let Err(problem) = reader.statement(&mut script) {
                reader.problems.push(format!("{path}: {problem:#}"));
                skip(&mut script);
            }
            script.at = script.at.max(before + 1);
        }
    }
    ensure!(reader.problems.is_empty(), "{}", reader.problems.join("\n"));
    Ok(reader.finished())
}

/// Reads all tables of a schema, `Sales.*`, from scripts.
///
/// # Errors
///
/// All that is not understood, a line each.
pub(crate) fn all(scripts: &[(String, String)], tables: &str) -> Result<Vec<Table>> {
    let schema = tables.strip_suffix(".*").with_context(|| format!("{tables:?} is not Schema.*"))?;
    let of: TableName = format!("{schema}.x").parse()?;
    let mut names: Vec<TableName> = Vec::new();
    for (path, text) in scripts {
        let mut script = Script::new(text).with_context(|| format!("cannot read {path}"))?;
        while script.peek().is_some() {
            if !script.take(&["CREATE", "TABLE"]) {
                script.at += 1;
            } else if let Ok(name) = script.object()
                && is_same(&name.schema, &of.schema)
                && !names.iter().any(|other| other.is(&name))
            {
                names.push(name);
            }
        }
    }
    let tables = names.iter().map(|name| read(scripts, name));
    Ok(tables.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
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
    table: Option<Table>,
    pub(super) types: Types,
    /// Sequences and types that the scripts create, word for word.
    sequences: Vec<Definition>,
    /// Statements that create the table and what belongs to it, word for word.
    text: Vec<String>,
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
            is_default || self.types.iter().any(|(name, _)| name.is(object)) && text.contains(&object.name)
        };
        let mut ddl: Vec<_> = self.sequences.iter().filter(|definition| names(&definition.object)).cloned().collect();
        ddl.push(Definition { object: table.name.clone(), kind: ObjectKind::Table, text });
        table.ddl = ddl;
        Some(table)
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
            return self.of_table(script, first, Self::alter);
        }
        if script.take(&["DROP", "TABLE"]) {
            return self.drop_table(script);
        }
        if script.take(&["DROP", "INDEX"]) {
            return self.drop_index(script);
        }
        if HARMLESS.iter().any(|word| script.is_next(&[word])) {
            skip(script);
            return Ok(());
        }
        let line = script.line(first);
        skip(script);
        let said = script.since(first);
        let harmless =
            ["sp_addextendedproperty", "sp_updateextendedproperty", "sp_bindefault", "sp_tableoption", "sp_fulltext"];
        let is_harmless = harmless.iter().any(|name| said.to_lowercase().contains(name))
            || is_word(&script.pieces[first].token, "ENABLE")
            || said.to_uppercase().starts_with("ALTER INDEX") && !said.to_uppercase().contains("DISABLE");
        let names = said.to_lowercase().contains(&self.name.name.to_lowercase());
        ensure!(
            is_harmless || !names,
            "line {line}: {} is not understood: give a file without it, or ask the database with FROM=",
            shortened(said)
        );
        Ok(())
    }

    fn create(&mut self, script: &mut Script, first: usize) -> Result<()> {
        if script.take(&["TABLE"]) {
            return self.of_table(script, first, Self::create_table);
        }
        if script.take(&["TYPE"]) {
            let object = script.object()?;
            if script.take(&["FROM"]) {
                let sql_type = script.sql_type(&self.types)?;
                script.take(&["NOT"]);
                script.take(&["NULL"]);
                let text = format!("{};", script.since(first));
                self.types.push((object.clone(), sql_type));
                self.sequences.push(Definition { object, kind: ObjectKind::Type, text });
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
        } else if ["PROCEDURE", "PROC", "FUNCTION", "VIEW"].iter().any(|word| script.is_next(&[word])) {
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
        let is_end = script
            .peek()
            .is_none_or(|token| *token == Token::SemiColon || BEGINNINGS.iter().any(|word| is_word(token, word)));
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

/// Reads on to the next comma or the end of a table's parenthesis.
fn recover(script: &mut Script) {
    while let Some(token) = script.peek() {
        match token {
            Token::Comma | Token::RParen | Token::SemiColon => return,
            Token::LParen => {
                if script.parenthesis().is_err() {
                    script.at = script.pieces.len();
                }
            }
            _ => script.at += 1,
        }
    }
}

/// Reads a statement to its end: a semicolon, `GO`, or the beginning of another.
fn skip(script: &mut Script) {
    let is_right = ["GRANT", "DENY", "REVOKE"].iter().any(|word| script.is_next(&[word]));
    script.at += 1;
    while let Some(token) = script.peek() {
        let begins = BEGINNINGS.iter().any(|word| is_word(token, word)) && script.begins_line();
        let defines = !is_right && ["CREATE", "ALTER", "DROP"].iter().any(|word| script.is_next(&[word, "TABLE"]));
        match token {
            Token::SemiColon => return,
            _ if begins || defines => return,
            Token::LParen => {
                if script.parenthesis().is_err() {
                    script.at = script.pieces.len();
                }
            }
            _ => script.at += 1,
        }
    }
}

/// Reads a statement to its end after a part of it was read.
pub(super) fn skip_rest(script: &mut Script) {
    script.at -= 1;
    skip(script);
}

/// Reads on to `GO`: what stands between is one statement.
fn skip_batch(script: &mut Script) {
    while script.peek().is_some() && !(script.is_next(&["GO"]) && script.begins_line()) {
        script.at += 1;
    }
}

fn shortened(text: &str) -> String {
    let line: Vec<_> = text.split_whitespace().collect();
    let line = line.join(" ");
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
