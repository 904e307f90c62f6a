#!/usr/bin/env bash
# What `azd up` does after it has made the resources: the scripts of sql/, the image, the container app. Running it again is safe.
#
# Switches
#   --dry-run   print every command that would run, as a script; needs no tool and no network
#   --yes       do not ask
#
# From the environment, where azd puts them: AZURE_RESOURCE_GROUP, AZURE_LOCATION, NETWORK, SQL_TIER, SQL_SERVER, DATABASE, REGISTRY, ENVIRONMENT_ID,
# IDENTITY_ID, CLIENT_ID, PURGE_CLIENT_ID (outputs of main.bicep), and, where they are set with `azd env set`:
#   CLIENT_IP   the address from which this machine reaches Azure                                        (asks api.ipify.org)
#   SKIP_SQL    true: leave out the scripts of sql/, where this machine may not reach the database       (false)
#   API_KEY     the key, or several with commas between them, that clients of the API send               (the one that is there, or a new one)
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=deploy/lib.sh
source "$top/deploy/lib.sh"

made() {
  sql_server=$SQL_SERVER
  client_id=$CLIENT_ID
  purge_client_id=$PURGE_CLIENT_ID
}

# Azure builds it, so that nothing but az is needed here.
image() {
  az acr build --registry "$REGISTRY" --image "customer-api:$IMAGE_TAG" --file deploy/azd/Dockerfile --platform linux/amd64 --no-logs .
  digest=$(az acr repository show --name "$REGISTRY" --image "customer-api:$IMAGE_TAG" --query digest --output tsv)
}

# The container app keeps it. It is made with it, and read back from it when there is one.
api_key() {
  if az containerapp show --resource-group "$RESOURCE_GROUP" --name customer-api --output none 2>/dev/null; then
    api_key=${API_KEY:-$(az containerapp secret show --resource-group "$RESOURCE_GROUP" --name customer-api --secret-name api-key \
      --query value --output tsv)}
  else
    api_key=${API_KEY:-$(openssl rand -hex 32)}
  fi
}

# The key goes through a pipe: it is in no file and on no command line. Three, because of maxReplicas in app.bicep.
container_app() {
  printf '{"apiKey":{"value":"%s"}}' "$api_key" |
    az deployment group create --resource-group "$RESOURCE_GROUP" --name customer-api-app --template-file deploy/azd/app.bicep \
      --parameters environmentId="$ENVIRONMENT_ID" identityId="$IDENTITY_ID" clientId="$CLIENT_ID" registry="$REGISTRY" \
      image="$REGISTRY.azurecr.io/customer-api@$digest" sqlServer="$SQL_SERVER" database="$DATABASE" pool="$((WORKERS / 3))" \
      --parameters @/dev/stdin --output none
  url=$(az deployment group show --resource-group "$RESOURCE_GROUP" --name customer-api-app --query properties.outputs.url.value \
    --output tsv)
}

smoke_test() {
  for path in /healthz /readyz '/customers?limit=1'; do
    printf 'x-api-key: %s' "${api_key%%,*}" |
      curl --fail --silent --show-error --retry 10 --retry-delay 3 --retry-all-errors --max-time 30 --header @- "$url$path"
    echo
  done
}

parameters="RESOURCE_GROUP LOCATION NETWORK SQL_TIER SQL_SERVER DATABASE REGISTRY ENVIRONMENT_ID IDENTITY_ID CLIENT_ID PURGE_CLIENT_ID NAME_PREFIX CLIENT_IP SKIP_SQL IMAGE_TAG"
RESOURCE_GROUP=${AZURE_RESOURCE_GROUP:-}
LOCATION=${AZURE_LOCATION:-westeurope}
NETWORK=${NETWORK:-private}
SQL_SERVER=${SQL_SERVER:-}
REGISTRY=${REGISTRY:-}
ENVIRONMENT_ID=${ENVIRONMENT_ID:-}
IDENTITY_ID=${IDENTITY_ID:-}
CLIENT_ID=${CLIENT_ID:-}
PURGE_CLIENT_ID=${PURGE_CLIENT_ID:-}
IMAGE_TAG=$(sed -n 's/^version = "\(.*\)"/\1/p' "$top/spin.toml")
arguments "" "$@"
"$dry_run" || for name in RESOURCE_GROUP SQL_SERVER REGISTRY ENVIRONMENT_ID IDENTITY_ID CLIENT_ID PURGE_CLIENT_ID; do
  [ -n "${!name}" ] || fail "$name is not set, as azd sets it after it has made the resources; run: azd up"
done
"$dry_run" && RESOURCE_GROUP=${RESOURCE_GROUP:-rg-customer-api}
[ "$action" = deploy ] || fail "there is no --destroy and no --rotate-key here: azd down deletes all, API_KEY sets the key"
NAME_PREFIX=customer-api
valid_shared
[[ ${API_KEY:-} =~ ^[A-Za-z0-9._~+/=,-]*$ ]] || fail "API_KEY must be letters, digits and . _ ~ + / = - with commas between keys"

cd "$top"
"$dry_run" || needs az https://learn.microsoft.com/cli/azure/install-azure-cli
"$dry_run" || needs_for_sql
begin "$parameters PUBLIC_SQL WORKERS" "This makes what Azure charges for by the hour."
defines sql
defines open_sql
defines close_sql
step "What azd has made" made
[ "$SKIP_SQL" = true ] || step "Schema, procedures and rights" apply_sql
step "Image" image
step "Key of the API" api_key
step "Container app" container_app
step "Smoke test" smoke_test
"$dry_run" || say "Done: $url. The key for its clients: az containerapp secret show --resource-group $RESOURCE_GROUP --name customer-api" \
  "--secret-name api-key --query value --output tsv"
