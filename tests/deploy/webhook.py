"""Does with a manifest what SpinKube's operator does: runs the mutating webhooks, before the API server reads the CRD, and makes the Deployment.

The operator reads the manifest into its Go types and writes them out again. A field without `omitempty` is written even when it was not
given: a slice as null. The types are from operator 0.6.1, the version in deploy/spinkube/cluster/versions.env:
https://github.com/spinframework/spin-operator/blob/v0.6.1/api/v1alpha1/spinapp_types.go and spinappexecutor_types.go; the webhooks are on
by default (charts/spin-operator/templates/mutating-webhook-configuration.yaml).
"""

import copy

OPERATOR = "0.6.1"

# Every field that the Go types write without being told: path → what is written. A path ends at a list with *.
WRITTEN = {
    "SpinApp": {
        "spec.executor": "",
        "spec.image": "",
        "spec.imagePullSecrets.*.name": "",
        # Structs, which omitempty does not leave out.
        "spec.checks": {},
        "spec.resources": {},
        "spec.runtimeConfig": {},
        "spec.runtimeConfig.sqliteDatabases.*.name": "",
        "spec.runtimeConfig.sqliteDatabases.*.type": "",
        "spec.runtimeConfig.keyValueStores.*.name": "",
        "spec.runtimeConfig.keyValueStores.*.type": "",
        "spec.runtimeConfig.llmCompute.type": "",
        "spec.variables.*.name": "",
        "spec.checks.liveness.httpGet.path": "",
        "spec.checks.liveness.httpGet.httpHeaders": None,
        "spec.checks.readiness.httpGet.path": "",
        "spec.checks.readiness.httpGet.httpHeaders": None,
    },
    "SpinAppExecutor": {"spec.createDeployment": False},
}


def round_trip(manifest):
    """The manifest as the webhook hands it back."""
    written = copy.deepcopy(manifest)
    for path, value in WRITTEN.get(manifest["kind"], {}).items():
        *parents, field = path.split(".")
        for parent in reached([written], parents):
            parent.setdefault(field, copy.deepcopy(value))
    return written


def reached(places, names):
    """Finds the objects at a path. An absent one is left out, because pointers and slices have omitempty."""
    for name in names:
        places = [child for place in places for child in (place if name == "*" else [place.get(name)] if isinstance(place, dict) else []) if child is not None]
    return [place for place in places if isinstance(place, dict)]


def deployment(app):
    """The Deployment that the operator makes of a SpinApp, without environment and volumes:
    https://github.com/spinframework/spin-operator/blob/v0.6.1/internal/controller/spinapp_controller.go, constructDeployment."""
    name, spec = app["metadata"]["name"], app["spec"]
    labels = {"core.spinkube.dev/app-name": name, f"core.spinkube.dev/app.{name}.status": "ready"}
    container = {
        "name": name,
        "image": spec["image"],
        "command": ["/"],
        "ports": [{"name": "http-app", "containerPort": 80}],
        "env": [],
        "resources": spec["resources"],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": app["metadata"]["namespace"]},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": {**spec.get("podLabels", {}), **labels}},
                "spec": {"runtimeClassName": "wasmtime-spin-v2", "serviceAccountName": spec["serviceAccountName"], "containers": [container]},
            },
        },
    }


def extended(whole, part):
    """Merges two managers' fields as server-side apply does. Lists with names are merged by name, and the part's own values stay."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return {key: extended(whole[key], part[key]) if key in whole and key in part else copy.deepcopy(whole.get(key, part.get(key))) for key in {**whole, **part}}
    if isinstance(whole, list) and isinstance(part, list) and all(isinstance(each, dict) and "name" in each for each in whole + part):
        names = dict.fromkeys(each["name"] for each in whole + part)
        both = [[each for each in side if each["name"] == name] for name in names for side in (whole, part)]
        return [extended(first[0], second[0]) if first and second else copy.deepcopy((first or second)[0]) for first, second in zip(both[::2], both[1::2])]
    return copy.deepcopy(part)
