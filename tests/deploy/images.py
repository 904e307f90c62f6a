"""deploy/images lists what the manifests deploy, and asks a registry as the distribution specification says."""

import importlib.machinery
import importlib.util
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DIGEST = "sha256:" + "5" * 64


def program():
    loader = importlib.machinery.SourceFileLoader("images", "deploy/images")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("images", loader))
    loader.exec_module(module)
    return module


class Registry(BaseHTTPRequestHandler):
    """A registry that requires a token, as the public ones do."""

    def do_HEAD(self):
        allowed = self.headers.get("authorization") == "Bearer a-token" and "oci.image.index" in self.headers["accept"]
        self.send_response(200 if allowed else 401)
        if not allowed:
            self.send_header("www-authenticate", f'Bearer realm="http://{self.headers["host"]}/token",service="a-service"')
        self.send_header("docker-content-digest", DIGEST)
        self.end_headers()

    def do_GET(self):
        self.send_response(200 if self.path == "/token?service=a-service&scope=repository:a/name:pull" else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"token": "a-token"}).encode())

    def log_message(self, *_):
        pass


def problems(deployed):
    """`deployed`: the images of the manifests."""
    images = program()
    listed = images.found()
    for image in deployed:
        if image not in listed and not images.OURS.search(image):
            yield f"deploy/images leaves {image} out"
    wanted = {
        "otel/opentelemetry-collector:0.158.0": ("docker.io", "otel/opentelemetry-collector", "0.158.0", ""),
        "docker.io/library/nginx@sha256:ab": ("docker.io", "library/nginx", "", "sha256:ab"),
        "ghcr.io/a/b:v1@sha256:ab": ("ghcr.io", "a/b", "v1", "sha256:ab"),
        "alpine:3": ("docker.io", "library/alpine", "3", ""),
    }
    for reference, parts in wanted.items():
        if images.parts(reference) != parts:
            yield f"{reference} is {images.parts(reference)}"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        digest = images.asked(f"127.0.0.1:{server.server_port}", "a/name", "1")
    except OSError as error:
        digest = error
    server.shutdown()
    if digest != DIGEST:
        yield f"a registry that requires a token gives {digest}"
