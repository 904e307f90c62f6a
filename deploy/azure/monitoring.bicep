// Alerts on the data that Container Insights collects of the cluster, and a test of /readyz from outside. deploy.sh deploys it. The queries are
// separate files, which tests/deploy/alerts.py runs on sample rows.
param location string = resourceGroup().location
param workspaceId string

@description('Where alerts are sent to. Without it they are in the portal alone.')
param email string = ''

@description('The name by which the internet reaches the API. Without it nobody asks from outside.')
param host string = ''

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'customer-api'
  location: 'global'
  tags: { 'made-by': 'customer-api' }
  properties: {
    groupShortName: 'customer-api'
    enabled: true
    emailReceivers: empty(email) ? [] : [
      {
        name: 'operations'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

// Severity 1 requires action now, 3 on the next day. No alert needs another log level than the default.
var rules = [
  {
    name: 'given-up'
    text: 'Requests were given up: clients got 503 or 504.'
    query: loadTextContent('alerts/given-up.kql')
    severity: 1
    window: 'PT5M'
  }
  {
    name: 'set-up-wrongly'
    text: 'The API or Data API Builder is set up wrongly.'
    query: loadTextContent('alerts/set-up-wrongly.kql')
    severity: 1
    window: 'PT5M'
  }
  {
    name: 'not-ready'
    text: 'The database does not answer /readyz.'
    query: loadTextContent('alerts/not-ready.kql')
    severity: 1
    window: 'PT5M'
  }
  {
    name: 'restarts'
    text: 'A container was restarted. The kernel ending Spin shows as Error with exit code 137, never as OOMKilled.'
    query: loadTextContent('alerts/restarts.kql')
    severity: 1
    window: 'PT15M'
  }
  {
    name: 'not-running'
    text: 'A pod does not come up.'
    query: loadTextContent('alerts/not-running.kql')
    severity: 1
    window: 'PT15M'
  }
  {
    name: 'many-retries'
    text: 'Calls are repeated often: clients see slower answers.'
    query: loadTextContent('alerts/many-retries.kql')
    severity: 3
    window: 'PT15M'
  }
  {
    name: 'ledger-not-purged'
    text: 'No purge of the ledger has succeeded for a day and a half.'
    query: loadTextContent('alerts/ledger-not-purged.kql')
    severity: 3
    window: 'P2D'
  }
]

resource alerts 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = [for rule in rules: {
  name: 'customer-api-${rule.name}'
  location: location
  tags: { 'made-by': 'customer-api' }
  properties: {
    displayName: 'customer-api: ${rule.name}'
    description: rule.text
    severity: rule.severity
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: rule.window == 'P2D' ? 'PT1H' : 'PT5M'
    windowSize: rule.window
    // A new workspace has no tables yet.
    skipQueryValidation: true
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: { actionGroups: [people.id] }
  }
}]

resource insights 'Microsoft.Insights/components@2020-02-02' = if (!empty(host)) {
  name: 'customer-api'
  location: location
  kind: 'web'
  tags: { 'made-by': 'customer-api' }
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspaceId
  }
}

// https://learn.microsoft.com/azure/azure-monitor/app/availability: five places, so that a failure at one is not an outage.
resource ready 'Microsoft.Insights/webtests@2022-06-15' = if (!empty(host)) {
  name: 'customer-api-readyz'
  location: location
  tags: {
    'made-by': 'customer-api'
    'hidden-link:${insights.id}': 'Resource'
  }
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'customer-api-readyz'
    Name: 'customer-api-readyz'
    Enabled: true
    Frequency: 300
    Timeout: 30
    Kind: 'standard'
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'emea-gb-db3-azr' }
      { Id: 'emea-fr-pra-edge' }
      { Id: 'us-va-ash-azr' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: {
      RequestUrl: 'https://${host}/readyz'
      HttpVerb: 'GET'
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 14
    }
  }
}

resource away 'Microsoft.Insights/metricAlerts@2018-03-01' = if (!empty(host)) {
  name: 'customer-api-readyz'
  location: 'global'
  tags: { 'made-by': 'customer-api' }
  properties: {
    description: 'The API does not answer /readyz from two of five places, or its certificate ends within 14 days.'
    severity: 1
    enabled: true
    scopes: [ready.id, insights.id]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: ready.id
      componentId: insights.id
      failedLocationCount: 2
    }
    actions: [{ actionGroupId: people.id }]
  }
}
