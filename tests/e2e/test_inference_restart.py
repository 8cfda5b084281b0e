"""Inference killed, stopped and shared out: forecasts and alerts are those of a straight run with the same model."""

import json
import math
import random
from typing import NamedTuple

import pytest

from exactly_once import QUICK
from support import DEMO, OK, flowcast_of, wait_until

pytestmark = pytest.mark.broker

KILLS = 4
SEED = 11
WATCH = ("--threshold", "p90", *QUICK)
FOLD = ("--window", "1s", *QUICK)
RELATIVE = 1e-6  # the network's last bits depend on the batch


class Outcome(NamedTuple):
    """What a reader of committed records sees."""

    forecasts: dict  # numbers by (link, made at)
    alerts: list  # (link, rule, state, time of the window)


def numbers_of(forecast) -> list:
    numbers = [forecast.last_actual]
    for horizon in forecast.horizons:
        numbers += list(horizon.quantiles)
        numbers += [expert.value for expert in horizon.experts] + [expert.weight for expert in horizon.experts]
        numbers += [horizon.record.mae, horizon.record.coverage_90]
    return numbers


def outcome(flowcast) -> Outcome:
    forecasts = {}
    for forecast in flowcast.read("forecasts"):
        place = (forecast.link, forecast.made_at_ns)
        assert place not in forecasts, f"{place} twice"
        forecasts[place] = (forecast.model_version, numbers_of(forecast))
    alerts = []
    for record in flowcast.records("alerts"):
        alert = json.loads(record.value)
        alerts.append((alert["link"], alert["rule"], alert["state"], alert["target_start"]))
    return Outcome(forecasts, sorted(alerts))


def compare(found: Outcome, straight: Outcome) -> None:
    assert found.forecasts.keys() == straight.forecasts.keys()
    for place, (version, numbers) in straight.forecasts.items():
        assert found.forecasts[place][0] == version, place
        again = found.forecasts[place][1]
        assert len(again) == len(numbers), place
        for one, other in zip(again, numbers):
            assert math.isclose(one, other, rel_tol=RELATIVE, abs_tol=RELATIVE), (place, one, other)
    assert found.alerts == straight.alerts


@pytest.fixture(scope="module", name="straight")
def fixture_straight(binaries, broker, messages, tmp_path_factory) -> tuple:
    """The model's records, and what a run without any mishap gives."""
    with flowcast_of(binaries, broker, tmp_path_factory.mktemp("straight"), messages) as flowcast:
        flowcast.create_topics()
        flowcast.succeed("capture", "--pcap", DEMO)
        flowcast.succeed("features", *FOLD, "--exit-when-idle", "1s")
        training = ("--once", "--epochs", "3", "--hidden", "8", "--train-fraction", "0.3", "--model-dir", flowcast.folder / "models")
        flowcast.succeed("trainer", *training, timeout_s=120)
        flowcast.succeed("inference", *WATCH, "--exit-when-idle", "1s")
        found = outcome(flowcast)
        assert len(found.forecasts) > 3000 and len(found.alerts) > 2
        assert any(version for version, _ in found.forecasts.values())
        return flowcast.records("models"), found


def begin(flowcast, straight) -> None:
    """The same model, and the same sequences as they come."""
    for record in straight[0]:
        flowcast.send("models", record.value, record.key)
    flowcast.start("features", *FOLD)
    flowcast.start("capture", "--pcap", DEMO, "--speed", "100x")


def count_of_forecasts(flowcast) -> int:
    return sum(1 for _ in flowcast.records("forecasts"))


def wait_for_all(flowcast, straight, *running) -> None:
    def all_there():
        for inference in running:
            assert inference.is_alive(), f"{inference.name} has ended:\n{inference.log}"
        return count_of_forecasts(flowcast) >= len(straight[1].forecasts)

    wait_until(all_there, 60, "all forecasts")
    compare(outcome(flowcast), straight[1])


def test_killed_again_and_again_it_forecasts_and_alerts_as_if_nothing_had_happened(flowcast, straight):
    random_numbers = random.Random(SEED)
    begin(flowcast, straight)
    for _ in range(KILLS):
        wanted = count_of_forecasts(flowcast) + random_numbers.randint(1, 400)
        inference = flowcast.start("inference", *WATCH)
        wait_until(lambda: count_of_forecasts(flowcast) >= wanted, 30, f"{wanted} forecasts after a restart")
        inference.kill()
    inference = flowcast.start("inference", *WATCH)
    wait_for_all(flowcast, straight, inference)
    assert "begin anew" not in inference.log
    assert inference.stop().code == OK


def test_another_instance_goes_on_where_a_killed_one_stood(flowcast, straight):
    first = flowcast.start("inference", *WATCH, "--instance", "a")
    second = flowcast.start("inference", *WATCH, "--instance", "b")
    for inference in (first, second):
        inference.expect("reading ")
    begin(flowcast, straight)
    wait_until(lambda: count_of_forecasts(flowcast) > 500, 30, "forecasts")
    first.kill()
    wait_for_all(flowcast, straight, second)
    assert second.stop().code == OK


def test_stopped_and_started_it_goes_on(flowcast, straight):
    begin(flowcast, straight)
    for _ in range(2):
        before = count_of_forecasts(flowcast)
        inference = flowcast.start("inference", *WATCH)
        wait_until(lambda: count_of_forecasts(flowcast) > before + 200, 30, "forecasts after the restart")
        assert inference.stop(timeout_s=5).code == OK
    inference = flowcast.start("inference", *WATCH)
    wait_for_all(flowcast, straight, inference)
    inference.stop()
