"""The names of metrics: every one of every service keeps Prometheus' conventions, those included that no test brings about."""

import re
import subprocess

import pytest

UNITS_OF_OTHERS = {
    "ms", "us", "ns", "milliseconds", "microseconds", "minutes", "hours", "days", "kb", "mb", "kib", "mib", "kilobytes",
    "megabytes", "bits", "bps", "percent", "percentage",
}  # fmt: skip
LAST = ("seconds", "bytes", "ratio", "info")  # Prometheus' base units: nothing but _total comes after them
COUNTED = {  # what is counted, where there is no unit
    "packets", "batches", "links", "records", "windows", "sequences", "sources", "transactions", "rebalances", "epochs",
    "trainings", "models", "forecasts", "intervals", "error", "alerts", "reloads", "rules", "attempts", "failing", "examples",
    "requests", "ready", "fds", "load", "forecast", "bound", "kind", "values",
}  # fmt: skip


def metrics_of(binaries, service: str) -> list[tuple]:
    done = subprocess.run([binaries / f"flowcast-{service}", "--print-metrics"], capture_output=True, text=True, check=True)
    return re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.+) \|$", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("service", ["capture", "features", "trainer", "inference", "notifier"])
def test_every_metric_keeps_the_conventions(binaries, service):
    metrics = metrics_of(binaries, service)
    assert len(metrics) > 20 and len({name for name, *_ in metrics}) == len(metrics)
    for name, kind, labels, about in metrics:
        words = name.removesuffix("_total").split("_")
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name), name
        assert words[0] == "process" or words[:2] == ["flowcast", service] or name in (
            "flowcast_build_info", "flowcast_http_requests_total", "flowcast_ready",
        ), f"{name} does not begin with flowcast_{service}_"
        assert name.endswith("_total") == (kind == "counter"), f"{name} is a {kind}"
        assert not UNITS_OF_OTHERS & set(words), f"{name} has a unit that is no base unit"
        assert not set(LAST) & set(words[:-1]), f"{name} does not end with its unit"
        assert words[-1] in LAST or words[-1] in COUNTED, f"{name} ends with neither a unit nor what it counts"
        assert kind != "histogram" or words[-1] in ("seconds", "bytes")
        assert about.endswith("."), f"{name}: '{about}' is no sentence"
        for label in re.findall(r"`(\w+)`", labels):
            assert re.fullmatch(r"[a-z]+", label) and label not in ("le", "quantile", "instance", "job"), f"{name}: {label}"


def test_every_service_tells_its_drops_lag_and_transactions(binaries):
    names = {
        service: {name for name, *_ in metrics_of(binaries, service)}
        for service in ("capture", "features", "trainer", "inference", "notifier")
    }
    for service in ("features", "inference", "notifier"):
        of = f"flowcast_{service}_".__add__
        assert {of("unread_records"), of("read_timestamp_seconds"), of("transactions_total")} <= names[service]
    assert {"flowcast_trainer_unread_records", "flowcast_trainer_read_timestamp_seconds"} <= names["trainer"]
    assert "flowcast_capture_dropped_packets_total" in names["capture"]
    assert {"flowcast_features_refused_records_total", "flowcast_features_watermark_timestamp_seconds"} <= names["features"]
    assert {
        "flowcast_inference_refused_sequences_total", "flowcast_inference_window_end_timestamp_seconds",
        "flowcast_inference_forecast_delay_seconds", "flowcast_inference_live_skill_ratio", "flowcast_inference_live_coverage_ratio",
    } <= names["inference"]  # fmt: skip
