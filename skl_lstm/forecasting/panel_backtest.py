"""Backtests of several series, all of them forecast from the same past times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed

from skl_lstm.forecasting.course import check_steps_ahead
from skl_lstm.forecasting.fitted_model import warn_of_short_windows
from skl_lstm.forecasting.panel_origins import PanelData, means_of_series
from skl_lstm.windowing.calendar import frequency, label_text, season_of
from skl_lstm.windowing.joining import fill_forward

if TYPE_CHECKING:
    import pandas as pd


def backtest_all(
    model: Any,
    data: PanelData,
    cv: Any,
    steps: int | None,
    season: int | None,
    n_jobs: int | None,
) -> pd.DataFrame:
    """Return the forecasts of each fold, as the ``frame`` of :func:`backtest`.

    Parameters
    ----------
    model, steps, season, n_jobs
        As in :func:`backtest`.
    data : PanelData
        The series.
    cv : splitter
        Splits the rows of ``data.X``.

    Raises
    ------
    ValueError
        If the test rows of a fold are not all later than its training rows, or no series has
        more training rows than a season.
    """
    import pandas as pd

    if season is None:
        longest = data.panel.series(data.panel.longest).index
        season = season_of(frequency(longest, data.freq, "X"))
    tables = Parallel(n_jobs=n_jobs)(
        delayed(_forecast_fold)(
            model, data, fold, np.asarray(train), np.asarray(test), steps, season
        )
        for fold, (train, test) in enumerate(cv.split(data.X, data.y))
    )
    return pd.concat(tables, ignore_index=True)


def _forecast_fold(
    model: Any,
    data: PanelData,
    fold: int,
    train: NDArray,
    test: NDArray,
    steps: int | None,
    season: int,
) -> pd.DataFrame:
    """Fit a model on the training rows, and forecast from the first time of the test rows."""
    import pandas as pd

    panel, targets = data.panel, data.roles.targets
    own_times = panel.times.take(data.rows_of_X)
    origin, last_seen = own_times[test].min(), own_times[train].max()
    if last_seen >= origin:
        raise ValueError(
            "cv must put the test rows of a fold after its training rows in time, got a training "
            f"row of {label_text(last_seen)} and a test row of {label_text(origin)} in fold {fold}"
        )
    n_steps = own_times[test].nunique() if steps is None else steps
    check_steps_ahead(data.roles, n_steps, data.horizon)
    fitted = data.fitted(model, train, origin)
    warn_of_short_windows(fitted, data.roles, data.horizon)
    found = data.forecast_from(fitted, origin, n_steps)
    values = panel.rows[targets].to_numpy(np.float64, na_value=np.nan)
    scale = _scales(data, values, own_times[train].min(), last_seen, season)
    if np.isnan(scale).all():
        raise ValueError(
            f"season={season} needs more training rows of a series, got too few in fold {fold}; "
            "set fewer splits, or season=1"
        )
    naive = _naive(data, values, found.codes, origin, season)
    which, step = np.nonzero(found.rows >= 0)
    rows, codes = found.rows[which, step], found.codes[which]
    n = len(targets)
    table: dict[Any, Any] = {"fold": fold}
    table |= panel.labels_of(codes.repeat(n))
    table |= {
        "step": np.repeat(step + 1, n),
        "time": panel.times.take(rows.repeat(n)),
        "column": np.tile(np.array(targets, dtype=object), len(rows)),
        "truth": values[rows].ravel(),
        "forecast": found.paths[which, step].ravel(),
        "naive": naive[which, -1].ravel(),
        "seasonal_naive": naive[which, step % season].ravel(),
        "scale": scale[codes].ravel(),
    }
    if n == 1:
        del table["column"]
    return pd.DataFrame(table)


def _scales(
    data: PanelData, values: NDArray, first: Any, last: Any, season: int
) -> NDArray[np.float64]:
    """Return the mean change over a season in the training rows, NaN if there is none.

    Returns
    -------
    scale : ndarray of shape (n_series, n_targets)
        The divisor of MASE.
    """
    panel, times = data.panel, data.panel.times
    seen = np.asarray((times >= first) & (times <= last))
    before = data.row_before(season)
    rows = np.flatnonzero(seen & (before >= 0))
    rows = rows[seen[before[rows]]]
    changes = np.abs(values[rows] - values[before[rows]])
    return means_of_series(changes, panel.codes[rows], len(panel.labels))


def _naive(
    data: PanelData,
    values: NDArray,
    codes: NDArray[np.int64],
    origin: Any,
    season: int,
) -> NDArray[np.float64]:
    """Return the last known values of a season before a time.

    Returns
    -------
    naive : ndarray of shape (n_series, season, n_targets)
        Those of each series, oldest first; of a series that is shorter, its last value instead.
    """
    panel = data.panel
    naive = np.empty((len(codes), season, values.shape[1]))
    past = np.asarray(panel.times <= origin)
    for at, code in enumerate(codes):
        rows = panel.rows_of(code)
        rows = rows[past[rows]]
        back = data.steps[rows[-1]] - data.steps[rows]
        own = values[rows]
        fill_forward(own)
        # The last row that is not later, of each step of the last season.
        wanted = np.searchsorted(-back, -np.arange(season - 1, -1, -1), side="right") - 1
        naive[at] = np.where((wanted >= 0)[:, np.newaxis], own[np.maximum(wanted, 0)], own[-1])
    return naive
