"""The servers: nginx, dnsmasq, sshd, rsync, iperf3 and the RTP answerer, configured in a temporary folder."""

import os
import subprocess
import sys
import time
from pathlib import Path

import addresses
import processes

PAGE_OBJECT_KILOBYTES = (1, 3, 8, 20, 50)
VIDEO_BYTES = 4_000_000
BULK_BYTES = 32_000_000

NGINX_CONFIG = """
daemon off; worker_processes 1; user root; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log off; default_type application/octet-stream;
  client_body_temp_path {folder}/nginx-body; proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-fastcgi; uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
  ssl_certificate {folder}/tls.pem; ssl_certificate_key {folder}/tls.key;
  root {folder}/content;
  server {{ listen {web}:443 ssl; listen [{web6}]:443 ssl; }}
  server {{ listen {video}:443 ssl; listen [{video6}]:443 ssl; limit_rate $arg_rate; ssl_buffer_size 4k; }}
}}
"""

SSHD_CONFIG = """
ListenAddress {ssh}
ListenAddress {ssh6}
HostKey {folder}/ssh-host-key
AuthorizedKeysFile {folder}/ssh-user-key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
ForceCommand /bin/bash --restricted --norc --noprofile -i
MaxStartups 50
"""

RSYNC_CONFIG = """
use chroot = no
socket options = SO_SNDBUF=65536
uid = root
gid = root
[data]
  path = {folder}/data
  read only = no
"""


class Services:
    """The server processes, from entry to exit."""

    def __init__(self, namespace, folder, links):
        self._namespace, self._folder, self._links = namespace, Path(folder), links
        self._processes = {}

    def __enter__(self):
        self._prepare()
        for name, command in self._commands().items():
            self._start(name, command)
        time.sleep(1)
        self.check()
        return self

    def __exit__(self, *_):
        processes.end(self._processes.values())

    def check(self):
        """A service that ended would leave a hole in the recording."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                log = (self._folder / f"{name}.log").read_text(errors="replace")
                raise SystemExit(f"{name} ended with {process.returncode}:\n{log}")

    def _start(self, name, command):
        with open(self._folder / f"{name}.log", "ab") as log:
            self._processes[name] = processes.start_in(self._namespace, *command, stdout=log, stderr=log)

    def _prepare(self):
        make_content(self._folder)
        make_keys(self._folder)
        places = {"folder": self._folder}
        for name in addresses.SERVERS:
            places[name], places[name + "6"] = addresses.server(name), addresses.server(name, ipv6=True)
        for name, text in (("nginx", NGINX_CONFIG), ("sshd", SSHD_CONFIG), ("rsync", RSYNC_CONFIG)):
            (self._folder / f"{name}.conf").write_text(text.format(**places))
        # sshd refuses to start without its privilege separation folder.
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)

    def _commands(self):
        folder = self._folder
        commands = {
            "nginx": ["nginx", "-e", folder / "nginx.log", "-c", folder / "nginx.conf"],
            "sshd": ["/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd.conf"],
            "rsync": ["rsync", "--daemon", "--no-detach", f"--address={addresses.server('rsync')}",
                      f"--config={folder}/rsync.conf"],
            "dnsmasq": ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--pid-file=",
                        "--no-resolv", "--no-hosts", "--bind-interfaces",
                        f"--listen-address={addresses.server('dns')},{addresses.server('dns', ipv6=True)}",
                        f"--address=/example.test/{addresses.server('web')}",
                        f"--address=/example.test/{addresses.server('web', ipv6=True)}"],
            "rtp": [sys.executable, Path(__file__).with_name("rtp.py"), "answer",
                    addresses.server("voip"), addresses.RTP_PORT],
        }
        for link in self._links:
            commands[f"iperf3-{link}"] = ["iperf3", "--server", "--bind", addresses.server("iperf"),
                                          "--port", addresses.IPERF_PORTS[link]]
        return commands


def make_content(folder):
    for name in ("content", "data", "uploads"):
        (folder / name).mkdir()
    for kilobytes in PAGE_OBJECT_KILOBYTES:
        (folder / "content" / f"{kilobytes}k").write_bytes(os.urandom(1024 * kilobytes))
    (folder / "content" / "video").write_bytes(os.urandom(VIDEO_BYTES))
    (folder / "data" / "image").write_bytes(os.urandom(BULK_BYTES))


def make_keys(folder):
    """Keys for this recording alone; they are gone with the temporary folder."""
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for name in ("ssh-host-key", "ssh-user-key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "testbed", "-f", folder / name], **quiet)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", "/CN=example.test",
                    "-keyout", folder / "tls.key", "-out", folder / "tls.pem"], **quiet)
