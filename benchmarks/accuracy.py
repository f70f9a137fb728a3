"""Forecast errors on real series: naive, Theta, ETS, ridge, gradient boosting, skl_lstm.

How good are the forecasts of skl_lstm beside those of simple and of classical methods? The last
quarter of each series is held out. Every method is fitted once, on the rest, with one recipe for
all series. Then it forecasts from origins in the last quarter, each time from all values up to the
origin: one step ahead from every origin, and 12 steps (24 for hourly series) from up to six. All
methods have the same rows and origins. The Theta method, which fits only a slope and a smoothing
weight, is fitted at each origin.

"skl_lstm, recipe" was chosen, among some eighty settings, by its errors on the series of this
package and of statsmodels, so its figures on these are somewhat too good. The series of ``--data``
had no part in the choice and have a summary of their own. The other methods have their defaults.

MASE divides the mean absolute error by that of the seasonal naive forecast on the training rows
(Hyndman and Koehler, 2006). Figures of skl_lstm are of several seeds. ``--data FOLDER`` adds ETTh1
and series of the M4 competition.
"""

from __future__ import annotations

import numpy as np
from _harness import Report, arguments
from _methods import BOOSTING, ETS_, NAIVE, SEASONAL, THETA, Fit, Method, methods
from _series import RealSeries, real_series
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

SEEDS = 3
N_ORIGINS = 6

# Series of other studies of this package.
EIGHT = ("airline", "sunspots", "nile", "co2, monthly", "realgdp", "unemp", "cpi", "el nino")

# Classical methods are compared on series that are long enough for a network.
LONG = 100

# Error of each seed, by method.
Errors = dict[str, list[float]]


def errors_of(series: RealSeries, fit: Fit, seed: int, *, quick: bool) -> tuple[float, float]:
    """Return the mean absolute scaled errors one step ahead, and many steps ahead."""
    with threadpool_limits(limits=1):  # the methods run side by side
        return _errors_of(series, fit, seed, quick)


def _errors_of(series: RealSeries, fit: Fit, seed: int, quick: bool) -> tuple[float, float]:
    values, steps = series.values, series.steps
    n_train = len(values) - max(len(values) // 4, steps)
    train = values[:n_train]
    scale = np.abs(train[series.season :] - train[: -series.season]).mean()
    method = fit(train, series.season, steps, seed)
    every = range(n_train, len(values))
    last = len(values) - steps
    some = np.unique(np.linspace(n_train, last, N_ORIGINS).astype(int)).tolist()
    return (
        _mean_error(method, values, every[:: len(every) // 3] if quick else every, 1) / scale,
        _mean_error(method, values, some[:2] if quick else some, steps) / scale,
    )


def _mean_error(method: Method, values: NDArray, origins: list[int] | range, steps: int) -> float:
    truth = np.array([values[origin : origin + steps] for origin in origins])
    return float(np.abs(method.from_origins(values, origins, steps) - truth).mean())


def main() -> None:
    options = arguments(
        __doc__,
        runs=1,
        files={"data": "a folder with ETTh1.csv, m4_hourly.csv, m4_weekly.csv"},
    )
    report = Report(__doc__, options)
    series = real_series(options.data)
    chosen = series[:2] if options.quick else series
    n_seeds = 1 if options.quick else SEEDS
    by_horizon: dict[str, dict[str, Errors]] = {"one step": {}, "many steps": {}}
    for each in chosen:
        jobs = [
            (name, fit, seed)
            for name, (fit, seeded) in methods().items()
            for seed in range(n_seeds if seeded else 1)
        ]
        found = Parallel(n_jobs=-1, backend="threading")(
            delayed(errors_of)(each, fit, seed, quick=options.quick) for _, fit, seed in jobs
        )
        for horizon, figures in zip(by_horizon, zip(*found, strict=True), strict=True):
            errors: Errors = {}
            for (name, _, _), error in zip(jobs, figures, strict=True):
                errors.setdefault(name, []).append(error)
            by_horizon[horizon][each.name] = errors
            report.add(f"{each.name}, {horizon}", errors, "MASE", relate=False)
    long = [each.name for each in chosen if len(each.values) >= LONG]
    unseen = [each.name for each in chosen if each.unseen]
    for horizon, by_series in by_horizon.items():
        _summarize(report, horizon, by_series, long, unseen)
    report.close()


def _summarize(
    report: Report,
    horizon: str,
    by_series: dict[str, Errors],
    long: list[str],
    unseen: list[str],
) -> None:
    means = {
        name: {series: np.mean(errors[name]) for series, errors in by_series.items()}
        for name in next(iter(by_series.values()))
    }

    def compare(what: str, baseline: str | None, names: list[str]) -> None:
        """Add the geometric mean over some series of MASE, or of its ratio to a method's."""
        ratios = {
            method: np.array([mase[name] for name in names])
            / (np.array([means[baseline][name] for name in names]) if baseline else 1.0)
            for method, mase in means.items()
        }
        report.add(
            f"{horizon}: {what}",
            {method: [float(np.exp(np.log(each).mean()))] for method, each in ratios.items()},
            "x" if baseline else "MASE",
            relate=False,
        )

    every = list(by_series)
    compare(f"geometric mean over {len(every)} series", None, every)
    for baseline in (NAIVE, SEASONAL):
        compare(f"error relative to {baseline}, geometric mean", baseline, every)
        report.add(
            f"{horizon}: series with a smaller error than {baseline}, of {len(every)}",
            {
                method: [float(sum(mase[name] < means[baseline][name] for name in every))]
                for method, mase in means.items()
            },
            "series",
            relate=False,
        )
    if eight := [name for name in EIGHT if name in by_series]:
        compare(f"error relative to {NAIVE} on the {len(eight)} of the intervals", NAIVE, eight)
    for baseline in (NAIVE, SEASONAL) if unseen else ():
        compare(f"error relative to {baseline}, the {len(unseen)} of --data", baseline, unseen)
    for baseline in (THETA, ETS_, BOOSTING):
        if baseline in means and long:
            compare(f"error relative to {baseline}, {len(long)} long series", baseline, long)


if __name__ == "__main__":
    main()
