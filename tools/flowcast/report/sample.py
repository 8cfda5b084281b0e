#!/usr/bin/env python3
"""Plausible data for forecast.html, made from a seed: for the page's tests and for work on its looks.

sample.py                        the JSON object on standard output
sample.py --page /tmp/page.html  the template with the object in it
"""

import argparse
import json
import math
import pathlib
import random
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "page"))
from assemble import embed, template  # noqa: E402

TEMPLATE = pathlib.Path(__file__).with_name("forecast.html")
START = 1_795_255_200  # 2026-11-21T10:00:00Z
VERSION = "20261121T103000-ab12cd34"
NAMES = ["demo/office", "demo/uplink", "lab/rack-1", "lab/rack-2", "campus/library", "campus/dormitory"]


def make_report(links=2, windows=1860, scored=540, model=True, target="packets", seed=7):
    chance = random.Random(seed)
    scored = min(scored, windows - 1)
    made = [make_link(chance, i, windows, scored, model, target) for i in range(links)]
    return {
        "title": "demo.pcapng.zst", "generated_at": "2026-11-21T11:02:05Z", "flowcast_version": "0.1.0",
        "window_seconds": 1, "target": target, "horizon_windows": 1, "interval": {"low": 0.05, "high": 0.95},
        "summary": make_summary(made, windows, model),
        "model": make_model(chance, START + windows - scored) if model else None,
        "links": made,
    }


def make_link(chance, number, windows, scored, model, target):
    scale = (180 + 70 * (number % 5)) * (820 if target == "bytes" else 1)
    actual = [round(scale * load) for load in make_load(chance, windows)]
    forecast = [make_forecast(chance, actual, t, scale) for t in range(windows - scored, windows)]
    threshold = round(scale * 1.75)
    name = NAMES[number] if number < len(NAMES) else f"branch/{number}"
    weights = {"persistence": 0.12, "ewma": 0.20, "mean": 0.01}
    weights |= {"lstm": 0.67} if model else {"seasonal": 0.67}
    return {
        "link": name, "threshold": threshold, "capacity": None, **make_scores(actual, forecast),
        "actual": [[START + t, load] for t, load in enumerate(actual)],
        "forecast": [[START + t, *quantiles] for t, *quantiles in forecast],
        "weights": weights, "alerts": make_alerts(name, forecast, threshold, target),
    }


def make_load(chance, windows):
    """A slow swing, surges that climb within ten windows, and noise that remembers a little."""
    load, noise, surge, left = [], 0.0, 0.0, 0
    for t in range(windows):
        if left == 0 and chance.random() < 1 / 110:
            left = chance.randint(12, 40)
        left = max(left - 1, 0)
        surge += ((1.0 if left else 0.0) - surge) * 0.2
        noise = 0.55 * noise + chance.gauss(0, 0.075)
        load.append(max(0.0, 1 + 0.22 * math.sin(t / 95) + surge + noise))
    return load


def make_forecast(chance, actual, t, scale):
    """Three quarters of the way from the last value to the truth, which is what makes it better than persistence."""
    median = 0.6 * actual[t - 1] + 0.4 * actual[t] + chance.gauss(0, 0.045 * scale)
    spread = scale * (0.07 + 0.035 * median / scale)
    return t, round(max(median, 0), 1), round(max(median - spread, 0), 1), round(median + 1.1 * spread, 1)


def make_scores(actual, forecast):
    count = len(forecast)
    covered = sum(low <= actual[t] <= high for t, _, low, high in forecast)
    return {
        "mae": sum(abs(median - actual[t]) for t, median, _, _ in forecast) / count,
        "mae_persistence": sum(abs(actual[t - 1] - actual[t]) for t, *_ in forecast) / count,
        "coverage_90": covered / count, "scored": count,
    }


def make_alerts(name, forecast, threshold, target):
    alerts, calm = [], 0
    for t, median, _, _ in forecast:
        standing = bool(alerts) and alerts[-1]["resolved"] is None
        calm = 0 if median > 0.9 * threshold else calm + 1
        if not standing and median > threshold:
            alerts.append({
                "id": f"{name}#{t}", "summary": f"{name} will pass {threshold:,} {target} in 1 s (P = 0.93)",
                "fired": START + t - 1, "resolved": None, "value": median, "threshold": threshold, "severity": "warning",
            })
        elif standing and calm == 5:
            alerts[-1]["resolved"] = START + t
    return alerts


def make_model(chance, trained_until):
    history = []
    for epoch in range(1, 24):
        training = 0.09 + 0.82 * math.exp(-epoch / 4.5) + chance.gauss(0, 0.006)
        validation = 0.13 + 0.84 * math.exp(-epoch / 4.2) + 0.0006 * max(0, epoch - 15) ** 2 + chance.gauss(0, 0.004)
        history.append({"epoch": epoch, "training_loss": training, "validation_loss": validation, "seconds": 0.4})
    best = min(history, key=lambda row: row["validation_loss"])["epoch"]
    return {
        "version": VERSION, "trained_until": trained_until, "epochs": len(history), "best_epoch": best,
        "parameters": 56321, "layers": 2, "hidden": 64, "sequence_length": 10, "features": 25, "history": history,
    }


def make_summary(links, windows, model):
    scored = sum(link["scored"] for link in links) or 1
    mean = {name: sum(link[name] * link["scored"] for link in links) / scored
            for name in ("mae", "mae_persistence", "coverage_90")}
    alerts = [alert for link in links for alert in link["alerts"]]
    return {
        "packets": 180213, "windows": windows * len(links),
        "sequences": (windows - 10) * len(links), "model_version": VERSION if model else None, **mean,
        "skill_percent": 100 * (1 - mean["mae"] / mean["mae_persistence"]) if links else None,
        "scored": sum(link["scored"] for link in links), "alerts_fired": len(alerts),
        "alerts_resolved": sum(alert["resolved"] is not None for alert in alerts), "seconds": 84.2,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--links", type=int, default=2)
    parser.add_argument("--windows", type=int, default=1860)
    parser.add_argument("--scored", type=int, default=540)
    parser.add_argument("--target", default="packets")
    parser.add_argument("--no-model", action="store_true")
    parser.add_argument("--page", type=pathlib.Path, help="write the page here")
    options = parser.parse_args()
    report = make_report(options.links, options.windows, options.scored, not options.no_model, options.target)
    if options.page:
        options.page.write_text(embed(template(TEMPLATE), report), encoding="utf-8")
    else:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
