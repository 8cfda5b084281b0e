"""flowcast doctor: why do I see nothing? What it says of a broker, of topics, and of a pipeline as it is started."""

import contextlib
import json
import socket
import time

import pytest

import support
from support import FAILED, OK, USAGE, wait_until

LONGEST_S = 15
QUICK = ("--watch", "1s", "--status", "127.0.0.1:1")


def doctor(flowcast, *arguments, code=None) -> dict:
    """{check: (verdict, text, remedy)} and the whole answer under "answer"."""
    began = time.monotonic()
    result = flowcast.run("cli", "doctor", "--json", *QUICK, *arguments)
    assert time.monotonic() - began < LONGEST_S
    assert result.errors == [], result.err
    answer = json.loads(result.out)
    assert answer["well"] == (result.code == OK) and result.code in (OK, FAILED)
    assert code is None or result.code == code, result.out
    for check in answer["checks"]:
        assert bool(check.get("remedy")) == (check["verdict"] in ("warning", "failed")), check
    return {"answer": answer} | {c["check"]: (c["verdict"], c["text"], c.get("remedy", "")) for c in answer["checks"]}


# Brokers that do not answer.


def test_without_a_broker_it_names_the_port_and_that_it_is_to_be_started(programs):
    said = doctor(programs, code=FAILED)
    verdict, text, remedy = said["broker"]
    assert verdict == "failed" and programs.brokers in text and "refused" in text
    assert remedy.startswith("start the broker")
    assert said["pipeline"][0] == "unknown" and "windows" not in said
    assert said["answer"]["conclusion"].startswith("begin with broker")


def test_a_name_without_an_address_is_told_apart(programs):
    verdict, text, remedy = doctor(programs, "--brokers", "no-such-host.invalid:9092", code=FAILED)["broker"]
    assert verdict == "failed" and "the name has no address" in text and "DNS" in remedy


@contextlib.contextmanager
def listener(answer):
    """Takes connections, and does with each what `answer` does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        kept = []

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    kept.append(server.accept()[0])
                    answer(kept[-1])

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        for one in kept:
            one.close()
        server.shutdown(socket.SHUT_RDWR)


def test_a_broker_that_hangs_is_given_up_in_time(programs):
    with listener(lambda connection: None) as address:
        verdict, text, remedy = doctor(programs, "--brokers", address, code=FAILED)["broker"]
    assert verdict == "failed" and "takes connections, but does not answer" in text and "hangs" in remedy


def test_what_speaks_no_tls_is_said_when_tls_is_asked_for(programs):
    def speak_plainly(connection):
        connection.recv(100)
        connection.sendall(b"this is no TLS at all\n")

    with listener(speak_plainly) as address:
        arguments = ("--brokers", address, "--kafka", "security.protocol=ssl")
        verdict, text, remedy = doctor(programs, *arguments, code=FAILED)["broker"]
    assert verdict == "failed" and "TLS fails" in text and "ssl.ca.location" in remedy


def test_a_watch_that_is_too_long_is_an_error(programs):
    result = programs.run("cli", "doctor", "--watch", "2h")
    assert result.code == USAGE and "--watch 2h is longer than a minute" in result.errors[0]


# Topics.


@pytest.mark.broker
def test_a_broker_without_our_topics_is_told_to_make_them(binaries, broker, messages, tmp_path):
    with support.flowcast_of(binaries, broker, tmp_path, messages) as flowcast:
        said = doctor(flowcast, code=FAILED)
    assert said["broker"][0] == "ok"
    verdict, text, remedy = said["topics"]
    assert verdict == "failed" and "none of the 9 topics exists" in text and remedy.startswith("flowcast topics create")


@pytest.mark.broker
def test_a_topic_that_is_missing_or_other_than_it_should_be_is_named(flowcast):
    port = flowcast.brokers.rpartition(":")[2]
    environment = {"FLOWCAST_KAFKA_PORT": port}
    support.kafka(environment, "topics", "--delete", "--topic", f"{flowcast.prefix}sequences.v1")
    name = f"{flowcast.prefix}state.v1"
    alter = ("configs", "--alter", "--entity-type", "topics", "--entity-name", name, "--add-config", "cleanup.policy=delete")
    support.kafka(environment, *alter)

    def told():
        text = doctor(flowcast, code=FAILED)["topics"][1]
        return text if "sequences.v1 is missing" in text else None

    text = wait_until(told, 20, "the missing topic")
    assert f"{name} has cleanup.policy delete instead of compact" in text


# A pipeline, step by step.


@pytest.mark.broker
def test_it_names_what_is_missing_of_a_pipeline_and_in_the_end_nothing(flowcast):
    said = doctor(flowcast, code=FAILED)
    assert said["topics"][0] == "ok" and said["packets"][0] == "failed"
    assert "flowcast-capture" in said["packets"][2]
    assert [said[check][0] for check in ("watermark", "windows", "sequences", "forecasts")] == ["unknown"] * 4

    generator = flowcast.start("cli", "generate", "--speed", "1", "--start-now", "--rate", "300", "--duration", "1h")
    wait_until(lambda: flowcast.records("packets"), 20, "packets")
    said = doctor(flowcast, code=FAILED)
    assert said["packets"][0] == said["watermark"][0] == "ok", said
    assert said["windows"][0] == "failed" and said["windows"][2].startswith("start flowcast-features")
    assert said["features"][0] == "failed"

    address = flowcast.start("features", "--window", "100ms", "--sequence-length", "4", "--http", "127.0.0.1:0")
    page = address.expect(r"status at http://(\S+)")[1]
    wait_until(lambda: len(flowcast.records("sequences")) >= 80, 40, "sequences")
    said = doctor(flowcast, code=FAILED)
    assert said["windows"][0] == said["sequences"][0] == said["features"][0] == "ok", said
    assert said["forecasts"][0] == "failed" and said["forecasts"][2].startswith("start flowcast-inference")
    assert said["model"][0] == "warning" and "flowcast-trainer" in said["model"][2]

    inference = flowcast.start("inference", "--threshold", "1", "--horizons", "1")
    wait_until(lambda: flowcast.records("alerts"), 30, "alerts")
    said = doctor(flowcast, code=OK)
    assert said["forecasts"][0] == said["alerts"][0] == "ok" and said["model"][0] == "warning", said

    train = ("--once", "--models", "xgboost", "--horizons", "1", "--length", "4", "--model-dir", flowcast.folder / "models")
    flowcast.succeed("trainer", *train)
    inference.expect("using model ")

    def all_well():
        said = doctor(flowcast, "--status", page)
        wrong = [check for check in said["answer"]["checks"] if check["verdict"] not in ("ok", "unknown")]
        return not wrong and said["model"][0] == "ok" and said

    said = wait_until(all_well, 20, "a doctor who finds nothing")
    assert said["clock"][0] == "ok" and said["model"][1].endswith(", in use")
    text = flowcast.succeed("cli", "doctor", *QUICK).out
    assert text.splitlines()[-1] == "all is well" and "\nok       packets    " in text

    address.stop()
    wait_until(lambda: doctor(flowcast)["features"][0] == "failed", 30, "the features that are gone")
    assert doctor(flowcast)["features"][2] == "start flowcast-features"

    before = flowcast.succeed("cli", "topics", "list").out
    generator.stop()
    inference.stop()
    assert generator.finish().code == OK and before
