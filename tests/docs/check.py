"""The checks of the documents, in order."""

import hashlib
import json
import os
import re
import subprocess
import textwrap
import tomllib

import clients
import comments
import plain
import prose
import samples
from markdown import Document

# Documents whose curl samples a test executes: tests/e2e/readme.rs, tests/e2e/own_entity.rs.
EXECUTED = ("README.md", "docs/quickstart.md", "docs/add-your-own-entity.md")
# The README's other commands: what runs each, and the words that show it.
RUN = {
    "make up": ("tests/e2e/readme.rs", 'Command::new("make")'),
    "make test": (".ci/run", "make test"),
}
# Where the paths that documents name begin.
FOLDERS = ("bench", "crates", "dab", "deploy", "docs", "examples", "fuzz", "scripts", "site", "sql", "sqlite", "src", "template", "tests")


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, problems):
        """Passes when there are no problems; otherwise prints each."""
        problems = list(problems)
        self.failed += bool(problems)
        self.passed += not problems
        print(f"  {'✗' if problems else '✓'} {name}")
        for problem in problems:
            print(f"      {problem}")

    def skip(self, name, why):
        self.skipped += 1
        print(f"  · SKIPPED: {name}: {why}")

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed else 0


def run(root):
    report = Report()
    documents = read(root)
    for check in (links, pictures, places, make, problems, variables, repeats, shell, readme, programs, data, changelog, rules, language, site):
        check(report, root, documents)
    return report.finish()


def read(root):
    """The documents by their names."""
    patterns = ("*.md", "docs/*.md", "sql/*.md", "examples/*.md", "crates/azure-sql-rest/*.md")
    paths = [path for pattern in patterns for path in sorted(root.glob(pattern))]
    return {document.name: document for document in (Document(root, path) for path in paths)}


def links(report, root, documents):
    found = [(document, *link) for document in documents.values() for link in document.links if not re.match(r"\w+:", link[1])]

    def broken():
        for document, line, target in found:
            place, _, anchor = target.partition("#")
            if workflow := re.fullmatch(r"\.\./\.\./actions/workflows/([\w.-]+\.yml)(/badge\.svg)?", place):
                # On GitHub, beside the repository's files.
                place = f".github/workflows/{workflow[1]}"
            path = (document.path.parent / place).resolve() if place else document.path
            if not path.is_relative_to(root) or not path.exists():
                yield f"{document.name}:{line}: {target}: there is no such file"
            elif anchor:
                other = documents.get(path.relative_to(root).as_posix())
                if other is None or anchor not in other.anchors:
                    yield f"{document.name}:{line}: {target}: there is no such heading"

    report.check(f"{len(found)} links between {len(documents)} documents and to files lead somewhere", broken())


def pictures(report, root, documents):
    """Every picture has a text for readers who do not see it. A picture that is drawn from a text is drawn from its last version."""
    shown = [(document, line, *picture) for document in documents.values() for line, text in document.prose for picture in re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", text)]
    drawn = sorted(path for path in root.glob("docs/pictures/*") if path.suffix in (".d2", ".csv"))

    def wrong():
        for document, line, text, target in shown:
            if len(text) < 5 and not target.endswith("badge.svg"):
                yield f"{document.name}:{line}: {target} has no alternative text"
        for source in drawn:
            made = source.with_suffix(".svg")
            text = made.read_text(encoding="utf-8") if made.exists() else ""
            if hashlib.sha256(source.read_bytes()).hexdigest() not in text:
                yield f"{made.relative_to(root)} is not made from {source.name} as it is: run `make {'outage' if source.suffix == '.csv' else 'pictures'}`"

    report.check(f"{len(shown)} pictures have an alternative text, {len(drawn)} are made from their source as it is", wrong())


def places(report, root, documents):
    def named():
        for document in documents.values():
            # Files that the commands of a page make, and that the page changes.
            made = {path for block in document.blocks if block.language == "diff" for path in re.findall(r"^\+\+\+ b/(.+)$", block.text, re.M)}
            for line, text in document.code:
                path = text.rstrip("/")
                if re.fullmatch(rf"({'|'.join(FOLDERS)})/[\w./-]+", path) and not any(each.startswith(path) for each in made):
                    yield document, line, path

    found = list(named())
    # A document makes the files that Git ignores: deploy/.env.
    ignored = [line.strip("/") for line in (root / ".gitignore").read_text(encoding="utf-8").split()]
    report.check(
        f"{len(found)} files and folders that are named in text exist",
        (f"{document.name}:{line}: {path}" for document, line, path in found if path not in ignored and not (root / path).exists()),
    )


def make(report, root, documents):
    text = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", text, re.M))
    settings = set(re.findall(r"\b([A-Z][A-Z_]+)\b", text))
    called = []
    for document in documents.values():
        commands = [*document.code, *((block.line, line) for block in document.blocks if block.language == "sh" for line in block.text.splitlines())]
        for line, command in commands:
            # A value in quotes may say anything.
            command = re.sub(r"'[^']*'", "''", command)
            for words in re.findall(r"(?:^|[\s;&|])make((?: +(?:[a-z][a-z0-9-]*|[A-Z_]+=\S*))+)", command):
                called += [(document.name, line, word) for word in words.split()]
    report.check(
        f"{len(called)} targets and settings of make that are named are in the Makefile",
        (f"{name}:{line}: make {word}" for name, line, word in called if word.partition("=")[0] not in targets | settings),
    )


def problems(report, root, documents):
    kinds = re.findall(r'^ +[A-Z_]+, "([a-z-]+)", [A-Z_]+, "', (root / "crates/azure-sql-rest/src/client/problem.rs").read_text(encoding="utf-8"), re.M)
    page, runbook = "crates/azure-sql-rest/problems.md", "docs/runbook.md"
    sections = {name: [text for level, text in documents[name].headings if level == depth] for name, depth in ((page, 2), (runbook, 3))}

    def wrong():
        if sections[page] != kinds:
            yield f"the headings of {page} are not the kinds of crates/azure-sql-rest/src/client/problem.rs, in their order"
        # The problems of the client are rows of one table.
        rows = {cells[1].strip(" `") for _, line in documents[runbook].prose if len(cells := line.split("|")) > 2}
        for kind in kinds:
            if kind not in sections[runbook] and kind not in rows:
                yield f"{runbook} has neither a section nor a row {kind}"
        for document in documents.values():
            for kind in re.findall(r"/problems#([a-z-]+)", document.path.read_text(encoding="utf-8")):
                if kind not in kinds:
                    yield f"{document.name}: there is no problem {kind}"

    report.check(f"{len(kinds)} kinds of problems have their headings, and the documents name no other", wrong())


def variables(report, root, documents):
    declared = {name: variable.get("default", "") for name, variable in tomllib.loads((root / "spin.toml").read_text(encoding="utf-8"))["variables"].items()}
    settings = (root / "crates/azure-sql-rest/src/settings.rs").read_text(encoding="utf-8")
    declared |= dict(re.findall(r'^    Option (\w+): [^=]+ = "([^"]*)"', settings, re.M))
    table = {}
    for _, line in documents["docs/configuration.md"].prose:
        row = [cell.strip() for cell in line.strip("|").split("|")]
        if len(row) == 3 and re.fullmatch(r"`[a-z_]+`", row[0]):
            table[row[0].strip("`")] = "" if row[1] == "empty" else row[1].strip("`")

    def undocumented():
        for name, default in declared.items():
            if name not in table:
                yield f"docs/configuration.md does not explain {name}"
            elif table[name] != default:
                yield f"docs/configuration.md: the default of {name} is not {table[name]!r} but {default!r}"
        yield from (f"docs/configuration.md explains {name}, which is no setting" for name in sorted(set(table) - set(declared)))

    # Words that end like a variable are one, unless they are a member of JSON that some document shows.
    endings = "|".join(sorted({name.rpartition("_")[2] for name in declared}))
    shown = {key for document in documents.values() for block in document.blocks for key in re.findall(r'"(\w+)":', block.text)}

    def unknown():
        for document in documents.values():
            if document.name in ("CHANGELOG.md", "docs/add-your-own-entity.md"):
                continue
            text = document.path.read_text(encoding="utf-8")
            names = {(number, name.lower()) for number, line in enumerate(text.splitlines(), 1) for name in re.findall(r"SPIN_VARIABLE_([A-Z_]*[A-Z])\b", line)}
            names |= {(line, name) for line, code in document.code for name in re.findall(rf"(?<![\w/.-])((?:[a-z]+_)+(?:{endings}))\b(?![\w/.-])", code)}
            for line, name in sorted(names):
                if name not in declared and name not in shown:
                    yield f"{document.name}:{line}: {name} is no setting"

    report.check(f"docs/configuration.md explains the {len(declared)} settings, with the defaults of spin.toml, and no other", undocumented())
    report.check("the documents name no other setting", unknown())


def repeats(report, root, documents):
    names = [f"docs/{name}.md" for name in ("clients", "faq", "http", "migration", "resilience")]
    said = "A repeat answers with the status of the first and the row as it is now; `[]` if it has been deleted since"
    differ = [name for name in names if said not in " ".join(documents[name].path.read_text(encoding="utf-8").split())]
    report.check(f"{len(names)} documents say the same of what a repeat answers", (f"{name} does not say: {said}" for name in differ))


def shell(report, root, documents):
    blocks = [(document, block) for document in documents.values() for block in document.blocks if block.language == "sh"]
    executed = [block for name in EXECUTED for block, _ in samples.of(documents[name])]

    def wrong():
        for document, block in blocks:
            done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
            if done.returncode:
                yield f"{document.name}:{block.line}: {done.stderr.strip()}"
        for name in EXECUTED:
            for block, shown in samples.of(documents[name]):
                if shown is None:
                    yield f"{name}:{block.line}: a sample must show what it prints, or no test can hold it to that"

    report.check(f"{len(blocks)} blocks of shell parse, {len(executed)} of them samples that a test executes", wrong())


def readme(report, root, documents):
    """A test or a workflow runs every command of the README."""
    commands = [line for block in documents["README.md"].blocks if block.language == "sh" for line in block.text.splitlines() if not line.startswith("curl ")]

    def wrong():
        for command in commands:
            file, words = RUN.get(command, ("", ""))
            if not file or words not in (root / file).read_text(encoding="utf-8"):
                yield f"{command}: nothing runs it that tests/docs/check.py knows"

    report.check(f"{len(commands)} other commands of README.md are run", wrong())


def data(report, root, documents):
    """Every block of JSON, TOML and YAML parses; members of an object count as JSON when the text says where they go."""
    try:
        import yaml
    except ImportError:
        yaml = None

    def parse(language, block):
        match language:
            case "json" if block.lead.startswith("Add to "):
                json.loads(f"{{{block.text}}}")
            case "json":
                json.loads(block.text)
            case "jsonc":
                json.loads(re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda match: match[1] or "", block.text, flags=re.S))
            case "toml":
                tomllib.loads(block.text)
            case "yaml":
                list(yaml.safe_load_all(block.text))

    for language in ("json", "jsonc", "toml", "yaml"):
        blocks = [(document, block) for document in documents.values() for block in document.blocks if block.language == language]
        name = f"{len(blocks)} blocks of {language.upper()} parse"
        if blocks and language == "yaml" and yaml is None:
            report.skip(name, "Python has no module yaml here")
            continue

        def wrong():
            for document, block in blocks:
                try:
                    parse(language, block)
                except Exception as error:  # PyYAML's errors have no common ancestor with the others'.
                    yield f"{document.name}:{block.line}: {error}"

        if blocks:
            report.check(name, wrong())


def programs(report, root, documents):
    """The code of the clients page is in the client programs, and each program does what the page says."""
    page = documents["docs/clients.md"]
    sources = {"sh": "curl.sh", "python": "python.py", "js": "javascript.mjs", "csharp": "csharp/Program.cs", "powershell": "powershell.ps1"}
    texts = {language: textwrap.dedent((root / "examples" / name).read_text(encoding="utf-8")) for language, name in sources.items()}

    def other():
        for block in page.blocks:
            lines = [line.strip() for line in block.text.strip().splitlines()]
            if "\n".join(lines) not in "\n".join(line.strip() for line in texts.get(block.language, "").splitlines()):
                yield f"{page.name}:{block.line}: examples/{sources.get(block.language)} has another text"

    report.check(f"{len(page.blocks)} blocks of docs/clients.md are parts of the client programs", other())
    run_clients(report, root)


def run_clients(report, root):
    for name, tool, command in clients.programs(root):
        title = f"examples/{name} repeats, keeps its keys and reads to the end"
        if command is None and os.environ.get("NO_SKIPS") != "1":
            report.skip(title, f"there is no {tool}")
        elif command is None:
            report.check(title, [f"there is no {tool}, and NO_SKIPS forbids that"])
        else:
            report.check(title, clients.run(root, command))


def rules(report, root, documents):
    """The rules themselves: each finds a fault in the bad text of a pair, and none in the good text."""
    lines = (root / "tests/docs/plain.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" -> ") for line in lines if not line.startswith("#")]

    def wrong():
        for pair in pairs:
            for text, is_bad in zip(pair, (True, False), strict=True):
                is_comment = text.startswith("///")
                units = comments.of_source("a.rs", text, re.compile("///(.*)")) if is_comment else [plain.Unit("a.md:1", plain.plain(text))]
                faults = list(plain.faults(units, list(prose.phrases(root, documents=not is_comment))))
                if bool(faults) != is_bad:
                    yield f"{text!r}: {faults}"

    report.check(f"the rules of plain English tell {len(pairs)} bad texts from good texts", wrong())


def language(report, root, documents):
    report.check(f"{len(documents)} documents, and the comments of {len(prose.COVERED)} folders, are in plain English (tests/docs/plain.py, words.txt)", prose.unplain(root, documents))
    if subprocess.run([root / "scripts/venv.sh", "docs", prose.PACKAGE]).returncode == 0:
        report.check("proselint finds nothing in the documents", prose.mistakes(root, documents))
    else:
        report.skip("proselint finds nothing in the documents", "it cannot be installed from PyPI (above)")


def site(report, root, documents):
    title = "the site builds, and each of its links and anchors exists"
    if subprocess.run([root / "scripts/venv.sh", "site", "-r", root / "site/requirements.txt"]).returncode:
        return report.skip(title, "its tools cannot be installed from PyPI (above)")
    done = subprocess.run([root / ".local/site/bin/python", root / "site/build.py"], capture_output=True, text=True)
    report.check(title, (done.stdout + done.stderr).splitlines() if done.returncode else [])


def changelog(report, root, documents):
    version = tomllib.loads((root / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
    sections = [text for level, text in documents["CHANGELOG.md"].headings if level == 2]
    report.check(
        f"CHANGELOG.md begins with version {version}",
        [] if sections and sections[0].startswith(f"[{version}] - ") else [f"its first section is {sections[:1]}"],
    )
