#!/usr/bin/env bash
# Parses every script of T-SQL and every `tsql` block in docs/ with a parser (sqlfluff). Checks that the version of the database is the same
# wherever it is named. Checks dab/dab-config.json against schemas/dab.draft.schema.json of DAB's repository at the tag v2.0.9.
# The tools come from PyPI at the versions below, once, into .local/lint-sql.
#
# SQL_LINT=skip leaves it out. With NO_SKIPS=1 what would be skipped fails.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(sqlfluff==4.5.0 fastjsonschema==2.21.2)
schema=tests/deploy/dab-2.0.9.schema.json
schema_sha256=9952a8d00a874bce002f48b65b2a5e5f1d81e0d188bd91d8fe84f675727e2bf8
venv=$PWD/.local/lint-sql

say() { printf '  · %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
skip() {
  [ "${NO_SKIPS:-}" != 1 ] || fail "$*, and NO_SKIPS forbids that"
  say "SKIPPED: $*"
  exit 0
}

[ "${SQL_LINT:-}" != skip ] || skip "SQL_LINT=skip, so no parser has read sql/"

scripts/venv.sh lint-sql "${packages[@]}" || case $? in
  2) skip "${packages[*]} cannot be had from PyPI (above), so no parser has read sql/" ;;
  *) fail "the parser of sql/ cannot be set up (above); SQL_LINT=skip leaves it out" ;;
esac

"$venv/bin/python" - sql/*.sql sql/samples/*.sql tests/sql/*.sql docs/*.md <<'PYTHON'
import re, sys
from sqlfluff.core import FluffConfig, Linter
linter = Linter(config=FluffConfig(overrides={"dialect": "tsql", "templater": "raw"}))
failures = 0
scripts = 0
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    blocks = re.finditer(r"(?ms)^```tsql\n(.*?)^```", text) if path.endswith(".md") else [re.match(r"(?s)(.*)", text)]
    for block in blocks:
        scripts += 1
        above = text.count("\n", 0, block.start(1))
        for violation in linter.parse_string(block[1], fname=path).violations:
            print(f"{path}:{above + violation.line_no}:{violation.line_pos}: {violation.desc()}", file=sys.stderr)
            failures += 1
if failures:
    sys.exit(1)
print(f"  · {scripts} scripts parsed as T-SQL, nothing left over")

schema, ready = (open(path, encoding="utf-8").read() for path in ("sql/02-web-schema.sql", "sql/25-ready.sql"))
migrations = [int(number) for number in re.findall(r"INTO ops\.SchemaVersion \(Version\) VALUES \((\d+)\)", schema)]
named = re.findall(r"v\.Version > (\d+)", schema) + re.findall(r"ops\.SchemaVersion AS v\), 0\) <> (\d+)", ready)
if migrations != list(range(1, len(migrations) + 1)) or named != [str(len(migrations))] * 2:
    sys.exit(f"error: sql/02-web-schema.sql has migrations {migrations}; it and sql/25-ready.sql take {named} for the last")
print(f"  · the version of the database is {len(migrations)}, in the migrations and in web.ready")
PYTHON

"$venv/bin/python" - "$schema" "$schema_sha256" dab/dab-config.json <<'PYTHON'
import hashlib, json, sys
import fastjsonschema
path, sha256, config = sys.argv[1:]
if hashlib.sha256(open(path, "rb").read()).hexdigest() != sha256:
    sys.exit(f"error: {path} is not the file that Data API Builder was released with")
schema, config = (json.load(open(each, encoding="utf-8")) for each in (path, config))
version = path.partition("-")[2].removesuffix(".schema.json")
if f"/v{version}/" not in config["$schema"]:
    sys.exit(f"error: dab/dab-config.json is written for another version than {path}: {config['$schema']}")
try:
    fastjsonschema.compile(schema, use_default=False)(config)
except fastjsonschema.JsonSchemaValueException as error:
    sys.exit(f"error: dab/dab-config.json: {error.message}")
PYTHON
say "dab/dab-config.json is valid against $schema"
