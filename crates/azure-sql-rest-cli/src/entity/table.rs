//! A table, read from the `CREATE TABLE` of a script, with what `ALTER TABLE` and `CREATE UNIQUE INDEX` add to it there.
//!
//! `sqlparser` reads the script into tokens; what a column may have in T-SQL is read here, because that parser knows a part
//! of it alone (nothing of `GENERATED ALWAYS`, `PERIOD` or `NEXT VALUE FOR`).

use anyhow::{Context, Result, bail, ensure};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::types::ColumnType;

/// A table and what the generator needs to know of it.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The columns of the primary key.
    pub(super) key: Vec<String>,
    /// Its unique constraints and indexes, each by its columns.
    pub(super) uniques: Vec<Vec<String>>,
    /// Its foreign keys: columns, and the table that they refer to.
    pub(super) references: Vec<(Vec<String>, String)>,
    /// Whether it has a CHECK.
    pub(super) is_checked: bool,
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// Its type, or the text of one that no JSON value stands for.
    pub(super) sql_type: Result<ColumnType, String>,
    pub(super) is_nullable: bool,
    /// The expression of its default.
    pub(super) default: Option<String>,
    pub(super) filled: Filled,
}

/// Who gives a column its value.
#[derive(Debug, PartialEq)]
pub(super) enum Filled {
    /// Who inserts the row.
    ByInsert,
    Identity,
    Computed,
    /// The beginning or the end of a row's period.
    RowStart,
    RowEnd,
    /// ROWVERSION
    RowVersion,
}

impl Table {
    /// The table of this name, `schema.name`, of which `scripts` has the definition.
    ///
    /// # Errors
    ///
    /// When there is none, or it is not T-SQL as this reads it.
    pub(super) fn find(scripts: &[(String, String)], schema: &str, name: &str) -> Result<Self> {
        for (path, script) in scripts {
            let tokens = tokens(script).with_context(|| format!("cannot read {path}"))?;
            if let Some(table) = Self::read(&tokens, schema, name).with_context(|| format!("cannot use {path}"))? {
                return Ok(table);
            }
        }
        let paths: Vec<_> = scripts.iter().map(|(path, _)| path.as_str()).collect();
        let place = if paths.len() == 1 { paths[0] } else { "sql/" };
        bail!("{place} has no CREATE TABLE {schema}.{name}: name the file that has it with --ddl, or give --columns")
    }

    /// The table that a list of columns is, as a `CREATE TABLE` has it between its parentheses. `key` and `unique` are short
    /// for PRIMARY KEY and UNIQUE.
    ///
    /// # Errors
    ///
    /// When it is not such a list.
    pub(super) fn of_columns(columns: &str, schema: &str, name: &str) -> Result<Self> {
        let tokens =
            tokens(&format!("CREATE TABLE {schema}.{name} ({columns}\n)")).context("cannot read the columns")?;
        let open = tokens.iter().position(|token| *token == Token::LParen);
        let rest = &tokens[open.unwrap_or_default()..];
        ensure!(
            list_length(rest).context("cannot read the columns")? == rest.len(),
            "cannot read the columns: a parenthesis ends them"
        );
        Self::read(&tokens, schema, name)?.context("cannot read the columns")
    }

    fn read(tokens: &[Token], schema: &str, name: &str) -> Result<Option<Self>> {
        let is_table = |at: usize| {
            let (found, after) = qualified(&tokens[at..])?;
            (found.0.is_none_or(|found| found.eq_ignore_ascii_case(schema)) && found.1.eq_ignore_ascii_case(name))
                .then_some(at + after)
        };
        let mut table: Option<Self> = None;
        for at in 0..tokens.len() {
            let rest = &tokens[at..];
            if starts(rest, &["CREATE", "TABLE"])
                && let Some(open) = is_table(at + 2)
                && table.is_none()
            {
                let mut read = Self { schema: schema.into(), name: name.into(), ..Self::default() };
                for item in list(&tokens[open..])? {
                    read.item(item)?;
                }
                table = Some(read);
            } else if starts(rest, &["ALTER", "TABLE"])
                && let (Some(table), Some(after)) = (&mut table, is_table(at + 2))
            {
                let end = tokens[after..].iter().position(|token| *token == Token::SemiColon || word(token, "GO"));
                let statement = &tokens[after..end.map_or(tokens.len(), |end| after + end)];
                if let Some(add) = statement.iter().position(|token| word(token, "ADD")) {
                    for constraint in split(&statement[add + 1..]) {
                        table.constraint(constraint)?;
                    }
                }
            } else if starts(rest, &["CREATE", "UNIQUE"])
                && let Some(on) = rest.iter().take(8).position(|token| word(token, "ON"))
                && let (Some(table), Some(open)) = (&mut table, is_table(at + on + 1))
            {
                table.uniques.push(names(&tokens[open..])?);
            }
        }
        table.iter_mut().for_each(Self::spell_columns);
        Ok(table)
    }

    /// Spells columns in constraints as they are declared: SQL Server does not tell names apart by case.
    fn spell_columns(&mut self) {
        let named = self.references.iter_mut().map(|(columns, _)| columns);
        let named = named.chain(&mut self.uniques).chain([&mut self.key]);
        for name in named.flatten() {
            if let Some(column) = self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)) {
                name.clone_from(&column.name);
            }
        }
    }

    /// A column or a constraint of the table.
    fn item(&mut self, item: &[Token]) -> Result<()> {
        let is_constraint = ["CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "PERIOD", "INDEX"];
        match item.first() {
            Some(Token::Word(first))
                if first.quote_style.is_none()
                    && is_constraint.iter().any(|known| first.value.eq_ignore_ascii_case(known)) =>
            {
                self.constraint(item)
            }
            Some(Token::Word(first)) => self.column(first.value.clone(), &item[1..]),
            _ => bail!("`{}` is no column", text(item)),
        }
    }

    fn column(&mut self, name: String, mut rest: &[Token]) -> Result<()> {
        ensure!(
            self.columns.iter().all(|column| !column.name.eq_ignore_ascii_case(&name)),
            "there are two columns {name}"
        );
        let mut column = Column {
            name: name.clone(),
            sql_type: Err(text(rest)),
            is_nullable: true,
            default: None,
            filled: Filled::ByInsert,
        };
        if starts(rest, &["AS"]) {
            column.filled = Filled::Computed;
            self.columns.push(column);
            return Ok(());
        }
        ensure!(!rest.is_empty(), "column {name} has no type");
        let mut length = qualified(rest).map_or(1, |(_, used)| used);
        if rest.get(length) == Some(&Token::LParen) {
            length += list_length(&rest[length..])?;
        }
        let declared = &rest[..length.min(rest.len())];
        if ["rowversion", "timestamp"].iter().any(|known| word(&declared[0], known)) {
            column.filled = Filled::RowVersion;
        }
        column.sql_type = ColumnType::parse(&text(declared).to_lowercase()).ok_or_else(|| text(declared));
        rest = &rest[declared.len()..];
        while let Some(token) = rest.first() {
            let mut used = 1;
            if starts(rest, &["NOT", "NULL"]) {
                column.is_nullable = false;
                used = 2;
            } else if word(token, "IDENTITY") {
                column.filled = Filled::Identity;
                column.is_nullable = false;
            } else if starts(rest, &["GENERATED", "ALWAYS"]) {
                let start = rest.iter().take(6).any(|token| word(token, "START"));
                column.filled = if start { Filled::RowStart } else { Filled::RowEnd };
                used = 5.min(rest.len());
            } else if word(token, "DEFAULT") {
                let end = expression(&rest[1..])?;
                column.default = Some(text(&rest[1..=end]));
                used = 1 + end;
            } else if word(token, "PRIMARY") || word(token, "KEY") {
                ensure!(self.key.is_empty(), "there are two keys, {} and {name}", self.key.join(", "));
                self.key = vec![name.clone()];
                column.is_nullable = false;
                used = if word(token, "PRIMARY") { 2 } else { 1 };
            } else if word(token, "UNIQUE") {
                self.uniques.push(vec![name.clone()]);
            } else if word(token, "REFERENCES") {
                let ((schema, table), after) = qualified(&rest[1..]).context("REFERENCES names no table")?;
                self.references.push((vec![name.clone()], format!("{}.{table}", schema.unwrap_or("dbo"))));
                used = 1 + after;
            } else if word(token, "CHECK") {
                self.is_checked = true;
            }
            rest = &rest[used.min(rest.len())..];
            // What follows in parentheses belongs to it: a seed, a key's name, a condition.
            if rest.first() == Some(&Token::LParen) {
                rest = &rest[list_length(rest)?..];
            }
        }
        self.columns.push(column);
        Ok(())
    }

    fn constraint(&mut self, mut rest: &[Token]) -> Result<()> {
        if starts(rest, &["CONSTRAINT"]) {
            rest = rest.get(2..).unwrap_or_default();
        }
        let open = rest.iter().position(|token| *token == Token::LParen).unwrap_or(rest.len());
        if starts(rest, &["PRIMARY"]) {
            ensure!(
                self.key.is_empty(),
                "there are two keys, {} and {}",
                self.key.join(", "),
                names(&rest[open..])?.join(", ")
            );
            self.key = names(&rest[open..])?;
        } else if starts(rest, &["UNIQUE"]) {
            self.uniques.push(names(&rest[open..])?);
        } else if starts(rest, &["FOREIGN"]) {
            let at =
                rest.iter().position(|token| word(token, "REFERENCES")).context("FOREIGN KEY without REFERENCES")?;
            let ((schema, table), _) = qualified(&rest[at + 1..]).context("REFERENCES names no table")?;
            self.references.push((names(&rest[open..])?, format!("{}.{table}", schema.unwrap_or("dbo"))));
        } else if starts(rest, &["CHECK"]) {
            self.is_checked = true;
        } else if starts(rest, &["DEFAULT"])
            && let Some(at) = rest.iter().rposition(|token| word(token, "FOR"))
            && let Some(Token::Word(name)) = rest.get(at + 1)
        {
            let column = self.columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(&name.value));
            column.context("a DEFAULT is for no column")?.default = Some(text(&rest[1..at]));
        }
        Ok(())
    }
}

fn tokens(script: &str) -> Result<Vec<Token>> {
    let mut tokens = Tokenizer::new(&MsSqlDialect {}, script).tokenize()?;
    tokens.retain(|token| !matches!(token, Token::Whitespace(_)));
    Ok(tokens)
}

fn word(token: &Token, expected: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected))
}

fn starts(tokens: &[Token], words: &[&str]) -> bool {
    tokens.len() >= words.len() && tokens.iter().zip(words).all(|(token, expected)| word(token, expected))
}

/// A name with, perhaps, its schema, and how many tokens it has.
fn qualified(tokens: &[Token]) -> Option<((Option<&str>, &str), usize)> {
    let mut parts = Vec::new();
    for pair in tokens.chunks(2) {
        let Token::Word(part) = &pair[0] else { break };
        parts.push(part.value.as_str());
        if pair.get(1) != Some(&Token::Period) {
            break;
        }
    }
    let name = parts.pop()?;
    let used = 2 * parts.len() + 1;
    Some(((parts.pop(), name), used))
}

/// How many tokens a parenthesis has.
fn list_length(tokens: &[Token]) -> Result<usize> {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(at + 1);
        }
    }
    bail!("a parenthesis has no end")
}

/// What a parenthesis has between its commas.
fn list(tokens: &[Token]) -> Result<Vec<&[Token]>> {
    ensure!(tokens.first() == Some(&Token::LParen), "its columns are missing");
    Ok(split(&tokens[1..list_length(tokens)? - 1]))
}

/// Cut at the commas outside of parentheses.
fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0;
    let items = tokens.split(|token| {
        depth += i32::from(*token == Token::LParen) - i32::from(*token == Token::RParen);
        depth == 0 && *token == Token::Comma
    });
    items.filter(|item| !item.is_empty()).collect()
}

/// The columns of a key.
fn names(tokens: &[Token]) -> Result<Vec<String>> {
    let name = |item: &&[Token]| match &item[0] {
        Token::Word(word) => Ok(word.value.clone()),
        other => bail!("{other} is no column"),
    };
    list(tokens)?.iter().map(name).collect()
}

/// How many tokens the expression of a default has: a parenthesis, a sign and a literal, a call, `NEXT VALUE FOR`.
fn expression(tokens: &[Token]) -> Result<usize> {
    if starts(tokens, &["NEXT", "VALUE", "FOR"]) {
        return Ok(3 + qualified(&tokens[3..]).map_or(0, |(_, used)| used));
    }
    match tokens {
        [Token::LParen, ..] => list_length(tokens),
        [Token::Word(_), Token::LParen, ..] => Ok(1 + list_length(&tokens[1..])?),
        [Token::Minus | Token::Plus, _, ..] => Ok(2),
        [_, ..] => Ok(1),
        [] => bail!("DEFAULT has no value"),
    }
}

/// Tokens as text: no more blanks than are needed.
fn text(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        let is_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '@' | '\'');
        let token = match token {
            Token::Word(word) => word.value.clone(),
            other => other.to_string(),
        };
        if text.ends_with(is_word) && token.starts_with(is_word) || text.ends_with(',') {
            text.push(' ');
        }
        text.push_str(&token);
    }
    text
}
