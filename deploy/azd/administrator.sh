#!/usr/bin/env bash
# Tells azd who is to administer the database: the Entra group in SQL_ADMIN_GROUP_ID (azd env set), or who is signed in to az.
set -euo pipefail
if [ -n "${SQL_ADMIN_GROUP_ID:-}" ]; then
  azd env set SQL_ADMIN_TYPE Group
  azd env set SQL_ADMIN_ID "$SQL_ADMIN_GROUP_ID"
  azd env set SQL_ADMIN_NAME "$(az ad group show --group "$SQL_ADMIN_GROUP_ID" --query displayName --output tsv)"
else
  azd env set SQL_ADMIN_TYPE User
  azd env set SQL_ADMIN_ID "$(az ad signed-in-user show --query id --output tsv)"
  azd env set SQL_ADMIN_NAME "$(az ad signed-in-user show --query userPrincipalName --output tsv)"
fi
