"""Network namespaces of a test's own, with pairs of interfaces and a way for programs inside to reach the broker."""

import contextlib
import ctypes
import os
import socket
import struct
import subprocess
import threading
import uuid

CLONE_NEWNET = 0x40000000
SENDER = """
import socket, sys
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind((sys.argv[3], 0))
for _ in range(int(sys.argv[1])):
    raw.send(bytes.fromhex(sys.argv[2]))
"""
# About 1000 packets a second, also while the interface is down or not there.
STEADY_SENDER = """
import contextlib, socket, sys, time
while True:
    with contextlib.suppress(OSError), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((sys.argv[2], 0))
        while True:
            for _ in range(10):
                raw.send(bytes.fromhex(sys.argv[1]))
            time.sleep(0.01)
    time.sleep(0.01)
"""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


class Namespace:
    """Has the interface `watched`, whose other end is `far`, both up and silent by themselves."""

    def __init__(self):
        self.name = f"e2e-{uuid.uuid4().hex[:8]}"
        ip("netns", "add", self.name)

    def set_up(self) -> None:
        ip("-n", self.name, "link", "set", "lo", "up")
        self.add_pair("watched", "far")

    def add_pair(self, near: str, far: str) -> None:
        """Two interfaces with a cable between them, up and silent."""
        ip("-n", self.name, "link", "add", near, "type", "veth", "peer", "name", far)
        for interface in (near, far):
            self.run("sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{interface}/disable_ipv6")
            self.turn(interface, "up")

    def remove_pair(self, near: str) -> None:
        ip("-n", self.name, "link", "del", near)

    def turn(self, interface: str, state: str) -> None:
        """Up or down."""
        ip("-n", self.name, "link", "set", interface, state)

    def delete(self) -> None:
        ip("netns", "delete", self.name)

    def command(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command: str) -> None:
        subprocess.run(self.command(*command), check=True, timeout=30)

    def send(self, count: int, port: int, interface: str = "far") -> None:
        """UDP packets to that port, as fast as one process can."""
        self.run("/usr/bin/python3", "-c", SENDER, str(count), udp_frame(port).hex(), interface)

    @contextlib.contextmanager
    def sending(self, port: int, interface: str = "far"):
        """UDP packets to that port all the while, whatever becomes of the interface."""
        command = self.command("/usr/bin/python3", "-c", STEADY_SENDER, udp_frame(port).hex(), interface)
        with subprocess.Popen(command) as sender:
            try:
                yield
            finally:
                sender.kill()

    def listen(self, port: int) -> socket.socket:
        """A socket that listens at 127.0.0.1 inside, to be used from outside."""
        sockets, failures = [], []

        def make():  # a thread of its own, since setns moves the thread that calls it
            try:
                with open(f"/run/netns/{self.name}", "rb") as namespace:
                    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
                sockets.append(socket.create_server(("127.0.0.1", port)))
            except OSError as error:
                failures.append(error)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if failures:
            raise failures[0]
        return sockets[0]


def is_capturing(pid: int) -> bool:
    """Whether anything in the program's network namespace holds a packet socket."""
    with open(f"/proc/{pid}/net/packet", encoding="ascii") as table:
        return len(table.readlines()) > 1


def udp_frame(port: int) -> bytes:
    payload = bytes(18)
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
    return bytes(12) + b"\x08\0" + header + struct.pack(">HHHH", 4000, port, 8 + len(payload), 0) + payload


@contextlib.contextmanager
def relay(namespace: Namespace, brokers: str):
    """Passes connections to the broker's port inside on to the broker outside."""
    host, _, port = brokers.rpartition(":")
    server = namespace.listen(int(port))

    def serve():
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                inside, _ = server.accept()
                outside = socket.create_connection((host, int(port)))
                for source, sink in ((inside, outside), (outside, inside)):
                    threading.Thread(target=pump, args=(source, sink), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
