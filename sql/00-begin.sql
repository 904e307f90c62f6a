/*
Begins the transaction that 89-commit.sql ends: all scripts between them are applied, or none. So they run as one file, as
README.md says, and sqlcmd's -b ends it at the first error. A lock is waited for 30 seconds at most, because the API waits behind.
*/
SET ANSI_NULLS, QUOTED_IDENTIFIER, NOCOUNT, XACT_ABORT ON;
SET LOCK_TIMEOUT 30000;
BEGIN TRANSACTION;
GO
