// The daily purge of the ledger: go-sqlcmd, signed in as an identity that may execute ops.purge_requests and nothing else.
param location string = resourceGroup().location
param name string
param environmentId string
param identityId string
param clientId string
param image string
param sqlServer string
param database string

// Azure's registries require the identity to sign in. Anybody may pull the release's images.
var registry = split(image, '/')[0]

resource purge 'Microsoft.App/jobs@2024-03-01' = {
  name: name
  location: location
  tags: { 'made-by': 'customer-api' }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Schedule'
      // In UTC (https://learn.microsoft.com/azure/container-apps/jobs#scheduled-jobs).
      scheduleTriggerConfig: { cronExpression: '30 3 * * *' }
      replicaTimeout: 3600
      replicaRetryLimit: 3
      registries: endsWith(registry, '.azurecr.io') ? [{ server: registry, identity: identityId }] : []
    }
    template: {
      containers: [
        {
          name: 'purge'
          image: image
          // https://learn.microsoft.com/sql/tools/sqlcmd/sqlcmd-authentication: the user is the identity's client id. The output is one line:
          // how many rows were removed, and the age in hours of the oldest row that remains.
          args: [
            '-S'
            '${sqlServer}${environment().suffixes.sqlServerHostname}'
            '-d'
            database
            '--authentication-method'
            'ActiveDirectoryManagedIdentity'
            '-U'
            clientId
            '-b'
            '-l'
            '30'
            '-h'
            '-1'
            '-W'
            '-Q'
            'EXECUTE ops.purge_requests;'
          ]
          resources: {
            cpu: json('0.25')
            memory: '0.5Gi'
          }
        }
      ]
    }
  }
}
