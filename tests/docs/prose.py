"""The language of the documents: plain English by the rules of plain.py, and proselint."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

import comments
import plain

PACKAGE = "proselint==0.16.0"
# Where scripts/venv.sh installs it.
PROSELINT = ".local/docs/bin/proselint"
# Its checks that these documents cannot pass: straight quotes, "at 2 am" in Kubernetes' words, hyphens in "exactly-once", "point in time" of a
# restore.
OFF = ("typography", "dates_times", "misc.phrasal_adjectives", "redundancy.misc.after_the_deadline")

# Folders whose comments and messages the rules cover.
COVERED = (
    ".github",
    "bench",
    "crates/azure-sql-rest",
    "crates/azure-sql-rest-bridge",
    "crates/azure-sql-rest-cli",
    "crates/azure-sql-rest-conformance",
    "crates/azure-sql-rest-host",
    "crates/azure-sql-rest-up",
    "deploy",
    "examples",
    "fuzz",
    "scripts",
    "site",
    "sql",
    "src",
    "template",
    "tests/browser",
    "tests/cases",
    "tests/clients",
    "tests/contract",
    "tests/deploy",
    "tests/docs",
    "tests/e2e",
    "tests/entities",
    "tests/fuzz-api",
    "tests/simulation",
    "tests/soak",
    "tests/sql",
)


def phrases(root, documents=True):
    """The list: a pattern, and the advice."""
    for line in (root / "tests/docs/words.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern, advice = line.split(" -> ")
            if documents or not pattern.startswith("documents: "):
                pattern = pattern.removeprefix("documents: ").replace(" ", r"\s+")
                yield re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.I), advice


def unplain(root, documents):
    """Each fault of the documents, comments and messages that the rules cover."""
    for document in documents.values():
        yield from plain.faults(plain.of_document(document), list(phrases(root)))
    yield from plain.faults(comments.of(root, COVERED), list(phrases(root, documents=False)))


def report(root, documents, names=()):
    """Prints figures of every document and folder; for what is named, each fault."""
    for name, document in documents.items():
        show(name, list(plain.of_document(document)), list(phrases(root)), name in names)
    show("all documents", [unit for document in documents.values() for unit in plain.of_document(document)], list(phrases(root)), False)
    for folder in (*COVERED, *(name for name in names if name not in documents and name not in COVERED)):
        show(folder, list(comments.of(root, [folder])), list(phrases(root, documents=False)), folder in names)
    return 0


def show(name, units, listed, whole):
    faults = list(plain.faults(units, listed))
    print(f"{name}: {plain.figures(units)}; {len(faults)} faults")
    if whole:
        print("".join(f"  {fault}\n" for fault in faults), end="")


def mistakes(root, documents):
    """Each finding of proselint."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        config = folder / "config.json"
        checks = json.loads(subprocess.run([root / PROSELINT, "dump-config"], capture_output=True, check=True).stdout)["checks"]
        config.write_text(json.dumps({"checks": checks | dict.fromkeys(OFF, False), "max_errors": 1000}))
        for document in documents.values():
            lines = [""] * (document.prose[-1][0] if document.prose else 0)
            for number, line in document.prose:
                lines[number - 1] = plain.plain(line)
            copy = folder / "text.md"
            copy.write_text("\n".join(lines) + "\n", encoding="utf-8")
            done = subprocess.run([root / PROSELINT, "check", "--config", config, "-o", "json", copy], capture_output=True, text=True)
            for result in json.loads(done.stdout)["result"].values():
                for found in result.get("diagnostics", []):
                    # A heading whose word begins the text under it is no repetition.
                    if "\n" not in found["message"]:
                        yield f"{document.name}:{found['pos'][0]}: {found['message']} ({found['check_path']})"
