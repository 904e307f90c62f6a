//! The procedure that creates or replaces a row at its path.

use super::super::super::plan::{Column, Operation, Plan, Role};
use super::super::text::{listed, quoted};
use super::super::{CHANGED_KEY, caller_parameter, label};
use super::key;
use super::names::{column_name, table_name, version_column};
use super::procedures::{DOCUMENT, about, conflict, fields, insert, longest_caller, mismatch, next_version, same_step};
use super::values::{given, member};

/// The document with the key of the path, for which the rules of a new row ask.
fn with_key(plan: &Plan) -> String {
    let members = key::parts(plan).map(|(column, parameter)| format!(", '$.{}', :{parameter}", column.path()));
    format!("json_set(:Document{})", members.collect::<String>())
}

/// The check that the body has no other key than the path.
fn same_key(plan: &Plan) -> String {
    let check = |(column, parameter): (&Column, String)| {
        let of_body = |text: String| text.replace(":Document", ":Sent");
        let trimmed = |value: String| if column.sql_type.is_text() { format!("rtrim({value})") } else { value };
        format!(
            "
SELECT
    422 AS Status,
    json_object('detail', {detail}, 'errors', json_array(json_object('field', {field}, 'message', '{CHANGED_KEY}'))) AS Json
WHERE {member} IS NOT NULL AND {sent} COLLATE BINARY IS NOT {kept};
",
            detail = quoted(&format!("The {} has invalid fields.", label(plan))),
            field = quoted(column.path()),
            member = of_body(member(column)),
            sent = trimmed(of_body(given(plan, column))),
            kept = trimmed(format!(":{parameter}")),
        )
    };
    key::parts(plan).filter(|(column, _)| plan.shown().any(|shown| shown.name == column.name)).map(check).collect()
}

pub(super) fn replace(plan: &Plan) -> String {
    let (entity, table, version) = (&plan.name, table_name(&plan.table), version_column(plan));
    let new = insert(plan);
    let (columns, values): (Vec<_>, Vec<_>) =
        new.iter().map(|(column, value)| (column_name(column), value.clone())).unzip();
    // A column that only a new row gets stays as it is.
    let value = |column: &Column| match column.role {
        _ if plan.key_of(&column.name).is_some() => None,
        _ if version.as_ref() == Some(&column_name(column)) => Some(next_version(column)),
        Role::Sent | Role::Touch(_) => {
            let (_, value) = new.iter().find(|(known, _)| known.name == column.name)?;
            Some(format!("{} = {value}", column_name(column)))
        }
        Role::Set(_) | Role::Shown | Role::Hidden => None,
    };
    let changes: Vec<_> = plan.columns.iter().filter_map(value).collect();
    format!(
        "\
-- {declared}, @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL, @IfNoneMatch INT = NULL{caller}

{DOCUMENT}
-- 2. The row, which may be there or not.
SELECT count(*) AS IsThere, max(web_Version) AS Before FROM web_{entity}_document WHERE {is_key};

{mismatch}
SELECT 412 AS Status, {exists} AS Json
WHERE :IfNoneMatch = 1 AND :IsThere;

-- 3. The fields. The body may leave the key out.
SELECT :Document AS Sent, {with_key} AS Document;

{fields}{longest_caller}{same_key}
-- 4. The change.
{of_new_row}

UPDATE {table}
SET
{changes}
WHERE {is_key}
RETURNING {text} AS RowID;

{conflict}
INSERT INTO {table} (
{columns}
)
SELECT
{values}
WHERE NOT :IsThere
RETURNING {text} AS RowID;

{conflict}
{same_step}-- 5. The answer: the row as it is now, also in a replay.
SELECT 200 AS Status, ETag, Json
FROM web_{entity}_document
WHERE {is_row} AND :IsThere;

SELECT 201 AS Status, max(ETag) AS ETag, ifnull(max(Json), '[]') AS Json
FROM web_{entity}_document
WHERE {is_row};
",
        declared = key::declared(plan),
        caller = caller_parameter(plan, Operation::Replace),
        longest_caller = longest_caller(plan, Operation::Replace),
        is_key = key::is_key(plan),
        mismatch = mismatch(plan),
        exists = about(plan, "exists."),
        with_key = with_key(plan),
        fields = fields(plan, ""),
        same_key = same_key(plan),
        of_new_row = key::of_new_row(plan),
        changes = listed(&changes, "    "),
        text = key::text(plan),
        columns = listed(&columns, "    "),
        values = listed(&values, "    "),
        conflict = conflict(plan),
        same_step = same_step(plan),
        is_row = key::is_row(plan),
    )
}
