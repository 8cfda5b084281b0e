"""The golden cases through to alerts: shared out, killed, stopped, and with a broker that is stopped and killed, inference
gives the forecasts and alerts of a straight run with the same model."""

import random
import re
import signal
from typing import NamedTuple

import pytest

import golden
from exactly_once import QUICK, expect_alive, expect_none_failed
from golden import FEATURES, PARTITIONS
from outcome import Outcome, compare_forecasts, outcome
from support import OK, flowcast_of, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.slow]

KILLS = 4
SEED = 11
WATCH = ("--threshold", "p90", *QUICK)
FOLD = (*FEATURES, *QUICK)
LASTING_S = 10  # as the packets come


def compare(found: Outcome, straight: Outcome) -> None:
    difference = compare_forecasts(found, straight)
    assert not difference, str(difference)
    assert found.alerts == straight.alerts


class Straight(NamedTuple):
    cases: list
    models: list  # the records of models.v1
    outcome: Outcome


@pytest.fixture(scope="module", name="straight")
def fixture_straight(binaries, broker, messages, tmp_path_factory) -> Straight:
    """What a run without any mishap gives, with a model that learned from the first part of the made-up links and is asked
    about the rest of them and the others."""
    cases = golden.bundled_cases(tmp_path_factory.mktemp("cases"))
    with flowcast_of(binaries, broker, tmp_path_factory.mktemp("straight"), messages) as flowcast:
        flowcast.create_topics(PARTITIONS)
        golden.run_straight(flowcast, cases[2:])
        training = ("--once", "--epochs", "3", "--hidden", "8", "--train-fraction", "0.7", "--model-dir", flowcast.folder / "models")
        flowcast.succeed("trainer", *training, timeout_s=120)
        golden.run_straight(flowcast, cases[:2])
        flowcast.succeed("inference", *WATCH, "--exit-when-idle", "1s")
        found = outcome(flowcast)
        assert len(found.forecasts) > 3000 and len(found.alerts) > 10
        with_model = sum(1 for ((version, _),) in found.forecasts.values() if version)
        assert 500 < with_model < len(found.forecasts) - 500
        return Straight(cases, flowcast.records("models"), found)


@pytest.fixture(name="flowcast")
def fixture_flowcast(binaries, broker, messages, tmp_path):
    with flowcast_of(binaries, broker, tmp_path, messages) as flowcast:
        flowcast.create_topics(PARTITIONS)
        yield flowcast


def begin(flowcast, straight, lasting_s: float = LASTING_S) -> list:
    """The same model, and the same packets as they come."""
    for record in straight.models:
        flowcast.send("models", record.value, record.key)
    features = flowcast.start("features", *FOLD)
    return [features, *golden.send_all(flowcast, straight.cases, lasting_s)]


def start_instances(flowcast, count: int) -> list:
    """They have their shares when they return."""
    instances = [flowcast.start("inference", *WATCH, "--instance", f"i{number}") for number in range(count)]
    for inference in instances:
        inference.expect("reading ")
    return instances


def count_of_forecasts(flowcast) -> int:
    return sum(1 for _ in flowcast.records("forecasts"))


def wait_for(flowcast, wanted: int, running, timeout_s: float = 30) -> None:
    def are_there():
        expect_alive(running)
        return count_of_forecasts(flowcast) >= wanted

    wait_until(are_there, timeout_s, f"{wanted} forecasts")


def wait_for_all(flowcast, straight, running) -> None:
    wait_for(flowcast, len(straight.outcome.forecasts), running, 60)
    for inference in running:
        assert inference.stop().code == OK
    compare(outcome(flowcast), straight.outcome)
    for log in flowcast.logs("inference"):
        assert "begin anew" not in log, f"its state was not found:\n{log}"


@pytest.mark.parametrize("count", [1, 2, 4])
def test_any_number_of_instances_gives_the_same(flowcast, straight, count):
    instances = start_instances(flowcast, count)
    begin(flowcast, straight)
    wait_for_all(flowcast, straight, instances)
    for inference in instances:
        assert re.search(r"stopped after [1-9][\d,]* records in", inference.log), f"it had nothing to do:\n{inference.log}"


def test_killed_again_and_again_it_forecasts_and_alerts_as_if_nothing_had_happened(flowcast, straight):
    random_numbers = random.Random(SEED)
    begin(flowcast, straight, lasting_s=20)
    for _ in range(KILLS):
        before = count_of_forecasts(flowcast)
        inference = flowcast.start("inference", *WATCH)
        wait_for(flowcast, before + random_numbers.randint(1, 400), [inference])
        inference.kill()
    wait_for_all(flowcast, straight, start_instances(flowcast, 1))  # perhaps nothing is left, and it is stopped at once


def test_another_instance_goes_on_where_a_killed_one_stood(flowcast, straight):
    first, second = start_instances(flowcast, 2)
    begin(flowcast, straight)
    wait_for(flowcast, 500, [first, second])
    first.kill()
    wait_for_all(flowcast, straight, [second])


def test_stopped_and_started_it_goes_on(flowcast, straight):
    begin(flowcast, straight)
    for _ in range(2):
        before = count_of_forecasts(flowcast)
        inference = flowcast.start("inference", *WATCH)
        wait_for(flowcast, before + 200, [inference])
        assert inference.stop(timeout_s=5).code == OK
    wait_for_all(flowcast, straight, [flowcast.start("inference", *WATCH)])


def test_a_broker_stopped_killed_and_started_changes_nothing(binaries, messages, tmp_path, own_broker, straight):
    own_broker("start")
    with flowcast_of(binaries, own_broker.address, tmp_path, messages) as flowcast:
        flowcast.create_topics(PARTITIONS)
        instances = start_instances(flowcast, 2)
        features, *captures = begin(flowcast, straight, lasting_s=30)
        wait_for(flowcast, 1, [*instances, features, *captures])
        for end in (lambda: own_broker("stop"), lambda: own_broker.signal(signal.SIGKILL)):
            wait_for(flowcast, count_of_forecasts(flowcast) + 500, instances)
            end()
            expect_alive([*instances, features])
            expect_none_failed(captures)
            own_broker("start")
        wait_for_all(flowcast, straight, instances)
