"""Runs deploy/spinkube/cluster/install-shim.sh on nodes that are folders. Its wget has the archives, and its nsenter writes down each call.
"""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from pathlib import Path

SCRIPT = Path("deploy/spinkube/cluster/install-shim.sh").resolve()
# The configuration that AKS and kind begin with, for containerd 1 and for containerd 2.
CONFIGS = {
    "io.containerd.grpc.v1.cri": 'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd]\ndefault_runtime_name = "runc"\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]\nruntime_type = "io.containerd.runc.v2"\n',
    "io.containerd.cri.v1.runtime": "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd]\ndefault_runtime_name = 'runc'\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\nruntime_type = 'io.containerd.runc.v2'\n",
}


class Node:
    def __init__(self, folder, config):
        self.root = Path(folder, "node")
        self.bin = Path(folder, "bin")
        self.asked = Path(folder, "asked")
        self.archives = Path(folder, "archives")
        for each in (self.bin, self.archives):
            each.mkdir()
        self.asked.touch()
        self.config = config
        self.reimage()
        self.program("uname", "echo x86_64")
        # wget -O FILE URL
        self.program("wget", f'echo "wget $3" >>{self.asked}\nexec cp "{self.archives}/$(echo "$3" | cut -d / -f 8)" "$2"')
        self.program("nsenter", f'echo "$*" >>{self.asked}\n[ ! -e {folder}/interrupted ]')
        if not shutil.which("sha256sum"):
            self.program("sha256sum", "exec shasum -a 256 -c -")

    def program(self, name, text):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def reimage(self):
        """Makes the node new except for its name, as AKS does."""
        shutil.rmtree(self.root, ignore_errors=True)
        path = self.root / "etc/containerd/config.toml"
        path.parent.mkdir(parents=True)
        path.write_text(self.config, encoding="utf-8")

    def release(self, version):
        """An archive of a shim that says its version; the pin that versions.env would have."""
        content = f"#!/bin/sh\necho {version}\n".encode()
        path = self.archives / f"v{version}"
        with tarfile.open(path, "w:gz") as archive:
            member = tarfile.TarInfo("containerd-shim-spin-v2")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        return f"{version}@sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"

    def start(self, pin):
        """A start of the node's pod, as (status, what was asked of wget and nsenter)."""
        self.asked.write_text("", encoding="utf-8")
        environment = {"PATH": f"{self.bin}:{os.environ['PATH']}", "ROOT": str(self.root), "SPIN_SHIM_X86_64": pin, "SPIN_SHIM_AARCH64": "none"}
        done = subprocess.run(["sh", str(SCRIPT)], env=environment, capture_output=True, text=True)
        return done.returncode, self.asked.read_text(encoding="utf-8").splitlines()

    def installed(self):
        path = self.root / "opt/spin-shim/containerd-shim-spin-v2"
        return path.read_text(encoding="utf-8").split()[-1] if path.exists() and os.access(path, os.X_OK) else None

    def runtime(self, plugin):
        return tomllib.loads((self.root / "etc/containerd/config.toml").read_text(encoding="utf-8"))["plugins"][plugin]["containerd"]["runtimes"].get("spin-shim")


def problems():
    for plugin, config in CONFIGS.items():
        with tempfile.TemporaryDirectory() as folder:
            yield from (f"{plugin}: {problem}" for problem in course(Node(folder, config), plugin, Path(folder, "interrupted")))


def course(node, plugin, interrupted):
    old, new = node.release("0.24.0"), node.release("0.25.0")
    restart = "-t 1 -m systemctl restart containerd"
    fetch = "wget https://github.com/spinframework/containerd-shim-spin/releases/download/v{}/containerd-shim-spin-v2-linux-x86_64.tar.gz"

    def expect(what, got, wanted, version):
        if got != wanted or node.installed() != version:
            yield f"{what}: {got}, with {node.installed()} installed"
        if node.runtime(plugin) != {"runtime_type": "/opt/spin-shim/containerd-shim-spin-v2", "options": {"SystemdCgroup": True}}:
            yield f"{what}: containerd's runtime is {node.runtime(plugin)}"

    yield from expect("a new node", node.start(old), (0, [fetch.format("0.24.0"), restart]), "0.24.0")
    yield from expect("a reboot", node.start(old), (0, []), "0.24.0")
    with (node.root / "opt/spin-shim/containerd-shim-spin-v2").open("rb") as running:
        yield from expect("a newer shim", node.start(new), (0, [fetch.format("0.25.0")]), "0.25.0")
        if b"0.24.0" not in running.read():
            yield "a newer shim: the file of a pod that runs has changed"
    node.reimage()
    yield from expect("the node is made new under its name", node.start(new), (0, [fetch.format("0.25.0"), restart]), "0.25.0")
    wrong = f"{old.partition(':')[0]}:{'0' * 64}"
    status, asked = node.start(wrong)
    yield from expect("another archive than was pinned", (status != 0, asked), (True, [fetch.format("0.24.0")]), "0.25.0")
    node.reimage()
    interrupted.touch()
    status, _ = node.start(new)
    interrupted.unlink()
    if status == 0:
        yield "containerd did not restart, and the script says that all is well"
    yield from expect("interrupted before containerd was restarted", node.start(new), (0, [restart]), "0.25.0")
    if shutil.which("containerd") and "grpc" in plugin:
        told = subprocess.run(["containerd", "--config", str(node.root / "etc/containerd/config.toml"), "config", "dump"], capture_output=True, text=True)
        if '/opt/spin-shim/containerd-shim-spin-v2' not in told.stdout:
            yield f"containerd does not take it: {told.stderr}"
