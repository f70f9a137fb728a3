"""Forecasts over several steps from one or many origins, batched if possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstm.compositions.parts import carries_forward, reach
from skl_lstm.warn import silence

if TYPE_CHECKING:
    import pandas as pd


def walk_forward(
    model: Any,
    rows: pd.DataFrame,
    origins: ArrayLike,
    steps: int,
    targets: Sequence[Any],
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

    Returns
    -------
    paths : ndarray of shape (n_origins, steps, n_targets)
        The forecasts.

    Notes
    -----
    If the model looks back over a known number of rows, all origins take a step together: their
    last rows are stacked in one call of ``predict``, and the prediction for the last row of each
    does not depend on the rows above its windows.
    """
    origins = np.asarray(origins)
    n_rows = reach(model)
    if carries_forward(model) and _has_gaps(rows.iloc[: origins.max() + steps], origins, targets):
        n_rows = None
    if n_rows is not None and n_rows <= origins.min() + 1:
        return _walk(model, rows, origins, n_rows, steps, targets)
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
    import pandas as pd

    rows = rows.take((origins[:, np.newaxis] + np.arange(1 - n_known, steps + 1)).ravel())
    starts = np.arange(len(origins))[:, np.newaxis] * (n_known + steps)
    columns = rows.columns.get_indexer(pd.Index(targets))
    paths = np.empty((len(origins), steps, len(targets)))
    done = 0
    while done < steps:
        window = starts + np.arange(0 if growing else done, n_known + done)
        seen = rows.take(window.ravel())
        # Rows of several origins have no common index, and their windows need none.
        blocks = predict_blocks(model, seen if growing else seen.reset_index(drop=True), targets)
        block = blocks[window.shape[1] - 1 :: window.shape[1], : steps - done]
        until = done + block.shape[1]
        ahead = starts + n_known + np.arange(done, until)
        rows.iloc[ahead.ravel(), columns] = block.reshape(-1, len(targets))
        paths[:, done:until] = block
        done = until
    return paths


def predict_blocks(model: Any, rows: pd.DataFrame, targets: Sequence[Any]) -> NDArray[np.float64]:
    """Predict what follows each row, as an array of shape (n_rows, horizon, n_targets)."""
    return predict_outputs(model, rows).reshape(len(rows), -1, len(targets))


def predict_outputs(
    model: Any, rows: pd.DataFrame, n_predicted: int | None = None
) -> NDArray[np.float64]:
    """Predict what follows each row, as an array of shape (n_rows, n_outputs).

    `n_predicted` is the number of rows that the model predicts, if it is not that of `rows`.
    """
    with silence():
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
