/*
Ends what 00-begin.sql began.
*/
COMMIT TRANSACTION;
GO
