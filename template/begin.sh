#!/usr/bin/env bash
# Does what `spin new` cannot, which runs nothing and keeps no file's mode: makes the scripts executable, adds the table that it was told of,
# and takes itself away. The first make and the first `spin build` run it.
set -euo pipefail
cd "$(dirname "$0")/.."

# What `spin new` was told. If the table is refused, correct it here.
name='{{ entity }}'
table='{{ table }}'
read -r columns <<'COLUMNS'
{{ columns }}
COLUMNS

unset CARGO_TARGET_DIR
chmod +x @executables@
# Nor does it change the name of a file.
[ ! -e examples/customer-api.http ] || mv examples/customer-api.http '{{ project-name | kebab_case }}.http'
# The order of packages and of imports depends on the project's name.
cargo metadata --quiet --format-version 1 >/dev/null
cargo fmt --all 2>/dev/null || true

scripts/progress.sh cargo build --locked -p local
# What failed later than this begins again after it.
[ -e "entities/$name.toml" ] || target/debug/azure-sql-rest entity add "$name" --table "$table" --columns "$columns" ||
  { echo "error: $table is not added; correct its values in scripts/begin.sh, and do the same again" >&2; exit 1; }
scripts/progress.sh cargo build --locked -p local
target/debug/azure-sql-rest generate

for manifest in spin.toml spin.wasip3.toml; do
  sed 's/bash local\/begin\.sh && //' "$manifest" >"$manifest.part"
  mv "$manifest.part" "$manifest"
done
rm GNUmakefile scripts/begin.sh
