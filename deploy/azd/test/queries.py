"""Runs the queries of deploy/azd/monitoring on lines as the component and the purge write them, with a KQL engine (duckdb-kql, on DuckDB)."""

import datetime
import json
import re
from pathlib import Path

import duckdb_kql

FOLDER = Path("deploy/azd/monitoring")
BICEP = Path("deploy/azd/monitoring.bicep")
# The columns that the queries may use: https://learn.microsoft.com/azure/container-apps/log-monitoring and
# https://learn.microsoft.com/azure/azure-monitor/reference/tables/azuremetrics.
TABLES = """
CREATE TABLE ContainerAppConsoleLogs_CL (TimeGenerated TIMESTAMP, ContainerAppName_s VARCHAR, ContainerJobName_s VARCHAR, ContainerName_s VARCHAR,
    ContainerGroupName_s VARCHAR, RevisionName_s VARCHAR, Stream_s VARCHAR, Log_s VARCHAR);
CREATE TABLE AzureMetrics (TimeGenerated TIMESTAMP, Resource VARCHAR, ResourceProvider VARCHAR, MetricName VARCHAR, TimeGrain VARCHAR, Total DOUBLE);
"""
ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def request(status, route="/customer/{id}", microseconds=107000):
    return {"event": "request", "method": "GET", "route": route, "status": status, "duration_us": microseconds, "attempts": 2, "correlation_id": ID}


GIVE_UP = {"event": "give_up", "procedure": "get_customer", "attempt": 3, "reason": "bridge status 500", "correlation_id": ID}
RETRY = {"event": "retry", "procedure": "get_customer", "attempt": 1, "reason": "bridge status 500", "delay_ms": 104, "correlation_id": ID}
NOT_READY = {"event": "not_ready", "reason": "attempt timeout", "correlation_id": ID}
BROKEN = {"event": "contract_broken", "procedure": "get_customer", "reason": "no column Status", "correlation_id": ID}
WRONG = {"event": "misconfigured", "reason": "log_level must be off, error, warn or info", "correlation_id": ID}
# Lines of Spin itself, and of Data API Builder.
SPIN = "Serving http://0.0.0.0:3000"
DAB = "info: Azure.DataApiBuilder.Service.Startup[0]"


class Logs:
    """A workspace. Lines and counts are so many minutes old."""

    def __init__(self):
        self.connection = duckdb_kql.connect()
        self.connection.execute(TABLES)
        self.line(1, SPIN)
        self.line(1, DAB, container="dab")

    def at(self, minutes):
        return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(minutes=minutes)

    def line(self, minutes, line, times=1, container="api", name="customer-api"):
        text = line if isinstance(line, str) else json.dumps(line)
        for _ in range(times):
            self.connection.execute(
                "INSERT INTO ContainerAppConsoleLogs_CL VALUES (?, ?, NULL, ?, 'customer-api--x-y', 'customer-api--x', 'stderr', ?)",
                [self.at(minutes), name, container, text])
        return self

    def purged(self, minutes, line):
        self.connection.execute(
            "INSERT INTO ContainerAppConsoleLogs_CL VALUES (?, NULL, 'customer-api-purge', 'purge', 'customer-api-purge-1-y', NULL, 'stdout', ?)",
            [self.at(minutes), line])
        return self

    def requests(self, minutes, count):
        """So many, in one minute."""
        self.connection.execute("INSERT INTO AzureMetrics VALUES (?, 'CUSTOMER-API', 'MICROSOFT.APP', 'Requests', 'PT1M', ?)", [self.at(minutes), count])
        return self

    def ask(self, query):
        cursor = duckdb_kql.query(self.connection, query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]


def rules():
    """The alert rules of monitoring.bicep: name → query, as Bicep puts it together."""
    text = BICEP.read_text(encoding="utf-8")
    found = re.findall(r"name: '([\w-]+)'\n(?:    [^\n]*\n)*?    given: '([^']*)'\n    query: loadTextContent\('monitoring/([\w-]+)\.kql'\)", text)
    return {name: f"{given}\n{(FOLDER / f'{query}.kql').read_text(encoding='utf-8')}" for name, given, query in found}


def panels():
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.kql"))}


# Workspaces in which each rule fires or stays silent: (fires, workspace).
def cases():
    yield "burn-fast", True, Logs().line(3, request(503), 20).requests(3, 500).requests(50, 500)
    yield "burn-fast", False, Logs().line(40, request(503), 20).requests(3, 500).requests(40, 500)
    # 1 percent: the budget of 30 days in three, which burn-slow reports.
    yield "burn-fast", False, Logs().line(3, request(503), 10).requests(3, 1000)
    yield "burn-slow", True, Logs().line(3, request(503), 10).requests(3, 1000)
    yield "burn-fast", False, Logs().line(3, request(503)).requests(3, 500).requests(40, 500)
    yield "burn-fast", False, Logs().line(3, request(404), 50).requests(3, 500)
    yield "burn-fast", True, Logs().line(3, request(504), 3)
    yield "burn-fast", False, Logs().line(3, request(503), 20, name="another-app").requests(3, 500)
    yield "burn-slow", True, Logs().line(20, request(503), 20).line(200, request(503), 20).requests(20, 1000).requests(200, 4000)
    yield "burn-slow", False, Logs().line(200, request(503), 40).requests(20, 1000).requests(200, 4000)
    yield "burn-slow", False, Logs().line(20, request(503), 4).requests(20, 1000).requests(200, 4000)
    yield "given-up", True, Logs().line(2, GIVE_UP)
    yield "given-up", False, Logs().line(2, RETRY).line(2, request(200))
    yield "set-up-wrongly", True, Logs().line(2, BROKEN)
    yield "set-up-wrongly", True, Logs().line(2, WRONG)
    yield "set-up-wrongly", False, Logs().line(2, NOT_READY)
    yield "not-ready", True, Logs().line(2, NOT_READY)
    yield "not-ready", False, Logs().line(2, GIVE_UP)
    yield "retries", True, Logs().line(2, RETRY, 11).requests(2, 100)
    yield "retries", False, Logs().line(2, RETRY, 10).requests(2, 100)
    yield "ledger", True, Logs()
    yield "ledger", False, Logs().purged(600, "12 167")
    yield "ledger", False, Logs().purged(600, "0 0")
    yield "ledger", True, Logs().purged(600, "0 193")
    yield "ledger", True, Logs().purged(600, "Login failed for user '<token-identified principal>'.")


def problems():
    known = rules()
    tried = set()
    for name, fires, logs in cases():
        if name not in known:
            yield f"{BICEP} has no rule {name}"
            continue
        tried.add((name, fires))
        rows = logs.ask(known[name])
        if bool(rows) != fires:
            yield f"{name} {'does not fire' if fires else 'fires'}: {rows}"
    for name in known:
        if {(name, True), (name, False)} - tried:
            yield f"{name}: no case shows when it fires, and when not"
    busy = Logs().line(3, request(503), 2).line(3, request(200, microseconds=900000), 98).requests(3, 400).purged(600, "12 100")
    shown = {name: busy.ask(query) for name, query in panels().items() if name != "burn"}
    if [row["percent"] for row in shown["availability"]] != [99.5]:
        yield f"availability: {shown['availability']}"
    if [(row["route"], row["answers"]) for row in shown["failures"]] != [("/customer/{id}", 2)]:
        yield f"failures: {shown['failures']}"
    if [(row["route"], row["p99_ms"]) for row in shown["p99"]] != [("/customer/{id}", 900.0)]:
        yield f"p99: {shown['p99']}"
    if [(row["oldest_hours"], row["removed"]) for row in shown["oldest-key"]] != [(100, 12)]:
        yield f"oldest-key: {shown['oldest-key']}"
    text = BICEP.read_text(encoding="utf-8")
    unused = set(panels()) - set(re.findall(r"'monitoring/([\w-]+)\.kql'", text))
    if unused:
        yield f"nothing uses {unused}"
