"""The examples of docs/subscribe.md, each run as it stands, against real alerts."""

import json
import re
import shutil
import signal
import subprocess

import pytest

import support
from support import REPO, wait_until
from test_notifier import alert, send

pytestmark = pytest.mark.broker

EXAMPLES = REPO / "examples" / "subscribe"


@pytest.fixture(scope="module", name="alerting")
def fixture_alerting(binaries, broker, messages, tmp_path_factory):
    """Topics with real alerts on them, and one of each kind that subscribers leave out."""
    with support.flowcast_of(binaries, broker, tmp_path_factory.mktemp("alerts"), messages) as flowcast:
        flowcast.create_topics()
        flowcast.succeed("cli", "generate", "--duration", "10m", "--bursts-per-hour", "60", "--rate", "50")
        flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
        flowcast.succeed("inference", "--threshold", "100", "--exit-when-idle", "1s")
        for left_out in (alert("p", "pending"), alert("s", silenced=True)):
            send_with_header(flowcast, left_out)
        yield flowcast


@pytest.fixture(scope="module", name="wanted")
def fixture_wanted(alerting) -> list:
    alerts = [json.loads(record.value) for record in alerting.records("alerts")]
    sent = [one for one in alerts if one["state"] != "pending" and "fired_at" in one and not one["silenced"]]
    assert len(sent) >= 4 and len(alerts) >= len(sent) + 2
    assert {one["state"] for one in sent} == {"firing", "resolved"}
    return ["  ".join(one[name] for name in ("made_at", "state", "severity", "summary")) for one in sent]


def send_with_header(flowcast, one: dict) -> None:
    path = flowcast.folder / "alert.json"
    path.write_text(json.dumps(one), encoding="utf-8")
    support.kcat(
        flowcast.brokers, "-P", "-t", f"{flowcast.prefix}alerts.v1", "-k", one["fingerprint"], "-H",
        f"ce_type=io.flowcast.alert.{one['state']}", str(path),
    )  # fmt: skip


def expect(flowcast, command, name: str, wanted: list) -> None:
    """It prints what was there, and what comes later."""
    running = flowcast._launch([str(part) for part in command], name)
    try:
        wait_until(lambda: len(running.out.splitlines()) >= len(wanted), 30, f"alerts of {name}:\n{running.log}")
        assert running.out.splitlines() == wanted
        assert running.is_alive()
    finally:
        assert running.stop().code in (support.OK, -signal.SIGTERM)


def test_the_shell_prints_alerts(alerting, wanted):
    command = ["env", "FROM=beginning", EXAMPLES / "alerts.sh", alerting.brokers, f"{alerting.prefix}alerts.v1"]
    expect(alerting, command, "shell", wanted)


def test_python_prints_alerts_and_goes_on_where_it_was(alerting, wanted):
    python = "/usr/bin/python3"  # as Debian's packages are for
    if subprocess.run([python, "-c", "import confluent_kafka"], capture_output=True, check=False).returncode != 0:
        pytest.fail("needs python3-confluent-kafka: run scripts/bootstrap")
    group = f"{alerting.prefix}python"
    command = [
        python, EXAMPLES / "alerts.py", "--brokers", alerting.brokers, "--topic", f"{alerting.prefix}alerts.v1", "--group", group,
    ]  # fmt: skip
    expect(alerting, command, "python", wanted)
    late = alert("late")
    send_with_header(alerting, late)
    again = alerting._launch([str(part) for part in command], "python-again")
    wait_until(lambda: again.out, 30, "the alert that came meanwhile")
    assert again.out.splitlines() == [f"{late['made_at']}  firing  warning  {late['summary']}"]
    again.stop()


def test_cpp_prints_alerts(alerting, tmp_path):
    # The one that the test before it sent is there as well, or not.
    alerts = [json.loads(record.value) for record in alerting.records("alerts")]
    wanted = [
        "  ".join(one[name] for name in ("made_at", "state", "severity", "summary"))
        for one in alerts if one["state"] != "pending" and "fired_at" in one and not one["silenced"]
    ]  # fmt: skip
    for step in (["cmake", "-S", EXAMPLES / "cpp", "-B", tmp_path, "-DCMAKE_BUILD_TYPE=Debug"], ["cmake", "--build", tmp_path]):
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    command = [tmp_path / "alerts", alerting.brokers, f"{alerting.prefix}alerts.v1", f"{alerting.prefix}cpp"]
    expect(alerting, command, "cpp", wanted)


def test_flowcast_itself_prints_alerts_for_jq(alerting, wanted):
    assert shutil.which("jq")
    script = (
        f"{alerting.binaries}/flowcast alerts --json --from-beginning --no-follow --brokers {alerting.brokers} "
        f"--prefix {alerting.prefix} | jq -r 'select(.state != \"pending\" and (.silenced | not)) | .summary'"
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=support.clean_environment())
    assert done.stdout.splitlines()[: len(wanted)] == [line.split("  ", 3)[3] for line in wanted]


def test_the_page_shows_the_files_as_they_are():
    page = (REPO / "docs" / "subscribe.md").read_text(encoding="utf-8")
    for file in ("alerts.sh", "alerts.py", "cpp/alerts.cpp", "cpp/CMakeLists.txt"):
        assert f"(../examples/subscribe/{file})" in page
    for option in re.findall(r"examples/subscribe/alerts\.py (--\w+)", page):
        assert option in (EXAMPLES / "alerts.py").read_text(encoding="utf-8")
