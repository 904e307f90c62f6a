"""Draws overload.svg from overload.csv in this folder, for `make outage`. tests/simulation/main.rs explains the columns."""

import csv
import hashlib
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "overload"
matplotlib.rcParams["font.size"] = 9
import matplotlib.pyplot as plot  # noqa: E402, matplotlib.use() comes before this import

source = Path(__file__).with_name("overload.csv")
rows = list(csv.DictReader(source.read_text().splitlines()))
seconds = [int(row["second"]) + 0.5 for row in rows]
colors = {"no retries": "#999999", "backoff only": "#c0392b", "WASI 0.2": "#e0a030", "WASI 0.3": "#3066be"}
figure, panel = plot.subplots(figsize=(9, 3), layout="constrained")
for name, color in colors.items():
    panel.plot(seconds, [float(row[name] or "nan") / 1000 for row in rows], color=color, label=name)
panel.axvspan(30, 45, color="#c0392b", alpha=0.15, linewidth=0)
panel.text(37.5, 0.2, "100 requests/s", ha="center", va="bottom")
panel.set_title("median time to an answer or a refusal, by the second of the request", loc="left")
panel.set_ylabel("seconds")
panel.set_xlabel("seconds")
panel.spines[["top", "right"]].set_visible(False)
panel.margins(x=0)
panel.legend(frameon=False)
figure.savefig(source.with_suffix(".svg"), metadata={"Date": None, "Creator": None, "Description": hashlib.sha256(source.read_bytes()).hexdigest()})
