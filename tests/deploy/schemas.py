"""Reads the schemas of manifests: Kubernetes' own, and the CRDs in tests/deploy/crds, which vendor.py writes."""

import functools
import re
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml
from kubernetes_validate import utils

# The oldest and the newest release that the manifests are checked for.
KUBERNETES = ("1.31", "1.37")

# kubernetes-validate reads its megabytes of definitions again for each object.
utils.schema_contents = functools.cache(utils.schema_contents)


def is_kubernetes(manifest):
    """Says if the kind is Kubernetes' own, and not of a CRD. Of its groups with a dot, the manifests use these."""
    group = manifest["apiVersion"].rpartition("/")[0]
    return "." not in group or group in ("networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io")


def kubernetes_problems(manifest):
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
            where = ".".join(str(item) for item in getattr(error, "path", []))
            yield f"{title(manifest)} in Kubernetes {version}: {where} {error.message}"


@functools.cache
def crds():
    """The schemas of tests/deploy/crds, as (group/version, kind) → schema."""
    found = {}
    for path in sorted(Path(__file__).with_name("crds").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if not re.match(r"# The schema of https://\S+/v\d\S+\n# sha256 [0-9a-f]{64}\n", text):
            raise SystemExit(f"error: {path}: its head does not name the file that it comes from; write it with tests/deploy/vendor.py")
        crd = yaml.safe_load(text)
        for version in crd["spec"]["versions"]:
            found[f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]] = strict(version["schema"]["openAPIV3Schema"])
    return found


def strict(schema):
    """The schema as the API server reads it, but with unknown fields refused instead of dropped."""
    schema = dict(schema)
    if schema.get("x-kubernetes-int-or-string"):
        schema.pop("type", None)
    if "properties" in schema:
        schema["properties"] = {name: strict(value) for name, value in schema["properties"].items()}
        if schema["properties"] and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
    if isinstance(schema.get("additionalProperties"), dict):
        schema["additionalProperties"] = strict(schema["additionalProperties"])
    if "items" in schema:
        schema["items"] = strict(schema["items"])
    return schema


def crd_problems(manifest):
    # Its CRD is larger than all others together; facts.py says what the one policy must say.
    if manifest["kind"] == "CiliumNetworkPolicy":
        return
    schema = crds().get((manifest["apiVersion"], manifest["kind"]))
    if schema is None:
        yield f"{title(manifest)}: tests/deploy/crds has no schema of {manifest['apiVersion']}; write it with tests/deploy/vendor.py"
        return
    # The API server knows what metadata looks like; CRDs only say that it is there.
    schema = {**schema, "properties": {**schema["properties"], "metadata": {"type": "object"}}}
    for error in jsonschema.Draft202012Validator(schema).iter_errors(manifest):
        yield f"{title(manifest)}: {'.'.join(map(str, error.path))} {error.message}"


def title(manifest):
    return f"{manifest['kind']} {manifest['metadata']['name']}"

