"""Windows of several series: which rows follow which training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.windowing.calendar import label_text
from skl_lstm.windowing.groups import Panel, index_of, kinds_of, text_of
from skl_lstm.windowing.joining import NOT_USED, join_all
from skl_lstm.windowing.panel_steps import steps_about, steps_in_series, steps_of
from skl_lstm.windowing.span import (
    ROWS,
    Span,
    as_numbers,
    frequency_of,
    from_numbers,
    kind_of,
    plain_frequency,
    span_of,
)

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Joined:
    """Rows of several series, each behind the rows before it.

    Parameters
    ----------
    rows : ndarray of shape (n_joined, n_columns)
        The rows, series by series.
    places : ndarray of int64 of shape (n,)
        Where the window of each row of the table begins.
    doubt : str or None
        Why lags are missing, if that is no matter of course.
    """

    rows: NDArray
    places: NDArray[np.int64]
    doubt: str | None = None


@dataclass(frozen=True)
class SeriesEnds:
    """What is kept of the series seen in fit.

    Parameters
    ----------
    labels : list
        Label of each series.
    tails : ndarray of shape (n_series, look_back - 1, n_columns)
        The last rows of each series, NaN before its first row.
    firsts, lasts : ndarray of int64 of shape (n_series,)
        Time of the first and the last row of each series, as whole numbers.
    gaps : ndarray of int64 of shape (n_series,)
        Of a series without a regular step, the longest time between two rows; 0 otherwise.
    span : dict
        The ``"kind"`` of the times and the step between two rows, ``"freq"``; first and last time
        of the longest series.
    """

    labels: list[Any]
    tails: NDArray
    firsts: NDArray[np.int64]
    lasts: NDArray[np.int64]
    gaps: NDArray[np.int64]
    span: Span

    @classmethod
    def learn(
        cls,
        panel: Panel,
        values: NDArray,
        look_back: int,
        freq: Any,
        *,
        repeat: bool,
        fill: bool,
    ) -> tuple[SeriesEnds, Joined]:
        """Return the ends of the training series, and their rows joined.

        Parameters
        ----------
        panel : Panel
            The series.
        values : ndarray of shape (n, n_columns)
            Their values, in the order of the rows.
        look_back : int
            Number of rows in a window.
        freq : str, offset, int or None
            Step between two rows, as in :func:`steps_of`.
        repeat, fill : bool
            As in :func:`join`.

        Raises
        ------
        ValueError
            If `freq` is given and a row is missing, or if no series has `look_back` rows.
        """
        freq, steps, doubt, regular = steps_of(panel, freq)
        n_series, n_before = len(panel.labels), look_back - 1
        unknown = np.full((n_series, n_before, values.shape[1]), np.nan, dtype=values.dtype)
        never = np.full(n_series, NOT_USED)
        joined, places = _join(panel, values, unknown, never, steps, repeat=repeat, fill=fill)
        first, last = panel.firsts, panel.lasts
        tails = joined[places[last][:, np.newaxis] + 1 + np.arange(n_before)]
        numbers = as_numbers(panel.times)
        longest = panel.series(panel.longest).index
        span = span_of(longest, ROWS)[0] | {"freq": plain_frequency(freq)}
        between = np.diff(numbers[panel.order], prepend=0)
        between[panel.starts[:-1]] = 1
        gaps = np.where(regular, 0, np.maximum.reduceat(between, panel.starts[:-1]))
        labels = panel.labels.tolist()
        ends = cls(labels, tails, numbers[first], numbers[last], gaps, span)
        return ends, Joined(joined, places, doubt)

    def join(
        self, panel: Panel, values: NDArray, context: str, *, repeat: bool, fill: bool
    ) -> Joined:
        """Join rows with the rows before them, those seen in fit included.

        Parameters
        ----------
        panel : Panel
            The series.
        values : ndarray of shape (n, n_columns)
            Their values, in the order of the rows.
        context : {"auto", "fit", "none"}
            Which rows seen in fit to use: those that precede according to the index, the last
            ones, or none.
        repeat, fill : bool
            As in :func:`join`.

        Raises
        ------
        ValueError
            If labels or times are of another kind than in fit.
        """
        known = self._known(panel)
        tails = self.tails[known]  # of any series where it is not known, which is then not used
        n_between, steps, doubt = self._place(panel, known)
        if context == "fit":
            n_between, doubt = np.zeros_like(n_between), None
        elif context == "none":
            n_between, doubt = np.full_like(n_between, NOT_USED), None
        n_between[known < 0] = NOT_USED
        joined, places = _join(panel, values, tails, n_between, steps, repeat=repeat, fill=fill)
        return Joined(joined, places, doubt)

    def _known(self, panel: Panel) -> NDArray[np.intp]:
        """Return the number in fit of each series, -1 if it was not seen."""
        labels = index_of(self.labels, panel.names)
        given, seen = kinds_of(panel.labels), kinds_of(labels)
        if given != seen:
            raise ValueError(
                f"X must have labels of the same kind as in fit, {', '.join(seen)} such as "
                f"{text_of(labels[0])}, got {', '.join(given)} such as {text_of(panel.labels[0])}"
            )
        return labels.get_indexer(panel.labels)

    def _place(
        self, panel: Panel, known: NDArray[np.intp]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], str | None]:
        """Return the steps between the tail and each series, those to each row, and a doubt."""
        kind, n_before = kind_of(panel.times), self.tails.shape[1]
        if kind != self.span["kind"]:
            raise ValueError(f"X must be indexed by {self.span['kind']}, as in fit, got {kind}")
        freq = frequency_of(self.span["freq"])
        numbers = as_numbers(panel.times)
        first, last = panel.firsts, panel.lasts
        # Without a regular step, rows follow if no more time passed than between two before.
        waited = numbers[first] - self.lasts[known]
        n_between = np.where((waited > 0) & (waited <= self.gaps[known]), 0, NOT_USED)
        steps = panel.place_in_series()
        is_new = np.ones(len(known), dtype=bool)
        if freq is not None:
            seen = np.flatnonzero(known >= 0)
            ends = from_numbers(self.lasts[known[seen]], panel.times)
            on_grid, regular = steps_in_series(
                panel.times.append(ends), np.concatenate([panel.codes, seen]), freq
            )
            on_grid, of_ends = on_grid[: len(numbers)], on_grid[len(numbers) :]
            by_step = np.full(len(known), NOT_USED)
            by_step[seen] = on_grid[first[seen]] - of_ends - 1
            regular &= self.gaps[known] == 0
            n_between = np.where(regular, by_step, n_between)
            off_grid = ~regular & ((self.gaps[known] == 0) | (known < 0))
            steps = np.where(regular[panel.codes], on_grid, steps)
            if off_grid.any():
                about = steps_about(panel, freq)
                steps = np.where(off_grid[panel.codes], about, steps)
            with_their_past = (n_between <= -n_before) & (numbers[last] > self.lasts[known])
            is_new = ~with_their_past
        odd = (known >= 0) & (n_between != 0) & (numbers[first] != self.firsts[known]) & is_new
        doubt = self._doubt(panel, known, np.flatnonzero(odd)) if n_before else None
        early = (numbers[first] <= self.lasts.max()) & (n_between == 0) & (known >= 0)
        if doubt is None and early.any():
            label = text_of(panel.labels[int(np.argmax(early))])
            doubt = (
                f"X has rows that follow those seen in fit, such as of {label}, at times at which "
                "other series were seen: a fold that is not cut by time tests on days that are "
                "known of others; in cross-validation, use PanelTimeSeriesSplit"
            )
        return n_between, steps, doubt

    def _doubt(self, panel: Panel, known: NDArray[np.intp], odd: NDArray[np.intp]) -> str | None:
        if not len(odd):
            return None
        begin = panel.times[panel.firsts[odd[0]]]
        first, last = (
            label_text(from_numbers(each[known[odd[:1]]], panel.times)[0])
            for each in (self.firsts, self.lasts)
        )
        return (
            f"X has {len(odd)} of {len(known)} series that do not follow the rows seen in fit, "
            f"such as {text_of(panel.labels[odd[0]])}, which begins at {label_text(begin)} after "
            f"{first} to {last}: their first windows lack the lags that are not known. Pass the "
            "rows before them too, leave out their predictions, and set context='none' to say "
            "so; in cross-validation, use PanelTimeSeriesSplit without a gap, and "
            "KnownRowsRegressor for targets of several rows"
        )


def _join(
    panel: Panel,
    values: NDArray,
    tails: NDArray,
    n_between: NDArray[np.int64],
    steps: NDArray[np.int64],
    *,
    repeat: bool,
    fill: bool,
) -> tuple[NDArray, NDArray[np.int64]]:
    """Join rows in any order; return where the window of each begins, in that order."""
    joined, in_order = join_all(
        values[panel.order],
        tails,
        n_between,
        steps[panel.order],
        panel.starts[:-1],
        repeat=repeat,
        fill=fill,
    )
    places = np.empty(len(in_order), dtype=np.int64)
    places[panel.order] = in_order
    return joined, places
