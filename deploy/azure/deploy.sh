#!/usr/bin/env bash
# The API on Azure: SpinKube on Azure Kubernetes Service, Data API Builder beside it, Azure SQL behind it. See docs/azure.md for the
# resources, their cost and how to undo it. You can safely run it again: existing resources stay, the component and its manifests are brought up
# to date.
#
#   make build && deploy/azure/deploy.sh
#
# Switches
#   --dry-run     print every command that would run, as a script; needs no tool and no network
#   --rotate-key  put a new key of the API before the present key, and try it; both are valid until the next rotation
#   --destroy     delete the resource group and everything in it
#   --yes         do not ask
#
# Parameters, as --some-name VALUE or SOME_NAME=VALUE in the environment
#   --resource-group      made if it is not there                                                        (customer-api)
#   --location            an Azure region                                                                (westeurope)
#   --name-prefix         begins all names                                                               (customer-api)
#   --name-suffix         ends the names that must be unique in Azure           (a number made from subscription and group)
#   --network             firewall: the database lets in the cluster's public address; private: a private endpoint  (firewall)
#   --sql-admin-group-id  object id of the Entra group that administers the server; you are in it    (only you administer it)
#   --sql-tier            a service objective like S0 or GP_Gen5_2, serverless (sleeps without requests), or free (Azure's free offer)  (S0)
#   --free-may-stop       true: with --sql-tier free, the API may be down from when the free amount is used up until the month ends  (false)
#   --database            the database's name                                                            (customers)
#   --node-count          nodes of the cluster, at least                                                 (2)
#   --node-max            and at most, as the cluster's autoscaler adds them                              (5)
#   --node-size           their virtual machine                                                          (Standard_D2s_v5)
#   --zones               their availability zones; empty where the region has none                      (1 2 3)
#   --cluster-tier        free, or standard: with Azure's promise of uptime                              (free)
#   --kubernetes-version  Azure keeps its patches current, on Sundays                                    (1.35)
#   --key-vault           true: the API's key is kept in Azure Key Vault                                 (false)
#   --public-host         the name by which the internet reaches the API; without one it does not        ()
#   --acme-email          where Let's Encrypt writes to about the certificate of --public-host           ()
#   --alert-email         where alerts are sent to; without it they are only in the portal              ()
#   --client-ip           the address from which this machine reaches Azure                              (asks api.ipify.org)
#   --skip-sql            true: leave out the scripts of sql/, where this machine may not reach the database       (false)
#   --image-tag           the component's tag in the registry                                            (version in spin.toml)
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=deploy/lib.sh
source "$top/deploy/lib.sh"

# shellcheck source=deploy/spinkube/cluster/versions.env
source "$top/deploy/spinkube/cluster/versions.env"

nodes_subnet() {
  az network vnet subnet show --resource-group "$RESOURCE_GROUP" --vnet-name "$NAME_PREFIX" --name nodes --output none 2>/dev/null ||
    az network vnet subnet create --resource-group "$RESOURCE_GROUP" --vnet-name "$NAME_PREFIX" --name nodes \
      --address-prefixes 10.60.4.0/22 --output none
  subnet_id=$(az network vnet subnet show --resource-group "$RESOURCE_GROUP" --vnet-name "$NAME_PREFIX" --name nodes --query id \
    --output tsv)
}

cluster() {
  az aks show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --output none 2>/dev/null ||
    az aks create --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --location "$LOCATION" --tier "$CLUSTER_TIER" \
      --kubernetes-version "$KUBERNETES_VERSION" --auto-upgrade-channel patch --node-os-upgrade-channel NodeImage \
      --node-count "$NODE_COUNT" --enable-cluster-autoscaler --min-count "$NODE_COUNT" --max-count "$NODE_MAX" \
      --node-vm-size "$NODE_SIZE" ${ZONES:+--zones $ZONES} --nodepool-labels spin=true \
      --attach-acr "$registry" --enable-oidc-issuer --enable-workload-identity --network-plugin azure --network-plugin-mode overlay \
      --network-dataplane cilium ${subnet_id:+--vnet-subnet-id "$subnet_id"} --no-ssh-key --output none
}

# For an existing cluster with other numbers, or with none (https://learn.microsoft.com/azure/aks/cluster-autoscaler).
room() {
  now=$(az aks show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" \
    --query 'agentPoolProfiles[0].[enableAutoScaling,minCount,maxCount]' --output tsv | tr '\n\t' '  ')
  case $now in
    "true $NODE_COUNT $NODE_MAX ") ;;
    true*)
      az aks update --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --update-cluster-autoscaler --min-count "$NODE_COUNT" \
        --max-count "$NODE_MAX" --output none
      ;;
    *)
      az aks update --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --enable-cluster-autoscaler --min-count "$NODE_COUNT" \
        --max-count "$NODE_MAX" --output none
      ;;
  esac
}

# The times at which Azure may bring new versions of Kubernetes and of the nodes.
maintenance() {
  for window in aksManagedAutoUpgradeSchedule aksManagedNodeOSUpgradeSchedule; do
    az aks maintenanceconfiguration show --resource-group "$RESOURCE_GROUP" --cluster-name "$NAME_PREFIX" --name "$window" --output none \
      2>/dev/null ||
      az aks maintenanceconfiguration add --resource-group "$RESOURCE_GROUP" --cluster-name "$NAME_PREFIX" --name "$window" \
        --schedule-type Weekly --day-of-week Sunday --interval-weeks 1 --start-time 02:00 --duration 4 --output none
  done
}

registry() {
  az acr show --resource-group "$RESOURCE_GROUP" --name "$registry" --output none 2>/dev/null ||
    az acr create --resource-group "$RESOURCE_GROUP" --name "$registry" --location "$LOCATION" --sku Basic --admin-enabled false \
      --output none
}

# Each identity trusts the tokens that this cluster gives to the service account of its name, and nobody else's.
trust() {
  issuer=$(az aks show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --query oidcIssuerProfile.issuerUrl --output tsv)
  for account in dab purge; do
    az identity federated-credential create --resource-group "$RESOURCE_GROUP" --identity-name "$NAME_PREFIX-$account-$suffix" --name "$account" \
      --issuer "$issuer" --subject "system:serviceaccount:customer-api:$account" --audiences api://AzureADTokenExchange --output none
  done
}

# All pods leave the cluster through one public address.
firewall_rule() {
  outbound=$(az aks show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" \
    --query 'networkProfile.loadBalancerProfile.effectiveOutboundIPs[0].id' --output tsv)
  cluster_ip=$(az network public-ip show --ids "$outbound" --query ipAddress --output tsv)
  az sql server firewall-rule create --resource-group "$RESOURCE_GROUP" --server "$sql_server" --name cluster \
    --start-ip-address "$cluster_ip" --end-ip-address "$cluster_ip" --output none
}

# The identity of the caller: the claim oid of the token, which a user, a service principal and a workflow all have
# (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
you() {
  case $(az account show --query user.type --output tsv) in user) your_type=User ;; *) your_type=ServicePrincipal ;; esac
  your_id=$(az account get-access-token --query accessToken --output tsv | cut -d . -f 2 | tr '_-' '/+' |
    awk '{ while (length($0) % 4) $0 = $0 "="; print }' | openssl base64 -d -A | sed 's/.*"oid":"\([^"]*\)".*/\1/')
}

# The API's own identity reads the vault, and you write it.
key_vault() {
  vault=kv-$suffix
  tenant_id=$(az account show --query tenantId --output tsv)
  az keyvault show --resource-group "$RESOURCE_GROUP" --name "$vault" --output none 2>/dev/null ||
    az keyvault recover --resource-group "$RESOURCE_GROUP" --name "$vault" --location "$LOCATION" --output none 2>/dev/null ||
    az keyvault create --resource-group "$RESOURCE_GROUP" --name "$vault" --location "$LOCATION" --enable-rbac-authorization true \
      --output none
  vault_id=$(az keyvault show --resource-group "$RESOURCE_GROUP" --name "$vault" --query id --output tsv)
  az identity show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-api-$suffix" --output none 2>/dev/null ||
    az identity create --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-api-$suffix" --location "$LOCATION" --output none
  api_client_id=$(az identity show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-api-$suffix" --query clientId --output tsv)
  api_principal_id=$(az identity show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX-api-$suffix" --query principalId --output tsv)
  az identity federated-credential create --resource-group "$RESOURCE_GROUP" --identity-name "$NAME_PREFIX-api-$suffix" --name customer-api \
    --issuer "$issuer" --subject system:serviceaccount:customer-api:customer-api --audiences api://AzureADTokenExchange --output none
  az role assignment create --role "Key Vault Secrets User" --scope "$vault_id" --assignee-object-id "$api_principal_id" \
    --assignee-principal-type ServicePrincipal --output none
  # By object id: looking up a name requires rights in the directory, and names change.
  az role assignment create --role "Key Vault Secrets Officer" --scope "$vault_id" --assignee-object-id "$your_id" \
    --assignee-principal-type "$your_type" --output none
  enabled=$(az aks show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" \
    --query addonProfiles.azureKeyvaultSecretsProvider.enabled --output tsv)
  # Without rotation, the cluster's secret keeps its first value.
  [ "$enabled" = true ] ||
    az aks enable-addons --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --addons azure-keyvault-secrets-provider \
      --enable-secret-rotation --output none
}

# The key that clients of the API send. A pipe takes it from one program to the next, and nothing shows it.
api_key_in_vault() {
  # A right takes some minutes to take effect.
  for attempt in {1..20}; do
    az keyvault secret list --vault-name "$vault" --output none && break
    [ "$attempt" != 20 ] || exit 1
    sleep 15
  done
  az keyvault secret show --vault-name "$vault" --name api-key --query id --output tsv >/dev/null 2>&1 ||
    openssl rand -hex 32 | tr -d '\n' |
    az keyvault secret set --vault-name "$vault" --name api-key --file /dev/stdin --encoding utf-8 --output none
}

# Before cert-manager, which looks for the Gateway API when it starts. Helm does not upgrade a chart's CRDs, so that they come first:
# https://gateway.envoyproxy.io/docs/install/install-yaml/#upgrading-from-the-previous-version
gateway() {
  helm template envoy-gateway-crds oci://docker.io/envoyproxy/gateway-crds-helm --version "v$ENVOY_GATEWAY_VERSION" \
    --set crds.gatewayAPI.enabled=true --set crds.envoyGateway.enabled=true |
    kubectl apply --server-side --force-conflicts --filename -
  helm upgrade --install envoy-gateway oci://docker.io/envoyproxy/gateway-helm --version "v$ENVOY_GATEWAY_VERSION" \
    --namespace envoy-gateway-system --create-namespace --set crds.enabled=false --wait
  kubectl apply --filename deploy/spinkube/components/gateway/class.yaml
}

# Container Insights, only for the API's namespace (https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-monitoring-enable), and
# alerts on the data that it collects.
monitoring() {
  az monitor log-analytics workspace show --resource-group "$RESOURCE_GROUP" --workspace-name "$NAME_PREFIX" --output none 2>/dev/null ||
    az monitor log-analytics workspace create --resource-group "$RESOURCE_GROUP" --workspace-name "$NAME_PREFIX" --location "$LOCATION" \
      --output none
  workspace_id=$(az monitor log-analytics workspace show --resource-group "$RESOURCE_GROUP" --workspace-name "$NAME_PREFIX" --query id \
    --output tsv)
  watched=$(az aks show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --query addonProfiles.omsagent.enabled --output tsv)
  [ "$watched" = true ] ||
    az aks enable-addons --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --addons monitoring \
      --workspace-resource-id "$workspace_id" --data-collection-settings deploy/azure/data-collection.json --output none
  az deployment group create --resource-group "$RESOURCE_GROUP" --name customer-api-monitoring --template-file deploy/azure/monitoring.bicep \
    --parameters location="$LOCATION" workspaceId="$workspace_id" email="$ALERT_EMAIL" host="$PUBLIC_HOST" --output none
}

# A separate file leaves your other clusters, and the choice of the current one, unchanged.
credentials() {
  export KUBECONFIG="$HOME/.kube/$NAME_PREFIX-$suffix"
  az aks get-credentials --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --file "$KUBECONFIG" --overwrite-existing
}

spinkube() {
  helm upgrade --install cert-manager cert-manager --repo https://charts.jetstack.io --version "v$CERT_MANAGER_VERSION" \
    --namespace cert-manager --create-namespace --set crds.enabled=true ${PUBLIC_HOST:+--set config.enableGatewayAPI=true} --wait
  kubectl apply --kustomize deploy/spinkube/cluster
  kubectl rollout status daemonset/spin-shim --namespace spin-shim --timeout=10m
  kubectl apply --server-side \
    --filename "https://github.com/spinframework/spin-operator/releases/download/v$SPIN_OPERATOR_VERSION/spin-operator.crds.yaml"
  helm upgrade --install spin-operator oci://ghcr.io/spinframework/charts/spin-operator --version "$SPIN_OPERATOR_VERSION" \
    --namespace spin-operator --create-namespace --wait
}

# Before the rest: the operator refuses a SpinApp whose executor it has not seen yet.
namespace() {
  kubectl apply --filename deploy/spinkube/base/namespace.yaml
  kubectl apply --namespace customer-api --filename deploy/spinkube/base/executor.yaml
}

# The image is deployed by its digest, so that the pushed image runs even if the tag changes later.
push() {
  az acr login --name "$registry" --expose-token --query accessToken --output tsv | tr -d '\r\n' |
    spin registry login "$registry.azurecr.io" --username 00000000-0000-0000-0000-000000000000 --password-stdin
  spin registry push "$registry.azurecr.io/customer-api:$IMAGE_TAG"
  digest=$(az acr repository show --name "$registry" --image "customer-api:$IMAGE_TAG" --query digest --output tsv)
  image=$registry.azurecr.io/customer-api@$digest
}

# The key that clients of the API send. A pipe takes it from one program to the next, and nothing shows it.
api_key() {
  kubectl get secret customer-api --namespace customer-api --output name >/dev/null 2>&1 ||
    openssl rand -hex 32 | tr -d '\n' |
    kubectl create secret generic customer-api --namespace customer-api --from-file=api_key=/dev/stdin
}

# The new key comes first, so that the test below uses it. The old key stays valid.
new_key() {
  {
    openssl rand -hex 32 | tr -d '\n'
    printf ,
    key_header | cut -d ' ' -f 2 | tr -d '\n'
  } | kubectl create secret generic customer-api --namespace customer-api --from-file=api_key=/dev/stdin --dry-run=client --output yaml |
    kubectl replace --filename -
}

# The add-on copies the key into the cluster's secret, every two minutes
# (https://learn.microsoft.com/azure/aks/csi-secrets-store-configuration-options).
new_key_in_vault() {
  vault=kv-$suffix
  before=$(secret_version)
  {
    openssl rand -hex 32 | tr -d '\n'
    printf ,
    key_header | cut -d ' ' -f 2 | tr -d '\n'
  } | az keyvault secret set --vault-name "$vault" --name api-key --file /dev/stdin --encoding utf-8 --output none
  for attempt in {1..40}; do
    [ "$(secret_version)" = "$before" ] || break
    [ "$attempt" != 40 ] || { echo "error: the cluster's secret has not changed within ten minutes" >&2; exit 1; }
    sleep 15
  done
}

secret_version() {
  kubectl get secret customer-api --namespace customer-api --output 'jsonpath={.metadata.resourceVersion}'
}

# The pods read the key when they start.
restart() {
  kubectl rollout restart deployment/customer-api --namespace customer-api
  kubectl rollout status deployment/customer-api --namespace customer-api --timeout=10m
}

manifests() {
  mkdir -p .local/azure
  # A tenth stays for the purge and for people. The number is five: the autoscaler makes four pods of Data API Builder, and a rollout one more.
  sed -e "s|@image@|$image|" -e "s|@client_id@|$client_id|" -e "s|@purge_client_id@|$purge_client_id|" \
    -e "s|@sql_server@|$sql_server|" -e "s|@database@|$DATABASE|" -e "s|@pool@|$((WORKERS * 9 / 10 / 5))|" \
    deploy/azure/overlay.yaml >.local/azure/kustomization.yaml
  if [ "$KEY_VAULT" = true ]; then
    mkdir -p .local/azure/key-vault
    sed -e "s|@api_client_id@|$api_client_id|" -e "s|@tenant_id@|$tenant_id|" -e "s|@vault@|$vault|" \
      deploy/azure/key-vault.yaml >.local/azure/key-vault/kustomization.yaml
    echo '  - key-vault' >>.local/azure/kustomization.yaml
  fi
  if [ -n "$PUBLIC_HOST" ]; then
    mkdir -p .local/azure/gateway
    sed -e "s|@host@|$PUBLIC_HOST|" -e "s|@email@|$ACME_EMAIL|" deploy/azure/gateway.yaml >.local/azure/gateway/kustomization.yaml
    echo '  - gateway' >>.local/azure/kustomization.yaml
  fi
  kubectl apply --kustomize .local/azure
  kubectl rollout status deployment/dab --namespace customer-api --timeout=10m
  kubectl wait deployment/customer-api --namespace customer-api --for=create --timeout=2m
  kubectl apply --server-side --field-manager=customer-api --kustomize deploy/spinkube/deployment
  kubectl wait deployment/customer-api --namespace customer-api \
    --for="jsonpath={.spec.template.spec.containers[0].image}=$image" --timeout=2m
  kubectl rollout status deployment/customer-api --namespace customer-api --timeout=10m
}

key_header() {
  printf 'x-api-key: '
  kubectl get secret customer-api --namespace customer-api --output 'go-template={{index .data "api_key" | base64decode}}' | cut -d , -f 1
}

smoke_test() {
  (
    kubectl port-forward --namespace customer-api service/customer-api 18080:80 >/dev/null &
    trap 'kill $! 2>/dev/null || true' EXIT
    for path in /healthz /readyz '/customers?limit=1'; do
      key_header | curl --fail --silent --show-error --retry 10 --retry-delay 3 --retry-connrefused --max-time 30 --header @- \
        "http://127.0.0.1:18080$path"
      echo
    done
  )
}

# The certificate follows once the name points to the gateway.
public_address() {
  kubectl wait gateway/customer-api --namespace customer-api --for=condition=Programmed --timeout=10m
  address=$(kubectl get gateway customer-api --namespace customer-api --output 'jsonpath={.status.addresses[0].value}')
  echo "Point the name $PUBLIC_HOST to $address (an A record). Some minutes later: https://$PUBLIC_HOST/healthz"
}

remove_credentials() {
  rm -f "$HOME/.kube/$NAME_PREFIX-$suffix"
}

parameters="$shared NODE_COUNT NODE_MAX NODE_SIZE ZONES CLUSTER_TIER KUBERNETES_VERSION KEY_VAULT PUBLIC_HOST ACME_EMAIL ALERT_EMAIL IMAGE_TAG"
RESOURCE_GROUP=${RESOURCE_GROUP:-customer-api}
NETWORK=${NETWORK:-firewall}
NODE_COUNT=${NODE_COUNT:-2}
NODE_MAX=${NODE_MAX:-5}
NODE_SIZE=${NODE_SIZE:-Standard_D2s_v5}
ZONES=${ZONES-1 2 3}
CLUSTER_TIER=${CLUSTER_TIER:-free}
KUBERNETES_VERSION=${KUBERNETES_VERSION:-1.35}
KEY_VAULT=${KEY_VAULT:-false}
PUBLIC_HOST=${PUBLIC_HOST:-}
ACME_EMAIL=${ACME_EMAIL:-}
ALERT_EMAIL=${ALERT_EMAIL:-}
IMAGE_TAG=${IMAGE_TAG:-$(sed -n 's/^version = "\(.*\)"/\1/p' "$top/spin.toml")}
arguments "$parameters" "$@"
valid_shared
valid NODE_COUNT '[1-9][0-9]{0,2}' 'a number of nodes'
valid NODE_MAX '[1-9][0-9]{0,2}' 'a number of nodes'
[ "$NODE_MAX" -ge "$NODE_COUNT" ] || fail "NODE_MAX is $NODE_MAX, and NODE_COUNT is $NODE_COUNT"
valid NODE_SIZE '[A-Za-z0-9_]+' 'a size: az vm list-skus --resource-type virtualMachines'
valid ZONES '([1-9]( [1-9])*)?' 'numbers with spaces between them'
valid CLUSTER_TIER 'free|standard|premium' 'free, standard or premium'
valid KUBERNETES_VERSION '1\.[0-9]{2}(\.[0-9]+)?' 'a version: az aks get-versions'
valid KEY_VAULT 'true|false' 'true or false'
valid PUBLIC_HOST '([a-z0-9-]+(\.[a-z0-9-]+)+)?' 'a host name, like api.example.com'
valid ACME_EMAIL '([A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)?' 'an e-mail address'
valid ALERT_EMAIL '([A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)?' 'an e-mail address'
[ -z "$PUBLIC_HOST" ] || [ -n "$ACME_EMAIL" ] || fail "--public-host needs --acme-email"
valid IMAGE_TAG '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}' 'the tag of an image'

cd "$top"
"$dry_run" || needs az https://learn.microsoft.com/cli/azure/install-azure-cli
if [ "$action" = destroy ]; then
  begin "$parameters" "This deletes the API, its database and all data in it."
  step "Names" names
  step "Resource group, with everything in it" delete_resource_group
  step "The cluster's credentials on this machine" remove_credentials
  exit
fi

"$dry_run" || needs_to_deploy spin https://spinframework.dev/install kubectl "az aks install-cli" helm https://helm.sh/docs/intro/install
begin "$parameters PUBLIC_SQL WORKERS CERT_MANAGER_VERSION ENVOY_GATEWAY_VERSION SPIN_OPERATOR_VERSION" \
  "This makes what Azure charges for by the hour."
if [ "$action" = deploy ]; then
  defines sql
  defines open_sql
  defines close_sql
else
  defines secret_version
fi
defines key_header

step "Names" names
if [ "$action" = rotate ]; then
  step "Credentials for the cluster" credentials
  if [ "$KEY_VAULT" = true ]; then
    step "New key, in the vault" new_key_in_vault
  else
    step "New key" new_key
  fi
  step "The pods take it" restart
  step "A request with it" smoke_test
  exit
fi
step "Resource group" resource_group
step "Registry" registry
if [ "$NETWORK" = private ]; then
  step "Virtual network" virtual_network
  step "Subnet of the nodes" nodes_subnet
fi
step "Cluster" cluster
step "Room for more pods" room
step "Maintenance window" maintenance
step "Identities that sign in to the database" identities
step "Trust between cluster and identities" trust
database_steps
if [ "$KEY_VAULT" = true ]; then
  step "You" you
  step "Key Vault" key_vault
fi
step "Monitoring" monitoring
step "Credentials for the cluster" credentials
[ -z "$PUBLIC_HOST" ] || step "Gateway" gateway
step "SpinKube" spinkube
step "Namespace and executor" namespace
step "Component" push
if [ "$KEY_VAULT" = true ]; then
  step "Key of the API" api_key_in_vault
else
  step "Key of the API" api_key
fi
step "Manifests" manifests
step "Smoke test" smoke_test
[ -z "$PUBLIC_HOST" ] || step "Address" public_address
"$dry_run" || say "Done. To look at it: export KUBECONFIG=$KUBECONFIG; kubectl get spinapps,pods --namespace customer-api"
