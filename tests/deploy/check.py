"""The checks of deploy/, in order. tests/deploy/run starts it, with its tools on PATH."""

import functools
import hashlib
import itertools
import json
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

import alerts
import arithmetic
import facts
import gateway
import images
import jsonschema
import portable
import probes
import schemas
import shim
import sidecar
import webhook
import yaml
from pycep import BicepParser
from overlay import Overlay, kustomize, render
from report import Report

# Overlays of the components that dev and aks leave out.
VARIANTS = {
    "aks, KEDA, Key Vault, gateway, telemetry, Cilium": """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: customer-api
resources: [../../deploy/spinkube/base]
components:
  - ../../deploy/spinkube/components/keda
  - ../../deploy/spinkube/aks/key-vault/connection-string
  - ../../deploy/spinkube/aks/key-vault/api-key
  - ../../deploy/spinkube/components/gateway
  - ../../deploy/spinkube/components/telemetry
  - ../../deploy/spinkube/components/cilium
sortOptions: {order: fifo}
""",
    "aks, the API's key in Key Vault": """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: customer-api
resources: [../../deploy/spinkube/aks]
components: [../../deploy/spinkube/aks/key-vault/api-key]
sortOptions: {order: fifo}
""",
}
SIDECAR = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: customer-api
resources: [../../../deploy/spinkube/aks]
components: [../../../deploy/spinkube/components/sidecar]
sortOptions: {order: fifo}
"""


# Its files become TOML and YAML when Spin fills the names in: tests/e2e/template.rs.
TEMPLATE = "template/templates/"


def main():
    report = Report()
    overlays(report)
    compose(report)
    container_app(report)
    cluster_wide(report)
    retries(report)
    monitoring(report)
    connection_strings(report)
    versions(report)
    deployed(report)
    files(report)
    return report.finish()


def overlays(report):
    command = kustomize()
    if command is None:
        report.skip("deploy/spinkube", "neither kustomize 5 nor kubectl 1.27 or later is on PATH; with one of them it is rendered and checked")
        return
    print(f"  rendering with {' '.join(command)}")
    with tempfile.TemporaryDirectory(dir=".local") as folder:
        places = [("dev", "deploy/spinkube/dev"), ("aks", "deploy/spinkube/aks")]
        for number, (name, text) in enumerate(VARIANTS.items()):
            place = Path(folder, str(number))
            place.mkdir()
            (place / "kustomization.yaml").write_text(text.replace("../../deploy", "../../../deploy"), encoding="utf-8")
            places.append((name, place))
        for name, place in places:
            manifests, told = render(command, place)
            report.check(f"{name}: renders", [told] if manifests is None or "Warning" in told else [])
            if manifests is None:
                continue
            own = [manifest for manifest in manifests if schemas.is_kubernetes(manifest)]
            others = [manifest for manifest in manifests if not schemas.is_kubernetes(manifest)]
            report.check(
                f"{name}: {len(own)} manifests are valid in Kubernetes {' and '.join(schemas.KUBERNETES)}",
                (problem for manifest in own for problem in schemas.kubernetes_problems(manifest)),
            )
            report.check(
                f"{name}: {', '.join(sorted({manifest['kind'] for manifest in others}))} are valid by their CRDs",
                (problem for manifest in others for problem in schemas.crd_problems(manifest)),
            )
            report.check(
                f"{name}: what the webhooks of SpinKube's operator {webhook.OPERATOR} write back is valid, too",
                (problem for manifest in others for problem in schemas.crd_problems(webhook.round_trip(manifest))),
            )
            overlay = Overlay(name, manifests)
            for fact in facts.ALL:
                report.check(f"{name}: {fact.__doc__}", fact(overlay))
            if name == "aks":
                aks = overlay
                extended(report, name, command, overlay, "deploy/spinkube/deployment")
        place = Path(folder, "sidecar")
        place.mkdir()
        (place / "kustomization.yaml").write_text(SIDECAR, encoding="utf-8")
        manifests, told = render(command, place)
        report.check("aks with a sidecar: renders", [told] if manifests is None or "Warning" in told else [])
        overlay = Overlay("aks", manifests)
        valid = [*map(schemas.kubernetes_problems, filter(schemas.is_kubernetes, manifests)), schemas.crd_problems(webhook.round_trip(overlay.one("SpinApp")))]
        report.check("aks with a sidecar: is valid in Kubernetes and by the SpinApp's CRD", itertools.chain(*valid))
        part = extended(report, "aks with a sidecar", command, overlay, "deploy/spinkube/components/sidecar/deployment")
        report.check("aks with a sidecar: Data API Builder is as in the base, and nothing but its pod reaches it", sidecar.problems(overlay, part, aks))


def extended(report, name, command, overlay, folder):
    """The operator's Deployment with the part of `folder`, whose manifests are returned."""
    part, told = render(command, folder)
    report.check(f"{name}: {folder} renders", [told] if part is None else [])
    (added,) = (each for each in part if each["kind"] == "Deployment")
    whole = webhook.extended(webhook.deployment(overlay.one("SpinApp")), added)
    report.check(f"{name}: the operator's Deployment is valid with {folder}", schemas.kubernetes_problems(whole))
    return part


def compose(report):
    """deploy/compose.yaml with the collector's and DAB's configuration."""
    services = facts.compose()["services"]
    collector = yaml.safe_load(Path("deploy/otel-collector.yaml").read_text(encoding="utf-8"))

    def pipelines():
        for name, pipeline in collector["service"]["pipelines"].items():
            default = re.fullmatch(r"\$\{env:EXPORTERS:-(.*)\}", pipeline["exporters"])
            named = {"otlp_grpc", *(yaml.safe_load(default[1]) if default else [])}
            if default is None or not named <= set(collector["exporters"]) or not set(pipeline["receivers"]) <= set(collector["receivers"]):
                yield f"pipeline {name} names receivers or exporters that are not there"
        if set(re.findall(r"env:(\w+)", json.dumps(collector))) - set(services["collector"]["environment"]):
            yield "it reads variables that deploy/compose.yaml does not set"
        published = {port.rpartition(":")[2] for port in services["collector"]["ports"]}
        listening = {each["endpoint"].rpartition(":")[2] for each in collector["receivers"]["otlp"]["protocols"].values()}
        if published != listening:
            yield f"it listens on {sorted(listening)}, deploy/compose.yaml publishes {sorted(published)}"

    def telemetry():
        for name in ("dab", "api"):
            if services[name]["environment"].get("OTEL_EXPORTER_OTLP_ENDPOINT") != "${OTEL_EXPORTER_OTLP_ENDPOINT:-}":
                yield f"{name} does not take OTEL_EXPORTER_OTLP_ENDPOINT from the environment, empty by default"
        if services["collector"].get("profiles") != ["telemetry"]:
            yield "the collector starts without being asked for"
        otel = facts.dab_config()["runtime"]["telemetry"]["open-telemetry"]
        if not otel.get("enabled") or not otel.get("service-name") or otel.get("endpoint") != "@env('OTEL_EXPORTER_OTLP_ENDPOINT')":
            yield "dab/dab-config.json: open-telemetry wants enabled, service-name and the endpoint from OTEL_EXPORTER_OTLP_ENDPOINT"

    def hardening():
        for name, service in services.items():
            problems = {
                "keeps capabilities": service.get("cap_drop") != ["ALL"] or service.get("cap_add", []) != (["NET_BIND_SERVICE"] if name == "database" else []),
                "may gain privileges": service.get("security_opt") != ["no-new-privileges:true"],
                # SQL Server keeps its data in its image's folders, Spin what it unpacks.
                "may write to its image": not service.get("read_only") and name not in ("database", "api"),
                "has an image whose tag moves": re.search(r":(.*latest|main|edge)?$", service["image"]) is not None,
                "does not say that its image is for amd64": "mcr.microsoft.com/" in service["image"] and service.get("platform") != "linux/amd64",
                "is open to other machines": not all(re.match(r"(127\.0\.0\.1|\$\{LISTEN:-127\.0\.0\.1\}):", port) for port in service.get("ports", [])),
            }
            yield from (f"{name} {problem}" for problem, holds in problems.items() if holds)
        if services["dab"].get("user") != "1654:1654" or services["dab"].get("command") != ["--no-https-redirect"]:
            yield "dab does not run as in deploy/spinkube/base/dab.yaml"
        if services["api"]["environment"].get("SPIN_VARIABLE_API_KEY") != "${API_KEY:-}":
            yield "api does not take API_KEY"

    api = services["api"]
    report.check("compose's API has memory for every request that Spin holds", arithmetic.memory_problems("api", api.get("mem_limit"), api["environment"].get("SPIN_MAX_INSTANCE_COUNT")))
    report.check("compose's containers run unprivileged, from pinned images, only for this machine", hardening())
    report.check("deploy/otel-collector.yaml agrees with itself and with deploy/compose.yaml", pipelines())
    report.check("telemetry is off unless OTEL_EXPORTER_OTLP_ENDPOINT is set", telemetry())


def container_app(report):
    """deploy/akamai/containerapp.yaml, whose lines between @ signs are files."""
    text = Path("deploy/akamai/containerapp.yaml").read_text(encoding="utf-8")
    app = yaml.safe_load(re.sub(r"(?m)^@\w+@$", "          a file", text).replace(": @", ": x@"))
    (dab,) = (each for each in app["properties"]["template"]["containers"] if each["name"] == "dab")

    def problems():
        yield from probes.dab_problems({probe["type"].lower(): probe for probe in dab["probes"]})
        for probe in dab["probes"]:
            # The limits of the resource provider.
            if probe.get("failureThreshold", 3) > 10 or probe.get("periodSeconds", 10) > 240:
                yield f"{probe['type']}: Container Apps takes no more than 10 failures and 240 seconds"

    report.check("deploy/akamai/containerapp.yaml keeps Data API Builder in use while the database is unavailable", problems())


def retries(report):
    name = "Envoy repeats reads and writes with a key when a pod ends, and nothing that the API has answered"
    try:
        report.check(name, gateway.problems())
    except LookupError as why:
        report.skip(name, why)


def monitoring(report):
    """Checks the alerts for the API on AKS, and the collection of their data."""
    path = Path("deploy/azure/monitoring.bicep")

    def parses():
        try:
            parsed = BicepParser().parse(text=path.read_text(encoding="utf-8"))
        except Exception as error:  # Lark's errors have no common ancestor with the package's own.
            yield f"{path}: {error}"
            return
        call = Path("deploy/azure/deploy.sh").read_text(encoding="utf-8").partition(f"--template-file {path}")[2].partition("--output none")[0]
        given = set(re.findall(r"(\w+)=\"", call))
        if given != set(parsed["parameters"]):
            yield f"deploy.sh gives {sorted(given)}, {path} takes {sorted(parsed['parameters'])}"

    report.check(f"{path} parses, and deploy.sh gives it its parameters", parses())
    report.check(f"{len(alerts.CASES)} alerts are raised by what they are for and by nothing else, at the default log level", alerts.problems())
    collected = json.loads(Path("deploy/azure/data-collection.json").read_text(encoding="utf-8"))
    tables = {re.match(r"\w+", query.read_text(encoding="utf-8"))[0] for query in alerts.FOLDER.glob("*.kql")}
    missing = {f"Microsoft-{table}" for table in tables} - set(collected["streams"])
    report.check("Container Insights collects what the alerts read, of the API's namespace", (f"{each} is not collected" for each in missing))


def cluster_wide(report):
    """Checks the manifests for a whole cluster, which are applied by themselves because no namespace of ours has them."""
    path = "deploy/spinkube/components/gateway/class.yaml"
    report.check(f"{path} is valid by its CRD", schemas.crd_problems(yaml.safe_load(Path(path).read_text(encoding="utf-8"))))
    command = kustomize()
    if command is None:
        report.skip("deploy/spinkube/cluster", "neither kustomize 5 nor kubectl 1.27 or later is on PATH")
        return
    manifests, told = render(command, "deploy/spinkube/cluster")
    report.check("deploy/spinkube/cluster renders, and is valid in Kubernetes", [told] if manifests is None else (problem for each in manifests for problem in schemas.kubernetes_problems(each)))

    def holds():
        by_kind = {each["kind"]: each for each in manifests if each["kind"] != "ConfigMap"}
        executor = yaml.safe_load(Path("deploy/spinkube/base/executor.yaml").read_text(encoding="utf-8"))
        if by_kind["RuntimeClass"]["metadata"]["name"] != executor["spec"]["deploymentConfig"]["runtimeClassName"]:
            yield "the executor names another runtime class"
        script = shim.SCRIPT.read_text(encoding="utf-8")
        if f"runtimes.{by_kind['RuntimeClass']['handler']}]" not in script:
            yield "the script sets another runtime up than the runtime class names"
        pod = by_kind["DaemonSet"]["spec"]["template"]["spec"]
        if pod["nodeSelector"] != by_kind["RuntimeClass"]["scheduling"]["nodeSelector"]:
            yield "the shim is on other nodes than its pods"
        if pod["tolerations"] != [{"operator": "Exists"}]:
            yield "a tainted node gets no shim"
        (install,), (rest,) = pod["initContainers"], pod["containers"]
        yield from (f"{each['name']}: {each['image']} is not pinned by its digest" for each in (install, rest) if not re.search(r"@sha256:[0-9a-f]{64}$", each["image"]))
        if "privileged" in rest["securityContext"] or "volumeMounts" in rest:
            yield "what only waits may do more than wait"
        versions = {each.partition("@")[0] for name, each in facts.pinned().items() if name.startswith("SPIN_SHIM_")}
        told = facts.extended_template()["metadata"]["annotations"]["spin-shim"]
        if versions != {told}:
            yield f"deploy/spinkube/deployment says that the shim is {told}, versions.env has {sorted(versions)}"

    report.check("deploy/spinkube/cluster installs the shim that the executor names, at each start of a node, by digest", holds())
    report.check("a node has the shim after a start, a reboot, an upgrade, and when it was made new under its name", shim.problems())


def connection_strings(report):
    """DAB_SQL in the six manifests; any connection string in deploy/ and docs/."""
    page = "docs/database.md"
    explained = Path(page).read_text(encoding="utf-8").partition("## The connection string\n")[2].partition("\n## ")[0]
    explained = set(re.findall(r"`([A-Z]\w+(?: \w+)*)`", explained))
    settings = Path("crates/azure-sql-rest/src/settings.rs").read_text(encoding="utf-8")
    attempt, deadline = (int(re.search(rf'\b{name}: Duration = "(\d+)"', settings)[1]) for name in ("attempt_timeout_ms", "request_deadline_ms"))
    # Between its three attempts to connect DAB waits 2 and 4 seconds; nothing changes that.
    waits = 2 + 4
    texts = {str(path): path.read_text(encoding="utf-8") for place in ("deploy", "docs") for path in sorted(Path(place).rglob("*")) if path.suffix in (".yaml", ".md", ".bicep")}
    # Bicep's variables become the values that the other manifests have.
    texts = {path: text.replace("${environment().suffixes.sqlServerHostname}", ".database.windows.net").replace("${pool}", "@pool@") for path, text in texts.items()}
    strings = [(path, match[0]) for path, text in texts.items() for match in re.finditer(r"Server=[^\s;]+;Database=[^'\n]*(?:'\$\(.*)?(?:'\$\{.*)?", text)]
    manifests = {path: dict(re.findall(r"(?:^|;)([^=;]+)=([^;]*)", string)) for path, string in strings if path.startswith("deploy/")}

    def encrypted():
        for path, text in texts.items():
            for option in re.findall(r"(?i)\bencrypt\s*=\s*(?:false|no|optional)\b", text):
                # The page that says why.
                if path != page:
                    yield f"{path}: {option}: on Linux SqlClient then loses answers"
        for path, options in manifests.items():
            local = "database.windows.net" not in options["Server"]
            if (options.get("TrustServerCertificate") == "True") != local:
                yield f"{path}: TrustServerCertificate is for a certificate of one's own, and for no other"

    def options():
        if len(manifests) != 6:
            yield f"DAB_SQL is in {sorted(manifests)}"
        for path, options in manifests.items():
            wanted = {"Application Name": "customer-api", "ConnectRetryCount": "0", "Packet Size": "8000"}
            if "database.windows.net" not in options["Server"]:
                wanted["PoolBlockingPeriod"] = "NeverBlock"
            yield from (f"{path}: {name} is {options.get(name)}, not {value}" for name, value in wanted.items() if options.get(name) != value)
            if not re.fullmatch(r"[1-9]\d*|@pool@", options.get("Max Pool Size", "")):
                yield f"{path}: Max Pool Size is {options.get('Max Pool Size')}"
            connect, command = (int(options.get(f"{name} Timeout", deadline)) * 1000 for name in ("Connect", "Command"))
            # A command that compiles on a cold database ends with its compilation done, while a retry can still use it.
            if not connect < attempt <= command < deadline - attempt // 2:
                yield f"{path}: Connect Timeout is {connect} ms, Command Timeout {command}; an attempt {attempt}, a request {deadline}"
            script = Path(path).with_name("deploy.sh")
            own = re.search(r"attempt_timeout_ms=(\d+)", script.read_text(encoding="utf-8")) if script.exists() else None
            longest = int(own[1]) if own else attempt
            if not waits * 1000 < longest or not 10_000 + longest < deadline:
                yield f"{path}: {longest} ms for an attempt are less than DAB's waits, or exceed a request's {deadline} ms after ten seconds of outage"
            yield from (f"{path}: {page} does not explain {name}" for name in options if name not in explained)

    def pools():
        # A rollout adds pods: Kubernetes' maxSurge; on Container Apps a whole second revision.
        for script, scaled, most, surge in (
            ("deploy/azure/deploy.sh", "deploy/spinkube/components/hpa/autoscalers.yaml", r"name: dab\n.*?maxReplicas: (\d+)", 1),
            ("deploy/azure/deploy.sh", "deploy/spinkube/components/keda/scaled-objects.yaml", r"name: dab\n.*?maxReplicaCount: (\d+)", 1),
            ("deploy/akamai/deploy.sh", "deploy/akamai/containerapp.yaml", r"maxReplicas: (\d+)", 3),
        ):
            formula = re.search(r"\$\(\((WORKERS [*/ \d]+)\)\)", Path(script).read_text(encoding="utf-8"))[1]
            replicas = int(re.search(most, texts[scaled], re.DOTALL)[1])
            for workers in (30, 60, 75, 90, 120, 150, 200):
                pool = functools.reduce(lambda left, step: left * int(step[1]) if step[0] == "*" else left // int(step[1]), re.findall(r"([*/]) (\d+)", formula), workers)
                yield from arithmetic.connection_problems(f"{script} with {scaled}", pool, workers, replicas, surge)
                if (pool + 1) * (replicas + surge) <= workers * (1 - arithmetic.RESERVE):
                    yield f"{script}: {formula} leaves more of {workers} workers unused than it must"
        # deploy/azd/app.sh.
        divisor = re.search(r"WORKERS(?: \* 9 / 10)? / (\d+)", Path("deploy/azd/app.sh").read_text(encoding="utf-8"))[1]
        replicas = re.search(r"maxReplicas = (\d+)", texts["deploy/azd/app.bicep"])[1]
        if int(divisor) < int(replicas):
            yield f"deploy/azd/app.sh divides the database's workers by {divisor}, app.bicep has {replicas} replicas"
        # The size of the pool that the script would compute for the default tier.
        written = int(manifests["deploy/spinkube/aks/workload-identity/kustomization.yaml"]["Max Pool Size"])
        yield from arithmetic.connection_problems("deploy/spinkube/aks", written, 60, 4, 1)

    report.check("the connections of all replicas, also in a rollout, leave a tenth of the database's workers", pools())
    report.check(f"no connection string of {len(texts)} files goes without TLS", encrypted())
    report.check(f"DAB_SQL has what {page} explains in {len(manifests)} manifests, an attempt outlasts DAB's own and its waits, and a request ten seconds and one attempt", options())


def versions(report):
    """The table of docs/architecture.md has the versions that the manifests, scripts and workflows have."""
    page = Path("docs/architecture.md")
    table = page.read_text(encoding="utf-8").partition("## What runs with what\n")[2]
    rows = {cells[1].strip(): cells[2] for line in table.splitlines() if len(cells := line.split("|")) > 3}
    sources = {
        "Spin, `spin.toml` (WASI 0.2)": [(".github/workflows/spin.yml", r"- spin: (\S+)")],
        "containerd-shim-spin": [("deploy/spinkube/cluster/versions.env", r"SPIN_SHIM_\w+=([\d.]+)@")],
        "SpinKube operator": [("deploy/spinkube/cluster/versions.env", r"SPIN_OPERATOR_VERSION=(\S+)")],
        "Kubernetes": [("tests/deploy/schemas.py", r'"(1\.\d\d)"'), ("deploy/azure/deploy.sh", r"KUBERNETES_VERSION:-([\d.]+)")],
        "Gateway API, Envoy Gateway, cert-manager": [
            ("tests/deploy/crds/httproutes.gateway.networking.k8s.io.yaml", r"/v([\d.]+)/"),
            ("deploy/spinkube/cluster/versions.env", r"(?:ENVOY_GATEWAY|CERT_MANAGER)_VERSION=(\S+)"),
        ],
        "KEDA, Secrets Store CSI driver": [
            ("tests/deploy/crds/scaledobjects.keda.sh.yaml", r"/v([\d.]+)/"),
            ("tests/deploy/crds/secretproviderclasses.secrets-store.csi.x-k8s.io.yaml", r"/v([\d.]+)/"),
        ],
        "Data API Builder": [("deploy/compose.yaml", r"data-api-builder:(\S+)")],
        "SQL Server": [(".github/workflows/sql-server.yml", r"(20\d\d-CU\d+)-")],
        "Rust": [(".github/workflows/ci.yml", r"RUST: (\S+)")],
    }

    def wrong():
        for row, places in sources.items():
            for path, pattern in places:
                found = set(re.findall(pattern, Path(path).read_text(encoding="utf-8")))
                if not found:
                    yield f"{path} has no {pattern}"
                yield from (f"{row} is {rows.get(row, '').strip()}, and {path} has {version}" for version in found if version.replace("-", " ") not in rows.get(row, ""))
        for name, kind in (("Envoy Gateway", "backendtrafficpolicies.gateway.envoyproxy.io"), ("cert-manager", "issuers.cert-manager.io"), ("operator", "spinapps.core.spinkube.dev")):
            version = re.search(r"/v([\d.]+)/", Path(f"tests/deploy/crds/{kind}.yaml").read_text(encoding="utf-8"))[1]
            if version not in facts.pinned().values():
                yield f"{name}: its CRD is of {version}, and deploy/spinkube/cluster/versions.env has another"
        if webhook.OPERATOR != facts.pinned()["SPIN_OPERATOR_VERSION"]:
            yield f"tests/deploy/webhook.py plays operator {webhook.OPERATOR}, and versions.env has another: compare its Go types"

    report.check(f"{page} has the versions of {len(sources)} parts that are deployed and tested", wrong())


def deployed(report):
    named = {service["image"] for service in facts.compose()["services"].values()}
    command = kustomize()
    for folder in ("dev", "aks", "cluster", "components/sidecar/deployment") if command else ():
        for manifest in render(command, f"deploy/spinkube/{folder}")[0]:
            named |= set(re.findall(r'"image": "([^"]+)"', json.dumps(manifest)))
    named |= set(re.findall(r"image: '?([a-z][^\s'$@]+[:@][^\s'$]+)", Path("deploy/akamai/containerapp.yaml").read_text(encoding="utf-8")))
    report.check(f"deploy/images lists the {len(named)} images of the manifests, and asks a registry", images.problems(named))

    def watched():
        (manager,) = json.loads(Path("renovate.json").read_text(encoding="utf-8"))["customManagers"]
        path = Path("deploy/spinkube/cluster/versions.env")
        (pattern,) = manager["managerFilePatterns"]
        if not re.search(pattern.strip("/"), str(path)):
            yield f"renovate.json watches {pattern}"
        text = path.read_text(encoding="utf-8")
        expression = manager["matchStrings"][0].replace("(?<", "(?P<")
        matches = list(re.finditer(expression, text))
        values = {f"{match['currentValue']}@sha256:{match['currentDigest']}" if match["currentDigest"] else match["currentValue"] for match in matches}
        if len(matches) != len(facts.pinned()) or values != set(facts.pinned().values()):
            yield f"{path}: Renovate sees {sorted(values)} of {sorted(facts.pinned().values())}"
        for match in matches:
            if match["datasource"] == "helm" and not match["registryUrl"]:
                yield f"{path}: {match['depName']} has no registryUrl"
        for script in ("deploy/azure/deploy.sh", ".github/workflows/kubernetes.yml", "docs/kubernetes.md"):
            found = re.findall(r"--version \"?v?\d[\d.]*|_VERSION=\d[\d.]*", Path(script).read_text(encoding="utf-8"))
            yield from (f"{script} names a version of its own: {each}" for each in found)

    report.check("Renovate watches each version of deploy/spinkube/cluster/versions.env, and scripts name no other", watched())


def files(report):
    """Every file of a kind, in the work tree: what git knows and what it does not ignore."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=True)
    paths = [path for path in sorted(set(listed.stdout.splitlines())) if Path(path).is_file()]

    def toml():
        for path in paths:
            if path.endswith(".toml") and not path.startswith(TEMPLATE):
                try:
                    tomllib.loads(Path(path).read_text(encoding="utf-8"))
                except ValueError as error:
                    yield f"{path}: {error}"

    scripts = [path for path in paths if is_shell_script(path)]
    sources = {path: Path(path).read_text(encoding="utf-8") for path in [*scripts, "Makefile"]}
    report.check(
        f"{len(sources)} scripts and recipes run with bash 3.2 and the tools of macOS",
        (problem for path, text in sources.items() for problem in portable.problems(path, text)),
    )
    attributes = Path(".gitattributes").read_text(encoding="utf-8").splitlines()
    report.check(
        f"{len(paths)} files have lines that end as scripts need them, also in a checkout on Windows",
        itertools.chain(
            (problem for path in paths for problem in portable.line_ends(path, Path(path).read_bytes())),
            [] if "* text=auto eol=lf" in attributes else [".gitattributes does not say * text=auto eol=lf"],
        ),
    )
    report.check("every TOML file parses, Spin's manifests among them", toml())
    tool(report, "compose files are valid by the Compose specification", ["check-jsonschema", "--builtin-schema", "vendor.compose-spec"],
         [path for path in paths if re.search(r"(^|/)(docker-)?compose[^/]*\.ya?ml$", path) and not path.startswith(TEMPLATE)])
    tool(report, "GitHub workflows are valid by their schema", ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
         [path for path in paths if re.fullmatch(r"\.github/workflows/[^/]+\.ya?ml", path)])
    tool(report, "configurations of Dependabot are valid by their schema", ["check-jsonschema", "--builtin-schema", "vendor.dependabot"], [".github/dependabot.yml"])
    tool(report, "GitHub workflows have no weakness that zizmor knows", ["zizmor", "--offline", "--quiet", "--min-severity", "medium"],
         [path for path in paths if re.fullmatch(r"\.github/workflows/[^/]+\.ya?ml", path)])
    workflows(report)
    tool(report, "shell scripts pass shellcheck", ["shellcheck", "--external-sources"], scripts)


def workflows(report):
    texts = {path.name: path.read_text(encoding="utf-8") for path in Path(".github/workflows").glob("*.yml")}
    parsed = {name: yaml.safe_load(text) for name, text in texts.items()}

    def rust():
        wanted = tomllib.loads(Path("Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["rust-version"]
        pinned = {name: workflow.get("env", {}).get("RUST") for name, workflow in parsed.items() if "rustup" in texts[name]}
        if len(set(pinned.values())) != 1:
            yield f"they install different versions of Rust: {pinned}"
        for name, version in pinned.items():
            if version is None or [int(each) for each in version.split(".")[:2]] < [int(each) for each in wanted.split(".")]:
                yield f"{name} installs Rust {version}, Cargo.toml wants {wanted}"
            if f"library/rust:{version}-" not in Path("deploy/azd/Dockerfile").read_text(encoding="utf-8"):
                yield f"{name} installs another Rust than deploy/azd/Dockerfile"
            if re.search(r"rustup (toolchain install|default) (?!\"\$RUST\")", texts[name]):
                yield f"{name} installs a Rust that moves"

    def release():
        jobs = parsed["release.yml"]["jobs"]
        needed = {jobs[name].get("uses", "").rpartition("/")[2] for name in jobs["registry"]["needs"]}
        for name in ("ci.yml", "spin.yml", "sql-server.yml", "kubernetes.yml"):
            if name not in needed:
                yield f"release.yml pushes without waiting for {name}"
            # `on` is true in YAML 1.1.
            if "workflow_call" not in parsed[name][True]:
                yield f"{name} cannot be called"
        attested = [step for job in jobs.values() for step in job.get("steps", []) if "attest-build-provenance" in step.get("uses", "")]
        if len(attested) != 5:
            yield f"release.yml attests {len(attested)} of the files, the plugin, both applications and the containers"

    def pinned():
        for name, text in texts.items():
            for action in re.findall(r"uses: (\S+)", text):
                if not action.startswith("./") and not re.search(r"@[0-9a-f]{40}$", action):
                    yield f"{name}: {action} is not pinned to a commit"
            yield from (f"{name}: {image} moves" for image in re.findall(r"\S+:\S*latest\b", text) if "runs-on" not in image and "-latest" not in image)

    def steps():
        with tempfile.TemporaryDirectory() as folder:
            for name, workflow in parsed.items():
                for job, number, step in ((job, *each) for job, body in workflow["jobs"].items() for each in enumerate(body.get("steps", []))):
                    if "run" in step:
                        # The shell sees a word where GitHub fills in an expression.
                        Path(folder, f"{name}.{job}.{number}").write_text(re.sub(r"\$\{\{.*?\}\}", "word", f"set -eo pipefail\n{step['run']}"), encoding="utf-8")
            found = sorted(map(str, Path(folder).iterdir()))
            # Steps take and leave variables in the environment, and one has only a literal in a test.
            done = subprocess.run(["shellcheck", "--shell=bash", "--exclude=SC2050,SC2086", *found], capture_output=True, text=True)
            yield from [done.stdout.strip()] if done.returncode else []

    report.check("the steps of workflows pass shellcheck", steps())
    report.check("workflows build with one Rust, that Cargo.toml takes", rust())
    report.check("a release waits for all that is tested, and is attested", release())
    report.check("workflows use actions and images that do not move", pinned())


def is_shell_script(path):
    if path.endswith(".sh"):
        return True
    with open(path, "rb") as file:
        return re.match(rb"#!\s*/(usr/)?bin/(env\s+)?(ba|da)?sh\b", file.readline(80)) is not None


def tool(report, name, command, paths):
    if not paths:
        report.skip(name, "there are none")
        return
    done = subprocess.run([*command, *paths], capture_output=True, text=True)
    report.check(f"{len(paths)} {name}", [(done.stdout + done.stderr).strip()] if done.returncode else [])


if __name__ == "__main__":
    raise SystemExit(main())
