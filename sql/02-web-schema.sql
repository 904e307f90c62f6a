/*
Schemas web and ops, the version of the database, and the ledger of requests.

  web    what the API may call: every procedure in it is granted to the API's role (90-security.sql)
  ops    what operators and jobs call, and what they keep: nothing of it is granted to the API's role

All belongs to dbo, like Sales and Sequences, so that ownership chaining lets the procedures read and write tables for a caller
who has EXECUTE on them and nothing else.
*/
IF @@TRANCOUNT = 0
    THROW 50000, N'Apply the scripts from 00 to 90 as one file: sql/README.md.', 1;
-- CREATE SCHEMA must be the first statement of its batch, hence EXECUTE.
IF SCHEMA_ID(N'web') IS NULL
    EXECUTE (N'CREATE SCHEMA web AUTHORIZATION dbo;');
IF SCHEMA_ID(N'ops') IS NULL
    EXECUTE (N'CREATE SCHEMA ops AUTHORIZATION dbo;');

-- One row for each migration below that was applied. web.ready compares the last one with the version of the procedures.
IF OBJECT_ID(N'ops.SchemaVersion', N'U') IS NULL
    CREATE TABLE ops.SchemaVersion
    (
        Version INT NOT NULL CONSTRAINT PK_ops_SchemaVersion PRIMARY KEY,
        AppliedAt DATETIME2(0) NOT NULL CONSTRAINT DF_ops_SchemaVersion_AppliedAt DEFAULT (SYSUTCDATETIME())
    );
GO

IF EXISTS (SELECT 1 FROM ops.SchemaVersion AS v WHERE v.Version > 4)
    THROW 50000, N'The database is of a later version than these scripts. The only way back is a restored backup.', 1;

-- Migration 1: the ledger. One that is older than versions steps aside, to be copied. (EXECUTE, because the parser of
-- `make lint-sql` does not know the statement.)
IF OBJECT_ID(N'web.Requests', N'U') IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ops.SchemaVersion AS v WHERE v.Version = 1)
    EXECUTE (N'ALTER SCHEMA ops TRANSFER web.Requests;');
GO

/*
Ledger: one row for each write that succeeded, written in the same transaction as the change itself. A second call with the
same key finds the row and changes nothing. A request that fails leaves no row, so its key may be tried again.

RequestKey   the Idempotency-Key of the request, compared exactly (binary collation): visible ASCII, 1..255
Operation    schema and name of the procedure
PayloadHash  SHA-256 over operation, id of the row and the JSON text as received
Status       the HTTP status that was answered (2xx)
RowID        the key, as text, of the row that was created, changed or deleted, in the table that is the operation's: for a key of
             several columns the text of ops.key_text. No foreign key, because the entry outlives that row
BeganAt      UTC, when the key was claimed. The table is clustered on it, so that what ops.purge_requests removes lies together
*/
IF NOT EXISTS (SELECT 1 FROM ops.SchemaVersion AS v WHERE v.Version = 1)
BEGIN
    CREATE TABLE web.Requests
    (
        RequestKey VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT PK_web_Requests PRIMARY KEY NONCLUSTERED,
        Operation NVARCHAR(40) NOT NULL,
        PayloadHash BINARY(32) NOT NULL,
        Status INT NOT NULL,
        RowID INT NULL,
        BeganAt DATETIME2(3) NOT NULL CONSTRAINT DF_web_Requests_BeganAt DEFAULT (SYSUTCDATETIME())
    );
    CREATE CLUSTERED INDEX IX_web_Requests_BeganAt ON web.Requests (BeganAt);

    IF OBJECT_ID(N'ops.Requests', N'U') IS NOT NULL
    BEGIN
        -- The asterisk, because the fifth of the same six columns is CustomerID in the oldest ledgers, and RowID in later ones.
        INSERT INTO web.Requests (RequestKey, Operation, PayloadHash, Status, RowID, BeganAt)
        SELECT r.* FROM ops.Requests AS r;
        DROP TABLE ops.Requests;
    END;

    INSERT INTO ops.SchemaVersion (Version) VALUES (1);
END;
GO

-- Migration 2: keys of any type, as text.
IF NOT EXISTS (SELECT 1 FROM ops.SchemaVersion AS v WHERE v.Version = 2)
BEGIN
    ALTER TABLE web.Requests ALTER COLUMN RowID NVARCHAR(450) NULL;
    INSERT INTO ops.SchemaVersion (Version) VALUES (2);
END;
GO

/*
Migration 3: names of procedures as long as SQL Server lets them be, and what the shared procedures know of each entity. The script of an
entity writes its rows each time it is applied.

ops.Fields     what clients may send, one row a field, in the order in which errors are reported
  Field        its path as clients write it: CustomerName, Delivery.PostalCode. The row of an object comes before those of its members
  ColumnName   its column in the table, or NULL for an object
  SqlType, Size, Scale  what its values may be, as 04-field_error.sql explains
  Collation    of a text's column, or NULL for the database's: its code page decides what a VARCHAR keeps
  IsRequired   1 = a new row must have it
  IsNullable   1 = it may be null

ops.Conflicts  what a violated constraint means to clients
  ConstraintName
  Errors       the fields that clients gave it, as the 409 has them: [{"field": …, "message": …}, …], or NULL
  Detail       the text of the 409, which is the same for all foreign keys. NULL for the primary key of rows that a sequence numbers: that one
               lags, and a retry helps
*/
IF NOT EXISTS (SELECT 1 FROM ops.SchemaVersion AS v WHERE v.Version = 3)
BEGIN
    ALTER TABLE web.Requests ALTER COLUMN Operation NVARCHAR(261) NOT NULL;

    CREATE TABLE ops.Fields
    (
        Entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        Position INT NOT NULL,
        Field NVARCHAR(257) COLLATE Latin1_General_100_BIN2 NOT NULL,
        ColumnName NVARCHAR(128) NULL,
        SqlType NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        Size INT NULL,
        Scale INT NULL,
        Collation NVARCHAR(128) NULL,
        IsRequired BIT NOT NULL,
        IsNullable BIT NOT NULL,
        CONSTRAINT PK_ops_Fields PRIMARY KEY (Entity, Position)
    );
    CREATE TABLE ops.Conflicts
    (
        Entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        ConstraintName NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
        Detail NVARCHAR(400) NULL,
        CONSTRAINT PK_ops_Conflicts PRIMARY KEY (Entity, ConstraintName)
    );

    INSERT INTO ops.SchemaVersion (Version) VALUES (3);
END;
GO

-- Migration 4: keys of several columns, of which two of NVARCHAR(450) have room, and the fields of a conflict.
IF NOT EXISTS (SELECT 1 FROM ops.SchemaVersion AS v WHERE v.Version = 4)
BEGIN
    ALTER TABLE web.Requests ALTER COLUMN RowID NVARCHAR(4000) NULL;
    ALTER TABLE ops.Conflicts ADD Errors NVARCHAR(4000) NULL;
    INSERT INTO ops.SchemaVersion (Version) VALUES (4);
END;
GO

-- Of older databases; nothing asks for them any more.
DROP FUNCTION IF EXISTS web.customer_fields;
DROP PROCEDURE IF EXISTS ops.read_customer;
DROP FUNCTION IF EXISTS web.field_error;
DROP FUNCTION IF EXISTS web.json_member;
GO
