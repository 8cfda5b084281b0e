"""What the end-to-end tests share: programs run to their end or in the background, and what is on the topics."""

import contextlib
import importlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path
from typing import NamedTuple, Optional

import pytest

REPO = Path(__file__).resolve().parents[2]
DEMO = REPO / "tests" / "data" / "demo.pcapng.zst"
PROGRAMS = (
    "flowcast", "flowcast-lab", "flowcast-capture", "flowcast-features", "flowcast-trainer", "flowcast-inference",
    "flowcast-notifier",
)
NS = 1_000_000_000
OK, FAILED, USAGE, NO_BROKER = range(4)  # the documented exit codes
MUCH_OF_A_LOG = 4000  # characters
PREFIXES: list[str] = []  # of topics that were created and are deleted at the session's end


def skip_or_fail(reason: str) -> None:
    """What may be missing on a laptop must be there in CI."""
    if os.environ.get("FLOWCAST_REQUIRE_BROKER") == "1":
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)


def library(name: str):
    """A module from one of the packages in deploy/packages/test.txt."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return skip_or_fail(f"needs python3-{name}: run scripts/bootstrap")


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """Standard error without the lines of the log, which begin with a time."""
        return [line for line in self.err.splitlines() if not re.match(r"\d\d:\d\d:\d\d\.\d{3} ", line)]


class Record(NamedTuple):
    partition: int
    offset: int
    key: str
    value: bytes
    headers: dict


def wait_until(condition, timeout_s: float, what: str):
    """The condition's first true value; fails once the deadline has passed."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"after {timeout_s} s still not: {what}"
        time.sleep(0.02)


def get(url: str) -> str:
    """The body of what must be there."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def clean_environment() -> dict:
    """Without FLOWCAST_*, which would be options of the programs; services that run at once want no port unless asked."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLOWCAST_")}
    return kept | {"FLOWCAST_HTTP": "off"}


def environment_in(folder: Path) -> dict:
    """What programs keep of their own accord, they keep there."""
    return clean_environment() | {"STATE_DIRECTORY": str(folder / "state")}


def unused_port() -> int:
    """A port that is free, as is the next one, which scripts/kafka takes for the controller."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


class Running:
    """A program in the background, its standard error in a file."""

    def __init__(self, command, log: Path, environment=None):
        self.log_path = log
        self.out_path = log.with_suffix(".out")
        with open(log, "wb") as err, open(self.out_path, "wb") as out:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env=environment_in(log.parent) | (environment or {}),
            )
        self.name = Path(command[0]).name

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    @property
    def out(self) -> str:
        return self.out_path.read_text(errors="replace")

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def expect(self, pattern: str, timeout_s: float = 20) -> re.Match:
        """Waits for a line of its log; fails at once when the program ends without it."""

        def found():
            alive = self.is_alive()
            match = re.search(pattern, self.log)
            assert match or alive, f"{self.name} ended with {self._process.returncode}, no '{pattern}' in:\n{self.log}"
            return match

        return wait_until(found, timeout_s, f"'{pattern}' in the log of {self.name}")

    def finish(self, timeout_s: float = 60) -> Result:
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {timeout_s} s; its log:\n{self.log}") from None
        return Result(code, self.out, self.log)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def stop(self, timeout_s: float = 20) -> Result:
        if self.is_alive():
            self._process.send_signal(signal.SIGTERM)
        return self.finish(timeout_s)


class Flowcast:
    """The programs with topics of their own, under a prefix that nobody else has."""

    def __init__(self, binaries: Path, brokers: Optional[str], folder: Path, messages=None):
        self.binaries = binaries
        self.brokers = brokers
        self.folder = folder
        self.messages = messages
        self.prefix = f"t{uuid.uuid4().hex[:12]}."
        self._running: list[Running] = []

    def command(self, program: str, *arguments) -> list[str]:
        name = "flowcast" if program == "cli" else f"flowcast-{program}"
        given = [str(argument) for argument in arguments]
        common = [] if self.brokers is None or "--brokers" in given else ["--brokers", self.brokers]
        if "--prefix" not in given:
            common += ["--prefix", self.prefix]
        return [str(self.binaries / name), *given, *common]

    def run(self, program: str, *arguments, timeout_s: float = 60, stdin=subprocess.DEVNULL, user=None) -> Result:
        """To its end, whatever the exit code."""
        done = subprocess.run(
            self.command(program, *arguments), stdin=stdin, capture_output=True, timeout=timeout_s,
            env=environment_in(self.folder), user=user, group=user, extra_groups=None if user is None else [],
        )
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def succeed(self, program: str, *arguments, **options) -> Result:
        result = self.run(program, *arguments, **options)
        assert result.code == OK, f"{program} {arguments} ended with {result.code}:\n{result.err}"
        return result

    def start(self, program: str, *arguments, within=None, environment=None) -> Running:
        """In the background, if need be within a namespace."""
        command = self.command(program, *arguments)
        return self._launch(within.command(*command) if within else command, program, environment)

    def _launch(self, command, name: str, environment=None) -> Running:
        running = Running(command, self.folder / f"{len(self._running):03}-{name}.log", environment)
        self._running.append(running)
        return running

    def create_topics(self, partitions: int = 2) -> Result:
        PREFIXES.append(self.prefix)
        return self.succeed("cli", "topics", "create", "--partitions", partitions)

    def logs(self, name: str) -> list[str]:
        """Of all runs of a program in the background so far."""
        return [running.log for running in self._running if running.log_path.stem.endswith(f"-{name}")]

    def ends_of_logs(self) -> list[tuple[str, str]]:
        """Of every program in the background, the newest last: its name and what it said in the end."""
        return [(running.log_path.name, running.log[-MUCH_OF_A_LOG:]) for running in self._running]

    def close(self) -> None:
        """Ends what still runs, by process."""
        for running in self._running:
            if running.is_alive():
                running.kill()

    # What is on the topics.

    def records(self, topic: str) -> list[Record]:
        """All that a reader of committed records sees, partition by partition in order."""
        done = kcat(self.brokers, "-C", "-e", "-t", f"{self.prefix}{topic}.v1", "-f", "%p %o %K %S %h\n%k%s\n")
        return parse_records(done)

    def follow(self, topic: str, form: str) -> Running:
        """A kcat in the background that writes out committed records of a topic as they come."""
        command = [
            "kcat", "-C", "-q", "-u", "-X", "fetch.wait.max.ms=20", "-b", self.brokers,
            "-t", f"{self.prefix}{topic}.v1", "-f", form,
        ]
        return self._launch(command, "kcat")

    def read(self, topic: str) -> list:
        """The decoded messages of a topic."""
        kind = self.messages[topic]
        return [kind.FromString(record.value) for record in self.records(topic)]

    def send(self, topic: str, value: bytes, key: str = "", partition: int = 0) -> None:
        """A record as any other producer might send it."""
        path = self.folder / f"record-{uuid.uuid4().hex}"
        path.write_bytes(value)
        key_arguments = ["-k", key] if key else []
        kcat(self.brokers, "-P", "-t", f"{self.prefix}{topic}.v1", "-p", str(partition), *key_arguments, str(path))


@contextlib.contextmanager
def flowcast_of(binaries: Path, brokers: Optional[str], folder: Path, messages=None):
    flowcast = Flowcast(binaries, brokers, folder, messages)
    try:
        yield flowcast
    finally:
        flowcast.close()


def kcat(brokers: str, *arguments: str) -> bytes:
    # Only an empty answer says that the end is reached; one that waits longer than records take never is.
    # A node that was killed a moment ago may be asked first.
    quick = ["-m", "20", "-X", "fetch.wait.max.ms=10"]
    for attempts_left in (2, 1, 0):
        done = subprocess.run(
            ["kcat", "-q", *quick, "-b", brokers, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=60
        )
        away = b"brokers are down" in done.stderr or b"Failed to query metadata" in done.stderr
        if done.returncode == 0 or not away or "-P" in arguments or not attempts_left:
            break
        time.sleep(1)  # a broker that was started a moment ago
    assert done.returncode == 0, f"kcat {arguments}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def parse_records(data: bytes) -> list[Record]:
    """Of the format that Flowcast.records asks kcat for: a line of numbers, then key and value by their lengths."""
    records = []
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        partition, offset, key_size, value_size, headers = data[at:end].decode().split(" ", 4)
        key_end = end + 1 + max(int(key_size), 0)
        value_end = key_end + max(int(value_size), 0)
        key = data[end + 1 : key_end].decode(errors="replace")
        named = dict(part.split("=", 1) for part in headers.split(",") if part)
        records.append(Record(int(partition), int(offset), key, data[key_end:value_end], named))
        at = value_end + 1
    return sorted(records, key=lambda record: (record.partition, record.offset))


def load_messages(folder: Path) -> dict:
    """The protobuf classes by topic, generated into the folder from proto/."""
    sources = sorted((REPO / "proto").rglob("*.proto"))
    subprocess.run(["protoc", f"--proto_path={REPO / 'proto'}", f"--python_out={folder}", *map(str, sources)], check=True)
    sys.path.insert(0, str(folder))

    def module(name):
        return importlib.import_module(f"flowcast.v1.{name}_pb2")

    return {
        "packets": module("packets").PacketBatch,
        "windows": module("windows").Window,
        "sequences": module("windows").Sequence,
        "models": module("models").Model,
        "current": module("models").CurrentModel,
        "forecasts": module("forecasts").Forecast,
    }


def kafka(environment: dict, *arguments: str) -> str:
    """scripts/kafka; the environment names port and data folder."""
    kept = {name: value for name, value in os.environ.items() if name == "FLOWCAST_CACHE"}
    done = subprocess.run(
        [str(REPO / "scripts" / "kafka"), *arguments], env=clean_environment() | kept | environment,
        capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, f"scripts/kafka {arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def delete_topics(brokers: str) -> None:
    """Those of all tests together: one call instead of seconds after every test."""
    port = brokers.split(",")[0].rpartition(":")[2]
    if PREFIXES:
        kafka({"FLOWCAST_KAFKA_PORT": port}, "topics", "--delete", "--if-exists", "--topic", "(" + "|".join(PREFIXES) + ").*")


class Broker:
    """A broker of a test's own, that it may stop, kill and start again."""

    def __init__(self, port: int, folder: Path, advertised: Optional[str] = None):
        self.address = f"127.0.0.1:{port}"
        self._folder = folder
        self._environment = {"FLOWCAST_KAFKA_PORT": str(port), "FLOWCAST_KAFKA_DATA": str(folder)}
        if advertised:
            self._environment["FLOWCAST_KAFKA_ADVERTISED"] = advertised

    def __call__(self, *arguments: str) -> str:
        return kafka(self._environment, *arguments)

    def is_alive(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            pid = int((self._folder / "kafka.pid").read_text(encoding="ascii"))
            return Path(f"/proc/{pid}").exists() and not is_zombie(pid)
        return False

    def signal(self, number: signal.Signals) -> None:
        pid = int((self._folder / "kafka.pid").read_text(encoding="ascii"))
        os.kill(pid, number)
        if number == signal.SIGKILL:
            wait_until(lambda: not Path(f"/proc/{pid}").exists() or is_zombie(pid), 10, "the broker's end")


def is_zombie(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    return True


def missing_tools() -> list[str]:
    return [tool for tool in ("kcat", "protoc", "zstd") if not shutil.which(tool)]
