"""Normalization of each window by itself, and its reversal on the outputs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import check_choice, check_integer, is_number
from skl_lstm.network.blocks import blocks
from skl_lstm.network.network import Network

Method = Literal["last", "mean", "standard"]
METHODS = get_args(Method)

# The smallest scale of a window, as a share of the median over the training windows. A much
# smaller one lets a few nearly constant windows dominate the loss.
FLOOR_SHARE = 0.1

# Number of values that are copied at once to measure windows; some 0.5 MB stay in the cache.
BLOCK_VALUES = 2**16


@dataclass(frozen=True)
class WindowScaling:
    """How each window is normalized: less its location, divided by its scale.

    A fitted estimator with `window_scaling` has one as its ``window_scaling_``.

    Parameters
    ----------
    method : {"last", "mean", "standard"}
        Location and scale of a column of a window. ``"last"``: its last value, and `unit`.
        ``"mean"``: zero, and the mean of its absolute values. ``"standard"``: its mean and its
        standard deviation.
    columns : tuple of int
        Positions in a time step of the columns to normalize; the others stay as they are.
    unit : tuple of float
        For each of these columns, the scale of all windows with ``"last"``, and otherwise the
        smallest scale.
    restores : bool, default=True
        Whether outputs are put back in the units of the windows: output ``j`` in those of
        ``columns[j % len(columns)]``.

    Raises
    ------
    ValueError
        If a value is invalid.

    Notes
    -----
    This is the reversible instance normalization of Kim et al. (2022), without the learned
    affine map; ``"last"`` is that of NLinear (Zeng et al., 2023), ``"mean"`` that of DeepAR
    (Salinas et al., 2020).

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstm import WindowScaling
    >>> scaling = WindowScaling("last", columns=(0,), unit=(10.0,))
    >>> windows = np.array([[[110.0], [120.0], [130.0]]])
    >>> location, scale = scaling.measure(windows)
    >>> scaling.normalize(windows, location, scale)[0, :, 0]
    array([-2., -1.,  0.])
    >>> scaling.restore(np.array([[0.5]]), location, scale)
    array([[135.]])
    """

    method: Method
    columns: tuple[int, ...]
    unit: tuple[float, ...]
    restores: bool = True

    def __post_init__(self) -> None:
        check_choice("method", self.method, METHODS)
        if not (isinstance(self.columns, tuple) and self.columns):
            raise ValueError(f"columns must be a tuple of positions, got {self.columns!r}")
        for column in self.columns:
            check_integer("columns", column, minimum=0)
        if len(set(self.columns)) < len(self.columns):
            raise ValueError(f"columns must all be different, got {self.columns}")
        if not (isinstance(self.unit, tuple) and len(self.unit) == len(self.columns)):
            raise ValueError(f"unit must be a tuple of {len(self.columns)}, got {self.unit!r}")
        for unit in self.unit:
            if not (is_number(unit) and 0 < unit < math.inf):
                raise ValueError(f"unit must be positive numbers, got {self.unit!r}")
        check_choice("restores", self.restores, (True, False))

    @classmethod
    def learn(
        cls,
        method: Method,
        columns: tuple[int, ...],
        windows: NDArray,
        rows: NDArray[np.int64],
        *,
        restores: bool,
    ) -> WindowScaling:
        """Learn the unit of each column.

        Parameters
        ----------
        method, columns, restores
            As in the class.
        windows : ndarray of shape (n, n_lags, n_series)
            Windows; they can be a strided view.
        rows : ndarray of int64
            The complete ones to learn from.

        Returns
        -------
        scaling : WindowScaling
            For ``"last"`` the unit is the root mean square of the windows less their last
            values, and otherwise `FLOOR_SHARE` of the median of the windows' scales. If all
            windows are constant, it is the standard deviation of their locations; if these are
            all the same, their size; or else one.

        Raises
        ------
        ValueError
            If values are too large to be measured.
        """
        # Column by column: sums of contiguous values round less.
        locations, spreads = np.empty((2, len(columns), len(rows))).transpose(0, 2, 1)
        for block in _blocks(len(rows), windows):
            known = windows[rows[block]][..., list(columns)]
            locations[block] = _location(method, known)
            spreads[block] = _spread(method, known, locations[block])
        with np.errstate(over="ignore"):
            if method == "last":
                unit = np.sqrt(np.square(spreads).mean(axis=0))
            else:
                unit = FLOOR_SHARE * np.array([_median_of_positive(each) for each in spreads.T])
            if not (unit > 0.0).all():
                # The first is exactly zero if all are the same.
                between = (locations - locations[0]).std(axis=0)
                for instead in (between, np.abs(locations[0]), 1.0):
                    unit = np.where(unit > 0.0, unit, instead)
        if not np.isfinite(unit).all():
            raise ValueError("Input X contains values too large to be normalized.")
        return cls(method, columns, tuple(unit.tolist()), restores)

    def check(self, n_series: int, network: Network) -> None:
        """Raise ValueError unless it fits windows of `n_series` columns and their network."""
        if network.stateful:
            raise ValueError("window_scaling must be None for a stateful network")
        if max(self.columns) >= n_series:
            raise ValueError(
                f"target must be columns of a step of {n_series}, got {list(self.columns)}"
            )

    def check_targets(self, n_targets: int) -> None:
        """Raise ValueError unless it fits y of `n_targets` columns."""
        if self.restores and n_targets % len(self.columns):
            raise ValueError(
                f"y must have a multiple of {len(self.columns)} columns, one for each target "
                f"column in each step, got {n_targets}"
            )

    def measure(self, windows: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return location and scale of each window, both of shape (n, len(columns)).

        Parameters
        ----------
        windows : ndarray of shape (n, n_lags, n_series)
            The windows; they can be a strided view. One with a missing value has NaN.
        """
        columns = list(self.columns)
        locations, scales = np.empty((2, len(windows), len(columns)))
        for block in _blocks(len(windows), windows):
            locations[block], scales[block] = self._measure(windows[block][..., columns])
        return locations, scales

    def normalize(self, windows: NDArray, location: NDArray, scale: NDArray) -> NDArray:
        """Return a normalized copy of windows (n, n_lags, n_series)."""
        normalized = windows.copy()
        for i, column in enumerate(self.columns):
            normalized[..., column] -= location[:, i, np.newaxis]
            normalized[..., column] /= scale[:, i, np.newaxis]
        return normalized

    def normalize_targets(self, y: NDArray, location: NDArray, scale: NDArray) -> NDArray:
        """Return y of shape (n, n_outputs) in the units of the normalized windows."""
        by_step = y.reshape(len(y), -1, len(self.columns))
        return ((by_step - location[:, np.newaxis]) / scale[:, np.newaxis]).reshape(y.shape)

    def restore(self, outputs: NDArray, location: NDArray, scale: NDArray) -> NDArray:
        """Put outputs (n, n_outputs) back in the units of the windows, if that is to be done."""
        if not self.restores:
            return outputs
        by_step = outputs.reshape(len(outputs), -1, len(self.columns))
        return (by_step * scale[:, np.newaxis] + location[:, np.newaxis]).reshape(outputs.shape)

    def _measure(self, series: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Measure windows (n, n_lags, len(columns)) of only the columns to normalize."""
        location = _location(self.method, series)
        if self.method == "last":
            return location, np.broadcast_to(self.unit, location.shape)
        return location, np.maximum(_spread(self.method, series, location), self.unit)


def _location(method: Method, series: NDArray) -> NDArray[np.float64]:
    if method == "mean":
        return np.zeros((len(series), series.shape[2]))
    last = series[:, -1].astype(np.float64)
    if method == "last":
        return last
    # So the mean of equal values is exactly their value, and their deviations are zero.
    return last + (series - last[:, np.newaxis]).mean(axis=1)


def _spread(method: Method, series: NDArray, location: NDArray) -> NDArray[np.float64]:
    """Return the mean absolute value, or the root mean square about the location."""
    deviations = series - location[:, np.newaxis]
    if method == "mean":
        return np.abs(deviations).mean(axis=1)
    with np.errstate(over="ignore"):
        return np.sqrt(np.square(deviations).mean(axis=1))


def _blocks(n: int, windows: NDArray) -> Iterator[slice]:
    """Return the parts of `n` windows, as large as these, that are measured at once."""
    return blocks(n, max(1, BLOCK_VALUES // math.prod(windows.shape[1:])))


def _median_of_positive(values: NDArray) -> float:
    positive = values[values > 0.0]
    return float(np.median(positive)) if len(positive) else 0.0
