"""A prediction: plain Keras, PyTorch, skl_lstm, and its file in ONNX Runtime.

How long does it take? The cases are one row with LSTM(4) and windows of 3 time steps, 1,000 rows
with LSTM(50) and 12 time steps, and 10,000 rows with LSTM(64) and 48 time steps. All sides have
the same weights, and their outputs must agree. For one row, Keras is measured with its three
prediction methods, and skl_lstm also with the whole pipeline of scaler, windower, forecaster and
scaled target; ONNX Runtime computes the files that to_onnx writes of both. A run is the mean of
several consecutive calls, after a first one that is not timed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _harness import OURS, Report, alternate, arguments, installed, seconds
from _torch_peer import TorchNetwork
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    LookbackWindower,
    LSTMForecaster,
    load_airline_passengers,
    make_supervised,
    to_onnx,
)

# units, time steps, rows, calls per run of Keras, calls per run of the others
CASES = [(4, 3, 1, 20, 1000), (50, 12, 1000, 5, 50), (64, 48, 10_000, 1, 1)]


def side(predict: Callable[[], object], calls: int) -> Callable[[], float]:
    predict()
    return lambda: seconds(predict, calls)


def fitted(units: int, X: NDArray) -> LSTMForecaster:
    rng = np.random.default_rng(1)
    n_rows = min(len(X), 100)
    targets = rng.normal(size=n_rows)
    forecaster = LSTMForecaster(units=units, epochs=2, random_state=0)
    return forecaster.fit(np.resize(X, (n_rows, *X.shape[1:])), targets)


def case(
    report: Report, runs: int, units: int, n_steps: int, n_rows: int, slow: int, fast: int
) -> None:
    X = np.random.default_rng(0).normal(size=(n_rows, n_steps, 1)).astype(np.float32)
    forecaster = fitted(units, X)
    expected = forecaster.predict(X)
    sides: dict[str, Callable[[], float] | None] = {"Keras predict": None}
    if installed("keras", "tensorflow"):
        model = forecaster.to_keras()
        apart = np.abs(model.predict(X, verbose=0)[:, 0] - expected).max()
        report.agree(f"{n_rows} predictions, Keras", float(apart), 1e-5)
        sides["Keras predict"] = side(lambda: model.predict(X, verbose=0), slow)
        if n_rows == 1:
            sides["Keras predict_on_batch"] = side(lambda: model.predict_on_batch(X), slow)
            sides["Keras __call__"] = side(lambda: model(X, training=False).numpy(), slow)
    sides["PyTorch"] = None
    if installed("torch"):
        network = TorchNetwork(forecaster.weights_)
        apart = np.abs(network.predict(X) - expected).max()
        report.agree(f"{n_rows} predictions, PyTorch", float(apart), 1e-5)
        sides["PyTorch"] = side(lambda: network.predict(X), fast)
    sides["ONNX Runtime"] = onnx_side(
        report, f"{n_rows} predictions", forecaster, X, expected, fast
    )
    sides[OURS] = side(lambda: forecaster.predict(X), fast)
    if n_rows == 1:
        pipeline, X_all = fitted_pipeline()
        row, window = X_all.iloc[-1:], X_all.to_numpy()[-3:]
        expected = pipeline.predict(row)
        sides["ONNX Runtime, whole pipeline"] = onnx_side(
            report, "a whole pipeline", pipeline, window, expected, fast
        )
        sides[f"{OURS}, whole pipeline"] = side(lambda: pipeline.predict(row), fast // 10 + 1)
    what = "row" if n_rows == 1 else "rows"
    report.add(
        f"predict of {n_rows} {what}, LSTM({units}), {n_steps} time steps", alternate(sides, runs)
    )


def onnx_side(
    report: Report, what: str, model: Any, rows: NDArray, expected: NDArray, calls: int
) -> Callable[[], float] | None:
    """Return the time of a model's file, whose forecasts must be those expected."""
    if not installed("onnx", "onnxruntime"):
        return None
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        to_onnx(model, Path(folder) / "model.onnx")
        session = onnxruntime.InferenceSession(Path(folder) / "model.onnx")
    shape = session.get_inputs()[0].shape[1:]
    given = {"rows": rows.reshape(-1, *shape).astype(np.float64)}
    (found,) = session.run(["forecast"], given)
    apart = np.abs(found[:, 0] - expected).max() / np.abs(expected).max()
    report.agree(f"{what}, ONNX Runtime", float(apart), 1e-5)
    return side(lambda: session.run(["forecast"], given), calls)


def fitted_pipeline() -> tuple[TransformedTargetRegressor, pd.DataFrame]:
    """Return a fitted pipeline with scalers, its rows and the one after them."""
    X, y = make_supervised(load_airline_passengers())
    model = TransformedTargetRegressor(
        regressor=make_pipeline(
            MinMaxScaler(),
            LookbackWindower(look_back=3),
            LSTMForecaster(units=4, epochs=2, random_state=0),
        ),
        transformer=MinMaxScaler(),
    )
    return model.fit(X.iloc[:-1], y.iloc[:-1]), X


def main() -> None:
    options = arguments(__doc__, runs=7)
    report = Report(__doc__, options)
    for units, n_steps, n_rows, slow, fast in CASES:
        if options.quick:
            n_rows, slow, fast = min(n_rows, 500), 1, 5
        case(report, options.runs, units, n_steps, n_rows, slow, fast)
    report.close()


if __name__ == "__main__":
    main()
