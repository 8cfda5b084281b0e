"""Rules for alerts: the messages that they lead to, the file that they stand in, and trying them out."""

import json

import pytest

from support import REPO

jsonschema = pytest.importorskip("jsonschema", reason="needs python3-jsonschema")

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
        "forecasts": [{"horizon_windows": 1, "target_start": time, "target_start_ns": 0, "quantiles": quantiles}],
    }
    validate(alert)
    validate(alert | {"fired_at": time, "fired_at_ns": 0, "capacity_bps": 1e9, "runbook": "https://example.com"})
    wrong = [
        {"version": 2}, {"fingerprint": "0"}, {"state": "on"}, {"kind": "load "}, {"threshold": None}, {"probability": 1.5},
        {"quality": "fine"}, {"made_at": "yesterday"}, {"reason": "why"}, {"labels": {"team": 3}}, {"silenced": 0},
        {"forecasts": [{"horizon_windows": 1, "target_start": time, "target_start_ns": 0, "quantiles": quantiles[1:]}]},
        {"state": "firing"}, {"state": "pending"}, {"capacity_bps": 0}, {"runbook": ""},
    ]
    for change in wrong:
        with pytest.raises(jsonschema.ValidationError):
            validate(alert | change)
    for name in alert:
        with pytest.raises(jsonschema.ValidationError):
            validate({key: value for key, value in alert.items() if key != name})
