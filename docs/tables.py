"""The tables of docs/benchmarks/ and the figures in its text, from the JSON of the benchmarks.

``docs/figures/NAME.json`` is what ``benchmarks/NAME.py --json`` wrote. `write` makes Markdown
tables of it in ``docs/_generated``, which the pages include, and returns the figures that their
text names, which they take as substitutions. So a page says what the JSON says, also when it is
made anew.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from accuracy_picture import draw_accuracy
from measured import (
    MISSING,
    SPACE,
    Measured,
    median,
    quantity,
    read,
    short,
    smallest_bold,
    table,
    table_of_columns,
    with_range,
    with_spread,
)

FIGURES = Path(__file__).parent / "figures"
GENERATED = Path(__file__).parent / "_generated"
OURS = "skl_lstm"

# The scripts of each page, with the arguments that its figures are made with.
PAGES = {
    "performance": {
        "fit_airline": "",
        "grid_search": "",
        "distributed_search": "",
        "epoch_sizes": "",
        "predict_latency": "",
        "forecast_steps": "",
        "cold_start": "",
        "window_memory": "",
        "many_fits": "",
        "model_file": "",
        "backtest": "--data FOLDER",
    },
    "accuracy": {
        "accuracy": "--data FOLDER",
        "activations": "--data FOLDER",
        "etth1": "--data FOLDER",
        "interval_coverage": "",
        "quantiles": "",
        "search_ahead": "",
    },
    "many_series": {"m4": "--data FOLDER", "panel": ""},
    "experiments": {"published_experiments": ""},
}
ARGUMENTS = {name: given for scripts in PAGES.values() for name, given in scripts.items()}

# Scripts whose figures are still to be made; those of all others must be there.
AWAITED = {
    "activations",
    "accuracy",
    "etth1",
    "interval_coverage",
    "search_ahead",
    "m4",
    "published_experiments",
}
LATER = "to be measured"

# What earlier runs found of these, which kept no JSON; their tables are in figures/earlier.
EARLIER = {
    "recipe_wins_one_step": "28 of 31",
    "recipe_wins_one_step_unseen": "9 of 11",
    "recipe_wins_many_steps": "24 of 31",
    "recipe_wins_many_steps_unseen": "6 of 11",
    "etth1_training_24": "9 s",
    "etth1_training_720": "33 s",
    "default_near": "3 of 8",
    "symmetric_near": "2 of 8",
    "adaptive_near": "6 of 8",
    "experiments_within": "all",
    "experiments_seconds": "0.9 s",
    "experiments_seconds_keras": "minutes",
}


def command(name: str) -> str:
    """Return the command that makes the figures of a script."""
    words = ("python", f"benchmarks/{name}.py", ARGUMENTS[name])
    return " ".join(filter(None, (*words, f"--json docs/figures/{name}.json")))


# Speed and memory.


def compared(*scripts: Measured) -> str:
    """Return a row for each result: the median of skl_lstm, and those of the others."""
    rows = []
    for script in scripts:
        for result in script.results:
            ours = result["figures"].get(OURS)
            told = median(ours, result["unit"]) if ours else ""
            others = [f"{s} {_beside(result, s)}" for s in result["figures"] if s != OURS]
            rows.append([f"{result['what']}<br>`{script.name}.py`", told, "<br>".join(others)])
    return table(("measurement", OURS, "compared with"), rows)


def _beside(result: dict[str, Any], side: str) -> str:
    """Return the multiple of skl_lstm's figure, if they are related, and the figure."""
    own = median(result["figures"].get(side), result["unit"])
    ratio = result.get("ratios", {}).get(side)
    return own if ratio is None else f"{short(ratio)}x{SPACE}({own})"


def epochs(script: Measured) -> str:
    """Return the times of an epoch by size."""
    sides = list(script.sides("one epoch"))
    sides.sort(key=lambda side: side != OURS)  # ours is first
    rows = [
        [size, *(_multiple(result, side) for side in sides)]
        for size, result in _by_size(script, "one epoch").items()
    ]
    return table(("size", *(side.removeprefix(f"{OURS}, ") for side in sides)), rows)


def shares(script: Measured) -> str:
    """Return the shares of sgemm's speed by size."""
    sides = (OURS, "PyTorch")
    rows = [
        [size, *(median(result["figures"][side], "%") for side in sides)]
        for size, result in _by_size(script, "share of sgemm's speed").items()
    ]
    return table(("share of sgemm's speed at", *sides), rows)


def _by_size(script: Measured, chosen: str) -> dict[str, dict[str, Any]]:
    found = {}
    for result in script.results:
        what, _, size = result["what"].partition(" at ")
        if what == chosen:
            found[size.replace(" ", SPACE)] = result
    return found


def _multiple(result: dict[str, Any], side: str) -> str:
    """Return the multiple of skl_lstm's figure, or its own figure."""
    if side != OURS and result["figures"].get(side):
        return quantity(result["ratios"][side], "x")
    return median(result["figures"].get(side), result["unit"])


def memory(script: Measured) -> str:
    """Return the memory of windows: absolute, relative to the series, and the time."""
    rows = []
    for what, measures in script.grouped().items():
        cells = [median(each["figures"][OURS], each["unit"]) for each in measures.values()]
        _, _, matrix = next(iter(measures)).partition("(a matrix: ")
        rows.append([what, *cells, matrix.removesuffix(")")])
    relative = "relative to the series or file"
    return table(("", "memory", relative, "time", "all windows as a matrix"), rows)


def backtests(script: Measured) -> str:
    """Return the times of backtests beside those of skl_lstm, and their errors."""
    rows = []
    for what, measures in script.grouped().items():
        *times, errors = measures.values()
        for side, runs in errors["figures"].items():
            cells = [_beside(each, side) if side in each["figures"] else "" for each in times]
            rows.append([what, side, *cells, with_range(runs)])
            what = ""
    return table(("", "side", "in all", "fit", "forecasts", "mean absolute error"), rows)


def panels(script: Measured) -> str:
    """Return the times and memory of one network for many series, by side."""
    names = {"fit": "fit", "predict": "forecast", "peak": "peak of the process"}
    names |= {"growth": "growth in the fit", "error": "error"}
    measures = next(iter(script.grouped().values()))
    sides = list(dict.fromkeys([*measures["fit"]["figures"], "neuralforecast", "darts"]))
    of_columns = {
        name: [_beside(measures[measure], side) for side in sides]
        for measure, name in names.items()
    }
    return table_of_columns(sides, of_columns)


def large_panel(script: Measured) -> str:
    """Return the times and memory of a panel of thousands of series."""
    names = {
        "table": "the table itself",
        "growth": "memory above it",
        "fit": "one epoch",
        "predict": "forecast of all series, one step",
        "partition": "the same for a partition of 1,000 series",
    }
    _, (what, measures) = script.grouped().items()
    rows = [
        [name, median(measures[measure]["figures"][OURS], measures[measure]["unit"])]
        for measure, name in names.items()
    ]
    return table((what, OURS), rows)


# Accuracy.

RECIPE = f"{OURS}, recipe"
NAIVE, SEASONAL = "naive", "seasonal naive"
ONE, MANY = "one step", "many steps"

# The series of ``--data`` are named after their file; no choice depended on them.
UNSEEN = ("ETTh1", "m4_")

# Mean MASE of each method, by series.
Errors = dict[str, dict[str, float]]


def errors_by_series(script: Measured, horizon: str, unseen: bool | None = None) -> Errors:
    """Return the errors on all series, or on those that the recipe was, or was not, chosen on."""
    found = {}
    for result in script.results:
        series, _, what = result["what"].rpartition(", ")
        if what == horizon and unseen in (None, is_unseen(series)):
            runs = result["figures"]
            found[series] = {method: statistics.fmean(runs[method]) for method in runs}
    return found


def is_unseen(series: str) -> bool:
    """Return whether no choice of a method depended on a series."""
    return series.startswith(UNSEEN)


def geometric_means(errors: Errors) -> dict[str, float]:
    """Return the geometric mean of each method."""
    methods = next(iter(errors.values()))
    return {m: statistics.geometric_mean(each[m] for each in errors.values()) for m in methods}


def accuracy_summary(script: Measured) -> str:
    """Return the geometric means of MASE: series that the recipe was chosen on, and others."""
    of_columns: dict[str, list[str]] = {}
    for unseen, other in ((False, ""), (True, " other")):
        for horizon in (ONE, MANY):
            errors = errors_by_series(script, horizon, unseen)
            means = geometric_means(errors)
            head = f"{len(errors)}{other} series, {horizon}"
            of_columns[head] = smallest_bold(means.values(), ".3f")
    return table_of_columns(list(means), of_columns)


def accuracy_of(horizon: str) -> Callable[[Measured], str]:
    """Return the function for the table of MASE by series, the smallest of a series in bold."""

    def write_table(script: Measured) -> str:
        errors = errors_by_series(script, horizon)
        means = geometric_means(errors)
        rows = [[name, *smallest_bold(each.values(), ".3f")] for name, each in errors.items()]
        return table(
            ("series", *means),
            [*rows, ["geometric mean", *(f"{mean:.3f}" for mean in means.values())]],
        )

    return write_table


def wins(horizon: str, baseline: str, unseen: bool) -> Callable[[Measured], str]:
    """Return the function for the number of series on which the recipe beats a naive forecast."""

    def count(script: Measured) -> str:
        errors = errors_by_series(script, horizon, unseen).values()
        return f"{sum(each[RECIPE] < each[baseline] for each in errors)} of {len(errors)}"

    return count


def picture(script: Measured, to: Path) -> str:
    """Draw the errors of all methods; return the directive that shows the picture."""
    by_horizon = {horizon: errors_by_series(script, horizon) for horizon in (ONE, MANY)}
    draw_accuracy(by_horizon, is_unseen, to / "accuracy.png")
    alternative = "MASE of each method relative to the seasonal naive forecast, a point a series"
    return f"```{{image}} ../_generated/accuracy.png\n:alt: {alternative}\n:width: 640px\n```\n"


def activations(script: Measured) -> str:
    """Return the errors of each activation relative to those of the naive forecast, by series."""
    of_series: dict[str, dict[str, str]] = {}
    for what, measures in script.grouped().items():
        series, _, scaling = what.rpartition(", ")
        if "error" in measures:
            for side in ("tanh", "relu"):
                runs = measures["error"]["figures"][side]
                of_series.setdefault(series, {})[f"{scaling}: {side}"] = with_range(runs)
    heads = next(iter(of_series.values()), {})
    return table(("", *heads), ([name, *cells.values()] for name, cells in of_series.items()))


def etth1(script: Measured) -> str:
    """Return the squared and absolute errors of ETTh1 by horizon."""
    of_columns: dict[str, list[str]] = {}
    for result in script.results:
        hours, _, what = result["what"].partition(", ")
        if what == "all at once":
            sides = list(result["figures"])
            medians = (statistics.median(runs) for runs in result["figures"].values())
            of_columns[f"{hours}, {result['unit']}"] = smallest_bold(medians, ".4f")
    return table_of_columns(sides, of_columns)


def coverage(script: Measured) -> str:
    """Return the share of values inside their interval, by side and series."""
    by_series, rows = script.grouped(), []
    for level, of_mean in by_series["mean"].items():
        nominal = quantity(_percent(level), "%")
        for side in of_mean["figures"]:
            shares = (measures[level]["figures"][side][0] for measures in by_series.values())
            rows.append([nominal, side, *(f"{share:.0f}" for share in shares)])
            nominal = ""
    return table(("nominal", "", *by_series), rows)


def within_five_points(side: str) -> Callable[[Measured], str]:
    """Return the function for the number of series whose coverages are near the nominal ones."""

    def count(script: Measured) -> str:
        near = []
        for measures in script.grouped().values():
            shares = {level: result["figures"][side][0] for level, result in measures.items()}
            near.append(all(abs(share - _percent(level)) <= 5 for level, share in shares.items()))
        *of_series, _ = near  # the last one is the mean
        return f"{sum(of_series)} of {len(of_series)}"

    return count


def _percent(level: str) -> float:
    return float(level.removeprefix("nominal coverage ").removesuffix("%"))


def quantiles(script: Measured) -> str:
    """Return what was measured of one network of three quantiles, and of three networks."""
    of_columns = {
        f"{result['what']} ({result['unit']})": [
            f"{statistics.median(runs):.2f}" for runs in result["figures"].values()
        ]
        for result in script.results
    }
    return table_of_columns(list(script.results[0]["figures"]), of_columns)


WAYS = ("fitted once", "fitted each month")


def search_ahead(script: Measured) -> str:
    """Return the mean errors of the candidates, on the folds and on what is held out."""
    results = {"folds, one month": "folds: next month", "folds, 12 months": "folds: 12 months"}
    results |= {f"held out, 12 months, {way}": f"held out, {way}" for way in WAYS}
    of_columns = {}
    for what, name in results.items():
        means = (statistics.fmean(runs) for runs in script.sides(what).values())
        of_columns[name] = smallest_bold(means, ".1f")
    return table_of_columns(list(script.sides("folds")), of_columns)


def picks(script: Measured) -> str:
    """Return what the two searches pick, and how good that is on what is held out."""
    rows = []
    for way in WAYS:
        held_out = f"held out, 12 months, {way}"
        of_each = script.sides(f"{held_out}: mean errors of what each seed picks")
        pairs = script.sides(f"{held_out}: pairs")
        for by, runs in script.sides(f"{held_out}: what all seeds pick").items():
            score, _, candidate = by.partition(": ")
            mean = f"{statistics.fmean(of_each[score]):.1f}"
            rows.append(
                [way, score, candidate, with_spread(runs), mean, median(pairs[score], "%")]
            )
            way = ""
    head = ("held out", "the search", "picks", "its error", "mean error of the picks of a seed")
    return table((*head, "pairs of which it picks the better one"), rows)


# Many series.


def m4(script: Measured) -> str:
    """Return the measures of the competition by method, one row for each seed."""
    of_columns = {}
    for part, measures in script.grouped().items():
        measures.pop("fit", None)
        for measure, result in measures.items():
            names, errors = [], []
            for side, runs in result["figures"].items():
                of_seeds = [f"{side}, seed {seed}" for seed in range(len(runs or []))]
                names += of_seeds if len(of_seeds) > 1 else [side]
                errors += runs or [None]
            frequency, _, _ = part.partition(",")
            of_columns[f"{frequency}: {measure}"] = smallest_bold(errors, ".3f")
    return table_of_columns(names, of_columns)


def m4_times(script: Measured) -> str:
    """Return the median time of a fit of each method that learns, by frequency."""
    of_columns = {}
    for part, measures in script.grouped().items():
        times = {
            side: median(runs, "s")
            for side, runs in measures["fit"]["figures"].items()
            if "naive" not in side.lower()
        }
        frequency, _, _ = part.partition(",")
        of_columns[f"a fit, {frequency}"] = list(times.values())
    return table_of_columns(list(times), of_columns)


# The published experiments.

KERAS, HONEST = "plain Keras", f"{OURS}, no leaks"
SECONDS = "seconds in total"


def experiments(script: Measured) -> str:
    """Return the published figures beside those of plain Keras and skl_lstm."""
    rows = []
    for name, measures in script.grouped().items():
        for measure, result in measures.items():
            if measure != SECONDS:
                published, apart = result["published"], result["apart"]
                cells = ["" if published is None else f"{published:.4g}"]
                cells += [with_spread(result["figures"].get(side)) for side in (KERAS, OURS)]
                cells += ["" if apart is None else f"{apart:.2f}"]
                rows.append([name, measure, *cells])
                name = ""
    return table(("experiment", "figure", "published", KERAS, OURS, "apart"), rows)


def without_leaks(script: Measured) -> str:
    """Return the errors of the airline experiments in the honest protocol."""
    chosen = _airline(script)
    rows = [
        [figure, *(with_spread(each[figure]["figures"][HONEST]) for each in chosen.values())]
        for figure in ("RMSE train", "RMSE test")
    ]
    return table(("", *(name.partition(" ")[0] for name in chosen)), rows)


def _airline(script: Measured) -> dict[str, dict[str, dict[str, Any]]]:
    return {
        name: measures
        for name, measures in script.grouped().items()
        if HONEST in measures[SECONDS]["figures"]
    }


def seconds_of(side: str) -> Callable[[Measured], str]:
    """Return the function for the time of the airline experiments, all seeds."""

    def total(script: Measured) -> str:
        runs = [each[SECONDS]["figures"].get(side) for each in _airline(script).values()]
        return quantity(sum(map(sum, runs)), "s") if all(runs) else MISSING

    return total


def within_one_deviation(script: Measured) -> str:
    """Return how many means of skl_lstm are within one standard deviation of plain Keras's."""
    apart = [each["apart"] for each in script.results if each["apart"] is not None]
    return f"{sum(distance <= 1 for distance in apart)} of {len(apart)}"


# Figures in the text.


def figure(what: str, side: str = OURS) -> Callable[[Measured], str]:
    """Return the function for a median."""
    return lambda script: median(script.sides(what).get(side), script.result(what)["unit"])


def ratio(what: str, side: str) -> Callable[[Measured], str]:
    """Return the function for the multiple of skl_lstm's median that a side takes."""
    return lambda script: _ratio(script.result(what), side, OURS)


def of_ratio(what: str, side: str) -> Callable[[Measured], str]:
    """Return the function for the multiple of a side's median that skl_lstm takes."""
    return lambda script: _ratio(script.result(what), OURS, side)


def _ratio(result: dict[str, Any], one: str, other: str) -> str:
    runs = [result["figures"].get(side) for side in (one, other)]
    if not all(runs):
        return MISSING
    return quantity(statistics.median(runs[0]) / statistics.median(runs[1]), "x")


# The tables that pages include, each with its scripts.
TABLES: dict[str, tuple[tuple[str, ...], Callable[..., str]]] = {
    "training": (("fit_airline", "grid_search", "distributed_search"), compared),
    "epochs": (("epoch_sizes",), epochs),
    "shares": (("epoch_sizes",), shares),
    "prediction": (("predict_latency", "forecast_steps"), compared),
    "new_process": (("cold_start", "model_file"), compared),
    "memory": (("window_memory",), memory),
    "many_fits": (("many_fits",), compared),
    "backtests": (("backtest",), backtests),
    "panels": (("panel",), panels),
    "large_panel": (("panel",), large_panel),
    "accuracy_summary": (("accuracy",), accuracy_summary),
    "accuracy_one_step": (("accuracy",), accuracy_of(ONE)),
    "accuracy_many_steps": (("accuracy",), accuracy_of(MANY)),
    "activations": (("activations",), activations),
    "etth1": (("etth1",), etth1),
    "coverage": (("interval_coverage",), coverage),
    "quantiles": (("quantiles",), quantiles),
    "search_ahead": (("search_ahead",), search_ahead),
    "picks": (("search_ahead",), picks),
    "m4": (("m4",), m4),
    "m4_times": (("m4",), m4_times),
    "experiments": (("published_experiments",), experiments),
    "without_leaks": (("published_experiments",), without_leaks),
}

# The figures that the text of pages names, each with its script.
C, DASK = "C, gcc -O3 -march=native", "Dask, 2 workers"
FACTS: dict[str, tuple[str, Callable[[Measured], str]]] = {
    "recipe_wins_one_step": ("accuracy", wins(ONE, NAIVE, False)),
    "recipe_wins_one_step_unseen": ("accuracy", wins(ONE, NAIVE, True)),
    "recipe_wins_many_steps": ("accuracy", wins(MANY, SEASONAL, False)),
    "recipe_wins_many_steps_unseen": ("accuracy", wins(MANY, SEASONAL, True)),
    "etth1_training_24": ("etth1", figure("24 hours: training")),
    "etth1_training_720": ("etth1", figure("720 hours: training")),
    "default_near": ("interval_coverage", within_five_points(OURS)),
    "symmetric_near": ("interval_coverage", within_five_points("symmetric")),
    "adaptive_near": ("interval_coverage", within_five_points("adaptive")),
    "times_c": ("fit_airline", of_ratio("fit of", C)),
    "two_threads": ("grid_search", of_ratio("GridSearchCV of 24", f"{OURS}, 2 threads")),
    "two_processes": ("distributed_search", of_ratio("search of 24", "joblib, 2 processes")),
    "two_dask": ("distributed_search", of_ratio("search of 24", DASK)),
    "dask_task": ("distributed_search", figure("time for each of", DASK)),
    "pytorch_512": ("epoch_sizes", ratio("one epoch at (512,", "PyTorch")),
    "share_512": ("epoch_sizes", figure("share of sgemm's speed at (512,")),
    "one_row": ("predict_latency", figure("predict of 1 row,")),
    "first_fit_on_a_machine": ("cold_start", figure("first fit on a machine")),
    "first_fit_of_a_process": ("cold_start", figure("first fit of a process")),
    "import_time": ("cold_start", figure("import")),
    "experiments_seconds": ("published_experiments", seconds_of(OURS)),
    "experiments_seconds_keras": ("published_experiments", seconds_of(KERAS)),
    "experiments_within": ("published_experiments", within_one_deviation),
}


def how_made(scripts: list[Measured]) -> str:
    """Return the machines and versions of some scripts, and the commands that make their JSON."""
    by_machine: dict[str, list[str]] = {}
    for script in scripts:
        processor, cores, system, *packages = script.machine.items()
        versions = [f"{name} {version}" for name, version in packages if version != MISSING]
        place = f"{processor[1]}, {cores[1]} cores, {system[1]}; {', '.join(versions)}"
        by_machine.setdefault(place, []).append(f"`{script.name}.py`")
    lines = []
    for place, names in by_machine.items():
        lines += [f"Measured on {place}: {', '.join(names)}.", ""]
    lines += ["From a checkout with the extra `bench`, these commands make the figures anew:", ""]
    return "\n".join([*lines, "```console", *(command(s.name) for s in scripts), "```", ""])


def write(figures: Path = FIGURES, to: Path = GENERATED) -> dict[str, str]:
    """Write all tables and the picture; return the figures that the text names."""
    to.mkdir(exist_ok=True)
    found = {
        name: read(figures / f"{name}.json", command(name))
        for name in ARGUMENTS
        if name not in AWAITED
    }
    for name, (scripts, make) in TABLES.items():
        present = [found[script] for script in scripts if script in found]
        notes = [_earlier(figures, name, each) for each in scripts if each not in found]
        _keep(to / f"{name}.md", "".join([make(*present) if present else "", *notes]))
    for page, scripts in PAGES.items():
        present = [found[script] for script in scripts if script in found]
        _keep(to / f"made_{page}.md", how_made(present))
    shown = picture(found["accuracy"], to) if "accuracy" in found else ""
    _keep(to / "accuracy_picture.md", shown)
    return {
        name: make(found[script]) if script in found else EARLIER.get(name, LATER)
        for name, (script, make) in FACTS.items()
    }


def _earlier(figures: Path, name: str, script: str) -> str:
    """Return the table of an earlier run, if there is one, in place of one that is awaited."""
    file = figures / "earlier" / f"{name}.md"
    if not file.exists():
        return f"\n`{script}.py`: {LATER}.\n"
    note = f"Of an earlier run of `{script}.py`, on another machine of the same kind."
    return f"{file.read_text(encoding='utf-8')}\n{note}\n"


def _keep(file: Path, text: str) -> None:
    """Write a text unless the file holds it, so that its page is not built again."""
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")
