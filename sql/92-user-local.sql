/*
SQL Server in a container (not Azure SQL Database, where logins live in master): a login with a password and its user, as a member
of a role.

sqlcmd variables
  LoginName      not one that contains ] or '
  LoginPassword  must satisfy the server's password policy; must not contain '
  RoleName       one of 90-security.sql: web_executor for Data API Builder, ops_purger for the purge

The ODBC sqlcmd (mssql-tools18) also takes them from the environment, which keeps the password off the command line; go-sqlcmd only
takes -v. A login that exists keeps its password; to change it: ALTER LOGIN ... WITH PASSWORD.
*/
IF SUSER_ID(N'$(LoginName)') IS NULL
    CREATE LOGIN [$(LoginName)] WITH PASSWORD = N'$(LoginPassword)';
GO

-- A user outlives its login, in a restored database for instance, and the new login has another SID.
IF DATABASE_PRINCIPAL_ID(N'$(LoginName)') IS NULL
    CREATE USER [$(LoginName)] FOR LOGIN [$(LoginName)];
ELSE IF EXISTS
    (SELECT 1 FROM sys.database_principals AS p WHERE p.name = N'$(LoginName)' AND p.sid <> SUSER_SID(N'$(LoginName)'))
BEGIN
    ALTER USER [$(LoginName)] WITH LOGIN = [$(LoginName)];
    PRINT N'The user $(LoginName) was of another login. It is of the one with its name now.';
END;
GO

ALTER ROLE [$(RoleName)] ADD MEMBER [$(LoginName)];
GO
