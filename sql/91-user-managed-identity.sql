/*
Azure SQL: a user for a managed identity (or app registration), as a member of a role. No password anywhere.

sqlcmd variables
  IdentityName  its display name in Microsoft Entra ID; not one that contains ] or '
  ClientId      its client (application) id, a GUID
  RoleName      one of 90-security.sql: web_executor for Data API Builder, ops_purger for the purge

Run it as the server's Entra administrator: other logins cannot look the name up. When two identities share the name, create the
user by hand with FROM EXTERNAL PROVIDER WITH OBJECT_ID = '<object id>'.
*/
-- The SID of such a user is the client id. An identity that was deleted and made again under its name has another one.
IF EXISTS
(
    SELECT 1
    FROM sys.database_principals AS p
    WHERE p.name = N'$(IdentityName)' AND CONVERT(BINARY(16), p.sid) <> CONVERT(BINARY(16), CONVERT(UNIQUEIDENTIFIER, N'$(ClientId)'))
)
BEGIN
    DROP USER [$(IdentityName)];
    PRINT N'The user $(IdentityName) was another identity''s. It is made again, without roles that it had besides $(RoleName).';
END;
GO

IF DATABASE_PRINCIPAL_ID(N'$(IdentityName)') IS NULL
    CREATE USER [$(IdentityName)] FROM EXTERNAL PROVIDER;
GO

ALTER ROLE [$(RoleName)] ADD MEMBER [$(IdentityName)];
GO
