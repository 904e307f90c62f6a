#!/bin/sh
# Puts containerd-shim-spin on a node, and tells containerd of it. Each start of the node's pod runs it, so a node that was made new under its old
# name gets the shim again. Where its work is done it changes nothing.
#
#   ROOT                  the node's root file system
#   SPIN_SHIM_X86_64, SPIN_SHIM_AARCH64   VERSION@sha256:CHECKSUM of the release's archive
#   RELEASES              where the releases are, for a mirror
set -eu
ROOT=${ROOT:-/node}
RELEASES=${RELEASES:-https://github.com/spinframework/containerd-shim-spin/releases/download}
machine=$(uname -m)
case $machine in
  x86_64) pin=$SPIN_SHIM_X86_64 ;;
  aarch64) pin=$SPIN_SHIM_AARCH64 ;;
  *) echo "error: there is no shim for $machine" >&2; exit 1 ;;
esac
version=${pin%@*}
checksum=${pin##*:}
# The folder as the node sees it, then as this container sees it.
home=/opt/spin-shim
place=$ROOT$home
config=$ROOT/etc/containerd/config.toml
[ -e "$config" ] || { echo "error: $config is not there: this node's containerd is set up another way" >&2; exit 1; }
mkdir -p "$place"

if [ "$(cat "$place/checksum" 2>/dev/null)" != "$checksum" ]; then
  folder=$(mktemp -d)
  wget -O "$folder/shim.tar.gz" "$RELEASES/v$version/containerd-shim-spin-v2-linux-$machine.tar.gz"
  echo "$checksum  $folder/shim.tar.gz" | sha256sum -c -
  tar -xzf "$folder/shim.tar.gz" -C "$folder" containerd-shim-spin-v2
  cp "$folder/containerd-shim-spin-v2" "$place/new"
  chmod 755 "$place/new"
  # In one step: pods that run keep the file that they began with, which nobody could write to.
  mv "$place/new" "$place/containerd-shim-spin-v2"
  echo "$checksum" >"$place/checksum"
  rm -r "$folder"
  echo "containerd-shim-spin $version is in $home"
fi

# Only this installer uses the name of the runtime, so that no other installer's section is repeated: containerd does not start with a repeated
# section.
if ! grep -qF 'containerd.runtimes.spin-shim]' "$config"; then
  rm -f "$place/told"
  # https://github.com/containerd/containerd/blob/main/docs/cri/config.md: version 3 is containerd 2's.
  plugin=io.containerd.grpc.v1.cri
  if grep -qE '^version *= *3' "$config"; then plugin=io.containerd.cri.v1.runtime; fi
  cat >>"$config" <<TOML

[plugins."$plugin".containerd.runtimes.spin-shim]
runtime_type = "$home/containerd-shim-spin-v2"
[plugins."$plugin".containerd.runtimes.spin-shim.options]
# The nodes' cgroup driver. Without it the pods' metrics, by which they are scaled, are wrong.
SystemdCgroup = true
TOML
fi
# Pods outlive a restart of containerd. The mark is written last, so that an interrupted run restarts it the next time.
if [ ! -e "$place/told" ]; then
  nsenter -t 1 -m systemctl restart containerd
  : >"$place/told"
  echo "containerd knows the runtime spin-shim"
fi
