//! Reads tables from the catalog of a database. `catalog.sql` asks for one JSON document, which this file makes into tables without a guess.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::table::{Found, Table, TableColumn, Trait, Trigger, Veil, is_same};
use crate::entity::plan::{Action, Check, Filled, Identity, Period, Reference, SqlType, TableName, Unique};

/// Asks for the tables whose names are like its parameter, as one JSON document.
pub(crate) const QUERY: &str = include_str!("catalog.sql");

/// A table as the document has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    schema: String,
    name: String,
    owner: String,
    is_memory_optimized: bool,
    is_node: bool,
    is_edge: bool,
    is_filetable: bool,
    is_external: bool,
    is_view: bool,
    ledger_type: Option<u8>,
    history_schema: Option<String>,
    history_name: Option<String>,
    retention: Option<i32>,
    retention_unit: Option<String>,
    columns: Vec<ColumnRow>,
    #[serde(default)]
    uniques: Option<Vec<UniqueRow>>,
    #[serde(default)]
    references: Option<Vec<ReferenceRow>>,
    #[serde(default)]
    checks: Option<Vec<Check>>,
    #[serde(default)]
    triggers: Option<Vec<TriggerRow>>,
    #[serde(default)]
    policies: Option<Vec<Named>>,
}

#[derive(Clone, Debug, Deserialize)]
struct ColumnRow {
    name: String,
    type_name: String,
    /// In bytes; -1 for `max`.
    max_length: i16,
    precision: u8,
    scale: u8,
    is_nullable: bool,
    collation: Option<String>,
    default: Option<String>,
    computed: Option<String>,
    seed: Option<i64>,
    increment: Option<i64>,
    /// 1 and 2 are the bounds of the period, 5 to 10 are a ledger's.
    generated_always_type: u8,
    is_masked: bool,
    is_encrypted: u8,
}

#[derive(Clone, Debug, Deserialize)]
struct UniqueRow {
    name: String,
    is_primary_key: bool,
    filter: Option<String>,
    ignore_dup_key: bool,
    columns: Vec<Named>,
}

#[derive(Clone, Debug, Deserialize)]
struct ReferenceRow {
    name: String,
    referenced_schema: String,
    referenced_name: String,
    on_delete: String,
    on_update: String,
    columns: Vec<Pair>,
}

#[derive(Clone, Debug, Deserialize)]
struct Pair {
    name: String,
    referenced: String,
}

#[derive(Clone, Debug, Deserialize)]
struct TriggerRow {
    name: String,
    is_instead_of: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct Named {
    name: String,
}

/// The parameter of [`QUERY`] for a table, or for all of a schema: `Sales.*`.
pub(crate) fn pattern(tables: &str) -> Result<String> {
    let escaped = |text: &str| {
        let special = |character: char| matches!(character, '\\' | '%' | '_' | '[');
        text.chars()
            .flat_map(|character| special(character).then_some('\\').into_iter().chain([character]))
            .collect::<String>()
    };
    if tables == "*" {
        return Ok("%".to_owned());
    }
    if let Some(schema) = tables.strip_suffix(".*") {
        let of: TableName = format!("{schema}.x").parse()?;
        return Ok(format!("{}.%", escaped(&of.schema)));
    }
    let name: TableName = tables.parse()?;
    Ok(escaped(&format!("{}.{}", name.schema, name.name)))
}

/// The tables of the document that answers [`QUERY`]. A table with a type that is not known here is an error of its own.
///
/// # Errors
///
/// When the document is another.
pub(crate) fn tables(document: &str) -> Result<Vec<Found>> {
    let rows: Vec<Row> = serde_json::from_str(document).context("the catalog's answer is not understood")?;
    Ok(rows.into_iter().map(|row| (TableName::new(&row.schema, &row.name), table(row))).collect())
}

fn table(row: Row) -> Result<Table> {
    let name = TableName::new(row.schema.clone(), row.name.clone());
    let mut table = Table::new(name.clone());
    for column in &row.columns {
        let read = column_of(column);
        table.columns.push(read.with_context(|| format!("column {} of {name}", column.name))?);
    }
    table.traits = traits(&row);
    for unique in row.uniques.unwrap_or_default() {
        if unique.ignore_dup_key {
            table.traits.push(Trait::IgnoresDuplicates(unique.name.clone()));
        }
        table.uniques.push(Unique {
            name: Some(unique.name),
            columns: unique.columns.into_iter().map(|column| column.name).collect(),
            filter: unique.filter,
            is_primary: unique.is_primary_key,
        });
    }
    for reference in row.references.unwrap_or_default() {
        let (columns, referenced) = reference.columns.into_iter().map(|pair| (pair.name, pair.referenced)).unzip();
        table.references.push(Reference {
            name: Some(reference.name),
            columns,
            table: TableName::new(reference.referenced_schema, reference.referenced_name),
            referenced,
            on_delete: action(&reference.on_delete)?,
            on_update: action(&reference.on_update)?,
        });
    }
    table.checks = row.checks.unwrap_or_default();
    let trigger = |row: TriggerRow| Trigger { name: row.name, is_instead_of: row.is_instead_of };
    table.triggers = row.triggers.unwrap_or_default().into_iter().map(trigger).collect();
    let bound = |filled: &Filled| {
        let column = table.columns.iter().find(|column| column.filled == *filled);
        column.map(|column| column.name.clone())
    };
    // Without a history, it is a period, and no version of a row stays.
    if let (Some(start), Some(end), Some(history)) =
        (bound(&Filled::RowStart), bound(&Filled::RowEnd), row.history_name)
    {
        let history = Some(TableName::new(row.history_schema.unwrap_or_else(|| "dbo".to_owned()), history));
        let retention = row.retention.filter(|retention| *retention > 0).zip(row.retention_unit);
        let retention = retention.map(|(count, unit)| format!("{count} {unit}"));
        table.temporal = Some(Period { start, end, history, retention });
    }
    Ok(table)
}

fn traits(row: &Row) -> Vec<Trait> {
    let kinds = [
        (row.is_node, "a NODE"),
        (row.is_edge, "an EDGE"),
        (row.is_filetable, "a FileTable"),
        (row.is_external, "external"),
    ];
    let mut traits: Vec<_> =
        kinds.into_iter().filter(|(is_it, _)| *is_it).map(|(_, kind)| Trait::Special(kind.to_owned())).collect();
    if row.is_view {
        traits.push(Trait::View);
    }
    if row.is_memory_optimized {
        traits.push(Trait::MemoryOptimized);
    }
    if row.ledger_type == Some(3) {
        traits.push(Trait::AppendOnly);
    }
    if !is_same(&row.owner, "dbo") {
        traits.push(Trait::OwnedBy(row.owner.clone()));
    }
    traits.extend(row.policies.iter().flatten().map(|policy| Trait::RowLevelSecurity(policy.name.clone())));
    traits
}

fn column_of(row: &ColumnRow) -> Result<TableColumn> {
    let filled = match (row.seed, &row.computed, row.generated_always_type) {
        (Some(seed), _, _) => Filled::Identity(Identity(seed, row.increment.unwrap_or(1))),
        (_, Some(expression), _) => Filled::Computed(expression.clone()),
        (_, _, 1) => Filled::RowStart,
        (_, _, 2) => Filled::RowEnd,
        _ if row.type_name == "timestamp" => Filled::RowVersion,
        _ => Filled::ByInsert,
    };
    let veil = match (row.is_encrypted, row.is_masked, row.generated_always_type) {
        (1, _, _) => Some(Veil::Encrypted),
        (_, true, _) => Some(Veil::Masked),
        (_, _, 5..) => Some(Veil::Ledger),
        _ => None,
    };
    Ok(TableColumn {
        name: row.name.clone(),
        sql_type: Some(type_of(row)?),
        is_nullable: row.is_nullable,
        collation: row.collation.clone(),
        default: row.default.clone(),
        default_name: None,
        filled,
        veil,
    })
}

/// The type as T-SQL declares it: lengths of `n…` types are bytes in the catalog.
fn type_of(row: &ColumnRow) -> Result<SqlType> {
    let name = row.type_name.as_str();
    let text = match name {
        "nchar" | "nvarchar" if row.max_length > 0 => format!("{name}({})", row.max_length / 2),
        "char" | "varchar" | "binary" | "varbinary" if row.max_length > 0 => format!("{name}({})", row.max_length),
        "nvarchar" | "varchar" | "varbinary" => format!("{name}(max)"),
        "decimal" | "numeric" => format!("{name}({},{})", row.precision, row.scale),
        "time" | "datetime2" | "datetimeoffset" => format!("{name}({})", row.scale),
        // Bytes: eight, and four for each dimension.
        "vector" => format!("{name}({})", (row.max_length - 8) / 4),
        _ => name.to_owned(),
    };
    text.parse()
}

fn action(description: &str) -> Result<Action> {
    match description {
        "NO_ACTION" => Ok(Action::None),
        "CASCADE" => Ok(Action::Cascade),
        "SET_NULL" => Ok(Action::SetNull),
        "SET_DEFAULT" => Ok(Action::SetDefault),
        other => anyhow::bail!("{other:?} is no action of a foreign key"),
    }
}
