"""One window, followed from its batch to the alert: in the logs, on the records, and by flowcast trace."""

import json
import re

import pytest

from receivers import Webhook
from support import FAILED, USAGE, flowcast_of, wait_until

pytestmark = pytest.mark.broker

DEBUG = ("--log-level", "debug")


def fnv1a(data: bytes, value: int = 0xCBF29CE484222325) -> int:
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def trace_id(link: str, start_ns: int, window_ns: int) -> str:
    """As docs/formats.md has it."""
    text = f"{link}\0{start_ns}\0{window_ns}".encode()
    return f"{fnv1a(text):016x}{fnv1a(text + text):016x}"


@pytest.fixture(scope="module", name="traced")
def fixture_traced(binaries, broker, messages, part, tmp_path_factory):
    """A pipeline whose services log all they do; each has run to its end."""
    with flowcast_of(binaries, broker, tmp_path_factory.mktemp("trace"), messages) as flowcast:
        flowcast.create_topics()
        flowcast.run_logs = {"capture": flowcast.run("capture", "--pcap", part, *DEBUG).err}
        idle = ("--exit-when-idle", "1s")
        flowcast.run_logs["features"] = flowcast.succeed("features", "--window", "1s", "--json-mirror", *idle, *DEBUG).err
        inference = ("inference", "--threshold", "200", "--horizons", "1", "--json-mirror", *idle)
        flowcast.run_logs["inference"] = flowcast.succeed(*inference, *DEBUG).err
        webhook = Webhook()
        notifier = flowcast.start("notifier", "--webhook", webhook.url, "--give-up-after", "87600h", *DEBUG)
        sent = [json.loads(r.value) for r in flowcast.records("alerts") if json.loads(r.value)["state"] != "pending"]
        assert sent, "the capture raises alerts"
        wait_until(lambda: len(webhook.requests) >= len(sent), 30, "all alerts at the web-hook")
        flowcast.run_logs["notifier"] = notifier.stop().err
        flowcast.hooked = [request.alert for request in webhook.requests]
        yield flowcast


def lines_of(flowcast, service: str, name: str) -> list[str]:
    return [line for line in flowcast.run_logs[service].splitlines() if name in line]


def test_the_logs_of_all_services_name_the_window_of_an_alert(traced):
    alerts = [json.loads(record.value) for record in traced.records("alerts")]
    for alert in alerts[:20]:
        name = alert["trace_id"]
        assert name == trace_id(alert["link"], alert["made_at_ns"] - alert["window_ns"], alert["window_ns"])
        [window] = lines_of(traced, "features", f"window {name}: {alert['link']} ")
        [sequence] = lines_of(traced, "features", f"sequence {name}: {alert['link']} ")
        [forecast] = lines_of(traced, "inference", f"forecast {name}: {alert['link']} ")
        told = {"firing": "fired", "resolved": "resolved", "pending": "pending"}[alert["state"]]
        assert any(f"alert {told}: " in line for line in lines_of(traced, "inference", f"; trace {name}"))
        assert lines_of(traced, "notifier", f"alert {name}: {alert['state']} of {alert['link']}")
        batches = [re.search(r"batch (\S+) at offset", line)[1] for line in lines_of(traced, "features", name) if " batch " in line]
        packets = int(re.search(r", ([\d,]+) packets", window)[1].replace(",", ""))
        assert bool(batches) == (packets > 0)
        assert all(lines_of(traced, "capture", f"batch {batch}: ") for batch in batches)


def test_records_name_it_too(traced):
    [*alerts] = traced.records("alerts")
    for record in alerts:
        alert = json.loads(record.value)
        assert re.fullmatch(rf"00-{alert['trace_id']}-[0-9a-f]{{16}}-01", record.headers["ce_traceparent"])
    parents = [record.headers["ce_traceparent"] for record in alerts]
    assert len(set(parents)) == len(parents), "each event is a parent of its own"
    windows = [json.loads(record.value) for record in traced.records("windows-json")]
    assert {w["trace_id"] for w in windows} == {trace_id(w["link"], w["start_ns"], w["window_ns"]) for w in windows}
    assert len({w["trace_id"] for w in windows}) == len(windows)
    known = {w["trace_id"] for w in windows}
    forecasts = {json.loads(record.value)["trace_id"] for record in traced.records("forecasts-json")}
    assert forecasts and forecasts <= known
    assert {json.loads(record.value)["trace_id"] for record in alerts} <= forecasts
    assert {alert["annotations"]["trace_id"] for alert in traced.hooked} <= {json.loads(r.value)["trace_id"] for r in alerts}


def test_a_window_is_followed_through_the_topics(traced):
    record = next(r for r in traced.records("alerts") if json.loads(r.value)["state"] == "firing")
    alert = json.loads(record.value)
    lines = traced.succeed("cli", "trace", alert["trace_id"]).out.splitlines()
    assert lines[0].startswith(f"{alert['trace_id']} of {alert['link']}, ")
    kinds = [line.split()[0] for line in lines[1:]]
    order = ["batch", "window", "sequence", "forecast", "alert"]
    assert set(kinds) == set(order) and kinds == sorted(kinds, key=order.index)
    window = next(line for line in lines if line.startswith("window "))
    of_batches = sum(int(re.search(r", ([\d,]+) packets of", line)[1].replace(",", "")) for line in lines if line.startswith("batch "))
    assert of_batches == int(re.search(r"  ([\d,]+) packets,", window)[1].replace(",", ""))
    assert f"[{record.partition}]@{record.offset} " in lines[-1] and alert["summary"] in lines[-1]
    assert traced.succeed("cli", "trace", record.headers["ce_traceparent"]).out.splitlines() == lines


def test_an_id_of_nothing_is_said_to_be_so(traced):
    nothing = traced.run("cli", "trace", "0" * 32)
    assert nothing.code == FAILED and "nothing on the topics" in nothing.err
    assert traced.run("cli", "trace", "lab").code == USAGE


def test_the_same_capture_read_without_kafka_has_the_same_ids(traced, part):
    lines = traced.run("cli", "features", part, "--window", "1s", "--json").out.splitlines()
    published = {json.loads(record.value)["trace_id"] for record in traced.records("windows-json")}
    assert {json.loads(line)["trace_id"] for line in lines} == published
