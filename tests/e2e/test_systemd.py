"""deploy/systemd: units that systemd takes, that leave nothing open without a reason, and that fit the programs."""

import re
import subprocess
import sys

import pytest

import exactly_once
import support

FOLDER = support.REPO / "deploy" / "systemd"
UNITS = sorted(path.name for path in FOLDER.glob("*.service"))
MOST_EXPOSURE = 2.0


def setting(unit: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", (FOLDER / unit).read_text(), re.MULTILINE)


def analyze(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, timeout=60)


def open_points(report: str) -> set[str]:
    """What systemd would have closed: lines such as `✗ PrivateNetwork=   Service has access to ...`."""
    return {line.split()[1].rstrip("=") for line in report.splitlines() if line.startswith("✗")}


def points_with_a_reason(unit: str) -> set[str]:
    """The table of the folder's page: `point` | units | reason."""
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    service = unit.removeprefix("flowcast-").removesuffix(".service")
    return {point.replace("\\|", "|") for point, units in rows if units.strip() == "all" or service in re.split(r",\s*", units.strip())}


def test_there_is_a_unit_for_every_service():
    assert UNITS == sorted(f"{name}.service" for name in support.PROGRAMS if name not in ("flowcast", "flowcast-lab"))


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong(unit, binaries, tmp_path):
    (tmp_path / unit).write_text((FOLDER / unit).read_text().replace("/usr/bin/", f"{binaries}/"))
    verified = analyze("verify", "--man=no", tmp_path / unit)
    assert [line for line in verified.stderr.splitlines() if unit in line] == []


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_open_has_a_reason(unit):
    report = analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSURE * 10:.0f}", FOLDER / unit)
    assert report.returncode == 0, report.stdout + report.stderr
    assert open_points(report.stdout) == points_with_a_reason(unit)
    exposure = float(re.search(r"Overall exposure level .*: ([\d.]+)", report.stdout)[1])
    stated = re.search(rf"^\| `{unit}` \| ([\d.]+) \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert float(stated[1]) == exposure


@pytest.mark.parametrize("unit", UNITS)
def test_a_program_takes_the_configuration_that_is_installed(unit, binaries, tmp_path):
    name = unit.removeprefix("flowcast-").removesuffix(".service")
    assert setting(unit, "ExecStart") == [f"/usr/bin/flowcast-{name} --config /etc/flowcast/{name}.toml"]
    needed = {
        "notifier": ["--alertmanager", "http://localhost:9093"],  # it asks whom to tell
        "capture": ["--pcap", support.DEMO],  # and it what to capture
        "trainer": ["--model-dir", tmp_path],
    }.get(name, [])
    checked = subprocess.run(
        [binaries / f"flowcast-{name}", "--config", FOLDER / "config" / f"{name}.toml", "--check", *needed],
        capture_output=True, text=True, env=support.environment_in(tmp_path), timeout=60,
    )
    assert checked.returncode == support.OK, checked.stderr


@pytest.mark.parametrize("name", ["capture", "notifier"])
def test_what_must_be_configured_first_says_so(name, binaries, tmp_path):
    checked = subprocess.run(
        [binaries / f"flowcast-{name}", "--config", FOLDER / "config" / f"{name}.toml", "--check"],
        capture_output=True, text=True, env=support.environment_in(tmp_path), timeout=60,
    )
    assert checked.returncode == support.USAGE
    assert {"capture": "--interface", "notifier": "--alertmanager"}[name] in checked.stderr


@pytest.mark.parametrize("unit", UNITS)
def test_a_service_is_started_again_unless_its_configuration_is_wrong(unit):
    assert setting(unit, "Restart") == ["on-failure"]
    assert setting(unit, "RestartPreventExitStatus") == [str(support.USAGE)]
    assert setting(unit, "StartLimitIntervalSec") == ["0"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_runs_as_a_user_that_the_package_makes(unit):
    users = re.findall(r"^u (\S+)", (FOLDER / "flowcast.sysusers").read_text(), re.MULTILINE)
    assert setting(unit, "User")[0] in users
    assert setting(unit, "Group") == setting(unit, "User")


class DeniedWriteExecute:
    """As MemoryDenyWriteExecute=: no memory becomes executable that was or is writable."""

    SCRIPT = """
import ctypes, os, sys
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
    sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
"""

    def command(self, *command) -> list:
        return [sys.executable, "-c", self.SCRIPT, *command]


@pytest.fixture(name="denied")
def fixture_denied() -> DeniedWriteExecute:
    denied = DeniedWriteExecute()
    tried = subprocess.run(denied.command("/bin/true"), capture_output=True, text=True, timeout=60)
    if tried.returncode != 0:
        pytest.skip(f"this kernel cannot deny it to a program alone: {tried.stderr.strip()}")
    return denied


@pytest.mark.broker
def test_networks_and_trees_learn_and_forecast_without_memory_both_written_and_executed(flowcast, part, denied):
    assert [setting(unit, "MemoryDenyWriteExecute") for unit in UNITS] == [["yes"]] * len(UNITS)
    exactly_once.send(flowcast, part)
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
    training = ("--once", "--epochs", "1", "--hidden", "8", "--model-dir", flowcast.folder / "models")
    trained = flowcast.start("trainer", *training, within=denied).finish()
    assert trained.code == support.OK, trained.err
    asked = flowcast.start("inference", "--exit-when-idle", "1s", within=denied).finish()
    assert asked.code == support.OK, asked.err
    experts = {expert.name for forecast in flowcast.read("forecasts") for horizon in forecast.horizons for expert in horizon.experts}
    assert {"lstm", "xgboost"} <= experts
