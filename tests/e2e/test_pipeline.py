"""From a capture file to alerts and the report: every number is compared with one computed here."""

import json
import math
from itertools import groupby
from types import SimpleNamespace

import pytest

from support import DEMO, flowcast_of, library

library("dpkt")
library("numpy")

import numpy as np

from reference_windows import ALL_NAMES, NAMES, NS, compute_windows

pytestmark = pytest.mark.broker

LENGTH = 16  # windows a sequence
COUNTS = {
    "packets", "bytes", "flows", "sources", "destinations", "dominant_protocol", "size_min", "size_max", "size_p50", "size_p95",
    "new_flows", "syn", "syn_ack", "rst", "fin", "uplink_packets", "uplink_bytes", "downlink_packets", "downlink_bytes",
}
LOGARITHMIC = {
    "packets", "bytes", "size_mean", "size_std", "packet_rate", "bit_rate", "flows", "sources", "destinations",
    "uplink_downlink_ratio",
}
MEDIAN_LEVEL = 0.5
CLEAR_RATIO = 0.9


def send_and_fold(flowcast, capture, *arguments, window="1s"):
    """The capture through capture and features, one after the other."""
    flowcast.create_topics(partitions=4)
    flowcast.succeed("capture", "--pcap", capture, *arguments)
    return flowcast.succeed("features", "--window", window, "--exit-when-idle", "2s")


@pytest.fixture(scope="module", name="demo")
def fixture_demo(binaries, broker, messages, tmp_path_factory):
    """The whole pipeline over the bundled capture, run once for all tests of this file."""
    assert DEMO.exists(), f"{DEMO} is missing: it belongs to the repository"
    folder = tmp_path_factory.mktemp("demo")
    with flowcast_of(binaries, broker, folder, messages) as flowcast:
        send_and_fold(flowcast, DEMO)
        flowcast.succeed(
            "trainer", "--once", "--train-fraction", "0.7", "--epochs", "3", "--hidden", "16", "--model-dir", folder / "models"
        )
        inference = flowcast.succeed("inference", "--threshold", "p95", "--exit-when-idle", "2s")
        yield SimpleNamespace(
            flowcast=flowcast,
            folder=folder,
            expected=compute_windows(DEMO, NS),
            windows=flowcast.read("windows"),
            sequences=flowcast.read("sequences"),
            forecasts=flowcast.read("forecasts"),
            models=flowcast.records("models"),
            alerts=flowcast.records("alerts"),
            inference=inference,
        )


@pytest.fixture(name="manifest")
def fixture_manifest(demo, messages):
    [record] = [record for record in demo.models if not record.key.endswith("/current")]
    return json.loads(messages["models"].FromString(record.value).manifest)


def place(window) -> tuple:
    return (window.link, window.start_ns, window.partial)


def expect_same_windows(windows, expected, names=NAMES):
    """The same set, none twice, each value within its tolerance."""
    assert len(windows) == len({place(window) for window in windows})
    by_place = {place(window): window for window in windows}
    wanted = {(window["link"], window["start_ns"], window["partial"]): window["features"] for window in expected}
    assert sorted(by_place) == sorted(wanted)
    wrong = []
    for where, features in wanted.items():
        window = by_place[where]
        assert (window.version, window.length_ns, window.late_packets) == (1, NS, 0)
        assert (window.packets, window.bytes) == (features["packets"], features["bytes"])
        for name, value in zip(names, window.features, strict=True):
            exact = name in COUNTS
            if not math.isclose(value, features[name], rel_tol=0 if exact else 1e-6, abs_tol=1e-9):
                wrong.append((where, name, value, features[name]))
    assert not wrong, f"{len(wrong)} values differ, such as {wrong[:5]}"


def expected_ends(expected) -> set:
    """(link, end) of each sequence: after every LENGTH whole windows that follow each other."""
    ends = set()
    for link, windows in groupby(expected, key=lambda window: window["link"]):
        run, last_start = 0, None
        for window in windows:
            start = window["start_ns"]
            follows = last_start is None or start == last_start + NS
            run = 0 if window["partial"] else (run + 1 if follows else 1)
            last_start = start
            if run >= LENGTH:
                ends.add((link, start + NS))
    return ends


def test_every_window_is_as_computed_independently(demo):
    expect_same_windows(demo.windows, demo.expected)


def test_every_feature_there_is_can_be_asked_for_and_derived_ones_too(flowcast, demo):
    flowcast.create_topics(partitions=2)
    flowcast.succeed("capture", "--pcap", DEMO, "--batch-packets", "777")
    derived = "up=uplink_bytes/bytes,unanswered=syn-syn_ack"
    flowcast.succeed("features", "--window", "1s", "--features", f"all,{derived}", "--exit-when-idle", "2s")
    windows = flowcast.read("windows")
    for expected in demo.expected:
        of = expected["features"]
        of["up"] = of["uplink_bytes"] / of["bytes"] if of["bytes"] else 0
        of["unanswered"] = of["syn"] - of["syn_ack"]
    expect_same_windows(windows, demo.expected, [*ALL_NAMES, "up", "unanswered"])
    assert {window.schema for window in windows} == {",".join([*ALL_NAMES, derived])}
    assert len({window.schema_hash for window in windows}) == 1
    assert {len(sequence.last) for sequence in flowcast.read("sequences")} == {len(ALL_NAMES) + 2}


def test_the_default_schema_is_not_named_in_every_window(demo):
    assert {window.schema for window in demo.windows} == {""}


def test_records_carry_their_link_as_key_and_keep_to_its_partition(demo, messages):
    partitions = {}
    for topic in ("windows", "sequences", "forecasts"):
        for record in demo.flowcast.records(topic):
            assert record.key == messages[topic].FromString(record.value).link
            partitions.setdefault(record.key, set()).add(record.partition)
    assert all(len(found) == 1 for found in partitions.values())


def test_there_is_a_sequence_after_every_ten_windows_in_a_row(demo):
    found = [(sequence.link, sequence.end_ns) for sequence in demo.sequences]
    assert len(found) == len(set(found))
    assert set(found) == expected_ends(demo.expected)
    assert found


def test_sequences_bring_back_the_windows_they_were_made_of(demo):
    raw = {(window["link"], window["start_ns"]): window["features"] for window in demo.expected}
    for sequence in demo.sequences:
        assert (sequence.length, sequence.window_ns) == (LENGTH, NS)
        starts = [sequence.end_ns - (LENGTH - row) * NS for row in range(LENGTH)]
        wanted = np.array([[raw[sequence.link, start][name] for name in NAMES] for start in starts])
        z = np.array(sequence.values).reshape(LENGTH, len(NAMES)) * np.array(sequence.scale) + np.array(sequence.centre)
        logarithmic = np.array([name in LOGARITHMIC for name in NAMES])
        np.testing.assert_allclose(np.where(logarithmic, np.expm1(np.minimum(z, 700)), z), wanted, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(sequence.last, wanted[-1], rtol=1e-6, atol=1e-9)


def test_the_model_is_published_with_a_record_that_points_at_it(demo, messages, manifest):
    current = [record for record in demo.models if record.key == "default/current"]
    assert messages["current"].FromString(current[-1].value).model_version == manifest["version"]
    assert f"default/{manifest['version']}" in {record.key for record in demo.models}
    first = min(sequence.end_ns for sequence in demo.sequences)
    last = max(sequence.end_ns for sequence in demo.sequences)
    assert manifest["training"]["trained_until_ns"] == (first + int((last - first) * 0.7)) // NS * NS
    assert manifest["features"] == NAMES


def test_the_model_is_kept_in_its_folder(demo, manifest):
    kept = demo.folder / "models" / "default" / "current"
    assert json.loads((kept / "manifest.json").read_text())["version"] == manifest["version"]
    assert (kept / "history.csv").read_text().startswith("forecaster,epoch,training_loss")


def test_every_sequence_has_one_forecast_with_ascending_quantiles(demo, manifest):
    found = [(forecast.link, forecast.made_at_ns) for forecast in demo.forecasts]
    assert sorted(found) == sorted((sequence.link, sequence.end_ns) for sequence in demo.sequences)
    for forecast in demo.forecasts:
        assert [horizon.windows for horizon in forecast.horizons] == [1, 2, 3, 6, 12]
        for horizon in forecast.horizons:
            quantiles = list(horizon.quantiles)
            assert len(quantiles) == len(horizon.levels)
            assert list(horizon.levels) == sorted(horizon.levels)
            assert quantiles == sorted(quantiles) and quantiles[0] >= 0 and math.isfinite(quantiles[-1])
            assert horizon.target_start_ns == forecast.made_at_ns + (horizon.windows - 1) * forecast.window_ns
            assert math.isclose(sum(expert.weight for expert in horizon.experts), 1, rel_tol=1e-6)
        with_model = forecast.made_at_ns >= manifest["training"]["trained_until_ns"]
        assert forecast.model_version == (manifest["version"] if with_model else "")


def threshold_of(demo, manifest, link) -> float:
    """The 95th percentile, by nearest rank, of the part that was learned from."""
    learned = sorted(
        sequence.last[0] for sequence in demo.sequences if sequence.link == link and sequence.end_ns <= manifest["training"]["trained_until_ns"]
    )
    return learned[math.ceil(0.95 * len(learned)) - 1]


def median_of(forecast) -> float:
    horizon = forecast.horizons[0]
    return horizon.quantiles[list(horizon.levels).index(MEDIAN_LEVEL)]


def expected_changes(demo, manifest) -> list:
    """(link, made at, state) of each alert, from the published forecasts alone."""
    changes = []
    for link in {forecast.link for forecast in demo.forecasts}:
        threshold, firing = threshold_of(demo, manifest, link), False
        own = sorted((f for f in demo.forecasts if f.link == link), key=lambda forecast: forecast.made_at_ns)
        for forecast in own:
            if forecast.made_at_ns < manifest["training"]["trained_until_ns"]:
                continue
            median = median_of(forecast)
            if not firing and median > threshold or firing and median < CLEAR_RATIO * threshold:
                firing = not firing
                changes.append((link, forecast.made_at_ns, "firing" if firing else "resolved"))
    return sorted(changes)


def test_alerts_follow_from_the_forecasts_of_what_was_not_learned(demo, manifest):
    alerts = [json.loads(record.value) for record in demo.alerts]
    found = [(a["link"], a["resolved_at_ns" if a["state"] == "resolved" else "started_at_ns"], a["state"]) for a in alerts]
    assert sorted(found) == expected_changes(demo, manifest)
    assert found, "the bundled capture is meant to raise alerts"
    assert all(alert["threshold"] == threshold_of(demo, manifest, alert["link"]) for alert in alerts)


def test_alerts_are_cloud_events_that_fire_and_resolve_in_turn(demo):
    states, ids = {}, set()
    for record in demo.alerts:
        alert, headers = json.loads(record.value), record.headers
        assert record.key == alert["fingerprint"]
        assert headers["ce_specversion"] == "1.0" and headers["content-type"] == "application/json"
        assert headers["ce_type"] == f"io.flowcast.alert.{alert['state']}"
        assert headers["ce_subject"] == alert["link"] and headers["ce_time"].endswith("Z") and headers["ce_source"]
        ids.add(headers["ce_id"])
        states.setdefault(record.key, []).append(alert["state"])
        assert 0 <= alert["probability"] <= 1 and alert["low"] <= alert["predicted"] <= alert["high"]
    assert len(ids) == len(demo.alerts)
    for turns in states.values():
        assert turns == ["firing", "resolved"] * (len(turns) // 2) + ["firing"] * (len(turns) % 2)


def test_evaluate_gives_finite_scores(demo, manifest):
    scores = json.loads(demo.flowcast.succeed("cli", "evaluate", "--json").out)
    assert scores["model_version"] == manifest["version"] and scores["target"] == "packets"
    assert scores["all"]["count"] == sum(link["count"] for link in scores["links"].values()) > 0
    for name in ("mse", "rmse", "mae", "r2", "mae_persistence", "skill"):
        assert math.isfinite(scores["all"][name]), name


def errors_with_model(demo) -> tuple[float, float]:
    """Mean absolute errors of the forecasts made with the model, and of persistence."""
    actual = {(window["link"], window["start_ns"]): window["features"]["packets"] for window in demo.expected}
    last_end = max(sequence.end_ns for sequence in demo.sequences)
    scored = [f for f in demo.forecasts if f.model_version and f.made_at_ns < last_end]
    truths = np.array([actual[f.link, f.made_at_ns] for f in scored])
    return (
        float(np.mean(np.abs(truths - [median_of(f) for f in scored]))),
        float(np.mean(np.abs(truths - [f.last_actual for f in scored]))),
    )


def test_the_report_says_what_is_on_the_topics(demo, manifest):
    out = demo.folder / "out"
    demo.flowcast.succeed("cli", "report", "--out", out, "--threshold", "p95", "--seconds", "12.5")
    summary = json.loads((out / "summary.json").read_text())
    states = [json.loads(record.value)["state"] for record in demo.alerts]
    mae, mae_persistence = errors_with_model(demo)
    assert {name: summary[name] for name in ("packets", "windows", "sequences", "model_version", "seconds")} == {
        "packets": sum(window["features"]["packets"] for window in demo.expected),
        "windows": len(demo.expected),
        "sequences": len(demo.sequences),
        "model_version": manifest["version"],
        "seconds": 12.5,
    }
    assert (summary["alerts_fired"], summary["alerts_resolved"]) == (states.count("firing"), states.count("resolved"))
    assert summary["mae"] == pytest.approx(mae, rel=1e-6)
    assert summary["mae_persistence"] == pytest.approx(mae_persistence, rel=1e-6)
    page = (out / "forecast.html").read_text()
    assert manifest["version"] in page and "/*FLOWCAST_DATA*/null" not in page


# Real captures whose times nowhere go back by more than the reorder tolerance of a file (1 s), which makes packets
# late, and whose links are nowhere silent for the link's expiry (1 h), which leaves windows out: the reference
# computation knows neither.
OTHERS = (
    "long/uchicago_web.pcap.zst",
    "long/westermo_right_reduced.pcap.zst",
    "small/jumbo__zeek__smb2_100_small_files.pcap",
    "small/ng-multi-if__zeek__pcapng-multi-interface.pcapng",
    "small/tcpreplay__tcpreplay__test.pcap",
)


@pytest.fixture(scope="module", name="others")
def fixture_others(binaries, broker, messages, tmp_path_factory, corpus):
    """Windows and sequences of all of them, which one service folds side by side."""
    with flowcast_of(binaries, broker, tmp_path_factory.mktemp("others"), messages) as flowcast:
        flowcast.create_topics(partitions=3)
        for name in OTHERS:
            assert (corpus / name).exists(), f"{corpus / name} is missing"
            flowcast.succeed("capture", "--pcap", corpus / name, "--batch-packets", "1000")
        flowcast.succeed("features", "--window", "1s", "--features", "all", "--exit-when-idle", "2s")
        yield SimpleNamespace(windows=flowcast.read("windows"), sequences=flowcast.read("sequences"))


@pytest.mark.corpus
@pytest.mark.parametrize("name", OTHERS)
def test_windows_of_other_captures_are_as_computed_too(others, corpus, name):
    expected = compute_windows(corpus / name, NS)
    links = {window["link"] for window in expected}
    expect_same_windows([window for window in others.windows if window.link in links], expected, ALL_NAMES)
    found = {(sequence.link, sequence.end_ns) for sequence in others.sequences if sequence.link in links}
    assert found == expected_ends(expected)


@pytest.mark.corpus
def test_packets_further_back_than_the_tolerance_are_counted_as_late(flowcast, corpus):
    capture = corpus / "small" / "ts-backwards__zeek__vnc-scanner.pcap"
    flowcast.succeed("capture", "--pcap", capture, "--batch-packets", "1", "--reorder-tolerance", "1ms")
    features = flowcast.succeed("features", "--window", "50ms", "--exit-when-idle", "2s")
    received = sum(window["features"]["packets"] for window in compute_windows(capture, NS // 20))
    late = int(received) - sum(window.packets for window in flowcast.read("windows"))
    assert late > 0
    assert f"late {late}," in features.err
