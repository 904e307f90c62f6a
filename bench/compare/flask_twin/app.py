"""The API in the style of Microsoft's sample, with Flask, over the bridge instead of a driver for the database. The twin calls the
procedure, parses its JSON and makes JSON again. No input is checked. Writes carry a request key, so that trying again is safe."""

import json
import os
import threading
import uuid

import requests
from flask import Flask, request
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

app = Flask(__name__)
bridge = os.environ["DAB_URL"] + "/api/"
# A requests.Session keeps its connections open, and belongs to one thread.
local = threading.local()


class BridgeFailed(Exception):
    """The bridge did not answer with a row."""


@retry(
    stop=stop_after_attempt(3),
    wait=wait_fixed(10),
    retry=retry_if_exception_type((BridgeFailed, requests.ConnectionError, requests.Timeout)),
    reraise=True,
)
def call(method, procedure, **arguments):
    if not hasattr(local, "session"):
        local.session = requests.Session()
    where = {"params": arguments} if method == "GET" else {"json": arguments}
    response = local.session.request(method, bridge + procedure, timeout=10, **where)
    if response.status_code >= 500:
        raise BridgeFailed(response.status_code)
    row = response.json()["value"][0]
    return json.loads(row["Json"]), row["Status"]


def write(procedure, **arguments):
    return call("POST", procedure, RequestKey=str(uuid.uuid4()), **arguments)


@app.get("/customer/<int:customer_id>")
def get_customer(customer_id):
    return call("GET", "get_customer", CustomerID=customer_id)


@app.put("/customer")
def put_customer():
    return write("put_customer", Json=json.dumps(request.get_json()))


@app.patch("/customer/<int:customer_id>")
def patch_customer(customer_id):
    return write("patch_customer", CustomerID=customer_id, Json=json.dumps(request.get_json()))


@app.delete("/customer/<int:customer_id>")
def delete_customer(customer_id):
    return write("delete_customer", CustomerID=customer_id)


@app.get("/customers")
def get_customers():
    after, limit = request.args.get("after", 0, int), request.args.get("limit", 100, int)
    return call("GET", "get_customers", After=after, Limit=limit)
