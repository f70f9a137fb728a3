"""Conformal prediction: how far to go from a forecast, from the errors of past ones."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import is_number

# Number of the last origins whose errors tell how large a step of an adaptive distance is.
RECENT = 50


# The step of an adaptive distance one step ahead, as a share of what the last errors would give.
STEP = 0.8


def check_coverage(coverage: Any) -> None:
    """Raise ValueError unless the coverage is a number in (0, 1)."""
    if not is_number(coverage) or not 0 < coverage < 1:
        raise ValueError(f"coverage must be a number in (0, 1), got {coverage!r}")


def least_errors(coverage: float) -> int:
    """Return the smallest number of errors whose extremes have the coverage."""
    return _least((1 - coverage) / 2)


def distances(
    residuals: NDArray,
    coverage: float,
    *,
    symmetric: bool,
    adaptive: bool,
    known_at: NDArray[np.intp] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far the ends of an interval are from a forecast.

    Parameters
    ----------
    residuals : ndarray of shape (n_origins, [n_series, ]steps, n_targets)
        True values minus forecasts, the oldest first; NaN where they are not known.
    coverage : float
        Probability, in (0, 1), that the interval should have at each step.
    symmetric : bool
        Whether both ends are as far.
    adaptive : bool
        Whether the distances follow the latest errors.
    known_at : ndarray of int of shape (n_origins, [n_series, ]steps), default=None
        Number of the first origin at which each residual is known; if None, as many origins
        later as steps ahead.

    Returns
    -------
    below, above : ndarray of shape (steps, n_targets)
        The distances, the first negative, unless the errors are all to one side.

    Notes
    -----
    With ``k = floor((n + 1) * share)`` of n errors, where the share is ``1 - coverage``, or half
    of it at each of two ends, the distance is the k-th largest error, as in split conformal
    prediction.

    An adaptive distance begins there, with the first errors that suffice. Then, for each origin
    whose true value becomes known, it grows where this was outside, and shrinks where it was
    inside, by ``0.8 * size / h * (missed - share)``. The size is what the last 50 errors would
    give, and h the number of steps ahead: as many forecasts are made before the first of them is
    judged, and their errors are much alike, so that all together move the distance once. This is
    adaptive conformal inference (Gibbs, I. and Candès, E., 2021, *Adaptive conformal inference
    under distribution shift*, NeurIPS 34) that moves the distance itself, as in
    Angelopoulos, A., Candès, E. and Tibshirani, R. J. (2023), *Conformal PID control for time
    series prediction*, NeurIPS 36. The level of a quantile, which is moved in the former, may
    leave (0, 1), where no distance belongs to it.
    """
    n_origins, steps, n_targets = len(residuals), *residuals.shape[-2:]
    errors = residuals.reshape(n_origins, -1, steps, n_targets)
    if known_at is None:
        known_at = np.arange(n_origins)[:, np.newaxis] + np.arange(1, steps + 1)
    known_at = np.broadcast_to(known_at.reshape(n_origins, -1, steps), errors.shape[:3])
    of_all = _adaptive if adaptive else _quantiles
    if symmetric:
        above = np.maximum(of_all(np.abs(errors), known_at, 1 - coverage), 0.0)
        return -above, above
    share = (1 - coverage) / 2
    return -of_all(-errors, known_at, share), of_all(errors, known_at, share)


def _quantiles(errors: NDArray, known_at: NDArray[np.intp], share: float) -> NDArray[np.float64]:
    """Return what at most a share of new errors exceeds, of shape (steps, n_targets)."""
    errors = errors.reshape(-1, *errors.shape[-2:])
    place = _place(np.count_nonzero(~np.isnan(errors), axis=0), share)
    return np.take_along_axis(np.sort(errors, axis=0), place[np.newaxis], axis=0)[0]  # NaN last


def _adaptive(errors: NDArray, known_at: NDArray[np.intp], share: float) -> NDArray[np.float64]:
    """Return distances that a share of the errors exceeds, whatever becomes of them."""
    n_origins, n_series, steps, n_targets = errors.shape
    made_at = np.repeat(np.arange(n_origins), n_series)
    followed = np.empty((steps, n_targets))
    for step, target in np.ndindex(steps, n_targets):
        own, known = errors[:, :, step, target].ravel(), known_at[:, :, step].ravel()
        in_order = np.lexsort((made_at, known))
        in_order = in_order[~np.isnan(own[in_order])]
        followed[step, target] = _follow(
            own[in_order],
            made_at[in_order],
            known[in_order],
            share,
            STEP / (step + 1),
            max(RECENT * n_series, _least(share)),
        )
    return followed


def _follow(
    errors: NDArray,
    made_at: NDArray[np.intp],
    known_at: NDArray[np.intp],
    share: float,
    step_size: float,
    n_recent: int,
) -> float:
    """Return the distance that has followed the errors, in the order in which they were known."""
    n_first = np.searchsorted(known_at, known_at[_least(share) - 1], side="right")
    distance = np.sort(errors[:n_first])[_place(n_first, share)]
    times, followed = [known_at[n_first - 1]], [distance]
    stops = np.flatnonzero(np.diff(known_at, append=known_at[-1] + 1)) + 1
    for start, stop in pairwise(stops):
        if start < n_first:
            continue
        # The distance when the forecast was made, which is not the one of today.
        then = np.searchsorted(times, made_at[start:stop], side="right") - 1
        judged = then >= 0
        if judged.any():
            missed = errors[start:stop][judged] > np.take(followed, then[judged])
            recent = np.sort(np.abs(errors[max(0, stop - n_recent) : stop]))
            size = recent[_place(len(recent), share)]
            distance += step_size * size * (missed.mean() - share)
        times.append(known_at[start])
        followed.append(distance)
    return float(distance)


def _least(share: float) -> int:
    """Return the smallest number of errors whose largest at most a share exceeds."""
    # Rounded, so that floating-point errors, as in 0.1 + 0.2, do not add an error.
    return math.ceil(round(1 / share - 1, 9))


def _place(n: NDArray[np.intp] | int, share: float) -> NDArray[np.intp]:
    """Return which of n sorted errors at most a share of new ones exceeds."""
    return n - np.floor(np.round((np.asarray(n) + 1) * share, 9)).astype(np.intp)
