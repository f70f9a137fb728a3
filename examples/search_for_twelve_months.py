"""
A search for twelve months ahead
================================

A search of scikit-learn chooses the model that predicts the next row best. Whoever needs a year
ahead wants the model that forecasts a year best. :func:`~skl_lstm.forecast_scorer` is a scorer
like any other that judges a candidate by such forecasts.
"""

import pandas as pd
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skl_lstm import (
    ForecastDisplay,
    LookbackWindower,
    LSTMForecaster,
    backtest,
    forecast_interval,
    forecast_scorer,
    load_airline_passengers,
    make_supervised,
)

# %%
# The search
# ----------
#
# The last two years of the airline series are held out. A test part of 18 months has seven
# months from which twelve more are known; the score of a fold is the mean error of these seven
# forecasts.

series = load_airline_passengers()
history = series[:-24]
X, y = make_supervised(history)
search = GridSearchCV(
    make_pipeline(LookbackWindower(), LSTMForecaster(random_state=0)),
    {
        "lookbackwindower__look_back": [3, 6, 12, 18, 24],
        "lstmforecaster__window_scaling": ["last", "standard"],
    },
    cv=TimeSeriesSplit(3, test_size=18),
    scoring=forecast_scorer(12),
).fit(X, y)
print(search.best_params_)
assert search.best_params_["lookbackwindower__look_back"] >= 12

# %%
# What it saw
# -----------
#
# Mean absolute errors in the folds, in thousands of passengers. Windows shorter than a year may
# do for the next month, but over a year their errors add up.

found = pd.DataFrame(search.cv_results_).assign(error=-search.cv_results_["mean_test_score"])
errors = found.pivot(
    index="param_lookbackwindower__look_back",
    columns="param_lstmforecaster__window_scaling",
    values="error",
).rename_axis(index="look_back", columns="window_scaling")
errors.round(1)

# %%
# A year with an interval
# -----------------------
#
# The search has fitted the best candidate on all months before 1959. Of the values to come, nine
# in ten should be inside the interval.

model = search.best_estimator_
year = forecast_interval(model, history, steps=12, coverage=0.9)
truth = series[-24:-12]
error = (year["forecast"] - truth).abs().mean()
inside = truth.between(year["lower"], year["upper"]).sum()
print(f"mean absolute error {error:.1f}, {inside} of 12 months inside")
assert inside >= 9

picture = ForecastDisplay.from_predictions(series[:-12], forecast=year, coverage=0.9, n_history=72)

# %%
# One year says little
# --------------------
#
# The same from each of the 13 months from which twelve more are held out, with the model fitted
# once on the months before, beside the naive forecasts.

result = backtest(model, series, cv=13, steps=12, stride=1, refit=False)
table = result.compare()
assert table["ratio"]["model"] < 0.8
table[["MAE", "MASE", "ratio", "better"]].round(2)

# %%
paths = result.plot()
