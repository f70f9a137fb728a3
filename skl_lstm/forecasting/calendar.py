"""The index of a forecast: dates, periods or numbers that continue those of the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from skl_lstm.checks import check_integer

if TYPE_CHECKING:
    import pandas as pd

# Number of runs of three dates from which to infer the frequency of dates with holes.
RUNS = 200

# Rows in a season: until the same day of the week, time of the day or month of the year.
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
        Index with one row per time step.
    steps : int
        Number of rows to add.
    freq : str, offset or int, default=None
        Step between two rows, as in :func:`frequency`.

    Returns
    -------
    ahead : Index of length steps
        Index of the rows that follow, of the same kind and name.
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
    """Return the step between two rows of an index.

    Parameters
    ----------
    index : DatetimeIndex, PeriodIndex, RangeIndex or Index of integers
        Index with one row per time step.
    freq : str, offset or int, default=None
        The step, if it is known: a pandas frequency, or an integer if the index holds numbers.
        If None, it is inferred from the index, which must then have no holes.

    Returns
    -------
    freq : offset or int
        The step between two rows.

    Raises
    ------
    ValueError
        If the index does not increase or is of another kind; if `freq` is not a frequency that
        goes forward; or, if `freq` is None, if there are holes or too few dates to infer it.
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
    """Return the number of rows in a season; 1 if no season is known."""
    import pandas as pd

    months = getattr(freq, "kwds", {}).get("months")
    offset = pd.offsets.MonthBegin(months * freq.n) if months else freq
    rule, n = getattr(offset, "freqstr", "").lstrip("0123456789"), getattr(offset, "n", 1)
    rows = SEASONS.get(rule.partition("-")[0], 1)
    return 1 if rows % n else rows // n


def _of_dates(index: Any, freq: Any) -> Any:
    import pandas as pd

    if freq is not None:
        return _forward_offset(freq, index[-1])
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
        "freq must be given if it cannot be inferred from the dates of history, got "
        f"{len(index)} dates"
    )


def _forward_offset(freq: Any, date: Any) -> Any:
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
    """Infer the frequency of dates that may have holes from the days they fall on.

    Return None if they are neither business days nor always the same day of a month.
    """
    import pandas as pd

    days = index.tz_localize(None)
    if len(days) < 3 or (days - days.normalize()).nunique() > 1:
        return None
    if (days.day_of_week < 5).all() and np.diff(days).min() == pd.Timedelta(days=1):
        return pd.offsets.BDay()
    months = int(np.diff(days.year * 12 + days.month).min())
    # A day that some months lack would drift when the dates are continued.
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
        f"{getattr(freq, 'freqstr', freq)} requires, got {_label(after)} after {_label(before)}; "
        "add the row, or pass freq= to treat the rows as consecutive"
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
    """Return a label as text; a date at midnight without its time of day."""
    return str(label).removesuffix(" 00:00:00")
