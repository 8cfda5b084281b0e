"""Every .cpp belongs to a target: a test that is in no CMakeLists.txt is a test that never runs."""

from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


def lists_above(source: Path) -> str:
    """The CMakeLists.txt that stands nearest."""
    for folder in source.parents:
        if (folder / "CMakeLists.txt").exists():
            return (folder / "CMakeLists.txt").read_text(encoding="utf-8")
    return ""


@pytest.mark.parametrize("folder", ["libs", "services", "tools", "tests"])
def test_every_source_is_named_in_a_list(folder):
    sources = sorted((REPO / folder).rglob("*.cpp"))
    assert sources
    assert [str(source.relative_to(REPO)) for source in sources if source.name not in lists_above(source)] == []
