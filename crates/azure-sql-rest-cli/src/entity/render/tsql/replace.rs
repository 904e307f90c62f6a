//! The procedure that creates or replaces a row at its path: check, claim, change, record and answer, as in the other writes.

use super::super::super::plan::{Column, Operation, Plan, Role, SqlType, Version};
use super::super::text::{Script, listed, literal, name, path_literal, qualified, wrapped};
use super::super::{caller_parameter, key_parameters};
use super::key;
use super::reads::{about, heading};
use super::writes::{SAME_STEP, catch, insert, is_row, key_problems, locked, longest_caller, mismatch, sent, version};

/// The JSON with the key of the path, for which the rules of a new row ask.
fn with_key(plan: &Plan) -> String {
    let modify = |json: String, (column, parameter): (&Column, String)| {
        let value = match column.sql_type {
            SqlType::UniqueIdentifier => format!("CONVERT(NVARCHAR(36), @{parameter})"),
            _ => format!("@{parameter}"),
        };
        format!("JSON_MODIFY({json}, {}, {value})", path_literal(column.path()))
    };
    plan.key_columns().into_iter().zip(key_parameters(plan)).fold("@Json".to_owned(), modify)
}

/// A call for the problem of a body that has another key than the path.
fn other_key(plan: &Plan) -> String {
    match key_problems(plan).as_slice() {
        [] => "NULL".to_owned(),
        [one] => one.clone(),
        several => format!("COALESCE({})", several.join(", ")),
    }
}

pub(super) fn replace(script: &mut Script, plan: &Plan) {
    let entity = &plan.name;
    let row_id = key::in_ledger(plan);
    let is_period = matches!(plan.version(), Version::Period(_));
    let (version_type, ..) = version(plan);
    let new = insert(plan);
    let columns: Vec<_> = new.iter().map(|(column, _)| name(&column.name)).collect();
    let values: Vec<_> = new.iter().map(|(_, value)| value.clone()).collect();
    // A column that only a new row gets stays as it is.
    let is_replaced =
        |column: &Column| matches!(column.role, Role::Sent | Role::Touch(_)) && plan.key_of(&column.name).is_none();
    let changes = new.iter().filter(|(column, _)| is_replaced(column));
    let changes: Vec<_> = changes.map(|(column, value)| format!("{} = {value}", name(&column.name))).collect();
    script.lines(format!(
        "\
{heading}
CREATE OR ALTER PROCEDURE web.replace_{entity}
    {key}, @Json NVARCHAR(MAX), @RequestKey NVARCHAR(4000), @IfMatch NVARCHAR(4000) = NULL, @IfNoneMatch INT = NULL{caller}
AS
BEGIN
    SET NOCOUNT ON; SET XACT_ABORT OFF; -- A caught constraint error must leave the transaction committable.
    DECLARE @Status INT, @ETag NVARCHAR(40), @Replayed BIT, @Result NVARCHAR(MAX), @Sent NVARCHAR(MAX) = @Json, @OtherKey NVARCHAR(MAX);
    DECLARE @Invalid INT, @Problem NVARCHAR(MAX), @Current NVARCHAR(40), @Version {version_type}{after};
{declare_row_id}    -- The body may leave the key out.
    IF ISJSON(@Json) = 1 AND SUBSTRING(@Json, PATINDEX(N'%[[{{]%', @Json), 1) = N'{{'
    BEGIN
        SET @OtherKey = {other_key};
        SET @Json = {with_key};
    END;
    EXECUTE ops.check_fields {name}, 1, @Json, @Invalid OUTPUT, @Problem OUTPUT;
    IF @Invalid IS NULL AND @OtherKey IS NOT NULL
        SELECT @Invalid = 422, @Problem = @OtherKey;
{longest_caller}    EXECUTE ops.claim_request @RequestKey, N'web.replace_{entity}', {row_id}, @Sent, @Invalid, @Status OUTPUT, @Result OUTPUT, @Replayed OUTPUT;

    IF @Status IS NULL
    BEGIN
{lock}
        IF @Invalid = 400
            SELECT @Status = 400, @Result = @Problem;
        ELSE {mismatch}
        ELSE IF @IfNoneMatch = 1 AND @Current IS NOT NULL
            SELECT @Status = 412, @Result = ops.problem({exists});
        ELSE IF @Invalid = 422
            SELECT @Status = 422, @Result = @Problem;
        ELSE
        BEGIN TRY
            IF @Current IS NULL
                INSERT INTO {table} (
{columns}
                )
                SELECT
{values}
                FROM OPENJSON(@Json) WITH (
{sent}
                ) AS j;
            ELSE
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
            SET @Status = IIF(@Current IS NULL, 201, 200);
        END TRY
{catch}
        IF @Invalid IS NULL
            EXECUTE ops.record_request @RequestKey, @Status, {row_id};
    END;

    IF @Status < 400
        SELECT @ETag = d.ETag, @Result = d.Json{read_version} FROM web.{entity}_document({arguments}) AS d;
    IF @Status < 400 AND @Replayed = 0 AND @Result IS NULL
        THROW 50022, N'The new row cannot be read: row-level security, see sql/README.md.', 1;{same_step}
    SET @Result = ISNULL(@Result, N'[]');
    SELECT @Status AS Status, @ETag AS ETag, @Replayed AS Replayed, @Result AS Json;
END;
GO
",
        heading = heading(plan, Operation::Replace),
        caller = caller_parameter(plan, Operation::Replace),
        longest_caller = longest_caller(plan, Operation::Replace),
        key = key::declared(plan),
        arguments = key::arguments(plan),
        declare_row_id = key::row_id(plan),
        after = if is_period { format!(", @After {version_type}") } else { String::new() },
        other_key = other_key(plan),
        with_key = with_key(plan),
        name = literal(entity),
        lock = locked(plan, "HOLDLOCK: of two at once, one makes the row, and the other then sees it.", "UPDLOCK, HOLDLOCK"),
        mismatch = mismatch(plan),
        exists = about(plan, "exists."),
        table = qualified(&plan.table),
        columns = wrapped(&columns, "                    "),
        values = wrapped(&values, "                    "),
        changes = listed(&changes, "                    "),
        sent = sent(plan.sent(), "                    "),
        is_row = is_row(plan),
        catch = catch(plan, "NULL", ""),
        read_version = if is_period { ", @After = d.Version" } else { "" },
        same_step = if is_period { SAME_STEP } else { "" },
    ));
}
