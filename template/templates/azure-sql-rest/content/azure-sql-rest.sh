#!/bin/sh
# Runs azure-sql-rest at the version of the library in Cargo.lock, and installs it first if no project of this machine has: sh azure-sql-rest.sh COMMAND…
set -eu
cd "$(dirname "$0")"
fail() { echo "error: $1" >&2; exit 1; }

command -v cargo >/dev/null || fail 'there is no cargo on PATH; install Rust from https://rustup.rs, and open a new terminal'
command -v cc >/dev/null || fail 'there is no C compiler (cc) on PATH; Debian, Ubuntu: apt-get install build-essential; macOS: xcode-select --install'
# Takes into Cargo.lock what has changed in Cargo.toml.
cargo tree --quiet --depth 0 >/dev/null || fail 'Cargo.toml cannot be used (above)'
# Version and source of the library; a folder of this machine has only a version.
# shellcheck disable=SC2046 # two words are meant
set -- $(awk '$1 == "name" { name = $3 } name == "\"azure-sql-rest\"" && $1 ~ /^(version|source)$/ { gsub("\"", ""); print $3 }' Cargo.lock) -- "$@"
version=$1 source=
[ "$2" = -- ] || { source=$2; shift; }
shift 2
case $source in
  "")
    folder=$(cargo pkgid azure-sql-rest | sed -e 's|^path+file://||' -e 's|#.*||')-cli
    run() { cargo run --quiet --locked --manifest-path "$folder/Cargo.toml" -- "$@"; }
    ;;
  *)
    url=${source#*+} key=${source##*[#]} from="--version =$version"
    # A build for debugging has what runs often optimised, and is made in a third of the time.
    case $source in git+*) from="--debug --git ${url%%[?#]*} --rev $key" ;; *) key=$version ;; esac
    tools=${AZURE_SQL_REST_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/azure-sql-rest}/$key
    run() { "$tools/bin/azure-sql-rest" "$@"; }
    if [ ! -x "$tools/bin/azure-sql-rest" ]; then
      echo "→ azure-sql-rest $version into $tools, once for all projects of this machine (about four minutes)"
      # shellcheck disable=SC2086 # several words are meant
      cargo install --locked --root "$tools" $from azure-sql-rest-cli || fail 'azure-sql-rest cannot be installed (above)'
    fi
    ;;
esac
# shellcheck source=/dev/null
if [ -e begin.sh ]; then . ./begin.sh; fi
run "$@"
