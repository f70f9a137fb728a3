"""A long table of shops: one series at a time.

A window, and a target, belong to one series. An index of shop and day is refused instead of being
taken for one series; each shop is selected, and gets a model of its own.
"""

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skl_lstm import LookbackWindower, LSTMForecaster, forecast, make_supervised

rng = np.random.default_rng(0)
days = pd.date_range("2024-01-01", periods=120, name="day")
table = pd.DataFrame(
    {
        "shop": np.repeat(["north", "south", "west"], 120),
        "day": np.tile(days, 3),
        "price": rng.uniform(4, 6, 360),
    }
)
level = table["shop"].map({"north": 100, "south": 60, "west": 30})
table["sold"] = level - 4 * table["price"] + np.tile(days.day_of_week == 5, 3) * level / 10
sales = table.set_index(["shop", "day"]).sort_index()

names = {"target": "sold", "known": ["price"]}
try:
    make_supervised(sales, **names)
except ValueError as error:
    print(error)

model = make_pipeline(
    LookbackWindower(look_back=14),
    LSTMForecaster(window_scaling="last", reshape_mode="features", epochs=50, random_state=0),
)
forecasts = {}
for shop in sales.index.unique("shop"):
    series = sales.xs(shop, level="shop")
    history, future = series[:-7], series[-7:]
    fitted = clone(model).fit(*make_supervised(history, **names))
    forecasts[shop] = forecast(fitted, history, steps=7, **names, future=future)
print(pd.DataFrame(forecasts).round(1))
