"""The golden cases give the same windows and sequences, byte for byte, under everything that happens to a stream job.

All cases are sent at the same time, as sources of the same topics. FLOWCAST_KILLS says how often the killed one is killed
(default 8).
"""

import contextlib
import os
import random
import signal
import time

import pytest

import golden
from exactly_once import QUICK, Follower, committed, compare, count_of_windows, expect_alive, expect_none_failed, outputs
from golden import FEATURES, PARTITIONS, of_case, render, send_all
from support import OK, flowcast_of, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.slow]

KILLS = int(os.environ.get("FLOWCAST_KILLS", "8"))
SEED = int(os.environ.get("FLOWCAST_SEED", "7"))
BUNDLED, CORPUS = ("demo", "late", "generated"), ("plug", "household")


@pytest.fixture(scope="module", name="cases")
def fixture_cases(tmp_path_factory) -> dict:
    """By name."""
    cases = golden.bundled_cases(tmp_path_factory.mktemp("cases"))
    return {case.name: case for case in cases}


@pytest.fixture(scope="module", name="straight")
def fixture_straight(binaries, broker, messages, tmp_path_factory, cases) -> dict:
    """What a run without any mishap gives."""
    with flowcast_of(binaries, broker, tmp_path_factory.mktemp("straight"), messages) as flowcast:
        flowcast.create_topics(PARTITIONS)
        golden.run_straight(flowcast, cases.values())
        partitions = {record.partition for record in flowcast.records("windows")}
        found = outputs(flowcast)
    assert partitions == set(range(PARTITIONS)), "a partition without a link proves nothing"
    return found


@pytest.fixture(name="flowcast")
def fixture_flowcast(binaries, broker, messages, tmp_path):
    with flowcast_of(binaries, broker, tmp_path, messages) as flowcast:
        flowcast.create_topics(PARTITIONS)
        yield flowcast


@pytest.fixture(name="follower")
def fixture_follower(flowcast):
    with contextlib.closing(Follower(flowcast)) as follower:
        yield follower


def start_features(flowcast, instance: str = "a"):
    return flowcast.start("features", *FEATURES, *QUICK, "--instance", instance)


def windows_in(straight) -> int:
    return sum(place.topic == "windows" for place in straight)


def expect_golden(found: dict, case, messages) -> None:
    text, kept = render(of_case(found, case), messages), case.path.read_text(encoding="ascii")
    assert text == kept, f"not what {case.path} says: see tests/golden/README.md"


def expect_straight(flowcast, straight, services) -> None:
    """Everything is there once the services, which are told to stop, have ended; nothing twice, nothing else."""
    for service in services:
        assert service.stop().code == OK, service.log
    difference = compare(committed(flowcast), straight)
    assert not difference, difference
    for log in flowcast.logs("features"):
        assert "begin anew" not in log, f"its state was not found:\n{log}"


def expect_all(flowcast, follower, straight, services) -> None:
    follower.wait_for(windows_in(straight), services)
    expect_straight(flowcast, straight, services)


def records_in(service) -> int:
    return int(service.expect(r"stopped after ([\d,]+) records in")[1].replace(",", ""))


@pytest.mark.parametrize("name", BUNDLED)
def test_a_straight_run_gives_what_the_golden_file_says(cases, straight, messages, name):
    expect_golden(straight, cases[name], messages)


@pytest.mark.corpus
def test_public_captures_give_what_the_golden_files_say(flowcast, corpus, messages):
    cases = golden.corpus_cases(corpus)
    assert [case.name for case in cases] == list(CORPUS)
    golden.run_straight(flowcast, cases)
    found = outputs(flowcast)
    for case in cases:
        expect_golden(found, case, messages)


def test_a_golden_file_shows_a_change_of_any_value(cases, straight, messages):
    case = cases["generated"]
    found = of_case(straight, case)
    for topic in ("windows", "sequences"):
        place = sorted(place for place in found if place.topic == topic)[-1]
        message = messages[topic].FromString(found[place])
        values = message.features if topic == "windows" else message.scale
        values[-1] += 1e-9
        with pytest.raises(AssertionError, match="not what"):
            expect_golden(found | {place: message.SerializeToString()}, case, messages)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_any_number_of_instances_gives_the_same(flowcast, follower, cases, straight, count):
    services = [start_features(flowcast, f"i{number}") for number in range(count)]
    captures = send_all(flowcast, cases.values(), lasting_s=6)
    for capture in captures:
        assert capture.finish().code == OK
    expect_all(flowcast, follower, straight, services)
    for service in services:
        assert records_in(service) > 0, f"an instance had nothing to do:\n{service.log}"


@pytest.mark.parametrize(("batch_packets", "lasting_s"), [(7, 0), (100, 2), (60_000, 5)])
def test_batches_of_any_size_at_any_speed_give_the_same(flowcast, follower, cases, straight, batch_packets, lasting_s):
    features = start_features(flowcast)
    for capture in send_all(flowcast, cases.values(), lasting_s, batch_packets):
        assert capture.finish().code == OK
    expect_all(flowcast, follower, straight, [features])


def test_killed_at_random_points_it_gives_the_same(flowcast, follower, cases, straight):
    print(f"FLOWCAST_SEED={SEED} FLOWCAST_KILLS={KILLS}")
    numbers = random.Random(SEED)
    captures = send_all(flowcast, cases.values(), lasting_s=10 * KILLS + 10, batch_packets=50)
    for number in range(KILLS):
        features = start_features(flowcast)
        if number % 4 < 3:  # at work; else wherever it is by then, at its beginnings perhaps
            follower.wait_for(follower.count() + numbers.randint(1, 100), [features])
        time.sleep(numbers.random())  # not for anything to happen: this is the random point
        features.kill()
    assert all(capture.is_alive() for capture in captures), "too early: the kills were meant to be amid the stream"
    for capture in captures:
        capture.kill()
    features = start_features(flowcast)
    for case in cases.values():  # all of it once more, in other batches; what was there is dropped
        flowcast.succeed(*case.command())
    expect_all(flowcast, follower, straight, [features])


def test_instances_that_join_and_leave_in_the_middle_change_nothing(flowcast, follower, cases, straight):
    captures = send_all(flowcast, cases.values(), lasting_s=30)
    total = windows_in(straight)
    first = start_features(flowcast, "first")
    follower.wait_for(total // 8, [first])
    second, third = (start_features(flowcast, name) for name in ("second", "third"))
    wait_for_work(second, third)
    assert first.stop().code == OK
    follower.wait_for(total * 5 // 8, [second, third])
    second.kill()
    fourth = start_features(flowcast, "fourth")
    wait_for_work(fourth)
    assert any(capture.is_alive() for capture in captures), "too early: it was meant to be in the middle"
    for capture in captures:
        assert capture.finish().code == OK
    follower.wait_for(total, [third, fourth])
    expect_straight(flowcast, straight, [third, fourth])


def wait_for_work(*services) -> None:
    """Until each has told of packets of its own."""
    for service in services:
        service.expect(r"[1-9][\d,]* packets \(", 30)


def test_a_broker_stopped_killed_and_started_changes_nothing(binaries, messages, tmp_path, own_broker, cases, straight):
    own_broker("start")
    with flowcast_of(binaries, own_broker.address, tmp_path, messages) as flowcast:
        flowcast.create_topics(PARTITIONS)
        services = [start_features(flowcast, name) for name in ("a", "b")]
        captures = send_all(flowcast, cases.values(), lasting_s=25)
        total = windows_in(straight)
        wait_for_records(flowcast, 1, [*services, *captures])
        for part, end in ((1, lambda: own_broker("stop")), (2, lambda: own_broker.signal(signal.SIGKILL))):
            wait_for_records(flowcast, total * part // 6, services)
            end()
            expect_alive(services)
            expect_none_failed(captures)
            own_broker("start")
        for capture in captures:
            assert capture.finish().code == OK
        wait_for_records(flowcast, total, services)
        expect_straight(flowcast, straight, services)


def wait_for_records(flowcast, count: int, services) -> None:
    """Of windows; asks anew each time, since a kcat does not outlive its broker."""

    def are_there():
        expect_alive(services)
        return count_of_windows(flowcast) >= count

    wait_until(are_there, 60, f"{count} windows")


@pytest.fixture(name="minutes")
def fixture_minutes(flowcast):
    """Links in all partitions, a minute a second for long enough; stopped at the end."""
    stream = flowcast.start(
        "cli", "generate", "--links", "24", "--rate", "5", "--duration", "12h", "--speed", "60", "--seed", "3")
    yield stream
    stream.stop()


def seconds_until_all_partitions_go_on(follower, services) -> float:
    """From now, in windows of a minute."""
    began = time.time()

    def go_on():
        expect_alive(services)
        return len(follower.written_since(began)) == PARTITIONS

    wait_until(go_on, 30, "windows in all partitions")
    return time.time() - began


def test_an_instance_killed_and_started_again_works_within_ten_seconds(flowcast, follower, minutes):
    for _ in range(2):
        features = flowcast.start("features", "--window", "60s")
        seconds_until_all_partitions_go_on(follower, [features, minutes])
        features.kill()
    features = flowcast.start("features", "--window", "60s")
    seconds = seconds_until_all_partitions_go_on(follower, [features, minutes])
    print(f"working again after {seconds:.1f} s")
    assert seconds < 10


def test_what_a_killed_instance_had_is_taken_over_within_fifteen_seconds(flowcast, follower, minutes):
    services = [flowcast.start("features", "--window", "60s", "--instance", name) for name in ("a", "b")]
    for service in services:
        service.expect(r"[1-9][\d,]* packets \(", 30)
    seconds_until_all_partitions_go_on(follower, [*services, minutes])
    services[0].kill()
    seconds = seconds_until_all_partitions_go_on(follower, [services[1], minutes])
    print(f"taken over after {seconds:.1f} s")
    assert seconds < 15
