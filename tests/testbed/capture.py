"""Captures the router's client-side interfaces and makes the cut, merged capture file of it."""

import io
import re
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import capfile
import headers
import processes

# Ethernet with two VLAN tags, the longest IPv4 header or IPv6 with extensions, the longest TCP header.
SNAPLEN_BYTES = 192
MAX_WIRE_BYTES = 1514
BUFFER_KIB = 8192


class Capture:
    """One tcpdump for each link, from entry to exit. Then `dropped` says what the kernel lost."""

    def __init__(self, namespace, links, folder):
        self._namespace, self._links, self._folder = namespace, links, Path(folder)
        self._processes, self.dropped = {}, None

    def __enter__(self):
        for link in self._links:
            self._processes[link] = processes.start_in(
                self._namespace, "tcpdump", "-i", link, "-n", "-s", SNAPLEN_BYTES, "-B", BUFFER_KIB, "-Z", "root",
                "--time-stamp-precision=nano", "-w", self.path(link), stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 10
        while not all(self.path(link).exists() for link in self._links):
            if time.monotonic() > deadline:
                self.__exit__()
                raise SystemExit("tcpdump did not start capturing within 10 s")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        for process in self._processes.values():
            process.send_signal(signal.SIGINT)
        reports = [process.communicate(timeout=20)[1] for process in self._processes.values()]
        self.dropped = sum(int(count) for report in reports
                           for count in re.findall(r"(\d+) packets? dropped", report))
        self._processes.clear()

    def path(self, link):
        return self._folder / f"{link}.pcap"


def cut(packet):
    return replace(packet, data=packet.data[:headers.parse(packet.data).length])


def merge(paths, start_ns, end_ns):
    """The packets of all files in [start_ns, end_ns), cut, in time order; a file's index is its interface."""
    packets = [cut(packet) for interface, path in enumerate(paths)
               for packet in capfile.read_pcap(path, interface) if start_ns <= packet.time_ns < end_ns]
    longest_bytes = max((packet.wire_bytes for packet in packets), default=0)
    if longest_bytes > MAX_WIRE_BYTES:
        raise SystemExit(f"a packet has {longest_bytes} bytes: an offload is still on (ethtool -k)")
    if not packets:
        raise SystemExit("nothing was captured: see whether the segments' programs run")
    return sorted(packets, key=lambda packet: packet.time_ns)


def write_compressed(path, links, packets):
    with open(path, "wb") as target:
        zstd = subprocess.Popen(["zstd", "-19", "--quiet", "--stdout"], stdin=subprocess.PIPE, stdout=target)
        with zstd.stdin:
            capfile.write_pcapng(zstd.stdin, links, SNAPLEN_BYTES, packets)
        if zstd.wait():
            raise SystemExit(f"zstd failed on {path}")


def read_compressed(path):
    zstd = subprocess.run(["zstd", "-dc", path], check=True, capture_output=True)
    return capfile.read_pcapng(io.BytesIO(zstd.stdout))
