"""Other targets than packets: any feature can be learned and forecast."""

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


def test_a_feature_that_there_is_not_is_refused_by_name(flowcast):
    for program in ("trainer", "inference"):
        result = flowcast.run(program, "--target", "mood", "--check")
        assert result.code == USAGE
        assert "there is no feature 'mood' to forecast; there are: packets, bytes" in result.err
