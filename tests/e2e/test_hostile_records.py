"""Records that somebody wrote who should not: they steer no terminal, write nowhere and end no service."""

import json

import pytest

from support import FAILED, wait_until
from test_notifier import alert

pytestmark = pytest.mark.broker

ESCAPES = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202e"
STEERING = set("\x1b\x07\x7f\r\u009b\u202e")


def send_alert(flowcast, one: dict, **form) -> None:
    flowcast.send("alerts", json.dumps(one, ensure_ascii=False, **form).encode(), key=one["fingerprint"])


def test_alerts_steer_no_terminal(flowcast):
    hostile = alert("a", summary=f"before{ESCAPES}after", rule=f"r{ESCAPES}", severity=f"s{ESCAPES}", link=f"l{ESCAPES}")
    send_alert(flowcast, hostile)
    send_alert(flowcast, alert("b", summary="Zürich\nalert: all is well"), indent=2)
    for form in ([], ["--json"]):
        shown = flowcast.succeed("cli", "alerts", "--from-beginning", "--no-follow", *form).out
        assert not STEERING & set(shown), form
        assert len(shown.splitlines()) == 2, "one line an alert"
        assert "Zürich" in shown
    lines = flowcast.succeed("cli", "alerts", "--json", "--from-beginning", "--no-follow").out.splitlines()
    assert json.loads(lines[0]) == hostile, "escaped, and the same value"
    table = flowcast.succeed("cli", "alerts", "--from-beginning", "--no-follow").out
    assert "before?]0;owned??[2J?31m?after" in table


def test_windows_steer_no_terminal(flowcast, messages):
    flowcast.succeed("cli", "generate", "--links", "1", "--duration", "10s")
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
    window = flowcast.read("windows")[0]
    window.link = f"link{ESCAPES}"
    flowcast.send("windows", window.SerializeToString())
    for form in ("table", "csv", "json"):
        shown = flowcast.succeed("cli", "windows", "--format", form, "--from-beginning", "--no-follow").out
        assert not STEERING & set(shown), form
        assert "link?]0;owned" in shown or form == "json"


def hostile_model(messages, template: bytes, **changes):
    """A model whose checksums are right; what is changed are names."""
    model = messages["models"].FromString(template)
    manifest = json.loads(model.manifest) | {name: value for name, value in changes.items() if name != "network"}
    model.manifest = json.dumps(manifest)
    if "network" in changes:
        model.networks[0].name = changes["network"]
    return model.SerializeToString()


@pytest.fixture(name="trained")
def fixture_trained(flowcast):
    """A model on the topic, and its record."""
    flowcast.succeed("cli", "generate", "--links", "2", "--duration", "5m")
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
    flowcast.succeed("trainer", "--once", "--models", "xgboost", "--model-dir", flowcast.folder / "models")
    return next(record for record in flowcast.records("models") if not record.key.endswith("/current"))


def test_a_model_that_would_leave_its_folder_is_refused_and_writes_nothing(flowcast, messages, trained):
    inference = flowcast.start("inference", "--http", "127.0.0.1:0")
    inference.expect("using model ")
    out = flowcast.folder / "exported"
    escaped = flowcast.folder / "escaped"
    for version, changes in (
        ("../../escaped", {"version": "../../escaped"}),
        ("x1", {"version": "x1", "name": "../escaped"}),
        ("x2", {"version": "x2", "network": "../../../escaped"}),
        (f"x3{ESCAPES}", {"version": f"x3{ESCAPES}"}),
    ):
        flowcast.send("models", hostile_model(messages, trained.value, **changes), key=f"default/{version}")
        pointer = messages["current"](version=1, model_version=version)
        flowcast.send("models", pointer.SerializeToString(), key="default/current")
        for asked in (version, "current"):
            refused = flowcast.run("cli", "models", "export", asked, out)
            assert refused.code == FAILED
            assert not STEERING & set(refused.err)
    assert not escaped.exists() and not out.exists()
    listed = flowcast.succeed("cli", "models", "list")
    assert not STEERING & set(listed.out + listed.err) and "records cannot be read" in listed.err
    inference.expect(r"default/x3\?.* is refused")
    assert not STEERING & set(inference.log)
    assert inference.stop().code == 0


def test_a_link_that_steers_or_begins_a_line_does_not_do_so_in_the_log(flowcast):
    hostile = alert(f"f{ESCAPES}\nfake", summary="x", link=f"l{ESCAPES}\n12:00:00.000 error  all is lost")
    send_alert(flowcast, hostile)
    notifier = flowcast.start("notifier", "--webhook", "http://127.0.0.1:9/", "--give-up-after", "1s", "--log-level", "debug")
    notifier.expect("gave up")
    notifier.stop()
    assert not STEERING & set(notifier.log)
    assert not [line for line in notifier.log.splitlines() if line.startswith(("fake", "12:00:00.000 error"))]
