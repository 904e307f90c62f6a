/*
Role web_executor: may execute what is in schema web, and nothing else. Membership: 91-user-managed-identity.sql or 92-user-local.sql.

No right on a table is needed: web, Sales and Sequences belong to dbo, and ownership chaining covers what the procedures touch.
A procedure added to schema web is covered at once, so put nothing there that a client may not call.
*/
IF DATABASE_PRINCIPAL_ID(N'web_executor') IS NULL
    CREATE ROLE web_executor;
GO

GRANT EXECUTE ON SCHEMA::web TO web_executor;
GO
