// What `azd provision` makes: all but the container app, which comes after the scripts of sql/ (app.sh, app.bicep).
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Name of the azd environment.')
param environmentName string

@description('An Azure region.')
param location string

@description('Object id of who administers the database: who runs azd, unless a group is set.')
param principalId string

@description('Name of the same.')
param principalName string

@allowed(['User', 'Group', 'Application'])
param principalType string = 'User'

@description('A service objective of Azure SQL.')
param sqlTier string = 'S0'

@allowed(['private', 'firewall'])
@description('private: a private endpoint of the database. firewall: its firewall lets in all addresses of Azure, other customers\' included.')
param network string = 'private'

var tags = { 'azd-env-name': environmentName, 'made-by': 'customer-api' }
var suffix = uniqueString(subscription().id, environmentName, location)

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
    principalId: principalId
    principalName: principalName
    principalType: principalType
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
output REGISTRY string = resources.outputs.registry
output ENVIRONMENT_ID string = resources.outputs.environmentId
output IDENTITY_ID string = resources.outputs.identityId
output CLIENT_ID string = resources.outputs.clientId
output PURGE_CLIENT_ID string = resources.outputs.purgeClientId
