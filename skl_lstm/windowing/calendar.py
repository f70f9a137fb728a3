"""The index of a forecast: dates, periods or numbers that continue those of the history."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

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


def following(index: pd.Index, steps: int, freq: Any = None, name: str = "history") -> pd.Index:
    """Continue an index.

    Parameters
    ----------
    index : DatetimeIndex, PeriodIndex, RangeIndex or Index of integers
        Index with one row per time step.
    steps : int
        Number of rows to add.
    freq : str, offset or int, default=None
        Step between two rows, as in :func:`frequency`.
    name : str, default="history"
        What has the index, for messages.

    Returns
    -------
    ahead : Index of length steps
        Index of the rows that follow, of the same kind and name.
    """
    import pandas as pd

    ahead: pd.Index
    freq = frequency(index, freq, name)
    last = index[-1]
    if isinstance(index, pd.PeriodIndex):
        ahead = pd.period_range(last + freq, periods=steps, freq=freq)
    elif isinstance(index, pd.DatetimeIndex):
        dates = pd.date_range(last, periods=steps + 1, freq=freq)
        ahead = dates[1:] if dates[0] == last else dates[:-1]
    else:
        ahead = pd.RangeIndex(int(last) + freq, int(last) + freq * steps + 1, freq)
    return ahead.rename(index.name)


def frequency(index: pd.Index, freq: Any = None, name: str = "history") -> Any:
    """Return the step between two rows of an index.

    Parameters
    ----------
    index : DatetimeIndex, PeriodIndex, RangeIndex or Index of integers
        Index with one row per time step.
    freq : str, offset or int, default=None
        The step, if it is known: a pandas frequency, or an integer if the index holds numbers.
        If None, it is inferred from the index, which must then have no holes.
    name : str, default="history"
        What has the index, for messages.

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

    if isinstance(index, pd.MultiIndex):
        refuse_levels(index, name)
    if not is_time(index):
        of_floats = pd.api.types.is_float_dtype(index.dtype)
        made = f"{name}.index.astype(int)" if of_floats else f"pd.to_datetime({name}.index)"
        raise ValueError(
            f"{name} must be indexed by dates, periods or whole numbers, got labels of "
            f"{index.dtype}; {name}.index = {made} makes "
            f"{'whole numbers of these' if of_floats else 'dates of text'}, and "
            f"{name}.reset_index(drop=True) numbers rows that are in order"
        )
    check_increases(index, name)
    if freq is not None:
        given = given_frequency(index, freq, name)
        _check_regular(index, given, name)
        return given
    likely = likely_frequency(index)
    if likely is None:
        raise ValueError(
            f"freq must be given if it cannot be inferred from the dates of {name}, got "
            f"{len(index)} dates"
        )
    regular = regular_frequency(index) is not None
    hole = None if regular else first_hole(index, likely, positions(index, likely, index[0]))
    if hole is not None:
        raise ValueError(
            f"{name} must have {hole}; add the row, or pass freq= to treat the rows as consecutive"
        )
    return likely


def _check_regular(index: pd.Index, freq: Any, name: str) -> None:
    """Raise ValueError if all rows are apart by another step than a frequency."""
    import pandas as pd

    if len(index) < 3 or isinstance(index, pd.PeriodIndex):
        return
    if regular_frequency(index) is not None and index[0] + freq != index[1]:
        raise ValueError(
            f"freq must be the step between two rows of {name}, got {freq!r}, but "
            f"{label_text(index[1])} follows {label_text(index[0])}"
        )


def is_time(index: pd.Index) -> bool:
    """Return whether an index holds dates, periods or whole numbers."""
    import pandas as pd

    return isinstance(index, pd.DatetimeIndex | pd.PeriodIndex) or pd.api.types.is_integer_dtype(
        index.dtype
    )


def refuse_levels(index: pd.MultiIndex, name: str) -> NoReturn:
    """Raise ValueError for rows of several series."""
    raise ValueError(
        f"{name} must be one series, indexed by its times, got an index of the levels "
        f"{list(index.names)}; name the one that tells several series apart in group, or select "
        f"one series with {name}.xs(label, level=…)"
    )


def given_frequency(index: pd.Index, freq: Any, name: str = "history") -> Any:
    """Return a frequency given by the user in the form that belongs to the kind of index."""
    import pandas as pd

    if isinstance(index, pd.DatetimeIndex):
        return _forward_offset(freq, index[-1])
    if isinstance(index, pd.PeriodIndex):
        return _of_periods(index, freq, name)
    check_integer("freq", freq)
    return freq


def regular_frequency(index: pd.Index) -> Any:
    """Return the step between any two rows of an increasing index; None if it is not regular."""
    import pandas as pd

    if isinstance(index, pd.RangeIndex):
        return index.step
    if isinstance(index, pd.DatetimeIndex):
        return index.freq or pd.DatetimeIndex(index, freq="infer").freq
    return None


def likely_frequency(index: pd.Index) -> Any:
    """Infer the step between two rows of an increasing index, which may have holes.

    Returns
    -------
    freq : offset, int or None
        The most common step; None if the rows do not tell.
    """
    import pandas as pd

    regular = regular_frequency(index)
    if regular is not None:
        return regular
    if isinstance(index, pd.PeriodIndex):
        return index.freq
    if not isinstance(index, pd.DatetimeIndex):
        return int(_step_of_numbers(np.diff(index))) if len(index) > 1 else 1
    likely = _by_the_calendar(index)
    if likely is not None:
        return likely
    runs = (index[start : start + 3] for start in range(min(len(index) - 2, RUNS)))
    found = [pd.DatetimeIndex(run, freq="infer").freq for run in runs]
    found = [each for each in found if each is not None]
    if found:
        return _most_common(found)
    gaps = np.diff(index)
    if len(gaps) > 1 and not (gaps % gaps.min()).astype(int).any():
        return pd.tseries.frequencies.to_offset(pd.Timedelta(gaps.min()))
    return None


def positions(index: pd.Index, freq: Any, origin: Any) -> NDArray[np.int64] | None:
    """Count the steps from a label to each label of an index.

    Parameters
    ----------
    index : DatetimeIndex, PeriodIndex or Index of integers
        Increasing labels.
    freq : offset or int
        The step.
    origin : Timestamp, Period or int
        The label to count from, of the same kind.

    Returns
    -------
    steps : ndarray of int of shape (len(index),) or None
        Number of steps, negative for labels before the origin; None if a label is not a whole
        number of steps away from it.
    """
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        return _whole_steps(index.asi8 - origin.ordinal, freq.n)
    if not isinstance(index, pd.DatetimeIndex):
        return _whole_steps(np.asarray(index) - origin, freq)
    is_tick = isinstance(freq, pd.tseries.offsets.Tick)
    by_the_clock = is_tick and pd.Timedelta(freq) < pd.Timedelta(days=1)
    if not by_the_clock:  # a day of a time zone may have 23 or 25 hours
        index, origin = index.tz_localize(None), origin.tz_localize(None)
    if is_tick or isinstance(freq, pd.offsets.Day):  # a day is a tick only in pandas 2
        step = pd.Timedelta(freq) if is_tick else pd.Timedelta(days=freq.n)
        dates = index.as_unit("ns").asi8
        return _whole_steps(dates - origin.as_unit("ns").value, step.value)
    grid = pd.date_range(min(origin, index[0]), max(origin, index[-1]), freq=freq)
    found, of_origin = grid.get_indexer(index), grid.get_indexer(pd.Index([origin]))[0]
    return None if of_origin < 0 or (found < 0).any() else found - of_origin


def _whole_steps(distances: NDArray, step: int) -> NDArray[np.int64] | None:
    steps, rest = np.divmod(distances, step)
    return None if rest.any() else steps


def first_hole(index: pd.Index, freq: Any, steps: NDArray[np.int64] | None) -> str | None:
    """Say which row an increasing index lacks first; None if there is no hole.

    `steps` are its :func:`positions`.
    """
    if steps is None:  # one by one, as pandas adds some frequencies, and warns
        holes = np.array([before + freq != after for before, after in pairwise(index)])
    else:
        holes = np.diff(steps) != 1
    if not holes.any():
        return None
    at = int(np.argmax(holes))
    before, after = index[at], index[at + 1]
    return (
        f"a row for {label_text(before + freq)}, as its frequency "
        f"{getattr(freq, 'freqstr', freq)} requires, got {label_text(after)} after "
        f"{label_text(before)}"
    )


def season_of(freq: Any) -> int:
    """Return the number of rows in a season; 1 if no season is known."""
    import pandas as pd

    months = getattr(freq, "kwds", {}).get("months")
    offset = pd.offsets.MonthBegin(months * freq.n) if months else freq
    rule, n = getattr(offset, "freqstr", "").lstrip("0123456789"), getattr(offset, "n", 1)
    rows = SEASONS.get(rule.partition("-")[0], 1)
    return 1 if rows % n else rows // n


def _forward_offset(freq: Any, date: Any) -> Any:
    import pandas as pd

    try:
        offset, reason = pd.tseries.frequencies.to_offset(freq), ""
    except (TypeError, ValueError) as error:
        offset, reason = None, f": {error}"
    if offset is None or not date + offset > date:
        raise ValueError(
            f"freq must be a frequency of pandas that goes forward, got {freq!r}{reason}"
        )
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


def _of_periods(index: Any, freq: Any, name: str) -> Any:
    try:
        same = index[0].asfreq(freq).freq == index.freq
    except (TypeError, ValueError):
        same = False
    if not same:
        raise ValueError(f"freq must be that of {name}'s periods, {index.freqstr!r}, got {freq!r}")
    return index.freq


def check_increases(index: pd.Index, name: str = "history") -> None:
    """Raise ValueError unless each label of an index is later than the one before it."""
    if index.is_monotonic_increasing and index.is_unique:
        return
    if not index.is_unique:
        twice = label_text(index[index.duplicated()][0])
        raise ValueError(
            f"{name} must have one row for each time, got {twice} twice; name what tells several "
            "series apart in group, or keep one row; local times in which an hour is repeated "
            "need a time zone (tz_localize)"
        )
    at = np.flatnonzero(~(index[:-1] < index[1:]))[0]
    before, after = label_text(index[at]), label_text(index[at + 1])
    raise ValueError(
        f"{name} must have an index that increases from row to row, got {after} after {before}; "
        "sort the series with sort_index() first"
    )


def _step_of_numbers(gaps: NDArray) -> int:
    step = _most_common(gaps)
    return np.gcd.reduce(gaps) if (gaps % step).any() else step


def _most_common(values: Any) -> Any:
    return Counter(np.asarray(values, dtype=object)).most_common(1)[0][0]


def label_text(label: Any) -> str:
    """Return a label as text; a date at midnight without its time of day."""
    return str(label).removesuffix(" 00:00:00")
