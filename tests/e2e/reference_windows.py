#!/usr/bin/python3
"""Computes a capture's windows a second time, from docs/features.md and from nothing of the product.

Golden tests compare flowcast-features with what this prints: a JSON line a window and link, sorted by link and start,
    {"link": "SOURCE/IFNAME", "start_ns": 0, "partial": true, "features": {"packets": 1.0, ...}}

What docs/features.md leaves open is decided here so:
- the whole capture is known before the first window, so no packet is late, whatever the order of its times;
- where times go back, a link begins and its source begins and ends at the earliest and latest time;
- a source that begins exactly at a window's start leaves that window whole, unless it also ends in it;
- a header that was not captured, or that does not make sense, leaves ports 0 and SYN unset behind IP, and "without IP"
  before it; bytes behind the end that the IP header states are not part of the packet.
"""

import argparse
import ipaddress
import json
import math
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reference_capture import NS, read_capture
from reference_decode import ICMP, ICMP6, TCP, UDP, WITH_PORTS, Decoder
from reference_flows import ACK, BROADCAST, FIN, MULTICAST, RST, SYN, Flows, details_of

DAY_S = 86_400
HOME_NET = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
BURST_GAP_NS = 1_000_000
MOST_WINDOWS = 5_000_000
EXACT_VALUES = 1_024
UNITS_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": NS, "m": 60 * NS, "h": 3_600 * NS}
CODES = {TCP: 1, UDP: 2, ICMP: 3, ICMP6: 3}
OTHER = 4


class HomeNet:
    """Tells whether an address, as its 4 or 16 bytes, is inside; remembers the answers."""

    def __init__(self, networks):
        self._networks = [ipaddress.ip_network(network) for network in networks]
        self._known = {}

    def __contains__(self, address: bytes) -> bool:
        if address not in self._known:
            parsed = ipaddress.ip_address(address)
            self._known[address] = any(parsed in network for network in self._networks)
        return self._known[address]


class Packet(NamedTuple):
    time_ns: int
    length: int
    header: object  # Header or None
    details: object
    seen: object


class Link:
    """The packets of one link, by the number of their window, each list in order of arrival."""

    def __init__(self):
        self.windows = defaultdict(list)  # number -> [Packet]


def compute_windows(path, window_ns, source=None, home_net=HOME_NET, burst_gap_ns=BURST_GAP_NS, decoder=None):
    """The windows of a capture as a list of dictionaries, sorted by link and start."""
    source = source or Path(path).name.split(".")[0]
    decoder = decoder or Decoder()
    links, first_ns, last_ns = _collect(path, window_ns, decoder)
    if not links:
        return []
    begun = first_ns // window_ns if first_ns % window_ns else None
    ended = last_ns // window_ns
    _refuse_too_many(links, ended, window_ns)
    home = HomeNet(home_net)
    result = []
    for name in sorted(links):
        windows = links[name].windows
        for number in range(min(windows), ended + 1):
            packets = windows.get(number)
            start_ns = number * window_ns
            features = _features(packets, window_ns, home, burst_gap_ns) if packets else _empty(window_ns)
            features.update(_calendar(start_ns))
            partial = number in (begun, ended)
            result.append({"link": f"{source}/{name}", "start_ns": start_ns, "partial": partial, "features": features})
    return result


def _collect(path, window_ns, decoder):
    links = defaultdict(Link)
    flows = Flows()
    first_ns, last_ns = math.inf, -math.inf
    for packet in read_capture(path):
        header = decoder.decode(packet.frame, packet.link_type)
        window = links[packet.interface].windows[packet.time_ns // window_ns]
        details = details_of(packet.frame, packet.link_type)
        seen = flows.take(packet.interface, packet.time_ns, header, details)
        window.append(Packet(packet.time_ns, packet.length_bytes, header, details, seen))
        first_ns = min(first_ns, packet.time_ns)
        last_ns = max(last_ns, packet.time_ns)
    return links, first_ns, last_ns


def _refuse_too_many(links, ended, window_ns):
    count = sum(ended - min(link.windows) + 1 for link in links.values())
    if count > MOST_WINDOWS:
        seconds = window_ns / NS
        raise ValueError(f"the capture spans {count} windows of {seconds} s, more than {MOST_WINDOWS}: take longer windows")


def _empty(window_ns) -> dict:
    features = dict.fromkeys(ALL_NAMES, 0.0)
    features["gap_mean"] = features["gap_p50"] = features["gap_p95"] = window_ns / NS
    features["uplink_downlink_ratio"] = 1.0
    return features


def _features(packets, window_ns, home, burst_gap_ns) -> dict:
    """All features but those of the calendar of a window that has packets."""
    window_s = window_ns / NS
    n = len(packets)
    times = np.array([packet.time_ns for packet in packets], dtype=np.int64)
    lengths = np.array([packet.length for packet in packets], dtype=np.int64)
    gaps = np.maximum(np.diff(times), 0)
    total_bytes = int(lengths.sum())
    features = {
        "packets": float(n),
        "bytes": float(total_bytes),
        "size_mean": total_bytes / n,
        "size_std": float(np.std(lengths)),
        "gap_mean": float(np.mean(gaps)) / NS if n >= 2 else window_s,
        "jitter": float(np.std(gaps)) / NS if n >= 3 else 0.0,
        "packet_rate": n / window_s,
        "bit_rate": 8 * total_bytes / window_s,
        "burst_share": int(np.count_nonzero(gaps < burst_gap_ns)) / n,
    }
    for percent in (50, 95):
        features[f"size_p{percent}"] = float(_percentile(lengths, percent, 10))
        features[f"gap_p{percent}"] = _percentile(gaps, percent, 7) / NS if n >= 2 else window_s
    features["size_min"], features["size_max"] = float(lengths.min()), float(lengths.max())
    headers = [packet.header for packet in packets]
    features.update(_protocols(headers))
    features.update(_endpoints([header for header in headers if header]))
    features.update(_directions(packets, home))
    features.update(_flows(packets, total_bytes))
    features.update(_tcp(packets))
    features.update(_classes(packets))
    return features


def _percentile(values, percent, bits) -> int:
    """Nearest rank; rounded to the middle of its bucket where there are many values."""
    rank = -(-len(values) * percent // 100)
    value = int(np.sort(values)[rank - 1])
    shift = max(value.bit_length() - bits - 1, 0)
    if len(values) <= EXACT_VALUES or shift == 0:
        return value
    return (value >> shift << shift) + (2**shift - 1) // 2


def _flows(packets, total_bytes) -> dict:
    starts, lasts, talkers = {}, {}, Counter()
    ip = [packet for packet in packets if packet.header]
    for packet in ip:
        flow = packet.header[:5]
        starts[flow] = max(starts.get(flow, packet.seen.started_ns), packet.seen.started_ns)
        lasts[flow] = max(lasts.get(flow, packet.time_ns), packet.time_ns)
        talkers[packet.header.source] += packet.length
    durations = [max(lasts[flow] - starts[flow], 0) for flow in starts]
    return {
        "new_flows": float(sum(packet.seen.begins for packet in ip)),
        "flow_duration_mean": float(np.mean(durations)) / NS if durations else 0.0,
        "flow_packets_mean": len(ip) / len(starts) if starts else 0.0,
        "top_talker_share": max(talkers.values(), default=0) / max(total_bytes, 1),
    }


def _tcp(packets) -> dict:
    tcp = [packet for packet in packets if packet.header and packet.header.protocol == TCP]
    flags = np.array([packet.details.flags for packet in tcp], dtype=np.int64)
    waiting, trips = {}, []
    for packet in tcp:
        source, destination, protocol, source_port, destination_port = packet.header[:5]
        if packet.details.flags & (SYN | ACK) == SYN:
            flow = (source, destination, source_port, destination_port)
            waiting[flow] = None if packet.seen.repeats else packet.time_ns
        elif packet.details.flags & SYN and not packet.seen.repeats:
            since = waiting.pop((destination, source, destination_port, source_port), None)
            if since is not None:
                trips.append(max(packet.time_ns - since, 0))
    return {
        "syn": float(np.count_nonzero(flags & (SYN | ACK) == SYN)),
        "syn_ack": float(np.count_nonzero(flags & (SYN | ACK) == SYN | ACK)),
        "rst": float(np.count_nonzero(flags & RST)),
        "fin": float(np.count_nonzero(flags & FIN)),
        "retransmission_share": sum(packet.seen.repeats for packet in tcp) / len(tcp) if tcp else 0.0,
        "tcp_rtt": float(np.mean(trips)) / NS if trips else 0.0,
    }


def _classes(packets) -> dict:
    n = len(packets)
    dscp = np.array([packet.details.traffic_class >> 2 for packet in packets if packet.header])
    share = lambda values: float(np.mean(np.isin(dscp, values))) if len(dscp) else 0.0
    found = {
        "dscp_best_effort_share": share([0]),
        "dscp_assured_share": share([10, 12, 14, 18, 20, 22, 26, 28, 30, 34, 36, 38]),
        "dscp_expedited_share": share([46]),
        "dscp_class_selector_share": share([8, 16, 24, 32, 40, 48, 56]),
    }
    found["dscp_other_share"] = 1 - sum(found.values()) if len(dscp) else 0.0
    found["ipv6_share"] = sum(packet.details.version == 6 for packet in packets) / n
    found["broadcast_share"] = sum(packet.details.cast == BROADCAST for packet in packets) / n
    found["multicast_share"] = sum(packet.details.cast == MULTICAST for packet in packets) / n
    return found


def _protocols(headers) -> dict:
    counts = Counter(CODES.get(header.protocol, OTHER) if header else OTHER for header in headers)
    n = len(headers)
    tcp = [header for header in headers if header and header.protocol == TCP]
    return {
        "tcp_share": counts[1] / n,
        "udp_share": counts[2] / n,
        "icmp_share": counts[3] / n,
        "other_share": counts[OTHER] / n,
        "dominant_protocol": float(min(counts, key=lambda code: (-counts[code], code))),
        "syn_share": sum(header.opens for header in tcp) / len(tcp) if tcp else 0.0,
    }


def _endpoints(headers) -> dict:
    """Of the IP packets."""
    with_ports = [header for header in headers if header.protocol in WITH_PORTS]
    return {
        "source_port_entropy": _entropy([header.source_port for header in with_ports]),
        "destination_port_entropy": _entropy([header.destination_port for header in with_ports]),
        "flows": float(len({header[:5] for header in headers})),
        "sources": float(len({header.source for header in headers})),
        "destinations": float(len({header.destination for header in headers})),
    }


def _entropy(values) -> float:
    """Shannon's, in bits."""
    if not values:
        return 0.0
    _, counts = np.unique(np.array(values), return_counts=True)
    p = np.sort(counts) / len(values)
    return abs(float(np.sum(p * np.log2(p))))


def _directions(packets, home) -> dict:
    found = dict.fromkeys(("uplink_packets", "uplink_bytes", "downlink_packets", "downlink_bytes"), 0.0)
    for packet in packets:
        if not packet.header:
            continue
        inside = packet.header.source in home
        if inside == (packet.header.destination in home):
            continue
        way = "uplink" if inside else "downlink"
        found[f"{way}_packets"] += 1
        found[f"{way}_bytes"] += packet.length
    found["uplink_downlink_ratio"] = (found["uplink_bytes"] + 1) / (found["downlink_bytes"] + 1)
    return found


def _calendar(start_ns) -> dict:
    days, ns = divmod(start_ns, DAY_S * NS)
    hour = 2 * math.pi * (ns / NS) / DAY_S
    weekday = 2 * math.pi * ((days + 3) % 7) / 7  # 1 January 1970 was a Thursday
    return {
        "hour_sin": math.sin(hour),
        "hour_cos": math.cos(hour),
        "weekday_sin": math.sin(weekday),
        "weekday_cos": math.cos(weekday),
    }


NAMES = (
    "packets bytes size_mean size_std gap_mean jitter packet_rate bit_rate burst_share tcp_share udp_share icmp_share "
    "other_share dominant_protocol source_port_entropy destination_port_entropy flows sources destinations syn_share "
    "uplink_downlink_ratio hour_sin hour_cos weekday_sin weekday_cos"
).split()
ALL_NAMES = NAMES + (
    "size_min size_max size_p50 size_p95 gap_p50 gap_p95 new_flows flow_duration_mean flow_packets_mean top_talker_share "
    "syn syn_ack rst fin retransmission_share tcp_rtt dscp_best_effort_share dscp_assured_share dscp_expedited_share "
    "dscp_class_selector_share dscp_other_share ipv6_share broadcast_share multicast_share uplink_packets uplink_bytes "
    "downlink_packets downlink_bytes"
).split()


def duration_ns(text: str) -> int:
    number = text.rstrip("nsumh")
    unit = text[len(number) :]
    if not number.isdecimal() or unit not in UNITS_NS or int(number) == 0:
        raise argparse.ArgumentTypeError(f"{text} is no duration: write 1s, 500ms or 5m")
    return int(number) * UNITS_NS[unit]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("capture", type=Path, help=".pcap, .pcapng, or .zst of either")
    parser.add_argument("--window", type=duration_ns, default=NS, metavar="LENGTH", help="such as 1s (default) or 500ms")
    parser.add_argument("--source", help="default: the file's name up to the first dot")
    parser.add_argument("--home-net", default=",".join(HOME_NET), metavar="CIDR,...", help="default: %(default)s")
    parser.add_argument("--burst-gap", type=duration_ns, default=BURST_GAP_NS, metavar="LENGTH", help="default: 1ms")
    options = parser.parse_args()
    decoder = Decoder()
    home_net = [network for network in options.home_net.split(",") if network]
    try:
        windows = compute_windows(
            options.capture, options.window, options.source, home_net, options.burst_gap, decoder
        )
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"reference_windows: {error}", file=sys.stderr)
        return 1
    for window in windows:
        window["features"] = {name: window["features"][name] for name in ALL_NAMES}
        print(json.dumps(window))
    print(f"IP packets decoded by dpkt: {decoder.by_dpkt}, by hand: {decoder.by_hand}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
