-- The tables of the bridge itself. A change here needs a new SCHEMA_VERSION in database.rs.

-- The schema scripts that were executed.
CREATE TABLE local_Schemas (
    Name TEXT PRIMARY KEY NOT NULL,
    Hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The ledger of requests that were carried out. Keys are compared byte for byte. Status is NULL while the request runs.
CREATE TABLE web_Requests (
    RequestKey  TEXT    PRIMARY KEY NOT NULL,
    Operation   TEXT    NOT NULL,
    PayloadHash BLOB    NOT NULL CHECK (length(PayloadHash) = 32),
    Status      INTEGER CHECK (Status BETWEEN 200 AND 299),
    RowID       ANY,
    BeganAt     TEXT    NOT NULL DEFAULT (sysutcdatetime())
) STRICT, WITHOUT ROWID;
