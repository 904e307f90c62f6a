/*
Azure SQL: a user for the managed identity (or app registration) under which Data API Builder runs, as a member of web_executor.
No password anywhere: the connection string of the sidecar says Authentication=Active Directory Default (or Managed Identity).

sqlcmd variable
  IdentityName  display name of the identity in Microsoft Entra ID; not one that contains ] or '

Run it as the server's Entra administrator: other logins cannot look the name up. When two identities share the name, create the
user by hand with FROM EXTERNAL PROVIDER WITH OBJECT_ID = '<object id>'.
*/
IF DATABASE_PRINCIPAL_ID(N'$(IdentityName)') IS NULL
    CREATE USER [$(IdentityName)] FROM EXTERNAL PROVIDER;
GO

ALTER ROLE web_executor ADD MEMBER [$(IdentityName)];
GO
