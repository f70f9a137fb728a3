"""Windows of several series, laid out only where they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike, NDArray

from skl_lstm.windowing.laid_out_later import LaidOutLater, selects_whole_rows


class GroupedWindows(LaidOutLater):
    """Windows of several series, made by a :class:`LookbackWindower` with `group`.

    It stands for an array of shape (n_samples, look_back * n_columns), which NumPy and
    scikit-learn make of it where they read it: ``np.asarray(windows)``. An
    :class:`LSTMForecaster` reads the rows themselves, which take `look_back` times less memory.
    Selected rows are windows again.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        The rows of all series, one series below the other, each behind ``look_back - 1`` rows.
    places : ndarray of int64 of shape (n_samples,)
        Where each window begins in `rows`.
    look_back : int
        Number of rows in a window.
    step_columns : sequence of str
        Names of the columns of a time step.
    series : ndarray of int64 of shape (n_samples,)
        Number of the series of each window.
    times : ndarray of int64 of shape (n_samples,)
        Time of the last row of each window, as a number that grows with time.
    compared : bool, default=False
        Whether the windower has compared the target with the columns.

    Attributes
    ----------
    shape : tuple of int
        Shape of the array.
    dtype : dtype
        Type of its values.

    Examples
    --------
    >>> import pandas as pd
    >>> from skl_lstm import GroupedWindows, LookbackWindower
    >>> days = pd.date_range("2024-01-01", periods=2)
    >>> sales = pd.DataFrame({"shop": list("ABAB"), "sold": [1.0, 5.0, 2.0, 6.0]})
    >>> sales.index = days.repeat(2)
    >>> windows = LookbackWindower(look_back=2, group="shop").fit_transform(sales)
    >>> isinstance(windows, GroupedWindows), windows.shape
    (True, (4, 2))
    >>> import numpy as np
    >>> np.asarray(windows[2:])
    array([[1., 2.],
           [5., 6.]])
    """

    def __init__(
        self,
        rows: NDArray,
        places: NDArray[np.int64],
        look_back: int,
        step_columns: Sequence[str],
        series: NDArray[np.int64],
        times: NDArray[np.int64],
        *,
        compared: bool = False,
    ) -> None:
        self.rows = rows
        self.places = places
        self.look_back = look_back
        self.step_columns = tuple(step_columns)
        self.series = series
        self.times = times
        self.compared = compared

    @property
    def shape(self) -> tuple[int, int]:
        """Number of windows, and of values in each."""
        return len(self.places), self.look_back * self.rows.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        return self.rows.dtype

    def __iter__(self) -> Iterator[NDArray]:
        """Lay the windows out one after the other."""
        windows = self._all_windows()
        return (windows[place] for place in self.places)

    def __getitem__(self, key: Any) -> Any:
        """Select rows, which remain windows, or values, as an array."""
        rows, *columns = key if isinstance(key, tuple) else (key,)
        places = self.places[rows]
        if places.ndim and selects_whole_rows(columns):
            return GroupedWindows(
                self.rows,
                places,
                self.look_back,
                self.step_columns,
                self.series[rows],
                self.times[rows],
                compared=self.compared,
            )
        windows = self._all_windows()
        if not places.ndim:
            return windows[places][tuple(columns)]
        first = columns[0] if len(columns) == 1 else None
        if isinstance(first, slice):  # columns first, since only these are then copied
            return windows[:, first][places]
        return np.asarray(self)[key]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray:
        """Lay the windows out."""
        if copy is False:
            raise ValueError("windows of several series are laid out in a copy, got copy=False")
        return self._all_windows()[self.places].astype(dtype or self.dtype, copy=False)

    def complete(self) -> NDArray[np.bool_]:
        """Return which windows have no missing value."""
        missing = np.isnan(self.rows).any(axis=1)
        n_missing = np.concatenate([[0], np.cumsum(missing)])
        return n_missing[self.places + self.look_back] == n_missing[self.places]

    def rows_after(self) -> NDArray[np.int64]:
        """Return for each window how many of its series end later."""
        order = np.lexsort((self.times, self.series))
        ends = np.searchsorted(self.series[order], self.series[order], side="right")
        after = np.empty(len(order), dtype=np.int64)
        after[order] = ends - 1 - np.arange(len(order))
        return after

    def _all_windows(self) -> NDArray:
        """Return the windows of all rows, those across a border included, as a view."""
        width = self.shape[1]
        return sliding_window_view(self.rows.ravel(), width)[:: self.rows.shape[1]]
