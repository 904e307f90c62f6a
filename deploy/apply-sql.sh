#!/bin/bash
# Applies sql/ to a SQL Server, in order, with the login of 92-user-local.sql; makes the database when it is not there. Safe to repeat.
#
# From the environment: SQLCMDSERVER, SQLCMDUSER, SQLCMDPASSWORD (sqlcmd's own), DATABASE, LoginName, LoginPassword.
# SQL: the folder of the scripts (/sql).
set -euo pipefail
: "${SQLCMDSERVER:?}" "${SQLCMDUSER:?}" "${SQLCMDPASSWORD:?}" "${DATABASE:?}" "${LoginName:?}" "${LoginPassword:?}"
scripts=${SQL:-/sql}
PATH=$PATH:/opt/mssql-tools18/bin

# -C trusts the server's certificate, -b stops at the first error, -I is QUOTED_IDENTIFIER ON.
run() { sqlcmd -C -b -I "$@"; }

run -Q "IF DB_ID(N'$DATABASE') IS NULL CREATE DATABASE [$DATABASE];"
# As in Azure SQL: reads do not wait for writes. Only where it is off, because the change ends other connections.
run -Q "IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'$DATABASE' AND is_read_committed_snapshot_on = 0)
  ALTER DATABASE [$DATABASE] SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE;"
for script in "$scripts"/[0-8]*.sql "$scripts"/90-security.sql "$scripts"/92-user-local.sql; do
  echo "$script"
  run -d "$DATABASE" -i "$script"
done
