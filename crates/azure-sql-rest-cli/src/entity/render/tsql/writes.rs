//! The procedures that write. Each validates, claims, changes, records and answers, in this order.

use super::super::super::plan::{Column, Expression, KeySource, Operation, Plan, Role, SqlType, Version};
use super::super::key_parameter;
use super::super::text::{Script, listed, literal, name, path_literal, qualified, wrapped};
use super::reads::{about, absent, heading};
use super::types;

/// The table of the columns that clients send, read from `@Json`: each in its column's own type and collation.
fn sent<'p>(columns: impl Iterator<Item = &'p Column>) -> String {
    let column = |column: &Column| {
        format!("{} {} {}", name(&column.name), types::json_type(column), path_literal(column.path()))
    };
    wrapped(&columns.map(column).collect::<Vec<_>>(), "                ")
}

/// The value that a client sent for a column, in the column's type.
fn given(column: &Column) -> String {
    types::value(column, &format!("j.{}", name(&column.name)))
}

/// True if the JSON has a member for the column, be it null.
fn is_there(column: &Column) -> String {
    format!("JSON_PATH_EXISTS(@Json, {}) = 1", path_literal(column.path()))
}

/// The value of a column that clients do not send.
fn expression(plan: &Plan, column: &Column, value: &Expression) -> String {
    match value {
        Expression::Now if column.sql_type == SqlType::Date => "CONVERT(DATE, SYSUTCDATETIME())".to_owned(),
        Expression::Now => "SYSUTCDATETIME()".to_owned(),
        Expression::Column(other) => match plan.column(other) {
            Some(key) if key.name == plan.key.column && key.role != Role::Sent => format!("@{}", key_parameter(plan)),
            Some(other) => given(other),
            None => "NULL".to_owned(),
        },
        literal => literal.literal().unwrap_or_default(),
    }
}

/// The columns of a new row and their values.
fn insert(plan: &Plan) -> Vec<(String, String)> {
    let is_key = |column: &Column| column.name == plan.key.column;
    let value = |column: &Column| match &column.role {
        Role::Sent => Some(match (&column.default, column.is_nullable) {
            (None, _) => given(column),
            // Absent is the default; null is NULL.
            (Some(default), true) => {
                format!("CASE WHEN {} THEN {} ELSE {default} END", is_there(column), given(column))
            }
            (Some(default), false) => format!("ISNULL({}, {default})", given(column)),
        }),
        Role::Set(value) | Role::Touch(value) => Some(expression(plan, column, value)),
        Role::Shown | Role::Hidden if is_key(column) && plan.key.from == KeySource::Sequence => {
            Some(format!("@{}", key_parameter(plan)))
        }
        Role::Shown | Role::Hidden => None,
    };
    let columns = plan.columns.iter().filter(|column| column.is_insertable());
    columns.filter_map(|column| Some((name(&column.name), value(column)?))).collect()
}

/// The statements that give a new row its key: before the INSERT, between its columns and its values, and behind it.
fn key_of_new_row(plan: &Plan, key: &Column) -> [String; 3] {
    let (parameter, column) = (key_parameter(plan), name(&key.name));
    let indent = "            ";
    match (plan.key.from, &plan.key.sequence) {
        (KeySource::Sequence, Some(sequence)) => [
            format!("{indent}SET @{parameter} = NEXT VALUE FOR {};\n", qualified(sequence)),
            String::new(),
            String::new(),
        ],
        (KeySource::Default, _) => [
            format!("{indent}DECLARE @New TABLE (RowKey {});\n", types::declared(key.sql_type)),
            format!("{indent}OUTPUT INSERTED.{column} INTO @New (RowKey)\n"),
            format!("\n{indent}SELECT @{parameter} = n.RowKey FROM @New AS n;"),
        ],
        (KeySource::Client, _) => [
            format!(
                "{indent}SELECT @{parameter} = {} FROM OPENJSON(@Json) WITH ({column} {} {}) AS j;\n",
                given(key),
                types::json_type(key),
                path_literal(key.path())
            ),
            String::new(),
            String::new(),
        ],
        (KeySource::Identity | KeySource::Sequence, _) => {
            [String::new(), String::new(), format!("\n{indent}SET @{parameter} = SCOPE_IDENTITY();")]
        }
    }
}

/// The CATCH around the one statement that changes the table.
fn catch(plan: &Plan, referred: &str, after: &str) -> String {
    format!(
        "        BEGIN CATCH
            IF ERROR_NUMBER() NOT IN (547, 2601, 2627, 33504) OR XACT_STATE() = -1 THROW;
            EXECUTE ops.answer_conflict {}, {referred}, @Status OUTPUT, @Result OUTPUT;{after}
        END CATCH;",
        literal(&plan.name)
    )
}

/// The procedure that creates a row.
pub(super) fn put(script: &mut Script, plan: &Plan) {
    let Some(key) = plan.key_column() else { return };
    let (parameter, entity) = (key_parameter(plan), &plan.name);
    let (columns, values): (Vec<_>, Vec<_>) = insert(plan).into_iter().unzip();
    let [before, between, behind] = key_of_new_row(plan, key);
    script.lines(format!(
        "\
{heading}
CREATE OR ALTER PROCEDURE web.put_{entity} @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000)
AS
BEGIN
    SET NOCOUNT ON; SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.
    DECLARE @Status INT, @ETag NVARCHAR(40), @{parameter} {sql_type}, @Replayed BIT, @Result NVARCHAR(MAX);
    DECLARE @Invalid INT, @Problem NVARCHAR(MAX);
    EXECUTE ops.check_fields {name}, 1, @Json, @Invalid OUTPUT, @Problem OUTPUT;
    EXECUTE ops.claim_request @RequestKey, N'web.put_{entity}', @{parameter} OUTPUT, @Json, @Invalid, @Status OUTPUT, @Result OUTPUT, @Replayed OUTPUT;

    IF @Status IS NULL AND @Invalid IS NOT NULL
        SELECT @Status = @Invalid, @Result = @Problem;
    ELSE IF @Status IS NULL
    BEGIN
        BEGIN TRY
{before}            INSERT INTO {table} (
{columns}
            )
{between}            SELECT
{values}
            FROM OPENJSON(@Json) WITH (
{sent}
            ) AS j;{behind}
            SET @Status = 201;
        END TRY
{catch}
        EXECUTE ops.record_request @RequestKey, @Status, @{parameter};
    END;

    IF @Status < 400
        SELECT @ETag = d.ETag, @Result = d.Json FROM web.{entity}_document(@{parameter}) AS d;
    IF @Status < 400 AND @Replayed = 0 AND @Result IS NULL
        THROW 50022, N'The new row cannot be read: row-level security, see sql/README.md.', 1;
    SET @Result = ISNULL(@Result, N'[]');
    SELECT @Status AS Status, @ETag AS ETag, @{parameter} AS {parameter}, @Replayed AS Replayed, @Result AS Json;
END;
GO
",
        heading = heading(plan, Operation::Put),
        sql_type = types::parameter(key.sql_type),
        name = literal(entity),
        table = qualified(&plan.table),
        columns = wrapped(&columns, "                "),
        values = wrapped(&values, "                "),
        sent = sent(plan.sent()),
        catch = catch(plan, "NULL", &format!("\n            SET @{parameter} = NULL;")),
    ));
}

/// How a write holds on to the row: the type of `@Version`, and the column whose value it is. Without such a column all columns are read, so
/// that the lock is on the row itself and not only on an index.
fn version(plan: &Plan) -> (String, String, Option<String>) {
    match plan.version() {
        Version::Period(start) => {
            let column = format!("c.{}", name(&start.name));
            (types::declared(start.sql_type), column.clone(), Some(column))
        }
        Version::RowVersion(column) => {
            let column = format!("c.{}", name(&column.name));
            ("BINARY(8)".to_owned(), column.clone(), Some(column))
        }
        Version::Text => ("INT".to_owned(), "BINARY_CHECKSUM(*)".to_owned(), None),
    }
}

/// The condition that a row has the key of the request and the version that was read.
fn is_row(plan: &Plan, key: &Column) -> String {
    let (.., column) = version(plan);
    let is_key = types::is_key(key, &format!("c.{}", name(&key.name)), key_parameter(plan));
    let is_version = column.map_or_else(String::new, |column| format!(" AND {column} = @Version"));
    format!("{is_key}{is_version}")
}

/// The locked row, and its ETag.
fn lock(plan: &Plan, key: &Column) -> String {
    let (parameter, column) = (key_parameter(plan), name(&key.name));
    format!(
        "        -- UPDLOCK: nobody changes or deletes the row before this transaction ends.
        SELECT @{parameter} = c.{column}, @Version = {version} FROM {table} AS c WITH (UPDLOCK) WHERE {is_key};
        SELECT @Current = d.ETag FROM web.{entity}_document(@{parameter}) AS d;",
        version = version(plan).1,
        table = qualified(&plan.table),
        is_key = types::is_key(key, &format!("c.{column}"), parameter),
        entity = plan.name,
    )
}

/// The condition of a version that If-Match does not name, and the answer to it.
fn mismatch(plan: &Plan) -> String {
    format!(
        "IF ops.is_match(@IfMatch, @Current) = 0
            SELECT @Status = 412, @Result = ops.problem({});",
        about(plan, "has changed since the version named in If-Match.")
    )
}

/// The answer to a body that would change the key. Nothing where rows do not show it: the member is one that clients do not know.
fn key_problem(plan: &Plan, key: &Column) -> String {
    let is_shown = plan.shown().any(|column| column.name == key.name);
    let Some((sql_type, ..)) = types::rule(plan, key).filter(|_| is_shown) else { return String::new() };
    // The check of a body's fields has already compared the text with the column's code page.
    let sql_type = if sql_type.starts_with("char") { "nchar" } else { sql_type };
    let arguments =
        format!("{}, @Json, {}, N'{sql_type}', @{}", literal(&plan.name), literal(key.path()), key_parameter(plan));
    format!(
        "
        ELSE IF ops.key_problem({arguments}) IS NOT NULL
            SELECT @Status = 422, @Result = ops.key_problem({arguments});"
    )
}

/// The value of a column in a row that is changed: what the client sent, or what is there.
fn change(plan: &Plan, column: &Column) -> Option<String> {
    let target = name(&column.name);
    let value = match &column.role {
        Role::Sent if column.is_nullable => {
            let given = types::collated_value(column, &format!("j.{target}"));
            format!("CASE WHEN {} THEN {given} ELSE {} END", is_there(column), types::shown(column, "c"))
        }
        Role::Sent => format!("ISNULL({}, c.{target})", given(column)),
        Role::Touch(value) => expression(plan, column, value),
        Role::Set(_) | Role::Shown | Role::Hidden => return None,
    };
    (column.name != plan.key.column).then(|| format!("{target} = {value}"))
}

/// Makes a second change of a row in the same step of the clock fail, so that the request is tried again later.
const SAME_STEP: &str = "
    IF @Status < 400 AND @Replayed = 0 AND @After = @Version
        THROW 50023, N'The row was written in this step of the clock. A retry begins later, and makes a new version.', 1;";

/// The procedure that changes a row.
pub(super) fn patch(script: &mut Script, plan: &Plan) {
    let Some(key) = plan.key_column() else { return };
    let (parameter, entity) = (key_parameter(plan), &plan.name);
    let is_period = matches!(plan.version(), Version::Period(_));
    let (version_type, ..) = version(plan);
    let changes: Vec<_> = plan.columns.iter().filter_map(|column| change(plan, column)).collect();
    script.lines(format!(
        "\
{heading}
CREATE OR ALTER PROCEDURE web.patch_{entity}
    @{parameter} {sql_type}, @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL
AS
BEGIN
    SET NOCOUNT ON; SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.
    DECLARE @Status INT, @ETag NVARCHAR(40), @Replayed BIT, @Result NVARCHAR(MAX);
    DECLARE @Invalid INT, @Problem NVARCHAR(MAX), @Current NVARCHAR(40), @Version {version_type}{after};
    EXECUTE ops.check_fields {name}, 0, @Json, @Invalid OUTPUT, @Problem OUTPUT;
    EXECUTE ops.claim_request @RequestKey, N'web.patch_{entity}', @{parameter}, @Json, @Invalid, @Status OUTPUT, @Result OUTPUT, @Replayed OUTPUT;

    IF @Status IS NULL
    BEGIN
{lock}
        IF @Invalid = 400
            SELECT @Status = 400, @Result = @Problem;
        ELSE IF @Current IS NULL
            SELECT @Status = 404, @Result = ops.problem({absent});
        ELSE {mismatch}
        ELSE IF @Invalid = 422
            SELECT @Status = 422, @Result = @Problem;{key_problem}
        ELSE
        BEGIN TRY
            UPDATE c
            SET
{changes}
            FROM {table} AS c
            CROSS JOIN OPENJSON(@Json) WITH (
{sent}
            ) AS j
            WHERE {is_row};
            IF @@ROWCOUNT = 0
                THROW 50025, N'The row was changed in between. A retry sees that.', 1;
            SET @Status = 202;
        END TRY
{catch}
        IF @Invalid IS NULL
            EXECUTE ops.record_request @RequestKey, @Status, @{parameter};
    END;

    IF @Status < 400
        SELECT @ETag = d.ETag, @Result = d.Json{read_version} FROM web.{entity}_document(@{parameter}) AS d;{same_step}
    SET @Result = ISNULL(@Result, N'[]');
    SELECT @Status AS Status, @ETag AS ETag, @Replayed AS Replayed, @Result AS Json;
END;
GO
",
        heading = heading(plan, Operation::Patch),
        sql_type = types::parameter(key.sql_type),
        after = if is_period { format!(", @After {version_type}") } else { String::new() },
        name = literal(entity),
        lock = lock(plan, key),
        absent = absent(plan),
        mismatch = mismatch(plan),
        key_problem = key_problem(plan, key),
        changes = listed(&changes, "                "),
        table = qualified(&plan.table),
        sent = sent(plan.changed()),
        is_row = is_row(plan, key),
        catch = catch(plan, "NULL", ""),
        read_version = if is_period { ", @After = d.Version" } else { "" },
        same_step = if is_period { SAME_STEP } else { "" },
    ));
}

/// The procedure that deletes a row.
pub(super) fn delete(script: &mut Script, plan: &Plan) {
    let Some(key) = plan.key_column() else { return };
    let (parameter, entity) = (key_parameter(plan), &plan.name);
    script.lines(format!(
        "\
{heading}
CREATE OR ALTER PROCEDURE web.delete_{entity}
    @{parameter} {sql_type}, @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL
AS
BEGIN
    SET NOCOUNT ON; SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.
    DECLARE @Status INT, @Replayed BIT, @Result NVARCHAR(MAX), @Current NVARCHAR(40), @Version {version_type};
    DECLARE @Referred NVARCHAR(1000) = {referred};
    EXECUTE ops.claim_request @RequestKey, N'web.delete_{entity}', @{parameter}, NULL, NULL, @Status OUTPUT, @Result OUTPUT, @Replayed OUTPUT;

    IF @Status IS NULL
    BEGIN
{lock}
        {mismatch}
        ELSE
        BEGIN TRY
            DELETE FROM c FROM {table} AS c WHERE {is_row};
            IF @@ROWCOUNT = 0 AND @Current IS NOT NULL
                THROW 50025, N'The row was changed in between. A retry sees that.', 1;
            SET @Status = 202;
        END TRY
{catch}
        EXECUTE ops.record_request @RequestKey, @Status, @{parameter};
    END;

    IF @Status < 400 SET @Result = (SELECT @{parameter} AS {member} FOR JSON PATH);
    SELECT @Status AS Status, @Replayed AS Replayed, @Result AS Json;
END;
GO
",
        heading = heading(plan, Operation::Delete),
        sql_type = types::parameter(key.sql_type),
        version_type = version(plan).0,
        referred = about(plan, "is referred to by other rows and cannot be deleted."),
        lock = lock(plan, key),
        mismatch = mismatch(plan),
        table = qualified(&plan.table),
        is_row = is_row(plan, key),
        catch = catch(plan, "@Referred", ""),
        member = super::super::super::plan::bracketed(key.path()),
    ));
}
