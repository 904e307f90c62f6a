/*
ops.purge_requests: remove old rows from the ledger web.Requests. For a job, once a day or so; not part of the API.

After its row is gone, a key is new again. So rows must live longer than any client may still retry: the default is a week.

Parameters
  @OlderThanHours  rows that began longer ago than this are removed; 1..87600 (ten years)
  @BatchSize       rows a transaction; 1..2000. A row takes a lock in each of the two indexes, its pages take more, and at 5000
                   SQL Server would lock the whole table

Result: one row
  Deleted      number of rows removed
  OldestHours  how many hours ago the oldest of those that are left began; 0 when there are none

Call it without a transaction around it, or the batches end up in one. Stopping it half-way loses nothing.
*/
CREATE OR ALTER PROCEDURE ops.purge_requests
    @OlderThanHours INT = 168,
    @BatchSize INT = 1000
AS
BEGIN
    SET NOCOUNT ON;

    IF @OlderThanHours IS NULL OR @OlderThanHours NOT BETWEEN 1 AND 87600
        THROW 50001, N'@OlderThanHours must be between 1 and 87600.', 1;
    IF @BatchSize IS NULL OR @BatchSize NOT BETWEEN 1 AND 2000
        THROW 50002, N'@BatchSize must be between 1 and 2000.', 1;

    DECLARE @Before DATETIME2(3) = DATEADD(HOUR, -@OlderThanHours, SYSUTCDATETIME());
    DECLARE @Rows INT = @BatchSize;
    DECLARE @Deleted BIGINT = 0;

    WHILE @Rows = @BatchSize
    BEGIN
        DELETE TOP (@BatchSize) FROM web.Requests WHERE BeganAt < @Before;
        SET @Rows = @@ROWCOUNT;
        SET @Deleted = @Deleted + @Rows;
    END;

    SELECT @Deleted AS Deleted, ISNULL(DATEDIFF(HOUR, MIN(r.BeganAt), SYSUTCDATETIME()), 0) AS OldestHours FROM web.Requests AS r;
END;
GO
