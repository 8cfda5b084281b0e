"""A TCP proxy that behaves as bad networks do: it delays, hands on a few bytes at a time, and cuts connections."""

import contextlib
import socket
import threading
import time


class Proxy:
    """Hands on what comes to its port until it is closed. Its properties may be changed while it runs."""

    def __init__(self, target_port: int):
        self._target = ("127.0.0.1", target_port)
        self.delay_s = 0.0  # of each piece, one way
        self.piece_bytes = 1 << 16  # at most handed on at once
        self.cuts = 0
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self.port = 0
        self.come_back()

    def cut(self) -> None:
        """All connections, in the middle of whatever is on its way."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        self.cuts += len(pairs)
        for pair in pairs:
            _close(pair)

    def go_away(self) -> None:
        """Connections are refused."""
        self._listener.shutdown(socket.SHUT_RDWR)  # ends the wait for one
        self._listener.close()
        self.cut()

    def come_back(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def calm(self) -> None:
        self.delay_s, self.piece_bytes = 0.0, 1 << 16

    def close(self) -> None:
        with contextlib.suppress(OSError):  # it has gone already
            self.go_away()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # closed
            try:
                server = socket.create_connection(self._target, timeout=10)
            except OSError:
                client.close()  # the broker is away, and that is what the client shall see
                continue
            server.settimeout(None)
            pair = (client, server)
            for end in pair:
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._pairs.add(pair)  # from now on it may be cut
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._pump, args=(source, sink, pair), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, pair) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(self.piece_bytes):
                if self.delay_s:
                    time.sleep(self.delay_s)
                sink.sendall(piece)
        with self._lock:
            self._pairs.discard(pair)
        _close(pair)


def _close(pair) -> None:
    for end in pair:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
