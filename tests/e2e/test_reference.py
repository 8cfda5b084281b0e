"""The generated reference: up to date, and without a gap that its generator would not see."""

import re
import subprocess
import sys

import pytest

import support
from support import OK, REPO

PAGE = REPO / "docs" / "reference.md"
OF_THE_LAB = ("backtest", "evaluate", "tune")
NAMES = re.compile(r"^  (-\S+)", re.MULTILINE)  # where an option begins in a help
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def help_of(binaries, *command) -> str:
    done = subprocess.run([binaries / command[0], *command[1:], "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == OK, done.stderr
    return done.stdout


def commands_of(binaries, *command) -> list[tuple]:
    """The program, and each of its commands that does something."""
    text = help_of(binaries, *command)
    names = re.findall(r"^  ([a-z][a-z-]*)", text.split("Subcommands:\n")[1], re.MULTILINE) if "Subcommands:\n" in text else []
    found = [command]
    for name in names:
        if command == ("flowcast",) and name in OF_THE_LAB:
            continue  # they are that program's
        found += commands_of(binaries, *command, name)
    return found


def test_it_is_up_to_date(binaries):
    done = subprocess.run(
        [sys.executable, str(REPO / "tools" / "reference_page"), "--check", "--bin", str(binaries)], capture_output=True, text=True
    )
    assert done.returncode == OK, done.stderr


@pytest.mark.parametrize("program", support.PROGRAMS)
def test_every_option_of_every_help_is_in_it(binaries, program):
    page = PAGE.read_text(encoding="utf-8")
    common = set(re.findall(r"`(--[a-z][a-z-]*)`", page.split("## Options of all programs\n")[1].split("\n## ")[0]))
    section = page.split(f"\n## {program}\n")[1].split("\n## ")[0]
    for command in commands_of(binaries, program):
        if len(command) == 1:
            part = section.split("\n### ")[0]
        else:
            part = section.split(f"\n### {' '.join(('flowcast', *command[1:]))}\n")[1].split("\n### ")[0]
        listed = set(re.findall(r"`(--[a-z][a-z-]*)`", part)) | common
        own = {name for names in NAMES.findall(help_of(binaries, *command)) for name in OPTION.findall(names)}
        assert own <= listed, (command, own - listed)
        assert "--help" in own


def test_every_topic_is_in_it(binaries):
    page = PAGE.read_text(encoding="utf-8").split("## Topics\n")[1]
    done = subprocess.run([binaries / "flowcast", "topics", "show"], capture_output=True, text=True, timeout=30)
    topics = re.findall(r"^flowcast\.\S+", done.stdout, re.MULTILINE)
    assert len(topics) == 9
    assert all(f"| `{topic}` |" in page for topic in topics)


def test_no_page_has_a_place_that_is_still_to_be_filled():
    pages = [*REPO.glob("*.md"), *(REPO / "docs").rglob("*.md")]
    assert [page.name for page in pages if re.search(r"^[A-Z]{3,}$| on DATE", page.read_text(encoding="utf-8"), re.MULTILINE)] == []
