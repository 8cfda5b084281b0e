"""Runs a page in a browser, for the tests of the pages that flowcast writes."""

import html
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
PLACEHOLDER = "/*FLOWCAST_DATA*/null"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
    "--window-size=1280,1600", "--virtual-time-budget=4000",
)


def load(path):
    """A Python file of the tools as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(name="run")
def fixture_run(tmp_path):
    """Runs a page; gives the document as it stands afterwards and what the browser's console said."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        reason = f"no browser to run the page in: none of {', '.join(BROWSERS)} is installed"
        if os.environ.get("FLOWCAST_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)

    def run(page):
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        command = [browser, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
        return done.stdout, re.findall(r"CONSOLE.*", done.stderr)

    return run


def without_scripts(document):
    return re.sub(r"<(script|style)>.*?</\1>", "", document, flags=re.DOTALL)


def visible_text(document):
    return html.unescape(re.sub(r"<[^>]*>", " ", without_scripts(document)))
