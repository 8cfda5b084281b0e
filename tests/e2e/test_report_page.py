"""The page that the demo leaves behind, filled with sample data and run in a browser."""

import html
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

REPORT = pathlib.Path(__file__).resolve().parents[2] / "tools" / "flowcast" / "report"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--window-size=1280,1600",
    "--virtual-time-budget=4000",
)


def load_sample():
    spec = importlib.util.spec_from_file_location("report_sample", REPORT / "sample.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sample = load_sample()


@pytest.fixture(name="template")
def fixture_template():
    return sample.TEMPLATE.read_text(encoding="utf-8")


@pytest.fixture(name="run")
def fixture_run(tmp_path):
    """Runs a page; gives the document as it stands afterwards and what the browser's console said."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        reason = f"no browser to run the page in: none of {', '.join(BROWSERS)} is installed"
        if os.environ.get("FLOWCAST_TEST_NO_SKIP"):
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


def test_the_placeholder_stands_once_in_the_template(template):
    assert template.count(sample.PLACEHOLDER) == 1
    assert f"const data = {sample.PLACEHOLDER};\n" in template


def test_the_page_refers_to_nothing_outside_itself(template):
    references = set(re.findall(r"(?:https?:)?//[a-z][\w.-]*\.[a-z]+[^\s\"']*", template))
    assert references == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script[^>]+src=|@import|url\((?!#)|innerHTML|outerHTML|insertAdjacentHTML", template)
    assert "default-src 'none'" in template


def test_the_sample_follows_its_own_numbers():
    report = sample.make_report()
    assert [len(link["forecast"]) for link in report["links"]] == [540, 540]
    assert report["summary"]["alerts_fired"] == sum(len(link["alerts"]) for link in report["links"]) > 0


def test_the_sample_is_drawn_without_a_word_on_the_console(template, run):
    document, console = run(sample.embed(template, sample.make_report()))
    assert console == []
    assert 'data-report="drawn"' in document
    assert document.count('class="band"') == 2
    assert "NaN" not in without_scripts(document)
    text = visible_text(document)
    assert "better than persistence" in text and "180,213" in text and "demo/uplink" in text


@pytest.mark.parametrize("options", [
    {"model": False}, {"links": 0}, {"target": "bytes"}, {"links": 20, "windows": 3600, "scored": 1200},
], ids=["no model", "no links", "bytes", "many links"])
def test_other_runs_are_drawn_too(template, run, options):
    document, console = run(sample.embed(template, sample.make_report(**options)))
    assert console == []
    assert 'data-report="drawn"' in document


def test_without_data_the_page_says_so(template, run):
    document, console = run(template)
    assert console == []
    assert "There is no data" in visible_text(document)


def test_what_is_unknown_is_a_dash(template, run):
    links = [{"link": "bare"}, {"link": "holes", "actual": [[1, None], [2, 5], [9, 7]], "forecast": [[2, 4, None, None]],
             "alerts": [{"fired": 2, "resolved": None}], "weights": {"ewma": None}}]
    document, console = run(sample.embed(template, {"links": links, "model": {}, "summary": None}))
    assert console == []
    text = visible_text(document)
    assert "Nothing was measured on this link." in text and "still firing" in text
    assert "NaN" not in text and "undefined" not in text and "null" not in text


def test_a_hostile_name_stays_text(template, run):
    name = "</script><img src=x onerror=console.error(1)><!--<script>"
    report = sample.make_report(links=1)
    report["title"] = report["links"][0]["link"] = report["links"][0]["alerts"][0]["summary"] = name
    report["links"][0]["weights"] = {name: 1.0}
    document, console = run(sample.embed(template, report))
    assert console == []
    assert "<img" not in re.sub(r"\"[^\"]*\"", "", without_scripts(document))
    assert name in visible_text(document)


def test_worse_than_persistence_is_said(template, run):
    report = sample.make_report(links=1)
    report["summary"] |= {"skill_percent": -3.21, "coverage_90": 0.81}
    text = visible_text(run(sample.embed(template, report))[0])
    assert "3.2% worse than persistence" in text and "9.0 points below what was promised" in text


@pytest.mark.parametrize("keys, shown", [
    ([{"key": "0"}], "10:00:00 – 10:31:00 UTC (31 min)"),
    ([{"key": "0"}, {"key": "+"}], "10:07:45 – 10:23:15 UTC (15 min 30 s)"),
    ([{"key": "0"}, {"key": "+"}, {"key": "ArrowRight"}], "10:10:51 – 10:26:21 UTC (15 min 30 s)"),
    ([{"key": "ArrowRight", "shiftKey": True}], "Predicted − actual"),
], ids=["all", "zoom", "pan", "read"])
def test_keys_move_the_view_and_read_the_values(template, run, keys, shown):
    # A browser that only dumps the document shows no frames, so that a frame asked for is run by a timer.
    press = """<script>
      window.requestAnimationFrame = (action) => setTimeout(action);
      setTimeout(() => {
        const plot = document.querySelector(".plot");
        for (const key of KEYS) plot.dispatchEvent(new KeyboardEvent("keydown", key));
      }, 500);
    </script></body>"""
    page = sample.embed(template, sample.make_report(links=1))
    document, console = run(page.replace("</body>", press.replace("KEYS", json.dumps(keys))))
    assert console == []
    assert shown in visible_text(document)


def test_a_page_cut_short_says_so_and_the_console_is_watched(template, run):
    document, console = run(template.replace(sample.PLACEHOLDER, '{"links": ['))
    assert any("SyntaxError" in line for line in console)
    assert "cannot be read" in visible_text(document)
