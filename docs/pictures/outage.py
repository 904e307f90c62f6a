"""Draws outage.svg from outage.csv in this folder, for `make outage`. tests/e2e/outage.rs explains the columns."""

import csv
import hashlib
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "outage"
matplotlib.rcParams["font.size"] = 9
import matplotlib.pyplot as plot  # noqa: E402, matplotlib.use() comes before this import

source = Path(__file__).with_name("outage.csv")
rows = list(csv.DictReader(source.read_text().splitlines()))
seconds = [int(row["second"]) for row in rows]
figure, (rate, latency) = plot.subplots(2, 1, figsize=(9, 4), sharex=True, layout="constrained")
rate.bar(seconds, [int(row["answers"]) for row in rows], width=1, align="edge", color="#3066be")
rate.set_title("answers/s: none fails", loc="left")
latency.plot([second + 0.5 for second in seconds], [float(row["p99_ms"] or "nan") for row in rows], ".-", color="#3066be")
latency.set_title("p99 of the answers in each second, in ms", loc="left")
latency.set_yscale("log")
latency.set_xlabel("seconds")
for panel in (rate, latency):
    panel.axvspan(20, 30, color="#c0392b", alpha=0.15, linewidth=0)
    panel.spines[["top", "right"]].set_visible(False)
    panel.margins(x=0)
rate.text(25, rate.get_ylim()[1] * 0.5, "bridge unavailable", ha="center")
figure.savefig(source.with_suffix(".svg"), metadata={"Date": None, "Creator": None, "Description": hashlib.sha256(source.read_bytes()).hexdigest()})
