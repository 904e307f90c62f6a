/*
What operators do, as users who may do only that, in a database from which customer 1061 was deleted.
*/
CREATE USER test_purger WITHOUT LOGIN;
CREATE USER test_eraser WITHOUT LOGIN;
ALTER ROLE ops_purger ADD MEMBER test_purger;
ALTER ROLE ops_eraser ADD MEMBER test_eraser;
GO

EXECUTE web.ready;

UPDATE web.Requests SET BeganAt = DATEADD(DAY, -8, BeganAt) WHERE RequestKey = 'upgrade-delete';
EXECUTE (N'EXECUTE ops.purge_requests;') AS USER = 'test_purger';
IF EXISTS (SELECT 1 FROM web.Requests AS r WHERE r.RequestKey = 'upgrade-delete')
    OR NOT EXISTS (SELECT 1 FROM web.Requests AS r WHERE r.RequestKey = 'upgrade-put')
    THROW 50000, N'The purge does not remove what is a week old, and nothing else.', 1;
GO

DECLARE @Before NVARCHAR(100) =
(
    SELECT CONCAT(t.history_retention_period, N' ', t.history_retention_period_unit_desc, N' ', t.temporal_type_desc)
    FROM sys.tables AS t WHERE t.object_id = OBJECT_ID(N'Sales.Customers')
);
IF NOT EXISTS (SELECT 1 FROM Sales.Customers_Archive AS a WHERE a.CustomerID = 1061)
    THROW 50000, N'There is nothing to erase.', 1;
EXECUTE (N'EXECUTE ops.erase_customer @CustomerID = 1061;') AS USER = 'test_eraser';
IF EXISTS (SELECT 1 FROM Sales.Customers_Archive AS a WHERE a.CustomerID = 1061)
    THROW 50000, N'The history still has the customer.', 1;
IF @Before <>
(
    SELECT CONCAT(t.history_retention_period, N' ', t.history_retention_period_unit_desc, N' ', t.temporal_type_desc)
    FROM sys.tables AS t WHERE t.object_id = OBJECT_ID(N'Sales.Customers')
)
    THROW 50000, N'The retention of the history is another one.', 1;
GO

DECLARE @Existing INT;
DECLARE @Foreign INT;
BEGIN TRY
    EXECUTE (N'EXECUTE ops.erase_customer @CustomerID = 1;') AS USER = 'test_eraser';
END TRY
BEGIN CATCH
    SET @Existing = ERROR_NUMBER();
    IF @@TRANCOUNT > 0
        ROLLBACK TRANSACTION;
END CATCH;
BEGIN TRY
    EXECUTE (N'EXECUTE ops.erase_customer @CustomerID = 1061;') AS USER = 'test_purger';
END TRY
BEGIN CATCH
    SET @Foreign = ERROR_NUMBER();
END CATCH;
IF ISNULL(@Existing, 0) <> 50003
    THROW 50000, N'A customer who exists can be erased.', 1;
-- 229: permission denied.
IF ISNULL(@Foreign, 0) <> 229
    THROW 50000, N'Who may only purge can erase.', 1;
IF (SELECT t.temporal_type FROM sys.tables AS t WHERE t.object_id = OBJECT_ID(N'Sales.Customers')) <> 2
    THROW 50000, N'Versioning is off.', 1;
GO
