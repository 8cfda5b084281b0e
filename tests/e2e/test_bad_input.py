"""What users get wrong: one clear line with the remedy, the documented exit code, and services that go on."""

import os
import re
import shutil
import subprocess

import pytest

import support
from support import DEMO, FAILED, NO_BROKER, NS, OK, USAGE, wait_until

pytestmark = pytest.mark.broker

NOBODY = 65534


def expect_one_line(result, code: int, *words: str) -> None:
    assert result.code == code, result.err
    [line] = result.errors
    assert line.startswith("error: ")
    for word in words:
        assert word in line
    assert result.out == ""


@pytest.fixture(name="capture_file", scope="module")
def fixture_capture_file(tmp_path_factory):
    """The bundled capture, unpacked: its first 2 MB, cut where it happens to be cut."""
    assert DEMO.exists(), f"{DEMO} is missing: it belongs to the repository"
    path = tmp_path_factory.mktemp("capture") / "cut.pcapng"
    unpacked = subprocess.run(["zstd", "-dc", str(DEMO)], check=True, stdout=subprocess.PIPE).stdout
    path.write_bytes(unpacked[:2_000_000])
    return path


# Files.


def test_a_missing_file(programs):
    expect_one_line(programs.run("capture", "--pcap", "absent.pcap"), USAGE, "absent.pcap does not exist", "check the path")


def test_a_folder_without_captures(programs, tmp_path):
    expect_one_line(programs.run("capture", "--pcap", tmp_path), USAGE, "there is no capture file in", "name another folder or a file")


@pytest.mark.parametrize("content, words", [(b"", "it is empty"), (b"hello, this is text\n", "does not begin like pcap")])
def test_a_file_that_is_no_capture(programs, tmp_path, content, words):
    path = tmp_path / "notes.pcap"
    path.write_bytes(content)
    expect_one_line(programs.run("capture", "--pcap", path), USAGE, "notes.pcap is no capture file", words)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to run as another user")
def test_a_file_that_may_not_be_read(programs, tmp_path):
    path = tmp_path / "secret.pcap"
    path.write_bytes(b"secret")
    path.chmod(0o600)
    folder = path.parent
    while folder.stat().st_mode & 0o005 != 0o005:
        folder.chmod(folder.stat().st_mode | 0o005)
        folder = folder.parent
    expect_one_line(programs.run("capture", "--pcap", path, user=NOBODY), USAGE, "secret.pcap is not readable for this user")


def packets_on(flowcast) -> int:
    return sum(len(batch.flow_indexes) for batch in flowcast.read("packets"))


def test_of_a_cut_capture_everything_whole_is_used(flowcast, capture_file):
    result = flowcast.run("capture", "--pcap", capture_file)
    assert result.code == FAILED
    assert re.search(r"warning \S*cut.pcapng is damaged at byte \d+: .*; everything before was read", result.err)
    from reference_capture import read_capture

    assert packets_on(flowcast) == sum(1 for _ in read_capture(capture_file)) > 0
    assert flowcast.read("packets")[-1].final


def test_of_a_cut_zst_everything_whole_is_used(flowcast, tmp_path):
    path = tmp_path / "cut.pcapng.zst"
    path.write_bytes(DEMO.read_bytes()[:1_000_000])
    result = flowcast.run("capture", "--pcap", path)
    assert result.code == FAILED
    assert "cut.pcapng.zst is damaged" in result.err and "it ends in the middle" in result.err
    received = int(re.search(r"received ([\d,]+) =", result.err)[1].replace(",", ""))
    assert packets_on(flowcast) == received > 10_000


# Interfaces.


def test_an_unknown_interface_names_those_there_are(programs):
    expect_one_line(programs.run("capture", "--interface", "eth99"), USAGE, "eth99 does not exist; there are: ", "lo")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to run as another user")
def test_no_permission_for_a_live_capture_names_setcap(programs, tmp_path):
    # A copy: the programs' own folder may be closed to others.
    folder = tmp_path
    shutil.copy(programs.binaries / "flowcast-capture", folder)
    (folder / "flowcast-capture").chmod(0o755)
    while folder.stat().st_mode & 0o005 != 0o005:
        folder.chmod(folder.stat().st_mode | 0o005)
        folder = folder.parent
    programs.binaries = tmp_path
    result = programs.run("capture", "--interface", "lo", user=NOBODY)
    expect_one_line(result, USAGE, "no permission to capture on interface lo", "sudo setcap cap_net_raw")


# Options.


@pytest.mark.parametrize("program, arguments, words", [
    ("capture", [], "name a file with --pcap or an interface with --interface"),
    ("capture", ["--pcap", "x", "--nosuch", "1"], "--nosuch"),
    ("capture", ["--pcap", "x", "--interface", "lo"], "--pcap excludes --interface"),
    ("capture", ["--pcap", "x", "--speed", "fast"], "'fast' is no speed; write max, or a factor"),
    ("capture", ["--interface", "lo", "--speed", "2x"], "--speed, --loop and --rebase-time are for capture files"),
    ("capture", ["--pcap", "x", "--snaplen", "1"], "not in range 64 to 65535"),
    ("capture", ["--pcap", "x", "--reorder-tolerance", "1parsec"], "'1parsec' is no duration; write"),
    ("features", ["--window", "0"], "'0' is no duration; write"),
    ("features", ["--window", "10ms"], "--window 10ms is outside 50ms to 1h"),
    ("features", ["--window", "2h"], "--window 2h is outside 50ms to 1h"),
    ("features", ["--window", ""], "'' is no duration; write"),
    ("features", ["--window", "-1s"], "'-1s' is no duration; write"),
    ("features", ["--lateness", "soon"], "'soon' is no duration; write"),
    ("features", ["--exit-when-idle", "soon"], "'soon' is no duration; write"),
    ("features", ["--broker-timeout", "soon"], "'soon' is no duration; write"),
    ("features", ["--link-expiry", "10ms"], "--link-expiry 10ms is shorter than a window"),
    ("features", ["--home-net", "10.0.0.0/99"], "'10.0.0.0/99' is no network; write one like"),
    ("features", ["--kafka", "nosuch.property=1"], '"nosuch.property" is unknown to librdkafka'),
    ("features", ["--kafka", "nosuch"], "write key=value"),
    ("features", ["--kafka", "isolation.level=read_uncommitted"], "is set by flowcast itself; leave it out"),
    ("features", ["--config", "absent.toml"], "absent.toml"),
    ("trainer", ["--every", "never"], "'never' is no duration; write"),
    ("trainer", ["--optimizer", "best"], "best not in {adam,adamw,sgd}"),
    ("trainer", ["--model", "a/b"], "'a/b' is no name"),
    ("trainer", ["--train-fraction", "2"], "not in range"),
    ("inference", ["--threshold", "abc"], "'abc' is no threshold; write packets a window (100"),
    ("inference", ["--threshold", "-5"], "'-5' is no threshold"),
    ("inference", ["--threshold", "p77"], "'p77' is no threshold"),
    ("inference", ["--threshold", "nan"], "'nan' is no threshold"),
    ("inference", ["--threshold", "80%"], "needs the links' capacity, like --capacity 1G"),
    ("inference", ["--threshold", "80%", "--capacity", "fast"], "'fast' is no capacity; write bits a second"),
    ("inference", ["--threshold", "2MB", "--target", "packets"], "does not go with --target packets; give"),
    ("inference", ["--horizons", "0,1"], "the horizons must be ascending numbers of windows from 1 to 1000"),
    ("cli", [], "subcommand is required"),
    ("cli", ["topics"], "subcommand is required"),
    ("cli", ["topics", "delete"], "say so with --yes"),
    ("cli", ["topics", "create", "--partitions", "0"], "not in range 1 to 10000"),
    ("cli", ["generate", "--rate", "-5"], "--rate must be above 0"),
    ("cli", ["generate", "--links", "0"], "--links must be from 1"),
    ("cli", ["generate", "--duration", "0"], "'0' is no duration"),
    ("cli", ["generate", "--burst-factor", "0.5"], "--burst-factor must be from 1 to 10000, not 0.5"),
    ("cli", ["generate", "--bursts-per-hour", "60", "--burst-length", "2m"], "do not fit into an hour; lower per_hour or length"),
    ("cli", ["generate", "--scenario", "absent.toml"], "cannot read the scenario absent.toml; give --scenario a TOML file"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_a_wrong_option_is_a_usage_error(programs, program, arguments, words):
    expect_one_line(programs.run(program, *arguments), USAGE, words)


@pytest.mark.parametrize("text, words", [
    ("[[links]\nrate = 5", ":1:8: is no TOML: "),
    ("seed = 1\n\n[[links]]\nrat = 5", ":4:1: unknown key 'rat', perhaps rate is meant; known here: name, count, rate, rate_spread, hosts"),
    ("[[links]]\nrate = 0", ":2:8: rate must be above 0 and at most 1e+07 packets/s, not 0"),
    ("[[links]]\n[[links.overload]]\nfactor = 2", ":1:1: links 'link': overload.times: give either at or per_day"),
    ("", ": there are no links; add a [[links]] table"),
], ids=["no TOML", "unknown key", "impossible value", "half an overload", "empty"])
def test_a_scenario_that_makes_no_sense(programs, tmp_path, text, words):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    expect_one_line(programs.run("cli", "generate", "--scenario", path), USAGE, f"{path}{words}")


def test_options_that_would_flatten_a_scenario_are_refused(programs):
    result = programs.run("cli", "generate", "--scenario", support.REPO / "scenarios" / "thousand.toml", "--rate", "5")
    expect_one_line(result, USAGE, "--rate is for scenarios with one [[links]] table", "has 3; set it in the file")


def test_a_truth_that_cannot_be_written(programs):
    result = programs.run("cli", "generate", "--truth", "/nowhere/truth.json", "--print-scenario")
    expect_one_line(result, FAILED, "cannot write the truth to /nowhere/truth.json; name another file with --truth")


def test_a_filter_that_does_not_compile(programs, capture_file):
    result = programs.run("capture", "--pcap", capture_file, "--filter", "tcp prt 3")
    expect_one_line(result, USAGE, "'tcp prt 3' does not compile", "man pcap-filter")


@pytest.mark.parametrize("program", ["features", "trainer", "inference"])
def test_check_needs_no_broker_and_validates(programs, program):
    assert programs.run(program, "--check") == (OK, "", "")
    expect_one_line(programs.run(program, "--check", "--kafka", "nosuch"), USAGE, "write key=value")


def test_check_opens_the_capture(programs, capture_file):
    assert programs.run("capture", "--check", "--pcap", capture_file) == (OK, "", "")
    expect_one_line(programs.run("capture", "--check", "--pcap", "absent.pcap"), USAGE, "does not exist")


@pytest.mark.parametrize("program", ["capture", "features", "trainer", "inference", "cli"])
def test_version_and_help(programs, program):
    version = programs.run(program, "--version")
    assert (version.code, version.err) == (OK, "") and re.match(r"flowcast \d+\.\d+\.\d+, librdkafka ", version.out)
    usage = programs.run(program, "--help")
    assert (usage.code, usage.err) == (OK, "") and "--broker-timeout" in usage.out


# The broker and its topics.


@pytest.mark.parametrize("program, arguments", [
    ("features", []), ("trainer", ["--once"]), ("inference", []), ("cli", ["topics", "create"]), ("cli", ["evaluate"]),
    ("cli", ["generate"]), ("cli", ["report"]), ("cli", ["alerts"]),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_a_broker_that_never_comes(programs, program, arguments):
    result = programs.run(program, *arguments, "--broker-timeout", "1s")
    assert result.code == NO_BROKER
    [line] = result.errors
    assert line.startswith(f"error: no answer from Kafka at {programs.brokers} within 1s") and "--brokers" in line
    assert f"waiting for Kafka at {programs.brokers}" in result.err


def test_a_broker_that_comes_later(programs, own_broker, messages):
    programs.brokers, programs.messages = own_broker.address, messages
    creating = programs.start("cli", "topics", "create", "--partitions", "1")
    features = programs.start("features")
    features.expect("waiting for Kafka at")
    own_broker("start")
    features.expect("reading .*packets.v1")
    assert creating.finish().code == OK
    programs.succeed("cli", "generate", "--duration", "60s", "--links", "1")
    wait_until(lambda: programs.read("windows"), 20, "windows")
    assert features.stop().code == OK


def test_a_stop_while_it_waits_for_the_broker(programs):
    features = programs.start("features")
    features.expect("waiting for Kafka at")
    assert features.stop(timeout_s=3).code == OK


def test_missing_topics(binaries, broker, tmp_path, capture_file):
    with support.flowcast_of(binaries, broker, tmp_path) as flowcast:
        for program, *arguments in (("capture", "--pcap", capture_file), ("features",), ("trainer",), ("inference",)):
            result = flowcast.run(program, *arguments, "--broker-timeout", "1s")
            assert result.code == NO_BROKER
            assert "waiting for topic" in result.err
            [line] = result.errors
            assert re.match(r"error: topic \S+ does not exist on \S+; .*flowcast topics create", line)


def test_a_model_folder_that_cannot_be_written_is_known_before_the_training(flowcast, tmp_path):
    (tmp_path / "file").write_text("")
    result = flowcast.run("trainer", "--once", "--model-dir", tmp_path / "file" / "models")
    expect_one_line(result, FAILED, "cannot keep the model in", "name a folder that can be written with --model-dir")


def test_nothing_to_learn_from(flowcast):
    expect_one_line(flowcast.run("trainer", "--once", "--model-dir", flowcast.folder), FAILED, "no sequences to learn from")


def test_nothing_to_evaluate(flowcast):
    expect_one_line(flowcast.run("cli", "evaluate"), FAILED, "there is no model 'default'", "flowcast-trainer publishes one")


# Records of others.

NO_PROTOBUF = b"\xff\xfe this is no protobuf \x00"


def test_records_of_others_among_the_packets_are_skipped(flowcast):
    for partition in (0, 1):
        flowcast.send("packets", NO_PROTOBUF, partition=partition)
        flowcast.send("packets", b"", partition=partition)
    flowcast.succeed("cli", "generate", "--duration", "60s")
    for partition in (0, 1):
        flowcast.send("packets", flowcast.messages["packets"](version=77).SerializeToString(), partition=partition)
    features = flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "2s")
    assert re.search(r"warning skipped a record of \S+packets.v1 \(partition \d, offset 0\): .*; 1 so far", features.err)
    assert len(flowcast.read("windows")) == 2 * 60
    assert "stopped after" in features.err


def test_records_of_others_among_sequences_and_models_are_skipped(flowcast):
    flowcast.send("models", NO_PROTOBUF, key="default/20260101T000000.000-00000000")
    flowcast.send("models", NO_PROTOBUF, key="default/current")
    flowcast.send("sequences", NO_PROTOBUF)
    flowcast.succeed("cli", "generate", "--duration", "60s")
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "2s")
    inference = flowcast.succeed("inference", "--exit-when-idle", "2s")
    assert len(flowcast.read("forecasts")) == len(flowcast.records("sequences")) - 1 > 50
    assert "default/current is refused" in inference.err
    assert re.search(r"skipped a record of \S+sequences.v1 \(partition 0, offset 0\)", inference.err)


def test_a_model_that_does_not_fit_is_refused_and_persistence_goes_on(flowcast):
    flowcast.succeed("cli", "generate", "--duration", "5m", "--links", "1", "--rate", "20")
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "2s")
    flowcast.succeed(
        "trainer", "--once", "--target", "bytes", "--epochs", "1", "--hidden", "4", "--train-fraction", "0.7",
        "--model-dir", flowcast.folder / "models",
    )
    inference = flowcast.succeed("inference", "--exit-when-idle", "2s")
    assert re.search(r"model \S+ is refused: it forecasts bytes, not packets \(--target\)", inference.err)
    assert "there is no model yet: forecasting by persistence and smoothing" in inference.err
    forecasts = flowcast.read("forecasts")
    assert len(forecasts) == len(flowcast.read("sequences")) > 200
    assert all(forecast.model_version == "" and forecast.window_ns == NS for forecast in forecasts)
