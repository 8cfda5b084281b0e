"""Kills and cuts in the middle: what readers of committed records see is what a straight run gives."""

import random

import pytest

from exactly_once import FOLD, count_of_windows, send, straight_run, wait_for_all
from support import OK, flowcast_of, wait_until

pytestmark = pytest.mark.broker

KILLS = 3
SEED = 7


@pytest.fixture(scope="module", name="straight")
def fixture_straight(binaries, broker, messages, tmp_path_factory, part) -> dict:
    with flowcast_of(binaries, broker, tmp_path_factory.mktemp("straight"), messages) as flowcast:
        return straight_run(flowcast, part)


SEQUENCES = pytest.mark.parametrize("sequences", [(), ("--sequences-at-once", "0")], ids=["with_windows", "after_windows"])


@SEQUENCES
def test_features_killed_again_and_again_lose_and_repeat_nothing(flowcast, part, straight, sequences):
    random_numbers = random.Random(SEED)
    capture = flowcast.start("capture", "--pcap", part, "--batch-packets", "64", "--speed", "12x")
    for _ in range(KILLS):
        wanted = count_of_windows(flowcast) + random_numbers.randint(1, 50)
        features = flowcast.start("features", *FOLD, *sequences)
        wait_until(lambda: count_of_windows(flowcast) >= wanted, 30, f"{wanted} windows after a restart")
        features.kill()
    assert capture.is_alive(), "too early: the kills were meant to be amid the capture"
    features = flowcast.start("features", *FOLD, *sequences)
    capture.finish()
    wait_for_all(flowcast, straight, features)
    assert features.stop().code == OK


@SEQUENCES
def test_features_stopped_and_started_go_on_where_they_were(flowcast, part, straight, sequences):
    capture = flowcast.start("capture", "--pcap", part, "--batch-packets", "64", "--speed", "20x")
    for _ in range(2):
        before = count_of_windows(flowcast)
        features = flowcast.start("features", *FOLD, *sequences)
        wait_until(lambda: count_of_windows(flowcast) > before, 30, "windows after the restart")
        assert features.stop(timeout_s=5).code == OK
    capture.finish()
    features = flowcast.start("features", *FOLD, *sequences)
    wait_for_all(flowcast, straight, features)
    features.stop()


def test_another_instance_takes_over_what_a_killed_one_had(flowcast, part, straight):
    first = flowcast.start("features", *FOLD, "--instance", "a")
    second = flowcast.start("features", *FOLD, "--instance", "b")
    for features in (first, second):
        features.expect("reading ")
    capture = flowcast.start("capture", "--pcap", part, "--batch-packets", "64", "--speed", "60x")
    wait_until(lambda: count_of_windows(flowcast) > 40, 30, "windows")
    first.kill()
    capture.finish()
    wait_for_all(flowcast, straight, second)
    assert second.stop().code == OK


@pytest.mark.parametrize(
    ("first", "again"),
    [(("--batch-packets", "64"), ("--batch-packets", "64")),
     (("--batch-packets", "64", "--speed", "40x"), ("--batch-packets", "777")),
     (("--batch-packets", "500"), ("--batch-packets", "10", "--speed", "200x"))],
    ids=["in the same batches", "no longer paced and in larger batches", "paced and in smaller batches"])
def test_a_capture_killed_and_sent_again_repeats_nothing(flowcast, part, straight, first, again):
    features = flowcast.start("features", *FOLD)
    capture = flowcast.start("capture", "--pcap", part, *first)
    wait_until(lambda: flowcast.records("packets"), 30, "packets of the first attempt")
    capture.kill()
    send(flowcast, part, *again)
    wait_for_all(flowcast, straight, features)
    features.expect("packets that were here before")
    assert features.stop().code == OK


def test_a_capture_stopped_and_sent_again_repeats_nothing(flowcast, part, straight):
    features = flowcast.start("features", *FOLD)
    capture = flowcast.start("capture", "--pcap", part, "--speed", "40x")
    wait_until(lambda: count_of_windows(flowcast) > 40, 30, "windows of the first attempt")
    assert capture.stop().code == OK
    send(flowcast, part)
    wait_for_all(flowcast, straight, features)
    assert features.stop().code == OK


def test_a_broker_that_stops_and_comes_back_loses_and_repeats_nothing(binaries, messages, tmp_path, own_broker, part, straight):
    own_broker("start")
    with flowcast_of(binaries, own_broker.address, tmp_path, messages) as flowcast:
        flowcast.create_topics()
        features = flowcast.start("features", *FOLD)
        capture = flowcast.start("capture", "--pcap", part, "--batch-packets", "64", "--speed", "15x")
        wait_until(lambda: count_of_windows(flowcast) > 20, 30, "windows before the cut")
        own_broker("stop")
        assert capture.is_alive() and features.is_alive()
        own_broker("start")
        capture.finish()
        wait_for_all(flowcast, straight, features)
        assert features.stop().code == OK
