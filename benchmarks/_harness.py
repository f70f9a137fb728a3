"""Shared by the benchmarks: alternating runs, memory, new processes, a table, the machine.

Only the standard library is imported here, so that a new process to be timed starts without any
large package loaded.
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OURS = "skl_lstm"
PACKAGES = (
    "skl-lstm",
    "numpy",
    "numba",
    "scikit-learn",
    "joblib",
    "distributed",
    "keras",
    "tensorflow",
    "scikeras",
    "torch",
    "onnxruntime",
    "statsmodels",
    "neuralforecast",
    "mlforecast",
    "lightgbm",
    "darts",
    "skforecast",
)

# Idle threads of the previous side still spin for a moment; wait until they sleep.
SETTLE_SECONDS = 0.1

Side = Callable[[], float]


def arguments(
    question: str | None, *, runs: int = 5, files: Mapping[str, str] | None = None, **flags: str
) -> argparse.Namespace:
    """Parse the command line: the options of all scripts, and those of one script."""
    parser = argparse.ArgumentParser(
        description=question, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=runs, help="runs of each side (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="a small run, as a check")
    for name, help_text in {"json": "write the figures to this file", **(files or {})}.items():
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=help_text)
    for name, help_text in flags.items():
        parser.add_argument(f"--{name}", action="store_true", help=help_text)
    options = parser.parse_args()
    if options.quick:
        options.runs = min(options.runs, 2)
    return options


def installed(*modules: str) -> bool:
    """Return whether all modules can be imported, without importing them."""
    return all(importlib.util.find_spec(module) is not None for module in modules)


def seconds(function: Callable[[], Any], repeats: int = 1) -> float:
    """Return the mean time of a call, over `repeats` consecutive calls."""
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats


def alternate(sides: Mapping[str, Side | None], runs: int) -> dict[str, list[float] | None]:
    """Measure the sides alternately, `runs` times each; None is a side that is not installed."""
    figures: dict[str, list[float] | None] = {
        name: None if side is None else [] for name, side in sides.items()
    }
    for _ in range(runs):
        for name, side in sides.items():
            if side is not None:
                gc.collect()
                time.sleep(SETTLE_SECONDS)
                figures[name].append(side())
    return figures


def in_fresh_process(
    function: Callable[..., Any], *values: Any, environment: Mapping[str, str] | None = None
) -> tuple[float, Any]:
    """Call a function of a script in a new interpreter.

    Parameters
    ----------
    function : callable
        Function at the top level of a script in this folder, with a result that JSON can store.
    *values : str, int, float or bool
        Arguments of the function.
    environment : mapping, optional
        Additional environment variables of the process.

    Returns
    -------
    seconds : float
        Time from before the start of the interpreter until after its end.
    answer : object
        Return value of the function.
    """
    script = Path(function.__code__.co_filename).stem
    call = f"{script}.{function.__name__}(*{values!r})"
    code = f"import json, {script}; print('\\n' + json.dumps({call}))"
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=HERE,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    elapsed = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{call} ended with {done.returncode}:\n{done.stderr}")
    return elapsed, json.loads(done.stdout.splitlines()[-1])


def resident_mb() -> float:
    """Return the resident memory of this process."""
    return _status_mb("VmRSS")


def peak_mb() -> float:
    """Return the peak resident memory of this process, since its start or `forget_peak`.

    ``getrusage`` is not used: there a child starts with the peak of its parent process.
    """
    return _status_mb("VmHWM")


class AnonymousPeak:
    """Peak of the anonymous memory in a ``with`` block, above that before it.

    The pages of a mapped file are resident, but no copy of it: the kernel takes them back when
    it needs them, and so they do not count here. There is no peak of the rest, so a thread looks
    at it again and again.
    """

    SECONDS = 0.002

    def __enter__(self) -> AnonymousPeak:
        gc.collect()
        self.before = _status_mb("RssAnon")
        self.growth = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self.SECONDS):
            self.growth = max(self.growth, _status_mb("RssAnon") - self.before)


def forget_peak() -> None:
    """Reset the peak of `peak_mb` to the current memory."""
    Path("/proc/self/clear_refs").write_text("5")


def _status_mb(field: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except FileNotFoundError:
        raise SystemExit("memory is read from /proc, which exists only on Linux") from None
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith(field))
    return int(kilobytes) / 1024


class Report:
    """A table that is printed row by row and can be written as JSON.

    Parameters
    ----------
    question : str
        Docstring of the script.
    options : Namespace
        Command-line options, as returned by `arguments`.
    """

    def __init__(self, question: str | None, options: argparse.Namespace) -> None:
        self.title = (question or "").strip().splitlines()[0]
        self.options = options
        self.machine = describe_machine()
        self.results: list[dict[str, Any]] = []
        self.agreements: list[dict[str, Any]] = []
        print(self.title)
        print(", ".join(f"{name} {value}" for name, value in self.machine.items()))
        if options.quick:
            print("--quick: a smaller run; the figures are not meaningful")

    def agree(self, what: str, difference: float, allowed: float) -> None:
        """Print the difference between outputs; end the script if it is too large."""
        difference = float(difference)
        self.agreements.append({"what": what, "difference": difference, "allowed": allowed})
        print(f"\nagreement of {what}: within {difference:.2g} (allowed: {allowed:g})", flush=True)
        if not difference <= allowed:
            raise SystemExit("the outputs do not agree, so their times cannot be compared")

    def add(
        self,
        what: str,
        figures: Mapping[str, list[float] | None],
        unit: str = "s",
        *,
        relate: bool = True,
    ) -> None:
        """Add the runs of each side, and the ratios of their medians to that of skl_lstm."""
        result: dict[str, Any] = {"what": what, "unit": unit, "figures": dict(figures)}
        medians = {side: statistics.median(values) for side, values in figures.items() if values}
        if relate and len(medians) > 1 and medians.get(OURS):
            ratios = {side: value / medians[OURS] for side, value in medians.items()}
            result["ratios"] = {side: ratio for side, ratio in ratios.items() if side != OURS}
        self.results.append(result)
        print(f"\n{what}")
        for side, values in figures.items():
            ratio = result.get("ratios", {}).get(side)
            print(_line(side, values, unit, ratio), flush=True)

    def close(self) -> None:
        """Write the JSON file, if requested."""
        if self.options.json is None:
            return
        everything = {
            "benchmark": self.title,
            "quick": self.options.quick,
            "machine": self.machine,
            "agreements": self.agreements,
            "results": self.results,
        }
        self.options.json.write_text(json.dumps(everything, indent=1) + "\n")


def _line(side: str, values: list[float] | None, unit: str, ratio: float | None) -> str:
    if values is None:
        return f"  {side:<34}{'not installed':>14}"
    median = _quantity(statistics.median(values), unit)
    spread = ""
    if len(values) > 1:
        spread = f"{_quantity(min(values), unit)} .. {_quantity(max(values), unit)}"
    relation = "" if ratio is None else f"{ratio:.3g} x {OURS}"
    return f"  {side:<34}{median:>14}   {spread:<26}{relation}".rstrip()


def _quantity(value: float, unit: str) -> str:
    if unit == "MB":
        return f"{value:,.1f} MB"
    if unit == "s" and abs(value) < 1:
        value, unit = (value * 1e3, "ms") if abs(value) >= 1e-3 else (value * 1e6, "us")
    return f"{value:.4g} {unit}"


def describe_machine() -> dict[str, str]:
    """Return the processor, its number of cores, and the package versions."""
    machine = {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    for package in PACKAGES:
        try:
            machine[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            machine[package] = "not installed"
    return machine


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()
