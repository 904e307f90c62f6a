/*
The daily purge of the ledger as an elastic job, where no Kubernetes runs it. For the job database of an elastic job agent with a
user-assigned managed identity; that has to be a member of ops_purger in the database of the API (sql/91-user-managed-identity.sql).
Does nothing where its work is done.

sqlcmd variables
  Server    the server's name, without .database.windows.net
  Database  the API's database
*/
IF NOT EXISTS (SELECT 1 FROM jobs.target_groups AS g WHERE g.target_group_name = N'customer-api')
BEGIN
    EXECUTE jobs.sp_add_target_group @target_group_name = N'customer-api';
    EXECUTE jobs.sp_add_target_group_member @target_group_name = N'customer-api', @target_type = N'SqlDatabase',
        @server_name = N'$(Server).database.windows.net', @database_name = N'$(Database)';
END;

IF NOT EXISTS (SELECT 1 FROM jobs.jobs AS j WHERE j.job_name = N'customer-api purge')
BEGIN
    EXECUTE jobs.sp_add_job @job_name = N'customer-api purge', @description = N'Removes old rows from the ledger web.Requests.',
        @enabled = 1, @schedule_interval_type = N'Days', @schedule_interval_count = 1;
    EXECUTE jobs.sp_add_jobstep @job_name = N'customer-api purge', @command = N'EXECUTE ops.purge_requests;',
        @target_group_name = N'customer-api', @step_timeout_seconds = 3600;
END;
GO
