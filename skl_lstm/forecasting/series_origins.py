"""Forecasts of one series from past rows, beside what came then."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import check_consistent_length

from skl_lstm.forecasting.calibration import Calibration, Errors
from skl_lstm.forecasting.fitted_model import warn_of_short_windows
from skl_lstm.forecasting.origins import Fit
from skl_lstm.forecasting.panel_origins import means_of_series
from skl_lstm.forecasting.walk import walk_forward
from skl_lstm.windowing.alignment import names_of_targets
from skl_lstm.windowing.calendar import following, frequency, season_of
from skl_lstm.windowing.columns import Roles
from skl_lstm.windowing.frames import as_frame

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SeriesData:
    """A series, prepared for forecasts from past rows.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n, n_columns)
        Input of the models.
    y : Series, DataFrame or ndarray of shape (n,) or (n, horizon * n_targets)
        What follows each row.
    rows : DataFrame of shape (n + horizon, n_columns)
        The complete series: X, and what follows its last row, of which only the targets are known.
    roles : Roles
        Roles of the columns.
    season : int
        Number of rows in a season.
    """

    X: Any
    y: Any
    rows: pd.DataFrame
    roles: Roles
    season: int

    @classmethod
    def of(
        cls,
        X: Any,
        y: Any,
        names: dict[str, Any],
        horizon: int | None = None,
        season: int | None = None,
        freq: Any = None,
    ) -> SeriesData:
        """Check X and y; `names` are the target, known and static of :func:`backtest`."""
        import pandas as pd

        frame, told = as_frame(X), names_of_targets(y)
        y = y if hasattr(y, "iloc") else np.asarray(y)
        check_consistent_length(frame, y)
        target = names["target"]
        if target is None and told is not None and set(told) <= set(frame.columns):
            target = told
        roles = Roles.of(frame.columns, target, names["known"], "X", names["static"])
        targets = pd.Index(roles.targets)
        beyond = _blocks(frame, y, targets)[-1]
        times = frame.index.append(following(frame.index, len(beyond), freq, "X"))
        frame = frame.astype(dict.fromkeys(targets, np.float64))
        rows = pd.concat([frame, frame.iloc[[-1] * len(beyond)]]).set_axis(times)
        rows.iloc[len(frame) :, rows.columns.get_indexer(targets)] = beyond
        if season is None:
            season = season_of(frequency(frame.index, freq, "X"))
        data = cls(frame if hasattr(X, "columns") else frame.to_numpy(), y, rows, roles, season)
        if horizon not in (None, data.horizon):
            raise ValueError(f"horizon must be that of y, {data.horizon}, got {horizon}")
        return data

    @property
    def horizon(self) -> int:
        """Number of rows that a model predicts at once."""
        return self.y.size // len(self.y) // len(self.roles.targets)

    @property
    def places(self) -> NDArray[np.intp]:
        """Number of the value that each row of X ends with."""
        return np.arange(len(self.X))

    def n_after(self, place: int) -> int:
        """Return how many steps can be forecast from a place and compared with what came."""
        n_left = len(self.rows) - 1 - place
        if not self.roles.known:
            return n_left
        n_blocks = (len(self.X) - 1 - place) // self.horizon + 1  # from a row of X each
        return min(n_blocks * self.horizon, n_left)

    def label(self, place: int) -> str:
        """Return what a place is called in messages."""
        return f"row {place}"

    @cached_property
    def _last_known(self) -> NDArray[np.float64]:
        return self.rows[self.roles.targets].ffill().to_numpy()

    def check(self, fit: Fit) -> None:
        """Raise ValueError if a fold cannot be forecast, or has too few rows for a scale."""
        self.check_steps(fit.steps)
        if len(fit.rows) <= self.season:
            raise ValueError(
                f"season={self.season} needs more training rows, got {len(fit.rows)} in fold "
                f"{fit.fold}; set fewer splits, or season=1"
            )

    def check_steps(self, steps: int) -> None:
        """Raise ValueError if steps need values of columns that are known up to now only."""
        if self.roles.past and steps > self.horizon:
            raise ValueError(
                f"steps must be at most horizon={self.horizon}, because {self.roles.past} are not "
                f"known ahead, got {steps}; set a longer horizon, or name these columns in known "
                "if they are"
            )

    def fitted(self, model: Any, fit: Fit) -> Any:
        """Return a clone fitted on the training rows whose target is known at the first origin."""
        learned = fit.rows[fit.rows + self.horizon <= fit.origins[0].place]
        model = clone(model).fit(self.X.take(learned, axis=0), self.y.take(learned, axis=0))
        warn_of_short_windows(model, self.roles, self.horizon)
        return model

    def forecast_from(self, model: Any, fit: Fit, how: Calibration | None) -> pd.DataFrame:
        """Forecast from all origins of a fit, with intervals if `how` is given.

        Returns
        -------
        table : DataFrame
            One row for each origin, step and target, with the columns of ``Backtest.frame``, the
            forecast of the model in ``forecast`` and those of the naive methods beside it.
        """
        import pandas as pd

        tables = []
        errors = None if how is None else self._errors(model, fit, how)
        for steps, group in groupby(fit.origins, key=lambda origin: origin.steps):
            origins = list(group)
            places = np.array([origin.place for origin in origins])
            paths = walk_forward(model, self.rows, places, steps, self.roles.targets)
            folds = np.array([origin.fold for origin in origins])
            table = self._beside_what_came(paths, folds, places, fit.rows)
            if errors is not None:
                table["lower"], table["upper"] = (each.ravel() for each in errors.ends(paths))
            tables.append(table)
        return pd.concat(tables, ignore_index=True)

    def _errors(self, model: Any, fit: Fit, how: Calibration) -> Errors:
        """Return the errors of clones on rows known at the first origin."""
        known = self.rows.iloc[fit.rows.min() : fit.origins[0].place + 1]
        return Errors.of(model, known, self.roles.targets, self.horizon, fit.steps, how)

    def _beside_what_came(
        self, paths: NDArray, folds: NDArray, origins: NDArray, learned: NDArray
    ) -> pd.DataFrame:
        """Return a table of paths of shape (n_origins, steps, n_targets)."""
        import pandas as pd

        n_origins, steps, n_targets = paths.shape
        ahead = origins[:, np.newaxis] + 1 + np.arange(steps)
        season_before = origins[:, np.newaxis] + 1 - self.season + np.arange(steps) % self.season
        times, each = self.rows.index, steps * n_targets
        values = self.rows[self.roles.targets].to_numpy()
        naive = np.broadcast_to(self._last_known[origins][:, np.newaxis], paths.shape)
        scale, rms_scale = _scales(values[learned.min() : learned.max() + 1], self.season)
        table = {
            "fold": folds.repeat(each),
            "origin": times[origins.repeat(each)],
            "step": np.tile(np.repeat(np.arange(steps) + 1, n_targets), n_origins),
            "time": times[ahead.ravel().repeat(n_targets)],
            "column": np.tile(np.array(self.roles.targets, dtype=object), n_origins * steps),
            "truth": values[ahead].ravel(),
            "forecast": paths.ravel(),
            "naive": naive.ravel(),
            "seasonal_naive": self._last_known[season_before].ravel(),
            "scale": np.tile(scale, n_origins * steps),
            "rms_scale": np.tile(rms_scale, n_origins * steps),
        }
        if n_targets == 1:
            del table["column"]
        return pd.DataFrame(table)


def _scales(values: NDArray[np.float64], season: int) -> NDArray[np.float64]:
    """Return the mean absolute and the root mean square change over a season, NaN if none."""
    changes = values[season:] - values[:-season]
    all_of_one = np.zeros(len(changes), dtype=np.int64)
    absolute, squared = (
        means_of_series(each, all_of_one, 1)[0] for each in (np.abs(changes), changes**2)
    )
    return unless_zero(np.array([absolute, np.sqrt(squared)]))


def unless_zero(scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return scales, NaN where they are zero, in which nothing can be measured."""
    return np.where(scale > 0.0, scale, np.nan)


def _as_floats(name: str, values: Any) -> NDArray:
    """Return numbers of any type, or their texts, as floats of the same precision."""
    array = np.asarray(values)
    if array.dtype.kind == "f":
        return array
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers: {error}") from None


def _blocks(frame: pd.DataFrame, y: Any, targets: pd.Index) -> NDArray:
    """Return y of shape (n, horizon, n_targets), and check that it begins with the next row."""
    values, y = _as_floats("X", frame[targets]), _as_floats("y", y)
    width = y.size // len(y)
    if width % len(targets):
        raise ValueError(
            f"target must name the columns of X that y holds, got y of {width} columns for "
            f"{list(targets)}"
        )
    blocks = y.reshape(len(y), -1, len(targets))
    floats = [each.dtype for each in (values, y) if each.dtype.kind == "f"]
    coarser = min(floats, key=lambda dtype: dtype.itemsize, default=np.dtype(np.float64))
    # Without a tolerance: a slowly changing series is close to itself one row later.
    pair = blocks[:-1, 0].astype(coarser), values[1:].astype(coarser)
    unknown = np.isnan(pair[0])  # as beyond a missing row
    agree = (np.isclose(*pair, rtol=0, atol=0) | unknown).all(axis=1)
    if not agree.all():
        raise ValueError(
            "y must hold what follows each row of X, as make_supervised makes it, but at "
            f"{frame.index[int(agree.argmin())]} it does not"
        )
    return blocks
