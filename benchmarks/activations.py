"""Activation of the LSTM layers on real series: tanh, relu.

Does ``hidden_activation="relu"``, as many tutorials have it, forecast better than the default, and
what does it cost? LSTM(50) learns the windows of 24 values of a series, without its last quarter,
for 100 epochs, and forecasts each value of that quarter from the values before it. Errors are
divided by those of the naive forecast, which repeats the last value. Each network is fitted with
several seeds, once with windows normalized by themselves (``window_scaling="last"``), once with
the series scaled between 0 and 1 over the training rows, as tutorials do. Only Keras trains
networks with relu; so for the times of the airline series it trains one with tanh too.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from _harness import Report, arguments, seconds
from _series import RealSeries, real_series
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import LookbackWindower, LSTMForecaster, make_supervised

# Some of each kind: with and without trend and season, yearly to hourly.
NAMES = (
    "airline",
    "sunspots",
    "co2, monthly",
    "unemp",
    "ETTh1 oil, last 2,000 h",
)
N_VALUES = 600  # the last ones, so that Keras is done within minutes
LOOK_BACK = 24
SIDES: dict[str, dict[str, Any]] = {"tanh": {}, "relu": {"hidden_activation": "relu"}}
TIMED = {**SIDES, "tanh, by Keras": {"engine": "keras"}}
SCALINGS = {"window_scaling='last'": "last", "MinMaxScaler": None}


class Found(NamedTuple):
    """A fit: its time, and its error over that of the naive forecast."""

    time: float
    error: float


def fitted(
    series: RealSeries, scaling: Any, parameters: dict[str, Any], seed: int, epochs: int
) -> Found:
    network = LSTMForecaster(
        units=50, window_scaling=scaling, epochs=epochs, random_state=seed, **parameters
    )
    model: Any = make_pipeline(LookbackWindower(LOOK_BACK), network)
    if scaling is None:
        model = make_pipeline(MinMaxScaler(), *model)
        model = TransformedTargetRegressor(model, transformer=MinMaxScaler())
    X, y = make_supervised(series.values[-N_VALUES:])
    n_train = len(X) - len(X) // 4
    time = seconds(lambda: model.fit(X[:n_train], y[:n_train]))
    truth, naive = y[n_train:], X[n_train:, 0]
    predicted = model.predict(X[n_train:])
    return Found(time, np.abs(truth - predicted).mean() / np.abs(truth - naive).mean())


def main() -> None:
    options = arguments(__doc__, runs=3, files={"data": "the folder with ETTh1.csv"})
    report = Report(__doc__, options)
    epochs = 2 if options.quick else 100
    chosen = [series for series in real_series(options.data) if series.name in NAMES]
    chosen = chosen[:1] if options.quick else chosen
    warnings.simplefilter("ignore")  # that a fit diverges shows in its error
    for words, scaling in SCALINGS.items():
        ratios: dict[str, list[float]] = {side: [] for side in SIDES}
        for series in chosen:
            sides = TIMED if series.name == "airline" else SIDES
            found: dict[str, list[Found]] = {side: [] for side in sides}
            for seed in range(options.runs):
                for side, parameters in sides.items():
                    found[side].append(fitted(series, scaling, parameters, seed, epochs))
            errors = {side: [each.error for each in runs] for side, runs in found.items()}
            report.add(f"{series.name}, {words}: error", errors, "of naive")
            if series.name == "airline":
                times = {side: [each.time for each in runs] for side, runs in found.items()}
                report.add(f"{series.name}, {words}: training", times, "s")
            for side, values in ratios.items():
                values.append(float(np.median(errors[side]) / np.median(errors["tanh"])))
        report.add(f"all series, {words}: median error", ratios, "of that of tanh")
    report.close()


if __name__ == "__main__":
    main()
