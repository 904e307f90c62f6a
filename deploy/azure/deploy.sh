#!/usr/bin/env bash
# The API on Azure: SpinKube on Azure Kubernetes Service, Data API Builder beside it, Azure SQL behind it. docs/azure.md tells what it makes,
# what that costs and how to undo it. Running it again is safe: what is there stays, the component and its manifests are brought up to date.
#
#   make build && deploy/azure/deploy.sh
#
# Switches
#   --dry-run   print every command that would run, as a script; needs no tool and no network
#   --destroy   delete the resource group and everything in it
#   --yes       do not ask
#
# Parameters, as --some-name VALUE or SOME_NAME=VALUE in the environment
#   --resource-group      made if it is not there                                                        (customer-api)
#   --location            an Azure region                                                                (westeurope)
#   --name-prefix         begins all names                                                               (customer-api)
#   --name-suffix         ends the names that must be unique in Azure           (a number made from subscription and group)
#   --network             firewall: the database lets in the cluster's public address; private: a private endpoint  (firewall)
#   --sql-admin-group-id  object id of the Entra group that administers the server; you are in it    (you alone administer it)
#   --sql-tier            a service objective like S0 or GP_Gen5_2; serverless (sleeps when nobody asks); free (Azure's free offer)  (S0)
#   --free-may-stop       true: with --sql-tier free, the API may be down from when the free amount is used up until the month ends  (false)
#   --database            the database's name                                                            (customers)
#   --node-count          nodes of the cluster                                                           (2)
#   --node-size           their virtual machine                                                          (Standard_D2s_v5)
#   --client-ip           the address from which this machine reaches Azure                              (asks api.ipify.org)
#   --skip-sql            true: leave out the scripts of sql/, where this machine may not reach the database       (false)
#   --image-tag           the component's tag in the registry                                            (version in spin.toml)
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=deploy/lib.sh
source "$top/deploy/lib.sh"

CERT_MANAGER_VERSION=1.20.0
RUNTIME_CLASS_MANAGER_VERSION=0.2.0
SPIN_OPERATOR_VERSION=0.6.1

nodes_subnet() {
  az network vnet subnet show --resource-group "$RESOURCE_GROUP" --vnet-name "$NAME_PREFIX" --name nodes --output none 2>/dev/null ||
    az network vnet subnet create --resource-group "$RESOURCE_GROUP" --vnet-name "$NAME_PREFIX" --name nodes \
      --address-prefixes 10.60.4.0/22 --output none
  subnet_id=$(az network vnet subnet show --resource-group "$RESOURCE_GROUP" --vnet-name "$NAME_PREFIX" --name nodes --query id \
    --output tsv)
}

cluster() {
  az aks show --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --output none 2>/dev/null ||
    az aks create --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --location "$LOCATION" --tier free \
      --node-count "$NODE_COUNT" --node-vm-size "$NODE_SIZE" --nodepool-labels spin=true --attach-acr "$registry" \
      --enable-oidc-issuer --enable-workload-identity --network-plugin azure --network-plugin-mode overlay \
      --network-dataplane cilium ${subnet_id:+--vnet-subnet-id "$subnet_id"} --no-ssh-key --output none
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
    az identity federated-credential create --resource-group "$RESOURCE_GROUP" --identity-name "$NAME_PREFIX-$account" --name "$account" \
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

# In a file of its own: your other clusters, and which of them is the current one, are left alone.
credentials() {
  export KUBECONFIG="$HOME/.kube/$NAME_PREFIX-$suffix"
  az aks get-credentials --resource-group "$RESOURCE_GROUP" --name "$NAME_PREFIX" --file "$KUBECONFIG" --overwrite-existing
}

spinkube() {
  helm upgrade --install cert-manager cert-manager --repo https://charts.jetstack.io --version "v$CERT_MANAGER_VERSION" \
    --namespace cert-manager --create-namespace --set crds.enabled=true --wait
  helm upgrade --install runtime-class-manager oci://ghcr.io/spinframework/charts/runtime-class-manager \
    --version "$RUNTIME_CLASS_MANAGER_VERSION" --namespace runtime-class-manager --create-namespace --wait
  kubectl apply --filename deploy/azure/shim.yaml
  kubectl apply --server-side \
    --filename "https://github.com/spinframework/spin-operator/releases/download/v$SPIN_OPERATOR_VERSION/spin-operator.crds.yaml"
  helm upgrade --install spin-operator oci://ghcr.io/spinframework/charts/spin-operator --version "$SPIN_OPERATOR_VERSION" \
    --namespace spin-operator --create-namespace --wait
  nodes=$(kubectl get nodes --selector spin=true --output name | grep -c .)
  kubectl wait shim/spin-v2 --for="jsonpath={.status.nodesReady}=$nodes" --timeout=10m
}

# Before the rest: the operator refuses a SpinApp whose executor it has not seen yet.
namespace() {
  kubectl apply --filename deploy/spinkube/base/namespace.yaml
  kubectl apply --namespace customer-api --filename deploy/spinkube/base/executor.yaml
}

# The image is deployed by its digest: what runs is what was pushed here, whatever the tag comes to mean.
push() {
  az acr login --name "$registry" --expose-token --query accessToken --output tsv | tr -d '\r\n' |
    spin registry login "$registry.azurecr.io" --username 00000000-0000-0000-0000-000000000000 --password-stdin
  spin registry push "$registry.azurecr.io/customer-api:$IMAGE_TAG"
  digest=$(az acr repository show --name "$registry" --image "customer-api:$IMAGE_TAG" --query digest --output tsv)
  image=$registry.azurecr.io/customer-api@$digest
}

# The key that clients of the API send. It goes from one program to the next through a pipe, and is not shown.
api_key() {
  kubectl get secret customer-api --namespace customer-api --output name >/dev/null 2>&1 ||
    openssl rand -hex 32 | tr -d '\n' |
    kubectl create secret generic customer-api --namespace customer-api --from-file=api_key=/dev/stdin
}

manifests() {
  mkdir -p .local/azure
  # Four, because the autoscaler makes no more of Data API Builder.
  sed -e "s|@image@|$image|" -e "s|@client_id@|$client_id|" -e "s|@purge_client_id@|$purge_client_id|" \
    -e "s|@sql_server@|$sql_server|" -e "s|@database@|$DATABASE|" -e "s|@pool@|$((WORKERS / 4))|" \
    deploy/azure/overlay.yaml >.local/azure/kustomization.yaml
  kubectl apply --kustomize .local/azure
  kubectl rollout status deployment/dab --namespace customer-api --timeout=10m
  kubectl wait deployment/customer-api --namespace customer-api --for=create --timeout=2m
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

remove_credentials() {
  rm -f "$HOME/.kube/$NAME_PREFIX-$suffix"
}

parameters="$shared NODE_COUNT NODE_SIZE IMAGE_TAG"
RESOURCE_GROUP=${RESOURCE_GROUP:-customer-api}
NETWORK=${NETWORK:-firewall}
NODE_COUNT=${NODE_COUNT:-2}
NODE_SIZE=${NODE_SIZE:-Standard_D2s_v5}
IMAGE_TAG=${IMAGE_TAG:-$(sed -n 's/^version = "\(.*\)"/\1/p' "$top/spin.toml")}
arguments "$parameters" "$@"
valid_shared
valid NODE_COUNT '[1-9][0-9]{0,2}' 'a number of nodes'
valid NODE_SIZE '[A-Za-z0-9_]+' 'a size: az vm list-skus --resource-type virtualMachines'
valid IMAGE_TAG '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}' 'the tag of an image'
[ "$action" != rotate ] || fail "there is no --rotate-key here; docs/azure.md tells how to replace the key"

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
begin "$parameters PUBLIC_SQL WORKERS CERT_MANAGER_VERSION RUNTIME_CLASS_MANAGER_VERSION SPIN_OPERATOR_VERSION" \
  "This makes what Azure charges for by the hour."
defines sql
defines open_sql
defines close_sql
defines key_header

step "Names" names
step "Resource group" resource_group
step "Registry" registry
if [ "$NETWORK" = private ]; then
  step "Virtual network" virtual_network
  step "Subnet of the nodes" nodes_subnet
fi
step "Cluster" cluster
step "Identities that sign in to the database" identities
step "Trust between cluster and identities" trust
database_steps
step "Credentials for the cluster" credentials
step "SpinKube" spinkube
step "Namespace and executor" namespace
step "Component" push
step "Key of the API" api_key
step "Manifests" manifests
step "Smoke test" smoke_test
"$dry_run" || say "Done. To look at it: export KUBECONFIG=$KUBECONFIG; kubectl get spinapps,pods --namespace customer-api"
