//! The conditions of a list, which follow from its filters.

use super::filter::By;
use super::{Column, Filter, Length, Plan, SqlType};

/// Says how a column's value compares with a query parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    /// The column has the same value: `?Status=open`.
    Equal,
    /// The column's value begins with the parameter's: `?Name.prefix=Tail`.
    Prefix,
    /// The column's value is the same or greater: `?CreatedAt.from=2026-01-01`.
    From,
    /// The column's value is less: `?CreatedAt.before=2026-02-01`.
    Before,
}

/// A condition of a list: a filter by value or prefix has one, and a range two.
pub(crate) struct Condition<'p> {
    /// The query parameter: `CreatedAt.from`.
    pub(crate) query: String,
    /// The procedure's parameter, without `@`: `FromCreatedAt`. Its beginning keeps it apart from the other variables.
    pub(crate) parameter: String,
    pub(crate) column: &'p Column,
    pub(crate) compare: Compare,
}

impl Plan {
    /// The conditions of the list, in the order of `filter`.
    pub(crate) fn conditions(&self) -> Vec<Condition<'_>> {
        let mut conditions = Vec::new();
        for filter in &self.filter {
            let Some(column) = self.column(&filter.column) else { continue };
            let compares: &[Compare] = match filter.by {
                By::Value => &[Compare::Equal],
                By::Prefix => &[Compare::Prefix],
                By::Range => &[Compare::From, Compare::Before],
            };
            conditions.extend(compares.iter().map(|compare| self.condition(filter, column, *compare)));
        }
        conditions
    }

    fn condition<'p>(&'p self, filter: &Filter, column: &'p Column, compare: Compare) -> Condition<'p> {
        let (begin, suffix) = match compare {
            Compare::Equal => ("By", ""),
            Compare::Prefix => ("Prefix", ".prefix"),
            Compare::From => ("From", ".from"),
            Compare::Before => ("Before", ".before"),
        };
        // A prefix or value may have a name of its own; both ends of a range need one.
        let query = match (&filter.name, compare) {
            (Some(name), Compare::Equal | Compare::Prefix) => name.clone(),
            (Some(name), _) => format!("{name}{suffix}"),
            (None, _) => format!("{}{suffix}", column.path()),
        };
        // Names of variables fold case, width and kana.
        let is_same = |other: &&Column| other.name.eq_ignore_ascii_case(&column.name);
        let is_plain = column.name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        let parameter = match self.columns.iter().position(|other| other.name == column.name) {
            Some(at) if !is_plain || column.name.len() > 100 || self.columns.iter().filter(is_same).count() > 1 => {
                format!("{begin}Column{at}")
            }
            _ => format!("{begin}{}", column.name),
        };
        Condition { query, parameter, column, compare }
    }
}

impl Condition<'_> {
    /// True if the value reaches the procedure as a text, which the procedure checks and converts.
    pub(crate) fn is_checked(&self) -> bool {
        let sql_type = self.column.sql_type;
        !sql_type.is_integer() && !sql_type.is_text() && sql_type != SqlType::UniqueIdentifier
    }

    /// The most characters of its value, when that is a text.
    pub(crate) fn length(&self) -> u16 {
        match self.column.sql_type {
            SqlType::VarChar(Length::Of(length)) | SqlType::NVarChar(Length::Of(length)) => length,
            SqlType::Char(length) | SqlType::NChar(length) => length,
            _ => 40,
        }
    }

    /// The reason why a list cannot be filtered so, with a way out.
    pub(crate) fn refusal(&self) -> Option<String> {
        let (name, sql_type) = (&self.column.name, self.column.sql_type);
        let is_short = match sql_type {
            SqlType::VarChar(length) | SqlType::NVarChar(length) => matches!(length, Length::Of(1..=4000)),
            SqlType::Char(length) | SqlType::NChar(length) => length <= 4000,
            _ => false,
        };
        match self.compare {
            _ if !sql_type.has_json() || sql_type.is_only_shown() || sql_type.is_binary() => {
                Some("which no value in a query stands for")
            }
            _ if sql_type.is_text() && !is_short => Some("and a query has at most 4,000 characters of a text"),
            Compare::Prefix if !sql_type.is_text() => Some("and only a text has a prefix"),
            Compare::From | Compare::Before if sql_type.is_text() || sql_type == SqlType::UniqueIdentifier => {
                Some("and a range has numbers, dates or times")
            }
            Compare::From | Compare::Before if sql_type == SqlType::Bit => Some("which has no order"),
            Compare::Equal if matches!(sql_type, SqlType::Float | SqlType::Real) => {
                Some("of which the last digits are seldom known: filter by range")
            }
            _ => None,
        }
        .map(|reason| format!("column {name} is {sql_type}, {reason}: take it from `filter`"))
    }
}
