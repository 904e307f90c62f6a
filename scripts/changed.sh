#!/usr/bin/env bash
# Runs a check, unless it has passed here with the same files and the same command:
#   scripts/changed.sh NAME PATH… -- COMMAND…
#
# With NO_SKIPS=1, or without git, it always runs.
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1 paths=()
shift
while [ "$1" != -- ]; do paths+=("$1"); shift; done
shift

passed=.local/passed/$name
# A file that is gone is named by its absence.
now=$({ echo "$@"; git ls-files -z --cached --others --exclude-standard -- "${paths[@]}" | sort -zu | xargs -0 cksum 2>&1; } | cksum) || now=
if [ "${NO_SKIPS:-}" != 1 ] && [ -n "$now" ] && [ "$(cat "$passed" 2>/dev/null)" = "$now" ]; then
  echo "✓ $name: nothing has changed since it passed"
  exit
fi
"$@"
mkdir -p "${passed%/*}"
echo "$now" >"$passed"
