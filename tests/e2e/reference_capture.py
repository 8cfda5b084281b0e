"""Reads pcap and pcapng files, plain or .zst: the packets of all interfaces in the order of the file.

Part of the independent computation in reference_windows.py: nothing here is shared with the product.
"""

import struct
import subprocess
import sys
from pathlib import Path
from typing import Iterator, NamedTuple

NS = 1_000_000_000
MAX_CAPTURED_BYTES = 1 << 26  # a length beyond it is damage, not a packet

PCAP_UNITS = {0xA1B2C3D4: 1_000, 0xA1B23C4D: 1}  # magic -> nanoseconds a unit of the fraction
SECTION_HEADER, INTERFACE, OBSOLETE_PACKET, SIMPLE_PACKET, ENHANCED_PACKET = 0x0A0D0D0A, 1, 2, 3, 6
OPTION_END, OPTION_IF_NAME, OPTION_IF_TSRESOL, OPTION_IF_TSOFFSET = 0, 2, 9, 14


class Packet(NamedTuple):
    interface: str
    link_type: int
    time_ns: int
    length_bytes: int  # on the wire
    frame: bytes  # what was captured of it


class Interface(NamedTuple):
    name: str
    link_type: int
    units_per_second: int
    offset_s: int
    snap_length_bytes: int  # 0: without limit


def read_capture(path, on_damage=None) -> Iterator[Packet]:
    """Yields the packets; a cut or damaged tail ends the capture with on_damage(path, offset), else a note on stderr."""
    on_damage = on_damage or _print_damage
    data = _read_bytes(Path(path))
    if len(data) < 4:
        raise ValueError(f"{path} is no capture: it has {len(data)} bytes")
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return _read_pcapng(data, path, on_damage)
    for order in "<>":
        unit_ns = PCAP_UNITS.get(struct.unpack_from(order + "I", data)[0])
        if unit_ns:
            return _read_pcap(data, order, unit_ns, path, on_damage)
    raise ValueError(f"{path} is neither pcap nor pcapng: it starts with {data[:4].hex()}")


def _read_bytes(path: Path) -> bytes:
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dc", "--", str(path)], check=True, stdout=subprocess.PIPE).stdout
    return path.read_bytes()


def _print_damage(path, offset: int) -> None:
    print(f"{path}: cut or damaged at byte {offset}; what is before it counts", file=sys.stderr)


def _read_pcap(data: bytes, order: str, unit_ns: int, path, on_damage) -> Iterator[Packet]:
    if len(data) < 24:
        on_damage(path, 0)
        return
    minor_version, link_type = struct.unpack_from(order + "6xH12xI", data)
    link_type &= 0x03FFFFFF
    record = struct.Struct(order + "IIII")
    offset = 24
    while offset < len(data):
        if offset + record.size > len(data):
            return on_damage(path, offset)
        seconds, fraction, captured, length = record.unpack_from(data, offset)
        if minor_version < 3 or minor_version == 3 and captured > length:  # they changed places in version 2.3
            captured, length = length, captured
        begin = offset + record.size
        if captured > MAX_CAPTURED_BYTES or begin + captured > len(data):
            return on_damage(path, offset)
        yield Packet("if0", link_type, seconds * NS + fraction * unit_ns, length, data[begin : begin + captured])
        offset = begin + captured


def _read_pcapng(data: bytes, path, on_damage) -> Iterator[Packet]:
    order = "<"
    interfaces: list[Interface] = []  # of the section: each section numbers its own
    time_ns = 0
    offset = 0
    while offset < len(data):
        if offset + 12 > len(data):
            return on_damage(path, offset)
        if data[offset : offset + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[offset + 8 : offset + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, size = struct.unpack_from(order + "II", data, offset)
        if size < 12 or size % 4 or offset + size > len(data):
            return on_damage(path, offset)
        body = data[offset + 8 : offset + size - 4]
        if kind == INTERFACE:
            interfaces.append(_interface(body, order, len(interfaces)))
        elif kind in (ENHANCED_PACKET, OBSOLETE_PACKET):
            packet = _pcapng_packet(body, order, kind, interfaces)
        elif kind == SIMPLE_PACKET:
            packet = _simple_packet(body, order, interfaces, time_ns)
        if kind in (ENHANCED_PACKET, OBSOLETE_PACKET, SIMPLE_PACKET):
            if packet is None:
                return on_damage(path, offset)
            time_ns = packet.time_ns
            yield packet
        offset += size


def _interface(body: bytes, order: str, index: int) -> Interface:
    link_type, snap_length_bytes = struct.unpack_from(order + "H2xI", body)
    name, units_per_second, offset_s = f"if{index}", 1_000_000, 0
    at = 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + size]
        if code == OPTION_END:
            break
        if code == OPTION_IF_NAME and value.rstrip(b"\0"):
            name = value.rstrip(b"\0").decode("utf-8", "replace")
        elif code == OPTION_IF_TSRESOL and size == 1:
            units_per_second = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == OPTION_IF_TSOFFSET and size == 8:
            offset_s = struct.unpack(order + "q", value)[0]
        at += 4 + (size + 3) // 4 * 4
    return Interface(name, link_type, units_per_second, offset_s, snap_length_bytes)


def _pcapng_packet(body: bytes, order: str, kind: int, interfaces: list[Interface]):
    if len(body) < 20:
        return None
    number, high, low, captured, length = struct.unpack_from(order + "IIIII", body)
    if kind == OBSOLETE_PACKET:
        number = struct.unpack_from(order + "H", body)[0]
    if number >= len(interfaces) or 20 + captured > len(body):
        return None
    interface = interfaces[number]
    units = high << 32 | low
    time_ns = units * NS // interface.units_per_second + interface.offset_s * NS
    return Packet(interface.name, interface.link_type, time_ns, length, body[20 : 20 + captured])


def _simple_packet(body: bytes, order: str, interfaces: list[Interface], time_ns: int):
    """Of the first interface, and without a time: that of the packet before stands in for it."""
    if len(body) < 4 or not interfaces:
        return None
    length = struct.unpack_from(order + "I", body)[0]
    captured = min(length, interfaces[0].snap_length_bytes or length)
    if 4 + captured > len(body):
        return None
    return Packet(interfaces[0].name, interfaces[0].link_type, time_ns, length, body[4 : 4 + captured])
