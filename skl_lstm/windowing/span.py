"""When the training rows were, and where other rows stand beside them in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import reads_as_date, to_datetime
from skl_lstm.warn import SeriesWarning, warn
from skl_lstm.windowing.calendar import (
    check_increases,
    first_hole,
    given_frequency,
    is_time,
    label_text,
    likely_frequency,
    positions,
    refuse_levels,
    regular_frequency,
)

if TYPE_CHECKING:
    import pandas as pd
    from pandas.tseries.offsets import BaseOffset

    # The step between two rows.
    Freq: TypeAlias = str | int | BaseOffset
else:
    Freq: TypeAlias = Any  # prediction alone does not need pandas

# The value of `freq` that takes rows to follow each other, whatever their times.
ROWS = "rows"

NO_REACH = "no window reaches over a hole"

# From this size on floats are whole numbers for want of digits.
FLOATS_ARE_WHOLE = 2.0**53

# Number of times below which none can be called irregular.
FEW_TIMES = 4

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
    if index.inferred_type == "string" and looks_like_dates(index):
        made = to_datetime(f"{name}.index", str(index[0])).removesuffix(",")
        warn(
            f"{name} is indexed by text such as {index[0]!r}, which is not read as dates, so that "
            f"the order of the rows is not checked: {name}.index = {made}",
            SeriesWarning,
        )
    fractions = pd.api.types.is_float_dtype(index.dtype)
    if not len(index) or not (fractions or is_time(index)):
        return None
    if index.hasnans:
        missing = "NaN" if fractions else "NaT"
        raise ValueError(f"{name} must have a time for each row, got {missing} in its index")
    check_increases(index, name)
    return _whole_numbers(index) if fractions else index


def _whole_numbers(index: pd.Index) -> pd.Index | None:
    """Return numbers such as 1949.0 as integers; None if there are others, whose steps vary."""
    numbers = index.to_numpy(np.float64)
    whole = np.abs(numbers) < FLOATS_ARE_WHOLE
    return index.astype(np.int64) if (whole & (np.floor(numbers) == numbers)).all() else None


def looks_like_dates(index: pd.Index) -> bool:
    """Return whether the first labels of an index of text can be read as dates."""
    import pandas as pd

    try:
        pd.to_datetime(index[:2], format="ISO8601")
    except (TypeError, ValueError):
        return all(isinstance(text, str) and reads_as_date(text) for text in index[:2])
    return True


def span_of(
    times: pd.Index, freq: Any, name: str = "X"
) -> tuple[Span, NDArray[np.int64] | None, str | None]:
    """Describe the time of the training rows.

    Parameters
    ----------
    times : Index
        Times of the rows, as :func:`times_of` returns them.
    freq : str, offset, int or None
        The step between two rows; ``"rows"`` if any two rows are a step apart; None to infer it.
    name : str, default="X"
        What has the times, for messages.

    Returns
    -------
    span : dict
        What to keep of them.
    steps : ndarray of int or None
        Number of steps from the first row to each row; None if they are consecutive.
    doubt : str or None
        What is wrong with the times, if `freq` is inferred: a row is missing, or there is no step.

    Raises
    ------
    ValueError
        If `freq` is given and is not that of the times, or a row is missing.
    """
    step, steps, doubt = None, None, None
    if freq is None:
        step = regular_frequency(times)
        if step is None and len(times) > 1:
            step, steps, doubt = _uneven_step(times, name)
    elif not (isinstance(freq, str) and freq == ROWS):
        step = given_frequency(times, freq, name)
        hole = first_hole(times, step, positions(times, step, times[0]))
        if hole is not None:
            raise ValueError(
                f"{name} must have {hole}; add the row, or set freq='rows' if none is missing"
            )
    span = {
        "kind": kind_of(times),
        "first": _plain_label(times[0]),
        "last": _plain_label(times[-1]),
        "freq": plain_frequency(step),
        "longest_gap": int(np.diff(as_numbers(times)).max(initial=0)),
    }
    return span, steps, doubt


def _uneven_step(times: pd.Index, name: str) -> tuple[Any, NDArray[np.int64] | None, str | None]:
    """Return the step of times that are not regular, the steps to each, and what is wrong."""
    step = likely_frequency(times)
    steps = None if step is None else positions(times, step, times[0])
    if steps is not None:
        hole = first_hole(times, step, steps)
        if hole is None:
            return step, None, None
        return (
            step,
            steps,
            (
                f"{name} lacks {hole}; {NO_REACH}. Add the rows, with NaN for what is not known, "
                "or set freq='rows' if none is missing"
            ),
        )
    if len(times) < FEW_TIMES:
        return None, None, None
    return (
        None,
        None,
        (
            f"{name} has no regular times: {_first_odd_gap(times)}; its rows are taken to follow "
            "each other. Set freq='rows' if they do"
        ),
    )


def _first_odd_gap(times: pd.Index) -> str:
    """Name two neighboring times that are further apart, or nearer, than most."""
    gaps = np.diff(as_numbers(times))
    values, counts = np.unique(gaps, return_counts=True)
    at = int(np.argmax(gaps != values[counts.argmax()]))
    return f"{label_text(times[at + 1])} comes after {label_text(times[at])}"


def as_numbers(times: pd.Index) -> NDArray[np.int64]:
    """Return times as whole numbers: nanoseconds, ordinals of periods, or the numbers."""
    import pandas as pd

    if isinstance(times, pd.DatetimeIndex):
        return times.as_unit("ns").asi8
    return times.asi8 if isinstance(times, pd.PeriodIndex) else np.asarray(times, dtype=np.int64)


def place(times: pd.Index, span: Span, n_lags: int) -> Place | None:
    """Return where rows stand beside the training rows; None if their times do not tell.

    Rows that begin `n_lags` rows or more before what follows the training rows, and go beyond,
    are the new rows and the past that they need, so that there is no doubt.

    Raises
    ------
    ValueError
        If the times are of another kind than those of the training rows.
    """
    same_kind = kind_of(times) == span["kind"]
    # Numbers from 0 are those that pandas gives to rows without an index.
    afresh = (is_numbered_afresh(times), _began_afresh(span))
    if all(afresh) or (any(afresh) and not same_kind):
        return None
    if not same_kind:
        raise ValueError(
            f"X must be indexed by {span['kind']}, as in fit, got {kind_of(times)}; "
            "X.to_numpy() has no index"
        )
    first, last = (_label(span[end], times) for end in ("first", "last"))
    step = frequency_of(span["freq"])
    steps = None if step is None else positions(times, step, last)
    doubt = (
        f"X begins at {label_text(times[0])}, which does not follow the rows seen in fit, "
        f"{label_text(first)} to {label_text(last)}: its first windows lack the lags that are not "
        "known. Pass the rows before it too, leave out their predictions, and set context='none' "
        "to say so; in cross-validation, use TimeSeriesSplit"
    )
    if step is None:
        if times[0] == first:
            return Place(None)
        gap = as_numbers(times[:1])[0] - as_numbers(_index_of(last, times))[0]
        follows = 0 < gap <= max(span["longest_gap"], 1)
        return Place(0) if follows else Place(None, doubt=doubt)
    if steps is None:  # between the times of the training rows, as at another time of day
        return Place(None, _if_with_holes(positions(times, step, times[0])), doubt)
    uneven = _if_with_holes(steps)
    if times[0] == first:
        return Place(None, uneven)
    if steps[0] == 1:
        hole = None if uneven is None else f"X lacks {first_hole(times, step, steps)}; {NO_REACH}"
        return Place(0, uneven, hole)
    with_their_past = int(steps[0]) <= 1 - n_lags and int(steps[-1]) > 0
    return Place(int(steps[0]) - 1, uneven, None if with_their_past else doubt)


def first_label(times: pd.Index, span: Span | None) -> Any:
    """Return the time of the first training row, if it is of the kind of other times."""
    if span is None or kind_of(times) != span["kind"]:
        return None
    return _label(span["first"], times)


def steps_between(times: pd.Index, span: Span | None) -> NDArray[np.int64] | None:
    """Return how many steps of the training rows lie between two rows, if that is known.

    The number is 0 where rows are nearer, or no whole number of steps apart.
    """
    if span is None or span["freq"] is None or kind_of(times) != span["kind"] or len(times) < 2:
        return None
    steps = positions(times, frequency_of(span["freq"]), times[0])
    return np.zeros(len(times) - 1, dtype=np.int64) if steps is None else np.diff(steps)


def _if_with_holes(steps: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    return None if steps is None or steps[-1] - steps[0] == len(steps) - 1 else steps


def kind_of(times: pd.Index) -> str:
    """Name the kind of an index, for messages."""
    import pandas as pd

    if isinstance(times, pd.PeriodIndex):
        return f"periods of frequency {times.freqstr}"
    if not isinstance(times, pd.DatetimeIndex):
        return "numbers" if is_time(times) else f"labels of {times.dtype}"
    return "dates without a time zone" if times.tz is None else "dates of a time zone"


def is_numbered_afresh(times: Any) -> bool:
    """Return whether the labels are 0, 1, 2 …, which pandas gives to rows without an index."""
    import pandas as pd

    return isinstance(times, pd.RangeIndex) and times.start == 0 and times.step == 1


def _began_afresh(span: Span) -> bool:
    return span["kind"] == "numbers" and span["first"] == 0 and span["freq"] == 1


def _plain_label(label: Any) -> Any:
    return int(label) if isinstance(label, int | np.integer) else str(label)


def _index_of(label: Any, times: pd.Index) -> pd.Index:
    import pandas as pd

    return pd.Index([label], dtype=times.dtype)


def from_numbers(numbers: NDArray[np.int64], like: pd.Index) -> pd.Index:
    """Return the times that :func:`as_numbers` made numbers, of the kind of other times."""
    import pandas as pd

    if isinstance(like, pd.PeriodIndex):
        periods: Any = pd.PeriodIndex  # whose from_ordinals the stubs lack
        return periods.from_ordinals(numbers, freq=like.freq)
    if not isinstance(like, pd.DatetimeIndex):
        return pd.Index(numbers)
    dates = pd.DatetimeIndex(numbers.astype("datetime64[ns]"))
    return dates if like.tz is None else dates.tz_localize("UTC").tz_convert(like.tz)


def _label(plain: Any, times: pd.Index) -> Any:
    import pandas as pd

    if isinstance(times, pd.PeriodIndex):
        return pd.Period(plain, freq=times.freqstr)
    if not isinstance(times, pd.DatetimeIndex):
        return plain
    date = pd.Timestamp(plain)
    return date if date.tz is None else date.tz_convert(times.tz)


def plain_frequency(freq: Any) -> Any:
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


def frequency_of(plain: Any) -> Any:
    """Return the step that :func:`plain_frequency` made plain."""
    import pandas as pd

    if isinstance(plain, dict):
        return pd.DateOffset(**plain)
    return pd.tseries.frequencies.to_offset(plain) if isinstance(plain, str) else plain
