"""The scale in which the errors of forecasts are measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skl_lstm.compositions.parts import target_transformer

# How exactly to find where the scale of a transformer ends, as a share of a residual.
HALVING_ENDS = 1e-9


class Scale(NamedTuple):
    """The scale of the residuals: maps paths of shape (…, steps, n_targets) there and back."""

    there: Callable[[NDArray], NDArray]
    back: Callable[[NDArray], NDArray]

    @classmethod
    def of(cls, model: Any, horizon: int) -> Scale:
        """Return the scale in which a model learns its target, or else that of the data."""
        transformer = target_transformer(model)
        if transformer is None:
            return cls(np.asarray, np.asarray)
        maps = (transformer.transform, transformer.inverse_transform)
        return cls(*(partial(_in_blocks, each, horizon) for each in maps))

    def relative(self, size: NDArray) -> Scale:
        """Return the scale in units of sizes that paths can be divided by."""
        return Scale(lambda paths: self.there(paths) / size, lambda paths: self.back(paths * size))

    def residuals(self, truth: NDArray, paths: NDArray) -> NDArray[np.float64]:
        """Return the errors of forecasts in the scale, NaN where they are not known."""
        return self.there(truth) - self.there(paths)

    def moved(self, forecasts: NDArray, distance: NDArray) -> NDArray[np.float64]:
        """Go a distance from forecasts, as far as the scale reaches.

        The square of a negative root would lead back up.
        """
        begin = self.there(forecasts)
        distance = np.broadcast_to(distance, begin.shape)

        def reaches(share: NDArray) -> NDArray:
            there = begin + share * distance
            return np.isclose(self.there(self.back(there)), there, rtol=1e-6, atol=1e-9)

        near, far = np.zeros(begin.shape), np.ones(begin.shape)
        near = np.where(reaches(far), far, near)
        while (far - near).max() > HALVING_ENDS:
            middle = (near + far) / 2
            inside = reaches(middle)
            near, far = np.where(inside, middle, near), np.where(inside, far, middle)
        return self.back(begin + near * distance)


def _in_blocks(
    function: Callable[[NDArray], NDArray], horizon: int, paths: NDArray
) -> NDArray[np.float64]:
    """Apply a transformer of y to paths, in blocks of the steps that a row of y holds."""
    *of, steps, n_targets = paths.shape
    beyond = [(0, 0)] * len(of) + [(0, -steps % horizon), (0, 0)]
    padded = np.pad(paths, beyond, mode="edge")
    rows = padded.reshape(-1, horizon * n_targets)
    known = ~np.isnan(rows).any(axis=1)
    mapped = np.full(rows.shape, np.nan)
    if known.any():
        mapped[known] = function(rows[known])
    return mapped.reshape(*of, -1, n_targets)[..., :steps, :]
