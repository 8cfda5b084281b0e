"""The page of a back-test, filled with a made run and run in a browser."""

import math
import re

import pytest
from pages import PLACEHOLDER, TOOLS, fixture_run, load, visible_text, without_scripts  # noqa: F401

assemble = load(TOOLS / "page" / "assemble.py")
TEMPLATE = TOOLS / "flowcast_lab" / "report" / "backtest.html"
NAMES = ("persistence", "ewma", "lstm")


@pytest.fixture(name="template")
def fixture_template():
    return assemble.template(TEMPLATE)


def make_run(horizons=(1, 6), steps=400, first=280):
    actual = [100 + 40 * math.sin(i / 9) + (i * 7919 % 13) for i in range(steps)]
    return {
        "series": "load.csv:total", "target": "bytes", "flowcast_version": "0.1.0", "window_seconds": 5, "steps": steps,
        "first_scored": first, "season": 24, "length": 30, "normalization": "robust", "models": ["xgboost", "lstm"], "notes": [],
        "interval": {"low": 0.05, "high": 0.95}, "fit_seconds": 2.5, "forecast_seconds": 0.1, "actual": actual,
        "horizons": [make_horizon(actual, first, horizon) for horizon in horizons],
    }


def make_horizon(actual, first, horizon):
    steps = range(first, len(actual))
    said = {name: [actual[i - horizon] + number for i in steps] for number, name in enumerate(NAMES)}
    median = [0.5 * (actual[i] + actual[i - horizon]) for i in steps]
    mae = sum(abs(actual[i] - actual[i - horizon]) for i in steps) / len(steps)
    experts = [{"name": name, "mae": mae * (1 + 0.1 * n), "rmse": mae, "skill": -0.1 * n} for n, name in enumerate(NAMES)]
    experts.append({"name": "flowcast", "mae": mae / 2, "rmse": mae / 2, "skill": 0.5})
    return {"horizon": horizon, "scored": len(steps), "experts": experts, "mase": 0.7, "smape": 0.1, "r2": None, "pinball": 3.2,
            "coverage_90": 0.905, "median": median, "low": [x - 20 for x in median], "high": [x + 20 for x in median], "said": said}


def acting(page, script):
    """The page with something done to it once it stands; frames that a dumping browser never shows are run by a timer."""
    first = "<script>window.requestAnimationFrame = (action) => setTimeout(action);</script></head>"
    return page.replace("</head>", first).replace("</body>", f"<script>setTimeout(() => {{ {script} }}, 500);</script></body>")


def test_the_page_refers_to_nothing_outside_itself(template):
    assert template.count(PLACEHOLDER) == 1
    references = set(re.findall(r"(?:https?:)?//[a-z][\w.-]*\.[a-z]+[^\s\"']*", template))
    assert references == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script[^>]+src=|@import|url\((?!#)|innerHTML|outerHTML|insertAdjacentHTML|INCLUDE", template)
    assert "default-src 'none'" in template


def test_a_run_is_drawn_without_a_word_on_the_console(template, run):
    document, console = run(assemble.embed(template, make_run()))
    assert console == []
    assert 'data-report="drawn"' in document
    drawn = without_scripts(document)
    assert "NaN" not in drawn and "undefined" not in drawn
    for curve in ("band", "actual", "median", "residual", "rolling naive", "rolling"):
        assert re.search(rf'class="{curve}" d="M', drawn), curve
    text = visible_text(document)
    assert "50.0% better than persistence" in text and "120 steps scored" in text and "1 step ahead (5 s)" in text


def test_another_horizon_and_an_expert_beside_it_can_be_chosen(template, run):
    script = """
      document.querySelector('[aria-label="Horizon"]').lastChild.click();
      const select = document.querySelector("select");
      select.value = "lstm";
      select.dispatchEvent(new Event("change"));"""
    document, console = run(acting(assemble.embed(template, make_run()), script))
    assert console == []
    drawn = without_scripts(document)
    assert "Actual and predicted, 6 steps ahead (30 s)" in visible_text(document)
    assert re.search(r'aria-pressed="true">6<', drawn)
    assert re.search(r'class="other" d="M', drawn) and re.search(r'class="rolling second" d="M', drawn)


def test_the_panels_show_the_steps_that_the_chart_shows(template, run):
    script = """
      const path = () => document.querySelector(".residual").getAttribute("d").length;
      const before = path();
      document.querySelector('[title="Zoom in"]').click();
      setTimeout(() => document.title = path() < before ? "fewer" : "the same", 300);"""
    document, console = run(acting(assemble.embed(template, make_run(steps=1000)), script))
    assert console == []
    assert "<title>fewer</title>" in document


def test_scores_and_forecasts_are_saved_as_csv(template, run):
    script = """
      window.URL.createObjectURL = (blob) => { blob.text().then((text) => document.querySelector("main").append(text)); return "#"; };
      for (const name of ["Scores as CSV", "Forecasts as CSV"])
        [...document.querySelectorAll("button")].find((button) => button.textContent === name).click();"""
    made = make_run(horizons=(6,), steps=300)
    document, console = run(acting(assemble.embed(template, made), script))
    assert console == []
    text = visible_text(document)
    assert "horizon,expert,mae,rmse,skill_mae" in text and re.search(r"6,flowcast,[\d.]+,[\d.]+,0\.5", text)
    assert "step,actual,flowcast,q5,q95,persistence,ewma,lstm" in text
    assert len(re.findall(r"^(?:28\d|29\d),[\d.]+,[\d.]+,[\d.-]+,[\d.]+,[\d.]+,[\d.]+,[\d.]+$", text, re.MULTILINE)) == 20


def test_alerts_and_importance_are_shown_where_they_were_asked_for(template, run):
    made = make_run(horizons=(1,))
    score = {"precision": 0.5, "recall": None, "lead_s": 10, "announced": 4, "above": 2, "episodes": 2, "episodes_found": 1}
    made["horizons"][0]["alerts"] = {"threshold": 120, "flowcast": score, "reactive": score}
    made["horizons"][0]["ablation"] = [{"feature": "burstiness", "rise": {"lstm": 0.2, "flowcast": 0.031}}]
    document, console = run(assemble.embed(template, made))
    assert console == []
    text = visible_text(document)
    assert "1 of 2" in text and "burstiness" in text and "+3.1%" in text


def test_what_is_unknown_is_a_dash(template, run):
    bare = {"horizons": [{"horizon": 1, "experts": [], "median": [None], "low": [], "high": []}], "actual": [None], "steps": 1}
    document, console = run(assemble.embed(template, bare))
    assert console == []
    text = visible_text(document)
    assert "NaN" not in text and "undefined" not in text and "null" not in text


def test_a_hostile_name_stays_text(template, run):
    name = "</script><img src=x onerror=console.error(1)><!--<script>"
    made = make_run(horizons=(1,)) | {"series": name, "target": name, "notes": [name]}
    made["horizons"][0]["experts"][0]["name"] = name
    document, console = run(assemble.embed(template, made))
    assert console == []
    assert "<img" not in re.sub(r"\"[^\"]*\"", "", without_scripts(document))
    assert name in visible_text(document)


@pytest.mark.parametrize("data, said", [(None, "There is no data"), ('{"series": ', "cannot be read")], ids=["none", "cut short"])
def test_without_data_the_page_says_so(template, run, data, said):
    page = template if data is None else template.replace(PLACEHOLDER, data)
    assert said in visible_text(run(page)[0])
