"""The status pages of running services: valid, complete, and adding up."""

import contextlib
import math
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from support import DEMO, NO_BROKER, OK, REPO, USAGE, clean_environment, wait_until

ANY_PORT = ("--http", "127.0.0.1:0")
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


def get(address: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address + path, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def address_of(running) -> str:
    return running.expect(r"status at (http://127\.0\.0\.1:\d+)")[1]


def labels_of(text: str) -> tuple:
    labels, at = [], 0
    while at < len(text):
        found = LABEL.match(text, at)
        assert found, f"no label: {text[at:]}"
        labels.append((found[1], found[2]))
        at = found.end()
    return tuple(sorted(labels))


def parse(text: str) -> dict:
    """The exposition format, strictly: {(name, labels): value}; every sample under the help and type of its family."""
    assert text.endswith("\n")
    samples, families, family, kind = {}, set(), None, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, family, help_text = line.split(" ", 3)
            assert family not in families, f"{family} is there twice"
            assert help_text
            families.add(family)
            kind = None
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family and kind in ("counter", "gauge")
            assert name.endswith("_total") == (kind == "counter")
        else:
            found = SAMPLE.fullmatch(line)
            assert found and found[1] == family and kind, f"no sample of {family}: {line}"
            key = (family, labels_of(found[2] or ""))
            assert key not in samples, f"{key} is there twice"
            samples[key] = float(found[3])
            assert math.isfinite(samples[key]) and (kind == "gauge" or samples[key] >= 0)
    return samples


def scrape(address: str) -> dict:
    status, text = get(address, "/metrics")
    assert status == 200
    return parse(text)


def total(samples: dict, name: str) -> float:
    """Over all labels."""
    return sum(value for (family, _), value in samples.items() if family == name)


def documented(service: str) -> set:
    page = (REPO / "docs" / "metrics.md").read_text()
    own = page.split(f"## flowcast-{service}\n")[1].split("\n## ")[0] + page.split("## All services\n")[1]
    return set(re.findall(r"^\| `(\w+)` \|", own, re.MULTILINE))


@pytest.mark.broker
def test_features_and_capture_tell_the_same_packets_and_the_counts_add_up(flowcast):
    features = flowcast.start("features", "--window", "1s", *ANY_PORT)
    sent = flowcast.succeed("capture", "--pcap", DEMO)
    published = int(re.search(r"published ([\d,]+)", sent.err)[1].replace(",", ""))
    address = address_of(features)

    def all_folded():
        samples = scrape(address)
        return samples if total(samples, "flowcast_features_folded_packets_total") >= published else None

    samples = wait_until(all_folded, 30, "all packets in closed windows")
    assert total(samples, "flowcast_features_packets_total") == published
    assert total(samples, "flowcast_features_folded_packets_total") == published
    assert total(samples, "flowcast_features_waiting_packets") == 0
    assert total(samples, "flowcast_features_read_records_total") == total(
        samples, "flowcast_features_batches_total"
    ) + total(samples, "flowcast_features_refused_records_total")
    written = lambda: total(scrape(address), "flowcast_features_written_records_total")
    in_topics = lambda: sum(len(flowcast.records(topic)) for topic in ("windows", "sequences", "state"))
    wait_until(lambda: written() == in_topics(), 20, "all counted")
    behind = time.time() - total(samples, "flowcast_features_read_timestamp_seconds")
    assert 0 <= behind < 60
    assert {family for family, _ in samples} <= documented("features")
    assert get(address, "/healthz") == (200, "running\n")
    assert get(address, "/readyz") == (200, f"reading {flowcast.prefix}packets.v1\n")
    assert features.stop().code == OK


@pytest.mark.broker
def test_a_running_capture_tells_what_became_of_every_packet(flowcast):
    capture = flowcast.start("capture", "--pcap", DEMO, "--speed", "1x", *ANY_PORT)
    address = address_of(capture)

    def under_way():
        samples = scrape(address)
        return samples if total(samples, "flowcast_capture_published_packets_total") > 0 else None

    samples = wait_until(under_way, 30, "packets published")
    received = total(samples, "flowcast_capture_received_packets_total")
    unsent = total(samples, "flowcast_capture_unsent_packets")
    ends = ("published_packets", "filtered_packets", "dropped_packets", "undecodable_packets")
    assert received == unsent + sum(total(samples, f"flowcast_capture_{end}_total") for end in ends)
    batched = total(samples, "flowcast_capture_published_packets_total") + unsent
    assert total(samples, "flowcast_capture_packets_by_kind_total") == batched
    assert {family for family, _ in samples} <= documented("capture")
    assert {label for (family, label) in samples if family == "flowcast_capture_dropped_packets_total"} == {
        (("reason", reason),) for reason in ("kernel", "interface", "queue", "spool")
    }
    later = wait_until(
        lambda: (now := scrape(address)) and total(now, "flowcast_capture_received_packets_total") > received and now,
        30, "more packets",
    )
    assert all(later[key] >= value for key, value in samples.items() if key[0].endswith("_total"))
    assert get(address, "/readyz") == (200, "capturing\n")
    assert capture.stop().code == OK


def test_a_service_that_waits_for_kafka_is_alive_but_not_ready(programs):
    features = programs.start("features", "--broker-timeout", "5s", *ANY_PORT)
    address = address_of(features)
    assert get(address, "/healthz") == (200, "starting\n")
    status, reason = get(address, "/readyz")
    assert status == 503 and reason.startswith("waiting for Kafka at ")
    samples = scrape(address)
    assert any(family == "flowcast_build_info" for family, _ in samples)
    assert total(samples, "process_resident_memory_bytes") > 1e6
    assert total(samples, "process_open_fds") > 3
    assert abs(time.time() - total(samples, "process_start_time_seconds")) < 60
    assert features.finish().code == NO_BROKER


@pytest.mark.parametrize("service", ["capture", "features", "trainer", "inference", "notifier"])
def test_the_page_is_on_loopback_unless_one_says_otherwise(programs, service):
    shown = subprocess.run(
        programs.command(service, "--print-config"), capture_output=True, text=True, timeout=30, check=True,
        env={name: value for name, value in clean_environment().items() if name != "FLOWCAST_HTTP"})  # fmt: skip
    assert re.search(r'^http = "127\.0\.0\.1:947\d"$', shown.stdout, re.MULTILINE)


def listening(pid: int) -> set:
    """Local addresses, as the kernel writes them, that sockets of a process listen on."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.update(re.findall(r"socket:\[(\d+)\]", str(descriptor.readlink())))
    found = set()
    for table in ("tcp", "tcp6"):
        rows = [line.split() for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]]
        found |= {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}
    return found


def test_nothing_listens_on_another_address(programs):
    features = programs.start("features", "--broker-timeout", "20s", *ANY_PORT)
    address_of(features)
    assert listening(features.pid) == {"0100007F"}
    features.stop()


def test_an_address_that_was_asked_for_and_is_taken_is_an_error_that_names_the_remedy(programs):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = programs.run("features", "--http", f"127.0.0.1:{port}")
        assert result.code == USAGE
        assert f"127.0.0.1 port {port}" in result.errors[0] and "--http off" in result.errors[0]


@pytest.mark.parametrize("text", ["9471", "localhost", "::1:9471", "127.0.0.1:99999", "127.0.0.1:x"])
def test_an_address_that_is_none_is_an_error_of_check_too(programs, text):
    result = programs.run("features", "--check", f"--http={text}")
    assert result.code == USAGE
    assert "--http" in result.errors[0]


def test_the_reference_of_metrics_is_up_to_date(binaries):
    done = subprocess.run(
        [sys.executable, str(REPO / "tools" / "metrics_page"), "--check", "--bin", str(binaries)],
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_table_of_features_is_up_to_date(binaries):
    page = REPO / "tools" / "features_page"
    done = subprocess.run([sys.executable, str(page), "--check", "--bin", str(binaries)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_features_of_a_choice_are_explained(programs):
    result = programs.run("features", "--features", "tcp_rtt,lost=syn-syn_ack", "--explain")
    assert result.code == 0
    assert [line.split("|")[2].strip(" `") for line in result.out.splitlines() if line[2:3].isdigit()] == [
        "packets", "bytes", "tcp_rtt", "lost"
    ]
    refused = programs.run("features", "--features", "tcp_rt", "--explain")
    assert refused.code == USAGE
    assert "no feature or group 'tcp_rt'" in refused.errors[0]
