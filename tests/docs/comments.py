"""The prose of source files: comments, doc strings, and messages of some length."""

import ast
import contextlib
import re
import subprocess

from plain import COMMENT_OPENINGS, Unit, plain

# How a line of comment begins, by the end of the file's name.
LINE = {
    ("rs", "js", "mjs", "bicep", "cs"): re.compile(r"\s*//[/!]?(.*)"),
    ("py", "sh", "yml", "yaml", "toml", "ps1", "Makefile", "Dockerfile"): re.compile(r"\s*#(?!!)(.*)"),
    ("sql",): re.compile(r"\s*--(.*)"),
}
# A message is a string with at least so many words.
MESSAGE = 6
STRING = re.compile(r'"((?:[^"\\\n]|\\.)+)"')
# The lines that describe a route are the API's, not the source's: openapi.json has them word for word, and plans of entities have their hash.
ROUTE = re.compile(r'(?:^ *///.*\n)+(?= *[A-Z]+ "/)', re.M)
# Strings of code or SQL, and a message that the generated SQL has, which tests compare.
NO_MESSAGE = re.compile(r"[<>=]|SELECT|CREATE|DROP|EXECUTE|::|\{\{|^It refers to a row that does not exist, or breaks another rule of the table\.$")


def of(root, folders):
    """The units of every file under the folders that Git has."""
    listed = subprocess.run(["git", "ls-files", "--", *folders], cwd=root, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        pattern = next((pattern for endings, pattern in LINE.items() if re.split(r"[./]", name)[-1] in endings), None)
        if pattern and (root / name).is_file():
            # The tables that tests read are also in other encodings.
            with contextlib.suppress(UnicodeDecodeError):
                yield from of_source(name, (root / name).read_text(encoding="utf-8"), pattern)


def of_source(name, text, pattern):
    # A message of Rust goes on in the next line after a backslash.
    lines = ROUTE.sub(lambda described: "\n" * described[0].count("\n"), text).splitlines()
    begin, comment = None, []
    for number, line in enumerate([*lines, ""], 1):
        match = pattern.fullmatch(line)
        said = match[1].strip() if match else ""
        # A blank line, an item of a list, a row of a table or a line of code ends the paragraph.
        if comment and (not said or re.match(r"([-*|#]|\d+\.)\s|\S+\s{2,}", said)):
            yield Unit(f"{name}:{begin}", plain(" ".join(comment)), COMMENT_OPENINGS)
            comment = []
        if said:
            begin = begin if comment else number
            comment.append(said)
        if not match:
            # A test compares a message of the API here, which is covered where the API makes it.
            for string in [] if '["detail"]' in line else STRING.findall(line):
                if len(string.split()) >= MESSAGE and re.match(r"[A-Za-z{]", string) and not NO_MESSAGE.search(string):
                    yield Unit(f"{name}:{number}", re.sub(r"\{[^}]*\}", "code", string))
    if name.endswith(".py"):
        for node in ast.walk(ast.parse(text)):
            documented = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            if documented and (said := ast.get_docstring(node)):
                place = f"{name}:{node.body[0].lineno}"
                yield from (Unit(place, " ".join(part.split()), COMMENT_OPENINGS) for part in re.split(r"\n\s*\n", said))
