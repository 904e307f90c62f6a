//! The conditions of a list, which follow from its filters.

use super::filter::By;
use super::{Column, Filter, Length, Plan, SqlType};

/// Says how a column's value compares with a query parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    /// The column has the same value: `?Status=open`.
    Equal,
    /// The column has one of several values: `?Status.in=open,done`.
    In,
    /// The column's value begins with the parameter's: `?Name.prefix=Tail`.
    Prefix,
    /// The column's value is the same or greater: `?CreatedAt.from=2026-01-01`.
    From,
    /// The column's value is less: `?CreatedAt.before=2026-02-01`.
    Before,
}

/// A condition of a list: a range has two, and any other filter one.
pub(crate) struct Condition<'p> {
    /// The query parameter: `CreatedAt.from`.
    pub(crate) query: String,
    /// The procedure's parameter, without `@`: `FromCreatedAt`. Its beginning keeps it apart from the other variables.
    pub(crate) parameter: String,
    pub(crate) column: &'p Column,
    pub(crate) compare: Compare,
}

/// The most characters of a list of values: what a parameter of the procedure holds.
const LIST: u16 = 4000;

/// The most values in such a list. `ops.list_error` has the same number.
pub(crate) const VALUES: usize = 100;

impl Plan {
    /// The conditions of the list, in the order of `filter`.
    pub(crate) fn conditions(&self) -> Vec<Condition<'_>> {
        let mut conditions = Vec::new();
        for filter in &self.filter {
            let Some(column) = self.column(&filter.column) else { continue };
            let compares: &[Compare] = match filter.by {
                By::Value => &[Compare::Equal],
                By::In => &[Compare::In],
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
            Compare::In => ("In", ".in"),
            Compare::Prefix => ("Prefix", ".prefix"),
            Compare::From => ("From", ".from"),
            Compare::Before => ("Before", ".before"),
        };
        // Both ends of a range need a name; any other filter may have a name of its own.
        let query = match (&filter.name, compare) {
            (Some(name), Compare::From | Compare::Before) => format!("{name}{suffix}"),
            (Some(name), _) => name.clone(),
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
        !self.is_native() && (!self.column.sql_type.is_text() || self.compare == Compare::In)
    }

    /// True if the component converts the value.
    pub(crate) fn is_native(&self) -> bool {
        let sql_type = self.column.sql_type;
        (sql_type.is_integer() || sql_type == SqlType::UniqueIdentifier) && self.compare != Compare::In
    }

    /// The most characters of the query parameter, when that is a text.
    pub(crate) fn length(&self) -> u16 {
        if self.compare == Compare::In { LIST } else { self.length_of_value() }
    }

    /// The most characters of a value, when that is a text.
    pub(crate) fn length_of_value(&self) -> u16 {
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
            Compare::Equal | Compare::In if matches!(sql_type, SqlType::Float | SqlType::Real) => {
                Some("of which the last digits are seldom known: filter by range")
            }
            _ => None,
        }
        .map(|reason| format!("column {name} is {sql_type}, {reason}: take it from `filter`"))
    }
}
