"""Supervised targets: each value of a series paired with what follows it."""

from __future__ import annotations

from typing import Any

import numpy as np

from skl_lstm.checks import check_integer


def make_supervised(series: Any, horizon: int = 1) -> tuple[Any, Any]:
    """Pair each value of a series with the value, or values, that follow it.

    Parameters
    ----------
    series : Series, DataFrame or array-like of shape (n,) or (n, n_columns)
        The series, oldest value first.
    horizon : int, default=1
        Number of steps ahead that the target covers.

    Returns
    -------
    X : DataFrame or ndarray of shape (n - horizon, n_columns)
        ``X[t]`` is the series at ``t``.
    y : Series, DataFrame or ndarray of shape (n - horizon,) or (n - horizon, horizon * n_columns)
        ``y[t]`` is the series at ``t + 1 … t + horizon``, with all columns of a step side by
        side; one-dimensional if that is a single column. It has the index of ``X``: the target
        of the row at ``t`` has the label ``t``.

    Raises
    ------
    ValueError
        If `horizon` is not a positive integer, or the series is not longer than it.

    Examples
    --------
    >>> from skl_lstm import make_supervised
    >>> X, y = make_supervised([1.0, 2.0, 3.0, 4.0])
    >>> X.ravel(), y
    (array([1., 2., 3.]), array([2., 3., 4.]))
    >>> X, y = make_supervised([1.0, 2.0, 3.0, 4.0], horizon=2)
    >>> y
    array([[2., 3.],
           [3., 4.]])
    """
    import pandas as pd  # late: prediction alone does not need it

    check_integer("horizon", horizon)
    frame = as_frame(series)
    n_rows = len(frame) - horizon
    if n_rows < 1:
        raise ValueError(
            f"series must have more values than horizon={horizon}, got {len(frame)} of them"
        )
    X = frame.iloc[:n_rows]
    targets = [frame.iloc[ahead : ahead + n_rows] for ahead in range(1, horizon + 1)]
    y = pd.concat([target.set_axis(X.index) for target in targets], axis=1)
    if horizon > 1:
        y.columns = [
            f"{name}_step{ahead}" for ahead in range(1, horizon + 1) for name in frame.columns
        ]
    target = y.iloc[:, 0] if y.shape[1] == 1 else y
    if isinstance(series, pd.Series | pd.DataFrame):
        return X, target
    return X.to_numpy(), target.to_numpy()


def as_frame(series: Any) -> Any:
    """Return a series as a DataFrame; the column of an unnamed Series is called "value"."""
    import pandas as pd

    if isinstance(series, pd.Series):
        return series.to_frame("value" if series.name is None else series.name)
    return series if isinstance(series, pd.DataFrame) else pd.DataFrame(np.asarray(series))
