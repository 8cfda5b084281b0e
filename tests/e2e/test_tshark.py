"""All packets of all captures of the corpus, as flowcast and as tshark see them; the differences there are are explained here.

Compared are the length, the VLAN, what is kept of the outermost and of the innermost IP packet, and the kind.
"""

import collections
import csv
import itertools
import re
import shutil
import subprocess
from typing import NamedTuple

import pytest

import reference_capture
import reference_tshark
from support import FAILED, clean_environment, skip_or_fail

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

DEADLINE_S = 300
ETHERNET, ETHERNET_BYTES = 1, 14
PROTOCOL_KINDS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp", 132: "sctp"}
ETHER_KINDS = {"arp": "arp", "mpls": "mpls", "pppoes": "pppoe", "pppoed": "pppoe"}
NO_IP = {"other": "no IP", "no_ether_type": "no IP"}  # tshark does not tell these apart
NUMBER, WIRE_LENGTH, VLAN, IP_VERSION, KIND = 0, 3, 4, 6, 15  # columns of flowcast packets; from IP_VERSION to KIND: Layer's

OTHER_VERSION = "the IP version is not that of the EtherType or link type: damaged for us, tshark goes by the version"
SHORT_TCP = "the TCP header says that it is too short to be one: tshark shows no flags then"
VXLAN_GPE = "VXLAN-GPE (UDP port 4790) is not looked into"


class Known(NamedTuple):
    """What differs in these packets of a file (length, outer, inner, kind), and why that is right."""

    file: str
    packets: list
    what: str
    why: str


KNOWN = [
    Known("bad-subsec__tcpdump__atm-oam-loopback-print-overrun.pcap", [1], "length",
          "tshark takes the four bytes of the SunATM pseudo-header off the length that the file gives"),
    Known("fuzz-2006-06-26-2594.pcap", [669], "outer inner", OTHER_VERSION),
    Known("fuzz-2020-02-16-11740.pcap", [238], "outer inner", OTHER_VERSION),
    Known("ipopts__tcpdump__kday3.pcap", [2], "outer inner", OTHER_VERSION),
    Known("lt-rawip4__tcpdump__LINKTYPE_IPV4_invalid.pcap", [1], "outer inner kind", OTHER_VERSION),
    Known("ip_fragmented_garbage.pcap", [1, 940], "outer inner", SHORT_TCP),
    Known("kerberos_fuzz.pcapng", [1], "outer inner", SHORT_TCP),
    Known("reasm_crash_anon.pcapng", [95], "outer inner", SHORT_TCP),
    Known("gre__arkime__gre-erspan-vxlan.pcap", [1, 2, 3, 4, 5, 6, 7], "inner",
          "port 4789 is the sender's, to 4790: for us the destination makes it VXLAN, for tshark either port"),
    Known("gtp__arkime__arkime_synthetic.pcap", [302], "inner", "within IPv4, AH is a protocol for us, not an extension header"),
    Known("gtp__arkime__arkime_synthetic.pcap", [618, 619, 623], "inner", VXLAN_GPE),
    Known("lt-slip__tcpdump__cve2015-0261-crash.pcap", [1], "outer inner kind", "tshark has no dissector for SLIP"),
    Known("lt-sll2__zeek__linux_dlt_sll2.pcap", [6], "kind", "reverse ARP: an EtherType of its own, but ARP for tshark"),
]


class Read(NamedTuple):
    """What reference_capture finds in a file."""

    packets: int
    cut: set  # numbers of those that were captured without the whole of their Ethernet header
    damage: list  # offsets, at most one


class Comparison:
    def __init__(self, program, files: list, folder):
        self.files = {file: Read(0, set(), []) for file in files}
        self.differences = collections.defaultdict(dict)  # (file name, what) -> number -> (ours, tshark's, its protocols)
        self._program, self._folder = program, folder

    @property
    def packets(self) -> int:
        return sum(read.packets for read in self.files.values())

    def run(self) -> None:
        """One run of each program over all files: to start one takes longer than most files do."""
        reference_tshark.settings(self._folder)
        everything = self._folder / "all.pcapng"
        reference_tshark.write_pcapng(everything, self._frames())
        outer, inner = self._rows("outer"), self._rows("inner", "--decapsulate", "all")
        seen = reference_tshark.dissect(everything, self._folder)
        for place, *rows in itertools.zip_longest(self._places(), outer, inner, seen):
            assert place and all(rows), f"{place}: one of the programs sees fewer packets, or more: {rows}"
            self._compare(*place, *rows)

    def _frames(self):
        for file in self.files:
            cut, damage, number = set(), [], 0
            packets = reference_capture.read_capture(file, on_damage=lambda _, offset, damage=damage: damage.append(offset))
            for number, packet in enumerate(packets, 1):
                if packet.link_type == ETHERNET and len(packet.frame) < ETHERNET_BYTES:
                    cut.add(number)
                yield packet.link_type, packet.length_bytes, packet.frame
            self.files[file] = Read(number, cut, damage)

    def _places(self):
        for file, read in self.files.items():
            for number in range(1, read.packets + 1):
                yield file.name, number, number in read.cut

    def _rows(self, name: str, *options):
        command = ["timeout", str(DEADLINE_S), str(self._program), "packets", *options, "--", *map(str, self.files)]
        with open(self.log_of(name), "w", encoding="utf-8") as log:
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=clean_environment()
            ) as process:
                yield from itertools.islice(csv.reader(process.stdout), 1, None)
        assert process.returncode in (0, FAILED), f"{command} ended with {process.returncode}"

    def log_of(self, name: str):
        return self._folder / f"{name}.log"

    def _compare(self, file: str, number: int, cut: bool, outer: list, inner: list, seen) -> None:
        assert int(outer[NUMBER]) == int(inner[NUMBER]) == number, f"{file}: packet {number} is {outer[NUMBER]} for us"
        compared = {
            "length": (outer[WIRE_LENGTH], str(seen.wire_length)),
            "outer": (ours_of(outer), theirs_of(seen, seen.layers[:1])),
            "inner": (ours_of(inner), theirs_of(seen, seen.layers[-1:])),
            "kind": (NO_IP.get(outer[KIND], outer[KIND]), "undecodable" if cut else kind_of(seen)),
        }
        for what, (ours, theirs) in compared.items():
            if ours != theirs:
                self.differences[file, what][number] = (ours, theirs, ":".join(seen.protocols))


def ours_of(row: list) -> tuple:
    """The VLAN and, where there is IP, what of it is shown."""
    shown = row[IP_VERSION:KIND] if row[IP_VERSION] not in ("", "0") else ()
    return (row[VLAN] or "0", *shown)


def theirs_of(seen, layers: tuple) -> tuple:
    vlan = str(seen.vlan)
    if not layers:
        return (vlan,)
    [layer] = layers
    return (vlan, *(hex(value) if field == "tcp_flags" else str(value) for field, value in layer._asdict().items()))


def kind_of(seen) -> str:
    if seen.layers:
        return PROTOCOL_KINDS.get(seen.layers[0].protocol, "other_ip")
    if seen.protocols == ("",):  # of a link type that neither knows
        return "undecodable"
    if not {"ip", "ipv6"}.isdisjoint(seen.protocols):
        return "other_ip"
    return next((ETHER_KINDS[protocol] for protocol in reversed(seen.protocols) if protocol in ETHER_KINDS), "no IP")


@pytest.fixture(scope="module", name="comparison")
def fixture_comparison(binaries, corpus, tmp_path_factory) -> Comparison:
    if not shutil.which("tshark"):
        skip_or_fail("needs tshark: run scripts/bootstrap")
    files = sorted(path for path in corpus.rglob("*") if path.name.removesuffix(".zst").endswith((".pcap", ".pcapng")))
    comparison = Comparison(binaries / "flowcast", files, tmp_path_factory.mktemp("tshark"))
    comparison.run()
    return comparison


def known_of(comparison: Comparison) -> dict:
    """(file name, what) -> the packets that are to differ, in the files there are."""
    known = collections.defaultdict(set)
    names = {file.name for file in comparison.files}
    for difference in KNOWN:
        for what in difference.what.split() if difference.file in names else ():
            known[difference.file, what].update(difference.packets)
    return known


def test_flowcast_sees_what_tshark_sees_or_it_is_explained(comparison):
    known = known_of(comparison)
    unexplained = [
        f"{file}, packet {number}, {what}: ours {ours}, tshark's {theirs} ({protocols})"
        for (file, what), found in comparison.differences.items()
        for number, (ours, theirs, protocols) in found.items()
        if number not in known[file, what]
    ]
    assert not unexplained, f"{len(unexplained)} of {comparison.packets} packets:\n" + "\n".join(unexplained[:20])
    assert comparison.packets > 0
    print(f"{comparison.packets} packets of {len(comparison.files)} files")


def test_every_explained_difference_is_still_there(comparison):
    gone = {
        place: missing
        for place, packets in known_of(comparison).items()
        if (missing := packets - comparison.differences.get(place, {}).keys())
    }
    assert not gone, "take them out of KNOWN"


@pytest.mark.parametrize("name", ["outer", "inner"])
def test_damage_is_said_with_file_and_offset_and_nothing_else_is(comparison, name):
    lines = comparison.log_of(name).read_text(encoding="utf-8").splitlines()
    said = [re.search(r"warning (.*) is damaged at byte (\d+): .+; everything before was read", line) for line in lines]
    assert all(said), lines
    expected = {(str(file), offset) for file, read in comparison.files.items() for offset in read.damage}
    assert {(line[1], int(line[2])) for line in said} == expected
    assert len(said) == len(expected)
