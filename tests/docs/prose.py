"""The language of the documents: the project's own list of phrases, and proselint."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

PACKAGE = "proselint==0.16.0"
# Where scripts/venv.sh installs it.
PROSELINT = ".local/docs/bin/proselint"
# Its checks that these documents cannot pass: straight quotes, "at 2 am" in Kubernetes' words, hyphens in "exactly-once", "point in time" of a
# restore.
OFF = ("typography", "dates_times", "misc.phrasal_adjectives", "redundancy.misc.after_the_deadline")

def plain(line):
    """Without code and addresses."""
    # Each is a word of its own: two are no repetition.
    line = re.sub(r"`([^`]*)`", lambda code: "code" + re.sub(r"[^a-z]", "", code[1].lower()), line)
    return re.sub(r"\]\([^)]*\)|<https?:[^>]*>", "]", line)


def paragraphs(document):
    """The text outside of code blocks, a paragraph, item or row each, with the line it begins at; code and addresses left out."""
    begin, lines = None, []
    for number, line in [*document.prose, (0, "")]:
        if lines and (not line.strip() or re.match(r"\s*([-*|#]|\d+\.)", line)):
            yield begin, " ".join(lines)
            lines = []
        if line.strip():
            begin = begin if lines else number
            lines.append(plain(line).strip())


def phrases(root):
    """The list: a pattern, and what to write instead."""
    for line in (root / "tests/docs/words.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern, advice = line.split(" -> ")
            yield re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])".replace(" ", r"\s+"), re.I), advice


def unwanted(root, documents):
    listed = list(phrases(root))
    for document in documents.values():
        for line, text in paragraphs(document):
            for pattern, advice in listed:
                for match in pattern.finditer(text):
                    yield f"{document.name}:{line}: {match[0]!r}: {advice}"


def mistakes(root, documents):
    """What proselint finds."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        config = folder / "config.json"
        checks = json.loads(subprocess.run([root / PROSELINT, "dump-config"], capture_output=True, check=True).stdout)["checks"]
        config.write_text(json.dumps({"checks": checks | dict.fromkeys(OFF, False), "max_errors": 1000}))
        for document in documents.values():
            lines = [""] * (document.prose[-1][0] if document.prose else 0)
            for number, line in document.prose:
                lines[number - 1] = plain(line)
            copy = folder / "text.md"
            copy.write_text("\n".join(lines) + "\n", encoding="utf-8")
            done = subprocess.run([root / PROSELINT, "check", "--config", config, "-o", "json", copy], capture_output=True, text=True)
            for result in json.loads(done.stdout)["result"].values():
                for found in result.get("diagnostics", []):
                    # A heading whose word begins the text under it is no repetition.
                    if "\n" not in found["message"]:
                        yield f"{document.name}:{found['pos'][0]}: {found['message']} ({found['check_path']})"
