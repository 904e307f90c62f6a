//! A table and its columns.

use anyhow::{Result, bail};

use super::super::plan::{Check, Column, Definition, Filled, Period, Plan, Reference, SqlType, TableName, Unique};

/// A table as it is defined.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) name: TableName,
    pub(crate) columns: Vec<TableColumn>,
    pub(crate) uniques: Vec<Unique>,
    pub(crate) references: Vec<Reference>,
    pub(crate) checks: Vec<Check>,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) temporal: Option<Period>,
    /// Traits of the table that some operations cannot live with.
    pub(crate) traits: Vec<Trait>,
    /// The statements that create the table, word for word; empty when the table was read from a database.
    pub(crate) ddl: Vec<Definition>,
}

/// One of several tables, or why it cannot be read.
pub(crate) type Found = (TableName, Result<Table>);

/// A column as it is defined.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TableColumn {
    pub(crate) name: String,
    /// Its type; `None` for a computed column in a script, where it is not written down.
    pub(crate) sql_type: Option<SqlType>,
    pub(crate) is_nullable: bool,
    pub(crate) collation: Option<String>,
    pub(crate) default: Option<String>,
    /// The name of the constraint that is its default.
    pub(crate) default_name: Option<String>,
    pub(crate) filled: Filled,
    /// Hides the stored values from users who may not see them, or makes them unreadable.
    pub(crate) veil: Option<Veil>,
}

/// Makes a column's values other than what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Veil {
    /// MASKED WITH
    Masked,
    /// ENCRYPTED WITH
    Encrypted,
    /// GENERATED ALWAYS AS TRANSACTION_ID or SEQUENCE_NUMBER
    Ledger,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trigger {
    pub(crate) name: String,
    pub(crate) is_instead_of: bool,
}

/// A trait of a table that some operations cannot live with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(any(test, feature = "database")),
    expect(dead_code, reason = "a catalog has more to tell than a script")
)]
pub(crate) enum Trait {
    /// A view, of which the owner names the key.
    View,
    /// MEMORY_OPTIMIZED = ON
    MemoryOptimized,
    /// LEDGER = ON (APPEND_ONLY = ON)
    AppendOnly,
    /// An index with IGNORE_DUP_KEY = ON, by name.
    IgnoresDuplicates(String),
    /// AS NODE, AS EDGE, AS FileTable, external: not an ordinary table.
    Special(String),
    /// A security policy filters its rows, by name.
    RowLevelSecurity(String),
    /// Its schema, or itself, is owned by another than dbo.
    OwnedBy(String),
}

impl Table {
    pub(crate) fn new(name: TableName) -> Self {
        Self {
            name,
            columns: Vec::new(),
            uniques: Vec::new(),
            references: Vec::new(),
            checks: Vec::new(),
            triggers: Vec::new(),
            temporal: None,
            traits: Vec::new(),
            ddl: Vec::new(),
        }
    }

    /// Makes the table from a plan, for a table that is read nowhere.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        let column = |column: &Column| TableColumn {
            name: column.name.clone(),
            sql_type: Some(column.sql_type),
            is_nullable: column.is_nullable,
            collation: column.collation.clone(),
            default: column.default.clone(),
            default_name: None,
            filled: column.filled.clone(),
            veil: None,
        };
        let trigger = |name: &String| Trigger { name: name.clone(), is_instead_of: false };
        Self {
            name: plan.table.clone(),
            columns: plan.columns.iter().map(column).collect(),
            uniques: plan.uniques.clone(),
            references: plan.references.clone(),
            checks: plan.checks.clone(),
            triggers: plan.triggers.iter().map(trigger).collect(),
            temporal: plan.temporal.clone(),
            traits: if plan.view { vec![Trait::View] } else { Vec::new() },
            ddl: plan.ddl.clone(),
        }
    }

    /// The column of this name, without regard to case, as most collations of a database have it.
    pub(crate) fn column(&self, name: &str) -> Option<&TableColumn> {
        let exact = self.columns.iter().find(|column| column.name == name);
        exact.or_else(|| self.columns.iter().find(|column| is_same(&column.name, name)))
    }

    pub(super) fn column_mut(&mut self, name: &str) -> Result<&mut TableColumn> {
        match self.columns.iter_mut().find(|column| is_same(&column.name, name)) {
            Some(column) => Ok(column),
            None => bail!("{} has no column {name}", self.name),
        }
    }

    /// The primary key.
    pub(crate) fn primary(&self) -> Option<&Unique> {
        self.uniques.iter().find(|unique| unique.is_primary)
    }
}

/// True if two names are one where case does not matter.
pub(crate) fn is_same(name: &str, other: &str) -> bool {
    name.to_lowercase() == other.to_lowercase()
}
