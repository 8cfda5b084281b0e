"""Schemas of Kubernetes' objects, strict: a field that is unknown or misspelt is an error."""

import functools
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema

VALIDATE = "1.37.0"  # of kubernetes-validate on PyPI, which bundles the schemas of many versions of Kubernetes
KUBERNETES = "1.34.0"
CACHE = Path(os.environ.get("FLOWCAST_CACHE", Path.home() / ".cache" / "flowcast"))
OWN = Path(__file__).parent / "custom-resources.schema.json"


@functools.cache
def wheel() -> zipfile.ZipFile:
    """Fetched once; read as it is, since it has 17,000 files of which a dozen are needed."""
    folder = CACHE / "kubernetes"
    if not list(folder.glob(f"kubernetes_validate-{VALIDATE}-*.whl")):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "--quiet", "download", "--no-deps", "--dest", folder,
             f"kubernetes-validate=={VALIDATE}"],
            check=True, timeout=300,
        )
    return zipfile.ZipFile(next(folder.glob(f"kubernetes_validate-{VALIDATE}-*.whl")))


def read(name: str) -> dict:
    return json.loads(wheel().read(f"kubernetes_validate/kubernetes-json-schema/v{KUBERNETES}-local-strict/{name}"))


@functools.cache
def definitions() -> dict:
    return read("_definitions.json")


class Definitions(jsonschema.RefResolver):
    """Every reference of these schemas is to a definition; the library would search them for it each time."""

    def resolve(self, ref: str):
        return ref, definitions()["$defs"][ref.rpartition("/")[2]]


@functools.cache
def kubernetes_validator(api_version: str, kind: str) -> jsonschema.Draft202012Validator:
    version = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = read(f"{kind.lower()}-{version}.json")
    return jsonschema.Draft202012Validator(schema, resolver=Definitions.from_schema(schema))


@functools.cache
def own_schemas() -> dict:
    return json.loads(OWN.read_text())


def errors_of(document: dict) -> list[str]:
    """What is wrong with an object; empty when nothing is."""
    own = own_schemas().get(f"{document['apiVersion']}/{document['kind']}")
    if own:
        validator = jsonschema.Draft202012Validator(own)
    else:
        validator = kubernetes_validator(document["apiVersion"], document["kind"])
    name = f"{document['kind']} {document['metadata']['name']}"
    return [f"{name}: {error.json_path}: {error.message[:300]}" for error in validator.iter_errors(document)]
