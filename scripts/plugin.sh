#!/usr/bin/env bash
# Writes the manifest of the Spin plugin `azure-sql` from its archives, as a release has them: scripts/plugin.sh VERSION URL FOLDER.
# FOLDER has azure-sql-VERSION-OS-ARCH.tar.gz, each with the program `azure-sql`, and gets azure-sql.json. URL is their later place.
#   spin plugins install --url URL/azure-sql.json && spin azure-sql up
set -euo pipefail
version=$1 url=$2 folder=$3
sum() { shasum -a 256 "$1" | cut -d ' ' -f 1; }

packages=
for archive in "$folder"/azure-sql-"$version"-*-*.tar.gz; do
  file=${archive##*/}
  place=${file#azure-sql-"$version"-}
  place=${place%.tar.gz}
  packages+="${packages:+,}
    {\"os\": \"${place%-*}\", \"arch\": \"${place##*-}\", \"url\": \"$url/$file\", \"sha256\": \"$(sum "$archive")\"}"
done
cat >"$folder/azure-sql.json" <<MANIFEST
{
  "name": "azure-sql",
  "description": "REST APIs on Azure SQL: adds tables, runs, builds and tests them",
  "version": "$version",
  "spinCompatibility": ">=3.0",
  "license": "MIT",
  "packages": [$packages
  ]
}
MANIFEST
