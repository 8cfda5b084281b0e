"""What kustomize makes of deploy/kubernetes; it is built by Go, once, into the cache."""

import os
import subprocess

import pytest

import manifests
import schemas

KUSTOMIZE = "v5.0.3"  # the newest that Debian 12's Go builds
TARGETS = ["base", "capture", "kafka", "cli", "overlays/production"]

pytestmark = pytest.mark.long


@pytest.fixture(scope="session", name="kustomize")
def fixture_kustomize():
    folder = schemas.CACHE / "kubernetes" / f"kustomize-{KUSTOMIZE}"
    if not (folder / "kustomize").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["go", "install", f"sigs.k8s.io/kustomize/kustomize/v5@{KUSTOMIZE}"],
            env=os.environ | {"GOBIN": str(folder), "CGO_ENABLED": "0"}, check=True, timeout=1200,
        )
    return folder / "kustomize"


def build(kustomize, target: str) -> list[dict]:
    built = subprocess.run([kustomize, "build", manifests.ROOT / target], capture_output=True, text=True, timeout=60)
    assert built.returncode == 0, built.stderr
    assert built.stderr == "", "kustomize warns"
    return manifests.load_all(built.stdout)


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_built_is_what_kubernetes_takes(kustomize, target):
    objects = build(kustomize, target)
    assert objects
    assert [error for document in objects for error in schemas.errors_of(document)] == []
    without = [document["kind"] for document in objects if "namespace" not in document["metadata"]]
    assert set(without) <= {"Namespace"}


def referred(node) -> set[str]:
    """Names of the ConfigMaps that an object mounts or reads."""
    if isinstance(node, list):
        return set().union(*map(referred, node), set())
    if not isinstance(node, dict):
        return set()
    here = {node[key]["name"] for key in ("configMap", "configMapRef") if "name" in node.get(key, {})}
    return here.union(*map(referred, node.values()))


def test_every_configuration_that_a_pod_mounts_is_there(kustomize):
    objects = build(kustomize, "overlays/production")
    there = {(found["metadata"]["namespace"], found["metadata"]["name"]) for found in objects if found["kind"] == "ConfigMap"}
    pods = [found for found in objects if found["kind"] in ("Deployment", "DaemonSet")]
    wanted = {(pod["metadata"]["namespace"], name) for pod in pods for name in referred(pod)}
    assert wanted == there


def test_in_production_everybody_talks_to_kafka_by_tls(kustomize):
    objects = build(kustomize, "overlays/production")
    for found in objects:
        if found["kind"] in ("Deployment", "DaemonSet"):
            arguments = manifests.container_of(found)["args"]
            assert "--kafka=security.protocol=ssl" in arguments
            secrets = str([volume for volume in manifests.pod_of(found)["volumes"] if volume["name"] == "kafka"])
            assert f"flowcast-{found['metadata']['name']}" in secrets
    brokers = [found["data"]["FLOWCAST_BROKERS"] for found in objects if "FLOWCAST_BROKERS" in found.get("data", {})]
    assert [broker.rpartition(":")[2] for broker in brokers] == ["9093", "9093"]


def test_every_pod_is_read_by_a_monitor_of_its_namespace(kustomize):
    objects = build(kustomize, "overlays/production")
    read = set()
    for monitor in (found for found in objects if found["kind"] == "PodMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        ports = {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]}
        for workload in objects:
            if workload["kind"] not in ("Deployment", "DaemonSet"):
                continue
            same = workload["metadata"]["namespace"] == monitor["metadata"]["namespace"]
            labelled = wanted <= workload["spec"]["template"]["metadata"]["labels"].items()
            if same and labelled and ports & {port["name"] for port in manifests.container_of(workload).get("ports", [])}:
                read.add(workload["metadata"]["name"])
    assert read == {"capture", "features", "trainer", "inference", "notifier"}


def test_the_captures_page_is_where_its_monitor_and_its_probes_look(kustomize):
    objects = build(kustomize, "overlays/production")
    (capture,) = [found for found in objects if found["kind"] == "DaemonSet"]
    assert manifests.environment_of(capture)["FLOWCAST_HTTP"] == "$(NODE_IP):9471"
    container = manifests.container_of(capture)
    assert [entry["name"] for entry in container["env"]].index("NODE_IP") == 0, "before it is used"
    for probe in ("livenessProbe", "readinessProbe"):
        assert set(container[probe]["httpGet"]) == {"path", "port"}


def test_where_there_is_an_autoscaler_the_number_of_instances_is_its_own(kustomize):
    objects = build(kustomize, "overlays/production")
    scaled = {found["spec"]["scaleTargetRef"]["name"] for found in objects if found["kind"] == "HorizontalPodAutoscaler"}
    fixed = {found["metadata"]["name"] for found in objects if found["kind"] == "Deployment" and "replicas" in found["spec"]}
    assert scaled == {"features", "inference"}
    assert fixed == {"trainer", "notifier"}
