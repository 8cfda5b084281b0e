"""The golden cases: what is sent, and the text that says what must come of it."""

import hashlib
import json
import random
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple, Optional

from exactly_once import Place
from support import DEMO, NS, REPO

GOLDEN = REPO / "tests" / "golden"
FEATURES = ("--window", "1s")
PARTITIONS = 8
CLEAR_WINDOWS = 2  # of each link, before its hash speaks for the rest
DEMO_PART_S = 300
DISORDER_SEED = 5
ENHANCED_PACKET = 6  # the kind of a pcapng block


class Case(NamedTuple):
    """A source of packets. Its name is the source's, so all cases can be sent at the same time."""

    name: str
    program: str
    arguments: tuple
    length_s: float  # of event time

    def command(self, lasting_s: float = 0, batch_packets: Optional[int] = None) -> tuple:
        """Paced so that it takes so long, or as fast as it can; a made-up case has batches as its pace gives them."""
        arguments = [*self.arguments, "--source", self.name]
        unit = "x" if self.program == "capture" else ""
        if lasting_s:
            arguments += ["--speed", f"{self.length_s / lasting_s:.3f}{unit}"]
        if batch_packets and self.program == "capture":
            arguments += ["--batch-packets", str(batch_packets)]
        return (self.program, *arguments)

    @property
    def path(self) -> Path:
        return GOLDEN / f"{self.name}.jsonl"


def bundled_cases(folder: Path) -> list[Case]:
    """Of what belongs to the repository: the bundled capture by interface, the same in disorder and by host, and a made-up
    stream."""
    order, disorder = folder / "order.pcapng", folder / "disorder.pcapng"
    before, packets = demo_blocks()
    order.write_bytes(before + b"".join(packets.values()))
    disorder.write_bytes(before + b"".join(delayed(packets)))
    generate = ("generate", "--links", "16", "--rate", "12", "--bursts-per-hour", "60", "--duration", "150s", "--seed", "11")
    return [
        Case("demo", "capture", ("--pcap", order), DEMO_PART_S),
        Case("late", "capture", ("--pcap", disorder, "--link-by", "host", "--home-net", "10.0.0.0/8"), DEMO_PART_S),
        Case("generated", "cli", generate, 150),
    ]


def corpus_cases(corpus: Path) -> list[Case]:
    """Of captures by others: an hour of a plug that is mostly silent, and a household's three minutes."""
    plug, household = corpus / "long" / "iot_plug.pcap.zst", corpus / "long" / "netml_demo.pcap.zst"
    return [
        Case("plug", "capture", ("--pcap", plug), 4096),
        Case("household", "capture", ("--pcap", household), 174),
    ]


def demo_blocks() -> tuple[bytes, dict]:
    """Of the first minutes of the bundled capture, which have all of its two links: what is before the packets, and the
    blocks of packets by their number and time."""
    assert DEMO.exists(), f"{DEMO} is missing: it belongs to the repository"
    whole = subprocess.run(["zstd", "-dc", str(DEMO)], check=True, stdout=subprocess.PIPE).stdout
    at, before, packets, end_ns = 0, b"", {}, None
    while at < len(whole):
        kind, size = struct.unpack_from("<II", whole, at)
        block = whole[at : at + size]
        at += size
        if kind != ENHANCED_PACKET:
            assert not packets, "something else between the packets"
            before += block
            continue
        high, low = struct.unpack_from("<II", block, 12)
        time_ns = high << 32 | low
        end_ns = end_ns or time_ns + DEMO_PART_S * NS
        if time_ns >= end_ns:
            break
        packets[(len(packets), time_ns)] = block
    return before, packets


def delayed(packets: dict) -> list[bytes]:
    """One in fifty comes up to three seconds later than it should: some are too late for their windows."""
    numbers = random.Random(DISORDER_SEED)
    arrivals = {place: place[1] + (numbers.randrange(3 * NS) if numbers.random() < 0.02 else 0) for place in packets}
    return [packets[place] for place in sorted(packets, key=lambda place: (arrivals[place], place))]


def send_all(flowcast, cases, lasting_s: float = 0, batch_packets: Optional[int] = None) -> list:
    """Starts them side by side."""
    return [flowcast.start(*case.command(lasting_s, batch_packets)) for case in cases]


def run_straight(flowcast, cases) -> None:
    """One instance, one case after the other."""
    for case in cases:
        flowcast.succeed(*case.command())
    flowcast.succeed("features", *FEATURES, "--exit-when-idle", "1s")


def of_case(found: dict, case: Case) -> dict:
    return {place: value for place, value in found.items() if place.link.startswith(case.name + "/")}


def render(found: dict, messages: dict, in_full: bool = False) -> str:
    """JSON lines: a link's counts and the hash of all of its lines, then its first windows and, for the first link, the
    first sequence. In full: all lines."""
    text = []
    links = sorted({place.link for place in found})
    for link in links:
        windows, sequences = (lines_of(found, messages, topic, link) for topic in ("windows", "sequences"))
        digest = hashlib.sha256("".join(windows + sequences).encode()).hexdigest()
        head = {"link": link, "windows": len(windows), "sequences": len(sequences), "sha256": digest}
        shown = 1 if link == links[0] else 0
        text += [to_line(head)]
        text += windows + sequences if in_full else windows[:CLEAR_WINDOWS] + sequences[:shown]
    return "".join(text)


def lines_of(found: dict, messages: dict, topic: str, link: str) -> list[str]:
    places = sorted(place for place in found if place.topic == topic and place.link == link)
    return [to_line(as_json(messages[topic].FromString(found[place]))) for place in places]


def to_line(value) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=False) + "\n"


def as_json(message) -> dict:
    """All fields in the order of their numbers, those that have their default too."""
    return {field.name: field_as_json(message, field) for field in message.DESCRIPTOR.fields}


def field_as_json(message, field):
    value = getattr(message, field.name)
    if field.label == field.LABEL_REPEATED:
        return [scalar_as_json(field, each) for each in value]
    return scalar_as_json(field, value)


def scalar_as_json(field, value):
    """Floats as few digits as give the same value back, doubles with 12: glibc's sin and log differ in the last bit between
    processors. A hash as people write it."""
    if field.type == field.TYPE_FLOAT:
        return float(f"{value:.9g}")
    if field.type == field.TYPE_DOUBLE:
        return float(f"{value:.12g}")
    if field.type == field.TYPE_FIXED64:
        return f"{value:016x}"
    if field.type == field.TYPE_MESSAGE:
        return as_json(value)
    return value
