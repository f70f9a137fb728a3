"""How sure a forecast is: conformal intervals from walk-forward residuals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from ._checks import check_integer
from ._forecasting import (
    as_history,
    check_regressor,
    extend,
    model_input,
    predict_blocks,
    walk_forward,
)
from ._index import following
from ._windowing import make_supervised

if TYPE_CHECKING:
    import pandas as pd


def forecast_interval(
    model: Any,
    history: pd.Series | pd.DataFrame | ArrayLike,
    steps: int,
    coverage: float = 0.9,
    calibration: int | None = None,
    *,
    future: pd.DataFrame | None = None,
    freq: Any = None,
) -> pd.DataFrame:
    """Forecast so many steps ahead, with an interval around each value."""
    import pandas as pd

    check_integer("steps", steps)
    check_regressor(model)
    check_is_fitted(model)
    _check_coverage(coverage)
    past = as_history(history, model)
    times = following(past.index, steps, freq)
    rows, targets = extend(past, times, future)
    n_known = len(past)
    if calibration is None:
        calibration = max(_least_residuals(coverage), n_known // 3)
    values = walk_forward(model, rows, [n_known - 1], steps, targets)[0]
    residuals = _residuals(model, rows[:n_known], calibration, steps, targets)
    half_widths = np.sort(np.abs(residuals), axis=0)[_rank(coverage, calibration) - 1]
    frames = {
        target: pd.DataFrame(
            {"lower": value - width, "forecast": value, "upper": value + width},
            index=times,
        )
        for target, value, width in zip(targets, values.T, half_widths.T, strict=True)
    }
    return pd.concat(frames, axis=1) if len(targets) > 1 else frames[targets[0]]


def _residuals(
    model: Any, rows: pd.DataFrame, n_origins: int, steps: int, targets: pd.Index
) -> NDArray[np.float64]:
    """Forecast the last rows, origin after origin, with a model that has not seen them.

    Returns
    -------
    residuals : ndarray of shape (n_origins, steps, n_targets)
        Truth less forecast.
    """
    origins = np.arange(len(rows) - steps - n_origins, len(rows) - steps)
    horizon = predict_blocks(model, rows.iloc[-1:], targets).shape[1]
    before = rows.iloc[: origins[0] + 1]
    y = make_supervised(before[targets], horizon)[1]
    refitted = clone(model).fit(model_input(model, before.iloc[:-horizon]), y)
    truth = rows[targets].to_numpy()[origins[:, np.newaxis] + np.arange(1, steps + 1)]
    return truth - walk_forward(refitted, rows, origins, steps, targets)


def _rank(coverage: float, n_residuals: int) -> int:
    """Tell which of so many residuals, in order of size, `coverage` of new ones stay below."""
    return math.ceil(round((n_residuals + 1) * coverage, 9))


def _least_residuals(coverage: float) -> int:
    return math.ceil(round(coverage / (1 - coverage), 9))


def _check_coverage(coverage: Any) -> None:
    pass
