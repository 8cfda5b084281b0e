"""Rules for alerts: the messages that they lead to, the file that they stand in, and trying them out."""

import json
import signal

import pytest

from support import DEMO, OK, REPO, USAGE, library, wait_until

jsonschema = library("jsonschema")

EXAMPLE = REPO / "deploy" / "rules.toml"
SCHEMA = json.loads((REPO / "docs" / "schemas" / "alert.schema.json").read_text(encoding="utf-8"))


def validate(alert: dict) -> dict:
    jsonschema.Draft202012Validator(SCHEMA).validate(alert)
    return alert


# The message.


@pytest.mark.broker
def test_every_alert_is_as_the_schema_says(flowcast):
    flowcast.succeed("cli", "generate", "--duration", "10m", "--bursts-per-hour", "60", "--rate", "50")
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
    flowcast.succeed("inference", "--threshold", "100", "--exit-when-idle", "1s")
    alerts = [validate(json.loads(record.value)) for record in flowcast.records("alerts")]
    assert {alert["state"] for alert in alerts} == {"firing", "resolved"}
    assert all(len(alert["forecasts"]) == 5 for alert in alerts)


def test_the_schema_refuses_what_is_no_alert():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    time, quantiles = "2026-11-21T10:00:00Z", [0.5] * 7
    alert = {
        "version": 1, "fingerprint": "0" * 16, "state": "resolved", "severity": "warning", "summary": "s", "link": "a/b",
        "rule": "load", "kind": "load", "target": "bytes", "threshold": 1.5, "predicted": 2, "low": 1, "high": 3,
        "probability": 0.5, "last_actual": 0, "quality": "good", "started_at": time, "started_at_ns": 0, "resolved_at": time,
        "resolved_at_ns": 0, "reason": "cleared", "made_at": time, "made_at_ns": 0, "target_start": time, "target_start_ns": 0,
        "window_ns": 1, "horizon_windows": 1, "lead_s": 1e-9, "labels": {"team": "net"}, "model_version": "", "silenced": False,
        "trace_id": "0" * 32,
        "forecasts": [{"horizon_windows": 1, "target_start": time, "target_start_ns": 0, "quantiles": quantiles}],
    }
    validate(alert)
    validate(alert | {"fired_at": time, "fired_at_ns": 0, "capacity_bps": 1e9, "runbook": "https://example.com"})
    wrong = [
        {"version": 2}, {"fingerprint": "0"}, {"state": "on"}, {"kind": "load "}, {"threshold": None}, {"probability": 1.5},
        {"quality": "fine"}, {"made_at": "yesterday"}, {"reason": "why"}, {"labels": {"team": 3}}, {"silenced": 0},
        {"forecasts": [{"horizon_windows": 1, "target_start": time, "target_start_ns": 0, "quantiles": quantiles[1:]}]},
        {"state": "firing"}, {"state": "pending"}, {"capacity_bps": 0}, {"runbook": ""}, {"trace_id": "0"},
    ]
    for change in wrong:
        with pytest.raises(jsonschema.ValidationError):
            validate(alert | change)
    for name in alert:
        with pytest.raises(jsonschema.ValidationError):
            validate({key: value for key, value in alert.items() if key != name})


@pytest.mark.broker
def test_without_a_file_a_link_is_watched_for_its_capacity_and_one_without_for_packets(flowcast):
    flowcast.succeed("cli", "generate", "--duration", "10m", "--bursts-per-hour", "60", "--rate", "50")
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
    known, other = sorted({window.link for window in flowcast.read("windows")})
    flowcast.succeed("inference", "--capacity", f"{known}=1k", "--exit-when-idle", "1s")
    alerts = [json.loads(record.value) for record in flowcast.records("alerts")]
    assert {(alert["link"], alert["rule"], alert["target"]) for alert in alerts} == {(known, "load", "bytes"), (other, "packets", "packets")}


# The file.


def test_the_example_is_checked_and_a_rule_is_a_line(programs):
    lines = programs.succeed("cli", "rules", "check", EXAMPLE).out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["full-soon", "full", "quiet", "degraded"]
    assert lines[0] == (
        "full-soon: probability > 0.3 of bytes above 80% at any horizon on *, kept firing for 1m: info"
    )


def test_the_rule_of_the_documentation_is_one(programs, tmp_path):
    text = (REPO / "docs" / "alerts.md").read_text(encoding="utf-8")
    begin = text.index("    [capacities]")
    block = text[begin : text.index("\n| key of a rule", begin)]
    path = tmp_path / "rules.toml"
    path.write_text("".join(line[4:] + "\n" for line in block.splitlines()))
    assert programs.succeed("cli", "rules", "check", path).out.startswith("uplink: probability > 0.8 of bytes above 80%")


@pytest.mark.parametrize("text, words", [
    ('[[rules]]\nname = "a"\ntreshold = 5\n', ":3:1: unknown key 'treshold', perhaps threshold is meant; known here: name"),
    ("[[rules]]\nname = \n", ":2:8: is no TOML: "),
    ('[[rules]]\nname = "a"\nfor = "5 of 3"\n', ':3:7: for must be like "3 of 5"'),
], ids=["unknown key", "no TOML", "impossible value"])
def test_a_file_with_an_error_is_a_usage_error_that_says_where(programs, tmp_path, text, words):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    for arguments in (["cli", "rules", "check", path], ["cli", "rules", "test", path, "--pcap", DEMO], ["inference", "--rules", path]):
        result = programs.run(*arguments)
        assert result.code == USAGE and result.out == "" and f"{path}{words}" in result.err, arguments


def test_rules_that_are_not_forecast_and_two_kinds_of_rules_are_refused(programs, tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text('[[rules]]\nname = "a"\nthreshold = 5\nhorizon = 7\n')
    refused = programs.run("inference", "--rules", path)
    assert refused.code == USAGE and "rule 'a': its horizon of 7 windows is not forecast; name it in --horizons" in refused.err
    refused = programs.run("inference", "--rules", path, "--horizons", "7", "--target", "bytes")
    assert refused.code == USAGE and "its target packets is not forecast, only bytes; name it in --target" in refused.err
    assert programs.run("inference", "--rules", path, "--threshold", "5").code == USAGE
    assert programs.run("inference", "--rules", tmp_path / "none.toml").code == USAGE


# Trying rules out.

RULES = """
[[rules]]
name = "busy"
threshold = 340

[[rules]]
name = "soon"
links = ["*/office"]
threshold = 300
horizon = "any"
on = "quantile 0.75"
for = "2 of 3"
"""


def windows_of(programs, path):
    path.write_text(programs.succeed("cli", "features", DEMO, "--window", "1s", "--json").out)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rules_are_tried_on_a_capture_and_on_its_windows_alike(programs, tmp_path):
    (tmp_path / "rules.toml").write_text(RULES)
    windows = windows_of(programs, tmp_path / "windows.jsonl")
    of_capture = programs.succeed("cli", "rules", "test", tmp_path / "rules.toml", "--pcap", DEMO, "--window", "1s", "--json").out
    of_windows = programs.succeed("cli", "rules", "test", tmp_path / "rules.toml", "--windows", tmp_path / "windows.jsonl", "--json").out
    episodes = [json.loads(line) for line in of_capture.splitlines()]
    assert sorted(of_windows.splitlines()) == sorted(of_capture.splitlines())
    assert {episode["rule"] for episode in episodes} == {"busy", "soon"}
    assert {episode["link"] for episode in episodes if episode["rule"] == "soon"} == {"demo/office"}
    packets = {(window["link"], window["start"]): window["features"]["packets"] for window in windows}
    for episode in episodes:
        alert = validate(episode["alert"])
        assert alert["state"] == "firing" and alert["fired_at"] == episode["fired_at"]
        if alert["last_actual"] > alert["threshold"]:
            assert episode["passed"] and episode["lead_s"] == 0
        elif episode["passed"]:
            assert packets[episode["link"], episode["passed_at"]] > alert["threshold"] and episode["lead_s"] > 0
        else:
            assert episode["passed_at"] is None and episode["lead_s"] is None


def test_what_was_tried_is_printed_for_people(programs, tmp_path):
    (tmp_path / "rules.toml").write_text(RULES)
    lines = programs.succeed("cli", "rules", "test", tmp_path / "rules.toml", "--pcap", DEMO, "--window", "1s").out.splitlines()
    assert " warning  busy  demo/" in lines[0] and "; it " in lines[0]
    assert lines[-2].startswith("busy: fired ") and "median lead" in lines[-2]
    assert lines[-1].startswith("soon: fired ")


def test_what_is_no_window_is_named_by_its_line(programs, tmp_path):
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "windows.jsonl").write_text('{"link": "a"}\n')
    refused = programs.run("cli", "rules", "test", tmp_path / "rules.toml", "--windows", tmp_path / "windows.jsonl")
    assert refused.code == USAGE and "windows.jsonl:1: is no window" in refused.err
    assert programs.run("cli", "rules", "test", tmp_path / "rules.toml").code == USAGE


# In the service.


def generate(flowcast, rate, *arguments):
    flowcast.succeed("cli", "generate", "--links", "1", "--rate", rate, "--noise", "0.1", "--bursts-per-hour", "0", "--pattern",
                     "0", "--duration", "2m", "--source", f"s{rate}", *arguments)
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")


def rule(name, threshold):
    return f'[[rules]]\nname = "{name}"\nthreshold = {threshold}\n'


@pytest.mark.broker
def test_rules_are_read_again_without_a_restart_and_stay_when_the_file_is_wrong(flowcast, tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(rule("high", 5000))
    inference = flowcast.start("inference", "--rules", path)
    generate(flowcast, 40)
    wait_until(lambda: len(flowcast.records("forecasts")) > 60, 60, "forecasts")
    assert not flowcast.records("alerts")
    path.write_text(rule("low", 10) + "unknown = 5\n")
    wait_until(lambda: "the changed file is refused" in inference.log, 30, "the refusal")
    assert f"{path}:4:1: unknown key 'unknown'" in inference.log
    path.write_text(rule("low", 10))
    wait_until(lambda: "the rules were read again: 1 from" in inference.log, 30, "the new rules")
    generate(flowcast, 50)
    wait_until(lambda: flowcast.records("alerts"), 60, "an alert of the new rule")
    alerts = [validate(json.loads(record.value)) for record in flowcast.records("alerts")]
    assert {alert["rule"] for alert in alerts} == {"low"}
    inference.signal(signal.SIGHUP)
    wait_until(lambda: inference.log.count("the rules were read again: 1 from") == 2, 30, "the rules once more")
    assert inference.stop().code == OK


@pytest.mark.broker
def test_an_alert_whose_rule_is_gone_after_a_restart_is_resolved(flowcast, tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(rule("low", 10))
    generate(flowcast, 40)
    flowcast.succeed("inference", "--rules", path, "--exit-when-idle", "1s")
    [fired] = [json.loads(record.value) for record in flowcast.records("alerts")]
    assert fired["state"] == "firing"
    path.write_text(rule("other", 5000))
    generate(flowcast, 40, "--start-now")
    flowcast.succeed("inference", "--rules", path, "--exit-when-idle", "1s")
    alerts = [validate(json.loads(record.value)) for record in flowcast.records("alerts")]
    assert [alert["state"] for alert in alerts] == ["firing", "resolved"]
    assert alerts[1]["reason"] == "rule_changed" and alerts[1]["fingerprint"] == fired["fingerprint"]
