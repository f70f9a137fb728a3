"""Many steps ahead with a model of the next one: predict, append, go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from ._base import BaseLSTM
from ._checks import check_integer
from ._index import following
from ._windowing import LookbackWindower, as_frame

if TYPE_CHECKING:
    import pandas as pd


def forecast(
    model: Any,
    history: pd.Series | pd.DataFrame | ArrayLike,
    steps: int,
    *,
    future: pd.DataFrame | None = None,
    freq: Any = None,
) -> pd.Series | pd.DataFrame:
    """Forecast so many steps ahead with a model that predicts the next value, or values.

    The model predicts what follows the last row of the history; that becomes a row of the
    history, and so on. A model with `horizon` outputs a column goes on in blocks of `horizon`
    rows.

    Parameters
    ----------
    model : fitted regressor
        Fitted on what :func:`make_supervised` makes of the series: its prediction for a row is
        the row after it, or several rows after it, all columns of a step side by side. Any
        composition of scikit-learn's will do: a Pipeline, a TransformedTargetRegressor around
        it, a search.
    history : Series, DataFrame or array-like of shape (n,) or (n, n_columns)
        The series up to now, oldest row first, in the units that the model was fitted on.
    steps : int
        How many rows to forecast.
    future : DataFrame of shape (steps, n_known), default=None
        The columns of the history that are known ahead (calendar, price, weather), for the
        rows to be forecast. All other columns are what the model predicts, in their order.
        Where it is indexed by dates or periods, they must be those of the forecast.
    freq : str, offset or int, default=None
        What lies between two rows of the history: a frequency of pandas, or a whole number
        where rows are numbered. Where None, it is told from the history's index, which must
        then have no holes; where given, the rows are taken to be consecutive.

    Returns
    -------
    ahead : Series of shape (steps,) or DataFrame of shape (steps, n_targets)
        The forecast, its index going on from the history's; a DataFrame where the model
        predicts several columns.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError
        If the model is not a regressor, or its number of outputs is no multiple of the number
        of columns to predict; if `steps` is not a positive integer; if the history is shorter
        than `look_back`, ends with a missing value, or has an index that cannot be continued;
        if `future` has other rows or columns than wanted.

    See Also
    --------
    forecast_interval : The same with an interval around each value.
    backtest : How good such forecasts have been.

    Notes
    -----
    A model does not tell which columns its outputs are of: `future` does, by the columns that
    it leaves out. Without it, two outputs that are two steps of one column pass for a step of
    two columns, where the history has two; so pass it wherever the model does not predict
    every column of the history.

    The last row of `future` is asked for so that it has a row for each step, but no forecast
    depends on it: what is predicted from that row lies beyond.

    A model made of scikit-learn's and this package's own parts is handed only the rows that
    its windows reach back over. Where another part might look at other rows than its own (a
    part from elsewhere, a FunctionTransformer with a function of Python, a stateful network)
    it is handed the whole history, each step anew: then a shorter history is a faster one.

    Recursive and direct forecasting are compared by Ben Taieb, S. and Hyndman, R. J. (2012),
    *Recursive and direct multi-step forecasting: the best of both worlds*, Monash University.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skl_lstm import LookbackWindower, forecast, load_airline_passengers, make_supervised
    >>> series = load_airline_passengers()
    >>> X, y = make_supervised(series)
    >>> model = make_pipeline(LookbackWindower(12, padding="edge"), LinearRegression()).fit(X, y)
    >>> forecast(model, series, steps=3).round(1)
    Month
    1961-01-01    466.5
    1961-02-01    430.3
    1961-03-01    455.4
    Freq: MS, Name: passengers, dtype: float64
    """
    import pandas as pd

    rows, times, targets = begin(model, history, steps, future, freq)
    values = walk_forward(model, rows, [len(rows) - steps - 1], steps, targets)[0]
    ahead = pd.DataFrame(values, index=times, columns=targets)
    if len(targets) > 1:
        return ahead
    name = targets[0] if isinstance(history, pd.DataFrame) else getattr(history, "name", None)
    return ahead.iloc[:, 0].rename(name)


def begin(
    model: Any, history: Any, steps: int, future: pd.DataFrame | None, freq: Any
) -> tuple[pd.DataFrame, pd.Index, pd.Index]:
    """Check what a forecast is made of, as :func:`forecast` takes it.

    Returns
    -------
    rows : DataFrame of shape (n + steps, n_columns)
        The history and, below it, what is known ahead; NaN where that is nothing.
    times : Index of length steps
        When the rows ahead are.
    targets : Index
        The names of the columns that are not known ahead.
    """
    check_integer("steps", steps)
    check_regressor(model)
    check_is_fitted(model)
    past = _as_history(history, model)
    times = following(past.index, steps, freq)
    rows, targets = _extend(past, times, future)
    return rows, times, targets


def check_regressor(model: Any) -> None:
    """Raise unless `model` is a regressor, or predicts and does not say what it is."""
    if not hasattr(model, "predict") or get_tags(model).estimator_type not in ("regressor", None):
        raise ValueError(f"model must be a regressor, got {type(model).__name__}")


def _as_history(history: Any, model: Any) -> pd.DataFrame:
    """Make a frame of the history, of as many rows as the longest window of `model` at least."""
    if np.ndim(history) not in (1, 2):
        raise ValueError(f"history must have one or two dimensions, got {np.ndim(history)}")
    past = as_frame(history)
    if past.empty:
        raise ValueError(f"history must have at least one row and column, got shape {past.shape}")
    if not past.columns.is_unique:
        raise ValueError(f"history must have columns of different names, got {list(past.columns)}")
    if len(past) < look_back(model):
        raise ValueError(
            f"history must have at least look_back={look_back(model)} rows, got {len(past)}"
        )
    return past


def _extend(
    past: pd.DataFrame, times: pd.Index, future: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.Index]:
    """Put what is known ahead below the history.

    Returns
    -------
    rows : DataFrame of shape (n + steps, n_columns)
        What is not known ahead is NaN in the last rows.
    targets : Index
        The names of the columns that are not known ahead.
    """
    import pandas as pd

    future = pd.DataFrame(index=times) if future is None else _check_future(future, past, times)
    targets = past.columns[~past.columns.isin(future.columns)]
    past = past.astype(dict.fromkeys(targets, np.float64))
    missing = past.iloc[-1][targets].isna()
    if missing.any():
        raise ValueError(
            f"history must end with known values, got NaN in column {missing.idxmax()!r} of its "
            f"last row, {past.index[-1]}"
        )
    return pd.concat([past, future.reindex(columns=past.columns)]), targets


def walk_forward(
    model: Any,
    rows: pd.DataFrame,
    origins: ArrayLike,
    steps: int,
    targets: pd.Index,
) -> NDArray[np.float64]:
    """Forecast from each origin as if the rows after it were not known.

    Parameters
    ----------
    model : fitted regressor
        Predicts the `targets` of the row, or of several rows, after a row.
    rows : DataFrame of shape (n, n_columns)
        The series. Of the rows after an origin, only columns that are not targets are read.
    origins : array-like of int of shape (n_origins,)
        The positions of the last rows known, each with `steps` rows after it.
    steps : int
        How many rows to forecast from each.
    targets : Index
        Names of the columns that the model predicts.

    Returns
    -------
    paths : ndarray of shape (n_origins, steps, n_targets)
        The forecasts.

    Notes
    -----
    Where the model looks back over a known number of rows, all origins take a step together:
    their last rows stand one below the other in one call of ``predict``, and the answer for
    the last row of each does not depend on what stands above its windows.
    """
    origins = np.asarray(origins)
    reach = _reach(model)
    if reach is not None and reach <= origins.min() + 1:
        return _walk(model, rows, origins, reach, steps, targets)
    one_by_one = origins[:, np.newaxis]
    return np.concatenate(
        [_walk(model, rows, o, o[0] + 1, steps, targets, growing=True) for o in one_by_one]
    )


def _walk(
    model: Any,
    rows: pd.DataFrame,
    origins: NDArray[np.intp],
    n_known: int,
    steps: int,
    targets: pd.Index,
    growing: bool = False,
) -> NDArray[np.float64]:
    """Walk from all origins side by side, each with the last `n_known` rows that it knows.

    At each step the model is handed as many rows an origin or, where `growing`, all of them.
    """
    rows = rows.take((origins[:, np.newaxis] + np.arange(1 - n_known, steps + 1)).ravel())
    starts = np.arange(len(origins))[:, np.newaxis] * (n_known + steps)
    columns = rows.columns.get_indexer(targets)
    paths = np.empty((len(origins), steps, len(targets)))
    done = 0
    while done < steps:
        window = starts + np.arange(0 if growing else done, n_known + done)
        blocks = predict_blocks(model, rows.take(window.ravel()), targets)
        block = blocks[window.shape[1] - 1 :: window.shape[1], : steps - done]
        until = done + block.shape[1]
        ahead = starts + n_known + np.arange(done, until)
        rows.iloc[ahead.ravel(), columns] = block.reshape(-1, len(targets))
        paths[:, done:until] = block
        done = until
    return paths


def predict_blocks(model: Any, rows: pd.DataFrame, targets: pd.Index) -> NDArray[np.float64]:
    """Predict what follows each row, as an array (n_rows, horizon, n_targets)."""
    outputs = np.asarray(model.predict(model_input(model, rows)), dtype=np.float64)
    n_outputs = outputs.size // len(rows)
    if n_outputs % len(targets):
        raise ValueError(
            "future must hold all columns but those that the model predicts: it lacks "
            f"{list(targets)}, and the outputs of the model are {n_outputs}"
        )
    return outputs.reshape(len(rows), -1, len(targets))


def model_input(model: Any, rows: pd.DataFrame) -> pd.DataFrame | NDArray:
    """Give the rows with their names, unless the model was fitted without."""
    nameless = hasattr(model, "n_features_in_") and not hasattr(model, "feature_names_in_")
    return rows.to_numpy() if nameless else rows


def _check_future(future: Any, past: pd.DataFrame, times: pd.Index) -> pd.DataFrame:
    """Give `future` the index of the forecast, if it has the rows and columns wanted."""
    import pandas as pd

    if not isinstance(future, pd.DataFrame):
        raise ValueError(f"future must be a DataFrame, got {type(future).__name__}")
    if len(future) != len(times):
        raise ValueError(f"future must have steps={len(times)} rows, got {len(future)}")
    if not future.columns.is_unique:
        raise ValueError(
            f"future must have columns of different names, got {list(future.columns)}"
        )
    strange = future.columns[~future.columns.isin(past.columns)]
    if len(strange):
        raise ValueError(
            f"future must hold columns of history, {list(past.columns)}, got {list(strange)}"
        )
    if past.columns.isin(future.columns).all():
        raise ValueError(
            f"future must leave out what is to be forecast, got all of {list(past.columns)}"
        )
    for name in future.columns[[pd.api.types.is_numeric_dtype(past[c]) for c in future.columns]]:
        try:
            future[name].astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"future must hold numbers in column {name!r}, as history does: {error}"
            ) from None
    dated = isinstance(future.index, pd.DatetimeIndex | pd.PeriodIndex)
    if dated and not future.index.equals(times):
        raise ValueError(
            f"future must be indexed from {times[0]} to {times[-1]}, as the forecast is, got "
            f"{future.index[0]} to {future.index[-1]}"
        )
    return future.set_axis(times)


def _reach(model: Any) -> int | None:
    """Tell how many rows, the last included, a prediction depends on; None: on any of them."""
    if any(_may_mix_rows(part) for part in _parts(model)):
        return None
    # The sum, since windows of windows reach back over both.
    return 1 + sum(n_rows - 1 for n_rows in _look_backs(model))


def look_back(model: Any) -> int:
    """Tell how many rows the longest window of a fitted model holds."""
    return max(_look_backs(model), default=1)


def _look_backs(model: Any) -> list[int]:
    windowers = (part for part in _parts(model) if isinstance(part, LookbackWindower))
    return [len(windower.head_) for windower in windowers if hasattr(windower, "head_")]


def _may_mix_rows(part: Any) -> bool:
    """Tell whether its answer for a row may depend on other rows, windows excepted."""
    from sklearn.preprocessing import FunctionTransformer  # late: it takes long to import

    if isinstance(part, FunctionTransformer):
        functions = (part.func, part.inverse_func)
        return not all(isinstance(function, np.ufunc | None) for function in functions)
    if isinstance(part, BaseLSTM):
        network: Any = getattr(part, "network_", part)
        return network.stateful
    return type(part).__module__.partition(".")[0] not in ("sklearn", "skl_lstm")


def _parts(model: Any) -> Iterator[Any]:
    """Find all estimators that a model is made of, itself included."""
    pending, seen = [model], set()
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, list | tuple):
            pending.extend(part)
        elif isinstance(part, dict):
            pending.extend(part.values())
        elif hasattr(part, "fit") and not isinstance(part, type):
            yield part
            pending.extend(getattr(part, "__dict__", {}).values())
