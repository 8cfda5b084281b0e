"""Dashboards and alert rules as files: up to date, whole, and about metrics that there are."""

import itertools
import re
import shutil
import subprocess
import sys

import pytest

import dashboards
import promql
from support import REPO, library

yaml = library("yaml")

PROMETHEUS = REPO / "deploy" / "prometheus"
PROVISIONING = REPO / "deploy" / "grafana" / "provisioning"
UNITS = {"short", "s", "pps", "cps", "bytes", "percentunit", "dateTimeAsIso"}  # identifiers that Grafana knows


def promtool(*arguments) -> subprocess.CompletedProcess:
    assert shutil.which("promtool"), "promtool is not installed: run scripts/bootstrap"
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=300)


def rules() -> list[dict]:
    groups = yaml.safe_load((PROMETHEUS / "flowcast.rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_dashboards_are_what_they_are_made_of():
    made = subprocess.run(
        [sys.executable, str(REPO / "deploy" / "grafana" / "make_dashboards"), "--check"], capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr


@pytest.mark.parametrize("name", dashboards.load_all())
def test_a_dashboard_is_whole(name):
    dashboard = dashboards.load_all()[name]
    assert dashboard["uid"] == f"flowcast-{name}" and dashboard["title"] and dashboard["tags"] == ["flowcast"]
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    known = {variable["name"] for variable in dashboard["templating"]["list"]} | {"__rate_interval", "__range"}
    for panel in panels:
        assert panel["title"]
        place = panel["gridPos"]
        assert 0 <= place["x"] and place["x"] + place["w"] <= 24
        if panel["type"] == "row":
            continue
        assert panel["datasource"]["uid"] == "${datasource}" and "datasource" in known
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel.get("repeat", "datasource") in known
        for target in panel["targets"]:
            assert target["legendFormat"], f"{panel['title']}: a query without a legend"
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= known
    for one, other in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y, f"{one} lies upon {other}"


def test_every_query_is_about_metrics_that_are_exported():
    asked = [(query.where, query.expression) for query in dashboards.queries()]
    asked += [(choice.where, choice.series) for choice in dashboards.choices()]
    asked += [(rule["alert"], rule["expr"]) for rule in rules()]
    wrong = {where: unknown for where, expression in asked if (unknown := promql.unknown_in(expression))}
    assert not wrong
    assert len(asked) > 100


def test_a_query_about_a_metric_that_is_not_exported_is_found():
    assert promql.unknown_in("sum by (link) (rate(flowcast_features_packets_total[5m])) or vector(0)") == set()
    assert promql.unknown_in("flowcast_features_packet_total or vector(0)") == {"flowcast_features_packet_total"}
    assert promql.unknown_in('max_over_time(up{job="no_metric"}[1h]) unless on (instance) gone') == {"gone"}


def test_grafana_is_given_the_dashboards_and_the_source_that_compose_mounts():
    compose = yaml.safe_load((REPO / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "flowcast.yml").read_text(encoding="utf-8"))["datasources"]
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "flowcast.yml").read_text(encoding="utf-8"))["providers"]
    mounts = dict(volume.removesuffix(":ro").split(":") for volume in compose["grafana"]["volumes"])
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    home = compose["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home.removeprefix(provider["options"]["path"] + "/").removesuffix(".json") in dashboards.load_all()
    assert source["url"] == "http://prometheus:9090"
    scrape = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scrape


def test_prometheus_takes_its_configuration_and_rules():
    for what in (("config", PROMETHEUS / "prometheus.yml"), ("rules", PROMETHEUS / "flowcast.rules.yml")):
        done = promtool("check", *what)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_fires_when_it_should_and_is_quiet_when_all_is_well():
    done = promtool("test", "rules", PROMETHEUS / "flowcast.rules.test.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    cases = yaml.safe_load((PROMETHEUS / "flowcast.rules.test.yml").read_text(encoding="utf-8"))["tests"]
    fired = {
        case["alertname"] for test in cases for case in test.get("alert_rule_test", []) if case["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in rules()}


def test_every_alert_leads_to_its_runbook():
    page = (REPO / "docs" / "runbooks.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (\w+)$", page, re.MULTILINE))
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("critical", "warning")
    assert headings == {rule["alert"] for rule in rules()}, "runbooks and alerts are the same"
