//! SQL Server's types: how each is declared, checked, read from JSON and compared.

use super::super::super::plan::condition::Condition;
use super::super::super::plan::{Column, Length, Plan, SqlType};
use super::super::text::literal;

/// `@SqlType`, `@Size` and `@Scale` of `ops.field_error`.
pub(crate) type Rule = (&'static str, Option<u32>, Option<u32>);

/// The row of a column in `ops.Fields`. `None` for types that no JSON value stands for.
pub(crate) fn rule(plan: &Plan, column: &Column) -> Option<Rule> {
    let is_key = plan.key_of(&column.name).is_some();
    let text = |plain, or_number, length: Option<u16>| {
        let name = if column.takes_number { or_number } else { plain };
        // An empty key would name no row in a path.
        Some((name, length.map(u32::from), is_key.then_some(1)))
    };
    let of = |length| match length {
        Length::Of(length) => Some(length),
        Length::Max => None,
    };
    match column.sql_type.modern() {
        SqlType::Bit => Some(("bit", None, None)),
        SqlType::TinyInt => Some(("tinyint", None, None)),
        SqlType::SmallInt => Some(("smallint", None, None)),
        SqlType::Int => Some(("int", None, None)),
        SqlType::BigInt if plan.has_digits_as_text(column) => Some(("bigint or text", None, None)),
        SqlType::BigInt => Some(("bigint", None, None)),
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            Some(("decimal", Some(precision.into()), Some(scale.into())))
        }
        SqlType::Money => Some(("money", None, None)),
        SqlType::SmallMoney => Some(("smallmoney", None, None)),
        SqlType::Real => Some(("real", None, None)),
        SqlType::Float => Some(("float", None, None)),
        SqlType::Date => Some(("date", None, None)),
        SqlType::SmallDateTime => Some(("smalldatetime", None, Some(0))),
        SqlType::Time(digits) => Some(("time", None, Some(digits.into()))),
        SqlType::DateTime => Some(("datetime", None, Some(3))),
        SqlType::DateTime2(digits) => Some(("datetime2", None, Some(digits.into()))),
        SqlType::DateTimeOffset(digits) => Some(("datetimeoffset", None, Some(digits.into()))),
        SqlType::Char(length) => text("char", "char or number", Some(length)),
        SqlType::VarChar(length) => text("char", "char or number", of(length)),
        SqlType::NChar(length) => text("nchar", "nchar or number", Some(length)),
        SqlType::NVarChar(length) => text("nchar", "nchar or number", of(length)),
        SqlType::UniqueIdentifier => Some(("uniqueidentifier", None, None)),
        SqlType::Binary(length) => Some(("binary", Some(length.into()), Some(length.into()))),
        SqlType::VarBinary(length) => Some(("binary", of(length).map(u32::from), None)),
        // They are only shown, as texts.
        SqlType::Xml | SqlType::Geometry | SqlType::Geography | SqlType::HierarchyId => Some(("nchar", None, None)),
        SqlType::Text | SqlType::NText | SqlType::Image => None,
        SqlType::RowVersion | SqlType::Json | SqlType::SqlVariant | SqlType::Vector(_) => None,
    }
}

/// The type as T-SQL declares it, in capitals.
pub(super) fn declared(sql_type: SqlType) -> String {
    sql_type.modern().to_string().to_uppercase()
}

/// A column of the table with this alias, as `FOR JSON` shows it.
pub(super) fn shown(column: &Column, alias: &str) -> String {
    let name = format!("{alias}.{}", super::super::text::name(&column.name));
    match column.sql_type {
        SqlType::Text | SqlType::NText | SqlType::Image => format!("CONVERT({}, {name})", declared(column.sql_type)),
        SqlType::Xml => format!("CONVERT(NVARCHAR(MAX), {name})"),
        SqlType::Geometry | SqlType::Geography | SqlType::HierarchyId => format!("{name}.ToString()"),
        _ => name,
    }
}

/// The value of a column as JSON has it.
pub(super) fn in_json(plan: &Plan, column: &Column, value: String) -> String {
    if plan.has_digits_as_text(column) { format!("CONVERT(NVARCHAR(20), {value})") } else { value }
}

/// The column in `OPENJSON … WITH`. Numbers come as their text, because no type of whole numbers takes `1e3`. Times come as their text,
/// because one may end in `Z`. Texts come as NVARCHAR, to be converted in the column's own collation.
pub(super) fn json_type(column: &Column) -> String {
    match column.sql_type.modern() {
        SqlType::SmallDateTime | SqlType::DateTime | SqlType::DateTime2(_) => "NVARCHAR(4000)".to_owned(),
        sql_type if is_number(sql_type) => "NVARCHAR(4000)".to_owned(),
        SqlType::Char(1..=4000) | SqlType::VarChar(Length::Of(1..=4000)) => format!("N{}", declared(column.sql_type)),
        SqlType::Char(_) | SqlType::VarChar(_) => "NVARCHAR(MAX)".to_owned(),
        sql_type => declared(sql_type),
    }
}

/// The value that `OPENJSON` gives as `source`, in the column's type.
pub(super) fn value(column: &Column, source: &str) -> String {
    let sql_type = declared(column.sql_type);
    match column.sql_type {
        number if is_number(number) => format!("CONVERT({sql_type}, ops.plain_number({source}))"),
        SqlType::DateTime => format!("CONVERT(DATETIME, LEFT(REPLACE({source}, N'Z', N''), 23), 126)"),
        SqlType::SmallDateTime => format!("CONVERT(SMALLDATETIME, LEFT({source}, 19), 126)"),
        SqlType::DateTime2(_) => format!("CONVERT({sql_type}, REPLACE({source}, N'Z', N''), 126)"),
        text if text.has_code_page() => format!("CONVERT({sql_type}, {source}{})", collate(column)),
        _ => source.to_owned(),
    }
}

/// The same value, or NULL where there is none: a plan may convert values that the check of a list refuses.
pub(super) fn tried_value(column: &Column, source: &str) -> String {
    let value = value(column, source);
    match value.strip_prefix("CONVERT(") {
        Some(rest) => format!("TRY_CONVERT({rest}"),
        None => format!("TRY_CONVERT({}, {value})", declared(column.sql_type)),
    }
}

/// The same value, in the column's collation: beside the column in one expression, the value must not have another.
pub(super) fn collated_value(column: &Column, source: &str) -> String {
    let collate = if matches!(column.sql_type.modern(), SqlType::NChar(_) | SqlType::NVarChar(_)) {
        collate(column)
    } else {
        String::new()
    };
    format!("{}{collate}", value(column, source))
}

/// True for the numbers that are exact.
pub(super) fn is_number(sql_type: SqlType) -> bool {
    sql_type.is_integer()
        || matches!(sql_type, SqlType::Decimal { .. } | SqlType::Numeric { .. } | SqlType::Money | SqlType::SmallMoney)
}

/// The column's own collation, as a clause.
pub(super) fn collate(column: &Column) -> String {
    column.collation.as_ref().map_or_else(String::new, |collation| format!(" COLLATE {collation}"))
}

/// The collation of a column for `ops.Fields`.
pub(super) fn collation(column: &Column) -> String {
    column.collation.as_deref().filter(|_| column.sql_type.has_code_page()).map_or("NULL".to_owned(), literal)
}

/// The type of a parameter for the key: one of the types that Data API Builder and the component know.
pub(crate) fn parameter(sql_type: SqlType) -> String {
    match sql_type {
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Int => "INT".to_owned(),
        text if text.is_text() => of_text(text),
        other => declared(other),
    }
}

/// The type of a parameter for a filter: as for a key where the component converts it, and a text for all else.
pub(crate) fn filter(condition: &Condition) -> String {
    match condition.is_native() {
        true => parameter(condition.column.sql_type),
        false => format!("NVARCHAR({})", condition.length()),
    }
}

/// The rule for a value of a filter. A text has a length. Its characters need not be in the column's code page: no row has such a text.
pub(crate) fn rule_of_filter(plan: &Plan, condition: &Condition) -> Rule {
    match condition.column.sql_type {
        sql_type if sql_type.is_text() => ("nchar", Some(condition.length_of_value().into()), None),
        _ => rule_of_text(plan, condition.column),
    }
}

/// The rule for a value that is no JSON: a BIGINT is digits, whatever form JSON has.
pub(crate) fn rule_of_text(plan: &Plan, column: &Column) -> Rule {
    match column.sql_type {
        SqlType::BigInt => ("bigint", None, None),
        _ => rule(plan, column).unwrap_or(("object", None, None)),
    }
}

/// The type of a variable that has every text of this type.
fn of_text(sql_type: SqlType) -> String {
    format!("NVARCHAR({})", sql_type.length().map_or("MAX".to_owned(), |length| length.to_string()))
}

/// A key or a value of a cursor, in its column's own type and collation, from a parameter. Compared as NVARCHAR, a VARCHAR has another
/// order.
pub(super) fn key(column: &Column, parameter: &str) -> String {
    match column.sql_type {
        text if text.has_code_page() => format!("CONVERT({}, @{parameter}{})", declared(text), collate(column)),
        _ => format!("@{parameter}"),
    }
}

/// The type of a variable for a value in a cursor.
pub(super) fn of_cursor(column: &Column) -> String {
    match column.sql_type {
        text if text.is_text() => of_text(text),
        other => declared(other),
    }
}

/// A value as the text that a cursor has, from which [`from_cursor`] makes the same value.
pub(super) fn to_cursor(column: &Column, source: &str) -> String {
    let style = match column.sql_type {
        sql_type if sql_type.is_text() => return format!("ops.key_text({source})"),
        SqlType::Real | SqlType::Float => ", 3",
        SqlType::Money | SqlType::SmallMoney => ", 2",
        SqlType::SmallDateTime | SqlType::DateTime | SqlType::DateTime2(_) | SqlType::DateTimeOffset(_) => ", 126",
        _ => "",
    };
    format!("CONVERT(NVARCHAR(60), {source}{style})")
}

/// The value of a cursor from its text, NULL for a text that is none.
pub(super) fn from_cursor(column: &Column, source: &str) -> String {
    match column.sql_type {
        sql_type if sql_type.is_text() => source.to_owned(),
        SqlType::SmallDateTime | SqlType::DateTime | SqlType::DateTime2(_) => {
            format!("TRY_CONVERT({}, {source}, 126)", declared(column.sql_type))
        }
        sql_type => format!("TRY_CONVERT({}, {source})", declared(sql_type)),
    }
}

/// The condition that a row has this key. A character that the column's code page lacks becomes another there, and no row has that key.
pub(super) fn is_key(column: &Column, name: &str, parameter: &str) -> String {
    let key = key(column, parameter);
    match column.sql_type {
        text if text.has_code_page() => format!(
            "{name} = {key} AND CONVERT({}, {key}) = @{parameter} COLLATE Latin1_General_100_BIN2",
            of_text(text)
        ),
        _ => format!("{name} = {key}"),
    }
}

/// Gives two values of a FLOAT or REAL two texts, for the version. FOR JSON shows too few digits for this. `None` for other types.
pub(super) fn exact(column: &Column) -> Option<String> {
    let is_float = matches!(column.sql_type, SqlType::Real | SqlType::Float);
    is_float.then(|| format!("CONVERT(NVARCHAR(40), c.{}, 3)", super::super::text::name(&column.name)))
}
