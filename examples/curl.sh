#!/usr/bin/env bash
# The five calls with curl: examples/curl.sh [API]
set -euo pipefail
api=${1:-http://localhost:3000}

# Read, create, change, delete, list. The form field customer holds the JSON.
curl -sS "$api/customer/123"; echo
created=$(curl -sS -X PUT "$api/customer" -H 'Idempotency-Key: create-jane' \
  -d 'customer={"CustomerName": "Jane Doe", "PhoneNumber": "123-234-5678", "FaxNumber": "123-234-5678", "WebsiteURL": "http://www.something.com",
    "Delivery": {"AddressLine1": "One Microsoft Way", "PostalCode": 98052}}')
echo "$created"
id=${created#*\"CustomerID\":}
id=${id%%,*}
curl -sS -X PATCH "$api/customer/$id" -d 'customer={"PhoneNumber": "123-234-9999"}'; echo
curl -sS -X DELETE "$api/customer/$id"; echo
curl -sS "$api/customers?limit=2&after=121"; echo
