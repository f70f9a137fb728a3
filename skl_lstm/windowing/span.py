"""When the training rows were, and where other rows stand beside them in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skl_lstm.windowing.calendar import (
    check_increases,
    first_hole,
    given_frequency,
    is_time,
    label_text,
    likely_frequency,
    positions,
    refuse_levels,
)

if TYPE_CHECKING:
    import pandas as pd

# The value of `freq` that takes rows to follow each other, whatever their times.
ROWS = "rows"

NO_REACH = "no window reaches over a hole"

# What a windower keeps of the times that it was fitted on: plain values, for its file.
Span = dict[str, Any]


class Place(NamedTuple):
    """Where rows stand in time.

    Attributes
    ----------
    n_between : int or None
        Number of steps between the last training row and the first of these rows: 0 if they
        follow, negative if they begin earlier; None if nothing is known before them.
    steps : ndarray of int or None
        Number of steps from any fixed time to each of the rows; None if they are consecutive.
    doubt : str or None
        Why lags are missing, if that is no matter of course.
    """

    n_between: int | None
    steps: NDArray[np.int64] | None = None
    doubt: str | None = None


def times_of(X: Any, name: str = "X") -> pd.Index | None:
    """Return the index of a DataFrame or Series if it says when its rows were.

    Raises
    ------
    ValueError
        If the index has several levels, lacks a label, or does not increase.
    """
    index = getattr(X, "index", None)
    if index is None or not hasattr(index, "is_monotonic_increasing"):
        return None
    import pandas as pd

    if isinstance(index, pd.MultiIndex):
        refuse_levels(index, name)
    if index.inferred_type == "date":
        index = pd.DatetimeIndex(index)
    if not len(index) or not is_time(index):
        return None
    if index.hasnans:
        raise ValueError(f"{name} must have a time for each row, got NaT in its index")
    check_increases(index, name)
    return index


def span_of(times: pd.Index, freq: Any) -> tuple[Span, NDArray[np.int64] | None, str | None]:
    """Describe the time of the training rows.

    Parameters
    ----------
    times : Index
        Times of the rows, as :func:`times_of` returns them.
    freq : str, offset, int or None
        The step between two rows; ``"rows"`` if any two rows are a step apart; None to infer it.

    Returns
    -------
    span : dict
        What to keep of them.
    steps : ndarray of int or None
        Number of steps from the first row to each row; None if they are consecutive.
    hole : str or None
        The first row that is missing, if `freq` is inferred.

    Raises
    ------
    ValueError
        If `freq` is given and is not that of the times, or a row is missing.
    """
    step, steps, hole = None, None, None
    if freq is None:
        step = likely_frequency(times)
    elif not (isinstance(freq, str) and freq == ROWS):
        step = given_frequency(times, freq, "X")
    if step is not None:
        steps = positions(times, step, times[0])
        hole = first_hole(times, step)
    if hole is not None and freq is not None:
        raise ValueError(f"X must have {hole}; add the row, or set freq='rows' if none is missing")
    if hole is None or steps is None:  # off the calendar, so that no step is known
        step, steps, hole = None if hole else step, None, None
    span = {
        "kind": _kind(times),
        "first": _plain_label(times[0]),
        "last": _plain_label(times[-1]),
        "freq": _plain_frequency(step),
    }
    return span, steps, hole


def place(times: pd.Index, span: Span) -> Place | None:
    """Return where rows stand beside the training rows; None if their times do not tell.

    Raises
    ------
    ValueError
        If the times are of another kind than those of the training rows.
    """
    same_kind = _kind(times) == span["kind"]
    # Numbers from 0 are those that pandas gives to rows without an index.
    afresh = (is_numbered_afresh(times), _began_afresh(span))
    if all(afresh) or (any(afresh) and not same_kind):
        return None
    if not same_kind:
        raise ValueError(
            f"X must be indexed by {span['kind']}, as in fit, got {_kind(times)}; "
            "X.to_numpy() has no index"
        )
    first, last = (_label(span[end], times) for end in ("first", "last"))
    step = _frequency(span["freq"])
    steps = None if step is None else positions(times, step, last)
    doubt = (
        f"X begins at {label_text(times[0])}, which does not follow the rows seen in fit, "
        f"{label_text(first)} to {label_text(last)}: its first windows lack the lags that are not "
        "known. Pass the look_back - 1 rows before it too to complete them"
    )
    if step is None:
        if times[0] == first:
            return Place(None)
        return Place(0) if times[0] > last else Place(None, doubt=doubt)
    if steps is None:  # between the times of the training rows, as at another time of day
        return Place(None, _if_with_holes(positions(times, step, times[0])), doubt)
    uneven = _if_with_holes(steps)
    if times[0] == first:
        return Place(None, uneven)
    if steps[0] == 1:
        hole = None if uneven is None else f"X lacks {first_hole(times, step)}; {NO_REACH}"
        return Place(0, uneven, hole)
    return Place(int(steps[0]) - 1, uneven, doubt)


def first_label(times: pd.Index, span: Span | None) -> Any:
    """Return the time of the first training row, if it is of the kind of other times."""
    if span is None or _kind(times) != span["kind"]:
        return None
    return _label(span["first"], times)


def _if_with_holes(steps: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    return None if steps is None or steps[-1] - steps[0] == len(steps) - 1 else steps


def _kind(times: pd.Index) -> str:
    import pandas as pd

    if isinstance(times, pd.PeriodIndex):
        return f"periods of frequency {times.freqstr}"
    if not isinstance(times, pd.DatetimeIndex):
        return "numbers"
    return "dates without a time zone" if times.tz is None else "dates of a time zone"


def is_numbered_afresh(times: pd.Index) -> bool:
    """Return whether the labels are 0, 1, 2 …, which pandas gives to rows without an index."""
    import pandas as pd

    return isinstance(times, pd.RangeIndex) and times.start == 0 and times.step == 1


def _began_afresh(span: Span) -> bool:
    return span["kind"] == "numbers" and span["first"] == 0 and span["freq"] == 1


def _plain_label(label: Any) -> Any:
    return int(label) if isinstance(label, int | np.integer) else str(label)


def _label(plain: Any, times: pd.Index) -> Any:
    import pandas as pd

    if isinstance(times, pd.PeriodIndex):
        return pd.Period(plain, freq=times.freqstr)
    if not isinstance(times, pd.DatetimeIndex):
        return plain
    date = pd.Timestamp(plain)
    return date if date.tz is None else date.tz_convert(times.tz)


def _plain_frequency(freq: Any) -> Any:
    """Return a frequency as a number or text, or as the arguments of a DateOffset, if possible."""
    import pandas as pd

    if freq is None or isinstance(freq, int | np.integer):
        return None if freq is None else int(freq)
    if type(freq) is pd.DateOffset:
        return {name: number * freq.n for name, number in freq.kwds.items()}
    try:
        same = pd.tseries.frequencies.to_offset(freq.freqstr) == freq
    except ValueError:
        same = False
    return freq.freqstr if same else freq


def _frequency(plain: Any) -> Any:
    import pandas as pd

    if isinstance(plain, dict):
        return pd.DateOffset(**plain)
    return pd.tseries.frequencies.to_offset(plain) if isinstance(plain, str) else plain
