"""What a benchmark measured, read from its JSON, and how its figures are written in a table."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS = "skl_lstm"
MISSING = "not installed"
SPACE = "\N{NO-BREAK SPACE}"  # between a figure and what belongs to it

# The runs of each side; None is a side that was not installed.
Sides = dict[str, "list[float] | None"]


@dataclass(frozen=True)
class Measured:
    """What one script measured.

    Parameters
    ----------
    name : str
        Name of the script.
    machine : mapping of str to str
        Processor, cores, system, Python and packages.
    results : list of dict
        What was measured, its unit, and the runs of each side.
    """

    name: str
    machine: Mapping[str, str]
    results: list[dict[str, Any]]

    def sides(self, what: str) -> Sides:
        """Return the runs of each side in the result whose name begins with `what`."""
        return self.result(what)["figures"]

    def installed(self, what: str) -> dict[str, list[float]]:
        """Return the runs of the sides that were installed."""
        return {side: runs for side, runs in self.sides(what).items() if runs}

    def result(self, what: str) -> dict[str, Any]:
        """Return the first result whose name begins with `what`."""
        for result in self.results:
            if result["what"].startswith(what):
                return result
        raise KeyError(f"{self.name}.json has no result {what!r}")

    def grouped(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the results named "what: measure" by what and by measure."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for result in self.results:
            what, _, measure = result["what"].partition(": ")
            found.setdefault(what, {})[measure] = result
        return found


def read(file: Path, command: str) -> Measured:
    """Return what `command` measured and wrote to the file."""
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing; make it with: {command}")
    found = json.loads(file.read_text(encoding="utf-8"))
    if found["quick"]:
        raise ValueError(f"{file} is of a quick run, which tells nothing; make it with: {command}")
    return Measured(file.stem, found["machine"], found["results"])


def short(value: float) -> str:
    """Return two digits of a number below 100, and the whole of a larger one."""
    if not value:
        return "0"
    rounded = abs(float(f"{value:.2g}"))  # 0.996 has the digits of 1.0
    digits = max(0, 1 - math.floor(math.log10(rounded)))
    return f"{value:,.{digits}f}"


def quantity(value: float, unit: str) -> str:
    """Return a number with its unit."""
    if unit == "x":
        return f"{short(value)}x"
    if unit == "%":
        return f"{value:.0f}{SPACE}%"
    if unit == "s" and abs(value) < 0.1:
        value, unit = (value * 1e3, "ms") if abs(value) >= 1e-4 else (value * 1e6, "µs")
    return f"{short(value)}{SPACE}{unit}"


def median(runs: list[float] | None, unit: str) -> str:
    """Return the median with its unit."""
    return quantity(statistics.median(runs), unit) if runs else MISSING


def beside(result: dict[str, Any], side: str) -> str:
    """Return the multiple of skl_lstm's figure, if they are related, and the figure."""
    own = median(result["figures"].get(side), result["unit"])
    ratio = result.get("ratios", {}).get(side)
    return own if ratio is None else f"{short(ratio)}x{SPACE}({own})"


def with_range(runs: list[float] | None) -> str:
    """Return the median, the smallest and the largest."""
    if not runs:
        return MISSING
    middle = f"{statistics.median(runs):.2f}"
    return middle if len(runs) == 1 else f"{middle} ({min(runs):.2f} to {max(runs):.2f})"


def with_spread(runs: list[float] | None) -> str:
    """Return the mean and the standard deviation, to two digits of the latter."""
    if not runs:
        return MISSING
    mean, spread = statistics.fmean(runs), statistics.stdev(runs) if len(runs) > 1 else 0.0
    if not spread:
        return f"{mean:.4g}"
    digits = max(0, 1 - math.floor(math.log10(spread)))
    return f"{mean:.{digits}f}{SPACE}±{SPACE}{spread:.{digits}f}"


def smallest_bold(values: Iterable[float | None], form: str) -> list[str]:
    """Return figures, the smallest one in bold; None is a side that was not installed."""
    values = list(values)
    least = min((value for value in values if value is not None), default=None)
    cells = []
    for value in values:
        cell = MISSING if value is None else f"{value:{form}}"
        cells.append(f"**{cell}**" if value == least and value is not None else cell)
    return cells


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
    return text.replace("__", r"\_\_")  # the name of a method, and not bold


def table_of_columns(names: list[str], of_columns: Mapping[str, list[str]]) -> str:
    """Return a table of a first column of names and of further columns."""
    return table(("", *of_columns), zip(names, *of_columns.values(), strict=True))
