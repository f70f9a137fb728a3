"""Three quantiles of the airline series: one network for all, or three networks, skl_lstm.

Is one network of three quantiles as good as a network for each? The quantiles 0.1, 0.5 and 0.9 are
learned for 12 months at once, on all but the last 36 months, and judged on the forecasts of the
last ones, from each origin with 12 months after it: by the pinball loss, averaged over the
quantiles, by the share of true values between the outer two, nominally 80 %, and by how often the
quantiles cross. One network is tried with as many units as each of the three, and with three times
as many.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from _harness import Report, arguments, seconds
from numpy.typing import NDArray
from sklearn.metrics import mean_pinball_loss
from sklearn.pipeline import Pipeline, make_pipeline

from skl_lstm import LookbackWindower, LSTMForecaster, load_airline_passengers, make_supervised

QUANTILES = [0.1, 0.5, 0.9]
STEPS, N_HELD_OUT = 12, 36
N_ORIGINS = N_HELD_OUT - STEPS + 1
UNITS = (16, 48)


class Found(NamedTuple):
    """What networks forecast: quantiles of shape (n_origins, steps, n_quantiles)."""

    time: float
    quantiles: NDArray[np.float64]


def model(quantile: Any, units: int, seed: int, epochs: int) -> Pipeline:
    return make_pipeline(
        LookbackWindower(24),
        LSTMForecaster(
            units=units,
            window_scaling="mean",
            reshape_mode="features",
            loss="pinball",
            quantile=quantile,
            epochs=epochs,
            random_state=seed,
        ),
    )


def by_one(units: int, seed: int, epochs: int, data: tuple[Any, ...]) -> Found:
    X, y, rows = data
    network = model(QUANTILES, units, seed, epochs)
    time = seconds(lambda: network.fit(X, y))
    windows = network[0].transform(rows)[-N_ORIGINS:]
    return Found(time, network[-1].predict_quantiles(windows))


def by_three(units: int, seed: int, epochs: int, data: tuple[Any, ...]) -> Found:
    X, y, rows = data
    networks = [model(quantile, units, seed, epochs) for quantile in QUANTILES]
    time = seconds(lambda: [network.fit(X, y) for network in networks])
    paths = [network.predict(rows)[-N_ORIGINS:] for network in networks]
    return Found(time, np.stack(paths, axis=-1))


def main() -> None:
    options = arguments(__doc__, runs=10)
    report = Report(__doc__, options)
    epochs = 5 if options.quick else 500
    X, y = make_supervised(load_airline_passengers(), horizon=STEPS)
    n_learned = len(X) - N_HELD_OUT  # rows whose targets end before what is held out
    truth = y[-N_ORIGINS:].to_numpy()
    data = X[:n_learned], y[:n_learned], X
    sides = {"one network": by_one, "three networks": by_three}
    found = {
        f"{side}, {units} units": [make(units, seed, epochs, data) for seed in range(options.runs)]
        for units in UNITS
        for side, make in sides.items()
    }
    figures = {
        ("training", "s"): lambda each: each.time,
        ("mean pinball loss", "passengers"): lambda each: np.mean(
            [
                mean_pinball_loss(truth, each.quantiles[..., i], alpha=quantile)
                for i, quantile in enumerate(QUANTILES)
            ]
        ),
        ("between the quantiles 0.1 and 0.9, nominally 80 %", "%"): lambda each: (
            100 * np.mean((each.quantiles[..., 0] <= truth) & (truth <= each.quantiles[..., -1]))
        ),
        ("quantiles that cross the next one", "%"): lambda each: (
            100 * np.mean(np.diff(each.quantiles) < 0)
        ),
    }
    for (what, unit), measure in figures.items():
        report.add(
            what,
            {name: [float(measure(each)) for each in runs] for name, runs in found.items()},
            unit,
        )
    report.close()


if __name__ == "__main__":
    main()
