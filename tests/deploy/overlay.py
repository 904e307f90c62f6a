"""Reads the manifests that an overlay renders to, and computes which pods may connect to which."""

import json
import subprocess

import yaml


class Overlay:
    """One rendered kustomization. `pods` are the labels of its pods, by name; for a SpinApp, the labels that the operator sets.

    `visitors` are pods of other namespaces, with the labels of those namespaces.
    """

    def __init__(self, name, manifests):
        self.name = name
        self.manifests = manifests
        self.templates = {manifest["metadata"]["name"]: template(manifest) for manifest in manifests if template(manifest)}
        self.pods = {name: pods["metadata"]["labels"] for name, pods in self.templates.items()}
        for app in self.of("SpinApp"):
            name = app["metadata"]["name"]
            self.pods[name] = {
                **app["spec"].get("podLabels", {}),
                "core.spinkube.dev/app-name": name,
                f"core.spinkube.dev/app.{name}.status": "ready",
            }

        # While cert-manager asks for a certificate.
        if self.of("Issuer"):
            self.pods["certificate"] = {"acme.cert-manager.io/http01-solver": "true"}
        self.visitors = {"gateway": {"kubernetes.io/metadata.name": "envoy-gateway-system"}}

    def of(self, kind):
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]

    def named(self, kind, name):
        return next((manifest for manifest in self.of(kind) if manifest["metadata"]["name"] == name), None)

    def one(self, kind):
        (manifest,) = self.of(kind)
        return manifest

    def containers(self):
        for name, pods in self.templates.items():
            for container in pods["spec"].get("initContainers", []) + pods["spec"]["containers"]:
                yield name, pods["spec"], container

    def selected(self, selector):
        return {name for name, labels in self.pods.items() if matches(selector, labels)}

    def allows(self, source, target, port):
        """Says if the network policies let pod `source` connect to `target` on a TCP port. None is an address outside the cluster."""
        return self._side("Egress", source, target, port) and self.takes(target, source, port)

    def takes(self, target, source, port):
        """Says if the network policies would let them connect, if `source` were free to connect to anything."""
        return self._side("Ingress", target, source, port)

    def _side(self, direction, pod, peer, port):
        if pod is None or pod in self.visitors:
            return True
        policies = [
            policy["spec"]
            for policy in self.of("NetworkPolicy")
            if direction in policy["spec"].get("policyTypes", ["Ingress"]) and pod in self.selected(policy["spec"]["podSelector"])
        ]
        rules = [rule for policy in policies for rule in policy.get(direction.lower(), [])]
        peers = "to" if direction == "Egress" else "from"
        return not policies or any(
            (peers not in rule or any(self._is_peer(entry, peer) for entry in rule[peers]))
            and ("ports" not in rule or any(is_port(entry, port) for entry in rule["ports"]))
            for rule in rules
        )

    def _is_peer(self, entry, pod):
        if "ipBlock" in entry:
            return pod is None
        if pod in self.visitors:
            return "podSelector" not in entry and matches(entry["namespaceSelector"], self.visitors[pod])
        return pod is not None and "namespaceSelector" not in entry and pod in self.selected(entry["podSelector"])


def template(manifest):
    """Finds the template of a manifest's pods, which a CronJob has in the template of its jobs."""
    spec = manifest.get("spec", {})
    return spec.get("jobTemplate", {}).get("spec", spec).get("template")


def matches(selector, labels):
    wanted = selector.get("matchLabels", {})
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        expression["operator"] == "In" and labels.get(expression["key"]) in expression["values"]
        for expression in selector.get("matchExpressions", [])
    )


def is_port(entry, port):
    return entry.get("protocol", "TCP") == "TCP" and entry["port"] <= port <= entry.get("endPort", entry["port"])


def kustomize():
    """The command that renders a folder, or None where there is none of kustomize 5 or later."""
    for command, version in (
        (["kustomize", "build"], ["kustomize", "version"]),
        (["kubectl", "kustomize"], ["kubectl", "version", "--client", "--output=json"]),
    ):
        try:
            told = subprocess.run(version, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        told = json.loads(told).get("kustomizeVersion", "") if command[0] == "kubectl" else told
        major = told.strip().lstrip("v").partition(".")[0]
        if major.isdigit() and int(major) >= 5:
            return command
    return None


def render(command, folder):
    """The manifests of a folder, or the reason why there are none."""
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr.strip()
    return list(yaml.safe_load_all(done.stdout)), done.stderr.strip()
