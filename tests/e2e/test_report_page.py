"""The page that the demo leaves behind, filled with sample data and run in a browser."""

import json
import re

import pytest
from pages import PLACEHOLDER, TOOLS, fixture_run, load, visible_text, without_scripts  # noqa: F401

sample = load(TOOLS / "flowcast" / "report" / "sample.py")


@pytest.fixture(name="template")
def fixture_template():
    return sample.template(sample.TEMPLATE)


def test_the_placeholder_stands_once_in_the_template(template):
    assert template.count(PLACEHOLDER) == 1
    assert f"const data = {PLACEHOLDER};\n" in template


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
    document, console = run(template.replace(PLACEHOLDER, '{"links": ['))
    assert any("SyntaxError" in line for line in console)
    assert "cannot be read" in visible_text(document)
