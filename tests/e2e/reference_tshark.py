"""What tshark sees of captured frames: IP layers from the outside in, each with its ports, of many files in one run.

Only link layers, tunnels, IP and the transports are enabled, so that nothing within a payload is taken for a header, and a
run over everything takes seconds.
"""

import os
import struct
import subprocess
from pathlib import Path
from typing import Iterator, NamedTuple, Optional

ENABLED = set(
    """frame eth ethertype vlan ieee8021ad llc arp mpls pwethheuristic pwethcw pwethnocw pppoed pppoes ppp chdlc fr fddi sll null
    raw wlan radiotap wlan_radio ppi nflog ip ipv6 ipv6.hopopts ipv6.dstopts ipv6.fraghdr ipv6.routing ah tcp udp sctp gre
    erspan vxlan gtp geneve""".split()
)
TRANSPORTS = ("tcp", "udp", "sctp")
EXTENSIONS = {
    "0": "ipv6.hopopts.nxt", "43": "ipv6.routing.nxt", "44": "ipv6.fraghdr.nxt", "51": "ah.next_header",
    "60": "ipv6.dstopts.nxt",
}
FIELDS = [
    "frame.len", "frame.protocols", "vlan.id", "ieee8021ad.id", "ip.src", "ip.dst", "ip.proto", "ip.dsfield", "ip.ttl",
    "ipv6.src", "ipv6.dst", "ipv6.nxt", "ipv6.tclass", "ipv6.hlim", *EXTENSIONS.values(), "tcp.flags",
    *(f"{transport}.{port}" for transport in TRANSPORTS for port in ("srcport", "dstport")),
]


class Layer(NamedTuple):
    """An IP header and what of the transport follows it; ports are 0 where tshark shows none."""

    version: int
    protocol: int
    source: str
    destination: str
    source_port: int
    destination_port: int
    tcp_flags: int
    traffic_class: int
    ttl: int


class Seen(NamedTuple):
    wire_length: int
    protocols: tuple  # as tshark names them, outermost first
    vlan: int  # the outermost that is not 0
    layers: tuple  # of Layer, outermost first


def settings(folder: Path) -> Path:
    """A configuration folder in which all but ENABLED is disabled."""
    listed = subprocess.run(["tshark", "-G", "protocols"], check=True, capture_output=True, text=True).stdout
    names = {line.split("\t")[2] for line in listed.splitlines()}
    missing = ENABLED - names
    assert not missing, f"tshark knows no {missing}"
    (folder / "disabled_protos").write_text("".join(f"{name}\n" for name in sorted(names - ENABLED)))
    return folder


def _block(kind: int, body: bytes) -> bytes:
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def write_pcapng(path: Path, frames: Iterator) -> None:
    """One file of all frames (link_type, wire length, bytes); an interface a link type."""
    interfaces: dict[int, int] = {}
    with open(path, "wb") as file:
        file.write(_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        for link_type, wire_length, frame in frames:
            if link_type not in interfaces:
                interfaces[link_type] = len(interfaces)
                file.write(_block(1, struct.pack("<HHI", link_type, 0, 0)))
            header = struct.pack("<IIIII", interfaces[link_type], 0, 0, len(frame), wire_length)
            file.write(_block(6, header + frame))


def dissect(capture: Path, folder: Path) -> Iterator[Seen]:
    """A Seen for each frame of a capture, read as tshark comes to it."""
    command = [
        "tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,",
        "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE",
        "-o", "tcp.desegment_tcp_streams:FALSE",
    ]
    for field in FIELDS:
        command += ["-e", field]
    environment = os.environ | {"WIRESHARK_CONFIG_DIR": str(folder)}
    with open(folder / "errors", "w+") as errors:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as process:
            for line in process.stdout:
                yield _seen(line.rstrip("\n").split("\t"))
        errors.seek(0)
        assert process.returncode == 0, f"tshark ended with {process.returncode}: {errors.read()}"


class _Values:
    """The occurrences of each field of one frame, taken in order."""

    def __init__(self, row: list):
        self._left = {field: value.split(",") for field, value in zip(FIELDS, row) if value}

    def take(self, field: str, absent: str = "0") -> str:
        left = self._left.get(field)
        return left.pop(0) if left else absent

    def number(self, field: str) -> int:
        return int(self.take(field), 0)


def _seen(row: list) -> Seen:
    values = _Values(row)
    wire_length = values.number("frame.len")
    protocols = tuple(values.take("frame.protocols", "").split(":"))
    vlan = 0
    layers: list[Layer] = []
    for protocol in protocols:
        if protocol in ("vlan", "ieee8021ad"):
            identifier = values.number(f"{protocol}.id")
            vlan = vlan or (0 if layers else identifier)
        elif protocol in ("ip", "ipv6"):
            layer = _ip4(values) if protocol == "ip" else _ip6(values)
            if layer:
                layers.append(layer)
        elif protocol in TRANSPORTS and layers:
            layers[-1] = _with_ports(layers[-1], protocol, values)
    return Seen(wire_length, protocols, vlan, tuple(layers))


def _ip4(values: _Values) -> Optional[Layer]:
    source, destination = values.take("ip.src", ""), values.take("ip.dst", "")
    protocol, traffic_class, ttl = (values.number(field) for field in ("ip.proto", "ip.dsfield", "ip.ttl"))
    return Layer(4, protocol, source, destination, 0, 0, 0, traffic_class, ttl) if destination else None


def _ip6(values: _Values) -> Optional[Layer]:
    source, destination = values.take("ipv6.src", ""), values.take("ipv6.dst", "")
    protocol, traffic_class, ttl = values.take("ipv6.nxt"), values.number("ipv6.tclass"), values.number("ipv6.hlim")
    while protocol in EXTENSIONS:
        following = values.take(EXTENSIONS[protocol], "")
        if not following:
            break
        protocol = following
    return Layer(6, int(protocol), source, destination, 0, 0, 0, traffic_class, ttl) if destination else None


def _with_ports(layer: Layer, transport: str, values: _Values) -> Layer:
    source, destination = values.number(f"{transport}.srcport"), values.number(f"{transport}.dstport")
    flags = values.number("tcp.flags") & 0xFF if transport == "tcp" else 0
    return layer._replace(source_port=source, destination_port=destination, tcp_flags=flags)
