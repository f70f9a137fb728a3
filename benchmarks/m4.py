"""Many series: one network for all weekly, and one for all hourly, series of the M4 competition.

Does one LSTM that is trained on the windows of all series forecast better than simple methods,
than a model of each series, and than other models of all series? There are 359 weekly series with
13 weeks to forecast and 414 hourly series with 48 hours (Makridakis, Spiliotis and Assimakopoulos,
2020). Every method learns from the training part and forecasts all steps after its last value.
sMAPE, MASE and OWA are those of the competition: OWA is the mean of sMAPE and MASE, each relative
to Naive2, and Naive2 has 1. Figures of a network are of several seeds: each, their mean, and the
error of the mean of the networks' forecasts, in logarithms.

All models of windows have the same ones, of logarithms: 52 weeks less their last value; 168 hours,
each hour of the day less its mean and divided by its standard deviation. Gradient boosting learns
from 40,000 windows drawn at random, the others from all. The networks of each series are smaller
than the one of all series, and have more epochs in smaller batches.

The recipes were chosen, among some sixty for the weekly and thirty-five for the hourly series, by
errors inside the training part, before those on the test part were seen: its last values were held
out too. ``--validation`` shows these errors, of one origin for the weekly series and of four for
the hourly ones. (Earlier choices for the weekly series were made with 26 values held out, which
leaves too few for a window of the shortest. Ridge for each series is useless there by MASE: its
forecasts of one hourly series, H160, are far too large.) The other methods were tuned less: of
gradient boosting only the loss was chosen, of mlforecast and neuralforecast three to five
settings for each frequency were tried, and ridge has its defaults. mlforecast and neuralforecast
are measured where they are installed; ``--peers`` measures them alone, in an environment of their
own.

``--data FOLDER`` is the folder with ``m4_weekly.csv`` and ``m4_hourly.csv``, one series per line,
its name first and its test part last; without it ``--quick`` takes random walks. Published, not
measured here: for the weekly series OWA 0.739 of the best entry and 0.851 of the overall winner;
for the hourly series sMAPE 9.33 of the best entry.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from _harness import OURS, Report, arguments
from _m4 import Ahead, Frequency, Parts, by_series, divide, generated, naive2, read
from _m4_models import (
    RECIPES,
    Fit,
    Recipe,
    fit_boosting,
    fit_each,
    fit_network,
    fit_network_of_one,
    fit_ridge,
)
from _m4_peers import PEERS
from numpy.typing import NDArray

from skl_lstm import SeriesWarning

SEEDS = 3
MEASURES = ("sMAPE", "MASE", "OWA")
N_QUICK = 3

# How to fit each method, and whether a seed changes it; None if it is not installed.
Methods = dict[str, tuple[Fit, bool] | None]


def repeat(method: Callable[[NDArray, Frequency], NDArray]) -> tuple[Fit, bool]:
    """Return a method that learns nothing: a function of the values of one series."""

    def fit(recipe: Recipe, table: pd.DataFrame, seed: int) -> Ahead:
        return by_series(lambda values: method(values, recipe.frequency))

    return fit, False


def methods() -> Methods:
    """Return all methods but the peers."""
    return {
        "naive": repeat(lambda values, of: np.full(of.horizon, values[-1])),
        "seasonal naive": repeat(lambda values, of: np.resize(values[-of.season :], of.horizon)),
        "Naive2": repeat(naive2),
        "ridge": (fit_ridge, False),
        "ridge for each series": (partial(fit_each, fit_ridge), False),
        "gradient boosting": (fit_boosting, False),
        f"{OURS} for each series": (partial(fit_each, fit_network_of_one), False),
        OURS: (fit_network, True),
    }


def peers(*, quick: bool) -> Methods:
    """Return the peers."""

    def of_peer(fit: Callable[..., Ahead]) -> Fit:
        return lambda recipe, table, seed: fit(recipe.frequency, table, seed, quick=quick)

    return {
        name: (of_peer(fit), seeded) if is_installed else None
        for name, (is_installed, fit, seeded) in PEERS.items()
    }


def compare(
    report: Report,
    what: str,
    recipe: Recipe,
    parts: Parts,
    chosen: Methods,
    n_seeds: int,
    published: tuple[float, float] | None,
) -> None:
    """Add the errors of all methods, and the time of their fits.

    `published` are sMAPE and MASE of Naive2, if they are known of these parts.
    """
    season = recipe.frequency.season
    fit_reference, _ = repeat(naive2)
    reference = parts.errors(season, parts.forecasts(fit_reference(recipe, parts.train, 0)))
    if published is not None:
        difference = np.abs(reference - published).max()
        report.agree(f"{what}: Naive2 with the published errors", difference, 0.001)

    def measures(forecasts: list[pd.Series]) -> list[float]:
        errors = parts.errors(season, forecasts)
        return [*map(float, errors), float(np.mean(errors / reference))]

    rows: dict[str, list[list[float]] | None] = {}
    times: dict[str, list[float] | None] = {}
    for side, method in chosen.items():
        if method is None:
            rows[side] = times[side] = None
            continue
        fit, seeded = method
        said, times[side] = [], []
        for seed in range(n_seeds if seeded else 1):
            start = time.perf_counter()
            ahead = fit(recipe, parts.train, seed)
            times[side].append(time.perf_counter() - start)
            said.append(parts.forecasts(ahead))
            seed_text = f", seed {seed}" if seeded else ""
            found = zip(MEASURES, measures(said[-1]), strict=True)
            shown = ", ".join(f"{name} {figure:.3f}" for name, figure in found)
            print(f"{what}, {side}{seed_text}: {shown}, {times[side][-1]:.1f} s", flush=True)
        rows[side] = [measures(each) for each in said]
        if len(said) > 1:
            rows[f"{side}, mean of {len(said)}"] = [list(np.mean(rows[side], axis=0))]
            rows[f"{side}, {len(said)} together"] = [measures(together(said))]
    for i, name in enumerate(MEASURES):
        of_side = {
            side: None if found is None else [each[i] for each in found]
            for side, found in rows.items()
        }
        report.add(f"{what}: {name}", of_side, "%" if name == "sMAPE" else name, relate=False)
    report.add(f"{what}: fit", times, relate=False)


def together(said: list[list[pd.Series]]) -> list[pd.Series]:
    """Return the mean in logarithms of what several networks forecast from each origin."""
    return [np.exp(sum(map(np.log, each)) / len(each)) for each in zip(*said, strict=True)]


def main() -> None:
    options = arguments(
        __doc__,
        runs=SEEDS,
        files={"data": "the folder with m4_weekly.csv and m4_hourly.csv"},
        validation="errors inside the training part, by which the recipes were chosen",
        peers="only mlforecast and neuralforecast",
    )
    report = Report(__doc__, options)
    if options.data is None and not options.quick:
        raise SystemExit("--data FOLDER is required")
    # Behind np.asarray the windows of a day's steps no longer tell where a series begins, so its
    # first rows, which have no complete window, look like rows with missing values.
    warnings.filterwarnings("ignore", "X and y have .* with a missing lag", SeriesWarning)
    chosen = {} if options.peers else methods()
    chosen |= peers(quick=options.quick)
    for recipe in RECIPES:
        frequency = recipe.frequency
        table = generated(frequency) if options.data is None else read(options.data, frequency)
        if options.quick:
            table = table.loc[table.index.unique("series")[:N_QUICK]]
        parts = divide(table, frequency, validation=options.validation)
        what = f"{frequency.name}, {'validation' if options.validation else 'test'}"
        published = None if options.quick or options.validation else frequency.naive2
        used = recipe.quick() if options.quick else recipe
        compare(report, what, used, parts, chosen, options.runs, published)
    report.close()


if __name__ == "__main__":
    main()
