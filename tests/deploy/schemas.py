"""Schemas for what is in a cluster: Kubernetes' own, those of CRDs, and the shape of what has neither."""

import functools
import os
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
    """Whether the kind is Kubernetes' own, and not of a CRD. Of its groups with a dot, the manifests use one."""
    group = manifest["apiVersion"].rpartition("/")[0]
    return "." not in group or group == "networking.k8s.io"


def kubernetes_problems(manifest):
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
            where = ".".join(str(item) for item in getattr(error, "path", []))
            yield f"{title(manifest)} in Kubernetes {version}: {where} {error.message}"


def crds():
    """The CRDs at hand, as (group/version, kind) → schema, and the file they are from."""
    path = Path(os.environ.get("SPINAPP_CRD") or "../shared/schemas/spinapp-crd-0.6.1.yaml")
    if not path.exists():
        if os.environ.get("SPINAPP_CRD"):
            raise SystemExit(f"error: SPINAPP_CRD: there is no {path}")
        return {}, path
    found = {}
    for crd in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        for version in (crd or {}).get("spec", {}).get("versions", []):
            key = f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]
            found[key] = strict(version["schema"]["openAPIV3Schema"])
    return found, path


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


def crd_problems(manifest, schema):
    # The API server knows what metadata looks like; CRDs only say that it is there.
    schema = {**schema, "properties": {**schema["properties"], "metadata": {"type": "object"}}}
    for error in jsonschema.Draft202012Validator(schema).iter_errors(manifest):
        yield f"{title(manifest)}: {'.'.join(map(str, error.path))} {error.message}"


def title(manifest):
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def closed(required, **optional):
    properties = {**required, **optional}
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 1}

# No more than the fields that the manifests use: a misspelt one is not among them.
SHAPES = {
    ("core.spinkube.dev/v1alpha1", "SpinApp"): closed(
        {"image": TEXT, "executor": TEXT},
        **{name: {} for name in ("checks", "enableAutoscaling", "replicas", "resources", "serviceAccountName", "variables")},
    ),
    ("core.spinkube.dev/v1alpha1", "SpinAppExecutor"): closed(
        {"createDeployment": {"const": True}, "deploymentConfig": closed({"runtimeClassName": TEXT}, otel={})}
    ),
    ("keda.sh/v1alpha1", "ScaledObject"): closed({
        "scaleTargetRef": closed({"name": TEXT}),
        "minReplicaCount": COUNT,
        "maxReplicaCount": COUNT,
        "triggers": {
            "type": "array",
            "minItems": 1,
            "items": closed({"type": TEXT, "metricType": TEXT, "metadata": {"type": "object", "additionalProperties": TEXT}}),
        },
    }),
    ("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass"): closed({
        "provider": {"const": "azure"},
        "parameters": {
            "type": "object",
            "required": ["clientID", "tenantID", "keyvaultName", "objects"],
            "additionalProperties": TEXT,
        },
        "secretObjects": {
            "type": "array",
            "minItems": 1,
            "items": closed({
                "secretName": TEXT,
                "type": {"const": "Opaque"},
                "data": {"type": "array", "minItems": 1, "items": closed({"objectName": TEXT, "key": TEXT})},
            }),
        },
    }),
}


def shape_problems(manifest):
    shape = SHAPES.get((manifest["apiVersion"], manifest["kind"]))
    if shape is None:
        yield f"{title(manifest)}: {manifest['apiVersion']} has neither a schema nor a shape in tests/deploy/schemas.py"
        return
    for error in jsonschema.Draft202012Validator(shape).iter_errors(manifest["spec"]):
        yield f"{title(manifest)}: spec.{'.'.join(map(str, error.path))} {error.message}"
