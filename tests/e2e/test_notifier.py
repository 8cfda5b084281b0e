"""flowcast-notifier from outside: who is told what, in which form, and what a receiver that fails delays."""

import contextlib
import hashlib
import hmac
import json
import re
import shutil
import signal
import subprocess
import time

import pytest

import support
from receivers import Alertmanager, SyslogTcp, SyslogUdp, Webhook
from support import OK, USAGE, wait_until

ANY_PORT = ("--http", "127.0.0.1:0")


def alert(fingerprint: str, state: str = "firing", **changes) -> dict:
    """An alert as flowcast-inference writes it."""
    fired = {} if state == "pending" else {"fired_at": "2026-11-21T09:46:15Z", "fired_at_ns": 1795254375000000000}
    resolved = {
        "resolved_at": "2026-11-21T09:46:45Z", "resolved_at_ns": 1795254405000000000, "reason": "cleared",
    } if state == "resolved" else {}  # fmt: skip
    return {
        "version": 1, "fingerprint": fingerprint, "state": state, "severity": "warning", "summary": f"{fingerprint} is {state}",
        "link": f"demo/{fingerprint}", "rule": "load", "kind": "load", "target": "packets", "threshold": 340.0,
        "predicted": 358.6, "low": 314.7, "high": 598.5, "probability": 0.8, "last_actual": 367.0, "quality": "good",
        "started_at": "2026-11-21T09:46:13Z", "started_at_ns": 1795254373000000000, **fired, **resolved,
        "made_at": "2026-11-21T09:46:15Z", "made_at_ns": 1795254375000000000, "target_start": "2026-11-21T09:46:15Z",
        "target_start_ns": 1795254375000000000, "window_ns": 1000000000, "horizon_windows": 1, "lead_s": 1.0, "forecasts": [],
        "labels": {"team": "core"}, "model_version": "v1", "silenced": False, **changes,
    }  # fmt: skip


def send(flowcast, *alerts) -> None:
    for one in alerts:
        flowcast.send("alerts", json.dumps(one).encode(), key=one["fingerprint"])


class Notifier:
    """One that runs, and what its metrics say."""

    def __init__(self, flowcast, *arguments):
        self.running = flowcast.start("notifier", *arguments, *ANY_PORT)
        self._address = self.running.expect(r"status at (http://\S+)")[1]
        self.running.expect("reading ")

    def metric(self, name: str, *labels: str) -> float:
        """The sum over all samples with these values of labels."""
        text = support.get(f"{self._address}/metrics")
        samples = re.findall(rf"^flowcast_notifier_{name}(?:{{(.*)}})? (\S+)$", text, re.MULTILINE)
        return sum(float(value) for found, value in samples if all(f'"{label}"' in found for label in labels))

    def stop(self):
        return self.running.stop()


@pytest.fixture(name="webhook")
def fixture_webhook():
    webhook = Webhook()
    yield webhook
    webhook.close()


@pytest.fixture(name="udp")
def fixture_udp():
    server = SyslogUdp()
    yield server
    server.close()


# What is sent.


@pytest.mark.broker
def test_a_webhook_is_told_of_every_alert_once_and_signed(flowcast, webhook, tmp_path):
    flowcast.succeed("cli", "generate", "--duration", "10m", "--bursts-per-hour", "60", "--rate", "50")
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
    flowcast.succeed("inference", "--threshold", "100", "--exit-when-idle", "1s")
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n", encoding="ascii")
    notifier = Notifier(flowcast, "--webhook", webhook.url, "--webhook-secret-file", secret)
    alerts = [json.loads(record.value) for record in flowcast.records("alerts")]
    wanted = [(one["fingerprint"], one["state"]) for one in alerts if "fired_at" in one and not one["silenced"]]
    assert len(wanted) >= 4
    wait_until(lambda: len(webhook.requests) >= len(wanted), 20, "all alerts")
    assert notifier.stop().code == OK
    assert webhook.seen() == wanted
    for request in webhook.requests:
        assert request.path == "/hook?channel=ops"
        assert request.headers["Content-Type"] == "application/json"
        stamp = request.headers["X-Flowcast-Timestamp"]
        assert abs(time.time() - int(stamp)) < 60
        signature = hmac.new(b"open sesame", f"{stamp}.".encode() + request.body, hashlib.sha256).hexdigest()
        assert request.headers["X-Flowcast-Signature"] == f"sha256={signature}"


@pytest.mark.broker
def test_only_what_is_for_people_is_sent(flowcast, webhook):
    send(
        flowcast, alert("pending", "pending"), alert("silenced", silenced=True), alert("low", severity="info"), alert("loud"),
        alert("loud", "resolved"),
    )  # fmt: skip
    flowcast.send("alerts", b"{no json")
    notifier = Notifier(flowcast, "--webhook", webhook.url, "--severity", "warning")
    wait_until(lambda: notifier.metric("alerts_total") == 6 and len(webhook.requests) == 2, 20, "all read")
    assert webhook.seen() == [("loud", "firing"), ("loud", "resolved")]
    for result in ("pending", "silenced", "below", "refused"):
        assert notifier.metric("alerts_total", result) == 1
    assert "X-Flowcast-Signature" not in webhook.requests[0].headers
    notifier.stop()
    everything = Notifier(flowcast, "--webhook", webhook.url, "--silenced", "--group", "other")
    wait_until(lambda: ("silenced", "firing") in webhook.seen(), 20, "the silenced one")
    everything.stop()


@pytest.mark.broker
def test_syslog_has_the_form_of_rfc_5424_over_udp_and_tcp(flowcast, udp):
    tcp = SyslogTcp()
    notifier = Notifier(flowcast, "--syslog", udp.url, "--syslog", tcp.url, "--syslog-facility", "local3")
    send(flowcast, alert("a", summary="20 € more"), alert("a", "resolved"))
    wait_until(lambda: len(udp.messages) == len(tcp.messages) == 2, 20, "both messages twice")
    assert udp.messages == tcp.messages
    form = r"<(\d+)>1 (2026-11-21T09:46:15Z) (\S+) flowcast - (\w+) (\[flowcast@32473 .*\]) (.*)"
    firing, resolved = (re.fullmatch(form, message) for message in udp.messages)
    assert (firing[1], firing[4], firing[6]) == (str(19 * 8 + 4), "firing", "\ufeff20 € more")
    assert (resolved[1], resolved[4], resolved[6]) == (str(19 * 8 + 5), "resolved", "a is resolved")
    assert ' fingerprint="a" ' in firing[5] and ' link="demo/a" ' in firing[5]
    tcp.hang_up()
    send(flowcast, alert("b"))
    wait_until(lambda: any("b is firing" in message for message in tcp.messages), 20, "a message over a new connection")
    assert tcp.connections == 2
    notifier.stop()
    tcp.close()


@pytest.mark.broker
def test_over_https_only_who_is_trusted_is_told(flowcast, tmp_path):
    certificate = tmp_path / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-days", "1", "-keyout", certificate, "-out", tmp_path / "ca.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    with open(certificate, "ab") as both:
        both.write((tmp_path / "ca.pem").read_bytes())
    webhook = Webhook(certificate=certificate)
    send(flowcast, alert("a"))
    strict = Notifier(flowcast, "--webhook", webhook.url, "--group", "strict")
    strict.running.expect("its certificate is not trusted")
    assert webhook.requests == []
    strict.stop()
    trusting = Notifier(flowcast, "--webhook", webhook.url, "--ca-file", tmp_path / "ca.pem")
    wait_until(lambda: webhook.seen() == [("a", "firing")], 20, "the alert")
    trusting.stop()
    webhook.close()


# Receivers that fail.


@pytest.mark.broker
def test_a_webhook_that_is_down_delays_no_other_and_is_told_of_all_when_it_is_back(flowcast, udp):
    port = support.unused_port()
    notifier = Notifier(flowcast, "--webhook", f"http://localhost:{port}/hook", "--syslog", udp.url)
    fingerprints = [f"alert-{i}" for i in range(50)]
    send(flowcast, *map(alert, fingerprints))
    wait_until(lambda: len(udp.messages) == 50, 20, "all over syslog")
    wait_until(lambda: notifier.metric("failed_attempts_total", "webhook") >= 2, 20, "attempts")
    wait_until(lambda: notifier.metric("waiting_alerts", "webhook") == 50, 10, "all waiting")
    assert notifier.metric("destination_failing", "webhook") == 1
    assert notifier.metric("destination_failing", "syslog") == 0
    webhook = Webhook(port=port)
    wait_until(lambda: len(webhook.requests) == 50, 30, "all over the web-hook")
    assert webhook.seen() == [(fingerprint, "firing") for fingerprint in fingerprints]
    wait_until(lambda: notifier.metric("delivered_alerts_total", "webhook") == 50, 10, "counted")
    assert notifier.metric("destination_failing", "webhook") == 0
    result = notifier.stop()
    assert "webhook: takes alerts again" in result.err
    webhook.close()


@pytest.mark.broker
def test_what_fails_for_now_is_tried_again_and_what_is_refused_is_not(flowcast, webhook):
    webhook.answers = [500, (429, {"Retry-After": "2"}), 200, 404, (302, {"Location": webhook.url}), 200]
    notifier = Notifier(flowcast, "--webhook", webhook.url)
    began = time.monotonic()
    send(flowcast, alert("a"), alert("b"), alert("c"), alert("d"))
    wait_until(lambda: len(webhook.requests) == 6, 30, "six requests")
    assert time.monotonic() - began > 2, "the receiver wished for a rest of 2 s"
    assert [fingerprint for fingerprint, _ in webhook.seen()] == ["a", "a", "a", "b", "c", "d"]
    wait_until(lambda: notifier.metric("delivered_alerts_total") == 2, 10, "counted")
    assert notifier.metric("given_up_alerts_total", "refused") == 2
    assert notifier.metric("failed_attempts_total") == 2
    assert "refused alert b (status 404), which is not tried again" in notifier.stop().err


@pytest.mark.broker
def test_a_slow_webhook_delays_no_other_nor_the_end(flowcast, webhook, udp):
    webhook.hold.clear()
    notifier = Notifier(flowcast, "--webhook", webhook.url, "--syslog", udp.url)
    send(flowcast, *(alert(f"alert-{i}") for i in range(20)))
    wait_until(lambda: len(udp.messages) == 20, 20, "all over syslog")
    wait_until(lambda: webhook.requests, 20, "the first request")
    assert len(webhook.requests) == 1
    began = time.monotonic()
    assert notifier.stop().code == OK
    assert time.monotonic() - began < 5


@pytest.mark.broker
def test_a_webhook_that_takes_and_never_answers_is_tried_again(flowcast, webhook):
    webhook.hold.clear()
    notifier = Notifier(flowcast, "--webhook", webhook.url, "--request-timeout", "300ms")
    send(flowcast, alert("a"))
    wait_until(lambda: notifier.metric("failed_attempts_total") >= 2, 20, "time-outs")
    webhook.hold.set()
    wait_until(lambda: notifier.metric("delivered_alerts_total") == 1, 20, "the alert")
    assert set(webhook.seen()) == {("a", "firing")}
    assert "no answer came, or not in time" in notifier.stop().err


@pytest.mark.broker
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_lost_over_a_restart(flowcast, udp, end):
    port = support.unused_port()
    receivers = ("--webhook", f"http://localhost:{port}/hook", "--syslog", udp.url)
    notifier = Notifier(flowcast, *receivers)
    send(flowcast, *(alert(f"alert-{i}") for i in range(5)))
    wait_until(lambda: len(udp.messages) == 5, 20, "all over syslog")
    notifier.running.signal(end)
    notifier.running.finish()
    webhook = Webhook(port=port)
    again = Notifier(flowcast, *receivers)
    wait_until(lambda: len(webhook.requests) == 5, 40, "all over the web-hook")
    assert webhook.seen() == [(f"alert-{i}", "firing") for i in range(5)]
    wait_until(lambda: again.metric("waiting_alerts") == 0, 10, "none waiting")
    repeated = len(udp.messages)
    assert repeated == 10, "the others are told again"
    again.stop()
    third = Notifier(flowcast, *receivers)
    send(flowcast, alert("last"))
    wait_until(lambda: webhook.seen()[-1] == ("last", "firing"), 20, "the last one")
    assert len(webhook.requests) == 6, "the position has moved: nothing is told twice"
    third.stop()
    webhook.close()


@pytest.mark.broker
@pytest.mark.slow
def test_while_the_broker_is_away_what_was_read_is_handed_over_and_nothing_is_lost(binaries, messages, tmp_path, own_broker):
    own_broker("start")
    port = support.unused_port()
    with support.flowcast_of(binaries, own_broker.address, tmp_path, messages) as flowcast:
        flowcast.create_topics()
        notifier = Notifier(flowcast, "--webhook", f"http://localhost:{port}/hook")
        send(flowcast, *(alert(f"before-{i}") for i in range(5)))
        wait_until(lambda: notifier.metric("waiting_alerts") == 5, 20, "all read")
        own_broker("stop")
        webhook = Webhook(port=port)
        wait_until(lambda: len(webhook.requests) == 5, 40, "those that were read, without a broker")
        own_broker("start")
        send(flowcast, alert("between"))
        wait_until(lambda: ("between", "firing") in webhook.seen(), 60, "what came after the first break")
        own_broker.signal(signal.SIGKILL)
        own_broker("start")
        send(flowcast, alert("after"))
        wait_until(lambda: ("after", "firing") in webhook.seen(), 60, "what came after the second")
        told = [fingerprint for fingerprint, _ in webhook.seen()]
        assert list(dict.fromkeys(told)) == [*(f"before-{i}" for i in range(5)), "between", "after"]
        assert notifier.stop().code == OK
        webhook.close()


@pytest.mark.broker
def test_what_cannot_be_handed_over_is_given_up_and_counted(flowcast):
    notifier = Notifier(
        flowcast, "--webhook", f"http://localhost:{support.unused_port()}/", "--give-up-after", "2s", "--queue-limit", "3"
    )
    send(flowcast, *(alert(f"alert-{i}") for i in range(5)))
    wait_until(lambda: notifier.metric("given_up_alerts_total", "queue_full") == 2, 20, "two beyond the queue")
    wait_until(lambda: notifier.metric("given_up_alerts_total", "expired") == 3, 30, "three given up")
    assert notifier.metric("offered_alerts_total") == 5
    result = notifier.stop()
    assert "gave up" in result.err and "its queue is full (3)" in result.err


# Alertmanager.


@pytest.fixture(name="alertmanager")
def fixture_alertmanager(webhook, tmp_path):
    if not shutil.which("prometheus-alertmanager"):
        pytest.fail("needs prometheus-alertmanager: run scripts/bootstrap")
    alertmanager = Alertmanager(tmp_path, webhook.url)
    yield alertmanager
    alertmanager.stop()


def shape(value):
    """The keys and types of JSON, whatever stands in labels and annotations."""
    if isinstance(value, dict):
        free = ("labels", "annotations", "groupLabels", "commonLabels", "commonAnnotations")
        return {key: "texts" if key in free else shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value).__name__


@pytest.mark.broker
def test_an_alertmanager_shows_what_is_firing_and_its_end(flowcast, alertmanager, webhook):
    notifier = Notifier(flowcast, "--alertmanager", alertmanager.url, "--resend-every", "1s")
    send(flowcast, alert("a", runbook="https://wiki.example/load"), alert("b"))
    (shown, _) = wait_until(lambda: len(alertmanager.alerts()) == 2 and alertmanager.alerts(), 20, "both alerts")
    shown = next(one for one in alertmanager.alerts() if one["labels"]["link"] == "demo/a")
    assert shown["labels"] == {
        "alertname": "load", "link": "demo/a", "target": "packets", "severity": "warning", "kind": "load", "team": "core",
    }  # fmt: skip
    assert shown["startsAt"] == "2026-11-21T09:46:15.000Z"
    assert shown["annotations"]["summary"] == "a is firing" and shown["annotations"]["fingerprint"] == "a"
    assert shown["annotations"]["runbook_url"] == "https://wiki.example/load"
    wait_until(lambda: notifier.metric("resent_alerts_total") >= 2, 20, "told again")
    send(flowcast, alert("a", "resolved"))
    wait_until(lambda: [one["labels"]["link"] for one in alertmanager.alerts()] == ["demo/b"], 20, "the end of one")

    def resolved():
        return next((r for r in list(webhook.requests) if json.loads(r.body)["status"] == "resolved"), None)

    assert wait_until(resolved, 20, "the web-hook told of the end").alert["endsAt"] == "2026-11-21T09:46:45Z"
    notifier.stop()


@pytest.mark.broker
def test_an_alertmanager_that_forgot_is_told_again_and_so_is_one_after_our_restart(flowcast, alertmanager):
    arguments = ("--alertmanager", alertmanager.url, "--resend-every", "1s")
    notifier = Notifier(flowcast, *arguments)
    send(flowcast, alert("a"), alert("b"), alert("b", "resolved"))
    wait_until(lambda: len(alertmanager.alerts()) == 1 and notifier.metric("waiting_alerts") == 0, 20, "the alert")
    alertmanager.stop()
    alertmanager.start()
    wait_until(lambda: len(alertmanager.alerts()) == 1, 30, "the alert once more")
    assert notifier.stop().code == OK
    alertmanager.stop()
    alertmanager.start()
    assert alertmanager.alerts() == []
    again = Notifier(flowcast, *arguments)
    shown = wait_until(alertmanager.alerts, 30, "what was firing before our restart")
    assert [one["labels"]["link"] for one in shown] == ["demo/a"]
    assert again.metric("offered_alerts_total") == 0
    again.stop()


@pytest.mark.broker
def test_our_webhooks_have_the_form_of_alertmanagers_own(flowcast, alertmanager, webhook):
    ours = Webhook()
    notifier = Notifier(flowcast, "--alertmanager", alertmanager.url, "--webhook", ours.url)
    for state in ("firing", "resolved"):
        send(flowcast, alert("a", state))
        count = 1 if state == "firing" else 2
        wait_until(lambda: len(ours.requests) == count and len(webhook.requests) == count, 20, f"both, {state}")
        theirs, mine = json.loads(webhook.requests[-1].body), json.loads(ours.requests[-1].body)
        assert shape(mine) == shape(theirs)
        for name in ("status", "version", "groupLabels", "commonLabels", "commonAnnotations", "groupKey", "truncatedAlerts"):
            assert mine[name] == theirs[name]
        for name in ("status", "labels", "annotations", "startsAt"):
            assert mine["alerts"][0][name] == theirs["alerts"][0][name]
    assert mine["alerts"][0]["endsAt"] == theirs["alerts"][0]["endsAt"]
    notifier.stop()
    ours.close()


# Configuration.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "there is nobody to notify; name one with --webhook URL"),
        (("--webhook", "localhost:80"), "begins with neither http:// nor https://"),
        (("--webhook", "http://me:secret@host/"), "a name and a password in the URL are not taken"),
        (("--syslog", "tls://host"), "write udp://HOST:PORT or tcp://HOST:PORT"),
        (("--syslog", "udp://host", "--syslog-facility", "kern"), "take user, daemon, auth, syslog or one of local0"),
        (("--webhook", "http://host", "--webhook-secret-file", "/nonexistent"), "/nonexistent can't be read"),
        (("--webhook", "http://host", "--webhook-secret-file", "/dev/null"), "/dev/null holds no secret"),
        (("--webhook", "https://host", "--ca-file", "/nonexistent"), "--ca-file /nonexistent can't be read"),
        (("--webhook", "http://host", "--severity", "loud"), "--severity"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_an_error_of_check_that_names_the_remedy(programs, arguments, said):
    result = programs.run("notifier", "--check", *arguments)
    assert result.code == USAGE
    assert said in result.errors[0]
    assert "secret@" not in result.err


def test_what_makes_sense_passes_the_check_and_no_path_is_logged(programs):
    result = programs.succeed(
        "notifier", "--check", "--webhook", "https://chat.example/hooks/T0KEN", "--webhook", "http://localhost/two",
        "--alertmanager", "http://localhost:9093/am", "--syslog", "udp://localhost",
    )  # fmt: skip
    assert "webhook is https://chat.example" in result.err and "webhook-2 is http://localhost" in result.err
    assert "T0KEN" not in result.err


def test_without_kafka_it_says_what_it_waits_for(programs):
    result = programs.run("notifier", "--syslog", "udp://localhost", "--broker-timeout", "1s")
    assert result.code == support.NO_BROKER


@pytest.mark.broker
def test_deleting_the_topics_forgets_its_position(flowcast, webhook):
    send(flowcast, alert("a"), alert("b"))
    notifier = Notifier(flowcast, "--webhook", webhook.url)
    wait_until(lambda: len(webhook.requests) == 2, 20, "both alerts")
    notifier.stop()
    flowcast.succeed("cli", "topics", "delete", "--yes")
    with contextlib.suppress(AssertionError):
        flowcast.create_topics()
    wait_until(lambda: flowcast.run("cli", "topics", "create", "--partitions", 2).code == OK, 30, "topics anew")
    send(flowcast, alert("c"))
    again = Notifier(flowcast, "--webhook", webhook.url)
    wait_until(lambda: ("c", "firing") in webhook.seen(), 20, "the alert of the new topic")
    again.stop()
