"""A live capture under load: a veth pair in a network namespace, tcpreplay at one end, flowcast-capture at the other.

Imported by bench/capture; needs root. The broker runs inside the namespace as well, so that everything shares the same
cores and nothing is relayed.
"""

import os
import re
import signal
import subprocess
import time
import uuid
from pathlib import Path

from setting import cpu_s

ROOT = Path(__file__).resolve().parent.parent
PORT = "39192"
NEAR, FAR = "watched", "far"
PATIENCE_S = 60


def measure(pcap, binaries, folder, pps=None, options=()):
    """Sends `pcap` past tcpdump, then past flowcast-capture of the folder `binaries` into a broker whose data go into `folder`.

    At top speed, or at `pps` packets a second. Gives live_sent, live_received, live_dropped, live_published,
    live_packets_per_s, live_cpu_cores (of the capture's process while packets were sent), live_cpu_ns_per_packet,
    live_peak_rss_mib, and tcpdump_sent, tcpdump_received, tcpdump_dropped, tcpdump_packets_per_s.
    """
    namespace = Namespace()
    broker = namespace.environment(Path(folder) / "kafka")
    try:
        result = tcpdump(namespace, pcap, pps)
        namespace.check(str(ROOT / "scripts/kafka"), "reset", env=broker)
        return result | capture(namespace, pcap, Path(binaries), pps, options)
    finally:
        namespace.run(str(ROOT / "scripts/kafka"), "stop", env=broker)
        namespace.delete()


class Namespace:
    """A network namespace with a veth pair, both ends silent by themselves."""

    def __init__(self):
        self.name = f"bench-{uuid.uuid4().hex[:8]}"
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")
        ip("-n", self.name, "link", "add", NEAR, "type", "veth", "peer", "name", FAR)
        for interface in (NEAR, FAR):
            self.check("sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{interface}/disable_ipv6")
            ip("-n", self.name, "link", "set", interface, "up")

    @staticmethod
    def environment(folder):
        return {**os.environ, "FLOWCAST_KAFKA_PORT": PORT, "FLOWCAST_KAFKA_DATA": str(folder)}

    def delete(self):
        ip("netns", "delete", self.name)

    def run(self, *command, **options):
        return subprocess.run(
            ["ip", "netns", "exec", self.name, *command], capture_output=True, text=True, timeout=300, **options
        )

    def check(self, *command, **options):
        done = self.run(*command, **options)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def start(self, *command):
        """What ip starts is what it becomes, so the process is the program itself."""
        return subprocess.Popen(["ip", "netns", "exec", self.name, *command], stderr=subprocess.PIPE, text=True)

    def has_packet_socket(self, process):
        with open(f"/proc/{process.pid}/net/packet", encoding="ascii") as table:
            return len(table.readlines()) > 1

    def await_capturing(self, process):
        wait_until(lambda: process.poll() is not None or self.has_packet_socket(process), "an open packet socket")
        if process.poll() is not None:
            raise RuntimeError(f"it ended: {process.stderr.read()}")

    def replay(self, pcap, pps):
        """(packets sent, seconds it took)."""
        speed = [f"--pps={pps}"] if pps else ["--topspeed"]
        said = self.check("tcpreplay", "-K", *speed, "-i", FAR, str(pcap))
        sent, seconds = re.search(r"Actual: (\d+) packets \(\d+ bytes\) sent in ([\d.]+) seconds", said).groups()
        return int(sent), float(seconds)


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"after {PATIENCE_S} s still not: {what}")
        time.sleep(0.05)


def peak_rss_mib(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))[1]) / 1024


def tcpdump(namespace, pcap, pps):
    listener = namespace.start("tcpdump", "-i", NEAR, "-w", "/dev/null", "-s", "96", "-B", "65536")
    namespace.await_capturing(listener)
    sent, seconds = namespace.replay(pcap, pps)
    time.sleep(1)  # its ring is handed over within its time-out
    listener.send_signal(signal.SIGINT)
    said = listener.communicate(timeout=PATIENCE_S)[1]
    return {
        "tcpdump_sent": sent,
        "tcpdump_received": int(re.search(r"(\d+) packets? captured", said)[1]),
        "tcpdump_dropped": int(re.search(r"(\d+) packets? dropped by kernel", said)[1]),
        "tcpdump_packets_per_s": round(sent / seconds),
    }


def capture(namespace, pcap, binaries, pps, options):
    brokers = ["--brokers", f"127.0.0.1:{PORT}"]
    namespace.check(str(binaries / "flowcast"), "topics", "create", *brokers)
    command = [str(binaries / "flowcast-capture"), "--interface", NEAR, "--source", "bench", *options, *brokers]
    process = namespace.start(*command)
    namespace.await_capturing(process)
    time.sleep(1)  # what it does to start is not what is measured
    before = cpu_s(process.pid)
    sent, seconds = namespace.replay(pcap, pps)
    wait_until(lambda: is_idle(process.pid), "the capture to have caught up")
    used, peak = cpu_s(process.pid) - before, peak_rss_mib(process.pid)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=PATIENCE_S)[1]
    parts = re.search(r"received ([\d,]+) = published ([\d,]+) \+ filtered [\d,]+ \+ dropped ([\d,]+)", said)
    if process.returncode != 0 or parts is None:
        raise RuntimeError(f"the capture failed:\n{said}")
    received, published, dropped = (int(part.replace(",", "")) for part in parts.groups())
    return {
        "live_sent": sent,
        "live_received": received,
        "live_published": published,
        "live_dropped": dropped,
        "live_packets_per_s": round(sent / seconds),
        "live_cpu_cores": round(used / seconds, 2),
        "live_cpu_ns_per_packet": round(used / sent * 1e9),
        "live_peak_rss_mib": round(peak),
    }


def is_idle(pid):
    """Whether it hardly computes any more."""
    before = cpu_s(pid)
    time.sleep(0.5)
    return cpu_s(pid) - before < 0.05
