"""The airline tutorial, as it is written by hand with Keras, and the same with this package.

The tutorial scales the series, cuts windows in a loop, reshapes them to three dimensions, splits
by position, trains, and undoes the scaling. Here these are steps of a scikit-learn pipeline, and
its scalers see training rows only.
"""

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    LookbackWindower,
    LSTMForecaster,
    forecast,
    load_airline_passengers,
    make_supervised,
)

series = load_airline_passengers()
X, y = make_supervised(series)  # create_dataset: y is the value of the next month

# scaler.fit_transform, the loop over look_back and trainX.reshape are the first three lines.
lstm = LSTMForecaster(units=4, epochs=100, batch_size=1, random_state=0)
model = TransformedTargetRegressor(
    make_pipeline(MinMaxScaler(), LookbackWindower(look_back=3), lstm),
    transformer=MinMaxScaler(),
)
n_train = int(len(X) * 0.67)
model.fit(X[:n_train], y[:n_train])  # model.compile and model.fit

# The first test windows reach back into the training rows; inverse_transform is done by predict.
predicted = model.predict(X[n_train:])
print(f"train RMSE {root_mean_squared_error(y[:n_train], model.predict(X[:n_train])):.1f}")
print(f"test RMSE {root_mean_squared_error(y[n_train:], predicted):.1f}")

# Levels beyond the training rows are out of reach of such a network; normalized windows are not.
normalized = make_pipeline(
    LookbackWindower(look_back=13),
    LSTMForecaster(window_scaling="last", reshape_mode="features", random_state=0),
).fit(X[:n_train], y[:n_train])
error = root_mean_squared_error(y[n_train:], normalized.predict(X[n_train:]))
print(f"test RMSE with window_scaling='last' {error:.1f}")
assert error < root_mean_squared_error(y[n_train:], predicted)

# The network itself is a Keras model for whoever wants it.
year = forecast(normalized, series, steps=12)
assert np.isfinite(year).all()
normalized[-1].to_keras().summary()
