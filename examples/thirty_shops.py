"""
Thirty shops, one model
=======================

A week of sales ahead for each of thirty shops, with prices known ahead. One network learns from
the windows of all shops. No window reaches from one shop into another, and each shop is forecast
from its own last day.
"""

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skl_lstm import (
    ForecastDisplay,
    LookbackWindower,
    LSTMForecaster,
    PanelTimeSeriesSplit,
    backtest,
    forecast,
    make_supervised,
    panel_scorer,
)

# %%
# The table
# ---------
#
# Shop and day stand in the index. The shops opened on different days, the largest sells sixty
# times as much as the smallest, and one has been open for twenty days only.

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
sales.tail(4).round(1)

# %%
# One model
# ---------
#
# ``group`` says what tells the shops apart. Each window is brought to its own scale, so that
# small and large shops teach each other. ``padding="edge"`` repeats the first day of a shop in
# windows that begin before it, so that the shop of twenty days counts too. The price: of every
# shop, the first thirteen windows are made up in part. If all series are long, leave it out.

model = Pipeline(
    [
        ("window", LookbackWindower(look_back=14, padding="edge", group="shop")),
        ("lstm", LSTMForecaster(units=16, window_scaling="mean", epochs=60, random_state=0)),
    ]
)

# %%
# The folds are cut on the same day in all shops, and every shop counts alike, whatever it sells.
# The search gets the days before two weeks that are to judge what it selects.

earlier = sales[sales.index.get_level_values("day") < days[-21]]
X, y = make_supervised(earlier, target="sold", known="price", group="shop")
search = GridSearchCV(
    model,
    {"lstm__learning_rate": [0.003, 0.01]},
    cv=PanelTimeSeriesSplit(n_splits=2, test_size=14),
    scoring=panel_scorer("shop"),
).fit(X, y)
print("learning rate:", search.best_params_["lstm__learning_rate"])

# %%
# The next week
# -------------
#
# The model that was selected learns from all days. All shops are forecast side by side, each with
# its own prices.

X, y = make_supervised(sales, target="sold", known="price", group="shop")
best = clone(search.best_estimator_).fit(X, y)
ahead = forecast(best, sales, steps=7, target="sold", future=later[["price"]])
truth = later["sold"].reindex(ahead.index)
error = (ahead - truth).abs().groupby("shop").sum() / truth.groupby("shop").sum()
print(f"error of the median shop: {100 * error.median():.0f} % of what it sold")
assert error.median() < 0.1

picture = ForecastDisplay.from_predictions(
    table[["sold"]],
    forecast=ahead,
    series=["shop 0", "shop 15", "shop 29"],
    n_history=60,
)

# %%
# How good is it?
# ---------------
#
# The two weeks that the search has not seen are forecast from what was known before each, and
# compared with what the last day, and the same day of the week before, would have said. MASE
# divides the errors of each shop by those of its own past, so that the shops can be averaged.

result = backtest(
    best,
    sales,
    cv=PanelTimeSeriesSplit(2, test_size=7),
    target="sold",
    known="price",
)
table = result.compare(metric="MASE")
assert table["ratio"]["model"] < 0.8
table[["MASE", "ratio", "better"]].round(2)

# %%
# The measures of each shop are there too: the best, the median and the worst.

result.by_series.loc["model"]["MASE"].describe()[["min", "50%", "max"]].round(2)

# %%
paths = result.plot(series=["shop 0", "shop 15"])
