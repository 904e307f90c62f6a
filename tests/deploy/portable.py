"""Holds scripts to what bash 3.2 and the tools of macOS and BSD know, so that they run there too."""

import re

# Patterns that no line may have, and what to write instead.
RULES = {
    r"\bdate\b[^|;]*\+[^|;\s]*%N": "date has no %N: bash's time, or SECONDS",
    r"(?<![\w./-])timeout \d": "there is no timeout: look with command -v first",
    r"\bstat -c\b": "stat has no -c: wc -c, ls -l",
    r"\bsed\b.*\\t": r"sed takes \t for a t: awk",
    r"\bsed -i\b": "sed -i needs a suffix: write another file",
    r"\breadlink -f\b": "readlink has no -f: cd and pwd",
    r"\brealpath\b": "there is no realpath: cd and pwd",
    r"(?<![\w.-])(mapfile|readarray)\b": "bash 3.2 has no mapfile: while read",
    r"\$\{\w+(,,|\^\^|@)": "bash 3.2 has no ${x,,}: tr",
    r"\b(declare|local) -[a-zA-Z]*[An]": "bash 3.2 has no declare -A and -n",
    r"\bexec \{\w+\}|\{\w+\}[<>]": "bash 3.2 has no {name}>: a number",
    r"&>>|\|&": "bash 3.2 has no &>> and |&",
    r"\bwait -n\b": "bash 3.2 has no wait -n",
    r"\bgrep -[a-zA-Z]*P": "grep has no -P: -E",
    r"\bcp\b.*--": "cp has no long options",
    r"\bmktemp [^-)\s]*--": "mktemp has no long options",
    r"\bbase64 -w": "base64 has no -w: tr -d",
    r"\bnproc\b": "there is no nproc: getconf _NPROCESSORS_ONLN",
    r"\bxargs -[a-z]*[dr]\b": "xargs has neither -d nor -r",
    r"\bfind\b.* -printf\b": "find has no -printf",
    r"\bsha256sum\b": "there is no sha256sum: shasum -a 256, cksum",
}
# Containers and runners have their own bash and tools.
LINUX = ("deploy/apply-sql.sh", "deploy/spinkube/cluster/install-shim.sh", ".ci/run", "tests/sql/upgrade")


def problems(path, text):
    """Finds the parts of a script that do not run everywhere. A line that looks first for timeout or sha256sum may use it."""
    if path in LINUX:
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or re.search(r"command -v (timeout|sha256sum)", line):
            continue
        for pattern, instead in RULES.items():
            if re.search(pattern, line):
                yield f"{path}:{number}: {instead}: {line.strip()}"


def line_ends(path, content):
    """A carriage return, which a shell takes for part of a word. A file with a zero byte is no text to git either."""
    if b"\r\n" in content and b"\0" not in content:
        yield f"{path}: lines end with CR LF"
