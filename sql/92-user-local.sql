/*
SQL Server in a container (not Azure SQL Database, where logins live in master): a login with a password and its user, as a member
of web_executor.

sqlcmd variables
  LoginName      not one that contains ] or '
  LoginPassword  must satisfy the server's password policy; must not contain '

The ODBC sqlcmd (mssql-tools18) also takes both from the environment, which keeps the password off the command line; go-sqlcmd only
takes -v. A login that exists keeps its password; to change it: ALTER LOGIN ... WITH PASSWORD.
*/
IF SUSER_ID(N'$(LoginName)') IS NULL
    CREATE LOGIN [$(LoginName)] WITH PASSWORD = N'$(LoginPassword)';
GO

IF DATABASE_PRINCIPAL_ID(N'$(LoginName)') IS NULL
    CREATE USER [$(LoginName)] FOR LOGIN [$(LoginName)];
GO

ALTER ROLE web_executor ADD MEMBER [$(LoginName)];
GO
