"""A fresh process that imports, fits, or loads a model and predicts: SciKeras, skl_lstm.

How long does it take, and how much memory? Each figure is a process of its own, from before the
interpreter's start until after its end. The first fit ever has an empty folder for Numba's cache;
the others find that cache filled. Loading is ``joblib.load`` and one ``predict`` of ten rows, of
a model that another process fitted and saved: a SciKeras regressor and our forecaster. Ours must
not import TensorFlow, Keras or SciKeras on the way.
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
    """A function of this script, timed in a process of its own."""

    def __init__(self, function: Any, *values: Any, environment: dict[str, str]) -> None:
        self.function, self.values, self.environment = function, values, environment
        self.peaks: list[float] = []

    def __call__(self) -> float:
        """Run it, keep its answer and its peak memory."""
        elapsed, self.answer = in_fresh_process(
            self.function, *self.values, environment=self.environment
        )
        self.peaks.append(self.answer["peak_mb"])
        return elapsed

    def check_is_light(self) -> None:
        """End the script if one of the heavy packages was imported."""
        if self.answer["heavy"]:
            raise SystemExit(f"{self.function.__name__} imported {self.answer['heavy']}")


class FirstFitEver(FreshProcess):
    """The same with an empty cache each time."""

    def __call__(self) -> float:
        """Run it where nothing was ever compiled."""
        with tempfile.TemporaryDirectory() as cache:
            self.environment = {"NUMBA_CACHE_DIR": cache}
            return super().__call__()


def first_fits(report: Report, runs: int, warm: dict[str, str]) -> None:
    ever = FirstFitEver(fit_once, environment={})
    report.add("first fit ever, compilation included", alternate({OURS: ever}, min(runs, 3)))
    fit = FreshProcess(fit_once, environment=warm)
    fit()
    report.add("first fit in a process, cache filled", alternate({OURS: fit}, runs))
    report.add("its peak memory", {OURS: fit.peaks[1:]}, "MB")
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
    report.add("its peak memory", peaks, "MB")


def main() -> None:
    options = arguments(__doc__)
    report = Report(__doc__, options)
    with tempfile.TemporaryDirectory() as folder:
        warm = {"NUMBA_CACHE_DIR": str(Path(folder) / "cache")}
        first_fits(report, options.runs, warm)
        loads(report, options.runs, Path(folder), warm)
    print(f"\nno process of ours imported any of {', '.join(HEAVY)}")
    report.close()


if __name__ == "__main__":
    main()
