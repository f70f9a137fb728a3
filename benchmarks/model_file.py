"""A model file, its size and the time to save and load it: Keras, joblib, skl_lstm.

How large is the file of the airline model, LSTM(4) on windows of 3 time steps after 100 epochs,
and how long does it take to save and load it? `save` and `load`, for only the forecaster, are
compared with plain Keras for the same network and with joblib; `save_model` and `load_model`, for
the pipeline with its scalers, are compared with joblib. The loaded model must make the same
predictions as the saved one. Imports are not timed. Saving includes the sync to disk in skl_lstm,
but not in Keras and joblib.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from _harness import OURS, Report, alternate, arguments, installed, seconds
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    LookbackWindower,
    LSTMForecaster,
    load_airline_passengers,
    load_model,
    make_supervised,
    save_model,
)

CALLS = 10

Side = tuple[Path, Callable[[], object], Callable[[], Any]]


def compare(report: Report, what: str, runs: int, sides: dict[str, Side | None]) -> None:
    """Report the file size of each side, and its times to save and load."""
    present = {name: side for name, side in sides.items() if side is not None}
    for _, save, load in present.values():
        save(), load()
    sizes = {name: [path.stat().st_size / 1000] for name, (path, _, _) in present.items()}
    report.add(f"size of {what}", {name: sizes.get(name) for name in sides}, "KB")
    for verb, number in (("save", 1), ("load", 2)):
        timed = {
            name: None if side is None else (lambda call=side[number]: seconds(call, CALLS))
            for name, side in sides.items()
        }
        report.add(f"{verb} {what}", alternate(timed, runs))


def forecaster_alone(report: Report, runs: int, folder: Path, epochs: int) -> None:
    series = load_airline_passengers().to_numpy() / 1000
    windows = np.lib.stride_tricks.sliding_window_view(series[:-1], 3)
    forecaster = LSTMForecaster(units=4, epochs=epochs, batch_size=1, random_state=0)
    forecaster.fit(windows, series[3:])
    path, pickled, keras_path = (folder / name for name in ("a.h5", "a.joblib", "a.keras"))
    sides: dict[str, Side | None] = {"Keras": None}
    if installed("keras", "tensorflow"):
        model = forecaster.to_keras()
        import keras

        load = lambda: keras.models.load_model(keras_path)  # noqa: E731
        sides["Keras"] = (keras_path, lambda: model.save(keras_path), load)
    sides["joblib"] = (
        pickled,
        lambda: joblib.dump(forecaster, pickled),
        lambda: joblib.load(pickled),
    )
    sides[OURS] = (path, lambda: forecaster.save(path), lambda: LSTMForecaster.load(path))
    compare(report, "the forecaster", runs, sides)
    apart = np.abs(LSTMForecaster.load(path).predict(windows) - forecaster.predict(windows))
    report.agree("the predictions before and after", apart.max(), 0.0)


def whole_pipeline(report: Report, runs: int, folder: Path, epochs: int) -> None:
    X, y = make_supervised(load_airline_passengers())
    forecaster = LSTMForecaster(units=4, epochs=epochs, batch_size=1, random_state=0)
    model = TransformedTargetRegressor(
        make_pipeline(MinMaxScaler(), LookbackWindower(look_back=3), forecaster),
        transformer=MinMaxScaler(),
    ).fit(X, y)
    path, pickled = folder / "b.skops", folder / "b.joblib"
    sides: dict[str, Side | None] = {
        "joblib": (pickled, lambda: joblib.dump(model, pickled), lambda: joblib.load(pickled)),
        OURS: None,
    }
    if installed("skops"):
        sides[OURS] = (path, lambda: save_model(model, path), lambda: load_model(path))
    compare(report, "the pipeline", runs, sides)
    if installed("skops"):
        apart = np.abs(load_model(path).predict(X) - model.predict(X))
        report.agree("the predictions before and after", apart.max(), 0.0)


def main() -> None:
    options = arguments(__doc__, runs=7)
    report = Report(__doc__, options)
    epochs = 2 if options.quick else 100
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        forecaster_alone(report, options.runs, folder, epochs)
        whole_pipeline(report, options.runs, folder, epochs)
    report.close()


if __name__ == "__main__":
    main()
