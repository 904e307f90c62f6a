"""The client programs of examples/, run against an API that fails on purpose: their retries, keys, tags and pages are seen from its side."""

import json
import os
import re
import shutil
import subprocess
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COUNT, PAGE = 663, 250
RETRY_AFTER = 1


class Api(BaseHTTPRequestHandler):
    """One customer that comes and goes, and a list, with three faults. The first attempt at each write is done and then answered with 503.
    The first read of the second page breaks off. Another client changes the customer before the first PATCH."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        key = self.headers.get("Idempotency-Key")
        seen = {"method": self.command, "path": self.path, "key": key, "tag": self.headers.get("If-Match"), "body": body, "at": time.monotonic(), "api_key": self.headers.get("x-api-key")}
        self.server.seen.append(seen)
        if self.command == "GET":
            return self.read()
        done = self.server.done
        if key not in done:
            done[key] = self.write(body)
            if done[key][0] < 400:
                return self.answer(503, {"Retry-After": str(RETRY_AFTER)}, '{"title":"later"}')
        return self.answer(*done[key])

    do_GET = do_PUT = do_PATCH = do_DELETE = do

    def read(self):
        if page := re.fullmatch(r"/customers\?(?:after=(\d+)&)?limit=250", self.path):
            after = int(page[1] or 0)
            if after == PAGE and not self.server.broken:
                self.server.broken = True
                self.close_connection = True
                return self.connection.close()
            last = min(after + PAGE, COUNT)
            link = {"Link": f'<?after={last}&limit=250>; rel="next"'} if last < COUNT else {}
            return self.answer(200, link, json.dumps([{"CustomerID": number, "CustomerName": "Ann"} for number in range(after + 1, last + 1)], separators=(",", ":")))
        shown = self.server.shown
        if self.path == "/customer/123":
            return self.answer(200, {"ETag": '"first"'}, shown[0])
        return self.answer(200, {"ETag": f'"{self.server.version}"'}, shown[1])

    def write(self, body):
        server = self.server
        if self.command == "PUT":
            return 201, {"Location": "customer/1062"}, server.shown[1]
        if self.command == "PATCH":
            if not server.changed:
                server.changed, server.version = True, "changed-by-another"
            if self.headers.get("If-Match") != f'"{server.version}"':
                return 412, {}, '{"title":"changed"}'
            return 202, {}, server.shown[2]
        return 202, {}, server.shown[3]

    def answer(self, status, headers, text):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(text.encode())), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())


def programs(root):
    """Name and command of each client; the command is None where its language is not installed."""
    folder = root / "examples"
    for name, tool, command in (
        ("curl.sh", "bash", ["bash", folder / "curl.sh"]),
        ("python.py", "python3", ["python3", folder / "python.py"]),
        ("javascript.mjs", "node", ["node", folder / "javascript.mjs"]),
        ("powershell.ps1", "pwsh", ["pwsh", folder / "powershell.ps1"]),
        ("csharp", "dotnet", ["dotnet", "run", "--project", folder / "csharp", "--"]),
    ):
        yield name, tool, command if shutil.which(tool) else None



def run(root, command):
    """The faults of one client."""
    shown = (root / "examples/README.md").read_text(encoding="utf-8").partition("```text\n")[2].partition("\n```")[0].splitlines()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    server.shown, server.seen, server.done = shown, [], {}
    server.broken = server.changed = False
    server.version = "second"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        done = subprocess.run([*command, f"http://127.0.0.1:{server.server_port}"], capture_output=True, text=True, timeout=120, env=os.environ | {"API_KEY": "secret"})
    finally:
        server.shutdown()
    if done.returncode or done.stdout.split("\n") != [*shown, ""]:
        yield f"ended with {done.returncode}; printed {done.stdout!r} {done.stderr[-800:]!r}"
        return
    if not server.broken or not server.changed:
        yield "the faults were not met"
    if any(request["api_key"] != "secret" for request in server.seen):
        yield "a request had no x-api-key"
    yield from writes(server.seen)


def writes(seen):
    attempts = {}
    for request in seen:
        if request["method"] != "GET":
            attempts.setdefault(request["key"], []).append(request)
    for key, requests in attempts.items():
        try:
            uuid.UUID(key)
        except (TypeError, ValueError):
            yield f"{key!r} is no UUID"
        if any({name: request[name] for name in ("method", "path", "body", "tag")} != {name: requests[0][name] for name in ("method", "path", "body", "tag")} for request in requests):
            yield f"the repetition of {requests[0]['method']} was another request"
        if len(requests) > 1 and requests[1]["at"] - requests[0]["at"] < RETRY_AFTER:
            yield f"{requests[0]['method']} was repeated before Retry-After"
    # PUT, the PATCH that was refused, the PATCH that was done, DELETE.
    if [len(requests) for requests in attempts.values()] != [2, 1, 2, 2]:
        yield f"attempts for each key: {[len(requests) for requests in attempts.values()]}"

