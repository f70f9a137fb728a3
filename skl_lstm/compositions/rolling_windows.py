"""Models whose windows roll on by the rows that they are passed, for many origins at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.compositions.copies import copy_around_windower
from skl_lstm.compositions.parts import reach
from skl_lstm.windowing.windower import LookbackWindower

# What a windower does with rows: one window for each origin.
Task = Callable[[Any], NDArray]


class RollingWindows:
    """A fitted model that is passed only the new rows at each step, of one or many origins.

    A model that is passed the rows of its windows predicts after each of them, of which only the
    last prediction is wanted: `look_back` times the work.

    Parameters
    ----------
    model : fitted regressor
        A copy of the model, with `windowers` in the place of its own.
    windowers : list of _RollingWindower
        Its windowers.

    Notes
    -----
    Each method returns the model, set to what its next call of ``predict`` is to do.
    """

    def __init__(self, model: Any, windowers: list[_RollingWindower]) -> None:
        self.model = model
        self.windowers = windowers

    @classmethod
    def of(cls, model: Any) -> RollingWindows | None:
        """Return a copy of a fitted model, which shares what it learned.

        None if the model does not make windows once, or has another part that may look at other
        rows than its own.
        """
        windowers: list[_RollingWindower] = []

        def rolling(windower: LookbackWindower) -> _RollingWindower:
            windowers.append(_RollingWindower(windower))
            return windowers[-1]

        made = copy_around_windower(model, rolling, grouped=False)
        return None if made is None or reach(made) != 1 else cls(made, windowers)

    def beginning(self, origins: NDArray[np.intp]) -> Any:
        """Return the model to predict at origins, which are positions among the rows passed."""
        return self._set(lambda windower: partial(windower.begin, origins))

    def going_on(self) -> Any:
        """Return the model to predict after new rows, as many of each origin."""
        return self._set(lambda windower: windower.go_on)

    def _set(self, task: Callable[[_RollingWindower], Task]) -> Any:
        for windower in self.windowers:
            windower.transform = task(windower)
        return self.model


class _RollingWindower:
    """A windower that keeps one window for each origin."""

    transform: Task

    def __init__(self, windower: LookbackWindower) -> None:
        self.windower = windower
        for name in ("n_features_in_", "feature_names_in_"):  # which a pipeline asks of its first
            if hasattr(windower, name):
                setattr(self, name, getattr(windower, name))

    def begin(self, origins: NDArray[np.intp], X: Any) -> NDArray:
        """Keep the windows of rows that are origins."""
        self.windows = np.array(self.windower.transform(X)[origins], subok=True)
        return self.windows

    def go_on(self, X: Any) -> NDArray:
        """Append as many new rows to each window, and let go of the oldest."""
        width = self.windows.shape[1]
        new = np.asarray(X).reshape(len(self.windows), -1)
        self.windows[...] = np.concatenate([self.windows, new], axis=1)[:, -width:]
        return self.windows
