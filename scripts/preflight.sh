#!/usr/bin/env bash
# Finds what would end `make up` minutes later, and says what to do about it: scripts/preflight.sh [PORT]
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'error: %s\n  %s\n' "$1" "$2" >&2; exit 1; }

# A first build takes this much, in MiB, with some to spare.
disk=4000

command -v cargo >/dev/null || fail 'there is no cargo on PATH' 'Install Rust from https://rustup.rs, and open a new terminal.'
command -v cc >/dev/null || fail 'there is no C compiler (cc) on PATH, which SQLite needs' \
  'Debian, Ubuntu: apt-get install build-essential. Fedora: dnf install gcc. macOS: xcode-select --install.'

wanted=$(sed -n 's/^rust-version = "\([0-9.]*\)"$/\1/p' Cargo.toml)
found=$(rustc --version | cut -d ' ' -f 2)
minor=${found#1.}
[ "${minor%%.*}" -ge "${wanted#1.}" ] || fail "Rust $found is too old; this needs $wanted or later" \
  'With rustup: rustup update. Rust of a distribution: install rustup instead, from https://rustup.rs.'

{ mkdir -p target .local && touch target/.writable; } 2>/dev/null || fail "$PWD cannot be written to" \
  'Clone the repository into a folder of your own; it builds into target/ and keeps its data in .local/.'

# A connection that succeeds is one to another program.
if [ $# -gt 0 ] && (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
  fail "port $1 is in use by another program" "Stop it, or choose a free port: make up PORT=$(($1 + 1))"
fi

[ ! -x target/debug/azure-sql-rest-up ] || exit 0
free=$(df -Pm . | awk 'NR == 2 { print $4 }')
[ "$free" -ge $disk ] || fail "the disk has $free MiB left; a first build takes about $disk MiB" \
  'Make room: cargo clean in other projects, or clone the repository onto another disk.'
host=$(rustc -vV | sed -n 's/^host: //p')
scripts/step.sh crates scripts/progress.sh cargo fetch --locked --target "$host" || fail 'the crates cannot be downloaded (above)' \
  'Check the network. Behind a proxy, set HTTPS_PROXY; for a mirror, see https://doc.rust-lang.org/cargo/reference/source-replacement.html.'
