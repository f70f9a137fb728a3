"""What the README says runs, as it stands there, and its links lead somewhere."""

import json
import os
import re
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
def test_the_python_blocks_run_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks("python"):
        exec(compile(block, str(README), "exec"), names)
    assert os.listdir(tmp_path) == ["model.joblib"]
    assert names["year"].index[-1].strftime("%Y-%m") == "1961-12"
    assert names["year"].max() > names["series"].max()  # it follows the growth
    assert names["interval"]["forecast"].equals(names["year"])
    assert names["past"].compare().loc["model", "ratio"] < 0.7


def test_the_commands_are_those_that_run():  # the demonstration does in its own tests
    demonstration, tests = blocks("console")
    assert demonstration == 'pip install ".[plot]" && python -m skl_lstm\n'
    assert tests.endswith("python -m pytest -n 2\n")


def test_every_extra_for_users_stands_in_the_table():
    text = README.read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (extras,) = re.findall(r"^all = \[\"skl-lstm\[(.*)\]\"\]$", project, re.MULTILINE)
    for extra in ("all", *extras.split(",")):
        assert f"`{extra}`" in text


def measured(script, what):
    """Return the median time of this package, and the multiples of it that the others take."""
    results = json.loads((ROOT / f"docs/figures/{script}.json").read_text(encoding="utf-8"))
    (result,) = (each for each in results["results"] if each["what"].startswith(what))
    return statistics.median(result["figures"]["skl_lstm"]), result["ratios"]


def test_the_figures_are_those_of_the_benchmarks():
    text = README.read_text(encoding="utf-8")
    time, ratios = measured("fit_airline", "fit of 92 rows")
    keras, torch = round(ratios["Keras"], -2), round(ratios["PyTorch"], -1)
    compared = f"Keras {keras:,.0f} times as long, PyTorch {torch:,.0f} times"
    assert f"| {1e3 * time:.0f} ms | {compared} |" in text
    time, ratios = measured("epoch_sizes", "one epoch at (64, 48, 1, 64, 10000)")
    compared = f"Keras {ratios['Keras']:.1f} times as long, PyTorch {ratios['PyTorch']:.1f} times"
    assert f"| {time:.2f} s | {compared} |" in text


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda page: page.name)
def test_the_links_of_a_page_lead_to_files(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []
