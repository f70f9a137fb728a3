"""What stands for an array of windows that is laid out only where it is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skl_lstm.windowing.window_array import WindowArray


class LaidOutLater:
    """Windows that NumPy and scikit-learn make an array of where they read them.

    A subclass says how many there are, of which columns, and how to lay them out.
    """

    ndim = 2

    step_columns: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of windows, and of values in each."""
        raise NotImplementedError

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        """Number of values in all windows."""
        return self.shape[0] * self.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray:
        """Lay the windows out."""
        raise NotImplementedError

    def complete(self) -> NDArray[np.bool_]:
        """Return which windows have no missing value."""
        raise NotImplementedError

    def __array_function__(self, func: Any, types: Iterable[type], args: Any, kwargs: Any) -> Any:
        """Lay the windows out for a function of NumPy, as ColumnTransformer calls it."""
        return func(*_laid_out(args), **_laid_out(kwargs))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape}, step_columns={self.step_columns})"


def selects_whole_rows(columns: Iterable[Any]) -> bool:
    """Return whether what follows the rows in the key of a selection leaves no column out."""
    return all(
        each is Ellipsis or (isinstance(each, slice) and each == slice(None)) for each in columns
    )


def _laid_out(value: Any) -> Any:
    if isinstance(value, LaidOutLater):
        return WindowArray(np.asarray(value), value.step_columns)
    if isinstance(value, list | tuple):
        return type(value)(map(_laid_out, value))
    return {k: _laid_out(v) for k, v in value.items()} if isinstance(value, dict) else value
