"""The columns to normalize, and training windows and targets in normalized units."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstm.network.scaling import WindowScaling
from skl_lstm.network.windows import Windows, cast_finite
from skl_lstm.training.rows import Rows
from skl_lstm.warn import SeriesWarning, warn
from skl_lstm.windowing.alignment import FEW_ROWS, same_shape
from skl_lstm.windowing.window_array import step_columns

# Number of rows whose targets are normalized at once.
BLOCK_ROWS = 2**13

# About how many rows tell in which units y is.
MANY_ROWS = 10**5

# How many ranges away from the windows y is taken to be in other units.
FAR = 10.0


def target_columns(
    target: Any, X: ArrayLike, n_series: int, told: list[str] | None = None
) -> tuple[int, ...]:
    """Return the positions in a step of the columns that `target` names.

    Parameters
    ----------
    target : str, int, sequence of them, or None
        Names or positions; None for the only column, or for those of `told`.
    X : array-like
        The windows as the user gave them, which may tell the names of the columns of a step.
    n_series : int
        Number of columns in a step.
    told : list of str, default=None
        Names of the columns that y continues, as y tells them.

    Returns
    -------
    columns : tuple of int
        Positions, in the order of `target`.

    Raises
    ------
    ValueError
        If there are several columns and `target` is None, or if `target` names a column that
        is not there, or names one twice.
    """
    told_by_X = step_columns(X) or getattr(X, "columns", None)
    names = [] if told_by_X is None else [str(name) for name in told_by_X][-n_series:]
    told = None if told is None else [_whole_name(name, names) for name in told]
    if not told or not all(names.count(name) == 1 for name in told):
        told = None
    if target is None:
        if n_series > 1 and told is None:
            raise ValueError(
                f"target must name the columns that window_scaling normalizes, of the {n_series} "
                f"in a step{f', {names}' if names else ''}, got None"
            )
        return (0,) if told is None else tuple(names.index(name) for name in told)
    several = np.iterable(target) and not isinstance(target, str | bytes | Mapping | Set)
    given = list(target) if several else [target]
    if not given:
        raise ValueError(f"target must be names or positions of columns, got {target!r}")
    columns = tuple(_position(each, names, n_series) for each in given)
    if len(set(columns)) < len(columns):
        raise ValueError(f"target must name each column once, got {target!r}")
    if told is not None and [names[column] for column in columns] != told:
        raise ValueError(f"target must be {told}, the columns that y continues, got {target!r}")
    return columns


def _position(target: Any, names: list[str], n_series: int) -> int:
    if isinstance(target, Integral) and not isinstance(target, bool):
        position = int(target)
        if not -n_series <= position < n_series:
            raise ValueError(
                f"target must be positions from {-n_series} to {n_series - 1}, got {target}"
            )
        return position % n_series
    if not isinstance(target, str):
        raise ValueError(f"target must be names or positions of columns, got {target!r}")
    if not names:
        raise ValueError(
            f"target must be positions if X has no column names, got {target!r}; windows have "
            "those of the DataFrame that they are made of"
        )
    whole = _whole_name(target, names)
    if names.count(whole) != 1:
        raise ValueError(
            f"target must be columns of a step, {names}, got {target!r}; set_output("
            "transform='pandas') on what stands before LookbackWindower keeps the names"
        )
    return names.index(whole)


def _whole_name(name: str, names: list[str]) -> str:
    """Return a name with the prefix that a ColumnTransformer may have given it."""
    prefixed = [each for each in names if each.endswith(f"__{name}")]
    return prefixed[0] if name not in names and len(prefixed) == 1 else name


def normalized(scaling: WindowScaling, rows: Rows) -> Rows:
    """Return rows whose windows are to be normalized when they are gathered.

    Parameters
    ----------
    scaling : WindowScaling
        How to normalize them.
    rows : Rows
        Complete windows and their targets, in the units and the precision of X and y.

    Returns
    -------
    rows : Rows
        The windows in float32, with the location and the scale of each; the targets, in float32
        too, in normalized units, or unchanged if the scaling does not restore outputs.
    """
    windows, y = rows.windows, rows.targets
    locations, scales = scaling.measure(windows.view())
    if scaling.restores:
        warn_of_other_units(windows, y, scaling)
        y = _normalized_targets(scaling, y, locations, scales, windows.numbers)
    return replace(
        rows,
        windows=windows.scaled(scaling, locations, scales),
        targets=cast_finite(y, np.float32, "y"),
    )


def _normalized_targets(
    scaling: WindowScaling,
    y: NDArray,
    locations: NDArray,
    scales: NDArray,
    rows: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return targets in normalized units, a block at a time, since y may hold many steps."""
    normalized = np.empty(y.shape, dtype=np.float32)
    for start in range(0, len(y), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        chosen = rows[block]
        in_units = scaling.normalize_targets(y[block], locations[chosen], scales[chosen])
        normalized[block] = cast_finite(in_units, np.float32, "y")
    return normalized


def warn_of_other_units(windows: Windows, y: NDArray, scaling: WindowScaling) -> None:
    """Warn if y is the target column of the next rows in other units, or lies far from it."""
    if len(y) < FEW_ROWS:
        return
    lags = windows.view()
    rows, order = windows.numbers, np.arange(len(y))
    if (np.diff(rows) < 0).any():  # rows of several series, in any order
        order = np.argsort(rows)
    in_turn = np.flatnonzero(np.diff(rows[order]) == 1)
    now, following = order[in_turn], order[in_turn + 1]
    some = y[:: max(1, len(y) // MANY_ROWS)]
    for i, column in enumerate(scaling.columns):
        known = lags[..., column]
        low, high = (reduce(known, axis=None) for reduce in (np.fmin.reduce, np.fmax.reduce))
        targets = some[:, i :: len(scaling.columns)]
        next_values, target = known[rows[following], -1], y[now, i]
        scaled = same_shape(next_values, target) and not np.allclose(next_values, target)
        outside = np.median(np.maximum(low - targets, targets - high))
        sizes = [np.nanmedian(np.abs(each)) for each in (known[rows, -1], y[:, i])]
        other_size = min(sizes) > 0.0 and max(sizes) > FAR * min(sizes)
        if scaled or other_size or outside > FAR * min(high - low, np.ptp(targets) or np.inf):
            how = "has other units than" if scaled or other_size else "lies far outside"
            warn(
                f"y {how} the windows: it has values from {targets.min():.4g} to "
                f"{targets.max():.4g}, and column {column} of a step of X from {low:.4g} to "
                f"{high:.4g}. window_scaling={scaling.method!r} needs both in the same units: "
                "scale neither of them, and let target name the column that y continues",
                SeriesWarning,
            )
            return
