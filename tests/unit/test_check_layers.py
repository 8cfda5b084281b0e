"""tools/check_layers over small trees, each with one breach."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "check_layers"

CLEAN = {
    "libs/base/README.md": "Time and errors.",
    "libs/base/time.h": "#pragma once\n#include <chrono>\n",
    "libs/base/address.cpp": '#include "libs/base/time.h"\n#include <arpa/inet.h>\n',
    "libs/base/clock.cpp": "auto Now() { return std::chrono::system_clock::now(); }\n",
    "libs/bus/README.md": "The seam to a message bus.",
    "libs/bus/bus.h": '#include <string_view>\n#include <tl/expected.hpp>\n#include "libs/base/time.h"\n',
    "libs/bus/bus.cpp": '#include "libs/bus/internal/queue.h"\n',
    "libs/bus/internal/queue.h": "#pragma once\n",
    "libs/kafka/README.md": "The bus over Kafka.",
    "libs/kafka/kafka_bus.cpp": '#include <librdkafka/rdkafkacpp.h>\n#include "libs/bus/bus.h"\n',
    "libs/spool/README.md": "A journal on disk.",
    "libs/spool/journal.cpp": "#include <sys/file.h>\n#include <unistd.h>\n",
    "libs/app/README.md": "Flags and logs.",
    "libs/app/app.cpp": "#include <CLI/CLI.hpp>\n#include <spdlog/spdlog.h>\n",
    "libs/wire/README.md": "Messages.",
    "libs/wire/window.cpp": '#include <nlohmann/json.hpp>\n#include "flowcast/v1/window.pb.h"\n',
    "services/features/README.md": "Packets to windows.",
    "services/features/features_service.cpp": '#include "libs/bus/bus.h"\n',
    "services/features/features_config.cpp": '#include <CLI/CLI.hpp>\n#include "libs/app/app.h"\n',
    "services/features/main.cpp": '#include "libs/kafka/kafka_bus.h"\n#include "services/features/features_service.h"\n',
    "tools/flowcast/main.cpp": '#include <nlohmann/json.hpp>\n#include "libs/kafka/kafka_bus.h"\n',
    "tests/unit/bus_test.cpp": '#include <gtest/gtest.h>\n#include "libs/bus/bus.h"\n',
}

THROUGH = "go through its interface"
ROOT = "name our headers from the root (\"libs/x/y.h\") and the system's with <>"
FROM_MAIN = "take an interface and pass it in from main.cpp"
BASE_ONLY = "base includes the standard library only: move the code to"
ASK = "take a Clock (libs/base/clock.h) and ask it"

# What the file holds -> the one line that is printed.
BREACHES = {
    "base includes a library": (
        {"libs/base/x.h": '#include <map>\n#include "libs/bus/bus.h"\n'},
        f"libs/base/x.h:2: base includes libs/bus; {BASE_ONLY} libs/bus",
    ),
    "base includes more than the standard library": (
        {"libs/base/x.h": "#include <tl/expected.hpp>\n"},
        f"libs/base/x.h:1: base includes tl/expected.hpp; {BASE_ONLY} a library above",
    ),
    "base includes a big dependency": (
        {"libs/base/x.h": "#include <spdlog/spdlog.h>\n"},
        f"libs/base/x.h:1: base includes spdlog/spdlog.h; {BASE_ONLY} a library above",
    ),
    "a pure library includes an adapter": (
        {"libs/bus/x.h": '#include "libs/kafka/kafka_bus.h"\n'},
        f"libs/bus/x.h:1: pure library bus includes adapter kafka; {FROM_MAIN}",
    ),
    "an adapter includes an adapter": (
        {"libs/kafka/x.h": '#include "libs/app/app.h"\n'},
        f"libs/kafka/x.h:1: adapter kafka includes adapter app; {FROM_MAIN}",
    ),
    "a library includes a service": (
        {"libs/bus/x.h": '#include "services/features/features_service.h"\n'},
        "libs/bus/x.h:1: a library includes services/features/features_service.h; "
        "libraries include libraries: move what is shared to libs/",
    ),
    "a pure library includes an unknown header": (
        {"libs/bus/x.cpp": "#include <sys/socket.h>\n"},
        "libs/bus/x.cpp:1: pure library bus includes sys/socket.h; do that in an adapter, or add the header to PURE_ALSO",
    ),
    "another pure library includes what the spool may": (
        {"libs/bus/x.cpp": "#include <unistd.h>\n"},
        "libs/bus/x.cpp:1: pure library bus includes unistd.h; do that in an adapter, or add the header to PURE_ALSO",
    ),
    "the spool includes more than files": (
        {"libs/spool/x.cpp": "#include <sys/socket.h>\n"},
        "libs/spool/x.cpp:1: pure library spool includes sys/socket.h; "
        "do that in an adapter, or add the header to PURE_ALSO",
    ),
    "libraries include each other": (
        {"libs/bus/x.h": '#include "libs/wire/y.h"\n', "libs/wire/y.h": '\n#include "libs/bus/x.h"\n'},
        "libs/wire/y.h:2: closes the cycle bus -> wire -> bus; move what both need into a library below",
    ),
    "a service class includes an adapter": (
        {"services/features/features_service.h": '#include "libs/kafka/kafka_bus.h"\n'},
        "services/features/features_service.h:1: includes adapter kafka; "
        "take an interface and pass the adapter in from main.cpp",
    ),
    "a configuration includes an adapter other than app": (
        {"services/features/features_config.h": '#include "libs/kafka/kafka_bus.h"\n'},
        "services/features/features_config.h:1: includes adapter kafka; "
        "take an interface and pass the adapter in from main.cpp",
    ),
    "a service includes another": (
        {"services/features/x.h": '#include "services/capture/y.h"\n'},
        "services/features/x.h:1: service features includes service capture; move what is shared to libs/",
    ),
    "a service includes a tool": (
        {"services/features/x.h": '#include "tools/flowcast/y.h"\n'},
        "services/features/x.h:1: a service includes tools/flowcast/y.h; move what is shared to libs/",
    ),
    "another library's internal header": (
        {"services/features/x.h": '#include "libs/bus/internal/queue.h"\n'},
        "services/features/x.h:1: includes libs/bus/internal/queue.h, which is internal to libs/bus; "
        "include a header of libs/bus itself",
    ),
    "a header that is not named from the root": (
        {"libs/bus/x.h": '#include "bus.h"\n'},
        f'libs/bus/x.h:1: includes "bus.h"; {ROOT}',
    ),
    "a wall clock": (
        {"libs/bus/x.cpp": "// now() and sleep_for\n\nauto t = std::chrono::steady_clock::now();\n"},
        f"libs/bus/x.cpp:3: calls now; {ASK}",
    ),
    "a sleep": (
        {"tests/unit/x_test.cpp": "/* a\ncomment */ auto n = 1'000; std::this_thread::sleep_for(n);\n"},
        f"tests/unit/x_test.cpp:2: calls sleep_for; {ASK}",
    ),
    "a long source": (
        {"libs/bus/x.cpp": "\n" * 501},
        "libs/bus/x.cpp:501: has 501 lines, at most 500 are allowed; split it by what it does",
    ),
    "a long header": (
        {"libs/bus/x.h": "\n" * 201},
        "libs/bus/x.h:201: has 201 lines, at most 200 are allowed; split it by what it does",
    ),
    "a long main": (
        {"services/features/main.cpp": "\n" * 51},
        "services/features/main.cpp:51: has 51 lines, at most 50 are allowed; split it by what it does",
    ),
    "a library without README": (
        {"libs/slice/x.h": "\n"},
        "libs/slice/README.md:1: is missing or empty; say in a sentence what the folder is for",
    ),
    "a service with an empty README": (
        {"services/trainer/README.md": "\n"},
        "services/trainer/README.md:1: is missing or empty; say in a sentence what the folder is for",
    ),
}

OWNED = [
    ("librdkafka/rdkafka.h", "libs/kafka/*"),
    ("pcap.h", "libs/pcap/*"),
    ("pcap/pcap.h", "libs/pcap/*"),
    ("torch/torch.h", "libs/lstm/*"),
    ("xgboost/c_api.h", "libs/trees/*"),
    ("httplib.h", "libs/http/*"),
    ("prometheus/registry.h", "libs/http/*"),
    ("zlib.h", "libs/archive/*"),
    ("zstd.h", "libs/archive/*"),
    ("openssl/evp.h", "libs/anonymize/* libs/http/signature.*"),
    (
        "spdlog/spdlog.h",
        "libs/app/* services/*/main.cpp services/*/*_config.cpp tools/*.cpp",
    ),
    ("google/protobuf/message.h", "libs/wire/*"),
    ("flowcast/v1/window.pb.h", "libs/wire/*"),
    ("nlohmann/json.hpp", "libs/wire/* libs/model_store/* libs/notify/* tools/*"),
]


@pytest.fixture
def check(tmp_path):
    def run(*trees):
        for tree in trees:
            for name, text in tree.items():
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return subprocess.run([sys.executable, SCRIPT, "--root", tmp_path], capture_output=True, text=True)

    return run


def test_a_clean_tree_passes_and_is_summed_up(check):
    run = check(CLEAN)
    sources = [name for name in CLEAN if name.endswith((".h", ".cpp"))]
    includes = sum(CLEAN[name].count("#include") for name in sources)
    assert run.stdout == f"check_layers: {len(sources)} files and {includes} includes keep the layers\n"
    assert run.returncode == 0


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_reported_with_its_place_and_its_remedy(check, name):
    tree, message = BREACHES[name]
    run = check(CLEAN, tree)
    assert run.stdout == message + "\n"
    assert run.returncode == 1


@pytest.mark.parametrize("header, owners", OWNED)
@pytest.mark.parametrize("file", ["libs/bus/x.cpp", "libs/window/x.h", "services/features/features_service.cpp"])
def test_a_big_dependency_is_included_by_its_owner_only(check, header, owners, file):
    run = check(CLEAN, {"libs/window/README.md": "Windows.", file: f"#include <{header}>\n"})
    assert run.stdout == f"{file}:1: includes {header}; only {owners} may: {THROUGH}\n"


def test_comments_and_strings_are_no_code(check):
    text = '// #include <pcap.h>\n/*\n#include <pcap.h>\n*/\nauto s = "x::now() // ";\nauto r = R"(sleep_for)";\n'
    assert check(CLEAN, {"libs/bus/x.cpp": text}).returncode == 0


def test_a_tree_without_sources_is_an_error_of_use(check):
    run = check({"README.md": "x"})
    assert run.returncode == 2
    assert "--root" in run.stderr
