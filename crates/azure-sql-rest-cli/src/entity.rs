//! `azure-sql-rest entity`: adds a table to the API, keeps up with it, or takes it away again.
//!
//! In reading order: `source` reads a table from scripts or from a database, `decide` makes a plan of it or refuses with all reasons, of which
//! `rules` has those that hold for every plan; `plan` is the plan and its text, the one input of all that is generated; `render` writes it
//! as SQL and `routes` as lines of the table of routes; `project` is what is there already, and `write` changes it.

mod decide;
pub(crate) mod plan;
pub(crate) mod project;
mod render;
mod routes;
mod rules;
mod source;
mod write;

use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::steps::say;
use decide::{Decided, Wishes, decide};
use plan::{Operation, Plan, TableName};
use source::Table;

#[derive(Args)]
pub(crate) struct EntityArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add a table to the API, or bring what follows from its plan up to date
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

#[derive(Clone, Default, Parser)]
#[command(no_binary_name = true)]
struct Add {
    /// The name of one row in paths: `color` for /color/{id}
    name: String,
    /// The table, with its schema: Sales.Customers, '[dbo].[Order Details]'; only for one that is new
    #[arg(long)]
    table: Option<String>,
    /// The name of many rows in paths; by default the English plural
    #[arg(long)]
    plural: Option<String>,
    /// The database that has the table: a connection string of ADO.NET
    #[arg(long, conflicts_with_all = ["columns", "ddl"])]
    from: Option<String>,
    /// The file with the table's CREATE TABLE; by default it is looked up in sql/
    #[arg(long, conflicts_with = "columns")]
    ddl: Option<String>,
    /// The table's columns, as in CREATE TABLE: 'ColorID int key, ColorName nvarchar(20) not null unique'
    #[arg(long)]
    columns: Option<String>,
    /// The column that names a row in paths: one that is UNIQUE and NOT NULL; by default the primary key
    #[arg(long)]
    key: Option<String>,
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
    /// Show what would be written, as a diff, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Does what the command line says in the project at `root`.
///
/// # Errors
///
/// When the table cannot be served as asked, with all reasons and a way out of each, or something is in the way. Nothing is written then.
pub(crate) fn run(root: &Path, arguments: EntityArguments) -> Result<()> {
    match arguments.command {
        Command::Add(add) => {
            let before = before(root, &add)?;
            let decided = decided(root, &add, before.clone())?;
            decided.notes.iter().for_each(|note| say(format!("note: {note}")));
            write::write(root, &decided.plan, before.as_ref(), add.dry_run)
        }
        Command::Remove { name, dry_run } => {
            let plan = project::plan(root, &name)?;
            let path = project::path_of(&name);
            write::remove(root, &plan.with_context(|| format!("there is no {path}"))?, dry_run)
        }
    }
}

/// The plan that the entity has already: of the same table, or one that was not named.
fn before(root: &Path, add: &Add) -> Result<Option<Plan>> {
    let table: Option<TableName> = add.table.as_ref().map(|table| table.parse()).transpose()?;
    let is_other = |plan: &Plan| table.as_ref().is_some_and(|table| !table.is(&plan.table));
    Ok(project::plan(root, &add.name)?.filter(|plan| !is_other(plan)))
}

/// Decides the plan of what was asked for, and compares its names with those of the project.
fn decided(root: &Path, add: &Add, before: Option<Plan>) -> Result<Decided> {
    let (table, source) = table_of(root, add, before.as_ref())?;
    let decided = decide(&table, &wishes(root, add, source, before)?);
    let taken = |plan: &Plan| project::taken(root, plan, &project::plans(root)?);
    let mut reasons = Vec::new();
    let decided = match decided {
        Ok(decided) => {
            reasons.extend(taken(&decided.plan)?);
            Some(decided)
        }
        Err(error) => {
            reasons.push(format!("{error:#}"));
            None
        }
    };
    match decided {
        Some(decided) if reasons.is_empty() => Ok(decided),
        _ => bail!("{}", reasons.join("\n")),
    }
}

/// The table that was named, and where it was read. Where nothing says where, it is as the plan has it.
fn table_of(root: &Path, add: &Add, before: Option<&Plan>) -> Result<(Table, Option<String>)> {
    let name: TableName = match (&add.table, before) {
        (Some(text), _) => text.parse()?,
        (None, Some(before)) => before.table.clone(),
        (None, None) => bail!("a new entity needs its table: TABLE=Schema.Name"),
    };
    if let Some(connection) = &add.from {
        let found = source::of_database(connection, &name.to_string())?;
        let table = found.into_iter().next().with_context(|| format!("the database has no table {name}"))?;
        return Ok((table, Some("database".to_owned())));
    }
    if let Some(columns) = &add.columns {
        return Ok((source::of_columns(columns, &name)?, None));
    }
    let file = add.ddl.as_ref().or_else(|| before.and_then(|before| before.source.as_ref()));
    let file = file.filter(|file| !file.starts_with("sql/") && *file != "database");
    if let Some(file) = file {
        let scripts = [(file.clone(), project::text(root, file)?)];
        let table = source::read(&scripts, &name)?;
        let table = table
            .with_context(|| format!("{file} has no CREATE TABLE {name}: name the file that has it with --ddl"))?;
        return Ok((table, Some(file.clone())));
    }
    let is_in_sql = before.and_then(|before| before.source.as_deref()) == Some("sql/");
    if let Some(before) = before.filter(|_| add.ddl.is_none() && add.table.is_none() && !is_in_sql) {
        return Ok((Table::of_plan(before), before.source.clone()));
    }
    let scripts = project::scripts(root, &project::plans(root)?)?;
    let mut table = source::read(&scripts, &name)?.with_context(|| {
        format!("sql/ has no CREATE TABLE {name}: name the file that has it with --ddl, the database with FROM=, or give --columns")
    })?;
    // It is created there.
    table.ddl.clear();
    Ok((table, Some("sql/".to_owned())))
}

fn wishes(root: &Path, add: &Add, source: Option<String>, before: Option<Plan>) -> Result<Wishes> {
    let pair = |text: &String| {
        let (column, value) = text.split_once('=').with_context(|| format!("{text:?} is not COLUMN=VALUE"))?;
        anyhow::Ok((column.to_owned(), value.to_owned()))
    };
    let operations = match (add.only.as_slice(), &before) {
        ([], Some(before)) => before.operations.clone(),
        ([], None) => Operation::value_variants().to_vec(),
        (only, _) => only.to_vec(),
    };
    let plural = add.plural.clone().or_else(|| before.as_ref().map(|before| before.plural.clone()));
    let script =
        before.as_ref().map_or_else(|| project::free_script(root, &add.name), |before| Ok(before.script.clone()));
    Ok(Wishes {
        name: add.name.clone(),
        plural: plural.unwrap_or_else(|| english_plural(&add.name)),
        script: script?,
        operations,
        key: add.key.clone(),
        without: add.without.clone(),
        set: add.set.iter().map(pair).collect::<Result<_>>()?,
        touch: add.touch.iter().map(pair).collect::<Result<_>>()?,
        source,
        before,
    })
}

/// The plural of an English noun, as far as its end tells.
fn english_plural(name: &str) -> String {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match name.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if ends(&["s", "x", "z", "ch", "sh"]) => format!("{name}es"),
        _ => format!("{name}s"),
    }
}

#[cfg(test)]
mod tests;
