"""Finds addresses, protocol, ports and SYN of a captured frame, as docs/features.md wants them.

dpkt decodes what is whole. It gives up on headers that are cut, on a third VLAN tag and on some chains of
IPv6 headers; those frames are decoded by hand here from their fixed headers, and counted in Decoder.by_hand.

Part of the independent computation in reference_windows.py: nothing here is shared with the product.
"""

import struct
from typing import NamedTuple, Optional

import dpkt
from dpkt.ip import IP
from dpkt.ip6 import IP6

ICMP, TCP, UDP, ICMP6, SCTP = 1, 6, 17, 58, 132
WITH_PORTS = {TCP: dpkt.tcp.TCP, UDP: dpkt.udp.UDP, SCTP: dpkt.sctp.SCTP}
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION = 0, 43, 44, 51, 60
MOBILITY, HIP, SHIM6 = 135, 139, 140
EXTENSIONS = {HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION, MOBILITY, HIP, SHIM6}

LINK_NULL, LINK_ETHERNET, LINK_PPP, LINK_LOOP, LINK_SLL, LINK_IP4, LINK_IP6, LINK_SLL2 = 0, 1, 9, 108, 113, 228, 229, 276
LINK_RAW = (12, 14, 101)
TYPE_IP4, TYPE_IP6, TYPE_ARP, TYPE_PPPOE = 0x0800, 0x86DD, 0x0806, 0x8864
TYPE_VLAN = (0x8100, 0x88A8, 0x9100, 0x9200)
SNAP = (b"\xaa\xaa\x03\0\0\0", b"\xaa\xaa\x03\0\0\xf8")
SMALLEST_TYPE = 0x0600
TYPE_MPLS = (0x8847, 0x8848)
PPP_TYPES = {0x0021: TYPE_IP4, 0x0057: TYPE_IP6, 0x0281: 0x8847, 0x0283: 0x8848}
BSD_FAMILIES = {2: TYPE_IP4, 10: TYPE_IP6, 24: TYPE_IP6, 28: TYPE_IP6, 30: TYPE_IP6}

SYN, ACK = 0x02, 0x10


class Header(NamedTuple):
    source: bytes
    destination: bytes
    protocol: int
    source_port: int  # 0 where the protocol has none, in later fragments, and where it was not captured
    destination_port: int
    opens: bool  # TCP with SYN and without ACK


class Decoder:
    """Decodes frames and counts how many of the IP packets dpkt could not be used for."""

    def __init__(self):
        self.by_dpkt = 0
        self.by_hand = 0

    def decode(self, frame: bytes, link_type: int) -> Optional[Header]:
        """The header of the outermost IP packet, None where there is none."""
        header = decode_by_dpkt(frame, link_type)
        if header:
            self.by_dpkt += 1
            return header
        header = decode_by_hand(frame, link_type)
        if header:
            self.by_hand += 1
        return header


def decode_by_dpkt(frame: bytes, link_type: int) -> Optional[Header]:
    """None unless dpkt has decoded IP and, where the protocol has ports, the header behind it."""
    try:
        if link_type == LINK_ETHERNET:
            packet = dpkt.ethernet.Ethernet(frame).data
        elif link_type == LINK_SLL:
            packet = dpkt.sll.SLL(frame).data
        elif link_type in LINK_RAW and frame:
            packet = IP6(frame) if frame[0] >> 4 == 6 else IP(frame)
        else:
            return None
        if isinstance(packet, dpkt.pppoe.PPPoE) and packet.v == 1 and packet.code == 0:
            packet = packet.data.data
    except (dpkt.Error, struct.error, IndexError, AttributeError):
        return None
    if isinstance(packet, IP):
        return _from_ip4(packet)
    if isinstance(packet, IP6):
        return _from_ip6(packet)
    return None


def _from_ip4(packet: IP) -> Optional[Header]:
    if packet.v != 4:
        return None
    if packet.offset:
        return Header(packet.src, packet.dst, packet.p, 0, 0, False)
    return _with_transport(packet, packet.p)


def _from_ip6(packet: IP6) -> Optional[Header]:
    whole = {HOP_BY_HOP, ROUTING, DESTINATION}  # dpkt's handling of the others is left to decode_by_hand
    if packet.v != 6 or not whole.issuperset(packet.extension_hdrs) or packet.p in EXTENSIONS:
        return None
    return _with_transport(packet, packet.p)


def _with_transport(packet, protocol: int) -> Optional[Header]:
    kind = WITH_PORTS.get(protocol)
    if kind is None:
        return Header(packet.src, packet.dst, protocol, 0, 0, False)
    transport = packet.data
    if not isinstance(transport, kind):
        return None
    opens = protocol == TCP and transport.flags & (SYN | ACK) == SYN
    return Header(packet.src, packet.dst, protocol, transport.sport, transport.dport, opens)


def decode_by_hand(frame: bytes, link_type: int) -> Optional[Header]:
    ether_type, at = _link_layer(frame, link_type)
    ether_type, at = _inner(frame, ether_type, at)
    if ether_type == TYPE_IP4:
        return _ip4(frame[at:])
    if ether_type == TYPE_IP6:
        return _ip6(frame[at:])
    return None


def _number(data: bytes, at: int) -> int:
    """The 16 bits at a place; -1, which is no type, where they were not captured."""
    return struct.unpack_from(">H", data, at)[0] if at + 2 <= len(data) else -1


def _by_version(frame: bytes, at: int) -> int:
    version = frame[at] >> 4 if at < len(frame) else 0
    return {4: TYPE_IP4, 6: TYPE_IP6}.get(version, -1)


def _link_layer(frame: bytes, link_type: int) -> tuple[int, int]:
    """The EtherType and where what it names begins."""
    if link_type == LINK_ETHERNET:
        return _number(frame, 12), 14
    if link_type in LINK_RAW:
        return _by_version(frame, 0), 0
    if link_type == LINK_SLL:
        return _number(frame, 14), 16
    if link_type == LINK_SLL2:
        return _number(frame, 0), 20
    if link_type in (LINK_NULL, LINK_LOOP) and len(frame) >= 4:  # the byte order of NULL is the capturing host's
        family = min(struct.unpack("<I", frame[:4])[0], struct.unpack(">I", frame[:4])[0])
        return BSD_FAMILIES.get(family, -1), 4
    if link_type == LINK_PPP:
        at = 2 if frame[:2] == b"\xff\x03" else 0
        return PPP_TYPES.get(_number(frame, at), -1), at + 2
    return {LINK_IP4: TYPE_IP4, LINK_IP6: TYPE_IP6}.get(link_type, -1), 0


def _inner(frame: bytes, ether_type: int, at: int) -> tuple[int, int]:
    """Passes over VLAN tags, LLC/SNAP, MPLS labels, Ethernet behind them, and PPPoE."""
    while True:
        if ether_type in TYPE_VLAN:
            ether_type, at = _number(frame, at + 2), at + 4
        elif 0 <= ether_type < SMALLEST_TYPE and frame[at : at + 6] in SNAP:
            ether_type, at = _number(frame, at + 6), at + 8
        elif ether_type in TYPE_MPLS:
            while at + 4 <= len(frame) and not frame[at + 2] & 1:
                at += 4
            ether_type, at = _behind_labels(frame, at + 4)
        elif ether_type == TYPE_PPPOE:
            if frame[at : at + 2] != b"\x11\x00":
                return -1, at
            short = at + 6 < len(frame) and frame[at + 6] & 1  # the protocol's compressed form, one byte
            protocol = frame[at + 6] if short else _number(frame, at + 6)
            ether_type, at = PPP_TYPES.get(protocol, -1), at + (7 if short else 8)
        else:
            return ether_type, at


def _behind_labels(frame: bytes, at: int) -> tuple[int, int]:
    """IP by its version, else Ethernet with or without a control word by a known type at its place."""
    if at < len(frame) and frame[at] >> 4 == 0:
        for header in (14, 18):
            ether_type = _number(frame, at + header - 2)
            if ether_type in (TYPE_IP4, TYPE_IP6, TYPE_ARP, *TYPE_VLAN):
                return ether_type, at + header
    return _by_version(frame, at), at


def _ip4(data: bytes) -> Optional[Header]:
    if len(data) < 20 or data[0] >> 4 != 4 or data[0] & 15 < 5:
        return None
    total = _number(data, 2) or len(data)  # 0: segmentation was left to the network card
    later = _number(data, 6) & 0x1FFF
    payload = b"" if later else data[(data[0] & 15) * 4 : total]
    return _header(data[12:16], data[16:20], data[9], payload)


def _ip6(data: bytes) -> Optional[Header]:
    if len(data) < 40 or data[0] >> 4 != 6:
        return None
    end = 40 + (_number(data, 4) or len(data))
    protocol, payload = data[6], data[40:end]
    while protocol in EXTENSIONS and len(payload) >= 8:
        if protocol == FRAGMENT:
            size, later = 8, _number(payload, 2) >> 3
        else:
            size, later = ((payload[1] + 2) * 4 if protocol == AUTHENTICATION else (payload[1] + 1) * 8), 0
        protocol, payload = payload[0], payload[size:]
        if later:
            payload = b""
            break
    return _header(data[8:24], data[24:40], protocol, payload)


def _header(source: bytes, destination: bytes, protocol: int, payload: bytes) -> Header:
    source_port = destination_port = 0
    opens = False
    if protocol in WITH_PORTS and len(payload) >= 4:
        source_port, destination_port = struct.unpack_from(">HH", payload)
        opens = protocol == TCP and len(payload) >= 14 and payload[13] & (SYN | ACK) == SYN
    return Header(source, destination, protocol, source_port, destination_port, opens)
