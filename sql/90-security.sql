/*
Roles. Members: 91-user-managed-identity.sql or 92-user-local.sql.

  web_executor  may execute what is in schema web. A procedure added to it is covered at once, so put nothing there that a client
                may not call
  ops_purger    may execute ops.purge_requests: the daily job

No right on a table is needed: web, ops and the schemas of the tables belong to dbo, and ownership chaining covers what procedures touch.
*/
IF DATABASE_PRINCIPAL_ID(N'web_executor') IS NULL
    CREATE ROLE web_executor;
IF DATABASE_PRINCIPAL_ID(N'ops_purger') IS NULL
    CREATE ROLE ops_purger;
GO

GRANT EXECUTE ON SCHEMA::web TO web_executor;
GRANT EXECUTE ON OBJECT::ops.purge_requests TO ops_purger;
GO
