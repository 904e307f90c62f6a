//! Columns and constraints, as `CREATE TABLE` and `ALTER TABLE` have them. Any unknown word is an error with its place.

use anyhow::{Context, Result, bail, ensure};
use sqlparser::tokenizer::Token;

use super::pieces::{Script, is_word};
use super::table::{Table, TableColumn, Trait, Veil, is_same};
use crate::entity::plan::{Action, Check, Filled, Identity, Period, Reference, SqlType, TableName, Unique};

/// A type of the database's own, from `CREATE TYPE … FROM` or `sp_addtype`.
pub(super) struct Alias {
    pub(super) name: TableName,
    pub(super) sql_type: SqlType,
    /// True unless a column of the type is NOT NULL where it says nothing.
    pub(super) is_nullable: bool,
}

pub(super) type Types = Vec<Alias>;

/// A variable that has the name of a column's default.
pub(super) struct DefaultOf {
    pub(super) variable: String,
    pub(super) table: TableName,
    pub(super) column: String,
}

impl Script<'_> {
    /// Reads a column or a constraint of a table.
    pub(super) fn item(&mut self, table: &mut Table, types: &Types) -> Result<()> {
        let begins = ["CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "INDEX"];
        if self.is_next(&["PERIOD", "FOR"]) || begins.iter().any(|word| self.is_next(&[word])) {
            self.constraint(table)
        } else {
            self.column(table, types)
        }
    }

    fn column(&mut self, table: &mut Table, types: &Types) -> Result<()> {
        let line = self.line(self.at);
        let name = self.name()?;
        ensure!(
            !table.columns.iter().any(|column| is_same(&column.name, &name)),
            "line {line}: there are two columns {name}"
        );
        let mut column = TableColumn {
            name: name.clone(),
            sql_type: None,
            is_nullable: true,
            collation: None,
            default: None,
            default_name: None,
            filled: Filled::ByInsert,
            veil: None,
        };
        if self.take(&["AS"]) {
            column.filled = Filled::Computed(self.expression()?);
            if self.take(&["PERSISTED"]) && self.take(&["NOT", "NULL"]) {
                column.is_nullable = false;
            }
        } else {
            let (sql_type, is_nullable) =
                self.sql_type(types).with_context(|| format!("line {line}: column {name}"))?;
            (column.sql_type, column.is_nullable) = (Some(sql_type), is_nullable);
            if sql_type == SqlType::RowVersion {
                column.filled = Filled::RowVersion;
            }
        }
        let at = table.columns.len();
        table.columns.push(column);
        self.column_options(table, at)
    }

    /// Reads a type: one of SQL Server, or an alias. Says too if a column is nullable that says nothing else.
    pub(super) fn sql_type(&mut self, types: &Types) -> Result<(SqlType, bool)> {
        let first = self.at;
        ensure!(
            matches!(self.peek(), Some(Token::Word(_) | Token::DoubleQuotedString(_))),
            "has no type: {}",
            self.here()
        );
        let own = self.object()?;
        if let Some(alias) = types.iter().find(|alias| alias.name.is(&own)) {
            return Ok((alias.sql_type, alias.is_nullable));
        }
        let is_own = self.since(first).contains('.') && !is_same(&own.schema, "sys");
        let mut name = own.name.clone();
        // NATIONAL CHARACTER VARYING, DOUBLE PRECISION
        for word in ["CHARACTER", "CHAR", "TEXT", "VARYING", "PRECISION"] {
            if self.take(&[word]) {
                name = format!("{name} {word}");
            }
        }
        if self.peek() == Some(&Token::LParen) {
            name = format!("{name}({})", self.parenthesis()?);
        }
        let remedy = "put its CREATE TYPE into the same file, or ask the database with FROM=";
        ensure!(!is_own, "is {own}, a type of the database's own: {remedy}");
        let sql_type = name.parse().with_context(|| format!("if it is a type of the database's own, {remedy}"));
        Ok((sql_type?, !is_same(&own.name, "sysname")))
    }

    fn column_options(&mut self, table: &mut Table, at: usize) -> Result<()> {
        let mut constraint = None;
        loop {
            let own = vec![table.columns[at].name.clone()];
            let column = &mut table.columns[at];
            if self.take(&["CONSTRAINT"]) {
                constraint = Some(self.name()?);
                continue;
            } else if self.take(&["NOT", "FOR", "REPLICATION"]) {
            } else if self.take(&["NOT", "NULL"]) {
                column.is_nullable = false;
            } else if self.take(&["NULL"]) {
                column.is_nullable = true;
            } else if self.take(&["IDENTITY"]) {
                column.filled = Filled::Identity(self.identity()?);
                column.is_nullable = false;
            } else if self.take(&["COLLATE"]) {
                column.collation = Some(self.name()?).filter(|name| !is_same(name, "database_default"));
            } else if self.take_any(&["SPARSE", "ROWGUIDCOL", "FILESTREAM", "HIDDEN"])
                || self.take(&["COLUMN_SET", "FOR", "ALL_SPARSE_COLUMNS"])
            {
            } else if self.take(&["MASKED", "WITH"]) {
                self.parenthesis()?;
                column.veil = Some(Veil::Masked);
            } else if self.take(&["ENCRYPTED", "WITH"]) {
                self.parenthesis()?;
                column.veil = Some(Veil::Encrypted);
            } else if self.take(&["GENERATED", "ALWAYS", "AS"]) {
                self.generated(column)?;
            } else if self.take(&["DEFAULT"]) {
                column.default = Some(self.expression()?);
                column.default_name = constraint.take();
                self.take(&["WITH", "VALUES"]);
            } else if self.is_next(&["PRIMARY", "KEY"]) || self.is_next(&["UNIQUE"]) {
                self.unique(table, constraint.take(), own)?;
            } else if self.take(&["FOREIGN", "KEY"]) || self.is_next(&["REFERENCES"]) {
                self.reference(table, constraint.take(), own)?;
            } else if self.take(&["CHECK"]) {
                self.check(table, constraint.take())?;
            } else if self.take(&["INDEX"]) {
                self.index(table, own)?;
            } else {
                ensure!(constraint.is_none(), "{} where a constraint is expected", self.here());
                return Ok(());
            }
        }
    }

    fn identity(&mut self) -> Result<Identity> {
        if self.peek() != Some(&Token::LParen) {
            return Ok(Identity(1, 1));
        }
        let line = self.line(self.at);
        let inside = self.parenthesis()?;
        let numbers: Option<Vec<i64>> = inside.split(',').map(|number| number.replace(' ', "").parse().ok()).collect();
        match numbers.as_deref() {
            Some([seed, increment]) => Ok(Identity(*seed, *increment)),
            _ => bail!("line {line}: ({inside}) is no seed and increment"),
        }
    }

    fn generated(&mut self, column: &mut TableColumn) -> Result<()> {
        if self.take(&["ROW", "START"]) {
            column.filled = Filled::RowStart;
        } else if self.take(&["ROW", "END"]) {
            column.filled = Filled::RowEnd;
        } else if self.take_any(&["TRANSACTION_ID", "SEQUENCE_NUMBER"]) && self.take_any(&["START", "END"]) {
            column.veil = Some(Veil::Ledger);
        } else {
            bail!("{} is not known behind GENERATED ALWAYS AS", self.here());
        }
        Ok(())
    }

    /// Reads a constraint of a table, without the comma behind it.
    pub(super) fn constraint(&mut self, table: &mut Table) -> Result<()> {
        let name = if self.take(&["CONSTRAINT"]) { Some(self.name()?) } else { None };
        if self.is_next(&["PRIMARY", "KEY"]) || self.is_next(&["UNIQUE"]) {
            self.unique(table, name, Vec::new())
        } else if self.take(&["FOREIGN", "KEY"]) {
            let columns = self.columns(table)?;
            self.reference(table, name, columns)
        } else if self.take(&["CHECK"]) {
            self.check(table, name)
        } else if self.take(&["INDEX"]) {
            self.index(table, Vec::new())
        } else if self.take(&["DEFAULT"]) {
            let default = self.expression()?;
            self.expect_word("FOR")?;
            let of = self.name()?;
            let column = table.column_mut(&of)?;
            (column.default, column.default_name) = (Some(default), name);
            self.take(&["WITH", "VALUES"]);
            Ok(())
        } else if self.take(&["PERIOD", "FOR", "SYSTEM_TIME"]) {
            let columns = self.columns(table)?;
            let [start, end] = columns.as_slice() else { bail!("PERIOD FOR SYSTEM_TIME has two columns") };
            let (start, end) = (start.clone(), end.clone());
            table.temporal = Some(Period { start, end, history: None, retention: None });
            Ok(())
        } else {
            bail!("{} where a constraint is expected", self.here())
        }
    }

    /// Reads `PRIMARY KEY` or `UNIQUE`, of `own` column where it names none.
    fn unique(&mut self, table: &mut Table, name: Option<String>, own: Vec<String>) -> Result<()> {
        let line = self.line(self.at);
        let is_primary = self.take(&["PRIMARY", "KEY"]) || !self.take(&["UNIQUE"]);
        self.take_any(&["CLUSTERED", "NONCLUSTERED"]);
        self.take(&["HASH"]);
        let columns = if self.peek() == Some(&Token::LParen) { self.columns(table)? } else { own };
        if is_primary {
            if let Some(other) = table.primary() {
                let (one, two) = (other.columns.join(", "), columns.join(", "));
                bail!("line {line}: there are two keys, {one} and {two}");
            }
            for column in &columns {
                table.column_mut(column)?.is_nullable = false;
            }
        }
        self.index_options(table, name.as_deref().unwrap_or("its key"))?;
        table.uniques.push(Unique { name, columns, filter: None, is_primary });
        Ok(())
    }

    /// Reads an index behind its word INDEX, or behind its name in `CREATE INDEX`.
    fn index(&mut self, table: &mut Table, own: Vec<String>) -> Result<()> {
        let name = self.name()?;
        let is_unique = self.take(&["UNIQUE"]);
        self.take_any(&["CLUSTERED", "NONCLUSTERED"]);
        self.take_any(&["HASH", "COLUMNSTORE"]);
        self.index_rest(table, name, is_unique, own)
    }

    /// Reads the parts of an index behind its kind: columns, condition, options.
    pub(super) fn index_rest(
        &mut self,
        table: &mut Table,
        name: String,
        is_unique: bool,
        own: Vec<String>,
    ) -> Result<()> {
        let columns = if self.peek() == Some(&Token::LParen) { self.columns(table)? } else { own };
        if self.take(&["INCLUDE"]) {
            self.parenthesis()?;
        }
        let filter = if self.take(&["WHERE"]) { Some(self.condition()?) } else { None };
        self.index_options(table, &name)?;
        if is_unique {
            table.uniques.push(Unique { name: Some(name), columns, filter, is_primary: false });
        }
        Ok(())
    }

    /// Reads `WITH (…)` and `ON …` of an index.
    fn index_options(&mut self, table: &mut Table, name: &str) -> Result<()> {
        if self.take(&["WITH"]) {
            let options = match self.peek() {
                Some(Token::LParen) => self.parenthesis()?,
                // WITH FILLFACTOR = 80, IGNORE_DUP_KEY
                _ => self.old_options()?,
            };
            let options = options.to_uppercase().split_whitespace().collect::<String>();
            if options.contains("IGNORE_DUP_KEY=ON") || options.split(',').any(|option| option == "IGNORE_DUP_KEY") {
                table.traits.push(Trait::IgnoresDuplicates(name.to_owned()));
            }
        }
        self.places()
    }

    fn old_options(&mut self) -> Result<String> {
        let first = self.at;
        loop {
            self.name()?;
            if self.take_token(&Token::Eq) {
                self.at += 1;
            }
            if !self.take_token(&Token::Comma) {
                return Ok(self.since(first).to_owned());
            }
        }
    }

    /// Skips the place where data is kept, which changes nothing for the API.
    pub(super) fn places(&mut self) -> Result<()> {
        while self.take_any(&["ON", "TEXTIMAGE_ON", "FILESTREAM_ON"]) {
            match self.peek() {
                Some(Token::SingleQuotedString(_)) => self.at += 1,
                _ => drop(self.name()?),
            }
            self.skip_parenthesis()?;
        }
        Ok(())
    }

    fn reference(&mut self, table: &mut Table, name: Option<String>, columns: Vec<String>) -> Result<()> {
        self.expect_word("REFERENCES")?;
        let to = self.object()?;
        let referenced = if self.peek() == Some(&Token::LParen) { self.names()? } else { Vec::new() };
        let mut reference =
            Reference { name, columns, table: to, referenced, on_delete: Action::None, on_update: Action::None };
        loop {
            if self.take(&["ON", "DELETE"]) {
                reference.on_delete = self.action()?;
            } else if self.take(&["ON", "UPDATE"]) {
                reference.on_update = self.action()?;
            } else if !self.take(&["NOT", "FOR", "REPLICATION"]) {
                table.references.push(reference);
                return Ok(());
            }
        }
    }

    fn action(&mut self) -> Result<Action> {
        let actions: [(&[&str], Action); 4] = [
            (&["NO", "ACTION"], Action::None),
            (&["CASCADE"], Action::Cascade),
            (&["SET", "NULL"], Action::SetNull),
            (&["SET", "DEFAULT"], Action::SetDefault),
        ];
        let found = actions.into_iter().find(|(words, _)| self.take(words));
        found.map(|(_, action)| action).with_context(|| format!("{} is no action of a foreign key", self.here()))
    }

    fn check(&mut self, table: &mut Table, name: Option<String>) -> Result<()> {
        self.take(&["NOT", "FOR", "REPLICATION"]);
        let expression = self.parenthesis()?;
        table.checks.push(Check { name, expression });
        Ok(())
    }

    /// Reads the columns of a key, in parentheses, and spells each as it is declared.
    fn columns(&mut self, table: &Table) -> Result<Vec<String>> {
        let line = self.line(self.at);
        let declared = |name: String| match table.column(&name) {
            Some(column) => Ok(column.name.clone()),
            None => bail!("line {line}: {} has no column {name}", table.name),
        };
        self.names()?.into_iter().map(declared).collect()
    }

    /// Reads names in parentheses.
    fn names(&mut self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        self.expect(&Token::LParen)?;
        loop {
            names.push(self.name()?);
            self.take_any(&["ASC", "DESC"]);
            if !self.take_token(&Token::Comma) {
                self.expect(&Token::RParen)?;
                return Ok(names);
            }
        }
    }

    /// Reads an expression, and returns it word for word.
    pub(super) fn expression(&mut self) -> Result<String> {
        let first = self.at;
        loop {
            while self.take_token(&Token::Minus) || self.take_token(&Token::Plus) || self.take_token(&Token::Tilde) {}
            self.operand()?;
            let operators = [Token::Plus, Token::Minus, Token::Mul, Token::Div, Token::Mod];
            if !operators.iter().any(|operator| self.take_token(operator)) {
                return Ok(self.since(first).to_owned());
            }
        }
    }

    fn operand(&mut self) -> Result<()> {
        if self.take(&["NEXT", "VALUE", "FOR"]) {
            self.object()?;
            return Ok(());
        }
        match self.peek() {
            Some(Token::LParen) => drop(self.parenthesis()?),
            Some(Token::Word(_)) => {
                self.object()?;
                self.skip_parenthesis()?;
            }
            Some(
                Token::Number(..)
                | Token::SingleQuotedString(_)
                | Token::NationalStringLiteral(_)
                | Token::HexStringLiteral(_)
                // $1.50
                | Token::Placeholder(_),
            ) => self.at += 1,
            _ => bail!("{} where an expression is expected", self.here()),
        }
        Ok(())
    }

    /// Reads the condition of an index up to what can follow it, and returns it word for word.
    fn condition(&mut self) -> Result<String> {
        let first = self.at;
        while let Some(token) = self.peek() {
            let is_end = matches!(token, Token::Comma | Token::RParen | Token::SemiColon)
                || ["WITH", "ON", "GO", "CREATE", "ALTER", "DROP", "EXEC"].iter().any(|word| is_word(token, word));
            if is_end {
                break;
            }
            match token {
                Token::LParen => drop(self.parenthesis()?),
                _ => self.at += 1,
            }
        }
        ensure!(self.at > first, "{} where a condition is expected", self.here());
        Ok(self.since(first).to_owned())
    }
}
