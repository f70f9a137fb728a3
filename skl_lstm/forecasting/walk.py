"""Forecasts over several steps from one or many origins, batched if possible."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstm.compositions.carried_state import CarriedState
from skl_lstm.compositions.parts import carries_forward, reach
from skl_lstm.compositions.rolling_windows import RollingWindows
from skl_lstm.warn import silence

if TYPE_CHECKING:
    import pandas as pd


def walk_forward(
    model: Any,
    rows: pd.DataFrame,
    origins: ArrayLike,
    steps: int,
    targets: Sequence[Any],
    *,
    after_fit: bool = False,
) -> NDArray[np.float64]:
    """Forecast from each origin as if the rows after it were not known.

    Parameters
    ----------
    model : fitted regressor
        Predicts the `targets` of the row, or of several rows, after a row.
    rows : DataFrame of shape (n, n_columns)
        What models see. Of the rows after an origin, only the columns that are not targets are
        read.
    origins : array-like of int of shape (n_origins,)
        Positions of the last known rows, each with `steps` rows after it.
    steps : int
        Number of rows to forecast from each origin.
    targets : sequence
        Names of the columns that the model predicts.
    after_fit : bool, default=False
        Whether the rows before the first one may be those that the model was fitted on, into
        which windows then reach back.

    Returns
    -------
    paths : ndarray of shape (n_origins, steps, n_targets)
        The forecasts.

    Notes
    -----
    If the model looks back over a known number of rows, all origins take a step together: their
    last rows are stacked in one call of ``predict``, and the prediction for the last row of each
    does not depend on the rows above its windows. If it makes windows once, these roll on, so
    that each step takes the new rows alone. A stateful network reads each row once, and
    goes on from its state at each origin. Any other model receives all known rows at each step.
    """
    origins = np.asarray(origins)
    n_rows = reach(model)
    if carries_forward(model) and _has_gaps(rows.iloc[: origins.max() + steps], origins, targets):
        n_rows = None
    enough = n_rows is not None and n_rows <= origins.min() + 1
    rolling = RollingWindows.of(model) if enough or (after_fit and n_rows is not None) else None
    if rolling is not None:
        return _roll_on(rolling, rows, origins, None if after_fit else n_rows, steps, targets)
    if after_fit:
        return replay(model, rows, origins, steps, targets)
    if n_rows is not None and enough:
        return _walk(model, rows, origins, n_rows, steps, targets)
    carried = CarriedState.of(model) if n_rows is None else None
    if carried is not None and carried.reach <= origins.min() + 1:
        return _walk_on(model, carried, rows, origins, steps, targets)
    return replay(model, rows, origins, steps, targets)


def replay(
    model: Any,
    rows: pd.DataFrame,
    origins: NDArray[np.intp],
    steps: int,
    targets: Sequence[Any],
) -> NDArray[np.float64]:
    """Forecast from one origin after the other, with all known rows at each step."""
    one_by_one = origins[:, np.newaxis]
    return np.concatenate(
        [_walk(model, rows, o, o[0] + 1, steps, targets, growing=True) for o in one_by_one]
    )


def _has_gaps(rows: pd.DataFrame, origins: NDArray[np.intp], targets: Sequence[Any]) -> bool:
    """Return whether a value is missing that is not yet to be forecast."""
    others = [name for name in rows.columns if name not in targets]
    known = rows[list(targets)].iloc[: origins.max() + 1]
    return bool(known.isna().any(axis=None) or rows[others].isna().any(axis=None))


def _walk(
    model: Any,
    rows: pd.DataFrame,
    origins: NDArray[np.intp],
    n_known: int,
    steps: int,
    targets: Sequence[Any],
    growing: bool = False,
) -> NDArray[np.float64]:
    """Forecast from all origins in parallel, each with the last `n_known` rows that it knows.

    At each step the model receives the same number of rows per origin or, if `growing`, all
    known rows.
    """
    ahead = _Ahead(rows, origins, n_known, steps, targets)
    while ahead.done < steps:
        n_rows = n_known + ahead.done if growing else n_known
        blocks = predict_blocks(model, ahead.known(n_rows, with_times=growing), targets)
        ahead.append(blocks[n_rows - 1 :: n_rows])
    return ahead.paths


def _roll_on(
    rolling: RollingWindows,
    rows: pd.DataFrame,
    origins: NDArray[np.intp],
    n_known: int | None,
    steps: int,
    targets: Sequence[Any],
) -> NDArray[np.float64]:
    """Forecast from all origins in parallel, with windows that roll on.

    They begin with the last `n_known` rows of each origin or, if None, with all rows together.
    """
    n_origins = len(origins)
    ahead = _Ahead(rows, origins, n_known or 1, steps, targets)
    if n_known is None:
        first, places = rows.iloc[: origins.max() + 1], origins
    else:
        first, places = ahead.known(n_known), n_known * np.arange(1, n_origins + 1) - 1
    begin = rolling.beginning(places)
    ahead.append(predict_outputs(begin, first, n_origins, silent=n_known is not None))
    while ahead.done < steps:
        ahead.append(predict_outputs(rolling.going_on(), ahead.known(ahead.n_new), n_origins))
    return ahead.paths


def _walk_on(
    model: Any,
    carried: CarriedState,
    rows: pd.DataFrame,
    origins: NDArray[np.intp],
    steps: int,
    targets: Sequence[Any],
) -> NDArray[np.float64]:
    """Forecast from all origins in parallel, with only the new rows at each step.

    Where rows that were read look otherwise in the end, all of them count at each step.
    """
    ahead = _Ahead(rows, origins, carried.reach, steps, targets)
    past = rows.take(np.arange(origins.max() + 1))
    ahead.append(predict_outputs(carried.beginning(origins), past, len(origins)))
    while ahead.done < steps:
        new = ahead.known(carried.reach - 1 + ahead.n_new)
        ahead.append(predict_outputs(carried.going_on(ahead.n_new), new, len(origins)))
    changed, n_read = [], steps - ahead.n_new
    for number, origin in enumerate(origins):
        read = rows.take(np.arange(origin + 1 + n_read))
        read.iloc[origin + 1 :, ahead.columns] = ahead.paths[number, :n_read]
        predict_outputs(carried.comparing(number), read, 1)
        if not carried.agrees:
            changed.append(number)
    if changed:
        ahead.paths[changed] = replay(model, rows, origins[changed], steps, targets)
    return ahead.paths


class _Ahead:
    """The rows around each origin, in which the forecasts take their places.

    Parameters
    ----------
    rows, origins, steps, targets
        As in :func:`walk_forward`.
    n_known : int
        Number of known rows of each origin.

    Attributes
    ----------
    paths : ndarray of shape (n_origins, steps, n_targets)
        The forecasts.
    done : int
        Number of steps that have been forecast.
    n_new : int
        Number of them that were the last to be.
    """

    def __init__(
        self,
        rows: pd.DataFrame,
        origins: NDArray[np.intp],
        n_known: int,
        steps: int,
        targets: Sequence[Any],
    ) -> None:
        import pandas as pd

        places = origins[:, np.newaxis] + np.arange(1 - n_known, steps + 1)
        self.rows = rows.take(places.ravel())
        # A frame of rows of an array is made faster than it is taken out of another frame.
        numbers = bool((rows.dtypes == np.float64).all())
        self.values = self.rows.to_numpy().T.copy() if numbers else None
        self.firsts = np.arange(len(origins))[:, np.newaxis] * (n_known + steps) + n_known
        self.columns = rows.columns.get_indexer(pd.Index(targets))
        self.paths = np.empty((len(origins), steps, len(targets)))
        self.done = self.n_new = 0

    def known(self, n_rows: int, *, with_times: bool = False) -> pd.DataFrame:
        """Return the last rows known so far, those of each origin below each other.

        Rows of several origins have no common index, and their windows need none.
        """
        import pandas as pd

        places = (self.firsts + np.arange(self.done - n_rows, self.done)).ravel()
        if self.values is None:
            seen = self.rows.take(places)
            return seen if with_times else seen.reset_index(drop=True)
        times = self.rows.index.take(places) if with_times else None
        return pd.DataFrame(self.values[:, places].T, index=times, columns=self.rows.columns)

    def append(self, outputs: NDArray[np.float64]) -> None:
        """Put the next rows of each origin, of shape (n_origins, ...), in place."""
        blocks = outputs.reshape(len(self.paths), -1, len(self.columns))
        blocks = blocks[:, : self.paths.shape[1] - self.done]
        self.n_new = blocks.shape[1]
        until = self.done + self.n_new
        places = (self.firsts + np.arange(self.done, until)).ravel()
        values = blocks.reshape(-1, len(self.columns))
        if self.values is None:
            self.rows.iloc[places, self.columns] = values
        else:
            self.values[self.columns[:, np.newaxis], places] = values.T
        self.paths[:, self.done : until] = blocks
        self.done = until


def predict_blocks(model: Any, rows: pd.DataFrame, targets: Sequence[Any]) -> NDArray[np.float64]:
    """Predict what follows each row, as an array of shape (n_rows, horizon, n_targets)."""
    return predict_outputs(model, rows).reshape(len(rows), -1, len(targets))


def predict_outputs(
    model: Any, rows: pd.DataFrame, n_predicted: int | None = None, *, silent: bool = True
) -> NDArray[np.float64]:
    """Predict what follows each row, as an array of shape (n_rows, n_outputs).

    `n_predicted` is the number of rows that the model predicts, if it is not that of `rows`.
    Warnings are silent, as the user did not choose these rows, unless they are the user's.
    """
    with silence() if silent else nullcontext():
        outputs = np.asarray(model.predict(model_input(model, rows)), dtype=np.float64)
    return outputs.reshape(len(rows) if n_predicted is None else n_predicted, -1)


def model_input(model: Any, rows: pd.DataFrame) -> pd.DataFrame | NDArray:
    """Return the columns that a model was fitted on, without names if it was fitted without."""
    if not hasattr(model, "feature_names_in_"):
        return rows.to_numpy() if hasattr(model, "n_features_in_") else rows
    names = model_columns(model, rows)
    return rows if list(rows.columns) == names else rows[names]


def model_columns(model: Any, rows: pd.DataFrame) -> list[Any]:
    """Return the names of the columns that a model receives, in their order."""
    return list(getattr(model, "feature_names_in_", rows.columns))
