#!/usr/bin/env bash
# Makes a Python environment with what a check or a measurement needs from PyPI, once:
#   scripts/venv.sh NAME REQUIREMENT...     packages with their versions, or -r and a file of them
# It is .local/NAME then. Exits with 1 when there is no Python for it (root on Debian and Ubuntu has it installed), and with 2 when PyPI
# does not give what is required; why is on standard error.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$PWD/.local/$1
shift
stamp=$venv/$({ echo "$@"; if [ "$1" = -r ]; then cat "$2"; fi; } | cksum | tr ' ' -)
[ ! -e "$stamp" ] || exit 0

# A venv needs ensurepip, which Debian and Ubuntu package apart from Python.
can_make_venv() { python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

if ! can_make_venv && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  printf '  · installing python3-venv\n'
  apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y python3-venv >/dev/null || true
fi
if ! can_make_venv; then
  echo 'error: this needs Python 3.11 or later with venv: apt-get install python3-venv' >&2
  exit 1
fi
rm -rf "$venv"
mkdir -p "$(dirname "$venv")"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 "$@" >&2 || exit 2
: >"$stamp"
