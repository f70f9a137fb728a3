"""Steps between the rows of several series, which share one calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skl_lstm.windowing.calendar import given_frequency, label_text, likely_frequency
from skl_lstm.windowing.groups import Panel, series_at
from skl_lstm.windowing.span import FEW_TIMES, NO_REACH, ROWS, as_numbers

if TYPE_CHECKING:
    import pandas as pd


class PanelSteps(NamedTuple):
    """How far apart the rows of several series are.

    Attributes
    ----------
    freq : offset, int or None
        The step between two rows of a series; None if any two rows are a step apart.
    steps : ndarray of int64 of shape (n,)
        Number of steps to each row from a time that is the same for all rows of a series.
    doubt : str or None
        What is wrong with the times, if the step is inferred.
    regular : ndarray of bool of shape (n_series,)
        Whether the rows of each series are whole numbers of steps apart.
    """

    freq: Any
    steps: NDArray[np.int64]
    doubt: str | None
    regular: NDArray[np.bool_]


def steps_of(panel: Panel, freq: Any, name: str = "X") -> PanelSteps:
    """Return how far apart the rows of a panel are.

    Parameters
    ----------
    panel : Panel
        The series.
    freq : str, offset, int or None
        The step between two rows of a series; ``"rows"`` if any two rows are a step apart; None
        to infer it from the longest series.
    name : str, default="X"
        What holds the series, for messages.

    Raises
    ------
    ValueError
        If `freq` is given and is not that of the times, or a row is missing.
    """
    by_rows = isinstance(freq, str) and freq == ROWS
    inferred = freq is None
    if inferred:
        freq = likely_frequency(panel.series(panel.longest).index)
    elif not by_rows:
        freq = given_frequency(panel.times, freq, name)
    if by_rows or freq is None:
        irregular = np.zeros(len(panel.labels), dtype=bool)
        return PanelSteps(None, panel.place_in_series(), None, irregular)
    steps, regular = steps_in_series(panel.times, panel.codes, freq)
    doubt = _holes(panel, steps, freq) or _irregular(panel, regular)
    if doubt is None:
        return PanelSteps(freq, steps, None, regular)
    if not inferred:
        raise ValueError(f"{name} {doubt}; add the row, or set freq='rows' if none is missing")
    if regular.all():
        doubt = (
            f"{name} {doubt}; {NO_REACH}. Add the rows, with NaN for what is not known, or set "
            "freq='rows' if none is missing"
        )
    else:
        doubt = (
            f"{name} {doubt}; its rows are taken to follow each other. Set freq='rows' if they do"
        )
    few = panel.lengths[~regular].max(initial=0) < FEW_TIMES and not regular.all()
    return PanelSteps(freq, steps, None if few else doubt, regular)


def steps_in_series(
    times: Any, codes: NDArray[np.int64], freq: Any
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Count the steps to each row from a time that is the same for all rows of a series.

    Parameters
    ----------
    times : Index of length n
        Time of each row, in any order.
    codes : ndarray of int64 of shape (n,)
        Number of the series of each row.
    freq : offset or int
        The step.

    Returns
    -------
    steps : ndarray of int64 of shape (n,)
        Number of steps. The rows of a series that is not regular are numbered in time order.
    regular : ndarray of bool of shape (n_series,)
        Whether the rows of each series are whole numbers of steps apart.
    """
    import pandas as pd

    numbers, length = _fixed_length(times, freq)
    n_series = int(codes.max()) + 1
    if length is not None:
        first = np.full(n_series, np.iinfo(np.int64).max)
        np.minimum.at(first, codes, numbers)
        steps, rest = np.divmod(numbers - first[codes], length)
        off = rest != 0
    else:
        dates = times.tz_localize(None)
        grid = pd.date_range(dates.min(), dates.max(), freq=freq)
        steps = grid.get_indexer(dates).astype(np.int64)
        off = steps < 0
    regular = np.ones(n_series, dtype=bool)
    regular[codes[off]] = False
    if not regular.all():
        rows = np.flatnonzero(~regular[codes])
        in_time = rows[np.lexsort((numbers[rows], codes[rows]))]
        steps[in_time] = np.arange(len(in_time))
    return steps, regular


def steps_about(panel: Panel, freq: Any) -> NDArray[np.int64]:
    """Count the steps between the rows of each series as far as they are near whole numbers.

    Two rows are at least a step apart, so that rows at odd times still show a hole.
    """
    numbers, length = _fixed_length(panel.times, freq)
    if length is None:
        begin = panel.times[:1]
        length = max(int(np.diff(as_numbers(begin.append(begin + freq)))[0]), 1)
    between = np.diff(numbers[panel.order], prepend=0)
    apart = np.maximum(np.rint(between / length).astype(np.int64), 1)
    apart[panel.starts[:-1]] = 0
    counted = np.cumsum(apart)
    steps = np.empty(len(counted), dtype=np.int64)
    steps[panel.order] = counted - np.repeat(counted[panel.starts[:-1]], panel.lengths)
    return steps


def _fixed_length(times: pd.Index, freq: Any) -> tuple[NDArray[np.int64], int | None]:
    """Return times as numbers, and the step between two of them if it is always the same."""
    import pandas as pd

    if isinstance(times, pd.PeriodIndex):
        return as_numbers(times), freq.n
    if not isinstance(times, pd.DatetimeIndex):
        return as_numbers(times), int(freq)
    is_tick = isinstance(freq, pd.tseries.offsets.Tick)
    if is_tick and pd.Timedelta(freq) < pd.Timedelta(days=1):
        return as_numbers(times), pd.Timedelta(freq).value
    # A day of a time zone may have 23 or 25 hours.
    numbers = as_numbers(times.tz_localize(None))
    if is_tick:
        return numbers, pd.Timedelta(freq).value
    if isinstance(freq, pd.offsets.Day | pd.offsets.Week):
        days = freq.n * (7 if isinstance(freq, pd.offsets.Week) else 1)
        return numbers, pd.Timedelta(days=days).value
    return numbers, None


def _holes(panel: Panel, steps: NDArray[np.int64], freq: Any) -> str | None:
    """Name the first missing row, and count the series that lack one."""
    in_order, codes = steps[panel.order], panel.codes[panel.order]
    holes = np.flatnonzero((np.diff(codes) == 0) & (np.diff(in_order) > 1))
    if not len(holes):
        return None
    before, after = (panel.times[panel.order[holes[0] + i]] for i in (0, 1))
    missing = label_text(before + freq)
    return (
        f"lacks rows in {_share(np.unique(codes[holes]), panel)} has none for {missing}, as its "
        f"frequency {getattr(freq, 'freqstr', freq)} requires, between {label_text(before)} and "
        f"{label_text(after)}"
    )


def _irregular(panel: Panel, regular: NDArray[np.bool_]) -> str | None:
    odd = np.flatnonzero(~regular)
    return f"has no regular times in {_share(odd, panel)} is irregular" if len(odd) else None


def _share(codes: NDArray[np.int64], panel: Panel) -> str:
    """Say how many series are meant, and which is the first of them."""
    return f"{len(codes)} of {len(panel.labels)} series: {series_at(panel.labels[codes[0]])}"
