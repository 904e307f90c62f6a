// The container app, and the job that purges the ledger. The app runs Spin with the component and, beside it in the same replica, Data API
// Builder, which only the component reaches.
param location string = resourceGroup().location
param environmentId string
param identityId string
param clientId string
param purgeIdentityId string
param purgeClientId string
param image string
param purgeImage string
param sqlServer string
param database string

@description('IPv4 addresses or ranges (CIDR) with commas between them. The API refuses all others; empty: it refuses none.')
param allowedAddresses string = ''

@description('Connections of one replica. Those of all replicas together are no more than the workers of the database.')
param pool int

@secure()
@description('The key that clients of the API send, or several with commas between them.')
param apiKey string

// app.sh divides the workers of the database by twice this number.
var maxReplicas = 3
// Azure's registries require the identity to sign in. Anybody may pull the release's images.
var registry = split(image, '/')[0]
var ranges = empty(allowedAddresses) ? [] : split(allowedAddresses, ',')
var dabConfig = loadTextContent('../../dab/dab-config.json')

resource app 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'customer-api'
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
      activeRevisionsMode: 'Single'
      ingress: {
        external: true
        allowInsecure: false
        transport: 'http'
        targetPort: 3000
        // A rule that allows some addresses refuses the rest (https://learn.microsoft.com/azure/container-apps/ip-restrictions).
        ipSecurityRestrictions: [for (cidr, index) in ranges: {
          name: 'allowed-${index}'
          ipAddressRange: cidr
          action: 'Allow'
        }]
      }
      registries: endsWith(registry, '.azurecr.io') ? [{ server: registry, identity: identityId }] : []
      secrets: [
        {
          name: 'api-key'
          value: apiKey
        }
        {
          // Not secret, but a container app has files only as secrets.
          name: 'dab-config'
          value: dabConfig
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'api'
          image: image
          env: [
            {
              name: 'SPIN_VARIABLE_API_KEY'
              secretRef: 'api-key'
            }
            {
              // A change of only secrets makes no new revision, and would not reach the containers
              // (https://learn.microsoft.com/azure/container-apps/manage-secrets).
              name: 'REVISION_OF_SECRETS'
              value: uniqueString(apiKey, dabConfig)
            }
          ]
          resources: {
            cpu: json('0.25')
            memory: '0.5Gi'
          }
          // By TCP: a request for /healthz needs one of Spin's instances, and in an outage all of them may wait for the database.
          probes: [
            {
              type: 'Liveness'
              tcpSocket: {
                port: 3000
              }
              timeoutSeconds: 2
            }
            {
              type: 'Readiness'
              tcpSocket: {
                port: 3000
              }
              periodSeconds: 5
              timeoutSeconds: 2
            }
          ]
        }
        {
          name: 'dab'
          image: 'mcr.microsoft.com/azure-databases/data-api-builder:2.0.9'
          // Without the file the image serves a configuration of its own that exposes every table.
          args: [
            '--ConfigFileName=./config/dab-config.json'
            '--no-https-redirect'
          ]
          env: [
            {
              // docs/database.md explains each option.
              name: 'DAB_SQL'
              value: 'Server=${sqlServer}${environment().suffixes.sqlServerHostname};Database=${database};Authentication=Active Directory Managed Identity;User ID=${clientId};Application Name=customer-api;Max Pool Size=${pool};Connect Timeout=5;Command Timeout=15;ConnectRetryCount=0;Packet Size=8000'
            }
          ]
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          probes: [
            {
              type: 'Startup'
              httpGet: {
                path: '/api/ready'
                port: 5000
              }
              // Two minutes. Container Apps accepts no more than ten failures.
              periodSeconds: 15
              timeoutSeconds: 5
              failureThreshold: 8
            }
            {
              type: 'Liveness'
              httpGet: {
                path: '/'
                port: 5000
              }
              timeoutSeconds: 5
            }
            {
              type: 'Readiness'
              httpGet: {
                path: '/'
                port: 5000
              }
              timeoutSeconds: 5
            }
          ]
          volumeMounts: [
            {
              volumeName: 'dab-config'
              mountPath: '/App/config'
            }
          ]
        }
      ]
      scale: {
        // Not zero: a start takes longer than a client waits.
        minReplicas: 1
        maxReplicas: maxReplicas
        rules: [
          {
            name: 'http'
            http: { metadata: { concurrentRequests: '50' } }
          }
        ]
      }
      volumes: [
        {
          name: 'dab-config'
          storageType: 'Secret'
          secrets: [
            {
              secretRef: 'dab-config'
              path: 'dab-config.json'
            }
          ]
        }
      ]
    }
  }
}

module purge 'purge.bicep' = {
  name: 'customer-api-purge'
  params: {
    location: location
    name: 'customer-api-purge'
    environmentId: environmentId
    identityId: purgeIdentityId
    clientId: purgeClientId
    image: purgeImage
    sqlServer: sqlServer
    database: database
  }
}

output url string = 'https://${app.properties.configuration.ingress.fqdn}'
