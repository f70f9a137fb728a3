"""Tables of one network for many series."""

from __future__ import annotations

from tables.measured import (
    OURS,
    Measured,
    Sides,
    beside,
    median,
    smallest_bold,
    table,
    table_of_columns,
)


def panels(script: Measured) -> str:
    """Return the times and memory of one network for many series, by side."""
    names = {"fit": "fit", "predict": "forecast", "peak": "peak of the process"}
    names |= {"growth": "growth in the fit", "error": "error"}
    measures = next(iter(script.grouped().values()))
    sides = list(dict.fromkeys([*measures["fit"]["figures"], "neuralforecast", "darts"]))
    of_columns = {
        name: [beside(measures[measure], side) for side in sides]
        for measure, name in names.items()
    }
    return table_of_columns(sides, of_columns)


def large_panel(script: Measured) -> str:
    """Return the times and memory of a panel of thousands of series."""
    names = {
        "table": "the table itself",
        "growth": "memory above it",
        "fit": "one epoch",
        "predict": "forecast of all series, one step",
        "partition": "the same for a partition of 1,000 series",
    }
    _, (what, measures) = script.grouped().items()
    rows = [
        [name, median(measures[measure]["figures"][OURS], measures[measure]["unit"])]
        for measure, name in names.items()
    ]
    return table((what, OURS), rows)


def m4(script: Measured) -> str:
    """Return the measures of the competition by method."""
    of_columns = {}
    for part, measures in script.grouped().items():
        measures.pop("fit", None)
        frequency, _, _ = part.partition(",")
        for measure, result in measures.items():
            sides: Sides = result["figures"]
            of_columns[f"{frequency}: {measure}"] = _figures(sides)
    return table_of_columns(list(sides), of_columns)


def _figures(sides: Sides) -> list[str]:
    """Return the one figure of a side, the smallest of all in bold, or the range of several."""
    one = (runs[0] if runs and len(runs) == 1 else None for runs in sides.values())
    return [
        f"{min(runs):.3f} to {max(runs):.3f}" if runs and len(runs) > 1 else cell
        for runs, cell in zip(sides.values(), smallest_bold(one, ".3f"), strict=True)
    ]


def m4_times(script: Measured) -> str:
    """Return the median time of a fit of each method that learns, by frequency."""
    of_columns = {}
    for part, measures in script.grouped().items():
        times = {
            side: median(runs, "s")
            for side, runs in measures["fit"]["figures"].items()
            if "naive" not in side.lower()
        }
        frequency, _, _ = part.partition(",")
        of_columns[f"a fit, {frequency}"] = list(times.values())
    return table_of_columns(list(times), of_columns)
