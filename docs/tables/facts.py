"""Figures that the text of a page names."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from tables.measured import MISSING, OURS, Measured, median, quantity


def figure(what: str, side: str = OURS) -> Callable[[Measured], str]:
    """Return the function for a median."""
    return lambda script: median(script.sides(what).get(side), script.result(what)["unit"])


def ratio(what: str, one: str, other: str) -> Callable[[Measured], str]:
    """Return the function for the median of one side as a multiple of that of another."""

    def multiple(script: Measured) -> str:
        runs = [script.sides(what).get(side) for side in (one, other)]
        if not all(runs):
            return MISSING
        return quantity(statistics.median(runs[0]) / statistics.median(runs[1]), "x")

    return multiple
