"""How many threads this process may use."""

from __future__ import annotations

import os

import joblib

# Worker processes of joblib and Dask get these, so that they do not use all cores each.
VARIABLES = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")


def available_threads() -> int:
    """Return the number of threads that this process may use.

    Returns
    -------
    n_threads : int
        The number of cores, given affinity and containers, or what a variable of the environment
        allows, whichever is smallest. The environment is read at each call.
    """
    limits = [_limit(os.environ.get(name, "")) for name in VARIABLES]
    return min([joblib.cpu_count(), *filter(None, limits)])


def _limit(text: str) -> int:
    """Read the first number of a list, one for each level of nesting; 0 if there is none."""
    try:
        return max(int(text.partition(",")[0]), 0)
    except ValueError:
        return 0
