"""A client with Python's standard library: python3 examples/python.py [API]

The key of the API is taken from the environment variable API_KEY."""

import http.client
import json
import os
import random
import re
import sys
import time
import uuid
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

API = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:3000"


# Send and repeat
REPEATED = (408, 429, 502, 503, 504)


def call(method, url, body=None, **headers):
    """Sends a request. Repeats it, unchanged, while a failure may pass. Returns status, headers and text."""
    headers |= {"Content-Type": "application/json", "x-api-key": os.environ.get("API_KEY", "none")}
    if method != "GET":
        # One key for each write. Each repetition has the same key, so the write is done once.
        headers["Idempotency-Key"] = str(uuid.uuid4())
    request = Request(urljoin(API, url), json.dumps(body).encode() if body else None, headers, method=method)
    for attempt in range(6):
        # Up to 1, 2, 4, 8 seconds; a random wait keeps clients from returning all at once.
        wait = random.uniform(0, 2**attempt)
        try:
            # Longer than the API itself tries (25 seconds).
            with urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except HTTPError as answer:
            text = answer.read().decode()
            if answer.code not in REPEATED or attempt == 5:
                return answer.code, answer.headers, text
            wait += int(answer.headers.get("Retry-After", 0))
        except (URLError, OSError, http.client.HTTPException):
            # There is no answer, so nobody knows whether a write was done. The key makes it safe to repeat.
            if attempt == 5:
                raise
        time.sleep(wait)


def good(answer):
    status, headers, text = answer
    if status >= 400:
        raise SystemExit(f"error: {text}")
    print(text)
    return headers


# Change without overwriting
def change(url, decide):
    """Reads the row and changes it. If somebody else changed it in between, reads it and decides again."""
    while True:
        status, headers, text = call("GET", url)
        answer = call("PATCH", url, decide(json.loads(text)[0]), **{"If-Match": headers["ETag"]}) if status == 200 else (status, headers, text)
        if answer[0] != 412:
            return answer


# Read to the end
def rows(url):
    """Yields each row of a list, page by page."""
    while url:
        status, headers, text = call("GET", url)
        if status != 200:
            raise SystemExit(f"error: {text}")
        yield from json.loads(text)
        following = re.match(r'<([^>]*)>; rel="next"', headers.get("Link", ""))
        url = following and urljoin(urljoin(API, url), following[1])


# Use it
good(call("GET", "/customer/123"))
jane = {
    "CustomerName": "Jane Doe",
    "PhoneNumber": "123-234-5678",
    "FaxNumber": "123-234-5678",
    "WebsiteURL": "http://www.something.com",
    "Delivery": {"AddressLine1": "One Microsoft Way", "PostalCode": "98052"},
}
# The address of the new row is relative to the address of the request.
address = urljoin(urljoin(API, "/customer"), good(call("PUT", "/customer", jane))["Location"])
good(change(address, lambda customer: {"PhoneNumber": "123-234-9999"}))
good(call("DELETE", address))
print(sum(1 for _ in rows("/customers?limit=250")), "customers")
