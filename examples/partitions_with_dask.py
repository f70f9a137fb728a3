"""A table larger than memory: train on a part of the series, forecast all of them by partition.

`forecast` depends only on the fitted model and on the rows that it gets, so a scheduler can call
it once for each partition of whole series. This example needs ``pip install "dask[dataframe]"``.
"""

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from skl_lstm import LookbackWindower, LSTMForecaster, forecast, make_supervised

METERS, HOURS, STEPS = 60, 200, 24


def meters(numbers):
    """Read the hours of some meters; in place of files."""
    hours = pd.date_range("2024-01-01", periods=HOURS, freq="h", name="hour")
    frames = {}
    for number in numbers:
        rng = np.random.default_rng(number)
        phase = rng.uniform(0, 24)
        load = 1 + number / 10 + np.sin(2 * np.pi * (np.arange(HOURS) + phase) / 24)
        frames[number] = pd.DataFrame({"load": load + rng.normal(0, 0.1, HOURS)}, index=hours)
    return pd.concat(frames, names=["meter", "hour"]).reset_index("meter")


# Some meters teach the model; a partition of the table holds all hours of its meters.
sample = meters(range(0, METERS, 4))
X, y = make_supervised(sample, horizon=STEPS, group="meter")
model = make_pipeline(
    LookbackWindower(look_back=48, group="meter"),
    LSTMForecaster(
        units=16, window_scaling="standard", epochs=10, windows_per_epoch=500, random_state=0
    ),
).fit(X, y)

parts = [range(start, start + 20) for start in range(0, METERS, 20)]
table = dd.from_map(meters, parts)


def ahead_of(partition):
    """Forecast the meters of a partition."""
    return forecast(model, partition, steps=STEPS).reset_index()


with dask.config.set(scheduler="threads"):
    ahead = table.map_partitions(ahead_of, meta=ahead_of(meters([0]))).compute()
print(ahead.groupby("meter")["load"].mean().round(2).tail(3).to_string())

# Meter by meter or all together: the same forecasts.
whole = forecast(model, meters(range(METERS)), steps=STEPS)
assert np.allclose(ahead["load"], whole)
