//! Statements that are texts: `EXEC(N'…')`, as scripts have them that must run more than once.

use anyhow::Result;
use sqlparser::tokenizer::Token;

use super::definition::{Alias, DefaultOf};
use super::pieces::{Piece, Script, is_word};
use super::script::Reader;
use super::table::{Table, is_same};
use crate::entity::plan::{Filled, TableName, bracketed};

impl Script<'_> {
    /// Reads `EXEC('…')` or `EXEC sp_executesql N'…'` of one text, and returns the text.
    pub(super) fn executed(&mut self) -> Option<String> {
        let first = self.at;
        if self.take_any(&["EXEC", "EXECUTE"]) {
            let is_open = self.take_token(&Token::LParen);
            for owner in ["sys", "dbo"] {
                if self.take(&[owner]) {
                    self.take_token(&Token::Period);
                }
            }
            if is_open || self.take(&["sp_executesql"]) {
                if self.take(&["@statement"]) || self.take(&["@stmt"]) {
                    self.take_token(&Token::Eq);
                }
                let text = self.peek().and_then(text);
                self.at += 1;
                let is_end = !is_open || self.take_token(&Token::RParen);
                let is_whole = is_end && !matches!(self.peek(), Some(Token::Plus | Token::Comma));
                if let Some(text) = text.filter(|_| is_whole) {
                    return Some(text);
                }
            }
        }
        self.at = first;
        None
    }
}

impl Reader<'_> {
    /// Remembers that a variable has the name of a column's default, as the migrations of Entity Framework ask for it:
    /// `SELECT @var = [d].[name] FROM [sys].[default_constraints] … OBJECT_ID(N'[Colors]') AND [c].[name] = N'Name'`.
    pub(super) fn finds_default(&mut self, statement: &[Piece]) -> bool {
        let [select, variable, equals, ..] = statement else { return false };
        let Token::Word(variable) = &variable.token else { return false };
        let is_word_of = |piece: &Piece, name: &str| matches!(&piece.token, Token::Word(word) if word.value.eq_ignore_ascii_case(name));
        let asks = statement.iter().any(|piece| is_word_of(piece, "default_constraints"));
        if !(is_word(&select.token, "SELECT") && equals.token == Token::Eq && asks) {
            return false;
        }
        let texts: Vec<_> = statement.iter().filter_map(|piece| text(&piece.token)).collect();
        let [table, column] = texts.as_slice() else { return false };
        let Ok(table) = table.parse() else { return false };
        let variable = variable.value.to_lowercase();
        self.defaults.retain(|default| default.variable != variable);
        self.defaults.push(DefaultOf { variable, table, column: column.clone() });
        true
    }

    /// Drops the default whose name is in a variable: `EXEC(N'ALTER TABLE [Colors] DROP CONSTRAINT [' + @var + '];')`.
    pub(super) fn drops_default(&mut self, statement: &[Piece]) -> bool {
        let tokens: Vec<_> = statement.iter().map(|piece| &piece.token).collect();
        let [exec, Token::LParen, before, Token::Plus, Token::Word(variable), Token::Plus, _, Token::RParen] =
            tokens.as_slice()
        else {
            return false;
        };
        let variable = variable.value.to_lowercase();
        let known = self.defaults.iter().find(|default| default.variable == variable);
        let is_exec = is_word(exec, "EXEC") || is_word(exec, "EXECUTE");
        let before = text(before).filter(|_| is_exec).unwrap_or_default();
        let named = before.trim_end_matches([' ', '[']).strip_suffix(" DROP CONSTRAINT");
        let named = named.and_then(|rest| rest.strip_prefix("ALTER TABLE ")?.parse::<TableName>().ok());
        let Some((known, named)) = known.zip(named).filter(|(known, named)| named.is(&known.table)) else {
            return false;
        };
        let Some(table) = self.table.as_mut().filter(|table| table.name.is(&named)) else { return true };
        let Ok(column) = table.column_mut(&known.column) else { return false };
        let name = column.name.clone();
        if let (Some(_), own) = (column.default.take(), column.default_name.take()) {
            let quoted = table.name.quoted();
            self.text.push(match own {
                Some(own) => format!("ALTER TABLE {quoted} DROP CONSTRAINT {};", bracketed(&own)),
                None => dropped_default(&quoted, &name, self.text.len()),
            });
        }
        true
    }
}

impl Reader<'_> {
    /// Adds a type as scripts of SQL Server 2000 do: `EXEC sp_addtype id, 'varchar(11)', 'NOT NULL'`.
    pub(super) fn adds_type(&mut self, statement: &[Piece], said: &str) -> Result<bool> {
        let arguments = arguments(statement, "sp_addtype");
        let [name, sql_type, ..] = arguments.as_slice() else { return Ok(false) };
        let is_nullable = arguments.get(2).is_none_or(|word| is_same(word, "NULL"));
        self.create_type(Alias { name: name.parse()?, sql_type: sql_type.parse()?, is_nullable }, said);
        Ok(true)
    }

    /// Renames a column or an index: `EXEC sp_rename N'[Colors].[Old]', N'New', N'COLUMN'`. False if this is another statement, or if an
    /// expression of the table can have the old name.
    pub(super) fn renames(&mut self, statement: &[Piece], said: &str) -> bool {
        let arguments = arguments(statement, "sp_rename");
        let [path, to, kind] = arguments.as_slice() else { return false };
        let Ok(parts) = Script::new(path).and_then(|mut script| script.parts()) else { return false };
        let [of @ .., from] = parts.as_slice() else { return false };
        let of = match of {
            [name] => TableName::new("dbo", name),
            [.., schema, name] => TableName::new(schema, name),
            [] => return false,
        };
        let Some(table) = self.table.as_mut().filter(|table| table.name.is(&of)) else { return false };
        let is_done = match kind.to_uppercase().as_str() {
            "COLUMN" => rename_column(table, from, to),
            "INDEX" => {
                let names = table.uniques.iter_mut().filter_map(|unique| unique.name.as_mut());
                names.filter(|name| is_same(name, from)).for_each(|name| name.clone_from(to));
                true
            }
            _ => false,
        };
        if is_done {
            self.text.push(format!("{said};"));
        }
        is_done
    }
}

fn rename_column(table: &mut Table, from: &str, to: &str) -> bool {
    let computed = table.columns.iter().filter_map(|column| match &column.filled {
        Filled::Computed(expression) => Some(expression.as_str()),
        _ => None,
    });
    let filters = table.uniques.iter().filter_map(|unique| unique.filter.as_deref());
    let checks = table.checks.iter().map(|check| check.expression.as_str());
    if computed.chain(filters).chain(checks).any(|expression| expression.to_lowercase().contains(&from.to_lowercase()))
    {
        return false;
    }
    let Ok(column) = table.column_mut(from) else { return false };
    to.clone_into(&mut column.name);
    let uniques = table.uniques.iter_mut().flat_map(|unique| &mut unique.columns);
    let names = uniques.chain(table.references.iter_mut().flat_map(|reference| &mut reference.columns));
    let periods = table.temporal.iter_mut().flat_map(|period| [&mut period.start, &mut period.end]);
    names.chain(periods).filter(|name| is_same(name, from)).for_each(|name| to.clone_into(name));
    true
}

/// The last word of each argument of a call of this procedure; none for another statement.
fn arguments(statement: &[Piece], procedure: &str) -> Vec<String> {
    let is_exec =
        statement.first().is_some_and(|first| is_word(&first.token, "EXEC") || is_word(&first.token, "EXECUTE"));
    let at = statement.iter().take(4).position(|piece| is_word(&piece.token, procedure)).filter(|_| is_exec);
    let values = at.map(|at| &statement[at + 1..]).unwrap_or_default().split(|piece| piece.token == Token::Comma);
    let value = |value: &[Piece]| match &value.last()?.token {
        Token::Word(word) => Some(word.value.clone()),
        token => text(token),
    };
    values.filter_map(value).collect()
}

/// Statements that drop a default without a name of its own.
fn dropped_default(table: &str, column: &str, at: usize) -> String {
    let literal = |text: &str| format!("N'{}'", text.replace('\'', "''"));
    let (alter, of, column) =
        (literal(&format!("ALTER TABLE {table} DROP CONSTRAINT ")), literal(table), literal(column));
    format!(
        "DECLARE @Drop{at} NVARCHAR(MAX) = (\n    SELECT CONCAT({alter}, QUOTENAME(d.name))\n    FROM sys.default_constraints AS d\n    \
         WHERE d.parent_object_id = OBJECT_ID({of}, N'U') AND COL_NAME(d.parent_object_id, d.parent_column_id) = {column}\n);\n\
         EXECUTE (@Drop{at});"
    )
}

fn text(token: &Token) -> Option<String> {
    match token {
        Token::SingleQuotedString(text) | Token::NationalStringLiteral(text) => Some(text.clone()),
        _ => None,
    }
}
