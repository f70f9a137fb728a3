"""Compile and run limit.c, the airline fit in plain C."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SOURCE = Path(__file__).parent / "limit.c"
FLAGS = ("-O3", "-march=native")


class Fits(NamedTuple):
    """Result of several consecutive fits."""

    seconds: list[float]
    loss: float
    parameters: NDArray


def compiler() -> str | None:
    """Return the path of a C compiler, or None."""
    return shutil.which("gcc") or shutil.which("cc")


def build(folder: Path, *more_flags: str) -> Path:
    """Compile limit.c in a new folder inside `folder`."""
    program = Path(tempfile.mkdtemp(dir=folder)) / "limit"
    subprocess.run(
        [compiler(), *FLAGS, *more_flags, str(SOURCE), "-o", str(program), "-lm"], check=True
    )
    return program


def run(
    program: Path, weights: list[NDArray], X: NDArray, y: NDArray, *, epochs: int, repeats: int
) -> Fits:
    """Fit `repeats` times from the given weights, without shuffling the rows."""
    given, learned = program.with_name("input"), program.with_name("output")
    with given.open("wb") as file:
        np.array([len(X), epochs], dtype=np.int32).tofile(file)
        for array in (*weights, X, y):
            np.ascontiguousarray(array, dtype=np.float32).tofile(file)
    done = subprocess.run(
        [program, given, learned, str(repeats)], stdout=subprocess.PIPE, text=True, check=True
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    return Fits(
        [float(elapsed) for elapsed, _ in lines],
        float(lines[-1][1]),
        np.fromfile(learned, dtype=np.float32),
    )
