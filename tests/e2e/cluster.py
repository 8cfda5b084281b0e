"""Three Kafka nodes on this machine, each a broker and a controller, of the jars that scripts/kafka fetches."""

import re
import signal
import subprocess
from pathlib import Path

from support import REPO, clean_environment, kafka, unused_port, wait_until

NODES = (1, 2, 3)
SETTINGS = """
process.roles=broker,controller
node.id={node}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.quorum.voters={voters}
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
log.dirs={folder}/log
"""
# Of deploy/kafka/broker.properties the rest, which says nothing of one node.
OF_ONE_NODE = re.compile(r"^(#.*|process\.roles.*|node\.id.*|.*replication\.factor=1|.*min\.(isr|insync\.replicas)=1)$")
CLUSTER_ID = "Zmxvd2Nhc3QtdGVzdC0tLS"
START_S = 60


class Cluster:
    def __init__(self, folder: Path):
        self._folder = folder
        self._ports = {node: unused_port() for node in NODES}
        self._jars = kafka({}, "lib").strip() + "/*"
        self._processes: dict[int, subprocess.Popen] = {}
        for node in NODES:
            self._prepare(node)

    @property
    def address(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self._ports.values())

    def start(self, *nodes: int) -> None:
        """All by default; returns when each answers."""
        for node in nodes or NODES:
            with open(self._of(node) / "server.log", "wb") as log:
                self._processes[node] = subprocess.Popen(
                    ["java", "-Xms128m", "-Xmx384m", "-cp", self._jars, "kafka.Kafka", str(self._of(node) / "server.properties")],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=clean_environment())
        for node in nodes or NODES:
            wait_until(lambda of=node: self._has_started(of), START_S, f"the start of node {node}")

    def kill(self, node: int) -> None:
        process = self._processes.pop(node)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def stop(self, node: int) -> None:
        """It hands its leadership over before it ends."""
        process = self._processes.pop(node)
        process.send_signal(signal.SIGTERM)
        process.wait(START_S)

    def close(self) -> None:
        for node in list(self._processes):
            self.kill(node)

    def leaders(self, topic: str) -> list[int]:
        """By partition; -1 where there is none."""
        done = subprocess.run(["kcat", "-L", "-b", self.address, "-t", topic], capture_output=True, text=True, timeout=30, check=True)
        return [int(leader) for leader in re.findall(r"partition \d+, leader (-?\d+)", done.stdout)]

    def _of(self, node: int) -> Path:
        return self._folder / f"node{node}"

    def _has_started(self, node: int) -> bool:
        log = (self._of(node) / "server.log").read_text(errors="replace")
        assert self._processes[node].poll() is None, f"node {node} has ended:\n{log[-2000:]}"
        return "Kafka Server started" in log

    def _prepare(self, node: int) -> None:
        self._of(node).mkdir(parents=True)
        common = (REPO / "deploy" / "kafka" / "broker.properties").read_text(encoding="ascii").splitlines()
        voters = ",".join(f"{other}@127.0.0.1:{port + 1}" for other, port in self._ports.items())
        settings = "\n".join(line for line in common if not OF_ONE_NODE.match(line))
        settings += SETTINGS.format(node=node, port=self._ports[node], controller=self._ports[node] + 1, voters=voters,
                                    folder=self._of(node))
        path = self._of(node) / "server.properties"
        path.write_text(settings, encoding="ascii")
        done = subprocess.run(
            ["java", "-cp", self._jars, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(path)],
            capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
