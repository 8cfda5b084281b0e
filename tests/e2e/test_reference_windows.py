"""The reference computation over tiny captures whose windows were worked out by hand."""

import json
import math
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import library

library("dpkt")
library("numpy")

import reference_windows
from reference_capture import read_capture
from reference_decode import Decoder, Header, decode_by_dpkt, decode_by_hand
from reference_windows import NS, compute_windows

MONDAY = 1_704_067_200 * NS  # 2024-01-01 00:00:00 UTC
MS = 1_000_000
A, B, OUT = b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02", b"\x08\x08\x08\x08"
A6, B6 = bytes.fromhex("fd" + "00" * 14 + "01"), bytes.fromhex("2001" + "00" * 13 + "02")
SYN, ACK = 2, 16


def ether(ether_type, payload):
    return bytes(12) + struct.pack(">H", ether_type) + payload


def ip4(protocol, payload, source=A, destination=OUT, fragment=0, options=b""):
    first, total = 0x45 + len(options) // 4, 20 + len(options) + len(payload)
    return struct.pack(">BBHHHBBH", first, 0, total, 0, fragment, 64, protocol, 0) + source + destination + options + payload


def ip6(next_header, payload, source=A6, destination=B6):
    return struct.pack(">IHBB", 6 << 28, len(payload), next_header, 64) + source + destination + payload


def tcp(source_port, destination_port, flags):
    return struct.pack(">HHIIBBHHH", source_port, destination_port, 1, 2, 5 << 4, flags, 100, 0, 0)


def udp(source_port, destination_port):
    return struct.pack(">HHHH", source_port, destination_port, 8, 0)


def pcap(packets, order="<", magic=0xA1B23C4D, unit_ns=1, link_type=1):
    """packets: (time_ns, frame) or (time_ns, frame, length on the wire)."""
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)]
    for at, frame, *length in packets:
        wire = length[0] if length else len(frame)
        out.append(struct.pack(order + "IIII", at // NS, at % NS // unit_ns, len(frame), wire) + frame)
    return b"".join(out)


def block(order, kind, body):
    size = len(body) + 12
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order, *options, link_type=1):
    body = struct.pack(order + "HHI", link_type, 0, 0)
    return block(order, 1, body + b"".join(option(order, *each) for each in options) + option(order, 0, b""))


def enhanced(order, number, units, frame):
    head = struct.pack(order + "IIIII", number, units >> 32, units & 0xFFFFFFFF, len(frame), len(frame))
    return block(order, 6, head + frame + bytes(-len(frame) % 4))


@pytest.fixture
def windows_of(tmp_path):
    def compute(data, window_ns=NS, **options):
        path = tmp_path / "site.pcap"
        path.write_bytes(data)
        return compute_windows(path, window_ns, **options)

    return compute


@pytest.fixture
def features_of(windows_of):
    """The features of the only window that the packets fall into."""

    def compute(packets, **options):
        [window] = windows_of(pcap(packets), **options)
        return window["features"]

    return compute


def udp_frame(source_port=1, destination_port=2, **ip):
    return ether(0x0800, ip4(17, udp(source_port, destination_port), **ip))


FRAME = udp_frame()  # 42 bytes


def test_every_feature_of_a_window_worked_out_by_hand(features_of):
    found = features_of(
        [
            (MONDAY, ether(0x0800, ip4(6, tcp(1000, 80, SYN))), 100),
            (MONDAY + 500_000, ether(0x0800, ip4(6, tcp(80, 1000, SYN | ACK), source=OUT, destination=A)), 300),
            (MONDAY + 2_500_000, ether(0x0800, ip4(17, udp(1000, 53))), 200),
            (MONDAY + 3_500_000, ether(0x0806, bytes(28)), 200),
        ]
    )
    # gaps 0.5, 2 and 1 ms: mean 7/6 ms, variance (16 + 25 + 1)/36/3 = 7/18 ms^2
    assert found == pytest.approx(
        {
            "packets": 4,
            "bytes": 800,
            "size_mean": 200,
            "size_std": math.sqrt((100**2 + 100**2) / 4),
            "gap_mean": 3.5e-3 / 3,
            "jitter": math.sqrt(7 / 18) * 1e-3,
            "packet_rate": 4,
            "bit_rate": 6400,
            "burst_share": 1 / 4,  # the gap of 1 ms is not shorter than 1 ms
            "tcp_share": 2 / 4,
            "udp_share": 1 / 4,
            "icmp_share": 0,
            "other_share": 1 / 4,
            "dominant_protocol": 1,
            "source_port_entropy": -(2 / 3 * math.log2(2 / 3) + 1 / 3 * math.log2(1 / 3)),
            "destination_port_entropy": math.log2(3),
            "flows": 3,
            "sources": 2,
            "destinations": 2,
            "syn_share": 1 / 2,
            "uplink_downlink_ratio": 301 / 301,
            "hour_sin": 0,
            "hour_cos": 1,
            "weekday_sin": 0,
            "weekday_cos": 1,
            "size_min": 100,
            "size_max": 300,
            "size_p50": 200,
            "size_p95": 300,
            "gap_p50": 1e-3,
            "gap_p95": 2e-3,
            "new_flows": 3,
            "flow_duration_mean": (0 + 500_000 + 500_000) / 3 / NS,  # starts are whole milliseconds, rounded down
            "flow_packets_mean": 1,
            "top_talker_share": 300 / 800,  # both flows of A together
            "syn": 1,
            "syn_ack": 1,
            "rst": 0,
            "fin": 0,
            "retransmission_share": 0,
            "tcp_rtt": 5e-4,
            "dscp_best_effort_share": 1,
            "dscp_assured_share": 0,
            "dscp_expedited_share": 0,
            "dscp_class_selector_share": 0,
            "dscp_other_share": 0,
            "ipv6_share": 0,
            "broadcast_share": 0,
            "multicast_share": 0,
            "uplink_packets": 2,
            "uplink_bytes": 300,
            "downlink_packets": 1,
            "downlink_bytes": 300,
        },
        rel=1e-12,
        abs=1e-15,
    )


def test_the_features_are_those_of_the_page(features_of):
    page = (Path(__file__).parents[2] / "docs" / "features.md").read_text()
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert [row[2].strip(" `") for row in rows] == reference_windows.ALL_NAMES
    assert set(features_of([(MONDAY, FRAME)])) == set(reference_windows.ALL_NAMES)


def test_one_packet_has_no_gaps_and_two_no_jitter(features_of):
    assert features_of([(MONDAY, FRAME)], window_ns=5 * NS)["gap_mean"] == 5
    found = features_of([(MONDAY, FRAME), (MONDAY + MS, FRAME)])
    assert (found["gap_mean"], found["jitter"]) == (1e-3, 0)


def test_a_gap_that_goes_back_is_nought(features_of):
    found = features_of([(MONDAY + 4 * MS, FRAME), (MONDAY + MS, FRAME), (MONDAY + 3 * MS, FRAME)])
    assert found["gap_mean"] == pytest.approx(1e-3)  # (0 + 2 ms) / 2
    assert found["burst_share"] == pytest.approx(1 / 3)


def test_the_burst_gap_and_the_home_net_can_be_set(features_of):
    packets = [(MONDAY, FRAME), (MONDAY + MS, FRAME)]
    assert features_of(packets, burst_gap_ns=MS + 1)["burst_share"] == 0.5
    assert features_of(packets)["uplink_downlink_ratio"] == 85
    assert features_of(packets, home_net=["8.0.0.0/8"])["uplink_downlink_ratio"] == pytest.approx(1 / 85)
    assert features_of(packets, home_net=["8.0.0.0/8", "10.0.0.0/8"])["uplink_downlink_ratio"] == 1


def test_the_dominant_protocol_of_equals_is_the_lowest_code(features_of):
    ping = ether(0x0800, ip4(1, bytes(8)))
    found = features_of([(MONDAY, ether(0x0806, bytes(28))), (MONDAY, ping), (MONDAY, ping), (MONDAY, FRAME), (MONDAY, FRAME)])
    assert found["dominant_protocol"] == 2


def test_entropy_of_one_port_is_nought_and_never_minus_nought(features_of):
    assert math.copysign(1, features_of([(MONDAY, FRAME)])["source_port_entropy"]) == 1


def segment(sequence, payload=b"", flags=ACK, **ip):
    return ether(0x0800, ip4(6, struct.pack(">HHIIBBHHH", 1000, 80, sequence, 2, 5 << 4, flags, 100, 0, 0) + payload, **ip))


def share_sent_before(features_of, *frames):
    return features_of([(MONDAY + i * MS, frame) for i, frame in enumerate(frames)])["retransmission_share"] * len(frames)


def test_data_sent_before_are_told_from_new_ones_and_from_holes(features_of):
    data = b"x" * 10
    assert share_sent_before(features_of, segment(0, data), segment(10, data), segment(0, data)) == pytest.approx(1)
    assert share_sent_before(features_of, segment(0, data), segment(20, data), segment(10, data)) == 0
    assert share_sent_before(features_of, segment(0, data), segment(9, b"x")) == 0  # keeps the connection alive
    assert share_sent_before(features_of, segment(2**32 - 5, data), segment(5, data), segment(2**32 - 5, data)) == pytest.approx(1)


def test_a_flow_begins_anew_after_a_minute_and_with_another_syn(windows_of):
    times = [0, 59, 119, 178]
    found = windows_of(pcap([(MONDAY + at * NS, FRAME) for at in times]))
    assert [found[at]["features"]["new_flows"] for at in times] == [1, 0, 1, 0]
    assert found[178]["features"]["flow_duration_mean"] == 59
    syns = [segment(7, flags=SYN), segment(7, flags=SYN), segment(99, flags=SYN)]
    found = windows_of(pcap([(MONDAY + i * MS, frame) for i, frame in enumerate(syns)]))
    assert found[0]["features"]["new_flows"] == 2


def test_casts_go_by_ethernet_and_classes_by_ip(features_of):
    group = b"\x01\x00\x5e\x00\x00\x01" + FRAME[6:]
    everyone = b"\xff" * 6 + ether(0x0806, bytes(28))[6:]
    expedited = FRAME[:15] + b"\xb8" + FRAME[16:]
    found = features_of([(MONDAY, group), (MONDAY, everyone), (MONDAY, expedited), (MONDAY, FRAME)])
    assert (found["multicast_share"], found["broadcast_share"]) == (0.25, 0.25)
    assert found["dscp_expedited_share"] == pytest.approx(1 / 3)


def test_a_link_without_packets_has_empty_windows_to_the_end_of_its_source(windows_of):
    start = MONDAY + NS // 2
    found = windows_of(pcap([(start, FRAME), (start + 3 * NS, FRAME)]))
    assert [window["start_ns"] for window in found] == [MONDAY + i * NS for i in range(4)]
    assert [window["partial"] for window in found] == [True, False, False, True]
    assert [window["link"] for window in found] == ["site/if0"] * 4
    calendar = {"hour_sin", "hour_cos", "weekday_sin", "weekday_cos"}
    not_nought = {name: value for name, value in found[1]["features"].items() if value and name not in calendar}
    assert not_nought == {"gap_mean": 1.0, "gap_p50": 1.0, "gap_p95": 1.0, "uplink_downlink_ratio": 1.0}


def test_a_source_that_begins_at_a_windows_start_leaves_it_whole(windows_of):
    found = windows_of(pcap([(MONDAY, FRAME), (MONDAY + NS, FRAME)]))
    assert [window["partial"] for window in found] == [False, True]


def test_windows_of_half_a_second_start_at_halves(windows_of):
    found = windows_of(pcap([(MONDAY + 499_999_999, FRAME), (MONDAY + 500_000_000, FRAME)]), window_ns=NS // 2)
    assert [window["start_ns"] - MONDAY for window in found] == [0, NS // 2]
    assert found[1]["features"]["hour_sin"] == pytest.approx(math.sin(2 * math.pi * 0.5 / 86400))
    assert found[0]["features"]["bit_rate"] == 42 * 8 * 2


def test_the_calendar_knows_a_sunday_evening(features_of):
    found = features_of([(MONDAY - 6 * 3600 * NS, FRAME)])  # Sunday, 18:00
    assert (found["hour_sin"], found["hour_cos"]) == pytest.approx((-1, 0))
    assert found["weekday_sin"] == pytest.approx(math.sin(2 * math.pi * 6 / 7))


@pytest.mark.parametrize("order", "<>")
def test_each_interface_of_a_pcapng_file_is_a_link(windows_of, order):
    data = section(order) + interface(order, (2, b"wan"), (9, b"\x09")) + interface(order)
    data += enhanced(order, 0, MONDAY + 1, FRAME)
    data += enhanced(order, 1, (MONDAY + NS) // 1000, FRAME)
    data += enhanced(order, 0, MONDAY + 2 * NS, FRAME)
    found = windows_of(data, source="tap")
    assert [(window["link"], (window["start_ns"] - MONDAY) // NS, window["partial"]) for window in found] == [
        ("tap/if1", 1, False),
        ("tap/if1", 2, True),
        ("tap/wan", 0, True),
        ("tap/wan", 1, False),
        ("tap/wan", 2, True),
    ]


@pytest.mark.parametrize(
    "options, units, time_ns",
    [
        ([], 5, 5_000),
        ([(9, b"\x03")], 5, 5_000_000),
        ([(9, b"\x0c")], 5_999, 5),
        ([(9, b"\x81")], 3, 1_500_000_000),
        ([(14, struct.pack("<q", 7))], 1, 7_000_001_000),
    ],
)
def test_pcapng_times_follow_the_resolution_and_the_offset(tmp_path, options, units, time_ns):
    path = tmp_path / "x.pcapng"
    path.write_bytes(section("<") + interface("<", *options) + enhanced("<", 0, units, FRAME))
    assert [packet.time_ns for packet in read_capture(path)] == [time_ns]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("magic, unit_ns", [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_pcap_of_either_byte_order_and_unit(tmp_path, order, magic, unit_ns):
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap([(MONDAY + 123_000, FRAME, 1500)], order, magic, unit_ns))
    assert list(read_capture(path)) == [("if0", 1, MONDAY + 123_000, 1500, FRAME)]


def test_a_cut_file_counts_up_to_the_cut_and_says_so(windows_of, capsys):
    data = pcap([(MONDAY, FRAME), (MONDAY, FRAME)])
    [window] = windows_of(data[:-1])
    assert window["features"]["packets"] == 1
    assert "cut or damaged at byte 82" in capsys.readouterr().err


def test_what_is_no_capture_is_refused(windows_of):
    with pytest.raises(ValueError, match="neither pcap nor pcapng"):
        windows_of(b"GIF89a")


def test_a_capture_without_packets_has_no_windows(windows_of):
    assert windows_of(pcap([])) == []


def test_a_jump_of_years_is_refused_with_a_remedy(windows_of):
    with pytest.raises(ValueError, match="take longer windows"):
        windows_of(pcap([(0, FRAME), (MONDAY, FRAME)]))


PACKET = ip4(6, tcp(1000, 80, SYN))
OPENING = Header(A, OUT, 6, 1000, 80, True)
OPENING6 = Header(A6, B6, 6, 1000, 80, True)
FIRST6 = b"\x06\0\0\x01" + bytes(4)
LATER6 = b"\x06\0\0\x08" + bytes(4)
DECODED = {
    "plain": (ether(0x0800, PACKET), OPENING),
    "VLAN": (ether(0x8100, b"\0\x05\x08\0" + PACKET), OPENING),
    "QinQ": (ether(0x88A8, b"\0\x05\x81\0\0\x06\x08\0" + PACKET), OPENING),
    "three tags": (ether(0x88A8, b"\0\x05\x81\0\0\x06\x81\0\0\x07\x08\0" + PACKET), OPENING),
    "MPLS": (ether(0x8847, b"\0\x01\x00\x40\0\x02\x01\x40" + PACKET), OPENING),
    "MPLS, options": (ether(0x8847, b"\0\x02\x01\x40" + ip4(6, tcp(1000, 80, SYN), options=bytes(4))), OPENING),
    "MPLS, control word": (ether(0x8847, b"\0\x02\x01\x40" + bytes(4) + ether(0x0800, PACKET)), OPENING),
    "PPPoE": (ether(0x8864, b"\x11\0\0\x01\0\x2a\0\x21" + PACKET), OPENING),
    "PPPoE in VLAN": (ether(0x8100, b"\0\x05\x88\x64\x11\0\0\x01\0\x2a\0\x21" + PACKET), OPENING),
    "PPPoE discovery": (ether(0x8863, b"\x11\x09\0\0\0\0" + bytes(40)), None),
    "IPv4 options": (ether(0x0800, ip4(6, tcp(1000, 80, SYN), options=bytes(8))), OPENING),
    "first fragment": (ether(0x0800, ip4(6, tcp(1000, 80, SYN), fragment=0x2000)), OPENING),
    "later fragment": (ether(0x0800, ip4(6, tcp(1000, 80, SYN), fragment=7)), Header(A, OUT, 6, 0, 0, False)),
    "cut in TCP options": (ether(0x0800, PACKET[:20] + tcp(1000, 80, SYN)[:12] + b"\xa0" + tcp(1000, 80, SYN)[13:]), OPENING),
    "cut in TCP": (ether(0x0800, PACKET[:34]), OPENING),
    "cut behind the ports": (ether(0x0800, PACKET[:24]), Header(A, OUT, 6, 1000, 80, False)),
    "cut in the ports": (ether(0x0800, PACKET[:23]), Header(A, OUT, 6, 0, 0, False)),
    "cut in IP": (ether(0x0800, PACKET[:19]), None),
    "IP of version 5": (ether(0x0800, b"\x55" + PACKET[1:]), None),
    "IP header of 4 words": (ether(0x0800, b"\x44" + PACKET[1:]), None),
    "padding is no TCP": (ether(0x0800, ip4(6, b"") + bytes(26)), Header(A, OUT, 6, 0, 0, False)),
    "length 0, offloaded": (ether(0x0800, PACKET[:2] + b"\0\0" + PACKET[4:]), OPENING),
    "bad TCP offset": (ether(0x0800, PACKET[:32] + b"\x10" + PACKET[33:]), OPENING),
    "SCTP": (ether(0x0800, ip4(132, struct.pack(">HHII", 5, 6, 0, 0))), Header(A, OUT, 132, 5, 6, False)),
    "IP in IP": (ether(0x0800, ip4(4, PACKET, source=B)), Header(B, OUT, 4, 0, 0, False)),
    "GRE": (ether(0x0800, ip4(47, b"\0\0\x08\0" + PACKET)), Header(A, OUT, 47, 0, 0, False)),
    "IPv6": (ether(0x86DD, ip6(6, tcp(1000, 80, SYN))), OPENING6),
    "IPv6, hop by hop": (ether(0x86DD, ip6(0, b"\x06\0\x01\x04\0\0\0\0" + tcp(1000, 80, SYN))), OPENING6),
    "IPv6, destination of 16 bytes": (ether(0x86DD, ip6(60, b"\x06\x01\x01\x0c" + bytes(12) + tcp(1000, 80, SYN))), OPENING6),
    "IPv6, authentication": (ether(0x86DD, ip6(51, b"\x06\x04" + bytes(22) + tcp(1000, 80, SYN))), OPENING6),
    "IPv6, first fragment": (ether(0x86DD, ip6(44, FIRST6 + tcp(1000, 80, SYN))), OPENING6),
    "IPv6, later fragment": (ether(0x86DD, ip6(44, LATER6 + tcp(1000, 80, SYN))), Header(A6, B6, 6, 0, 0, False)),
    "IPv6, hop by hop and fragment": (
        ether(0x86DD, ip6(0, b"\x2c\0\x01\x04\0\0\0\0" + LATER6 + tcp(1000, 80, SYN))),
        Header(A6, B6, 6, 0, 0, False),
    ),
    "IPv6, ICMP": (ether(0x86DD, ip6(58, bytes(8))), Header(A6, B6, 58, 0, 0, False)),
    "IPv6, ESP": (ether(0x86DD, ip6(50, bytes(16))), Header(A6, B6, 50, 0, 0, False)),
    "IPv6, cut in an extension": (ether(0x86DD, ip6(0, b"\x06\0\x01")), Header(A6, B6, 0, 0, 0, False)),
    "ARP": (ether(0x0806, bytes(28)), None),
    "802.3 length": (ether(38, b"\xaa\xaa\x03\0\0\0\x08\0" + PACKET), OPENING),
    "nothing": (b"", None),
}


@pytest.mark.parametrize("name", DECODED)
def test_frames_are_decoded(name):
    frame, expected = DECODED[name]
    assert Decoder().decode(frame, 1) == expected
    assert decode_by_hand(frame, 1) == expected
    assert decode_by_dpkt(frame, 1) in (expected, None)


@pytest.mark.parametrize("name", DECODED)
def test_no_cut_of_a_frame_raises_and_both_decoders_agree(name):
    frame, _ = DECODED[name]
    for length in range(len(frame)):
        by_hand = decode_by_hand(frame[:length], 1)
        assert decode_by_dpkt(frame[:length], 1) in (by_hand, None)


@pytest.mark.parametrize(
    "link_type, head",
    [
        (101, b""),
        (12, b""),
        (228, b""),
        (0, b"\x02\0\0\0"),
        (0, b"\0\0\0\x02"),
        (108, b"\0\0\0\x02"),
        (113, bytes(14) + b"\x08\0"),
        (276, b"\x08\0" + bytes(18)),
        (9, b"\xff\x03\0\x21"),
    ],
)
def test_link_types_other_than_ethernet(link_type, head):
    assert Decoder().decode(head + PACKET, link_type) == OPENING


def test_dpkt_decodes_whole_frames_and_the_hand_only_the_others():
    decoder = Decoder()
    decoder.decode(DECODED["plain"][0], 1)
    decoder.decode(DECODED["cut in TCP"][0], 1)
    decoder.decode(DECODED["ARP"][0], 1)
    assert (decoder.by_dpkt, decoder.by_hand) == (1, 1)


@pytest.mark.skipif(not shutil.which("zstd"), reason="needs the zstd program")
def test_the_program_reads_zst_and_prints_json_lines(tmp_path):
    path = tmp_path / "office.2024.pcap.zst"
    data = pcap([(MONDAY + MS, FRAME), (MONDAY + 3 * NS, FRAME)])
    path.write_bytes(subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout)
    command = [sys.executable, reference_windows.__file__, str(path), "--window", "500ms", "--burst-gap", "2ms"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    windows = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(windows) == 7
    assert windows[0]["link"] == "office/if0"
    assert list(windows[0]["features"]) == reference_windows.ALL_NAMES
    assert "by dpkt: 2, by hand: 0" in run.stderr


def test_the_program_refuses_a_file_that_is_not_there():
    command = [sys.executable, reference_windows.__file__, "absent.pcap"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert "absent.pcap" in run.stderr


def test_180_000_packets_take_less_than_half_a_minute(tmp_path):
    frames = [udp_frame(port, 53) for port in range(1000)]
    path = tmp_path / "big.pcap"
    path.write_bytes(pcap([(MONDAY + i * MS, frames[i % 1000]) for i in range(180_000)]))
    begun = time.monotonic()
    windows = compute_windows(path, NS)
    assert time.monotonic() - begun < 30
    assert sum(window["features"]["packets"] for window in windows) == 180_000
