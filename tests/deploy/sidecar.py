"""Checks the overlay in which Data API Builder is a sidecar, the part that is applied after it, and the overlay without a sidecar."""

import re
from pathlib import Path

import arithmetic

# Fields of the container that both overlays must have alike.
SAME = ("image", "args", "resources", "volumeMounts", "startupProbe", "livenessProbe", "readinessProbe", "env", "ports")


def problems(overlay, part, base):
    app = overlay.one("SpinApp")
    name = app["metadata"]["name"]
    for manifest in overlay.manifests:
        if manifest["metadata"]["name"] == "dab" and manifest["kind"] != "ServiceAccount":
            yield f"{manifest['kind']} dab is still there"
    (deployment,) = (each for each in part if each["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (sidecar,) = pod["initContainers"]
    (container,) = base.templates["dab"]["spec"]["containers"]
    if sidecar.get("restartPolicy") != "Always":
        yield "it is no native sidecar: Spin would wait for its end"
    for key in SAME:
        ours, theirs = ([{**each, "valueFrom": None, "value": None} for each in side[key]] if key == "env" else side[key] for side in (sidecar, container))
        if ours != theirs:
            yield f"{key} is another than in base/dab.yaml"
    context = {**base.templates["dab"]["spec"]["securityContext"], **container["securityContext"]}
    if sidecar["securityContext"] != context:
        yield "its security context is another than that of base/dab.yaml and its pod"
    maps = [{each["metadata"]["name"] for each in side if each["kind"] == "ConfigMap" and each["metadata"]["name"].startswith("dab-config-")} for side in (part, overlay.manifests)]
    used = {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume}
    if not maps[0] == maps[1] == used:
        yield f"its configuration is {used}, the overlay has {maps[1]}"
    if {each["name"]: each.get("value") for each in app["spec"]["variables"]}["dab_url"] != "http://127.0.0.1:5000":
        yield "the component asks another Data API Builder"
    if app["spec"]["podAnnotations"].get("azure.workload.identity/skip-containers") != name:
        yield "the component's container gets the token"
    for source in (None, "gateway"):
        if source and overlay.allows(source, name, 5000):
            yield f"{source} reaches Data API Builder"
    for port, wanted in ((1433, True), (11000, True), (11999, True), (443, True), (80, False), (5000, False)):
        if overlay.allows(name, None, port) != wanted:
            yield f"{name} → outside:{port} is {'denied' if wanted else 'allowed'}"
    (scaler,) = overlay.of("HorizontalPodAutoscaler")
    most = scaler["spec"]["maxReplicas"]
    # Kubernetes' rollout of a quarter more.
    cores = sum(arithmetic.millicores(each["requests"]["cpu"]) for each in (app["spec"]["resources"], sidecar["resources"]))
    nodes = int(re.search(r"NODE_MAX:-(\d+)", Path("deploy/azure/deploy.sh").read_text(encoding="utf-8"))[1])
    yield from arithmetic.room_problems(nodes, [(name, cores, most, most / 4)])
    # docs/kubernetes.md has a pool of 10 for S0.
    yield from arithmetic.connection_problems("a sidecar in each pod", 10, 60, most, 1)
