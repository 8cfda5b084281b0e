"""Where a packet's transport header ends, and between whom it went. For Ethernet frames."""

import ipaddress
import struct
from dataclasses import dataclass

ETHERTYPE_IPV4, ETHERTYPE_IPV6 = 0x0800, 0x86DD
ETHERTYPES_VLAN = (0x8100, 0x88A8)
IP_HOP_BY_HOP, IP_ROUTING, IP_FRAGMENT, IP_DESTINATION = 0, 43, 44, 60
IP_ICMP, IP_TCP, IP_UDP, IP_ICMPV6 = 1, 6, 17, 58
PROTOCOL_NAMES = {IP_ICMP: "icmp", IP_TCP: "tcp", IP_UDP: "udp", IP_ICMPV6: "icmp"}
# Others (such as IGMP) keep as much as the smallest transport header.
OTHER_TRANSPORT_BYTES = 8


@dataclass(frozen=True)
class Headers:
    """`length` is in bytes from the frame's start; addresses and ports are None where there are none."""
    length: int
    protocol: str
    source: str = None
    target: str = None
    source_port: int = None
    target_port: int = None


def parse(frame):
    """Headers of the frame; a cut frame gives what it holds."""
    at, ethertype = 14, int.from_bytes(frame[12:14], "big")
    while ethertype in ETHERTYPES_VLAN:
        ethertype = int.from_bytes(frame[at + 2:at + 4], "big")
        at += 4
    if ethertype == ETHERTYPE_IPV4:
        return _parse_ipv4(frame, at)
    if ethertype == ETHERTYPE_IPV6:
        return _parse_ipv6(frame, at)
    return Headers(len(frame), "arp" if ethertype == 0x0806 else f"ethertype {ethertype:#06x}")


def _parse_ipv4(frame, at):
    transport_at = at + 4 * (frame[at] & 0x0F)
    ends = [str(ipaddress.IPv4Address(frame[start:start + 4])) for start in (at + 12, at + 16)]
    first_fragment = int.from_bytes(frame[at + 6:at + 8], "big") & 0x1FFF == 0
    return _parse_transport(frame, transport_at, frame[at + 9], ends, first_fragment)


def _parse_ipv6(frame, at):
    ends = [str(ipaddress.IPv6Address(frame[start:start + 16])) for start in (at + 8, at + 24)]
    protocol, at, first_fragment = frame[at + 6], at + 40, True
    while protocol in (IP_HOP_BY_HOP, IP_ROUTING, IP_FRAGMENT, IP_DESTINATION) and at + 8 <= len(frame):
        if protocol == IP_FRAGMENT:
            first_fragment = int.from_bytes(frame[at + 2:at + 4], "big") >> 3 == 0
        length = 8 if protocol == IP_FRAGMENT else 8 * (frame[at + 1] + 1)
        protocol, at = frame[at], at + length
    return _parse_transport(frame, at, protocol, ends, first_fragment)


def _parse_transport(frame, at, protocol, ends, first_fragment):
    name = PROTOCOL_NAMES.get(protocol, f"ip {protocol}")
    if not first_fragment:
        return Headers(min(at, len(frame)), name, *ends)
    length = OTHER_TRANSPORT_BYTES
    if protocol == IP_TCP and at + 13 <= len(frame):
        length = 4 * (frame[at + 12] >> 4)
    end = min(at + length, len(frame))
    if protocol in (IP_TCP, IP_UDP) and at + 4 <= len(frame):
        return Headers(end, name, *ends, *struct.unpack_from("!HH", frame, at))
    return Headers(end, name, *ends)
