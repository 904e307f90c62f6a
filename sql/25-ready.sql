/*
web.ready: proof that bridge and database answer. GET /readyz

Reads no table: a lock held by a long write must not take the API out of service.

Result: one row
  Status  200
  Json    {"status":"ready"}
*/
SET ANSI_NULLS ON;
SET QUOTED_IDENTIFIER ON;
GO

CREATE OR ALTER PROCEDURE web.ready
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @Status INT = 200;
    DECLARE @Result NVARCHAR(MAX) = (SELECT N'ready' AS status FOR JSON PATH, WITHOUT_ARRAY_WRAPPER);

    SELECT @Status AS Status, @Result AS Json;
END;
GO
