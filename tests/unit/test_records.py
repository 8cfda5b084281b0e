"""Records of earlier versions: every field is still where it was, by name and number."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDS = sorted((ROOT / "tests" / "data" / "records").glob("*/*.bin"))
MESSAGES = {
    "packets": "PacketBatch", "windows": "Window", "sequences": "Sequence", "forecasts": "Forecast", "model": "Model",
    "current-model": "CurrentModel", "features-progress": "FeaturesProgress", "features-link": "FeaturesLink",
    "inference-progress": "InferenceProgress", "inference-link": "InferenceLink",
}  # fmt: skip


def test_there_is_one_of_every_kind():
    assert {path.stem for path in RECORDS} == set(MESSAGES)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_its_fields_have_the_names_and_values_that_they_had(path):
    protos = sorted(str(proto.relative_to(ROOT / "proto")) for proto in (ROOT / "proto").rglob("*.proto"))
    shown = subprocess.run(["protoc", f"--proto_path={ROOT / 'proto'}", f"--decode=flowcast.v1.{MESSAGES[path.stem]}", *protos],
                           input=path.read_bytes(), check=True, capture_output=True).stdout
    assert shown == path.with_suffix(".txt").read_bytes()
