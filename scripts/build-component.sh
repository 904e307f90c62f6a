#!/usr/bin/env bash
# Builds the component of each manifest given, or of spin.toml and spin.wasip3.toml: build-component.sh [MANIFEST…], in the folder of the
# project. The component goes to the path in `source` of the manifest, whose folder is the profile. The profile wasip3 is for WASI 0.3.
# `azure-sql-rest build` and the command of the manifests run this script, too.
#
# The same compiler makes the same bytes anywhere: nothing of the machine is in them.
# SWAGGER_UI=FOLDER puts the files of the npm package swagger-ui-dist in FOLDER into the component, so that /docs needs no CDN.
#
# The script finds or installs a wasm32-wasip2 toolchain:
#   1. the target is installed already;
#   2. `rustup target add wasm32-wasip2`;
#   3. on Debian as root, where Rust's download server cannot be reached: Debian forky's rustc and wasm32 standard library. They are
#      unpacked into .local/wasm-toolchain and run through their own loader, because they need a newer glibc than the host may have.
set -euo pipefail

target=wasm32-wasip2
scripts=$(cd "$(dirname "$0")" && pwd)
unpacked=$PWD/.local/wasm-toolchain
if [ $# = 0 ]; then for manifest in spin.toml spin.wasip3.toml; do [ ! -e $manifest ] || set -- "$@" $manifest; done; fi
[ $# -gt 0 ] || { echo "error: there is no spin.toml in $PWD" >&2; exit 1; }
# They would count instead of the flags below.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS

if [ -n "${SWAGGER_UI:-}" ]; then SWAGGER_UI=$(cd "$SWAGGER_UI" && pwd); export SWAGGER_UI; else unset SWAGGER_UI; fi

say() { printf '  · %s\n' "$*"; }

target_installed() { [ -d "$(rustc --print target-libdir --target $target 2>/dev/null)" ]; }

# macOS has no timeout.
limited() { if command -v timeout >/dev/null; then timeout 120 "$@"; else "$@"; fi; }

rustup_adds_target() {
  command -v rustup >/dev/null || return
  export -f limited
  bash "$scripts/progress.sh" bash -c "limited rustup target add $target" 2>/dev/null && target_installed
}

is_debian_root() { [ "$(id -u)" = 0 ] && grep -qx 'ID=debian' /etc/os-release 2>/dev/null; }

# Leaves $unpacked/rustc, a compiler for the target; nothing is left half done.
unpack_debian() {
  local work=$unpacked.part mirror triplet
  rm -rf "$work"
  mkdir -p "$(dirname "$work")"
  bash "$scripts/progress.sh" apt-get update -qq
  command -v mmdebstrap >/dev/null || DEBIAN_FRONTEND=noninteractive bash "$scripts/progress.sh" apt-get install -qq -y mmdebstrap
  # The mirror that this machine's own apt uses.
  # shellcheck disable=SC2016 # a format of apt's
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
  bash "$scripts/progress.sh" mmdebstrap --quiet --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' --components=main \
    --include=rustc,libstd-rust-dev-wasm32 forky "$work" "$mirror"
  triplet=$(basename "$(dirname "$(find "$work/usr/lib" -maxdepth 2 -name 'libc.so.6')")")
  rm -rf "${work:?}"/{var,usr/share,usr/include,usr/libexec} "${work:?}"/usr/lib/rustlib/{wasm32-unknown-unknown,wasm32-wasip1}
  cat >"$work/rustc" <<WRAPPER
#!/bin/sh
here=\$(dirname "\$0")
lib=\$here/usr/lib/$triplet
exec "\$(ls "\$lib"/ld-linux-*.so.*)" --library-path "\$lib" "\$here/usr/bin/rustc" --sysroot "\$here/usr" "\$@"
WRAPPER
  chmod +x "$work/rustc"
  rm -rf "$unpacked"
  mv "$work" "$unpacked"
}

# The value of a key in a manifest.
value() { sed -n "s/^$2 = \"\(.*\)\"\$/\1/p" "$1"; }

# The names for paths of this machine in the compiled files. The last name that fits counts.
remapped() {
  local home=${CARGO_HOME:-$HOME/.cargo} rustc=${RUSTC:-rustc} path
  # Packages by path are named with it. This also unpacks the packages of the registry.
  cargo tree --quiet --locked --manifest-path "$1" --target $target --edges normal,build --prefix none --format '{p}' |
    sed -n 's|.* (\(/.*\))\( .*\)*$|\1|p' | sort -u |
    while read -r path; do echo "$path=/${path##*/}"; done
  echo "$PWD=/project"
  for path in "$home"/registry/src/*; do echo "$path=/registry"; done
  echo "$home/git/checkouts=/git"
  echo "$("$rustc" --print sysroot)/lib/rustlib/src/rust=/rustc/$("$rustc" -vV | sed -n 's/^commit-hash: //p')"
}

# Builds for a manifest, into a target directory. SIMD: the component reads long texts 16 bytes at a time, and every Wasmtime has these
# instructions, unless they are switched off. The stack is small, because the host clears all memory that an instance asks for. Nothing recurses
# with its input; `make cost` shows how much is used at most.
build() {
  local cargo profile path flags="'-C', 'target-feature=+simd128', '-C', 'link-arg=-zstack-size=32768'"
  local -a features=()
  profile=$(basename "$(dirname "$(value "$1" source)")")
  [ "$profile" != wasip3 ] || features=(--no-default-features --features wasip3)
  cargo=$(dirname "$1")/Cargo.toml
  [ -e "$(dirname "$1")/Cargo.lock" ] || cargo generate-lockfile --quiet --manifest-path "$cargo"
  while read -r path; do flags+=", '--remap-path-prefix=$path'"; done < <(remapped "$cargo")
  bash "$scripts/progress.sh" cargo build --locked --manifest-path "$cargo" --profile "$profile" --target $target --target-dir "$2" \
    ${features[@]+"${features[@]}"} --config "target.$target.rustflags=[$flags]"
}

if target_installed; then
  say "$target: installed"
  for manifest; do build "$manifest" target; done
elif [ ! -x "$unpacked/rustc" ] && rustup_adds_target; then
  say "$target: added with rustup"
  for manifest; do build "$manifest" target; done
elif [ -x "$unpacked/rustc" ] || is_debian_root; then
  if [ ! -x "$unpacked/rustc" ]; then
    say "$target: rustup cannot add it; unpacking Debian's compiler for it into .local/wasm-toolchain, once"
    unpack_debian
  fi
  say "$target: Debian's $("$unpacked/rustc" --version | cut -d' ' -f1,2) in .local/wasm-toolchain"
  # The linker comes with the host's own toolchain.
  linkers=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
  # A target directory of its own: another compiler would rebuild everything that the native build shares with it.
  compiler=$unpacked/rustc
  for manifest; do
    PATH=$linkers:$linkers/gcc-ld:$PATH RUSTC=$unpacked/rustc build "$manifest" target/wasm-toolchain
    artifact=$(value "$manifest" source)
    built=target/wasm-toolchain/${artifact#target/}
    mkdir -p "$(dirname "$artifact")"
    cmp -s "$built" "$artifact" || cp "$built" "$artifact"
  done
else
  cat >&2 <<HELP
error: no Rust toolchain for $target. Any one of these helps:
  - rustup target add $target         (needs Rust's download server)
  - install your distribution's Rust with its $target standard library, and have it first on PATH
  - on Debian, run this once as root   (needs a Debian mirror only)
HELP
  exit 1
fi
for manifest; do
  artifact=$(value "$manifest" source)
  # Another compiler makes other code: what is measured of it is compared by this.
  "${compiler:-rustc}" --version | cut -d' ' -f1,2 >"$artifact.rustc"
  say "$artifact: $(wc -c <"$artifact" | tr -d " ") bytes"
done
