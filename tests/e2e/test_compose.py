"""docker-compose.yml as a file: every service is bounded, has no rights to spare, and says how it is."""

import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from support import REPO, library

yaml = library("yaml")

COMPOSE = yaml.safe_load((REPO / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
RUNNING = sorted(set(SERVICES) - {"cli", "topics"})  # the others end by themselves
OURS = {"capture": 9471, "capture-live": 9471, "features": 9472, "trainer": 9473, "inference": 9474, "notifier": 9475}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_bounds_and_no_rights_to_spare(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"] and service["cpus"] and service["pids_limit"]
    assert service["restart"] == {"cli": "no", "topics": "on-failure"}.get(name, "unless-stopped")
    assert "privileged" not in service and "latest" not in service["image"]
    live = name == "capture-live"
    assert service.get("cap_add", []) == (["NET_RAW", "SETUID", "SETGID", "SETPCAP", "CHOWN"] if live else [])
    assert service.get("network_mode") == ("host" if live else None)
    assert service.get("user") == ("root" if live else None), "the images' own users are none"


@pytest.mark.parametrize("name", RUNNING)
def test_a_service_that_runs_on_says_how_it_is(name):
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD", "without a shell in between"
    if name in OURS:
        assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "flowcast-healthy", str(OURS[name])]
        assert SERVICES[name]["environment"]["FLOWCAST_HTTP"].endswith(f":{OURS[name]}")


def test_a_service_is_given_the_time_to_end():
    given = {name: SERVICES[name]["stop_grace_period"] for name in OURS}
    assert given == dict.fromkeys(OURS, "30s") | {"trainer": "90s"}


def test_a_service_is_started_again_whatever_has_ended():
    for name, service in SERVICES.items():
        assert not set(service.get("depends_on", [])) - {"kafka"}, f"podman would not start {name} again without them"


def test_nothing_is_published_beyond_loopback_and_live_captures_listen_on_the_bridge():
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: {port}"
    gateway = COMPOSE["networks"]["default"]["ipam"]["config"][0]["gateway"]
    assert SERVICES["capture-live"]["environment"]["FLOWCAST_HTTP"] == f"{gateway}:9471"
    assert SERVICES["prometheus"]["extra_hosts"] == [f"capture-live:{gateway}"]


def test_prometheus_asks_every_service_at_the_port_that_it_has():
    text = (REPO / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    targets = {tuple(target.split(":")) for target in re.findall(r'"([\w-]+:94\d\d)"', text)}
    assert targets == {(name, str(port)) for name, port in OURS.items()}


def test_the_bundled_capture_runs_unless_a_profile_is_chosen():
    chosen = dict(line.split("=") for line in (REPO / ".env").read_text(encoding="utf-8").splitlines() if line[0] != "#")
    assert chosen == {"COMPOSE_PROFILES": "bundled"}
    assert SERVICES["capture"]["profiles"] == ["bundled"] and SERVICES["capture-live"]["profiles"] == ["live"]


def test_what_is_not_set_here_is_not_set_there_either():
    """An option that is set to nothing is an error of the programs."""
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            assert value is None or not re.search(r":-\}", str(value)), f"{name}: {variable}"


def test_every_volume_and_folder_that_is_mounted_is_there():
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (REPO / source).is_dir() if source.startswith("./") else source in COMPOSE["volumes"], f"{name}: {volume}"


# What the images are built from.


def is_ignored(path: str, patterns: list[str]) -> bool:
    """As .dockerignore has it: the last pattern that fits the file or a folder of it counts."""
    ignored = False
    places = [path, *map(str, PurePosixPath(path).parents)]
    for pattern in patterns:
        text = re.escape(pattern.removeprefix("!")).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(text, place) for place in places):
            ignored = not pattern.startswith("!")
    return ignored


def copy_context(folder: Path) -> None:
    lines = (REPO / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    for path in subprocess.run(["git", "-C", REPO, "ls-files"], capture_output=True, text=True, check=True).stdout.splitlines():
        if not is_ignored(path, patterns):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPO / path, folder / path)


def test_what_the_images_are_built_from_is_enough_to_build(tmp_path):
    copy_context(tmp_path)
    assert not (tmp_path / "docs").exists() and not (tmp_path / "bench/soak").exists()
    configured = subprocess.run(["cmake", "--preset", "release"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert configured.returncode == 0, configured.stderr
