"""The real services under a real Prometheus, set up as deploy/prometheus says: every query of every dashboard has an answer."""

import json
import math
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from types import SimpleNamespace

import pytest

import dashboards
import support
from receivers import Webhook
from support import DEMO, REPO, flowcast_of, unused_port, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.slow]

DEADLINE_S = 240  # for the last of them to have an answer; it takes 20 s
FOLDER = REPO / "deploy" / "prometheus"
LINKS = 2  # of the bundled capture


class Prometheus:
    """Debian's, in a folder of its own."""

    def __init__(self, folder, targets: dict[str, str]):
        """`targets` are in place of the compose file's."""
        self.folder = folder
        port = unused_port()
        self.address = f"http://127.0.0.1:{port}"
        path = folder / "prometheus.yml"
        path.write_text(self._settings(targets | {"localhost:9090": f"127.0.0.1:{port}"}), encoding="utf-8")
        with open(folder / "prometheus.log", "wb") as log:
            self._process = subprocess.Popen(
                ["prometheus", f"--config.file={path}", f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"],
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    @staticmethod
    def _settings(targets: dict[str, str]) -> str:
        text = (FOLDER / "prometheus.yml").read_text(encoding="utf-8")
        text = text.replace("scrape_interval: 5s", "scrape_interval: 1s").replace("evaluation_interval: 15s", "evaluation_interval: 1s")
        text = text.replace("- flowcast.rules.yml", f"- {FOLDER / 'flowcast.rules.yml'}")
        for there, here in targets.items():
            assert f'"{there}"' in text, f"prometheus.yml has no target {there}"
            text = text.replace(f'"{there}"', f'"{here}"')
        return text

    def ask(self, path: str, **parameters) -> list | dict:
        url = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def is_up(self) -> bool:
        assert self._process.poll() is None, (self.folder / "prometheus.log").read_text()
        try:
            urllib.request.urlopen(f"{self.address}/-/ready", timeout=10).close()
        except OSError:
            return False
        return True

    def answers(self, query: dashboards.Query) -> bool:
        """Whether there is a number among what Grafana would draw."""
        if query.is_range:
            now = time.time()
            series = self.ask("query_range", query=query.expression, start=now - 60, end=now, step=1)["result"]
        else:
            series = self.ask("query", query=query.expression)["result"]
        samples = [sample for one in series for sample in one.get("values", [one.get("value")])]
        return any(math.isfinite(float(value)) for _, value in samples)

    def has_choice(self, choice: dashboards.Choice) -> bool:
        return bool(self.ask(f"label/{choice.label}/values", **{"match[]": choice.series}))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)


def start_services(flowcast, webhook, folder) -> dict[str, str]:
    """All of them, and where their status pages are."""
    page = ("--http", "127.0.0.1:0")
    running = {
        "features:9472": flowcast.start("features", "--window", "1s", *page),
        "inference:9474": flowcast.start("inference", "--threshold", "p95", *page),
        "trainer:9473": flowcast.start("trainer", "--epochs", "2", "--hidden", "8", "--model-dir", folder / "models", *page),
        "notifier:9475": flowcast.start("notifier", "--webhook", webhook.url, *page),
        "capture:9471": flowcast.start(
            "capture", "--pcap", DEMO, "--source", "demo", "--speed", "60x", "--loop", "--rebase-time", "now", *page
        ),
    }
    return {name: one.expect(r"status at http://(\S+)")[1] for name, one in running.items()}


@pytest.fixture(scope="module", name="watched")
def fixture_watched(binaries, broker, messages, tmp_path_factory):
    assert shutil.which("prometheus"), "prometheus is not installed: run scripts/bootstrap"
    folder = tmp_path_factory.mktemp("watched")
    webhook = Webhook()
    with flowcast_of(binaries, broker, folder, messages) as flowcast:
        flowcast.create_topics()
        pages = start_services(flowcast, webhook, folder)
        prometheus = Prometheus(folder, pages)
        try:
            wait_until(prometheus.is_up, 30, "Prometheus ready")
            yield SimpleNamespace(prometheus=prometheus, pages=pages)
        finally:
            prometheus.close()
            webhook.close()


def test_every_panel_of_every_dashboard_has_data(watched):
    missing = dashboards.queries()
    assert len(missing) > 80
    deadline = time.monotonic() + DEADLINE_S
    while missing and time.monotonic() < deadline:
        missing = [query for query in missing if not watched.prometheus.answers(query)]
    assert not missing, "\n".join(f"{query.where}: {query.expression}" for query in missing)
    assert [choice.where for choice in dashboards.choices() if not watched.prometheus.has_choice(choice)] == []


def test_a_panel_about_a_metric_that_is_not_there_would_be_found(watched):
    assert not watched.prometheus.answers(dashboards.Query("", "flowcast_features_packet_total", True))
    assert not watched.prometheus.answers(dashboards.Query("", "sum(flowcast_features_packet_total)", False))


def test_prometheus_finds_nothing_wrong_with_the_metrics_of_any_service(watched):
    for name, address in watched.pages.items():
        text = support.get(f"http://{address}/metrics")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 and not done.stderr, f"{name}: {done.stdout}{done.stderr}"


def test_the_links_shown_are_all_there_when_they_are_few(watched):
    def series(name):
        return watched.prometheus.ask("query", query=f"count(flowcast_inference_link_{name})")["result"]

    wait_until(lambda: series("coverage_ratio"), 60, "forecasts settled")
    assert [series(name)[0]["value"][1] for name in ("load", "window_end_timestamp_seconds")] == [str(LINKS)] * 2
    assert series("forecast")[0]["value"][1] == str(5 * LINKS)
    assert series("forecast_bound")[0]["value"][1] == str(2 * 5 * LINKS)


def test_the_rules_are_evaluated_and_none_is_broken(watched):
    groups = wait_until(
        lambda: (found := watched.prometheus.ask("rules")["groups"])
        and all(rule["health"] != "unknown" for group in found for rule in group["rules"]) and found,
        30, "rules evaluated",
    )  # fmt: skip
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}
