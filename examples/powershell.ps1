# The five calls with PowerShell 7: pwsh examples/powershell.ps1 [API]
param([string]$api = "http://localhost:3000")
$ErrorActionPreference = "Stop"

function Call($method, $path, $customer, $headers = @{}) {
    $parameters = @{ Method = $method; Uri = "$api$path"; Headers = $headers; ContentType = "application/json" }
    if ($customer) { $parameters.Body = ConvertTo-Json $customer -Compress }
    (Invoke-WebRequest @parameters).Content
}

Call GET "/customer/123"
$jane = @{
    CustomerName = "Jane Doe"
    PhoneNumber = "123-234-5678"
    FaxNumber = "123-234-5678"
    WebsiteURL = "http://www.something.com"
    Delivery = @{ AddressLine1 = "One Microsoft Way"; PostalCode = 98052 }
}
$created = Call PUT "/customer" $jane @{ "Idempotency-Key" = "create-jane" }
$created
$one = "/customer/$((ConvertFrom-Json $created)[0].CustomerID)"
Call PATCH $one @{ PhoneNumber = "123-234-9999" }
Call DELETE $one
Call GET "/customers?limit=2&after=121"
