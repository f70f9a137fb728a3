"""
Into an existing pipeline
=========================

A project has a pipeline and a search with boosted trees and a linear model. An LSTM becomes one
more candidate of that search: the steps before it, the folds and the scores stay as they are.
"""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from skl_lstm import (
    ForecastDisplay,
    KnownRowsRegressor,
    LookbackWindower,
    LSTMForecaster,
    backtest,
    forecast,
    make_supervised,
)

# %%
# The sales of a shop
# -------------------
#
# They depend on the price and the day of the week, and on a popularity that comes and goes,
# which only the last days' sales tell. On three days the cash register was out of order. The
# last fortnight is held out.

rng = np.random.default_rng(0)
days = pd.date_range("2023-01-01", periods=500, name="day")
shop = pd.DataFrame({"price": rng.choice([4.0, 5.0, 6.0], 500)}, index=days)
shop["weekday"] = days.day_name()
popular = 8 * np.sin(np.arange(500) / 25) + rng.normal(size=500).cumsum() / 2
shop["sold"] = 90 - 8 * shop["price"] + 10 * (days.day_of_week == 5) + popular
shop["sold"] += rng.normal(size=500)
shop.loc["2023-06-10":"2023-06-12", "sold"] = np.nan
history, future = shop[:-14], shop[-14:]

# %%
# What is there already
# ---------------------
#
# Price and weekday of a day, and a regressor.

columns = make_column_transformer(
    (OneHotEncoder(sparse_output=False), ["weekday"]),
    remainder="passthrough",
    verbose_feature_names_out=False,
).set_output(transform="pandas")
pipeline = Pipeline([("columns", columns), ("regressor", HistGradientBoostingRegressor())])

# %%
# Windows for all of them
# -----------------------
#
# The windows are one more step, so that each regressor sees the same last days.
# ``make_supervised`` puts the price and the weekday of the next day, which are known, beside
# what was sold up to now. :class:`~skl_lstm.KnownRowsRegressor` leaves out the rows with a
# missing value, which Ridge refuses and a target must not have; it does so behind the windower,
# so that no window leaps over the missing days. Boosted trees accept windows with gaps, and keep
# them.

X, y = make_supervised(history, target="sold", known=["price", "weekday"])


def with_windows(regressor: BaseEstimator) -> Pipeline:
    """Put the windows before a regressor."""
    return Pipeline(
        [
            ("columns", columns),
            ("windows", LookbackWindower(look_back=14)),
            ("regressor", KnownRowsRegressor(regressor)),
        ]
    )


# %%
# One more candidate
# ------------------
#
# The folds judge by the next day; :func:`~skl_lstm.forecast_scorer` would judge by fourteen days
# ahead. Metrics by name, such as this one, refuse missing targets: here the missing days lie
# before all test folds.

lstm = LSTMForecaster(
    window_scaling="standard",
    reshape_mode="features",
    epochs=60,
    random_state=0,
)
candidates = {
    "Ridge": Ridge(),
    "boosted trees": HistGradientBoostingRegressor(max_iter=40, max_leaf_nodes=8, random_state=0),
    "LSTM": lstm,
}
search = GridSearchCV(
    with_windows(Ridge()),
    {"regressor__regressor": list(candidates.values())},
    cv=TimeSeriesSplit(3, test_size=28),
    scoring="neg_mean_absolute_error",
).fit(X, y)
assert search.best_score_ > -3

pd.DataFrame(
    {"mean absolute error": -search.cv_results_["mean_test_score"]}, index=list(candidates)
).round(2)

# %%
# A fortnight ahead
# -----------------
#
# :func:`~skl_lstm.forecast` takes the search, and so the best of them: it feeds each day's
# forecast back into the windows of the next.

ahead = forecast(
    search, history, steps=14, target="sold", known=["price", "weekday"], future=future
)
error = np.abs(ahead.to_numpy() - future["sold"].to_numpy()).mean()
print(f"mean absolute error of 14 days {error:.2f}")
assert error < 6

picture = ForecastDisplay.from_predictions(shop["sold"], forecast=ahead, n_history=100)

# %%
# How do all three do from other days? Each is fitted once, and forecasts a fortnight from every
# seventh of the last 70 days.

result = backtest(
    {name: with_windows(candidate) for name, candidate in candidates.items()},
    history,
    cv=9,
    steps=14,
    stride=7,
    refit=False,
    target="sold",
    known=["price", "weekday"],
    season=7,
)
result.compare()[["MAE", "ratio", "p_value"]].round(2)

# %%
# The sales of this shop are a sum of effects, which is what a linear model is made for. On other
# sales another of them may be the best; the table tells.

paths = result.plot()
