"""Supervised targets: each row of a series paired with what follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import check_integer
from skl_lstm.warn import SeriesWarning, warn
from skl_lstm.windowing.alignment import step_names
from skl_lstm.windowing.columns import Names, Roles, refuse_laid_out, tell
from skl_lstm.windowing.frames import as_frame, as_given
from skl_lstm.windowing.groups import Panel, check_not_empty, check_static, text_of
from skl_lstm.windowing.panel_steps import steps_of
from skl_lstm.windowing.span import Freq, is_numbered_afresh, looks_like_dates, span_of, times_of

if TYPE_CHECKING:
    import pandas as pd


@overload
def make_supervised(
    series: pd.Series,
    *,
    target: Names | None = None,
    known: Names | None = None,
    horizon: Literal[1] = 1,
    group: Names | None = None,
    static: Names | None = None,
    freq: Freq | None = None,
) -> tuple[pd.DataFrame, pd.Series]: ...
@overload
def make_supervised(
    series: pd.DataFrame,
    *,
    target: str | int,
    known: Names | None = None,
    horizon: Literal[1] = 1,
    group: Names | None = None,
    static: Names | None = None,
    freq: Freq | None = None,
) -> tuple[pd.DataFrame, pd.Series]: ...
@overload
def make_supervised(
    series: pd.Series | pd.DataFrame,
    *,
    target: Names | None = None,
    known: Names | None = None,
    horizon: int = 1,
    group: Names | None = None,
    static: Names | None = None,
    freq: Freq | None = None,
) -> tuple[pd.DataFrame, pd.Series | pd.DataFrame]: ...
@overload
def make_supervised(
    series: Any,
    *,
    target: Names | None = None,
    known: Names | None = None,
    horizon: int = 1,
    group: Names | None = None,
    static: Names | None = None,
    freq: Freq | None = None,
) -> tuple[Any, Any]: ...
def make_supervised(
    series: Any,
    *,
    target: Names | None = None,
    known: Names | None = None,
    horizon: int = 1,
    group: Names | None = None,
    static: Names | None = None,
    freq: Freq | None = None,
) -> tuple[Any, Any]:
    """Pair each row of a series with the value, or values, that follow it.

    Parameters
    ----------
    series : Series, DataFrame or array-like of shape (n,) or (n, n_columns)
        The series, oldest row first, each value at its own time. An index of dates, periods or
        numbers must increase. A DataFrame may be of pandas or polars; what is returned is of the
        same library.
    target : name or sequence of names, default=None
        The columns to forecast; positions, if `series` is an array. None for all that are not
        known ahead.
    known : name or sequence of names, default=None
        The columns whose values are known ahead: calendar, prices, weather forecasts. All
        columns that are neither `target` nor `known` are known up to now only.
    horizon : int, default=1
        Number of rows ahead that `y` covers.
    group : name or list of names, default=None
        What tells several series apart: a column of `series`, or a level of its index beside that
        of the times, as in :class:`LookbackWindower`. None: `series` is one series.
    static : name or sequence of names, default=None
        Columns that have one value for all rows of a series, such as the size of a shop, which
        :func:`forecast` carries on.
    freq : str, offset or int, default=None
        Step between two rows, as in :class:`LookbackWindower`: inferred from the index if None,
        and ``"rows"`` if rows follow each other whatever their times, as those of trading days.

    Returns
    -------
    X : DataFrame or ndarray of shape (n - n_series * horizon, n_columns)
        The row at ``t`` holds the series at ``t``, except for the columns known ahead: of these
        it holds the value at ``t + horizon``, the last row to be predicted. The targets come
        first, then the other columns in their order. The rows stand in the order of `series`.
    y : Series, DataFrame or ndarray of shape (n - n_series * horizon,) or (…, horizon * n_targets)
        ``y[t]`` holds the targets at ``t + 1 … t + horizon``, with all targets of a row side by
        side; one-dimensional if that is a single column. It has the index of ``X``: what follows
        the row at ``t`` has the label ``t``. What lies beyond a missing row is NaN.

    Raises
    ------
    ValueError
        If a parameter is invalid, if no series is longer than `horizon`, if the index does not
        increase or has several levels without `group`, or if `series` is the X of an earlier
        call; if a static column changes; or if `freq` is given and a row is missing.

    Warns
    -----
    SeriesWarning
        If a row is missing according to the index, or some series are too short for any row.

    See Also
    --------
    LookbackWindower : Joins each row of X with the rows before it.
    forecast : Forecasts what follows the series, with the same `target` and `known`.

    Notes
    -----
    A window of `look_back` rows of X holds the columns known ahead for the rows
    ``t + horizon - look_back + 1 … t + horizon``. So if ``look_back >= horizon``, a model sees
    them for every row that it predicts; if it is shorter, only for the last `look_back` of them.

    X and y of pandas note `target`, `known`, `static` and `horizon` in their ``attrs``, from
    which a windower learns them, so that :func:`forecast` knows how the model was fitted.

    Examples
    --------
    >>> from skl_lstm import make_supervised
    >>> X, y = make_supervised([1.0, 2.0, 3.0, 4.0])
    >>> X.ravel(), y
    (array([1., 2., 3.]), array([2., 3., 4.]))
    >>> X, y = make_supervised([1.0, 2.0, 3.0, 4.0], horizon=2)
    >>> y
    array([[2., 3.],
           [3., 4.]])

    A price that is known ahead stands in the row from which its day is predicted:

    >>> import pandas as pd
    >>> days = pd.date_range("2024-01-01", periods=4)
    >>> shop = pd.DataFrame({"price": [5, 4, 5, 6], "sold": [20, 24, 20, 16]}, index=days)
    >>> X, y = make_supervised(shop, target="sold", known="price")
    >>> X.assign(y=y)
                sold  price   y
    2024-01-01    20      4  24
    2024-01-02    24      5  20
    2024-01-03    20      6  16
    """
    import pandas as pd  # late: prediction alone does not need it

    check_integer("horizon", horizon)
    frame = as_frame(series)
    refuse_laid_out(frame, "series")
    if not frame.columns.is_unique:
        raise ValueError(f"series must have columns of different names, got {list(frame.columns)}")
    panel = None if group is None else Panel.of(series, group, "series")
    if panel is not None:
        check_not_empty(panel, "series")
    columns = frame.columns if panel is None else panel.rows.columns
    if panel is None:
        _warn_of_several_series(frame)
    steps = _steps(frame, freq) if panel is None else _steps_of_all(panel, freq)
    roles = Roles.of(columns, target, known, static=static)
    check_static(frame if panel is None else panel.rows, panel, roles, "series")
    pairs = Pairs.of(len(frame), panel, horizon, steps)
    X = frame[roles.order(frame.columns)].take(pairs.rows)
    for name in roles.known:
        X[name] = frame[name].take(pairs.later(horizon)).set_axis(X.index)
        if not pairs.in_time(horizon).all():
            X[name] = X[name].where(pairs.in_time(horizon))
    y: Any = _targets(frame[roles.targets], pairs, horizon)
    names = pd.Index(step_names(roles.targets, horizon))
    framed = y.set_axis(X.index).set_axis(names, axis=1)
    y = framed.iloc[:, 0] if len(names) == 1 else framed
    X, y = (tell(each, roles, horizon) for each in (X, y))
    return as_given(series, X), as_given(series, y)


def _warn_of_several_series(frame: pd.DataFrame) -> None:
    """Warn if rows without times of their own hold dates that come again."""
    import pandas as pd

    if not is_numbered_afresh(frame.index):
        return
    for name, values in frame.items():
        text = pd.api.types.is_string_dtype(values.dtype) and looks_like_dates(pd.Index(values))
        dates = text or pd.api.types.is_datetime64_any_dtype(values.dtype)
        if dates and values.duplicated().any():
            warn(
                f"series has column {name!r} with dates that come again, as those of several "
                f"series do, but its rows are taken to follow each other: set_index([…, {name!r}])"
                ", and name what tells the series apart in group",
                SeriesWarning,
            )
            return


class Pairs(NamedTuple):
    """Rows that have enough rows of their series after them.

    Attributes
    ----------
    rows : ndarray of int64 of shape (n,)
        Their positions in the table.
    at : ndarray of int64 of shape (n,)
        Their positions in `order`.
    order : ndarray of int64
        Positions of all rows of the table, series by series, oldest first.
    steps : ndarray of int64 or None
        Steps to each row of the table, which compare within a series; None if no row is missing.
    """

    rows: NDArray[np.int64]
    at: NDArray[np.int64]
    order: NDArray[np.int64]
    steps: NDArray[np.int64] | None

    @classmethod
    def of(
        cls, n_rows: int, panel: Panel | None, horizon: int, steps: NDArray[np.int64] | None
    ) -> Pairs:
        """Find the rows that have `horizon` rows of their series after them."""
        if panel is None:
            if n_rows <= horizon:
                raise ValueError(
                    f"series must have more values than horizon={horizon}, got {n_rows} of them"
                )
            rows = np.arange(n_rows - horizon)
            return cls(rows, rows, np.arange(n_rows), steps)
        lengths, labels = panel.lengths, panel.labels
        short = np.flatnonzero(lengths <= horizon)
        if len(short) == len(lengths):
            raise ValueError(
                f"series must have more values than horizon={horizon} for at least one label of "
                f"{panel.names}, got {lengths.max()} of them in the longest of {len(lengths)}"
            )
        if len(short):
            warn(
                f"series has no more values than horizon={horizon} for {len(short)} of "
                f"{len(lengths)} labels, such as {text_of(labels[short[0]])} with "
                f"{lengths[short[0]]}: they have no row in X",
                SeriesWarning,
            )
        place = panel.place_in_series()
        rows = np.flatnonzero(place < lengths[panel.codes] - horizon)
        at = panel.starts[panel.codes[rows]] + place[rows]
        return cls(rows, at, panel.order, steps)

    def later(self, step: int) -> NDArray[np.int64]:
        """Return the positions in the table of the rows `step` rows later."""
        return self.order[self.at + step]

    def in_time(self, step: int) -> NDArray[np.bool_]:
        """Return which of the latter are also `step` steps later, as no row between is missing."""
        if self.steps is None:
            return np.ones(len(self.rows), dtype=bool)
        return self.steps[self.later(step)] - self.steps[self.rows] == step


def _targets(targets: pd.DataFrame, pairs: Pairs, horizon: int) -> pd.DataFrame:
    """Return the targets of the rows at each step side by side, NaN beyond a missing row."""
    import pandas as pd

    by_step = range(1, horizon + 1)
    dtypes = set(targets.dtypes)
    if dtypes <= {np.dtype(np.float32), np.dtype(np.float64)} and len(dtypes) == 1:
        # In one array, since many steps of many series are large.
        values = targets.to_numpy()
        ahead = np.empty((len(pairs.rows), horizon * values.shape[1]), dtype=values.dtype)
        for step, part in zip(by_step, np.split(ahead, horizon, axis=1), strict=True):
            part[:] = values[pairs.later(step)]
            part[~pairs.in_time(step)] = np.nan
        return pd.DataFrame(ahead, copy=False)
    parts = [targets.take(pairs.later(step)).reset_index(drop=True) for step in by_step]
    if pairs.steps is not None:
        own = [pairs.in_time(step)[:, np.newaxis] for step in by_step]
        parts = [
            part.where(np.broadcast_to(each, part.shape))
            for part, each in zip(parts, own, strict=True)
        ]
    return pd.concat(parts, axis=1)


def _steps_of_all(panel: Panel, freq: Any) -> NDArray[np.int64]:
    """Return the steps to each row of a panel, which compare within a series only."""
    found = steps_of(panel, freq, "series")
    if found.doubt is not None:
        warn(found.doubt, SeriesWarning)
    return found.steps


def _steps(frame: Any, freq: Any) -> NDArray[np.int64] | None:
    """Return the number of steps from the first row to each, if the index shows missing rows."""
    times = times_of(frame, "series")
    if times is None:
        return None
    _, steps, doubt = span_of(times, freq, "series")
    if doubt is not None:
        warn(doubt, SeriesWarning)
    return steps
