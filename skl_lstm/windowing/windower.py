"""Windows of a series: each row together with the rows before it."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skl_lstm.checks import (
    check_choice,
    check_column_names,
    check_fitted,
    check_integer,
    compare_columns,
    keep_columns,
    naming_the_nearest,
    numbers,
)
from skl_lstm.warn import SeriesWarning, warn
from skl_lstm.windowing.alignment import names_of_targets, warn_unless_shifted
from skl_lstm.windowing.columns import Names, told_by
from skl_lstm.windowing.file_windows import FileWindows, is_in_file
from skl_lstm.windowing.grouped_windows import GroupedWindows
from skl_lstm.windowing.groups import Panel, check_not_empty, refuse_other_order, text_of
from skl_lstm.windowing.joining import join, last_rows, rows_before
from skl_lstm.windowing.many_series import Joined, SeriesEnds
from skl_lstm.windowing.span import Freq, Place, Span, as_numbers, place, span_of, times_of
from skl_lstm.windowing.window_array import WindowArray

Padding = Literal["nan", "edge"]
Context = Literal["auto", "fit", "none"]
Fill = Literal["forward"]

# Number of rows from which equal ones are no chance.
FEW_ROWS = 3

# Number of rows that are summed at once.
BLOCK_ROWS = 2**16


class LookbackWindower(TransformerMixin, BaseEstimator):
    """Transformer that joins each row of a series with the rows before it.

    Row ``t`` of the output holds rows ``t - look_back + 1 … t`` of the input, oldest first,
    with all columns of a step side by side. Rows are never added or dropped, so row ``t`` of
    the output still belongs to ``y[t]`` and the transformer works inside any
    :class:`~sklearn.pipeline.Pipeline`.

    Parameters
    ----------
    look_back : int, default=1
        Number of rows in a window, the row itself included.
    padding : {"nan", "edge"}, default="nan"
        Values of a window before the first known row: ``"nan"`` leaves them missing, ``"edge"``
        repeats the first row, for estimators that do not accept NaN.
    context : {"auto", "fit", "none"}, default="auto"
        Rows that :meth:`transform` puts before its first row. ``"auto"``: the last rows seen in
        :meth:`fit` as far as the index of X shows that they precede it, and NaN for those
        that are not known. Without an index: none if X begins with the first rows seen in
        :meth:`fit` (it is then the training series again), and otherwise the last rows, as for a
        test fold. ``"fit"``: always those last rows. ``"none"``: always none.
        :meth:`fit_transform` never puts any.
    group : name or list of names, default=None
        What tells several series apart: a column of X, or a level of its index beside that of the
        times, as in ``X.groupby(by=group)``. No window then reaches from one series into another,
        and the names are no part of the windows. None: X is one series.
    freq : str, offset or int, default=None
        Step between two rows, if X is a DataFrame with an index of dates, periods or whole
        numbers: a pandas frequency, or an integer. :meth:`fit` then refuses a series in which a
        row is missing. None infers it, and warns if a row is missing; no window reaches over such
        a hole. ``"rows"`` takes the rows to follow each other whatever their times, as those of
        trading days.
    fill_missing : {None, "forward"}, default=None
        What stands for a missing value in the series, and for a missing row: None leaves it NaN,
        ``"forward"`` repeats the last known value of the column, that of the training rows
        included. It never takes a later value, as an imputer before the windower may.

    Attributes
    ----------
    head_ : ndarray of shape (look_back, `n_features_in_`)
        The first rows seen in :meth:`fit`, used to recognize the same series.
    tail_ : ndarray of shape (look_back - 1, `n_features_in_`)
        The last rows seen in :meth:`fit`, used to complete the first windows of the rows that
        follow.
    landmarks_ : ndarray of shape (n_landmarks, `n_features_in_`)
        Sums of the first `look_back` rows, of twice as many, four times as many …, used to
        recognize the same series.
    span_ : dict or None
        First and last time seen in :meth:`fit`, and the step between two rows; None without an
        index of times.
    roles_ : dict or None
        The ``"target"``, and if :func:`make_supervised` made X and y also the columns ``"known"``
        ahead and the ``"horizon"``, which :func:`forecast` reads; None if X and y do not tell.
    groups_ : list
        With `group`, the labels of the series seen in :meth:`fit`, sorted.
    tails_ : ndarray of shape (n_series, look_back - 1, n_columns)
        With `group`, the last rows of each series; then ``head_`` and ``tail_`` are those of the
        longest series, ``head_group_``, and there are no ``landmarks_``.
    firsts_, lasts_, gaps_ : ndarray of int64 of shape (n_series,)
        With `group`, first and last time of each series as whole numbers, and the longest time
        between two rows of a series without a regular step.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if the series has column names that are strings.

    See Also
    --------
    make_supervised : Makes X and y from a series.
    WindowArray : What the windows of one series are returned in.
    GroupedWindows : What the windows of several series are returned in.
    PanelTimeSeriesSplit : Cuts several series at the same times.

    Notes
    -----
    The output is a read-only view of one padded copy of the series, so its memory does not grow
    with ``look_back``; only a series in which rows are missing is laid out window by window.
    A series in a file (:class:`numpy.memmap`), contiguous, is not even copied: the output then
    stands for the array, which :class:`LSTMForecaster` does not need, and which
    ``np.asarray(windows)`` makes. This is so with the default `padding` and `fill_missing`.
    Apart from ``head_``, ``tail_`` and ``landmarks_``, nothing of the training series is kept.

    The index of X decides which rows follow, if it has dates, periods or numbers in :meth:`fit`
    and in :meth:`transform`. Rows that begin later than what follows the training rows, or within
    them, have NaN for lags that are not known, with a :class:`SeriesWarning`. Their windows are
    complete if the ``look_back - 1`` rows before them are passed too. Where both have just the
    numbers 0, 1, 2 … that pandas gives to rows, these do not count as an index.

    Without an index, the training series is recognized by its first ``look_back`` rows and by
    its landmarks, compared up to rounding, and its end by the last rows. Any other rows are taken
    to follow the training rows: an input of few rows, each call of a service that predicts row by
    row, a part from the middle of the training rows. A service passes the ``look_back - 1`` rows
    before a new row with it; the last prediction is then exact. ``KFold`` and shuffled splits need
    an index. Rows that repeat the training series exactly (a strictly periodic one) are taken for
    it; if that can happen, set ``context="fit"`` or ``"none"``; then no window depends on any
    later row.

    With `group`, the times of each series decide alone: rows that come a step after the last row
    of their series in :meth:`fit` follow it, and a series that was not seen has no rows before
    its first. Rows may stand in any order that keeps the time within a series. Series shorter
    than `look_back` have incomplete windows. A transformer behind the windower, such as a scaler,
    returns an ordinary array, which no longer tells series and times: put it before, or let
    `window_scaling` of the forecaster do it.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstm import LookbackWindower
    >>> windower = LookbackWindower(look_back=3)
    >>> windower.fit_transform(np.array([[1.0], [2.0], [3.0], [4.0]]))
    array([[nan, nan,  1.],
           [nan,  1.,  2.],
           [ 1.,  2.,  3.],
           [ 2.,  3.,  4.]])

    Rows that follow the training rows see their tail:

    >>> windower.transform(np.array([[5.0], [6.0]]))
    array([[3., 4., 5.],
           [4., 5., 6.]])
    >>> windower.get_feature_names_out()
    array(['x0_lag2', 'x0_lag1', 'x0_lag0'], dtype=object)

    With an index, rows after a gap do not take over the lags of other rows:

    >>> import pandas as pd
    >>> days = pd.date_range("2024-01-01", periods=9, name="day")
    >>> series = pd.DataFrame({"sold": np.arange(9.0)}, index=days)
    >>> windower = LookbackWindower(look_back=3).fit(series[:4])
    >>> windower.transform(series[5:7])  # 4 January is known, 5 January is not
    array([[ 3., nan,  5.],
           [nan,  5.,  6.]])

    Several series:

    >>> both = pd.concat({"north": series[:3], "south": 10 + series[:2]}, names=["shop"])
    >>> windows = LookbackWindower(look_back=2, group="shop").fit_transform(both)
    >>> np.asarray(windows)
    array([[nan,  0.],
           [ 0.,  1.],
           [ 1.,  2.],
           [nan, 10.],
           [10., 11.]])
    """

    # For windowers that an earlier version pickled without them.
    group: Names | None = None
    freq: Freq | None = None
    fill_missing: Fill | None = None
    landmarks_: NDArray | None = None
    span_: Span | None = None
    roles_: dict[str, Any] | None = None

    @naming_the_nearest
    def __init__(
        self,
        look_back: int = 1,
        *,
        padding: Padding = "nan",
        context: Context = "auto",
        group: Names | None = None,
        freq: Freq | None = None,
        fill_missing: Fill | None = None,
    ) -> None:
        self.look_back = look_back
        self.padding = padding
        self.context = context
        self.group = group
        self.freq = freq
        self.fill_missing = fill_missing

    def fit(self, X: ArrayLike, y: Any = None) -> LookbackWindower:
        """Store the first and the last rows of the series.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The training series, one row per time step, oldest first. NaN is allowed.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            What follows each row. Only its names are kept.

        Returns
        -------
        self : LookbackWindower
            The fitted transformer.

        Raises
        ------
        ValueError
            If a parameter is invalid; if X is not numeric and finite (except for NaN), or has
            fewer rows than `look_back`; if its index has several levels or does not increase; or
            if `freq` is given and a row is missing. With `group`, if X does not tell the series
            and the time of each row, or no series has `look_back` rows.

        Warns
        -----
        SeriesWarning
            If a row is missing according to the index, or if `y` is a column of X that is not
            shifted.
        """
        if self.group is None:
            self._learn(X, y)
        else:
            self._learn_all(X, y)
        return self

    def fit_transform(
        self, X: ArrayLike, y: Any = None, **fit_params: Any
    ) -> WindowArray | FileWindows | GroupedWindows:
        """Fit to the series and return its windows, regardless of `context`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The training series, oldest row first.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            What follows each row, as in :meth:`fit`.
        **fit_params : dict
            Not supported; present because scikit-learn expects it in the signature.

        Returns
        -------
        windows : WindowArray, FileWindows or GroupedWindows of shape \
                (n_samples, look_back * n_features)
            The windows; values before the first row are padded.
        """
        if fit_params:
            raise TypeError(f"fit_transform takes no further parameters, got {sorted(fit_params)}")
        if self.group is not None:
            return self._grouped(*self._learn_all(X, y), compared=y is not None)
        series, steps = self._learn(X, y)
        return self._join(series, None, steps, compared=y is not None)

    def transform(self, X: ArrayLike) -> WindowArray | FileWindows | GroupedWindows:
        """Join each row with the rows before it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A series, oldest row first: the training series again, or rows that follow it. With
            `group`, such rows of any series.

        Returns
        -------
        windows : WindowArray, FileWindows or GroupedWindows of shape \
                (n_samples, look_back * n_features)
            Row ``t`` holds rows ``t - look_back + 1 … t`` of the series, oldest first, as a
            read-only view, or of the series of row ``t`` with `group`; float32 if X is float32,
            otherwise float64.

        Raises
        ------
        ValueError
            If X has another number of columns or other names than in :meth:`fit`, or an index of
            another kind or that does not increase.

        Warns
        -----
        SeriesWarning
            If the index of X shows that its first windows, or those after a hole, lack rows.
        """
        check_fitted(self, "head_")
        _check_parameters(self)
        if self.group is not None:
            return self._transform_all(X)
        series = numbers(X, self)
        compare_columns(self, X)
        where = self._place(X, series)
        if where.doubt is not None:
            warn(where.doubt, SeriesWarning)
        return self._join(series, where.n_between, where.steps)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray:
        """Return the column names ``<feature>_lag<k>``, oldest lag first.

        Parameters
        ----------
        input_features : array-like of str of shape (`n_features_in_`,), default=None
            Names of the columns of the series; those seen in :meth:`fit`, or ``x0, x1, …``, if
            None.

        Returns
        -------
        names : ndarray of str of shape (look_back * `n_features_in_`,)
            Names of the columns of the output of :meth:`transform`, in their order.
        """
        check_is_fitted(self)
        seen = getattr(self, "feature_names_in_", None)
        if input_features is None:
            names = list(self._column_names())
        else:
            given = np.asarray(input_features, dtype=object)
            if seen is not None and not np.array_equal(seen, given):
                raise ValueError("input_features is not equal to feature_names_in_")
            if len(given) != self.n_features_in_:
                raise ValueError(
                    "input_features should have length equal to number of features "
                    f"({self.n_features_in_}), got {len(given)}"
                )
            names = self._without_group(given)
        lags = range(len(self.head_) - 1, -1, -1)
        return np.array([f"{name}_lag{lag}" for lag in lags for name in names], dtype=object)

    def _learn(self, X: ArrayLike, y: object) -> tuple[NDArray, NDArray[np.int64] | None]:
        """Store what is needed of the series; return it and the steps to its rows, if uneven."""
        _check_parameters(self)
        series = numbers(X, self)
        check_column_names(X)
        if len(series) < self.look_back:
            raise ValueError(
                f"look_back={self.look_back} needs at least as many rows, "
                f"got n_samples={len(series)}"
            )
        times = times_of(X)
        times_of_y = times_of(y, "y")
        span, steps, doubt = (None, None, None) if times is None else span_of(times, self.freq)
        if times is None and times_of_y is not None:
            # A scaler before leaves the times to y alone. They may be those of y's own values, and
            # so do not place the rows, but show holes between them.
            _, steps, doubt = span_of(times_of_y, self.freq)
        # Only now, so that rejected input leaves an earlier fit unchanged.
        keep_columns(self, X)
        if doubt is not None:
            warn(doubt, SeriesWarning)
        if y is not None:
            warn_unless_shifted(y, series, self._column_names())
        self.head_ = series[: self.look_back].copy()
        self.tail_ = last_rows(series, steps, self.look_back - 1, **self._filling())
        self.landmarks_ = _sums(series, self.look_back)
        self.span_ = span
        self.roles_ = told_by(X) or told_by(y) or _roles_of_names(y)
        return series, steps

    def _join(
        self,
        series: NDArray,
        n_between: int | None,
        steps: NDArray[np.int64] | None,
        *,
        compared: bool = False,
    ) -> WindowArray | FileWindows:
        """Return the windows of a series that begins `n_between` steps after what follows."""
        changes = steps is not None or any(self._filling().values())
        if not changes and is_in_file(series) and series.flags.c_contiguous:
            before, _ = rows_before(self.tail_, n_between)
            before = before.astype(series.dtype, copy=False)
            return FileWindows(before, series, self._column_names(), compared=compared)
        windows = join(series, self.tail_, n_between, steps, **self._filling())
        return WindowArray(windows, self._column_names(), compared=compared)

    def _learn_all(self, X: ArrayLike, y: Any) -> tuple[Panel, Joined]:
        """Store what is needed of several series; return them and their rows joined."""
        _check_parameters(self)
        panel = Panel.of(X, self.group)
        check_not_empty(panel, "X")
        odd = [name for name in panel.rows.columns if not isinstance(name, str)]
        if odd:  # forecast finds columns by their names
            raise ValueError(f"X must have columns named by text with group, got {odd}")
        values = numbers(panel.rows, self)
        check_column_names(X)
        self._check_lengths(panel)
        refuse_other_order(X, y)
        ends, joined = SeriesEnds.learn(
            panel, values, self.look_back, self.freq, **self._filling()
        )
        keep_columns(self, X)
        if joined.doubt is not None:
            warn(joined.doubt, SeriesWarning)
        longest = panel.longest
        rows = panel.rows_of(longest)
        if y is not None and len(np.asarray(y)) == len(values):
            of_longest = y.iloc[rows] if hasattr(y, "iloc") else np.asarray(y)[rows]
            warn_unless_shifted(of_longest, values[rows], list(panel.rows.columns))
        self.head_ = values[rows[: self.look_back]]
        self.tail_, self.head_group_ = ends.tails[longest], ends.labels[longest]
        self.landmarks_ = None
        self.groups_, self.span_ = ends.labels, ends.span
        self.tails_, self.gaps_ = ends.tails, ends.gaps
        self.firsts_, self.lasts_ = ends.firsts, ends.lasts
        columns = list(getattr(X, "columns", ()))
        self.group_places_ = [columns.index(name) for name in panel.columns]
        self.roles_ = told_by(X) or told_by(y) or _roles_of_names(y)
        return panel, joined

    def _check_lengths(self, panel: Panel) -> None:
        short = np.flatnonzero(panel.lengths < self.look_back)
        if not len(short):
            return
        if len(short) == len(panel.labels):
            raise ValueError(
                f"look_back={self.look_back} needs a series with at least as many rows, got "
                f"n_samples={panel.lengths.max()} in the longest of {len(short)}"
            )
        if self.padding == "nan":
            warn(
                f"X has {len(short)} of {len(panel.labels)} series with fewer rows than "
                f"look_back={self.look_back}, such as {text_of(panel.labels[short[0]])} with "
                f"{panel.lengths[short[0]]}: they have no complete window, and are left out of "
                "training",
                SeriesWarning,
            )

    def _transform_all(self, X: ArrayLike) -> GroupedWindows:
        if not hasattr(self, "groups_"):
            raise ValueError(
                f"group must be None, as in fit, got {self.group!r}; fit the windower again"
            )
        panel = Panel.of(X, self.group, whole=False)
        values = numbers(panel.rows, self)
        compare_columns(self, X)
        span: Any = self.span_
        ends = SeriesEnds(self.groups_, self.tails_, self.firsts_, self.lasts_, self.gaps_, span)
        joined = ends.join(panel, values, self.context, **self._filling())
        if joined.doubt is not None:
            warn(joined.doubt, SeriesWarning)
        return self._grouped(panel, joined)

    def _grouped(self, panel: Panel, joined: Joined, *, compared: bool = False) -> GroupedWindows:
        return GroupedWindows(
            joined.rows,
            joined.places,
            len(self.head_),
            self._column_names(),
            panel.codes,
            as_numbers(panel.times),
            compared=compared,
        )

    def _filling(self) -> dict[str, bool]:
        return {"repeat": self.padding == "edge", "fill": self.fill_missing is not None}

    def _place(self, X: ArrayLike, series: NDArray) -> Place:
        """Return where rows stand beside the training rows."""
        times = None if self.span_ is None else times_of(X)
        n_lags = len(self.tail_)
        told = None if times is None or self.span_ is None else place(times, self.span_, n_lags)
        steps = None if told is None else told.steps
        if self.context == "none":
            return Place(None, steps)
        if self.context == "fit":
            return Place(0, steps)
        return told or self._place_by_values(series)

    def _place_by_values(self, series: NDArray) -> Place:
        """Return where rows without an index seem to stand beside the training rows."""
        if self._is_training_series(series):
            return Place(None)
        n_common = min(len(series), len(self.tail_))
        last, tail = series[len(series) - n_common :], self.tail_[len(self.tail_) - n_common :]
        if n_common >= FEW_ROWS and np.ptp(tail, axis=0).any() and _are_same(last, tail):
            return Place(
                -len(series),
                doubt="X ends with the last rows seen in fit, and so lies inside them: its first "
                "windows lack the lags that are not known. Pass the rows before it too",
            )
        return Place(0)

    def _is_training_series(self, series: NDArray) -> bool:
        """Return whether rows begin with the training series, or with a beginning of it."""
        n_rows = len(series)
        if n_rows < len(self.head_) or not _are_same(series[: len(self.head_)], self.head_):
            return False
        if self.landmarks_ is None:
            return True
        sums = _sums(series, len(self.head_))[: len(self.landmarks_)]
        # A few rows without any change, such as zeros at night, tell nothing of their place.
        tells = len(sums) > 1 or bool(np.ptp(self.head_, axis=0).any())
        return tells and np.allclose(sums, self.landmarks_[: len(sums)], rtol=1e-9)

    def _column_names(self) -> tuple[str, ...]:
        seen = getattr(self, "feature_names_in_", None)
        names = [f"x{i}" for i in range(self.n_features_in_)] if seen is None else seen
        return tuple(self._without_group(names))

    def _without_group(self, names: Any) -> list[str]:
        """Return the names of columns without those that name the series."""
        places = [] if self.group is None else self.group_places_
        return [name for place, name in enumerate(names) if place not in places]

    def _rows_seen(self) -> int | None:
        """Return the number of last rows that a row of the output depends on.

        A subclass may depend on others: None.
        """
        if type(self) is not LookbackWindower:
            return None
        return len(self.head_) if hasattr(self, "head_") else 1

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _roles_of_names(y: object) -> dict[str, Any] | None:
    names = names_of_targets(y)
    return None if names is None else {"target": names}


def _sums(series: NDArray, look_back: int) -> NDArray[np.float64]:
    """Return the sums of the first rows of a series, twice as many each time."""
    ends = look_back * 2 ** np.arange((len(series) // look_back).bit_length())
    starts = np.concatenate([[0], ends[:-1]])
    parts = [series[start:end] for start, end in zip(starts, ends, strict=True)]
    return np.cumsum([_sum(part) for part in parts], axis=0)


def _sum(rows: NDArray) -> NDArray[np.float64]:
    """Return the sum of the known values of each column, which are looked at block by block."""
    blocks = (rows[start : start + BLOCK_ROWS] for start in range(0, len(rows), BLOCK_ROWS))
    return np.sum(
        [np.add.reduce(each, axis=0, where=~np.isnan(each), dtype=np.float64) for each in blocks],
        axis=0,
    )


def _are_same(rows: NDArray, others: NDArray) -> bool:
    """Return whether rows are the same, up to the rounding of repeated scaling."""
    precision = max(np.finfo(rows.dtype).eps, np.finfo(others.dtype).eps) ** 0.75
    tolerance = precision * np.fmax.reduce(np.abs(others), axis=0, initial=0.0)
    with np.errstate(invalid="ignore"):  # of infinite ones, which a user may not have checked
        near = (np.abs(rows - others) <= tolerance) & np.isfinite(others)
    return bool((near | (rows == others) | (np.isnan(rows) & np.isnan(others))).all())


def _check_parameters(windower: LookbackWindower) -> None:
    check_integer("look_back", windower.look_back)
    check_choice("padding", windower.padding, get_args(Padding))
    check_choice("context", windower.context, get_args(Context))
    check_choice("fill_missing", windower.fill_missing, (None, *get_args(Fill)))
