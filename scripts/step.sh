#!/usr/bin/env bash
# Runs a command as a step with a name, and says how long it took: scripts/step.sh NAME COMMAND…
# What stands in parentheses in the name is for the beginning alone.
set -euo pipefail
name=$1
shift
echo "→ $name"
# What the command writes goes past the capture of the time. The command gets no more than its two outputs: a process that it leaves behind
# would keep whoever reads ours waiting.
TIMEFORMAT=%1R
{ seconds=$({ time "$@" >&3 2>&4 3>&- 4>&-; } 2>&1); } 3>&1 4>&2
echo "✓ ${name%% (*}  $seconds s"
