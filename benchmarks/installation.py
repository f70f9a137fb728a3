"""An installation: the size of its packages and the time of the demonstration.

How much disk space do the packages take that the core needs, and those of the extras `plot` and
`keras`? Sizes are those of the packages that are installed here, as their metadata list them, with
the bytecode that pip compiles. How long does ``python -m skl_lstm`` take in a new process, with
its search and its pictures: the first time on a machine, when the training kernel is compiled, and
later? Downloads are not part of either.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from _harness import OURS, Report, alternate, arguments, installed, seconds
from packaging.requirements import Requirement

PACKAGE = "skl-lstm"
WITH_PICTURES = f"{OURS}[plot]"
SIDES = {OURS: "", WITH_PICTURES: "plot", f"{OURS}[keras]": "keras"}
N_LARGEST = 6


def packages_of(name: str, extra: str) -> dict[str, Distribution]:
    """Return a package with one of its extras, and all that it needs, by name."""
    found: dict[str, Distribution] = {}
    waiting = [(name, extra)]
    seen = set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        package = distribution(name)
        found[package.metadata["Name"].lower()] = package
        for needed in _needed(package, extra):
            waiting += [(needed.name, of_needed) for of_needed in {"", *needed.extras}]
    return found


def _needed(package: Distribution, extra: str) -> Iterator[Requirement]:
    for text in package.requires or []:
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": extra}):
            yield needed


def megabytes(package: Distribution) -> float:
    """Return the size of the files of a package."""
    paths = {Path(str(file.locate())) for file in package.files or []}
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def sizes_of(extra: str) -> dict[str, float] | None:
    """Return the size of each package of an extra; None if one is not installed."""
    try:
        return {name: megabytes(each) for name, each in packages_of(PACKAGE, extra).items()}
    except PackageNotFoundError:
        return None


def report_sizes(report: Report) -> None:
    found = {side: sizes_of(extra) for side, extra in SIDES.items()}
    totals = {
        side: None if sizes is None else [sum(sizes.values())] for side, sizes in found.items()
    }
    report.add("size of all packages", totals, "MB", relate=False)
    of_plot = found[WITH_PICTURES] or {}
    largest = sorted(of_plot, key=lambda name: -of_plot[name])[:N_LARGEST]
    report.add(
        f"the largest packages of {WITH_PICTURES}", {n: [of_plot[n]] for n in largest}, "MB"
    )


def demonstration(environment: Mapping[str, str]) -> float:
    """Return the time of the demonstration in a new process."""
    command = [sys.executable, "-m", "skl_lstm", "--output", "results"]
    with tempfile.TemporaryDirectory() as folder:
        return seconds(
            lambda: subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, check=True
            )
        )


def demonstration_of_a_new_machine() -> float:
    """Return the time of the demonstration with an empty cache of kernels."""
    with tempfile.TemporaryDirectory() as cache:
        return demonstration({**os.environ, "NUMBA_CACHE_DIR": cache})


def main() -> None:
    options = arguments(__doc__, runs=3)
    report = Report(__doc__, options)
    if not installed("matplotlib"):
        raise SystemExit("the demonstration draws no pictures without the extra plot")
    report_sizes(report)
    if options.quick:  # with the kernel that is kept for the user
        report_later(report, os.environ, 1)
    else:
        first = alternate({OURS: demonstration_of_a_new_machine}, options.runs)
        report.add("demonstration, the first time on a machine", first)
        with tempfile.TemporaryDirectory() as cache:
            kept = {**os.environ, "NUMBA_CACHE_DIR": cache}
            demonstration(kept)
            report_later(report, kept, options.runs)
    report.close()


def report_later(report: Report, environment: Mapping[str, str], runs: int) -> None:
    later = {OURS: lambda: demonstration(environment)}
    report.add("demonstration, later", alternate(later, runs))


if __name__ == "__main__":
    main()
