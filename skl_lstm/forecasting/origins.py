"""From where a backtest forecasts, and what it learns from before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import check_choice, check_integer

# Training rows, and places of the test rows.
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True)
class Origin:
    """A past row that is forecast from.

    Parameters
    ----------
    fold : int
        Number of its fold.
    place : int
        Number of the last known row of a series, or time of several series.
    steps : int
        Number of rows to forecast.
    """

    fold: int
    place: int
    steps: int


@dataclass(frozen=True)
class Fit:
    """What a clone learns from, and what it forecasts.

    Parameters
    ----------
    rows : ndarray of int of shape (n_rows,)
        Training rows, all before the first origin.
    origins : tuple of Origin
        In time order.
    """

    rows: NDArray[np.intp]
    origins: tuple[Origin, ...]

    @property
    def fold(self) -> int:
        """Number of the fold of its training rows."""
        return self.origins[0].fold

    @property
    def steps(self) -> int:
        """Largest number of steps from any of its origins."""
        return max(origin.steps for origin in self.origins)


@dataclass(frozen=True)
class Plan:
    """The choices of :func:`backtest` that say when is learned and forecast."""

    steps: int | None
    stride: int | None
    refit: bool | int
    window: Literal["expanding", "sliding"]

    def __post_init__(self) -> None:
        for name in ("steps", "stride"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name))
        is_number = isinstance(self.refit, Integral) and self.refit >= 1
        if not isinstance(self.refit, bool | np.bool_) and not is_number:
            raise ValueError(
                f"refit must be True, False or a positive integer, got {self.refit!r}"
            )
        check_choice("window", self.window, ("expanding", "sliding"))

    def folds_of(
        self, n_origins: int, places: NDArray[np.intp], n_after: Callable[[int], int]
    ) -> list[Fold]:
        """Return a fold for each of so many origins, of which the last has all steps after it.

        Parameters
        ----------
        n_origins : int
            The `cv` of :func:`backtest`.
        places, n_after
            As in :meth:`fits`.
        """
        stride = self.stride or 1
        steps = self.steps or stride
        with_all = [place for place in np.unique(places) if n_after(place) >= steps]
        last = int(with_all[-1]) if with_all else -1
        first = last - stride * (n_origins - 1)
        if first < 1:
            n_places = len(np.unique(places))
            raise ValueError(
                f"cv={n_origins} origins with stride={stride} and steps={steps} need at least "
                f"{n_places - first + 1} rows of X, got {n_places}"
            )
        return [
            (np.flatnonzero(places < origin), np.array([origin]))
            for origin in first + stride * np.arange(n_origins)
        ]

    def fits(
        self,
        folds: Iterable[Fold],
        places: NDArray[np.intp],
        n_after: Callable[[int], int],
        label: Callable[[int], str],
    ) -> list[Fit]:
        """Return each fit, with all that it forecasts.

        Parameters
        ----------
        folds : iterable of pairs of ndarray of int
            Training rows and places of the test rows of each fold.
        places : ndarray of int of shape (n_rows,)
            The place of each row.
        n_after : callable
            Tells how many steps can be forecast from a place.
        label : callable
            Tells what a place is called, for messages.

        Raises
        ------
        ValueError
            If a fold has training rows at or after its first test row, or this is an origin of
            another fold too; or if, unless every origin has its own fit, its test rows are before
            those of an earlier fold.
        """
        found: list[tuple[NDArray[np.intp], list[Origin]]] = []
        begun: dict[int, int] = {}  # fold by origin
        longest, last, n_seen = 0, -1, 0
        for number, (train, test) in enumerate(folds):
            origins = list(self._origins(number, test, n_after))
            first, trained = origins[0].place, int(places[train].max())
            if trained >= first:
                raise ValueError(
                    "cv must put the test rows of a fold after its training rows, got "
                    f"{label(trained)} to learn from and {label(first)} to test in fold {number}"
                )
            if first <= last and self.refit is not True:
                raise ValueError(
                    "refit must be True unless the folds of cv follow each other in time, got "
                    f"{self.refit!r}, and {label(first)} in fold {number} after {label(last)}"
                )
            if first in begun:
                raise ValueError(
                    f"cv must have a first test row of its own in each fold, got {label(first)} "
                    f"in folds {begun[first]} and {number}"
                )
            begun |= {origin.place: number for origin in origins}
            last = origins[-1].place
            if not found:
                longest = int(np.ptp(places[train])) + 1
            for origin in origins:
                if self._is_refitted(n_seen):
                    rows = self._rows(train, places, origin.place - first, longest)
                    found.append((rows, []))
                found[-1][1].append(origin)
                n_seen += 1
        return [Fit(rows, tuple(origins)) for rows, origins in found]

    def _origins(
        self, fold: int, tested: NDArray[np.intp], n_after: Callable[[int], int]
    ) -> Iterator[Origin]:
        distinct = np.unique(tested)
        first, last = int(distinct[0]), int(distinct[-1])
        steps = self.steps or self.stride or len(distinct)
        yield Origin(fold, first, min(steps, n_after(first)))
        if self.stride is not None:
            for place in range(first + self.stride, last + 1, self.stride):
                if n_after(place) >= steps:
                    yield Origin(fold, place, steps)

    def _is_refitted(self, n_before: int) -> bool:
        if isinstance(self.refit, bool | np.bool_):
            return bool(self.refit) or n_before == 0
        return n_before % int(self.refit) == 0

    def _rows(
        self, train: NDArray[np.intp], places: NDArray[np.intp], grown: int, longest: int
    ) -> NDArray[np.intp]:
        """Return the training rows of a fold and those of as many places more as have passed."""
        end = places[train].max()
        passed = np.flatnonzero((places > end) & (places <= end + grown))
        rows = np.concatenate([train, passed]).astype(np.intp)
        if self.window == "sliding":
            rows = rows[places[rows] > end + grown - longest]
        return rows
