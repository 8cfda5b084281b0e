"""What was built is hardened: looked for in the ELF files themselves, by readelf."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from support import PROGRAMS


def readelf(path: Path, *arguments: str) -> str:
    done = subprocess.run(["readelf", "--wide", *arguments, str(path)], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(name="program", params=PROGRAMS)
def fixture_program(request, binaries) -> Path:
    return binaries / request.param


def test_every_program_of_the_build_is_looked_at(binaries):
    found = {path.name for path in binaries.iterdir() if path.name == "flowcast" or path.name.startswith("flowcast-")}
    assert found == set(PROGRAMS)


def test_it_is_loaded_at_an_address_nobody_knows(program):
    assert re.search(r"Type: +DYN \(Position-Independent Executable", readelf(program, "--file-header"))


def test_what_the_loader_fills_in_is_read_only_before_it_runs(program):
    assert "GNU_RELRO" in readelf(program, "--program-headers")
    dynamic = readelf(program, "--dynamic")
    assert re.search(r"\(FLAGS\) +.*BIND_NOW", dynamic) and re.search(r"\(FLAGS_1\) +Flags: .*NOW.*PIE", dynamic)


def test_no_memory_of_it_is_both_written_and_run(program):
    headers = readelf(program, "--program-headers")
    [stack] = re.findall(r"GNU_STACK +(?:0x\w+ +){5}(\S+)", headers)
    assert stack == "RW"
    loaded = re.findall(r"LOAD +(?:0x\w+ +){5}([RWE ]{3})", headers)
    assert loaded and not [flags for flags in loaded if "W" in flags and "E" in flags]


def imported(program: Path) -> set:
    return set(re.findall(r" UND (\w+)@", readelf(program, "--dyn-syms")))


def test_frames_are_guarded_and_the_libraries_calls_are_checked(program):
    names = imported(program)
    assert "__stack_chk_fail" in names
    fortified = {name for name in names if name.startswith("__") and name.endswith("_chk")}
    assert fortified, "no call was compiled with _FORTIFY_SOURCE"


def test_every_source_of_a_program_is_compiled_so(binaries):
    commands = json.loads((binaries.parent / "compile_commands.json").read_text(encoding="utf-8"))
    ours = [entry for entry in commands if re.search(r"/(libs|services|tools)/[^ ]*\.cpp$", entry["file"])]
    assert len(ours) > 200
    wanted = {"-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection"}
    missing = {entry["file"]: wanted - set(entry["command"].split()) for entry in ours}
    assert {path: flags for path, flags in missing.items() if flags} == {}


def test_jumps_land_where_they_are_meant_to(program):
    """Intel's CET. Debian's start files were not compiled for it, so the linker leaves out the note by which a processor
    would insist; what is ours has the marks (endbr64) where functions are called by address."""
    endbr64 = bytes.fromhex("f30f1efa")
    assert program.read_bytes().count(endbr64) > 500


def test_it_looks_for_libraries_nowhere_but_where_the_system_does(program):
    assert not re.search(r"\((RPATH|RUNPATH)\)", readelf(program, "--dynamic"))
