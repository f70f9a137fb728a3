"""The fits of a function that fits a model several times: side by side, under one bar."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from sklearn.utils.parallel import Parallel

from skl_lstm.training.progress import Progress


def run_parallel(
    tasks: Iterable[Any], total: int, n_jobs: int | None, verbose: int, what: str
) -> Iterator[Any]:
    """Run tasks with joblib, and show how many of them are done.

    Parameters
    ----------
    tasks : iterable
        Calls made with ``sklearn.utils.parallel.delayed``.
    total : int
        Number of tasks.
    n_jobs : int or None
        Number of tasks to run at once, as in joblib.
    verbose : {0, 1}
        0 prints nothing, 1 a bar on the standard error, apart from what the fits print.
    what : str
        What is counted, as in ``"Clone"``.

    Yields
    ------
    result : object
        Result of each task, in their order.
    """
    try:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    except ValueError:  # Ray and Spark return all results at once
        parallel = Parallel(n_jobs=n_jobs)
    bar = Progress(0, total, verbose, what, sys.stderr)
    try:
        for n_before, result in enumerate(parallel(tasks)):
            bar.update(n_before, {})
            yield result
    finally:
        bar.close()
