#!/usr/bin/env bash
# Runs a command that may take minutes, and says within every ten seconds how far it is: scripts/progress.sh COMMAND….
# On a terminal cargo draws its own progress, unless another build draws there (BESIDE). Elsewhere its output goes to a file, which holds the
# latest "n/m" of its progress bar. If the command fails or warns, the rest of the file is shown without the progress.
set -euo pipefail
if [ "${1##*/}" = cargo ] && [ -t 2 ] && [ -z "${BESIDE:-}" ]; then exec "$@"; fi

log=$(mktemp)
# Before ten seconds are over, on a busy machine too.
every=${PROGRESS_SECONDS:-9}
tick() {
  # Its output goes nowhere, so that nobody who reads ours waits for its end.
  while sleep "$every" >/dev/null 2>&1; do
    count=$(tr '\r' '\n' <"$log" |
      sed -n -e 's|.*Building \[.*\] \([0-9]*\)/\([0-9]*\).*|: \1 of \2 compiled|p' -e 's|.*Blocking waiting|: waiting|p' | tail -n 1)
    printf '  · %d s%s\n' "$SECONDS" "$count"
  done
}
tick &
ticker=$!
trap 'kill $ticker 2>/dev/null; rm -f "$log"' EXIT
status=0
CARGO_TERM_PROGRESS_WHEN=always CARGO_TERM_PROGRESS_WIDTH=80 "$@" >"$log" 2>&1 || status=$?
tr '\r' '\n' <"$log" | sed -e $'s/\033\\[[0-9;]*[A-Za-z]//g' |
  grep -vE '^ *([A-Z][a-z]+ \[[=> ]*\]|(Compiling|Downloaded|Downloading|Updating|Locking|Adding|Blocking|Fresh|Finished) |$)' >&2 || true
exit $status
