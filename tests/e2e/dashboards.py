"""The dashboards of deploy/grafana as what Grafana would ask Prometheus."""

import json
import re
from pathlib import Path
from typing import NamedTuple

REPO = Path(__file__).resolve().parents[2]
FOLDER = REPO / "deploy" / "grafana" / "dashboards"
# Variables of a dashboard, as a user might have chosen them, and Grafana's own at a scrape a second.
CHOSEN = {"target": "packets", "horizon": "1", "link": ".*", "__rate_interval": "5s", "__range": "1m"}


class Query(NamedTuple):
    where: str  # dashboard and panel
    expression: str  # with variables filled in
    is_range: bool


class Choice(NamedTuple):
    where: str
    series: str  # whose
    label: str  # has the values to choose from


def load_all() -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def fill(text: str) -> str:
    return re.sub(r"\$(\w+)", lambda found: CHOSEN[found[1]], text)


def queries() -> list[Query]:
    return [
        Query(f"{name}: {panel['title']}", fill(target["expr"]), bool(target.get("range")))
        for name, dashboard in load_all().items()
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]


def choices() -> list[Choice]:
    found = []
    for name, dashboard in load_all().items():
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
                found.append(Choice(f"{name}: ${variable['name']}", fill(series), label))
    return found
