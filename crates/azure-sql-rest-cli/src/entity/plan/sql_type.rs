//! The types of SQL Server.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Error, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// A type of SQL Server, with its sizes. In text it is T-SQL: `nvarchar(100)`, `decimal(18,3)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum SqlType {
    Bit,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// The same as `Decimal`, under the name that the catalog keeps.
    Numeric {
        precision: u8,
        scale: u8,
    },
    Money,
    SmallMoney,
    /// `real`, and `float(1)` to `float(24)`
    Real,
    /// `float`, which is `float(53)`, and `float(25)` and above
    Float,
    Date,
    /// The number of digits behind the second.
    Time(u8),
    SmallDateTime,
    DateTime,
    DateTime2(u8),
    DateTimeOffset(u8),
    /// The number of bytes.
    Char(u16),
    VarChar(Length),
    /// The number of UTF-16 code units.
    NChar(u16),
    NVarChar(Length),
    Text,
    NText,
    Binary(u16),
    VarBinary(Length),
    Image,
    /// `rowversion`, which the catalog calls `timestamp`
    RowVersion,
    UniqueIdentifier,
    Xml,
    Json,
    SqlVariant,
    Geometry,
    Geography,
    HierarchyId,
    /// The number of dimensions.
    Vector(u16),
}

/// The length of a type that varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Of(u16),
    Max,
}

impl fmt::Display for Length {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Of(length) => write!(formatter, "{length}"),
            Self::Max => formatter.write_str("max"),
        }
    }
}

impl SqlType {
    /// True if a JSON value stands for each of its values, so that clients can see it.
    pub(crate) fn has_json(self) -> bool {
        match self {
            Self::Bit
            | Self::TinyInt
            | Self::SmallInt
            | Self::Int
            | Self::BigInt
            | Self::Decimal { .. }
            | Self::Numeric { .. }
            | Self::Money
            | Self::SmallMoney
            | Self::Real
            | Self::Float
            | Self::Date
            | Self::Time(_)
            | Self::DateTime
            | Self::DateTime2(_)
            | Self::DateTimeOffset(_)
            | Self::Char(_)
            | Self::VarChar(_)
            | Self::NChar(_)
            | Self::NVarChar(_)
            | Self::SmallDateTime
            | Self::Text
            | Self::NText
            | Self::Binary(_)
            | Self::VarBinary(_)
            | Self::Image
            | Self::UniqueIdentifier
            | Self::Xml
            | Self::Json
            | Self::Geometry
            | Self::Geography
            | Self::HierarchyId => true,
            Self::RowVersion | Self::SqlVariant | Self::Vector(_) => false,
        }
    }

    /// True if SQL Server does not make the same value again from what JSON shows: clients only read it. JSON rounds a number with an exponent
    /// to ten digits behind the point. A number of 39 digits is an error that nothing catches.
    pub(crate) fn is_only_shown(self) -> bool {
        matches!(self, Self::Xml | Self::Json | Self::Geometry | Self::Geography | Self::HierarchyId)
    }

    /// The type that took the place of TEXT, NTEXT or IMAGE. Other types stay.
    pub(crate) fn modern(self) -> Self {
        match self {
            Self::Text => Self::VarChar(Length::Max),
            Self::NText => Self::NVarChar(Length::Max),
            Self::Image => Self::VarBinary(Length::Max),
            other => other,
        }
    }

    /// True for BINARY, VARBINARY and IMAGE, which JSON shows in base64.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Self::Binary(_) | Self::VarBinary(_) | Self::Image)
    }

    /// True for TINYINT, SMALLINT, INT and BIGINT.
    pub(crate) fn is_integer(self) -> bool {
        matches!(self, Self::TinyInt | Self::SmallInt | Self::Int | Self::BigInt)
    }

    /// True for the types of text that JSON shows.
    pub(crate) fn is_text(self) -> bool {
        matches!(self.modern(), Self::Char(_) | Self::VarChar(_) | Self::NChar(_) | Self::NVarChar(_))
    }

    /// True for text in a code page: CHAR, VARCHAR and TEXT.
    pub(crate) fn has_code_page(self) -> bool {
        matches!(self.modern(), Self::Char(_) | Self::VarChar(_))
    }

    /// True if SQL Server fills its values up with blanks: CHAR and NCHAR.
    pub(crate) fn is_padded(self) -> bool {
        matches!(self, Self::Char(_) | Self::NChar(_))
    }

    /// True if it can be a key, by which a path names a row: an integer, UNIQUEIDENTIFIER, or a text of at most 450 characters.
    pub(crate) fn can_be_key(self) -> bool {
        self.is_integer()
            || self == Self::UniqueIdentifier
            || self.length().is_some_and(|length| (1..=450).contains(&length))
    }

    /// Its most characters; `None` for `max` and for what is no text.
    pub(crate) fn length(self) -> Option<u16> {
        match self {
            Self::Char(length) | Self::NChar(length) => Some(length),
            Self::VarChar(Length::Of(length)) | Self::NVarChar(Length::Of(length)) => Some(length),
            _ => None,
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Bit => formatter.write_str("bit"),
            Self::TinyInt => formatter.write_str("tinyint"),
            Self::SmallInt => formatter.write_str("smallint"),
            Self::Int => formatter.write_str("int"),
            Self::BigInt => formatter.write_str("bigint"),
            Self::Decimal { precision, scale } => write!(formatter, "decimal({precision},{scale})"),
            Self::Numeric { precision, scale } => write!(formatter, "numeric({precision},{scale})"),
            Self::Money => formatter.write_str("money"),
            Self::SmallMoney => formatter.write_str("smallmoney"),
            Self::Real => formatter.write_str("real"),
            Self::Float => formatter.write_str("float"),
            Self::Date => formatter.write_str("date"),
            Self::Time(digits) => write!(formatter, "time({digits})"),
            Self::SmallDateTime => formatter.write_str("smalldatetime"),
            Self::DateTime => formatter.write_str("datetime"),
            Self::DateTime2(digits) => write!(formatter, "datetime2({digits})"),
            Self::DateTimeOffset(digits) => write!(formatter, "datetimeoffset({digits})"),
            Self::Char(length) => write!(formatter, "char({length})"),
            Self::VarChar(length) => write!(formatter, "varchar({length})"),
            Self::NChar(length) => write!(formatter, "nchar({length})"),
            Self::NVarChar(length) => write!(formatter, "nvarchar({length})"),
            Self::Text => formatter.write_str("text"),
            Self::NText => formatter.write_str("ntext"),
            Self::Binary(length) => write!(formatter, "binary({length})"),
            Self::VarBinary(length) => write!(formatter, "varbinary({length})"),
            Self::Image => formatter.write_str("image"),
            Self::RowVersion => formatter.write_str("rowversion"),
            Self::UniqueIdentifier => formatter.write_str("uniqueidentifier"),
            Self::Xml => formatter.write_str("xml"),
            Self::Json => formatter.write_str("json"),
            Self::SqlVariant => formatter.write_str("sql_variant"),
            Self::Geometry => formatter.write_str("geometry"),
            Self::Geography => formatter.write_str("geography"),
            Self::HierarchyId => formatter.write_str("hierarchyid"),
            Self::Vector(dimensions) => write!(formatter, "vector({dimensions})"),
        }
    }
}

/// The arguments of a type: what stands between its parentheses.
struct Arguments<'t> {
    text: &'t str,
    parts: Vec<&'t str>,
}

impl Arguments<'_> {
    /// No arguments.
    fn none(&self, sql_type: SqlType) -> Result<SqlType> {
        ensure!(self.parts.is_empty(), "{:?} is no type of SQL Server: it takes no size", self.text);
        Ok(sql_type)
    }

    /// One number at most, from `least` to `most`.
    fn number(&self, default: u16, least: u16, most: u16) -> Result<u16> {
        ensure!(self.parts.len() <= 1, "{:?} is no type of SQL Server: it takes one size", self.text);
        let Some(part) = self.parts.first() else { return Ok(default) };
        let number = part.parse().ok().filter(|number| (least..=most).contains(number));
        number.with_context(|| format!("{:?} is no type of SQL Server: its size is {least} to {most}", self.text))
    }

    fn digits(&self) -> Result<u8> {
        Ok(u8::try_from(self.number(7, 0, 7)?)?)
    }

    fn length(&self, most: u16) -> Result<Length> {
        match self.parts.as_slice() {
            [max] if max.eq_ignore_ascii_case("max") => Ok(Length::Max),
            _ => Ok(Length::Of(self.number(1, 1, most)?)),
        }
    }

    /// Precision and scale.
    fn precision(&self) -> Result<(u8, u8)> {
        let number = |at: usize, default: u8| match self.parts.get(at) {
            None => Some(default),
            Some(part) => part.parse().ok(),
        };
        let pair = number(0, 18).zip(number(1, 0));
        let pair = pair.filter(|(precision, scale)| (1..=38).contains(precision) && scale <= precision);
        let pair = pair.filter(|_| self.parts.len() <= 2);
        let text = self.text;
        pair.with_context(|| format!("{text:?} is no type of SQL Server: 1 to 38 digits, and no more behind the point"))
    }
}

impl FromStr for SqlType {
    type Err = Error;

    /// Reads a type as T-SQL declares it: any case, with or without sizes, under all of its names.
    fn from_str(text: &str) -> Result<Self> {
        let (name, inside) = match text.split_once('(') {
            Some((name, rest)) => {
                let inside = rest.trim_end().strip_suffix(')');
                (name, inside.with_context(|| format!("{text:?} is no type of SQL Server: a parenthesis is missing"))?)
            }
            None => (text, ""),
        };
        let name = name.to_ascii_lowercase();
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let parts = if inside.trim().is_empty() { Vec::new() } else { inside.split(',').map(str::trim).collect() };
        let arguments = Arguments { text, parts };
        match name.as_str() {
            "bit" => arguments.none(Self::Bit),
            "tinyint" => arguments.none(Self::TinyInt),
            "smallint" => arguments.none(Self::SmallInt),
            "int" | "integer" => arguments.none(Self::Int),
            "bigint" => arguments.none(Self::BigInt),
            "decimal" | "dec" => arguments.precision().map(|(precision, scale)| Self::Decimal { precision, scale }),
            "numeric" => arguments.precision().map(|(precision, scale)| Self::Numeric { precision, scale }),
            "money" => arguments.none(Self::Money),
            "smallmoney" => arguments.none(Self::SmallMoney),
            "real" => arguments.none(Self::Real),
            "double precision" => arguments.none(Self::Float),
            "float" => Ok(if arguments.number(53, 1, 53)? <= 24 { Self::Real } else { Self::Float }),
            "date" => arguments.none(Self::Date),
            "time" => arguments.digits().map(Self::Time),
            "smalldatetime" => arguments.none(Self::SmallDateTime),
            "datetime" => arguments.none(Self::DateTime),
            "datetime2" => arguments.digits().map(Self::DateTime2),
            "datetimeoffset" => arguments.digits().map(Self::DateTimeOffset),
            "char" | "character" => arguments.number(1, 1, 8000).map(Self::Char),
            "varchar" | "char varying" | "character varying" => arguments.length(8000).map(Self::VarChar),
            "nchar" | "national char" | "national character" => arguments.number(1, 1, 4000).map(Self::NChar),
            "nvarchar" | "national char varying" | "national character varying" => {
                arguments.length(4000).map(Self::NVarChar)
            }
            "sysname" => arguments.none(Self::NVarChar(Length::Of(128))),
            "text" => arguments.none(Self::Text),
            "ntext" | "national text" => arguments.none(Self::NText),
            "binary" => arguments.number(1, 1, 8000).map(Self::Binary),
            "varbinary" | "binary varying" => arguments.length(8000).map(Self::VarBinary),
            "image" => arguments.none(Self::Image),
            "rowversion" | "timestamp" => arguments.none(Self::RowVersion),
            "uniqueidentifier" => arguments.none(Self::UniqueIdentifier),
            // Its schema collection does not matter to what reads and writes it.
            "xml" => Ok(Self::Xml),
            "json" => arguments.none(Self::Json),
            "sql_variant" => arguments.none(Self::SqlVariant),
            "geometry" => arguments.none(Self::Geometry),
            "geography" => arguments.none(Self::Geography),
            "hierarchyid" => arguments.none(Self::HierarchyId),
            "vector" if !arguments.parts.is_empty() => {
                let first = Arguments { text, parts: arguments.parts[..1].to_vec() };
                first.number(1, 1, 3996).map(Self::Vector)
            }
            _ => bail!("{text:?} is no type of SQL Server"),
        }
    }
}

impl TryFrom<String> for SqlType {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<SqlType> for String {
    fn from(sql_type: SqlType) -> Self {
        sql_type.to_string()
    }
}
