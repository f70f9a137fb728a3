"""Windows as an array that says which columns a time step has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LAG_NAME = re.compile(r"(.*)_lag(\d+)", re.DOTALL)


# How scikit-learn joins the outputs of several transformers, or batches of rows.
JOINS = (np.hstack, np.concatenate, np.vstack)


class Told(NamedTuple):
    """What windows tell of themselves, as long as they are `width` columns wide."""

    columns: tuple[str, ...] | None
    width: int
    compared: bool


NOTHING = Told(None, 0, False)


class WindowArray(np.ndarray):
    """Windows made by :class:`LookbackWindower`: an array that knows the columns of a time step.

    It is an ordinary array in every other way. Selected rows, copies and pickles keep the
    columns; arrays of another width do not.

    Parameters
    ----------
    windows : ndarray of shape (n_samples, look_back * n_columns)
        The values, with all columns of a time step side by side.
    step_columns : sequence of str
        Names of the columns of a time step.
    compared : bool, default=False
        Whether the windower has compared the target with the columns.

    Attributes
    ----------
    step_columns : tuple of str or None
        Names of the columns of a time step; ``()`` if the windows were joined with other
        columns, so that no time step has all of them; None if they are not known.

    Examples
    --------
    >>> import pandas as pd
    >>> from skl_lstm import LookbackWindower, WindowArray
    >>> frame = pd.DataFrame({"load": [1.0, 2.0], "temp": [3.0, 4.0]})
    >>> windows = LookbackWindower(look_back=2).fit_transform(frame)
    >>> isinstance(windows, WindowArray), windows[1:].step_columns
    (True, ('load', 'temp'))
    """

    _told: Told

    def __new__(
        cls, windows: NDArray, step_columns: Sequence[str], *, compared: bool = False
    ) -> WindowArray:
        """View an array of windows as one that knows its columns."""
        return _restore(windows, Told(tuple(step_columns), windows.shape[1], compared))

    def __array_finalize__(self, source: NDArray | None) -> None:
        """Take over the columns of the array that this one was made from."""
        self._told = getattr(source, "_told", NOTHING)

    def __getitem__(self, key: Any) -> Any:
        """Select rows, which remain windows, or columns, which do not."""
        part = super().__getitem__(key)
        columns = key[1:] if isinstance(key, tuple) else ()
        if isinstance(part, WindowArray) and not all(
            each is Ellipsis or (isinstance(each, slice) and each == slice(None))
            for each in columns
        ):
            part._told = NOTHING
        return part

    @property
    def step_columns(self) -> tuple[str, ...] | None:
        """Names of the columns of a time step."""
        as_wide = self.ndim == 2 and self.shape[1] == self._told.width
        return self._told.columns if as_wide else None

    @property
    def compared(self) -> bool:
        """Whether the windower has compared the target with the columns."""
        return self._told.compared

    def __array_function__(self, func: Any, types: Iterable[type], args: Any, kwargs: Any) -> Any:
        """Mark windows that are joined with other columns, as ColumnTransformer joins them."""
        result = super().__array_function__(func, types, args, kwargs)
        if func not in JOINS or np.ndim(result) != 2:
            return result
        parts = [part for part in args[0] if isinstance(part, WindowArray)]
        as_wide = [part for part in parts if part.shape[1:] == result.shape[1:]]
        told = as_wide[0].step_columns if as_wide else ()
        return _restore(np.asarray(result), Told(told, result.shape[1], False))

    def __reduce__(self) -> Any:
        """Pickle the columns too."""
        return _restore, (np.asarray(self), tuple(self._told))

    def __repr__(self) -> str:
        return repr(np.asarray(self))


def _restore(windows: NDArray, told: tuple[Any, ...]) -> WindowArray:
    array = windows.view(WindowArray)
    array._told = Told(*told)
    return array


def step_columns(X: Any) -> tuple[str, ...] | None:
    """Return the names of the columns of a time step, if windows tell them.

    Parameters
    ----------
    X : array-like
        Windows: an array as the windower returns it, or a DataFrame whose columns have the
        windower's names, ``<column>_lag<k>``.

    Returns
    -------
    columns : tuple of str or None
        The names; ``()`` if X has lags, but not all columns at each of them, oldest lag first;
        None if X does not tell.
    """
    if isinstance(X, WindowArray):
        return X.step_columns
    names = [str(name) for name in getattr(X, "columns", ())]
    found = [LAG_NAME.fullmatch(name) for name in names]
    if not any(found):
        return None
    newest = min(int(match[2]) for match in found if match is not None)
    last = [match[1] for match in found if match is not None and int(match[2]) == newest]
    lags = range(newest + len(found) // len(last) - 1, newest - 1, -1)
    return tuple(last) if names == [f"{name}_lag{lag}" for lag in lags for name in last] else ()
