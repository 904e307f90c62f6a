"""What schemathesis cannot know of the API, or does not do by itself."""

import json
import os
from urllib.parse import urlencode, urljoin

import requests
import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

FORM = "application/x-www-form-urlencoded"

# The lengths that openapi.json gives, in UTF-16 code units.
LIMITS = {"CustomerName": 100, "PhoneNumber": 20, "FaxNumber": 20, "WebsiteURL": 256}
DELIVERY_LIMITS = {"AddressLine1": 60, "AddressLine2": 60, "PostalCode": 10}
KEY_LIMIT = 255

# Idempotency keys and customers' names that were sent.
KEYS = set()
NAMES = set()


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """With an API key set, nothing passes without: the document's alternative of no credentials is taken out."""
    if os.environ.get("FUZZ_PROTECTED"):
        raw_schema["security"].remove({})


@schemathesis.serializer(FORM)
def form(ctx, value):
    """What is not text travels as JSON, as `encoding` in openapi.json says; schemathesis would spread it over fields."""
    body = ctx.case.body
    if not isinstance(body, dict):
        return json.dumps(body).encode()
    texts = {name: text if isinstance(text, str) else json.dumps(text, ensure_ascii=False) for name, text in body.items()}
    return urlencode(texts).encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Replaces what would keep a request from getting as far as it is meant to."""
    headers = case.headers or {}
    # Spin itself answers a header that is not UTF-8. The client below sends each character as a byte.
    headers.update({name: value.encode().decode("latin-1") for name, value in headers.items()})
    meta = case.meta
    broken = getattr(meta.phase.data, "parameter", None) if meta and meta.generation.mode.is_negative else None
    # The coverage phase fills headers with letters and digits only, of which none is an entity tag.
    if headers.get("If-Match") == "0" and broken != "If-Match":
        headers["If-Match"] = "*"
    # Short values are made up again and again, but a key stands for one request and a name for one customer.
    if headers.get("Idempotency-Key") and broken != "Idempotency-Key":
        headers["Idempotency-Key"] = fresh(KEYS, headers["Idempotency-Key"], KEY_LIMIT)
    customer = customer_of(case)
    name = customer.get("CustomerName")
    if isinstance(name, str) and len(name) <= LIMITS["CustomerName"]:
        customer = {**customer, "CustomerName": fresh(NAMES, name, LIMITS["CustomerName"])}
        case.body = {**case.body, "customer": customer} if case.media_type == FORM else customer


def customer_of(case):
    """The customer that a request carries, or an empty one."""
    body = case.body.get("customer") if case.media_type == FORM and isinstance(case.body, dict) else case.body
    return body if isinstance(body, dict) else {}


def fresh(used, text, limit):
    """The text, or a variation of it when it was used before."""
    if text in used:
        suffix = f"-{len(used)}"
        text = text[: limit - len(suffix)] + suffix
    used.add(text)
    return text


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keeps all but 422 for what JSON Schema cannot state: lengths in UTF-16, and that no earlier run had the key."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 422:
        return True
    problem = response.json()
    if "errors" not in problem:
        return problem["detail"] != "This idempotency key was already used for a different request."
    return {error["field"] for error in problem["errors"]} != too_long(customer_of(case))


def too_long(customer):
    """The fields that are longer than they may be, although JSON Schema finds them short enough."""
    delivery = customer.get("Delivery") or {}
    fields = {name: (customer.get(name), limit) for name, limit in LIMITS.items()}
    fields |= {f"Delivery.{name}": (delivery.get(name), limit) for name, limit in DELIVERY_LIMITS.items()}
    return {name for name, (value, limit) in fields.items() if is_secretly_long(value, limit)}


def is_secretly_long(value, limit):
    """JSON Schema counts the characters of strings; the API counts code units, also those of a number."""
    if isinstance(value, str):
        return len(value) <= limit < len(value.encode("utf-16-le", "surrogatepass")) // 2
    return value is not None and len(json.dumps(value)) > limit


@schemathesis.check
def created_customer_is_there(ctx, response, case):
    """What was created is where `Location` says, as the answer showed it, and in the version that a POST told."""
    if case.method not in ("PUT", "POST") or response.status_code != 201:
        return
    credentials = {name: value for name, value in response.request.headers.items() if name.lower() in ("authorization", "x-api-key")}
    location = urljoin(response.request.url, response.headers["location"][0])
    found = requests.get(location, headers=credentials, timeout=30)
    assert found.status_code == 200, f"GET {location} is answered with {found.status_code}"
    assert found.content == response.content, f"GET {location} brings something else than the {case.method}"
    expected = [found.headers["etag"]] if case.method == "POST" else None
    assert response.headers.get("etag") == expected, f"the {case.method} has another ETag than GET {location}"


@schemathesis.check
def repeated_write_is_replayed(ctx, response, case):
    """The same write under the same key is not done again, and is answered as before."""
    if "Idempotency-Key" not in response.request.headers or response.status_code not in (201, 202):
        return
    with requests.Session() as session:
        again = session.send(response.request, timeout=30)
    assert again.status_code == response.status_code, f"repeated, it is answered with {again.status_code}"
    assert again.headers.get("idempotency-replayed") == "true", "repeated, it is not marked as a replay"
    assert again.content == response.content, "repeated, it brings something else"
