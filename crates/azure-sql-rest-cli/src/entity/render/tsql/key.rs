//! The key of a row: its parameters, its conditions, and the text that stands for it.

use super::super::super::plan::{Column, KeySource, Plan, SqlType, bracketed};
use super::super::key_parameters;
use super::super::text::{literal, name, path_literal, qualified};
use super::types;

/// The columns of the key, each with its parameter.
fn parts(plan: &Plan) -> impl Iterator<Item = (&Column, String)> {
    plan.key_columns().into_iter().zip(key_parameters(plan))
}

/// Something for each column of the key and its parameter, separated by this.
fn each(plan: &Plan, between: &str, text: impl Fn(&Column, &str) -> String) -> String {
    parts(plan).map(|(column, parameter)| text(column, &parameter)).collect::<Vec<_>>().join(between)
}

/// The parameters with their types: `@OrderID INT, @ProductID INT`.
pub(super) fn declared(plan: &Plan) -> String {
    each(plan, ", ", |column, parameter| format!("@{parameter} {}", types::parameter(column.sql_type)))
}

/// The parameters as arguments: `@OrderID, @ProductID`.
pub(super) fn arguments(plan: &Plan) -> String {
    each(plan, ", ", |_, parameter| format!("@{parameter}"))
}

/// The condition that a row has the key of the parameters.
pub(super) fn is_key(plan: &Plan) -> String {
    each(plan, " AND ", |column, parameter| types::is_key(column, &format!("c.{}", name(&column.name)), parameter))
}

/// Reads the key of a row into the parameters.
pub(super) fn read(plan: &Plan) -> String {
    each(plan, ", ", |column, parameter| format!("@{parameter} = c.{}", name(&column.name)))
}

/// The members of a row that are its key.
pub(super) fn shown(plan: &Plan) -> String {
    each(plan, ", ", |column, parameter| {
        format!("{} AS {}", types::in_json(plan, column, format!("@{parameter}")), bracketed(column.path()))
    })
}

/// The key as people read it, from the parameters: arguments of CONCAT.
pub(super) fn for_people(plan: &Plan) -> String {
    each(plan, ", N', ', ", |_, parameter| format!("@{parameter}"))
}

/// The variable by which the ledger knows the row.
pub(super) fn in_ledger(plan: &Plan) -> String {
    format!("@{}", super::super::row_id(plan))
}

/// The text of a key of several columns, as `ops.key_text` says, from expressions for the parts.
pub(super) fn text(plan: &Plan, part: impl Fn(usize, &Column) -> String) -> String {
    format!("CONCAT({})", parts_of_text(plan, part).join(", N'/', "))
}

/// The parts of this text.
pub(super) fn parts_of_text(plan: &Plan, part: impl Fn(usize, &Column) -> String) -> Vec<String> {
    let part = |(at, column): (usize, &Column)| match column.sql_type {
        sql_type if sql_type.is_text() => format!("ops.key_text({})", part(at, column)),
        _ => part(at, column),
    };
    plan.key_columns().into_iter().enumerate().map(part).collect()
}

/// True if the columns of the key can have more bytes together than a clustered index holds: error 1946 refuses such a row.
pub(super) fn may_be_too_long(plan: &Plan) -> bool {
    let bytes = |column: &Column| match column.sql_type {
        text if text.has_code_page() => usize::from(text.length().unwrap_or_default()),
        text if text.is_text() => 2 * usize::from(text.length().unwrap_or_default()),
        _ => 16,
    };
    plan.has_parts() && plan.key_columns().into_iter().map(bytes).sum::<usize>() > 900
}

/// The declaration of `@RowID`, from the parameters; nothing for a key of one column, which is its own text.
pub(super) fn row_id(plan: &Plan) -> String {
    if !plan.has_parts() {
        return String::new();
    }
    let parameters = key_parameters(plan);
    format!("    DECLARE @RowID NVARCHAR(4000) = {};\n", text(plan, |at, _| format!("@{}", parameters[at])))
}

/// A part of the text of a key of several columns, in the type of a parameter. NULL where it is no such text.
pub(super) fn part_of(text: &str, at: usize, sql_type: SqlType) -> String {
    let part = format!("ops.key_part({text}, {})", at + 1);
    match sql_type {
        sql_type if sql_type.is_text() => part,
        sql_type => format!("TRY_CONVERT({}, {part})", types::parameter(sql_type)),
    }
}

/// The statements that give a new row its key: before the INSERT, between its columns and its values, and behind it.
pub(super) fn of_new_row(plan: &Plan) -> [String; 3] {
    let indent = "            ";
    let columns = plan.key_columns();
    let [key] = columns.as_slice() else { return of_new_parts(plan, &columns, indent) };
    let (parameter, column) = (in_ledger(plan), name(&key.name));
    match plan.key.first().map(|key| (key.from, &key.sequence)) {
        Some((KeySource::Sequence, Some(sequence))) => [
            format!("{indent}SET {parameter} = NEXT VALUE FOR {};\n", qualified(sequence)),
            String::new(),
            String::new(),
        ],
        Some((KeySource::Default, _)) => [
            format!("{indent}DECLARE @New TABLE (RowKey {});\n", types::declared(key.sql_type)),
            format!("{indent}OUTPUT INSERTED.{column} INTO @New (RowKey)\n"),
            format!("\n{indent}SELECT {parameter} = n.RowKey FROM @New AS n;"),
        ],
        Some((KeySource::Client, _)) => [
            format!(
                "{indent}SELECT {parameter} = {} FROM OPENJSON(@Json) WITH ({column} {} {}) AS j;\n",
                types::value(key, &format!("j.{column}")),
                types::json_type(key),
                path_literal(key.path())
            ),
            String::new(),
            String::new(),
        ],
        _ => [String::new(), String::new(), format!("\n{indent}SET {parameter} = SCOPE_IDENTITY();")],
    }
}

/// The same for a key of several columns: the row itself says what it has got.
fn of_new_parts(plan: &Plan, columns: &[&Column], indent: &str) -> [String; 3] {
    let list = |text: &dyn Fn(usize, &Column) -> String| {
        columns.iter().enumerate().map(|(at, column)| text(at, column)).collect::<Vec<_>>().join(", ")
    };
    let keys = list(&|at, _| format!("RowKey{}", at + 1));
    let types = list(&|at, column| format!("RowKey{} {}", at + 1, types::parameter(column.sql_type)));
    let inserted = list(&|_, column| format!("INSERTED.{}", name(&column.name)));
    [
        format!("{indent}DECLARE @New TABLE ({types});\n"),
        format!("{indent}OUTPUT {inserted} INTO @New ({keys})\n"),
        format!("\n{indent}SELECT @RowID = {} FROM @New AS n;", text(plan, |at, _| format!("n.RowKey{}", at + 1))),
    ]
}

/// The variables of a new row's key, declared with the others or in a statement of their own.
pub(super) fn variables_of_new_row(plan: &Plan) -> [String; 2] {
    match plan.has_parts() {
        false => [declared(plan), String::new()],
        true => ["@RowID NVARCHAR(4000)".to_owned(), format!("    DECLARE {};\n", declared(plan))],
    }
}

/// Reads a key of several columns from the ledger's text into the parameters.
pub(super) fn from_ledger(plan: &Plan) -> String {
    let parameters = key_parameters(plan);
    let part =
        |(at, column): (usize, &Column)| format!("@{} = {}", parameters[at], part_of("@RowID", at, column.sql_type));
    match plan.has_parts() {
        false => String::new(),
        true => {
            let parts: Vec<_> = plan.key_columns().into_iter().enumerate().map(part).collect();
            format!("    IF @Status < 400\n        SELECT {};\n", parts.join(", "))
        }
    }
}

/// How a list goes on behind a cursor.
pub(super) struct Keyset {
    /// The type of `@After` and `@NextAfter`.
    pub(super) sql_type: String,
    /// The statement that reads the parts of `@After`.
    pub(super) parts: String,
    /// Expressions for what is wrong with `@After` and `@Sort`.
    pub(super) problems: Vec<String>,
    /// The parameter for the order.
    pub(super) sort: String,
    /// The rows of the page, and one more: text before the statement, and the query `r` in it.
    pub(super) with: String,
    pub(super) rows: String,
    /// The columns of `r` that make the next cursor, and the order of its rows.
    pub(super) columns: String,
    pub(super) order: String,
    /// An expression for the cursor behind which the next page begins.
    pub(super) next: String,
}

/// The expression for the next cursor, from an expression for the cursor of a row.
pub(super) fn next_of(cursor: &str) -> String {
    format!("CASE WHEN MAX(p.Found) > @Limit THEN MAX(IIF(p.Nth = @Limit, {cursor}, N'')) END")
}

/// The condition that a row is behind a cursor, from columns and their values.
pub(super) fn behind(parts: &[(String, String)], operator: char) -> String {
    let mut is_behind = String::new();
    for (at, (column, after)) in parts.iter().enumerate().rev() {
        let others = if at + 2 < parts.len() { format!("({is_behind})") } else { is_behind };
        is_behind = match others.is_empty() {
            true => format!("{column} {operator} {after}"),
            false => format!("{column} {operator} {after} OR ({column} = {after} AND {others})"),
        };
    }
    is_behind
}

impl Keyset {
    /// The list by key. `selected` are its columns of the table `c`, and `filters` what rows must fulfil.
    pub(super) fn by_key(plan: &Plan, selected: &str, filters: &[String]) -> Option<Self> {
        let keys = plan.key_columns();
        let columns: Vec<_> = keys.iter().map(|key| name(&key.name)).collect();
        let (first, column) = (*keys.first()?, columns.first()?);
        let of = |alias: &str| columns.iter().map(|column| format!("{alias}.{column}")).collect::<Vec<_>>().join(", ");
        let variable = |at: usize| if keys.len() == 1 { "After".to_owned() } else { format!("After{}", at + 1) };
        let parts = keys.iter().zip(&columns).enumerate();
        let parts: Vec<_> =
            parts.map(|(at, (key, column))| (format!("c.{column}"), types::key(key, &variable(at)))).collect();
        let is_behind =
            format!("c.{column} >= {} AND (@After IS NULL OR {})", from(first, &variable(0)), behind(&parts, '>'));
        let rows = format!(
            "                SELECT TOP (@Limit + 1) {selected}
                FROM {} AS c
                WHERE {}
                ORDER BY {}",
            qualified(&plan.table),
            [&[is_behind], filters].concat().join("\n                    AND "),
            of("c")
        );
        let part = |(at, key): (usize, &&Column)| {
            let part = part_of("@After", at, key.sql_type);
            format!("@{} {} = {part}", variable(at), types::parameter(key.sql_type))
        };
        let is_null: Vec<_> = (0..keys.len()).map(|at| format!("@{} IS NULL", variable(at))).collect();
        let (sql_type, parts, problems, next) = match keys.len() {
            1 => (
                types::parameter(first.sql_type),
                String::new(),
                Vec::new(),
                format!("CASE WHEN MAX(p.Found) > @Limit THEN MAX(p.{column}) END"),
            ),
            count => (
                format!("NVARCHAR({})", super::super::CURSOR),
                format!("    DECLARE {};\n", keys.iter().enumerate().map(part).collect::<Vec<_>>().join(", ")),
                vec![format!(
                    "IIF(@After IS NOT NULL AND ({} OR ops.key_part(@After, {}) IS NOT NULL), {}, NULL)",
                    is_null.join(" OR "),
                    count + 1,
                    literal(super::super::BAD_CURSOR)
                )],
                next_of(&text(plan, |at, _| format!("p.{}", columns[at]))),
            ),
        };
        Some(Self {
            sql_type,
            parts,
            problems,
            sort: String::new(),
            with: String::new(),
            rows,
            columns: of("r"),
            order: of("r"),
            next,
        })
    }
}

/// The key from which a page is read: the parameter, or the least of its type, so that the index is sought in either case.
fn from(key: &Column, parameter: &str) -> String {
    let after = types::key(key, parameter);
    match key.sql_type {
        SqlType::TinyInt => format!("COALESCE({after}, 0)"),
        SqlType::SmallInt => format!("COALESCE({after}, -32768)"),
        SqlType::Int => format!("COALESCE({after}, -2147483648)"),
        SqlType::BigInt => format!("COALESCE({after}, -9223372036854775808)"),
        SqlType::UniqueIdentifier => format!("COALESCE({after}, CONVERT(UNIQUEIDENTIFIER, 0x0))"),
        text if text.has_code_page() => format!("COALESCE({after}, '')"),
        _ => format!("COALESCE({after}, N'')"),
    }
}
