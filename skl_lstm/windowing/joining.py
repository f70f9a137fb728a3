"""Rows joined with the rows before them: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray


def join(
    series: NDArray,
    tail: NDArray,
    n_between: int | None,
    steps: NDArray[np.int64] | None,
    *,
    repeat: bool,
    fill: bool,
) -> NDArray:
    """Join each row of a series with the rows before it.

    Parameters
    ----------
    series : ndarray of shape (n, n_columns)
        The rows, oldest first.
    tail : ndarray of shape (look_back - 1, n_columns)
        Rows known from before.
    n_between : int or None
        Number of unknown rows between the tail and the series, negative if the series begins
        within it; None if the tail is not to be used.
    steps : ndarray of int of shape (n,) or None
        Number of steps from any fixed time to each row; None if the rows are consecutive.
    repeat : bool
        Whether an unknown row is the known one before it, or else the first; NaN otherwise.
    fill : bool
        Whether a missing value is the last known one of its column.

    Returns
    -------
    windows : ndarray of shape (n, look_back * n_columns)
        A view of consecutive rows; a copy if some are missing.
    """
    n_before, n_columns = tail.shape
    lags = np.arange(n_before) + (n_before if n_between is None else n_between)
    known = (lags >= 0) & (lags < n_before)
    before = np.full((n_before, n_columns), np.nan, dtype=series.dtype)
    before[known] = tail[lags[known]]
    rows, kept = (series, None) if steps is None else _with_missing_rows(series, steps, n_before)
    joined = np.concatenate([before, rows])
    if repeat:
        unknown = np.flatnonzero(~known)
        if kept is not None:
            missing = np.delete(np.arange(len(rows)), kept)
            unknown = np.concatenate([unknown, n_before + missing])
        _repeat_known_rows(joined, unknown)
    if fill:
        _fill_forward(joined)
    width = (n_before + 1) * n_columns
    windows = sliding_window_view(joined.ravel(), width)[::n_columns]
    if kept is None:
        return windows
    windows = windows[kept]
    windows.flags.writeable = False
    return windows


def _with_missing_rows(
    series: NDArray, steps: NDArray[np.int64], most: int
) -> tuple[NDArray, NDArray[np.int64]]:
    """Put NaN where rows are missing, at most `most` of them; return where the others stand."""
    places = np.arange(len(series))
    places[1:] += np.cumsum(np.minimum(np.diff(steps) - 1, most))
    rows = np.full((places[-1] + 1, series.shape[1]), np.nan, dtype=series.dtype)
    rows[places] = series
    return rows, places


def _repeat_known_rows(rows: NDArray, unknown: NDArray[np.intp]) -> None:
    """Replace unknown rows by the known one before them or, at the beginning, after them."""
    begins = np.diff(unknown, prepend=-2) > 1
    runs = np.cumsum(begins) - 1
    source = (unknown[begins] - 1)[runs]
    if len(unknown) and unknown[0] == 0:
        source[runs == 0] = np.count_nonzero(runs == 0)
    rows[unknown] = rows[source]


def _fill_forward(rows: NDArray) -> None:
    """Replace missing values by the last known one of their column."""
    for column in rows.T:
        known = ~np.isnan(column)
        if not known.all():
            last_known = np.maximum.accumulate(np.where(known, np.arange(len(rows)), 0))
            column[:] = column[last_known]


def last_rows(
    series: NDArray, steps: NDArray[np.int64] | None, n_rows: int, *, repeat: bool, fill: bool
) -> NDArray:
    """Return the rows of the last `n_rows` steps, with NaN for those that are missing.

    `repeat` and `fill` are those of :func:`join`.
    """
    if fill:
        series = series.copy()
        _fill_forward(series)
    if steps is None:
        return series[len(series) - n_rows :].copy()
    times = steps[-1] - np.arange(n_rows - 1, -1, -1)
    at_or_before = np.searchsorted(steps, times, side="right") - 1
    known = (at_or_before >= 0) & (repeat | fill | (steps[at_or_before] == times))
    last = np.full((n_rows, series.shape[1]), np.nan, dtype=series.dtype)
    last[known] = series[at_or_before[known]]
    return last
