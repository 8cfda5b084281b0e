"""deploy/kubernetes as what kustomize would take: folders, the files they name, the objects in these."""

import copy
import functools
from pathlib import Path
from typing import Iterator

import yaml

REPO = Path(__file__).resolve().parents[2]
ROOT = REPO / "deploy" / "kubernetes"
# Not for kustomize: the page for people, a script, and the values of another chart.
NOT_APPLIED = {ROOT / "README.md", ROOT / "kafka" / "users", ROOT / "autoscaling" / "prometheus-adapter.yaml"}


def kustomizations() -> list[Path]:
    return sorted(ROOT.rglob("kustomization.yaml"))


def load_all(text: str) -> list[dict]:
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


def load(path: Path) -> dict:
    (content,) = load_all(path.read_text())
    return content


def named(kustomization: Path) -> Iterator[Path]:
    """The files and folders that it names."""
    content = load(kustomization)
    folder = kustomization.parent
    entries = content.get("resources", []) + content.get("components", [])
    entries += [patch["path"] for patch in content.get("patches", []) if "path" in patch]
    for generator in content.get("configMapGenerator", []):
        entries += generator.get("files", []) + generator.get("envs", [])
    for entry in entries:
        yield (folder / entry).resolve()


@functools.cache
def loaded() -> list[dict]:
    named_here = [kustomization.parent / entry for kustomization in kustomizations()
                  for entry in load(kustomization).get("resources", [])]
    return [document for path in named_here if path.is_file() for document in load_all(path.read_text())]


def objects() -> list[dict]:
    """Every object in a file that a kustomization names as a resource; a copy to do with as one likes."""
    return copy.deepcopy(loaded())


def find(kind: str, name: str = "") -> list[dict]:
    return [found for found in objects() if found["kind"] == kind and name in ("", found["metadata"]["name"])]


def workloads() -> list[dict]:
    """What runs on and on: without the command line."""
    return find("Deployment") + find("DaemonSet")


def pod_of(workload: dict) -> dict:
    return workload["spec"] if workload["kind"] == "Pod" else workload["spec"]["template"]["spec"]


def container_of(workload: dict) -> dict:
    (container,) = pod_of(workload)["containers"]
    return container


def environment_of(workload: dict) -> dict:
    return {entry["name"]: entry.get("value", "") for entry in container_of(workload)["env"]}
