/*
What the procedures that write have in common: README.md tells how one reads. They run in its transaction, and in ops, because nobody else may
call them.

ops.claim_request and ops.record_request: exactly once for a request key.

Parameters of ops.claim_request
  @RequestKey  the Idempotency-Key: 1..255 visible ASCII characters, else 400; NULL is error 515
  @Operation   schema and name of the procedure
  @RowID       in: the key of the row that the request is for, or NULL for a new one. Out, in a replay: that of the first time. Keys of
               all types come and go as text: SQL Server converts them on the way; a key of several columns as the text of ops.key_text
  @Json        the text as received, or NULL
  @Invalid     NULL, or the status that the request will be refused with: then the key is only looked up, and nothing is written
  @Status      out: NULL = go on. Otherwise the answer: that of the first time, 400, or 422 for a key that was used for another request
  @Result      out: why, when @Status is 400 or more
  @Replayed    out: 1 = the key was used before for the same request

A claim is a row with Status 0, which no other transaction ever sees as such: a concurrent call with the same key waits on it
until this transaction has ended, and then finds the outcome (or nothing, when this one failed, and runs itself).

Parameters of ops.record_request, for what was claimed
  @RequestKey
  @Status      of the answer. Only success stays recorded: a failure gives the key back
  @RowID       the row that was created, changed or deleted
*/
CREATE OR ALTER PROCEDURE ops.claim_request
    @RequestKey NVARCHAR(4000),
    @Operation NVARCHAR(261),
    @RowID NVARCHAR(4000) OUTPUT,
    @Json NVARCHAR(MAX),
    @Invalid INT,
    @Status INT OUTPUT,
    @Result NVARCHAR(MAX) OUTPUT,
    @Replayed BIT OUTPUT
AS
BEGIN
    SET NOCOUNT ON;
    -- A caught constraint error must leave the transaction committable.
    SET XACT_ABORT OFF;

    DECLARE @Key VARCHAR(255) = @RequestKey;
    DECLARE @IsClaimed BIT = 0;
    -- A line feed separates the parts, and none but the last can have one: two different requests do not hash the same input.
    DECLARE @PayloadHash BINARY(32) = HASHBYTES('SHA2_256', CONCAT
    (
        @Operation, NCHAR(10), REPLACE(REPLACE(@RowID, N'\', N'\\'), NCHAR(10), N'\n'), NCHAR(10), @Json
    ));

    SELECT @Status = NULL, @Result = NULL, @Replayed = 0;

    IF @@TRANCOUNT = 0
        THROW 50024, N'A write needs a transaction around it: BEGIN TRANSACTION first, as Data API Builder does.', 1;

    IF DATALENGTH(@RequestKey) / 2 NOT BETWEEN 1 AND 255 OR @RequestKey LIKE N'%[^!-~]%' COLLATE Latin1_General_100_BIN2
        SELECT @Status = 400, @Result = ops.problem(N'The idempotency key must be 1 to 255 visible ASCII characters.');
    ELSE
    BEGIN
        BEGIN TRY
            IF @Invalid IS NULL
            BEGIN
                INSERT INTO web.Requests (RequestKey, Operation, PayloadHash, Status, RowID)
                VALUES (@Key, @Operation, @PayloadHash, 0, @RowID);
                SET @IsClaimed = 1;
            END;
        END TRY
        BEGIN CATCH
            -- A duplicate: of a request that has ended by now.
            IF ERROR_NUMBER() NOT IN (2601, 2627) OR XACT_STATE() = -1
                THROW;
        END CATCH;

        IF @IsClaimed = 0
        BEGIN
            SELECT
                @Replayed = CASE WHEN r.Operation = @Operation AND r.PayloadHash = @PayloadHash THEN 1 ELSE 0 END,
                @Status = r.Status,
                @RowID = r.RowID
            FROM web.Requests AS r
            WHERE r.RequestKey = @Key;

            IF @Status IS NOT NULL AND @Replayed = 0
                SELECT @Status = 422, @RowID = NULL, @Result = ops.problem(N'This idempotency key was already used for a different request.');
            IF @Status IS NULL AND @Invalid IS NULL
                THROW 50020, N'The entry of a request was purged while it was looked up. A retry is its first request.', 1;
        END;
    END;
END;
GO

CREATE OR ALTER PROCEDURE ops.record_request
    @RequestKey VARCHAR(255),
    @Status INT,
    @RowID NVARCHAR(4000)
AS
BEGIN
    SET NOCOUNT ON;

    IF @Status < 400
        UPDATE web.Requests SET Status = @Status, RowID = @RowID WHERE RequestKey = @RequestKey;
    ELSE
        DELETE FROM web.Requests WHERE RequestKey = @RequestKey;
END;
GO

/*
ops.key_text and ops.key_part: a key of several columns as one text. Slashes separate its parts, in which % is %25 and / is %2F: with the other
characters encoded it is the end of the row's path. The ledger, the result column RowID, and the parameter @After of a list have this text.
Behind the key, @After of a list in another order has two more parts: the order and the row's value.

ops.key_text: a part of that text.
*/
CREATE OR ALTER FUNCTION ops.key_text
(
    @Part NVARCHAR(450)
)
RETURNS NVARCHAR(1400)
AS
BEGIN
    -- A collation without regard to width would take other characters for these two.
    RETURN REPLACE(REPLACE(@Part COLLATE Latin1_General_100_BIN2, N'%', N'%25'), N'/', N'%2F');
END;
GO

/*
ops.key_part: the part at this place of that text, counted from 1, or NULL where there is none.
*/
CREATE OR ALTER FUNCTION ops.key_part
(
    @Key NVARCHAR(4000),
    @Nth INT
)
RETURNS NVARCHAR(4000)
AS
BEGIN
    RETURN
    (
        SELECT REPLACE(REPLACE(s.value, N'%2F', N'/'), N'%25', N'%')
        FROM STRING_SPLIT(@Key COLLATE Latin1_General_100_BIN2, N'/', 1) AS s
        WHERE s.ordinal = @Nth
    );
END;
GO

/*
ops.is_match: 1 when If-Match allows the version, or asks for none.

Parameters
  @IfMatch  the ETags that the row may have, without quotes and separated by spaces, or NULL for any
  @ETag     of the row, or NULL when there is none: that matches no version (RFC 9110, 13.1.1)
*/
CREATE OR ALTER FUNCTION ops.is_match
(
    @IfMatch NVARCHAR(4000),
    @ETag NVARCHAR(40)
)
RETURNS BIT
AS
BEGIN
    RETURN CASE WHEN @IfMatch IS NULL THEN 1
        -- N'*' is any row; a version of NULL is none.
        WHEN @ETag IS NOT NULL
            AND EXISTS (SELECT 1 FROM STRING_SPLIT(@IfMatch, N' ') AS v WHERE v.value COLLATE Latin1_General_100_BIN2 IN (@ETag, N'*')) THEN 1
        ELSE 0 END;
END;
GO

/*
ops.answer_conflict: the answer to a constraint that a change has violated. For the CATCH around that one statement, whose error it reads.

Parameters
  @Entity
  @Referred  why a row cannot be deleted that others refer to; NULL for other changes
  @Status    out: 409, always: that a constraint is not known here makes it no fault of the database
  @Result    out: {"detail": …, "errors": …}, those of ops.Conflicts for the constraint
*/
CREATE OR ALTER PROCEDURE ops.answer_conflict
    @Entity NVARCHAR(128),
    @Referred NVARCHAR(1000),
    @Status INT OUTPUT,
    @Result NVARCHAR(MAX) OUTPUT
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @Number INT = ERROR_NUMBER();
    -- The values of a key stand in the parentheses, and are a client's text. The text before them has the names of
    -- constraint and table. Their order, and how they are quoted, depend on the language.
    DECLARE @Message NVARCHAR(4000) = LEFT(ERROR_MESSAGE(), CHARINDEX(N'(', CONCAT(ERROR_MESSAGE(), N'(')) - 1);
    DECLARE @ConstraintName NVARCHAR(128);
    DECLARE @Detail NVARCHAR(1000);
    DECLARE @Errors NVARCHAR(4000);
    DECLARE @Refers NVARCHAR(100) = N'A value refers to a row that does not exist.';

    -- A 547 is also of a CHECK, or of other rows that refer to this one: the REFERENCE constraint. No language translates these words.
    IF @Number IN (2601, 2627) OR @Number = 547 AND @Message COLLATE Latin1_General_100_BIN2 LIKE N'%FOREIGN KEY%'
        SELECT TOP (1) @ConstraintName = c.ConstraintName, @Detail = c.Detail, @Errors = c.Errors
        FROM ops.Conflicts AS c
        CROSS APPLY (SELECT CHARINDEX(c.ConstraintName, @Message COLLATE Latin1_General_100_BIN2) AS Start) AS p
        WHERE c.Entity = @Entity AND p.Start > 1 AND IIF(c.Detail = @Refers, 1, 0) = IIF(@Number = 547, 1, 0)
            AND SUBSTRING(@Message, p.Start - 1, 1) NOT LIKE N'[0-9A-Za-z_]'
            AND SUBSTRING(@Message, p.Start + LEN(c.ConstraintName), 1) NOT LIKE N'[0-9A-Za-z_]'
        ORDER BY p.Start, LEN(c.ConstraintName) DESC;

    IF @ConstraintName IS NOT NULL AND @Detail IS NULL
        THROW 50021, N'The key of a new row is in use: its sequence lags behind the table. A retry gets the next one.', 1;

    SET @Detail = CASE
        WHEN @Detail IS NOT NULL THEN @Detail
        WHEN @Number IN (2601, 2627) THEN N'Another row has the same value where the table allows it once.'
        WHEN @Number = 33504 THEN N'A security policy of the table does not allow it.'
        ELSE COALESCE(@Referred, N'It refers to a row that does not exist, or breaks another rule of the table.')
    END;
    SELECT @Status = 409, @Result = (SELECT @Detail AS detail, JSON_QUERY(@Errors) AS errors FOR JSON PATH, WITHOUT_ARRAY_WRAPPER);
END;
GO
