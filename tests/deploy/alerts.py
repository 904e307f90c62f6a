"""Checks the alerts of deploy/azure/alerts: duckdb-kql runs each query on rows that must raise it and on rows that must not. The tables have the columns of
https://learn.microsoft.com/azure/azure-monitor/reference/tables/containerlogv2 and …/kubepodinventory. The lines are the component's (docs/alerts.md).
"""

import re
from pathlib import Path

import duckdb_kql

FOLDER = Path("deploy/azure/alerts")
HOUR = 60


def line(event, pod="customer-api-5d8f-x", namespace="customer-api", reason="bridge status 500"):
    return "ContainerLogV2", (0, namespace, pod, f'{{"event":"{event}","reason":"{reason}","correlation_id":"0f8fad5b-d9cb-469f-a165-70867728950e"}}')


def pod(minutes=0, name="customer-api-5d8f-x", restarts=0, age=HOUR, status="Running", kind="ReplicaSet", namespace="customer-api"):
    """Gives the row of a pod `minutes` ago, when the pod was `age` minutes old."""
    return "KubePodInventory", (minutes, namespace, name, f"uid/{name}", restarts, minutes + age, kind, status)


def purge(hours, status="Succeeded"):
    return pod(name="purge-1-x", age=hours * HOUR, kind="Job", status=status)


SINCE_DAYS = pod(minutes=47 * HOUR, age=100 * HOUR)
# (rows that raise it, rows that do not)
CASES = {
    "given-up": ([[line("give_up")]], [[line("retry")], [line("give_up", pod="dab-1")], [line("give_up", namespace="other")], [("ContainerLogV2", (0, "customer-api", "customer-api-1", "no JSON"))]]),
    "set-up-wrongly": ([[line("misconfigured")], [line("contract_broken")]], [[line("give_up")]]),
    "not-ready": ([[line("not_ready")]], [[line("retry")]]),
    "many-retries": ([[line("retry")] * 101], [[line("retry")] * 100]),
    # One restart at a pod's first start is usual: two that start at once on a node.
    "restarts": ([[pod(10), pod(0, restarts=1)], [pod(10, name="dab-1-x"), pod(0, name="dab-1-x", restarts=2)]], [[pod(10, restarts=1), pod(0, restarts=1)], [pod(2, age=1), pod(1, age=2, restarts=1)], [pod(10, namespace="other"), pod(0, restarts=1, namespace="other")]]),
    "not-running": ([[pod(minutes, status="Pending") for minutes in range(6)]], [[pod(minutes, status="Pending") for minutes in range(5)], [*(pod(minutes, status="Pending") for minutes in range(6)), pod()]]),
    "ledger-not-purged": ([[SINCE_DAYS], [SINCE_DAYS, purge(2, "Failed")], [SINCE_DAYS, purge(40)]], [[SINCE_DAYS, purge(2)], [pod()], []]),
}


def problems():
    queries = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.kql")}
    if queries.keys() != CASES.keys():
        yield f"{FOLDER} has {sorted(queries)}, and there are rows for {sorted(CASES)}"
    for name in queries.keys() & CASES.keys():
        for raised, cases in zip((True, False), CASES[name]):
            for rows in cases:
                try:
                    found = run(queries[name], rows)
                except duckdb_kql.KqlError as error:
                    yield f"{name}: {error}"
                    continue
                if bool(found) != raised:
                    yield f"{name}: {found or 'nothing'} of {rows[:2]}"
    bicep = Path("deploy/azure/monitoring.bicep").read_text(encoding="utf-8")
    used = re.findall(r"name: '([a-z-]+)'\n    text: .*\n    query: loadTextContent\('alerts/([a-z-]+)\.kql'\)", bicep)
    if {each for pair in used for each in pair} != queries.keys():
        yield f"monitoring.bicep has alerts for {sorted(used)}"
    for name, text in queries.items():
        if re.search(r'event == "request"|"info"', text):
            yield f"{name} needs lines that the default log level leaves out"


def run(query, rows):
    connection = duckdb_kql.connect()
    connection.sql("CREATE TABLE ContainerLogV2 (TimeGenerated TIMESTAMP, PodNamespace VARCHAR, PodName VARCHAR, LogMessage VARCHAR)")
    connection.sql("CREATE TABLE KubePodInventory (TimeGenerated TIMESTAMP, Namespace VARCHAR, Name VARCHAR, ContainerName VARCHAR, ContainerRestartCount INTEGER, PodCreationTimeStamp TIMESTAMP, ControllerKind VARCHAR, PodStatus VARCHAR)")
    ago = "now()::TIMESTAMP - to_minutes(CAST(? AS BIGINT))"
    for table, values in rows:
        places = f"{ago}, ?, ?, ?" if table == "ContainerLogV2" else f"{ago}, ?, ?, ?, ?, {ago}, ?, ?"
        connection.execute(f"INSERT INTO {table} VALUES ({places})", values)
    return duckdb_kql.kql(connection, query).fetchall()
