#!/usr/bin/python3
"""Figures of a recorded capture: summary.py FILE.pcapng.zst [--seconds] prints them (and the rate of every second)."""

import argparse
import collections
import json
import statistics
from pathlib import Path

import capture
import headers
import labels


def labels_path_of(capture_path):
    return capture_path.with_name(capture_path.name.removesuffix(".pcapng.zst") + ".labels.json")


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def report(capture_path, labels_path):
    names, packets = capture.read_compressed(capture_path)
    made = json.loads(labels_path.read_text("ascii"))
    times = [packet.time_ns for packet in packets]
    wire_bytes = [packet.wire_bytes for packet in packets]
    print(f"file: {capture_path.stat().st_size} bytes, {capture_path.stat().st_size / len(packets):.1f} a packet")
    print(f"packets: {len(packets)} in {made['duration_s']} s, wire bytes: {sum(wire_bytes)}, "
          f"longest: {max(wire_bytes)}, in time order: {times == sorted(times)}")
    all_rates = [0] * made["duration_s"]
    for interface, name in enumerate(names):
        rates = labels.packets_per_second(packets, interface, made["start"], made["duration_s"])
        all_rates = [sum(pair) for pair in zip(all_rates, rates)]
        report_link(name, rates, [burst for burst in made["bursts"] if burst["link"] == name], made)
    report_rates("both", all_rates)
    report_applications(names, packets, made)


def report_rates(name, rates):
    print(f"{name}: mean {statistics.mean(rates):.1f} packets/s, median {statistics.median(rates):.0f}, "
          f"p95 {percentile(rates, 0.95)}, p99 {percentile(rates, 0.99)}, max {max(rates)}")


def report_link(name, rates, bursts, made):
    report_rates(name, rates)
    threshold = percentile(rates, 0.95)
    outside = set(range(len(rates)))
    for burst in bursts:
        first, last = (int(burst[edge] - made["start"]) for edge in ("start", "end"))
        outside -= set(range(first, last + 1))
        above = sum(rate > threshold for rate in rates[first:last + 1])
        print(f"  {burst['kind']:12} at {first:5} s for {last - first:3} s, peak {burst['peak_packets_per_s']}/s, "
              f"{above} s above the 95th percentile")
    stray = sum(rates[second] > threshold for second in outside)
    print(f"  outside of bursts: mean {statistics.mean(rates[second] for second in outside):.1f} packets/s, "
          f"{stray} s above the 95th percentile")


def report_applications(names, packets, made):
    counts, sizes = collections.Counter(), collections.Counter()
    ipv6 = 0
    for packet in packets:
        parsed = headers.parse(packet.data)
        key = (labels.application_of(parsed, made["applications"]) or f"other ({parsed.protocol})",
               names[packet.interface])
        counts[key] += 1
        sizes[key] += packet.wire_bytes
        ipv6 += ":" in (parsed.source or "")
    print(f"IPv6: {100 * ipv6 / len(packets):.1f} % of the packets")
    for name, link in sorted(counts):
        print(f"  {name:14} {link:7} {counts[name, link]:7} packets {100 * counts[name, link] / len(packets):5.1f} %  "
              f"{sizes[name, link]:10} bytes")


def print_seconds(capture_path, labels_path):
    names, packets = capture.read_compressed(capture_path)
    made = json.loads(labels_path.read_text("ascii"))
    rates = [labels.packets_per_second(packets, interface, made["start"], made["duration_s"])
             for interface in range(len(names))]
    for second, row in enumerate(zip(*rates)):
        print(f"{second:5} " + " ".join(f"{name} {rate:5} {'#' * (rate // 15):60}" for name, rate in zip(names, row)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("capture", type=Path)
    parser.add_argument("--seconds", action="store_true")
    arguments = parser.parse_args()
    report(arguments.capture, labels_path_of(arguments.capture))
    if arguments.seconds:
        print_seconds(arguments.capture, labels_path_of(arguments.capture))


if __name__ == "__main__":
    main()
