"""The rows along which a forecast goes: the history, and what is known ahead of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skl_lstm.checks import check_integer
from skl_lstm.compositions.parts import fitted_targets, heads, look_back, reach
from skl_lstm.forecasting.walk import predict_outputs
from skl_lstm.warn import SeriesWarning, warn
from skl_lstm.windowing.alignment import FEW_ROWS, equal_column
from skl_lstm.windowing.calendar import following, label_text
from skl_lstm.windowing.columns import Roles, led, names_in
from skl_lstm.windowing.span import is_numbered_afresh, times_of
from skl_lstm.windowing.supervised import as_frame

if TYPE_CHECKING:
    import pandas as pd

# Number of rows from which one place in the history can be told from others by its values.
TELLING_ROWS = 4


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
    model: Any, history: Any, steps: int, target: Any, known: Any, future: Any, freq: Any
) -> Course:
    """Check the inputs of a forecast, which are those of :func:`forecast`, and lay them out."""
    check_integer("steps", steps)
    check_regressor(model)
    check_is_fitted(model)
    frame = _check_frame(model, history, target)
    roles, horizon = roles_in(model, frame, target, _known_columns(known, future, frame, target))
    if future is None:
        n_past = _n_until_unknown(frame, roles) if roles.known else len(frame)
        frame, future = frame.iloc[:n_past], frame.iloc[n_past:]
    _check_end(frame, roles.targets)
    if roles.past and steps > horizon:
        raise ValueError(
            f"steps must be at most {horizon}, the number of rows that the model predicts at "
            f"once, because {roles.past} are not known ahead, got {steps}; fit the model on "
            f"make_supervised(…, horizon={steps}), or name these columns in known"
        )
    warn_of_short_windows(model, roles, horizon)
    # The last prediction may cover more rows than are asked for, and looks as far ahead.
    n_ahead = -(-steps // horizon) * horizon
    times = following(frame.index, n_ahead, freq)
    asked = f"steps={steps}" + (f" in blocks of {horizon}" if horizon > 1 else "")
    ahead = _values_ahead(future, roles.known, frame, times, asked)
    rows = _lay_out(frame, ahead, roles, horizon, len(frame) + steps)
    _check_fitted_rows(model, rows, len(frame), roles)
    _warn_if_repeated(model, rows.iloc[: len(frame)], roles.targets)
    return Course(rows, times[:steps], roles, horizon)


def check_regressor(model: Any) -> None:
    """Raise ValueError unless `model` is a regressor, or can predict and has no declared type."""
    if not hasattr(model, "predict") or get_tags(model).estimator_type not in ("regressor", None):
        raise ValueError(f"model must be a regressor, got {type(model).__name__}")


def _check_frame(model: Any, history: Any, target: Any) -> pd.DataFrame:
    """Return the columns of the history that the model was fitted on, and the targets."""
    if np.ndim(history) not in (1, 2):
        raise ValueError(f"history must have one or two dimensions, got {np.ndim(history)}")
    frame = as_frame(history)
    times_of(frame, "history")
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
    names = list(getattr(model, "feature_names_in_", ()))
    if not names:
        return frame
    lacking = [name for name in names if name not in frame]
    if lacking:
        raise ValueError(
            f"history must have the columns that the model was fitted on, {names}, but lacks "
            f"{lacking}"
        )
    others = [] if target is None else names_in("target", target, frame.columns, "history")
    return frame[names + [name for name in others if name not in names]]


def _known_columns(known: Any, future: Any, frame: pd.DataFrame, target: Any) -> Any:
    """Return the columns known ahead: those named, or else those of `future`."""
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


def roles_in(
    model: Any, frame: pd.DataFrame, target: Any, known: Any, name: str = "history"
) -> tuple[Roles, int]:
    """Return the roles of the columns, and the number of rows that a model predicts at once.

    Raises
    ------
    ValueError
        If the outputs of the model do not fit the targets, or `target` is None and what it
        predicts can be read in two ways.
    """
    roles = Roles.of(frame.columns, target, known, name)
    told = fitted_targets(model)
    told = told if told is not None and set(told) <= set(frame.columns) else None
    if target is None and told is not None and not set(told) & set(roles.known):
        roles = Roles.of(frame.columns, told, known, name)
    elif told is not None and told != roles.targets:
        raise ValueError(
            f"target must be {told}, which the model was fitted to predict, got {roles.targets}"
        )
    sample = _sample(model, frame)[roles.order(frame.columns)]
    n_outputs = _predict_sample(model, sample).shape[1]
    if target is None and told is None and len(roles.targets) > 1:
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


def _sample(model: Any, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the last rows without missing values, as many as a window and some more."""
    n_rows = look_back(model) - 1 + FEW_ROWS
    complete = frame.tail(10 * n_rows).dropna()
    if len(complete) < look_back(model):
        complete = frame.dropna()
    return (complete if len(complete) else frame).tail(n_rows)


def _predict_sample(model: Any, sample: pd.DataFrame) -> NDArray:
    # With dates only for parts that may read them: the rows need not follow each other.
    return predict_outputs(
        model, sample if reach(model) is None else sample.reset_index(drop=True)
    )


def _warn_if_repeated(model: Any, past: pd.DataFrame, targets: list[Any]) -> None:
    """Warn if a model predicts for each row what stands in it."""
    sample = _sample(model, past)
    outputs = _predict_sample(model, sample)
    complete = slice(look_back(model) - 1, None)
    column = equal_column(outputs[complete], sample[targets].to_numpy(np.float64)[complete])
    if column is not None:
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


def _n_until_unknown(frame: pd.DataFrame, roles: Roles) -> int:
    """Return the number of rows before the last ones, of which only other columns are known."""
    known = np.flatnonzero(frame[roles.targets].notna().any(axis=1))
    return int(known[-1]) + 1 if len(known) else len(frame)


def _check_end(frame: pd.DataFrame, targets: Sequence[Any]) -> None:
    missing = frame.iloc[-1][targets].isna()
    if missing.any():
        raise ValueError(
            f"history must end with known values, got NaN in column {missing.idxmax()!r} of its "
            f"last row, {label_text(frame.index[-1])}"
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
    if is_numbered_afresh(frame.index):
        if len(frame) < len(times):
            raise ValueError(
                f"future must have {len(times)} rows for {asked}, got {len(frame)} of {known}"
            )
        frame = frame.iloc[: len(times)].set_axis(times)
    absent = times[~times.isin(frame.index)]
    if len(absent) or not frame.index.is_unique:
        raise ValueError(
            f"future must have one row for each time from {label_text(times[0])} to "
            f"{label_text(times[-1])}, got {len(frame)} rows without "
            f"{label_text(absent[0]) if len(absent) else 'different times'}"
        )
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
    return ahead


def _lay_out(
    past: pd.DataFrame, ahead: pd.DataFrame, roles: Roles, horizon: int, n_rows: int
) -> pd.DataFrame:
    """Return the first rows of the history and what is known ahead, as models see them."""
    import pandas as pd

    # Rows that are not read, without which missing values would change the type of a column.
    beyond = ahead.iloc[[-1] * horizon]
    whole = pd.concat([past.astype(dict.fromkeys(roles.targets, np.float64)), ahead, beyond])
    rows = led(whole, roles, horizon).iloc[:n_rows]
    return rows.astype({name: past.dtypes[name] for name in roles.known})


def _check_fitted_rows(model: Any, rows: pd.DataFrame, n_past: int, roles: Roles) -> None:
    """Raise ValueError if the model was fitted on rows of this history, but laid out otherwise.

    A windower keeps the first rows that it was fitted on. Where they are found in the history by
    the targets, the other columns must agree as well.
    """
    others = [name for name in rows.columns if name not in roles.targets]
    names = list(getattr(model, "feature_names_in_", rows.columns))
    if not others or not set(roles.targets) <= set(names):
        return
    for head in heads(model):
        if head.shape[1] != len(names) or len(head) < TELLING_ROWS:
            continue
        values = rows[names].iloc[:n_past]
        numeric = [name for name in names if np.issubdtype(values.dtypes[name], np.number)]
        places = _places(
            values[roles.targets].to_numpy(np.float64),
            head[:, [names.index(name) for name in roles.targets]],
        )
        if len(places) != 1:
            continue
        for name in others:
            if name not in numeric:
                continue
            seen = head[:, names.index(name)]
            given = values[name].to_numpy(np.float64)[places[0] : places[0] + len(head)]
            # A column that a part of the model scales holds none of its own values.
            own = np.isin(seen, values[name].to_numpy(np.float64)).any()
            if own and not np.allclose(seen, given, equal_nan=True):
                raise ValueError(
                    f"model must be fitted on rows laid out like make_supervised(history, "
                    f"target={roles.targets}, known={roles.known}), but in the rows that it was "
                    f"fitted on, {name!r} does not stand where it does there"
                )


def _places(series: NDArray, head: NDArray) -> NDArray[np.intp]:
    """Return where a few rows occur in a series."""
    n_places = len(series) - len(head) + 1
    found = np.arange(max(n_places, 0))
    for i, row in enumerate(head):
        found = found[np.isclose(series[found + i], row, rtol=1e-9, equal_nan=True).all(axis=1)]
    return found
