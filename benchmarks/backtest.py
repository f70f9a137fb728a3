"""A backtest of 30 origins x 24 hours, fitted once: darts, skforecast, skl_lstm.

How long does it take to fit an LSTM of 32 units, which reads 48 hours, to the first 1,280 of
2,000 hours, and to forecast the next 24 hours from each of 30 origins, a day apart? All sides have
the same network, number of epochs, batch size, optimizer and learning rate, and the same origins,
and forecast all 24 hours at once, or hour by hour, with each forecast fed back. A side is the
function of its library: ``backtest(refit=False)``, ``historical_forecasts(retrain=False)`` of
darts, and ``backtesting_forecaster`` of skforecast, which also takes the estimator of skl_lstm
itself; it must forecast the same values then. The RNNModel of darts, which goes hour by hour,
learns every hour of sequences of 72, and not only what follows a window.

Scaling is what each library recommends: ``window_scaling`` in skl_lstm, the ``Scaler`` of darts,
or its normalization of each window, which is that of ``window_scaling="standard"``, and a
``MinMaxScaler`` in skforecast, which skl_lstm takes too. Each run has a seed of its own; the
errors are mean absolute errors. Sides whose errors overlap are alike.

The time is that of the whole, of the fit in it, and of all else: forecasts, tables and measures.
Before it, each side does the same with one epoch, which loads and compiles what it needs. The
network of skforecast is one of Keras, which is traced anew for each model. ``--data FOLDER`` is
the folder with ``ETTh1.csv``, of which the last 2,000 oil temperatures are taken; without it the
series is a day, a week and noise. Sides that are not installed are left out.
"""

from __future__ import annotations

import functools
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import _backtest_peers as peers
import numpy as np
import pandas as pd
from _backtest_peers import Plan
from _harness import OURS, SETTLE_SECONDS, Report, arguments, installed
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import LookbackWindower, LSTMForecaster, backtest

N_ROWS, N_ORIGINS, STEPS = 2000, 30, 24
PLAN = Plan(
    n_train=N_ROWS - N_ORIGINS * STEPS,
    n_origins=N_ORIGINS,
    steps=STEPS,
    look_back=48,
    units=32,
    epochs=20,
    batch_size=32,
    learning_rate=1e-3,
)
SCALING = "last"
DAY, WEEK = 24, 168
SEEDS = 5

# Few origins, after which the fit of skl_lstm alone is short.
QUICK = replace(PLAN, n_train=N_ROWS - 3 * STEPS, n_origins=3, look_back=24, epochs=1)

SAME = f"skforecast around {OURS}'s"

# Equal rows give equal weights up to the rounding of what is fed back.
ALLOWED = 1e-3

Forecasts = Callable[[pd.Series, Plan], NDArray]


def read(folder: Path | None) -> pd.Series:
    """Return the last oil temperatures of ETTh1, or a day, a week and noise without a folder."""
    if folder is not None:
        table = pd.read_csv(folder / "ETTh1.csv", index_col="date", parse_dates=["date"])
        return table["OT"].iloc[-N_ROWS:].asfreq("h").rename("value")
    hours = np.arange(N_ROWS)
    daily, weekly = (np.sin(2 * np.pi * hours / season) for season in (DAY, WEEK))
    noise = np.random.default_rng(0).normal(0.0, 0.5, N_ROWS)
    index = pd.date_range("2024-01-01", periods=N_ROWS, freq="h")
    return pd.Series(20 + 5 * daily + 2 * weekly + noise, index, name="value")


def network(plan: Plan, scaling: str | None = SCALING) -> LSTMForecaster:
    return LSTMForecaster(
        units=plan.units,
        window_scaling=scaling,
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        learning_rate=plan.learning_rate,
        random_state=plan.seed,
    )


def ours(
    series: pd.Series,
    plan: Plan,
    *,
    at_once: bool,
    refit: bool = False,
    scaling: str | None = SCALING,
) -> NDArray:
    """Forecast with skl_lstm; without a scaling of windows, with scalers of X and y."""
    model = make_pipeline(LookbackWindower(plan.look_back), network(plan, scaling))
    if scaling is None:
        model = TransformedTargetRegressor(
            make_pipeline(MinMaxScaler(), model), transformer=MinMaxScaler()
        )
    frame = backtest(
        model,
        series,
        cv=plan.n_origins,
        steps=plan.steps,
        stride=plan.steps,
        refit=refit,
        horizon=plan.steps if at_once else 1,
    ).frame
    said = frame.loc[frame["model"] == "model", "forecast"]
    return said.to_numpy().reshape(plan.n_origins, plan.steps)


def same_estimator(series: pd.Series, plan: Plan) -> NDArray:
    return peers.skforecast_around(network(plan), series, plan)


@contextmanager
def timed_fits(estimator: type) -> Iterator[list[float]]:
    """Note the time of each fit of a class, wherever it is called."""
    seconds: list[float] = []
    fit = estimator.fit

    @functools.wraps(fit)
    def timed(*values: object, **named: object) -> object:
        start = time.perf_counter()
        try:
            return fit(*values, **named)
        finally:
            seconds.append(time.perf_counter() - start)

    with patch.object(estimator, "fit", timed):
        yield seconds


def sides_at_once() -> dict[str, Forecasts | None]:
    """Return the sides that forecast all steps at once."""
    darts, skforecast = installed("darts"), installed("skforecast")
    normalized = functools.partial(peers.darts_block, normalize=True)
    return {
        OURS: functools.partial(ours, at_once=True),
        f"{OURS}, standard": functools.partial(ours, at_once=True, scaling="standard"),
        f"{OURS}, MinMaxScaler": functools.partial(ours, at_once=True, scaling=None),
        "darts, Scaler": peers.darts_block if darts else None,
        "darts, instance normalization": normalized if darts else None,
        "skforecast, its own LSTM": peers.skforecast_network if skforecast else None,
    }


def sides_by_hour() -> dict[str, Forecasts | None]:
    """Return the sides that feed each forecast back."""
    return {
        OURS: functools.partial(ours, at_once=False),
        SAME: same_estimator if installed("skforecast") else None,
        "darts, RNNModel": peers.darts_recurrent if installed("darts") else None,
    }


def fitted_class(side: str) -> type:
    """Return the class whose fit a side calls."""
    if side.startswith("darts"):
        from darts.models.forecasting.torch_forecasting_model import TorchForecastingModel

        return TorchForecastingModel
    if side.startswith("skforecast, "):
        from skforecast.deep_learning import ForecasterRnn

        return ForecasterRnn
    return LSTMForecaster


def compare(
    report: Report,
    what: str,
    sides: dict[str, Forecasts | None],
    series: pd.Series,
    plan: Plan,
    runs: int,
) -> None:
    """Add the times of the sides in turn, one seed after the other, and their errors."""
    figures: dict[str, dict[str, list[float] | None]] = {
        name: {side: None if run is None else [] for side, run in sides.items()}
        for name in ("in all", "fit", "forecasts", "error")
    }
    here = {side: run for side, run in sides.items() if run is not None}
    for run in here.values():
        run(series, replace(plan, epochs=1))
    truth = series.to_numpy()[plan.n_train :].reshape(plan.n_origins, plan.steps)
    for seed in range(runs):
        said = {}
        for side, run in here.items():
            gc.collect()
            time.sleep(SETTLE_SECONDS)
            with timed_fits(fitted_class(side)) as fits:
                start = time.perf_counter()
                said[side] = run(series, replace(plan, seed=seed))
                seconds = time.perf_counter() - start
            error = float(np.abs(said[side] - truth).mean())
            measured = seconds, sum(fits), seconds - sum(fits), error
            for by_side, value in zip(figures.values(), measured, strict=True):
                by_side[side].append(value)
        if SAME in said:
            apart = np.abs(said[SAME] - said[OURS]).max() / np.ptp(truth)
            report.agree(f"{SAME} with {OURS}, seed {seed}", apart, ALLOWED)
    errors = figures.pop("error")
    for name, by_side in figures.items():
        report.add(f"{what}: {name}", by_side)
    report.add(f"{what}: error", naive_errors(series, plan) | errors, "MAE", relate=False)


def naive_errors(series: pd.Series, plan: Plan) -> dict[str, list[float] | None]:
    """Return the errors of the last value, and of that of the day before."""
    values, n_train = series.to_numpy(), plan.n_train
    truth = values[n_train:]
    last = values[n_train - 1 : -1 : plan.steps].repeat(plan.steps)
    return {
        name: [float(np.abs(said - truth).mean())]
        for name, said in (("naive", last), ("seasonal naive", values[n_train - DAY : -DAY]))
    }


def main() -> None:
    options = arguments(__doc__, runs=SEEDS, files={"data": "the folder with ETTh1.csv"})
    report = Report(__doc__, options)
    series, plan = read(options.data), QUICK if options.quick else PLAN
    compare(report, "24 hours at once", sides_at_once(), series, plan, options.runs)
    compare(report, "hour by hour", sides_by_hour(), series, plan, options.runs)
    again = {OURS: functools.partial(ours, at_once=True, refit=True)}
    compare(report, "24 hours at once, fitted for each origin", again, series, plan, runs=1)
    report.close()


if __name__ == "__main__":
    main()
