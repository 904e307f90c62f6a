//! What a procedure takes and returns.

use std::fmt;

/// A parameter of a procedure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// The name without `@`; case-sensitive on DAB's wire.
    pub name: &'static str,
    /// Its declared type.
    pub sql_type: SqlType,
    /// What it is when a caller leaves it out; without a default the call fails (SQL error 201).
    pub default: Option<DefaultValue>,
}

impl Parameter {
    pub(super) const fn required(name: &'static str, sql_type: SqlType) -> Self {
        Self {
            name,
            sql_type,
            default: None,
        }
    }

    pub(super) const fn optional(name: &'static str, sql_type: SqlType, default: DefaultValue) -> Self {
        Self {
            name,
            sql_type,
            default: Some(default),
        }
    }
}

/// The default of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// `= NULL`
    Null,
    /// `= 1000`
    Int(i32),
}

/// The types that parameters and result columns have. `Display` writes them as T-SQL does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SqlType {
    /// `INT`: 32 bits, signed.
    Int,
    /// `BIT`: true or false.
    Bit,
    /// `NVARCHAR(n)`: at most n UTF-16 code units. SQL Server silently cuts off an argument that is longer.
    NVarChar(u16),
    /// `NVARCHAR(MAX)`
    NVarCharMax,
}

impl fmt::Display for SqlType {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Int => formatter.write_str("INT"),
            Self::Bit => formatter.write_str("BIT"),
            Self::NVarChar(length) => write!(formatter, "NVARCHAR({length})"),
            Self::NVarCharMax => formatter.write_str("NVARCHAR(MAX)"),
        }
    }
}

impl SqlType {
    /// The type as T-SQL writes it, in any case; `None` for one that is not here.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text: String = text.split_whitespace().collect();
        let text = text.to_ascii_uppercase();
        let length = text.strip_prefix("NVARCHAR(").and_then(|rest| rest.strip_suffix(')'));
        match (text.as_str(), length) {
            ("INT", _) => Some(Self::Int),
            ("BIT", _) => Some(Self::Bit),
            (_, Some("MAX")) => Some(Self::NVarCharMax),
            (_, length) => length?.parse().ok().map(Self::NVarChar),
        }
    }
}

/// The columns that a result row can have, in the order in which rows have them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Column {
    /// The HTTP status with which the component answers.
    Status,
    /// The version of the row, without quotes.
    ETag,
    /// The id of the row that was created, under the name that the procedure has for it.
    Id(&'static str),
    /// The last id of a page when more rows follow.
    NextAfter,
    /// Whether the request key was used before for the same request, so that nothing was done this time.
    Replayed,
    /// The text with which the component answers; for a status of 400 or more an object with `detail` and perhaps
    /// `errors`.
    Json,
}

impl Column {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "Status",
            Self::ETag => "ETag",
            Self::Id(name) => name,
            Self::NextAfter => "NextAfter",
            Self::Replayed => "Replayed",
            Self::Json => "Json",
        }
    }

    /// The type that the procedure declares.
    pub const fn sql_type(self) -> SqlType {
        match self {
            Self::Status | Self::Id(_) | Self::NextAfter => SqlType::Int,
            Self::ETag => SqlType::NVarChar(40),
            Self::Replayed => SqlType::Bit,
            Self::Json => SqlType::NVarCharMax,
        }
    }
}
