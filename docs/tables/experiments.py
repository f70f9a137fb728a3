"""Tables of the published experiments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tables.measured import MISSING, OURS, Measured, quantity, table, with_spread

KERAS, HONEST = "plain Keras", f"{OURS}, no leaks"
SECONDS = "seconds in total"


def experiments(script: Measured) -> str:
    """Return the published figures beside those of plain Keras and skl_lstm."""
    rows = []
    for name, measures in script.grouped().items():
        for measure, result in measures.items():
            if measure != SECONDS:
                published, apart = result["published"], result["apart"]
                cells = ["" if published is None else f"{published:.4g}"]
                cells += [with_spread(result["figures"].get(side)) for side in (KERAS, OURS)]
                cells += ["" if apart is None else f"{apart:.2f}"]
                rows.append([name, measure, *cells])
                name = ""
    return table(("experiment", "figure", "published", KERAS, OURS, "apart"), rows)


def without_leaks(script: Measured) -> str:
    """Return the errors of the airline experiments in the honest protocol."""
    chosen = _airline(script)
    rows = [
        [figure, *(with_spread(each[figure]["figures"][HONEST]) for each in chosen.values())]
        for figure in ("RMSE train", "RMSE test")
    ]
    return table(("", *(name.partition(" ")[0] for name in chosen)), rows)


def _airline(script: Measured) -> dict[str, dict[str, dict[str, Any]]]:
    return {
        name: measures
        for name, measures in script.grouped().items()
        if HONEST in measures[SECONDS]["figures"]
    }


def seconds_of(side: str) -> Callable[[Measured], str]:
    """Return the function for the time of the airline experiments, all seeds."""

    def total(script: Measured) -> str:
        runs = [each[SECONDS]["figures"].get(side) for each in _airline(script).values()]
        return quantity(sum(map(sum, runs)), "s") if all(runs) else MISSING

    return total


def within_one_deviation(script: Measured) -> str:
    """Return how many means of skl_lstm are within one standard deviation of plain Keras's."""
    apart = [each["apart"] for each in script.results if each["apart"] is not None]
    return f"{sum(distance <= 1 for distance in apart)} of {len(apart)}"
