"""The packets of every capture of the corpus as flowcast and tshark see them, one by one; differences are explained below."""

import collections
import csv
import itertools
import os
import shutil
import subprocess
from typing import NamedTuple

import pytest

import reference_capture
import reference_tshark
from conftest import skip_or_fail

pytestmark = pytest.mark.corpus

# Of each file, so that the comparison takes seconds; FLOWCAST_TSHARK_PACKETS=all takes minutes.
FEW = 1_000
ALL = frozenset(range(1, 1_000_000))
PROTOCOL_KINDS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp", 132: "sctp"}
ETHER_KINDS = {"arp": "arp", "mpls": "mpls", "pppoes": "pppoe", "pppoed": "pppoe"}
SEEN_COLUMNS = slice(6, 15)  # of flowcast packets: from the IP version to the TTL


class Known(NamedTuple):
    """A difference there is to be, and no other, between what flowcast and tshark say of these packets of a file."""

    file: str
    packets: frozenset
    what: frozenset  # "length", "outer", "inner", "kind"
    why: str


def known(file: str, packets, what: str, why: str) -> Known:
    return Known(file, frozenset(packets), frozenset(what.split()), why)


KNOWN: list[Known] = []


def packet_limit():
    """Of each file; None is all of them."""
    given = os.environ.get("FLOWCAST_TSHARK_PACKETS", str(FEW))
    return None if given == "all" else int(given)


def captures(corpus) -> list:
    return sorted(path for path in corpus.rglob("*") if path.name.removesuffix(".zst").endswith((".pcap", ".pcapng")))


class Comparison:
    """Runs once: what differs by file, and how much was compared."""

    def __init__(self, program, files, limit, folder):
        self.files = files
        self.packets = 0
        self.differences = collections.defaultdict(dict)  # (file, what) -> number -> (ours, tshark's)
        self._program, self._limit, self._folder = program, limit, folder

    def run(self) -> None:
        """All files in one run of tshark: its start takes longer than most files."""
        reference_tshark.settings(self._folder)
        everything = self._folder / "all.pcapng"
        reference_tshark.write_pcapng(everything, self._frames())
        seen = reference_tshark.dissect(everything, self._folder)
        for file in self.files:
            for number, outer, inner in self._ours(file):
                self._compare(file.name, number, outer, inner, next(seen))
        assert next(seen, None) is None, "tshark sees more packets than flowcast"

    def _frames(self):
        for file in self.files:
            packets = reference_capture.read_capture(file, on_damage=lambda path, offset: None)
            for packet in itertools.islice(packets, self._limit):
                yield packet.link_type, packet.length_bytes, packet.frame

    def _ours(self, file):
        outer, inner = self._rows(file), self._rows(file, "--decapsulate", "all")
        for number, rows in enumerate(zip(outer, inner, strict=True), 1):
            assert all(row[0] == str(number) for row in rows)
            yield number, *rows

    def _rows(self, file, *options):
        command = [str(self._program), "packets", str(file), *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            yield from itertools.islice(csv.reader(process.stdout), 1, None if self._limit is None else self._limit + 1)
            process.stdout.close()

    def _compare(self, file: str, number: int, outer: list, inner: list, seen) -> None:
        self.packets += 1
        compared = {
            "length": (int(outer[3]), seen.wire_length),
            "outer": (ours_of(outer), theirs_of(seen, seen.layers[:1])),
            "inner": (ours_of(inner), theirs_of(seen, seen.layers[-1:])),
            "kind": (outer[-1], kind_of(seen)),
        }
        for what, (ours, theirs) in compared.items():
            if ours != theirs:
                self.differences[file, what][number] = (ours, theirs, ":".join(seen.protocols))


def ours_of(row: list) -> tuple:
    """VLAN and, where there is IP, what of it is shown."""
    if row[SEEN_COLUMNS][0] in ("", "0"):
        return (row[4] or "0",)
    return (row[4], *row[SEEN_COLUMNS])


def theirs_of(seen, layers: tuple) -> tuple:
    if not layers:
        return (str(seen.vlan),)
    [layer] = layers
    ports = (str(layer.source_port), str(layer.destination_port))
    rest = (f"{layer.tcp_flags:#x}", str(layer.traffic_class), str(layer.ttl))
    return (str(seen.vlan), str(layer.version), str(layer.protocol), layer.source, layer.destination, *ports, *rest)


def kind_of(seen) -> str:
    if seen.layers:
        return PROTOCOL_KINDS.get(seen.layers[0].protocol, "other_ip")
    if seen.protocols in (("",), ("eth",)):  # an unknown link type, a frame shorter than its header
        return "undecodable"
    for protocol in reversed(seen.protocols):
        if protocol in ETHER_KINDS:
            return ETHER_KINDS[protocol]
    if not {"ip", "ipv6"}.isdisjoint(seen.protocols):
        return "other_ip"
    return "other" if "ethertype" in seen.protocols else "no_ether_type"


@pytest.fixture(scope="module", name="comparison")
def fixture_comparison(binaries, corpus, tmp_path_factory) -> Comparison:
    if not shutil.which("tshark"):
        skip_or_fail("needs tshark: run scripts/bootstrap")
    comparison = Comparison(binaries / "flowcast", captures(corpus), packet_limit(), tmp_path_factory.mktemp("tshark"))
    comparison.run()
    return comparison


def expected(comparison: Comparison) -> dict:
    """(file, what) -> the numbers of the packets that are to differ, of those that were compared."""


def test_flowcast_and_tshark_see_the_same(comparison):
    print(comparison.packets)
    for (f, w), d in comparison.differences.items():
        print("==", f, w, len(d), list(d)[:10])
        for x in list(d.values())[:2]: print("    ", x)
    assert 0
