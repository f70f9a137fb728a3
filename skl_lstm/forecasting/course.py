"""The rows along which a forecast goes: the history, and what is known ahead of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skl_lstm.checks import check_integer
from skl_lstm.compositions.parts import carries_forward, fitted_roles, look_back
from skl_lstm.forecasting.fitted_model import (
    check_step,
    in_order_of_fit,
    roles_in,
    warn_if_repeated,
    warn_of_short_windows,
)
from skl_lstm.forecasting.walk import walk_forward
from skl_lstm.warn import SeriesWarning, warn
from skl_lstm.windowing.alignment import far_columns
from skl_lstm.windowing.calendar import following, label_text
from skl_lstm.windowing.columns import Roles, led, names_in, refuse_laid_out
from skl_lstm.windowing.frames import as_frame
from skl_lstm.windowing.groups import check_static
from skl_lstm.windowing.span import is_numbered_afresh, kind_of, times_of

if TYPE_CHECKING:
    import pandas as pd


class Course(NamedTuple):
    """A series prepared for a forecast.

    Attributes
    ----------
    rows : DataFrame of shape (n + steps, n_columns)
        The history and the rows to forecast, laid out as :func:`make_supervised` lays out X. The
        targets of the rows to forecast are NaN.
    times : Index of length steps
        Index of the rows to forecast.
    roles : Roles
        Roles of the columns.
    horizon : int
        Number of rows that the model predicts at once.
    """

    rows: pd.DataFrame
    times: pd.Index
    roles: Roles
    horizon: int

    @property
    def past(self) -> pd.DataFrame:
        """The rows of the history."""
        return self.rows.iloc[: len(self.rows) - len(self.times)]


def begin(
    model: Any,
    history: Any,
    steps: int,
    target: Any,
    known: Any,
    static: Any,
    future: Any,
    freq: Any,
) -> Course:
    """Check the inputs of a forecast, which are those of :func:`forecast`, and lay them out."""
    check_integer("steps", steps)
    check_regressor(model)
    check_is_fitted(model)
    frame = _check_frame(model, history, target)
    named = known_columns(model, known, future, frame, target)
    roles, horizon = roles_in(model, frame, target, named, static)
    check_static(frame, None, roles, "history")
    if future is None:
        n_past = n_until_unknown(frame, roles.targets) if roles.known else len(frame)
        frame, future = frame.iloc[:n_past], frame.iloc[n_past:]
    _check_end(frame, roles.targets)
    check_steps_ahead(roles, steps, horizon)
    warn_of_short_windows(model, roles, horizon)
    # The last prediction may cover more rows than are asked for, and looks as far ahead.
    n_ahead = -(-steps // horizon) * horizon
    times = following(frame.index, n_ahead, freq)
    check_step(model, frame)
    asked = f"steps={steps}" + (f" in blocks of {horizon}" if horizon > 1 else "")
    ahead = _values_ahead(future, roles.known, frame, times, asked)
    for name in roles.static:
        ahead[name] = frame[name].iloc[[-1] * n_ahead].set_axis(times)
    rows = _lay_out(frame, ahead, roles, horizon, len(frame) + steps)
    past = rows.iloc[: len(frame)]
    rows = rows[list(in_order_of_fit(model, past, frame.columns, roles).columns)]
    warn_if_repeated(model, rows.iloc[: len(frame)], roles.targets)
    _check_known(
        rows[roles.known].iloc[len(frame) - look_back(model) : len(frame)], model, horizon
    )
    return Course(rows, times[:steps], roles, horizon)


def check_steps_ahead(roles: Roles, steps: int, horizon: int) -> None:
    """Raise ValueError if steps need values of columns that are known up to now only."""
    if roles.past and steps > horizon:
        raise ValueError(
            f"steps must be at most {horizon}, the number of rows that the model predicts at "
            f"once, because {roles.past} are not known ahead, got {steps}; fit the model on "
            f"make_supervised(…, horizon={steps}), or name these columns in known or static"
        )


def _check_known(read: pd.DataFrame, model: Any, horizon: int) -> None:
    """Raise ValueError if a column known ahead lacks a value in the window that is read first."""
    filled = carries_forward(model)
    for name in read.columns[read.isna().any()]:
        if not filled:
            raise ValueError(
                f"history must hold the values of {name!r}, which is known ahead, got NaN for the "
                f"row {horizon} after {label_text(read[name].isna().idxmax())}; fill it, or let "
                "the windower do it with fill_missing='forward'"
            )


def path_ahead(model: Any, course: Course) -> NDArray[np.float64]:
    """Return the forecast from the last row of the history, of shape (steps, n_targets).

    Raises
    ------
    ValueError
        If a forecast is NaN.
    """
    targets = course.roles.targets
    path = walk_forward(model, course.rows, [len(course.past) - 1], len(course.times), targets)[0]
    unknown = np.argwhere(np.isnan(path))
    if len(unknown):
        step, column = unknown[0]
        raise ValueError(
            f"model must predict numbers, got NaN at step {step + 1}, "
            f"{label_text(course.times[step])}, for {targets[column]!r}: fill the missing values "
            "in the last rows of history, or let the windower do it with fill_missing='forward'"
        )
    return path


def check_regressor(model: Any, name: str = "model") -> None:
    """Raise ValueError unless `model` is a regressor, or can predict and has no declared type."""
    if isinstance(model, type):
        raise ValueError(
            f"{name} must be a regressor, got the class {model.__name__}; create one of it, "
            f"{model.__name__}()"
        )
    if getattr(model, "refit", True) is False:
        raise ValueError(
            f"{name} must be fitted on all rows, got {type(model).__name__} with refit=False"
        )
    if not hasattr(model, "predict") or get_tags(model).estimator_type not in ("regressor", None):
        raise ValueError(f"{name} must be a regressor, got {type(model).__name__}")


def _check_frame(model: Any, history: Any, target: Any) -> pd.DataFrame:
    """Return the columns of the history that the model was fitted on, and the targets."""
    if np.ndim(history) not in (1, 2):
        raise ValueError(f"history must have one or two dimensions, got {np.ndim(history)}")
    frame = as_frame(history)
    times_of(frame, "history")
    refuse_laid_out(frame, "history")
    if frame.empty:
        raise ValueError(f"history must have at least one row and column, got shape {frame.shape}")
    if not frame.columns.is_unique:
        raise ValueError(
            f"history must have columns of different names, got {list(frame.columns)}"
        )
    if len(frame) < look_back(model):
        raise ValueError(
            f"history must have at least look_back={look_back(model)} rows, got {len(frame)}"
        )
    return columns_of_fit(model, frame, target)


def columns_of_fit(
    model: Any, frame: pd.DataFrame, target: Any, group: Sequence[Any] = ()
) -> pd.DataFrame:
    """Return the columns that a model was fitted on, and the targets.

    Raises
    ------
    ValueError
        If the history lacks a column, apart from those of `group`.
    """
    names = [name for name in getattr(model, "feature_names_in_", ()) if name not in group]
    if not names:
        return frame
    lacking = [name for name in names if name not in frame]
    if lacking:
        raise ValueError(
            f"history must be a DataFrame with the columns that the model was fitted on, {names}, "
            f"but lacks {lacking}"
        )
    others = [] if target is None else names_in("target", target, frame.columns, "history")
    return frame[names + [name for name in others if name not in names]]


def known_columns(model: Any, known: Any, future: Any, frame: pd.DataFrame, target: Any) -> Any:
    """Return the columns known ahead: those named, here or in fit, or else those of `future`."""
    known = known if known is not None else fitted_roles(model).get("known") or None
    if known is not None or future is None:
        return known
    columns = _as_future(future).columns
    strange = [name for name in columns if name not in frame]
    if strange:
        raise ValueError(
            f"future must hold columns of history, {list(frame.columns)}, got {strange}"
        )
    if target is None and len(columns) == len(frame.columns):
        raise ValueError(
            f"future must leave out what is to be forecast, got all of {list(columns)}"
        )
    targets = [] if target is None else names_in("target", target, frame.columns, "history")
    return [name for name in columns if name not in targets]


def n_until_unknown(frame: pd.DataFrame, targets: list[Any]) -> int:
    """Return the number of rows before the last ones, of which only other columns are known."""
    known = np.flatnonzero(frame[targets].notna().any(axis=1))
    return int(known[-1]) + 1 if len(known) else len(frame)


def _check_end(frame: pd.DataFrame, targets: Sequence[Any]) -> None:
    missing = frame.iloc[-1][targets].isna()
    if missing.any():
        raise ValueError(
            f"history must end with known values, got NaN in column {missing.idxmax()!r} of its "
            f"last row, {label_text(frame.index[-1])}; fill it, or end the history before it"
        )


def _as_future(future: Any) -> pd.DataFrame:
    if not hasattr(future, "columns") and not hasattr(future, "to_frame"):
        raise ValueError(f"future must be a DataFrame, got {type(future).__name__}")
    frame = as_frame(future)
    if not frame.columns.is_unique:
        raise ValueError(f"future must have columns of different names, got {list(frame.columns)}")
    return frame


def _values_ahead(
    future: Any, known: list[Any], past: pd.DataFrame, times: pd.Index, asked: str
) -> pd.DataFrame:
    """Return the columns known ahead of the rows to be predicted."""
    import pandas as pd

    if not known:
        return pd.DataFrame(index=times)
    frame = _as_future(future)
    lacking = [name for name in known if name not in frame]
    if lacking:
        raise ValueError(f"future must hold all columns known ahead, {known}, but lacks {lacking}")
    frame = _at_times(frame, known, past, times, asked)
    ahead = frame.loc[times, known]
    for name in known:
        if ahead[name].isna().any():
            raise ValueError(
                f"future must hold known values, got NaN in column {name!r} at "
                f"{label_text(ahead[name].isna().idxmax())}"
            )
        if pd.api.types.is_numeric_dtype(past[name]):
            try:
                ahead[name].astype(np.float64)
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"future must hold numbers in column {name!r}, as history does: {error}"
                ) from None
    warn_of_other_units(past[known], ahead)
    return ahead


def warn_of_other_units(past: pd.DataFrame, ahead: pd.DataFrame) -> None:
    """Warn if a column known ahead goes on far away from where it was."""
    import pandas as pd

    names = [name for name in past if pd.api.types.is_numeric_dtype(past[name])]
    before, after = (
        frame[names].to_numpy(dtype=np.float64, na_value=np.nan) for frame in (past, ahead)
    )
    for column in far_columns(after, before):
        there, here = after[:, column], before[:, column]
        warn(
            f"future has values from {np.nanmin(there):.4g} to {np.nanmax(there):.4g} in column "
            f"{names[column]!r}, far from those of history, from {np.nanmin(here):.4g} to "
            f"{np.nanmax(here):.4g}; both must be in the same units",
            SeriesWarning,
        )


def _at_times(
    frame: pd.DataFrame, known: list[Any], past: pd.DataFrame, times: pd.Index, asked: str
) -> pd.DataFrame:
    """Return the rows of `future` with their times, if it has a row for each time ahead."""
    if not len(frame):
        raise ValueError(
            f"future must hold the values of {known} for {len(times)} rows after the history"
        )
    if is_numbered_afresh(frame.index) and not _is_whole(frame, known, past):
        if len(frame) < len(times):
            raise ValueError(
                f"future must have {len(times)} rows for {asked}, got {len(frame)} of {known}"
            )
        if len(frame) > len(times) and not is_numbered_afresh(past.index):
            raise ValueError(
                f"future must have an index like that of history to choose from, or {len(times)} "
                f"rows, got {len(frame)} rows numbered from 0"
            )
        return frame.iloc[: len(times)].set_axis(times)
    if kind_of(frame.index) != kind_of(times):
        raise ValueError(
            f"future must be indexed by {kind_of(times)}, as history is, got "
            f"{kind_of(frame.index)}"
        )
    twice = frame.index[frame.index.duplicated()]
    if len(twice):
        raise ValueError(
            f"future must have one row for each time, got several for {label_text(twice[0])}"
        )
    absent = times[~times.isin(frame.index)]
    if len(absent):
        raise ValueError(
            f"future must have a row for each time from {label_text(times[0])} to "
            f"{label_text(times[-1])}, as {asked} requires, got none for {label_text(absent[0])}"
        )
    return frame


def _is_whole(frame: pd.DataFrame, known: list[Any], past: pd.DataFrame) -> bool:
    """Return whether rows numbered from 0 are the history and what follows it."""
    return is_numbered_afresh(past.index) and all(
        np.array_equal(frame[name].to_numpy()[: len(past)], past[name].to_numpy())
        for name in known
    )


def _lay_out(
    past: pd.DataFrame, ahead: pd.DataFrame, roles: Roles, horizon: int, n_rows: int
) -> pd.DataFrame:
    """Return the first rows of the history and what is known ahead, as models see them."""
    import pandas as pd

    # Rows that are not read, without which missing values would change the type of a column.
    beyond = ahead.iloc[[-1] * horizon]
    whole = pd.concat([past.astype(dict.fromkeys(roles.targets, np.float64)), ahead, beyond])
    rows = led(whole, roles, horizon).iloc[:n_rows].copy()
    for name in roles.known:  # as in fit, unless values ahead are of another type
        as_before = rows[name].astype(past.dtypes[name])
        if (as_before == rows[name]).all():
            rows[name] = as_before
    return rows
