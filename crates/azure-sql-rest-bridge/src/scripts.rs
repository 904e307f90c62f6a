//! Procedures as SQLite scripts in a folder: a developer's own entity needs no Rust.
//!
//! `NAME.schema.sql` is executed once, in one transaction: an entity's tables and views. Then follows `NAME.rows.sql`, also
//! once: its first rows, unless there is no such schema. Rows that refer to missing rows are removed. Every other script is
//! a procedure and named after it, `web.get_color.sql`. A script in the folder `own` replaces the generated script of the
//! same name. A procedure follows these rules:
//!
//! - Comments at its top declare the parameters as T-SQL does: `-- @After INT = 0, @Limit INT = 1000`.
//! - Statements follow, each ended by a semicolon at the end of a line; in them, parameters are `:After` and `:Limit`.
//! - The first statement that gives a row with `Status` **answers**, and no statement after it is executed. The columns are
//!   `Status`, then any of `ETag`, the row's id under any name, `NextAfter` and `Total`, then `Json`. So a check is a statement by
//!   itself: `SELECT 404 AS Status, … AS Json WHERE …;`. The last statement always gives a row.
//! - The row of any other statement sets **variables**: after `INSERT … RETURNING ColorID AS RowID`, there is `:RowID`.
//! - A statement that violates a constraint has changed nothing. The statement after it may answer for the violation, with
//!   SQL Server's error number in `:ErrorNumber`. The number is 515 for NOT NULL, 547 for a foreign key or CHECK, and 2627
//!   for a key. `:ErrorConstraint` has the columns or index of a key, or `foreign key` and its columns. Otherwise the call
//!   fails.
//! - A script with the parameter `@RequestKey` **writes**, even if its statements do not use the parameter. The script is
//!   executed in a transaction, once for a key, and `Replayed` is added to its row. A status of 400 or more undoes
//!   everything; a success is the answer of the last statement. A replay executes only the last statement, with the `:RowID`
//!   of the first time, and answers with the present row.
//!
//! - A script with the line `-- Each row of @Json: web.put_color`, and without statements, calls this procedure for each
//!   element of the array `@Json`, all or none. Its row has `Status`, `Replayed` and `Json`, which is all rows.
//!
//! `functions` lists the additional functions of scripts.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, ensure};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use sha2::{Digest, Sha256};

use crate::{
    arguments::REQUEST_KEY,
    procedures::{COLUMNS, ERROR_CONSTRAINT, ERROR_NUMBER, Parameter, Procedure, REPLAYED, ROW_ID, parse_parameter},
    rows,
};

/// How the name of a schema, and of first rows, ends.
const ONCE: [&str; 2] = [".schema.sql", ".rows.sql"];

/// The folder of scripts that replace generated ones.
const OWN: &str = "own";

/// Executes the schemas and rows of a folder that are new, and reads its procedures.
///
/// # Errors
/// When a script cannot be executed or would fail for all arguments, or when a schema differs from the schema that was
/// executed.
pub(crate) fn load(folder: &Path, connection: &mut Connection) -> Result<Vec<Procedure>> {
    let (mut procedures, mut of_many) = (Vec::new(), Vec::new());
    let mut is_new = false;
    // A table may refer to a table of a later schema, and a row to a later row.
    connection.pragma_update(None, "foreign_keys", false)?;
    for path in paths(folder)? {
        let mut read = || -> Result<()> {
            let sql = fs::read_to_string(&path)?;
            let name = path.file_name().and_then(OsStr::to_str).context("its name is not UTF-8")?;
            match once(&path) {
                Some(_) => is_new |= execute_once(name, &sql, connection)?,
                None => {
                    let one = rows::procedure_of_one(&sql);
                    of_many.extend(one.map(|one| (procedures.len(), one.to_owned())));
                    procedures.push(compile(name.trim_end_matches(".sql"), &sql, connection)?);
                }
            }
            Ok(())
        };
        read().with_context(|| format!("cannot use {}", path.display()))?;
    }
    for (many, name) in of_many {
        let one = procedures.iter().find(|procedure| procedure.name == name).cloned();
        let one = one.with_context(|| format!("{} has no procedure {name} for each row", procedures[many].name))?;
        procedures[many].one = Some(Box::new(one));
    }
    if is_new {
        remove_orphans(connection)?;
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(procedures)
}

/// The scripts in the order in which they are read: schemas, rows, and the procedures that are compiled against their tables.
fn paths(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = |folder: &Path| -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        Ok(entries.into_iter().filter(|path| path.extension() == Some(OsStr::new("sql"))).collect())
    };
    let mut scripts =
        read(folder).with_context(|| format!("cannot read the folder of procedures {}", folder.display()))?;
    let own = folder.join(OWN);
    let own = if own.is_dir() { read(&own)? } else { Vec::new() };
    scripts.retain(|path| own.iter().all(|own| own.file_name() != path.file_name()));
    scripts.extend(own);
    // An owner's rows stay in the project when their entity is removed.
    let names: Vec<_> = scripts.iter().filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect();
    let has_schema = |name: &str| names.contains(&name.replace(ONCE[1], ONCE[0]));
    scripts.retain(|path| {
        path.file_name().and_then(OsStr::to_str).is_none_or(|name| has_schema(name) || !name.ends_with(ONCE[1]))
    });
    scripts.sort_by_key(|path| (once(path).unwrap_or(ONCE.len()), path.file_name().map(OsStr::to_owned)));
    Ok(scripts)
}

/// The place in [`ONCE`] of a script that is executed once.
fn once(path: &Path) -> Option<usize> {
    let name = path.file_name()?.to_str()?;
    ONCE.iter().position(|ending| name.ends_with(ending))
}

/// Removes rows that refer to missing rows, and rows that refer to these.
fn remove_orphans(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    loop {
        let orphans: Vec<(String, i64)> = transaction
            .prepare("SELECT \"table\", rowid FROM pragma_foreign_key_check WHERE rowid IS NOT NULL")?
            .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        if orphans.is_empty() {
            return Ok(transaction.commit()?);
        }
        for (table, row) in orphans {
            transaction.execute(&format!("DELETE FROM \"{}\" WHERE rowid = ?1", table.replace('"', "\"\"")), [row])?;
        }
    }
}

/// Executes a script, unless it was executed before. Returns true if it executed the script.
fn execute_once(name: &str, sql: &str, connection: &mut Connection) -> Result<bool> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let hash = Sha256::digest(sql).to_vec();
    let executed: Option<Vec<u8>> =
        transaction.query_row("SELECT Hash FROM local_Schemas WHERE Name = ?1", [name], |row| row.get(0)).optional()?;
    let is_new = executed.is_none();
    match executed {
        None => {
            transaction.execute_batch(sql).map_err(|error| located(error, sql, 0))?;
            transaction.execute("INSERT INTO local_Schemas VALUES (?1, ?2)", (name, hash))?;
        }
        Some(executed) => ensure!(
            executed == hash,
            "it is not the script that the local database was made with: \
             run `make reset` to start afresh (all local changes are lost)"
        ),
    }
    transaction.commit()?;
    Ok(is_new)
}

/// Reads the procedure of a script.
fn compile(name: &str, sql: &str, connection: &Connection) -> Result<Procedure> {
    ensure!(name.contains('.'), "it is named without a schema: rename it to web.{name}.sql");
    let mut procedure = Procedure {
        name: name.into(),
        parameters: declared(sql)?,
        columns: vec![String::new(); COLUMNS.len()],
        statements: Vec::new(),
        one: None,
    };
    if rows::procedure_of_one(sql).is_some() {
        ensure!(
            procedure.writes(),
            "it writes many rows: declare `-- @Json NVARCHAR(MAX), @{REQUEST_KEY} NVARCHAR(4000)`"
        );
        procedure.columns = ["Status", REPLAYED, "Json"].map(str::to_owned).into();
        return Ok(procedure);
    }
    let names = procedure.parameters.iter().map(|parameter| parameter.name.as_str());
    let mut known: Vec<String> = names.chain([ROW_ID, ERROR_NUMBER, ERROR_CONSTRAINT]).map(str::to_owned).collect();
    let (mut answers, mut used) = (false, Vec::new());
    let mut start = 0;
    for text in sql.split_inclusive(";\n") {
        let statement = connection.prepare(text).map_err(|error| located(error, sql, start))?;
        start += text.len();
        for index in 1..=statement.parameter_count() {
            let name = statement.parameter_name(index).unwrap_or("?");
            ensure!(
                known.iter().any(|known| *known == name[1..]),
                "{name} is not declared: begin the script with `-- @{} TYPE`",
                &name[1..]
            );
        }
        ensure!(
            procedure.writes() || statement.readonly(),
            "it changes data and can be called twice for one request: declare `-- @{REQUEST_KEY} NVARCHAR(4000)`"
        );
        // A text of only comments compiles to nothing.
        if statement.expanded_sql().is_none() {
            continue;
        }
        let names: Vec<_> = statement.column_names().collect();
        answers = names.contains(&"Status");
        used = (1..=statement.parameter_count())
            .filter_map(|index| statement.parameter_name(index).map(|name| name[1..].to_owned()))
            .collect();
        if answers {
            add_columns(&mut procedure.columns, &names)?;
        } else {
            known.extend(names.into_iter().map(str::to_owned));
        }
        procedure.statements.push(text.to_owned());
    }
    ensure!(answers, "its last statement does not select Status");
    if procedure.writes() {
        let lost = |name: &&String| *name != ROW_ID && procedure.parameters.iter().all(|known| known.name != **name);
        let lost = used.iter().find(lost).map_or("", |name| name);
        ensure!(lost.is_empty(), "its last statement uses :{lost}, which a replay does not have");
        let place = COLUMNS.iter().position(|column| *column == REPLAYED).unwrap_or_default();
        procedure.columns[place] = REPLAYED.into();
    }
    procedure.columns.retain(|name| !name.is_empty());
    Ok(procedure)
}

/// The parameters that the comments at the top declare.
pub(crate) fn declared(sql: &str) -> Result<Vec<Parameter>> {
    let comments = sql.lines().map_while(|line| line.trim().strip_prefix("--"));
    let declarations = comments.map(str::trim).filter(|comment| comment.starts_with('@'));
    let each = declarations.flat_map(|comment| comment.split(',')).map(str::trim);
    each.filter(|declaration| !declaration.is_empty()).map(parse_parameter).collect()
}

/// Adds the columns of one answer to the columns of the others, each at its place.
fn add_columns(columns: &mut [String], names: &[&str]) -> Result<()> {
    let place = |name: &&str| COLUMNS.iter().position(|column| column == name).unwrap_or(2);
    let is_whole = names.first() == Some(&"Status") && names.last() == Some(&"Json");
    let is_ordered = names.iter().map(place).is_sorted_by(|left, right| left < right);
    ensure!(
        is_whole && is_ordered && !names.contains(&REPLAYED),
        "it selects ({}), and must select Status, then what there is of ETag, the row's id, NextAfter and Total, then Json; \
         {REPLAYED} is added where it belongs",
        names.join(", ")
    );
    for name in names {
        let column = &mut columns[place(name)];
        ensure!(column.is_empty() || column == name, "it has two ids, {column} and {name}");
        *column = (*name).into();
    }
    Ok(())
}

/// An error of SQLite's compiler with the line. The compiled text begins at `start` in the script.
fn located(error: rusqlite::Error, script: &str, start: usize) -> anyhow::Error {
    let rusqlite::Error::SqlInputError { msg, sql: rest, offset, .. } = error else {
        return error.into();
    };
    let begin = script[start..].find(&rest).map_or(start, |at| start + at);
    let at = begin + usize::try_from(offset).unwrap_or_default();
    let line = 1 + script.bytes().take(at).filter(|byte| *byte == b'\n').count();
    anyhow!("line {line}: {msg}")
}

#[cfg(test)]
mod tests;
