"""The memory of a process that fits many times.

Does it grow? One process runs 300 fits of one epoch, alternating between three networks. The
figures are its memory after the first 30 fits and the growth until the end. ``--peers`` also
measures plain Keras, which builds and traces a model for every fit and takes minutes.
"""

from __future__ import annotations

import gc
from typing import Any

from _harness import OURS, Report, arguments, in_fresh_process, installed, resident_mb

# units, time steps
NETWORKS = [(4, 3), (16, 12), (50, 12)]
N_FIRST = 30


def fit_ours(n_fits: int) -> list[float]:
    from skl_lstm import LSTMForecaster

    def fit(units: int, X: Any, y: Any) -> None:
        LSTMForecaster(units=units, epochs=1, random_state=0).fit(X, y)

    return _memory(fit, n_fits)


def fit_keras(n_fits: int) -> list[float]:
    import keras

    def fit(units: int, X: Any, y: Any) -> None:
        layers = [keras.Input(X.shape[1:]), keras.layers.LSTM(units), keras.layers.Dense(1)]
        model = keras.Sequential(layers)
        model.compile(loss="mse", optimizer="adam")
        model.fit(X, y, epochs=1, verbose=0)

    return _memory(fit, n_fits)


def _memory(fit: Any, n_fits: int) -> list[float]:
    """Return the memory of the process after the first fits and after all fits."""
    import numpy as np

    rng = np.random.default_rng(0)
    rows = [
        (units, rng.normal(size=(140, n_steps, 1)).astype(np.float32), rng.normal(size=140))
        for units, n_steps in NETWORKS
    ]
    held = []
    for i in range(n_fits):
        fit(*rows[i % len(rows)])
        if i + 1 in (N_FIRST, n_fits):
            gc.collect()
            held.append(resident_mb())
    return held


def main() -> None:
    options = arguments(__doc__, runs=3, peers="also measure plain Keras, once")
    report = Report(__doc__, options)
    n_fits = 60 if options.quick else 300
    in_fresh_process(fit_ours, len(NETWORKS))  # compiles the kernel, if not cached
    answers = {OURS: [in_fresh_process(fit_ours, n_fits)[1] for _ in range(options.runs)]}
    if options.peers and installed("keras", "tensorflow"):
        answers["Keras"] = [in_fresh_process(fit_keras, n_fits)[1]]
    first = {side: [held[0] for held in runs] for side, runs in answers.items()}
    growth = {side: [held[1] - held[0] for held in runs] for side, runs in answers.items()}
    report.add(f"memory after {N_FIRST} fits", first, "MB")
    report.add(f"growth in the next {n_fits - N_FIRST} fits", growth, "MB", relate=False)
    report.close()


if __name__ == "__main__":
    main()
