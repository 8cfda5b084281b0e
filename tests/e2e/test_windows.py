"""Windows for people and other programs: followed, as JSON on a topic of their own, and out of files without Kafka."""

import csv
import io
import json
import math
import os
import re
import shutil
import signal
import subprocess

import pytest

import support
from support import DEMO, FAILED, OK, REPO, USAGE, flowcast_of, library, wait_until

jsonschema = library("jsonschema")

SCHEMA = json.loads((REPO / "docs" / "schemas" / "window.schema.json").read_text(encoding="utf-8"))
HEAD = ["link", "start", "start_ns", "window_ns", "partial", "packets", "bytes", "late_packets", "approximate"]
ESTIMATES = {"percentiles": 1, "flows": 2, "handshakes": 4}


def validate(window: dict) -> dict:
    jsonschema.Draft202012Validator(SCHEMA).validate(window)
    return window


def place(window) -> tuple:
    """Of a message or of a line of JSON."""
    return (window["start_ns"], window["link"]) if isinstance(window, dict) else (window.start_ns, window.link)


def same(window, shown: dict) -> bool:
    """The message and the JSON, bit for bit."""
    return (
        (window.link, window.start_ns, window.length_ns, window.partial, window.packets, window.bytes, window.late_packets)
        == tuple(shown[name] for name in ("link", "start_ns", "window_ns", "partial", "packets", "bytes", "late_packets"))
        and window.approximate == sum(ESTIMATES[name] for name in shown["approximate"])
        and f"{window.schema_hash:016x}" == shown["schema_hash"]
        and [value.hex() for value in window.features] == [float(value).hex() for value in shown["features"].values()]
    )


@pytest.fixture(scope="module", name="folded")
def fixture_folded(binaries, broker, messages, tmp_path_factory):
    """Topics with the windows of the bundled capture on them, as JSON too."""
    assert DEMO.exists(), f"{DEMO} is missing: it belongs to the repository"
    with flowcast_of(binaries, broker, tmp_path_factory.mktemp("folded"), messages) as flowcast:
        flowcast.create_topics(partitions=4)
        flowcast.succeed("capture", "--pcap", DEMO)
        flowcast.succeed("features", "--window", "1s", "--json-mirror", "--exit-when-idle", "2s")
        yield flowcast


# On the topic windows-json.v1.


@pytest.mark.broker
def test_the_mirror_has_every_window_as_json_where_the_window_is(folded):
    windows = folded.records("windows")
    mirrored = folded.records("windows-json")
    assert len(mirrored) == len(windows) > 3000
    for record, mirror in zip(windows, mirrored, strict=True):
        assert (mirror.partition, mirror.key) == (record.partition, record.key)
        assert same(folded.messages["windows"].FromString(record.value), validate(json.loads(mirror.value)))


@pytest.mark.broker
def test_without_being_asked_for_the_mirror_stays_empty_and_its_topic_may_be_missing(flowcast):
    support.kafka(
        {"FLOWCAST_KAFKA_PORT": flowcast.brokers.rpartition(":")[2]}, "topics", "--delete", "--topic",
        f"{flowcast.prefix}windows-json.v1",
    )
    flowcast.succeed("cli", "generate", "--duration", "1m")
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
    assert flowcast.read("windows")
    waiting = flowcast.run("features", "--json-mirror", "--broker-timeout", "1s")
    assert waiting.code == support.NO_BROKER and f"topic {flowcast.prefix}windows-json.v1 does not exist" in waiting.err


def test_the_schema_refuses_what_is_no_window():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    window = {
        "version": 1, "link": "a/b", "start": "2026-11-21T10:00:00Z", "start_ns": 0, "window_ns": 1, "partial": False,
        "packets": 0, "bytes": 0, "late_packets": 0, "approximate": [], "schema_hash": "0" * 16, "features": {"flows": 0.5},
        "trace_id": "0" * 32,
    }
    validate(window)
    wrong = [
        {"version": 2}, {"link": ""}, {"start": "yesterday"}, {"packets": -1}, {"approximate": ["all"]}, {"schema_hash": "0"},
        {"features": {"flows": None}}, {"partial": 0}, {"trace_id": "0"},
    ]
    for change in wrong:
        with pytest.raises(jsonschema.ValidationError):
            validate(window | change)
    for name in window:
        with pytest.raises(jsonschema.ValidationError):
            validate({key: value for key, value in window.items() if key != name})


# Followed.


@pytest.mark.broker
def test_windows_are_printed_as_json(folded):
    lines = folded.succeed("cli", "windows", "--json", "--no-follow").out.splitlines()
    shown = {place(window): window for window in map(json.loads, lines)}
    windows = folded.read("windows")
    assert len(shown) == len(lines) == len(windows)
    assert all(same(window, validate(shown[place(window)])) for window in windows)


@pytest.mark.broker
def test_windows_are_printed_as_csv(folded):
    rows = list(csv.DictReader(io.StringIO(folded.succeed("cli", "windows", "--format", "csv", "--no-follow").out)))
    assert len(rows) == len(folded.read("windows"))
    by_place = {(int(row["start_ns"]), row["link"]): row for row in rows}
    for line in folded.succeed("cli", "windows", "--json", "--no-follow").out.splitlines():
        window = json.loads(line)
        row = by_place[place(window)]
        assert list(row)[: len(HEAD)] == HEAD
        assert all(float(row[name]) == value for name, value in window["features"].items())
        assert (row["start"], row["partial"]) == (window["start"], str(window["partial"]).lower())


@pytest.mark.broker
def test_windows_are_printed_as_a_table_for_people(folded):
    lines = folded.succeed("cli", "windows", "--no-follow").out.splitlines()
    assert lines[0].split() == [
        "START", "LINK", "packets", "bytes", "packet_rate", "bit_rate", "size_mean", "flows", "tcp_share", "syn_share"
    ]
    assert len(lines) == 1 + len(folded.read("windows"))
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +demo/(lab|office) +\d", lines[1])
    assert sum(line.endswith("  partial") for line in lines) == sum(window.partial for window in folded.read("windows"))


@pytest.mark.broker
def test_links_and_features_are_chosen(folded):
    of_lab = sum(window.link == "demo/lab" for window in folded.read("windows"))
    for pattern, count in (("demo/l*", of_lab), ("*lab", of_lab), ("demo/[!o]??", of_lab)):
        out = folded.succeed("cli", "windows", "--csv", "--no-follow", "--link", pattern, "--features", "flows,jitter").out
        rows = list(csv.reader(io.StringIO(out)))
        assert rows[0] == [*HEAD, "flows", "jitter"] and len(rows) == 1 + count, pattern
    for pattern in ("demo/x*", "lab"):
        assert folded.succeed("cli", "windows", "--csv", "--no-follow", "--link", pattern).out == ""
    both = folded.succeed("cli", "windows", "--csv", "--no-follow", "--link", "demo/lab", "--link", "demo/office").out
    assert len(both.splitlines()) == 1 + len(folded.read("windows"))
    unknown = folded.run("cli", "windows", "--no-follow", "--features", "flow")
    assert (unknown.code, unknown.out) == (USAGE, "")
    assert "the windows have no feature 'flow'; they have packets, bytes, " in unknown.err


@pytest.mark.broker
def test_windows_of_several_schemas_are_told_apart_by_what_they_say_themselves(flowcast, folded):
    flowcast.succeed("cli", "generate", "--duration", "1m")
    flowcast.succeed("features", "--features", "jitter,mean=bytes/packets", "--exit-when-idle", "2s")
    flowcast.send("windows", folded.records("windows")[0].value)
    lines = flowcast.succeed("cli", "windows", "--json", "--no-follow").out.splitlines()
    of_json = [validate(json.loads(line)) for line in lines]
    windows = {place(window): window for window in flowcast.read("windows")}
    assert len(of_json) == len(windows) > 10
    assert all(same(windows[place(window)], window) for window in of_json)
    few = ["packets", "bytes", "jitter", "mean"]
    assert {len(window["features"]) for window in of_json} == {len(few), 25}
    for arguments in ([], ["--features", "mean,jitter"]):
        few_of = ["cli", "windows", "--csv", "--no-follow", "--link", "synthetic/*", *arguments]
        rows = list(csv.DictReader(io.StringIO(flowcast.succeed(*few_of).out)))
        assert set(rows[0]) == {*HEAD, *few} and all(float(row["mean"]) == 0 or float(row["mean"]) > 60 for row in rows)
    only = flowcast.succeed("cli", "windows", "--json", "--no-follow", "--features", "jitter").out.splitlines()
    assert {tuple(json.loads(line)["features"]) for line in only} == {("jitter",)}


@pytest.mark.broker
def test_following_windows_shows_those_that_come_and_ends_quietly(flowcast, folded):
    following = flowcast.start("cli", "windows", "--json")
    window = folded.records("windows")[0].value

    def seen():
        # Sent again until the reader has found the end of the topic, from which it follows.
        flowcast.send("windows", window)
        return following.out

    wait_until(seen, 30, "the window that was sent")
    os.kill(following.pid, signal.SIGINT)
    done = following.finish(10)
    assert (done.code, done.err) == (OK, "")
    validate(json.loads(done.out.splitlines()[0]))


@pytest.mark.broker
def test_what_is_no_window_is_skipped(flowcast, folded):
    for value in (b"\xff no protobuf", folded.records("windows")[0].value):
        flowcast.send("windows", value)
    shown = flowcast.succeed("cli", "windows", "--json", "--no-follow")
    assert len(shown.out.splitlines()) == 1
    assert "skipped a record of partition 0 at offset 0: not a message of ours; 1 so far" in shown.err


@pytest.mark.broker
def test_a_reader_of_windows_who_has_seen_enough_is_no_error(folded):
    command = folded.command("cli", "windows", "--from-beginning")  # would otherwise follow for ever
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=support.environment_in(folded.folder)) as following:
        assert following.stdout.readline().startswith("START")
        following.stdout.close()
        assert following.wait(30) == OK
        assert following.stderr.read() == ""


# Out of files.


@pytest.mark.broker
def test_windows_of_a_file_are_those_that_the_services_publish(folded):
    lines = folded.succeed("cli", "features", DEMO, "--window", "1s", "--json").out.splitlines()
    windows = {place(window): window for window in folded.read("windows")}
    assert len(lines) == len(windows)
    shown = [validate(json.loads(line)) for line in lines]
    assert [place(window) for window in shown] == sorted(windows)
    assert all(same(windows[place(window)], window) for window in shown)


HOME = "10.0.0.0/8,192.168.0.0/16"


@pytest.mark.broker
@pytest.mark.parametrize("both, capture, features", [
    ([], ["--filter", "tcp", "--source", "x", "--reorder-tolerance", "1ms"], ["--window", "250ms", "--hop", "125ms", "--burst-gap", "5ms"]),
    (["--home-net", HOME], ["--link-by", "host"], ["--window", "5s", "--link-expiry", "20s", "--lateness", "2s"]),
    ([], ["--link-by", "subnet", "--subnet", "10.0.0.0/8=ten", "--subnet", "0.0.0.0/0=rest"],
     ["--window", "20s", "--features", "all,mean=bytes/packets"]),
], ids=["filtered", "hosts", "subnets"])
def test_so_are_they_with_other_options(flowcast, both, capture, features):
    of_capture = [part for net in both[1:] for one in net.split(",") for part in ("--home-net", one)]
    flowcast.succeed("capture", "--pcap", DEMO, "--batch-packets", "100", *capture, *of_capture)
    flowcast.succeed("features", *features, *both, "--exit-when-idle", "2s")
    lines = flowcast.succeed("cli", "features", DEMO, "--json", *both, *capture, *features).out.splitlines()
    windows = {place(window): window for window in flowcast.read("windows")}
    assert len(lines) == len(windows) > 30
    assert all(same(windows[place(window)], window) for window in map(json.loads, lines))


def test_files_and_folders_are_one_recording(programs, tmp_path):
    whole = programs.succeed("cli", "features", DEMO, "--csv").out
    shutil.copy(DEMO, tmp_path / DEMO.name)
    assert programs.succeed("cli", "features", tmp_path, "--csv", "--source", "demo").out == whole
    with subprocess.Popen(["zstd", "-dc", str(DEMO)], stdout=subprocess.PIPE) as unpacking:
        assert programs.succeed("cli", "features", "-", "--source", "demo", "--csv", stdin=unpacking.stdout).out == whole


def test_a_damaged_file_is_read_as_far_as_it_goes(programs, tmp_path):
    unpacked = subprocess.run(["zstd", "-dc", str(DEMO)], check=True, stdout=subprocess.PIPE).stdout
    (tmp_path / "demo.pcapng").write_bytes(unpacked[: 1 << 20])
    cut = programs.run("cli", "features", tmp_path / "demo.pcapng", "--csv")
    assert cut.code == FAILED and len(cut.out.splitlines()) > 10 and "damaged" in cut.err


def test_wrong_options_for_files_name_the_remedy(programs):
    for arguments, remedy in (
        (["absent.pcap"], "does not exist"),
        ([DEMO, "--window", "1ms"], "outside 50ms to 1h"),
        ([DEMO, "--link-by", "host"], "--home-net 10.0.0.0/8"),
        ([DEMO, "--filter", "no filter"], "filter"),
        ([DEMO, "--csv", "--json"], "--help lists the options"),
        ([], "no capture file is named"),
        ([DEMO, "--features", "flow"], "there is no feature or group 'flow'"),
        ([DEMO, "--reorder-tolerance", "soon"], "soon"),
        ([DEMO, "--burst-gap", "soon"], "soon"),
        ([DEMO, "--link-by", "subnet", "--subnet", "10.0.0.0/8", "--home-net", "home"], "home"),
    ):
        result = programs.run("cli", "features", *arguments)
        assert (result.code, len(result.errors)) == (USAGE, 1) and remedy in result.err, result.err


def test_what_the_features_mean_is_explained(programs):
    explain = ["--explain", "--features", "jitter,mean=bytes/packets"]
    told = programs.succeed("cli", "features", *explain).out
    assert "| 3 | `mean` |" in told and told == programs.succeed("features", *explain).out


def test_the_example_for_a_notebook_finds_its_columns(programs, tmp_path):
    """The command of docs/operate.md; its lines for pandas, which is no package of the tests, by the columns they name."""
    page = (REPO / "docs" / "operate.md").read_text(encoding="utf-8")
    text = page.partition("## In a notebook\n")[2].partition("\n## ")[0]
    [command] = re.findall(r"^    flowcast (features office.pcap .*) > windows.csv$", text, re.MULTILINE)
    columns = {name for line in text.splitlines() if "windows" in line for name in re.findall(r'"(\w+)"', line)}
    shutil.copy(DEMO, tmp_path / "office.pcap")
    arguments = [tmp_path / "office.pcap" if part == "office.pcap" else part for part in command.split()]
    rows = list(csv.DictReader(io.StringIO(programs.succeed("cli", *arguments).out)))
    assert len(rows) > 100 and len(columns) >= 3 and columns <= set(rows[0])
    assert all(math.isfinite(float(row["bit_rate"])) for row in rows)


# The program that runs some of the commands.


def test_a_command_of_the_lab_says_when_the_lab_is_missing(programs, tmp_path):
    shutil.copy(programs.binaries / "flowcast", tmp_path / "flowcast")
    for arguments in (["evaluate"], ["evaluate", "--help"], ["--log-level", "error", "evaluate", "--json"]):
        done = subprocess.run([tmp_path / "flowcast", *arguments], capture_output=True, text=True, timeout=30)
        assert done.returncode == USAGE and done.stdout == ""
        [line] = done.stderr.splitlines()
        assert line.startswith(f"error: this command is run by {tmp_path}/flowcast-lab, ") and "install" in line


def test_help_lists_the_commands_of_the_lab_and_they_have_theirs(programs):
    assert re.search(r"^  evaluate +score", programs.succeed("cli", "--help").out, re.MULTILINE)
    for arguments in (["evaluate", "--help"], ["--help", "evaluate"]):
        shown = programs.succeed("cli", *arguments).out
        assert "Usage: flowcast evaluate" in shown and "--model" in shown
    wrong = programs.run("cli", "evaluate", "--from", "yesterday")
    assert wrong.code == USAGE and len(wrong.errors) == 1
