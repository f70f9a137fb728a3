"""One bar over the fits of a function that fits a model several times."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from skl_lstm.training.progress import Progress

Result = TypeVar("Result")


def progress(results: Iterable[Result], total: int, verbose: int, what: str) -> Iterator[Result]:
    """Pass results on as they come, and show how many of them have come.

    Parameters
    ----------
    results : iterable
        Results, such as a ``Parallel(return_as="generator")`` gives them.
    total : int
        Number of results to come.
    verbose : {0, 1}
        0 prints nothing, 1 a bar on the standard error, apart from what the fits print.
    what : str
        What is counted, as in ``"Clone"``.

    Yields
    ------
    result : object
        Each result, in order.
    """
    bar = Progress(0, total, verbose, what, sys.stderr)
    try:
        for n_before, result in enumerate(results):
            bar.update(n_before, {})
            yield result
    finally:
        bar.close()
