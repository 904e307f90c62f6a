"""Builds the site of the documents into .local/site-html: `make site`. A broken link or anchor ends the build.

Documents outside of docs/ become pages, too. Links to other files become links to the repository, at REPOSITORY_URL."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / ".local/site-source"
OUTPUT = ROOT / ".local/site-html"
# Documents outside of docs/, and their pages.
ELSEWHERE = {
    "README.md": "index",
    "CHANGELOG.md": "changelog",
    "CODE_OF_CONDUCT.md": "code-of-conduct",
    "CONTRIBUTING.md": "contributing",
    "SECURITY.md": "security",
    "examples/README.md": "examples",
    "sql/README.md": "sql",
    "crates/azure-sql-rest/problems.md": "problems",
}
NAVIGATION = {
    "Start": ["quickstart", "status", "faq"],
    "Guides": ["clients", "examples", "local", "add-your-own-entity", "database", "install", "azure", "kubernetes", "akamai", "migration"],
    "Reference": ["http", "problems", "configuration", "limits", "sql", "versions", "changelog", "glossary"],
    "Operate": ["production", "runbook", "alerts", "maintenance", "upgrade", "telemetry", "security"],
    "Explain": ["architecture", "resilience", "resilience-report", "performance", "performance-on-spin", "contributing", "code-of-conduct"],
}
FENCE = re.compile(r"^ *```.*?^ *```[^\n]*$", re.M | re.S)
BADGE = re.compile(r"^\[!\[.*\n", re.M)
LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")


def main():
    repository = os.environ.setdefault("REPOSITORY_URL", "https://github.com/OWNER/REPOSITORY").rstrip("/")
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SOURCE)
    shutil.copy(ROOT / "site/conf.py", SOURCE)
    sources = {f"docs/{path.name}": path.stem for path in (ROOT / "docs").glob("*.md")} | ELSEWHERE
    for source, page in sources.items():
        # Without the badges, which are about the repository.
        text = BADGE.sub("", (ROOT / source).read_text(encoding="utf-8"))
        text = outside_code(text, lambda part: LINK.sub(lambda link: target(link[1], Path(source).parent, sources, repository), part))
        (SOURCE / f"{page}.md").write_text(text + (navigation() if page == "index" else ""), encoding="utf-8")
    # -n: also what is missing without a link to it; -W: every warning is an error.
    return subprocess.run([sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-b", "html", SOURCE, OUTPUT]).returncode


def outside_code(text, change):
    parts, end = [], 0
    for fence in FENCE.finditer(text):
        parts += [change(text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, change(text[end:])])


def target(link, base, sources, repository):
    if re.match(r"\w+:|#", link):
        return link
    place, _, anchor = link.partition("#")
    anchor = f"#{anchor}" if anchor else ""
    path = os.path.normpath(base / place)
    if path in sources:
        return f"{sources[path]}.md{anchor}"
    if path.startswith("docs/"):
        return path.removeprefix("docs/") + anchor
    return f"{repository}/{'tree' if (ROOT / path).is_dir() else 'blob'}/main/{path}{anchor}"


def navigation():
    return "".join(f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(pages) + "\n```\n" for caption, pages in NAVIGATION.items())


raise SystemExit(main())
