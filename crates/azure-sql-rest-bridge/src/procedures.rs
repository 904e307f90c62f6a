//! Stored procedures: their parameters and columns, and how they are executed. Each is a [script](crate::scripts).

use std::fmt;

use anyhow::{Context, Result, anyhow, bail, ensure};
use rusqlite::{CachedStatement, Connection, ffi};

pub use crate::arguments::Value;

use crate::{
    arguments::{Arguments, REQUEST_KEY},
    ledger::{self, Claim},
    rows,
};

/// A stored procedure, which returns exactly one row.
#[derive(Clone, Debug)]
pub struct Procedure {
    /// Schema and name, as `source.object` of dab-config.json spells them.
    pub name: String,
    /// The parameters in the order of their declaration.
    pub parameters: Vec<Parameter>,
    /// The names of its row's columns, in order. [`column_type`] returns their types.
    pub columns: Vec<String>,
    /// The statements of its script.
    pub(crate) statements: Vec<String>,
    /// The procedure for one row, for a procedure of many rows, which has no statements.
    pub(crate) one: Option<Box<Procedure>>,
}

/// A parameter of a procedure.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The name without `@`; case-sensitive on DAB's wire.
    pub name: String,
    /// Its declared type.
    pub sql_type: SqlType,
    /// Its value when a caller leaves it out; without a default the call fails (SQL error 201).
    pub default: Option<Value>,
}

/// The types of parameters and result columns. `Display` writes them as T-SQL does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SqlType {
    /// `INT`: 32 bits, signed.
    Int,
    /// `BIGINT`: 64 bits, signed.
    BigInt,
    /// `UNIQUEIDENTIFIER`, written in upper case.
    Guid,
    /// `BIT`: true or false.
    Bit,
    /// `NVARCHAR(n)`: at most n UTF-16 code units; `None` is `NVARCHAR(MAX)`. SQL Server silently cuts off an argument
    /// that is longer.
    NVarChar(Option<u16>),
}

impl fmt::Display for SqlType {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Int => formatter.write_str("INT"),
            Self::BigInt => formatter.write_str("BIGINT"),
            Self::Guid => formatter.write_str("UNIQUEIDENTIFIER"),
            Self::Bit => formatter.write_str("BIT"),
            Self::NVarChar(Some(length)) => write!(formatter, "NVARCHAR({length})"),
            Self::NVarChar(None) => formatter.write_str("NVARCHAR(MAX)"),
        }
    }
}

/// The columns that a row can have, in their order. The column without a name is the row's id, under any name.
pub(crate) const COLUMNS: [&str; 7] = ["Status", "ETag", "", "NextAfter", "Total", REPLAYED, "Json"];

/// The column that no script returns: the bridge adds it to the row of each script that writes.
pub(crate) const REPLAYED: &str = "Replayed";

/// The type of a result column. `None` for a key, which has the type of the table's key.
pub fn column_type(name: &str) -> Option<SqlType> {
    match name {
        "Status" => Some(SqlType::Int),
        "ETag" => Some(SqlType::NVarChar(Some(40))),
        "Json" => Some(SqlType::NVarChar(None)),
        "Total" => Some(SqlType::BigInt),
        REPLAYED => Some(SqlType::Bit),
        _ => None,
    }
}

/// The variable for the id of the row that a write changes.
pub(crate) const ROW_ID: &str = "RowID";

/// The variable for the constraint that the previous statement violated.
pub(crate) const ERROR_NUMBER: &str = "ErrorNumber";

/// The variable for SQLite's description of that constraint: `Table.Column, Table.Column`, `index 'Name'`, or
/// `foreign key Table.Column, Table.Column`.
pub(crate) const ERROR_CONSTRAINT: &str = "ErrorConstraint";

/// The row of a procedure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub status: u16,
    /// The values in the order of the procedure's columns.
    pub values: Vec<Value>,
}

impl Procedure {
    /// True if the procedure writes. Then it runs in a transaction of the one connection that writes.
    pub fn writes(&self) -> bool {
        self.parameters.iter().any(|parameter| parameter.name == REQUEST_KEY)
    }

    /// Executes the procedure. The caller commits a row with a status below 400, and rolls back otherwise.
    ///
    /// # Errors
    /// A [`rusqlite::Error`] when SQLite has trouble, anything else when the script is wrong.
    pub(crate) fn execute(&self, connection: &Connection, mut arguments: Arguments) -> Result<Row> {
        if !self.writes() {
            return self.row(run(connection, &self.statements, &mut arguments)?);
        }
        match ledger::claim(connection, &self.name, &arguments)? {
            Claim::First => {
                let row = self.row(self.run(connection, 0, &mut arguments)?)?;
                if row.status < 400 {
                    let row_id = arguments.get(ROW_ID).unwrap_or(&Value::Null);
                    ledger::complete(connection, &arguments, row.status, row_id)?;
                }
                Ok(row)
            }
            Claim::Again { status, row_id } => {
                arguments.insert(ROW_ID.into(), row_id);
                let mut row = self.run(connection, self.statements.len().saturating_sub(1), &mut arguments)?;
                row.extend([("Status".into(), Value::Integer(status)), (REPLAYED.into(), 1.into())]);
                self.row(row)
            }
            Claim::Taken => self.refusal(422, "This idempotency key was already used for a different request."),
            Claim::NoKey => self.refusal(400, "The idempotency key must be 1 to 255 visible ASCII characters."),
        }
    }

    /// Executes the statements from one on, or the procedure for one row with each row.
    fn run(&self, connection: &Connection, first: usize, arguments: &mut Arguments) -> Result<Arguments> {
        match &self.one {
            None => run(connection, &self.statements[first..], arguments),
            Some(one) => rows::execute(arguments, |arguments| {
                let mut row = one.execute(connection, arguments)?;
                match row.values.pop() {
                    Some(Value::Text(json)) => Ok((row.status, json)),
                    other => bail!("the Json of {} is {other:?}", one.name),
                }
            }),
        }
    }

    fn refusal(&self, status: i64, detail: &str) -> Result<Row> {
        let json = Value::Text(format!(r#"{{"detail":"{detail}"}}"#));
        self.row([("Status".into(), status.into()), ("Json".into(), json)].into())
    }

    /// The row with its columns in order; columns that the script left out are NULL.
    fn row(&self, mut values: Arguments) -> Result<Row> {
        values.entry(REPLAYED.into()).or_insert(Value::Integer(0));
        let status = match values.get("Status") {
            Some(Value::Integer(status @ (200..=299 | 400..=499))) => u16::try_from(*status)?,
            other => bail!("its Status is {other:?}, and must be 2xx or 4xx"),
        };
        let value = |name: &String| {
            let value = values.remove(name).unwrap_or(Value::Null);
            let is_right = match (column_type(name), &value) {
                (Some(SqlType::NVarChar(None)), Value::Null) => false,
                (_, Value::Null) => true,
                (Some(SqlType::NVarChar(_)), value) => matches!(value, Value::Text(_)),
                (Some(_), Value::Integer(number)) => i32::try_from(*number).is_ok(),
                (None, value) => matches!(value, Value::Integer(_) | Value::Text(_)),
                _ => false,
            };
            let expected = column_type(name).map_or("key".to_owned(), |sql_type| sql_type.to_string());
            ensure!(is_right, "its {name} is {value:?}, which is no {expected}");
            Ok(value)
        };
        let values = self.columns.iter().map(value).collect::<Result<_>>()?;
        Ok(Row { status, values })
    }
}

/// Executes statements until one answers.
fn run(connection: &Connection, statements: &[String], variables: &mut Arguments) -> Result<Arguments> {
    let mut violation: Option<rusqlite::Error> = None;
    for sql in statements {
        let mut statement = connection.prepare_cached(sql)?;
        if violation.is_some() && statement.parameter_index(&format!(":{ERROR_NUMBER}"))?.is_none() {
            break;
        }
        let result = first_row(&mut statement, variables);
        if let Some(number) = result.as_ref().err().and_then(error_number) {
            variables.insert(ERROR_NUMBER.into(), Value::Integer(number));
            let message = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
            let constraint = match message.split_once("failed: ") {
                Some((_, constraint)) => constraint.to_owned(),
                None => broken_reference(connection, &mut statement, variables)?.unwrap_or_default(),
            };
            variables.insert(ERROR_CONSTRAINT.into(), Value::Text(constraint));
            violation = result.err();
            continue;
        }
        match result? {
            Some(row) if row.contains_key("Status") => return Ok(row),
            _ if violation.is_some() => break,
            set => variables.extend(set.unwrap_or_default()),
        }
    }
    Err(violation.map_or_else(|| anyhow!("its last statement gave no row"), anyhow::Error::from))
}

/// The foreign key that a statement has violated. SQLite names none, so that the statement is executed again, with its check put off. Then the
/// broken references can be read, and all is undone.
fn broken_reference(
    connection: &Connection,
    statement: &mut CachedStatement,
    variables: &Arguments,
) -> rusqlite::Result<Option<String>> {
    connection.execute_batch("SAVEPOINT again; PRAGMA defer_foreign_keys = ON;")?;
    let found = first_row(statement, variables).and_then(|_| {
        let broken = "SELECT 'foreign key ' || group_concat(broken.\"table\" || '.' || key.\"from\", ', ' ORDER BY key.seq)
            FROM (SELECT * FROM pragma_foreign_key_check LIMIT 1) AS broken, pragma_foreign_key_list(broken.\"table\") AS key
            WHERE key.id = broken.fkid";
        connection.query_row(broken, (), |row| row.get(0))
    });
    connection.execute_batch("ROLLBACK TO again; RELEASE again; PRAGMA defer_foreign_keys = OFF;")?;
    found
}

/// The first row of a statement, by the names of its columns.
fn first_row(statement: &mut CachedStatement, variables: &Arguments) -> rusqlite::Result<Option<Arguments>> {
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index).unwrap_or("?");
        let value = variables.get(&name[1..]);
        statement.raw_bind_parameter(index, value)?;
    }
    let names: Vec<_> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.raw_query();
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut values = Arguments::new();
    for (index, name) in names.into_iter().enumerate() {
        values.insert(name, row.get(index)?);
    }
    // A statement that changes something ends only when its rows are read to the end.
    while rows.next()?.is_some() {}
    Ok(Some(values))
}

/// SQL Server's number of the error for a violated constraint: 515 (NOT NULL), 547 (a foreign key, CHECK), 2627 (a key).
pub(crate) fn error_number(error: &rusqlite::Error) -> Option<i64> {
    match error.sqlite_error()?.extended_code {
        ffi::SQLITE_CONSTRAINT_NOTNULL => Some(515),
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY | ffi::SQLITE_CONSTRAINT_CHECK => Some(547),
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => Some(2627),
        _ => None,
    }
}

/// A declaration as T-SQL writes it, `@After INT = 0`.
pub(crate) fn parse_parameter(declaration: &str) -> Result<Parameter> {
    let parse = || {
        let (declaration, default) = match declaration.split_once('=') {
            Some((declaration, default)) => (declaration, Some(default.trim())),
            None => (declaration, None),
        };
        let (name, sql_type) = declaration.strip_prefix('@')?.split_once(char::is_whitespace)?;
        let default = match default {
            Some(null) if null.eq_ignore_ascii_case("NULL") => Some(Value::Null),
            Some(number) => Some(Value::Integer(number.parse::<i32>().ok()?.into())),
            None => None,
        };
        let (name, sql_type) = (name.into(), parse_type(sql_type)?);
        Some(Parameter { name, sql_type, default })
    };
    parse().with_context(|| {
        format!(
            "`{declaration}` is no declaration: write `@Name TYPE` or `@Name TYPE = default`, where TYPE is INT, BIGINT, \
             BIT, UNIQUEIDENTIFIER, NVARCHAR(length) or NVARCHAR(MAX), and the default NULL or a whole number"
        )
    })
}

fn parse_type(text: &str) -> Option<SqlType> {
    let text = text.split_whitespace().collect::<String>().to_ascii_uppercase();
    let length = text.strip_prefix("NVARCHAR(").and_then(|rest| rest.strip_suffix(')'));
    match (&*text, length) {
        ("INT", _) => Some(SqlType::Int),
        ("BIGINT", _) => Some(SqlType::BigInt),
        ("UNIQUEIDENTIFIER", _) => Some(SqlType::Guid),
        ("BIT", _) => Some(SqlType::Bit),
        (_, Some("MAX")) => Some(SqlType::NVarChar(None)),
        (_, length) => Some(SqlType::NVarChar(Some(length?.parse().ok()?))),
    }
}
