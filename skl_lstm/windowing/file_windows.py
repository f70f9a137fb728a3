"""Windows of a series in a file, which is not copied into memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike, NDArray

from skl_lstm.windowing.laid_out_later import LaidOutLater, selects_whole_rows
from skl_lstm.windowing.window_array import WindowArray


class FileWindows(LaidOutLater):
    """Windows of a series that is mapped from a file, such as a :class:`numpy.memmap`.

    It stands for an array of shape (n_samples, look_back * n_columns), which NumPy and
    scikit-learn make of it where they read it: ``np.asarray(windows)``, which takes memory for
    the series. An :class:`LSTMForecaster` reads the file itself. A slice of the rows is windows
    of the file again; other rows are an array.

    Parameters
    ----------
    before : ndarray of shape (look_back - 1, n_columns)
        The rows before the series, NaN if they are not known.
    series : ndarray of shape (n_samples, n_columns)
        The series, contiguous. Row ``t`` ends window ``t``.
    step_columns : sequence of str
        Names of the columns of a time step.
    compared : bool, default=False
        Whether the windower has compared the target with the columns.
    """

    def __init__(
        self,
        before: NDArray,
        series: NDArray,
        step_columns: Sequence[str],
        *,
        compared: bool = False,
    ) -> None:
        self.before = before
        self.series = series
        self.step_columns = tuple(step_columns)
        self.compared = compared

    @property
    def shape(self) -> tuple[int, int]:
        """Number of windows, and of values in each."""
        return len(self.series), (len(self.before) + 1) * self.series.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        return self.series.dtype

    def __iter__(self) -> Iterator[NDArray]:
        """Lay the windows out one after the other."""
        return (self[row] for row in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        """Select consecutive rows, which remain windows of the file, or values, as an array."""
        rows, *columns = key if isinstance(key, tuple) else (key,)
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                part = self._part(start, max(start, stop))
                if selects_whole_rows(columns):
                    return part
                own = part._of_last_step(*columns)
                return part._array()[(slice(None), *columns)] if own is None else own
        elif isinstance(rows, int | np.integer):
            row = range(len(self))[rows]
            return self._part(row, row + 1)._array()[0][tuple(columns)]
        return self._array()[key]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray:
        """Lay the windows out, as a view of a copy of the series."""
        if copy is False:
            raise ValueError("windows of a file are laid out in a copy, got copy=False")
        return np.asarray(self._array()).astype(dtype or self.dtype, copy=False)

    def complete(self) -> NDArray[np.bool_]:
        """Return which windows have no missing value."""
        rows = np.concatenate([self.before, self.series])
        n_missing = np.concatenate([[0], np.cumsum(np.isnan(rows).any(axis=1))])
        return n_missing[len(self.before) + 1 :] == n_missing[: len(self)]

    def first_are_unknown(self) -> bool:
        """Return whether every window that begins before the series lacks a value."""
        return not len(self.before) or bool(np.isnan(self.before[-1]).any())

    def _part(self, start: int, stop: int) -> FileWindows:
        n_before = len(self.before)
        known = [self.before[start:], self.series[max(start - n_before, 0) : start]]
        before = np.concatenate(known)[:n_before]
        part = self.series[start:stop]
        return FileWindows(before, part, self.step_columns, compared=self.compared)

    def _of_last_step(self, columns: Any, *_: Any) -> NDArray | None:
        """Return columns of the series, if they are those of the last step of the windows."""
        width = self.shape[1]
        if not isinstance(columns, slice) or columns.step not in (None, 1):
            return None
        first, stop, _step = columns.indices(width)
        before = width - self.series.shape[1]
        return self.series[:, first - before : stop - before] if first >= before else None

    def _array(self) -> WindowArray:
        joined = np.concatenate([self.before, self.series])
        n_columns = joined.shape[1]
        if not len(self):
            return WindowArray(np.empty(self.shape, self.dtype), self.step_columns)
        windows = sliding_window_view(joined.ravel(), self.shape[1])[::n_columns]
        return WindowArray(windows, self.step_columns, compared=self.compared)


def is_in_file(array: NDArray) -> bool:
    """Return whether the memory of an array is that of a mapped file."""
    base: Any = array
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    return base is not None
