"""bench/scale: the simulation that docs/scale.md rests on gives what was measured, and what must be so by its making."""

import importlib.machinery
import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


def load_scale():
    loader = importlib.machinery.SourceFileLoader("scale", str(REPO / "bench" / "scale"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("scale", loader))
    sys.modules["scale"] = module  # where its dataclasses look themselves up
    loader.exec_module(module)
    return module


scale = load_scale()
DOCUMENT, COSTS = scale.read_costs(REPO / "bench" / "costs.json")


@pytest.mark.parametrize("row", DOCUMENT["measured"], ids=lambda row: f"{row['links']} links")
def test_the_measured_latencies_come_out_within_the_stated_factor(row):
    simulated = scale.replay(row, COSTS)
    assert scale.is_near(row, simulated, DOCUMENT["within"]), (row, simulated)


def test_a_latency_that_is_far_off_is_told_as_such():
    row = DOCUMENT["measured"][0]
    assert not scale.is_near(row, [10 * row["p50_ms"], row["p99_ms"]], DOCUMENT["within"])
    assert not scale.is_near(row, [row["p50_ms"], row["p99_ms"] / 10], DOCUMENT["within"])


def test_every_cost_says_where_it_comes_from_and_of_when_it_is():
    for name, cost in DOCUMENT["costs"].items():
        assert cost["value"] > 0 and cost["from"] and cost["date"], name
    assert {row["links"] for row in DOCUMENT["measured"]} == {10, 1_000, 10_000}


LOAD = scale.Load("small", 10_000, 1_000)


def run(load, **cores):
    cores = dict.fromkeys(scale.OWN, 1) | cores
    return scale.simulate(load, COSTS, cores, cores, scale.OWN, 8)


def test_each_window_s_forecasts_come_once():
    (median, late, last), _ = run(LOAD)
    assert 2 * COSTS["commit_ms"] / 1e3 <= median <= late <= last < LOAD.window_s


def test_more_links_take_longer_and_more_cores_less_long():
    more = replace(LOAD, links=8_000)
    assert run(more)[0][0] > run(LOAD)[0][0]
    assert run(more, features=4, inference=4, broker=4)[0][0] < run(more)[0][0]


def test_a_service_without_time_left_breaks_first():
    cores = dict.fromkeys(scale.OWN, 1)
    packets = scale.Load("packets", 0.9e6 / COSTS["capture_packet_us"], 10)
    assert scale.breaks_first(packets, COSTS, cores)[0] == "capture"
    dear = COSTS | {"forecast_us": 50 * COSTS["forecast_us"]}
    assert scale.breaks_first(LOAD.times(0.3), dear, cores)[0] == "inference"


def test_planned_cores_stay_below_what_is_planned_for_them():
    for load in scale.SCENARIOS[:2]:
        cores = scale.plan(load, COSTS)
        _, busy = scale.simulate(load, COSTS, cores, cores, scale.OWN, scale.partitions_for(cores))
        assert all(full <= scale.BUSY + 0.01 for full in scale.fullness(busy).values())


def test_the_page_has_the_machines_that_come_out():
    page = (REPO / "docs" / "scale.md").read_text(encoding="utf-8")
    rows = {cells[0]: cells[3:6] for cells in (line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| "))}
    for load in scale.SCENARIOS:
        cores = scale.plan(load, COSTS)
        machines = -(-sum(cores.values()) // scale.MACHINE_CORES)
        said = ", ".join(str(cores[service]) for service in ("capture", "broker", "features", "inference"))
        assert rows[load.name] == [said, str(machines), str(scale.partitions_for(cores))]
