#!/usr/bin/env bash
# Runs a command as a step with a name, and says how long it took: local/step.sh NAME COMMAND…
set -euo pipefail
name=$1
shift
echo "→ $name"
begin=$(date +%s%N)
"$@"
printf '✓ %s  %d.%d s\n' "$name" $((($(date +%s%N) - begin) / 1000000000)) $((($(date +%s%N) - begin) / 100000000 % 10))
