"""Whether the difference between the errors of two models may be chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

# Number of random changes of sign, if there are too many to try them all, and how many at once.
N_RESAMPLES = 9999
IN_MEMORY = 500

# Fewer differences cannot have a smaller probability than 1/4.
LEAST = 4

# Relative difference of sums that differ only by rounding.
ROUNDING = 1e-12


def overlapping(origins: pd.Index, ends: pd.Series) -> NDArray[np.intp]:
    """Return the same number for origins that overlap with the first of them.

    Parameters
    ----------
    origins : Index of length n
        From where is forecast, in order of time.
    ends : Series
        The last time that is forecast, by origin.
    """
    numbers: list[int] = []
    until = None
    for origin in origins:
        if until is None or origin >= until:
            until = ends[origin]
            numbers.append(numbers[-1] + 1 if numbers else 0)
        else:
            numbers.append(numbers[-1])
    return np.array(numbers)


def chance(differences: NDArray[np.float64]) -> float:
    """Return how often so large a mean comes about if the signs are random.

    Parameters
    ----------
    differences : ndarray of shape (n,)
        The differences, NaN where there is none.

    Returns
    -------
    p_value : float
        NaN if there are less than four, whose signs tell hardly anything, or an infinite one.

    Notes
    -----
    All changes of sign are tried if they are few, and drawn otherwise: Phipson, B. and Smyth,
    G. K. (2010), *Permutation P-values should never be zero*, Statistical Applications in
    Genetics and Molecular Biology 9 (1).
    """
    differences = differences[~np.isnan(differences)]
    n = len(differences)
    if n < LEAST or np.isinf(differences).any():
        return np.nan
    least = abs(differences.sum()) * (1.0 - ROUNDING)
    if 2**n <= N_RESAMPLES:
        bits = np.arange(2**n)[:, np.newaxis] >> np.arange(n) & 1
        return float(np.mean(np.abs((2 * bits - 1) @ differences) >= least))
    rng = np.random.default_rng(0)
    n_as_large = 1  # the signs that came
    for start in range(0, N_RESAMPLES, IN_MEMORY):
        n_drawn = min(IN_MEMORY, N_RESAMPLES - start)
        signs = 2 * rng.integers(0, 2, size=(n_drawn, n), dtype=np.int8) - 1
        n_as_large += int(np.count_nonzero(np.abs(signs @ differences) >= least))
    return n_as_large / (N_RESAMPLES + 1)
