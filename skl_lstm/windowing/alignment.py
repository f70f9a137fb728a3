"""Signs that values are not what they are taken for, and the names of what y holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.warn import SeriesWarning, warn

# Number of rows below which equal values may be chance.
FEW_ROWS = 10
# Rows that are compared first, since most columns differ in them already; then that many times as
# many, again and again, so that a long series is rarely compared as a whole.
FIRST_ROWS = 100
TIMES_MORE = 16

# Spread of values that are equal, in rounding errors of their size.
ROUNDING = 64

# How far standardized values may differ by rounding, and by scaling in a low precision, the latter
# in rounding errors of their size.
SAME = 1e-6
SCALING = 8

# Share of the rows that decides.
MOST = 0.9

# How many ranges of others away from them values are taken to be in other units.
FAR = 10.0

STEP_NAME = re.compile(r"(.*)_step1", re.DOTALL)


def step_names(targets: Sequence[Any], horizon: int) -> list[Any]:
    """Return the names of the columns of y for `horizon` steps of the columns `targets`."""
    if horizon == 1:
        return list(targets)
    return [f"{name}_step{step}" for step in range(1, horizon + 1) for name in targets]


def names_of_targets(y: Any) -> list[str] | None:
    """Return the names of the columns that y continues, if it has names of :func:`step_names`.

    Parameters
    ----------
    y : Series, DataFrame or array-like
        What follows each row.

    Returns
    -------
    targets : list of str or None
        Their names; None if y does not tell.
    """
    names = getattr(y, "columns", None)
    if names is None:
        name = getattr(y, "name", None)
        return [name] if isinstance(name, str) else None
    names = list(names)
    first = [match[1] for match in (STEP_NAME.fullmatch(str(name)) for name in names) if match]
    targets = first or names
    if not names or not all(isinstance(name, str) for name in names):
        return None
    return targets if names == step_names(targets, len(names) // len(targets)) else None


def warn_unless_shifted(y: Any, rows: NDArray, names: Sequence[Any], where: str = "") -> None:
    """Warn if y is a column of the same rows, so that nothing is left to forecast.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, n_outputs)
        The targets.
    rows : ndarray of shape (n, n_columns)
        The series, or the last time step of each window.
    names : sequence
        Names of the columns.
    where : str, default=""
        What the warning begins with.
    """
    column = equal_column(y, rows)
    if column is None:
        _warn_unless_next(y, rows, names, where)
    else:
        warn(
            f"{where}y equals column {names[column]!r} of the same row of X, not of the row after "
            "it. A model that learns this repeats its input: make_supervised(series) shifts y",
            SeriesWarning,
        )


def _warn_unless_next(y: Any, rows: NDArray, names: Sequence[Any], where: str) -> None:
    """Warn if y has the name of a column and values of it, but not those of the next row."""
    told, target = names_of_targets(y), _first_output(y)
    if told is None or target is None or told[0] not in names or len(target) != len(rows):
        return
    values = rows[:, list(names).index(told[0])]
    expected = values[1:]
    known = ~(np.isnan(target[:-1]) | np.isnan(expected))
    if np.count_nonzero(known) < FEW_ROWS:
        return
    right = np.isclose(target[:-1][known], expected[known]).mean()
    of_column = np.isin(target[:-1][known], values).mean()
    if right < MOST and of_column > MOST:
        warn(
            f"{where}y has values of column {told[0]!r}, but not those of the row after each row "
            "of X; make_supervised(series) shifts y by one row, or by horizon rows",
            SeriesWarning,
        )


def far_columns(values: NDArray, others: NDArray) -> NDArray[np.intp]:
    """Return the positions of columns whose values lie, in the median, far from those of others.

    A column of the others that does not change tells nothing.
    """
    if not len(values):
        return np.array([], dtype=np.intp)
    low = np.nanmin(others, axis=0, initial=np.inf)
    high = np.nanmax(others, axis=0, initial=-np.inf)
    outside = np.nanmedian(np.maximum(low - values, values - high), axis=0)
    return np.flatnonzero((outside > FAR * (high - low)) & (high > low))


def equal_column(y: Any, rows: NDArray) -> int | None:
    """Return the position of a column that equals the first output, if there is one.

    Either may have been scaled. A column that looks the same after a shift, such as a straight
    line, proves nothing and is passed over.
    """
    target = _first_output(y)
    if target is None or len(target) != len(rows) or len(target) < FEW_ROWS:
        return None
    for column in range(rows.shape[1]):
        if all(
            same_shape(target[:n].astype(np.float64, copy=False), rows[:n, column])
            for n in _lengths(len(target))
        ):
            target = target.astype(np.float64, copy=False)
            return None if same_shape(target[1:], target[:-1]) else column
    return None


def _lengths(n_rows: int) -> Iterator[int]:
    """Yield how many first rows to compare: few, and more each time, up to all of them."""
    n_first = FIRST_ROWS
    while n_first < n_rows:
        yield n_first
        n_first *= TIMES_MORE
    yield n_rows


def column_continued(y: Any, rows: NDArray) -> int | None:
    """Return the position of a column whose next value is the first output of each row."""
    target = _first_output(y)
    if target is None or len(target) != len(rows):
        return None
    return equal_column(target[:-1], rows[1:])


def _first_output(y: Any) -> NDArray | None:
    values = np.asarray(y)
    if values.ndim not in (1, 2) or not values.size:
        return None
    first = values if values.ndim == 1 else values[:, 0]
    if first.dtype == np.float32:  # as it is, since most of it may not be looked at
        return first
    try:
        return first.astype(np.float64, copy=False)
    except (TypeError, ValueError):  # labels, or what is refused later
        return None


def same_shape(one: NDArray, other: NDArray) -> bool:
    """Return whether values are the same after each is brought to mean 0 and spread 1.

    Where one is missing, they are not compared.
    """
    known = ~(np.isnan(one) | np.isnan(other))
    if np.count_nonzero(known) < 3:
        return False
    (first, *of_first), (second, *of_second) = (
        _standardized(values[known]) for values in (one, other)
    )
    return bool((np.abs(first - second) <= _rounding(of_first, of_second)).all())


def _rounding(*pair: Sequence[Any]) -> float:
    """Return how far standardized values may differ, of which one was scaled in its precision.

    Of each, their spread, size and precision are given.
    """
    eps = max(precision for *_, precision in pair)
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = [size / spread for spread, size, _ in pair]
    return max(SAME, SCALING * eps * np.nan_to_num(max(sizes), posinf=0.0))


def standardized(values: NDArray) -> NDArray:
    """Bring values, or each column of them, to mean 0 and spread 1."""
    return _standardized(values)[0]


def _standardized(values: NDArray) -> tuple[NDArray, Any, Any, Any]:
    """Return standardized values, and the spread, the size and the precision that they had."""
    values = np.asarray(values, dtype=np.result_type(values, np.float32))
    precision = np.finfo(values.dtype).eps
    spread, size = values.std(axis=0), np.abs(values).max(axis=0, initial=0.0)
    # The spread of equal values may be that of rounding, which says nothing of their precision.
    changes = spread > ROUNDING * precision * size
    centered = np.where(changes, values - values.mean(axis=0), 0.0)
    own = np.where(changes, spread, 0.0)
    return centered / np.where(changes, spread, 1.0), own, size, precision
