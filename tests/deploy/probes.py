"""Plays the kubelet, which reads a container's probes while the programs that the container needs stop and start."""

import tomllib
from pathlib import Path

ANSWERS = tomllib.loads(Path(__file__).with_name("answers.toml").read_text(encoding="utf-8"))
MINUTE = 60


def course(probes, program, *acts):
    """Runs `probes` ({"startup", "liveness", "readiness": Kubernetes' probe}) through acts, each (state of answers.toml, seconds).

    The container starts with the first. Returns the seconds of each act during which it was in its Service, and how often it was restarted.
    """
    states = ANSWERS[program]
    ends, total = [], 0
    for state, seconds in acts:
        total += seconds
        ends.append((total, states[state]))
    served, restarts, now = [0] * len(acts), 0, 0
    began = Counters(probes, 0)
    # In tenths of a second, which is finer than any setting of a probe.
    for tick in range(total * 10):
        now = tick / 10
        act, answers = next((number, answers) for number, (end, answers) in enumerate(ends) if now < end)
        if began.step(now, answers):
            restarts += 1
            began = Counters(probes, now)
        served[act] += began.ready
    return [tenths / 10 for tenths in served], restarts


class Counters:
    """One life of a container."""

    def __init__(self, probes, began):
        self.probes = probes
        self.due = {name: began + probe.get("initialDelaySeconds", 0) for name, probe in probes.items()}
        self.failures = dict.fromkeys(probes, 0)
        self.pending = {}
        self.started = "startup" not in probes
        # Without a readiness probe a container that has started is ready.
        self.ready = self.started and "readiness" not in probes

    def step(self, now, answers):
        """Says if the kubelet restarts the container now."""
        for name, probe in self.probes.items():
            if self.started == (name == "startup"):
                continue
            if name in self.pending and now >= self.pending[name][0]:
                if self.end(name, probe, self.pending.pop(name)[1]):
                    return True
            if now >= self.due[name]:
                # The next one begins a period later, and never before this one has ended.
                self.due[name] = now + max(probe.get("periodSeconds", 10), self.ask(name, probe, answers, now))
        return False

    def ask(self, name, probe, answers, now):
        status, seconds = answers["tcp" if "tcpSocket" in probe else probe["httpGet"]["path"]]
        limit = probe.get("timeoutSeconds", 1)
        self.pending[name] = now + min(seconds, limit), seconds < limit and 200 <= status < 400
        return min(seconds, limit)

    def end(self, name, probe, passed):
        if passed:
            self.failures[name] = 0
            if name == "startup":
                self.started = True
                self.due = {other: self.due["startup"] for other in self.probes}
            if name == "readiness" or "readiness" not in self.probes:
                self.ready = self.started
            return False
        self.failures[name] += 1
        if self.failures[name] < probe.get("failureThreshold", 3):
            return False
        if name == "readiness":
            self.ready = False
            return False
        return True


def api_problems(probes):
    """Checks the API's probes, in words of the course above."""
    (_, away, back), restarts = course(probes, "api", ("well", MINUTE), ("database-away", 10 * MINUTE), ("well", MINUTE))
    yield from unless(away == 600 and back == 60, f"API: in its Service for {away:g} of the 600 seconds without a database")
    yield from unless(restarts == 0, f"API: {restarts} restarts without a database")
    (served,), _ = course(probes, "api", ("database-away", MINUTE))
    yield from unless(served > 0, "API: a new pod is not ready within a minute when the database is unavailable: a rollout would hang")
    (_, late), restarts = course(probes, "api", ("well", MINUTE), ("hung", 2 * MINUTE))
    yield from unless(late < 120 and restarts > 0, "API: one that hangs is neither taken out of its Service nor restarted within two minutes")


def full_problems(probes):
    """Checks the probes while all of Spin's instances wait for the database, and so none is left for a probe."""
    (_, full, back), restarts = course(probes, "api", ("well", MINUTE), ("full", 10 * MINUTE), ("well", MINUTE))
    yield from unless(full == 600 and back == 60, f"API: in its Service for {full:g} of the 600 seconds that its requests wait for the database")
    yield from unless(restarts == 0, f"API: {restarts} restarts while its requests wait for the database")


def dab_problems(probes):
    """The same for Data API Builder."""
    (first, away, back), restarts = course(probes, "dab", ("well", MINUTE), ("database-away", 10 * MINUTE), ("well", MINUTE))
    yield from unless(first > 0, "Data API Builder: not ready within a minute")
    yield from unless(away == 600 and back == 60, f"Data API Builder: in its Service for {away:g} of the 600 seconds without a database")
    yield from unless(restarts == 0, f"Data API Builder: {restarts} restarts without a database")
    for name in ("liveness", "readiness"):
        yield from unless(probes[name]["httpGet"]["path"] == "/", f"Data API Builder: {name} asks the database, and a serverless one never sleeps")
    (_, late), restarts = course(probes, "dab", ("well", MINUTE), ("hung", 2 * MINUTE))
    yield from unless(late < 120 and restarts > 0, "Data API Builder: one that hangs is not restarted within two minutes")
    for state in ("unusable-configuration", "other-version", "ended", "database-away"):
        (served,), _ = course(probes, "dab", (state, 10 * MINUTE))
        yield from unless(served == 0, f"Data API Builder: ready with {state} from its start")
    (_, served), _ = course(probes, "dab", ("database-away", 10 * MINUTE), ("well", 5 * MINUTE))
    yield from unless(served > 0, "Data API Builder: not ready five minutes after its first database")


def unless(condition, problem):
    if not condition:
        yield problem


# Probes that the manifests once had. A test that takes them for right tests nothing.
API_ONCE = {
    "liveness": {"httpGet": {"path": "/healthz"}},
    "readiness": {"httpGet": {"path": "/readyz"}, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 12},
}
API_BY_HTTP = {
    "liveness": {"httpGet": {"path": "/healthz"}, "timeoutSeconds": 2},
    "readiness": {"httpGet": {"path": "/healthz"}, "periodSeconds": 5, "timeoutSeconds": 2},
}
DAB_ONCE = {
    "startup": {"httpGet": {"path": "/health"}, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 24},
    "liveness": {"httpGet": {"path": "/"}, "timeoutSeconds": 5},
    "readiness": {"httpGet": {"path": "/api/ready"}, "timeoutSeconds": 5, "failureThreshold": 6},
}
if not list(api_problems(API_ONCE)) or not list(full_problems(API_BY_HTTP)) or not list(dab_problems(DAB_ONCE)):
    raise SystemExit("error: tests/deploy/probes.py takes probes for right that are known to be wrong")
