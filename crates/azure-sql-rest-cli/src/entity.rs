//! `azure-sql-rest entity`: adds a table to the API, keeps up with it, or removes it again.
//!
//! In reading order:
//! - `source` reads a table from scripts or from a database;
//! - `decide` makes a plan of the table, or refuses with all reasons;
//! - `words` makes names of the API of names of the database;
//! - `rules` has the reasons that hold for every plan, and `indexes` says which indexes its list lacks;
//! - `plan` has the plan and its text, the one input of all that is generated;
//! - `render` writes the plan as SQL, and `routes` as lines of the table of routes;
//! - `project` reads what the project has already, and `write` changes it.

mod decide;
mod indexes;
#[cfg(test)]
mod lint;
pub(crate) mod plan;
pub(crate) mod project;
mod render;
mod routes;
mod rules;
mod source;
mod words;
mod write;

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::steps::say;
use decide::{Decided, Wishes, decide};
use plan::{BigInt, Filter, Operation, Plan, Sort, TableName};
use source::{Table, Trait, is_same};
use words::{english_plural, singular};

#[derive(Args)]
pub(crate) struct EntityArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add a table to the API, or bring what follows from its plan up to date
    Add(Box<Add>),
    /// Add all tables, or all of a schema, each under the English singular of its name, and leave out unfit tables, with the reasons
    AddAll {
        /// The schema, as Sales.*, or * for all
        tables: String,
        /// The database that has the tables: a connection string of ADO.NET
        #[arg(long, env = "ENTITY_FROM", hide_env_values = true)]
        from: Option<String>,
        /// The file with their CREATE TABLE
        #[arg(long)]
        ddl: Option<String>,
        /// Only these operations
        #[arg(long, value_delimiter = ',')]
        only: Vec<Operation>,
        /// Show what would be written, as a diff, and write nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove what `add` has written, if nobody has edited it
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
    #[arg(long, env = "ENTITY_FROM", hide_env_values = true)]
    from: Option<String>,
    /// The file with the table's CREATE TABLE; by default it is looked up in sql/
    #[arg(long, conflicts_with = "columns")]
    ddl: Option<String>,
    /// The table's columns, as in CREATE TABLE: 'ColorID int key, ColorName nvarchar(20) not null unique'
    #[arg(long)]
    columns: Option<String>,
    /// The column that names a row in paths, or several: UNIQUE and NOT NULL; by default the primary key
    #[arg(long, value_delimiter = ',')]
    key: Vec<String>,
    /// The table is a view, with the columns of --columns. Nothing creates it, and the API only reads it
    #[arg(long, requires = "columns")]
    view: bool,
    /// Only these operations
    #[arg(long, value_delimiter = ',')]
    only: Vec<Operation>,
    /// Columns that clients neither send nor see; each can be NULL, has a default, or is set by the database
    #[arg(long, value_delimiter = ',')]
    without: Vec<String>,
    /// Columns of --set and --touch that clients see, and cannot send
    #[arg(long, value_delimiter = ',')]
    show: Vec<String>,
    /// Names of columns in JSON begin with a small letter: `orderDate` for OrderDate. The rule of .NET: `ID` is `id`, `URLPath` is `urlPath`
    #[arg(long)]
    camel: bool,
    /// The form of a BIGINT in JSON. JavaScript loses digits of a number beyond 2^53, and none of a string
    #[arg(long)]
    bigint: Option<BigInt>,
    /// Filters of the list: Status, Status:in, Name:prefix, CreatedAt:range, or name=CustomerName:prefix
    #[arg(long, value_delimiter = ',', value_parser = filter_of)]
    filter: Vec<Filter>,
    /// Orders of the list besides the order by key: Name, or 'CreatedAt desc'
    #[arg(long, value_delimiter = ',', value_parser = sort_of)]
    sort: Vec<Sort>,
    /// The list has the query parameter `count`, with which an answer tells how many rows the list has
    #[arg(long)]
    count: bool,
    /// COLUMN=VALUE, for a new row's columns that clients do not send. The value is a number, a text, now(), caller(), or @COLUMN
    /// to copy another column
    #[arg(long, value_delimiter = ',')]
    set: Vec<String>,
    /// The same, and again with every change of the row
    #[arg(long, value_delimiter = ',')]
    touch: Vec<String>,
    /// Any of these options in one text, with quotes as in a shell
    #[arg(long, value_name = "OPTIONS", allow_hyphen_values = true)]
    arguments: Option<String>,
    /// Show what would be written, as a diff, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// A filter of the command line.
fn filter_of(text: &str) -> Result<Filter> {
    Filter::try_from(text.to_owned())
}

/// An order of the command line.
fn sort_of(text: &str) -> Result<Sort> {
    Sort::try_from(text.to_owned())
}

/// Does what the command line says in the project at `root`.
///
/// # Errors
///
/// When the table cannot be served as asked, with all reasons and a way out of each, or something is in the way. Nothing is written then.
pub(crate) fn run(root: &Path, arguments: EntityArguments) -> Result<()> {
    match arguments.command {
        Command::Add(add) => {
            let add = add.with_arguments()?;
            let (table, source) = table_of(root, &add, before(root, &add)?.as_ref())?;
            let (notes, files) = add_table(root, &add, &table, source)?;
            notes.iter().for_each(|note| say(format!("note: {note}")));
            files.iter().for_each(say);
            Ok(())
        }
        Command::AddAll { tables, from, ddl, only, dry_run } => {
            let add = Add { from, ddl, only, dry_run, ..Add::default() };
            add_all(root, &add, &tables)
        }
        Command::Remove { name, dry_run } => {
            let plan = project::plan(root, &name)?;
            let path = project::path_of(&name);
            write::remove(root, &plan.with_context(|| format!("there is no {path}"))?, dry_run)
        }
    }
}

/// The scripts of the local bridge for all entities of the project at `root`, by path.
///
/// # Errors
///
/// When a file of `entities/` is no plan.
pub(crate) fn local_scripts(root: &Path) -> Result<Vec<(String, String)>> {
    let plans = project::plans(root)?;
    let all: Vec<_> = plans.iter().collect();
    Ok(plans.iter().flat_map(|plan| render::sqlite::sqlite(plan, &all)).collect())
}

/// The plan that the entity has already: of the same table, or one that was not named.
fn before(root: &Path, add: &Add) -> Result<Option<Plan>> {
    let table: Option<TableName> = add.table.as_ref().map(|table| table.parse()).transpose()?;
    let is_other = |plan: &Plan| table.as_ref().is_some_and(|table| !table.is(&plan.table));
    Ok(project::plan(root, &add.name)?.filter(|plan| !is_other(plan)))
}

/// Writes what follows from a table. Returns notes for its owner, and what was done with each file.
fn add_table(root: &Path, add: &Add, table: &Table, source: Option<String>) -> Result<(Vec<String>, Vec<String>)> {
    let before = before(root, add)?;
    let decided = decided(root, add, table, source, before.clone())?;
    let files = write::write(root, &decided.plan, before.as_ref(), add.dry_run)?;
    Ok((decided.notes, files))
}

/// Decides the plan of the table, and compares its names with the names that the project has.
fn decided(root: &Path, add: &Add, table: &Table, source: Option<String>, before: Option<Plan>) -> Result<Decided> {
    let wishes = wishes(root, add, source, before)?;
    let taken = project::taken(root, &wishes, &table.name, &project::plans(root)?)?;
    match (decide(table, &wishes), taken.as_slice()) {
        (Ok(decided), []) => Ok(decided),
        (Ok(_), taken) => bail!("{}", taken.join("\n")),
        (Err(reasons), taken) => bail!("{}", [&[format!("{reasons:#}")], taken].concat().join("\n")),
    }
}

/// Adds the tables of a schema that can be served, and says why the others cannot.
fn add_all(root: &Path, add: &Add, pattern: &str) -> Result<()> {
    let (tables, source) = match (given(add.from.as_ref()), &add.ddl) {
        (Some(connection), _) => (source::of_database(connection, pattern)?, "database".to_owned()),
        (None, Some(file)) => (source::all(&[(file.clone(), project::text(root, file)?)], pattern)?, file.clone()),
        (None, None) => bail!("say where the tables are: FROM= a database, or DDL= a file"),
    };
    let count = tables.len();
    ensure!(count > 0, "there is no table {pattern} in {source}");
    let mut refused = 0;
    for (table_name, table) in tables {
        let add = Add { name: singular(&table_name.name), table: Some(table_name.to_string()), ..add.clone() };
        // A database has the tables of the API beside other tables.
        let is_own = pattern == "*" && ["ops", "web"].iter().any(|schema| is_same(&table_name.schema, schema));
        let added = table.and_then(|table| match is_own {
            true => bail!("is of the API itself"),
            false => add_table(root, &add, &table, Some(source.clone())),
        });
        let (said, lines) = match added {
            Ok((notes, files)) => (files.join(", "), notes.iter().map(|note| format!("note: {note}")).collect()),
            Err(reasons) => {
                refused += 1;
                let reasons = format!("{reasons:#}");
                ("left out".to_owned(), reasons.lines().map(str::to_owned).collect::<Vec<_>>())
            }
        };
        say(format!("{table_name} as {}: {said}", add.name));
        lines.iter().for_each(|line| say(format!("  {line}")));
    }
    say(format!("{} of {count} tables", count - refused));
    Ok(())
}

/// Treats an option with an empty text as one that was not given.
fn given(text: Option<&String>) -> Option<&String> {
    text.filter(|text| !text.trim().is_empty())
}

impl Add {
    /// With the options that came in one text.
    fn with_arguments(&self) -> Result<Self> {
        let mut add = self.clone();
        if let Some(text) = given(self.arguments.as_ref()) {
            let words = shell_words::split(text).with_context(|| format!("cannot read {text:?}"))?;
            add.try_update_from(words)?;
        }
        Ok(add)
    }
}

/// The table that was named, and where it was read. Where nothing says where, it is as the plan has it.
fn table_of(root: &Path, add: &Add, before: Option<&Plan>) -> Result<(Table, Option<String>)> {
    let name: TableName = match (&add.table, before) {
        (Some(text), _) => text.parse()?,
        (None, Some(before)) => before.table.clone(),
        (None, None) => bail!("a new entity needs its table: TABLE=Schema.Name"),
    };
    if let Some(connection) = given(add.from.as_ref()) {
        let found = source::of_database(connection, &name.to_string())?;
        let (_, table) = found.into_iter().next().with_context(|| format!("the database has no table {name}"))?;
        return Ok((table?, Some("database".to_owned())));
    }
    if let Some(columns) = &add.columns {
        let mut table = source::of_columns(columns, &name)?;
        if add.view {
            table.ddl.clear();
            table.traits.push(Trait::View);
        }
        return Ok((table, None));
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
    // The script in sql/ creates the table.
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
        may_do_less: add.only.is_empty() && before.is_none(),
        key: add.key.clone(),
        without: add.without.clone(),
        show: add.show.clone(),
        is_camel: add.camel,
        bigint: add.bigint.or(before.as_ref().map(|before| before.bigint)).unwrap_or_default(),
        filter: add.filter.clone(),
        sort: add.sort.clone(),
        count: add.count,
        set: add.set.iter().map(pair).collect::<Result<_>>()?,
        touch: add.touch.iter().map(pair).collect::<Result<_>>()?,
        source,
        before,
    })
}

#[cfg(test)]
mod tests;
