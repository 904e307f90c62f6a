#!/usr/bin/env bash
# The API on Akamai Functions, with Data API Builder on Azure Container Apps and Azure SQL behind it. See docs/akamai.md for the resources,
# their cost and how to undo it. You can safely run it again: existing resources stay, the container app and the component are brought up to date.
#
#   make build && deploy/akamai/deploy.sh
#
# Switches
#   --dry-run     print every command that would run, as a script; needs no tool and no network
#   --rotate-key  give the component a new key for Data API Builder; the one before stays valid until the next rotation
#   --destroy     delete the application at Akamai, and the resource group with everything in it
#   --yes         do not ask
#
# Parameters, as --some-name VALUE or SOME_NAME=VALUE in the environment
#   --application         the application's name at Akamai                                               (customer-api)
#   --resource-group      made if it is not there                                                        (customer-api-akamai)
#   --location            an Azure region                                                                (westeurope)
#   --name-prefix         begins all names                                                               (customer-api)
#   --name-suffix         ends the names that must be unique in Azure           (a number made from subscription and group)
#   --network             private: a private endpoint of the database; firewall: it lets in all of Azure's addresses  (private)
#   --sql-admin-group-id  object id of the Entra group that administers the server; you are in it    (only you administer it)
#   --sql-tier            a service objective like S0 or GP_Gen5_2, serverless (sleeps without requests), or free (Azure's free offer)  (S0)
#   --free-may-stop       true: with --sql-tier free, the API may be down from when the free amount is used up until the month ends  (false)
#   --database            the database's name                                                            (customers)
#   --client-ip           the address from which this machine reaches Azure                              (asks api.ipify.org)
#   --skip-sql            true: leave out the scripts of sql/, where this machine may not reach the database       (false)
#   --build               true: build the image of the purge from these sources, also where it is released         (false)
#   --images              the GitHub repository, as owner/name, whose released image is taken            (that of git's remote origin)
#
# Only from the environment
#   API_KEY               the key, or several with commas between them, that clients of the API send      (the present key, or a new one)
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=deploy/lib.sh
source "$top/deploy/lib.sh"

resource_providers() {
  az provider register --namespace Microsoft.App --wait
  az provider register --namespace Microsoft.OperationalInsights --wait
}

apps_subnet() {
  az network vnet subnet show --resource-group "$RESOURCE_GROUP" --vnet-name "$NAME_PREFIX" --name apps --output none 2>/dev/null ||
    az network vnet subnet create --resource-group "$RESOURCE_GROUP" --vnet-name "$NAME_PREFIX" --name apps \
      --address-prefixes 10.60.2.0/23 --delegations Microsoft.App/environments --output none
  subnet_id=$(az network vnet subnet show --resource-group "$RESOURCE_GROUP" --vnet-name "$NAME_PREFIX" --name apps --query id \
    --output tsv)
}

# 0.0.0.0 stands for all of Azure, other customers' machines included. They still have to sign in.
firewall_rule() {
  az sql server firewall-rule create --resource-group "$RESOURCE_GROUP" --server "$sql_server" --name azure \
    --start-ip-address 0.0.0.0 --end-ip-address 0.0.0.0 --output none
}

# shellcheck disable=SC2034 # container_app takes environment_id by its name.
environment() {
  az containerapp env show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --output none 2>/dev/null ||
    az containerapp env create --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --location "$LOCATION" \
      ${subnet_id:+--infrastructure-subnet-resource-id "$subnet_id"} --output none
  environment_id=$(az containerapp env show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --query id --output tsv)
}

secret() {
  az containerapp secret show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-dab" --secret-name "$1" --query value --output tsv
}

# The container app keeps the keys. They are created with the app, and read back from an existing one.
keys() {
  if az containerapp show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-dab" --output none 2>/dev/null; then
    dab_key_1=$(secret dab-key-1)
    dab_key_2=$(secret dab-key-2)
    api_key=${API_KEY:-$(secret api-key)}
  else
    dab_key_1=$(openssl rand -hex 32)
    dab_key_2=$(openssl rand -hex 32)
    api_key=${API_KEY:-$(openssl rand -hex 32)}
  fi
}

new_key() {
  dab_key_2=$dab_key_1
  dab_key_1=$(openssl rand -hex 32)
}

# The keys go through a pipe: they are in no file and on no command line. `create` also replaces an existing app.
# shellcheck disable=SC2034 # The loop takes variables by their names.
container_app() {
  dab_config=$(sed 's/^/          /' dab/dab-config.json)
  proxy_config=$(sed 's/^/          /' deploy/akamai/proxy.conf.template)
  revision=$(printf %s "$dab_key_1$dab_key_2$dab_config$proxy_config" | openssl dgst -sha256 -r | cut -c 1-12)
  yaml=$(<deploy/akamai/containerapp.yaml)
  # A tenth stays for the purge and for people. The number is six: three replicas, and as many of the next revision while both run.
  pool=$((WORKERS * 9 / 10 / 6))
  for name in identity_id environment_id dab_key_1 dab_key_2 api_key dab_config proxy_config revision sql_server client_id pool; do
    yaml=${yaml//"@$name@"/"${!name}"}
  done
  yaml=${yaml//@database@/"$DATABASE"}
  printf '%s\n' "$yaml" |
    az containerapp create --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-dab" --yaml /dev/stdin --output none
  host=$(az containerapp show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-dab" \
    --query properties.configuration.ingress.fqdn --output tsv)
}

# The new revision serves when the component's key passes. Without a key nothing passes.
container_app_test() {
  printf 'x-api-key: %s' "$dab_key_1" |
    curl --fail --silent --show-error --retry 40 --retry-delay 5 --retry-all-errors --max-time 30 --header @- "https://$host/api/ready"
  echo
  status=$(curl --silent --show-error --max-time 30 --output /dev/null --write-out '%{http_code}' "https://$host/api/ready")
  [ "$status" = 403 ] || { echo "error: without a key https://$host answers $status, not 403" >&2; exit 1; }
}

# A job removes old rows from the ledger once a day.
purge() {
  image_of purge
  az deployment group create --resource-group "$RESOURCE_GROUP" --name customer-api-purge --template-file deploy/azd/purge.bicep \
    --parameters name="$NAME_PREFIX-purge" environmentId="$environment_id" identityId="$purge_identity_id" clientId="$purge_client_id" \
    image="$found" sqlServer="$sql_server" database="$DATABASE" --output none
}

# All variables each time, because a deployment starts from the manifest's defaults.
component() {
  application_id=$(spin aka app status --app-name "$APPLICATION" --format json 2>/dev/null | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p') ||
    application_id=
  (
    umask 077
    folder=$(mktemp -d)
    trap 'rm -r "$folder"' EXIT
    printf '{"dab_url": "https://%s", "dab_api_key": "%s", "api_key": "%s", "options": "attempt_timeout_ms=11000"}\n' \
      "$host" "$dab_key_1" "$api_key" >"$folder/variables.json"
    if [ -n "$application_id" ]; then
      spin aka deploy --from spin.toml --no-confirm --variable "@$folder/variables.json" --app-id "$application_id"
    else
      spin aka deploy --from spin.toml --no-confirm --variable "@$folder/variables.json" --create-name "$APPLICATION"
    fi
  )
  urls=$(spin aka app status --app-name "$APPLICATION" --format json | sed -n 's/.*"\(https:[^"]*\)".*/\1/p')
  url=${urls%%$'\n'*}
}

smoke_test() {
  for path in /healthz /readyz '/customers?limit=1'; do
    printf 'x-api-key: %s' "${api_key%%,*}" |
      curl --fail --silent --show-error --retry 10 --retry-delay 3 --max-time 30 --header @- "$url$path"
    echo
  done
}

deployed() {
  az containerapp show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-dab" --output none
  spin aka app status --app-name "$APPLICATION" >/dev/null
}

delete_application() {
  if spin aka app status --app-name "$APPLICATION" >/dev/null 2>&1; then
    spin aka app delete --app-name "$APPLICATION" --no-confirm
  fi
}

parameters="APPLICATION $shared BUILD IMAGES"
APPLICATION=${APPLICATION:-customer-api}
RESOURCE_GROUP=${RESOURCE_GROUP:-customer-api-akamai}
NETWORK=${NETWORK:-private}
IMAGES=${IMAGES:-$(github_repository)}
IMAGE_TAG=$(sed -n 's/^version = "\(.*\)"/\1/p' "$top/spin.toml")
arguments "$parameters" "$@"
valid_shared
valid BUILD 'true|false' 'true or false'
valid IMAGES '([a-z0-9._-]+/[a-z0-9._-]+)?' 'owner/name of a repository on GitHub'
[[ ${API_KEY:-} =~ ^[A-Za-z0-9._~+/=,-]*$ ]] || fail "API_KEY must be letters, digits and . _ ~ + / = - with commas between keys"
valid APPLICATION '[A-Za-z][A-Za-z0-9_-]*' 'letters, digits, _ and -'

cd "$top"
"$dry_run" || needs az https://learn.microsoft.com/cli/azure/install-azure-cli spin https://spinframework.dev/install
"$dry_run" || spin aka info >/dev/null || fail "not signed in to Akamai Functions; run: spin plugins install aka, then spin aka login"
if [ "$action" = destroy ]; then
  begin "$parameters" "This deletes the API, its database and all data in it."
  step "Application at Akamai" delete_application
  step "Resource group, with everything in it" delete_resource_group
  exit
fi

"$dry_run" || needs_to_deploy spin https://spinframework.dev/install
begin "$parameters IMAGE_TAG PUBLIC_SQL WORKERS" "This makes what Azure charges for by the hour."
defines sql
defines open_sql
defines close_sql
defines secret
defines released
defines image_of

step "Names" names
if [ "$action" = rotate ]; then
  step "What was deployed before" deployed
else
  step "Resource group" resource_group
  step "Resource providers" resource_providers
  if [ "$NETWORK" = private ]; then
    step "Virtual network" virtual_network
    step "Subnet of the container apps" apps_subnet
  fi
fi
step "Identities that sign in to the database" identities
[ "$action" = rotate ] || database_steps
step "Container apps environment" environment
step "Keys" keys
[ "$action" = deploy ] || step "New key" new_key
step "Data API Builder" container_app
step "Its key" container_app_test
if [ "$action" = deploy ]; then
  step "Purge of the ledger" purge
  step "Its first run" purge_test
fi
step "Component" component
step "Smoke test" smoke_test
"$dry_run" || say "Done: $url. The key for its clients: az containerapp secret show --resource-group $RESOURCE_GROUP --name $NAME_PREFIX-dab" \
  "--secret-name api-key --query value --output tsv"
