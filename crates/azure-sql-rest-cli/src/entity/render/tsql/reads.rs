//! The document of a row, and the procedures that read.

use super::super::super::plan::condition::{Compare, Condition};
use super::super::super::plan::{Column, Length, Operation, Plan, SqlType, Version, bracketed};
use super::super::text::{Script, capitalized, literal, name, qualified, wrapped};
use super::super::{COUNT, label, members, one};
use super::key::{self, Keyset};
use super::types;

/// The members of a row, as columns of `FOR JSON PATH` from the table with this alias.
fn shown<'p>(plan: &Plan, columns: impl Iterator<Item = &'p Column>, alias: &str) -> Vec<String> {
    let member = |column: &&Column| {
        let value = types::in_json(plan, column, types::shown(column, alias));
        format!("{value} AS {}", bracketed(column.path()))
    };
    members(columns).iter().map(member).collect()
}

/// `web.…_document`: the only place that knows the shape of a row, and how its ETag is made.
pub(super) fn document(script: &mut Script, plan: &Plan) {
    let exact: String = plan.shown().filter_map(types::exact).map(|text| format!(", N' ', {text}")).collect();
    let digest = |bytes: u8| {
        let hashed = if exact.is_empty() { "d.Json".to_owned() } else { "CONCAT(d.Json, d.Exact)".to_owned() };
        let digits = bytes * 2;
        format!("LOWER(CONVERT(NVARCHAR({digits}), SUBSTRING(HASHBYTES('SHA2_256', {hashed}), 1, {bytes}), 2))")
    };
    let (version, etag) = match plan.version() {
        Version::Period(start) => (
            format!("c.{}", name(&start.name)),
            format!("CONCAT(CONVERT(NVARCHAR(27), d.Version, 126), N'-', {})", digest(6)),
        ),
        Version::RowVersion(column) => (
            format!("CONVERT(BINARY(8), c.{})", name(&column.name)),
            "LOWER(CONVERT(NVARCHAR(16), d.Version, 2))".to_owned(),
        ),
        Version::Text => ("0".to_owned(), digest(16)),
    };
    let exact = if exact.is_empty() { String::new() } else { format!("CONCAT(N''{exact}) AS Exact, ") };
    script.lines(format!(
        "\
-- web.{entity}_document: {label} as its JSON text, and the version of it. The only place that knows the shape of {label}.
CREATE OR ALTER FUNCTION web.{entity}_document ({key})
RETURNS TABLE
AS
RETURN
    SELECT d.Json, d.Version,
        CONVERT(NVARCHAR(40), {etag}) AS ETag
    FROM (
        SELECT {version} AS Version, {exact}(SELECT
{members}
            FOR JSON PATH) AS Json
        FROM {table} AS c
        WHERE {is_key}
    ) AS d;
GO
",
        entity = plan.name,
        label = one(plan),
        key = key::declared(plan),
        members = wrapped(&shown(plan, plan.shown(), "c"), "                "),
        table = qualified(&plan.table),
        is_key = key::is_key(plan),
    ));
}

/// The procedure that reads a row.
pub(super) fn get(script: &mut Script, plan: &Plan) {
    script.lines(format!(
        "\
{heading}
CREATE OR ALTER PROCEDURE web.get_{entity} {key}
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @Status INT, @ETag NVARCHAR(40), @Result NVARCHAR(MAX);

    SELECT @Status = 200, @ETag = d.ETag, @Result = d.Json FROM web.{entity}_document({arguments}) AS d;
    IF @Status IS NULL SELECT @Status = 404, @Result = ops.problem({absent});

    SELECT @Status AS Status, @ETag AS ETag, @Result AS Json;
END;
GO
",
        heading = heading(plan, Operation::Get),
        entity = plan.name,
        key = key::declared(plan),
        arguments = key::arguments(plan),
        absent = absent(plan),
    ));
}

/// Tells people that there is no such row.
pub(super) fn absent(plan: &Plan) -> String {
    about(plan, "does not exist.")
}

/// A sentence about the row with the key that was asked for.
pub(super) fn about(plan: &Plan, rest: &str) -> String {
    let subject = format!("{} ", capitalized(&label(plan)));
    format!("CONCAT({}, {}, {})", literal(&subject), key::for_people(plan), literal(&format!(" {rest}")))
}

/// The procedure that reads a page. One statement reads it, so that nothing that changes meanwhile is lost between this page and the next.
pub(super) fn list(script: &mut Script, plan: &Plan) {
    let is_listed = |key: &&Column| plan.in_list().any(|column| column.name == key.name);
    let others = plan.key_columns().into_iter().chain(plan.sorted()).filter(|column| !is_listed(column));
    let columns = others.chain(plan.in_list()).map(|column| format!("c.{}", name(&column.name)));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let conditions = plan.conditions();
    let filters: Vec<_> = conditions.iter().map(filter).collect();
    let keyset = match plan.sort.is_empty() {
        true => Keyset::by_key(plan, &columns, &filters),
        false => Some(Keyset::by_sort(plan, &columns, &filters)),
    };
    let Some(keyset) = keyset else { return };
    let checked = conditions.iter().filter(|condition| condition.is_checked());
    let is_boolean = plan.count.then(|| problem_of("count", "Count", "filter_error", ("bit", None, None)));
    let problems = keyset.problems.iter().cloned().chain(checked.map(|condition| filter_problem(plan, condition)));
    let problems: Vec<_> = problems.chain(is_boolean).collect();
    let invalid = match &problems[..] {
        [] => String::new(),
        [problem] => format!("    DECLARE @Invalid NVARCHAR(400) = {problem};\n"),
        many => {
            format!("    DECLARE @Invalid NVARCHAR(400) = COALESCE(\n        {}\n    );\n", many.join(",\n        "))
        }
    };
    // In one line with the other parameters, or each in a line.
    let parameters = |between: &str| {
        let parameter =
            |condition: &Condition| format!(",{between}@{} {} = NULL", condition.parameter, types::filter(condition));
        conditions.iter().map(parameter).collect::<Vec<_>>()
    };
    let parameters = if conditions.len() < 2 { parameters(" ") } else { parameters("\n    ") };
    let limits = format!("N'limit must be between 1 and {}.'", plan.limit.max);
    let limits = if invalid.is_empty() { limits } else { format!("ISNULL(@Invalid, {limits})") };
    let page = page(plan, &keyset);
    let next = &keyset.next;
    // A plan that many calls share knows no filter and no order.
    let is_cached = conditions.is_empty() && plan.sort.is_empty();
    let (table, taken) = match is_cached {
        true => (String::new(), ""),
        false => (
            format!(" DECLARE @Page TABLE (NextAfter {}, Json NVARCHAR(MAX));", keyset.sql_type),
            "    SELECT @NextAfter = g.NextAfter, @Result = g.Json FROM @Page AS g;\n",
        ),
    };
    let read = match is_cached {
        true => format!(
            "        -- {ONE_STATEMENT}
        SELECT
            @Result = {JSON},
            @NextAfter = {next}
{page};"
        ),
        false => format!(
            "        -- {ONE_STATEMENT}
{with}        INSERT INTO @Page (NextAfter, Json)
        SELECT {next}, {JSON}
{page} OPTION (RECOMPILE); -- This makes constants of parameters, because the statement sets no variable.",
            with = keyset.with,
        ),
    };
    // A statement that begins with WITH stands behind a semicolon.
    let read = if keyset.with.is_empty() { read } else { format!("    BEGIN;\n{read}\n    END") };
    script.lines(format!(
        "\
{heading}
CREATE OR ALTER PROCEDURE web.get_{plural} @After {sql_type} = NULL, @Limit INT = {default}{sort}{asked}{parameters}
AS
BEGIN
    SET NOCOUNT ON;{table}
    DECLARE @Status INT = 200, @NextAfter {sql_type}, @Result NVARCHAR(MAX);
{parts}{invalid}
    IF {is_valid}@Limit BETWEEN 1 AND {max}
{read}
    ELSE SELECT @Status = 400, @Result = ops.problem({limits});

{taken}{count}    SELECT @Status AS Status, @NextAfter AS NextAfter, {total}@Result AS Json;
END;
GO
",
        heading = heading(plan, Operation::List),
        plural = plan.plural,
        sql_type = keyset.sql_type,
        sort = keyset.sort,
        asked = if plan.count { COUNT } else { "" },
        count = count(plan, &filters),
        total = if plan.count { "@Total AS Total, " } else { "" },
        parts = keyset.parts,
        default = plan.limit.default,
        max = plan.limit.max,
        parameters = parameters.concat(),
        is_valid = if invalid.is_empty() { "" } else { "@Invalid IS NULL AND " },
    ));
}

/// The statements that count the rows of a list, if the request asks. `filters` are what rows must fulfil.
fn count(plan: &Plan, filters: &[String]) -> String {
    if !plan.count {
        return String::new();
    }
    let wheres = if filters.is_empty() { String::new() } else { format!(" WHERE {}", filters.join(" AND ")) };
    format!(
        "    DECLARE @Total BIGINT; DECLARE @Counted TABLE (Total BIGINT);
    IF @Status = 200 AND @Count = N'true'
        INSERT INTO @Counted (Total) SELECT COUNT_BIG(*) FROM {} AS c{wheres} OPTION (RECOMPILE);
    SELECT @Total = n.Total FROM @Counted AS n;\n",
        qualified(&plan.table)
    )
}

/// The comment of the statement that reads a page.
const ONE_STATEMENT: &str = "One more row than the page has tells whether another page follows. One statement, so that no change comes in between.";

/// The text of a page.
const JSON: &str = "CONCAT(N'[', STRING_AGG(p.Json, N',') WITHIN GROUP (ORDER BY p.Nth), N']')";

/// The rows of a page, each as its JSON.
fn page(plan: &Plan, keyset: &Keyset) -> String {
    format!(
        "        FROM (
            SELECT
                {columns}, COUNT(*) OVER () AS Found, ROW_NUMBER() OVER (ORDER BY {order}) AS Nth,
                (SELECT {members} FOR JSON PATH, WITHOUT_ARRAY_WRAPPER) AS Json
            FROM (
{rows}
            ) AS r
        ) AS p
        WHERE p.Nth <= @Limit",
        columns = keyset.columns,
        order = keyset.order,
        members = shown(plan, plan.in_list(), "r").join(", "),
        rows = keyset.rows,
    )
}

/// Tells the fault of a filter's value, by the rule for a field of the same type.
fn filter_problem(plan: &Plan, condition: &Condition) -> String {
    let function = if condition.compare == Compare::In { "list_error" } else { "filter_error" };
    problem_of(&condition.query, &condition.parameter, function, types::rule_of_filter(plan, condition))
}

/// The same for a parameter in the query with any rule.
fn problem_of(query: &str, parameter: &str, function: &str, (sql_type, size, scale): types::Rule) -> String {
    let number = |number: Option<u32>| number.map_or("NULL".to_owned(), |number| number.to_string());
    format!(
        "(SELECT CONCAT({}, f.Message, N'.') FROM ops.{function}(@{parameter}, N'{sql_type}', {}, {}) AS f \
         WHERE @{parameter} IS NOT NULL AND f.Message IS NOT NULL)",
        literal(&format!("{query} ")),
        number(size),
        number(scale)
    )
}

/// The condition of a filter; an absent value filters nothing. A character that the column's code page lacks becomes another there, and no row
/// has it.
fn filter(condition: &Condition) -> String {
    let Condition { parameter, column, compare, .. } = condition;
    let value = |source: &str| match column.sql_type {
        // The parameter is a number. One that the column's type does not have is no error, and no row has it.
        sql_type if sql_type.is_integer() && condition.is_native() => source.to_owned(),
        SqlType::Char(length) => {
            types::value(&Column { sql_type: SqlType::VarChar(Length::Of(length)), ..(*column).clone() }, source)
        }
        sql_type if *compare == Compare::In && !sql_type.is_text() => types::tried_value(column, source),
        _ if *compare == Compare::In => types::collated_value(column, source),
        _ => types::value(column, source),
    };
    let (name, source) = (format!("c.{}", name(&column.name)), format!("@{parameter}"));
    let kept = |source: &str| {
        let kept = format!("CONVERT(NVARCHAR(4000), {}) = {source} COLLATE Latin1_General_100_BIN2", value(source));
        column.sql_type.has_code_page().then_some(kept)
    };
    let compared = match compare {
        Compare::Equal => format!("{name} = {}", value(&source)),
        Compare::In => {
            let is_kept = kept("s.value").map_or_else(String::new, |kept| format!(" WHERE {kept}"));
            format!("{name} IN (SELECT {} FROM STRING_SPLIT({source}, N',') AS s{is_kept})", value("s.value"))
        }
        Compare::From => format!("{name} >= {}", value(&source)),
        Compare::Before => format!("{name} < {}", value(&source)),
        Compare::Prefix => {
            let escaped = ["\\", "%", "_", "["]
                .iter()
                .fold(source.clone(), |text, special| format!("REPLACE({text}, N'{special}', N'\\{special}')"));
            let pattern = match column.sql_type.has_code_page() {
                true => format!("CONVERT(VARCHAR(8000), CONCAT({escaped}, N'%'){})", types::collate(column)),
                false => format!("CONCAT({escaped}, N'%')"),
            };
            format!("{name} LIKE {pattern} ESCAPE '\\'")
        }
    };
    let is_kept = kept(&source).filter(|_| *compare != Compare::In);
    let is_kept = is_kept.map_or_else(String::new, |kept| format!(" AND {kept}"));
    format!("({source} IS NULL OR {compared}{is_kept})")
}

/// The heading of a procedure: what it does, and the request that calls it.
pub(super) fn heading(plan: &Plan, operation: Operation) -> String {
    let (procedure, label) = (plan.procedure(operation), label(plan));
    let plural = plan.plural.replace('_', " ");
    let (name, many, row, one) = (&plan.name, &plan.plural, plan.path_of_row(), one(plan));
    match operation {
        Operation::Get => format!("-- web.{procedure}: one {label}. GET {row}"),
        Operation::List => {
            let filters: String = plan.conditions().iter().map(|condition| format!("&{}=", condition.query)).collect();
            let (order, sort) = if plan.sort.is_empty() { ("by key", "") } else { ("in an order", "&sort=") };
            let count = if plan.count { "&count=" } else { "" };
            format!("-- web.{procedure}: a page of {plural}, {order}. GET /{many}?after=&limit={sort}{count}{filters}")
        }
        Operation::Put => format!("-- web.{procedure}: create {one}. PUT /{name}, POST /{many}"),
        Operation::Patch => {
            format!("-- web.{procedure}: change some fields of {one} (JSON Merge Patch, RFC 7396). PATCH {row}")
        }
        Operation::Replace => format!("-- web.{procedure}: create or replace {one}. PUT {row}"),
        Operation::Delete => format!("-- web.{procedure}: delete {one}. DELETE {row}"),
    }
}
