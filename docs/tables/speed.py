"""Tables of time and memory, from the JSON of the benchmarks."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from tables.measured import OURS, SPACE, Measured, beside, median, quantity, table, with_range

# How sides of a result are named that do more than the others.
WHOLE = ", whole pipeline"


def compared(*scripts: Measured) -> str:
    """Return a row for each result: the median of skl_lstm, and those of the others."""
    rows = []
    for script in scripts:
        for result in (each for mixed in script.results for each in _whole_apart(mixed)):
            ours = result["figures"].get(OURS)
            told = median(ours, result["unit"]) if ours else ""
            others = [f"{s} {beside(result, s)}" for s in result["figures"] if s != OURS]
            rows.append([f"{result['what']}<br>`{script.name}.py`", told, "<br>".join(others)])
    return table(("measurement", OURS, "compared with"), rows)


def _whole_apart(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a result, and as one of their own its whole pipelines, as multiples of ours."""
    figures = result["figures"]
    wholes = {side.removesuffix(WHOLE): runs for side, runs in figures.items() if WHOLE in side}
    ours = wholes.get(OURS)
    if not ours:
        yield result
        return
    yield result | {"figures": {side: runs for side, runs in figures.items() if WHOLE not in side}}
    ratios = {
        side: statistics.median(runs) / statistics.median(ours)
        for side, runs in wholes.items()
        if runs and side != OURS
    }
    yield result | {"what": result["what"] + WHOLE, "figures": wholes, "ratios": ratios}


def epochs(script: Measured) -> str:
    """Return the times of an epoch by size."""
    sides = list(script.sides("one epoch"))
    sides.sort(key=lambda side: side != OURS)  # ours is first
    rows = [
        [size, *(_multiple(result, side) for side in sides)]
        for size, result in _by_size(script, "one epoch").items()
    ]
    return table(("size", *(side.removeprefix(f"{OURS}, ") for side in sides)), rows)


def shares(script: Measured) -> str:
    """Return the shares of sgemm's speed by size."""
    sides = (OURS, "PyTorch")
    rows = [
        [size, *(median(result["figures"][side], "%") for side in sides)]
        for size, result in _by_size(script, "share of sgemm's speed").items()
    ]
    return table(("share of sgemm's speed at", *sides), rows)


def _by_size(script: Measured, chosen: str) -> dict[str, dict[str, Any]]:
    found = {}
    for result in script.results:
        what, _, size = result["what"].partition(" at ")
        if what == chosen:
            found[size.replace(" ", SPACE)] = result
    return found


def _multiple(result: dict[str, Any], side: str) -> str:
    """Return the multiple of skl_lstm's figure, or its own figure."""
    if side != OURS and result["figures"].get(side):
        return quantity(result["ratios"][side], "x")
    return median(result["figures"].get(side), result["unit"])


def memory(script: Measured) -> str:
    """Return the memory of windows: absolute, relative to the series, and the time."""
    rows = []
    for what, measures in script.grouped().items():
        cells = [median(each["figures"][OURS], each["unit"]) for each in measures.values()]
        _, _, matrix = next(iter(measures)).partition("(a matrix: ")
        rows.append([what, *cells, matrix.removesuffix(")")])
    relative = "relative to the series or file"
    return table(("", "memory", relative, "time", "all windows as a matrix"), rows)


def backtests(script: Measured) -> str:
    """Return the times of backtests beside those of skl_lstm, and their errors."""
    rows = []
    for what, measures in script.grouped().items():
        *times, errors = measures.values()
        for side, runs in errors["figures"].items():
            cells = [beside(each, side) if side in each["figures"] else "" for each in times]
            rows.append([what, side, *cells, with_range(runs)])
            what = ""
    return table(("", "side", "in all", "fit", "forecasts", "mean absolute error"), rows)
