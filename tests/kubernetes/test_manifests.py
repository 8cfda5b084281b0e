"""deploy/kubernetes: objects that the API takes, that ask for no more than they need, and that fit the programs."""

import os
import re
import subprocess

import pytest

import manifests
import schemas

PORTS = {"capture": 9471, "features": 9472, "trainer": 9473, "inference": 9474, "notifier": 9475}
SERVICES = [name for name in PORTS if name != "capture"]
INSTANCES = ("features", "inference", "notifier")  # those with --instance


def clean_environment() -> dict:
    return {name: value for name, value in os.environ.items() if not name.startswith("FLOWCAST_")}


def lines_of(path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def test_every_file_is_named_in_a_kustomization():
    known = {path for kustomization in manifests.kustomizations() for path in manifests.named(kustomization)}
    missing = [path for path in known if not path.exists()]
    assert missing == []
    files = {path for path in manifests.ROOT.rglob("*") if path.is_file()}
    assert files - known - manifests.NOT_APPLIED == set(manifests.kustomizations())


def test_every_object_is_one_that_kubernetes_takes():
    assert [error for document in manifests.objects() for error in schemas.errors_of(document)] == []


@pytest.mark.parametrize("mutate", [
    lambda pod: pod.update(hostNetwrok=True),
    lambda pod: pod["containers"][0].update(args="--config"),
    lambda pod: pod["containers"][0]["livenessProbe"]["httpGet"].pop("port"),
], ids=["misspelt", "of another type", "missing"])
def test_a_mistake_in_an_object_is_found(mutate):
    (document,) = manifests.find("Deployment", "features")
    mutate(manifests.pod_of(document))
    assert len(schemas.errors_of(document)) == 1


def test_a_mistake_in_a_topic_is_found():
    document = manifests.find("KafkaTopic")[0]
    document["spec"]["partition"] = document["spec"].pop("partitions")
    assert len(schemas.errors_of(document)) == 2


@pytest.mark.parametrize(
    "workload", manifests.workloads() + manifests.find("Pod"), ids=lambda workload: workload["metadata"]["name"]
)
def test_no_pod_may_more_than_it_needs(workload):
    pod, container = manifests.pod_of(workload), manifests.container_of(workload)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    rights = container["securityContext"]
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["capabilities"]["drop"] == ["ALL"]
    assert "memory" in container["resources"]["limits"]
    assert "cpu" in container["resources"]["requests"]
    if workload["kind"] == "DaemonSet":
        assert rights["capabilities"]["add"] == ["NET_RAW", "SETUID", "SETGID", "SETPCAP", "CHOWN"]
    else:
        assert "add" not in rights["capabilities"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert "hostNetwork" not in pod


@pytest.mark.parametrize("account", manifests.find("ServiceAccount"), ids=lambda account: account["metadata"]["name"])
def test_no_account_gives_away_a_token(account):
    assert account["automountServiceAccountToken"] is False


@pytest.mark.parametrize("workload", manifests.workloads(), ids=lambda workload: workload["metadata"]["name"])
def test_a_status_page_is_probed_where_it_is(workload):
    name, container = workload["metadata"]["name"], manifests.container_of(workload)
    address, _, port = manifests.environment_of(workload)["FLOWCAST_HTTP"].rpartition(":")
    assert int(port) == PORTS[name]
    probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("liveness", "readiness")]
    assert [probe["path"] for probe in probes] == ["/healthz", "/readyz"]
    if name == "capture":
        assert address == "127.0.0.1"
        assert all(probe["port"] == PORTS[name] and probe["host"] == address for probe in probes)
        return
    assert container["ports"] == [{"name": "http", "containerPort": PORTS[name]}]
    assert all(probe["port"] == "http" for probe in probes)
    annotations = workload["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(PORTS[name])


@pytest.mark.parametrize("service", INSTANCES)
def test_an_instance_is_named_by_its_pod(service):
    (workload,) = manifests.find("Deployment", service)
    names = [entry for entry in manifests.container_of(workload)["env"] if entry["name"] == "FLOWCAST_INSTANCE"]
    assert names == [{"name": "FLOWCAST_INSTANCE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]


def test_nothing_goes_in_or_out_unless_a_policy_says_so():
    (deny,) = manifests.find("NetworkPolicy", "default-deny")
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (allow,) = manifests.find("NetworkPolicy", "to-kafka")
    brokers = lines_of(manifests.ROOT / "base" / "kafka.env")[0]
    port = int(brokers.rpartition(":")[2])
    assert port in [entry["port"] for entry in allow["spec"]["egress"][0]["ports"]]


def test_all_services_are_told_of_the_same_kafka():
    assert lines_of(manifests.ROOT / "base" / "kafka.env") == lines_of(manifests.ROOT / "capture" / "kafka.env")


def test_the_topics_are_those_of_the_programs(binaries):
    topics = manifests.find("KafkaTopic")
    partitions = max(topic["spec"]["partitions"] for topic in topics)
    printed = subprocess.run(
        [binaries / "flowcast", "topics", "manifests", "--partitions", str(partitions), "--replication", "3"],
        check=True, capture_output=True, text=True, env=clean_environment(), timeout=60,
    ).stdout
    assert lines_of(manifests.ROOT / "kafka" / "topics.yaml") == printed.splitlines()


def test_a_prefix_that_is_no_name_for_kubernetes_is_the_topics_alone(binaries):
    printed = subprocess.run(
        [binaries / "flowcast", "topics", "manifests", "--prefix", "Site_A.", "--cluster", "other"],
        check=True, capture_output=True, text=True, env=clean_environment(), timeout=60,
    ).stdout
    topics = manifests.load_all(printed)
    assert [error for topic in topics for error in schemas.errors_of(topic)] == []
    assert topics[0]["metadata"] == {"name": "site-a.packets.v1", "labels": {"strimzi.io/cluster": "other"}}
    assert topics[0]["spec"]["topicName"] == "Site_A.packets.v1"


def test_the_autoscaler_asks_for_no_more_instances_than_partitions():
    partitions = max(topic["spec"]["partitions"] for topic in manifests.find("KafkaTopic"))
    autoscalers = manifests.find("HorizontalPodAutoscaler")
    assert [found["spec"]["maxReplicas"] for found in autoscalers] == [partitions] * 2


def test_the_autoscaler_goes_by_a_metric_that_there_is(binaries):
    (rule,) = manifests.load(manifests.ROOT / "autoscaling" / "prometheus-adapter.yaml")["rules"]["custom"]
    series = re.search(r'__name__=~"([^"]+)"', rule["seriesQuery"])[1]
    for autoscaler in manifests.find("HorizontalPodAutoscaler"):
        service = autoscaler["spec"]["scaleTargetRef"]["name"]
        printed = subprocess.run(
            [binaries / f"flowcast-{service}", "--print-metrics"],
            check=True, capture_output=True, text=True, env=clean_environment(), timeout=60,
        ).stdout
        (metric,) = [name for name in re.findall(r"`(\w+)`", printed) if re.fullmatch(series, name)]
        replacement = rule["name"]["as"].replace("${1}", r"\1")
        (wanted,) = autoscaler["spec"]["metrics"]
        assert re.sub(rule["name"]["matches"], replacement, metric) == wanted["pods"]["metric"]["name"]


BACKLOG_TEST = """
rule_files: [rules.yaml]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {series: 'flowcast_inference_unread_records{namespace="flowcast", pod="busy"}', values: '9000 0 9000 0 9000 0 9000 0 9000 0'}
      - {series: 'flowcast_inference_unread_records{namespace="flowcast", pod="behind"}', values: '9000 8000 7000 9000 8000 7000 9000 8000 7000 9000'}
    promql_expr_test:
      - expr: backlog
        eval_time: 2m
        exp_samples:
          - {labels: 'backlog{pod="behind"}', value: 7000}
          - {labels: 'backlog{pod="busy"}', value: 0}
"""


def test_a_burst_that_is_worked_off_is_no_backlog(tmp_path):
    (rule,) = manifests.load(manifests.ROOT / "autoscaling" / "prometheus-adapter.yaml")["rules"]["custom"]
    query = rule["metricsQuery"].replace("<<.Series>>", "flowcast_inference_unread_records")
    query = query.replace("<<.LabelMatchers>>", 'namespace="flowcast"').replace("<<.GroupBy>>", "pod")
    (tmp_path / "rules.yaml").write_text(f"groups: [{{name: adapter, rules: [{{record: backlog, expr: '{query}'}}]}}]")
    (tmp_path / "test.yaml").write_text(BACKLOG_TEST)
    tested = subprocess.run(
        ["promtool", "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("service", PORTS)
def test_a_program_takes_its_configuration(service, binaries, tmp_path):
    if service == "capture" and os.geteuid() != 0:
        pytest.skip("needs root, to open an interface")
    folder = manifests.ROOT / ("capture" if service == "capture" else "base")
    environment = dict(line.split("=", 1) for line in lines_of(folder / "kafka.env"))
    # What is elsewhere here: the rules, the folder of models, an interface and its spool.
    elsewhere = {
        "inference": ["--rules", folder / "rules.toml"],
        "trainer": ["--model-dir", tmp_path],
        "capture": ["--interface", "lo", "--spool", tmp_path],
    }.get(service, [])
    checked = subprocess.run(
        [binaries / f"flowcast-{service}", "--config", folder / f"{service}.toml", "--check", *elsewhere],
        capture_output=True, text=True, env=clean_environment() | environment, timeout=60,
    )
    assert checked.returncode == 0, checked.stderr


def test_users_have_the_rights_that_the_script_grants():
    listed = subprocess.run(
        [manifests.REPO / "deploy" / "kafka" / "acls", "list"], check=True, capture_output=True, timeout=60
    ).stdout
    printed = subprocess.run(
        [manifests.ROOT / "kafka" / "users"], input=listed, check=True, capture_output=True, timeout=60
    ).stdout.decode()
    assert lines_of(manifests.ROOT / "kafka" / "users.yaml") == printed.splitlines()
    named = {user["metadata"]["name"] for user in manifests.find("KafkaUser")}
    assert {f"flowcast-{service}" for service in PORTS} <= named


def test_the_capabilities_of_the_capture_are_those_that_it_needs_to_get_rid_of_them(binaries, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, as the container has it")
    (capture,) = manifests.find("DaemonSet", "capture")
    added = manifests.container_of(capture)["securityContext"]["capabilities"]["add"]
    bounds = ",".join(["-all", *(f"+{name.lower()}" for name in added)])
    checked = subprocess.run(
        ["setpriv", "--no-new-privs", f"--bounding-set={bounds}", "--inh-caps=-all", binaries / "flowcast-capture",
         "--interface", "lo", "--spool", tmp_path, "--check"],
        capture_output=True, text=True, env=clean_environment(), timeout=60,
    )
    assert checked.returncode == 0, checked.stderr
    assert "runs as nobody with CAP_NET_RAW alone" in checked.stderr
    assert "warning" not in checked.stderr


def relabelled(rules: list[dict], labels: dict) -> dict:
    """As Prometheus does it, by the rules that replace."""
    labels = dict(labels)
    for rule in rules:
        value = ";".join(labels.get(name, "") for name in rule.get("sourceLabels", []))
        found = re.fullmatch(rule.get("regex", "(.*)"), value)
        if found:
            labels[rule["targetLabel"]] = rule.get("replacement", value)
    return labels


@pytest.mark.parametrize("service", PORTS)
def test_the_operators_prometheus_names_the_jobs_as_the_alert_rules_do(service):
    configuration = manifests.load(manifests.REPO / "deploy/prometheus/prometheus.yml")
    jobs = {static["labels"]["service"]: job["job_name"] for job in configuration["scrape_configs"]
            for static in job["static_configs"] if "labels" in static}
    (monitor,) = manifests.find("PodMonitor", "flowcast-capture" if service == "capture" else "flowcast")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    given = {"job": "flowcast/flowcast", "__meta_kubernetes_pod_label_app_kubernetes_io_name": service}
    labels = relabelled(endpoint["relabelings"], given)
    assert (labels["job"], labels["service"]) == (jobs[service], service)
