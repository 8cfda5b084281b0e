"""Live captures in a network namespace of the test's own: interfaces that come and go, filters, and what a capture may do."""

import os
import re
import shutil
import subprocess
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from namespaces import is_capturing, relay
from support import FAILED, OK, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.network]

NET_RAW = 1 << 13
NOBODY = "65534"


@pytest.fixture(name="capture")
def fixture_capture(flowcast, namespace):
    """Starts a capture in the namespace and waits until its sockets are open and its topic is found."""
    with relay(namespace, flowcast.brokers):

        def start(*arguments, within=namespace):
            running = flowcast.start("capture", "--source", "tap", *arguments, within=within)
            running.expect("runs as ")
            wait_until(lambda: is_capturing(running.pid), 20, "the capture's sockets")
            return running

        yield start


def counts(log: str) -> dict:
    """The exit summary, its identity checked."""
    numbers = re.search(
        r"received ([\d,]+) = published ([\d,]+) \+ filtered ([\d,]+) \+ dropped ([\d,]+) \+ undecodable ([\d,]+)", log
    )
    received, *parts = (int(number.replace(",", "")) for number in numbers.groups())
    assert received == sum(parts)
    return dict(zip(("published", "filtered", "dropped", "undecodable"), parts), received=received)


def packets_of_links(flowcast) -> Counter:
    """How many packets of each link are on the topic."""
    links = Counter()
    for batch in flowcast.read("packets"):
        for index in batch.flow_indexes:
            links[batch.links[batch.flows.link_indexes[index]]] += 1
    return links


def watermarks(flowcast) -> dict:
    """By partition, in order."""
    marks = defaultdict(list)
    for record in flowcast.records("packets"):
        marks[record.partition].append(flowcast.messages["packets"].FromString(record.value).watermark_ns)
    return marks


def packets_of(flowcast, link: str) -> int:
    return packets_of_links(flowcast)[link]


def status(pid: int) -> dict:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def statuses(pid: int) -> list:
    """Of all its threads, Kafka's too."""
    return [status(int(task.name)) for task in Path(f"/proc/{pid}/task").iterdir()]


# Filters.


def test_each_interface_has_a_filter_of_its_own(flowcast, namespace, capture):
    namespace.add_pair("second", "behind")
    running = capture(
        "--interface", "watched", "--interface", "second", "--filter", "udp port 1000",
        "--interface-filter", "second=udp port 2000",
    )
    for interface, wanted, other in (("far", 1000, 2000), ("behind", 2000, 1000)):
        namespace.send(300 if interface == "far" else 200, wanted, interface)
        namespace.send(70, other, interface)
    wait_until(lambda: sum(packets_of_links(flowcast).values()) >= 500, 20, "what was sent")
    done = running.stop()
    assert done.code == OK
    assert packets_of_links(flowcast) == {"tap/watched": 300, "tap/second": 200}
    assert counts(done.err) == {"received": 500, "published": 500, "filtered": 0, "dropped": 0, "undecodable": 0}


# Interfaces that go away and come back.


def grows(flowcast, link: str) -> None:
    before = packets_of(flowcast, link)
    wait_until(lambda: packets_of(flowcast, link) > before + 100, 20, f"more packets of {link}")


def test_a_capture_goes_on_through_an_interface_that_goes_down_or_is_made_again(flowcast, namespace, capture):
    namespace.add_pair("second", "behind")
    running = capture("--interface", "watched", "--interface", "second")
    with namespace.sending(1000, "far"), namespace.sending(2000, "behind"):
        grows(flowcast, "tap/watched")
        namespace.turn("watched", "down")
        running.expect("interface watched went down; waiting for it to come back")
        grows(flowcast, "tap/second")
        namespace.turn("watched", "up")
        running.expect("interface watched is back")
        grows(flowcast, "tap/watched")
        namespace.remove_pair("watched")
        running.expect("interface watched went away; waiting for it to come back")
        away_since = time.time_ns()
        wait_until(lambda: all(marks[-1] > away_since for marks in watermarks(flowcast).values()), 20, "watermarks")
        namespace.add_pair("watched", "far")
        wait_until(lambda: running.log.count("interface watched is back") == 2, 20, "that it is opened again")
        grows(flowcast, "tap/watched")
    done = running.stop()
    assert done.code == OK
    told = counts(done.err)
    assert told["published"] == sum(packets_of_links(flowcast).values()) > 500
    assert told["dropped"] == told["undecodable"] == 0
    for marks in watermarks(flowcast).values():
        assert marks == sorted(marks)


def test_a_capture_that_may_not_open_interfaces_any_more_ends_when_one_is_deleted(flowcast, namespace, capture):
    running = capture("--interface", "watched", "--drop-all")
    namespace.send(200, 1000)
    namespace.remove_pair("watched")
    done = running.finish(20)
    assert done.code == FAILED
    assert "interface watched went away, and without CAP_NET_RAW it can't be opened again" in done.err
    assert counts(done.err)["published"] == 200 == packets_of(flowcast, "tap/watched")


# What a running capture may do.


def test_root_becomes_nobody_who_may_only_open_packet_sockets(flowcast, namespace, capture):
    running = capture("--interface", "watched")
    namespace.send(100, 1000)
    wait_until(lambda: packets_of(flowcast, "tap/watched") == 100, 20, "what was sent")
    threads = statuses(running.pid)
    assert len(threads) > 1
    for thread in threads:
        assert [int(thread[name][0], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")] == [
            NET_RAW, NET_RAW, 0, 0, 0,
        ]
        assert thread["Uid"] == [NOBODY] * 4 and thread["Gid"] == [NOBODY] * 4 and thread["Groups"] == []
        assert thread["NoNewPrivs"] == ["1"] and thread["Seccomp"] == ["2"]
    assert running.stop().code == OK


def test_another_user_without_any_capability(capture):
    running = capture("--interface", "watched", "--user", "daemon", "--drop-all")
    for thread in statuses(running.pid):
        assert [int(thread[name][0], 16) for name in ("CapEff", "CapPrm", "CapBnd")] == [0, 0, 0]
        assert thread["Uid"] == ["1"] * 4
    assert running.stop().code == OK


def test_without_root_the_program_needs_a_capability_and_keeps_its_user(flowcast, namespace, tmp_path):
    folder = Path("/tmp") / f"e2e-{namespace.name}"  # which others than root can enter
    folder.mkdir(mode=0o755)
    try:
        program = shutil.copy(flowcast.binaries / "flowcast-capture", folder)
        subprocess.run(["setcap", "cap_net_raw=eip", program], check=True)
        spool = folder / "spool"
        spool.mkdir()
        os.chown(spool, 65533, 65533)
        command = ["setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups", program]
        arguments = ["--interface", "watched", "--brokers", "127.0.0.1:1", "--spool", str(spool), "--check"]
        done = subprocess.run(
            namespace.command(*command, *arguments), capture_output=True, text=True, timeout=20, cwd=tmp_path
        )
    finally:
        shutil.rmtree(folder)
    assert done.returncode == OK, done.stderr
    assert "runs as 65533 with CAP_NET_RAW alone" in done.stderr and "warning" not in done.stderr
