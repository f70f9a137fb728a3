"""A forecast of 1,000 steps: predicting the growing history, skl_lstm.

How long does one step take? Models fitted on the airline series, or on 5,000 rows, forecast 1,000
steps. They are compared with a simple loop: predict the whole history, append the last prediction,
repeat. The time per step of this loop grows, so only its first 20 steps are timed. Both forecasts
must agree.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from _harness import OURS, Report, alternate, arguments, seconds
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    LookbackWindower,
    LSTMForecaster,
    forecast,
    load_airline_passengers,
    make_supervised,
)

LOOP = "predict the growing history"


def network(look_back: int, units: int, **parameters: object) -> TransformedTargetRegressor:
    forecaster = LSTMForecaster(units=units, epochs=2, random_state=0, **parameters)
    return TransformedTargetRegressor(
        make_pipeline(MinMaxScaler(), LookbackWindower(look_back), forecaster),
        transformer=MinMaxScaler(),
    )


def by_hand(model: TransformedTargetRegressor, history: pd.Series, steps: int) -> np.ndarray:
    rows = history.to_frame("value").astype(float).reset_index(drop=True)
    ahead: list[float] = []
    while len(ahead) < steps:
        block = np.ravel(model.predict(rows)[-1]).tolist()
        ahead += block
        rows = pd.concat([rows, pd.DataFrame({"value": block})], ignore_index=True)
    return np.array(ahead[:steps])


def seconds_a_step(
    ahead: Callable[..., object], model: object, history: pd.Series, n: int
) -> float:
    return seconds(lambda: ahead(model, history, n)) / n


def main() -> None:
    options = arguments(__doc__, runs=3)
    report = Report(__doc__, options)
    steps = 20 if options.quick else 1000
    airline = load_airline_passengers().rename("value")
    hours = np.arange(500 if options.quick else 5000)
    waves = pd.Series(5 + np.sin(hours / 24) + np.sin(hours / 7), name="value")
    trees = make_pipeline(LookbackWindower(12), HistGradientBoostingRegressor(max_iter=20))
    cases = [
        ("LSTM(4), look_back 3, 144 rows", network(3, 4), airline, 1),
        ("LSTM(16), look_back 12, 144 rows", network(12, 16), airline, 1),
        ("the same, 12 steps at a time", network(12, 16), airline, 12),
        ("the same, stateful", network(12, 16, stateful=True, batch_size=1), airline, 1),
        (
            "LSTM(16), look_back 12, 5,000 rows, stateful",
            network(12, 16, stateful=True, batch_size=1),
            waves,
            1,
        ),
        ("LSTM(64), look_back 48, 5,000 rows", network(48, 64), waves, 1),
        ("HistGradientBoosting, look_back 12, 144 rows", trees, airline, 1),
    ]
    for what, model, history, horizon in cases:
        model.fit(*make_supervised(history, horizon=horizon))
        few = min(steps, 20)
        apart = forecast(model, history, few) / by_hand(model, history, few) - 1
        report.agree(what, float(apart.abs().max()), 1e-6)
        sides = {
            LOOP: partial(seconds_a_step, by_hand, model, history, few),
            OURS: partial(seconds_a_step, forecast, model, history, steps),
        }
        report.add(f"one step of {steps:,}: {what}", alternate(sides, options.runs))
    report.close()


if __name__ == "__main__":
    main()
