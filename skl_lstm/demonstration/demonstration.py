"""Search, compare, forecast, save and plot: the package demonstrated on a series."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstm.demonstration.data import Data
from skl_lstm.demonstration.plan import Plan, make_plan
from skl_lstm.estimators.forecaster import LSTMForecaster
from skl_lstm.forecasting.forecast import forecast
from skl_lstm.forecasting.intervals import forecast_interval
from skl_lstm.plotting.forecast_display import ForecastDisplay
from skl_lstm.windowing.calendar import frequency, label_text, season_of
from skl_lstm.windowing.supervised import make_supervised
from skl_lstm.windowing.windower import LookbackWindower

if TYPE_CHECKING:
    import pandas as pd

SEEDS = range(5)

# A limit that keeps the demonstration short.
MOST_VALUES = 1000

# The number of epochs is chosen so that short and long series get about as many updates.
BATCH_SIZE = 128
UPDATES = 1000


def plan_for(data: Data, n_held_out: int | None = None, steps: int | None = None) -> Plan:
    """Plan the demonstration of a series, which :func:`make_plan` may refuse."""
    freq = frequency(data.frame.index) if data.freq is None else data.freq
    n_values = min(len(data.frame) - data.n_ahead, MOST_VALUES)
    return make_plan(n_values, season_of(freq), n_held_out, steps, data.n_ahead)


def demonstrate(data: Data, plan: Plan, folder: Path) -> None:
    """Demonstrate the package on a series; save the model, its forecast and a plot.

    Parameters
    ----------
    data : Data
        The series to forecast.
    plan : Plan
        What :func:`plan_for` returns for it.
    folder : Path
        Folder for the files.
    """
    n_given = len(data.frame) - data.n_ahead
    data = data.last(MOST_VALUES)
    n_values = len(data.past)
    share = f"the last {n_values} of {n_given}" if n_values < n_given else str(n_given)
    print(
        f"{data.target}: {share} values, {_time(data.past, 0)} to {_time(data.past, -1)}. "
        f"The last {plan.n_held_out} are held out.\n"
    )
    model = _search(data, plan).best_estimator_
    _compare(model, data, plan)

    X, y = make_supervised(data.past, **data.layout)
    final = clone(model).fit(X, y)
    ahead = forecast_interval(
        final, data.frame, plan.steps, plan.coverage, **data.roles, freq=data.freq
    )
    joblib.dump(final, folder / "model.joblib")
    ahead.to_csv(folder / "forecast.csv")
    print(f"\nIn {folder.resolve()}:")
    print(f"  model.joblib  the model, fitted again on all {n_values} values")
    print(f"  forecast.csv  {plan.steps} steps ahead, with an interval of {plan.coverage:.0%}")
    try:
        _draw_forecast(model, data, plan, ahead, folder / "forecast.png")
        print("  forecast.png  the same as a plot, with the fitted values and those held out")
    except ImportError as error:
        print(f"  no plot: {error}")


def compose(data: Data, n_rows: int) -> Pipeline:
    """Return the model whose other parameters are searched."""
    lstm = LSTMForecaster(
        epochs=max(20, UPDATES // math.ceil(n_rows / BATCH_SIZE)),
        batch_size=BATCH_SIZE,
        learning_rate=0.003,
        random_state=0,
    )
    window = LookbackWindower(freq=None if data.freq is None else "rows")
    steps = [("window", window), ("lstm", lstm)]
    return Pipeline([("scale", _scale_known(data)), *steps] if data.known else steps)


def _scale_known(data: Data) -> ColumnTransformer:
    """Scale the columns known ahead; the target is scaled in each window."""
    columns = [("target", "passthrough", [data.target]), ("known", StandardScaler(), data.known)]
    scale = ColumnTransformer(columns, verbose_feature_names_out=False)
    return scale.set_output(transform="pandas")


def _search(data: Data, plan: Plan) -> GridSearchCV:
    """Search parameters on the values before those held out, and print the results."""
    n_known = len(data.past) - plan.n_held_out
    X, y = make_supervised(data.past[:n_known], **data.layout)
    started = time.perf_counter()
    search = GridSearchCV(
        compose(data, len(X)), plan.grid, cv=plan.folds, scoring="neg_mean_absolute_error"
    )
    with joblib.parallel_config(backend="threading", n_jobs=-1):
        search.fit(X, y)
    results = search.cv_results_
    print(
        f"Search among {len(results['params'])} settings on the first {n_known}, "
        f"{plan.folds.n_splits} folds of TimeSeriesSplit, in "
        f"{time.perf_counter() - started:.1f} s:\n"
    )
    names = [name.rpartition("__")[2] for name in plan.grid]
    print("".join(f"{name:<16}" for name in names) + f"{'MAE':>10}{'+- over folds':>16}")
    for i in np.argsort(results["rank_test_score"], kind="stable"):
        settings = "".join(f"{results['params'][i][name]!s:<16}" for name in plan.grid)
        mean, spread = -results["mean_test_score"][i], results["std_test_score"][i]
        print(f"{settings}{mean:>10.4g}{spread:>16.4g}")
    return search


def _compare(model: Any, data: Data, plan: Plan) -> None:
    """Print the errors of the model on the values held out, next to naive forecasts."""
    n_held_out, season = plan.n_held_out, plan.season
    past, values = data.past, data.past[data.target].to_numpy()
    n_known = len(past) - n_held_out
    known, truth = past[:n_known], values[n_known:]
    X, y = make_supervised(past, **data.layout)
    X_train, y_train, X_test = X[: n_known - 1], y[: n_known - 1], X[n_known - 1 :]
    others = [_with_seed(model, seed).fit(X_train, y_train) for seed in SEEDS]
    scale = np.abs(values[season:n_known] - values[: n_known - season]).mean()

    print("\nThe values held out, one step ahead, each from all that were before it:\n")
    naive = values[n_known - 1 : -1]
    seasonal = values[n_known - season : -season]
    _print_errors(truth, model.predict(X_test), naive, seasonal, scale)
    _print_spread(truth, [other.predict(X_test) for other in others], scale)

    print(f"\nThe values held out, 1 to {n_held_out} steps ahead from {_time(known, -1)}:\n")
    naive = np.repeat(values[n_known - 1], n_held_out)
    seasonal = np.resize(values[n_known - season : n_known], n_held_out)
    given = {**data.roles, "future": past[n_known:][data.known], "freq": data.freq}
    _print_errors(truth, forecast(model, known, n_held_out, **given), naive, seasonal, scale)
    ahead = [forecast(other, known, n_held_out, **given) for other in others]
    _print_spread(truth, ahead, scale)


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
    ours, theirs = (np.abs(truth - values).mean() for values in (predictions, seasonal))
    if ours > theirs:
        print(f"The model loses to the seasonal naive forecast, whose MAE is {theirs:.4g}")


def _print_spread(truth: NDArray, by_seed: Sequence[ArrayLike], scale: float) -> None:
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


def _draw_forecast(model: Any, data: Data, plan: Plan, ahead: pd.DataFrame, file: Path) -> None:
    """Plot the predictions of the model fitted without the values held out, and the forecast."""
    import pandas as pd

    X, _ = make_supervised(data.past, **data.layout)
    said = pd.Series(model.predict(X), data.past.index[1:])
    display = ForecastDisplay.from_predictions(
        data.past[data.target],
        fitted=said[: -plan.n_held_out],
        predicted=said[-plan.n_held_out :],
        forecast=ahead,
        coverage=plan.coverage,
    )
    display.figure_.savefig(file, dpi=150)


def _time(rows: pd.DataFrame, row: int) -> str:
    return label_text(rows.index[row])
