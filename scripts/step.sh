#!/usr/bin/env bash
# Runs a command as a step with a name, and says how long it took: scripts/step.sh NAME COMMAND….
# A part of the name in parentheses is shown only at the beginning.
set -euo pipefail
name=$1
shift
echo "→ $name"
# The output of the command bypasses the capture of the time. The command gets only its two outputs: otherwise a process that it leaves
# behind would keep the reader of this output waiting.
TIMEFORMAT=%1R
{ seconds=$({ time "$@" >&3 2>&4 3>&- 4>&-; } 2>&1); } 3>&1 4>&2
echo "✓ ${name%% (*}  $seconds s"
