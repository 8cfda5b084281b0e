"""Other targets than packets: any feature can be learned and forecast."""

import json

import pytest

from support import DEMO, USAGE
from test_models import shown, train

pytestmark = pytest.mark.broker


def test_jitter_is_learned_and_forecast_with_its_own_thresholds(flowcast):
    flowcast.succeed("capture", "--pcap", DEMO)
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "2s")
    train(flowcast, "--target", "jitter", "--train-fraction", "0.5")
    flowcast.succeed("inference", "--target", "jitter", "--threshold", "p95", "--exit-when-idle", "2s")
    [version] = {forecast.model_version for forecast in flowcast.read("forecasts")} - {""}
    column = shown(flowcast, version)["features"].index("jitter")
    actual = {(sequence.link, sequence.end_ns): sequence.last[column] for sequence in flowcast.read("sequences")}
    with_model = 0
    for forecast in flowcast.read("forecasts"):
        assert forecast.target == "jitter"
        assert forecast.last_actual == actual[forecast.link, forecast.made_at_ns]
        with_model += {"lstm", "xgboost"} <= {expert.name for expert in forecast.horizons[0].experts}
    assert with_model > 1000
    check_report(flowcast, "jitter", column)


def check_report(flowcast, target, column):
    """The report of a target: its windows, its forecasts and its threshold."""
    out = flowcast.folder / "report"
    flowcast.succeed("cli", "report", "--target", target, "--threshold", "p95", "--out", out)
    page = (out / "forecast.html").read_text()
    data = json.loads(page.partition("const data = ")[2].partition(";\n")[0])
    windows = {(window.link, window.start_ns): window for window in flowcast.read("windows") if not window.partial}
    assert data["target"] == target and data["summary"]["scored"] > 1000
    for link in data["links"]:
        actual = [window.features[column] for (name, _), window in sorted(windows.items()) if name == link["link"]]
        assert [load for _, load in link["actual"]] == actual and link["threshold"] > 0
    refused = flowcast.run("cli", "report", "--target", "jiter", "--out", out)
    assert refused.code == USAGE and "the windows have no feature 'jiter'; they have bit_rate" in refused.err


TARGETS = ("bytes", "jitter")


def test_one_model_forecasts_several_targets_also_after_a_restart(flowcast):
    flowcast.succeed("capture", "--pcap", DEMO)
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "2s")
    log = train(flowcast, "--target", ",".join(TARGETS), "--train-fraction", "0.5")
    assert "bytes validation MAE" in log and "jitter validation MAE" in log
    inference = ("--target", ",".join(TARGETS), "--threshold", "2MB", "--exit-when-idle", "2s")
    flowcast.succeed("inference", *inference)
    manifest = shown(flowcast, "current")
    assert manifest["targets"] == list(TARGETS) and manifest["target"] == "bytes"
    [jitter] = manifest["further_targets"]
    assert jitter["target"] == "jitter" and jitter["target_percentiles"][""]["p95"] > 0
    assert [forecaster["name"] for forecaster in jitter["forecasters"]] == ["lstm", "xgboost"]
    assert jitter["metrics"]["mae"] != manifest["training"]["metrics"]["mae"]
    sequences = {(sequence.link, sequence.end_ns): sequence for sequence in flowcast.read("sequences")}
    check_forecasts(flowcast.read("forecasts"), sequences, manifest)
    before = len(flowcast.read("forecasts"))
    flowcast.succeed("capture", "--pcap", DEMO, "--source", "again")
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "2s")
    again = flowcast.succeed("inference", *inference).err
    assert "begin anew" not in again and "damaged" not in again
    assert len(flowcast.read("forecasts")) == 2 * before

    scores = json.loads(flowcast.succeed("cli", "evaluate", "--json").out)
    assert scores["target"] == "bytes" and [one["target"] for one in scores["further_targets"]] == ["jitter"]
    for of_target in (scores, *scores["further_targets"]):
        assert of_target["all"]["count"] > 0 and of_target["forecasters"].keys() == {"lstm", "xgboost"}
    assert "(bytes, 1 windows ahead)" in (table := flowcast.succeed("cli", "evaluate").out)
    assert "(jitter, 1 windows ahead)" in table and table.count("(all, lstm alone)") == 2


def check_forecasts(forecasts, sequences, manifest):
    """One of each target a sequence, in the order of the option, with what that was last and what the model says."""
    assert len(forecasts) == len(TARGETS) * len(sequences)
    of_link = {}
    with_model = dict.fromkeys(TARGETS, 0)
    for forecast in forecasts:
        of_link.setdefault(forecast.link, []).append(forecast.target)
        column = manifest["features"].index(forecast.target)
        assert forecast.last_actual == sequences[forecast.link, forecast.made_at_ns].last[column]
        experts = {expert.name for expert in forecast.horizons[0].experts}
        with_model[forecast.target] += {"lstm", "xgboost"} <= experts
    for targets in of_link.values():
        assert targets == list(TARGETS) * (len(targets) // 2)
    assert min(with_model.values()) > 1000 and len(set(with_model.values())) == 1


def test_a_target_that_is_named_twice_is_refused(flowcast):
    for program in ("trainer", "inference"):
        result = flowcast.run(program, "--target", "packets,bytes,packets", "--check")
        assert result.code == USAGE
        assert "'packets' is to be forecast twice" in result.err


def test_a_feature_that_there_is_not_is_refused_by_name(flowcast):
    for program in ("trainer", "inference"):
        result = flowcast.run(program, "--target", "mood", "--check")
        assert result.code == USAGE
        assert "there is no feature 'mood' to forecast; there are: packets, bytes" in result.err
