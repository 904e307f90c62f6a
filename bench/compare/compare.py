"""Starts the subjects, measures them in alternation, and has the report written. bench/compare/run calls it."""

import argparse
import contextlib
import json
import os
import sqlite3
import subprocess
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import report
from subjects import Subjects, fail, say

HERE = Path(__file__).parent
OPERATIONS = {"get": "GET one", "list": "GET list", "put": "PUT", "patch": "PATCH"}
# The lengths of lists, and the value of `limit` that stands for each.
LISTS = {"10 KB": (10_000, 1), "100 KB": (100_000, 10), "1 MB": (1_000_000, 100), "10 MB": (10_000_000, 1000)}
LIST_CONNECTIONS = 4
# The number of single requests that time the first byte of each list.
FETCHES = 50


def wrk(subject, operation, tag, seconds, connections, limit=100):
    """One run of wrk; what it counts, and the highest resident memory of the subject meanwhile."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", HERE / "requests.lua"]
    command += [subject.url, "--", operation, subject.paths, subject.bodies, tag, str(limit)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    peak, done = 0, threading.Event()

    def watch():
        nonlocal peak
        while not done.wait(0.1):
            peak = max(peak, subject.resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, _ = process.communicate()
    done.set()
    watcher.join()
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if process.returncode or not lines:
        fail(f"wrk against {subject.name}:\n{output}")
    result = json.loads(lines[-1])
    if result["errors"] or not result["requests"]:
        fail(f"{subject.name}, {operation}: {result['errors']} errors in {result['requests']} requests:\n{output}{subject.log()}")
    subject.peak = max(subject.peak, peak)
    return result | {"peak": peak, "rate": result["requests"] / result["seconds"]}


@contextlib.contextmanager
def own_core(upstream, subjects):
    """Runs the upstream and this thread on a separate core and the other subjects on the rest, as if on another machine. A
    subject that shares a core with its upstream would wait until the upstream has written all that the sockets take. This
    thread runs as soon as it has something to read. Returns true if the system has the cores for that and allows it.
    """
    cores = os.sched_getaffinity(0)
    if len(cores) < 2:
        yield False
        return
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        yield False
        return
    first = {min(cores)}
    for subject in subjects:
        subject.pin(first if subject is upstream else cores - first)
    os.sched_setaffinity(0, first)
    try:
        yield True
    finally:
        os.sched_setaffinity(0, cores)
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def get(subject, api, dab):
    """The body of an answer, and the seconds until its first byte."""
    url = urlsplit(subject.url)
    connection = HTTPConnection(url.hostname, url.port, timeout=30)
    connection.connect()
    begin = time.perf_counter()
    connection.request("GET", dab if subject.paths == "dab" else api)
    response = connection.getresponse()
    first = response.read(1)
    elapsed = time.perf_counter() - begin
    body = first + response.read()
    connection.close()
    if response.status != 200:
        fail(f"{subject.name} answers {response.status}: {body[:300]!r}\n{subject.log()}")
    return body, elapsed


def fetch(subject, api, dab):
    """Returns the rows of a GET, without the envelope."""
    value = json.loads(get(subject, api, dab)[0])
    return json.loads(value["value"][0]["Json"]) if subject.enveloped else value


def check(subjects):
    """All of them must answer the same before they are compared."""
    for api, dab in [
        ("/customer/123", "/api/get_customer?CustomerID=123"),
        ("/customers?limit=100", "/api/get_customers?Limit=100"),
    ]:
        answers = [fetch(subject, api, dab) for subject in subjects]
        for subject, answer in zip(subjects, answers):
            if answer != answers[0] or not answer:
                fail(f"{subject.name} answers {api} otherwise than {subjects[0].name}")


def in_turn(round, subjects):
    """Every other round begins at the other end, so that nobody is always measured later."""
    return subjects[::-1] if round % 2 else subjects


def writes(database):
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT count(*) FROM web_Requests").fetchone()[0]


def measure_operations(subjects, database, options):
    """Results by operation and subject, one for each round."""
    results = {(operation, subject.name): [] for operation in OPERATIONS for subject in subjects}
    for round in range(options.rounds + 1):
        say(f"round {round} of {options.rounds}" if round else "warm-up")
        for operation in OPERATIONS:
            for number, subject in in_turn(round, list(enumerate(subjects))):
                before = writes(database)
                tag = f"{operation}-{round}-{number}"
                result = wrk(subject, operation, tag, options.seconds if round else 1, options.connections)
                if operation in ("put", "patch") and writes(database) - before < result["requests"]:
                    fail(f"{subject.name}, {operation}: fewer writes in the ledger than were acknowledged")
                if round:
                    results[operation, subject.name].append(result)
    return results


def write_lists(folder):
    """The envelope of a list for each length; the lengths of the lists themselves, by `limit`."""
    folder.mkdir()
    lengths = {}
    for length, limit in LISTS.values():
        rows, size = [], 2
        while size < length:
            rows.append(f'{{"CustomerID":{len(rows) + 1},"CustomerName":"Tailspin Toys (Roe Park, NY) {len(rows) + 1}"}}')
            size += len(rows[-1]) + 1
        text = f"[{','.join(rows)}]"
        lengths[limit] = len(text)
        (folder / f"{limit}.json").write_text(json.dumps({"value": [{"Status": 200, "Json": text}]}, separators=(",", ":")))
    return lengths


def targets(limit):
    return f"/customers?limit={limit}", f"/api/get_customers?Limit={limit}"


def measure_lists(subjects, lengths, options):
    """Results by length and subject, one for each round. What is read of an answer counts, also when it is not yet whole."""
    results = {(name, subject.name): [] for name in LISTS for subject in subjects}
    for round in range(options.rounds + 1):
        say(f"long lists, round {round} of {options.rounds}" if round else "long lists, warm-up")
        for name, (_, limit) in LISTS.items():
            for subject in in_turn(round, subjects):
                if not round:
                    answer = fetch(subject, *targets(limit))
                    if len(json.dumps(answer, separators=(",", ":"))) != lengths[limit]:
                        fail(f"{subject.name} does not bring the whole list of {name}")
                    continue
                result = wrk(subject, "list", "list", options.seconds, LIST_CONNECTIONS, limit)
                sent = os.path.getsize(options.lists / f"{limit}.json") if subject.enveloped else lengths[limit]
                result["mb_per_s"] = result["bytes"] / sent * lengths[limit] / result["seconds"] / 1e6
                results[name, subject.name].append(result)
    return results


def measure_first_bytes(upstream, subjects, options):
    """Milliseconds by length and subject, one for each fetch."""
    results = {(name, subject.name): [] for name in LISTS for subject in subjects}
    say("long lists, first bytes")
    shortest = targets(min(limit for _, limit in LISTS.values()))
    with own_core(upstream, subjects) as options.own_core:
        for _ in range(FETCHES):
            for subject in subjects:
                for name, (_, limit) in LISTS.items():
                    # The shortest list comes before each measurement, because a long list leaves other things in the caches.
                    get(subject, *shortest)
                    results[name, subject.name].append(get(subject, *targets(limit))[1] * 1e3)
    return results


def main():
    parser = argparse.ArgumentParser(prog="bench/compare/run")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--output", type=Path, default=Path("docs"), help="folder of performance.md and performance.svg")
    parser.epilog = "LOCAL=<file> is the local stack's program (else an optimised one), SPIN=<file> a Spin to measure as well"
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with Subjects() as subjects:
        database = subjects.start_bridge()
        compared = subjects.for_operations(options.connections)
        check(compared)
        for subject in compared:
            subject.idle = subject.resident()
        operations = measure_operations(compared, database, options)
    with Subjects() as subjects:
        options.lists = subjects.folder / "lists"
        lengths = write_lists(options.lists)
        subjects.start_static(options.lists)
        streaming = subjects.for_lists()
        for subject in streaming:
            subject.idle = subject.resident()
        lists = measure_lists(streaming, lengths, options)
        first_bytes = measure_first_bytes(subjects.static, streaming, options)
    report.write(options, load, OPERATIONS, compared, operations, LISTS, LIST_CONNECTIONS, streaming, lists, first_bytes)
    say(f"{options.output / 'performance.md'} and {options.output / 'performance.svg'} written")


if __name__ == "__main__":
    main()
