/*
ops.put_rows: creates many rows, all or none, under one key. The procedure of the entity for one row creates each of them, with a key of
its own, which follows from the request's key and the place of the row. So a replay finds every row again.

Parameters
  @Operation   schema and name of the procedure that was called
  @Procedure   schema and name of the procedure for one row, which returns Status, ETag, its key, Replayed and Json. Only the caller's
               text has this name, never a request
  @Json        a JSON array of 1 to 1000 objects, as received
  @RequestKey
  @Status      out: 201 | 400 no JSON array | that of the worst row: 422 before 409
  @Replayed    out: as in ops.claim_request
  @Result      out: the rows in the order of the array, or {"detail": …, "errors": [{"index": …, "field": …, "message": …}, …]}. The index
               counts from 0. There is no field where the error is about a whole row. A replay leaves out what was deleted since
  @Caller      the name of the caller, for a procedure that stores it
*/
CREATE OR ALTER PROCEDURE ops.put_rows
    @Operation NVARCHAR(261),
    @Procedure NVARCHAR(261),
    @Json NVARCHAR(MAX),
    @RequestKey NVARCHAR(4000),
    @Status INT OUTPUT,
    @Replayed BIT OUTPUT,
    @Result NVARCHAR(MAX) OUTPUT,
    @Caller NVARCHAR(255) = NULL
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @Invalid INT = 400, @Problem NVARCHAR(MAX) = ops.problem(N'The body is not a JSON array.');
    DECLARE @Row NVARCHAR(MAX), @Type INT, @Key VARCHAR(255), @RowID NVARCHAR(4000), @Index INT = 0, @Count INT;
    DECLARE @Sent TABLE (Nth INT NOT NULL PRIMARY KEY, Json NVARCHAR(MAX) NULL, Type INT NOT NULL);
    -- A variable keeps its rows in a rollback. Their number is their place in the array.
    DECLARE @Done TABLE
    (
        Nth INT NOT NULL IDENTITY(0, 1) PRIMARY KEY,
        Status INT NOT NULL,
        ETag NVARCHAR(40) NULL,
        RowID NVARCHAR(4000) NULL,
        Replayed BIT NULL,
        Json NVARCHAR(MAX) NOT NULL
    );

    -- ISJSON is 1 for an object or an array, of which the first bracket tells.
    IF ISJSON(@Json) = 1 AND SUBSTRING(@Json, PATINDEX(N'%[[{]%', @Json), 1) = N'['
    BEGIN
        INSERT INTO @Sent (Nth, Json, Type)
        SELECT TOP (1001) CONVERT(INT, j.[key]), j.[value], j.[type] FROM OPENJSON(@Json) AS j;
        SET @Count = @@ROWCOUNT;
        SET @Invalid = IIF(@Count BETWEEN 1 AND 1000, NULL, 422);
        SET @Problem = ops.problem(N'The array must have 1 to 1000 rows.');
    END;
    EXECUTE ops.claim_request @RequestKey, @Operation, @RowID OUTPUT, @Json, @Invalid, @Status OUTPUT, @Result OUTPUT, @Replayed OUTPUT;

    IF @Status IS NULL AND @Invalid IS NOT NULL
        SELECT @Status = @Invalid, @Result = @Problem;
    ELSE IF @Status IS NULL OR @Status < 400
    BEGIN
        -- The transaction is the caller's, so that only the rows are undone. No procedure may roll back inside of INSERT … EXECUTE.
        SAVE TRANSACTION put_rows;
        WHILE @Index < @Count
        BEGIN
            SELECT @Row = s.Json, @Type = s.Type FROM @Sent AS s WHERE s.Nth = @Index;
            SET @Key = CONCAT(CONVERT(VARCHAR(64), HASHBYTES('SHA2_256', @RequestKey), 2), '-', @Index);
            -- A row that is wrong does not end it: the answer tells the errors of all rows.
            IF @Type = 5 AND @Caller IS NULL
                INSERT INTO @Done (Status, ETag, RowID, Replayed, Json)
                EXECUTE @Procedure @Json = @Row, @RequestKey = @Key;
            ELSE IF @Type = 5
                INSERT INTO @Done (Status, ETag, RowID, Replayed, Json)
                EXECUTE @Procedure @Json = @Row, @RequestKey = @Key, @Caller = @Caller;
            ELSE
                INSERT INTO @Done (Status, Json) VALUES (422, ops.problem(N'must be an object'));
            SET @Index = @Index + 1;
        END;

        IF EXISTS (SELECT 1 FROM @Done AS d WHERE d.Replayed <> @Replayed)
            THROW 50020, N'The entries of some rows were purged, and those of others were not. A retry after the purge is a first request.', 1;

        SET @Status = (SELECT MAX(d.Status) FROM @Done AS d);
        IF @Status >= 400
        BEGIN
            ROLLBACK TRANSACTION put_rows;
            SET @Result =
            (
                SELECT
                    N'No row was created, because rows have errors.' AS detail,
                    (
                        SELECT
                            d.Nth AS [index],
                            JSON_VALUE(e.[value], '$.field') AS field,
                            COALESCE(JSON_VALUE(e.[value], '$.message'), JSON_VALUE(d.Json, '$.detail')) AS message
                        FROM @Done AS d
                        OUTER APPLY OPENJSON(d.Json, '$.errors') AS e
                        WHERE d.Status = @Status
                        ORDER BY d.Nth, CONVERT(INT, e.[key])
                        FOR JSON PATH
                    ) AS errors
                FOR JSON PATH, WITHOUT_ARRAY_WRAPPER
            );
        END;
        ELSE
            SELECT @Result = CONCAT(N'[', STRING_AGG(SUBSTRING(d.Json, 2, LEN(d.Json) - 2), N',') WITHIN GROUP (ORDER BY d.Nth), N']')
            FROM @Done AS d
            WHERE d.Json <> N'[]';
        IF @Replayed = 0
            EXECUTE ops.record_request @RequestKey, @Status, NULL;
    END;
END;
GO
