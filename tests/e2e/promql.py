"""What a PromQL expression asks for, and which metrics there are to be asked for."""

import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BY_PROMETHEUS = {"up", "ALERTS"}
WORDS = {  # of the language, as far as ours uses it
    "sum", "min", "max", "count", "rate", "increase", "deriv", "changes", "time", "vector", "histogram_quantile",
    "max_over_time", "by", "on", "group_left", "and", "or", "unless", "offset", "label_values",
}  # fmt: skip
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
BRACES = re.compile(r"\{[^{}]*\}")
RANGE = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")
LABELS = re.compile(r"\b(by|on|group_left)\s*\([^()]*\)")
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def documented() -> set[str]:
    """Every metric of docs/metrics.md, which is generated; of histograms what is asked for."""
    names = set()
    page = (REPO / "docs" / "metrics.md").read_text(encoding="utf-8")
    for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", page, re.MULTILINE):
        names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return names


def metrics_in(expression: str) -> set[str]:
    bare = LABELS.sub(r"\1", RANGE.sub("", BRACES.sub("", STRING.sub('""', expression))))
    return {name for name in NAME.findall(bare) if name not in WORDS}


def unknown_in(expression: str) -> set[str]:
    """What it names and nobody exports."""
    return metrics_in(expression) - documented() - BY_PROMETHEUS
