// The resources of `azd provision`: all except the container app, which follows after the scripts of sql/ (app.sh, app.bicep).
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Name of the azd environment.')
param environmentName string

@description('An Azure region.')
param location string

@description('Object id of who runs azd, and administers the database unless a group is set.')
param principalId string

@allowed(['User', 'ServicePrincipal'])
@description('What that is, in words of azd.')
param principalType string = 'User'

@description('Client id of a service principal that runs azd.')
param principalClientId string = ''

@description('Object id of an Entra group that administers the database.')
param sqlAdminGroupId string = ''

@description('What the server calls its administrator, who signs in by the id, whatever the name is.')
param sqlAdminName string = 'customer-api-administrator'

@description('A service objective of Azure SQL.')
param sqlTier string = 'S0'

@allowed(['private', 'firewall'])
@description('private: a private endpoint of the database. firewall: its firewall lets in all addresses of Azure, other customers\' included.')
param network string = 'private'

var tags = { 'azd-env-name': environmentName, 'made-by': 'customer-api' }
var suffix = uniqueString(subscription().id, environmentName, location)

// Azure SQL knows users and groups by their object ids, applications by their client ids
// (https://learn.microsoft.com/cli/azure/sql/server#az-sql-server-create, --external-admin-sid).
var user = { type: 'User', id: principalId }
var application = { type: 'Application', id: empty(principalClientId) ? principalId : principalClientId }
var team = { type: 'Group', id: sqlAdminGroupId }
var principal = principalType == 'User' ? user : application
var administrator = empty(sqlAdminGroupId) ? principal : team

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module resources 'resources.bicep' = {
  scope: group
  name: 'customer-api'
  params: {
    location: location
    suffix: suffix
    tags: tags
    administratorType: administrator.type
    administratorId: administrator.id
    administratorName: sqlAdminName
    sqlTier: sqlTier
    network: network
  }
}

// azd keeps them in its environment, and gives them to the hooks.
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_LOCATION string = location
output NETWORK string = network
output SQL_TIER string = sqlTier
output SQL_SERVER string = resources.outputs.sqlServer
output DATABASE string = resources.outputs.database
output ENVIRONMENT_ID string = resources.outputs.environmentId
output WORKSPACE_ID string = resources.outputs.workspaceId
output IDENTITY_ID string = resources.outputs.identityId
output CLIENT_ID string = resources.outputs.clientId
output PURGE_IDENTITY_ID string = resources.outputs.purgeIdentityId
output PURGE_CLIENT_ID string = resources.outputs.purgeClientId
// Created only when an image must be built.
output REGISTRY string = 'customerapi${suffix}'
