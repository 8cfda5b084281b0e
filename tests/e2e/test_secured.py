"""The programs over a Kafka with TLS, SASL and rights per user: what they need is enough, and what they lack is named."""

import itertools
import json
import re
import subprocess
import time

import pytest

from exactly_once import send
from receivers import Webhook
from secured import Certificates, Right, Rights, SecuredBroker, SecuredFlowcast, password_of, rights_for, write_properties
from support import FAILED, NO_BROKER, OK, REPO, clean_environment, kafka, skip_or_fail, wait_until

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module", name="secured")
def fixture_secured(broker, tmp_path_factory):  # not this one, but where there is one there is Java
    secured = SecuredBroker(tmp_path_factory.mktemp("secured") / "kafka")
    yield secured
    secured.close()


@pytest.fixture(scope="module", name="rights")
def fixture_rights(secured):
    rights = Rights(secured)
    yield rights
    rights.close()


@pytest.fixture(scope="module", name="newer_librdkafka")
def fixture_newer_librdkafka(tmp_path_factory):
    folder = tmp_path_factory.mktemp("librdkafka")
    fetched = subprocess.run([REPO / "deploy" / "kafka" / "newer-librdkafka", folder], capture_output=True, text=True, timeout=300)
    if fetched.returncode != 0:
        skip_or_fail(f"no newer librdkafka: {fetched.stderr[-500:]}")
    return folder


@pytest.fixture(name="flowcast")
def fixture_flowcast(binaries, secured, rights, messages, tmp_path):
    """Topics, and for each user the rights that deploy/kafka/acls names."""
    flowcast = SecuredFlowcast(binaries, secured, tmp_path, messages)
    rights.grant(rights_for(flowcast.prefix))
    flowcast.create_topics()
    yield flowcast
    flowcast.close()


NEWER = "librdkafka 2.8.0"
TRAINING = ("trainer", "--once", "--epochs", "1", "--hidden", "4")


def run_the_whole_pipeline(flowcast, part):
    send(flowcast, part)
    flowcast.succeed("features", "--window", "1s", "--json-mirror", "--exit-when-idle", "1s")
    flowcast.succeed(*TRAINING, "--model-dir", flowcast.folder / "models")
    flowcast.succeed("inference", "--threshold", "10", "--json-mirror", "--exit-when-idle", "1s")
    alerts = flowcast.succeed("cli", "alerts", "--json", "--from-beginning", "--no-follow").out.splitlines()
    assert alerts
    webhook = Webhook()
    notifier = flowcast.start("notifier", "--webhook", webhook.url)
    wait_until(lambda: webhook.requests, 30, "an alert over the web-hook")
    assert notifier.stop().code == OK
    webhook.close()
    assert "FIRING" in flowcast.succeed("cli", "alerts", "--from-beginning", "--no-follow").out
    assert flowcast.succeed("cli", "windows", "--json", "--from-beginning", "--no-follow").out
    flowcast.succeed("cli", "report", "--out", flowcast.folder / "report")
    assert json.loads((flowcast.folder / "report" / "summary.json").read_text())["model_version"]
    assert flowcast.succeed("cli", "models", "list").out
    flowcast.succeed("cli", "topics", "list")
    doctor = json.loads(flowcast.run("cli", "doctor", "--json", "--watch", "1s", "--status", "127.0.0.1:1").out)
    assert {check["check"]: check["verdict"] for check in doctor["checks"]}["topics"] == "ok", doctor
    restarted = flowcast.start("features", "--window", "1s")
    restarted.expect("reading ")
    assert restarted.stop().code == OK


def test_the_whole_pipeline_runs_with_a_user_and_no_more_than_its_rights_for_each(flowcast, part):
    run_the_whole_pipeline(flowcast, part)


def test_scram_works_with_a_newer_librdkafka(flowcast, part, newer_librdkafka, monkeypatch):
    monkeypatch.setenv("LD_LIBRARY_PATH", str(newer_librdkafka))
    assert NEWER in flowcast.run("features", "--version").out
    flowcast.mechanism = "SCRAM-SHA-512"
    run_the_whole_pipeline(flowcast, part)
    wrong = flowcast.broker.properties_of("reader", flowcast.mechanism) | {"sasl.password": "not-the-password"}
    refused = ask(flowcast, flowcast.brokers, wrong)
    assert refused.code == NO_BROKER
    assert "invalid credentials" in refused.errors[-1] and "check sasl.mechanism, and the user and password" in refused.errors[-1]


def test_an_older_librdkafka_says_that_it_cannot_do_scram(flowcast):
    refused = ask(flowcast, flowcast.brokers, flowcast.broker.properties_of("reader", "SCRAM-SHA-512"))
    assert refused.code == NO_BROKER
    assert "can't do SCRAM with Kafka 3.9 or newer, one from 2.6.1 on can (docs/security.md)" in refused.errors[-1]


def without(flowcast, rights, user: str, operation: str, kind: str, name: str) -> Right:
    """Takes one right away and says which it was."""
    [right] = [
        right for right in rights_for(flowcast.prefix)
        if (right.user, right.operation, right.kind, right.name) == (user, operation, kind, flowcast.prefix + name)
    ]  # fmt: skip
    rights.revoke([right])
    return right


def expect_refusal(result, right: Right, instance: str = "") -> None:
    """One line with the user, the right and the remedy, and the documented exit code."""
    assert result.code == FAILED, result.err
    [error] = result.errors
    # Without any right on a topic Kafka does not even say whether it exists.
    what = f"({right.operation}|Describe) on {right.kind} {re.escape(right.name + instance)}"
    assert re.search(f"Kafka refuses user {right.user} the right {what}; ", error), error
    assert "deploy/kafka/acls grants" in error and "docs/security.md" in error


def test_a_capture_that_may_not_write_says_so_and_ends(flowcast, rights, part):
    right = without(flowcast, rights, "capture", "Write", "topic", "packets.v1")
    expect_refusal(flowcast.run("capture", "--pcap", part, "--broker-timeout", "20s"), right)


def test_a_service_that_lacks_a_topic_a_group_or_its_transactions_says_which(flowcast, rights, part):
    send(flowcast, part)
    features = ("features", "--window", "1s", "--exit-when-idle", "1s", "--broker-timeout", "20s")
    for operation, kind, name, instance in (
        ("Write", "topic", "sequences.v1", ""),
        ("Write", "topic", "state.v1", ""),  # which it may read: only a transaction finds out
        ("Read", "topic", "packets.v1", ""),
        ("Read", "group", "flowcast-features", ""),
        ("Write", "transactional-id", "flowcast-features-", "0"),
    ):
        right = without(flowcast, rights, "features", operation, kind, name)
        expect_refusal(flowcast.run(*features), right, instance)
        rights.grant([right])
    flowcast.succeed(*features)


def test_no_user_may_do_what_another_may(flowcast, part):
    capture, reader = flowcast.broker.file_of("capture"), flowcast.broker.file_of("reader")
    for user, arguments, lacking in (
        (capture, ("cli", "alerts", "--no-follow"), "user capture the right Describe on topic"),
        (reader, ("cli", "topics", "create"), "user reader the right Create on topic"),
        (reader, ("cli", "topics", "delete", "--yes"), "user reader the right Delete on topic"),
        (reader, ("capture", "--pcap", part), "user reader the right Write on topic"),
        (reader, ("features",), "user reader the right Write on transactional-id"),
    ):
        result = flowcast.run(*arguments, "--kafka-file", user, "--broker-timeout", "20s")
        assert result.code == FAILED, result.err
        assert lacking in result.errors[-1]


def ask(flowcast, brokers: str, properties: dict, *arguments):
    """A listing of the topics by somebody with these properties."""
    path = flowcast.folder / "client.properties"
    write_properties(path, properties)
    return flowcast.run("cli", "topics", "list", "--brokers", brokers, "--kafka-file", path, "--broker-timeout", "3s", *arguments)


def test_a_certificate_is_as_good_as_a_password_where_the_broker_wants_one(flowcast, secured):
    certificate, key = secured.certificates.issue("reader")
    properties = {"security.protocol": "ssl", "ssl.ca.location": secured.certificates.authority}
    own = {"ssl.certificate.location": certificate, "ssl.key.location": key}
    listed = ask(flowcast, secured.tls_address, properties | own)
    assert listed.code == OK and f"{flowcast.prefix}alerts.v1" in listed.out
    refused = ask(flowcast, secured.tls_address, properties)
    assert refused.code == NO_BROKER and "ssl.certificate.location" in refused.errors[-1]


def test_who_is_not_let_in_is_told_why_and_no_secret_is_shown(flowcast, secured):
    properties = secured.properties_of("reader")
    stranger = Certificates(flowcast.folder, "stranger").authority
    for changes, said in (
        ({"sasl.password": "not-the-password"}, "Invalid username or password"),
        ({"sasl.username": "nobody"}, "Invalid username or password"),
        ({"ssl.ca.location": stranger}, "check that ssl.ca.location names the authority"),
        ({"security.protocol": "sasl_plaintext"}, "check that security.protocol is what the broker speaks"),
    ):
        result = ask(flowcast, secured.address, properties | changes, "--kafka", "debug=all", "--log-level", "debug")
        assert result.code == NO_BROKER, result.err
        assert said in result.errors[-1]
        assert properties["sasl.password"] not in result.err and "not-the-password" not in result.err


def test_a_token_from_a_file_lets_in_and_one_that_is_not_signed_does_not(flowcast, secured):
    properties = {"security.protocol": "sasl_ssl", "ssl.ca.location": secured.certificates.authority}
    token = flowcast.folder / "token"
    token.write_text(secured.tokens.issue("reader") + "\n", encoding="ascii")
    token.chmod(0o600)
    listed = ask(flowcast, secured.address, properties, "--kafka-token-file", token, "--kafka", "debug=all", "--log-level", "debug")
    assert listed.code == OK, listed.err
    assert token.read_text().strip() not in listed.err
    token.write_text(secured.tokens.issue("reader", lifetime_s=-600), encoding="ascii")
    expired = ask(flowcast, secured.address, properties, "--kafka-token-file", token)
    assert expired.code == NO_BROKER and "token" in expired.errors[-1]
    unsigned = {"sasl.mechanism": "OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": "principal=reader"}
    refused = ask(flowcast, secured.address, properties | unsigned)
    assert refused.code == NO_BROKER and "invalid_token" in refused.errors[-1] and "for tests only" in refused.err


@pytest.mark.long
def test_a_token_that_is_renewed_in_its_file_goes_on_beyond_the_first_ones_end(flowcast, secured, part):
    """The broker ends a connection with its token."""
    lifetime_s = 40
    properties, token = flowcast.folder / "token.properties", flowcast.folder / "token"
    write_properties(properties, {"security.protocol": "sasl_ssl", "ssl.ca.location": secured.certificates.authority})
    token.write_text(secured.tokens.issue("features", lifetime_s), encoding="ascii")
    token.chmod(0o600)
    began = time.monotonic()
    features = flowcast.start("features", "--window", "1s", "--kafka-file", properties, "--kafka-token-file", token)
    features.expect("reading ")
    token.write_text(secured.tokens.issue("features"), encoding="ascii")
    wait_until(lambda: time.monotonic() > began + lifetime_s + 35, 120, "the first token's end, and the file read once more")
    assert features.is_alive(), features.log
    send(flowcast, part)
    windows = ("cli", "windows", "--json", "--from-beginning", "--no-follow")
    wait_until(lambda: flowcast.run(*windows).out, 60, "windows with the second token")
    assert features.stop().code == OK


# Every right is needed: without it a program says which one it misses.

STEPS = {
    "capture": ("capture", "--pcap", "PART"),
    "features": ("features", "--window", "1s", "--json-mirror", "--exit-when-idle", "1s"),
    "trainer": (*TRAINING, "--model-dir", "MODELS"),
    "inference": ("inference", "--threshold", "10", "--json-mirror", "--exit-when-idle", "1s"),
    "notifier": ("notifier", "--webhook", "http://127.0.0.1:9/"),
}


def is_needed_by_a_restart_alone(right: Right) -> bool:
    """A first run has no state to read."""
    return right.operation == "Read" and right.name.endswith("state.v1")


@pytest.mark.long
def test_no_right_is_one_too_many(flowcast, rights, part):
    def refused_without(right: Right, arguments) -> None:
        rights.revoke([right])
        expect_refusal(flowcast.run(*arguments, "--broker-timeout", "20s"), right, "0" if right.kind == "transactional-id" else "")
        rights.grant([right])

    for role, step in STEPS.items():
        arguments = [str({"PART": part, "MODELS": flowcast.folder / "models"}.get(one, one)) for one in step]
        of_role = rights_for(flowcast.prefix, role)
        for right in itertools.filterfalse(is_needed_by_a_restart_alone, of_role):
            refused_without(right, arguments)
        if role == "capture":
            send(flowcast, part)
        elif role != "notifier":
            flowcast.succeed(*arguments)
        for right in filter(is_needed_by_a_restart_alone, of_role):
            refused_without(right, arguments)


@pytest.mark.long
def test_the_script_grants_and_revokes_what_it_lists(flowcast, rights, secured):
    client = flowcast.folder / "admin.properties"
    write_properties(client, {
        "security.protocol": "SASL_SSL", "ssl.truststore.type": "PEM", "ssl.truststore.location": secured.certificates.authority,
        "sasl.mechanism": "PLAIN", "sasl.jaas.config":
            f'org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="{password_of("admin")}";',
    })  # fmt: skip
    tool = f"java -cp {kafka({}, 'lib').strip()}/* org.apache.kafka.tools.AclCommand"

    def run(action: str):
        subprocess.run(
            [REPO / "deploy" / "kafka" / "acls", action, "--prefix", "scripted.", "--", "--bootstrap-server", secured.address,
             "--command-config", client],
            check=True, capture_output=True, env=clean_environment() | {"KAFKA_ACLS": tool}, timeout=300)  # fmt: skip

    listed = rights_for("scripted.")
    run("grant")
    wait_until(lambda: all(rights.count(right) == 1 for right in listed), 20, "all rights of the list")
    run("revoke")
    wait_until(lambda: not any(rights.count(right) for right in listed), 20, "none of them")
