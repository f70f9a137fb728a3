"""
From a series to a forecast
===========================

The shortest way: a series of monthly values, a model, and the next year with an interval. The
series is the number of airline passengers per month, 1949 to 1960, in thousands.
"""

from sklearn.pipeline import make_pipeline

from skl_lstm import (
    ForecastDisplay,
    LookbackWindower,
    LossCurveDisplay,
    LSTMForecaster,
    forecast,
    load_airline_passengers,
    make_supervised,
)

series = load_airline_passengers()
series.tail(3)

# %%
# A row of ``X`` is a month, and ``y`` is the value of the month after it. The windower joins
# each month with the eleven before it. ``window_scaling`` brings each window to its own level,
# so that no scaler is needed and the model can forecast more passengers than it has seen.

X, y = make_supervised(series)
model = make_pipeline(
    LookbackWindower(look_back=12),
    LSTMForecaster(window_scaling="standard", random_state=0),
)
model.fit(X, y)

# %%
# A forecast goes on with the dates of the series.

year = forecast(model, series, steps=12)
assert 450 < year.mean() < 560  # 1960 had 476, and each year had some 40 more
year.round()

# %%
# The display makes the forecast itself. Its interval comes from the errors of clones of the
# model that were fitted on earlier rows only; it is wider on the side where they have been
# larger.

display = ForecastDisplay.from_estimator(model, series, steps=12, coverage=0.9, n_history=60)

# %%
# Has it been trained for long enough? The loss hardly falls any more.

losses = LossCurveDisplay.from_estimator(model)
