"""What a fitted model predicts from which columns, as far as it tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from skl_lstm.compositions.parts import fitted_roles, look_back, reach, windowers
from skl_lstm.forecasting.walk import model_columns, predict_outputs
from skl_lstm.warn import SeriesWarning, warn
from skl_lstm.windowing.alignment import FEW_ROWS, SAME, equal_column, same_shape
from skl_lstm.windowing.calendar import label_text
from skl_lstm.windowing.columns import Roles, told_names
from skl_lstm.windowing.groups import names_of_group
from skl_lstm.windowing.span import first_label, steps_between, times_of

if TYPE_CHECKING:
    import pandas as pd

# Number of rows from which one place in the history can be told from others by its values.
TELLING_ROWS = 4


def roles_in(
    model: Any,
    frame: pd.DataFrame,
    target: Any,
    known: Any,
    static: Any = None,
    sample: Any = None,
) -> tuple[Roles, int]:
    """Return the roles of the columns, and the number of rows that a model predicts at once.

    Parameters
    ----------
    model : fitted regressor
        The model.
    frame : DataFrame of shape (n, n_columns)
        The history.
    target, known, static : name, sequence of names, or None
        What the user names; None for what the model tells.
    sample : DataFrame, default=None
        Rows to predict, to see what the model returns; the last ones of `frame` if None.

    Raises
    ------
    ValueError
        If the names are not those that the model was fitted with, if its outputs do not fit
        them, or if `target` is None and what it predicts can be read in two ways.
    """
    told = told_names(fitted_roles(model), frame.columns)
    target = told.get("target") if target is None else target
    known = told.get("known") if known is None else known
    static = told.get("static") if static is None else static
    roles = Roles.of(frame.columns, target, known, "history", static)
    named = {"target": roles.targets, "known": roles.known, "static": roles.static}
    for role, names in named.items():
        as_fitted = told.get(role, names)
        if names != as_fitted and (role == "target" or set(names) != set(as_fitted)):
            raise ValueError(
                f"{role} must be {as_fitted}, as the model was fitted, got {names or None}"
            )
    leading = list(getattr(model, "feature_names_in_", ()))[: len(roles.targets)]
    if "target" not in told and set(leading) == set(roles.targets) and leading != roles.targets:
        raise ValueError(
            f"target must be {leading}, in the order in which the model was fitted, got "
            f"{roles.targets}"
        )
    if sample is None:
        sample = _shown(model, sample_of(model, frame[roles.order(frame.columns)]))
    n_outputs = predict_outputs(model, sample).shape[1]
    if target is None and len(roles.targets) > 1:
        raise ValueError(
            f"target must name what the model predicts: its {n_outputs} outputs could be of any "
            f"of {roles.targets}"
        )
    if n_outputs % len(roles.targets):
        raise ValueError(
            f"target must name the columns that the model predicts, got {roles.targets}, but the "
            f"model has {n_outputs} outputs"
        )
    return roles, n_outputs // len(roles.targets)


def in_order_of_fit(model: Any, rows: pd.DataFrame, given: pd.Index, roles: Roles) -> pd.DataFrame:
    """Return rows with their columns as the model was fitted on them.

    Parameters
    ----------
    model : fitted regressor
        The model. If it was fitted on a DataFrame, columns go by name.
    rows : DataFrame of shape (n, n_columns)
        The history, laid out as :func:`make_supervised` does, targets first.
    given : Index
        Its columns in the order of the user.
    roles : Roles
        Roles of the columns.

    Raises
    ------
    ValueError
        If the model was fitted on rows of this history that were laid out otherwise: a windower
        keeps the first rows that it was fitted on, and where these are found in the history by
        their targets, the other columns must agree too, up to scaling.
    """
    found = _disagreeing(model, rows, roles)
    if not found and (found is not None or hasattr(model, "feature_names_in_")):
        return rows
    as_given = rows[list(given)]
    if not hasattr(model, "feature_names_in_") and _disagreeing(model, as_given, roles) == []:
        return as_given
    if found:
        raise ValueError(
            f"model must be fitted on make_supervised(history, target={roles.targets}, "
            f"known={roles.known}), but in the rows that it was fitted on, {found} are of other "
            "times; name the same columns known ahead as in fit, or fit it again"
        )
    return rows


def _disagreeing(model: Any, rows: pd.DataFrame, roles: Roles) -> list[Any] | None:
    """Return the columns in which the first rows of a fit differ; None if they are not found."""
    import pandas as pd

    names = [name for name in model_columns(model, rows) if name in rows]
    numeric = [name for name in names if pd.api.types.is_numeric_dtype(rows.dtypes[name])]
    if not set(roles.targets) <= set(numeric):
        return None
    values = {name: rows[name].to_numpy(np.float64, na_value=np.nan) for name in numeric}
    for windower in windowers(model):
        head = _head_columns(windower, names, by_place=not hasattr(model, "feature_names_in_"))
        place = _place_of(times_of(rows, "history"), windower, head, values, roles.targets)
        if place is None:
            continue
        n_rows = len(windower.head_)
        given = {name: column[place : place + n_rows] for name, column in values.items()}
        # Few rows that may have been scaled prove nothing.
        as_they_are = _names(windower) in (names, None) and all(
            any(_are_equal(column, given[name]) for column in head[name]) for name in roles.targets
        )
        if n_rows < TELLING_ROWS and not as_they_are:
            continue
        return [
            name
            for name in numeric
            if head[name] and not any(_are_alike(each, given[name]) for each in head[name])
        ]
    return None


def _head_columns(windower: Any, names: list[Any], *, by_place: bool) -> dict[Any, list[NDArray]]:
    """Return for each column of a model those of a windower that may be it, or a scaled one."""
    columns, seen = list(windower.head_.T), _names(windower)
    if by_place:
        return {
            name: [columns[i]] if len(columns) == len(names) else []
            for i, name in enumerate(names)
        }
    if seen is None:  # behind a transformer that may have put them in another order
        return dict.fromkeys(names, columns if len(columns) >= len(names) else [])
    return {
        name: [
            column
            for column, each in zip(columns, seen, strict=True)
            if each == name or each.endswith(f"__{name}")
        ]
        for name in names
    }


def _names(windower: Any) -> list[str] | None:
    names = getattr(windower, "feature_names_in_", None)
    group = getattr(windower, "group", None)
    of_group = [] if group is None else names_of_group(group)
    return None if names is None else [name for name in names if name not in of_group]


def _place_of(
    times: pd.Index | None,
    windower: Any,
    head: dict[Any, list[NDArray]],
    values: dict[Any, NDArray],
    targets: list[Any],
) -> int | None:
    """Return where the first rows of a windower stand in the history; None if that is unknown."""
    import pandas as pd

    n_rows = len(windower.head_)
    n_places = len(values[targets[0]]) - n_rows + 1
    first = None if times is None else first_label(times, windower.span_)
    if times is not None and first is not None:
        at = int(times.get_indexer(pd.Index([first]))[0])
        places = np.array([at] if 0 <= at < n_places else [], dtype=np.intp)
    elif n_rows < TELLING_ROWS or n_places < 1:
        return None
    else:
        starts = sliding_window_view(values[targets[0]], TELLING_ROWS)[:n_places]
        fit = [_same_beginning(starts, each[:TELLING_ROWS]) for each in head[targets[0]]]
        places = np.flatnonzero(np.any(fit, axis=0)) if fit else np.zeros(0, dtype=np.intp)
    for name in targets:
        places = np.array(
            [
                place
                for place in places
                if any(
                    _are_alike(each, values[name][place : place + n_rows]) for each in head[name]
                )
            ],
            dtype=np.intp,
        )
    return int(places[0]) if len(places) == 1 else None


def _same_beginning(starts: NDArray, wanted: NDArray) -> NDArray[np.bool_]:
    """Return which rows of `starts` are `wanted`, up to scaling; a missing value fits any."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found, sought = (
            (each - each.mean(axis=-1, keepdims=True)) / each.std(axis=-1, keepdims=True)
            for each in (starts, wanted)
        )
    return ((np.abs(found - sought) < SAME) | np.isnan(found - sought)).all(axis=1)


def _are_equal(one: NDArray, other: NDArray) -> bool:
    """Return whether most values are equal; some may have been revised."""
    equal = np.isclose(one, other, rtol=1e-9, atol=0.0, equal_nan=True)
    return bool(2 * np.count_nonzero(equal) > len(equal))


def _are_alike(one: NDArray, other: NDArray) -> bool:
    """Return whether most values are equal, or all of them up to scaling."""
    return _are_equal(one, other) or (len(one) >= TELLING_ROWS and same_shape(one, other))


def check_step(model: Any, history: pd.DataFrame) -> None:
    """Raise ValueError if rows of the history are further apart than those of the fit."""
    times = times_of(history, "history")
    for windower in windowers(model):
        steps = None if times is None else steps_between(times, windower.span_)
        if steps is not None and 2 * np.count_nonzero(steps == 1) < len(steps):
            raise ValueError(
                f"history must have a row every {windower.span_['freq']}, as the rows that the "
                f"model was fitted on, got {label_text(history.index[1])} after "
                f"{label_text(history.index[0])}"
            )


def warn_if_repeated(
    model: Any,
    past: pd.DataFrame,
    targets: list[Any],
    show: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> None:
    """Warn if a model predicts for each row what stands in it, unless make_supervised made y.

    `show` returns rows as the model was fitted on them.
    """
    if "horizon" in fitted_roles(model):
        return
    sample = sample_of(model, past)
    complete = slice(look_back(model) - 1, None)
    shown = _shown(model, sample) if show is None else show(sample)
    outputs = predict_outputs(model, shown)[complete]
    values = sample[targets].to_numpy(np.float64)[complete]
    column = equal_column(outputs, values)
    if column is not None and np.allclose(outputs[:, 0], values[:, column]):
        warn(
            f"the model predicts for each row its own value of {targets[column]!r}, not the next "
            "one; was it fitted on y that is not shifted? make_supervised(history) shifts y",
            SeriesWarning,
        )


def warn_of_short_windows(model: Any, roles: Roles, horizon: int) -> None:
    """Warn if windows do not reach the columns known ahead of all rows that are predicted."""
    if roles.known and look_back(model) < horizon:
        warn(
            f"look_back={look_back(model)} is shorter than the {horizon} rows that the model "
            f"predicts at once: it sees {roles.known} only of the last {look_back(model)} of them",
            SeriesWarning,
        )


def sample_of(model: Any, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the last rows without missing values, as many as a window and some more."""
    n_rows = look_back(model) - 1 + FEW_ROWS
    complete = frame.tail(10 * n_rows).dropna()
    if len(complete) < look_back(model):
        complete = frame.dropna()
    return (complete if len(complete) else frame).tail(n_rows)


def _shown(model: Any, sample: pd.DataFrame) -> pd.DataFrame:
    # With dates only for parts that may read them: the rows need not follow each other.
    return sample if reach(model) is None else sample.reset_index(drop=True)
