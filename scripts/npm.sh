#!/usr/bin/env bash
# Installs what tests/browser/package-lock.json lists into .local/browser/node_modules, once.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=.local/browser
if cmp -s tests/browser/package-lock.json $folder/installed; then exit 0; fi
mkdir -p $folder
cp tests/browser/package.json tests/browser/package-lock.json $folder/
scripts/progress.sh npm ci --prefix $folder --ignore-scripts --no-audit --no-fund
cp tests/browser/package-lock.json $folder/installed
