"""Training rows in memory: a flat buffer, a row stride, and the shape of a window."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray


@dataclass(frozen=True)
class Windows:
    """Windows of a series, not copied before a batch needs them.

    Window ``r`` is ``buffer[r * row_stride : r * row_stride + n_steps * n_features]``. Windows
    of a series overlap (`row_stride` is the number of its columns); the rows of an ordinary
    matrix do not (`row_stride` is its width), and that is the only difference.

    Parameters
    ----------
    buffer : ndarray of float32 of shape (n_values,)
        Values of the series, contiguous.
    row_stride : int
        Distance from the start of one window to the next.
    rows : ndarray of int64 of shape (n_windows,)
        Numbers of the selected windows, in time order.
    n_steps, n_features : int
        Shape of a window.
    """

    buffer: NDArray[np.float32]
    row_stride: int
    rows: NDArray[np.int64]
    n_steps: int
    n_features: int

    @classmethod
    def of(cls, X: NDArray, n_steps: int, n_features: int) -> Windows:
        """Create windows from a float array of shape (n, width) or (n, n_steps, n_features).

        Raises
        ------
        ValueError
            If a value is infinite, or too large for float32.
        """
        flat, row_stride = _flatten(X)
        with np.errstate(over="ignore"):
            buffer = flat.astype(np.float32, copy=False)
        if np.isinf(buffer).any():
            raise ValueError(
                "Input X contains infinity or a value too large for dtype('float32')."
            )
        return cls(buffer, row_stride, np.arange(len(X)), n_steps, n_features)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def width(self) -> int:
        """Number of values in a window."""
        return self.n_steps * self.n_features

    def complete(self) -> Windows:
        """Leave out the windows that have a missing value."""
        missing = np.flatnonzero(np.isnan(self.buffer))
        if not len(missing):
            return self
        starts = self.rows * self.row_stride
        first, after_last = (
            np.searchsorted(missing, position) for position in (starts, starts + self.width)
        )
        return replace(self, rows=self.rows[first == after_last])

    def __getitem__(self, part: slice | NDArray) -> Windows:
        return replace(self, rows=self.rows[part])

    def view(self) -> NDArray[np.float32]:
        """Return all windows of the buffer, selected or not, as a read-only view.

        Returns
        -------
        view : ndarray of float32 of shape (n, n_steps, n_features)
            Indexing it with `rows` gathers only the selected windows.
        """
        n_windows = (len(self.buffer) - self.width) // max(self.row_stride, 1) + 1
        shape = (n_windows, self.n_steps, self.n_features)
        strides = (self.row_stride, self.n_features, 1)
        return as_strided(
            self.buffer, shape, [s * self.buffer.itemsize for s in strides], writeable=False
        )


def _is_overlapping(X: NDArray) -> bool:
    """Return whether the rows of a 2-D array overlap in memory, as a windower's output does."""
    row, column = X.strides
    return column == X.itemsize and 0 < row < X.shape[1] * column and row % column == 0


def _flatten(X: NDArray) -> tuple[NDArray, int]:
    """Return the flat memory behind the rows of an array, and the row stride."""
    n_rows, width = len(X), int(np.prod(X.shape[1:]))
    if X.ndim == 2 and _is_overlapping(X):
        row_stride = X.strides[0] // X.itemsize
        n_values = (n_rows - 1) * row_stride + width
        return as_strided(X, (n_values,), (X.itemsize,), writeable=False), row_stride
    return np.ascontiguousarray(X).reshape(-1), width
