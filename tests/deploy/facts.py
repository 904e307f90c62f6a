"""Checks the facts that must hold in each rendered overlay. Each check yields the problems that it finds."""

import itertools
import json
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import arithmetic
import probes as kubelet
import yaml

# SQL Server, in the overlay that has one. The server needs a capability, and writes to its image.
DATABASE = "database"


def manifest_toml():
    return tomllib.loads(Path("spin.toml").read_text(encoding="utf-8"))


def dab_config():
    return json.loads(Path("dab/dab-config.json").read_text(encoding="utf-8"))


def extension():
    """Reads the part of the pods' specification that deploy/spinkube/deployment adds to the operator's Deployment after an overlay."""
    return extended_template()["spec"]


def extended_template():
    return yaml.safe_load(Path("deploy/spinkube/deployment/customer-api.yaml").read_text(encoding="utf-8"))["spec"]["template"]


def pinned():
    """Reads the versions of all that is installed into a cluster: name → version."""
    return dict(re.findall(r"^(\w+)=(.*)$", Path("deploy/spinkube/cluster/versions.env").read_text(encoding="utf-8"), re.MULTILINE))


def pool():
    """Spin's instances in a pod."""
    (container,) = extension()["containers"]
    return int({each["name"]: each["value"] for each in container["env"]}["SPIN_MAX_INSTANCE_COUNT"])


def compose():
    return yaml.safe_load(Path("deploy/compose.yaml").read_text(encoding="utf-8"))


def objects(overlay):
    """everything has a name of its own, in the one namespace"""
    namespace = overlay.one("Namespace")["metadata"]["name"]
    seen = set()
    for manifest in overlay.manifests:
        kind, metadata = manifest["kind"], manifest["metadata"]
        if (kind, metadata["name"]) in seen:
            yield f"{kind} {metadata['name']} is there twice"
        seen.add((kind, metadata["name"]))
        if kind != "Namespace" and metadata.get("namespace") != namespace:
            yield f"{kind} {metadata['name']} is in namespace {metadata.get('namespace')}, not {namespace}"
    order = [manifest["kind"] for manifest in overlay.manifests]
    for first, later in (("Namespace", "NetworkPolicy"), ("NetworkPolicy", "Deployment"), ("SpinAppExecutor", "SpinApp")):
        if order.index(first) > order.index(later):
            yield f"{later} comes before {first}"


def configuration(overlay):
    """dab/dab-config.json reaches Data API Builder unchanged"""
    maps = [each for each in overlay.of("ConfigMap") if each["metadata"]["name"].startswith("dab-config-")]
    if len(maps) != 1:
        yield f"{len(maps)} ConfigMaps begin with dab-config-"
        return
    if maps[0].get("data", {}).get("dab-config.json") != Path("dab/dab-config.json").read_text(encoding="utf-8"):
        yield "its ConfigMap differs from dab/dab-config.json"
    pod = overlay.templates["dab"]["spec"]
    volumes = {volume["name"]: volume.get("configMap", {}).get("name") for volume in pod["volumes"]}
    mounted = {mount["mountPath"]: mount for mount in pod["containers"][0]["volumeMounts"]}.get("/App/dab-config.json", {})
    if volumes.get(mounted.get("name")) != maps[0]["metadata"]["name"] or mounted.get("subPath") != "dab-config.json":
        yield "its ConfigMap is not what is mounted at /App/dab-config.json"


def references(overlay):
    """secrets and config maps come by reference, and someone makes them"""
    made = provided(overlay)
    for manifest in overlay.of("Secret"):
        yield f"Secret {manifest['metadata']['name']} is in the manifests"
    for where, kind, name, key in wanted(overlay):
        if name not in made[kind]:
            yield f"{where} needs the {kind} {name}, which neither the manifests nor docs/kubernetes.md make"
        elif key is not None and key not in made[kind][name]:
            yield f"{where} needs {key} of the {kind} {name}, which has {sorted(made[kind][name])}"


def wanted(overlay):
    """Gives all ConfigMaps and Secrets to which pods refer, as (where, kind, name, key or None)."""
    app = overlay.one("SpinApp")
    named = [("SpinApp", entry) for entry in app["spec"]["variables"]]
    named += [(name, entry) for name, _, container in overlay.containers() for entry in container.get("env", [])]
    for where, entry in named:
        for source, kind in (("secretKeyRef", "secret"), ("configMapKeyRef", "configmap")):
            if source in entry.get("valueFrom", {}):
                yield f"{where}: {entry['name']}", kind, entry["valueFrom"][source]["name"], entry["valueFrom"][source]["key"]
    for where, template in overlay.templates.items():
        for volume in template["spec"].get("volumes", []):
            if "configMap" in volume:
                yield f"{where}: volume {volume['name']}", "configmap", volume["configMap"]["name"], None
            if "secret" in volume:
                yield f"{where}: volume {volume['name']}", "secret", volume["secret"]["secretName"], None


def provided(overlay):
    """Secrets and config maps with their keys: of the manifests, of Key Vault, and of the overlay's part of docs/kubernetes.md."""
    made = {"secret": {}, "configmap": {}}
    for manifest in overlay.of("ConfigMap"):
        made["configmap"][manifest["metadata"]["name"]] = set(manifest.get("data", {}))
    vaults = overlay.of("SecretProviderClass")
    for vault in vaults:
        for secret in vault["spec"]["secretObjects"]:
            made["secret"][secret["secretName"]] = {data["key"] for data in secret["data"]}
    if vaults:
        return made
    heading = {"dev": "On your machine", "aks": "Azure Kubernetes Service"}[overlay.name.partition(",")[0]]
    text = Path("docs/kubernetes.md").read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    for kind, name, options in re.findall(r"kubectl create (?:(secret) generic|configmap) (\S+)(.*)", text):
        keys = set()
        for option, value in re.findall(r"--from-(file|env-file|literal)=(\S+)", options):
            if option == "env-file":
                keys |= set(re.findall(r"^(\w+)=", Path(f"{value}.example").read_text(encoding="utf-8"), re.MULTILINE))
            elif "=" in value:
                keys.add(value.partition("=")[0])
            else:
                path = Path(value)
                keys |= {file.name for file in path.iterdir()} if path.is_dir() else {path.name}
        made[kind or "configmap"][name] = keys
    return made


def environment(overlay):
    """$(NAMES) in the environment are of variables before them"""
    for pod, _, container in overlay.containers():
        before = set()
        for entry in container.get("env", []):
            for name in re.findall(r"\$\((\w+)\)", entry.get("value", "")):
                if name not in before:
                    yield f"{pod}: {entry['name']} uses $({name}), which is not set before it"
            before.add(entry["name"])


def variables(overlay):
    """the SpinApp's variables are spin.toml's, and secret ones come from secrets"""
    declared = manifest_toml()["variables"]
    for entry in overlay.one("SpinApp")["spec"]["variables"]:
        if entry["name"] not in declared:
            yield f"{entry['name']} is not declared in spin.toml"
        elif declared[entry["name"]].get("secret") and "secretKeyRef" not in entry.get("valueFrom", {}):
            yield f"{entry['name']} is secret in spin.toml, and does not come from a secret"
    if overlay.name != "dev" and "api_key" not in {entry["name"] for entry in overlay.one("SpinApp")["spec"]["variables"]}:
        yield "without api_key the API is open to everyone"


def services(overlay):
    """Services find their pods and ports, and dab_url is one of them"""
    for service in overlay.of("Service"):
        name, spec = service["metadata"]["name"], service["spec"]
        pods = overlay.selected({"matchLabels": spec["selector"]})
        if not pods:
            yield f"Service {name} selects no pod"
        for port in spec["ports"]:
            for pod in pods:
                open_ports = [each for container in overlay.templates[pod]["spec"]["containers"] for each in container.get("ports", [])]
                if port["targetPort"] not in {each["name"] for each in open_ports}:
                    yield f"Service {name}: pod {pod} has no port {port['targetPort']}"
    variables = {entry["name"]: entry.get("value") for entry in overlay.one("SpinApp")["spec"]["variables"]}
    url = urlsplit(variables["dab_url"])
    service = overlay.named("Service", url.hostname or "")
    if service is None or url.port not in {port["port"] for port in service["spec"]["ports"]} or url.scheme != "http" or url.path:
        yield f"dab_url {variables['dab_url']} is no Service of the overlay"
    if manifest_toml()["component"]["customer-api"]["allowed_outbound_hosts"] != ["{{ dab_url }}"]:
        yield "spin.toml allows other hosts than dab_url"


def probes(overlay):
    """probes ask for what is there"""
    if "checks" in overlay.one("SpinApp")["spec"]:
        yield "SpinApp: a probe by HTTP needs one of Spin's instances, and deploy/spinkube/deployment has another by TCP"
    for name, probe in api_probes().items():
        if probe["tcpSocket"]["port"] != 80:
            yield f"the API: {name} asks port {probe['tcpSocket']['port']}, Spin listens on 80"
    config = dab_config()
    health, rest = config["runtime"]["health"], config["runtime"]["rest"]["path"]
    readable = {f"{rest}/{each['rest']['path']}" for each in config["entities"].values() if "get" in each["rest"]["methods"]}
    known = {"/", *readable, *(["/health"] if health["enabled"] and "anonymous" in health["roles"] else [])}
    container = overlay.templates["dab"]["spec"]["containers"][0]
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        path = container[name]["httpGet"]["path"]
        if path not in known:
            yield f"dab: {name} asks for {path}, which dab/dab-config.json does not let anyone ask"
        if container[name]["httpGet"]["port"] not in {port["name"] for port in container["ports"]}:
            yield f"dab: {name} asks a port that the container does not have"


def outages(overlay):
    """pods stay in their Services while the database is unavailable for ten minutes, and start, rest and end as they should"""
    container = overlay.templates["dab"]["spec"]["containers"][0]
    yield from kubelet.api_problems(api_probes())
    yield from kubelet.full_problems(api_probes())
    yield from kubelet.dab_problems({name: container[f"{name}Probe"] for name in ("startup", "liveness", "readiness")})


def api_probes():
    (container,) = extension()["containers"]
    return {name: container[f"{name}Probe"] for name in ("startup", "liveness", "readiness") if f"{name}Probe" in container}


def fits(overlay):
    """held requests fit into memory, what the gateway lets through fits into Spin, and pods at their most fit onto the nodes"""
    app = overlay.one("SpinApp")
    yield from arithmetic.memory_problems("SpinApp", app["spec"]["resources"]["limits"].get("memory"), pool())
    # Where nobody has applied the second part, Spin's default holds.
    yield from arithmetic.memory_problems("SpinApp without deploy/spinkube/deployment", app["spec"]["resources"]["limits"].get("memory"))
    breakers = [policy["spec"].get("circuitBreaker") for policy in overlay.of("BackendTrafficPolicy")]
    if breakers:
        # One proxy is Envoy Gateway's default (EnvoyProxy, provider.kubernetes.envoyDeployment.replicas).
        yield from arithmetic.gateway_problems(pool(), [breaker["perEndpoint"]["maxConnections"] for breaker in breakers], 1)
        least = min(spec["minReplicas"] if "minReplicas" in spec else spec["minReplicaCount"] for spec in scalers(overlay).values())
        for breaker in breakers:
            if breaker["maxParallelRequests"] > least * breaker["perEndpoint"]["maxConnections"]:
                yield f"{breaker} lets more through than {least} pods may have"
    if scalers(overlay):
        most = {name: spec.get("maxReplicas", spec.get("maxReplicaCount")) for name, spec in scalers(overlay).items()}
        dab = overlay.templates["dab"]["spec"]["containers"][0]
        pods = [
            # The operator's Deployment has Kubernetes' default, a quarter more in a rollout.
            (app["metadata"]["name"], arithmetic.millicores(app["spec"]["resources"]["requests"]["cpu"]), most[app["metadata"]["name"]], most[app["metadata"]["name"]] / 4),
            ("dab", arithmetic.millicores(dab["resources"]["requests"]["cpu"]), most["dab"], overlay.named("Deployment", "dab")["spec"]["strategy"]["rollingUpdate"]["maxSurge"]),
        ]
        nodes = int(re.search(r"NODE_MAX:-(\d+)", Path("deploy/azure/deploy.sh").read_text(encoding="utf-8"))[1])
        yield from arithmetic.room_problems(nodes, pods)


def scalers(overlay):
    return {each["spec"]["scaleTargetRef"]["name"]: each["spec"] for kind in ("HorizontalPodAutoscaler", "ScaledObject") for each in overlay.of(kind)}


def ending(overlay):
    """Spin goes on for five seconds after Kubernetes begins to end its pod, and has no rights that it does not need"""
    (container,) = extension()["containers"]
    if container["name"] != overlay.one("SpinApp")["metadata"]["name"]:
        yield f"deploy/spinkube/deployment extends a container {container['name']}, which the operator does not make"
    if container.get("lifecycle") != {"preStop": {"sleep": {"seconds": 5}}}:
        yield f"its preStop is {container.get('lifecycle')}"
    wanted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}
    if container.get("securityContext") != wanted:
        yield f"its security context is {container.get('securityContext')}"
    keys = {constraint["topologyKey"] for constraint in extension().get("topologySpreadConstraints", [])}
    if keys != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
        yield f"its pods are spread over {sorted(keys)}"
    for constraint in extension()["topologySpreadConstraints"]:
        if not overlay.selected(constraint["labelSelector"]):
            yield f"{constraint['labelSelector']} selects no pod"


def network(overlay):
    """only the API reaches DAB, and everyone only what it needs"""
    api = overlay.one("SpinApp")["metadata"]["name"]
    for policy in overlay.of("NetworkPolicy"):
        spec, name = policy["spec"], policy["metadata"]["name"]
        peers = [entry for side in ("ingress", "egress") for rule in spec.get(side, []) for entry in rule.get("from", rule.get("to", []))]
        selectors = [spec["podSelector"]] + [entry["podSelector"] for entry in peers if "podSelector" in entry and "namespaceSelector" not in entry]
        for selector in selectors:
            if not overlay.selected(selector):
                yield f"NetworkPolicy {name}: {selector} selects no pod"
    dns = overlay.named("NetworkPolicy", "dns")
    if dns is None or overlay.selected(dns["spec"]["podSelector"]) != set(overlay.pods):
        yield "no NetworkPolicy dns lets every pod look names up"
    way_in = "gateway" if overlay.of("Gateway") else None
    may = {(way_in, api, 80), (api, "dab", 5000), ("dab", None, 1433), ("dab", None, 11000), ("dab", None, 11999)}
    if DATABASE in overlay.pods:
        may |= {(pod, DATABASE, 1433) for pod in ("dab", "scripts", "purge")}
    if overlay.named("NetworkPolicy", "sign-in"):
        may |= {("dab", None, 443)} | {("purge", None, port) for port in (443, 1433, 11000, 11999)}
    if way_in:
        may |= {(way_in, "certificate", 8089)}
    else:
        may |= {("gateway", api, 80)}
    if "collector" in overlay.pods:
        may |= {("dab", "collector", 4317), (api, "collector", 4318), ("collector", None, 443), ("collector", None, 4317)}
    everyone = [None, "gateway", *overlay.pods]
    ports = (80, 443, 1432, 1433, 1434, 4317, 4318, 5000, 8089, 10999, 11000, 11999, 12000)
    for source, target, port in itertools.product(everyone, everyone, ports):
        if source == target or {source, target} <= {None, "gateway"} or target == "gateway":
            continue
        expected = (source, target, port) in may
        if overlay.allows(source, target, port) != expected:
            yield f"{source or 'outside'} → {target or 'outside'}:{port} is {'denied' if expected else 'allowed'}"
        elif target in ("dab", DATABASE) and overlay.takes(target, source, port) != expected:
            yield f"{target} would take {source or 'outside'} in on port {port}"


def gateway(overlay):
    """the gateway outlasts the API's requests, and repeats what may be repeated and nothing else"""
    if not overlay.of("Gateway"):
        return
    deadline = int(re.search(r'\brequest_deadline_ms: Duration = "(\d+)"', Path("crates/azure-sql-rest/src/settings.rs").read_text(encoding="utf-8"))[1]) / 1000
    listeners = {each["name"]: each for each in overlay.one("Gateway")["spec"]["listeners"]}
    names = {each["hostname"] for each in listeners.values()}
    for route in overlay.of("HTTPRoute"):
        spec, name = route["spec"], route["metadata"]["name"]
        if set(spec["hostnames"]) != names:
            yield f"HTTPRoute {name} is for {spec['hostnames']}, the gateway for {names}"
        for parent in spec["parentRefs"]:
            if parent["sectionName"] not in listeners:
                yield f"HTTPRoute {name} hangs on no listener"
            elif parent["sectionName"] == "http" and not all("filters" in rule for rule in spec["rules"]):
                yield f"HTTPRoute {name} serves the API without TLS"
        for rule in spec["rules"]:
            for backend in rule.get("backendRefs", []):
                if (backend["name"], backend["port"]) != (overlay.one("SpinApp")["metadata"]["name"], 80):
                    yield f"HTTPRoute {name} sends requests to {backend}"
                # With Envoy Gateway backendRequest takes request's place.
                if set(rule["timeouts"]) != {"request"} or seconds(rule["timeouts"]["request"]) < 2 * deadline:
                    yield f"HTTPRoute {name}: {rule['timeouts']} are less than two requests of {deadline:g} s"
    retries = {policy["spec"]["targetRefs"][0]["name"]: policy["spec"]["retry"] for policy in overlay.of("BackendTrafficPolicy")}
    for name, retry in retries.items():
        if seconds(retry["perRetry"]["timeout"]) <= deadline:
            yield f"BackendTrafficPolicy {name} ends an attempt before the API ends its request"
        if "httpStatusCodes" in retry["retryOn"] or set(retry["retryOn"]["triggers"]) - {"connect-failure", "refused-stream", "reset"}:
            yield f"BackendTrafficPolicy {name} repeats what the API has answered"
    if "reset" not in retries["repeatable"]["retryOn"]["triggers"] or "reset" in retries["once"]["retryOn"]["triggers"]:
        yield "a request that broke off is repeated if it may be, and only then"
    matches = overlay.named("HTTPRoute", "repeatable")["spec"]["rules"][0]["matches"]
    methods = {match["method"] for match in matches if "method" in match}
    keyed = [match["headers"] for match in matches if "method" not in match]
    if methods != {"GET", "HEAD", "OPTIONS"} or keyed != [[{"name": "idempotency-key", "type": "RegularExpression", "value": ".+"}]]:
        yield f"what may be repeated are reads and writes with a key, not {matches}"


def seconds(duration):
    """Of one unit, as in the manifests."""
    number, unit = re.fullmatch(r"(\d+)(ms|s)", duration).groups()
    return int(number) / (1000 if unit == "ms" else 1)


def telemetry(overlay):
    """Spin and Data API Builder send to the collector's ports, each to that of its protocol"""
    executor = overlay.one("SpinAppExecutor")["spec"]["deploymentConfig"]
    environment = {entry["name"]: entry.get("value") for entry in overlay.templates["dab"]["spec"]["containers"][0]["env"]}
    sent = executor.get("otel", {}).get("exporter_otlp_endpoint"), environment.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if "collector" not in overlay.templates:
        if sent != (None, None):
            yield f"there is no collector, and telemetry goes to {sent}"
        return
    if sent != ("http://collector:4318", "http://collector:4317"):
        yield f"telemetry goes to {sent}"
    (config,) = (each["data"]["config.yaml"] for each in overlay.of("ConfigMap") if each["metadata"]["name"].startswith("collector-config-"))
    config = yaml.safe_load(config)
    receivers = config["receivers"]
    if receivers["otlp/spin"] != {"protocols": {"http": {"endpoint": "0.0.0.0:4318"}}}:
        yield "the collector does not take what Spin sends"
    if receivers["otlp/dab"] != {"protocols": {"grpc": {"endpoint": "0.0.0.0:4317"}}}:
        yield "the collector does not take what Data API Builder sends"
    if set(config["service"]["pipelines"]) != {f"{signal}/{source}" for signal in ("traces", "metrics", "logs") for source in ("spin", "dab")}:
        yield f"the collector's pipelines are {sorted(config['service']['pipelines'])}"
    for name, pipeline in config["service"]["pipelines"].items():
        source = name.rpartition("/")[2]
        if pipeline["receivers"] != [f"otlp/{source}"] or ("resource/spin" in pipeline["processors"]) != (source == "spin"):
            yield f"pipeline {name} mixes what Spin and Data API Builder send"
        if not set(pipeline["processors"]) <= set(config["processors"]):
            yield f"pipeline {name} has processors that are not there"
    set_by_pod = {entry["name"] for entry in overlay.templates["collector"]["spec"]["containers"][0]["env"]}
    if set(re.findall(r"env:(\w+)", json.dumps(config))) != set_by_pod:
        yield f"the collector reads other variables than {sorted(set_by_pod)}"


def names_on_the_node(overlay):
    """names come from a cache on the node, too, where Cilium enforces the policies"""
    cilium = overlay.of("CiliumNetworkPolicy")
    dns = overlay.named("NetworkPolicy", "dns")["spec"]["egress"][0]
    if {"ipBlock": {"cidr": "169.254.10.10/31"}} not in dns["to"] or {"ipBlock": {"cidr": "169.254.20.10/32"}} not in dns["to"]:
        yield "NetworkPolicy dns does not let pods ask AKS LocalDNS and NodeLocal DNSCache"
    for policy in cilium:
        (rule,) = policy["spec"]["egress"]
        ports = {(port["port"], port["protocol"]) for each in rule["toPorts"] for port in each["ports"]}
        if policy["spec"]["endpointSelector"] != {} or rule["toEntities"] != ["host"] or ports != {("53", "UDP"), ("53", "TCP")}:
            yield f"CiliumNetworkPolicy {policy['metadata']['name']} lets more through than names from the node"


def scaling(overlay):
    """each number of pods has one owner, and disruption budgets have pods"""
    app = overlay.one("SpinApp")["spec"]
    if bool(app.get("enableAutoscaling")) == ("replicas" in app):
        yield "the SpinApp wants exactly one of enableAutoscaling and replicas"
    targets = [scaler["spec"]["scaleTargetRef"]["name"] for kind in ("HorizontalPodAutoscaler", "ScaledObject") for scaler in overlay.of(kind)]
    if len(targets) != len(set(targets)):
        yield f"more than one autoscaler for one of {targets}"
    if bool(app.get("enableAutoscaling")) != (overlay.one("SpinApp")["metadata"]["name"] in targets):
        yield "the SpinApp's enableAutoscaling and the autoscalers do not agree"
    for target in targets:
        deployment = overlay.named("Deployment", target)
        if deployment is None and overlay.named("SpinApp", target) is None:
            yield f"an autoscaler scales {target}, which is not there"
        elif deployment is not None and "replicas" in deployment["spec"]:
            yield f"Deployment {target} has replicas and an autoscaler"
    # Autoscalers take a percentage of what is requested.
    for name, resources in (("SpinApp", app["resources"]), ("dab", overlay.templates["dab"]["spec"]["containers"][0]["resources"])):
        if not 250 <= int(resources["requests"].get("cpu", "0").removesuffix("m")) <= 500:
            yield f"{name} requests {resources['requests'].get('cpu')} of a CPU, not 250m to 500m"
    for scaler in overlay.of("HorizontalPodAutoscaler") + overlay.of("ScaledObject"):
        spec = scaler["spec"]
        behavior = spec.get("behavior") or spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        if behavior["scaleDown"]["policies"] != [{"type": "Pods", "value": 1, "periodSeconds": 60}]:
            yield f"{scaler['kind']} {scaler['metadata']['name']} removes more than one pod a minute"
    for budget in overlay.of("PodDisruptionBudget"):
        if not overlay.selected(budget["spec"]["selector"]):
            yield f"PodDisruptionBudget {budget['metadata']['name']} selects no pod"


def hardening(overlay):
    """containers run unprivileged, with resources and pinned images"""
    images = {name: service["image"] for name, service in compose()["services"].items()}
    accounts = {account["metadata"]["name"]: account for account in overlay.of("ServiceAccount")}
    used = [overlay.one("SpinApp")["spec"]["serviceAccountName"]]
    for pod, spec, container in overlay.containers():
        own, common = container.get("securityContext", {}), spec.get("securityContext", {})
        added = own.get("capabilities", {}).get("add", [])
        problems = {
            "may be put on another architecture than its image's": "mcr.microsoft.com/" in container["image"]
            and spec.get("nodeSelector") != {"kubernetes.io/arch": "amd64"},
            "has an image whose tag moves": re.search(r":(.*latest|main|edge)?$", container["image"]) is not None,
            "may run as root": not common.get("runAsNonRoot") or not common.get("runAsUser"),
            "has no seccomp profile": common.get("seccompProfile") != {"type": "RuntimeDefault"},
            "may gain privileges": own.get("allowPrivilegeEscalation") is not False,
            "keeps capabilities": own.get("capabilities", {}).get("drop") != ["ALL"],
            f"adds {added}": bool(added) and (pod, added) != (DATABASE, ["NET_BIND_SERVICE"]),
            "may write to its image": own.get("readOnlyRootFilesystem") is not True and pod != DATABASE,
            "gets a token for the API server": spec.get("automountServiceAccountToken") is not False,
            "gets the addresses of Services in its environment": spec.get("enableServiceLinks") is not False,
            "has no requests and memory limit": not {"cpu", "memory"} <= set(container["resources"].get("requests", {}))
            or "memory" not in container["resources"].get("limits", {}),
            f"has another image than {pod} in deploy/compose.yaml": images.get(container["name"], container["image"]) != container["image"],
        }
        yield from (f"{pod} {problem}" for problem, holds in problems.items() if holds)
        if "serviceAccountName" in spec:
            used.append(spec["serviceAccountName"])
    for name in used:
        if name not in accounts:
            yield f"ServiceAccount {name} is not there"
        elif accounts[name].get("automountServiceAccountToken") is not False:
            yield f"ServiceAccount {name} gives tokens for the API server to its pods"


def passwords(overlay):
    """no connection string has a password in it"""
    for entry in overlay.templates["dab"]["spec"]["containers"][0]["env"]:
        if "Password=" in entry.get("value", "") and "Password='$(" not in entry["value"]:
            yield f"{entry['name']} has a password in it"


ALL = (objects, configuration, references, environment, variables, services, probes, outages, fits, ending, network, gateway, telemetry, names_on_the_node, scaling, hardening, passwords)
