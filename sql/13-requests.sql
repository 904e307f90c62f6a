/*
ops.claim_request and ops.record_request: exactly once for a request key. A procedure that writes reads: validate, claim, change,
record, answer. Both run in its transaction. In ops, because nobody else may call them.

Parameters of ops.claim_request
  @RequestKey  the Idempotency-Key: 1..255 visible ASCII characters, else 400; NULL is error 515
  @Operation   schema and name of the procedure
  @RowID       in: the key of the row that the request is for, or NULL for a new one. Out, in a replay: that of the first time. Keys of
               all types come and go as text: SQL Server converts them on the way
  @Json        the text as received, or NULL
  @Invalid     NULL, or the status that the request will be refused with: then the key is only looked up, and nothing is written
  @Status      out: NULL = go on. Otherwise the answer: that of the first time, 400, or 422 for a key that was used for another request
  @Detail      out: why, when @Status is 400 or more
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
    @Operation NVARCHAR(40),
    @RowID NVARCHAR(450) OUTPUT,
    @Json NVARCHAR(MAX),
    @Invalid INT,
    @Status INT OUTPUT,
    @Detail NVARCHAR(200) OUTPUT,
    @Replayed BIT OUTPUT
AS
BEGIN
    SET NOCOUNT ON;
    -- A caught constraint error must leave the transaction committable.
    SET XACT_ABORT OFF;

    DECLARE @Key VARCHAR(255) = @RequestKey;
    DECLARE @IsClaimed BIT = 0;
    -- A line feed separates the parts: two different requests do not hash the same input.
    DECLARE @PayloadHash BINARY(32) = HASHBYTES('SHA2_256', CONCAT(@Operation, NCHAR(10), @RowID, NCHAR(10), @Json));

    SELECT @Status = NULL, @Detail = NULL, @Replayed = 0;

    IF DATALENGTH(@RequestKey) / 2 NOT BETWEEN 1 AND 255 OR @RequestKey LIKE N'%[^!-~]%' COLLATE Latin1_General_100_BIN2
        SELECT @Status = 400, @Detail = N'The idempotency key must be 1 to 255 visible ASCII characters.';
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
                SELECT @Status = 422, @RowID = NULL, @Detail = N'This idempotency key was already used for a different request.';
            IF @Status IS NULL AND @Invalid IS NULL
                THROW 50020, N'The entry of a request was purged while it was looked up. A retry is its first request.', 1;
        END;
    END;
END;
GO

CREATE OR ALTER PROCEDURE ops.record_request
    @RequestKey VARCHAR(255),
    @Status INT,
    @RowID NVARCHAR(450)
AS
BEGIN
    SET NOCOUNT ON;

    IF @Status < 400
        UPDATE web.Requests SET Status = @Status, RowID = @RowID WHERE RequestKey = @RequestKey;
    ELSE
        DELETE FROM web.Requests WHERE RequestKey = @RequestKey;
END;
GO
