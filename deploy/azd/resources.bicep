param location string
param suffix string
param tags object
param administratorType string
param administratorId string
param administratorName string
param sqlTier string
param network string

var isPrivate = network == 'private'

// The identities of Data API Builder and of the job that purges the ledger. Their names are unique in the tenant, so that each environment has
// other names.
resource dab 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'customer-api-dab-${suffix}'
  location: location
  tags: tags
}

resource purge 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'customer-api-purge-${suffix}'
  location: location
  tags: tags
}

// No password exists: the server accepts only Microsoft Entra. The administrator is set when the server is created, and refused or ignored later
// (https://learn.microsoft.com/azure/templates/microsoft.sql/servers, ServerProperties.administrators). So the server is created once
// (https://learn.microsoft.com/azure/azure-resource-manager/bicep/resource-declaration#onlyifnotexists), and a resource below has the part that
// may change.
@onlyIfNotExists()
resource server 'Microsoft.Sql/servers@2023-08-01-preview' = {
  name: 'customer-api-${suffix}'
  location: location
  tags: tags
  properties: {
    version: '12.0'
    minimalTlsVersion: '1.2'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    administrators: {
      administratorType: 'ActiveDirectory'
      azureADOnlyAuthentication: true
      principalType: administratorType
      login: administratorName
      sid: administratorId
      tenantId: tenant().tenantId
    }
  }
}

resource administrator 'Microsoft.Sql/servers/administrators@2023-08-01-preview' = {
  parent: server
  name: 'ActiveDirectory'
  properties: {
    administratorType: 'ActiveDirectory'
    login: administratorName
    sid: administratorId
    tenantId: tenant().tenantId
  }
}

resource entraOnly 'Microsoft.Sql/servers/azureADOnlyAuthentications@2023-08-01-preview' = {
  parent: server
  name: 'Default'
  properties: { azureADOnlyAuthentication: true }
  dependsOn: [administrator]
}

resource database 'Microsoft.Sql/servers/databases@2023-08-01-preview' = {
  parent: server
  name: 'customers'
  location: location
  tags: tags
  sku: { name: sqlTier }
  properties: {}
}

// 0.0.0.0 stands for all of Azure, including other customers' machines, which still have to sign in.
resource azure 'Microsoft.Sql/servers/firewallRules@2023-08-01-preview' = if (!isPrivate) {
  parent: server
  name: 'azure'
  properties: {
    startIpAddress: '0.0.0.0'
    endIpAddress: '0.0.0.0'
  }
}

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2024-01-01' = if (isPrivate) {
  name: 'customer-api'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.60.0.0/16'] }
    subnets: [
      {
        name: 'endpoints'
        properties: { addressPrefix: '10.60.0.0/24' }
      }
      {
        name: 'apps'
        properties: {
          addressPrefix: '10.60.2.0/23'
          delegations: [
            {
              name: 'apps'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
    ]
  }
}

resource privateEndpoint 'Microsoft.Network/privateEndpoints@2024-01-01' = if (isPrivate) {
  name: 'customer-api-sql'
  location: location
  tags: tags
  properties: {
    subnet: { id: resourceId('Microsoft.Network/virtualNetworks/subnets', 'customer-api', 'endpoints') }
    privateLinkServiceConnections: [
      {
        name: 'sql'
        properties: {
          privateLinkServiceId: server.id
          groupIds: ['sqlServer']
        }
      }
    ]
  }
  dependsOn: [virtualNetwork]
}

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = if (isPrivate) {
  name: 'privatelink${environment().suffixes.sqlServerHostname}'
  location: 'global'
  tags: tags
  properties: {}
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = if (isPrivate) {
  parent: zone
  name: 'customer-api'
  location: 'global'
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: virtualNetwork.id }
  }
}

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-01-01' = if (isPrivate) {
  parent: privateEndpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: 'sql'
        properties: { privateDnsZoneId: zone.id }
      }
    ]
  }
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'customer-api-${suffix}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
  }
}

resource apps 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: 'customer-api'
  location: location
  tags: tags
  properties: {
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: logs.properties.customerId
        sharedKey: logs.listKeys().primarySharedKey
      }
    }
    vnetConfiguration: isPrivate ? { infrastructureSubnetId: resourceId('Microsoft.Network/virtualNetworks/subnets', 'customer-api', 'apps') } : null
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
  }
  dependsOn: [virtualNetwork]
}

output sqlServer string = server.name
output database string = database.name
output environmentId string = apps.id
output workspaceId string = logs.id
output identityId string = dab.id
output clientId string = dab.properties.clientId
output purgeIdentityId string = purge.id
output purgeClientId string = purge.properties.clientId
