#!/usr/bin/env bash
# The steps of `azd up` after it has made the resources: the scripts of sql/, the images, the container app, the purge, monitoring. You can safely run
# it again.
#
# Switches
#   --check     only look whether the tools are there and az is where azd is, before azd makes anything
#   --dry-run   print every command that would run, as a script; needs no tool and no network
#   --yes       do not ask
#
# From azd's environment: AZURE_SUBSCRIPTION_ID, and AZURE_RESOURCE_GROUP, AZURE_LOCATION, NETWORK, SQL_TIER, SQL_SERVER, DATABASE, ENVIRONMENT_ID,
# WORKSPACE_ID, IDENTITY_ID, CLIENT_ID, PURGE_IDENTITY_ID, PURGE_CLIENT_ID, REGISTRY (outputs of main.bicep). You may set these with `azd env set`:
#   CLIENT_IP    the address from which this machine reaches Azure                                        (asks api.ipify.org)
#   SKIP_SQL     true: leave out the scripts of sql/, where this machine may not reach the database       (false)
#   API_KEY      the key, or several with commas between them, that clients of the API send               (the present key, or a new one)
#   ALLOWED_IPS  IPv4 addresses or ranges with commas between them; the API refuses all others            (none: it refuses nobody)
#   ALERT_EMAIL  who gets the alerts                                                                      (nobody)
#   BUILD        true: build the images from these sources, also where they are released                  (false)
#   IMAGES       the GitHub repository, as owner/name, whose released images are taken                    (that of git's remote origin)
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=deploy/lib.sh
source "$top/deploy/lib.sh"

# The subscription of azd, which az's default may differ from.
az() {
  command az "$@" --subscription "$SUBSCRIPTION"
}

made() {
  sql_server=$SQL_SERVER
  identity_id=$IDENTITY_ID
  client_id=$CLIENT_ID
  purge_identity_id=$PURGE_IDENTITY_ID
  purge_client_id=$PURGE_CLIENT_ID
  registry=$REGISTRY
}

images() {
  image_of container-app
  image=$found
  image_of purge
  purge_image=$found
}

# The container app keeps the key. The key is created with the app, and read back from an existing one.
api_key() {
  if az containerapp show --resource-group "$RESOURCE_GROUP" --name customer-api --output none 2>/dev/null; then
    api_key=${API_KEY:-$(az containerapp secret show --resource-group "$RESOURCE_GROUP" --name customer-api --secret-name api-key \
      --query value --output tsv)}
  else
    api_key=${API_KEY:-$(openssl rand -hex 32)}
  fi
}

# The key goes through a pipe: it is in no file and on no command line. A tenth of the connections stays for the purge and for people. The number
# is six: the replicas of app.bicep, and as many of the next revision while both run.
container_app() {
  printf '{"apiKey":{"value":"%s"}}' "$api_key" |
    az deployment group create --resource-group "$RESOURCE_GROUP" --name customer-api-app --template-file deploy/azd/app.bicep \
      --parameters environmentId="$ENVIRONMENT_ID" identityId="$IDENTITY_ID" clientId="$CLIENT_ID" purgeIdentityId="$PURGE_IDENTITY_ID" \
      purgeClientId="$PURGE_CLIENT_ID" image="$image" purgeImage="$purge_image" sqlServer="$SQL_SERVER" \
      database="$DATABASE" pool="$((WORKERS * 9 / 10 / 6))" allowedAddresses="$ALLOWED_IPS" --parameters @/dev/stdin --output none
  url=$(az deployment group show --resource-group "$RESOURCE_GROUP" --name customer-api-app --query properties.outputs.url.value \
    --output tsv)
}

# Until the new revision has taken over, the old one answers, and does not know a new key.
smoke_test() {
  for path in /healthz /readyz '/customers?limit=1'; do
    printf 'x-api-key: %s' "${api_key%%,*}" |
      curl --fail --silent --show-error --retry 40 --retry-delay 5 --retry-all-errors --max-time 30 --header @- "$url$path"
    echo
  done
}

# Where addresses are restricted, a test from outside cannot get in.
monitoring() {
  reachable=true
  [ -z "$ALLOWED_IPS" ] || reachable=false
  az deployment group create --resource-group "$RESOURCE_GROUP" --name customer-api-monitoring --template-file deploy/azd/monitoring.bicep \
    --parameters workspaceId="$WORKSPACE_ID" url="$url" alertEmail="$ALERT_EMAIL" reachable="$reachable" --output none
}

check_sign_in() {
  local tenant current
  tenant=$(command az account show --subscription "$SUBSCRIPTION" --query tenantId --output tsv 2>/dev/null) ||
    fail "az does not see the subscription $SUBSCRIPTION that azd uses; run: az login${AZURE_TENANT_ID:+ --tenant $AZURE_TENANT_ID}"
  # sqlcmd signs in by az's default.
  current=$(command az account show --query tenantId --output tsv)
  [ "$current" = "$tenant" ] ||
    fail "az is in the tenant $current, and azd in $tenant; run: az login --tenant $tenant && az account set --subscription $SUBSCRIPTION"
}

parameters="SUBSCRIPTION RESOURCE_GROUP LOCATION NETWORK SQL_TIER SQL_SERVER DATABASE ENVIRONMENT_ID WORKSPACE_ID IDENTITY_ID CLIENT_ID PURGE_IDENTITY_ID"
parameters+=" PURGE_CLIENT_ID REGISTRY NAME_PREFIX CLIENT_IP SKIP_SQL ALLOWED_IPS ALERT_EMAIL BUILD IMAGES IMAGE_TAG"
SUBSCRIPTION=${AZURE_SUBSCRIPTION_ID:-}
RESOURCE_GROUP=${AZURE_RESOURCE_GROUP:-}
LOCATION=${AZURE_LOCATION:-westeurope}
NETWORK=${NETWORK:-private}
SQL_SERVER=${SQL_SERVER:-}
ENVIRONMENT_ID=${ENVIRONMENT_ID:-}
WORKSPACE_ID=${WORKSPACE_ID:-}
IDENTITY_ID=${IDENTITY_ID:-}
CLIENT_ID=${CLIENT_ID:-}
PURGE_IDENTITY_ID=${PURGE_IDENTITY_ID:-}
PURGE_CLIENT_ID=${PURGE_CLIENT_ID:-}
REGISTRY=${REGISTRY:-}
ALLOWED_IPS=${ALLOWED_IPS:-}
ALERT_EMAIL=${ALERT_EMAIL:-}
IMAGE_TAG=$(sed -n 's/^version = "\(.*\)"/\1/p' "$top/spin.toml")
IMAGES=${IMAGES:-$(github_repository)}
check=false
if [ "${1:-}" = --check ]; then
  check=true
  shift
fi
arguments "" "$@"
"$dry_run" && RESOURCE_GROUP=${RESOURCE_GROUP:-rg-customer-api}
[ "$action" = deploy ] || fail "there is no --destroy and no --rotate-key here: azd down deletes all, API_KEY sets the key"
NAME_PREFIX=customer-api
"$check" && RESOURCE_GROUP=${RESOURCE_GROUP:-rg-customer-api}
"$dry_run" || "$check" ||
  for name in SUBSCRIPTION RESOURCE_GROUP SQL_SERVER ENVIRONMENT_ID WORKSPACE_ID IDENTITY_ID CLIENT_ID PURGE_IDENTITY_ID PURGE_CLIENT_ID REGISTRY; do
    [ -n "${!name}" ] || fail "$name is not set, as azd sets it after it has made the resources; run: azd up"
  done
valid_shared
valid ALLOWED_IPS '([0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?(,[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?)*)?' \
  'IPv4 addresses or ranges like 203.0.113.0/24, with commas between them'
valid ALERT_EMAIL '([A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)?' 'an e-mail address'
valid BUILD 'true|false' 'true or false'
valid IMAGES '([a-z0-9._-]+/[a-z0-9._-]+)?' 'owner/name of a repository on GitHub'
[[ ${API_KEY:-} =~ ^[A-Za-z0-9._~+/=,-]*$ ]] || fail "API_KEY must be letters, digits and . _ ~ + / = - with commas between keys"

cd "$top"
"$dry_run" || needs az https://learn.microsoft.com/cli/azure/install-azure-cli
"$dry_run" || needs_for_sql
"$dry_run" || check_sign_in
if "$check"; then exit; fi
begin "$parameters PUBLIC_SQL WORKERS" "This makes what Azure charges for by the hour."
defines az
defines sql
defines open_sql
defines close_sql
defines released
defines image_of
step "What azd has made" made
[ "$SKIP_SQL" = true ] || step "Schema, procedures and rights" apply_sql
step "Images" images
step "Key of the API" api_key
step "Container app" container_app
step "Smoke test" smoke_test
step "Purge of the ledger" purge_test
step "Monitoring" monitoring
"$dry_run" || [ -n "$ALERT_EMAIL" ] || say "Nobody gets the alerts. To change that: azd env set ALERT_EMAIL you@example.com; azd up"
"$dry_run" || say "Done: $url. The key for its clients: az containerapp secret show --subscription $SUBSCRIPTION --resource-group $RESOURCE_GROUP" \
  "--name customer-api --secret-name api-key --query value --output tsv"
