//! The procedures.

use super::super::super::plan::condition::{Compare, Condition, VALUES};
use super::super::super::plan::{Column, Filled, Operation, Plan, Role, Version};
use super::super::text::{capitalized, listed, quoted};
use super::super::tsql::rule_of_filter;
use super::super::{
    BROKEN_REFERENCE, BROKEN_RULE, CHANGED_KEY, COUNT, caller_parameter, label, long_caller, references, taken,
    taken_fields,
};
use super::key::{self, Keyset};
use super::names::{column_name, table_name, version_column};
use super::schema::{COLLATE, index_name, object_of};
use super::values::{Source, arguments_of, compared, default, given, json_of, member, set};

/// A problem about the row with the key that was asked for.
pub(super) fn about(plan: &Plan, rest: &str) -> String {
    let subject = format!("{} ", capitalized(&label(plan)));
    let key = key::for_people(plan);
    format!("json_object('detail', concat({}, {key}, {}))", quoted(&subject), quoted(&format!(" {rest}")))
}

pub(super) fn get(plan: &Plan) -> String {
    format!(
        "\
-- {declared}
SELECT 200 AS Status, ETag, Json FROM web_{entity}_document WHERE {is_key};

SELECT 404 AS Status, {absent} AS Json;
",
        declared = key::declared(plan),
        entity = plan.name,
        is_key = key::is_key(plan),
        absent = about(plan, "does not exist."),
    )
}

pub(super) fn list(plan: &Plan) -> String {
    let (key, table, max) = (key::columns(plan), table_name(&plan.table), plan.limit.max);
    let conditions = plan.conditions();
    let parameters: String = conditions
        .iter()
        .map(|condition| format!(", @{} {} = NULL", condition.parameter, super::super::tsql::filter(condition)))
        .collect();
    let checks: String = conditions
        .iter()
        .filter(|condition| condition.is_checked())
        .map(|condition| filter_problem(plan, condition))
        .collect();
    let filters: Vec<_> = conditions.iter().map(|condition| filter(plan, condition)).collect();
    let keyset = match plan.sort.is_empty() {
        true => Keyset::by_key(plan, &filters),
        false => Keyset::by_sort(plan, &filters),
    };
    let Keyset { sql_type, sort, check, rows, order, cursor } = keyset;
    let members = object_of(plan, plan.in_list());
    let where_filters = if filters.is_empty() { String::new() } else { format!(" WHERE {}", filters.join(" AND ")) };
    let (count, boolean, total) = match plan.count {
        false => ("", "", String::new()),
        true => (
            COUNT,
            "SELECT 400 AS Status, json_object('detail', 'count must be true or false.') AS Json
WHERE :Count NOT IN ('true', 'false');\n\n",
            format!("\n    iif(:Count = 'true', (SELECT count(*) FROM {table}{where_filters}), NULL) AS Total,"),
        ),
    };
    let page = match plan.has_cursor() {
        false => format!(
            "\
-- The last page ends with the last row of all, and has no next.
SELECT
    200 AS Status,
    nullif(max({key}), (SELECT max({key}) FROM {table}{where_filters})) AS NextAfter,{total}
    replace(json_group_array(json_patch('{{}}', json_object(
            {members}
    ))), '/', '\\/') AS Json
FROM (
{rows}
);
"
        ),
        true => format!(
            "\
-- One more row than the page has tells whether another page follows.
SELECT
    200 AS Status,
    max(iif(web_Nth = :Limit AND web_Found > :Limit, {cursor}, NULL)) AS NextAfter,{total}
    replace(json_group_array(json_patch('{{}}', json_object(
            {members}
    )) ORDER BY web_Nth) FILTER (WHERE web_Nth <= :Limit), '/', '\\/') AS Json
FROM (
    SELECT *, row_number() OVER (ORDER BY {order}) AS web_Nth, count(*) OVER () AS web_Found
    FROM (
{rows}
    )
);
"
        ),
    };
    format!(
        "\
-- @After {sql_type} = NULL, @Limit INT = {default}{sort}{count}{parameters}
SELECT 400 AS Status, json_object('detail', 'limit must be between 1 and {max}.') AS Json
WHERE (:Limit BETWEEN 1 AND {max}) IS NOT TRUE;

{check}{checks}{boolean}{page}",
        default = plan.limit.default,
    )
}

/// The values of a list as rows, `item.value` and `item.key`. No escape of JSON has a comma.
fn each_value(condition: &Condition) -> String {
    format!("json_each('[' || replace(json_quote(:{}), ',', '\",\"') || ']') AS item", condition.parameter)
}

/// The answer to a value that a filter cannot have.
fn filter_problem(plan: &Plan, condition: &Condition) -> String {
    let rule = arguments_of(rule_of_filter(plan, condition));
    let error = |value: &str| format!("field_error({}, {rule})", json_of(condition.column, value));
    let messages = match condition.compare {
        Compare::In => format!(
            "(
    SELECT CASE
        WHEN item.key >= {VALUES} THEN 'must have at most {VALUES} values'
        WHEN item.value = '' THEN 'must have no empty value'
        ELSE {}
    END AS Message
    FROM {}
)",
            error("item.value"),
            each_value(condition)
        ),
        _ => format!("(SELECT {} AS Message)", error(&format!(":{}", condition.parameter))),
    };
    format!(
        "SELECT 400 AS Status, json_object('detail', concat({}, Message, '.')) AS Json
FROM {messages}
WHERE :{} IS NOT NULL AND Message IS NOT NULL;\n\n",
        quoted(&format!("{} ", condition.query)),
        condition.parameter
    )
}

/// The condition of a filter; an absent value filters nothing.
fn filter(plan: &Plan, condition: &Condition) -> String {
    let Condition { parameter, column, compare, .. } = condition;
    let name = column_name(column);
    let rule = arguments_of(rule_of_filter(plan, condition));
    let value = |source: &str| match condition.is_checked() {
        true => format!("column_value({}, {rule})", json_of(column, source)),
        false => source.to_owned(),
    };
    let name = compared(column, &name);
    let value = |source: &str| compared(column, &value(source));
    let one = value(&format!(":{parameter}"));
    let is_compared = match compare {
        Compare::Equal => format!("{name} = {one}"),
        Compare::In => format!("{name} IN (SELECT {} FROM {})", value("item.value"), each_value(condition)),
        Compare::From => format!("{name} >= {one}"),
        Compare::Before => format!("{name} < {one}"),
        Compare::Prefix => format!("substr({name}, 1, length({one})) = {one}{COLLATE}"),
    };
    format!("(:{parameter} IS NULL OR {is_compared})")
}

/// The checks of the text.
pub(super) const DOCUMENT: &str = "\
-- 1. The text.
SELECT openjson(:Json) AS Document;

SELECT 400 AS Status, json_object('detail', 'The body is not a JSON object.') AS Json
WHERE :Document IS NULL;
";

/// The check of the fields.
pub(super) fn fields(plan: &Plan, condition: &str) -> String {
    format!(
        "SELECT
    422 AS Status,
    json_object(
        'detail', {detail},
        'errors', json_group_array(json_object('field', Field, 'message', Message) ORDER BY Position)
    ) AS Json
FROM web_{entity}_fields
WHERE Document = :Document AND Message IS NOT NULL{condition}
HAVING count(*) > 0;
",
        detail = quoted(&format!("The {} has invalid fields.", label(plan))),
        entity = plan.name,
    )
}

/// The check that the columns hold the name of the caller.
pub(super) fn longest_caller(plan: &Plan, operation: Operation) -> String {
    plan.longest_caller(operation).map_or_else(String::new, |most| {
        format!(
            "\nSELECT 422 AS Status, json_object('detail', {}) AS Json\nWHERE length(:Caller) > {most};\n",
            quoted(&long_caller(most))
        )
    })
}

/// The check that a patch keeps the key. Nothing where rows do not show it: the member is one that clients do not know.
fn same_key(plan: &Plan) -> String {
    let check = |column: &Column| {
        let (key, text) = (column_name(column), column.sql_type.is_text());
        let trimmed = |value: String| if text { format!("rtrim({value})") } else { value };
        format!(
            "\nSELECT
    422 AS Status,
    json_object('detail', {detail}, 'errors', json_array(json_object('field', {field}, 'message', '{CHANGED_KEY}'))) AS Json
FROM {table}
WHERE {is_key} AND {member} IS NOT NULL AND {sent} COLLATE BINARY IS NOT {kept};
",
            detail = quoted(&format!("The {} has invalid fields.", label(plan))),
            field = quoted(column.path()),
            table = table_name(&plan.table),
            is_key = key::is_key(plan),
            member = member(column),
            sent = trimmed(given(plan, column)),
            kept = trimmed(key),
        )
    };
    plan.shown().filter(|column| plan.key_of(&column.name).is_some()).map(check).collect()
}

/// The answer to a constraint that the statement before has violated.
pub(super) fn conflict(plan: &Plan) -> String {
    let table = format!("{}_{}", plan.table.schema, plan.table.name);
    let (mut cases, mut fields) = (Vec::new(), Vec::new());
    for (at, unique) in plan.uniques.iter().enumerate() {
        let columns: Vec<_> = unique.columns.iter().map(|column| format!("{table}.{column}")).collect();
        let detail = quoted(&taken(plan, &unique.columns));
        for constraint in [columns.join(", "), format!("index '{}'", index_name(plan, at))] {
            cases.push(format!("WHEN {} THEN {detail}", quoted(&constraint)));
            let errors = taken_fields(plan, &unique.columns);
            fields.extend(errors.map(|errors| format!("WHEN {} THEN {}", quoted(&constraint), quoted(&errors))));
        }
    }
    for (columns, errors) in references(plan) {
        let columns: Vec<_> = columns.iter().map(|column| format!("{table}.{column}")).collect();
        let constraint = quoted(&format!("foreign key {}", columns.join(", ")));
        cases.push(format!("WHEN {constraint} THEN {}", quoted(BROKEN_REFERENCE)));
        fields.push(format!("WHEN {constraint} THEN {}", quoted(&errors)));
    }
    cases.push(format!(
        "ELSE iif(:ErrorNumber = 547, {}, 'Another row has the same value where the table allows it once.')",
        quoted(BROKEN_RULE)
    ));
    format!(
        "SELECT 409 AS Status, json_patch(json_object('detail', CASE :ErrorConstraint\n    {}\nEND), json_object('errors', json({}))) AS Json\n\
         WHERE :ErrorNumber IN (2627, 547);\n",
        cases.join("\n    "),
        match fields.is_empty() {
            true => "NULL".to_owned(),
            false => format!("CASE :ErrorConstraint\n    {}\nEND", fields.join("\n    ")),
        }
    )
}

/// The columns of a new row, each with its value.
pub(super) fn insert(plan: &Plan) -> Vec<(&Column, String)> {
    let value = |column: &Column| match &column.role {
        _ if plan.key_of(&column.name).is_some() => key::variable_of_new_row(plan, column),
        Role::Sent if column.default.is_some() => {
            Some(format!("iif({} IS NULL, {}, {})", member(column), default(plan, column), given(plan, column)))
        }
        Role::Sent => Some(given(plan, column)),
        Role::Set(value) | Role::Touch(value) => Some(set(plan, column, value, &Source::Document)),
        Role::Shown | Role::Hidden => None,
    };
    plan.columns.iter().filter_map(|column| Some((column, value(column)?))).collect()
}

pub(super) fn put(plan: &Plan) -> String {
    let (entity, table) = (&plan.name, table_name(&plan.table));
    let (columns, values): (Vec<_>, Vec<_>) =
        insert(plan).into_iter().map(|(column, value)| (column_name(column), value)).unzip();
    format!(
        "\
-- @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000){caller}

{DOCUMENT}
-- 2. The fields.
{fields}{longest_caller}
-- 3. The change.
{of_new_row}

INSERT INTO {table} (
{columns}
)
VALUES (
{values}
)
RETURNING {text} AS RowID;

{conflict}
-- 4. The answer: the row as it is now, also in a replay.
SELECT 201 AS Status, max(ETag) AS ETag, :RowID AS {created}, ifnull(max(Json), '[]') AS Json
FROM web_{entity}_document
WHERE {is_row};
",
        caller = caller_parameter(plan, Operation::Put),
        longest_caller = longest_caller(plan, Operation::Put),
        of_new_row = key::of_new_row(plan),
        text = key::text(plan),
        created = key::created(plan),
        is_row = key::is_row(plan),
        fields = fields(plan, ""),
        columns = listed(&columns, "    "),
        values = listed(&values, "    "),
        conflict = conflict(plan),
    )
}

/// The procedure that creates many rows.
pub(super) fn put_rows(plan: &Plan) -> String {
    let caller = caller_parameter(plan, Operation::Put);
    format!("-- @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000){caller}\n-- Each row of @Json: web.put_{}\n", plan.name)
}

/// The check of If-Match.
pub(super) fn mismatch(plan: &Plan) -> String {
    format!(
        "SELECT 412 AS Status, {changed} AS Json
WHERE :IfMatch IS NOT NULL AND NOT EXISTS (
    SELECT * FROM web_{entity}_document WHERE {is_key} AND (:IfMatch = '*' OR instr(' ' || :IfMatch || ' ', ' ' || ETag || ' ') > 0)
);
",
        changed = about(plan, "has changed since the version named in If-Match."),
        entity = plan.name,
        is_key = key::is_key(plan),
    )
}

/// The change of the column with the version of a row.
pub(super) fn next_version(column: &Column) -> String {
    let name = column_name(column);
    let after = if column.filled == Filled::RowVersion { name.as_str() } else { "" };
    format!("{name} = sysutcdatetime({after})")
}

pub(super) fn patch(plan: &Plan) -> String {
    let (entity, table) = (&plan.name, table_name(&plan.table));
    let (is_key, is_row) = (key::is_key(plan), key::is_row(plan));
    let version = version_column(plan);
    let change = |column: &Column| {
        let name = column_name(column);
        match &column.role {
            _ if plan.key_of(&column.name).is_some() => None,
            _ if Some(&name) == version.as_ref() => Some(next_version(column)),
            Role::Sent => Some(format!("{name} = iif({} IS NULL, {name}, {})", member(column), given(plan, column))),
            Role::Touch(value) => Some(format!("{name} = {}", set(plan, column, value, &Source::Document))),
            Role::Set(_) | Role::Shown | Role::Hidden => None,
        }
    };
    let changes: Vec<_> = plan.columns.iter().filter_map(change).collect();
    let same_step = same_step(plan);
    format!(
        "\
-- {declared}, @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL{caller}

{DOCUMENT}
-- 2. The row.
SELECT web_Version AS Before FROM web_{entity}_document WHERE {is_key};

SELECT 404 AS Status, {absent} AS Json
WHERE NOT EXISTS (SELECT * FROM {table} WHERE {is_key});

{mismatch}
-- 3. The fields.
{fields}{longest_caller}{same_key}
-- 4. The change: each column keeps its value unless the patch has the field.
UPDATE {table}
SET
{changes}
WHERE {is_key}
RETURNING {text} AS RowID;

{conflict}
{same_step}-- 5. The answer: the row as it is now, also in a replay.
SELECT 202 AS Status, max(ETag) AS ETag, ifnull(max(Json), '[]') AS Json
FROM web_{entity}_document
WHERE {is_row};
",
        declared = key::declared(plan),
        caller = caller_parameter(plan, Operation::Patch),
        longest_caller = longest_caller(plan, Operation::Patch),
        text = key::text(plan),
        absent = about(plan, "does not exist."),
        mismatch = mismatch(plan),
        fields = fields(plan, " AND IsPresent"),
        same_key = same_key(plan),
        changes = listed(&changes, "    "),
        conflict = conflict(plan),
    )
}

/// Makes a second change of a row in the same step of the clock fail.
pub(super) fn same_step(plan: &Plan) -> String {
    if !matches!(plan.version(), Version::Period(_)) {
        return String::new();
    }
    format!(
        "SELECT throw(50023, 'The row was written in this step of the clock. A retry begins later, and makes a new version.')
FROM web_{}_document
WHERE {} AND web_Version = :Before;\n\n",
        plan.name,
        key::is_row(plan)
    )
}

pub(super) fn delete(plan: &Plan) -> String {
    format!(
        "\
-- {declared}, @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL
{find}

-- 1. The row. Without one, no version can match (RFC 9110, 13.1.1).
{mismatch}
-- 2. The change.
DELETE FROM {table} WHERE {is_key};

SELECT 409 AS Status, {referred} AS Json
WHERE :ErrorNumber = 547;

-- 3. The answer.
SELECT 202 AS Status, json_array(json_object({shown})) AS Json;
",
        declared = key::declared(plan),
        find = key::find(plan),
        mismatch = mismatch(plan),
        table = table_name(&plan.table),
        is_key = key::is_key(plan),
        referred = about(plan, "is referred to by other rows and cannot be deleted."),
        shown = key::shown(plan),
    )
}
