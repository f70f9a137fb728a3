"""Rows joined with the rows before them: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

# In place of the number of rows between a tail that is not to be used and what follows.
NOT_USED = 2**62


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
    before, known = rows_before(tail, n_between, carry=repeat | fill)
    rows, kept = (series, None) if steps is None else _with_missing_rows(series, steps, n_before)
    joined = np.concatenate([before.astype(series.dtype, copy=False), rows])
    if repeat:
        is_known = np.ones(len(joined), dtype=bool)
        is_known[:n_before] = known
        if kept is not None:
            is_known[n_before:] = False
            is_known[n_before + kept] = True
        _repeat_known_rows(joined, is_known, np.zeros(1, dtype=np.int64))
    if fill:
        fill_forward(joined)
    width = (n_before + 1) * n_columns
    windows = sliding_window_view(joined.ravel(), width)[::n_columns]
    if kept is None:
        return windows
    windows = windows[kept]
    windows.flags.writeable = False
    return windows


def rows_before(
    tail: NDArray, n_between: int | None, *, carry: bool = False
) -> tuple[NDArray, NDArray[np.bool_]]:
    """Return the rows before a series, NaN if unknown, and which are known.

    `tail` and `n_between` are those of :func:`join`. With `carry`, the last row of the tail is
    that before a series that begins long after it.
    """
    known = np.ones(len(tail), dtype=bool)
    if n_between is None:
        return np.full_like(tail, np.nan), ~known
    if not n_between:
        return tail, known
    before, known = _rows_before(tail[np.newaxis], np.array([n_between]), carry)
    return before[0], known[0]


def join_all(
    rows: NDArray,
    tails: NDArray,
    n_between: NDArray[np.int64],
    steps: NDArray[np.int64],
    starts: NDArray[np.int64],
    *,
    repeat: bool,
    fill: bool,
) -> tuple[NDArray, NDArray[np.int64]]:
    """Put several series below each other, each behind the rows before it.

    Parameters
    ----------
    rows : ndarray of shape (n, n_columns)
        The rows, series by series, oldest first.
    tails : ndarray of shape (n_series, look_back - 1, n_columns)
        Rows known from before, of each series.
    n_between : ndarray of int64 of shape (n_series,)
        Number of unknown rows between the tail and each series, as in :func:`join`; `NOT_USED` if
        its tail is not to be used.
    steps : ndarray of int64 of shape (n,)
        Number of steps to each row from a fixed time of its series.
    starts : ndarray of int64 of shape (n_series,)
        Where each series begins in `rows`.
    repeat, fill : bool
        As in :func:`join`.

    Returns
    -------
    joined : ndarray of shape (n_joined, n_columns)
        The rows with what precedes them; no more than ``look_back - 1`` rows for those missing.
    places : ndarray of int64 of shape (n,)
        Where the window of each row begins in it.
    """
    _, n_before, n_columns = tails.shape
    increments = np.minimum(np.diff(steps, prepend=0), n_before + 1)
    increments[starts] = n_before + 1
    places = np.cumsum(increments) - 1
    joined = np.full((int(places[-1]) + 1, n_columns), np.nan, dtype=rows.dtype)
    joined[places] = rows
    begins = places[starts] - n_before
    before, known = _rows_before(tails, n_between, repeat | fill)
    at = begins[:, np.newaxis] + np.arange(n_before)
    joined[at] = before
    if repeat:
        is_known = np.zeros(len(joined), dtype=bool)
        is_known[places] = True
        is_known[at] = known
        _repeat_known_rows(joined, is_known, begins)
    if fill:
        fill_forward(joined, begins)
    return joined, places - n_before


def _rows_before(
    tails: NDArray, n_between: NDArray[np.int64], carry: bool
) -> tuple[NDArray, NDArray[np.bool_]]:
    """Return the rows before each of several series, NaN if unknown, and which are known.

    If values are carried over what is missing, so is the last row of a tail over a long gap.
    """
    n_before = tails.shape[1]
    lags = np.arange(n_before) + n_between[:, np.newaxis]
    if carry:
        beyond = (n_between >= n_before) & (n_between < NOT_USED)
        lags[beyond] = n_before - 1
    known = (lags >= 0) & (lags < n_before)
    lags = np.where(known, lags, 0)
    rows = np.take_along_axis(tails, lags[..., np.newaxis], axis=1) if n_before else tails
    return np.where(known[..., np.newaxis], rows, np.nan), known


def _with_missing_rows(
    series: NDArray, steps: NDArray[np.int64], most: int
) -> tuple[NDArray, NDArray[np.int64]]:
    """Put NaN where rows are missing, at most `most` of them; return where the others stand."""
    places = np.arange(len(series))
    places[1:] += np.cumsum(np.minimum(np.diff(steps) - 1, most))
    rows = np.full((places[-1] + 1, series.shape[1]), np.nan, dtype=series.dtype)
    rows[places] = series
    return rows, places


def _repeat_known_rows(rows: NDArray, known: NDArray[np.bool_], begins: NDArray[np.int64]) -> None:
    """Replace unknown rows by the known one before them or, at the beginning, after them.

    `begins` are the places where one of several series begins.
    """
    places = np.arange(len(rows))
    source = np.maximum.accumulate(np.where(known, places, -1))
    early = source < _begin_of_each(begins, len(rows))
    after = np.minimum.accumulate(np.where(known, places, len(rows))[::-1])[::-1]
    source[early] = after[early]
    rows[~known] = rows[source[~known]]


def fill_forward(rows: NDArray, begins: NDArray[np.int64] | None = None) -> None:
    """Replace missing values by the last known one of their column, within a series."""
    begin = 0 if begins is None else _begin_of_each(begins, len(rows))
    for column in rows.T:
        known = ~np.isnan(column)
        if not known.all():
            last_known = np.maximum.accumulate(np.where(known, np.arange(len(rows)), begin))
            column[:] = column[last_known]


def _begin_of_each(begins: NDArray[np.int64], n_rows: int) -> NDArray[np.int64]:
    return np.repeat(begins, np.diff(begins, append=n_rows))


def last_rows(
    series: NDArray, steps: NDArray[np.int64] | None, n_rows: int, *, repeat: bool, fill: bool
) -> NDArray:
    """Return the rows of the last `n_rows` steps, with NaN for those that are missing.

    `repeat` and `fill` are those of :func:`join`.
    """
    if fill:
        series = series.copy()
        fill_forward(series)
    if steps is None:
        return series[len(series) - n_rows :].copy()
    times = steps[-1] - np.arange(n_rows - 1, -1, -1)
    at_or_before = np.searchsorted(steps, times, side="right") - 1
    known = (at_or_before >= 0) & (repeat | fill | (steps[at_or_before] == times))
    last = np.full((n_rows, series.shape[1]), np.nan, dtype=series.dtype)
    last[known] = series[at_or_before[known]]
    return last
