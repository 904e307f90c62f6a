"""Facts of the API that schemathesis cannot know, and checks that it does not have."""

import copy
import itertools
import json
import os
from urllib.parse import unquote, urlencode, urljoin, urlsplit

import jsonschema_rs
import requests
import schemathesis
from columns import fit, fresh, is_excusable
from schemathesis.openapi.checks import RejectedPositiveData

FORM = "application/x-www-form-urlencoded"
KEY = {"type": "string", "maxLength": 255}

TURNS = itertools.count()
# The keys of rows that were created, each a list of its parts, by what is before them in the path.
ROWS = {}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """With an API key set, nothing passes without: the document's alternative of no credentials is taken out."""
    if os.environ.get("FUZZ_PROTECTED"):
        raw_schema["security"].remove({})


@schemathesis.serializer(FORM)
def form(ctx, value):
    """Values other than text travel as JSON, as `encoding` in openapi.json says; schemathesis would spread it over fields."""
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
    # Short values are made up again and again, but a key stands for one request.
    if headers.get("Idempotency-Key") and broken != "Idempotency-Key":
        headers["Idempotency-Key"] = fresh("Idempotency-Key", headers["Idempotency-Key"], KEY)
    # Three of four requests are about a row that is there, and have only what a column can keep. Sequences have their own rows.
    turn = next(TURNS)
    parameters = list(case.operation.path_parameters if turn % 4 and meta and meta.phase.name.value != "stateful" else ())
    rows = ROWS.get(case.operation.path.partition("/{")[0]) or [[one.definition.get("example") for one in parameters]]
    for parameter, key in zip(parameters, rows[turn % len(rows)]):
        if broken != parameter.name and key is not None:
            case.path_parameters[parameter.name] = int(key) if parameter.definition["schema"]["type"] == "integer" else key
    case.body, varied = copy.deepcopy(case.body), set()
    for field, name, schema, row in members(case, case.body):
        if turn % 4:
            row[name] = None if "x-reference" in schema and "null" in schema["type"] else fit(schema, row[name])
            if row[name] is None:
                continue
        # Of values that are unique together, one that is new is enough. Values that refer to rows cannot be made up.
        unique = schema.get("x-unique", [])
        if "x-reference" not in schema and (unique is True or unique and not varied.intersection(unique)):
            varied.add(name)
            row[name] = fresh(f"{case.operation.tags} {field}", row[name], schema)


@schemathesis.hook
def after_call(context, case, response):
    """Remembers what was created, and forgets what was deleted."""
    [location] = response.headers.get("location", [""])
    _, name, *parts = urlsplit(urljoin(response.request.url, location)).path.split("/")
    rows, key = ROWS.setdefault(f"/{name}", []), [unquote(part) for part in parts]
    if response.status_code == 201:
        rows.append(key)
    elif response.status_code == 202 and case.method == "DELETE" and key in rows:
        rows.remove(key)


def members(case, body):
    """The members of the row in a request that are valid by themselves: field, as in problems, name, schema, and the object."""
    schemas = [content.definition["schema"] for content in case.operation.body if content.media_type == case.media_type]
    places = [("", jsonschema_rs.dereference(schema), body) for schema in schemas]
    if case.media_type == FORM and places:
        # The row is a field of the form.
        [(name, schema)] = places[0][1]["properties"].items()
        places = [("", schema, body.get(name) if isinstance(body, dict) else None)]
    for prefix, schema, row in places:
        for name, schema in schema.get("properties", {}).items() if isinstance(row, dict) else ():
            if "properties" in schema:
                places.append((f"{prefix}{name}.", schema, row.get(name)))
            elif row.get(name) is not None and jsonschema_rs.is_valid(schema, row[name]):
                yield prefix + name, name, schema, row


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keeps all but 400 and 422 for what JSON Schema cannot state, and 422 for keys that an earlier run had."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code not in (400, 422):
        return True
    if response.status_code == 400:
        values = {**case.path_parameters, **case.query}
        parameters = itertools.chain(case.operation.path_parameters, case.operation.query)
        return not any(is_excusable(one.definition["schema"], values[one.name]) for one in parameters if one.name in values)
    problem = response.json()
    if "errors" not in problem:
        return problem["detail"] != "This idempotency key was already used for a different request."
    excused = {field for field, name, schema, row in members(case, case.body) if is_excusable(schema, row[name])}
    return {error["field"] for error in problem["errors"]} != excused


@schemathesis.check
def created_row_is_there(ctx, response, case):
    """The new row is where `Location` says, as the answer showed it, and in the version of the answer to a POST."""
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
