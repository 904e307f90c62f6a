-- The requests of wrk: requests.lua OPERATION PATHS BODIES TAG LIMIT. PATHS and BODIES are "api", or "dab" for the bridge's
-- own form. No two writes have the same TAG and number, so that names and request keys never meet.

local operation, paths, bodies, tag, limit, count

function init(args)
  operation, paths, bodies, tag, limit = args[1], args[2], args[3], args[4], args[5]
  count = 0
end

local function escaped(json)
  return (json:gsub('"', '\\"'))
end

local function send(method, api, dab_method, dab, body)
  if paths == "dab" then method, api = dab_method, dab end
  return wrk.format(method, api, body and { ["Content-Type"] = "application/json" }, body)
end

function request()
  count = count + 1
  local id = count % 200 + 1
  if operation == "get" then
    return send("GET", "/customer/" .. id, "GET", "/api/get_customer?CustomerID=" .. id)
  elseif operation == "list" then
    return send("GET", "/customers?limit=" .. limit, "GET", "/api/get_customers?Limit=" .. limit)
  end
  local json
  if operation == "put" then
    json = '{"CustomerName":"Measured ' .. tag .. "-" .. count .. '","PhoneNumber":"(212) 555-0100","FaxNumber":"(212) 555-0101",' ..
      '"WebsiteURL":"https://www.example.com/","Delivery":{"AddressLine1":"Shop 219","AddressLine2":"528 Persson Road","PostalCode":"90775"}}'
  else
    json = '{"PhoneNumber":"(212) 555-' .. count % 10000 .. '"}'
  end
  if bodies == "dab" then
    local target = operation == "patch" and '"CustomerID":' .. id .. "," or ""
    json = "{" .. target .. '"Json":"' .. escaped(json) .. '","RequestKey":"' .. tag .. "-" .. count .. '"}'
  end
  if operation == "put" then
    return send("PUT", "/customer", "POST", "/api/put_customer", json)
  end
  return send("PATCH", "/customer/" .. id, "POST", "/api/patch_customer", json)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\n{"requests":%d,"bytes":%d,"seconds":%f,"p50_ms":%f,"p99_ms":%f,"errors":%d}\n',
    summary.requests, summary.bytes, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
