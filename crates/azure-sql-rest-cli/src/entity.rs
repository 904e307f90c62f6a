//! `azure-sql-rest entity`: adds a table to the API, or takes one away again. It writes what a developer would: the procedures in `sql/`, the
//! scripts of the local bridge, the routes, the description. From then on these are ordinary files, the developer's to change.
//! `make entity` also builds this program with the new routes, and generates what follows from them.
//!
//! In reading order: `table` reads the definition, `types` knows SQL Server's types, `special` is what does not follow from either;
//! `key` and `member` decide, or refuse; `values`, `local` and `describe` say it in T-SQL, in SQLite and in JSON, with `names`; `model`
//! fills the templates with all of it; `files` writes.

mod describe;
mod files;
mod key;
mod local;
mod member;
mod model;
mod names;
#[allow(dead_code, unused_imports, reason = "the renderers use it")]
mod plan;
#[allow(dead_code, reason = "the command uses it next")]
mod render;
mod special;
mod table;
mod types;
mod values;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::steps::say;
use files::Change;
use model::Entity;
use names::is_plain;
use special::Special;
use table::Table;

#[derive(Args)]
pub(crate) struct EntityArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add a table to the API
    Add(Box<Add>),
    /// Take away what `add` has written, if nothing of it was changed
    Remove {
        /// The entity's name
        name: String,
        /// Show what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Parser)]
struct Add {
    /// The name of one row in paths: `color` for /color/{id}
    name: String,
    /// The table, with its schema
    #[arg(long)]
    table: String,
    /// The name of many rows in paths; by default the English plural
    #[arg(long)]
    plural: Option<String>,
    /// The file with the table's CREATE TABLE; by default it is looked up in sql/
    #[arg(long, conflicts_with = "columns")]
    ddl: Option<String>,
    /// The table's columns, as in CREATE TABLE: 'ColorID int key, ColorName nvarchar(20) not null unique'
    #[arg(long)]
    columns: Option<String>,
    /// Only these operations
    #[arg(long, value_delimiter = ',')]
    only: Vec<Operation>,
    /// Columns that clients neither send nor see; each can be NULL, has a default, or is set by the database
    #[arg(long, value_delimiter = ',')]
    without: Vec<String>,
    /// What a new row has in a column that clients neither send nor see, COLUMN=VALUE: a number, a text, now(), or @COLUMN for what
    /// another column has
    #[arg(long, value_delimiter = ',')]
    set: Vec<String>,
    /// The same, and again with every change of the row
    #[arg(long, value_delimiter = ',')]
    touch: Vec<String>,
    /// A file with what is special about the table, in JSON: docs/add-your-own-entity.md
    #[arg(long)]
    special: Option<String>,
    /// Show what would be written, as a diff, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// What can be done with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Operation {
    Get,
    List,
    Put,
    Patch,
    Delete,
}

/// For the command that is written into the files.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Recorded {
    #[command(flatten)]
    add: Add,
}

const COMMAND: &str = "azure-sql-rest entity add ";

/// Does what the command line says in the project at `root`.
///
/// # Errors
///
/// When the table cannot be served as it is, with the column and the way out, or something is in the way. Nothing is written then.
pub(crate) fn run(root: &Path, arguments: EntityArguments) -> Result<()> {
    match arguments.command {
        Command::Add(add) => {
            let changes = written(root, &add)?;
            if add.dry_run {
                changes.iter().try_for_each(|change| change.show(root))
            } else {
                files::add(root, &changes)
            }
        }
        Command::Remove { name, dry_run } => {
            let (path, command) = recorded(root, &name)?;
            let words = shell_words::split(&command).with_context(|| format!("cannot read the command in {path}"))?;
            let add =
                Recorded::try_parse_from(words).with_context(|| format!("cannot read the command in {path}"))?.add;
            let changes = written_as(root, &add, &path, true)?;
            if dry_run {
                changes.iter().for_each(|change| say(format!("{}: would be removed", change.path())));
                return Ok(());
            }
            files::remove(root, &changes)
        }
    }
}

/// What `add` writes.
fn written(root: &Path, add: &Add) -> Result<Vec<Change>> {
    let number = files::free_number(root)?;
    written_as(root, add, &format!("sql/{number}-{}.sql", add.name), false)
}

/// The same with the script of T-SQL at `path`, whether or not the routes of it are there.
fn written_as(root: &Path, add: &Add, path: &str, is_there: bool) -> Result<Vec<Change>> {
    let entity = describe(root, add, is_there)?;
    entity.files(path)
}

fn describe(root: &Path, add: &Add, is_there: bool) -> Result<Entity> {
    let (schema, table) = add.table.split_once('.').unwrap_or(("dbo", &add.table));
    ensure!(
        is_plain(schema) && is_plain(table),
        "--table {:?} is no name of a table: give it as Schema.Table, in letters, digits and underscores",
        add.table
    );
    let scripts = match (&add.columns, &add.ddl) {
        (Some(_), _) => Vec::new(),
        (None, Some(file)) => {
            vec![(file.clone(), fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}"))?)]
        }
        (None, None) => files::scripts(root)?,
    };
    let found = match &add.columns {
        Some(columns) => Table::of_columns(columns, schema, table)?,
        None => Table::find(&scripts, schema, table)?,
    };
    let mut special = match &add.special {
        Some(file) => Special::read(&root.join(file)).with_context(|| format!("cannot use {file}"))?,
        None => Special::default(),
    };
    for (pairs, values) in [(&add.set, &mut special.set), (&add.touch, &mut special.touch)] {
        for pair in pairs {
            let (column, value) = pair.split_once('=').with_context(|| format!("{pair:?} is not COLUMN=VALUE"))?;
            values.insert(column.into(), value.into());
        }
    }
    special.without.extend(add.without.iter().cloned());
    let operations = if add.only.is_empty() { Operation::value_variants().to_vec() } else { add.only.clone() };
    let plural = add.plural.clone().unwrap_or_else(|| plural(&add.name));
    for (what, name) in [("name", &add.name), ("plural", &plural)] {
        let is_lower = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .chars()
                .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_');
        ensure!(
            is_lower && name.len() <= 28,
            "the {what} {name:?} is not made of at most 28 lower-case letters, digits and underscores"
        );
        ensure!(
            is_there || !files::is_taken(root, name),
            "the {what} {name:?} is taken: by an entity, or by the API itself"
        );
    }
    ensure!(add.name != plural, "one row and many need different names: give --plural");
    if operations.iter().any(|operation| !matches!(operation, Operation::Get | Operation::List))
        && !operations.contains(&Operation::Get)
    {
        bail!("--only needs get as well: a row that is written is read at its own path");
    }
    let create = add.columns.is_some() || add.ddl.as_ref().is_some_and(|file| !file.starts_with("sql/"));
    // What is removed was written when the tables were there to which it refers.
    let tables = if is_there { files::referred_tables(root, &add.name)? } else { files::local_tables(root)? };
    Entity::new(&add.name, &plural, &found, operations, special, create, &tables, &add.command())
}

/// The script of `sql/` that an entity has, and the command in it.
fn recorded(root: &Path, name: &str) -> Result<(String, String)> {
    for (path, script) in files::scripts(root)? {
        let command = script.lines().take(5).find_map(|line| line.trim().strip_prefix(COMMAND));
        if let Some(command) = command.filter(|command| command.split(' ').next() == Some(name)) {
            return Ok((path, command.to_owned()));
        }
    }
    bail!("no script of sql/ was written by `{COMMAND}{name}`: what was written by hand is removed by hand")
}

impl Add {
    /// The command line that this is.
    fn command(&self) -> String {
        let mut words = vec![self.name.clone(), "--table".into(), self.table.clone()];
        let only: Vec<_> = self
            .only
            .iter()
            .filter_map(|operation| Some(operation.to_possible_value()?.get_name().to_owned()))
            .collect();
        let options = [
            ("--plural", self.plural.clone()),
            ("--ddl", self.ddl.clone()),
            ("--columns", self.columns.clone()),
            ("--only", Some(only.join(",")).filter(|only| !only.is_empty())),
            ("--without", Some(self.without.join(",")).filter(|names| !names.is_empty())),
            ("--set", Some(self.set.join(",")).filter(|pairs| !pairs.is_empty())),
            ("--touch", Some(self.touch.join(",")).filter(|pairs| !pairs.is_empty())),
            ("--special", self.special.clone()),
        ];
        for (option, value) in options {
            words.extend(
                value
                    .into_iter()
                    .flat_map(|value| [option.to_owned(), value.split_whitespace().collect::<Vec<_>>().join(" ")]),
            );
        }
        format!("{COMMAND}{}", shell_words::join(words))
    }
}

/// The plural of an English noun, as far as its end tells.
fn plural(name: &str) -> String {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match name.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if ends(&["s", "x", "z", "ch", "sh"]) => format!("{name}es"),
        _ => format!("{name}s"),
    }
}

#[cfg(test)]
mod tests;
