//! A table as it is defined, before anything is decided about it: read from a script of T-SQL, or from the catalog of a database.
//!
//! In reading order:
//! - `table` has the table;
//! - `pieces` reads the words of a script with their places, and `script` its statements, of which `skip` knows the harmless;
//! - `dynamic` reads statements that are texts;
//! - `alter` applies the statements that change a table, and `definition` reads columns and constraints;
//! - `catalog` reads the same table from the catalog of a database, which `database` asks.

mod alter;
#[cfg(any(test, feature = "database"))]
mod catalog;
#[cfg(feature = "database")]
pub(crate) mod database;
mod definition;
mod dynamic;
mod pieces;
mod script;
mod skip;
mod table;

pub(crate) use pieces::decoded;
pub(crate) use script::{all, of_columns, read};
pub(crate) use table::{Found, Table, TableColumn, Trait, Veil, is_same};

/// Reads the tables of this name, of this schema (`Sales.*`), or all (`*`), from a database.
#[cfg(feature = "database")]
pub(crate) use database::tables as of_database;

/// Says how to build a program that reads databases.
#[cfg(not(feature = "database"))]
pub(crate) fn of_database(_connection: &str, _tables: &str) -> anyhow::Result<Vec<Found>> {
    anyhow::bail!(
        "this program was built without a driver for SQL Server: make entity builds it with --features database when FROM= is given"
    )
}

#[cfg(test)]
mod tests;
