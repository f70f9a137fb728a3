"""The tables of the documentation say what the benchmarks measured."""

import importlib
import json
import re
import statistics
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *DOCS.glob("[!_]*/*.md")])
FIGURES = sorted((DOCS / "figures").glob("*.json"))
MACHINE = {"processor": "a processor", "cores": "2", "system": "Linux x86_64", "python": "3.11"}
MACHINE |= {"numpy": "2.4.6", "darts": "not installed"}


@pytest.fixture(scope="module")
def tables():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        importlib.import_module("tables.pages")
        yield sys.modules["tables"]
    for name in [name for name in sys.modules if name.partition(".")[0] == "tables"]:
        del sys.modules[name]


@pytest.fixture
def measured(tables):
    """Return the function for what a script measured, from (what, unit, figures)."""

    def make(*results, name="script", **more):
        found = [dict(zip(("what", "unit", "figures"), result, strict=True)) for result in results]
        for result in found:
            ours = result["figures"].get("skl_lstm")
            if ours:
                result["ratios"] = {
                    side: statistics.median(runs) / statistics.median(ours)
                    for side, runs in result["figures"].items()
                    if runs and side != "skl_lstm"
                }
            result |= more
        return tables.measured.Measured(name, MACHINE, found)

    return make


@pytest.fixture
def figures_of(tables):
    """Return the function that reads a file of the documentation."""

    def find(name):
        return tables.measured.read(DOCS / "figures" / f"{name}.json", tables.pages.command(name))

    return find


def cells(text):
    """Return the rows of a Markdown table, without its head."""
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    _, line, *rows = [row.strip("|\n").split("|") for row in text.splitlines()]
    assert {cell.strip() for cell in line} == {"---"}
    return [[cell.strip() for cell in row] for row in rows]


def test_a_row_has_our_median_and_those_of_the_others_as_multiples(tables, measured):
    figures = {"Keras": [30.0, 37.5, 90.0], "skl_lstm": [0.020, 0.024, 0.9], "PyTorch": None}
    text = tables.speed.compared(measured(("a fit", "s", figures), name="fit_airline"))
    assert cells(text) == [
        ["a fit<br>`fit_airline.py`", "24 ms", "Keras 1,562x (38 s)<br>PyTorch not installed"]
    ]


def test_figures_that_are_not_related_have_no_multiple(tables, measured):
    script = measured(("memory", "MB", {"skl_lstm": [0.2], "Keras": [19.0]}))
    del script.results[0]["ratios"]
    assert cells(tables.speed.compared(script))[0][1:] == ["0.20 MB", "Keras 19 MB"]


def test_a_whole_pipeline_has_a_row_of_its_own(tables, measured):
    figures = {"skl_lstm": [0.2], "PyTorch": [0.3], "ONNX Runtime, whole pipeline": [0.1]}
    figures["skl_lstm, whole pipeline"] = [2.0]
    rows = cells(tables.speed.compared(measured(("predict", "s", figures))))
    assert [row[1:] for row in rows] == [
        ["0.20 s", "PyTorch 1.5x (0.30 s)"],
        ["2.0 s", "ONNX Runtime 0.050x (0.10 s)"],
    ]
    assert rows[1][0].startswith("predict, whole pipeline")


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (0.00002, "s", "20 µs"),
        (0.00021, "s", "0.21 ms"),
        (0.0066, "s", "6.6 ms"),
        (0.65, "s", "0.65 s"),
        (7.54, "s", "7.5 s"),
        (1281.7, "MB", "1,282 MB"),
        (0.0, "MB", "0 MB"),
        (69.6, "%", "70 %"),
        (0.0264, "x", "0.026x"),
        (0.996, "x", "1.0x"),
    ],
)
def test_a_quantity_has_two_digits_and_a_unit_that_fits(tables, value, unit, written):
    assert tables.measured.quantity(value, unit).replace("\N{NO-BREAK SPACE}", " ") == written


def test_epochs_are_multiples_of_ours_and_have_shares_of_sgemm(tables, measured):
    times = {"Keras": [8.0], "PyTorch": None, "skl_lstm": [2.0], "skl_lstm, last": [3.0]}
    shares = {"PyTorch": None, "skl_lstm": [70.0]}
    size = "(64, 48, 1, 64, 10000)"
    script = measured(
        (f"one epoch at {size}", "s", times),
        (f"share of sgemm's speed at {size}", "%", shares),
    )
    assert cells(tables.speed.epochs(script)) == [[size, "2.0 s", "4.0x", "not installed", "1.5x"]]
    assert cells(tables.speed.shares(script)) == [[size, "70 %", "not installed"]]


def accuracy(measured, errors):
    return measured(
        *(
            (f"{series}, {horizon}", "MASE", by_method)
            for horizon in ("one step", "many steps")
            for series, by_method in errors.items()
        )
    )


ERRORS = {
    "airline": {"naive": [1.0], "seasonal naive": [2.0], "skl_lstm, recipe": [0.3, 0.4, 0.8]},
    "nile": {"naive": [4.0], "seasonal naive": [0.5], "skl_lstm, recipe": [1.0, 1.0, 1.0]},
    "m4_weekly W1": {"naive": [3.0], "seasonal naive": [9.0], "skl_lstm, recipe": [5.0]},
}


def test_each_series_has_its_smallest_mean_error_in_bold(tables, measured):
    rows = cells(tables.accuracy.accuracy_of("one step")(accuracy(measured, ERRORS)))
    assert rows[0] == ["airline", "1.000", "2.000", "**0.500**"]
    assert rows[1] == ["nile", "4.000", "**0.500**", "1.000"]
    assert rows[2] == ["m4_weekly W1", "**3.000**", "9.000", "5.000"]
    assert rows[3] == ["geometric mean", *(f"{x ** (1 / 3):.3f}" for x in (12.0, 9.0, 2.5))]


def test_the_summary_tells_series_of_the_choice_from_others(tables, measured):
    text = tables.accuracy.accuracy_summary(accuracy(measured, ERRORS))
    assert text.startswith(
        "|  | 2 series, one step | 2 series, many steps | 1 other series, one step |"
    )
    naive, seasonal, recipe = cells(text)
    assert naive == ["naive", "2.000", "2.000", "**3.000**", "**3.000**"]
    assert seasonal == ["seasonal naive", "1.000", "1.000", "9.000", "9.000"]
    assert recipe == ["skl_lstm, recipe", "**0.707**", "**0.707**", "5.000", "5.000"]


def test_wins_are_counted_against_a_naive_forecast(tables, measured):
    script = accuracy(measured, ERRORS)
    assert tables.accuracy.wins("one step", "naive", False)(script) == "2 of 2"
    assert tables.accuracy.wins("one step", "seasonal naive", False)(script) == "1 of 2"
    assert tables.accuracy.wins("many steps", "naive", True)(script) == "0 of 1"


def test_the_picture_is_drawn(tables, measured, tmp_path):
    pytest.importorskip("matplotlib")
    assert "../_generated/accuracy.png" in tables.accuracy.picture(
        accuracy(measured, ERRORS), tmp_path
    )
    assert (tmp_path / "accuracy.png").read_bytes().startswith(b"\x89PNG")


def test_an_activation_has_its_errors_by_series_and_scaling(tables, measured):
    script = measured(
        (
            "co2, monthly, MinMaxScaler: error",
            "of naive",
            {"tanh": [2.0, 1.0, 4.0], "relu": [1.0]},
        ),
        ("co2, monthly, MinMaxScaler: training", "s", {"tanh": [9.0], "relu": [9.0]}),
    )
    written = tables.accuracy.activations(script)
    assert written.startswith("|  | MinMaxScaler: tanh | MinMaxScaler: relu |")
    assert cells(written) == [["co2, monthly", "2.00 (1.00 to 4.00)", "1.00"]]


def test_an_error_of_etth1_is_a_median_and_the_smallest_is_bold(tables, measured):
    of_24 = {"naive": [0.034], "skl_lstm, last": [0.02, 0.03, 0.9]}
    script = measured(
        ("24 hours, all at once", "MSE", of_24),
        ("24 hours, all at once", "MAE", {"naive": [0.1], "skl_lstm, last": [0.2]}),
        ("24 hours: training with all scalings", "s", {"skl_lstm": [9.0]}),
    )
    assert cells(tables.accuracy.etth1(script)) == [
        ["naive", "0.0340", "**0.1000**"],
        ["skl_lstm, last", "**0.0300**", "0.2000"],
    ]


def test_memory_is_told_with_the_size_of_a_matrix_and_the_time(tables, measured):
    script = measured(
        ("fit 9 rows: memory (a matrix: 1,282 MB)", "MB", {"skl_lstm": [27.2]}),
        ("fit 9 rows: memory relative to the series", "x", {"skl_lstm": [7.1]}),
        ("fit 9 rows: time", "s", {"skl_lstm": [0.02]}),
        ("fit a file: anonymous memory", "MB", {"skl_lstm": [52.0]}),
        ("fit a file: anonymous memory relative to the file", "x", {"skl_lstm": [0.026]}),
        ("fit a file: time", "s", {"skl_lstm": [3.0]}),
    )
    assert cells(tables.speed.memory(script)) == [
        ["fit 9 rows", "27 MB", "7.1x", "20 ms", "1,282 MB"],
        ["fit a file", "52 MB", "0.026x", "3.0 s", ""],
    ]


def test_a_backtest_has_times_as_multiples_and_errors_with_their_range(tables, measured):
    errors = {"naive": [1.14], "skl_lstm": [1.0, 1.07, 1.11], "darts": None}
    script = measured(
        *(
            (f"hour by hour: {what}", "s", {"skl_lstm": [0.5], "darts": None})
            for what in ("in all", "fit", "forecasts")
        ),
        ("hour by hour: error", "MAE", errors),
    )
    assert cells(tables.speed.backtests(script)) == [
        ["hour by hour", "naive", "", "", "", "1.14"],
        ["", "skl_lstm", "0.50 s", "0.50 s", "0.50 s", "1.07 (1.00 to 1.11)"],
        ["", "darts", *["not installed"] * 4],
    ]


def test_a_panel_has_a_row_for_each_side_installed_or_not(tables, measured):
    figures = {"skl_lstm": [8.0], "neuralforecast": [22.0]}
    units = {"fit": "s", "predict": "s", "peak": "MB", "growth": "MB", "error": "RMSE"}
    many = {"table": "MB", "growth": "MB", "fit": "s", "predict": "s", "partition": "s"}
    script = measured(
        *((f"1,000 series: {what}", unit, figures) for what, unit in units.items()),
        *((f"10,000 series: {what}", unit, {"skl_lstm": [0.16]}) for what, unit in many.items()),
    )
    ours, theirs, missing = cells(tables.many_series.panels(script))
    assert ours[:4] == ["skl_lstm", "8.0 s", "8.0 s", "8.0 MB"]
    assert theirs[:2] == ["neuralforecast", "2.8x (22 s)"]
    assert missing == ["darts", *["not installed"] * 5]
    *_, partition = cells(tables.many_series.large_panel(script))
    assert partition[1:] == ["0.16 s"]


def test_coverage_is_told_by_side_and_series(tables, measured):
    shares = {"skl_lstm": [98.6], "adaptive": [93.0]}
    script = measured(
        *(
            (f"{series}: nominal coverage {level}%", "%", shares)
            for level in (90, 80)
            for series in ("airline", "nile", "mean")
        )
    )
    text = tables.accuracy.coverage(script)
    assert text.startswith("| nominal |  | airline | nile | mean |")
    assert cells(text) == [
        ["90 %", "skl_lstm", "99", "99", "99"],
        ["", "adaptive", "93", "93", "93"],
        ["80 %", "skl_lstm", "99", "99", "99"],
        ["", "adaptive", "93", "93", "93"],
    ]


def test_series_near_both_nominal_coverages_are_counted(tables, measured):
    shares = {
        "airline": (91.0, 75.0),
        "nile": (84.9, 80.0),
        "gdp": (90.0, 86.0),
        "mean": (0.0, 0.0),
    }
    script = measured(
        *(
            (f"{series}: nominal coverage {level}%", "%", {"adaptive": [share]})
            for series, of_series in shares.items()
            for level, share in zip((90, 80), of_series, strict=True)
        )
    )
    assert tables.accuracy.within_five_points("adaptive")(script) == "1 of 3"


def test_searches_are_told_by_candidate_and_by_pick(tables, measured):
    errors = {"12 months, last": [19.0, 20.0], "3 months, last": [70.0, 80.0]}
    scores = [("folds, one month", "MAE", errors), ("folds, 12 months", "MAE", errors)]
    held_out = [
        result
        for way in ("fitted once", "fitted each month")
        for result in (
            (f"held out, 12 months, {way}", "MAE", errors),
            (
                f"held out, 12 months, {way}: what all seeds pick",
                "MAE",
                {"by one month: 12 months, last": [19.0, 20.0]},
            ),
            (
                f"held out, 12 months, {way}: mean errors of what each seed picks",
                "MAE",
                {"by one month": [19.5, 75.0]},
            ),
            (
                f"held out, 12 months, {way}: pairs of candidates of which the better one",
                "%",
                {"by one month": [100.0]},
            ),
        )
    ]
    script = measured(*scores, *held_out)
    assert cells(tables.accuracy.search_ahead(script)) == [
        ["12 months, last", *["**19.5**"] * 4],
        ["3 months, last", *["75.0"] * 4],
    ]
    told = ["by one month", "12 months, last", "19.50 ± 0.71", "47.2", "100 %"]
    assert cells(tables.accuracy.picks(script)) == [
        ["fitted once", *told],
        ["fitted each month", *told],
    ]


def test_several_seeds_of_m4_are_told_by_their_range_which_is_never_bold(tables, measured):
    owa = {
        "ridge": [0.8],
        "mlforecast, LightGBM": None,
        "skl_lstm": [0.71, 0.69],
        "skl_lstm, mean of 2": [0.7],
    }
    rows = cells(tables.many_series.m4(measured(("weekly, test: OWA", "OWA", owa))))
    assert rows == [
        ["ridge", "0.800"],
        ["mlforecast, LightGBM", "not installed"],
        ["skl_lstm", "0.690 to 0.710"],
        ["skl_lstm, mean of 2", "**0.700**"],
    ]


def test_a_mean_has_as_many_digits_as_its_spread(tables):
    assert tables.measured.with_spread([47.1, 48.3, 49.0]).split() == ["48.13", "±", "0.96"]
    assert tables.measured.with_spread([40.0, 190.0]).split() == ["115", "±", "106"]
    assert tables.measured.with_spread([9.0, 9.0]) == "9"
    assert tables.measured.with_spread(None) == "not installed"


def test_experiments_stand_beside_the_published_figures(tables, measured):
    figures = {"plain Keras": [1.0, 3.0], "skl_lstm": [2.0, 2.0]}
    script = measured(
        ("1 airline: RMSE test", "", figures),
        ("1 airline: seconds in total", "s", {"skl_lstm": [0.1, 0.2], "skl_lstm, no leaks": [1]}),
        published=47.53,
        apart=0.5,
    )
    assert cells(tables.experiments.experiments(script)) == [
        ["1 airline", "RMSE test", "47.53", "2.0 ± 1.4", "2", "0.50"]
    ]
    assert tables.experiments.seconds_of("skl_lstm")(script) == "0.30\N{NO-BREAK SPACE}s"
    assert tables.experiments.within_one_deviation(script) == "2 of 2"


def test_machine_versions_and_commands_are_told(tables, measured):
    text = tables.pages.how_made([measured(name="etth1"), measured(name="quantiles")])
    assert "Measured on a processor, 2 cores, Linux x86_64; python 3.11, numpy 2.4.6: " in text
    assert "`etth1.py`, `quantiles.py`." in text
    assert "darts" not in text
    assert "python benchmarks/etth1.py --data FOLDER --json docs/figures/etth1.json" in text


def test_a_missing_file_is_told_with_the_command_that_makes_it(tables, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"python benchmarks/panel\.py --json docs/fig"):
        tables.measured.read(tmp_path / "panel.json", tables.pages.command("panel"))


def test_quick_figures_are_refused(tables, tmp_path):
    found = {"quick": True, "machine": MACHINE, "results": []}
    (tmp_path / "panel.json").write_text(json.dumps(found))
    with pytest.raises(ValueError, match="quick run"):
        tables.measured.read(tmp_path / "panel.json", tables.pages.command("panel"))


def test_pages_include_all_tables_and_name_all_figures(tables):
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    included = set(re.findall(r"\{include\} \.\./_generated/(\w+)\.md", text))
    made = {f"made_{page}" for page in tables.pages.PAGES}
    assert included == {*tables.pages.TABLES, *made, "accuracy_picture"}
    assert set(re.findall(r"\{\{ (\w+) \}\}", text)) == set(tables.pages.FACTS)


def test_the_figures_are_those_of_the_scripts(tables):
    scripts = {path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py")}
    assert set(tables.pages.ARGUMENTS) == scripts
    assert {path.stem for path in FIGURES} == scripts


def test_the_readme_of_the_benchmarks_makes_all_figures(tables):
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    made = {
        name: "--data FOLDER" if "--data FOLDER" in body else ""
        for names, body in re.findall(r"for name in (.*?); do\n(.*?)\ndone", text, re.DOTALL)
        for name in names.replace("\\", "").split()
    }
    assert made == tables.pages.ARGUMENTS


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_every_figure_of_the_documentation_is_told(tables, path):
    script = tables.measured.read(path, tables.pages.command(path.stem))
    for scripts, make in tables.pages.TABLES.values():
        if script.name in scripts:
            assert len(cells(make(script))) > 0
    for name, make in tables.pages.FACTS.values():
        if name == script.name:
            assert make(script) not in ("", "not installed")


# What the pages say in words.


def test_the_import_is_most_of_the_first_fit_of_a_process(figures_of):
    script = figures_of("cold_start")
    first, imported = (
        statistics.median(script.sides(what)["skl_lstm"])
        for what in ("first fit of a process", "import skl_lstm")
    )
    assert first / 2 < imported < first


def test_the_recipe_is_better_than_naive_forecasts_on_most_series(tables, figures_of):
    script = figures_of("accuracy")
    for horizon, baseline in (("one step", "naive"), ("many steps", "seasonal naive")):
        errors = tables.accuracy.errors_by_series(script, horizon).values()
        better = [each[tables.accuracy.RECIPE] < each[baseline] for each in errors]
        assert np.mean(better) > 0.6


def test_the_recipe_is_among_the_best_where_it_was_chosen_and_not_elsewhere(tables, figures_of):
    for horizon in ("one step", "many steps"):
        seen, others = (
            tables.accuracy.geometric_means(
                tables.accuracy.errors_by_series(figures_of("accuracy"), horizon, unseen)
            )
            for unseen in (False, True)
        )
        recipe = seen[tables.accuracy.RECIPE]
        assert recipe == pytest.approx(seen["ETS"], rel=0.03)
        assert recipe < min(seen[name] for name in ("Theta", "gradient boosting", "ridge"))
        assert recipe < seen["neuralforecast LSTM"]
        assert others["ridge"] < others[tables.accuracy.RECIPE]
    assert others["neuralforecast LSTM"] < others[tables.accuracy.RECIPE]  # many steps ahead


def test_a_linear_model_or_standard_is_better_many_hours_ahead(tables, figures_of):
    errors = tables.accuracy.errors_by_series(figures_of("accuracy"), "many steps")
    hourly = {name: each for name, each in errors.items() if name.startswith("m4_hourly")}
    means = tables.accuracy.geometric_means(hourly)
    assert max(means["ridge"], means["skl_lstm, standard"]) < means[tables.accuracy.RECIPE]


@pytest.mark.parametrize(
    ("scaling", "series"),
    [("window_scaling='last'", "unemp"), ("MinMaxScaler", "co2, monthly")],
)
def test_relu_is_clearly_better_on_one_series_only(figures_of, scaling, series):
    better = []
    for result in figures_of("activations").results:
        name, _, measured_with = result["what"].rpartition(", ")
        if measured_with == f"{scaling}: error":
            tanh, relu = (statistics.median(result["figures"][side]) for side in ("tanh", "relu"))
            better += [name] * (relu < 0.97 * tanh)
    assert better == [series]


@pytest.mark.parametrize("hours", [24, 96, 720])
def test_without_normalization_etth1_is_by_far_the_worst(figures_of, hours):
    errors = figures_of("etth1").sides(f"{hours} hours, all at once")
    medians = {side: statistics.median(runs) for side, runs in errors.items()}
    worst = medians.pop("skl_lstm, None")
    assert worst > 2 * max(medians.values())


def test_one_network_of_quantiles_trains_faster_and_is_not_calibrated(figures_of):
    script = figures_of("quantiles")
    times = script.sides("training")
    inside = script.sides("between the quantiles")
    for units in (16, 48):
        one, three = (
            statistics.median(times[f"{side}, {units} units"])
            for side in ("one network", "three networks")
        )
        assert one < three
        assert statistics.median(inside[f"one network, {units} units"]) < 80


@pytest.mark.parametrize("part", ["weekly", "hourly"])
def test_boosting_of_all_series_is_within_the_spread_of_the_seeds(figures_of, part):
    owa = figures_of("m4").sides(f"{part}, test: OWA")
    (boosting,) = owa["gradient boosting"]
    assert min(owa["skl_lstm"]) <= boosting <= max(owa["skl_lstm"])


def test_means_of_either_engine_are_alike(figures_of):
    for result in figures_of("published_experiments").results:
        native, keras = (result["figures"].get(side) for side in ("skl_lstm", "skl_lstm (Keras)"))
        if keras is not None and not result["what"].endswith("seconds in total"):
            assert np.mean(native) == pytest.approx(np.mean(keras), rel=2e-3, abs=1e-12)


def test_the_tables_of_accuracy_are_the_means_of_its_runs(tables, figures_of):
    script = figures_of("accuracy")
    by_what = {result["what"]: result["figures"] for result in script.results}
    for horizon in ("one step", "many steps"):
        text = tables.accuracy.accuracy_of(horizon)(script)
        methods = [name.strip() for name in text.splitlines()[0].strip("|").split("|")][1:]
        *rows, means = cells(text)
        for series, *told in rows:
            runs = by_what[f"{series}, {horizon}"]
            expected = [f"{np.mean(runs[method]):.3f}" for method in methods]
            assert [cell.strip("*") for cell in told] == expected
        of_all = by_what[f"{horizon}: geometric mean over {len(rows)} series"]
        assert means[1:] == [f"{of_all[method][0]:.3f}" for method in methods]
