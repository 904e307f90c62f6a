#!/bin/bash
# Applies sql/ to a SQL Server, with the users of Data API Builder and of the purge; makes the database when it is not there. Safe to repeat.
#
# From the environment: SQLCMDSERVER, SQLCMDUSER, SQLCMDPASSWORD (sqlcmd's own), DATABASE, DAB_LOGIN, DAB_PASSWORD, PURGE_PASSWORD.
# SQL: the folder of the scripts (/sql).
set -euo pipefail
: "${SQLCMDSERVER:?}" "${SQLCMDUSER:?}" "${SQLCMDPASSWORD:?}" "${DATABASE:?}" "${DAB_LOGIN:?}" "${DAB_PASSWORD:?}" "${PURGE_PASSWORD:?}"
cd "${SQL:-/sql}"
PATH=$PATH:/opt/mssql-tools18/bin

# -C trusts the server's certificate, -b stops at the first error, -I is QUOTED_IDENTIFIER ON.
run() { sqlcmd -C -b -I "$@"; }
user() { LoginName=$1 LoginPassword=$2 RoleName=$3 run -d "$DATABASE" -i 92-user-local.sql; }

run -Q "IF DB_ID(N'$DATABASE') IS NULL CREATE DATABASE [$DATABASE];"
# Reads do not wait for writes, as in Azure SQL. The option is set only where it is off, because the change ends other connections.
run -Q "IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'$DATABASE' AND is_read_committed_snapshot_on = 0)
  ALTER DATABASE [$DATABASE] SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE;"
# One file, because 00 begins a transaction and 89 ends it. sqlcmd stops at an error only in the file that has the error.
file=$(mktemp)
shopt -s nullglob
cat samples/*.sql [0-8]*.sql 90-security.sql >"$file"
run -d "$DATABASE" -i "$file"
user "$DAB_LOGIN" "$DAB_PASSWORD" web_executor
user purge "$PURGE_PASSWORD" ops_purger
