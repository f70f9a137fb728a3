"""Forecast errors on real series: naive, Theta, ETS, ridge, gradient boosting, skl_lstm.

How good are the forecasts of skl_lstm beside those of simple and of classical methods? The last
quarter of each series is held out. Every method is fitted once, on the rest, with one recipe for
all series; none is tuned on anything that is held out. Then it forecasts from origins in the last
quarter, each time from all values up to the origin: one step ahead from every origin, and 12
steps (24 for hourly series) from up to six. All methods have the same rows and origins. The
Theta method, which fits only a slope and a smoothing weight, is fitted at each origin.

MASE divides the mean absolute error by that of the seasonal naive forecast on the training rows
(Hyndman and Koehler, 2006). Figures of skl_lstm are of several seeds. ``--data FOLDER`` adds ETTh1
and series of the M4 competition. ``--picture FILE`` draws MASE by series and needs matplotlib.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _harness import OURS, Report, arguments, installed
from _methods import (
    ETS,
    Fit,
    Method,
    Naive,
    Theta,
    fit_boosting,
    fit_network,
    fit_ridge,
)
from _series import RealSeries, real_series
from joblib import Parallel, delayed
from numpy.typing import NDArray

SEEDS = 3
N_ORIGINS = 6
NAIVE, SEASONAL = "naive", "seasonal naive"

# Error of each seed, by method.
Errors = dict[str, list[float]]


def methods(n_seeds: int) -> dict[str, tuple[Fit, int]]:
    """Return how to fit each method, and with how many seeds."""
    found: dict[str, tuple[Fit, int]] = {
        NAIVE: (lambda values, season, seed: Naive(), 1),
        SEASONAL: (lambda values, season, seed: Naive(season), 1),
        "ridge": (fit_ridge, 1),
        "gradient boosting": (fit_boosting, 1),
        OURS: (fit_network, n_seeds),
    }
    if installed("statsmodels"):
        found["Theta"] = (lambda values, season, seed: Theta(season), 1)
        found["ETS"] = (lambda values, season, seed: ETS(values, season), 1)
    return found


def errors_of(series: RealSeries, fit: Fit, seed: int, *, quick: bool) -> tuple[float, float]:
    """Return the mean absolute scaled errors one step ahead, and many steps ahead."""
    values, steps = series.values, series.steps
    n_train = len(values) - max(len(values) // 4, steps)
    train = values[:n_train]
    scale = np.abs(train[series.season :] - train[: -series.season]).mean()
    method = fit(train, series.season, seed)
    every = range(n_train, len(values))
    last = len(values) - steps
    some = np.unique(np.linspace(n_train, last, N_ORIGINS).astype(int))
    return (
        _mean_error(method, values, every[:: len(every) // 3] if quick else every, 1) / scale,
        _mean_error(method, values, some[:2] if quick else some, steps) / scale,
    )


def _mean_error(method: Method, values: NDArray, origins: range | NDArray, steps: int) -> float:
    errors = [
        np.abs(method.ahead(values[:origin], steps) - values[origin : origin + steps])
        for origin in origins
    ]
    return float(np.mean(errors))


def main() -> None:
    options = arguments(
        __doc__,
        runs=1,
        files={"data": "a folder with ETTh1.csv, m4_hourly.csv, m4_weekly.csv", "picture": "plot"},
    )
    report = Report(__doc__, options)
    series = real_series(options.data)
    known = methods(1 if options.quick else SEEDS)
    chosen = series[:2] if options.quick else series
    by_horizon: dict[str, dict[str, Errors]] = {"one step": {}, "many steps": {}}
    for each in chosen:
        jobs = [(name, fit, seed) for name, (fit, n) in known.items() for seed in range(n)]
        found = Parallel(n_jobs=-1, backend="threading")(
            delayed(errors_of)(each, fit, seed, quick=options.quick) for _, fit, seed in jobs
        )
        for horizon, figures in zip(by_horizon, zip(*found, strict=True), strict=True):
            errors: Errors = {}
            for (name, _, _), error in zip(jobs, figures, strict=True):
                errors.setdefault(name, []).append(error)
            by_horizon[horizon][each.name] = errors
            report.add(f"{each.name}, {horizon}", errors, "MASE", relate=False)
    for horizon, by_series in by_horizon.items():
        _summarize(report, horizon, by_series)
    if options.picture is not None:
        _draw(by_horizon, options.picture)
    report.close()


def _summarize(report: Report, horizon: str, by_series: dict[str, Errors]) -> None:
    means = {
        name: np.array([np.mean(errors[name]) for errors in by_series.values()])
        for name in next(iter(by_series.values()))
    }

    def geometric(ratios: NDArray) -> list[float]:
        return [float(np.exp(np.log(ratios).mean()))]

    report.add(
        f"{horizon}: geometric mean over {len(by_series)} series",
        {name: geometric(mase) for name, mase in means.items()},
        "MASE",
        relate=False,
    )
    for baseline in (NAIVE, SEASONAL):
        report.add(
            f"{horizon}: error relative to {baseline}, geometric mean",
            {name: geometric(mase / means[baseline]) for name, mase in means.items()},
            "x",
            relate=False,
        )
        report.add(
            f"{horizon}: series with a smaller error than {baseline}, of {len(by_series)}",
            {name: [float((mase < means[baseline]).sum())] for name, mase in means.items()},
            "series",
            relate=False,
        )


def _draw(by_horizon: dict[str, dict[str, Errors]], file: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(by_horizon), figsize=(11, 9), layout="constrained")
    for ax, (horizon, by_series) in zip(axes, by_horizon.items(), strict=True):
        places = np.arange(len(by_series))[::-1]
        for number, name in enumerate(next(iter(by_series.values()))):
            means = [np.mean(errors[name]) for errors in by_series.values()]
            ax.plot(means, places, f"C{number}o", label=name, markersize=8 if name == OURS else 4)
        ax.set(xscale="log", xlabel="MASE", title=horizon, yticks=places)
        ax.set_yticklabels(by_series if ax is axes[0] else [])
        ax.grid(axis="y", alpha=0.3)
    axes[-1].legend(loc="upper right", fontsize="small")
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    main()
