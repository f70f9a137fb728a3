"""Forecasts of several series, side by side, each from its own last time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skl_lstm.checks import check_integer
from skl_lstm.compositions.last_rows import of_last_rows
from skl_lstm.compositions.parts import carries_forward, look_back, reach, windowers
from skl_lstm.forecasting.course import (
    check_regressor,
    check_steps_ahead,
    columns_of_fit,
    known_columns,
    warn_of_other_units,
)
from skl_lstm.forecasting.fitted_model import (
    check_step,
    in_order_of_fit,
    roles_in,
    sample_of,
    warn_if_repeated,
    warn_of_short_windows,
)
from skl_lstm.forecasting.walk import predict_outputs
from skl_lstm.warn import SeriesWarning, warn
from skl_lstm.windowing.calendar import (
    following,
    frequency,
    given_frequency,
    label_text,
)
from skl_lstm.windowing.columns import Roles, refuse_laid_out
from skl_lstm.windowing.frames import as_frame
from skl_lstm.windowing.groups import (
    Panel,
    check_not_empty,
    check_static,
    kinds_of,
    series_at,
    text_of,
)
from skl_lstm.windowing.panel_steps import steps_of
from skl_lstm.windowing.span import as_numbers, frequency_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PanelCourse:
    """Several series prepared for a forecast.

    Parameters
    ----------
    rows : DataFrame of shape (n, n_columns)
        Series by series, the last rows of the history and the rows to forecast, indexed by time
        and laid out as :func:`make_supervised` lays out X. The targets of the rows to forecast
        are NaN.
    codes : ndarray of int64 of shape (n,)
        Number of the series of each row.
    ends : ndarray of int64 of shape (n_series,)
        Where the rows to forecast begin in `rows`, for each series.
    starts : ndarray of int64 of shape (n_series,)
        Where each series begins in `rows`.
    is_known : ndarray of bool of shape (n_series, steps)
        Whether all columns known ahead are known that a forecast depends on.
    panel : Panel
        The history.
    steps : int
        Number of rows to forecast of each series.
    roles : Roles
        Roles of the columns.
    horizon : int
        Number of rows that the model predicts at once.
    """

    rows: pd.DataFrame
    codes: NDArray[np.int64]
    ends: NDArray[np.int64]
    starts: NDArray[np.int64]
    is_known: NDArray[np.bool_]
    panel: Panel
    steps: int
    roles: Roles
    horizon: int

    @property
    def ahead(self) -> NDArray[np.int64]:
        """Positions of the rows to forecast, of shape (n_series, steps)."""
        return self.ends[:, np.newaxis] + np.arange(self.steps)


def begin_all(
    model: Any,
    history: Any,
    steps: int,
    names: dict[str, Any],
    future: Any,
    group: Any,
    freq: Any,
    *,
    whole: bool = True,
) -> PanelCourse:
    """Check the inputs of a forecast of several series, and lay them out.

    Parameters
    ----------
    model, history, steps, future, group, freq
        As in :func:`forecast`.
    names : dict
        The ``"target"``, ``"known"`` and ``"static"`` of :func:`forecast`.
    whole : bool, default=True
        Whether `future` must be complete, and the last value of each series be known.

    Raises
    ------
    ValueError
        As :func:`forecast`.
    """
    check_integer("steps", steps)
    check_regressor(model)
    check_is_fitted(model)
    panel = Panel.of(history, group, "history")
    check_not_empty(panel, "history")
    refuse_laid_out(history, "history")
    rows = columns_of_fit(model, panel.rows, names["target"], panel.names)
    panel = replace(panel, rows=rows)
    if any(windower.group is None for windower in windowers(model)):
        raise ValueError(
            f"model must make windows of each series by itself, with LookbackWindower(group="
            f"{group!r}) as in fit, got a windower of one series"
        )
    longest = panel.longest
    if future is not None and names["known"] is None:
        future_columns = as_frame(future)
        labels = [name for name in panel.names if name in future_columns]
        named = future_columns.drop(columns=labels)
    else:
        named = future
    known = known_columns(model, names["known"], named, panel.rows, names["target"])
    roles, horizon = roles_in(
        model,
        panel.rows,
        names["target"],
        known,
        names["static"],
        sample=present(model, panel, sample_of(model, panel.series(longest)), longest),
    )
    check_static(panel.rows, panel, roles, "history")
    if future is None and roles.known:
        panel, future = _split_off_unknown(panel, roles)
    if whole:
        _check_ends(panel, roles)
    check_steps_ahead(roles, steps, horizon)
    warn_of_short_windows(model, roles, horizon)
    if whole:
        _warn_of_short_series(model, panel)
    freq = _step(model, panel, freq)
    return _lay_out(model, panel, roles, horizon, steps, future, freq, whole)


def paths_ahead(model: Any, course: PanelCourse) -> NDArray[np.float64]:
    """Return the forecasts, of shape (n_series, steps, n_targets).

    Raises
    ------
    ValueError
        If a forecast is NaN.
    """
    paths = walk_all(model, course)
    unknown = np.argwhere(np.isnan(paths))
    if len(unknown):
        code, step, column = unknown[0]
        time = label_text(course.rows.index[course.ahead[code, step]])
        raise ValueError(
            f"model must predict numbers, got NaN at step {step + 1}, {time}, for "
            f"{course.roles.targets[column]!r} in {series_at(course.panel.labels[code])}: fill "
            "the missing values in the last rows of history, or let the windower do it with "
            "fill_missing='forward'"
        )
    return paths


def walk_all(model: Any, course: PanelCourse) -> NDArray[np.float64]:
    """Forecast all series side by side, as far as the model predicts numbers.

    Returns
    -------
    paths : ndarray of shape (n_series, steps, n_targets)
        The forecasts.
    """
    import pandas as pd

    n_seen, rows = reach(model), course.rows.copy()
    last = None if n_seen is None else of_last_rows(model)
    if carries_forward(model):
        n_seen = None
    columns = rows.columns.get_indexer(pd.Index(course.roles.targets))
    n_series, n_targets = len(course.ends), len(columns)
    paths = np.empty((n_series, course.steps, n_targets))
    done = 0
    while done < course.steps:
        stops = course.ends + done
        starts = course.starts if n_seen is None else np.maximum(course.starts, stops - n_seen)
        lengths = stops - starts
        lasts = np.cumsum(lengths) - 1
        seen = np.repeat(stops - 1 - lasts, lengths) + np.arange(lengths.sum())
        shown = present(model, course.panel, rows.take(seen), course.codes[seen])
        if last is None:
            outputs = predict_outputs(model, shown)[lasts]
        else:
            outputs = predict_outputs(last, shown, n_series)
        block = outputs.reshape(n_series, -1, n_targets)
        block = block[:, : course.steps - done]
        until = done + block.shape[1]
        paths[:, done:until] = block
        ahead = course.ahead[:, done:until]
        rows.iloc[ahead.ravel(), columns] = block.reshape(-1, n_targets)
        done = until
    return paths


def present(
    model: Any, panel: Panel, rows: pd.DataFrame, codes: NDArray[np.int64] | int
) -> pd.DataFrame:
    """Return rows with the names of their series as the model was fitted on them.

    Parameters
    ----------
    model : fitted regressor
        The model.
    panel : Panel
        Has the labels.
    rows : DataFrame of shape (n, n_columns)
        Rows, indexed by time.
    codes : ndarray of int64 of shape (n,) or int
        Number of the series of each row.
    """
    codes = np.broadcast_to(codes, len(rows))
    fitted = list(getattr(model, "feature_names_in_", ()))
    shown = _labeled(panel, rows, codes, fitted or panel.columns)
    return shown[fitted] if fitted else shown


def with_labels(panel: Panel, columns: Collection[Any]) -> pd.DataFrame:
    """Return the rows of a panel with the names of the series: as columns, or else as levels."""
    return _labeled(panel, panel.rows, panel.codes, columns)


def _labeled(
    panel: Panel, rows: pd.DataFrame, codes: NDArray[np.int64], columns: Collection[Any]
) -> pd.DataFrame:
    import pandas as pd

    labels = panel.labels_of(codes)
    levels = [labels[name] for name in panel.names if name not in columns]
    shown = rows.set_axis(
        pd.MultiIndex.from_arrays([*levels, rows.index]) if levels else rows.index
    )
    for name in panel.names:
        if name in columns:
            shown[name] = labels[name]
    return shown


def long_frame(course: PanelCourse, values: NDArray, columns: Any) -> pd.DataFrame:
    """Return values of shape (n_series * steps, n_columns), indexed by series and time."""
    import pandas as pd

    panel, ahead = course.panel, course.ahead.ravel()
    codes = course.codes[ahead]
    labels = panel.labels_of(codes).values()
    index = pd.MultiIndex.from_arrays([*labels, course.rows.index.take(ahead)])
    return pd.DataFrame(values, index=index, columns=columns)


def _split_off_unknown(panel: Panel, roles: Roles) -> tuple[Panel, pd.DataFrame]:
    """Split off the last rows of each series, of which only other columns are known."""
    known = panel.rows[roles.targets].notna().any(axis=1).to_numpy()
    place = panel.place_in_series()
    n_known = np.zeros(len(panel.labels), dtype=np.int64)
    np.maximum.at(n_known, panel.codes[known], place[known] + 1)
    n_known[n_known == 0] = panel.lengths[n_known == 0]  # refused by what follows
    past = place < n_known[panel.codes]
    whole = with_labels(panel, ())
    return panel.only(past), whole[~past]


def _check_ends(panel: Panel, roles: Roles) -> None:
    last = panel.lasts
    missing = panel.rows[roles.targets].iloc[last].isna().to_numpy()
    if missing.any():
        code, column = np.argwhere(missing)[0]
        raise ValueError(
            f"history must end with known values, got NaN in column {roles.targets[column]!r} of "
            f"the last row of {series_at(panel.labels[code])}, "
            f"{label_text(panel.times[last[code]])}; fill it, or end the series before it"
        )


def _warn_of_short_series(model: Any, panel: Panel) -> None:
    short = np.flatnonzero(panel.lengths < look_back(model))
    if len(short):
        warn(
            f"history has {len(short)} of {len(panel.labels)} series with fewer rows than "
            f"look_back={look_back(model)}, such as {text_of(panel.labels[short[0]])} with "
            f"{panel.lengths[short[0]]}: their windows are filled up, and no interval knows it. "
            "Pass as many rows of each series",
            SeriesWarning,
        )


def _step(model: Any, panel: Panel, freq: Any) -> Any:
    """Return the step between two rows of a series: given, that of the fit, or inferred."""
    if freq is not None:
        return given_frequency(panel.times, freq)
    longest = panel.series(panel.longest)
    check_step(model, longest)
    spans = (windower.span_ for windower in windowers(model))
    plain = next((span["freq"] for span in spans if span is not None), None)
    step = frequency(longest.index, None, "history") if plain is None else frequency_of(plain)
    found = steps_of(panel, None if len(longest) > 2 else step, "history")
    if found.doubt is not None:
        warn(found.doubt, SeriesWarning)
    return step


def _lay_out(
    model: Any,
    panel: Panel,
    roles: Roles,
    horizon: int,
    steps: int,
    future: Any,
    freq: Any,
    complete: bool,
) -> PanelCourse:
    """Return the last rows of each series and those to forecast, as models see them."""
    import pandas as pd

    # What is filled from earlier rows depends on these too.
    filled = carries_forward(model) and panel.rows.isna().any(axis=None)
    n_seen = None if filled else reach(model)
    n_ahead = -(-steps // horizon) * horizon
    n_past = panel.lengths if n_seen is None else np.minimum(panel.lengths, n_seen)
    n_series = len(n_past)
    from_end = panel.lengths[panel.codes] - panel.place_in_series()
    kept = panel.order[(from_end <= n_past[panel.codes])[panel.order]]
    times = _times_ahead(panel, n_ahead, freq)
    past = panel.rows.take(kept).astype(dict.fromkeys(roles.targets, np.float64))
    ahead = pd.DataFrame(index=times)
    codes_ahead = np.repeat(np.arange(n_series), n_ahead)
    is_known = np.ones((n_series, n_ahead), dtype=bool)
    if roles.known:
        values, found = _values_ahead(panel, roles, future, times, codes_ahead, complete)
        ahead[roles.known] = values
        blocks = found.reshape(n_series, -1, horizon).all(axis=2)
        is_known = np.logical_and.accumulate(blocks, axis=1).repeat(horizon, axis=1)
    last_rows = panel.rows.iloc[panel.lasts]
    for name in roles.static:
        ahead[name] = last_rows[name].repeat(n_ahead).set_axis(times)
    codes = np.concatenate([panel.codes[kept], codes_ahead])
    order = np.argsort(codes, kind="stable")
    whole = pd.concat([past, ahead]).take(order)
    codes = codes[order]
    led = _led(whole, codes, roles, horizon)
    for name in roles.known:
        led[name] = _of_type(led[name], panel.rows.dtypes[name])
    lengths = n_past + n_ahead
    first = np.cumsum(lengths) - lengths
    within = np.arange(len(whole)) - np.repeat(first, lengths)
    shown = within < (n_past + steps)[codes]
    rows, codes = led[roles.order(panel.rows.columns)][shown], codes[shown]
    starts = np.searchsorted(codes, np.arange(n_series))
    course = PanelCourse(
        rows,
        codes,
        starts + n_past,
        starts,
        is_known[:, :steps],
        panel,
        steps,
        roles,
        horizon,
    )
    if complete:
        _check_known(model, course)
    _check_like_fit(model, course)
    return course


def _led(rows: pd.DataFrame, codes: NDArray[np.int64], roles: Roles, horizon: int) -> pd.DataFrame:
    """Return rows of several series with the columns known ahead moved, as ``led`` does."""
    led = rows.copy(deep=False)
    for name in roles.known:
        led[name] = rows[name].groupby(codes).shift(-horizon)
    return led


def _of_type(values: pd.Series, dtype: Any) -> pd.Series:
    """Return values in the type that they had before rows were added, if they are the same."""
    if values.isna().any():
        return values
    as_before = values.astype(dtype)
    return as_before if (as_before == values).all() else values


def _times_ahead(panel: Panel, n_ahead: int, freq: Any) -> pd.Index:
    """Return the times that follow the last one of each series, series by series."""
    import pandas as pd

    lasts = panel.times.take(panel.lasts)
    _, some, which = np.unique(as_numbers(lasts), return_index=True, return_inverse=True)
    if isinstance(freq, pd.offsets.Week) and isinstance(
        lasts, pd.DatetimeIndex
    ):  # the day of the week may differ
        freq = pd.DateOffset(weeks=freq.n)
    followed = [following(lasts[[each]], n_ahead, freq) for each in some]
    table = followed[0].append(followed[1:])
    at = (which * n_ahead)[:, np.newaxis] + np.arange(n_ahead)
    return table.take(at.ravel()).rename(panel.times.name)


def _values_ahead(
    panel: Panel,
    roles: Roles,
    future: Any,
    times: pd.Index,
    codes: NDArray[np.int64],
    complete: bool,
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Return the columns known ahead for the rows to be predicted, and for which they are known.

    Those that are not known, unless they must be, are the last known ones.
    """
    import pandas as pd

    if future is None or (not hasattr(future, "columns") and not hasattr(future, "to_frame")):
        raise ValueError(f"future must be a DataFrame, got {type(future).__name__}")
    given = as_frame(future)
    lacking = [name for name in roles.known if name not in given]
    if lacking:
        raise ValueError(
            f"future must hold all columns known ahead, {roles.known}, but lacks {lacking}"
        )
    ahead = Panel.of(given, list(panel.names), "future", whole=False)
    if len(ahead.labels) and kinds_of(ahead.labels) != kinds_of(panel.labels):
        raise ValueError(
            f"future must have labels of the kind of history, {', '.join(kinds_of(panel.labels))} "
            f"such as {text_of(panel.labels[0])}, got {text_of(ahead.labels[0])}"
        )
    strange = ahead.labels.difference(panel.labels)
    if len(strange):
        raise ValueError(
            f"future must hold only series of history, which a forecast begins with, got "
            f"{len(strange)} others, such as {text_of(strange[0])}"
        )
    number = ahead.labels.get_indexer(panel.labels)
    wanted = pd.MultiIndex.from_arrays([number[codes], times])
    at = pd.MultiIndex.from_arrays([ahead.codes, ahead.times]).get_indexer(wanted)
    found = at >= 0
    if complete and not found.all():
        row = int(np.argmin(found))
        raise ValueError(
            f"future must have a row for each of {len(times) // len(panel.labels)} times after "
            f"the history of a series, got none for {label_text(times[row])} in "
            f"{series_at(panel.labels[codes[row]])}; leave series that have ended out of history"
        )
    values = ahead.rows[roles.known].take(np.maximum(at, 0)).set_axis(times)
    found &= values.notna().all(axis=1).to_numpy()
    if complete and not found.all():
        row = int(np.argmin(found))
        name = values.columns[values.iloc[row].isna()][0]
        raise ValueError(
            f"future must hold known values, got NaN in column {name!r} at "
            f"{label_text(times[row])} in {series_at(panel.labels[codes[row]])}"
        )
    warn_of_other_units(panel.rows[roles.known], values[found])
    if not found.all():
        last = panel.rows[roles.known].iloc[panel.lasts[codes]]
        known = np.broadcast_to(found[:, np.newaxis], values.shape)
        values = values.where(known, last.set_axis(times))
    return values, found


def _check_known(model: Any, course: PanelCourse) -> None:
    """Raise ValueError if a column known ahead lacks a value in a window that is read first."""
    if carries_forward(model):
        return
    place = np.arange(len(course.rows)) - course.ends[course.codes]
    read = (place < 0) & (place >= -look_back(model))
    for name in course.roles.known:
        missing = read & course.rows[name].isna().to_numpy()
        if missing.any():
            row = int(np.argmax(missing))
            raise ValueError(
                f"history must hold the values of {name!r}, which is known ahead, got NaN for the "
                f"row {course.horizon} after {label_text(course.rows.index[row])} in "
                f"{series_at(course.panel.labels[course.codes[row]])}; fill it, or let the "
                "windower do it with fill_missing='forward'"
            )


def _check_like_fit(model: Any, course: PanelCourse) -> None:
    """Raise ValueError if the model was fitted on rows of the history laid out otherwise.

    This is seen in one series, whose first rows a windower keeps.
    """
    panel, roles = course.panel, course.roles
    heads = [getattr(windower, "head_group_", None) for windower in windowers(model)]
    head = next((label for label in heads if label is not None), None)
    if head is not None and head not in panel.labels:
        return
    code: Any = panel.longest if head is None else panel.labels.get_loc(head)
    rows = panel.series(code)
    laid_out = _led(rows, np.zeros(len(rows), dtype=np.int64), roles, course.horizon)
    laid_out = laid_out[roles.order(rows.columns)]
    in_order_of_fit(model, laid_out, rows.columns, roles)
    warn_if_repeated(
        model, laid_out, roles.targets, lambda shown: present(model, panel, shown, code)
    )
