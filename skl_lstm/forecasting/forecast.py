"""Forecasts over several steps with a model of the next step: predict, append, repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skl_lstm.checks import check_integer
from skl_lstm.compositions.parts import look_back
from skl_lstm.forecasting.calendar import following
from skl_lstm.forecasting.walk import walk_forward
from skl_lstm.windowing.supervised import as_frame

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
    """Forecast several steps ahead with a model that predicts the next value or values.

    The model predicts what follows the last row of the history; the prediction is appended to
    the history, and so on. A model with `horizon` outputs per column proceeds in blocks of
    `horizon` rows.

    Parameters
    ----------
    model : fitted regressor
        Model fitted on the output of :func:`make_supervised`: its prediction for a row is the
        next row, or several next rows, with all columns of a step side by side. It can be any
        scikit-learn composition: a Pipeline, a TransformedTargetRegressor around it, or a
        search.
    history : Series, DataFrame or array-like of shape (n,) or (n, n_columns)
        The series up to now, oldest row first, in the units that the model was fitted on.
    steps : int
        Number of rows to forecast.
    future : DataFrame of shape (steps, n_known), default=None
        Columns of the history that are known ahead (calendar, price, weather), for the rows to
        forecast. The model predicts all other columns, in their order. If the index holds dates
        or periods, they must be those of the forecast.
    freq : str, offset or int, default=None
        Step between two rows of the history: a pandas frequency, or an integer if the rows are
        numbered. If None, it is inferred from the index of the history, which must then have no
        holes; if given, the rows are taken to be consecutive.

    Returns
    -------
    ahead : Series of shape (steps,) or DataFrame of shape (steps, n_targets)
        The forecast, with an index that continues that of the history; a DataFrame if the model
        predicts several columns.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError
        If the model is not a regressor, or its number of outputs is not a multiple of the number
        of columns to predict; if `steps` is not a positive integer; if the history is shorter
        than `look_back`, ends with a missing value, or has an index that cannot be continued; or
        if `future` does not have the required rows and columns.

    See Also
    --------
    forecast_interval : Adds an interval around each value.
    backtest : Evaluates such forecasts on past data.

    Notes
    -----
    A model does not tell which columns it predicts; they are taken to be those that `future`
    leaves out. Without `future`, two outputs that are two steps of one column are mistaken for
    one step of two columns if the history has two columns. So pass `future` whenever the model
    does not predict every column of the history.

    The last row of `future` is required so that there is one row per step, but no forecast
    depends on it: what is predicted from that row lies beyond the forecast.

    A model that consists only of parts of scikit-learn and this package receives only the rows
    that its windows cover. If another part might look at rows other than its own (a third-party
    estimator, a FunctionTransformer with a Python function, a stateful network), the model
    receives the whole history at each step; a shorter history is then faster.

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
    """Check the inputs of a forecast, which are those of :func:`forecast`.

    Returns
    -------
    rows : DataFrame of shape (n + steps, n_columns)
        The history, followed by the values known ahead; values to forecast are NaN.
    times : Index of length steps
        Index of the rows to forecast.
    targets : Index
        Names of the columns that are not known ahead.
    """
    check_integer("steps", steps)
    check_regressor(model)
    check_is_fitted(model)
    past = _as_history(history, model)
    times = following(past.index, steps, freq)
    rows, targets = _extend(past, times, future)
    return rows, times, targets


def check_regressor(model: Any) -> None:
    """Raise ValueError unless `model` is a regressor, or can predict and has no declared type."""
    if not hasattr(model, "predict") or get_tags(model).estimator_type not in ("regressor", None):
        raise ValueError(f"model must be a regressor, got {type(model).__name__}")


def _as_history(history: Any, model: Any) -> pd.DataFrame:
    """Return the history as a DataFrame, at least as long as the longest window of `model`."""
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
    """Append the values known ahead to the history.

    Returns
    -------
    rows : DataFrame of shape (n + steps, n_columns)
        The columns that are not known ahead are NaN in the last rows.
    targets : Index
        Names of the columns that are not known ahead.
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


def _check_future(future: Any, past: pd.DataFrame, times: pd.Index) -> pd.DataFrame:
    """Return `future` with the index of the forecast, if it has the required rows and columns."""
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
