"""A Kafka of a test's own with everything switched on: TLS, clients' certificates, SASL, and rights per user."""

import base64
import json
import re
import socket
import ssl
import struct
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from support import REPO, Flowcast, clean_environment, kafka, unused_port, wait_until

# The roles of deploy/kafka/acls, and who grants rights and needs none.
ROLES = ("capture", "features", "trainer", "inference", "notifier", "reader", "operator")
USERS = ("admin", *ROLES)
AUDIENCE = "flowcast"
START_S = 120
SETTINGS = """
listeners=SASL_SSL://127.0.0.1:{port},SSL://127.0.0.1:{tls},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_SSL://127.0.0.1:{port},SSL://127.0.0.1:{tls}
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={folder}/log
ssl.keystore.location={folder}/broker.pem
ssl.truststore.location={folder}/ca.pem
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {users};
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.server.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler
listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.jwks.endpoint.url={jwks}
listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.expected.audience={audience}
listener.name.sasl_ssl.oauthbearer.connections.max.reauth.ms=3600000
"""
CLUSTER_ID = "Zmxvd2Nhc3Qtc2VjdXJlZA"
REPLACED = re.compile(r"^(inter\.broker\.listener\.name|listener\.security\.protocol\.map)=")

# Of Kafka's protocol.
KINDS = {"topic": 2, "group": 3, "cluster": 4, "transactional-id": 5}
PATTERNS = {"literal": 3, "prefixed": 4}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Describe": 8, "DescribeConfigs": 10}
ALLOW = 3
CREATE_ACLS, DESCRIBE_ACLS, DELETE_ACLS = 30, 29, 31
ANY = 1


def password_of(user: str) -> str:
    return f"{user}-s3cret-word"


class Right(NamedTuple):
    """A line of `deploy/kafka/acls list`."""

    user: str
    operation: str
    kind: str
    pattern: str
    name: str


def rights_for(prefix: str, *roles: str) -> list[Right]:
    script = REPO / "deploy" / "kafka" / "acls"
    done = subprocess.run([script, "list", "--prefix", prefix, *roles], check=True, capture_output=True, text=True)
    return [Right(*line.split(" ")) for line in done.stdout.splitlines()]


class Certificates:
    """An authority, and what it signs."""

    def __init__(self, folder: Path, name: str = "ca"):
        self._folder = folder
        self.authority = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                f"/CN=flowcast test {name}", "-keyout", self._key, "-out", self.authority)

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key, for a user of that name or a server on loopback."""
        certificate, key, request = (self._folder / f"{name}.{end}" for end in ("crt", "key", "csr"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-addext",
                "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.authority, "-CAkey", self._key, "-CAcreateserial", "-days", "2",
                "-copy_extensions", "copy", "-out", certificate)
        key.chmod(0o600)
        return certificate, key


def openssl(*arguments) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Tokens:
    """An issuer of signed tokens, whose public key the broker knows."""

    def __init__(self, folder: Path):
        self._key = folder / "issuer.key"
        openssl("genrsa", "-out", self._key, "2048")
        shown = subprocess.run(["openssl", "rsa", "-in", self._key, "-noout", "-modulus"], check=True, capture_output=True)
        modulus = bytes.fromhex(shown.stdout.decode().strip().partition("=")[2])
        key = {"kty": "RSA", "kid": "one", "alg": "RS256", "use": "sig", "n": encoded(modulus), "e": encoded(b"\1\0\1")}
        self.keys = folder / "jwks.json"
        self.keys.write_text(json.dumps({"keys": [key]}), encoding="ascii")

    def issue(self, user: str, lifetime_s: float = 3600) -> str:
        now = int(time.time())
        head = {"alg": "RS256", "kid": "one", "typ": "JWT"}
        claims = {"sub": user, "aud": AUDIENCE, "iss": "test", "iat": now, "exp": now + int(lifetime_s), "scope": "kafka"}
        text = ".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self._key], input=text.encode(), check=True, capture_output=True)
        return f"{text}.{encoded(signed.stdout)}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SecuredBroker:
    """Starts at once; users and passwords are there, rights are not."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True)
        self.certificates = Certificates(folder)
        self.tokens = Tokens(folder)
        self._port, self._controller = (port := unused_port()), port + 1
        self._tls = unused_port()
        self.address = f"127.0.0.1:{self._port}"
        self.tls_address = f"127.0.0.1:{self._tls}"
        self._jars = kafka({}, "lib").strip() + "/*"
        self._prepare()
        with open(folder / "server.log", "wb") as log:
            self._process = subprocess.Popen(
                ["java", "-Xms128m", "-Xmx512m", f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self._jwks}", "-cp", self._jars, "kafka.Kafka", str(folder / "server.properties")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=clean_environment())
        try:
            wait_until(self._has_started, START_S, "the secured broker")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)

    @property
    def _jwks(self) -> str:
        return self.tokens.keys.as_uri()

    def properties_of(self, user: str, mechanism: str = "PLAIN") -> dict:
        return {
            "security.protocol": "sasl_ssl", "ssl.ca.location": self.certificates.authority, "sasl.mechanism": mechanism,
            "sasl.username": user, "sasl.password": password_of(user),
        }

    def file_of(self, user: str, mechanism: str = "PLAIN") -> Path:
        """For --kafka-file."""
        path = self.folder / f"{user}-{mechanism}.properties"
        write_properties(path, self.properties_of(user, mechanism))
        return path

    def _prepare(self) -> None:
        certificate, key = self.certificates.issue("broker")
        (self.folder / "broker.pem").write_bytes(key.read_bytes() + certificate.read_bytes())
        common = (REPO / "deploy" / "kafka" / "broker.properties").read_text(encoding="ascii").splitlines()
        secure = (REPO / "deploy" / "kafka" / "broker-secure.properties").read_text(encoding="ascii")
        settings = "\n".join(line for line in common if not REPLACED.match(line)) + "\n" + secure
        settings += SETTINGS.format(port=self._port, tls=self._tls, controller=self._controller, folder=self.folder,
                                    jwks=self._jwks, audience=AUDIENCE,
                                    users=" ".join(f'user_{user}="{password_of(user)}"' for user in USERS))
        path = self.folder / "server.properties"
        path.write_text(settings, encoding="ascii")
        for_scram = [f"--add-scram=SCRAM-SHA-512=[name={user},password={password_of(user)}]" for user in USERS]
        done = subprocess.run(
            ["java", "-cp", self._jars, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(path), *for_scram],
            capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def _has_started(self) -> bool:
        log = (self.folder / "server.log").read_text(errors="replace")
        assert self._process.poll() is None, f"the secured broker has ended:\n{log[-4000:]}"
        return "Kafka Server started" in log


def write_properties(path: Path, properties: dict) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()), encoding="utf-8")
    path.chmod(0o600)


class Rights:
    """Grants and takes away, as a superuser with a certificate: Kafka's own tool takes a second or more for each call."""

    def __init__(self, broker: SecuredBroker):
        certificate, key = broker.certificates.issue("admin")
        context = ssl.create_default_context(cafile=str(broker.certificates.authority))
        context.load_cert_chain(certificate, key)
        host, _, port = broker.tls_address.rpartition(":")
        self._socket = context.wrap_socket(socket.create_connection((host, int(port)), timeout=20), server_hostname=host)

    def grant(self, rights: list[Right]) -> None:
        bodies = [struct.pack(">b", KINDS[r.kind]) + text(r.name) + struct.pack(">b", PATTERNS[r.pattern]) + self._entry(r) for r in rights]
        self._expect_no_error(self._ask(CREATE_ACLS, struct.pack(">i", len(bodies)) + b"".join(bodies)))
        wait_until(lambda: all(self.count(right) == 1 for right in rights), 20, "the rights granted")

    def revoke(self, rights: list[Right]) -> None:
        self._expect_no_error(self._ask(DELETE_ACLS, struct.pack(">i", len(rights)) + b"".join(map(self._filter, rights))))
        wait_until(lambda: not any(self.count(right) for right in rights), 20, "the rights revoked")

    def count(self, right: Right) -> int:
        """How many resources the broker has such a right on."""
        answer = self._ask(DESCRIBE_ACLS, self._filter(right))
        _, error, message_size = struct.unpack_from(">ihh", answer)
        assert error == 0
        return struct.unpack_from(">i", answer, 8 + max(message_size, 0))[0]

    def close(self) -> None:
        self._socket.close()

    @staticmethod
    def _entry(right: Right) -> bytes:
        return text(f"User:{right.user}") + text("*") + struct.pack(">bb", OPERATIONS[right.operation], ALLOW)

    def _filter(self, right: Right) -> bytes:
        return struct.pack(">b", KINDS[right.kind]) + text(right.name) + struct.pack(">b", PATTERNS[right.pattern]) + self._entry(right)

    @staticmethod
    def _expect_no_error(answer: bytes) -> None:
        _, count, error = struct.unpack_from(">iih", answer)
        assert count > 0 and error == 0, f"error {error} of Kafka"

    def _ask(self, call: int, body: bytes) -> bytes:
        version = 1
        message = struct.pack(">hhi", call, version, 7) + text("test") + body
        self._socket.sendall(struct.pack(">i", len(message)) + message)
        return self._read(struct.unpack(">i", self._read(4))[0])[4:]

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            assert more, "the broker hung up"
            data += more
        return data


def text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


class SecuredFlowcast(Flowcast):
    """Each program as the user of its name; the command line as the reader, or as `cli_user`."""

    def __init__(self, binaries: Path, broker: SecuredBroker, folder: Path, messages=None):
        super().__init__(binaries, broker.address, folder, messages)
        self.broker = broker
        self.cli_user = "reader"
        self.mechanism = "PLAIN"

    def command(self, program: str, *arguments) -> list[str]:
        command = super().command(program, *arguments)
        if "--kafka-file" not in command:
            user = self.cli_user if program in ("cli", "lab") else program
            command += ["--kafka-file", str(self.broker.file_of(user, self.mechanism))]
        return command

    def create_topics(self, partitions: int = 2):
        self.cli_user = "operator"
        try:
            return self.succeed("cli", "topics", "create", "--partitions", partitions)
        finally:
            self.cli_user = "reader"
