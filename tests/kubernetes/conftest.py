"""Where the programs are."""

import os
from pathlib import Path

import pytest

from manifests import REPO


@pytest.fixture(scope="session", name="binaries")
def fixture_binaries() -> Path:
    folder = Path(os.environ.get("FLOWCAST_BIN", REPO / "build" / "release" / "bin"))
    if not (folder / "flowcast").exists():
        pytest.fail(f"no programs in {folder}: run scripts/build, or set FLOWCAST_BIN to their folder")
    return folder.resolve()
