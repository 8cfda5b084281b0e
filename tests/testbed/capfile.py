"""Reads what tcpdump wrote and writes and reads the demo's pcapng. Little-endian, nanoseconds, Ethernet."""

import struct
from dataclasses import dataclass

PCAP_NANOSECONDS_MAGIC = 0xA1B23C4D
SECTION_HEADER, INTERFACE_DESCRIPTION, ENHANCED_PACKET = 0x0A0D0D0A, 1, 6
BYTE_ORDER_MAGIC = 0x1A2B3C4D
LINKTYPE_ETHERNET = 1
OPTION_END, OPTION_USER_APPLICATION, OPTION_IF_NAME, OPTION_IF_TSRESOL = 0, 4, 2, 9
NANOSECONDS_EXPONENT = 9


@dataclass(frozen=True)
class Packet:
    time_ns: int
    interface: int
    wire_bytes: int
    data: bytes


def read_pcap(path, interface):
    """The packets of a nanosecond pcap file; a record cut off at the end is left out."""
    with open(path, "rb") as stream:
        magic, *_ = struct.unpack("<IHHiIII", stream.read(24))
        if magic != PCAP_NANOSECONDS_MAGIC:
            raise ValueError(f"{path} is not a little-endian nanosecond pcap file")
        while len(header := stream.read(16)) == 16:
            seconds, nanoseconds, captured_bytes, wire_bytes = struct.unpack("<IIII", header)
            data = stream.read(captured_bytes)
            if len(data) == captured_bytes:
                yield Packet(seconds * 10**9 + nanoseconds, interface, wire_bytes, data)


def write_pcapng(stream, interface_names, snaplen_bytes, packets):
    section = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1)
    stream.write(_block(SECTION_HEADER, section + _options((OPTION_USER_APPLICATION, b"flowcast testbed"))))
    for name in interface_names:
        stream.write(_block(INTERFACE_DESCRIPTION, struct.pack("<HHI", LINKTYPE_ETHERNET, 0, snaplen_bytes) + _options(
            (OPTION_IF_NAME, name.encode()), (OPTION_IF_TSRESOL, bytes([NANOSECONDS_EXPONENT])))))
    for packet in packets:
        fixed = struct.pack("<IIIII", packet.interface, packet.time_ns >> 32, packet.time_ns & 0xFFFFFFFF,
                            len(packet.data), packet.wire_bytes)
        stream.write(_block(ENHANCED_PACKET, fixed + _padded(packet.data)))


def read_pcapng(stream):
    """Interface names, then the packets, of a file that write_pcapng wrote."""
    names, packets = [], []
    while len(header := stream.read(8)) == 8:
        kind, length = struct.unpack("<II", header)
        body = stream.read(length - 8)[:-4]
        if kind == INTERFACE_DESCRIPTION:
            names.append(_find_option(body[8:], OPTION_IF_NAME).decode())
        elif kind == ENHANCED_PACKET:
            interface, high, low, captured_bytes, wire_bytes = struct.unpack_from("<IIIII", body)
            packets.append(Packet(high << 32 | low, interface, wire_bytes, body[20:20 + captured_bytes]))
    return names, packets


def _padded(data):
    return data + bytes(-len(data) % 4)


def _options(*options):
    written = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return written + struct.pack("<HH", OPTION_END, 0)


def _block(kind, body):
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _find_option(options, wanted):
    at = 0
    while at + 4 <= len(options):
        code, length = struct.unpack_from("<HH", options, at)
        if code == wanted:
            return options[at + 4:at + 4 + length]
        at += 4 + length + -length % 4
    return b""
