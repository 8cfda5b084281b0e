"""What goes wrong around the services: disks, networks, clocks, topics and nodes. Afterwards all is as in a straight run."""

import random
import re
import time

import pytest

import support
from cluster import NODES, Cluster
from exactly_once import FOLD, QUICK, count_of_windows, expect_alive, outputs, send, straight_run, wait_for_all
from mishaps import MemoryLimit, OddClock, disk_of_broker
from outcome import Outcome, compare_forecasts, outcome
from proxy import Proxy
from support import NO_BROKER, OK, flowcast_of, wait_until

pytestmark = pytest.mark.broker

SPEED = ("--batch-packets", "64", "--speed", "15x")
WATCH = ("--threshold", "20", *QUICK)


@pytest.fixture(scope="module", name="both")
def fixture_both(binaries, broker, messages, tmp_path_factory, part) -> tuple[dict, Outcome]:
    with flowcast_of(binaries, broker, tmp_path_factory.mktemp("straight"), messages) as flowcast:
        windows_and_sequences = straight_run(flowcast, part)
        flowcast.succeed("inference", *WATCH, "--exit-when-idle", "1s")
        told = outcome(flowcast)
        assert len(told.forecasts) > 100 and len(told.alerts) > 3
        return windows_and_sequences, told


@pytest.fixture(scope="module", name="straight")
def fixture_straight(both) -> dict:
    return both[0]


@pytest.fixture(scope="module", name="told")
def fixture_told(both) -> Outcome:
    return both[1]


def expect_all_told(flowcast, inference, told: Outcome) -> None:
    def are_there():
        expect_alive([inference])
        return len(flowcast.records("forecasts")) >= len(told.forecasts)

    wait_until(are_there, 40, "all forecasts")
    assert inference.stop().code == OK
    found = outcome(flowcast)
    difference = compare_forecasts(found, told)
    assert not difference, str(difference)
    assert found.alerts == told.alerts


# The network.


@pytest.fixture(name="proxied")
def fixture_proxied(broker, tmp_path):  # pylint: disable=unused-argument
    """A broker behind a proxy: (broker, proxy). Whoever asks the broker where it is, is sent to the proxy, too."""
    port = support.unused_port()
    proxy = Proxy(port)
    own = support.Broker(port, tmp_path / "kafka", advertised=f"127.0.0.1:{proxy.port}")
    try:
        own("start")
        yield own, proxy
    finally:
        own("stop")
        proxy.close()


def test_a_slow_network_that_cuts_connections_changes_nothing(binaries, messages, tmp_path, proxied, part, straight, told):
    _, proxy = proxied
    numbers = random.Random(7)
    with flowcast_of(binaries, f"127.0.0.1:{proxy.port}", tmp_path, messages) as flowcast:
        flowcast.create_topics()
        inference = flowcast.start("inference", *WATCH)
        features = flowcast.start("features", *FOLD)
        features.expect("reading ")
        capture = flowcast.start("capture", "--pcap", part, *SPEED)
        proxy.delay_s, proxy.piece_bytes = 0.005, 700
        while capture.is_alive():
            time.sleep(numbers.uniform(0.2, 1.5))
            proxy.cut()
        assert proxy.cuts > 20
        proxy.calm()
        wait_for_all(flowcast, straight, features)
        expect_all_told(flowcast, inference, told)
        assert features.stop().code == OK


def test_a_broker_that_was_back_in_between_is_waited_for_anew(binaries, messages, tmp_path, proxied, part, straight):
    """Also by an instance that no partition is left for, which nothing tells that the broker is back."""
    _, proxy = proxied
    with flowcast_of(binaries, f"127.0.0.1:{proxy.port}", tmp_path, messages) as flowcast:
        flowcast.create_topics()
        instances = [flowcast.start("features", *FOLD, "--broker-timeout", "10s", "--instance", name) for name in "abc"]
        for features in instances:
            features.expect("reading ")
        for _ in range(2):  # the time-out ends when it is away again
            proxy.go_away()
            time.sleep(5)
            proxy.come_back()
            time.sleep(4)
        expect_alive(instances)
        send(flowcast, part)
        wait_for_all(flowcast, straight, instances[0])
        assert [features.stop().code for features in instances] == [OK] * 3


def test_services_end_where_a_broker_stays_away(binaries, messages, tmp_path, proxied):
    _, proxy = proxied
    with flowcast_of(binaries, f"127.0.0.1:{proxy.port}", tmp_path, messages) as flowcast:
        flowcast.create_topics()
        running = [flowcast.start(name, "--broker-timeout", "3s") for name in ("features", "inference")]
        for service in running:
            service.expect("reading ")
        proxy.go_away()
        for service in running:
            result = service.finish()
            assert result.code == NO_BROKER, service.log
            assert "no answer from Kafka at" in result.errors[-1]
            assert "waiting for Kafka at" in service.log


# Disks.


@pytest.fixture(name="small_broker")
def fixture_small_broker(own_broker, tmp_path):
    """A broker whose records are on a small disk; (broker, disk)."""
    try:
        disk = disk_of_broker(tmp_path / "kafka", mib=64)
    except OSError as error:
        pytest.skip(f"nothing can be mounted here: {error}")
    try:
        own_broker("start")
        yield own_broker, disk
    finally:
        own_broker("stop")
        disk.close()


def test_a_broker_whose_disk_is_full_loses_and_repeats_nothing(binaries, messages, tmp_path, small_broker, part, straight):
    broker, disk = small_broker
    with flowcast_of(binaries, broker.address, tmp_path, messages) as flowcast:
        flowcast.create_topics()
        features = flowcast.start("features", *FOLD)
        capture = flowcast.start("capture", "--pcap", part, *SPEED)
        wait_until(lambda: count_of_windows(flowcast) > 20, 30, "windows while there is room")
        disk.fill()
        wait_until(lambda: not broker.is_alive(), 60, "the broker's end: it can't write")
        assert capture.is_alive() and features.is_alive()
        disk.free()
        broker("start")
        capture.finish()
        wait_for_all(flowcast, straight, features)
        assert features.stop().code == OK


# Topics.


@pytest.mark.long
def test_a_topic_deleted_by_mistake_is_named_and_the_others_go_on_unharmed(flowcast, broker, part, straight):
    features = flowcast.start("features", *FOLD)
    capture = flowcast.start("capture", "--pcap", part, *SPEED)
    wait_until(lambda: count_of_windows(flowcast) > 20, 30, "windows before the mishap")
    topic = f"{flowcast.prefix}sequences.v1"
    support.kafka({"FLOWCAST_KAFKA_PORT": broker.rpartition(":")[2]}, "topics", "--delete", "--topic", re.escape(topic))
    result = features.finish(120)  # what was on its way is waited for, --broker-timeout at most
    assert result.code == NO_BROKER
    assert topic in result.errors[-1] and "flowcast topics create" in result.errors[-1], result.errors
    capture.finish()
    flowcast.succeed("cli", "topics", "create", "--partitions", 2)
    features = flowcast.start("features", *FOLD, "--exit-when-idle", "3s")
    assert features.finish().code == OK
    found = outputs(flowcast)
    windows = {place: value for place, value in straight.items() if place.topic == "windows"}
    assert {place: value for place, value in found.items() if place.topic == "windows"} == windows
    assert all(straight[place] == value for place, value in found.items())
    after = [place.time_ns for place in found if place.topic == "sequences"]  # the mishap
    assert after and sorted(after) == sorted(place.time_ns for place in straight if place.topic == "sequences" and place.time_ns >= min(after))


# Clocks.


def test_clocks_that_jump_change_nothing(flowcast, tmp_path, part, straight, told):
    clock = OddClock(tmp_path)
    environment = clock.environment
    inference = flowcast.start("inference", *WATCH, environment=environment)
    features = flowcast.start("features", *FOLD, environment=environment)
    features.expect("reading ")
    sent = ("--batch-packets", "64", "--speed", "8x", "--log-json")
    capture = flowcast.start("capture", "--pcap", part, *sent, environment=environment)
    for seconds in (3_600, -86_400, 0, 10 * 365 * 86_400, -5):
        before = count_of_windows(flowcast)
        assert capture.is_alive(), "too fast to jump while it runs"
        clock.jump_to(seconds)
        wait_until(lambda: count_of_windows(flowcast) > before + 30, 30, "windows after the jump")  # noqa: B023
    capture.finish()
    assert len(set(re.findall(r'"time":"(\d+)-', capture.log))) > 1, f"its clock went straight on:\n{capture.log}"
    wait_for_all(flowcast, straight, features)
    expect_all_told(flowcast, inference, told)
    assert features.stop().code == OK


# Memory.


@pytest.fixture(name="memory_limit")
def fixture_memory_limit():
    try:
        limit = MemoryLimit(mib=32)
    except OSError as error:
        pytest.skip(f"no control group of memory can be made here: {error}")
    yield limit
    limit.close()


def test_killed_for_its_memory_and_started_with_more_it_goes_on(binaries, broker, messages, tmp_path, flowcast, memory_limit):
    stream = ("generate", "--links", 4_000, "--rate", 1, "--duration", "20s", "--seed", 5)
    fold = ("features", *FOLD, "--exit-when-idle", "2s")
    (tmp_path / "straight").mkdir()
    with flowcast_of(binaries, broker, tmp_path / "straight", messages) as straight_one:
        straight_one.create_topics()
        straight_one.succeed("cli", *stream)
        straight_one.succeed(*fold)
        straight = outputs(straight_one)
    flowcast.succeed("cli", *stream)
    poor = flowcast.start(*fold, within=memory_limit)
    assert poor.finish().code == -9
    assert memory_limit.kills() == 1
    flowcast.succeed(*fold)
    assert outputs(flowcast) == straight


# Nodes.


@pytest.fixture(name="cluster")
def fixture_cluster(broker, tmp_path):  # pylint: disable=unused-argument
    cluster = Cluster(tmp_path / "cluster")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()


@pytest.mark.long
def test_leadership_that_moves_from_node_to_node_changes_nothing(binaries, messages, tmp_path, cluster, part, straight, told):
    with flowcast_of(binaries, cluster.address, tmp_path, messages) as flowcast:
        flowcast.succeed("cli", "topics", "create", "--partitions", 2, "--replication", 3)
        inference = flowcast.start("inference", *WATCH)
        features = flowcast.start("features", *FOLD)
        features.expect("reading ")
        capture = flowcast.start("capture", "--pcap", part, "--batch-packets", "64", "--speed", "5x")
        led = set()
        for node in NODES:
            before = count_of_windows(flowcast)
            wait_until(lambda: count_of_windows(flowcast) > before + 3, 40, "windows with all nodes")  # noqa: B023
            led.update(cluster.leaders(f"{flowcast.prefix}windows.v1"))
            cluster.kill(node)
            before = count_of_windows(flowcast)
            wait_until(lambda: count_of_windows(flowcast) > before + 3, 60, f"windows without node {node}")  # noqa: B023
            assert node not in cluster.leaders(f"{flowcast.prefix}windows.v1")
            cluster.start(node)
        assert len(led) > 1, "no leadership has moved"
        capture.finish(180)
        wait_for_all(flowcast, straight, features, 60)
        expect_all_told(flowcast, inference, told)
        assert features.stop().code == OK
