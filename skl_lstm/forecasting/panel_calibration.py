"""How the intervals of several series are calibrated, each by itself or all together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.forecasting.calibration import Calibration, check_length, ends
from skl_lstm.forecasting.panel_origins import PanelData, means_of_series
from skl_lstm.forecasting.residual_scale import Scale
from skl_lstm.windowing.groups import Panel, series_at

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ErrorsOfAll:
    """The errors of past forecasts of several series.

    Parameters
    ----------
    scale : Scale
        The scale in which they are measured.
    residuals : ndarray of shape (n_origins, n_series, steps, n_targets)
        The errors, the oldest first, NaN where they are not known; relative to `sizes` if all
        series make the interval of each.
    known_at : ndarray of int of shape (n_origins, n_series, steps)
        Number of the first origin at which each error is known.
    sizes : ndarray of shape (n_series, n_targets)
        The mean change from row to row of each series.
    labels : Index of length n_series
        The labels of the series.
    how : Calibration
        Says what to make of them.
    """

    scale: Scale
    residuals: NDArray[np.float64]
    known_at: NDArray[np.intp]
    sizes: NDArray[np.float64]
    labels: pd.Index
    how: Calibration

    @classmethod
    def of(cls, model: Any, data: PanelData, steps: int, how: Calibration) -> ErrorsOfAll:
        """Forecast from the last times by clones of a fitted model."""
        truth, paths, known_at = past_forecasts_of_all(model, data, steps, how)
        sizes = _sizes(data.panel.rows[data.roles.targets].to_numpy(np.float64), data.panel)
        scale = Scale.of(model, data.horizon)
        own = scale.relative(sizes[:, np.newaxis]) if how.pooled else scale
        residuals = own.residuals(truth, paths)
        return cls(scale, residuals, known_at, sizes, data.panel.labels, how)

    def ends(
        self, forecasts: NDArray, codes: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends of the intervals around forecasts.

        Parameters
        ----------
        forecasts : ndarray of shape (n, steps, n_targets)
            A forecast of each of n series.
        codes : ndarray of int of shape (n,)
            The numbers of these series.
        """
        residuals = self.residuals[:, :, : forecasts.shape[1]]
        known_at = self.known_at[:, :, : forecasts.shape[1]]
        if self.how.pooled:
            scale = self.scale.relative(self.sizes[codes][:, np.newaxis])
            return ends(scale, forecasts, residuals, self.how, known_at)
        lower, upper = np.empty((2, *forecasts.shape))
        for i, code in enumerate(codes):
            of = f" in {series_at(self.labels[code])}, if not pooled=True"
            lower[i], upper[i] = ends(
                self.scale, forecasts[i], residuals[:, code], self.how, known_at[:, code], of
            )
        return lower, upper


def past_forecasts_of_all(
    model: Any, data: PanelData, steps: int, how: Calibration
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Return forecasts of several series from the last times, by clones not fitted on them.

    Parameters
    ----------
    model : fitted regressor
        What is cloned.
    data : PanelData
        The series.
    steps, how
        As in :func:`past_forecasts`.

    Returns
    -------
    truth, paths : ndarray of shape (n_origins, n_series, steps, n_targets)
        True values and forecasts, NaN where there are none.
    known_at : ndarray of int of shape (n_origins, n_series, steps)
        Number of the first origin at which each true value is known; the number of origins and
        more after the last one.

    Raises
    ------
    ValueError
        If there are too few times.
    """
    times = data.panel.times.unique().sort_values()
    n_origins = how.n_origins(len(times) - steps)
    check_length("times", len(times), model, data.horizon, steps, n_origins)
    first = len(times) - steps - n_origins
    origins = times[first : first + n_origins]
    stretches = how.stretches(model, len(data.X), n_origins)
    calls = (
        (_forecast_stretch_of_all, model, data, origins[stretch], steps) for stretch in stretches
    )
    found = list(how.run(calls, len(stretches)))
    rows, paths = (np.concatenate(each) for each in zip(*found, strict=True))
    values = data.panel.rows[data.roles.targets].to_numpy(np.float64, na_value=np.nan)
    truth = np.where((rows >= 0)[..., np.newaxis], values[rows], np.nan)
    return truth, paths, times.get_indexer(data.panel.times)[rows] - first


def _forecast_stretch_of_all(
    model: Any, data: PanelData, origins: pd.Index, steps: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Forecast all series from some times by a clone that knows what was known at the first.

    Returns
    -------
    rows : ndarray of int64 of shape (n_origins, n_series, steps)
        Positions of the forecast rows; -1 where there is none.
    paths : ndarray of shape (n_origins, n_series, steps, n_targets)
        The forecasts, NaN where there are none.
    """
    refitted = data.fitted(model, np.arange(len(data.X)), origins[0])
    shape = (len(origins), len(data.panel.labels), steps)
    rows = np.full(shape, -1)
    paths = np.full((*shape, len(data.roles.targets)), np.nan)
    for at, origin in enumerate(origins):
        found = data.forecast_from(refitted, origin, steps)
        rows[at, found.codes] = found.rows
        known = (found.rows >= 0)[..., np.newaxis]
        paths[at, found.codes] = np.where(known, found.paths, np.nan)
    return rows, paths


def _sizes(values: NDArray, panel: Panel) -> NDArray[np.float64]:
    """Return the mean change from row to row of each series, of shape (n_series, n_targets).

    Of a series without any, it is the median of the others.
    """
    changes = np.abs(np.diff(values[panel.order], axis=0))
    changes[panel.starts[1:-1] - 1] = np.nan
    sizes = means_of_series(changes, panel.codes[panel.order][1:], len(panel.labels))
    for size in sizes.T:
        changing = size > 0.0
        size[~changing] = np.median(size[changing]) if changing.any() else 1.0
    return sizes
