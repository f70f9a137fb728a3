"""Forecasts of several series from the same past times, for a backtest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.forecasting.calibration import Calibration
from skl_lstm.forecasting.course import check_steps_ahead
from skl_lstm.forecasting.fitted_model import warn_of_short_windows
from skl_lstm.forecasting.origins import Fit, Origin
from skl_lstm.forecasting.panel_calibration import ErrorsOfAll
from skl_lstm.forecasting.panel_origins import PanelData, means_of_series
from skl_lstm.forecasting.series_origins import unless_zero
from skl_lstm.windowing.calendar import frequency, label_text, season_of
from skl_lstm.windowing.columns import Roles
from skl_lstm.windowing.groups import Panel
from skl_lstm.windowing.joining import fill_forward

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PanelPast:
    """What :class:`SeriesData` is of one series, of several: places are their distinct times.

    Parameters
    ----------
    data : PanelData
        The series.
    season : int
        Number of rows in a season.
    """

    data: PanelData
    season: int

    @classmethod
    def of(cls, data: PanelData, season: int | None) -> PanelPast:
        """Infer the season, if it is None, from the longest series."""
        if season is None:
            longest = data.panel.series(data.panel.longest).index
            season = season_of(frequency(longest, data.freq, "X"))
        return cls(data, season)

    @property
    def roles(self) -> Roles:
        """Roles of the columns."""
        return self.data.roles

    @property
    def X(self) -> Any:
        """Input of the models."""
        return self.data.X

    @property
    def y(self) -> Any:
        """What follows each row."""
        return self.data.y

    @cached_property
    def times(self) -> pd.Index:
        """The distinct times of all series."""
        return self.data.panel.times.unique().sort_values()

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """Number of the time of each row of X."""
        return self.times.get_indexer(self.data.panel.times.take(self.data.rows_of_X))

    def n_after(self, place: int) -> int:
        """Return how many times come after one."""
        return len(self.times) - 1 - place

    def label(self, place: int) -> str:
        """Return what a place is called in messages."""
        return f"a row of {label_text(self.times[place])}"

    @cached_property
    def _before(self) -> NDArray[np.int64]:
        """The position of the row one season before each row, -1 if there is none."""
        return self.data.row_before(self.season)

    @cached_property
    def _values(self) -> NDArray[np.float64]:
        rows = self.data.panel.rows[self.data.roles.targets]
        return rows.to_numpy(np.float64, na_value=np.nan)

    def check(self, fit: Fit) -> None:
        """Raise ValueError if a fold cannot be forecast, or has too few rows for a scale."""
        check_steps_ahead(self.data.roles, fit.steps, self.data.horizon)
        if all(np.isnan(scale).all() for scale in self._scales(fit)):
            raise ValueError(
                f"season={self.season} needs more training rows of a series, got too few in fold "
                f"{fit.fold}; set fewer splits, or season=1"
            )

    def fitted(self, model: Any, fit: Fit) -> Any:
        """Return a clone fitted on the training rows whose target is known at the first origin."""
        fitted = self.data.fitted(model, fit.rows, self.times[fit.origins[0].place])
        warn_of_short_windows(fitted, self.data.roles, self.data.horizon)
        return fitted

    def forecast_from(self, model: Any, fit: Fit, how: Calibration | None) -> pd.DataFrame:
        """Forecast all series from all origins of a fit, as ``SeriesData.forecast_from`` does."""
        import pandas as pd

        scales = self._scales(fit)
        errors = None if how is None else self._errors(model, fit, how)
        tables = [self._table(model, origin, *scales, errors) for origin in fit.origins]
        return pd.concat(tables, ignore_index=True)

    def _errors(self, model: Any, fit: Fit, how: Calibration) -> ErrorsOfAll:
        """Return the errors of clones on rows known at the first origin."""
        data, first = self.data, self.times[self.places[fit.rows].min()]
        times = data.panel.times
        known = np.asarray((times >= first) & (times <= self.times[fit.origins[0].place]))
        roles = data.roles
        names = {"target": roles.targets, "known": roles.known, "static": roles.static}
        past = PanelData.of(data.table[known], names, data.horizon, data.group, data.freq)
        return ErrorsOfAll.of(model, past, fit.steps, how)

    def _scales(self, fit: Fit) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        learned = self.places[fit.rows]
        first, last = self.times[learned.min()], self.times[learned.max()]
        return _scales(self.data.panel, self._values, self._before, first, last)

    def _table(
        self,
        model: Any,
        origin: Origin,
        scale: NDArray,
        rms_scale: NDArray,
        errors: ErrorsOfAll | None,
    ) -> pd.DataFrame:
        import pandas as pd

        data, season = self.data, self.season
        panel, targets = data.panel, data.roles.targets
        time = self.times[origin.place]
        found = data.forecast_from(model, time, origin.steps)
        naive = _naive(data, self._values, found.codes, time, season)
        which, step = np.nonzero(found.rows >= 0)
        rows, codes = found.rows[which, step], found.codes[which]
        n = len(targets)
        table: dict[Any, Any] = {"fold": origin.fold}
        table |= panel.labels_of(codes.repeat(n))
        table |= {
            "origin": self.times[[origin.place]].repeat(len(rows) * n),
            "step": np.repeat(step + 1, n),
            "time": panel.times.take(rows.repeat(n)),
            "column": np.tile(np.array(targets, dtype=object), len(rows)),
            "truth": self._values[rows].ravel(),
            "forecast": found.paths[which, step].ravel(),
            "naive": naive[which, -1].ravel(),
            "seasonal_naive": naive[which, step % season].ravel(),
            "scale": unless_zero(scale[codes]).ravel(),
            "rms_scale": unless_zero(rms_scale[codes]).ravel(),
        }
        if n == 1:
            del table["column"]
        if errors is not None:
            both = np.full((2, *found.paths.shape), np.nan)
            own = errors.labels.get_indexer(panel.labels[found.codes])
            there = own >= 0  # not of a series that began later
            both[:, there] = errors.ends(found.paths[there], own[there])
            table["lower"], table["upper"] = both[:, which, step].reshape(2, -1)
        return pd.DataFrame(table)


def _scales(
    panel: Panel, values: NDArray, before: NDArray[np.int64], first: Any, last: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean absolute and the root mean square change over a season in training rows.

    Returns
    -------
    scale, rms_scale : ndarray of shape (n_series, n_targets)
        The divisors of MASE and of RMSSE, NaN where no change is known.
    """
    seen = np.asarray((panel.times >= first) & (panel.times <= last))
    rows = np.flatnonzero(seen & (before >= 0))
    rows = rows[seen[before[rows]]]
    changes = values[rows] - values[before[rows]]
    codes, n_series = panel.codes[rows], len(panel.labels)
    return (
        means_of_series(np.abs(changes), codes, n_series),
        np.sqrt(means_of_series(changes**2, codes, n_series)),
    )


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
