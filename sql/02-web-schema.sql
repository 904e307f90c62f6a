/*
Schemas web and ops, and the ledger of completed requests.

  web    what the API may call: every procedure in it is granted to the API's role (90-security.sql)
  ops    what an operator or a job calls: not granted to the API's role

Both belong to dbo, like Sales and Sequences, so that ownership chaining lets the procedures read and write Sales.Customers
and web.Requests for a caller who has EXECUTE on schema web and nothing else.
*/
SET ANSI_NULLS ON;
SET QUOTED_IDENTIFIER ON;
GO

IF COL_LENGTH(N'Sales.Customers', N'ValidFrom') IS NULL OR OBJECT_ID(N'Sequences.CustomerID') IS NULL
    THROW 50000, N'Sales.Customers or Sequences.CustomerID is missing: run 01-sample-schema.sql, or use a WideWorldImporters database.', 1;

-- CREATE SCHEMA must be the first statement of its batch, hence EXECUTE.
IF SCHEMA_ID(N'web') IS NULL
    EXECUTE (N'CREATE SCHEMA web AUTHORIZATION dbo;');
IF SCHEMA_ID(N'ops') IS NULL
    EXECUTE (N'CREATE SCHEMA ops AUTHORIZATION dbo;');
GO

/*
Ledger: one row for each write that succeeded, written in the same transaction as the change itself. A second call with the
same key finds the row and changes nothing. A request that fails leaves no row, so its key may be tried again.

RequestKey   the Idempotency-Key of the request, compared exactly (binary collation): visible ASCII, 1..255
Operation    schema and name of the procedure
PayloadHash  SHA-256 over operation, id of the row and the JSON text as received
Status       the HTTP status that was answered (2xx)
RowID        the row that was created, changed or deleted, in the table that is the operation's; no foreign key, because the entry
             outlives that row
CompletedAt  UTC; ops.purge_requests goes by it
*/
SET XACT_ABORT ON;

IF OBJECT_ID(N'web.Requests', N'U') IS NULL
BEGIN
    BEGIN TRANSACTION;

    CREATE TABLE web.Requests
    (
        RequestKey NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
        Operation NVARCHAR(40) NOT NULL,
        PayloadHash BINARY(32) NOT NULL,
        Status INT NOT NULL,
        RowID INT NULL,
        CompletedAt DATETIME2(3) NOT NULL CONSTRAINT DF_web_Requests_CompletedAt DEFAULT (SYSUTCDATETIME()),
        CONSTRAINT PK_web_Requests PRIMARY KEY CLUSTERED (RequestKey)
    );

    CREATE NONCLUSTERED INDEX IX_web_Requests_CompletedAt ON web.Requests (CompletedAt);

    COMMIT TRANSACTION;
END;
GO
