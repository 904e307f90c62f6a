/*
web.ready: proof that bridge and database answer, and that they can serve. GET /readyz

Reads no table that the API writes: a lock held by a long write must not take the API out of service.

Result: one row
  Status  200
  Json    {"status":"ready"}

Throws, so that Data API Builder answers 500, with the reason in its log:
  50010  the database is read-only: a replica
  50011  its tables are not of the version of these procedures
*/
CREATE OR ALTER PROCEDURE web.ready
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @Status INT = 200;
    DECLARE @Result NVARCHAR(MAX) = (SELECT N'ready' AS status FOR JSON PATH, WITHOUT_ARRAY_WRAPPER);

    IF CONVERT(NVARCHAR(20), DATABASEPROPERTYEX(DB_NAME(), N'Updateability')) = N'READ_ONLY'
        THROW 50010, N'The database is read-only.', 1;
    IF ISNULL((SELECT MAX(v.Version) FROM ops.SchemaVersion AS v), 0) <> 4
        THROW 50011, N'The database is of another version than the procedures: apply the scripts of sql/.', 1;

    SELECT @Status AS Status, @Result AS Json;
END;
GO
