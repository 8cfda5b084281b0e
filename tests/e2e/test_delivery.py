"""Captures while Kafka hangs, dies and comes back, and while they are killed themselves: nothing is lost uncounted.

The packets are UDP over loopback. After each mishap the topic, the sequence numbers and the exit summary must tell
the same story.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from typing import NamedTuple

import pytest

import support
from support import OK, flowcast_of, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.network]

# COUNT packets to PORT, about 10,000 a second.
SENDER = """
import socket, sys, time
count, port = int(sys.argv[1]), int(sys.argv[2])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
    began = time.monotonic()
    for sent in range(count):
        out.sendto(bytes(26), ("127.0.0.1", port))
        if sent % 20 == 19:
            time.sleep(max(0, began + sent / 10000 - time.monotonic()))
"""
# That it is full within a second; it must hold the largest batch.
SMALL_QUEUE = ("--kafka", "queue.buffering.max.kbytes=48", "--batch-kib", "16")


class Story(NamedTuple):
    """What the topic holds of one run (epoch) of a source."""

    packets: int  # without repeats
    missing: int  # by the sequence numbers
    repeats: int  # batches


@pytest.fixture(scope="module", name="kafka")
def fixture_kafka(broker, tmp_path_factory):  # pylint: disable=unused-argument
    """A broker of this module's own, to be stopped and killed."""
    own = support.Broker(support.unused_port(), tmp_path_factory.mktemp("delivery") / "kafka")
    own("start")
    yield own
    own("stop")


@pytest.fixture(name="flowcast")
def fixture_flowcast(binaries, kafka, messages, tmp_path):
    with flowcast_of(binaries, kafka.address, tmp_path, messages) as flowcast:
        flowcast.succeed("cli", "topics", "create", "--partitions", 2)
        yield flowcast


@contextlib.contextmanager
def away(kafka):
    """Connections stay, nothing is answered."""
    kafka.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        kafka.signal(signal.SIGCONT)


class Tap:
    """Packets to a port of loopback, and captures of them that share a spool."""

    def __init__(self, flowcast, folder):
        self.flowcast = flowcast
        self.folder = folder
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def capture(self, *arguments):
        running = self.flowcast.start(
            "capture", "--interface", "lo", "--source", "tap", "--filter", f"udp port {self.port}",
            "--spool", self.folder, *arguments,
        )
        running.expect("no packets yet")
        return running

    def sending(self, count: int) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-c", SENDER, str(count), str(self.port)])

    def send(self, count: int) -> None:
        with self.sending(count) as sender:
            assert sender.wait(30) == 0


@pytest.fixture(name="tap")
def fixture_tap(flowcast, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to capture on loopback")
    tap = Tap(flowcast, tmp_path / "spool")
    with tap.socket:
        yield tap


def stories(flowcast, source: str = "tap") -> list[Story]:
    """Of each run in order; fails when the order within a partition is not that of sending."""
    packets, missing, repeats = Counter(), Counter(), Counter()
    expected = defaultdict(int)
    newest, seen = defaultdict(int), set()
    for record in flowcast.records("packets"):
        batch = flowcast.messages["packets"].FromString(record.value)
        if batch.source != source:
            continue
        packets[batch.epoch] += 0
        if (record.partition, record.value) in seen:
            repeats[batch.epoch] += 1
            continue
        seen.add((record.partition, record.value))
        place = (record.partition, batch.epoch)
        assert batch.epoch >= newest[record.partition], "an earlier run's batch after a later one's"
        newest[record.partition] = batch.epoch
        assert batch.sequence >= expected[place], "a batch that overlaps another without being it"
        missing[batch.epoch] += batch.sequence - expected[place]
        expected[place] = batch.sequence + len(batch.flow_indexes)
        packets[batch.epoch] += len(batch.flow_indexes)
    return [Story(packets[epoch], missing[epoch], repeats[epoch]) for epoch in sorted(packets)]


def summary(result) -> dict:
    """The counts of the exit summary, their identity checked."""

    def number(pattern: str) -> int:
        found = re.search(pattern + r" ([\d,]+)", result.err)
        return int(found[1].replace(",", "")) if found else 0

    names = ("published", "filtered", "dropped", "undecodable")
    counts = {name: number(rf"(?:=|\+) {name}") for name in names}
    counts["unsent"] = number(r"\+ (?:spooled|unsent)")
    received = number("received")
    assert received == sum(counts.values()), result.err
    by_reason = {name: number(rf"dropped by .*{name}") for name in ("kernel", "interface", "queue", "spool")}
    assert sum(by_reason.values()) == counts["dropped"], result.err
    return counts | {"received": received} | by_reason


def taken(running) -> int:
    """Packets by the last line of progress."""
    told = re.findall(r"([\d,]+) packets \(", running.log)
    return int(told[-1].replace(",", "")) if told else 0


def test_a_broker_that_hangs_costs_nothing(flowcast, kafka, tap):
    running = tap.capture(*SMALL_QUEUE)
    with tap.sending(25_000) as sender:
        wait_until(lambda: taken(running) > 0, 20, "packets")
        with away(kafka):
            running.expect("Kafka does not keep up: batches wait in the spool")
            before = taken(running)
            wait_until(lambda: taken(running) > before, 20, "that the capture goes on")
        running.expect("the spool has caught up with Kafka")
        assert sender.wait(30) == 0
    wait_until(lambda: taken(running) == 25_000, 20, "all packets")
    told = summary(running.stop())
    assert told["received"] == told["published"] == 25_000
    assert [story._replace(repeats=0) for story in stories(flowcast)] == [Story(25_000, 0, 0)]
    assert not list(tap.folder.rglob("*.segment")), "what Kafka has acknowledged is gone from the disk"


def test_a_broker_that_is_killed_and_started_again_costs_live_and_file_nothing(flowcast, kafka, tap, part):
    live = tap.capture(*SMALL_QUEUE)
    file = flowcast.start("capture", "--pcap", part, "--batch-packets", "64", "--speed", "20x", *SMALL_QUEUE)
    with tap.sending(50_000) as sender:
        wait_until(lambda: stories(flowcast) and stories(flowcast, "part"), 20, "the first batches of both")
        kafka.signal(signal.SIGKILL)
        live.expect("batches wait in the spool")
        file.expect("the source waits for Kafka: ")
        kafka("start")
        live.expect("the spool has caught up with Kafka", 30)
        assert sender.wait(30) == 0
    wait_until(lambda: taken(live) == 50_000, 20, "all packets")
    told = summary(live.stop())
    assert told["received"] == told["published"] == 50_000
    assert [story._replace(repeats=0) for story in stories(flowcast)] == [Story(50_000, 0, 0)]
    told = summary(file.finish())
    assert told["received"] == told["published"] > 10_000
    assert [(story.packets, story.missing) for story in stories(flowcast, "part")] == [(told["published"], 0)]


@pytest.fixture(name="small_disk")
def fixture_small_disk(tap):
    """A file system of 1 MiB under the spool."""
    tap.folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(tap.folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    yield
    subprocess.run(["umount", str(tap.folder)], check=True)


def overflow(flowcast, kafka, tap, *arguments) -> dict:
    """Packets go on long after there is room for them, and again when Kafka is back."""
    running = tap.capture(*SMALL_QUEUE, "--batch-packets", "1", *arguments)
    with away(kafka):
        tap.send(12_000)
        running.expect("packets are dropped: ")
        wait_until(lambda: taken(running) == 12_000, 20, "all packets")
    if "0" in arguments:
        wait_until(lambda: sum(story.packets for story in stories(flowcast)) > 0, 20, "that Kafka is back")
    else:
        running.expect("the spool has caught up with Kafka")
    tap.send(100)
    wait_until(lambda: taken(running) == 12_100, 20, "all packets")
    told = summary(running.stop())
    assert told["received"] == 12_100 and told["unsent"] == 0
    assert told["dropped"] > 1000
    [story] = stories(flowcast)
    assert (story.packets, story.missing) == (told["published"], told["dropped"])
    return told


def test_past_its_bound_the_spool_drops_and_counts(flowcast, kafka, tap):
    told = overflow(flowcast, kafka, tap, "--spool-mib", "1")
    assert told["spool"] == told["dropped"]


def test_a_full_disk_drops_and_counts(flowcast, kafka, tap, small_disk):  # pylint: disable=unused-argument
    told = overflow(flowcast, kafka, tap)
    assert told["spool"] == told["dropped"]


def test_without_a_spool_the_queue_drops_and_counts(flowcast, kafka, tap):
    told = overflow(flowcast, kafka, tap, "--spool-mib", "0")
    assert told["queue"] == told["dropped"]
    assert not tap.folder.exists()


def test_what_a_capture_that_ends_while_kafka_is_away_had_is_sent_by_the_next(flowcast, kafka, tap):
    first = tap.capture(*SMALL_QUEUE)
    with away(kafka):
        tap.send(15_000)
        first.expect(r"waiting for Kafka 15,000")  # no batch is open any more
        first.kill()
    second = tap.capture(*SMALL_QUEUE)
    second.expect(r"batches of 15,000 packets of an earlier run wait")
    tap.send(5_000)
    wait_until(lambda: taken(second) == 5_000, 20, "all packets")
    wait_until(lambda: sum(story.packets for story in stories(flowcast)) == 20_000, 20, "both runs on the topic")
    with away(kafka):
        tap.send(5_000)
        wait_until(lambda: taken(second) == 10_000, 20, "all packets")
        done = second.stop()
    assert done.code == OK
    told = summary(done)
    assert "(sent at the next start)" in done.err
    assert (told["received"], told["published"], told["unsent"]) == (10_000, 5_000, 5_000)
    third = tap.capture()
    third.expect(r"batches of 5,000 packets of an earlier run wait")
    assert summary(third.stop())["received"] == 0
    assert [(story.packets, story.missing) for story in stories(flowcast)] == [(15_000, 0), (10_000, 0)]


def test_a_second_capture_of_the_same_source_is_told_what_to_do(flowcast, tap):
    tap.capture()
    done = flowcast.run("capture", "--interface", "lo", "--source", "tap", "--spool", tap.folder)
    assert done.code == support.USAGE
    assert "is in use by another capture; give each its own --source or --spool" in done.err


def test_check_looks_whether_the_spool_can_be_used_and_makes_none(flowcast, tap):
    check = ("capture", "--interface", "lo", "--source", "tap", "--spool", tap.folder, "--check")
    flowcast.succeed(*check)
    assert not tap.folder.exists()
    tap.folder.write_text("a file")
    done = flowcast.run(*check)
    assert done.code == support.USAGE
    assert re.search(r"the spool's folder \S+ can't be used: Not a directory; name another with --spool", done.err)


def test_a_stop_is_obeyed_in_time_even_in_the_middle_of_a_commit_that_kafka_does_not_answer(flowcast, kafka):
    features = flowcast.start("features", "--window", "100ms")
    others = [flowcast.start("inference"), flowcast.start("notifier", "--webhook", "http://127.0.0.1:9/")]
    trainer = flowcast.start("trainer", "--model-dir", flowcast.folder / "models")
    traffic = flowcast.start("cli", "generate", "--links", "20", "--rate", "20", "--duration", "60s", "--speed", "1", "--start-now")
    wait_until(lambda: len(flowcast.records("forecasts")) > 100, 30, "forecasts")
    kafka("stop")
    try:
        features.expect("Connection refused")
        time.sleep(2)  # they try to commit by now
        for service in (features, *others, trainer):
            service.signal(signal.SIGTERM)
        for service in (features, *others):  # deploy/ grants 30 s
            assert service.finish(16).code == OK, service.log
        assert trainer.finish(60).code == OK, trainer.log
    finally:
        kafka("start")
    traffic.kill()
    flowcast.succeed("features", "--window", "100ms", "--exit-when-idle", "2s")
    windows = [(record.key, record.value) for record in flowcast.records("windows")]
    assert len(windows) == len(set(windows)), "what was not committed is done again, once"


def test_a_file_that_is_stopped_while_kafka_is_away_can_be_sent_again(flowcast, kafka, part):
    arguments = ("capture", "--pcap", part, "--batch-packets", "64", *SMALL_QUEUE)
    running = flowcast.start(*arguments, "--speed", "30x")
    wait_until(lambda: stories(flowcast, "part"), 20, "the first batches")
    with away(kafka):
        running.expect("the source waits for Kafka: ")
        done = running.stop()
    assert done.code == OK
    told = summary(done)
    assert told["unsent"] > 0 and "(send the file again)" in done.err
    whole = flowcast.run(*arguments)  # the part is cut, which its exit code says
    packets = sum(len(flowcast.messages["packets"].FromString(r.value).flow_indexes) for r in flowcast.records("packets"))
    assert packets >= summary(whole)["published"] == summary(whole)["received"]
