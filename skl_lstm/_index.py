"""The index of what is ahead: dates, periods or numbers that go on as the history's do."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# Stretches of three dates by which the frequency of dates with holes is told.
STRETCHES = 200


def following(index: pd.Index, steps: int, freq: Any = None) -> pd.Index:
    """Continue an index.

    Parameters
    ----------
    index : DatetimeIndex, PeriodIndex, RangeIndex or Index of integers
        Increasing, a row a time step.
    steps : int
        How many rows are to come.
    freq : str, offset or int, default=None
        What lies between two rows: a frequency of pandas for dates and periods, a number for
        numbers. Where None it is the index's own, and the index must have no holes.

    Returns
    -------
    ahead : Index of length steps
        What follows the last row, of the same kind and name.

    Raises
    ------
    ValueError
        If the index does not increase, has holes, or is of another kind.
    """
    import pandas as pd

    _check_increases(index)
    if isinstance(index, pd.DatetimeIndex):
        ahead = _dates(index, steps, freq)
    elif isinstance(index, pd.PeriodIndex):
        ahead = _periods(index, steps, freq)
    elif pd.api.types.is_integer_dtype(index.dtype):
        ahead = _numbers(index, steps, freq)
    else:
        raise ValueError(
            "history must be indexed by dates, periods or whole numbers, got "
            f"{type(index).__name__} of {index.dtype}; history.reset_index(drop=True) numbers "
            "its rows"
        )
    return ahead.rename(index.name)


def _dates(index: pd.DatetimeIndex, steps: int, freq: Any) -> pd.DatetimeIndex:
    import pandas as pd

    if freq is None:
        freq = index.freq or pd.DatetimeIndex(index, freq="infer").freq
    if freq is None:
        _raise_irregular(index)
    last = index[-1]
    ahead = pd.date_range(last, periods=steps + 1, freq=freq)
    return ahead[1:] if ahead[0] == last else ahead[:-1]


def _periods(index: pd.PeriodIndex, steps: int, freq: Any) -> pd.PeriodIndex:
    import pandas as pd

    if freq is None:
        _check_complete(index, pd.period_range(index[0], index[-1], freq=index.freq), index.freqstr)
    elif pd.tseries.frequencies.to_offset(freq) != index.freq:
        raise ValueError(f"freq must be that of history's periods, {index.freqstr!r}, got {freq!r}")
    return pd.period_range(index[-1], periods=steps + 1, freq=index.freq)[1:]


def _numbers(index: pd.Index, steps: int, freq: Any) -> pd.RangeIndex:
    import pandas as pd

    first, last = int(index[0]), int(index[-1])
    if freq is None:
        freq = Counter(np.diff(index).tolist()).most_common(1)[0][0] if len(index) > 1 else 1
        _check_complete(index, pd.RangeIndex(first, last + 1, freq), freq)
    return pd.RangeIndex(last + freq, last + freq * steps + 1, freq)


def _raise_irregular(index: pd.DatetimeIndex) -> None:
    import pandas as pd

    stretches = (index[start : start + 3] for start in range(min(len(index) - 2, STRETCHES)))
    found = Counter(pd.DatetimeIndex(stretch, freq="infer").freq for stretch in stretches)
    found.pop(None, None)
    if found:
        freq = found.most_common(1)[0][0]
        _check_complete(index, pd.date_range(index[0], index[-1], freq=freq), freq.freqstr)
    raise ValueError(
        f"history's {len(index)} dates have no frequency that can be told; pass freq=, such as "
        "freq='MS'"
    )


def _check_complete(index: pd.Index, complete: pd.Index, freq: Any) -> None:
    missing = complete.difference(index)
    if len(missing):
        raise ValueError(
            f"history has no row for {_label(missing[0])}, which lies between its rows at "
            f"frequency {freq!r}; put the row in, or pass freq= to take its rows as consecutive"
        )


def _check_increases(index: pd.Index) -> None:
    if index.is_monotonic_increasing and index.is_unique:
        return
    order = next(
        row for row in range(1, len(index)) if not index[row] > index[row - 1]
    )
    raise ValueError(
        f"history's index must increase from row to row, got {_label(index[order])} after "
        f"{_label(index[order - 1])}"
    )


def _label(label: Any) -> str:
    """Write a date without the time of day where it is midnight."""
    return str(label).removesuffix(" 00:00:00")
