//! Procedures as SQLite scripts in a folder, so that a developer's own entity needs no Rust here.
//!
//! `schema.sql` is executed at every start, in one transaction: the tables that are not there yet, and their first rows.
//! Every other script is a procedure and named after it, `web.get_color.sql`:
//!
//! - Comments at its top declare the parameters as T-SQL does: `-- @After INT = 0, @Limit INT = 1000`.
//! - Statements follow, in which they are `:After` and `:Limit`. The last one selects the result, one row: `Status`, then
//!   what there is of `ETag`, the row's id under any name and `NextAfter`, then `Json`.
//! - It may change data when it has the parameter `@RequestKey`, and need not look at it: it is then executed in a
//!   transaction, once for a key; `Replayed` is put into its result; and with a status of 400 or more, whatever it did is
//!   undone. A replay gets the first answer again. (Those that are built in give the row as it is now.)

use std::{ffi::OsStr, fs, io, path::Path};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rusqlite::{
    Batch, Connection, OpenFlags, ToSql, TransactionBehavior,
    fallible_iterator::FallibleIterator,
    types::{self, ToSqlOutput},
};

use super::{
    Arguments, Body, Column, DefaultValue, Failure, Outcome, PROCEDURES, Parameter, Procedure, Row, SqlType, Value,
};
use crate::{
    database::connect,
    ledger::{self, REQUEST_KEY, Request},
};

/// The script that is no procedure.
const SCHEMA: &str = "schema.sql";

/// Executes the schema of a folder in the database at a path, and reads the folder's procedures. There are none when
/// there is no such folder.
///
/// # Errors
/// When a script cannot be executed, or would fail whatever it is called with.
pub(crate) fn load_scripts(folder: &Path, database: &Path) -> Result<Vec<Procedure>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut connection = connect(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut paths = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension() == Some(OsStr::new("sql")));
    // The schema first: the others are compiled against its tables.
    paths.sort_by_key(|path| (!path.ends_with(SCHEMA), path.clone()));
    let mut procedures = Vec::new();
    for path in paths {
        let mut read = || -> Result<()> {
            let sql = fs::read_to_string(&path)?;
            if path.ends_with(SCHEMA) {
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                transaction.execute_batch(&sql).map_err(|error| located(error, &sql))?;
                transaction.commit()?;
            } else {
                let name = path
                    .file_stem()
                    .and_then(OsStr::to_str)
                    .context("its name is not UTF-8")?;
                procedures.push(compile(name, sql, &connection)?);
            }
            Ok(())
        };
        read().with_context(|| format!("cannot use {}", path.display()))?;
    }
    Ok(procedures)
}

/// The procedure that a script is.
fn compile(name: &str, sql: String, connection: &Connection) -> Result<Procedure> {
    ensure!(
        name.contains('.'),
        "it is named without a schema: rename it to web.{name}.sql"
    );
    ensure!(
        PROCEDURES.iter().all(|procedure| procedure.name != name),
        "{name} is built in: rename it"
    );
    let parameters = declared(&sql)?;
    let writes = parameters.iter().any(|parameter| parameter.name == REQUEST_KEY);
    let columns = columns(&sql, &parameters, writes, connection)?;
    // Like those that are built in, it is there until the process ends.
    Ok(Procedure {
        name: name.to_owned().leak(),
        parameters: parameters.leak(),
        columns: columns.leak(),
        writes,
        body: Body::Script(sql.leak()),
    })
}

/// The parameters that the comments at the top declare.
fn declared(sql: &str) -> Result<Vec<Parameter>> {
    let comments = sql.lines().map_while(|line| line.trim().strip_prefix("--"));
    comments
        .map(str::trim)
        .filter(|comment| comment.starts_with('@'))
        .flat_map(|comment| comment.split(','))
        .map(str::trim)
        .filter(|declaration| !declaration.is_empty())
        .map(|declaration| {
            parameter(declaration).with_context(|| {
                format!(
                    "`{declaration}` is no declaration: write `@Name TYPE` or `@Name TYPE = default`, where TYPE is INT, BIT, \
                     NVARCHAR(length) or NVARCHAR(MAX), and the default NULL or a whole number"
                )
            })
        })
        .collect()
}

fn parameter(declaration: &str) -> Option<Parameter> {
    let (declaration, default) = match declaration.split_once('=') {
        Some((declaration, default)) => (declaration, Some(default.trim())),
        None => (declaration, None),
    };
    let (name, sql_type) = declaration.strip_prefix('@')?.split_once(char::is_whitespace)?;
    let (name, sql_type) = (name.to_owned().leak(), SqlType::parse(sql_type)?);
    Some(match default {
        None => Parameter::required(name, sql_type),
        Some(null) if null.eq_ignore_ascii_case("NULL") => Parameter::optional(name, sql_type, DefaultValue::Null),
        Some(number) => Parameter::optional(name, sql_type, DefaultValue::Int(number.parse().ok()?)),
    })
}

/// The columns of the result, once SQLite has compiled every statement.
fn columns(sql: &str, parameters: &[Parameter], writes: bool, connection: &Connection) -> Result<Vec<Column>> {
    let mut statements = Batch::new(connection, sql);
    let mut names = Vec::new();
    while let Some(statement) = statements.next().map_err(|error| located(error, sql))? {
        for index in 1..=statement.parameter_count() {
            let name = statement.parameter_name(index).unwrap_or("?");
            ensure!(
                parameters.iter().any(|parameter| parameter.name == &name[1..]),
                "{name} is not declared: begin the script with `-- @{} TYPE`",
                &name[1..]
            );
        }
        ensure!(
            writes || statement.readonly(),
            "it changes data and can be called twice for one request: declare `-- @{REQUEST_KEY} NVARCHAR(255)`"
        );
        names = statement.column_names().map(str::to_owned).collect();
    }
    let mut columns: Vec<_> = names.iter().map(|name| column(name)).collect();
    let is_whole = matches!(columns.as_slice(), [Column::Status, .., Column::Json]);
    ensure!(
        is_whole && columns.is_sorted_by(|left, right| rank(left) < rank(right)),
        "its last statement selects ({}), and must select Status, then what there is of ETag, the row's id and NextAfter, \
         then Json; Replayed is added where it belongs",
        names.join(", ")
    );
    if writes {
        columns.insert(columns.len() - 1, Column::Replayed);
    }
    Ok(columns)
}

/// An error of SQLite's compiler with the line, in place of everything that follows in the script.
fn located(error: rusqlite::Error, script: &str) -> anyhow::Error {
    let rusqlite::Error::SqlInputError {
        msg, sql: rest, offset, ..
    } = error
    else {
        return error.into();
    };
    let at = script.len() - rest.len() + usize::try_from(offset).unwrap_or_default();
    let line = 1 + script.bytes().take(at).filter(|byte| *byte == b'\n').count();
    anyhow!("line {line}: {msg}")
}

fn column(name: &str) -> Column {
    match name {
        "Status" => Column::Status,
        "ETag" => Column::ETag,
        "NextAfter" => Column::NextAfter,
        "Replayed" => Column::Replayed,
        "Json" => Column::Json,
        id => Column::Id(id.to_owned().leak()),
    }
}

/// The place among the columns; a script has none for `Replayed`.
fn rank(column: &Column) -> Option<u8> {
    match column {
        Column::Status => Some(1),
        Column::ETag => Some(2),
        Column::Id(_) => Some(3),
        Column::NextAfter => Some(4),
        Column::Json => Some(5),
        Column::Replayed => None,
    }
}

/// Executes a script. The caller commits when there is an outcome, and rolls back otherwise.
pub(super) fn execute(procedure: &Procedure, sql: &str, connection: &Connection, arguments: &Arguments) -> Outcome {
    let result = || {
        let rows = last_result(sql, connection, arguments)?;
        row(procedure.columns, rows).map_err(Failure::Internal)
    };
    if !procedure.writes {
        return result();
    }
    let change = || match result()? {
        refused if refused.status >= 400 => Err(Failure::Refused(refused)),
        row => Ok(row),
    };
    ledger::exactly_once(connection, &Request::new(procedure.name, arguments), change, Ok)
}

/// The rows of the last statement.
fn last_result(sql: &str, connection: &Connection, arguments: &Arguments) -> rusqlite::Result<Vec<Vec<types::Value>>> {
    let mut rows = Vec::new();
    let mut statements = Batch::new(connection, sql);
    while let Some(mut statement) = statements.next()? {
        for index in 1..=statement.parameter_count() {
            let name = statement.parameter_name(index).map(|name| name[1..].to_owned());
            let value = name.and_then(|name| arguments.get(&name)).unwrap_or(&Value::Null);
            statement.raw_bind_parameter(index, value)?;
        }
        let width = statement.column_count();
        rows = statement
            .raw_query()
            .mapped(|row| (0..width).map(|index| row.get(index)).collect())
            .collect::<Result<_, _>>()?;
    }
    Ok(rows)
}

/// The row of a result.
fn row(columns: &[Column], rows: Vec<Vec<types::Value>>) -> Result<Row> {
    use types::Value::{Integer, Null, Text};

    let [values] = <[_; 1]>::try_from(rows)
        .map_err(|rows| anyhow!("its last statement selected {} rows, and must select one", rows.len()))?;
    let mut row = Row::new(0, String::new());
    for (column, value) in columns.iter().filter(|column| rank(column).is_some()).zip(values) {
        match (column, value) {
            (Column::Status, Integer(status @ (200..=299 | 400..=499))) => row.status = u16::try_from(status)?,
            (Column::ETag, Text(etag)) => row.etag = Some(etag),
            (Column::Id(_), Integer(id)) => row.id = Some(i32::try_from(id)?),
            (Column::NextAfter, Integer(id)) => row.next_after = Some(i32::try_from(id)?),
            (Column::ETag | Column::Id(_) | Column::NextAfter, Null) => {}
            (Column::Json, Text(json)) => row.json = json,
            (column, value) => {
                let expected = match column {
                    Column::Status => "a status of 2xx or 4xx",
                    Column::ETag => "a text or NULL",
                    Column::Json => "a text",
                    _ => "an integer or NULL",
                };
                bail!("its {} is {value:?}, and must be {expected}", column.name());
            }
        }
    }
    Ok(row)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Null => types::Null.to_sql(),
            Self::Int(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

#[cfg(test)]
mod tests;
