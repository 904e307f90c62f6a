#!/usr/bin/env bash
# A client with curl 7.71 or later: examples/curl.sh [API]
# The key of the API is taken from the environment variable API_KEY.
set -euo pipefail
api=${1:-http://localhost:3000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Send and repeat
new_key() { uuidgen 2>/dev/null || cat /proc/sys/kernel/random/uuid; }

# Sends a request, prints its status, and leaves headers and body in files. The options of curl repeat the request, unchanged, after a broken
# connection and after 408, 429, 500, 502, 503 and 504. The wait is as long as Retry-After says, otherwise 1, 2, 4, 8 seconds.
# One attempt may take 30 seconds, longer than the API itself tries (25 seconds).
call() {
  curl -sS --retry 5 --retry-all-errors --max-time 30 -H "x-api-key: ${API_KEY:-none}" -H 'Content-Type: application/json' \
    -D "$work/headers" -o "$work/body" -w '%{http_code}' "$@" 2>"$work/errors" || { cat "$work/errors" >&2; exit 1; }
}

# One key for each write. Each repetition has the same key, so the write is done once.
write() { call -H "Idempotency-Key: $(new_key)" "$@"; }

# The value of a header of the last answer.
header() { tr -d '\r' <"$work/headers" | awk -v name="$1:" 'tolower($1) == name { $1 = ""; value = substr($0, 2) } /^HTTP/ { value = "" } END { print value }'; }

good() {
  [ "$1" -lt 400 ] || { cat "$work/body" >&2; exit 1; }
  cat "$work/body"
  echo
}

# Change without overwriting
# Reads the row and changes it. If somebody else changed it in between, reads it and decides again.
change() {
  status=412
  while [ "$status" = 412 ]; do
    status=$(call "$1")
    [ "$status" = 200 ] || return 0
    status=$(write -X PATCH "$1" -H "If-Match: $(header etag)" -d "$2")
  done
}

# Read to the end
# Prints each row of a list on a line, page by page.
rows() {
  following="?limit=250"
  while [ -n "$following" ]; do
    [ "$(call "$1$following")" = 200 ] || { cat "$work/body" >&2; exit 1; }
    grep -o '{[^}]*}' "$work/body"
    # Link: <?after=250&limit=250>; rel="next"
    following=$(header link | sed -n 's/^<\([^>]*\)>; rel="next".*/\1/p')
  done
}

# Use it
good "$(call "$api/customer/123")"
good "$(write -X PUT "$api/customer" -d '{"CustomerName": "Jane Doe", "PhoneNumber": "123-234-5678", "FaxNumber": "123-234-5678",
  "WebsiteURL": "http://www.something.com", "Delivery": {"AddressLine1": "One Microsoft Way", "PostalCode": "98052"}}')"
# The address of the new row is relative to the address of the request: customer/1062.
address=$api/$(header location)
change "$address" '{"PhoneNumber": "123-234-9999"}'
good "$status"
good "$(write -X DELETE "$address")"
echo "$(rows "$api/customers" | wc -l | tr -d ' ') customers"
