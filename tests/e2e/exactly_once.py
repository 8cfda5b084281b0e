"""What a reader of committed records sees, and how it differs from what a run without mishaps gives."""

from collections import defaultdict
from typing import NamedTuple

from support import OK, wait_until

TIMES = {"windows": "start_ns", "sequences": "end_ns"}  # of the topics' messages
# A successor takes over when its predecessor's session is over; the default is 6 s.
QUICK = ("--kafka", "session.timeout.ms=1500", "--kafka", "heartbeat.interval.ms=300")
FOLD = ("--window", "1s", *QUICK)


class Place(NamedTuple):
    """Whose window or sequence it is: there is one of each."""

    topic: str
    link: str
    time_ns: int


class Comparison(NamedTuple):
    """Places that are not as they should be; a record twice counts once, also when its values differ."""

    lost: list
    duplicated: list
    differing: list
    surplus: list

    def __bool__(self) -> bool:
        return any(self)

    def __str__(self) -> str:
        told = [f"{len(places)} {name}, among them {sorted(places)[:5]}" for name, places in zip(self._fields, self) if places]
        return "; ".join(told) or "the same"


def committed(flowcast) -> dict:
    """Every window and sequence: by its place the values, which are several when it is there more than once."""
    found = defaultdict(list)
    for topic, time_of in TIMES.items():
        for record in flowcast.records(topic):
            message = flowcast.messages[topic].FromString(record.value)
            found[Place(topic, message.link, getattr(message, time_of))].append(record.value)
    return dict(found)


def outputs(flowcast) -> dict:
    """Every window and sequence by its place; fails when one is there twice."""
    found = committed(flowcast)
    twice = [place for place, values in found.items() if len(values) > 1]
    assert not twice, f"{len(twice)} twice: {sorted(twice)[:5]}"
    return {place: values[0] for place, values in found.items()}


def compare(found: dict, straight: dict) -> Comparison:
    """What `committed` gives against what `outputs` gave of a run without mishaps."""
    both = found.keys() & straight.keys()
    return Comparison(
        lost=list(straight.keys() - found.keys()),
        duplicated=[place for place, values in found.items() if len(values) > 1],
        differing=[place for place in both if any(value != straight[place] for value in found[place])],
        surplus=list(found.keys() - straight.keys()),
    )


def send(flowcast, part, *arguments) -> None:
    """A capture file to its end; one that is cut says so with its exit code."""
    result = flowcast.run("capture", "--pcap", part, *arguments)
    assert "published" in result.err and "received" in result.err, result.err


def straight_run(flowcast, part) -> dict:
    """What a run without any mishap gives."""
    flowcast.create_topics()
    send(flowcast, part, "--batch-packets", "64")
    flowcast.succeed("features", *FOLD, "--exit-when-idle", "1s")
    found = outputs(flowcast)
    assert len(found) > 300
    return found


def count_of_windows(flowcast) -> int:
    return len(flowcast.records("windows"))


def wait_for_all(flowcast, straight, features, timeout_s: float = 40) -> None:
    def all_there():
        expect_alive([features])
        return len(flowcast.records("windows") + flowcast.records("sequences")) >= len(straight)

    wait_until(all_there, timeout_s, "all windows")
    found = outputs(flowcast)
    assert found.keys() == straight.keys()
    assert found == straight


class Follower:
    """Watches the windows as they are committed, by a kcat of its own."""

    def __init__(self, flowcast):
        self._running = flowcast.follow("windows", "%p %T\n")
        self._file = open(self._running.out_path, encoding="ascii")
        self._rest = ""
        self._count = 0
        self._newest = {}

    def _read(self) -> None:
        assert self._running.is_alive(), f"kcat has ended:\n{self._running.log}"
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        for line in lines:
            partition, produced_ms = map(int, line.split())
            self._newest[partition] = max(self._newest.get(partition, 0), produced_ms)
        self._count += len(lines)

    def count(self) -> int:
        self._read()
        return self._count

    def written_since(self, time_s: float) -> set[int]:
        """The partitions with windows that were written after that time and are committed."""
        self._read()
        return {partition for partition, produced_ms in self._newest.items() if produced_ms > time_s * 1000}

    def wait_for(self, count: int, services, timeout_s: float = 60) -> None:
        def is_there():
            expect_alive(services)
            return self.count() >= count

        wait_until(is_there, timeout_s, f"{count} windows")

    def close(self) -> None:
        self._running.kill()
        self._file.close()


def expect_none_failed(programs) -> None:
    """They run, or have come to their end: a capture may be through before a busy machine's services are."""
    for program in programs:
        assert program.is_alive() or program.finish().code == OK, f"{program.name} has failed:\n{program.log}"


def expect_alive(services) -> None:
    for service in services:
        assert service.is_alive(), f"{service.name} has ended:\n{service.log}"
