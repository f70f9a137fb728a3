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
        runs = script.installed(what)
        if one not in runs or other not in runs:
            return MISSING
        return quantity(statistics.median(runs[one]) / statistics.median(runs[other]), "x")

    return multiple
