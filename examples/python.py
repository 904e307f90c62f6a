"""The five calls with Python's standard library: python3 examples/python.py [API]"""

import json
import sys
from urllib.request import Request, urlopen

api = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:3000"


def call(method, path, customer=None, **headers):
    body = json.dumps(customer).encode() if customer else None
    request = Request(api + path, body, {"Content-Type": "application/json", **headers}, method=method)
    with urlopen(request) as response:
        text = response.read().decode()
    print(text)
    return json.loads(text)


call("GET", "/customer/123")
jane = {
    "CustomerName": "Jane Doe",
    "PhoneNumber": "123-234-5678",
    "FaxNumber": "123-234-5678",
    "WebsiteURL": "http://www.something.com",
    "Delivery": {"AddressLine1": "One Microsoft Way", "PostalCode": 98052},
}
created = call("PUT", "/customer", jane, **{"Idempotency-Key": "create-jane"})
one = f"/customer/{created[0]['CustomerID']}"
call("PATCH", one, {"PhoneNumber": "123-234-9999"})
call("DELETE", one)
call("GET", "/customers?limit=2&after=121")
