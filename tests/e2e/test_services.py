"""The rules that hold for every service (docs/operate.md), checked for each of them."""

import json
import re
import time

import pytest

import support
from support import DEMO, FAILED, NO_BROKER, OK, USAGE, wait_until

SERVICES = {
    "capture": ["--pcap", DEMO, "--speed", "1x"],
    "features": [],
    "trainer": [],
    "inference": [],
    "notifier": ["--syslog", "udp://127.0.0.1:9"],
}
NEEDS = {"capture": "packets", "features": "packets", "trainer": "sequences", "inference": "sequences", "notifier": "alerts"}
SHARING = ("features", "inference")  # a partition for each of two instances
STOPS_WITHIN_S = 10  # seconds of its own; a busy machine adds to them
every_service = pytest.mark.parametrize("service", SERVICES)


def arguments_of(service: str, folder) -> list:
    return [*SERVICES[service], *(["--model-dir", folder / "models"] if service == "trainer" else [])]


# Configuration.


@every_service
def test_a_flag_wins_over_the_environment_and_that_over_the_file_and_that_over_the_default(programs, tmp_path, service):
    file = tmp_path / "service.toml"
    file.write_text('broker-timeout = "40ms"\n')
    arguments = arguments_of(service, tmp_path)

    def waited(environment: dict, *more) -> str:
        running = programs.start(service, *arguments, *more, environment=environment)
        result = running.finish()
        assert result.code == NO_BROKER, result.err
        return re.search(r"no answer from Kafka at \S+ within (\S+)", result.errors[0])[1]

    environment = {"FLOWCAST_BROKER_TIMEOUT": "50ms"}
    assert waited({}, "--config", file) == "40ms"
    assert waited(environment, "--config", file) == "50ms"
    assert waited(environment, "--config", file, "--broker-timeout", "60ms") == "60ms"
    assert programs.run(service, "--print-options").out.count("| `FLOWCAST_BROKER_TIMEOUT` | `60s` |") == 1


@every_service
def test_check_needs_no_kafka_and_finds_what_is_wrong_in_the_file(programs, tmp_path, service):
    file = tmp_path / "service.toml"
    arguments = arguments_of(service, tmp_path)
    file.write_text('brokers = "localhost:9092"\nlog-level = "debug"\n')
    result = programs.run(service, *arguments, "--config", file, "--check")
    assert result.code == OK and result.out == "" and not re.search("error|warning", result.err), result
    for wrong in ("no-such-option = 1\n", 'log-level = "loud"\n', "log-level = [\n"):
        file.write_text(wrong)
        result = programs.run(service, *arguments, "--config", file, "--check")
        assert result.code == USAGE and len(result.errors) == 1 and result.errors[0].startswith("error: "), (wrong, result)


@every_service
def test_help_and_version_name_the_program_and_every_option(programs, service):
    version = programs.succeed(service, "--version").out
    assert re.fullmatch(r"flowcast \d+\.\d+\.\d+, librdkafka \d+\.\d+\.\d+\n", version)
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", programs.succeed(service, "--help").out))
    listed = set(re.findall(r"`(--[a-z][a-z-]*)`", programs.succeed(service, "--print-options").out))
    assert {"--brokers", "--config", "--http", "--check", "--version", "--help"} <= listed <= told


# The log.


@every_service
def test_the_log_is_json_where_that_is_asked_for_and_repeats_itself_rarely(programs, tmp_path, service):
    arguments = arguments_of(service, tmp_path)
    result = programs.start(service, *arguments, "--log-json", "--broker-timeout", "2s").finish()
    assert result.code == NO_BROKER
    *lines, error = result.err.splitlines()
    entries = [json.loads(line) for line in lines]
    assert entries and all(set(entry) == {"time", "level", "program", "text"} for entry in entries), lines
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"]) for entry in entries)
    assert {entry["program"] for entry in entries} == {service}
    assert sum("waiting for Kafka" in entry["text"] for entry in entries) == 1, "tried 20 times, said once in 5 s"
    assert error.startswith("error: no answer from Kafka")


# Waiting, readiness, the end.


@pytest.mark.broker
@every_service
def test_it_waits_for_its_topics_says_so_gets_ready_and_stops_at_once(binaries, broker, messages, tmp_path, service):
    with support.flowcast_of(binaries, broker, tmp_path, messages) as flowcast:
        running = flowcast.start(service, *arguments_of(service, tmp_path), "--http", "127.0.0.1:0")
        address = running.expect(r"status at (http://\S+)")[1]
        topic = f"{flowcast.prefix}{NEEDS[service]}.v1"
        running.expect(re.escape(f"waiting for topic {topic} (flowcast topics create makes it)"))
        assert support.get(f"{address}/healthz") == "starting\n"
        assert not is_ready(address)
        flowcast.create_topics(partitions=1)
        wait_until(lambda: is_ready(address), 30, "ready")
        began = time.monotonic()
        assert running.stop().code == OK
        assert time.monotonic() - began < STOPS_WITHIN_S


def is_ready(address: str) -> bool:
    try:
        return bool(support.get(f"{address}/readyz"))
    except support.urllib.error.HTTPError as error:
        assert error.code == 503 and error.read().strip()
        return False


@every_service
def test_a_stop_while_it_waits_for_kafka_ends_it_at_once_and_well(programs, tmp_path, service):
    running = programs.start(service, *arguments_of(service, tmp_path))
    running.expect("waiting for Kafka at ")
    began = time.monotonic()
    assert running.stop().code == OK
    assert time.monotonic() - began < STOPS_WITHIN_S


# Instances.


@pytest.mark.broker
@pytest.mark.parametrize("service", SHARING)
def test_of_two_with_the_same_instance_the_older_one_is_fenced(flowcast, tmp_path, service):
    arguments = arguments_of(service, tmp_path)
    older = flowcast.start(service, *arguments, "--instance", "a")
    older.expect("reading ")
    newer = flowcast.start(service, *arguments, "--instance", "a")
    newer.expect("reading ")
    make_work(flowcast)
    result = older.finish()
    assert result.code == FAILED and "fenced by a newer instance" in result.errors[-1], result.err
    assert newer.stop().code == OK


def make_work(flowcast) -> None:
    """In both partitions, so that the older one has something to commit: there it finds out."""
    flowcast.succeed("cli", "generate", "--duration", "60s", "--links", "8")
    if not flowcast.records("sequences"):
        flowcast.succeed("features", "--window", "1s", "--group", "others", "--exit-when-idle", "1s")
