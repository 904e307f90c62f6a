// A registry for images that are built from the sources. Released images need none, because they come from where they are published.
param name string
param location string = resourceGroup().location

@description('Principal ids of the identities that pull from it, as one text with commas.')
param pullers string

var acrPull = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d')

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  name: name
  location: location
  tags: { 'made-by': 'customer-api' }
  sku: { name: 'Basic' }
  properties: { adminUserEnabled: false }
}

resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in split(pullers, ','): {
  name: guid(registry.id, id, acrPull)
  scope: registry
  properties: {
    principalId: id
    principalType: 'ServicePrincipal'
    roleDefinitionId: acrPull
  }
}]
