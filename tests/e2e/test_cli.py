"""The command line as the documentation shows it, other programs that read our topics, and live capture."""

import json
import os
import re
import subprocess
import time

import pytest

import support
from namespaces import relay
from support import DEMO, FAILED, NS, OK, clean_environment, kcat, wait_until

pytestmark = pytest.mark.broker

TOPICS = ("packets", "windows", "windows-json", "sequences", "models", "forecasts", "forecasts-json", "alerts", "state")


# Topics.


def test_creating_topics_again_changes_nothing_and_says_what_differs(flowcast):
    again = flowcast.succeed("cli", "topics", "create", "--partitions", "2").out
    assert again.splitlines() == [f"exists   {flowcast.prefix}{topic}.v1" for topic in TOPICS]
    more = flowcast.succeed("cli", "topics", "create", "--partitions", "3").out
    assert f"exists   {flowcast.prefix}windows.v1, and differs:\n         partitions 2 instead of 3\n" in more
    assert f"exists   {flowcast.prefix}alerts.v1\n" in more


def test_topics_are_listed_and_deleted(flowcast):
    listed = flowcast.succeed("cli", "topics", "list").out
    assert all(re.search(rf"^{re.escape(flowcast.prefix + topic)}\.v1 +[12] +0$", listed, re.MULTILINE) for topic in TOPICS)
    deleted = flowcast.succeed("cli", "topics", "delete", "--yes").out
    assert deleted.splitlines() == [f"deleted  {flowcast.prefix}{topic}.v1" for topic in TOPICS]
    gone = flowcast.run("cli", "topics", "list")
    assert gone.code == support.FAILED and gone.out.count("missing   (flowcast topics create makes it)") == len(TOPICS)


# Alerts and who reads them.


@pytest.fixture(scope="module", name="alerting")
def fixture_alerting(binaries, broker, messages, tmp_path_factory):
    """Topics with alerts on them, from made-up packets with bursts and no model."""
    with support.flowcast_of(binaries, broker, tmp_path_factory.mktemp("alerts"), messages) as flowcast:
        flowcast.create_topics()
        flowcast.succeed("cli", "generate", "--duration", "10m", "--bursts-per-hour", "60", "--rate", "50")
        flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
        flowcast.succeed("inference", "--threshold", "100", "--exit-when-idle", "1s")
        assert len(flowcast.records("alerts")) >= 4
        yield flowcast


def test_alerts_are_printed_for_people(alerting):
    lines = alerting.succeed("cli", "alerts", "--from-beginning", "--no-follow").out.splitlines()
    assert len(lines) == len(alerting.records("alerts"))
    told = r"warning   load: synthetic/link\d"
    assert re.match(rf"\d{{4}}-\d\d-\d\dT\S+Z  FIRING    {told} will (pass|stay above) 100 packets per 1s (in|for) 1 s, P = ", lines[0])
    assert any(re.match(rf"\S+  resolved  {told} is expected back at", line) for line in lines)


def test_alerts_may_be_chosen_by_link_rule_and_state(alerting):
    alerts = [json.loads(record.value) for record in alerting.records("alerts")]
    for arguments, wanted in (
        (["--state", "firing"], [alert for alert in alerts if alert["state"] == "firing"]),
        (["--link", "*/link1"], [alert for alert in alerts if alert["link"].endswith("/link1")]),
        (["--rule", "l*d", "--state", "resolved"], [alert for alert in alerts if alert["state"] == "resolved"]),
        (["--rule", "other"], []),
    ):
        lines = alerting.succeed("cli", "alerts", "--json", "--from-beginning", "--no-follow", *arguments).out.splitlines()
        assert [json.loads(line) for line in lines] == wanted, arguments
    assert {alert["state"] for alert in alerts} == {"firing", "resolved"}


def test_alerts_are_printed_as_they_are(alerting):
    lines = alerting.succeed("cli", "alerts", "--json", "--from-beginning", "--no-follow").out.splitlines()
    assert lines == [record.value.decode() for record in alerting.records("alerts")]


def test_following_alerts_shows_those_that_come(flowcast, alerting):
    following = flowcast.start("cli", "alerts", "--json")
    alert = alerting.records("alerts")[0].value

    def seen():
        # Sent again until the reader has found the end of the topic, from which it follows.
        flowcast.send("alerts", alert)
        return alert.decode() in following.out

    wait_until(seen, 30, "the alert that was sent")
    assert following.stop().code == OK


def test_an_alert_that_is_none_is_skipped(flowcast, alerting):
    flowcast.send("alerts", b"{no json")
    flowcast.send("alerts", alerting.records("alerts")[0].value)
    shown = flowcast.succeed("cli", "alerts", "--from-beginning", "--no-follow")
    assert len(shown.out.splitlines()) == 1
    assert "skipped a record at offset 0" in shown.err


def test_kcat_reads_alerts_with_their_headers(alerting):
    lines = kcat(alerting.brokers, "-C", "-e", "-t", f"{alerting.prefix}alerts.v1", "-f", "%h %s\n").decode().splitlines()
    headers, _, alert = lines[0].partition(" ")
    assert "ce_type=io.flowcast.alert.firing" in headers and "ce_specversion=1.0" in headers
    assert json.loads(alert)["state"] == "firing"


def test_kafkas_console_consumer_reads_alerts(alerting):
    port = alerting.brokers.rpartition(":")[2]
    wanted = [record.value.decode() for record in alerting.records("alerts")]
    shown = support.kafka(
        {"FLOWCAST_KAFKA_PORT": port}, "console-consumer", "--topic", f"{alerting.prefix}alerts.v1", "--from-beginning",
        "--max-messages", str(len(wanted)), "--timeout-ms", "20000",
    )
    assert shown.splitlines() == wanted


# Who reads standard output.


def without_reader(flowcast, *arguments) -> subprocess.CompletedProcess:
    """The command line on a pipe whose other end is closed."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            flowcast.command("cli", *arguments), stdout=writer, stderr=subprocess.PIPE, text=True, timeout=30,
            env=support.environment_in(flowcast.folder),
        )
    finally:
        os.close(writer)


def test_a_reader_who_has_seen_enough_is_no_error(alerting):
    for arguments in (
        ["packets", DEMO],
        ["packets", "--count", DEMO],
        ["generate", "--print-scenario"],
        ["alerts", "--from-beginning"],  # would otherwise follow for ever
        ["topics", "list"],
        ["report", "--out", alerting.folder / "report"],
    ):
        done = without_reader(alerting, *arguments)
        assert (done.returncode, done.stderr) == (OK, ""), arguments


def test_a_disk_that_takes_no_output_is_one(programs):
    for arguments in (["packets", DEMO], ["generate", "--print-scenario"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(programs.command("cli", *arguments), stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
        assert done.returncode == FAILED, arguments
        assert done.stderr == "error: standard output can't be written; is its disk full?\n"


# Made-up packets.


def generated_windows(binaries, broker, messages, folder, seed) -> list:
    with support.flowcast_of(binaries, broker, folder, messages) as flowcast:
        flowcast.create_topics()
        flowcast.succeed("cli", "generate", "--seed", seed, "--duration", "2m")
        flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
        return sorted(record.value for record in flowcast.records("windows"))


def test_the_same_seed_gives_the_same_windows(binaries, broker, messages, tmp_path):
    first, again, other = (generated_windows(binaries, broker, messages, tmp_path, seed) for seed in (5, 5, 6))
    assert first == again
    assert len(first) == 2 * 120
    assert first != other


SCENARIO = """
start = 2026-11-02T08:00:00Z
duration = "3m"

[[links]]
name = "uplink"
rate = 80

[[links.overload]]
kind = "crowd"
at = ["1m"]
lead_in = "10s"
length = "40s"
factor = 4

[[links]]
name = "branch"
count = 2
rate = 30
"""


def test_the_truth_is_what_the_windows_show(flowcast, tmp_path):
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    truth_file = tmp_path / "truth.json"
    flowcast.succeed("cli", "generate", "--scenario", tmp_path / "scenario.toml", "--truth", truth_file)
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
    truth = json.loads(truth_file.read_text())
    assert [link["name"] for link in truth["links"]] == ["uplink", "branch0", "branch1"]
    [crowd] = truth["bursts"]
    assert (crowd["link"], crowd["kind"], crowd["end"] - crowd["start"]) == ("uplink", "crowd", 50)

    windows = flowcast.read("windows")
    assert {window.link for window in windows} == {f"synthetic/{link['name']}" for link in truth["links"]}
    packets = {window.start_ns // NS: window.packets for window in windows if window.link == "synthetic/uplink"}

    def mean(begin, end):
        return sum(packets.get(second, 0) for second in range(begin, end)) / (end - begin)

    assert mean(crowd["top"], crowd["fall"]) == pytest.approx(crowd["peak_packets_per_s"], rel=0.1)
    assert mean(truth["start"], crowd["start"]) == pytest.approx(crowd["expected_packets_per_s"], rel=0.1)
    assert mean(crowd["end"], truth["start"] + truth["duration_s"]) == pytest.approx(80, rel=0.1)


def test_a_scenario_is_printed_whole_and_printed_again_is_the_same(programs, tmp_path):
    given, whole = tmp_path / "given.toml", tmp_path / "whole.toml"
    given.write_text(SCENARIO)
    printed = programs.succeed("cli", "generate", "--scenario", given, "--seed", "7", "--noise", "0.3", "--print-scenario").out
    assert "seed = 7\n" in printed and printed.count("fast = 0.3\n") == 2
    whole.write_text(printed)
    assert programs.succeed("cli", "generate", "--scenario", whole, "--print-scenario").out == printed


# Capture.


def published(result) -> int:
    return int(re.search(r"published ([\d,]+) ", result.err)[1].replace(",", ""))


def test_capture_from_standard_input(flowcast):
    with subprocess.Popen(["zstd", "-dc", str(DEMO)], stdout=subprocess.PIPE) as unpacking:
        from_pipe = flowcast.succeed("capture", "--pcap", "-", "--source", "demo", stdin=unpacking.stdout)
    packets = flowcast.read("packets")
    assert published(from_pipe) == sum(len(batch.flow_indexes) for batch in packets) > 100_000
    assert {batch.source for batch in packets} == {"demo"} and packets[-1].final


def test_a_pipe_is_read_as_it_comes_and_let_go_of_when_told_to(flowcast, part):
    content = part.read_bytes()
    command = flowcast.command("capture", "--pcap", "-", "--source", "pipe")
    with open(flowcast.folder / "pipe.log", "w+b") as log:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=clean_environment()) as capture:
            capture.stdin.write(content[:20_000])  # as tcpdump -w - does when little happens
            capture.stdin.flush()
            wait_until(lambda: flowcast.records("packets"), 20, "packets while the pipe is open")
            began = time.monotonic()
            capture.terminate()
            assert capture.wait(20) == OK
            assert time.monotonic() - began < 5


def test_a_filter_takes_what_it_says(flowcast):
    udp = flowcast.succeed("capture", "--pcap", DEMO, "--filter", "udp", "--source", "udp")
    rest = flowcast.succeed("capture", "--pcap", DEMO, "--filter", "not udp", "--source", "rest")
    whole = flowcast.succeed("capture", "--pcap", DEMO, "--source", "whole")
    assert published(udp) + published(rest) == published(whole)
    assert min(published(udp), published(rest)) > 0
    protocols = {b for batch in flowcast.read("packets") if batch.source == "udp" for b in batch.flows.protocols}
    assert protocols == {17}


def test_interfaces_are_listed(programs):
    lines = programs.succeed("capture", "--list-interfaces").out.splitlines()
    assert lines[0].split()[0] == "INTERFACE"
    assert "lo" in [line.split()[0] for line in lines[1:]]


# A live capture, in a network namespace of the test's own.


@pytest.mark.network
def test_a_live_capture_publishes_what_is_sent_and_ends_with_a_final_mark(flowcast, namespace):
    with relay(namespace, flowcast.brokers):
        features = flowcast.start("features", "--window", "200ms")
        features.expect("reading ")
        capture = flowcast.start(
            "capture", "--interface", "watched", "--source", "tap", "--filter", "udp port 9999", within=namespace
        )
        capture.expect("runs as ")  # the ring and its filter are there
        for _ in range(3):
            namespace.send(500, 9999)
            namespace.send(100, 1)
        wait_until(lambda: sum(w.packets for w in flowcast.read("windows")) >= 1500, 20, "windows of what was sent")
        done = capture.stop(timeout_s=10)
    assert done.code == OK and "published 1,500 " in done.err and "dropped 0 " in done.err
    packets = flowcast.read("packets")
    assert packets[-1].final and {link for batch in packets for link in batch.links} == {"tap/watched"}
    assert sum(window.packets for window in flowcast.read("windows")) == 1500
    assert features.stop().code == OK
