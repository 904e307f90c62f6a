#!/usr/bin/env bash
# Makes the Python environment .local/NAME with packages of PyPI for a check or a measurement, once:
#
#   scripts/venv.sh NAME REQUIREMENT...     packages with their versions, or -r and a file of them
#
# Exits with 1 without a Python for it, and with 2 if PyPI does not give the packages. The reason is on standard error. For root on Debian
# and Ubuntu, the script installs a Python.
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
