"""Warnings of input that can be trained on, but is hardly what the user means."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstm.network.scaling import Method
from skl_lstm.network.windows import Windows
from skl_lstm.warn import SeriesWarning, warn
from skl_lstm.windowing.alignment import (
    FEW_ROWS,
    FIRST_ROWS,
    column_continued,
    standardized,
    warn_unless_shifted,
)
from skl_lstm.windowing.grouped_windows import GroupedWindows
from skl_lstm.windowing.window_array import step_columns

# A network starts with outputs of about 1: targets this large are out of its reach for long, and
# values this large in a window keep its gates open or shut.
LARGE = 100.0

# Among how many rows it is looked whether values are large.
SOME_ROWS = 1000

# Share of the size of a series in the middle below which training hardly regards another: its
# errors are squared.
SMALL = 0.1

# Number of last rows without values of their own that are told.
N_UNKNOWN = 3

# Share of the rows beyond which those left out are told.
MANY = 0.1


def warn_of_rows_left_out(X: Any, complete: slice | NDArray[np.intp], n_rows: int) -> None:
    """Warn if many rows are incomplete, apart from those before the first complete one.

    `complete` are the positions of the complete rows among the `n_rows` rows of X. Each of
    several series has a first complete row.
    """
    if isinstance(complete, slice):
        first, n_complete = complete.start, complete.stop - complete.start
    else:
        n_complete = len(complete)
        first = int(complete[0]) if n_complete else n_rows
    n_since = _n_since_first(X, complete) if isinstance(X, GroupedWindows) else n_rows - first
    n_left_out = n_since - n_complete
    if n_left_out > MANY * n_since:
        warn(
            f"X and y have {n_left_out} of {n_rows} rows with a missing lag or target, which are "
            "left out of training; LookbackWindower(fill_missing='forward') fills lags",
            SeriesWarning,
        )


def _n_since_first(windows: GroupedWindows, complete: slice | NDArray[np.intp]) -> int:
    """Count the rows that are not before the first complete one of their series."""
    never = np.iinfo(np.int64).max
    first = np.full(int(windows.series.max()) + 1, never)
    np.minimum.at(first, windows.series[complete], windows.times[complete])
    return int(np.count_nonzero(windows.times >= first[windows.series]))


def warn_of_unknown_ends(values: NDArray, n_features: int) -> None:
    """Warn if the last windows lack their newest values, as rows that are to be forecast do."""
    last_steps = values[-N_UNKNOWN:, -1] if values.ndim == 3 else values[-N_UNKNOWN:, -n_features:]
    if len(last_steps) == N_UNKNOWN and np.isnan(last_steps).any(axis=1).all():
        warn(
            f"X has no values of its own in its last {N_UNKNOWN} rows, so that predict continues "
            "from older ones; forecast(model, history, steps) forecasts rows that are not known",
            SeriesWarning,
        )


def warn_of_unlikely_input(
    model: Any,
    X: ArrayLike,
    values: NDArray,
    shape: tuple[int, int],
    y: NDArray,
    learned: NDArray,
) -> None:
    """Warn of windows and targets that do not look like those of a series.

    Parameters
    ----------
    model : LSTMForecaster
        Its parameters.
    X : array-like
        The windows as the user gave them.
    values : ndarray of shape (n, width) or (n, n_steps, n_features)
        The same windows.
    shape : tuple of int
        Number of time steps and of features.
    y : ndarray of shape (n, n_outputs)
        The targets.
    learned : ndarray of shape (n_train, n_outputs)
        The targets as the network learns them.
    """
    names, scaled = step_columns(X), model.window_scaling is not None
    warn_unless_ahead(X, values, shape, y)
    if not scaled:
        _warn_of_large_targets(learned)
    elif shape == (1, 1) and model.window_scaling != "mean":
        warn(
            f"X has windows of a single value, of which window_scaling={model.window_scaling!r} "
            "leaves nothing: put LookbackWindower before the forecaster, with look_back > 1",
            SeriesWarning,
        )
    if model.window_scaling == "mean" and np.nanmin(y, initial=0.0) < 0.0:
        warn(
            "y has negative values, for which window_scaling='mean' is not made, because it "
            "divides by the mean size of the values of a window: set 'last' or 'standard'",
            SeriesWarning,
        )
    as_steps = scaled or model.reshape_mode == "timesteps"
    if names is None and values.ndim == 2 and shape[1] == 1 and as_steps:
        _warn_of_columns(X, values, y, model.features_per_step)


def warn_of_large_values(
    X: ArrayLike, windows: Windows, normalized: Collection[int], learned: NDArray
) -> None:
    """Warn of columns that a network can hardly read, because of the size of their values.

    Parameters
    ----------
    X : array-like
        The windows as the user gave them.
    windows : Windows
        Those to train on, in the units of X.
    normalized : collection of int
        Positions in a step of the columns that the network receives in another size.
    learned : ndarray of shape (n_train, n_outputs)
        The targets as the network learns them. If they are large, they are told instead.
    """
    sizes = _size(windows.last_steps(SOME_ROWS).astype(np.float64), axis=0)
    large = [place for place in np.flatnonzero(sizes > LARGE) if place not in normalized]
    if large and _size(learned) <= LARGE:
        told = step_columns(X)
        names = dict.fromkeys(told[i % len(told)] if told else int(i) for i in large)
        some_name = repr(next(iter(names)))
        several = f"{len(names)} columns of a step, such as {some_name}"
        warn(
            f"X has values of about {_rounded(sizes[large].max())} in "
            f"{f'column {some_name} of a step' if len(names) == 1 else several}: they hold the "
            "gates of an LSTM open or shut, so that it learns little from them. Scale them before "
            "the windows, for instance with StandardScaler",
            SeriesWarning,
        )


def warn_of_small_series(
    method: Method | None, series: NDArray[np.int64], learned: NDArray
) -> None:
    """Warn of series that training hardly regards, because their targets are small beside others.

    Parameters
    ----------
    method : {"last", "mean", "standard"} or None
        The window scaling.
    series : ndarray of int64 of shape (n_train,)
        Number of the series of each row.
    learned : ndarray of shape (n_train, n_outputs)
        The targets as the network learns them.
    """
    counts = np.bincount(series)
    squares = np.einsum("ij,ij->i", learned, learned, dtype=np.float64)  # without a copy of all
    seen = counts > 0
    sizes = np.sqrt(np.bincount(series, weights=squares)[seen] / counts[seen])
    sizes = sizes[sizes > 0.0]  # the others do not change
    n_small = np.count_nonzero(sizes < SMALL * np.median(sizes)) if len(sizes) else 0
    if n_small:
        n_series = np.count_nonzero(seen)
        others = "set window_scaling='standard' or 'mean', or " if method in (None, "last") else ""
        warn(
            f"X has {n_small} of {n_series} series whose targets are less than a tenth of "
            f"those of a series in the middle, so that training hardly regards them: {others}put "
            "SeriesScaledRegressor around the model",
            SeriesWarning,
        )


def warn_unless_ahead(
    X: ArrayLike, values: NDArray, shape: tuple[int, int], y: NDArray, where: str = ""
) -> None:
    """Warn if targets are those of their own rows, unless the windower has looked already."""
    if not getattr(X, "compared", False):
        last_step = values[:, -1] if values.ndim == 3 else values[:, -shape[1] :]
        warn_unless_shifted(y, last_step, step_columns(X) or range(shape[1]), where)


def _warn_of_large_targets(y: NDArray) -> None:
    size = _size(y)
    if size > LARGE:
        warn(
            f"y has values of about {_rounded(size)}, but a network starts with outputs of "
            "about 1 and takes many epochs to reach them: set window_scaling='last', or scale X "
            "and y",
            SeriesWarning,
        )


def _size(values: NDArray, axis: int | None = None) -> Any:
    """Return the typical size of values, or along an axis: the root of their mean square."""
    n_values = values.size if axis is None else values.shape[axis]
    return np.linalg.norm(values, axis=axis) / np.sqrt(max(n_values, 1))


def _rounded(size: float) -> str:
    """Return a power of ten, so that the fits of a search say the same, which is told once."""
    return f"{10.0 ** round(np.log10(size)):g}"


def _warn_of_columns(X: ArrayLike, values: NDArray, y: NDArray, features_per_step: Any) -> None:
    """Warn of columns of a series that are read as lags of one."""
    n_rows, width = values.shape
    if width == 1 or n_rows < FEW_ROWS or _overlap(values, 1):
        return
    per_step = next(
        (n for n in range(2, width // 2 + 1) if width % n == 0 and _overlap(values, n)), None
    )
    if per_step is not None:
        warn(
            f"the rows of X overlap like windows of a series of {per_step} columns, but they are "
            f"read as {width} lags of one: set features_per_step={per_step}",
            SeriesWarning,
        )
    elif 0 < _n_seams(values) < (width - 1) / 2:
        warn(
            "the columns of X look like windows beside each other, or beside other columns, but "
            f"they are read as {width} lags of one series: put LookbackWindower right before the "
            "forecaster",
            SeriesWarning,
        )
    elif features_per_step == "auto" and (
        hasattr(X, "columns") or column_continued(y, values) is not None
    ):
        warn(
            f"X has {width} columns that are not lags of one series, but they are read as {width} "
            "lags of one: put LookbackWindower right before the forecaster, or set "
            "features_per_step",
            SeriesWarning,
        )


def _overlap(values: NDArray, n_columns: int) -> bool:
    """Return whether each row begins with what ends the row before it, as windows do.

    Each column may have been scaled by itself.
    """
    rows = values[len(values) // 2 :][:FIRST_ROWS]  # the first ones may have been imputed
    now, before = rows[1:, :-n_columns], rows[:-1, n_columns:]
    both = ~(np.isnan(now).any(axis=1) | np.isnan(before).any(axis=1))
    return bool(both.any()) and np.allclose(standardized(now[both]), standardized(before[both]))


def _n_seams(values: NDArray) -> int:
    """Return how many columns are not, a row later, what the column before them is."""
    pairs = (values[:, [i, i + 1]] for i in range(values.shape[1] - 1))
    return sum(not _overlap(pair, 1) for pair in pairs)
