"""Forecasts of several series from past times, beside what came then."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skl_lstm.drawing.paths import COLUMNS, NAIVE
from skl_lstm.forecasting.panel import begin_all, walk_all
from skl_lstm.warn import silence
from skl_lstm.windowing.columns import Roles
from skl_lstm.windowing.groups import Panel
from skl_lstm.windowing.panel_steps import steps_of
from skl_lstm.windowing.supervised import Pairs, make_supervised

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PastForecasts:
    """Forecasts of several series from one time, and what came.

    Parameters
    ----------
    codes : ndarray of int64 of shape (n_series,)
        Numbers of the series that were forecast.
    rows : ndarray of int64 of shape (n_series, steps)
        Positions of the forecast rows in the table; -1 where there is no such row, or it is
        not after the time from which was forecast, or too few of its columns known ahead are
        known.
    paths : ndarray of shape (n_series, steps, n_targets)
        The forecasts.
    """

    codes: NDArray[np.int64]
    rows: NDArray[np.int64]
    paths: NDArray[np.float64]


@dataclass(frozen=True)
class PanelData:
    """A table of several series, prepared for forecasts from past times.

    Parameters
    ----------
    table : DataFrame
        The series, each value at its own time.
    panel : Panel
        The same.
    roles : Roles
        Roles of the columns.
    X, y : DataFrame, Series
        What models are fitted on.
    rows_of_X : ndarray of int64 of shape (len(X),)
        Positions of these rows in the table.
    known_at : Index
        For each row of X, the time at which its target is known.
    horizon : int
        Number of rows that a model predicts at once.
    group, freq : object
        As in :func:`forecast`.
    """

    table: pd.DataFrame
    panel: Panel
    roles: Roles
    X: pd.DataFrame
    y: pd.Series | pd.DataFrame
    rows_of_X: NDArray[np.int64]
    known_at: pd.Index
    horizon: int
    group: Any
    freq: Any

    @classmethod
    def of(
        cls, table: pd.DataFrame, names: dict[str, Any], horizon: int, group: Any, freq: Any
    ) -> PanelData:
        """Prepare a table; `names` are those of :func:`make_supervised`."""
        panel = Panel.of(table, group, "X")
        used = [*COLUMNS, *NAIVE]
        taken = [name for name in panel.names if name in used]
        if taken:
            raise ValueError(
                f"group must not be named as a column of what comes back, {used}, got {taken}"
            )
        columns = panel.rows.columns
        roles = Roles.of(columns, names["target"], names["known"], "X", names["static"])
        step = None if freq is None else "rows"
        X, y = make_supervised(table, **names, horizon=horizon, group=group, freq=step)
        with silence():  # which make_supervised has said
            pairs = Pairs.of(len(table), panel, horizon, None)
        known_at = panel.times.take(pairs.later(horizon))
        return cls(table, panel, roles, X, y, pairs.rows, known_at, horizon, group, freq)

    @cached_property
    def steps(self) -> NDArray[np.int64]:
        """Number of steps to each row from a time that is the same for all rows of a series."""
        return steps_of(self.panel, "rows" if self.freq is not None else None).steps

    @cached_property
    def _rows_by_time(self) -> pd.MultiIndex:
        import pandas as pd

        return pd.MultiIndex.from_arrays([self.panel.codes, self.panel.times])

    def row_before(self, n_steps: int) -> NDArray[np.int64]:
        """Return the position of the row some steps before each row, -1 if there is none."""
        import pandas as pd

        index = pd.MultiIndex.from_arrays([self.panel.codes, self.steps])
        return index.get_indexer(
            pd.MultiIndex.from_arrays([self.panel.codes, self.steps - n_steps])
        )

    def fitted(self, model: Any, rows: NDArray, until: Any) -> Any:
        """Return a clone fitted on those rows of X whose target is known at a time."""
        learned = rows[np.asarray(self.known_at[rows] <= until)]
        return clone(model).fit(self.X.take(learned), self.y.take(learned))

    def forecast_from(self, model: Any, origin: Any, steps: int) -> PastForecasts:
        """Forecast all series that go on after a time, from their last row until then."""
        import pandas as pd

        panel = self.panel
        past = np.asarray(panel.times <= origin)
        begun, going_on = (np.unique(panel.codes[rows]) for rows in (past, ~past))
        chosen = np.isin(panel.codes, np.intersect1d(begun, going_on))
        names: dict[str, Any] = {
            "target": self.roles.targets,
            "known": self.roles.known or None,
            "static": self.roles.static or None,
        }
        future = self.table[chosen & ~past] if self.roles.known else None
        history = self.table[chosen & past]
        course = begin_all(
            model, history, steps, names, future, self.group, self.freq, whole=False
        )
        ahead, codes = course.ahead, panel.labels.get_indexer(course.panel.labels)
        times = course.rows.index.take(ahead.ravel())
        wanted = pd.MultiIndex.from_arrays([np.repeat(codes, steps), times])
        rows = self._rows_by_time.get_indexer(wanted).reshape(ahead.shape)
        rows[np.asarray(times <= origin).reshape(ahead.shape) | ~course.is_known] = -1
        return PastForecasts(codes, rows, walk_all(model, course))


def means_of_series(
    values: NDArray[np.float64], codes: NDArray[np.int64], n_series: int
) -> NDArray[np.float64]:
    """Return the mean of the known values of each series, NaN if there is none.

    Parameters
    ----------
    values : ndarray of shape (n, n_targets)
        Values, NaN where they are not known.
    codes : ndarray of int64 of shape (n,)
        Number of the series of each.
    n_series : int
        Number of series.

    Returns
    -------
    means : ndarray of shape (n_series, n_targets)
        The means.
    """
    known = ~np.isnan(values)
    sums, counts = np.zeros((2, n_series, values.shape[1]))
    np.add.at(sums, codes, np.where(known, values, 0.0))
    np.add.at(counts, codes, known)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
