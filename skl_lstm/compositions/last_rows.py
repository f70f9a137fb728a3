"""Models that predict only what follows the last row of each series, without its other windows."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn import get_config

from skl_lstm.windowing.grouped_windows import GroupedWindows
from skl_lstm.windowing.windower import LookbackWindower

# Fitted parts that pass on what another one predicts for each row.
PASSING_ON = ("best_estimator_", "regressor_")


def of_last_rows(model: Any) -> Any:
    """Return a model that predicts one row for each series in X, in the order of its last rows.

    Of the windows of `look_back` rows that lead to a forecast, only one is then predicted, which
    takes `look_back` times less time.

    Parameters
    ----------
    model : fitted regressor
        A Pipeline with a :class:`LookbackWindower` of several series, or a
        TransformedTargetRegressor, SeriesScaledRegressor, VotingRegressor or search around it.

    Returns
    -------
    last : fitted regressor or None
        A copy that shares what it learned; None if the model is of another kind.
    """
    from sklearn.pipeline import Pipeline  # late: slow to import

    if isinstance(model, Pipeline):
        places = [i for i, (_, step) in enumerate(model.steps) if _windows_groups(step)]
        if len(places) != 1:
            return None
        last = _marked(model)
        name, windower = model.steps[places[0]]
        last.steps = list(model.steps)
        last.steps[places[0]] = (name, _LastWindows(windower))
        return last
    package = type(model).__module__.partition(".")[0]
    if package == "sklearn" and type(model).__name__ == "VotingRegressor":
        parts = [of_last_rows(part) for part in model.estimators_]
        last = _marked(model)
        last.estimators_ = parts
        return None if any(part is None for part in parts) else last
    for attribute in PASSING_ON if package in ("sklearn", "skl_lstm") else ():
        if hasattr(model, attribute):
            part = of_last_rows(getattr(model, attribute))
            last = _marked(model)
            setattr(last, attribute, part)
            return None if part is None else last
    return None


def _windows_groups(step: Any) -> bool:
    """Return whether a step makes windows of several series, as they are."""
    return (
        type(step) is LookbackWindower
        and step.group is not None
        and not hasattr(step, "_sklearn_output_config")
        and get_config()["transform_output"] == "default"
    )


def _marked(model: Any) -> Any:
    last = copy.copy(model)
    last.only_last_rows = True
    return last


class _LastWindows:
    """A windower that returns only the windows of the last row of each series."""

    def __init__(self, windower: LookbackWindower) -> None:
        self.windower = windower

    def transform(self, X: Any) -> GroupedWindows:
        windower = copy.copy(self.windower)
        if windower.context == "fit":  # X has the rows before the last ones
            windower.context = "auto"
        windows: Any = windower.transform(X)
        return windows[np.flatnonzero(windows.rows_after() == 0)]
