//! The procedures that write. Each validates, claims, changes, records and answers, in this order.

use super::super::super::plan::{Column, Expression, KeySource, Operation, Plan, Role, SqlType, Version};
use super::super::text::{Script, listed, literal, name, path_literal, qualified, wrapped};
use super::super::{caller_parameter, key_parameters, long_caller};
use super::reads::{about, absent, heading};
use super::{key, types};

/// The table of the columns that clients send, read from `@Json`: each in its column's own type and collation.
pub(super) fn sent<'p>(columns: impl Iterator<Item = &'p Column>, indent: &str) -> String {
    let column = |column: &Column| {
        format!("{} {} {}", name(&column.name), types::json_type(column), path_literal(column.path()))
    };
    wrapped(&columns.map(column).collect::<Vec<_>>(), indent)
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
        Expression::Caller if column.is_nullable => "@Caller".to_owned(),
        Expression::Caller => "ISNULL(@Caller, N'')".to_owned(),
        Expression::Column(other) => match plan.column(other) {
            Some(other) if plan.key_of(&other.name).is_some() && other.role != Role::Sent => key::in_ledger(plan),
            Some(other) => given(other),
            None => "NULL".to_owned(),
        },
        literal => literal.literal().unwrap_or_default(),
    }
}

/// The check that the columns hold the name of the caller. SQL Server would refuse a longer one with an error that no client can read.
pub(super) fn longest_caller(plan: &Plan, operation: Operation) -> String {
    plan.longest_caller(operation).map_or_else(String::new, |most| {
        format!(
            "    IF @Invalid IS NULL AND LEN(@Caller) > {most}\n        SELECT @Invalid = 422, @Problem = ops.problem({});\n",
            literal(&long_caller(most))
        )
    })
}

/// The columns of a new row, each with its value.
pub(super) fn insert(plan: &Plan) -> Vec<(&Column, String)> {
    let next_value = |column: &Column| {
        let key = plan.key_of(&column.name).filter(|key| key.from == KeySource::Sequence)?;
        match (&key.sequence, plan.has_parts()) {
            (Some(sequence), true) => Some(format!("NEXT VALUE FOR {}", qualified(sequence))),
            _ => Some(key::in_ledger(plan)),
        }
    };
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
        Role::Shown | Role::Hidden => next_value(column),
    };
    let columns = plan.columns.iter().filter(|column| column.is_insertable());
    columns.filter_map(|column| Some((column, value(column)?))).collect()
}

/// The CATCH around the one statement that changes the table.
pub(super) fn catch(plan: &Plan, referred: &str, after: &str) -> String {
    format!(
        "        BEGIN CATCH
            IF ERROR_NUMBER() NOT IN (547, {too_long}2601, 2627, 33504) OR XACT_STATE() = -1 THROW;
            EXECUTE ops.answer_conflict {entity}, {referred}, @Status OUTPUT, @Result OUTPUT;{after}
        END CATCH;",
        too_long = if key::may_be_too_long(plan) { "1946, " } else { "" },
        entity = literal(&plan.name)
    )
}

/// The procedure that creates a row.
pub(super) fn put(script: &mut Script, plan: &Plan) {
    let entity = &plan.name;
    let (columns, values): (Vec<_>, Vec<_>) =
        insert(plan).into_iter().map(|(column, value)| (name(&column.name), value)).unzip();
    let [before, between, behind] = key::of_new_row(plan);
    let [variables, more_variables] = key::variables_of_new_row(plan);
    let row_id = key::in_ledger(plan);
    script.lines(format!(
        "\
{heading}
CREATE OR ALTER PROCEDURE web.put_{entity} @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000){caller}
AS
BEGIN
    SET NOCOUNT ON; SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.
    DECLARE @Status INT, @ETag NVARCHAR(40), {variables}, @Replayed BIT, @Result NVARCHAR(MAX);
{more_variables}    DECLARE @Invalid INT, @Problem NVARCHAR(MAX);
    EXECUTE ops.check_fields {name}, 1, @Json, @Invalid OUTPUT, @Problem OUTPUT;
{longest_caller}    EXECUTE ops.claim_request @RequestKey, N'web.put_{entity}', {row_id} OUTPUT, @Json, @Invalid, @Status OUTPUT, @Result OUTPUT, @Replayed OUTPUT;

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
        EXECUTE ops.record_request @RequestKey, @Status, {row_id};
    END;

{from_ledger}    IF @Status < 400
        SELECT @ETag = d.ETag, @Result = d.Json FROM web.{entity}_document({arguments}) AS d;
    IF @Status < 400 AND @Replayed = 0 AND @Result IS NULL
        THROW 50022, N'The new row cannot be read: row-level security, see sql/README.md.', 1;
    SET @Result = ISNULL(@Result, N'[]');
    SELECT @Status AS Status, @ETag AS ETag, {row_id} AS {created}, @Replayed AS Replayed, @Result AS Json;
END;
GO
",
        heading = heading(plan, Operation::Put),
        caller = caller_parameter(plan, Operation::Put),
        longest_caller = longest_caller(plan, Operation::Put),
        from_ledger = key::from_ledger(plan),
        arguments = key::arguments(plan),
        created = super::super::row_id(plan),
        name = literal(entity),
        table = qualified(&plan.table),
        columns = wrapped(&columns, "                "),
        values = wrapped(&values, "                "),
        sent = sent(plan.sent(), "                "),
        catch = catch(plan, "NULL", &format!("\n            SET {row_id} = NULL;")),
    ));
}

/// The procedure that creates many rows.
pub(super) fn put_rows(script: &mut Script, plan: &Plan) {
    let (name, procedure) = (&plan.name, plan.procedure_of_rows());
    script.lines(format!(
        "\
-- web.{procedure}: create many {many}, all or none. POST /{plural} with an array
CREATE OR ALTER PROCEDURE web.{procedure} @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000){caller}
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @Status INT, @Replayed BIT, @Result NVARCHAR(MAX);
    EXECUTE ops.put_rows N'web.{procedure}', N'web.put_{name}', @Json, @RequestKey, @Status OUTPUT, @Replayed OUTPUT, @Result OUTPUT{argument};
    SELECT @Status AS Status, @Replayed AS Replayed, @Result AS Json;
END;
GO
",
        caller = caller_parameter(plan, Operation::Put),
        argument = if plan.takes_caller(Operation::Put) { ", @Caller" } else { "" },
        many = plan.plural.replace('_', " "),
        plural = plan.plural,
    ));
}

/// How a write holds on to the row: the type of `@Version`, and the column whose value it is. Without such a column all columns are read, so
/// that the lock is on the row itself and not only on an index.
pub(super) fn version(plan: &Plan) -> (String, String, Option<String>) {
    match plan.version() {
        Version::Period(start) => {
            let column = format!("c.{}", name(&start.name));
            (types::declared(start.sql_type), column.clone(), Some(column))
        }
        Version::RowVersion(column) => {
            let column = format!("c.{}", name(&column.name));
            ("BINARY(8)".to_owned(), column.clone(), Some(column))
        }
        Version::Text => ("INT".to_owned(), format!("BINARY_CHECKSUM({})", whole_row(plan)), None),
    }
}

/// All columns of a row. A checksum refuses the types that cannot be compared.
fn whole_row(plan: &Plan) -> String {
    let is_compared = |column: &Column| !matches!(column.sql_type, SqlType::Json | SqlType::Vector(_));
    if plan.columns.iter().all(is_compared) {
        return "*".to_owned();
    }
    let part = |column: &Column| match (is_compared(column), format!("c.{}", name(&column.name))) {
        (true, column) => column,
        (false, column) => format!("IIF({column} IS NULL, 0, 1)"),
    };
    plan.columns.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// The condition that a row has the key of the request and the version that was read.
pub(super) fn is_row(plan: &Plan) -> String {
    let (.., column) = version(plan);
    let is_version = column.map_or_else(String::new, |column| format!(" AND {column} = @Version"));
    format!("{}{is_version}", key::is_key(plan))
}

/// The locked row, and its ETag.
fn lock(plan: &Plan) -> String {
    let why = "UPDLOCK: nobody changes or deletes the row before this transaction ends.";
    locked(plan, why, "UPDLOCK")
}

/// The row with these locks, and its ETag.
pub(super) fn locked(plan: &Plan, why: &str, locks: &str) -> String {
    format!(
        "        -- {why}
        SELECT {key}, @Version = {version} FROM {table} AS c WITH ({locks}) WHERE {is_key};
        SELECT @Current = d.ETag FROM web.{entity}_document({arguments}) AS d;",
        key = key::read(plan),
        version = version(plan).1,
        table = qualified(&plan.table),
        is_key = key::is_key(plan),
        entity = plan.name,
        arguments = key::arguments(plan),
    )
}

/// The condition of a version that If-Match does not name, and the answer to it.
pub(super) fn mismatch(plan: &Plan) -> String {
    format!(
        "IF ops.is_match(@IfMatch, @Current) = 0
            SELECT @Status = 412, @Result = ops.problem({});",
        about(plan, "has changed since the version named in If-Match.")
    )
}

/// Calls for the problem of a body that would change a part of the key, NULL where there is none. No call where rows do not show the part: the
/// member is one that clients do not know.
pub(super) fn key_problems(plan: &Plan) -> Vec<String> {
    let is_shown = |column: &Column| plan.shown().any(|shown| shown.name == column.name);
    let problem = |(key, parameter): (&Column, String)| {
        let (sql_type, ..) = types::rule(plan, key).filter(|_| is_shown(key))?;
        // The check of a body's fields has already compared the text with the column's code page.
        let sql_type = if sql_type.starts_with("char") { "nchar" } else { sql_type };
        let arguments = format!("{}, @Json, {}, N'{sql_type}', @{parameter}", literal(&plan.name), literal(key.path()));
        Some(format!("ops.key_problem({arguments})"))
    };
    plan.key_columns().into_iter().zip(key_parameters(plan)).filter_map(problem).collect()
}

/// The answer to a body that would change the key.
fn key_problem(plan: &Plan) -> String {
    let answer = |problem: String| {
        format!("\n        ELSE IF {problem} IS NOT NULL\n            SELECT @Status = 422, @Result = {problem};")
    };
    key_problems(plan).into_iter().map(answer).collect()
}

/// The value of a column in a row that is changed: what the client sent, or what is there.
fn change(plan: &Plan, column: &Column) -> Option<String> {
    let target = name(&column.name);
    let value = match &column.role {
        Role::Sent if column.is_nullable => {
            let given = types::collated_value(column, &format!("j.{target}"));
            format!("CASE WHEN {} THEN {given} ELSE {} END", is_there(column), types::shown(column, "c"))
        }
        Role::Sent => format!("ISNULL({}, {})", given(column), types::shown(column, "c")),
        Role::Touch(value) => expression(plan, column, value),
        Role::Set(_) | Role::Shown | Role::Hidden => return None,
    };
    plan.key_of(&column.name).is_none().then(|| format!("{target} = {value}"))
}

/// Makes a second change of a row in the same step of the clock fail, so that the request is tried again later.
pub(super) const SAME_STEP: &str = "
    IF @Status < 400 AND @Replayed = 0 AND @After = @Version
        THROW 50023, N'The row was written in this step of the clock. A retry begins later, and makes a new version.', 1;";

/// The procedure that changes a row.
pub(super) fn patch(script: &mut Script, plan: &Plan) {
    let entity = &plan.name;
    let row_id = key::in_ledger(plan);
    let is_period = matches!(plan.version(), Version::Period(_));
    let (version_type, ..) = version(plan);
    let changes: Vec<_> = plan.columns.iter().filter_map(|column| change(plan, column)).collect();
    script.lines(format!(
        "\
{heading}
CREATE OR ALTER PROCEDURE web.patch_{entity}
    {key}, @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL{caller}
AS
BEGIN
    SET NOCOUNT ON; SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.
    DECLARE @Status INT, @ETag NVARCHAR(40), @Replayed BIT, @Result NVARCHAR(MAX);
    DECLARE @Invalid INT, @Problem NVARCHAR(MAX), @Current NVARCHAR(40), @Version {version_type}{after};
{declare_row_id}    EXECUTE ops.check_fields {name}, 0, @Json, @Invalid OUTPUT, @Problem OUTPUT;
{longest_caller}    EXECUTE ops.claim_request @RequestKey, N'web.patch_{entity}', {row_id}, @Json, @Invalid, @Status OUTPUT, @Result OUTPUT, @Replayed OUTPUT;

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
            EXECUTE ops.record_request @RequestKey, @Status, {row_id};
    END;

    IF @Status < 400
        SELECT @ETag = d.ETag, @Result = d.Json{read_version} FROM web.{entity}_document({arguments}) AS d;{same_step}
    SET @Result = ISNULL(@Result, N'[]');
    SELECT @Status AS Status, @ETag AS ETag, @Replayed AS Replayed, @Result AS Json;
END;
GO
",
        heading = heading(plan, Operation::Patch),
        caller = caller_parameter(plan, Operation::Patch),
        longest_caller = longest_caller(plan, Operation::Patch),
        key = key::declared(plan),
        arguments = key::arguments(plan),
        declare_row_id = key::row_id(plan),
        after = if is_period { format!(", @After {version_type}") } else { String::new() },
        name = literal(entity),
        lock = lock(plan),
        absent = absent(plan),
        mismatch = mismatch(plan),
        key_problem = key_problem(plan),
        changes = listed(&changes, "                "),
        table = qualified(&plan.table),
        sent = sent(plan.changed(), "                "),
        is_row = is_row(plan),
        catch = catch(plan, "NULL", ""),
        read_version = if is_period { ", @After = d.Version" } else { "" },
        same_step = if is_period { SAME_STEP } else { "" },
    ));
}

/// The procedure that deletes a row.
pub(super) fn delete(script: &mut Script, plan: &Plan) {
    let entity = &plan.name;
    let row_id = key::in_ledger(plan);
    script.lines(format!(
        "\
{heading}
CREATE OR ALTER PROCEDURE web.delete_{entity}
    {key}, @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL
AS
BEGIN
    SET NOCOUNT ON; SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.
    DECLARE @Status INT, @Replayed BIT, @Result NVARCHAR(MAX), @Current NVARCHAR(40), @Version {version_type};
    DECLARE @Referred NVARCHAR(1000) = {referred};
{declare_row_id}    EXECUTE ops.claim_request @RequestKey, N'web.delete_{entity}', {row_id}, NULL, NULL, @Status OUTPUT, @Result OUTPUT, @Replayed OUTPUT;

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
        EXECUTE ops.record_request @RequestKey, @Status, {row_id};
    END;

    IF @Status < 400 SET @Result = (SELECT {members} FOR JSON PATH);
    SELECT @Status AS Status, @Replayed AS Replayed, @Result AS Json;
END;
GO
",
        heading = heading(plan, Operation::Delete),
        key = key::declared(plan),
        declare_row_id = key::row_id(plan),
        version_type = version(plan).0,
        referred = about(plan, "is referred to by other rows and cannot be deleted."),
        lock = lock(plan),
        mismatch = mismatch(plan),
        table = qualified(&plan.table),
        is_row = is_row(plan),
        catch = catch(plan, "@Referred", ""),
        members = key::shown(plan),
    ));
}
