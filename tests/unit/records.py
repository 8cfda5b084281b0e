"""The records that are kept of each version, tests/data/records/VERSION: KIND.bin is a value, KIND.txt what is in it by protoc."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "data" / "records"
# The message of each kind.
OF_TOPICS = {"packets": "PacketBatch", "windows": "Window", "sequences": "Sequence", "forecasts": "Forecast"}
OF_MODELS = {"current-model": "CurrentModel", "model": "Model"}
OF_STATE = {
    "features-progress": "FeaturesProgress", "features-link": "FeaturesLink", "inference-progress": "InferenceProgress",
    "inference-link": "InferenceLink",
}  # fmt: skip
MESSAGES = OF_TOPICS | OF_MODELS | OF_STATE


def text_of(kind: str, value: bytes) -> bytes:
    protos = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").rglob("*.proto"))
    return subprocess.run(["protoc", f"--proto_path={ROOT / 'proto'}", f"--decode=flowcast.v1.{MESSAGES[kind]}", *protos],
                          input=value, check=True, capture_output=True).stdout
