"""Trained models: what is listed, shown, exchanged and exported, and which of two is used."""

import json
import os
import pty
import subprocess

import pytest

from support import DEMO, FAILED, OK, flowcast_of

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module", name="trained")
def fixture_trained(binaries, broker, messages, tmp_path_factory):
    """Three trainings of both forecasters on the bundled capture, the last one of another target."""
    with flowcast_of(binaries, broker, tmp_path_factory.mktemp("models"), messages) as flowcast:
        flowcast.create_topics(partitions=2)
        flowcast.succeed("capture", "--pcap", DEMO)
        flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "2s")
        flowcast.logs_of_training = [train(flowcast), train(flowcast), train(flowcast, "--target", "bytes")]
        yield flowcast


def train(flowcast, *options) -> str:
    arguments = ("--once", "--epochs", "2", "--hidden", "8", "--model-dir", flowcast.folder / "models", *options)
    return flowcast.succeed("trainer", *arguments, timeout_s=120).err


def listed(flowcast) -> list[dict]:
    return [json.loads(line) for line in flowcast.succeed("cli", "models", "list", "--json").out.splitlines()]


def shown(flowcast, version: str) -> dict:
    return json.loads(flowcast.succeed("cli", "models", "show", version).out)


def current(flowcast) -> str:
    [version] = [model["version"] for model in listed(flowcast) if model["current"]]
    return version


def test_versions_are_listed_by_time_with_the_one_in_use(trained):
    models = listed(trained)
    assert len(models) == 3
    assert [model["version"] for model in models] == sorted(model["version"] for model in models)
    assert [model["target"] for model in models] == ["packets", "packets", "bytes"]
    assert {model["trained_for"] for model in models} == {"once"}
    assert models[-1]["current"], "another target takes the place"
    table = trained.succeed("cli", "models", "list").out.splitlines()
    assert len(table) == 4 and table[0].split()[:2] == ["VERSION", "CREATED"]
    assert [line.startswith("*") for line in table[1:]] == [model["current"] for model in models]


def test_the_same_data_gives_the_same_weights_which_do_not_replace_themselves(trained):
    first, second, _ = listed(trained)
    assert first["version"].split("-")[1] == second["version"].split("-")[1], "the hash of the weights"
    decision = shown(trained, second["version"])["decision"]
    assert decision["against"] == first["version"] and decision["replaced"] is False
    assert decision["error"] == decision["error_before"] and decision["examples"] > 0
    assert decision["seen_before"] is True, "nothing came in between"
    assert "it is not used" in trained.logs_of_training[1] and f"{decision['error']:.4f}" in trained.logs_of_training[1]


def test_a_manifest_has_the_scores_and_losses_of_both_forecasters(trained):
    manifest = shown(trained, "current")
    forecasters = {forecaster["name"]: forecaster for forecaster in manifest["forecasters"]}
    assert sorted(forecasters) == ["lstm", "xgboost"]
    for forecaster in forecasters.values():
        assert forecaster["history"] and forecaster["parameters"] > 0
        assert [metrics["windows"] for metrics in forecaster["metrics"]] == manifest["horizons"]
        losses = {row["epoch"]: row["validation_loss"] for row in forecaster["history"]}
        assert losses[forecaster["best_epoch"]] == min(losses.values())
    log = trained.logs_of_training[0]
    assert log.count("xgboost forest") == len(manifest["horizons"]) and log.count("lstm epoch") >= 1


def test_an_exported_model_is_the_folder_that_the_trainer_keeps(trained, tmp_path):
    version = current(trained)
    printed = trained.succeed("cli", "models", "export", "current", tmp_path).out.strip()
    exported, kept = tmp_path / "default" / version, trained.folder / "models" / "default" / version
    assert printed == str(exported)
    names = sorted(path.name for path in exported.iterdir())
    assert names == ["history.csv", "lstm.weights", "manifest.json", "xgboost.weights"]
    assert all((exported / name).read_bytes() == (kept / name).read_bytes() for name in names)
    rows = (exported / "history.csv").read_text().splitlines()
    assert rows[0] == "forecaster,epoch,training_loss,validation_loss,seconds"
    assert {row.split(",")[0] for row in rows[1:]} == {"lstm", "xgboost"}


def test_an_unknown_version_is_refused_and_those_there_are_are_named(trained):
    for arguments in (("show", "v1"), ("rollback", "v1"), ("export", "v1", trained.folder)):
        result = trained.run("cli", "models", *arguments)
        assert result.code == FAILED
        assert "there is no version 'v1'" in result.err and current(trained) in result.err
    nobody = trained.run("cli", "models", "list", "--model", "nobody")
    assert nobody.code == FAILED and "there is no model 'nobody'" in nobody.err


def test_a_rollback_uses_the_version_that_was_in_use_before_or_a_named_one(trained):
    first, second, third = [model["version"] for model in listed(trained)]
    out = trained.succeed("cli", "models", "rollback").out
    assert out == f"{first} is in use instead of {third}\n", "the second never was"
    assert current(trained) == first
    inference = trained.succeed("inference", "--threshold", "p95", "--exit-when-idle", "1s")
    assert f"using model {first}" in inference.err
    no_more = trained.run("cli", "models", "rollback")
    assert no_more.code == FAILED and "no version before" in no_more.err
    assert trained.run("cli", "models", "rollback", third).code == OK
    assert current(trained) == third
    assert "in use already" in trained.succeed("cli", "models", "rollback", third).out


def test_old_versions_are_deleted_but_never_the_one_in_use(trained):
    in_use = current(trained)
    assert "deleted from" in train(trained, "--target", "bytes", "--keep-models", "2")
    assert in_use in [model["version"] for model in listed(trained)] and len(listed(trained)) == 2


def test_a_terminal_shows_a_bar_and_a_file_gets_lines(trained):
    terminal, inside = pty.openpty()
    arguments = ("--once", "--epochs", "2", "--hidden", "8", "--models", "lstm", "--model", "bar", "--model-dir", trained.folder / "models")
    done = subprocess.run(trained.command("trainer", *arguments), stderr=inside, timeout=60, check=False)
    os.close(inside)
    shown_there = b""
    while True:
        try:
            shown_there += os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
    os.close(terminal)
    assert done.returncode == OK
    assert b"\r\x1b[K[############............]  50 % lstm epoch   1" in shown_there
    assert b"info    lstm epoch" not in shown_there
    assert "[###" not in trained.logs_of_training[0] and "lstm epoch   1" in trained.logs_of_training[0]
