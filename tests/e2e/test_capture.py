"""What flowcast-capture makes of recordings: links, several files, loops, moved times, addresses that leave."""

import gzip
import ipaddress
import re
import subprocess
import time
from pathlib import Path

import pytest

from support import DEMO, OK, USAGE, wait_until

pytestmark = pytest.mark.broker

HOME = ("--home-net", "10.0.0.0/8")


@pytest.fixture(scope="module", name="unpacked")
def fixture_unpacked(tmp_path_factory) -> Path:
    """The bundled capture as a plain file."""
    path = tmp_path_factory.mktemp("unpacked") / "demo.pcapng"
    subprocess.run(["zstd", "-dqo", str(path), str(DEMO)], check=True)
    return path


def cut(source: Path, target: Path, first: int, last: int) -> Path:
    subprocess.run(["editcap", "-r", str(source), str(target), f"{first}-{last}"], check=True)
    return target


def batches(flowcast) -> list:
    return [flowcast.messages["packets"].FromString(record.value) for record in flowcast.records("packets")]


def packet_count(batch) -> int:
    return len(batch.wire_lengths_bytes)


def windows(flowcast) -> None:
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")


def published(result) -> int:
    return int(re.search(r"published ([\d,]+)", result.err)[1].replace(",", ""))


def test_links_are_hosts_of_the_home_net(flowcast):
    flowcast.succeed("capture", "--pcap", DEMO, "--link-by", "host", *HOME)
    links = {link for batch in batches(flowcast) for link in batch.links}
    names = {link.removeprefix("demo/") for link in links}
    assert len(names) > 5
    for name in names - {"other"}:
        assert ipaddress.ip_address(name) in ipaddress.ip_network("10.0.0.0/8"), name


def test_links_are_subnets_by_the_longest_match(flowcast):
    flowcast.succeed("capture", "--pcap", DEMO, "--link-by", "subnet", "--subnet", "0.0.0.0/0=v4", "--subnet", "10.0.0.0/8=ours")
    links = {link for batch in batches(flowcast) for link in batch.links}
    assert "demo/ours" in links and links <= {"demo/ours", "demo/v4", "demo/other"}


def test_anonymized_addresses_leave_the_features_as_they_are(flowcast, unpacked, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    part = cut(unpacked, tmp_path / "part.pcapng", 1, 20_000)
    found = {}
    for source, arguments in (("plain", ()), ("hidden", ("--anonymize", key))):
        flowcast.succeed("capture", "--pcap", part, "--source", source, *HOME, *arguments)
    windows(flowcast)
    for record in flowcast.records("windows"):
        window = flowcast.messages["windows"].FromString(record.value)
        source, interface = window.link.split("/")
        found.setdefault(source, {})[interface, window.start_ns] = list(window.features)
    assert found["plain"].keys() == found["hidden"].keys() and len(found["plain"]) > 50
    for place, features in found["plain"].items():
        assert found["hidden"][place] == pytest.approx(features, rel=1e-12), place
    addresses = {source: addresses_of(flowcast, source) for source in found}
    assert len(addresses["plain"]) == len(addresses["hidden"]), "one to one"
    unicast = {address for address in addresses["plain"] if not address.is_multicast and address.packed[-1] != 255}
    assert unicast and not unicast & addresses["hidden"]


def addresses_of(flowcast, source) -> set:
    found = set()
    for batch in batches(flowcast):
        at = 0
        for version in batch.flows.ip_versions if batch.source == source else b"":
            length = {0: 0, 4: 4, 6: 16}[version]
            for _ in range(2 if length else 0):
                found.add(ipaddress.ip_address(batch.flows.addresses[at : at + length]))
                at += length
    return found


def test_the_key_must_be_its_owners_alone(flowcast, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(bytes(32))
    key.chmod(0o644)
    result = flowcast.run("capture", "--pcap", DEMO, "--anonymize", key)
    assert result.code == USAGE and f"chmod 600 {key}" in result.err


def test_a_folder_is_read_in_order_of_time_whatever_the_files_are_called(flowcast, unpacked, tmp_path):
    cut(unpacked, tmp_path / "c.pcapng", 1, 5_000)
    cut(unpacked, tmp_path / "a.pcapng", 5_001, 9_000)
    (tmp_path / "b.pcapng.gz").write_bytes(gzip.compress(cut(unpacked, tmp_path / ".x", 9_001, 12_000).read_bytes()))
    (tmp_path / "notes.txt").write_text("no capture")
    result = flowcast.succeed("capture", "--pcap", tmp_path, "--source", "demo")
    assert published(result) == 12_000 and "left out" in result.err and "notes.txt" in result.err
    assert "out of order 0" in result.err
    whole = cut(unpacked, tmp_path / ".whole", 1, 12_000)
    times = [time for batch in batches(flowcast) for time in times_of(batch)]
    flowcast.succeed("capture", "--pcap", whole, "--source", "again")
    again = [time for batch in batches(flowcast) if batch.source == "again" for time in times_of(batch)]
    assert sorted(times) == sorted(again)


def times_of(batch) -> list[int]:
    time_ns, times = batch.first_time_ns, []
    for delta in batch.time_deltas:
        time_ns += delta * batch.time_unit_ns
        times.append(time_ns)
    return times


def test_a_loop_goes_on_in_event_time_until_it_is_stopped(flowcast, unpacked, tmp_path):
    part = cut(unpacked, tmp_path / "part.pcapng", 1, 3_000)
    capture = flowcast.start("capture", "--pcap", part, "--loop", "--speed", "2000x", "--source", "demo")
    wait_until(lambda: sum(map(packet_count, batches(flowcast))) > 9_000, 30, "three passes")
    result = capture.stop()
    assert result.code == OK
    by_partition: dict = {}
    for record in flowcast.records("packets"):
        batch = flowcast.messages["packets"].FromString(record.value)
        by_partition.setdefault(record.partition, []).extend(times_of(batch))
    for times in by_partition.values():
        assert times == sorted(times)
    assert published(result) == sum(map(len, by_partition.values()))


def test_a_rebased_capture_begins_now(flowcast, unpacked, tmp_path):
    part = cut(unpacked, tmp_path / "part.pcapng", 1, 1_000)
    before = time.time_ns()
    flowcast.succeed("capture", "--pcap", part, "--rebase-time", "now")
    first = min(batch.started_ns for batch in batches(flowcast))
    assert before <= first <= time.time_ns()


def test_the_sequence_number_counts_packets(flowcast):
    flowcast.succeed("capture", "--pcap", DEMO, "--batch-packets", "777")
    next_packet: dict = {}
    for record in flowcast.records("packets"):
        batch = flowcast.messages["packets"].FromString(record.value)
        assert batch.sequence == next_packet.get(record.partition, 0)
        next_packet[record.partition] = batch.sequence + packet_count(batch)
    assert sum(next_packet.values()) == 242_937


def test_the_summary_tells_packets_by_kind_and_adds_up(flowcast):
    result = flowcast.succeed("capture", "--pcap", DEMO, "--filter", "udp or arp")
    numbers = [int(number.replace(",", "")) for number in re.findall(r"(?:received|published|filtered|dropped|undecodable) ([\d,]+)",
                                                                  result.err.split("demo: ", 1)[1])]
    assert numbers[0] == sum(numbers[1:5])
    assert re.search(r"by kind: udp [\d,]+, arp [\d,]+$", result.err, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("--link-by", "host"), "--home-net"),
     (("--link-by", "subnet"), "--subnet"),
     (("--subnet", "10.0.0.0/8=a"), "--link-by subnet"),
     (("--link-by", "colour"), "interface, vlan, subnet, host"),
     (("--link-by", "subnet", "--subnet", "10.0.0.0/8=a", "--subnet", "10.0.0.1/8=b"), "given twice"),
     (("--decapsulate", "carrier-pigeon"), "gre"),
     (("--rebase-time", "yesterday"), "now")])
def test_options_that_make_no_sense_are_explained(flowcast, arguments, message):
    result = flowcast.run("capture", "--pcap", DEMO, *arguments)
    assert result.code == USAGE and message in result.err and result.err.count("\n") == 1, result.err
