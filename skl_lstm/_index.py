"""The index of what is ahead: dates, periods or numbers that go on as the history's do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ._checks import check_integer

if TYPE_CHECKING:
    import pandas as pd

# How many runs of three dates tell the frequency of dates with holes.
RUNS = 200

# Rows until the same day of the week, time of the day or month of the year.
SEASONS = {
    "min": 1440,
    "h": 24,
    "D": 7,
    "B": 5,
    "W": 52,
    **dict.fromkeys(["MS", "ME", "BMS", "BME"], 12),
    **dict.fromkeys(["QS", "QE", "BQS", "BQE"], 4),
}


def following(index: pd.Index, steps: int, freq: Any = None) -> pd.Index:
    """Continue an index.

    Parameters
    ----------
    index : DatetimeIndex, PeriodIndex, RangeIndex or Index of integers
        A row a time step.
    steps : int
        How many rows are to come.
    freq : str, offset or int, default=None
        As :func:`frequency` takes it.

    Returns
    -------
    ahead : Index of length steps
        What follows the last row, of the same kind and name.
    """
    import pandas as pd

    ahead: pd.Index
    freq = frequency(index, freq)
    last = index[-1]
    if isinstance(index, pd.PeriodIndex):
        ahead = pd.period_range(last + freq, periods=steps, freq=freq)
    elif isinstance(index, pd.DatetimeIndex):
        dates = pd.date_range(last, periods=steps + 1, freq=freq)
        ahead = dates[1:] if dates[0] == last else dates[:-1]
    else:
        ahead = pd.RangeIndex(int(last) + freq, int(last) + freq * steps + 1, freq)
    return ahead.rename(index.name)


def frequency(index: pd.Index, freq: Any = None) -> Any:
    """Tell what lies between two rows.

    Parameters
    ----------
    index : DatetimeIndex, PeriodIndex, RangeIndex or Index of integers
        A row a time step.
    freq : str, offset or int, default=None
        The answer: a frequency of pandas, or a whole number where the index is of numbers.
        Where None it is told from the index, which must then have no holes.

    Returns
    -------
    freq : offset or int
        What lies between two rows.

    Raises
    ------
    ValueError
        If the index does not increase or is of another kind; if `freq` is none that goes
        forward; and where none is given, if there are holes or too few dates to tell.
    """
    import pandas as pd

    tell: Callable[[Any, Any], Any]
    if isinstance(index, pd.DatetimeIndex):
        tell = _of_dates
    elif isinstance(index, pd.PeriodIndex):
        tell = _of_periods
    elif pd.api.types.is_integer_dtype(index.dtype):
        tell = _of_numbers
    else:
        raise ValueError(
            f"history must be indexed by dates, periods or whole numbers, got labels of "
            f"{index.dtype}; history.reset_index(drop=True) numbers its rows"
        )
    _check_increases(index)
    return tell(index, freq)


def season_of(freq: Any) -> int:
    """Tell after how many rows a season comes round; 1 where none is known."""
    import pandas as pd

    months = getattr(freq, "kwds", {}).get("months")
    offset = pd.offsets.MonthBegin(months * freq.n) if months else freq
    rule, n = getattr(offset, "freqstr", "").lstrip("0123456789"), getattr(offset, "n", 1)
    rows = SEASONS.get(rule.partition("-")[0], 1)
    return 1 if rows % n else rows // n


def _of_dates(index: Any, freq: Any) -> Any:
    import pandas as pd

    if freq is not None:
        return _forward(freq, index[-1])
    own = index.freq or pd.DatetimeIndex(index, freq="infer").freq
    if own is not None:
        return own
    likely = _by_the_calendar(index)
    if likely is not None:
        return _without_holes(index, likely)
    runs = (index[start : start + 3] for start in range(min(len(index) - 2, RUNS)))
    found = [pd.DatetimeIndex(run, freq="infer").freq for run in runs]
    found = [each for each in found if each is not None]
    if found:
        _raise_at_hole(index, _most_common(found))
    gaps = np.diff(index)
    if len(gaps) > 1 and not (gaps % gaps.min()).astype(int).any():
        _raise_at_hole(index, pd.tseries.frequencies.to_offset(pd.Timedelta(gaps.min())))
    raise ValueError(
        "freq must be given where the dates of history do not tell it, and its "
        f"{len(index)} dates do not"
    )


def _forward(freq: Any, date: Any) -> Any:
    import pandas as pd

    try:
        offset = pd.tseries.frequencies.to_offset(freq)
    except (TypeError, ValueError):
        offset = None
    if offset is None or not date + offset > date:
        raise ValueError(
            f"freq must be a frequency of pandas that goes forward, got {freq!r}"
        ) from None
    return offset


def _by_the_calendar(index: Any) -> Any:
    """Tell a frequency, which there may be holes in, from what days the dates are.

    None where they are neither business days nor always the same day of a month.
    """
    import pandas as pd

    days = index.tz_localize(None)
    if len(days) < 3 or (days - days.normalize()).nunique() > 1:
        return None
    if (days.day_of_week < 5).all() and np.diff(days).min() == pd.Timedelta(days=1):
        return pd.offsets.BDay()
    months = int(np.diff(days.year * 12 + days.month).min())
    # A day that some months lack would wander when dates go on.
    if months < 1 or days.day.nunique() > 1 or days[0].day > 28:
        return None
    return pd.offsets.MonthBegin(months) if days[0].day == 1 else pd.DateOffset(months=months)


def _of_periods(index: Any, freq: Any) -> Any:
    if freq is None:
        return _without_holes(index, index.freq)
    try:
        same = index[0].asfreq(freq).freq == index.freq
    except (TypeError, ValueError):
        same = False
    if not same:
        raise ValueError(
            f"freq must be that of history's periods, {index.freqstr!r}, got {freq!r}"
        )
    return index.freq


def _of_numbers(index: Any, freq: Any) -> int:
    import pandas as pd

    if freq is not None:
        check_integer("freq", freq)
        return freq
    if isinstance(index, pd.RangeIndex):
        return index.step
    return _without_holes(index, _most_common(np.diff(index)) if len(index) > 1 else 1)


def _without_holes(index: pd.Index, freq: Any) -> Any:
    if (index[:-1] + freq != index[1:]).any():
        _raise_at_hole(index, freq)
    return freq


def _raise_at_hole(index: pd.Index, freq: Any) -> NoReturn:
    at = np.flatnonzero(index[:-1] + freq != index[1:])[0]
    before, after = index[at], index[at + 1]
    raise ValueError(
        f"history must have a row for {_label(before + freq)}, as its frequency "
        f"{getattr(freq, 'freqstr', freq)} wants, got {_label(after)} after {_label(before)}; "
        "put the row in, or pass freq= to take the rows for consecutive ones"
    )


def _check_increases(index: pd.Index) -> None:
    if index.is_monotonic_increasing and index.is_unique:
        return
    at = np.flatnonzero(~(index[:-1] < index[1:]))[0]
    before, after = index[at], index[at + 1]
    raise ValueError(
        f"history must have an index that increases from row to row, got {_label(after)} after "
        f"{_label(before)}"
    )


def _most_common(values: Any) -> Any:
    return Counter(np.asarray(values, dtype=object)).most_common(1)[0][0]


def _label(label: Any) -> str:
    """Write a label; a date without its time of day where that is midnight."""
    return str(label).removesuffix(" 00:00:00")
