"""What the benchmarks share: programs, a broker of their own, and a file of real packets."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"
BIN = Path(os.environ.get("FLOWCAST_BIN", BUILD / "bin"))
FOLDER = ROOT / "build/bench"
PORT = os.environ.get("FLOWCAST_BENCH_PORT", "39092")  # the next one is the controller's
BROKERS = f"127.0.0.1:{PORT}"
KAFKA_DATA = FOLDER / f"kafka-{PORT}"
NFSTREAM = "nfstream==6.6.0"
KAFKA = {**os.environ, "FLOWCAST_KAFKA_PORT": PORT, "FLOWCAST_KAFKA_DATA": str(KAFKA_DATA)}


def say(text):
    print(text, file=sys.stderr, flush=True)


def number(text, pattern):
    return int(re.search(pattern, text)[1].replace(",", ""))


def call(*command):
    """What a command says on both outputs; ends the benchmark with that when it fails."""
    command = [str(part) for part in command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class Run(NamedTuple):
    """Of a program that ended well."""
    said: str  # on both outputs
    seconds: float
    cpu_s: float
    rss_mib: float  # at its peak


class Started:
    """A program that runs beside the benchmark, with its children."""

    def __init__(self, *command):
        self.command = [str(part) for part in command]
        self.log = tempfile.TemporaryFile("w+")
        self.began = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, text=True)

    def wait(self):
        """Ends the benchmark with what the program said when it fails."""
        _, status, usage = os.wait4(self.process.pid, 0)
        seconds = time.monotonic() - self.began
        self.process.returncode = os.waitstatus_to_exitcode(status)
        with self.log:
            self.log.seek(0)
            said = self.log.read()
        if self.process.returncode != 0:
            sys.exit(f"{' '.join(self.command)} failed:\n{said}")
        return Run(said, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def timed(*command):
    return Started(*command).wait()


def nfstream():
    """The command that runs NFStream on a capture file; installed from PyPI at first."""
    folder = FOLDER / "nfstream"
    if not (folder / "bin/python").exists():
        say(f"installing {NFSTREAM} ...")
        venv.create(folder, with_pip=True)
        subprocess.run([str(folder / "bin/pip"), "install", "-q", NFSTREAM], check=True, stdout=2)
    return [folder / "bin/python", ROOT / "bench/reference/nfstream_bench.py"]


def cpu_s(pid):
    """User and system time of a process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stamps(topic):
    """When the committed records of a topic were produced, ms, by partition."""
    out = call("kcat", "-C", "-q", "-e", "-b", BROKERS, "-t", topic, "-X", "isolation.level=read_committed", "-f", "%T\n")
    return [int(line) for line in out.split()]


def micro(name):
    """A program of bench/micro, built unless programs are taken from elsewhere (FLOWCAST_BIN)."""
    if "FLOWCAST_BIN" in os.environ:
        return BIN / name
    if not (BUILD / "build.ninja").exists():
        sys.exit("build/release is not configured: run scripts/build")
    call("ninja", "-C", BUILD, name)
    return BIN / name


def require_programs():
    if not (BIN / "flowcast").exists():
        sys.exit("there are no programs in build/release/bin: run scripts/build")
    FOLDER.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def broker():
    """An empty broker on PORT."""
    try:
        subprocess.run([str(ROOT / "scripts/kafka"), "reset"], env=KAFKA, check=True, stdout=2)
        yield
    finally:
        subprocess.run([str(ROOT / "scripts/kafka"), "stop"], env=KAFKA, check=False, stdout=2)


def choose_pcap(given, packets, seconds=None):
    """(file, what it is): `given`; else a mix of so many real packets; without the corpus the bundled capture. The mix lasts
    `seconds`, if told."""
    if given:
        return Path(given), "the file given"
    corpus = Path(os.environ.get("FLOWCAST_CORPUS", ROOT.parent / "shared/data"))
    if not (corpus / "ndpi").is_dir():
        return ROOT / "tests/data/demo.pcapng.zst", "the bundled capture: the corpus is absent (FLOWCAST_CORPUS)"
    lasting = [str(seconds)] if seconds else []
    mix = FOLDER / ("-".join(["mix", str(packets), *lasting]) + ".pcap")
    if not mix.exists():
        say(f"mixing {packets} real packets ...")
        mixer = ROOT / "bench/reference/mixpcap.py"
        subprocess.run([sys.executable, str(mixer), str(packets), str(mix), str(corpus), *lasting], check=True, stdout=2)
    return mix, f"{packets} real packets, mixed"
