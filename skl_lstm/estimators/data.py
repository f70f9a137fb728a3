"""Checks of X, y and sample weights, and their conversion for the network."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array

from skl_lstm.checks import numbers
from skl_lstm.network.windows import LagsBehind, Windows, cast_finite
from skl_lstm.training.rows import Rows
from skl_lstm.windowing.file_windows import FileWindows
from skl_lstm.windowing.grouped_windows import GroupedWindows
from skl_lstm.windowing.laid_out_later import LaidOutLater
from skl_lstm.windowing.window_array import step_columns, step_layout

# Up to this many values, a copy of windows takes less time than finding out what they share.
FEW_VALUES = 2**12


def check_X(X: Any, estimator: BaseEstimator) -> Any:
    """Return X as a float array of two or three dimensions; a view, as of windows, stays one.

    Windows of several series, and of a file, stay what they are.

    Whether its values are finite is checked on the memory behind the view, in ``Windows.of``.
    """
    if isinstance(X, LaidOutLater):
        return X
    values = np.asarray(X) if hasattr(X, "__array__") else None
    if (
        isinstance(values, np.ndarray)
        and values.ndim in (2, 3)
        and values.size
        and values.dtype in (np.float64, np.float32)
    ):
        return values
    checked = numbers(X, estimator, allow_nd=True)
    if checked.ndim > 3:
        raise ValueError(f"X must have 2 or 3 dimensions, got {checked.ndim}")
    if not checked.size:
        raise ValueError(f"X must hold at least one value per row, got shape {checked.shape}")
    return checked


def window_shape(
    X: ArrayLike, values: NDArray, features_per_step: Any, as_steps: bool
) -> tuple[int, int]:
    """Return the number of time steps and of features of the windows in a checked X.

    Parameters
    ----------
    X : array-like
        The windows as the user gave them, which may tell the columns of a time step.
    values : ndarray of shape (n, width) or (n, n_steps, n_features)
        The same windows.
    features_per_step : int or "auto"
        Number of features; what X tells, or else 1, if "auto".
    as_steps : bool
        Whether it matters which value belongs to which step: to the network, or to the scaling
        of windows.

    Raises
    ------
    ValueError
        If X tells of another number, or has no such time steps.
    """
    if values.ndim == 3:
        return values.shape[1], values.shape[2]
    told, width = step_columns(X), values.shape[1]
    if told == () and as_steps:
        raise ValueError(
            "X must have the same columns at each lag, with all columns of a time step side by "
            "side, oldest first, but it joins windows with other columns; put LookbackWindower "
            "after what joins them, or set reshape_mode='features' and window_scaling=None"
        )
    n_told = len(told) if told else None
    if features_per_step == "auto":
        per_step = n_told or 1
    else:
        per_step = int(features_per_step)
        if n_told not in (None, per_step):
            raise ValueError(
                f"features_per_step must be {n_told} or 'auto', because X holds windows of the "
                f"columns {list(told or ())}, got {per_step}"
            )
    if width % per_step:
        raise ValueError(
            f"X has {width} columns, which is not a multiple of features_per_step={per_step}"
        )
    return width // per_step, per_step


def in_steps(X: ArrayLike, values: NDArray) -> NDArray:
    """Return checked windows step by step, if X tells that they stand otherwise."""
    order = step_layout(X).order
    return values if order is None or values.ndim != 2 else values[:, order]


def windows_of(values: Any, shape: tuple[int, int], dtype: Any) -> Windows:
    """Return checked windows of a given shape as the network reads them.

    Those of a file that begin before it count as incomplete, which is right in training only
    after :func:`to_train_on`.
    """
    if isinstance(values, FileWindows):
        return Windows.behind(values.before, values.series, *shape, dtype)
    if not isinstance(values, GroupedWindows):
        return Windows.of(values, *shape, dtype)
    buffer = cast_finite(values.rows.reshape(-1), dtype)
    return Windows(buffer, values.rows.shape[1], values.places, *shape)


def to_train_on(values: Any) -> Any:
    """Return checked windows, in memory if some that begin before a file can be trained on."""
    if isinstance(values, FileWindows) and not values.first_are_unknown():
        return np.asarray(values)
    return values


def lags_of(
    values: Any, shape: tuple[int, int], dtype: Any
) -> tuple[NDArray | LagsBehind, NDArray[np.int64] | None]:
    """Return checked windows to predict, and which of them; None for all, one after the other.

    Parameters
    ----------
    values : LaidOutLater or ndarray of shape (n, width) or (n, n_steps, n_features)
        The windows.
    shape : tuple of int
        Number of time steps and of features.
    dtype : type
        Precision in which the network reads them.

    Returns
    -------
    lags : ndarray or LagsBehind of shape (n_lags, n_steps, n_features)
        Windows, as a view if there are many.
    rows : ndarray of int64 of shape (n,) or None
        Numbers of those to predict.
    """
    if isinstance(values, np.ndarray) and values.size <= FEW_VALUES:
        return cast_finite(values, dtype).reshape(-1, *shape), None
    windows = windows_of(values, shape, dtype)
    return windows.lags(), windows.numbers if isinstance(values, GroupedWindows) else None


def split_off_last(
    rows: Rows, times: NDArray[np.int64] | None, validation_split: float | int
) -> tuple[slice | NDArray[np.intp], slice | NDArray[np.intp]]:
    """Return which rows to train on, and which last ones in time to evaluate each epoch on.

    Parameters
    ----------
    rows : Rows
        Complete rows.
    times : ndarray of int64 of shape (len(rows),) or None
        Numbers that grow with the time of the rows; None if these are in time order. Rows of the
        same time stay together.
    validation_split : float or int
        Share of the rows to evaluate on, or their number.
    """
    check_some(rows)
    if isinstance(validation_split, Integral):
        n_train = len(rows) - int(validation_split)
    else:  # rounded as in Keras
        n_train = math.floor(len(rows) * (1.0 - validation_split))
    if n_train < 1:
        raise ValueError(
            f"validation_split={validation_split} leaves none of "
            f"{len(rows)} complete rows to train on"
        )
    first: slice | NDArray[np.intp] = slice(n_train)
    last: slice | NDArray[np.intp] = slice(n_train, None)
    if times is not None and n_train < len(rows):
        early = times < np.partition(times, n_train)[n_train]
        if not early.any():
            raise ValueError(
                f"validation_split={validation_split} leaves no rows to train on that are earlier "
                "than those to validate on"
            )
        first, last = np.flatnonzero(early), np.flatnonzero(~early)
    check_weighted(rows[first], "training row")
    return first, last


def check_some(rows: Rows) -> None:
    """Raise ValueError unless at least one row is complete, so that some are left."""
    if not len(rows):
        raise ValueError(
            "X has no complete window with a known target: each of its rows lacks at least one "
            "lag, or its value of y. Set LookbackWindower(fill_missing='forward'), or a shorter "
            "look_back"
        )


def check_weighted(rows: Rows, kind: str) -> None:
    """Raise ValueError if all weights are zero, so that nothing counts."""
    if rows.sample_weight is not None and not rows.sample_weight.any():
        raise ValueError(f"sample_weight must be nonzero for at least one {kind}, got only zeros")


def require_y(estimator: BaseEstimator, y: ArrayLike) -> None:
    """Raise scikit-learn's error if y is missing."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target "
            "y is None."
        )


def check_sample_weight(
    sample_weight: ArrayLike | None, n_rows: int
) -> NDArray[np.float32] | None:
    """Return a float32 weight for each row, or None if no weights are given."""
    if sample_weight is None:
        return None
    weight = check_array(
        sample_weight, ensure_2d=False, dtype=np.float32, input_name="sample_weight"
    )
    if weight.shape != (n_rows,):
        raise ValueError(
            f"sample_weight must be of shape ({n_rows},), one weight per row, got {weight.shape}"
        )
    return weight
