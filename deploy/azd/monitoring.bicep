// Alerts and their receivers: a test of /readyz from outside, rules over the log, a workbook. Objectives, and actions for each alert:
// docs/production.md#set-alerts.
param location string = resourceGroup().location

@description('The Log Analytics workspace of the container apps environment.')
param workspaceId string

@description('Where the API is: https://…')
param url string

@description('Who is told, by e-mail; empty: the alerts are in the portal alone.')
param alertEmail string = ''

@description('Whether everybody reaches the API. Where addresses are restricted, tests from outside do not.')
param reachable bool = true

var tags = { 'made-by': 'customer-api' }

// A row of its query makes a rule fire. `given` comes before the query. The objective is 99.9 percent of answers without 5xx in 30 days. A rule
// fires when one hour uses up 2 percent of the allowed failures, or six hours 5 percent
// (https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts).
var rules = [
  {
    name: 'burn-fast'
    title: 'Errors use up the budget of 30 days in two'
    severity: 1
    window: 'PT1H'
    frequency: 'PT5M'
    given: 'let objective = 0.999; let long_window = 1h; let short_window = 5m; let threshold = 14.4;'
    query: loadTextContent('monitoring/burn.kql')
  }
  {
    name: 'burn-slow'
    title: 'Errors use up the budget of 30 days in five'
    severity: 2
    window: 'PT6H'
    frequency: 'PT15M'
    given: 'let objective = 0.999; let long_window = 6h; let short_window = 30m; let threshold = 6.0;'
    query: loadTextContent('monitoring/burn.kql')
  }
  {
    name: 'given-up'
    title: 'Calls are given up: clients see 503 or 504'
    severity: 2
    window: 'PT5M'
    frequency: 'PT5M'
    given: ''
    query: loadTextContent('monitoring/given-up.kql')
  }
  {
    name: 'set-up-wrongly'
    title: 'A setting or a part of another version: it does not pass by itself'
    severity: 1
    window: 'PT5M'
    frequency: 'PT5M'
    given: ''
    query: loadTextContent('monitoring/set-up-wrongly.kql')
  }
  {
    name: 'not-ready'
    title: '/readyz was not 200'
    severity: 1
    window: 'PT10M'
    frequency: 'PT10M'
    given: ''
    query: loadTextContent('monitoring/not-ready.kql')
  }
  {
    name: 'retries'
    title: 'More than 10 percent of requests are retried'
    severity: 3
    window: 'PT15M'
    frequency: 'PT15M'
    given: ''
    query: loadTextContent('monitoring/retries.kql')
  }
  {
    name: 'ledger'
    title: 'The ledger is not purged'
    severity: 3
    window: 'P2D'
    frequency: 'PT1H'
    given: ''
    query: loadTextContent('monitoring/ledger.kql')
  }
]

var panels = [
  {
    title: 'Answers without 5xx, percent; the objective is 99.9'
    shown: 'timechart'
    query: loadTextContent('monitoring/availability.kql')
  }
  {
    title: 'Answers with 5xx, by route'
    shown: 'barchart'
    query: loadTextContent('monitoring/failures.kql')
  }
  {
    title: '99th percentile in milliseconds, by route; needs the log level info. The objective is 1000'
    shown: 'timechart'
    query: loadTextContent('monitoring/p99.kql')
  }
  {
    title: 'Age of the oldest key in hours, after each purge; the objective is below 192'
    shown: 'timechart'
    query: loadTextContent('monitoring/oldest-key.kql')
  }
  {
    title: 'Calls given up'
    shown: 'table'
    query: loadTextContent('monitoring/given-up.kql')
  }
  {
    title: 'Set up wrongly'
    shown: 'table'
    query: loadTextContent('monitoring/set-up-wrongly.kql')
  }
  {
    title: 'Not ready'
    shown: 'table'
    query: loadTextContent('monitoring/not-ready.kql')
  }
]

resource app 'Microsoft.App/containerApps@2024-03-01' existing = {
  name: 'customer-api'
}

// The number of requests: the component logs each request only at the log level info.
resource counts 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: app
  name: 'metrics'
  properties: {
    workspaceId: workspaceId
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

resource told 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'customer-api'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'customer-api'
    enabled: true
    emailReceivers: empty(alertEmail) ? [] : [{ name: 'operators', emailAddress: alertEmail, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2021-08-01' = [for rule in rules: {
  name: 'customer-api-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.title
    severity: rule.severity
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: rule.frequency
    windowSize: rule.window
    criteria: {
      allOf: [
        {
          query: '${rule.given}\n${rule.query}'
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
    autoMitigate: true
    // The table exists when its first line has arrived, some minutes after the app.
    skipQueryValidation: true
    actions: { actionGroups: [told.id] }
  }
}]

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'customer-api'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspaceId
  }
}

// Azure charges for each run. Each of five places runs the test once in 15 minutes, so that one runs every three minutes
// (https://learn.microsoft.com/azure/azure-monitor/app/availability#location-population-tags).
resource readiness 'Microsoft.Insights/webtests@2022-06-15' = if (reachable) {
  name: 'customer-api-readyz'
  location: location
  tags: union(tags, { 'hidden-link:${insights.id}': 'Resource' })
  kind: 'standard'
  properties: {
    Name: 'customer-api-readyz'
    SyntheticMonitorId: 'customer-api-readyz'
    Kind: 'standard'
    Enabled: true
    Frequency: 900
    Timeout: 30
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'emea-gb-db3-azr' }
      { Id: 'us-va-ash-azr' }
      { Id: 'us-ca-sjc-azr' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: {
      RequestUrl: '${url}/readyz'
      HttpVerb: 'GET'
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
    }
  }
}

resource unavailable 'Microsoft.Insights/metricAlerts@2018-03-01' = if (reachable) {
  name: 'customer-api-unavailable'
  location: 'global'
  tags: tags
  properties: {
    description: '/readyz does not answer 200 to two of five places.'
    severity: 1
    enabled: true
    scopes: [
      readiness.id
      insights.id
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: readiness.id
      componentId: insights.id
      failedLocationCount: 2
    }
    autoMitigate: true
    actions: [{ actionGroupId: told.id }]
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'customer-api')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'customer-api'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: string({
      version: 'Notebook/1.0'
      items: map(panels, panel => {
        type: 3
        name: panel.title
        content: {
          version: 'KqlItem/1.0'
          title: panel.title
          query: panel.query
          timeContext: { durationMs: 604800000 }
          queryType: 0
          resourceType: 'microsoft.operationalinsights/workspaces'
          crossComponentResources: [workspaceId]
          visualization: panel.shown
        }
      })
    })
  }
}
