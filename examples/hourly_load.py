"""Hourly load with temperature and calendar: the next 24 hours, at once.

The temperature of the next day is known from the weather forecast, and the calendar anyway; the
wind is known only up to now.
"""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstm import LookbackWindower, LSTMForecaster, backtest, forecast, make_supervised

rng = np.random.default_rng(0)
hours = pd.date_range("2024-03-04", periods=84 * 24, freq="h", tz="Europe/Berlin", name="time")
of_day = 2 * np.pi * hours.hour / 24
frame = pd.DataFrame({"wind": 5 + rng.normal(size=len(hours)).cumsum() / 30}, index=hours)
frame["temp"] = 9 - 5 * np.cos(of_day - 0.8) + rng.normal(size=len(hours)).cumsum() / 20
frame["workday"] = hours.day_of_week < 5
frame["load"] = 300 - 3 * frame["temp"] + 20 * frame["workday"] + rng.normal(size=len(hours))
frame["load"] += 15 * np.sin(of_day - 2) * (0.5 + frame["workday"] / 2)
history, next_day = frame[:-24], frame[-24:]

# The columns are named once, with the same meaning in every function.
names = {"target": "load", "known": ["temp", "workday"]}

# A row of X holds the load and the wind of its hour, and what is known of the hour a day later.
X, y = make_supervised(history, **names, horizon=24)
weather = make_column_transformer(
    (StandardScaler(), ["temp", "wind"]),
    remainder="passthrough",
    verbose_feature_names_out=False,
).set_output(transform="pandas")
lstm = LSTMForecaster(
    window_scaling="last",
    target="load",
    reshape_mode="features",
    epochs=60,
    learning_rate=0.003,
    random_state=0,
)
model = make_pipeline(weather, LookbackWindower(look_back=48), lstm).fit(X, y)

ahead = forecast(model, history, steps=24, **names, future=next_day)
error = (ahead - next_day["load"]).abs().mean()
day_before = np.abs(history["load"].to_numpy()[-24:] - next_day["load"]).mean()
print(f"mean absolute error {error:.2f}, of the same hours a day before {day_before:.2f}")
assert error < day_before

# The same from three earlier days, each with a model that was trained on the days before.
folds = TimeSeriesSplit(3, test_size=24)
result = backtest(model, history, cv=folds, steps=24, **names, horizon=24, season=24)
print(result.compare()[["MAE", "ratio", "p_value"]].round(2))
