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
    # Number of columns of each windower whose windows stand side by side; () if there is one.
    blocks: tuple[int, ...] = ()


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
        parts = [part for part in args[0] if np.ndim(part) == 2 and np.shape(part)[1]]
        return _restore(np.asarray(result), _told_by_parts(parts, result.shape[1]))

    def __reduce__(self) -> Any:
        """Pickle the columns too."""
        return _restore, (np.asarray(self), tuple(self._told))

    def __repr__(self) -> str:
        return repr(np.asarray(self))


def _told_by_parts(parts: list[Any], width: int) -> Told:
    """Return what windows tell that were made of others, or of windows and other columns."""
    windows = [part for part in parts if isinstance(part, WindowArray)]
    for part in windows:
        if part.shape[1] == width:
            return part._told._replace(compared=False)
    columns = [part.step_columns for part in windows]
    if len(windows) < len(parts) or not all(columns) or any(part._told.blocks for part in windows):
        return Told((), width, False)
    blocks = tuple(len(names or ()) for names in columns)
    n_lags = {part.shape[1] // n for part, n in zip(windows, blocks, strict=True)}
    if len(n_lags) > 1:
        return Told((), width, False)
    return Told(tuple(name for names in columns for name in names or ()), width, False, blocks)


def _restore(windows: NDArray, told: tuple[Any, ...]) -> WindowArray:
    array = windows.view(WindowArray)
    array._told = Told(*told)
    return array


class StepLayout(NamedTuple):
    """Which columns a time step has, and where they stand.

    Attributes
    ----------
    columns : tuple of str or None
        Their names; ``()`` if there are lags, but not all columns at each of them; None if the
        windows do not tell.
    order : ndarray of int or None
        Places of all values, step by step, oldest first, with the columns of a step side by
        side; None if they stand in this order.
    """

    columns: tuple[str, ...] | None
    order: NDArray[np.intp] | None = None


def step_layout(X: Any) -> StepLayout:
    """Return the columns of a time step, as far as windows tell them.

    Parameters
    ----------
    X : array-like
        Windows: an array as the windower returns it, several of them side by side, or a DataFrame
        whose columns have the windower's names, ``<column>_lag<k>``.

    Returns
    -------
    layout : StepLayout
        Names and places.
    """
    if type(X) is np.ndarray:
        return StepLayout(None)
    if isinstance(X, WindowArray):
        columns, blocks = X.step_columns, X._told.blocks
        return StepLayout(columns, _order_of_blocks(blocks, X.shape[1]) if columns else None)
    if hasattr(X, "step_columns"):
        return StepLayout(X.step_columns)
    names = [str(name) for name in getattr(X, "columns", ())]
    found = [LAG_NAME.fullmatch(name) for name in names]
    if not any(found):
        return StepLayout(None)
    places: dict[str, dict[int, int]] = {}
    for place, match in enumerate(found):
        if match is not None:
            places.setdefault(match[1], {})[int(match[2])] = place
    lags = sorted(next(iter(places.values())), reverse=True)
    complete = lags == list(range(lags[0], lags[-1] - 1, -1)) and all(
        set(each) == set(lags) for each in places.values()
    )
    if not complete or len(lags) * len(places) < len(names):
        return StepLayout(())
    order = np.array([each[lag] for lag in lags for each in places.values()])
    return StepLayout(tuple(places), None if (np.diff(order) == 1).all() else order)


def _order_of_blocks(blocks: tuple[int, ...], width: int) -> NDArray[np.intp] | None:
    if not blocks:
        return None
    n_lags = width // sum(blocks)
    starts = np.cumsum([0, *blocks[:-1]]) * n_lags
    return np.concatenate(
        [
            start + lag * n_columns + np.arange(n_columns)
            for lag in range(n_lags)
            for start, n_columns in zip(starts, blocks, strict=True)
        ]
    )


def step_columns(X: Any) -> tuple[str, ...] | None:
    """Return the names of the columns of a time step, as :func:`step_layout` does."""
    return step_layout(X).columns
