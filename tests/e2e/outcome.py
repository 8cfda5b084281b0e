"""What inference has told, and how it differs from what a run without mishaps tells."""

import json
from collections import Counter, defaultdict
from typing import NamedTuple

from exactly_once import Comparison, Place


class Outcome(NamedTuple):
    """What a reader of committed records sees."""

    forecasts: dict  # by (link, made at): (model's version, numbers), several when it is there more than once
    alerts: list  # (link, rule, state, time of the window)


def numbers_of(forecast) -> list:
    numbers = [forecast.last_actual]
    for horizon in forecast.horizons:
        numbers += list(horizon.quantiles)
        numbers += [expert.value for expert in horizon.experts] + [expert.weight for expert in horizon.experts]
        numbers += [horizon.record.mae, horizon.record.coverage_90]
    return numbers


def outcome(flowcast) -> Outcome:
    forecasts = defaultdict(list)
    for forecast in flowcast.read("forecasts"):
        forecasts[forecast.link, forecast.made_at_ns].append((forecast.model_version, numbers_of(forecast)))
    alerts = [json.loads(record.value) for record in flowcast.records("alerts")]
    return Outcome(dict(forecasts), sorted((alert["link"], alert["rule"], alert["state"], alert["target_start"]) for alert in alerts))


def compare_forecasts(found: Outcome, straight: Outcome) -> Comparison:
    def place(key):
        return Place("forecasts", *key)

    both = found.forecasts.keys() & straight.forecasts.keys()
    return Comparison(
        lost=[place(key) for key in straight.forecasts.keys() - found.forecasts.keys()],
        duplicated=[place(key) for key, told in found.forecasts.items() if len(told) > 1],
        differing=[place(key) for key in both if any(told != straight.forecasts[key][0] for told in found.forecasts[key])],
        surplus=[place(key) for key in found.forecasts.keys() - straight.forecasts.keys()],
    )


def compare_alerts(found: Outcome, straight: Outcome) -> Comparison:
    """An alert that is another is one lost and one too many."""
    def places(counts):
        return [Place("alerts", "/".join(alert[:3]), alert[3]) for alert in counts.elements()]

    told, wanted = Counter(found.alerts), Counter(straight.alerts)
    surplus = told - wanted
    return Comparison(
        lost=places(wanted - told), duplicated=places(Counter({alert: count for alert, count in surplus.items() if alert in wanted})),
        differing=[], surplus=places(Counter({alert: count for alert, count in surplus.items() if alert not in wanted})))
