"""The labels beside the capture: which packets are which application, and when the bursts were."""

import json
from pathlib import Path

import addresses
import pattern


def read_events(folder, links):
    """The bursts as the segments played them, in time order."""
    events = []
    for link in links:
        path = Path(folder) / f"events-{link}.jsonl"
        if path.exists():
            events += [json.loads(line) for line in path.read_text("ascii").splitlines()]
    return sorted(events, key=lambda event: event["start"])


def packets_per_second(packets, interface, start_s, duration_s):
    """One count a second from start_s, an epoch second."""
    counts = [0] * int(duration_s)
    for packet in packets:
        second = packet.time_ns // 10**9 - start_s
        if packet.interface == interface and 0 <= second < len(counts):
            counts[second] += 1
    return counts


def make(links, packets, events, start_s, duration_s, seed):
    rates = {link: packets_per_second(packets, interface, start_s, duration_s)
             for interface, link in enumerate(links)}
    bursts = []
    for event in events:
        first, last = int(event["start"] - start_s), int(event["end"] - start_s)
        bursts.append({"link": event["link"], "kind": event["kind"],
                       "start": round(event["start"], 3), "end": round(event["end"], 3),
                       "peak_packets_per_s": max(rates[event["link"]][first:last + 1], default=0)})
    return {"start": start_s, "duration_s": duration_s, "period_s": pattern.PERIOD_S, "seed": seed,
            "links": [{"name": link, "home_networks": addresses.home_networks(link)} for link in links],
            "applications": addresses.applications(links), "bursts": bursts}


def application_of(headers, applications):
    """The name of the application a packet belongs to; None for the network's own (ARP, neighbours)."""
    for application in applications:
        if headers.protocol != application["protocol"]:
            continue
        for address, port in ((headers.source, headers.source_port), (headers.target, headers.target_port)):
            if address in application["addresses"] and (not application["ports"] or port in application["ports"]):
                return application["name"]
    return None
