"""Writes a CRD that the checks need into tests/deploy/crds: its schema, without descriptions and rules in CEL, which nothing here reads:

  tests/deploy/vendor.py SOURCE < the file at SOURCE
SOURCE is the file's address. The head of what is written names it, with the checksum of the file as it came."""

import hashlib
import sys
from pathlib import Path

import yaml


def bare(schema, names=False):
    """`names`: the keys are names of properties, which may be called description."""
    if isinstance(schema, dict):
        kept = {key: value for key, value in schema.items() if names or key not in ("description", "x-kubernetes-validations")}
        return {key: bare(value, key == "properties" and not names) for key, value in kept.items()}
    return [bare(each) for each in schema] if isinstance(schema, list) else schema


def main(source):
    text = sys.stdin.buffer.read()
    for crd in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if crd is None:
            continue
        versions = [
            {"name": version["name"], "schema": bare(version["schema"])} for version in crd["spec"]["versions"] if version.get("served")
        ]
        short = {
            "apiVersion": crd["apiVersion"],
            "kind": crd["kind"],
            "metadata": {"name": crd["metadata"]["name"]},
            "spec": {"group": crd["spec"]["group"], "names": {"kind": crd["spec"]["names"]["kind"]}, "scope": crd["spec"]["scope"], "versions": versions},
        }
        path = Path(__file__).with_name("crds") / f"{crd['metadata']['name']}.yaml"
        head = f"# The schema of {source}\n# sha256 {hashlib.sha256(text).hexdigest()}\n"
        path.write_text(head + yaml.dump(short, sort_keys=False, width=160), encoding="utf-8")
        print(f"{path} {path.stat().st_size}")


if __name__ == "__main__":
    main(*sys.argv[1:])
