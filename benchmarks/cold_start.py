"""A new process that imports, fits, or loads a model and predicts: SciKeras, skl_lstm.

How much time and memory does it take? Each figure is from a separate process, timed from before
the start of the interpreter until after its end. The first fit on a machine starts with an empty
Numba cache, the others with a filled one. Loading means ``joblib.load`` and one ``predict`` of ten
rows, with a model that another process fitted and saved: a SciKeras regressor or an skl_lstm
forecaster. The skl_lstm processes must not import TensorFlow, Keras or SciKeras.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from _harness import OURS, Report, alternate, arguments, in_fresh_process, installed, peak_mb

HEAVY = ("tensorflow", "keras", "scikeras")


def import_only() -> dict[str, Any]:
    import skl_lstm  # noqa: F401

    return _state()


def fit_once() -> dict[str, Any]:
    X, y = _rows()
    _forecaster().fit(X, y)
    return _state()


def save_ours(path: str) -> None:
    import joblib

    X, y = _rows()
    joblib.dump(_forecaster().fit(X, y), path)


def save_scikeras(path: str) -> None:
    import joblib
    from _peers import scikeras_regressor

    X, y = _rows()
    joblib.dump(scikeras_regressor(4, 3, 1, epochs=1, batch_size=32).fit(X, y), path)


def load_and_predict(path: str) -> dict[str, Any]:
    import joblib

    X, _ = _rows()
    predictions = joblib.load(path).predict(X[:10])
    return _state() | {"predictions": predictions.ravel().tolist()}


def _rows() -> tuple[Any, Any]:
    import numpy as np

    values = np.sin(np.arange(103.0) / 5.0).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(values[:-1], 3)
    return windows[:, :, np.newaxis].copy(), values[3:]


def _forecaster() -> Any:
    from skl_lstm import LSTMForecaster

    return LSTMForecaster(units=4, epochs=1, random_state=0)


def _state() -> dict[str, Any]:
    import sys

    return {"peak_mb": peak_mb(), "heavy": [name for name in HEAVY if name in sys.modules]}


class FreshProcess:
    """A function of this script, timed in a new process."""

    def __init__(self, function: Any, *values: Any, environment: dict[str, str]) -> None:
        self.function, self.values, self.environment = function, values, environment
        self.peaks: list[float] = []

    def __call__(self) -> float:
        """Run the function; store its result and peak memory."""
        elapsed, self.answer = in_fresh_process(
            self.function, *self.values, environment=self.environment
        )
        self.peaks.append(self.answer["peak_mb"])
        return elapsed

    def check_is_light(self) -> None:
        """End the script with an error if one of the large packages was imported."""
        if self.answer["heavy"]:
            raise SystemExit(f"{self.function.__name__} imported {self.answer['heavy']}")


class FirstFitEver(FreshProcess):
    """A function of this script, timed in a new process with an empty cache."""

    def __call__(self) -> float:
        """Run the function with an empty cache."""
        with tempfile.TemporaryDirectory() as cache:
            self.environment = {"NUMBA_CACHE_DIR": cache}
            return super().__call__()


def first_fits(report: Report, runs: int, warm: dict[str, str]) -> None:
    ever = FirstFitEver(fit_once, environment={})
    report.add("first fit on a machine, with compilation", alternate({OURS: ever}, min(runs, 3)))
    fit = FreshProcess(fit_once, environment=warm)
    fit()
    report.add("first fit of a process, with a filled cache", alternate({OURS: fit}, runs))
    report.add("peak memory of the first fit", {OURS: fit.peaks[1:]}, "MB")
    imported = FreshProcess(import_only, environment=warm)
    imported()
    report.add("import skl_lstm", alternate({OURS: imported}, runs))
    for process in (ever, fit, imported):
        process.check_is_light()


def loads(report: Report, runs: int, folder: Path, warm: dict[str, str]) -> None:
    in_fresh_process(save_ours, str(folder / "ours"), environment=warm)
    ours = FreshProcess(load_and_predict, str(folder / "ours"), environment=warm)
    sides: dict[str, FreshProcess | None] = {"SciKeras": None, OURS: ours}
    if installed("scikeras", "keras", "tensorflow"):
        in_fresh_process(save_scikeras, str(folder / "scikeras"), environment=warm)
        sides["SciKeras"] = FreshProcess(
            load_and_predict, str(folder / "scikeras"), environment=warm
        )
    present = {name: side for name, side in sides.items() if side is not None}
    alternate(present, 1)
    ours.check_is_light()
    if sides["SciKeras"] is not None:
        pairs = zip(
            sides["SciKeras"].answer["predictions"], ours.answer["predictions"], strict=True
        )
        apart = max(abs(theirs - our_own) for theirs, our_own in pairs)
        report.agree("predictions after one epoch, SciKeras", apart, 1e-2)
    for side in present.values():
        side.peaks.clear()
    report.add("load a model and predict", alternate(sides, runs))
    peaks = {name: None if side is None else side.peaks for name, side in sides.items()}
    report.add("peak memory of loading and predicting", peaks, "MB")


def main() -> None:
    options = arguments(__doc__)
    report = Report(__doc__, options)
    with tempfile.TemporaryDirectory() as folder:
        warm = {"NUMBA_CACHE_DIR": str(Path(folder) / "cache")}
        runs = 1 if options.quick else options.runs  # a run compiles
        first_fits(report, runs, warm)
        loads(report, runs, Path(folder), warm)
    print(f"\nno {OURS} process imported any of {', '.join(HEAVY)}")
    report.close()


if __name__ == "__main__":
    main()
