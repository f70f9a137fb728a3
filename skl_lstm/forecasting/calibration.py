"""How the intervals of a forecast are calibrated: on the errors of past forecasts by clones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skl_lstm.checks import check_choice, check_integer
from skl_lstm.compositions.parts import look_back, work_of_a_fit
from skl_lstm.forecasting.conformal import check_coverage, distances, least_errors
from skl_lstm.forecasting.parallel import run_parallel
from skl_lstm.forecasting.residual_scale import Scale
from skl_lstm.forecasting.walk import model_input, walk_forward
from skl_lstm.windowing.supervised import make_supervised

if TYPE_CHECKING:
    import pandas as pd

# Number of residuals beyond which their quantiles hardly improve, but the time grows.
ENOUGH = 300

# Numbers of clones that models get which are cheap to fit, and those that are not.
MOST_CLONES, FEWEST_CLONES = 30, 5

# The work that all clones together should not exceed: about ten seconds of a small network.
WORK = 3e6


@dataclass(frozen=True)
class Calibration:
    """The parameters of :func:`forecast_interval` of the same names.

    Raises
    ------
    ValueError
        If one of them is not what :func:`forecast_interval` takes.
    """

    coverage: float = 0.9
    calibration: int | None = None
    refits: int | None = None
    symmetric: bool | None = None
    pooled: bool = False
    adaptive: bool = False
    n_jobs: int | None = None
    verbose: int = 0

    def __post_init__(self) -> None:
        check_coverage(self.coverage)
        if self.refits is not None:
            check_integer("refits", self.refits)
        check_choice("symmetric", self.symmetric, (None, True, False))
        for name in ("pooled", "adaptive"):
            check_choice(name, getattr(self, name), (True, False))
        check_choice("verbose", self.verbose, (0, 1, False, True))
        if self.calibration is not None:
            check_integer("calibration", self.calibration)
            least = least_errors(self.coverage)
            if self.calibration < least:
                raise ValueError(
                    f"calibration must be at least {least} for coverage={self.coverage}, got "
                    f"{self.calibration}"
                )

    @property
    def is_symmetric(self) -> bool:
        """Whether both ends are as far from the forecast."""
        # There are too few misses at one end alone to follow.
        return self.adaptive if self.symmetric is None else self.symmetric

    def n_origins(self, n_rows: int) -> int:
        """Return the number of rows to forecast from, of those that have `steps` after them."""
        if self.calibration is not None:
            return self.calibration
        return max(min(n_rows // 2, ENOUGH), least_errors(self.coverage))

    def stretches(self, model: Any, n_rows: int, n_origins: int) -> list[NDArray[np.intp]]:
        """Divide the numbers of the origins among clones, as many as `refits`, or as pays."""
        n_clones = self.refits
        if n_clones is None:
            affordable = int(WORK / (n_rows * work_of_a_fit(model)))
            n_clones = min(max(affordable, FEWEST_CLONES), MOST_CLONES)
        return np.array_split(np.arange(n_origins), min(n_clones, n_origins))

    def run(self, calls: Iterable[tuple], total: int) -> Iterator[Any]:
        """Fit clones in parallel, and return in their order what each call returns."""
        return run_parallel(calls, total, self.n_jobs, int(self.verbose), "Clone")


@dataclass(frozen=True)
class Errors:
    """The errors of past forecasts of a series.

    Parameters
    ----------
    scale : Scale
        The scale in which they are measured.
    residuals : ndarray of shape (n_origins, steps, n_targets)
        The errors, the oldest first, NaN where they are not known.
    how : Calibration
        Says what to make of them.
    """

    scale: Scale
    residuals: NDArray[np.float64]
    how: Calibration

    @classmethod
    def of(
        cls,
        model: Any,
        rows: pd.DataFrame,
        targets: list[Any],
        horizon: int,
        steps: int,
        how: Calibration,
    ) -> Errors:
        """Forecast from the last rows by clones; the parameters are of :func:`past_forecasts`."""
        truth, paths = past_forecasts(model, rows, targets, horizon, steps, how)
        scale = Scale.of(model, horizon)
        return cls(scale, scale.residuals(truth, paths), how)

    def ends(self, forecasts: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends of the intervals around forecasts of shape (..., steps, n_targets)."""
        return ends(self.scale, forecasts, self.residuals[:, : forecasts.shape[-2]], self.how)


def past_forecasts(
    model: Any,
    rows: pd.DataFrame,
    targets: list[Any],
    horizon: int,
    steps: int,
    how: Calibration,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return forecasts from the last rows, by clones not fitted on them.

    Parameters
    ----------
    model : fitted regressor
        What is cloned.
    rows : DataFrame of shape (n, n_columns)
        A series, laid out as :func:`make_supervised` lays out X.
    targets : list
        Names of the columns that the model predicts.
    horizon : int
        Number of rows that it predicts at once.
    steps : int
        Number of rows to forecast from each.
    how : Calibration
        Says from how many rows, and by how many clones.

    Returns
    -------
    truth, paths : ndarray of shape (n_origins, steps, n_targets)
        True values, NaN where they are not known, and forecasts, the oldest first.

    Raises
    ------
    ValueError
        If there are too few rows.
    """
    n_origins = how.n_origins(len(rows) - steps)
    check_length("rows", len(rows), model, horizon, steps, n_origins)
    first = len(rows) - steps - n_origins
    origins = first + np.arange(n_origins)
    truth = rows[targets].to_numpy()[origins[:, np.newaxis] + np.arange(1, steps + 1)]
    stretches = how.stretches(model, len(rows), n_origins)
    calls = (
        (_forecast_stretch, model, rows, first + stretch, targets, horizon, steps)
        for stretch in stretches
    )
    return truth, np.concatenate(list(how.run(calls, len(stretches))))


def _forecast_stretch(
    model: Any,
    rows: pd.DataFrame,
    stretch: NDArray[np.intp],
    targets: list[Any],
    horizon: int,
    steps: int,
) -> NDArray[np.float64]:
    """Forecast from each row of a stretch by a clone fitted on what precedes all of them."""
    before = rows.iloc[: stretch[0] + 1]
    y = make_supervised(before[targets], horizon=horizon, freq="rows")[1]
    refitted = clone(model).fit(model_input(model, before.iloc[:-horizon]), y)
    return walk_forward(refitted, rows, stretch, steps, targets)


def check_length(what: str, n: int, model: Any, horizon: int, steps: int, n_origins: int) -> None:
    """Raise ValueError if a history is too short to forecast so many times from."""
    n_least = look_back(model) + horizon + n_origins + steps - 1
    if n < n_least:
        raise ValueError(
            f"history must have at least {n_least} {what} for calibration={n_origins}, "
            f"steps={steps} and windows of {look_back(model)}, got {n}"
        )


def ends(
    scale: Scale,
    forecasts: NDArray,
    residuals: NDArray,
    how: Calibration,
    known_at: NDArray[np.intp] | None = None,
    of: str = "",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the intervals around forecasts.

    Parameters
    ----------
    scale : Scale
        The scale of the residuals.
    forecasts : ndarray of shape (steps, n_targets) or (n_forecasts, steps, n_targets)
        One forecast, or several with the same errors behind them.
    residuals : ndarray of shape (n_origins, [n_series, ]steps, n_targets)
        Errors of past forecasts in the scale, the oldest first; NaN where they are not known.
    how : Calibration
        Says what to make of them.
    known_at : ndarray of int of shape (n_origins, [n_series, ]steps), default=None
        Number of the first origin at which each error is known; if None, as many origins later
        as steps ahead.
    of : str, default=""
        Of what the errors are, for messages.

    Returns
    -------
    lower, upper : ndarray of the shape of forecasts
        The ends, with the forecast between them.

    Raises
    ------
    ValueError
        If too few errors are known.
    """
    n_known = np.count_nonzero(~np.isnan(residuals), axis=tuple(range(residuals.ndim - 2)))
    least = least_errors(how.coverage)
    if n_known.min() < least:
        step = int(n_known.min(axis=1).argmin()) + 1
        raise ValueError(
            f"calibration must leave at least {least} known errors at step {step} for "
            f"coverage={how.coverage}{of}, got {n_known.min()} because of gaps, or a short history"
        )
    around = forecasts.reshape(-1, *forecasts.shape[-2:])
    both = [
        scale.moved(around, distance)
        for distance in distances(
            residuals,
            how.coverage,
            symmetric=how.is_symmetric,
            adaptive=how.adaptive,
            known_at=known_at,
        )
    ]
    # A scale may turn the ends round, and the clones may all have erred to one side.
    both = [each.reshape(forecasts.shape) for each in both] + [forecasts]
    return np.min(both, axis=0), np.max(both, axis=0)
