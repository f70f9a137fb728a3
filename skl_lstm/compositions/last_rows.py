"""Models that predict only what follows the last row of each series, without its other windows."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from skl_lstm.compositions.copies import copy_around_windower
from skl_lstm.windowing.grouped_windows import GroupedWindows
from skl_lstm.windowing.windower import LookbackWindower


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
    return copy_around_windower(model, _LastWindows, grouped=True)


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
