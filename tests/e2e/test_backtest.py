"""flowcast backtest and tune as users run them: what they print, what they write, and what they say to bad input."""

import json
import math
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

import support
from support import FAILED, OK, USAGE

SEED = 11


@pytest.fixture(scope="session", name="lab")
def fixture_lab() -> Path:
    path = Path(os.environ.get("FLOWCAST_BIN", support.REPO / "build" / "release" / "bin")) / "flowcast-lab"
    if not path.exists():
        pytest.fail(f"{path} is missing: run scripts/build, or set FLOWCAST_BIN to its folder")
    return path.resolve()


@pytest.fixture(name="run")
def fixture_run(lab, tmp_path):
    def run(*arguments):
        done = subprocess.run([lab, *map(str, arguments)], cwd=tmp_path, env=support.clean_environment(), text=True,
                              capture_output=True, timeout=170)
        return support.Result(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(name="series")
def fixture_series(tmp_path):
    """Writes a column as a CSV file; None is an empty field."""

    def write(values, name="load.csv"):
        rows = "".join(f"{i},{'' if value is None else value}\n" for i, value in enumerate(values))
        (tmp_path / name).write_text("step,total\n" + rows, encoding="utf-8")
        return name

    return write


def noisy(steps=260, level=1000.0):
    chance = random.Random(SEED)
    return [round(level + 200 * math.sin(i / 7) + chance.gauss(0, 50), 2) for i in range(steps)]


def objects(result):
    assert result.code == OK, result.err
    return [json.loads(line, parse_constant=pytest.fail) for line in result.out.splitlines()]


BACKTEST = ("backtest", "--column", "total", "--models", "xgboost", "--horizons", "1,3", "--json", "--csv")


# What it prints and writes.


def test_one_object_a_horizon_with_the_scores_of_every_expert(run, series):
    found = objects(run(*BACKTEST, series(noisy())))
    assert [one["horizon"] for one in found] == [1, 3]
    for one in found:
        assert list(one) == ["series", "horizon", "steps", "scored", "mae", "rmse", "skill_mae", "mase", "smape", "r2", "pinball",
                             "coverage_90", "fit_seconds", "forecast_seconds"]
        assert all(isinstance(one[key], float) for key in ("mase", "smape", "r2", "pinball", "fit_seconds"))
        assert one["series"] == "load.csv:total" and one["steps"] == 260 and one["scored"] == 78
        for key in ("mae", "rmse", "skill_mae"):
            assert list(one[key]) == ["persistence", "ewma", "holt", "mean", "autoregression", "xgboost", "flowcast"]
        assert one["skill_mae"]["persistence"] == 0 and one["skill_mae"]["flowcast"] > 0
        assert 0.7 <= one["coverage_90"] <= 1


def test_the_page_holds_the_run(run, series, tmp_path):
    objects(run(*BACKTEST, series(noisy()), "--html", "page.html", "--ablate"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "FLOWCAST_" not in page
    [line] = [line for line in page.splitlines() if line.startswith("const data = ")]
    data = json.loads(line.removeprefix("const data = ").removesuffix(";"))
    assert data["series"] == "load.csv:total" and len(data["actual"]) == 260
    assert [len(one["median"]) for one in data["horizons"]] == [78, 78]
    assert [one["feature"] for one in data["horizons"][0]["ablation"]] == ["total"]


def test_a_page_that_cannot_be_written_is_said(run, series):
    result = run(*BACKTEST, series(noisy()), "--html", "absent/page.html")
    assert result.code == FAILED and "cannot write absent/page.html; name a file" in result.err


def test_a_capture_is_ablated_by_feature_and_asked_what_if(run):
    found = objects(run("backtest", "--pcap", support.DEMO, "--window", "1s", "--models", "xgboost", "--horizons", "1", "--json",
                        "--features", "packets,bytes,jitter,gap_mean", "--ablate", "--what-if", "packets=5", "--what-if", "jitter=2"))
    [one] = found
    assert [row["feature"] for row in one["ablation"]] == ["packets", "bytes", "jitter", "gap_mean"]
    assert all(set(row["rise"]) == {"xgboost", "flowcast"} for row in one["ablation"])
    packets, jitter = one["what_if"]
    assert packets["forecast"]["persistence"]["after"] == 5
    assert jitter["forecast"]["persistence"]["after"] == jitter["forecast"]["persistence"]["before"]


def test_the_features_of_a_capture_change_no_value_of_the_target(run):
    command = ("backtest", "--pcap", support.DEMO, "--window", "1s", "--models", "none", "--horizons", "1", "--json")
    for align in ("first", "epoch"):
        [alone] = objects(run(*command, "--align", align))
        [among] = objects(run(*command, "--align", align, "--features", "default"))
        assert among["steps"] == alone["steps"] and among["mae"] == alone["mae"]


# Bad input: a clear line, or a defined outcome.


def refuse(result, *words):
    assert result.code == USAGE, result.err
    [line] = result.errors
    assert line.startswith("error: ") and result.out == ""
    for word in words:
        assert word in line


def test_too_short_a_series(run, series):
    refuse(run(*BACKTEST, series(noisy(30))), "has 30 steps", "give a longer series")


def test_a_wrong_column(run, series):
    refuse(run("backtest", "--csv", series(noisy()), "--column", "bytes"), "no column 'bytes'; there are: 0 step, 1 total")


def test_a_column_of_words(run, series):
    refuse(run(*BACKTEST, series(["many"] * 200)), "0 numbers in 200 rows; name another column")


def test_negative_values(run, series):
    refuse(run(*BACKTEST, series([*noisy(100), -5, *noisy(100)])), "negative value (-5", "row 101", "interpolated")


def test_a_season_longer_than_the_data(run, series):
    refuse(run(*BACKTEST, series(noisy()), "--season", "500"), "season of 500 steps is longer", "leave --season out")


def test_a_what_if_that_cannot_be(run, series):
    name = series(noisy())
    refuse(run(*BACKTEST, name, "--what-if", "jitter=1"), "no feature 'jitter'; there are: total")
    refuse(run(*BACKTEST, name, "--what-if", "total=much"), "'much' is no value of total")
    refuse(run(*BACKTEST, name, "--what-if", "total"), "is not feature=value")


def test_features_that_there_are_not(run, series):
    refuse(run("backtest", "--pcap", support.DEMO, "--features", "packets,jiter"), "jiter")
    refuse(run(*BACKTEST, series(noisy()), "--features", "default"), "--features is for --pcap")


def test_gaps_and_nan_are_interpolated_and_told(run, series):
    values = noisy()
    values[50:60] = [None] * 10
    values[200], values[259] = "nan", "NaN"
    result = run(*BACKTEST, series(values))
    assert len(objects(result)) == 2
    assert result.errors == ["12 missing values of load.csv:total were interpolated"]


@pytest.mark.parametrize("value", [0, 64])
def test_a_constant_is_forecast_exactly_and_has_no_skill(run, series, value):
    for one in objects(run(*BACKTEST, series([value] * 260))):
        assert one["mae"]["flowcast"] == pytest.approx(0, abs=1e-6)
        assert one["skill_mae"]["flowcast"] is None and one["r2"] is None


def test_one_huge_outlier_is_survived(run, series):
    values = noisy()
    values[215] = 1e15
    for one in objects(run(*BACKTEST, series(values))):
        assert all(math.isfinite(mae) for mae in one["mae"].values())
        assert one["mae"]["flowcast"] <= 1.5 * one["mae"]["persistence"]


# Tuning.

TUNE = ("tune", "--column", "total", "--horizons", "1", "--hidden", "4,8", "--layers", "1", "--head-size", "0", "--dropout", "0",
        "--learning-rate", "1e-3..1e-2", "--batch-size", "64", "--length", "8", "--attention", "0", "--csv")


def test_tuning_prints_every_trial_and_writes_what_trainer_and_back_test_accept(run, series, lab, tmp_path):
    name = series(noisy(300))
    trials = objects(run(*TUNE, name, "--trials", "6", "--json", "--out", "best.toml"))
    assert [trial["round"] for trial in trials] == [3] + [2] * 2 + [1] * 6
    best = trials[0]["settings"]
    written = (tmp_path / "best.toml").read_text(encoding="utf-8")
    keys = dict(line.split(" = ") for line in written.splitlines() if not line.startswith("#"))
    assert int(keys["hidden"]) == best["hidden"] and keys["attention"] == "false" and int(keys["length"]) == best["length"]
    [told] = objects(run("--config", "best.toml", "backtest", "--csv", name, "--column", "total", "--horizons", "1",
                         "--models", "lstm", "--json"))
    assert "lstm" in told["mae"]
    trainer = [lab.parent / "flowcast-trainer", "--brokers", f"127.0.0.1:{support.unused_port()}", "--check"]
    checked = subprocess.run([*trainer, "--config", tmp_path / "best.toml"], capture_output=True, text=True, timeout=60)
    assert checked.returncode == OK, checked.stderr
    (tmp_path / "best.toml").write_text(written + "mood = 1\n", encoding="utf-8")
    assert subprocess.run([*trainer, "--config", tmp_path / "best.toml"], capture_output=True, timeout=60).returncode == USAGE


def test_ranges_may_stand_in_a_configuration_file(run, series, tmp_path):
    (tmp_path / "ranges.toml").write_text('hidden = "3"\nlayers = "1"\nhead-size = "0"\nattention = "0"\nbatch-size = "32,64"\n'
                                          'dropout = "0"\nlength = "8"\ntrials = 2\n', encoding="utf-8")
    trials = objects(run("--config", "ranges.toml", "tune", "--csv", series(noisy(300)), "--column", "total", "--horizons", "1", "--json"))
    assert {trial["settings"]["hidden"] for trial in trials} == {3}
    assert len([trial for trial in trials if trial["round"] == 1]) == 2


def test_a_configuration_with_an_unknown_key_is_refused(run, series, tmp_path):
    (tmp_path / "bad.toml").write_text("hiden = 8\n", encoding="utf-8")
    result = run("--config", "bad.toml", *BACKTEST, series(noisy()))
    assert result.code == USAGE and "hiden" in result.err


def test_tuning_is_the_same_for_the_same_seed(run, series):
    name = series(noisy(300))
    one = run(*TUNE, name, "--trials", "3", "--json").out
    assert one and one == run(*TUNE, name, "--trials", "3", "--json").out


def test_a_signal_ends_tuning_with_the_best_so_far(lab, series, tmp_path):
    name = series(noisy(300))
    process = subprocess.Popen([lab, *TUNE, name, "--trials", "5000", "--out", "best.toml"],
                               cwd=tmp_path, env=support.clean_environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in process.stderr:
        if line.startswith("round 1, candidate 2"):
            break
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - begun < 30
    assert process.returncode == OK and "ended early" in err
    assert out.startswith("ROUND") and (tmp_path / "best.toml").exists()


def test_ranges_and_series_that_cannot_be_are_refused(run, series):
    name = series(noisy())
    refuse(run("tune", "--csv", name, "--column", "total", "--hidden", "many"), "--hidden many: give whole numbers from 1 to 1024")
    refuse(run("tune"), "name at least one series")
    refuse(run(*TUNE, series(noisy(30), "short.csv")), "short.csv:total has 30 steps")
