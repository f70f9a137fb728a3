"""Tables of the errors of forecasts."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

from tables.measured import (
    OURS,
    Measured,
    median,
    quantity,
    smallest_bold,
    table,
    table_of_columns,
    with_range,
    with_spread,
)
from tables.picture import draw_accuracy

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
        means = (statistics.fmean(runs) for runs in script.installed(what).values())
        of_columns[name] = smallest_bold(means, ".1f")
    return table_of_columns(list(script.installed("folds")), of_columns)


def picks(script: Measured) -> str:
    """Return what the two searches pick, and how good that is on what is held out."""
    rows = []
    for way in WAYS:
        held_out = f"held out, 12 months, {way}"
        of_each = script.installed(f"{held_out}: mean errors of what each seed picks")
        pairs = script.installed(f"{held_out}: pairs")
        for by, runs in script.installed(f"{held_out}: what all seeds pick").items():
            score, _, candidate = by.partition(": ")
            mean = f"{statistics.fmean(of_each[score]):.1f}"
            rows.append(
                [way, score, candidate, with_spread(runs), mean, median(pairs[score], "%")]
            )
            way = ""
    head = ("held out", "the search", "picks", "its error", "mean error of the picks of a seed")
    return table((*head, "pairs of which it picks the better one"), rows)
