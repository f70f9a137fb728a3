"""One epoch of larger networks: Keras, PyTorch, skl_lstm.

How long does it take? Sizes are (units, time steps, features, batch size, windows). All sides
start from the same weights and process the rows in the same order. A first epoch, which includes
tracing, is not timed, and its losses must agree. Then single epochs are timed alternately:
``fit(epochs=1)`` of Keras, a plain PyTorch loop, ``partial_fit`` of skl_lstm, without and with
``window_scaling``. For each size the share of sgemm's speed is told: that of NumPy's product of
two matrices of 1,000 x 1,000 numbers, measured beside it, against the multiply-adds that the
network's products take in an epoch.
"""

from __future__ import annotations

import statistics
from functools import partial

import numpy as np
from _harness import OURS, Report, alternate, arguments, installed, seconds
from _peers import Units, initial_weights, keras_network
from _torch_peer import TorchNetwork
from numpy.typing import NDArray

from skl_lstm import LSTMForecaster

SCALINGS = ("last", "standard")
SIZES = [
    (50, 12, 1, 16, 1000),
    (64, 48, 1, 64, 10_000),
    (128, 48, 8, 64, 5000),
    (64, 168, 1, 64, 3000),
    ((64, 64), 48, 1, 64, 3000),
    (128, 48, 8, 256, 5000),
    (256, 48, 8, 64, 500),
    (512, 24, 8, 64, 300),
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


def operations(units: Units, n_steps: int, n_features: int, n_windows: int) -> int:
    """Return the multiply-adds of an epoch in products of the LSTM layers.

    Forward, the gradient of the parameters, and that of what a layer is given, of which the data
    need none.
    """
    total, n_inputs = 0, n_features
    for layer, n_units in enumerate((units,) if isinstance(units, int) else units):
        n_multiplied = 2 * (n_inputs + n_units) + n_units + n_inputs * (layer > 0)
        total += n_multiplied * 4 * n_units
        n_inputs = n_units
    return total * n_steps * n_windows


def sgemm() -> float:
    """Return the seconds that one multiply-add takes in a large product."""
    a = np.ones((1000, 1000), dtype=np.float32)
    return seconds(lambda: a @ a, 5) / 1000**3


def case(report: Report, runs: int, size: tuple[Units, int, int, int, int]) -> None:
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
    figures = alternate({**sides, "sgemm": sgemm}, runs)
    one = statistics.median(figures.pop("sgemm") or [])
    report.add(f"one epoch at {size}", figures)
    least = one * operations(units, n_steps, n_features, n_windows)
    shares = {
        side: [100 * least / taken for taken in figures[side] or []] or None
        for side in ("PyTorch", OURS)
    }
    report.add(f"share of sgemm's speed at {size}", shares, "%", relate=False)


def _epoch(forecaster: LSTMForecaster, X: NDArray, y: NDArray) -> float:
    return seconds(lambda: forecaster.partial_fit(X, y))


def main() -> None:
    options = arguments(__doc__, runs=7)
    report = Report(__doc__, options)
    for *size, n_windows in SIZES[::4] if options.quick else SIZES:
        case(report, options.runs, (*size, n_windows // 20 if options.quick else n_windows))
    report.close()


if __name__ == "__main__":
    main()
