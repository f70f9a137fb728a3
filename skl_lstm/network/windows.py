"""Training rows in memory: a flat buffer, a row stride, and the shape of a window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from skl_lstm.network.blocks import blocks
from skl_lstm.network.scaling import WindowScaling

# Number of steps that are converted at once.
BLOCK_STEPS = 2**14

# Number of values that are looked at at once.
BLOCK_VALUES = 2**18


def _nothing() -> NDArray[np.float32]:
    return np.zeros((0, 0), dtype=np.float32)


def _no_values() -> NDArray[np.float32]:
    return np.zeros(0, dtype=np.float32)


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
    rows : range or ndarray of int64 of shape (n_windows,)
        Numbers of the selected windows, in time order. Those of `mirrored` windows go on after
        the last window of the buffer; negative ones are of windows that begin before it. A range
        takes no memory, however many windows there are.
    n_steps, n_features : int
        Shape of a window.
    columns : tuple of int, default=()
        Positions in a step of the columns to normalize before the network receives a window.
    locations, scales : ndarray of float32 of shape (n, len(columns))
        What to subtract from these columns of window ``r``, and by what to divide them, for each
        window of the buffer, selected or not, and for the mirrored ones.
    before : ndarray of float32 of shape (n_before,)
        Values before those of the buffer, where that is not to be copied to join them. A window
        that begins among them is not complete.
    """

    buffer: NDArray[np.float32]
    row_stride: int
    rows: range | NDArray[np.int64]
    n_steps: int
    n_features: int
    columns: tuple[int, ...] = ()
    locations: NDArray[np.float32] = field(default_factory=_nothing)
    scales: NDArray[np.float32] = field(default_factory=_nothing)
    before: NDArray[np.float32] = field(default_factory=_no_values)

    @classmethod
    def of(cls, X: NDArray, n_steps: int, n_features: int, dtype: Any = np.float32) -> Windows:
        """Create windows from a float array of shape (n, width) or (n, n_steps, n_features).

        An array of `dtype`, contiguous or with rows that overlap, is not copied.

        Raises
        ------
        ValueError
            If a value is infinite, or too large for `dtype`.
        """
        flat, row_stride = _flatten(X)
        buffer = cast_finite(flat, dtype)
        return cls(buffer, row_stride, range(len(X)), n_steps, n_features)

    @classmethod
    def behind(
        cls,
        before: NDArray,
        series: NDArray,
        n_steps: int,
        n_features: int,
        dtype: Any = np.float32,
    ) -> Windows:
        """Create windows that end in the rows of a series, which is not copied.

        Parameters
        ----------
        before : ndarray of shape (n_steps - 1, n_columns)
            The rows before the series, of which the last one is not known.
        series : ndarray of shape (n, n_columns)
            The series, contiguous.
        n_steps, n_features, dtype
            As in :meth:`of`.

        Raises
        ------
        ValueError
            As :meth:`of`.
        """
        return cls(
            cast_finite(series.reshape(-1), dtype),
            series.shape[1],
            range(-len(before), len(series) - len(before)),
            n_steps,
            n_features,
            before=cast_finite(before.reshape(-1), dtype),
        )

    def scaled(
        self, scaling: WindowScaling, locations: NDArray[np.float64], scales: NDArray[np.float64]
    ) -> Windows:
        """Return windows in float32 that are to be normalized when they are gathered.

        The buffer is shifted to the median location and divided by the scaling's unit before it
        loses precision, so that rounding depends on the spread of the series and not on its
        level.
        """
        shift, unit = np.zeros(self.n_features), np.ones(self.n_features)
        measured = locations
        if self.n_before:  # with the last values of incomplete windows
            before, _ = scaling.measure(self.lags()[: self.n_before])
            measured = np.concatenate([before, locations])
        known = measured[~np.isnan(measured).any(axis=1)]
        columns = list(scaling.columns)
        shift[columns] = np.median(known, axis=0, overwrite_input=True)
        del measured, known
        unit[columns] = scaling.unit
        aligned = self if self.row_stride % self.n_features == 0 else self._laid_out()
        steps = aligned.buffer.reshape(-1, self.n_features)
        buffer = np.empty(steps.shape, dtype=np.float32)
        for block in blocks(len(steps), BLOCK_STEPS):
            buffer[block] = cast_finite((steps[block] - shift) / unit, np.float32)
        return replace(
            aligned,
            buffer=buffer.reshape(-1),
            columns=scaling.columns,
            locations=_in_float32(locations, shift[columns], np.array(scaling.unit)),
            scales=_in_float32(scales, 0.0, np.array(scaling.unit)),
        )

    def _laid_out(self) -> Windows:
        """Return the windows one after the other, without overlap."""
        return replace(self, buffer=self.view().reshape(-1), row_stride=self.width)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def width(self) -> int:
        """Number of values in a window."""
        return self.n_steps * self.n_features

    @property
    def n_in_buffer(self) -> int:
        """Number of windows in the buffer, selected or not."""
        return (len(self.buffer) - self.width) // max(self.row_stride, 1) + 1

    @property
    def n_before(self) -> int:
        """Number of windows that begin before the buffer."""
        return len(self.before) // max(self.row_stride, 1)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Numbers of the selected windows, as an array."""
        rows = self.rows
        return np.arange(rows.start, rows.stop, rows.step) if isinstance(rows, range) else rows

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each selected window starts in the buffer."""
        return self.numbers % self.n_in_buffer * self.row_stride

    def mirrored(self) -> Windows:
        """Return the windows, followed by the same ones with the opposite sign of the scale."""
        numbers = self.numbers
        return replace(
            self,
            rows=np.concatenate([numbers, numbers + self.n_in_buffer]),
            locations=np.concatenate([self.locations, self.locations]),
            scales=np.concatenate([self.scales, -self.scales]),
        )

    def missing(self) -> NDArray[np.int64]:
        """Return where the buffer has missing values."""
        parts = [
            block.start + np.flatnonzero(np.isnan(self.buffer[block]))
            for block in blocks(len(self.buffer), BLOCK_VALUES)
        ]
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])

    def complete(self, missing: NDArray[np.int64] | None = None) -> NDArray[np.bool_]:
        """Return which windows have no missing value.

        `missing` is what :meth:`missing` returns, where it is known.
        """
        missing = self.missing() if missing is None else missing
        starts = self.starts
        first, after_last = (
            np.searchsorted(missing, position) for position in (starts, starts + self.width)
        )
        return (first == after_last) & (self.numbers >= 0)

    def __getitem__(self, part: slice | NDArray) -> Windows:
        rows = self.rows
        if not isinstance(rows, range):
            return replace(self, rows=rows[part])
        if isinstance(part, slice):
            return replace(self, rows=rows[part])
        positions = np.flatnonzero(part) if part.dtype == bool else part
        return replace(self, rows=positions * rows.step + rows.start)

    def view(self) -> NDArray[np.float32]:
        """Return all windows of the buffer, selected or not, as a read-only view.

        Returns
        -------
        view : ndarray of float32 of shape (n, n_steps, n_features)
            Indexing it with `rows` gathers only the selected windows.
        """
        shape = (self.n_in_buffer, self.n_steps, self.n_features)
        strides = (self.row_stride, self.n_features, 1)
        return as_strided(
            self.buffer, shape, [s * self.buffer.itemsize for s in strides], writeable=False
        )

    def last_steps(self, at_most: int) -> NDArray[np.float32]:
        """Return the last time step of some of the selected windows, evenly spread."""
        apart = max(1, -(-len(self) // at_most))
        return self.view()[self[::apart].numbers, -1]

    def lags(self) -> NDArray[np.float32] | LagsBehind:
        """Return what :meth:`view` returns, behind the windows that begin before the buffer."""
        return LagsBehind(self) if self.n_before else self.view()


class LagsBehind:
    """All windows of a buffer and of the values before it, laid out where they are read.

    Selecting one, or a slice of consecutive ones, gives an array.
    """

    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of windows, and shape of each."""
        windows = self._windows
        return windows.n_before + windows.n_in_buffer, windows.n_steps, windows.n_features

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, part: int | slice) -> NDArray[np.float32]:
        if not isinstance(part, slice):
            return self[part : part + 1][0]
        windows = self._windows
        first, stop, _ = part.indices(len(self))
        begin = first * windows.row_stride
        end = begin + (stop - first - 1) * windows.row_stride + windows.width
        n_before = len(windows.before)
        values = np.concatenate(
            [
                windows.before[begin:end],
                windows.buffer[max(begin - n_before, 0) : max(end - n_before, 0)],
            ]
        )
        return replace(windows, buffer=values).view()


def _in_float32(values: NDArray, shift: Any, unit: NDArray) -> NDArray[np.float32]:
    """Return values less a shift and divided by a unit, a block at a time."""
    scaled = np.empty(values.shape, dtype=np.float32)
    for block in blocks(len(values), BLOCK_STEPS):
        scaled[block] = cast_finite((values[block] - shift) / unit, np.float32)
    return scaled


def cast_finite(values: NDArray, dtype: Any, name: str = "X") -> NDArray:
    """Cast an array; raise ValueError if a value is infinite afterwards."""
    with np.errstate(over="ignore"):
        cast = values.astype(dtype, copy=False)
    # By blocks, because a truth value for each number is a quarter of a series in float32.
    if any(np.isinf(cast[block]).any() for block in blocks(len(cast), BLOCK_VALUES)):
        raise ValueError(
            f"Input {name} contains infinity or a value too large for dtype('float32')."
        )
    return cast


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
