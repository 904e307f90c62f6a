# Sourced by azure/deploy.sh, akamai/deploy.sh and azd/app.sh: how a deployment is planned and run, and the steps that both have.
#
# A step is a function of plain commands. A run calls the function, and --dry-run prints its text, so that the plan shows the commands that run.
# Upper-case names are parameters. The steps find out the values of lower-case names.
#
# shellcheck shell=bash
# The scripts use the variables that this file sets.
# shellcheck disable=SC2034

script=$(cd "$(dirname "$0")" && pwd)/${0##*/}
action=deploy
dry_run=false
yes=false
doing=

# The parameters of both. RESOURCE_GROUP and NETWORK have a default in each.
shared="RESOURCE_GROUP LOCATION NAME_PREFIX NAME_SUFFIX NETWORK SQL_ADMIN_GROUP_ID SQL_TIER FREE_MAY_STOP DATABASE CLIENT_IP SKIP_SQL"
LOCATION=${LOCATION:-westeurope}
NAME_PREFIX=${NAME_PREFIX:-customer-api}
NAME_SUFFIX=${NAME_SUFFIX:-}
SQL_ADMIN_GROUP_ID=${SQL_ADMIN_GROUP_ID:-}
SQL_TIER=${SQL_TIER:-S0}
FREE_MAY_STOP=${FREE_MAY_STOP:-false}
DATABASE=${DATABASE:-customers}
CLIENT_IP=${CLIENT_IP:-}
SKIP_SQL=${SKIP_SQL:-false}

# Sources of images. A plan's head shows them only where a script deploys images.
BUILD=${BUILD:-false}
IMAGES=${IMAGES:-}

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

# The comment at the head of the script is its help.
usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$script"; }

# arguments NAMES ARGUMENT…: --some-name VALUE sets SOME_NAME, when it is one of NAMES; the rest are switches.
arguments() {
  local names=" $1 " name
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run) dry_run=true ;;
      --destroy) action=destroy ;;
      --rotate-key) action=rotate ;;
      --yes) yes=true ;;
      -h | --help) usage; exit ;;
      *)
        name=$(printf %s "${1#--}" | tr a-z- A-Z_)
        [[ $1 == --* && $names == *" $name "* ]] || fail "there is no $1; see $0 --help"
        [ $# -gt 1 ] || fail "$1 needs a value"
        printf -v "$name" %s "$2"
        shift
        ;;
    esac
    shift
  done
}

# valid NAME PATTERN RULE: names become parts of addresses, SQL and YAML, so that they must be plain.
valid() { [[ ${!1} =~ ^($2)$ ]] || fail "$1 must be $3, and is '${!1}'"; }

valid_shared() {
  valid RESOURCE_GROUP '[A-Za-z0-9_.-]{0,89}[A-Za-z0-9_-]' 'the name of a resource group'
  valid LOCATION '[a-z0-9]+' 'a region: az account list-locations --query "[].name"'
  valid NAME_PREFIX '[a-z][a-z0-9]*(-[a-z0-9]+)*' 'lower-case letters and digits, with single hyphens between them'
  [ ${#NAME_PREFIX} -le 20 ] || fail "NAME_PREFIX must be at most 20 characters long, and is '$NAME_PREFIX'"
  valid NAME_SUFFIX '[a-z0-9]{0,20}' 'at most 20 lower-case letters and digits'
  valid NETWORK 'firewall|private' 'firewall or private'
  valid SQL_ADMIN_GROUP_ID '([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?' \
    'an object id: az ad group show --group NAME --query id'
  valid SQL_TIER '[A-Za-z0-9_]+' 'a service objective, serverless or free'
  valid FREE_MAY_STOP 'true|false' 'true or false'
  # 100,000 vCore seconds at the half vCore that a database has at least while it is awake.
  [ "$SQL_TIER" != free ] || [ "$FREE_MAY_STOP" = true ] ||
    fail "the free amount of --sql-tier free lasts 2.3 days for an API in use, and then the database stops until the next month;" \
      "take it with --free-may-stop true"
  valid DATABASE '[A-Za-z0-9_-]{1,128}' 'letters, digits, _ and -'
  valid CLIENT_IP '([0-9]{1,3}(\.[0-9]{1,3}){3})?' 'an IPv4 address'
  valid SKIP_SQL 'true|false' 'true or false'
  case $NETWORK in firewall) PUBLIC_SQL=true ;; private) PUBLIC_SQL=false ;; esac
  # The most requests that the database executes at a time (docs/database.md). All connections together must not exceed this number.
  case $SQL_TIER in serverless) WORKERS=75 ;; free) WORKERS=150 ;; Basic) WORKERS=30 ;; S0) WORKERS=60 ;; S1) WORKERS=90 ;; S2) WORKERS=120 ;; *) WORKERS=200 ;; esac
}

# needs TOOL WHERE…: reports all missing tools at once.
needs() {
  local missing=
  while [ $# -gt 0 ]; do
    type -P "$1" >/dev/null || missing+=$'\n'"  $1: $2"
    shift 2
  done
  [ -z "$missing" ] || fail "not installed, or not on the PATH:$missing"
}

needs_for_sql() {
  needs sqlcmd https://github.com/microsoft/go-sqlcmd#installation curl "apt-get install curl" openssl "apt-get install openssl" "$@"
  sqlcmd --version >/dev/null 2>&1 ||
    fail "this sqlcmd is the older ODBC one, which has no part in az login; install https://github.com/microsoft/go-sqlcmd"
}

needs_to_deploy() {
  needs_for_sql "$@"
  [ -e target/wasm32-wasip2/release/customer_api.wasm ] || fail "the component is not built; run: make build"
}

# The repository on GitHub that this is a clone of, as owner/name.
github_repository() {
  local origin
  origin=$(git -C "$(dirname "${BASH_SOURCE[0]}")" remote get-url origin 2>/dev/null) || return 0
  printf %s "${origin%.git}" | sed -nE 's#^(https://github\.com/|(ssh://)?git@github\.com[:/])([^/]+/[^/]+)$#\3#p' | tr '[:upper:]' '[:lower:]'
}

# begin NAMES QUESTION: a plan starts with its parameters, a run with the tools and a question.
begin() {
  local name
  if "$dry_run"; then
    printf '%s\n' '#!/usr/bin/env bash' "# What ${script#"$top/"} would run, in the project's top folder. Nothing has been run." 'set -euo pipefail' ''
    for name in $1; do printf '%s=%q\n' "$name" "${!name}"; done
    return
  fi
  local subscription
  subscription=$(az account show --query name --output tsv) || fail "not signed in to Azure; run: az login"
  if ! "$yes"; then
    [ -t 0 ] || fail "nobody is there to be asked; add --yes"
    read -r -p "$2 Subscription '$subscription', resource group '$RESOURCE_GROUP'. Go on? [y/N] " answer
    [[ $answer == [yY]* ]] || fail "stopped; nothing was changed"
  fi
  trap 'ended $?' EXIT
}

ended() {
  [ "$1" = 0 ] && return
  say "error: '$doing' failed; the reason is above. What was done before is kept: run the same command again to go on from there."
}

# The text of a function, without its indentation.
body() { awk -v name="$1" '$0 == name "() {" { on = 1; next } $0 == "}" { on = 0 } on { sub(/^  /, ""); print }' "${BASH_SOURCE[0]}" "$script"; }

# step TITLE FUNCTION
step() {
  doing=$1
  if "$dry_run"; then
    printf '\n# %s\n' "$1"
    body "$2"
  else
    say "→ $1"
    "$2"
  fi
}

# defines FUNCTION: one that steps call.
defines() { if "$dry_run"; then printf '\n%s() {\n%s\n}\n' "$1" "$(body "$1" | sed 's/^./  &/')"; fi; }

# Steps for both.

resource_group() {
  az group show --name "$RESOURCE_GROUP" --output none 2>/dev/null ||
    az group create --name "$RESOURCE_GROUP" --location "$LOCATION" --tags made-by=customer-api --output none
}

# Only a group that the step above made: another group may hold resources that are not ours.
delete_resource_group() {
  made_by=$(az group show --name "$RESOURCE_GROUP" --query 'tags."made-by"' --output tsv)
  [ "$made_by" = customer-api ] || { echo "error: resource group $RESOURCE_GROUP is not tagged made-by=customer-api" >&2; exit 1; }
  az group delete --name "$RESOURCE_GROUP" --yes
}

# Registries and servers share one space of names with everyone else's. A number of this subscription and group makes them unique, and is the
# same each time.
names() {
  subscription=$(az account show --query id --output tsv)
  suffix=${NAME_SUFFIX:-$(printf %s "$subscription/$RESOURCE_GROUP" | cksum | cut -d ' ' -f 1)}
  registry=${NAME_PREFIX//-/}$suffix
  sql_server=$NAME_PREFIX-$suffix
}

# The network of the private endpoint.
virtual_network() {
  az network vnet show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --output none 2>/dev/null ||
    az network vnet create --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --location "$LOCATION" \
      --address-prefixes 10.60.0.0/16 --subnet-name endpoints --subnet-prefixes 10.60.0.0/24 --output none
}

# The identities of Data API Builder and of the job that purges the ledger. Their names are unique in the tenant, because a database cannot tell
# two of one name apart (33131,
# https://learn.microsoft.com/azure/azure-sql/database/authentication-microsoft-entra-create-users-with-nonunique-names).
identities() {
  for account in dab purge; do
    az identity show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-$account-$suffix" --output none 2>/dev/null ||
      az identity create --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-$account-$suffix" --location "$LOCATION" --output none
  done
  identity_id=$(az identity show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-dab-$suffix" --query id --output tsv)
  client_id=$(az identity show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-dab-$suffix" --query clientId --output tsv)
  purge_identity_id=$(az identity show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-purge-$suffix" --query id --output tsv)
  purge_client_id=$(az identity show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-purge-$suffix" --query clientId --output tsv)
}

# released NAME: an image of the release, by the digest that the registry has for this version. If you may see the repository's packages, you
# need not sign in (https://docs.github.com/packages/working-with-a-github-packages-registry/working-with-the-container-registry).
released() {
  token=$(curl --fail --silent --max-time 20 "https://ghcr.io/token?scope=repository:$IMAGES/$1:pull" | sed -n 's/.*"token" *: *"\([^"]*\)".*/\1/p')
  digest=$(printf 'authorization: Bearer %s' "$token" |
    curl --fail --silent --max-time 20 --head --header @- --header 'accept: application/vnd.oci.image.index.v1+json' \
      --header 'accept: application/vnd.oci.image.manifest.v1+json' --header 'accept: application/vnd.docker.distribution.manifest.v2+json' \
      "https://ghcr.io/v2/$IMAGES/$1/manifests/$IMAGE_TAG" | tr -d '\r' | sed -n 's/^docker-content-digest: *//p')
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] && echo "ghcr.io/$IMAGES/$1@$digest"
}

# image_of NAME: finds the released image, or builds it from the sources. Only a build makes a registry, which belongs to this deployment.
image_of() {
  if [ "$BUILD" = false ] && [ -n "$IMAGES" ] && found=$(released "$1"); then
    return
  fi
  reason="there is no public image ghcr.io/$IMAGES/$1:$IMAGE_TAG"
  [ -n "$IMAGES" ] || reason="this is no clone of a repository on GitHub, and IMAGES names none"
  [ "$BUILD" = false ] || reason="BUILD is true"
  echo "$1 is built from the sources: $reason." >&2
  dab_puller=$(az identity show --resource-group "$RESOURCE_GROUP" --name "${identity_id##*/}" --query principalId --output tsv)
  purge_puller=$(az identity show --resource-group "$RESOURCE_GROUP" --name "${purge_identity_id##*/}" --query principalId --output tsv)
  az deployment group create --resource-group "$RESOURCE_GROUP" --name customer-api-registry --template-file deploy/azd/registry.bicep \
    --parameters name="$registry" pullers="$dab_puller,$purge_puller" --output none
  if docker info >/dev/null 2>&1; then
    az acr login --name "$registry"
    docker build --platform linux/amd64 --file deploy/azd/Dockerfile --target "$1" --tag "$registry.azurecr.io/$1:$IMAGE_TAG" .
    docker push "$registry.azurecr.io/$1:$IMAGE_TAG"
  else
    # https://learn.microsoft.com/azure/container-registry/container-registry-tasks-overview
    echo "No Docker runs here, so Azure builds. Free and credit subscriptions may not (TasksOperationsNotAllowed): then start Docker, and run this again." >&2
    az acr build --registry "$registry" --image "$1:$IMAGE_TAG" --file deploy/azd/Dockerfile --target "$1" --platform linux/amd64 --no-logs .
  fi
  digest=$(az acr repository show --name "$registry" --image "$1:$IMAGE_TAG" --query digest --output tsv)
  found=$registry.azurecr.io/$1@$digest
}

administrator_is_group() {
  admin_type=Group
  admin_id=$SQL_ADMIN_GROUP_ID
  admin_name=$(az ad group show --group "$SQL_ADMIN_GROUP_ID" --query displayName --output tsv)
}

administrator_is_user() {
  admin_type=User
  admin_id=$(az ad signed-in-user show --query id --output tsv)
  admin_name=$(az ad signed-in-user show --query userPrincipalName --output tsv)
}

# No password exists: the server accepts only Microsoft Entra.
sql_server() {
  az sql server show --resource-group "$RESOURCE_GROUP" --name "$sql_server" --output none 2>/dev/null ||
    az sql server create --resource-group "$RESOURCE_GROUP" --name "$sql_server" --location "$LOCATION" \
      --enable-ad-only-auth --external-admin-principal-type "$admin_type" --external-admin-sid "$admin_id" \
      --external-admin-name "$admin_name" --minimal-tls-version 1.2 --enable-public-network "$PUBLIC_SQL" --output none
}

database_serverless() {
  az sql db show --resource-group "$RESOURCE_GROUP" --server "$sql_server" --name "$DATABASE" --output none 2>/dev/null ||
    az sql db create --resource-group "$RESOURCE_GROUP" --server "$sql_server" --name "$DATABASE" --edition GeneralPurpose \
      --compute-model Serverless --family Gen5 --capacity 1 --min-capacity 0.5 --auto-pause-delay 60 --yes --output none
}

# Free up to a monthly amount, and paused for the rest of the month when that is used up.
database_free() {
  az sql db show --resource-group "$RESOURCE_GROUP" --server "$sql_server" --name "$DATABASE" --output none 2>/dev/null ||
    az sql db create --resource-group "$RESOURCE_GROUP" --server "$sql_server" --name "$DATABASE" --edition GeneralPurpose \
      --compute-model Serverless --family Gen5 --capacity 2 --use-free-limit true --free-limit-exhaustion-behavior AutoPause \
      --yes --output none
}

database_provisioned() {
  az sql db show --resource-group "$RESOURCE_GROUP" --server "$sql_server" --name "$DATABASE" --output none 2>/dev/null ||
    az sql db create --resource-group "$RESOURCE_GROUP" --server "$sql_server" --name "$DATABASE" --service-objective "$SQL_TIER" \
      --yes --output none
}

# An address of the server inside the virtual network, and the name by which clients find the address there.
private_endpoint() {
  sql_server_id=$(az sql server show --resource-group "$RESOURCE_GROUP" --name "$sql_server" --query id --output tsv)
  zone=privatelink.database.windows.net
  az network private-endpoint show --resource-group "$RESOURCE_GROUP" --name "$sql_server" --output none 2>/dev/null ||
    az network private-endpoint create --resource-group "$RESOURCE_GROUP" --name "$sql_server" --location "$LOCATION" \
      --vnet-name "$NAME_PREFIX" --subnet endpoints --private-connection-resource-id "$sql_server_id" --group-id sqlServer \
      --connection-name "$sql_server" --output none
  az network private-dns zone show --resource-group "$RESOURCE_GROUP" --name "$zone" --output none 2>/dev/null ||
    az network private-dns zone create --resource-group "$RESOURCE_GROUP" --name "$zone" --output none
  az network private-dns link vnet show --resource-group "$RESOURCE_GROUP" --zone-name "$zone" --name "$NAME_PREFIX" --output none \
    2>/dev/null ||
    az network private-dns link vnet create --resource-group "$RESOURCE_GROUP" --zone-name "$zone" --name "$NAME_PREFIX" \
      --virtual-network "$NAME_PREFIX" --registration-enabled false --output none
  az network private-endpoint dns-zone-group show --resource-group "$RESOURCE_GROUP" --endpoint-name "$sql_server" --name default \
    --output none 2>/dev/null ||
    az network private-endpoint dns-zone-group create --resource-group "$RESOURCE_GROUP" --endpoint-name "$sql_server" --name default \
      --private-dns-zone "$zone" --zone-name sql --output none
}

# The job has to do its work now, and not be found broken when the ledger is large.
purge_test() {
  execution=$(az containerapp job start --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-purge" --query name --output tsv)
  for try in {1..40}; do
    purge_status=$(az containerapp job execution show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-purge" --job-execution-name "$execution" \
      --query properties.status --output tsv)
    [[ $purge_status =~ ^(Running|Processing|Unknown)$ ]] || break
    sleep 15
  done
  [ "$purge_status" = Succeeded ] || {
    echo "error: the purge of the ledger is $purge_status; az containerapp job logs show --resource-group $RESOURCE_GROUP --name $NAME_PREFIX-purge" \
      "--container purge --execution $execution" >&2
    exit 1
  }
}

sql() {
  sqlcmd -S "$sql_server.database.windows.net" -d "$DATABASE" -G -b -l 30 "$@"
}

# The update takes a while to take effect. Until then rules are refused with DenyPublicEndpointEnabled, 42101
# (https://learn.microsoft.com/azure/azure-sql/database/connectivity-settings).
open_sql() {
  [ "$PUBLIC_SQL" = true ] ||
    az sql server update --resource-group "$RESOURCE_GROUP" --name "$sql_server" --enable-public-network true --output none
  for try in {1..6}; do
    refusal=$(az sql server firewall-rule create --resource-group "$RESOURCE_GROUP" --server "$sql_server" --name deployer \
      --start-ip-address "$client_ip" --end-ip-address "$client_ip" --output none 2>&1) && return
    [[ $refusal == *DenyPublicEndpointEnabled* || $refusal == *42101* ]] && [ "$try" != 6 ] || break
    sleep 10
  done
  printf '%s\n' "$refusal" >&2
  return 1
}

# The rule first: with public access off Azure SQL changes no rule. Both are tried, and both failures are reported.
close_sql() {
  closed=true
  az sql server firewall-rule delete --resource-group "$RESOURCE_GROUP" --server "$sql_server" --name deployer || {
    echo "error: the firewall of $sql_server still lets in $client_ip: rule deployer could not be deleted" >&2
    closed=false
  }
  [ "$PUBLIC_SQL" = true ] ||
    az sql server update --resource-group "$RESOURCE_GROUP" --name "$sql_server" --enable-public-network false --output none || {
    echo "error: $sql_server is still open to public networks" >&2
    closed=false
  }
  "$closed"
}

# The scripts run from this machine, as the server's administrator. While they do, and no longer, the server is open to its address.
apply_sql() {
  client_ip=${CLIENT_IP:-$(curl --fail --silent --show-error --max-time 20 https://api.ipify.org)}
  (
    trap close_sql EXIT
    open_sql
    # A new rule takes some minutes to work, and a paused database one to wake.
    for attempt in {1..20}; do
      sql -Q 'SELECT 1;' >/dev/null && break
      [ "$attempt" != 20 ] || exit 1
      sleep 15
    done
    # One file, because 00 begins a transaction and 89 ends it, and sqlcmd stops at an error in the file that has it.
    mkdir -p .local
    # An owner of other tables deletes the samples.
    shopt -s nullglob
    cat sql/samples/*.sql sql/[0-8]*.sql sql/90-security.sql >.local/schema.sql
    sql -i .local/schema.sql
    sql -v IdentityName="$NAME_PREFIX-dab" -v ClientId="$client_id" -v RoleName=web_executor -i sql/91-user-managed-identity.sql
    sql -v IdentityName="$NAME_PREFIX-purge" -v ClientId="$purge_client_id" -v RoleName=ops_purger -i sql/91-user-managed-identity.sql
  )
}

database_steps() {
  if [ -n "$SQL_ADMIN_GROUP_ID" ]; then
    step "Administrator of the SQL server" administrator_is_group
  else
    step "Administrator of the SQL server" administrator_is_user
  fi
  step "SQL server" sql_server
  case $SQL_TIER in
    serverless | free) step "Database" "database_$SQL_TIER" ;;
    *) step "Database" database_provisioned ;;
  esac
  case $NETWORK in
    firewall) step "Way to the database" firewall_rule ;;
    private) step "Way to the database" private_endpoint ;;
  esac
  [ "$SKIP_SQL" = true ] || step "Schema, procedures and rights" apply_sql
}
