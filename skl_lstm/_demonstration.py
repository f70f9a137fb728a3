"""What ``python -m skl_lstm`` does: search, compare, forecast, save, draw."""

from __future__ import annotations

import math
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from ._forecaster import LSTMForecaster
from ._forecasting import forecast
from ._index import frequency, season_of
from ._intervals import forecast_interval
from ._plotting import ForecastDisplay
from ._windowing import LookbackWindower, make_supervised

if TYPE_CHECKING:
    import pandas as pd

N_HELD_OUT = 24
FOLDS = TimeSeriesSplit(4, test_size=12)
STEPS = 12
COVERAGE = 0.9
SEEDS = range(5)

# A season of more rows (a day of minutes) is longer than a window of the demonstration.
LONGEST_SEASON = 60
# Where there is no season, windows of up to so many rows are tried.
SHORT_WINDOW = 12

# More, and a demonstration would be long, or its picture crowded.
MOST_VALUES = 1000
MOST_DRAWN = 300

# Epochs are such that a short series and a long one are given about as many updates.
BATCH_SIZE = 128
UPDATES = 1000


def load_series(file: str, column: str, date_column: str | None) -> pd.Series:
    """Load one column of a csv file, indexed by another where it has dates.

    Raises
    ------
    ValueError
        With a sentence that says what is wrong with the file.
    """
    import pandas as pd

    try:
        table = pd.read_csv(file, dtype=str)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{file} cannot be read: {reason}") from error
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes a surplus field for labels
        raise ValueError(
            f"{file} must have a name in its first line for each field, got "
            f"{len(table.columns)} names and rows of more fields"
        )
    for name in (column, date_column):
        if name is not None and name not in table:
            raise ValueError(f"{file} has no column {name!r}, but {list(table.columns)}")
    values = pd.to_numeric(table[column], errors="coerce").astype(np.float64)
    _check_rows(file, column, "a number", table[column], values.abs() < np.inf)
    if date_column is None:
        return values.rename(column)
    index = _read_dates(file, date_column, table[date_column])
    try:
        freq = frequency(index)
    except ValueError as error:
        advice_apart = str(error).partition(";")[0]
        raise ValueError(f"{file}, dates in {date_column!r}: {advice_apart}") from error
    return values.rename(column).set_axis(pd.DatetimeIndex(index, freq=freq, name=date_column))


def _read_dates(file: str, column: str, texts: pd.Series) -> pd.DatetimeIndex:
    """Read dates that can be read in one way only."""
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that each is parsed by itself, which may be slow
            month_first, day_first = (
                pd.DatetimeIndex(pd.to_datetime(texts, errors="coerce", dayfirst=day_first))
                for day_first in (False, True)
            )
    except ValueError as error:
        raise ValueError(
            f"{file} must have dates of one UTC offset in {column!r}, got several"
        ) from error
    year_first = texts.str.match(r"\d{4}").all()
    if not year_first and day_first.notna().all() and not day_first.equals(month_first):
        row = int(np.argmax(day_first != month_first))
        raise ValueError(
            f"{file} must have dates in {column!r} of which day and month are told apart, as in "
            f"YYYY-MM-DD, got {texts.iloc[row]!r} in row {row + 1}"
        )
    _check_rows(file, column, "a date", texts, np.asarray(month_first.notna()))
    return month_first


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
    """Show on a series what the package is for, and leave model, forecast and picture behind.

    Parameters
    ----------
    series : Series
        What to forecast, of a length that :func:`check_length` allows.
    folder : Path
        Where to leave them.
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
    # Of all values: those held out must have a logarithm, too.
    search = _search(known, season, logarithms=bool(series.min() > 0))
    model = search.best_estimator_
    _compare(model, series, season)

    X, y = make_supervised(series)
    final = clone(model).fit(X, y)
    ahead = forecast_interval(final, series, STEPS, COVERAGE)
    joblib.dump(final, folder / "model.joblib")
    ahead.to_csv(folder / "forecast.csv")
    print(f"\nIn {folder.resolve()}:")
    print(f"  model.joblib  the model, fitted anew on all {len(series)} values")
    print(f"  forecast.csv  {STEPS} steps ahead, with a {COVERAGE:.0%} interval")
    try:
        _draw(model, series, ahead, folder / "forecast.png")
        print("  forecast.png  the same as a picture, with what was fitted and held out")
    except ImportError as error:
        print(f"  no picture: {error}")


def compose(season: int, n_rows: int, logarithms: bool) -> TransformedTargetRegressor:
    """Compose the model whose further parameters are searched."""
    lstm = LSTMForecaster(
        epochs=max(20, UPDATES // math.ceil(n_rows / BATCH_SIZE)),
        batch_size=BATCH_SIZE,
        learning_rate=0.003,
        random_state=0,
    )
    return TransformedTargetRegressor(
        regressor=Pipeline(
            [
                ("scale", _scaler(logarithms)),
                ("window", LookbackWindower(look_back=season)),
                ("lstm", lstm),
            ]
        ),
        transformer=_scaler(logarithms),
    )


def _scaler(logarithms: bool) -> Pipeline:
    """Make growth in percent even, and keep the network where it is all but straight.

    Sigmoids and tangents level out; on a narrow range they hardly bend, so that the network
    goes on beyond the values that it has seen.
    """
    log = FunctionTransformer(np.log, np.exp, check_inverse=False)
    return make_pipeline(log if logarithms else "passthrough", MinMaxScaler((-0.03, 0.03)))


def _search(known: pd.Series, season: int, logarithms: bool) -> GridSearchCV:
    """Choose parameters on the values before those held out, and print how each did."""
    look_backs = [season, season + 1] if season > 1 else [SHORT_WINDOW // 2, SHORT_WINDOW]
    grid = {
        "regressor__lstm__reshape_mode": ["timesteps", "features"],
        "regressor__lstm__units": [16, 32],
        "regressor__window__look_back": look_backs,
    }
    X, y = make_supervised(known)
    started = time.perf_counter()
    search = GridSearchCV(
        compose(season, len(X), logarithms), grid, cv=FOLDS, scoring="neg_mean_absolute_error"
    )
    with joblib.parallel_config(backend="threading", n_jobs=-1):
        search.fit(X, y)
    results = search.cv_results_
    print(
        f"Search among {len(results['params'])} settings on the first {len(known)}, "
        f"{FOLDS.n_splits} folds of TimeSeriesSplit, in {time.perf_counter() - started:.1f} s:\n"
    )
    names = [name.rpartition("__")[2] for name in grid]
    print("".join(f"{name:<14}" for name in names) + f"{'MAE':>10}{'+- over folds':>16}")
    for i in np.argsort(results["rank_test_score"], kind="stable"):
        settings = "".join(f"{results['params'][i][name]!s:<14}" for name in grid)
        mean, spread = -results["mean_test_score"][i], results["std_test_score"][i]
        print(f"{settings}{mean:>10.4g}{spread:>16.4g}")
    return search


def _compare(model: Any, series: pd.Series, season: int) -> None:
    """Print how good the model is on the values held out, beside naive forecasts."""
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
        print("No MASE: the seasonal naive forecast had no error before to compare by")
        return
    mases = [np.abs(truth - predictions).mean() / scale for predictions in by_seed]
    print(
        f"The model's MASE with {len(mases)} seeds: {np.mean(mases):.2f} on average, "
        f"{min(mases):.2f} to {max(mases):.2f}"
    )


def _with_seed(model: Any, seed: int) -> Any:
    return clone(model).set_params(regressor__lstm__random_state=seed)


def _draw(model: Any, series: pd.Series, ahead: pd.DataFrame, file: Path) -> None:
    """Draw what the model of the values before those held out says, and what is ahead."""
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


def _check_rows(
    file: str, column: str, wanted: str, texts: pd.Series, good: pd.Series | NDArray
) -> None:
    if good.all():
        return
    row = int(np.argmin(good))
    text = "nothing" if texts.isna().iloc[row] else repr(texts.iloc[row])
    raise ValueError(
        f"{file} must have {wanted} in each row of {column!r}, got {text} in row {row + 1}"
    )
