"""The subjects of the comparison: how each is started, and how it is reached from outside."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
LOCAL = os.environ.get("LOCAL") or "target/bench-stack/azure-sql-rest"
SPIN = os.environ.get("SPIN")
# Debian's folder of nginx, which not every user's shell searches.
os.environ["PATH"] += ":/usr/sbin"
# Variables that a shell has set for `make up` must not reach the subjects.
CLEAN = {key: value for key, value in os.environ.items() if key not in ("DAB_URL", "HOST", "MANIFEST", "SPIN") and not key.startswith("SPIN_VARIABLE_")}


def say(line):
    print(f"  · {line}", flush=True)


def fail(line):
    sys.exit(f"error: {line}")


@dataclass
class Subject:
    """A process, or a family of them, that answers at a URL."""

    name: str
    url: str
    process: subprocess.Popen
    log_file: Path
    # "api", or "dab" for the bridge's own form.
    paths: str = "api"
    bodies: str = "api"
    enveloped: bool = False
    # The bare proxy with the same WASI on the same host.
    bare: str = ""
    # Resident memory, in bytes.
    idle: int = 0
    peak: int = 0

    def processes(self):
        """The folders in /proc of the process and of all it started."""
        pids = [self.process.pid]
        for pid in pids:
            with contextlib.suppress(OSError):  # It has just ended.
                for children in Path(f"/proc/{pid}/task").glob("*/children"):
                    pids += children.read_text().split()
        return [Path(f"/proc/{pid}") for pid in pids]

    def resident(self):
        """The resident memory of all of them, in bytes."""
        total = 0
        for process in self.processes():
            with contextlib.suppress(OSError):
                total += int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return total

    def pin(self, cores):
        """Lets all of them run on these cores only."""
        for process in self.processes():
            for thread in (process / "task").iterdir():
                os.sched_setaffinity(int(thread.name), cores)

    def log(self):
        return self.log_file.read_text(errors="replace")[-2000:]


class Subjects:
    """The processes of one comparison; leaving the context ends them, and their folder goes."""

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        # The workers of an nginx that root starts belong to another user.
        self.folder.chmod(0o755)
        self.processes = []
        self.upstream = ""
        self.has_nginx = shutil.which("nginx") is not None
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            # The local stack stops at the end of its input, together with the programs that it started.
            process.stdin.close()
            if process.args[0] != LOCAL:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder)

    def start(self, name, command, ready=None, port=None, env=None, **kind):
        """Starts a process, and waits until it tells its URL, or answers at the port."""
        log = self.folder / f"{len(self.processes)}.log"
        with open(log, "w") as output:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=CLEAN | (env or {}))
        self.processes.append(process)
        subject = Subject(name, f"http://127.0.0.1:{port}", process, log, **kind)
        until = time.monotonic() + 120
        while time.monotonic() < until and process.poll() is None:
            if ready:
                told = re.search(ready + r" (http://\S+)", log.read_text())
                if told:
                    subject.url = told[1].rstrip("/")
                    return subject
            else:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    return subject
                except OSError:
                    pass
            time.sleep(0.05)
        fail(f"{name} did not start:\n{subject.log()}")

    def start_bridge(self):
        """Starts the bridge with a fresh database; its file."""
        database = self.folder / "customers.db"
        command = [LOCAL, "--exit-on-stdin-eof", "bridge", "--listen", "127.0.0.1:0", "--database", str(database)]
        self.bridge = self.start("local bridge", command, "Bridge ready at", paths="dab", bodies="dab", enveloped=True)
        self.upstream = self.bridge.url
        return database

    def start_static(self, lists):
        """Starts a server of lists in the bridge's place: nginx, or a small one in Python."""
        port = free_port()
        self.upstream = f"http://127.0.0.1:{port}"
        if self.has_nginx:
            where = f"root {lists}; try_files /$arg_Limit.json =404;"
            self.static = self.start_nginx("upstream", port, f"location = /api/get_customers {{ {where} }}", "", paths="dab", enveloped=True)
        else:
            command = [sys.executable, str(HERE / "static.py"), str(lists), str(port)]
            self.static = self.start("upstream", command, port=port, paths="dab", enveloped=True)

    def start_nginx(self, name, port, location, upstream, **kind):
        folder = self.folder / f"nginx-{port}"
        folder.mkdir()
        temporary = "\n".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(f"""
daemon off;
pid {folder}/pid;
worker_processes auto;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  types {{ application/json json; }}
  {temporary}
  {upstream}
  server {{ listen 127.0.0.1:{port}; {location} }}
}}
""")
        command = ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
        return self.start(name, command, port=port, **kind)

    def nginx(self):
        upstream = f"upstream bridge {{ server {self.upstream.removeprefix('http://')}; keepalive 64; keepalive_requests 1000000000; }}"
        location = 'location / { proxy_pass http://bridge; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_max_temp_file_size 0; }'
        return self.start_nginx("nginx", free_port(), location, upstream, paths="dab", bodies="dab", enveloped=True)

    def flask(self, connections):
        """With a thread for each connection."""
        workers, port = os.cpu_count() or 1, free_port()
        command = [sys.executable, "-m", "gunicorn", "--chdir", str(HERE / "flask_twin"), "--bind", f"127.0.0.1:{port}"]
        command += ["--workers", str(workers), "--threads", str(-(-connections // workers)), "--keep-alive", "60", "app:app"]
        return self.start("Flask twin", command, port=port, env={"DAB_URL": self.upstream})

    def component(self, name, manifest, host, **kind):
        command = [LOCAL, "--exit-on-stdin-eof", "up", "--listen", "127.0.0.1:0" if host == "local" else f"127.0.0.1:{free_port()}"]
        command += ["--dab-url", self.upstream, "--manifest", str(manifest), "--host", host]
        command += ["--spin", SPIN] if host == "spin" else []
        return self.start(name, command, "API ready at", **kind)

    def bare_manifest(self, manifest, artifact):
        """A copy of the bare proxy's manifest, with its component and the API's runtime configuration of Spin beside it."""
        folder = self.folder / manifest.removesuffix(".toml")
        (folder / artifact).parent.mkdir(parents=True)
        shutil.copy(artifact, folder / artifact)
        shutil.copy("runtime-config.toml", folder)
        return shutil.copy(Path("bench/bare-proxy") / manifest, folder)

    def for_operations(self, connections):
        subjects = [self.bridge]
        if self.has_nginx:
            subjects.append(self.nginx())
        else:
            say("SKIPPED: nginx is not there, so nothing is compared with it (apt-get install nginx)")
        subjects.append(self.flask(connections))
        for number, (wasi, manifest, folder) in enumerate(BUILDS):
            copy = self.bare_manifest(manifest, f"target/wasm32-wasip2/{folder}/bare_proxy.wasm")
            for host, label in hosts(wasi):
                bare = f"bare proxy, {wasi}{label}"
                subjects.append(self.component(bare, copy, host, bodies="dab", enveloped=True))
                subjects.append(self.component(f"this API, {wasi}{label}", manifest, host, bare=bare))
        return subjects

    def for_lists(self):
        subjects = [self.static] + ([self.nginx()] if self.has_nginx else [])
        for wasi, manifest, _ in BUILDS:
            subjects += [self.component(f"this API, {wasi}{label}", manifest, host) for host, label in hosts(wasi)]
        return subjects


BUILDS = [("WASI 0.2", "spin.toml", "release"), ("WASI 0.3", "spin.wasip3.toml", "wasip3")]


def hosts(wasi):
    """The hosts of a component: the built-in host, and Spin where SPIN names a version that supports this WASI."""
    hosts = [("local", "")]
    if SPIN:
        version = subprocess.run([SPIN, "--version"], capture_output=True, text=True, check=True).stdout
        major, minor = map(int, re.search(r"(\d+)\.(\d+)", version).groups())
        if wasi == "WASI 0.2" or (major, minor) >= (4, 1):
            hosts.append(("spin", " on Spin"))
        else:
            say(f"SKIPPED: WASI 0.3 needs Spin 4.1 or later, so its build is not measured on {version.strip()}")
    return hosts


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
