"""The fits of a function that fits a model several times: side by side, under one bar."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from sklearn.utils.parallel import Parallel, delayed

from skl_lstm.training.progress import Progress


def run_parallel(
    calls: Iterable[tuple], total: int, n_jobs: int | None, verbose: int, what: str
) -> Iterator[Any]:
    """Call functions side by side, and show how many calls are done.

    Parameters
    ----------
    calls : iterable of tuple
        Function and arguments of each call.
    total : int
        Number of calls.
    n_jobs : int or None
        Number of calls at once, as in joblib.
    verbose : {0, 1}
        0 prints nothing, 1 a bar on the standard error, apart from what the fits print.
    what : str
        What is counted, as in ``"Clone"``.

    Yields
    ------
    result : object
        Result of each call, in their order.
    """
    try:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    except ValueError:  # Ray and Spark return all results at once
        parallel = Parallel(n_jobs=n_jobs)
    bar = Progress(0, total, verbose, what, sys.stderr)
    try:
        for n_before, result in enumerate(parallel(delayed(_run)(call) for call in calls)):
            bar.update(n_before, {})
            yield result
    finally:
        bar.close()


def _run(call: tuple) -> Any:
    """Call a function; as one tuple, arguments travel with the task.

    joblib puts each large argument on one of Dask's workers, and the task is lost with the worker.
    """
    function, *arguments = call
    return function(*arguments)
