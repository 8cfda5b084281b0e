#!/usr/bin/python3
"""Tests of the testbed's pure parts: the cut, the capture file and the pattern. No root, no network."""

import io
import struct
import unittest

import addresses
import capfile
import capture
import headers
import labels
import pattern

ETHERNET = bytes(12)
TCP_32_BYTES = struct.pack("!HHIIBBHHH", 40000, 443, 1, 1, 8 << 4, 0x10, 64, 0, 0) + bytes(12)
UDP = struct.pack("!HHHH", 40000, 53, 108, 0)
PAYLOAD = b"payload" * 10


def ipv4(protocol, rest, options=b"", fragment_offset=0):
    header = struct.pack("!BBHHHBBH", 0x40 | (5 + len(options) // 4), 0, 0, 0, fragment_offset, 64, protocol, 0)
    return ETHERNET + b"\x08\x00" + header + bytes([10, 1, 0, 11]) + bytes([198, 18, 0, 53]) + options + rest


def ipv6(next_header, rest):
    return ETHERNET + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(rest), next_header, 64) + bytes(32) + rest


class CutTest(unittest.TestCase):
    def assert_cut_off(self, frame, payload=PAYLOAD):
        self.assertEqual(headers.parse(frame).length, len(frame) - len(payload))

    def test_tcp_keeps_its_options(self):
        self.assert_cut_off(ipv4(6, TCP_32_BYTES + PAYLOAD))

    def test_ipv4_keeps_its_options(self):
        self.assert_cut_off(ipv4(17, UDP + PAYLOAD, options=bytes(8)))

    def test_ipv6_keeps_its_extension_headers(self):
        self.assert_cut_off(ipv6(0, bytes([17, 0]) + bytes(6) + UDP + PAYLOAD))

    def test_a_vlan_tag_moves_the_cut(self):
        frame = ipv4(17, UDP + PAYLOAD)
        self.assert_cut_off(frame[:12] + b"\x81\x00\x00\x07" + frame[12:])

    def test_a_later_fragment_has_no_transport_header(self):
        self.assert_cut_off(ipv4(17, PAYLOAD, fragment_offset=100))

    def test_arp_is_kept_whole(self):
        self.assert_cut_off(ETHERNET + b"\x08\x06" + bytes(28), payload=b"")

    def test_a_cut_packet_keeps_its_wire_length_and_its_ends(self):
        cut = capture.cut(capfile.Packet(1, 0, 1514, ipv4(17, UDP + PAYLOAD)))
        self.assertEqual((cut.wire_bytes, len(cut.data)), (1514, 42))
        parsed = headers.parse(cut.data)
        self.assertEqual((parsed.source, parsed.target_port), ("10.1.0.11", 53))
        self.assertEqual(labels.application_of(parsed, addresses.applications(["office"])), "dns")


class CapfileTest(unittest.TestCase):
    def test_what_was_written_is_read_back(self):
        packets = [capfile.Packet(1_700_000_000_123_456_789, 1, 1514, b"odd"), capfile.Packet(2, 0, 60, bytes(60))]
        stream = io.BytesIO()
        capfile.write_pcapng(stream, ["office", "lab"], 192, packets)
        stream.seek(0)
        self.assertEqual(capfile.read_pcapng(stream), (["office", "lab"], packets))


class PatternTest(unittest.TestCase):
    def test_the_same_seed_gives_the_same_bursts(self):
        for profile in pattern.PROFILES.values():
            self.assertEqual(pattern.plan_bursts(profile, 1860, 7), pattern.plan_bursts(profile, 1860, 7))
            self.assertNotEqual(pattern.plan_bursts(profile, 1860, 7), pattern.plan_bursts(profile, 1860, 8))

    def test_bursts_of_a_link_are_apart_and_end_in_time(self):
        for profile in pattern.PROFILES.values():
            for seed in range(50):
                bursts = pattern.plan_bursts(profile, 1860, seed)
                for before, after in zip(bursts, bursts[1:]):
                    self.assertLess(before.end_s, after.start_s)
                self.assertLess(bursts[-1].end_s, 1860)

    def test_a_burst_ramps_up_stays_and_falls(self):
        burst = pattern.Burst("office", "backup", 100, 4, 6, 2, 700)
        shares = [burst.share_of_peak(at_s) for at_s in (99, 100, 102, 104, 110, 111, 112)]
        self.assertEqual(shares, [0, 0, 0.5, 1, 1, 0.5, 0])

    def test_the_intensity_is_periodic_around_one(self):
        intensity = pattern.Intensity(pattern.OFFICE, 1860, 7)
        quarter = pattern.PERIOD_S // 4
        crests = [intensity.at(quarter + period * pattern.PERIOD_S) for period in range(12)]
        troughs = [intensity.at(3 * quarter + period * pattern.PERIOD_S) for period in range(12)]
        self.assertGreater(min(crests), max(troughs))


if __name__ == "__main__":
    unittest.main()
