"""The tables of docs/benchmarks/ and the figures in its text, from the JSON of the benchmarks.

``docs/figures/NAME.json`` is what ``benchmarks/NAME.py --json`` wrote. `write` makes Markdown
tables of it in ``docs/_generated``, which the pages include, and returns the figures that their
text names, which they take as substitutions. So a page says what the JSON says, also when it is
made anew.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pictures import draw_accuracy

FIGURES = Path(__file__).parent / "figures"
GENERATED = Path(__file__).parent / "_generated"
OURS = "skl_lstm"
RECIPE = f"{OURS}, recipe"
NAIVE, SEASONAL = "naive", "seasonal naive"

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
        "etth1": "--data FOLDER",
        "interval_coverage": "",
        "quantiles": "",
        "search_ahead": "",
    },
    "many_series": {"m4": "--data FOLDER", "panel": ""},
    "experiments": {"published_experiments": ""},
}
ARGUMENTS = {name: given for scripts in PAGES.values() for name, given in scripts.items()}

# Scripts whose figures are still to be made: a page says so, where all others must be there.
AWAITED = set(ARGUMENTS)
LATER = "to be measured"

# The series of ``--data`` are named after their file; no choice depended on them.
UNSEEN = ("ETTh1", "m4_")

Sides = dict[str, list[float] | None]


def command(name: str) -> str:
    """Return the command that makes the figures of a script."""
    words = ("python", f"benchmarks/{name}.py", ARGUMENTS[name])
    return " ".join(filter(None, (*words, f"--json docs/figures/{name}.json")))


@dataclass(frozen=True)
class Measured:
    """What one script measured.

    Parameters
    ----------
    name : str
        Name of the script.
    machine : mapping of str to str
        Processor, cores, system, Python and packages.
    results : list of dict
        What was measured, its unit, and the runs of each side.
    """

    name: str
    machine: Mapping[str, str]
    results: list[dict[str, Any]]

    def sides(self, what: str, unit: str | None = None) -> Sides:
        """Return the runs of each side; None is a side that was not installed."""
        for result in self.results:
            if result["what"] == what and unit in (None, result["unit"]):
                return result["figures"]
        raise KeyError(f"{self.name}.json has no result {what!r}")

    def grouped(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the results named "what: measure" by what and by measure."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for result in self.results:
            what, _, measure = result["what"].partition(": ")
            found.setdefault(what, {})[measure] = result
        return found


def read(name: str, folder: Path = FIGURES) -> Measured:
    """Return the figures of a script."""
    file = folder / f"{name}.json"
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing; make it with: {command(name)}")
    found = json.loads(file.read_text(encoding="utf-8"))
    if found["quick"]:
        raise ValueError(
            f"{file} was made with --quick, whose figures mean nothing; make it with: "
            f"{command(name)}"
        )
    return Measured(name, found["machine"], found["results"])


def short(value: float) -> str:
    """Return two digits of a number below 100, and the whole of a larger one."""
    if not value:
        return "0"
    digits = max(0, 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def quantity(value: float, unit: str) -> str:
    """Return a number with its unit."""
    if unit == "x":
        return f"{short(value)}x"
    if unit == "%":
        return f"{value:.0f} %"
    if unit == "s" and abs(value) < 0.1:
        value, unit = (value * 1e3, "ms") if abs(value) >= 1e-4 else (value * 1e6, "µs")
    return f"{short(value)} {unit}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def columns(
    names: Iterable[str], found: Iterable[Iterable[float | None]], form: str
) -> list[list[str]]:
    """Return rows of a name and its figures, the smallest figure of each column in bold."""
    written = []
    for column in zip(*found, strict=True):
        least = min((value for value in column if value is not None), default=None)
        written.append([_cell(value, form, value == least) for value in column])
    return [[name, *cells] for name, cells in zip(names, zip(*written, strict=True), strict=True)]


def _cell(value: float | None, form: str, bold: bool) -> str:
    if value is None:
        return "not installed"
    return f"**{value:{form}}**" if bold else f"{value:{form}}"


def median_of(runs: list[float] | None) -> float | None:
    """Return the median, or None for a side that is not installed."""
    return statistics.median(runs) if runs else None


def mean_of(runs: list[float] | None) -> float | None:
    """Return the mean, or None for a side that is not installed."""
    return statistics.fmean(runs) if runs else None


# Speed and memory.


def compared(*scripts: Measured) -> str:
    """Return a row for each result: the median of skl_lstm, and those of the others."""
    rows = []
    for script in scripts:
        for result in script.results:
            unit, figures = result["unit"], result["figures"]
            ours = figures.get(OURS)
            others = [
                _side(side, runs, unit, result.get("ratios", {}).get(side))
                for side, runs in figures.items()
                if side != OURS
            ]
            told = quantity(statistics.median(ours), unit) if ours else ""
            rows.append([result["what"], f"`{script.name}.py`", told, ", ".join(others)])
    return table(("measurement", "script", OURS, "compared with"), rows)


def _side(side: str, runs: list[float] | None, unit: str, ratio: float | None) -> str:
    if not runs:
        return f"{side} not installed"
    median = quantity(statistics.median(runs), unit)
    return f"{side} {median}" if ratio is None else f"{side} {short(ratio)}x ({median})"


def epochs(script: Measured) -> str:
    """Return the times of an epoch by size, and the shares of sgemm's speed."""
    rows, sides = [], list(next(iter(script.results))["figures"])
    sides.sort(key=lambda side: side != OURS)  # ours is first
    share = "share of sgemm's speed"
    for result in script.results:
        what, _, size = result["what"].partition(" at ")
        if what != "one epoch":
            continue
        shares = script.sides(f"{share} at {size}")
        cells = [_ratio_to_ours(result, side) for side in sides]
        rows.append([size, *cells, *(_percent(shares[side]) for side in (OURS, "PyTorch"))])
    return table(("size", *sides, f"{share}, {OURS}", f"{share}, PyTorch"), rows)


def _ratio_to_ours(result: dict[str, Any], side: str) -> str:
    runs = result["figures"].get(side)
    if not runs:
        return "not installed"
    if side == OURS or side not in result.get("ratios", {}):
        return quantity(statistics.median(runs), result["unit"])
    return quantity(result["ratios"][side], "x")


def _percent(runs: list[float] | None) -> str:
    return quantity(statistics.median(runs), "%") if runs else "not installed"


def memory(script: Measured) -> str:
    """Return the memory of windows: absolute, relative to the series, and the time."""
    rows = []
    for what, measures in script.grouped().items():
        cells, matrix = [], ""
        for measure, result in measures.items():
            _, _, note = measure.partition(" (a matrix: ")
            matrix = matrix or note.removesuffix(")")
            cells.append(quantity(statistics.median(result["figures"][OURS]), result["unit"]))
        rows.append([what, *cells, matrix])
    head = ("", "memory", "relative to the series or file", "time", "a matrix of the windows")
    return table(head, rows)


def backtests(script: Measured) -> str:
    """Return the times of backtests as multiples of those of skl_lstm, and their errors."""
    rows = []
    for what, measures in script.grouped().items():
        first = what
        errors = measures.pop("error")["figures"]
        for side, runs in errors.items():
            times = [
                "" if side not in result["figures"] else _ratio_to_ours(result, side)
                for result in measures.values()
            ]
            rows.append([first, side, *times, _range(runs)])
            first = ""
    return table(("", "side", "in all", "fit", "forecasts", "mean absolute error"), rows)


def _range(runs: list[float] | None) -> str:
    if not runs:
        return "not installed"
    median = f"{statistics.median(runs):.2f}"
    return median if len(runs) == 1 else f"{median} ({min(runs):.2f} to {max(runs):.2f})"


def panels(script: Measured) -> str:
    """Return the times and memory of one network for many series, by side."""
    of_all = next(iter(script.grouped().values()))
    names = {"fit": "fit", "predict": "forecast", "peak": "peak of the process"}
    names |= {"growth": "growth in the fit", "error": "error"}
    sides = dict.fromkeys([*of_all["fit"]["figures"], "neuralforecast", "darts"])
    rows = []
    for side in sides:
        cells = []
        for measure in names:
            result = of_all[measure]
            runs = result["figures"].get(side)
            cell = quantity(statistics.median(runs), result["unit"]) if runs else "not installed"
            ratio = result.get("ratios", {}).get(side)
            cells.append(f"{cell}, {short(ratio)}x" if ratio and measure == "fit" else cell)
        rows.append([side, *cells])
    return table(("", *names.values()), rows)


def large_panel(script: Measured) -> str:
    """Return the times and memory of a panel of thousands of series."""
    (_, _), (what, measures) = script.grouped().items()
    names = {
        "table": "the table itself",
        "growth": "memory above it",
        "fit": "one epoch",
        "predict": "forecast of all series, one step",
        "partition": "the same of a partition of 1,000 series",
    }
    rows = []
    for measure, name in names.items():
        result = measures[measure]
        rows.append([name, quantity(statistics.median(result["figures"][OURS]), result["unit"])])
    return table((what, OURS), rows)


# Accuracy.


def errors_by_series(script: Measured, horizon: str) -> dict[str, dict[str, float]]:
    """Return the mean MASE of each method, by series."""
    return {
        result["what"].removesuffix(f", {horizon}"): {
            side: statistics.fmean(runs) for side, runs in result["figures"].items() if runs
        }
        for result in script.results
        if result["what"].endswith(f", {horizon}")
    }


def is_unseen(series: str) -> bool:
    """Return whether no choice of a method depended on a series."""
    return series.startswith(UNSEEN)


def accuracy_summary(script: Measured) -> str:
    """Return the geometric means of MASE: series that the recipe was chosen on, and others."""
    head, found = [""], []
    for unseen in (False, True):
        for horizon in ("one step", "many steps"):
            chosen = [
                errors
                for series, errors in errors_by_series(script, horizon).items()
                if is_unseen(series) == unseen
            ]
            head.append(f"{len(chosen)}{' other' if unseen else ''} series, {horizon}")
            found.append({m: _geometric_mean(e[m] for e in chosen) for m in chosen[0]})
    methods = list(found[0])
    return table(head, columns(methods, ([of[m] for of in found] for m in methods), ".3f"))


def _geometric_mean(values: Iterable[float]) -> float:
    return statistics.geometric_mean(values)


def accuracy_of(horizon: str) -> Callable[[Measured], str]:
    """Return the function for the table of MASE by series, the smallest of a series in bold."""

    def write_table(script: Measured) -> str:
        by_series = errors_by_series(script, horizon)
        methods = list(next(iter(by_series.values())))
        rows = []
        for series, errors in by_series.items():
            least = min(errors.values())
            rows.append([series, *(_cell(errors[m], ".3f", errors[m] == least) for m in methods)])
        means = (_geometric_mean(each[m] for each in by_series.values()) for m in methods)
        rows.append(["geometric mean", *(f"{mean:.3f}" for mean in means)])
        return table(("series", *methods), rows)

    return write_table


def wins(horizon: str, baseline: str, unseen: bool) -> Callable[[Measured], str]:
    """Return the function for the number of series on which the recipe beats a naive forecast."""

    def count(script: Measured) -> str:
        chosen = [
            errors
            for series, errors in errors_by_series(script, horizon).items()
            if is_unseen(series) == unseen
        ]
        n_better = sum(errors[RECIPE] < errors[baseline] for errors in chosen)
        return f"{n_better} of {'the ' if not unseen else ''}{len(chosen)}"

    return count


def etth1(script: Measured) -> str:
    """Return the squared and absolute errors of ETTh1 by horizon."""
    results = {
        (result["what"].partition(",")[0], result["unit"]): result["figures"]
        for result in script.results
        if result["what"].endswith("all at once")
    }
    head = [f"{hours}, {unit}" for hours, unit in results]
    sides = list(next(iter(results.values())))
    found = [[median_of(figures[side]) for figures in results.values()] for side in sides]
    return table(("", *head), columns(sides, found, ".4f"))


def coverage(script: Measured) -> str:
    """Return the share of values inside their interval, by side and series."""
    by_series = script.grouped()
    rows = []
    for level in next(iter(by_series.values())):
        nominal = level.removeprefix("nominal coverage ").replace("%", " %")
        for side in by_series["mean"][level]["figures"]:
            shares = [measures[level]["figures"][side][0] for measures in by_series.values()]
            rows.append([nominal, side, *(f"{share:.0f}" for share in shares)])
            nominal = ""
    return table(("nominal", "", *by_series), rows)


def quantiles(script: Measured) -> str:
    """Return what was measured of one network of three quantiles, and of three networks."""
    sides = script.results[0]["figures"]
    head = [f"{result['what']} ({result['unit']})" for result in script.results]
    rows = [
        [side, *(f"{statistics.median(result['figures'][side]):.2f}" for result in script.results)]
        for side in sides
    ]
    return table(("", *head), rows)


SEARCHED = {
    "folds, one month": "folds: next month",
    "folds, 12 months": "folds: 12 months",
    "held out, 12 months, fitted once": "held out, fitted once",
    "held out, 12 months, fitted each month": "held out, fitted each month",
}


def search_ahead(script: Measured) -> str:
    """Return the mean errors of the candidates, on the folds and on what is held out."""
    candidates = list(script.sides(next(iter(SEARCHED))))
    found = [[mean_of(script.sides(what)[each]) for what in SEARCHED] for each in candidates]
    return table(("window", *SEARCHED.values()), columns(candidates, found, ".1f"))


def picks(script: Measured) -> str:
    """Return what the two searches pick, and how good that is on what is held out."""
    rows = []
    for way in ("fitted once", "fitted each month"):
        held_out = f"held out, 12 months, {way}"
        of_all = script.sides(f"{held_out}: what all seeds pick")
        of_each = script.sides(f"{held_out}: mean errors of what each seed picks")
        pairs = script.sides(
            f"{held_out}: pairs of candidates of which the better one is picked"
        )
        for by, runs in of_all.items():
            score, _, candidate = by.partition(": ")
            rows.append(
                [
                    way,
                    score,
                    candidate,
                    with_spread(runs),
                    f"{mean_of(of_each[score]):.1f}",
                    quantity(pairs[score][0], "%"),
                ]
            )
            way = ""
    head = ("held out", "the search", "picks", "error of the pick", "mean error of what a seed picks")
    return table((*head, "pairs of which it picks the better one"), rows)


# Many series.

M4_NAMES = {
    "ridge": "ridge, all series",
    "seasonal naive": "seasonal naive (24 hours)",
    "gradient boosting": "gradient boosting, all series",
    "mlforecast, LightGBM": "mlforecast with LightGBM, all series",
    "neuralforecast LSTM": "LSTM of neuralforecast, all series",
    OURS: f"{OURS}, all series",
}


def m4(script: Measured) -> str:
    """Return the measures of the competition by method, one row for each seed."""
    columns_of = [
        (part.partition(",")[0], measure, result["figures"])
        for part, measures in script.grouped().items()
        for measure, result in measures.items()
        if measure != "fit"
    ]
    names, found = [], []
    for side, runs in columns_of[0][2].items():
        for seed in range(len(runs or [None])):
            several = runs is not None and len(runs) > 1
            name = _of_m4(side)
            names.append(f"{name}: seed {seed}" if several else name)
            found.append([of[side] and of[side][seed] for _, _, of in columns_of])
    head = [f"{part}: {measure}" for part, measure, _ in columns_of]
    return table(("", *head), columns(names, found, ".3f"))


def _of_m4(side: str) -> str:
    method, comma, rest = side.rpartition(", ")
    return f"{M4_NAMES[method]}{comma}{rest}" if method in M4_NAMES else M4_NAMES.get(side, side)


def m4_times(script: Measured) -> str:
    """Return the median time of a fit of each method that learns, by frequency."""
    by_part = {
        part.partition(",")[0]: measures["fit"]["figures"]
        for part, measures in script.grouped().items()
    }
    learn = [side for side in next(iter(by_part.values())) if "naive" not in side.lower()]
    rows = [
        [_of_m4(side), *(_time(times.get(side)) for times in by_part.values())]
        for side in learn
    ]
    return table(("a fit", *by_part), rows)


def _time(runs: list[float] | None) -> str:
    return quantity(statistics.median(runs), "s") if runs else "not installed"


# The published experiments.

SECONDS = "seconds in total"
HONEST = f"{OURS}, no leaks"


def with_spread(runs: list[float] | None) -> str:
    """Return the mean and the standard deviation, to two digits of the latter."""
    if not runs:
        return ""
    mean, spread = statistics.fmean(runs), statistics.stdev(runs) if len(runs) > 1 else 0.0
    if not spread:
        return f"{mean:.4g}"
    digits = max(0, 1 - math.floor(math.log10(spread)))
    return f"{mean:.{digits}f} ± {spread:.{digits}f}"


def experiments(script: Measured) -> str:
    """Return the published figures beside those of plain Keras and skl_lstm."""
    rows = []
    for experiment, measures in script.grouped().items():
        first = experiment
        for measure, result in measures.items():
            if measure == SECONDS:
                continue
            published, apart = result["published"], result["apart"]
            rows.append(
                [
                    first,
                    measure,
                    "" if published is None else f"{published:.4g}",
                    *(with_spread(result["figures"].get(s)) for s in ("plain Keras", OURS)),
                    "" if apart is None else f"{apart:.2f}",
                ]
            )
            first = ""
    return table(("experiment", "figure", "published", "plain Keras", OURS, "apart"), rows)


def without_leaks(script: Measured) -> str:
    """Return the errors of the airline experiments in the honest protocol."""
    chosen = {
        experiment: measures
        for experiment, measures in script.grouped().items()
        if HONEST in measures[SECONDS]["figures"]
    }
    rows = [
        [figure, *(with_spread(each[figure]["figures"].get(HONEST)) for each in chosen.values())]
        for figure in ("RMSE train", "RMSE test")
    ]
    return table(("", *(experiment.split(" ")[0] for experiment in chosen)), rows)


def seconds_of(side: str) -> Callable[[Measured], str]:
    """Return the function for the time of the airline experiments, all seeds."""

    def total(script: Measured) -> str:
        found = [m[SECONDS]["figures"] for m in script.grouped().values()]
        runs = [each.get(side) for each in found if HONEST in each]
        return quantity(sum(map(sum, runs)), "s") if all(runs) else "not installed"

    return total


def within_one_deviation(script: Measured) -> str:
    """Return how many means of skl_lstm are within one standard deviation of plain Keras's."""
    apart = [each["apart"] for each in script.results if each["apart"] is not None]
    return f"{sum(distance <= 1 for distance in apart)} of the {len(apart)}"


# Figures in the text.


def median(what: str, side: str = OURS) -> Callable[[Measured], str]:
    """Return the function for a median of a result."""

    def find(script: Measured) -> str:
        (result,) = (each for each in script.results if each["what"].startswith(what))
        runs = result["figures"].get(side)
        return quantity(statistics.median(runs), result["unit"]) if runs else "not installed"

    return find


def ratio(what: str, side: str, *, inverse: bool = False) -> Callable[[Measured], str]:
    """Return the function for the ratio of a side to skl_lstm."""

    def find(script: Measured) -> str:
        (result,) = (each for each in script.results if each["what"].startswith(what))
        if not result["figures"].get(side):
            return "not installed"
        found = result["ratios"][side]
        return quantity(1 / found if inverse else found, "x")

    return find


def picture(script: Measured, to: Path) -> str:
    """Draw the errors of all methods; return the directive that shows the picture."""
    by_horizon = {each: errors_by_series(script, each) for each in ("one step", "many steps")}
    draw_accuracy(by_horizon, is_unseen, to / "accuracy.png")
    alternative = "MASE of each method relative to the seasonal naive forecast, a point a series"
    return f"```{{image}} ../_generated/accuracy.png\n:alt: {alternative}\n:width: 640px\n```\n"


# The tables that pages include, each with its scripts.
TABLES: dict[str, tuple[tuple[str, ...], Callable[..., str]]] = {
    "training": (("fit_airline", "grid_search", "distributed_search"), compared),
    "epochs": (("epoch_sizes",), epochs),
    "prediction": (("predict_latency", "forecast_steps"), compared),
    "new_process": (("cold_start", "model_file"), compared),
    "memory": (("window_memory",), memory),
    "many_fits": (("many_fits",), compared),
    "backtests": (("backtest",), backtests),
    "panels": (("panel",), panels),
    "large_panel": (("panel",), large_panel),
    "accuracy_summary": (("accuracy",), accuracy_summary),
    "accuracy_one_step": (("accuracy",), accuracy_of("one step")),
    "accuracy_many_steps": (("accuracy",), accuracy_of("many steps")),
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
FACTS: dict[str, tuple[str, Callable[[Measured], str]]] = {
    "recipe_wins_one_step": ("accuracy", wins("one step", NAIVE, False)),
    "recipe_wins_one_step_unseen": ("accuracy", wins("one step", NAIVE, True)),
    "recipe_wins_many_steps": ("accuracy", wins("many steps", SEASONAL, False)),
    "recipe_wins_many_steps_unseen": ("accuracy", wins("many steps", SEASONAL, True)),
    "first_fit_on_a_machine": ("cold_start", median("first fit on a machine")),
    "first_fit_of_a_process": ("cold_start", median("first fit of a process")),
    "import_time": ("cold_start", median("import")),
    "times_c": (
        "fit_airline",
        ratio("fit of", "C, gcc -O3 -march=native", inverse=True),
    ),
    "pytorch_512": ("epoch_sizes", ratio("one epoch at (512,", "PyTorch")),
    "share_512": ("epoch_sizes", median("share of sgemm's speed at (512,")),
    "one_row": ("predict_latency", median("predict of 1 row")),
    "two_threads": (
        "grid_search",
        ratio("GridSearchCV of 24", f"{OURS}, 2 threads", inverse=True),
    ),
    "two_processes": (
        "distributed_search",
        ratio("search of 24", "joblib, 2 processes", inverse=True),
    ),
    "two_dask": ("distributed_search", ratio("search of 24", "Dask, 2 workers", inverse=True)),
    "dask_task": ("distributed_search", median("time for each of", "Dask, 2 workers")),
    "refit_each_origin": (
        "backtest",
        median("24 hours at once, fitted for each origin: in all"),
    ),
    "naive_oil": ("backtest", median("24 hours at once: error", "naive")),
    "panel_neuralforecast": ("panel", ratio("1,000 series x 500 rows: fit", "neuralforecast")),
    "etth1_training_24": ("etth1", median("24 hours: training")),
    "etth1_training_720": ("etth1", median("720 hours: training")),
    "experiments_seconds": ("published_experiments", seconds_of(OURS)),
    "experiments_seconds_keras": ("published_experiments", seconds_of("plain Keras")),
    "experiments_within": ("published_experiments", within_one_deviation),
}


def how_made(scripts: list[Measured]) -> str:
    """Return the machines and versions of some scripts, and the commands that make their JSON."""
    by_machine: dict[str, list[Measured]] = {}
    for script in scripts:
        machine = dict(script.machine)
        place = f"{machine.pop('processor')}, {machine.pop('cores')} cores, {machine.pop('system')}"
        versions = [f"{name} {v}" for name, v in machine.items() if v != "not installed"]
        by_machine.setdefault(f"{place}; {', '.join(versions)}", []).append(script)
    lines = []
    for machine, made in by_machine.items():
        names = ", ".join(f"`{script.name}.py`" for script in made)
        lines += [f"Measured on {machine}: {names}.", ""]
    lines += ["From a checkout with the extra `bench`, these commands make the figures anew:", ""]
    return "\n".join([*lines, "```console", *(command(s.name) for s in scripts), "```", ""])


def write(figures: Path = FIGURES, to: Path = GENERATED) -> dict[str, str]:
    """Write all tables and the picture; return the figures that the text names."""
    to.mkdir(exist_ok=True)
    found = {name: read(name, figures) for name in ARGUMENTS if name not in AWAITED}
    for name, (scripts, make) in TABLES.items():
        present = [found[script] for script in scripts if script in found]
        text = make(*present) if present else ""
        for script in scripts:
            if script not in found:
                text += f"\n`{script}.py`: {LATER}.\n"
        _keep(to / f"{name}.md", text)
    for page, scripts in PAGES.items():
        present = [found[script] for script in scripts if script in found]
        _keep(to / f"made_{page}.md", how_made(present))
    _keep(to / "accuracy_picture.md", picture(found["accuracy"], to) if "accuracy" in found else "")
    return {
        name: make(found[script]) if script in found else LATER
        for name, (script, make) in FACTS.items()
    }


def _keep(file: Path, text: str) -> None:
    """Write a text unless the file holds it, so that its page is not built again."""
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")
