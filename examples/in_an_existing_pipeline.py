"""An LSTM in a scikit-learn pipeline that exists already, beside Ridge and boosted trees.

The windows are a transformer, so that each regressor gets the same ones. Targets of 14 days
overlap; KnownRowsRegressor leaves the last 13 training rows of a fold out, whose targets lie in
the test fold, so that a search does not favor what it has seen.
"""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from skl_lstm import (
    KnownRowsRegressor,
    LookbackWindower,
    LSTMForecaster,
    forecast,
    make_supervised,
)

rng = np.random.default_rng(0)
days = pd.date_range("2023-01-01", periods=500, name="day")
shop = pd.DataFrame({"price": rng.choice([4.0, 5.0, 6.0], 500)}, index=days)
shop["weekday"] = days.day_name()
shop["sold"] = 80 - 8 * shop["price"] + 10 * (days.day_of_week == 5) + rng.normal(size=500)
shop.loc["2023-06-10":"2023-06-12", "sold"] = np.nan  # the cash register was out of order
history, future = shop[:-14], shop[-14:]

names = {"target": "sold", "known": ["price", "weekday"]}
X, y = make_supervised(history, **names, horizon=14)

columns = make_column_transformer(
    (OneHotEncoder(sparse_output=False), ["weekday"]),
    remainder="passthrough",
    verbose_feature_names_out=False,
).set_output(transform="pandas")
lstm = LSTMForecaster(
    window_scaling="standard", target="sold", reshape_mode="features", epochs=60, random_state=0
)
pipeline = Pipeline(
    [
        ("columns", columns),
        ("windows", LookbackWindower(look_back=14)),
        ("regressor", KnownRowsRegressor(horizon=14)),
    ]
)
search = GridSearchCV(
    pipeline,
    {"regressor__regressor": [Ridge(), lstm], "windows__look_back": [14, 21]},
    cv=TimeSeriesSplit(3, test_size=28),
).fit(X, y)
print(pd.DataFrame(search.cv_results_)[["params", "mean_test_score"]].to_string())

ahead = forecast(search, history, steps=14, **names, future=future)
error = (ahead - future["sold"]).abs().mean()
print(f"mean absolute error of 14 days {error:.2f}")
assert error < 3
