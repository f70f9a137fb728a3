"""Several quantiles of the same targets as the outputs of one network.

The outputs stand quantile by quantile, smallest first, and for each of them target by target, as
in y: ``outputs.reshape(n, n_quantiles, n_targets)``. So each quantile is laid out as y is.

They are learned freely, and sorted when predicted. Sorting keeps them from crossing, and never
increases their mean pinball loss (Chernozhukov, V., Fernández-Val, I. and Galichon, A., 2010,
*Quantile and probability curves without crossing*, Econometrica 78).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import is_number

MEDIAN = 0.5


def checked_quantiles(value: Any) -> tuple[float, ...]:
    """Return a quantile, or a sequence of them, as a tuple.

    Raises
    ------
    ValueError
        If `value` is neither a number in (0, 1) nor a sequence of such numbers, each larger than
        the one before it, among which is the median if they are several.
    """
    if not np.iterable(value):
        if not (is_number(value) and 0 < value < 1):
            raise ValueError(f"quantile must be a number in (0, 1), got {value!r}")
        return (float(value),)
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str):
        raise ValueError(f"quantile must be a number in (0, 1) or a list of them, got {value!r}")
    quantiles = list(value)
    if not (quantiles and all(is_number(each) and 0 < each < 1 for each in quantiles)):
        raise ValueError(f"quantile must hold numbers in (0, 1), got {value!r}")
    if not all(one < other for one, other in pairwise(quantiles)):
        raise ValueError(f"quantile must hold each number once, the smallest first, got {value!r}")
    if len(quantiles) > 1 and MEDIAN not in quantiles:
        raise ValueError(
            f"quantile must hold 0.5, the median, which is what predict returns, got {value!r}"
        )
    return tuple(float(each) for each in quantiles)


def in_order(outputs: NDArray, n_quantiles: int) -> NDArray:
    """Return outputs (n, n_outputs) as quantiles (n, n_quantiles, n_targets) that do not cross."""
    return np.sort(outputs.reshape(len(outputs), n_quantiles, -1), axis=1)


def place_of_median(quantiles: Sequence[float]) -> int:
    """Return which of the quantiles is predicted: the median, or else the only one."""
    return quantiles.index(MEDIAN) if len(quantiles) > 1 else 0


def predicted(outputs: NDArray, quantiles: Sequence[float]) -> NDArray:
    """Return what is predicted of outputs (n, n_outputs), as an array (n, n_targets).

    Parameters
    ----------
    outputs : ndarray of shape (n, n_outputs)
        Outputs of the network.
    quantiles : sequence of float
        The quantiles that it learned; outputs of one, or of none, are predicted as they are.
    """
    if len(quantiles) < 2:
        return outputs
    return in_order(outputs, len(quantiles))[:, place_of_median(quantiles)]
