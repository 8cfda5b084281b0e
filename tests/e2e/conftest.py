"""Fixtures of the end-to-end tests: a broker, the programs, and topics of each test's own."""

import os
import subprocess
from pathlib import Path

import pytest

import support
from namespaces import Namespace
from support import skip_or_fail


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failure shows what the programs in the background said."""
    report = (yield).get_result()
    if report.failed:
        used = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, support.Flowcast)]
        report.sections += [section for flowcast in used for section in flowcast.ends_of_logs()]


@pytest.fixture(scope="session", name="broker")
def fixture_broker():
    """HOST:PORT of a broker that may be used, but neither stopped nor emptied."""
    brokers = os.environ.get("FLOWCAST_TEST_BROKERS")
    if not brokers:
        skip_or_fail("no broker: start one with scripts/kafka start and set FLOWCAST_TEST_BROKERS=127.0.0.1:9092")
    yield brokers
    support.delete_topics(brokers)


@pytest.fixture(scope="session", name="binaries")
def fixture_binaries() -> Path:
    folder = Path(os.environ.get("FLOWCAST_BIN", support.REPO / "build" / "release" / "bin"))
    missing = [name for name in support.PROGRAMS if not (folder / name).exists()]
    if missing:
        pytest.fail(f"{', '.join(missing)} not in {folder}: run scripts/build, or set FLOWCAST_BIN to their folder")
    return folder.resolve()


@pytest.fixture(scope="session", name="messages")
def fixture_messages(tmp_path_factory) -> dict:
    """The protobuf classes by topic."""
    try:
        import google.protobuf  # noqa: F401
    except ImportError:
        skip_or_fail("needs python3-protobuf: run scripts/bootstrap")
    if support.missing_tools():
        skip_or_fail(f"needs {', '.join(support.missing_tools())}: run scripts/bootstrap")
    return support.load_messages(tmp_path_factory.mktemp("proto"))


@pytest.fixture(name="flowcast")
def fixture_flowcast(binaries, broker, messages, tmp_path):
    """The programs, with topics that exist and are this test's alone."""
    with support.flowcast_of(binaries, broker, tmp_path, messages) as flowcast:
        flowcast.create_topics()
        yield flowcast


@pytest.fixture(name="programs")
def fixture_programs(binaries, tmp_path):
    """The programs without a broker: nothing listens where they are told to look."""
    with support.flowcast_of(binaries, f"127.0.0.1:{support.unused_port()}", tmp_path) as flowcast:
        yield flowcast


@pytest.fixture(scope="session", name="corpus")
def fixture_corpus() -> Path:
    folder = Path(os.environ.get("FLOWCAST_CORPUS", support.REPO.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no corpus at {folder}: set FLOWCAST_CORPUS")
    return folder


@pytest.fixture(scope="session", name="part")
def fixture_part(tmp_path_factory) -> Path:
    """The first minutes of the bundled capture, with all of its two links; cut off within a packet."""
    assert support.DEMO.exists(), f"{support.DEMO} is missing: it belongs to the repository"
    path = tmp_path_factory.mktemp("part") / "part.pcapng"
    unpacked = subprocess.run(["zstd", "-dc", str(support.DEMO)], check=True, stdout=subprocess.PIPE).stdout
    path.write_bytes(unpacked[: 4 << 20])
    return path


@pytest.fixture(name="own_broker")
def fixture_own_broker(broker, tmp_path):
    """A broker that the test may stop and start; not started yet."""
    own = support.Broker(support.unused_port(), tmp_path / "kafka")
    yield own
    own("stop")


@pytest.fixture(name="namespace")
def fixture_namespace():
    if os.geteuid() != 0:
        pytest.skip("needs root, to make a network namespace")
    try:
        namespace = Namespace()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespace can be made here: {error.stderr.strip()}")
    try:
        namespace.set_up()
        yield namespace
    finally:
        namespace.delete()
