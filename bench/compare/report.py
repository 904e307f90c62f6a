"""Writes the report of bench/compare/run: docs/performance.md and docs/performance.svg."""

import os
import subprocess
import textwrap
from statistics import median

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "performance"
matplotlib.rcParams["font.size"] = 9
import matplotlib.pyplot as plot  # noqa: E402, the settings must come first

from subjects import LOCAL, SPIN  # noqa: E402

MIB = 1024 * 1024


def middle(results, key):
    return median(result[key] for result in results)


def table(head, rows, texts=1):
    """Rows whose first columns are texts, and the others numbers."""
    lines = [head, ["---"] * texts + ["---:"] * (len(head) - texts), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def digits(value):
    """Three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(runs, base_runs, key):
    """The median of the rounds' ratios. Other work of the machine in a round slows both."""
    return f"{median(run[key] / base[key] for run, base in zip(runs, base_runs)):.2f}" if base_runs else "–"


def operation_table(operation, subjects, results):
    rows = []
    for subject in subjects:
        runs = results[operation, subject.name]
        spread = [run["rate"] for run in runs]
        row = [subject.name, f"{middle(runs, 'rate'):.0f}", f"{min(spread):.0f} to {max(spread):.0f}"]
        row += [ratio(runs, results.get((operation, base)), "rate") for base in (subject.bare, "nginx", "Flask twin")]
        rows.append(row + [digits(middle(runs, "p50_ms")), digits(middle(runs, "p99_ms"))])
    return table(["", "requests/s", "rounds", "× bare proxy", "× nginx", "× Flask", "p50 ms", "p99 ms"], rows)


def memory_table(subjects, connections):
    rows = [
        [
            subject.name,
            digits(subject.idle / MIB),
            digits(subject.peak / MIB),
            f"{max(0, subject.peak - subject.idle) / connections / 1024:.0f}",
        ]
        for subject in subjects
    ]
    return table(["", "idle MiB", "highest MiB", "KiB per concurrent request"], rows)


def list_rows(name, lists, subjects, results, first_bytes):
    rows = []
    for subject in subjects:
        runs, first = results[name, subject.name], median(first_bytes[name, subject.name])
        shortest = median(first_bytes[next(iter(lists)), subject.name])
        growth = max(run["peak"] for run in runs) - subject.idle
        rows.append(
            [name, subject.name, digits(middle(runs, "mb_per_s")), ratio(runs, results.get((name, "nginx")), "mb_per_s")]
            + [digits(first), f"{first / shortest:.2f}", digits(max(0, growth) / MIB)]
        )
    return rows


def host():
    lines = []
    folder = os.path.basename(os.path.dirname(os.path.realpath(LOCAL)))
    profile = "dev" if folder == "debug" else folder
    unoptimised = ", which leaves most of the host's dependencies unoptimised so that a first build is short" if folder == "debug" else ""
    lines.append(f"Local bridge and built-in host were built with Cargo's profile `{profile}`{unoptimised}.")
    if SPIN:
        version = subprocess.run([SPIN, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        lines.append(f"Spin is {version}.")
    else:
        lines.append("Spin was not measured; figures from Spin are in [performance-on-spin.md](performance-on-spin.md).")
    return " ".join(lines)


def filled(text):
    return textwrap.fill(text, 140, break_long_words=False, break_on_hyphens=False)


def share_of_bridge(operation, results, compared):
    """The share that this API reaches of the local bridge's own rate, in per cent, from its slowest build to its fastest."""
    rates = {subject.name: middle(results[operation, subject.name], "rate") for subject in compared}
    shares = [100 * rate / rates["local bridge"] for name, rate in rates.items() if name.startswith("this API")]
    return f"{min(shares):.0f} to {max(shares):.0f} %"


def span(values, form):
    """From the smallest to the largest, or one when they print alike."""
    texts = list(dict.fromkeys(form.format(value) for value in (min(values), max(values))))
    return " to ".join(texts)


def lead(results, compared):
    """The sentences at the top of the page."""
    apis = [subject for subject in compared if subject.name.startswith("this API")]

    def against(operation, base):
        pairs = [(results[operation, subject.name], results.get((operation, base or subject.bare))) for subject in apis]
        return [float(ratio(runs, base_runs, "rate")) for runs, base_runs in pairs if base_runs]

    rates = [middle(results["get", subject.name], "rate") for subject in apis]
    return (
        f"On one machine with the local bridge, this API answers {span(rates, '{:,.0f}')} reads of one customer a second. The Flask sample answers fewer: "
        f"this API has {span(against('get', 'Flask twin'), '{:.1f}')} times its rate. A component that only forwards the call is faster. This API has {span(against('get', None), '{:.2f}')} of its "
        f"rate for reads, and {span(against('put', None), '{:.2f}')} for writes."
    )


def chart(path, operations, subjects, results):
    figure, panels = plot.subplots(2, 2, figsize=(11, 5.5), layout="constrained")
    names = [subject.name for subject in subjects]
    colors = ["#3066be" if name.startswith("this API") else "#9aa5b1" for name in names]
    for panel, (operation, title) in zip(panels.flat, operations.items()):
        rates = [middle(results[operation, name], "rate") for name in names]
        bars = panel.barh(names, rates, color=colors)
        panel.bar_label(bars, fmt="%.0f", padding=3)
        panel.set_title(f"{title}: requests/s", loc="left")
        panel.invert_yaxis()
        panel.margins(x=0.15)
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def write(options, load, operations, compared, results, lists, list_connections, streaming, list_results, first_bytes):
    """Writes both files into the folder of the options."""
    path = options.output / "performance"
    chart(path.with_suffix(".svg"), operations, compared, results)
    cores = len(os.sched_getaffinity(0))
    setting = (
        f"The machine has {cores} cores, shared by wrk, the local bridge with its SQLite file, and the subject. {host()} The load average before the "
        f"run was {load:.1f}."
    )
    method = (
        f"Each figure is the median of {options.rounds} rounds of {options.seconds} s after a warm-up. Each of {options.connections} connections sends "
        "its next request after the last answer. A ratio is the median of the rounds' ratios. There were no errors, because the run ends at the first. "
        "Every write is a new one, and the ledger of the local bridge was counted after each measurement."
    )
    reading = (
        f"This API reaches {share_of_bridge('get', results, compared)} of the local bridge's own rate with GET one, and "
        f"{share_of_bridge('put', results, compared)} with PUT. The host, with two HTTP exchanges for each request, and the component take the rest."
    )
    parts = [
        f"""# Performance

{filled(lead(results, compared))}

![Requests per second of this API, the local bridge, nginx, a Flask twin and a bare proxy](performance.svg)

`make bench` writes this page. All subjects are measured in one run and in alternation, so that other programs on the machine slow all of them
equally. The [appendix](#appendix-all-figures) has all figures.

## What is measured

{filled(setting)}

{filled(method)}

- **local bridge**: wrk calls the local bridge itself, with nothing between.
- **nginx**: a reverse proxy that keeps connections open and forwards the protocol of the local bridge unchanged.
- **Flask twin**: the routes of Microsoft's sample with Flask, requests and tenacity on gunicorn. {os.cpu_count()} workers have threads for
  {options.connections} requests at a time ([app.py](../bench/compare/flask_twin/app.py)).
- **bare proxy**: a component that makes the call and forwards the answer unchanged ([source](../bench/bare-proxy/src/lib.rs)).
- **this API**: the component, with checks, deadline, retries and idempotency keys. The component takes the answer out of its envelope.

## Read the figures

- *× bare proxy* is the cost of the API's promises. The rows *bare proxy* and *this API* of one WASI version differ in the component and in its
  variables. As in Spin, each instance reads all variables of its application twice. The API has five variables, and the bare
  proxy has one. The cost is highest with WASI 0.2, where each request has its own instance.
- *bare proxy* beside *nginx* is the cost of a component on a host, compared with a native proxy. nginx has the easier task here.
- *× Flask* compares two complete implementations.

{filled(reading)}

The local bridge replaces Data API Builder and Azure SQL on a network, and their time is not in these figures. So the absolute figures say nothing
about a deployment. All connections are always busy, so p50 and p99 are times under full load, not of a single request. Differences within the column
*rounds* are noise.
""",
        """## Measure again

```sh
make bench                          # LOCAL=<another build of the local stack's program>, SPIN=<a Spin to measure as well>
bench/compare/run --help            # rounds, seconds, connections
```
""",
        "## Appendix: all figures\n",
    ]
    for operation, title in operations.items():
        parts.append(f"### {title}\n\n{operation_table(operation, compared, results)}\n")
    parts.append(f"""### Memory

Resident memory of the subject's processes, before the warm-up and at its highest, and the difference divided by {options.connections} connections. Hosts keep
memory that they once took, so the last column is an upper bound for a request.

{memory_table(compared, options.connections)}
""")
    upstream = "nginx" if any(subject.name == "nginx" for subject in streaming) else "a small server in Python"
    apart = " The upstream and the client had one core and the subject the others, as if on another machine." if options.own_core else ""
    fetches = len(next(iter(first_bytes.values())))
    rows = [row for name in lists for row in list_rows(name, lists, streaming, list_results, first_bytes)]
    listing = (
        f"Here {upstream} replaces the local bridge and sends lists from a file (*upstream*), with {list_connections} connections. MB/s count the list "
        "itself: nginx forwards the list as a string in its envelope, and the component unescapes the string. Memory is the highest so far, from the "
        f"shortest list to the longest, less the idle memory. *First byte* is the median of {fetches} single requests.{apart}"
    )
    parts.append(f"""### Long lists

{filled(listing)}

{table(["list", "", "MB/s", "× nginx", "first byte ms", "× shortest", "more MiB"], rows, 2)}
""")
    path.with_suffix(".md").write_text("\n".join(parts))
