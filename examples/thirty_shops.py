"""Thirty shops, one model: a week of sales ahead for each, with prices known ahead.

One network learns from the windows of all shops. No window reaches from one shop into another, and
each shop is forecast from its own last day. The shops opened on different days, and one has been
open for twenty days only.
"""

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skl_lstm import (
    LookbackWindower,
    LSTMForecaster,
    PanelTimeSeriesSplit,
    backtest,
    forecast,
    make_supervised,
    panel_scorer,
)

rng = np.random.default_rng(0)
days = pd.date_range("2024-01-01", periods=127, name="day")
shops = {}
for number in range(30):
    level = 20.0 * 1.15**number
    price = rng.choice([4.0, 5.0], days.size)
    week = 1 + 0.3 * np.sin(2 * np.pi * days.day_of_week / 7)
    sold = level * week * (6 - price) * rng.normal(1, 0.05, days.size)
    opened = 100 if number == 29 else 2 * number
    shops[f"shop {number}"] = pd.DataFrame({"sold": sold, "price": price}, index=days)[opened:]
table = pd.concat(shops, names=["shop", "day"]).sort_index(level="day")
last_week = table.index.get_level_values("day") >= days[-7]
sales, later = table[~last_week], table[last_week]

names = {"target": "sold", "known": ["price"]}
X, y = make_supervised(sales, **names, group="shop")

# Each window is brought to its own scale, so small and large shops teach each other.
model = Pipeline(
    [
        ("window", LookbackWindower(look_back=14, padding="edge", group="shop")),
        ("lstm", LSTMForecaster(units=16, window_scaling="mean", epochs=15, random_state=0)),
    ]
)

# Folds are cut on the same day in all shops, and every shop counts alike.
search = GridSearchCV(
    model,
    {"lstm__learning_rate": [0.003, 0.01]},
    cv=PanelTimeSeriesSplit(n_splits=2, test_size=14),
    scoring=panel_scorer("shop"),
).fit(X, y)
print("learning rate:", search.best_params_["lstm__learning_rate"])

ahead = forecast(search, sales, steps=7, future=later[["price"]])
truth = later["sold"].reindex(ahead.index)
error = (ahead - truth).abs().groupby("shop").sum() / truth.groupby("shop").sum()
print(f"error of the median shop: {100 * error.median():.0f} % of what it sold")

result = backtest(search.best_estimator_, sales, cv=PanelTimeSeriesSplit(2, test_size=7), **names)
print(result.compare(metric="MASE")[["MASE", "ratio"]].round(2).to_string())
print(result.by_series.loc["model"]["MASE"].describe()[["min", "50%", "max"]].round(2).to_string())
