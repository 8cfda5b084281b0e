"""Receivers of alerts that a test may let fail: a web-hook, syslog servers, and Debian's Alertmanager."""

import contextlib
import http.server
import json
import re
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from typing import NamedTuple

import support


class Request(NamedTuple):
    path: str
    headers: dict
    body: bytes

    @property
    def alert(self) -> dict:
        """The only one in it."""
        (alert,) = json.loads(self.body)["alerts"]
        return alert


class Webhook:
    """Answers as `answers` says: statuses to give first, each a number or (number, headers); then 200."""

    def __init__(self, port: int = 0, answers=(), certificate=None):
        self.requests: list[Request] = []
        self.answers = list(answers)
        self.hold = threading.Event()  # requests wait for it before they are answered
        self.hold.set()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.port = self._server.server_address[1]
        self.url = f"{scheme}://localhost:{self.port}/hook?channel=ops"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _handler(self):
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                webhook.requests.append(Request(self.path, dict(self.headers), body))
                answer = webhook.answers.pop(0) if webhook.answers else 200
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                webhook.hold.wait(60)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.end_headers()

            def log_message(self, *_):
                pass

        return Handler

    def seen(self) -> list:
        """Fingerprint and status of what was posted, in order."""
        return [(request.alert["fingerprint"], request.alert["status"]) for request in list(self.requests)]

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()


class SyslogUdp:
    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"udp://127.0.0.1:{self._socket.getsockname()[1]}"
        self.messages: list[str] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                self.messages.append(self._socket.recv(65536).decode())

    def close(self) -> None:
        self._socket.close()


class SyslogTcp:
    """Takes connections one after the other and undoes the counting of octets."""

    def __init__(self, port: int = 0):
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.url = f"tcp://127.0.0.1:{self.port}"
        self.messages: list[str] = []
        self.connections = 0
        self._connection = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                self._connection, _ = self._listener.accept()
                self.connections += 1
                with contextlib.suppress(OSError):
                    self._read(self._connection)

    def _read(self, connection):
        data = b""
        while received := connection.recv(65536):
            data += received
            while framed := re.match(rb"(\d+) ", data):
                end = framed.end() + int(framed[1])
                if len(data) < end:
                    break
                self.messages.append(data[framed.end() : end].decode())
                data = data[end:]

    def hang_up(self) -> None:
        """Ends the connection there is."""
        self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def close(self) -> None:
        self._listener.close()
        if self._connection:
            with contextlib.suppress(OSError):
                self.hang_up()


class Alertmanager:
    """Debian's, with a storage of its own, on loopback alone; it tells a web-hook."""

    def __init__(self, folder, webhook_url: str):
        self._folder = folder
        self._port = support.unused_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._config = folder / "alertmanager.yml"
        self._config.write_text(
            "route: {receiver: hook, group_by: [alertname, link, target], group_wait: 0s, group_interval: 1s}\n"
            f"receivers: [{{name: hook, webhook_configs: [{{url: '{webhook_url}'}}]}}]\n",
            encoding="ascii",
        )
        self._process = None
        self.start()

    def start(self) -> None:
        with open(self._folder / "alertmanager.log", "ab") as log:
            self._process = subprocess.Popen(
                ["prometheus-alertmanager", f"--config.file={self._config}", f"--storage.path={self._folder / 'storage'}",
                 f"--web.listen-address=127.0.0.1:{self._port}", "--cluster.listen-address="],
                stdout=log, stderr=log,
            )  # fmt: skip

        def is_ready():
            assert self._process.poll() is None, (self._folder / "alertmanager.log").read_text()
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                return support.get(f"{self.url}/-/ready")

        support.wait_until(is_ready, 20, "Alertmanager")

    def alerts(self) -> list:
        """Those that are firing."""
        return json.loads(support.get(f"{self.url}/api/v2/alerts"))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
