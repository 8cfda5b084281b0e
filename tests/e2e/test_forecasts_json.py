"""forecasts-json.v1: each forecast once more as JSON, as the schema says, and the live error as metrics."""

import json
import re

import pytest

import support
from support import REPO, library, wait_until

jsonschema = library("jsonschema")

SCHEMA = json.loads((REPO / "docs" / "schemas" / "forecast.schema.json").read_text(encoding="utf-8"))


def validate(forecast: dict) -> dict:
    jsonschema.Draft202012Validator(SCHEMA).validate(forecast)
    return forecast


@pytest.fixture(scope="module", name="forecast")
def fixture_forecast(binaries, broker, messages, tmp_path_factory):
    """Topics with forecasts on them, as JSON too."""
    with support.flowcast_of(binaries, broker, tmp_path_factory.mktemp("forecast"), messages) as flowcast:
        flowcast.create_topics(partitions=4)
        flowcast.succeed("cli", "generate", "--duration", "3m", "--links", "3")
        flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
        flowcast.succeed("inference", "--json-mirror", "--exit-when-idle", "1s")
        yield flowcast


def same_record(record, shown: dict) -> bool:
    skill = 1 - record.mae / record.mae_persistence if record.mae_persistence > 0 else None
    return shown == {
        "settled": record.settled, "mae": record.mae, "mae_persistence": record.mae_persistence, "skill": skill,
        "coverage_90": record.coverage_90,
    }


def same_horizon(horizon, shown: dict) -> bool:
    return (
        (horizon.windows, horizon.target_start_ns) == (shown["windows"], shown["target_start_ns"])
        and list(horizon.levels) == shown["levels"]
        and list(horizon.quantiles) == shown["quantiles"]
        and [{"name": one.name, "value": one.value, "weight": one.weight} for one in horizon.experts] == shown["experts"]
        and same_record(horizon.record, shown["record"])
    )


def same_settled(settled, shown: dict) -> bool:
    names = ("windows", "target_start_ns", "actual", "median", "low", "high", "persistence", "had_model")
    return [getattr(settled, name) for name in names] == [shown[name] for name in names]


def same(forecast, shown: dict) -> bool:
    """The message and the JSON, bit for bit."""
    names = ("version", "link", "made_at_ns", "window_ns", "target", "last_actual", "quality", "model_version")
    return (
        [getattr(forecast, name) for name in names] == [shown[name] for name in names]
        and len(forecast.horizons) == len(shown["horizons"])
        and len(forecast.settled) == len(shown["settled"])
        and all(map(same_horizon, forecast.horizons, shown["horizons"]))
        and all(map(same_settled, forecast.settled, shown["settled"]))
        and same_record(forecast.record, shown["record"])
    )


@pytest.mark.broker
def test_the_mirror_has_every_forecast_as_json_where_the_forecast_is(forecast):
    forecasts = forecast.records("forecasts")
    mirrored = forecast.records("forecasts-json")
    assert len(mirrored) == len(forecasts) > 400
    for record, mirror in zip(forecasts, mirrored, strict=True):
        assert (mirror.partition, mirror.key) == (record.partition, record.key)
        assert same(forecast.messages["forecasts"].FromString(record.value), validate(json.loads(mirror.value)))
    assert any(json.loads(mirror.value)["record"]["skill"] is not None for mirror in mirrored)


@pytest.mark.broker
def test_the_live_error_of_every_horizon_is_a_metric_and_adds_up_to_what_settled(forecast):
    settled = [one for message in forecast.read("forecasts") for one in message.settled]  # before there are more of them
    again = forecast.start("inference", "--group", "again", "--http", "127.0.0.1:0")
    address = again.expect(r"status at (http://\S+)")[1]

    def all_settled():
        samples = scrape(address)
        name = "flowcast_inference_horizon_settled_forecasts_total"
        return samples if sum(value for key, value in samples.items() if key.startswith(name)) == len(settled) else None

    samples = wait_until(all_settled, 30, "all forecasts settled once more")
    for horizon in (1, 2, 3, 6, 12):
        mine = [one for one in settled if one.windows == horizon]
        error = sum(abs(one.actual - one.median) for one in mine)
        persistence = sum(abs(one.actual - one.persistence) for one in mine)
        covered = sum(one.low <= one.actual <= one.high for one in mine)
        label = f'target="packets",horizon="{horizon}"'

        def metric(name, labels=label):
            return samples[f"flowcast_inference_{name}{{{labels}}}"]

        assert metric("horizon_settled_forecasts_total") == len(mine) > 0
        assert metric("horizon_covered_forecasts_total") == covered
        assert metric("horizon_absolute_error_total", f'{label},forecast="published"') == pytest.approx(error)
        assert metric("horizon_absolute_error_total", f'{label},forecast="persistence"') == pytest.approx(persistence)
        assert metric("live_skill_ratio") == pytest.approx(1 - error / persistence)
        assert metric("live_coverage_ratio") == pytest.approx(covered / len(mine))
    assert again.stop().code == support.OK


def scrape(address: str) -> dict:
    text = support.get(f"{address}/metrics")
    return {key: float(value) for key, value in re.findall(r"^([^#\s]\S*) (\S+)$", text, re.MULTILINE)}


@pytest.mark.broker
def test_without_being_asked_for_the_mirror_stays_empty_and_its_topic_may_be_missing(flowcast):
    support.kafka(
        {"FLOWCAST_KAFKA_PORT": flowcast.brokers.rpartition(":")[2]}, "topics", "--delete", "--topic",
        f"{flowcast.prefix}forecasts-json.v1",
    )
    flowcast.succeed("cli", "generate", "--duration", "1m")
    flowcast.succeed("features", "--window", "1s", "--exit-when-idle", "1s")
    flowcast.succeed("inference", "--exit-when-idle", "1s")
    assert flowcast.read("forecasts")
    waiting = flowcast.run("inference", "--json-mirror", "--broker-timeout", "1s")
    assert waiting.code == support.NO_BROKER
    assert f"topic {flowcast.prefix}forecasts-json.v1 does not exist" in waiting.err


def test_the_schema_refuses_what_is_no_forecast():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    time = "2026-11-21T10:00:00Z"
    record = {"settled": 0, "mae": 0, "mae_persistence": 0, "skill": None, "coverage_90": 0}
    horizon = {
        "windows": 1, "target_start": time, "target_start_ns": 0, "levels": [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95],
        "quantiles": [0] * 7, "experts": [{"name": "persistence", "value": 1, "weight": 1}], "record": record,
    }
    forecast = {
        "version": 1, "link": "a/b", "made_at": time, "made_at_ns": 0, "window_ns": 1, "target": "packets", "last_actual": 0,
        "horizons": [horizon], "record": record, "quality": "good", "model_version": "", "settled": [],
        "trace_id": "0" * 32,
    }
    validate(forecast)
    wrong = [
        {"version": 2}, {"link": ""}, {"made_at": "yesterday"}, {"horizons": []}, {"quality": "fair"}, {"window_ns": 0},
        {"horizons": [horizon | {"quantiles": [0] * 6}]}, {"horizons": [horizon | {"levels": [0.5]}]},
        {"record": record | {"skill": "high"}}, {"settled": [{}]}, {"trace_id": "0"},
    ]
    for change in wrong:
        with pytest.raises(jsonschema.ValidationError):
            validate(forecast | change)
    for name in forecast:
        with pytest.raises(jsonschema.ValidationError):
            validate({key: value for key, value in forecast.items() if key != name})
