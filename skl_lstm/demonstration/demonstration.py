"""Search, compare, forecast, save and plot: the package demonstrated on a series."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline

from skl_lstm.estimators.forecaster import LSTMForecaster
from skl_lstm.forecasting.forecast import forecast
from skl_lstm.forecasting.intervals import forecast_interval
from skl_lstm.plotting.forecast_display import ForecastDisplay
from skl_lstm.windowing.calendar import frequency, season_of
from skl_lstm.windowing.supervised import make_supervised
from skl_lstm.windowing.windower import LookbackWindower

if TYPE_CHECKING:
    import pandas as pd

N_HELD_OUT = 24
FOLDS = TimeSeriesSplit(4, test_size=12)
STEPS = 12
COVERAGE = 0.9
SEEDS = range(5)

# Longer seasons (1440 rows in a day of minutes) would make the windows too long.
LONGEST_SEASON = 60
# Length of the longest window to try if there is no season.
SHORT_WINDOW = 12

# Limits that keep the demonstration short and its plot readable.
MOST_VALUES = 1000
MOST_DRAWN = 300

# The number of epochs is chosen so that short and long series get about as many updates.
BATCH_SIZE = 128
UPDATES = 1000


def check_length(series: pd.Series) -> None:
    """Raise ValueError unless the first fold has two seasons, or windows, to train on."""
    window = max(_season(series), SHORT_WINDOW)
    needed = N_HELD_OUT + FOLDS.n_splits * FOLDS.test_size + 2 * window + 2
    if len(series) < needed:
        raise ValueError(
            f"{series.name} has {len(series)} values, the demonstration needs {needed}: "
            f"{N_HELD_OUT} to hold out and the others to search on"
        )


def demonstrate(series: pd.Series, folder: Path) -> None:
    """Demonstrate the package on a series; save the model, its forecast and a plot.

    Parameters
    ----------
    series : Series
        The series to forecast, of a length that :func:`check_length` accepts.
    folder : Path
        Folder for the files.
    """
    n_given = len(series)
    series = series[-MOST_VALUES:]
    season = _season(series)
    known = series[:-N_HELD_OUT]
    share = f"the last {len(series)} of {n_given}" if len(series) < n_given else str(n_given)
    print(
        f"{series.name}: {share} values, {_time(series, 0)} to {_time(series, -1)}. "
        f"The last {N_HELD_OUT} are held out.\n"
    )
    model = _search(known, season).best_estimator_
    _compare(model, series, season)

    X, y = make_supervised(series)
    final = clone(model).fit(X, y)
    ahead = forecast_interval(final, series, STEPS, COVERAGE)
    joblib.dump(final, folder / "model.joblib")
    ahead.to_csv(folder / "forecast.csv")
    print(f"\nIn {folder.resolve()}:")
    print(f"  model.joblib  the model, fitted again on all {len(series)} values")
    print(f"  forecast.csv  {STEPS} steps ahead, with a {COVERAGE:.0%} interval")
    try:
        _draw_forecast(model, series, ahead, folder / "forecast.png")
        print("  forecast.png  the same as a plot, with the fitted values and those held out")
    except ImportError as error:
        print(f"  no plot: {error}")


def compose(season: int, n_rows: int) -> Pipeline:
    """Return the model whose other parameters are searched."""
    lstm = LSTMForecaster(
        epochs=max(20, UPDATES // math.ceil(n_rows / BATCH_SIZE)),
        batch_size=BATCH_SIZE,
        learning_rate=0.003,
        random_state=0,
    )
    return Pipeline([("window", LookbackWindower(look_back=season)), ("lstm", lstm)])


def _search(known: pd.Series, season: int) -> GridSearchCV:
    """Search parameters on the values before those held out, and print the results."""
    look_backs = [season, season + 1] if season > 1 else [SHORT_WINDOW // 2, SHORT_WINDOW]
    grid = {
        "lstm__window_scaling": ["last", "mean", "standard"],
        "lstm__reshape_mode": ["timesteps", "features"],
        "window__look_back": look_backs,
    }
    X, y = make_supervised(known)
    started = time.perf_counter()
    search = GridSearchCV(
        compose(season, len(X)), grid, cv=FOLDS, scoring="neg_mean_absolute_error"
    )
    with joblib.parallel_config(backend="threading", n_jobs=-1):
        search.fit(X, y)
    results = search.cv_results_
    print(
        f"Search among {len(results['params'])} settings on the first {len(known)}, "
        f"{FOLDS.n_splits} folds of TimeSeriesSplit, in {time.perf_counter() - started:.1f} s:\n"
    )
    names = [name.rpartition("__")[2] for name in grid]
    print("".join(f"{name:<16}" for name in names) + f"{'MAE':>10}{'+- over folds':>16}")
    for i in np.argsort(results["rank_test_score"], kind="stable"):
        settings = "".join(f"{results['params'][i][name]!s:<16}" for name in grid)
        mean, spread = -results["mean_test_score"][i], results["std_test_score"][i]
        print(f"{settings}{mean:>10.4g}{spread:>16.4g}")
    return search


def _compare(model: Any, series: pd.Series, season: int) -> None:
    """Print the errors of the model on the values held out, next to naive forecasts."""
    values, n_known = series.to_numpy(), len(series) - N_HELD_OUT
    known, truth = series[:n_known], values[n_known:]
    X, y = make_supervised(series)
    X_train, y_train, X_test = X[: n_known - 1], y[: n_known - 1], X[n_known - 1 :]
    others = [_with_seed(model, seed).fit(X_train, y_train) for seed in SEEDS]
    scale = np.abs(values[season:n_known] - values[: n_known - season]).mean()

    print("\nThe values held out, one step ahead, each from all that were before it:\n")
    naive = values[n_known - 1 : -1]
    seasonal = values[n_known - season : -season]
    _print_errors(truth, model.predict(X_test), naive, seasonal, scale)
    _print_spread(truth, [other.predict(X_test) for other in others], scale)

    print(f"\nThe values held out, 1 to {N_HELD_OUT} steps ahead from {_time(known, -1)}:\n")
    naive = np.repeat(values[n_known - 1], N_HELD_OUT)
    seasonal = np.resize(values[n_known - season : n_known], N_HELD_OUT)
    _print_errors(truth, forecast(model, known, N_HELD_OUT), naive, seasonal, scale)
    _print_spread(truth, [forecast(other, known, N_HELD_OUT) for other in others], scale)


def _print_errors(
    truth: NDArray, predictions: ArrayLike, naive: NDArray, seasonal: NDArray, scale: float
) -> None:
    rows = {
        "the model": predictions,
        "naive: the last value": naive,
        "seasonal naive: a season before": seasonal,
    }
    print(f"{'':<32}{'RMSE':>10}{'MAE':>10}{'MASE':>10}")
    for name, values in rows.items():
        errors = np.abs(truth - values)
        rmse = np.sqrt((errors**2).mean())
        mase = f"{errors.mean() / scale:.2f}" if scale else "-"
        print(f"{name:<32}{rmse:>10.4g}{errors.mean():>10.4g}{mase:>10}")


def _print_spread(truth: NDArray, by_seed: list[ArrayLike], scale: float) -> None:
    if not scale:
        print("No MASE: the seasonal naive forecast had no error before to compare with")
        return
    mases = [np.abs(truth - predictions).mean() / scale for predictions in by_seed]
    print(
        f"The model's MASE with {len(mases)} seeds: {np.mean(mases):.2f} on average, "
        f"{min(mases):.2f} to {max(mases):.2f}"
    )


def _with_seed(model: Any, seed: int) -> Any:
    return clone(model).set_params(lstm__random_state=seed)


def _draw_forecast(model: Any, series: pd.Series, ahead: pd.DataFrame, file: Path) -> None:
    """Plot the predictions of the model fitted without the values held out, and the forecast."""
    import pandas as pd

    X, _ = make_supervised(series)
    said = pd.Series(model.predict(X), series.index[1:])[-MOST_DRAWN:]
    display = ForecastDisplay.from_predictions(
        series[-MOST_DRAWN:],
        fitted=said[:-N_HELD_OUT],
        predicted=said[-N_HELD_OUT:],
        forecast=ahead,
        coverage=COVERAGE,
    )
    display.figure_.savefig(file, dpi=150)


def _season(series: pd.Series) -> int:
    season = season_of(frequency(series.index))
    return season if season <= LONGEST_SEASON else 1


def _time(series: pd.Series, row: int) -> str:
    return str(series.index[row]).removesuffix(" 00:00:00")
