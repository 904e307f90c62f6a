/*
ops.erase_customer: remove a deleted customer from the history, where a DELETE leaves it until the retention ends. For those who
answer requests to erase; not part of the API. Backups keep it until they expire.

Parameters
  @CustomerID  no longer in Sales.Customers

Result: one row
  Erased  number of versions removed

History can only be changed while versioning is off. That takes rights which no caller should have, so it runs as the owner. It
is off in this transaction alone, which locks the table: nobody else's change can go unrecorded. The retention stays as it is.
*/
CREATE OR ALTER PROCEDURE ops.erase_customer
    @CustomerID INT
WITH EXECUTE AS OWNER
AS
BEGIN
    SET NOCOUNT ON;
    SET XACT_ABORT ON;

    DECLARE @Erased INT;
    -- DDL takes no parameters. What varies is from the catalog: a number and the name of a unit.
    DECLARE @VersioningOn NVARCHAR(400) =
    (
        SELECT CONCAT(N'ALTER TABLE Sales.Customers SET (SYSTEM_VERSIONING = ON (HISTORY_TABLE = Sales.Customers_Archive, ',
            N'DATA_CONSISTENCY_CHECK = OFF, HISTORY_RETENTION_PERIOD = ',
            CASE WHEN t.history_retention_period > 0 THEN CONCAT(t.history_retention_period, N' ') END,
            t.history_retention_period_unit_desc, N'));')
        FROM sys.tables AS t
        WHERE t.object_id = OBJECT_ID(N'Sales.Customers')
    );

    BEGIN TRANSACTION;
    ALTER TABLE Sales.Customers SET (SYSTEM_VERSIONING = OFF);
    IF EXISTS (SELECT 1 FROM Sales.Customers AS c WHERE c.CustomerID = @CustomerID)
        THROW 50003, N'The customer exists. Delete it through the API first.', 1;
    -- The statement is a text, because SQL Server compiles a procedure before it runs, and refuses a DELETE from a
    -- history table then.
    EXECUTE sys.sp_executesql
        N'DELETE FROM Sales.Customers_Archive WHERE CustomerID = @CustomerID; SET @Erased = @@ROWCOUNT;',
        N'@CustomerID INT, @Erased INT OUTPUT', @CustomerID, @Erased OUTPUT;
    EXECUTE sys.sp_executesql @VersioningOn;
    COMMIT TRANSACTION;

    SELECT @Erased AS Erased;
END;
GO

-- Members: the people who answer requests to erase.
IF DATABASE_PRINCIPAL_ID(N'ops_eraser') IS NULL
    CREATE ROLE ops_eraser;
GO

GRANT EXECUTE ON OBJECT::ops.erase_customer TO ops_eraser;
GO
