"""
Hourly load, a day ahead
========================

The load of a power grid for the next 24 hours, all at once. The temperature of the next day is
known from the weather forecast, and the calendar anyway; the wind is known only up to now.
A real table must then hold the temperature that was *forecast* for each hour. With the one that
was measured, the model, its interval and its backtest count on perfect weather forecasts, and
the errors are too small.
"""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstm import (
    ForecastDisplay,
    LookbackWindower,
    LSTMForecaster,
    backtest,
    forecast_interval,
    make_supervised,
)

# %%
# Twelve weeks of hours
# ---------------------
#
# People heat when it is cold, and work from Monday to Friday. The hours are those of a time zone
# whose clocks are changed after four weeks, which the windows do not mind. The last day is held
# out.

rng = np.random.default_rng(0)
hours = pd.date_range("2024-03-04", periods=84 * 24, freq="h", tz="Europe/Berlin", name="time")
of_day = 2 * np.pi * hours.hour / 24
frame = pd.DataFrame({"wind": 5 + rng.normal(size=len(hours)).cumsum() / 30}, index=hours)
frame["temp"] = 9 - 5 * np.cos(of_day - 0.8) + rng.normal(size=len(hours)).cumsum() / 20
frame["workday"] = hours.day_of_week < 5
frame["load"] = 300 - 3 * frame["temp"] + 20 * frame["workday"] + rng.normal(size=len(hours))
frame["load"] += 15 * np.sin(of_day - 2) * (0.5 + frame["workday"] / 2)
history, next_day = frame[:-24], frame[-24:]

data = ForecastDisplay.from_predictions(frame[["load", "temp", "wind"]], n_history=14 * 24)

# %%
# The model
# ---------
#
# The columns are named once, and with the same meaning in every function. With ``horizon=24`` a
# row of ``X`` holds the load and the wind of its hour, and what is known of the hour a day
# later; ``y`` has the next 24 loads.

known = ["temp", "workday"]
X, y = make_supervised(history, target="load", known=known, horizon=24)
X.tail(3)

# %%
# The weather is scaled, the load is not: ``window_scaling`` brings it to its own level in each
# window. Two days make a window.

weather = make_column_transformer(
    (StandardScaler(), ["temp", "wind"]),
    remainder="passthrough",
    verbose_feature_names_out=False,
).set_output(transform="pandas")
lstm = LSTMForecaster(
    window_scaling="last",
    reshape_mode="features",
    epochs=60,
    learning_rate=0.003,
    random_state=0,
)
model = make_pipeline(weather, LookbackWindower(look_back=48), lstm).fit(X, y)

# %%
# The next day
# ------------
#
# ``future`` has the temperature and the calendar of the next day. The interval is wider at those
# hours that have been harder to forecast; five clones of the model tell which.

ahead = forecast_interval(
    model, history, steps=24, target="load", known=known, future=next_day, refits=5
)
error = (ahead["forecast"] - next_day["load"]).abs().mean()
day_before = np.abs(history["load"].to_numpy()[-24:] - next_day["load"]).mean()
print(f"mean absolute error {error:.2f}, of the same hours a day before {day_before:.2f}")
assert error < 0.9 * day_before

# sphinx_gallery_thumbnail_number = 2
picture = ForecastDisplay.from_predictions(
    frame["load"], forecast=ahead, coverage=0.9, n_history=7 * 24
)

# %%
# Seven earlier days
# ------------------
#
# One day says little. Here each of the last seven days is forecast from the midnight before, by
# a model that was fitted once on what was known before them. The weather is made up, and so its
# forecasts are perfect here. The naive forecast of the season is that of the same hours a day
# before.

result = backtest(
    model,
    history,
    cv=7,
    steps=24,
    stride=24,
    refit=False,
    target="load",
    known=known,
    horizon=24,
    season=24,
)
table = result.compare()
assert table["ratio"]["model"] < 0.5
table[["MAE", "ratio", "better", "p_value"]].round(2)

# %%
week = result.plot()
