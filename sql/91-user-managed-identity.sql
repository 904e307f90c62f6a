/*
Azure SQL: a user for a managed identity (or app registration), as a member of a role. No password anywhere.

sqlcmd variables
  IdentityName  what to call the user here: the identity's name; not one that contains ] or '
  ClientId      its client (application) id, a GUID
  RoleName      one of 90-security.sql: web_executor for Data API Builder, ops_purger for the purge

Run it as the server's Entra administrator. The user is made by client id, as Microsoft's own Aspire does it
(https://github.com/microsoft/aspire, src/Aspire.Hosting.Azure.Sql). So nothing is looked up in Microsoft Entra ID: the server needs no
right to read the directory, and another identity may have the same display name.
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

-- TYPE = E is an external user. SID takes a literal only.
IF DATABASE_PRINCIPAL_ID(N'$(IdentityName)') IS NULL
BEGIN
    DECLARE @Sid NVARCHAR(34) = CONVERT(NVARCHAR(34), CONVERT(BINARY(16), CONVERT(UNIQUEIDENTIFIER, N'$(ClientId)')), 1);
    EXECUTE (N'CREATE USER [$(IdentityName)] WITH SID = ' + @Sid + N', TYPE = E;');
END;
GO

ALTER ROLE [$(RoleName)] ADD MEMBER [$(IdentityName)];
GO
