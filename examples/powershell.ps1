# A client with PowerShell 7.4 or later: pwsh examples/powershell.ps1 [API]
# The key of the API is taken from the environment variable API_KEY.
param([uri]$api = "http://localhost:3000")
$ErrorActionPreference = "Stop"

# Send and repeat
$repeated = 408, 429, 502, 503, 504

# Sends a request. Repeats it, unchanged, while a failure may pass. Returns the answer, also one with an error.
function Send($method, [uri]$url, $body, $headers = @{}) {
    $request = @{
        Method = $method
        Uri = [uri]::new($api, $url)
        Headers = $headers + @{ "x-api-key" = ($env:API_KEY ?? "none") }
        ContentType = "application/json"
        # Longer than the API itself tries (25 seconds).
        TimeoutSec = 30
        SkipHttpErrorCheck = $true
        # An entity tag in quotes is no header that PowerShell knows how to check.
        SkipHeaderValidation = $true
    }
    if ($body) { $request.Body = ConvertTo-Json $body -Compress }
    # One key for each write. Each repetition has the same key, so the write is done once.
    if ($method -ne "GET") { $request.Headers["Idempotency-Key"] = [guid]::NewGuid().ToString() }
    for ($attempt = 0; ; $attempt++) {
        # Up to 1, 2, 4, 8 seconds; a random wait keeps clients from returning all at once.
        $wait = (Get-Random -Minimum 0.0 -Maximum 1.0) * [math]::Pow(2, $attempt)
        try {
            $answer = Invoke-WebRequest @request
            if ($answer.StatusCode -notin $repeated -or $attempt -eq 5) { return $answer }
            if ($answer.Headers["Retry-After"]) { $wait += [int]$answer.Headers["Retry-After"][0] }
        } catch {
            # There is no answer, so nobody knows whether a write was done. The key makes it safe to repeat.
            if ($attempt -eq 5) { throw }
        }
        Start-Sleep -Seconds $wait
    }
}

function Good($answer) {
    if ($answer.StatusCode -ge 400) { throw [string]$answer.Content }
    Write-Host $answer.Content
}

# Change without overwriting
# Reads the row and changes it. If somebody else changed it in between, reads it and decides again.
function Change([uri]$url, [scriptblock]$decide) {
    do {
        $row = Send GET $url
        if ($row.StatusCode -ne 200) { return $row }
        $customer = ($row.Content | ConvertFrom-Json)[0]
        $answer = Send PATCH $url (& $decide $customer) @{ "If-Match" = $row.Headers["ETag"][0] }
    } while ($answer.StatusCode -eq 412)
    $answer
}

# Read to the end
# Returns each row of a list, page by page.
function Rows([uri]$url) {
    while ($url) {
        $page = Send GET $url
        if ($page.StatusCode -ne 200) { throw [string]$page.Content }
        $page.Content | ConvertFrom-Json
        $here = [uri]::new($api, $url)
        $url = if ("$($page.Headers["Link"])" -match '<([^>]*)>; rel="next"') { [uri]::new($here, $Matches[1]) }
    }
}

# Use it
Good (Send GET "/customer/123")
$jane = @{
    CustomerName = "Jane Doe"
    PhoneNumber = "123-234-5678"
    FaxNumber = "123-234-5678"
    WebsiteURL = "http://www.something.com"
    Delivery = @{ AddressLine1 = "One Microsoft Way"; PostalCode = "98052" }
}
$created = Send PUT "/customer" $jane
Good $created
# The address of the new row is relative to the address of the request.
$address = [uri]::new([uri]::new($api, "/customer"), [string]$created.Headers["Location"][0])
Good (Change $address { @{ PhoneNumber = "123-234-9999" } })
Good (Send DELETE $address)
Write-Host "$(@(Rows "/customers?limit=250").Count) customers"
