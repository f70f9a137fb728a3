"""
A table larger than memory
==========================

Train on a part of the series, and forecast all of them, partition by partition.
:func:`~skl_lstm.forecast` depends only on the fitted model and on the rows that it gets, so a
scheduler can call it once for each partition of whole series. This example needs ``pip install
"dask[dataframe]"``, which the extra ``dask`` of this package does not include.
"""

from collections.abc import Iterable

import dask.config
import dask.dataframe as dd
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from skl_lstm import ForecastDisplay, LookbackWindower, LSTMForecaster, forecast, make_supervised

# %%
# Meters
# ------
#
# Sixty meters of 200 hours stand for millions. Each has its own level, and its own hour of the
# highest load.

METERS, HOURS, STEPS = 60, 200, 24


def meters(numbers: Iterable[int]) -> pd.DataFrame:
    """Read the hours of some meters; in place of files."""
    hours = pd.date_range("2024-01-01", periods=HOURS, freq="h", name="hour")
    frames = {}
    for number in numbers:
        rng = np.random.default_rng(number)
        phase = rng.uniform(0, 24)
        load = 1 + number / 10 + np.sin(2 * np.pi * (np.arange(HOURS) + phase) / 24)
        frames[f"meter {number:02}"] = pd.DataFrame(
            {"load": load + rng.normal(0, 0.1, HOURS)}, index=hours
        )
    return pd.concat(frames, names=["meter", "hour"]).reset_index("meter")


# %%
# A part of them teaches the model
# --------------------------------
#
# Every fourth meter is enough. ``windows_per_epoch`` bounds the time of an epoch, however many
# there are.

sample = meters(range(0, METERS, 4))
X, y = make_supervised(sample, horizon=STEPS, group="meter")
model = make_pipeline(
    LookbackWindower(look_back=48, group="meter"),
    LSTMForecaster(
        units=16, window_scaling="standard", epochs=10, windows_per_epoch=500, random_state=0
    ),
).fit(X, y)

# %%
# Partition by partition
# ----------------------
#
# A partition holds all hours of its meters. Dask reads it, forecasts, and lets it go. A table that
# is cut by rows may divide a meter between two partitions, each of which then forecasts it. If
# there is no file for each meter, ``table.set_index("meter")`` brings its rows into one partition,
# and ``partition.set_index("hour", append=True).sort_index()`` is what to forecast.

parts = [range(start, start + 20) for start in range(0, METERS, 20)]
table = dd.from_map(meters, parts)


def ahead_of(partition: pd.DataFrame) -> pd.DataFrame:
    """Forecast the meters of a partition."""
    return forecast(model, partition, steps=STEPS).reset_index()


with dask.config.set(scheduler="threads"):
    ahead = table.map_partitions(ahead_of, meta=ahead_of(meters([0]))).compute()
assert (ahead.groupby("meter").size() == STEPS).all()  # no meter was divided
ahead.tail(3)

# %%
# Meter by meter or all together: the forecasts are the same.

whole = forecast(model, meters(range(METERS)), steps=STEPS)
assert np.allclose(ahead["load"], whole)

# %%
# Two meters that the model has not been trained on.

picture = ForecastDisplay.from_predictions(
    meters(range(METERS)).set_index("meter", append=True).swaplevel()[["load"]],
    forecast=whole,
    series=["meter 01", "meter 59"],
    n_history=120,
)
