"""Follows the flows of a capture, as docs/features.md wants it: when they begin, and what was sent before.

Part of the independent computation in reference_windows.py: nothing here is shared with the product.
"""

from typing import NamedTuple, Optional

from reference_decode import (
    AUTHENTICATION, EXTENSIONS, FRAGMENT, LINK_ETHERNET, TCP, TYPE_IP4, TYPE_IP6, TYPE_VLAN, _inner, _link_layer, _number,
)

FIN, SYN, RST, ACK = 1, 2, 4, 16
SILENCE_NS = 60 * 10**9
START_NS = 10**6
MOST_FLOWS = 65_536
UNICAST, MULTICAST, BROADCAST = range(3)


class Details(NamedTuple):
    """What reference_decode.Header does not say of a packet."""

    version: int = 0  # 4, 6 or 0
    traffic_class: int = 0
    flags: int = 0
    sequence: int = 0
    length: int = 0  # in sequence numbers
    cast: int = UNICAST
    vlan: int = 0


class Seen(NamedTuple):
    """What the flow's earlier packets say."""

    begins: bool
    repeats: bool
    started_ns: int


def details_of(frame: bytes, link_type: int) -> Details:
    ether_type, at = _inner(frame, *_link_layer(frame, link_type))
    found = Details()
    destination = b""
    if ether_type == TYPE_IP4:
        found, destination = _of_ip4(frame[at:])
    elif ether_type == TYPE_IP6:
        found, destination = _of_ip6(frame[at:])
    tagged = link_type == LINK_ETHERNET and _number(frame, 12) in TYPE_VLAN and len(frame) >= 16
    return found._replace(cast=_cast(frame, link_type, destination), vlan=_number(frame, 14) & 0xFFF if tagged else 0)


def _cast(frame: bytes, link_type: int, destination: bytes) -> int:
    if link_type == LINK_ETHERNET:
        if frame[:6] == b"\xff" * 6:
            return BROADCAST
        return MULTICAST if frame[:1] and frame[0] & 1 else UNICAST
    if len(destination) == 16:
        return MULTICAST if destination[0] == 0xFF else UNICAST
    if destination == b"\xff" * 4:
        return BROADCAST
    return MULTICAST if destination and destination[0] >> 4 == 14 else UNICAST


def _of_ip4(data: bytes):
    header = (data[0] & 15) * 4 if data else 0
    if len(data) < 20 or data[0] >> 4 != 4 or header < 20:
        return Details(), b""
    stated = _number(data, 2)
    found = Details(version=4, traffic_class=data[1])
    if data[9] == TCP and not _number(data, 6) & 0x1FFF:
        found = _with_tcp(found, data[header : stated or len(data)], stated - header if stated else 0)
    return found, data[16:20]


def _of_ip6(data: bytes):
    if len(data) < 40 or data[0] >> 4 != 6:
        return Details(), b""
    stated = _number(data, 4)
    rest = data[40 : 40 + (stated or len(data))]
    protocol, payload, later = data[6], rest, False
    while protocol in EXTENSIONS and len(payload) >= 8 and not later:
        size = 8 if protocol == FRAGMENT else (payload[1] + 2) * 4 if protocol == AUTHENTICATION else (payload[1] + 1) * 8
        later = protocol == FRAGMENT and bool(_number(payload, 2) >> 3)
        protocol, payload = payload[0], payload[size:]
    found = Details(version=6, traffic_class=_number(data, 0) >> 4 & 0xFF)
    if protocol == TCP and not later:
        found = _with_tcp(found, payload, stated - (len(rest) - len(payload)) if stated else 0)
    return found, data[24:40]


def _with_tcp(found: Details, captured: bytes, length: int) -> Details:
    if len(captured) < 14:
        return found
    flags, header = captured[13], (captured[12] >> 4) * 4
    if header < 20 or header > length:
        return found._replace(flags=flags)
    numbers = length - header + bool(flags & SYN) + bool(flags & FIN)
    return found._replace(flags=flags, sequence=int.from_bytes(captured[4:8], "big"), length=numbers)


def _before(left: int, right: int) -> bool:
    return (left - right) % 2**32 >= 2**31


class Flow:
    def __init__(self):
        self.newest_ns: Optional[int] = None
        self.started_ns = 0
        self.next: Optional[int] = None
        self.hole = (0, 0)

    def take(self, time_ns: int, packet: Details) -> Seen:
        begins = self.newest_ns is None or time_ns - self.newest_ns >= SILENCE_NS
        repeats = False
        if begins:
            self.next, self.hole = None, (0, 0)
        if packet.length:
            end = (packet.sequence + packet.length) % 2**32
            if self.next is None or (packet.flags & SYN and end != self.next):
                begins = begins or self.next is not None
                self.next, self.hole = end, (0, 0)
            else:
                repeats = self._repeats(packet, end)
        if begins:
            self.newest_ns, self.started_ns = time_ns, time_ns // START_NS * START_NS
        self.newest_ns = max(self.newest_ns, time_ns)
        return Seen(begins, repeats and not begins, self.started_ns)

    def _repeats(self, packet: Details, end: int) -> bool:
        begin = packet.sequence
        if not _before(begin, self.next):
            if begin != self.next:
                self.hole = (self.next, begin)
            self.next = end
            return False
        first, last = self.hole
        fills = first != last and not _before(begin, first) and _before(begin, last)
        if fills:
            self.hole = (first, begin) if begin != first else (end if _before(end, last) else last, last)
        keeps_alive = packet.length == 1 and end == self.next and not packet.flags & (SYN | FIN)
        if _before(self.next, end):
            self.next = end
        return not fills and not keeps_alive


class Flows:
    """All flows of a capture; packets in order of arrival."""

    def __init__(self):
        self._flows = {}

    def take(self, interface, time_ns: int, header, packet: Details) -> Seen:
        if not header:
            return Seen(False, False, 0)
        key = (interface, packet.vlan, packet.cast, header[:5])
        if key not in self._flows:
            if len(self._flows) == MOST_FLOWS:
                self._forget_silent()
            self._flows[key] = Flow()
        return self._flows[key].take(time_ns, packet)

    def _forget_silent(self):
        silent = sorted(flow.newest_ns for flow in self._flows.values())[MOST_FLOWS // 2]
        self._flows = {key: flow for key, flow in self._flows.items() if flow.newest_ns > silent}
