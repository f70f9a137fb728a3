"""One epoch of larger networks: Keras, PyTorch, skl_lstm.

How long does it take? Sizes are (units, time steps, features, batch size, windows). All sides
start from the same weights and process the rows in the same order. A first epoch, which includes
tracing, is not timed, and its losses must agree. Then single epochs are timed alternately:
``fit(epochs=1)`` of Keras, a plain PyTorch loop, ``partial_fit`` of skl_lstm, without and with
``window_scaling``.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from _harness import OURS, Report, alternate, arguments, installed, seconds
from _peers import initial_weights, keras_network
from _torch_peer import TorchNetwork
from numpy.typing import NDArray

from skl_lstm import LSTMForecaster

SCALINGS = ("last", "standard")
SIZES = [
    (50, 12, 1, 16, 1000),
    (64, 48, 1, 64, 10_000),
    (128, 48, 8, 64, 5000),
    (64, 168, 1, 64, 3000),
]


def windows_of_waves(n_windows: int, n_steps: int, n_features: int) -> tuple[NDArray, NDArray]:
    """Return windows of noisy waves, and the value that follows each window."""
    rng = np.random.default_rng(0)
    time = np.arange(n_windows + n_steps)[:, np.newaxis]
    series = np.sin(time / (3.0 + np.arange(n_features))) + rng.normal(
        scale=0.1, size=(len(time), n_features)
    )
    views = np.lib.stride_tricks.sliding_window_view(series[:-1], n_steps, axis=0)
    X = np.ascontiguousarray(views.transpose(0, 2, 1), dtype=np.float32)
    return X, series[n_steps:, 0].astype(np.float32)


def case(report: Report, runs: int, size: tuple[int, int, int, int, int]) -> None:
    units, n_steps, n_features, batch_size, n_windows = size
    X, y = windows_of_waves(n_windows, n_steps, n_features)
    forecaster, *scaled = (
        LSTMForecaster(
            units=units,
            window_scaling=scaling,
            target=0,
            epochs=1,
            batch_size=batch_size,
            shuffle=False,
            random_state=0,
        ).fit(X, y)
        for scaling in (None, *SCALINGS)
    )
    loss = forecaster.history_["loss"][0]
    sides = {
        "Keras": None,
        "PyTorch": None,
        OURS: partial(_epoch, forecaster, X, y),
        **{f"{OURS}, {each.window_scaling}": partial(_epoch, each, X, y) for each in scaled},
    }
    if installed("keras", "tensorflow"):
        model = keras_network(units, n_steps, n_features)
        settings = {"epochs": 1, "batch_size": batch_size, "shuffle": False, "verbose": 0}
        first = model.fit(X, y, **settings).history["loss"][0]
        report.agree(f"the first loss at {size}, Keras", abs(first / loss - 1.0), 1e-3)
        sides["Keras"] = lambda: seconds(lambda: model.fit(X, y, **settings))
    if installed("torch"):
        network = TorchNetwork(initial_weights(units, n_steps, n_features))
        first = network.fit(X, y, 1, batch_size)
        # Adam adds epsilon after the bias correction in PyTorch, before it in Keras.
        report.agree(f"the first loss at {size}, PyTorch", abs(first / loss - 1.0), 1e-2)
        sides["PyTorch"] = lambda: seconds(lambda: network.fit(X, y, 1, batch_size))
    report.add(f"one epoch at {size}", alternate(sides, runs))


def _epoch(forecaster: LSTMForecaster, X: NDArray, y: NDArray) -> float:
    return seconds(lambda: forecaster.partial_fit(X, y))


def main() -> None:
    options = arguments(__doc__, runs=7)
    report = Report(__doc__, options)
    for *size, n_windows in SIZES:
        case(report, options.runs, (*size, n_windows // 20 if options.quick else n_windows))
    report.close()


if __name__ == "__main__":
    main()
