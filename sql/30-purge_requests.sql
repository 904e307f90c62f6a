/*
ops.purge_requests: remove old rows from the ledger web.Requests. For a job, once a day or so; not part of the API.

After its row is gone, a key is new again. So rows must live longer than any client may still retry: the default is a week.

Parameters
  @OlderThanHours  rows completed longer ago than this are removed; 1..87600 (ten years)
  @BatchSize       rows a transaction; 1..4000, below the 5000 locks at which SQL Server would lock the whole table

Result: one row
  Deleted  number of rows removed

Call it without a transaction around it, or the batches end up in one. Stopping it half-way loses nothing.
*/
SET ANSI_NULLS ON;
SET QUOTED_IDENTIFIER ON;
GO

CREATE OR ALTER PROCEDURE ops.purge_requests
    @OlderThanHours INT = 168,
    @BatchSize INT = 1000
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @Before DATETIME2(3);
    DECLARE @Rows INT;
    DECLARE @Deleted BIGINT = 0;

    IF @OlderThanHours IS NULL OR @OlderThanHours NOT BETWEEN 1 AND 87600
        THROW 50001, N'@OlderThanHours must be between 1 and 87600.', 1;
    IF @BatchSize IS NULL OR @BatchSize NOT BETWEEN 1 AND 4000
        THROW 50002, N'@BatchSize must be between 1 and 4000.', 1;

    SET @Before = DATEADD(HOUR, -@OlderThanHours, SYSUTCDATETIME());
    SET @Rows = @BatchSize;

    WHILE @Rows = @BatchSize
    BEGIN
        DELETE TOP (@BatchSize) FROM web.Requests WHERE CompletedAt < @Before;
        SET @Rows = @@ROWCOUNT;
        SET @Deleted = @Deleted + @Rows;
    END;

    SELECT @Deleted AS Deleted;
END;
GO
