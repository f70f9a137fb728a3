"""The published airline experiment: its errors, plain Keras's, and ours on the same rows.

Do we reach them? The published protocol: the series scaled as a whole, its first 67 % to train,
windows of 3 time steps without the last possible row, LSTM(4), batches of one row, 100 epochs.
Plain Keras and ours train on these very rows, each from 5 seeds of its own. Beside it the honest
protocol for ours: the scaler inside the pipeline, fitted on training rows alone, and no row left
out. Errors are root mean squared, in thousands of passengers (k) as the series has them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _airline import LOOK_BACK, TRAIN_SHARE, published_rows
from _harness import Report, alternate, arguments, installed
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import LookbackWindower, LSTMForecaster, load_airline_passengers, make_supervised

UNITS = 4
PUBLISHED = {"train": 23.69, "test": 58.88}

Errors = dict[str, float]


def keras_errors(seed: int, epochs: int) -> Errors:
    import keras

    train, test, scaler = published_rows()
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [keras.Input((LOOK_BACK, 1)), keras.layers.LSTM(UNITS), keras.layers.Dense(1)]
    )
    model.compile(loss="mean_squared_error", optimizer="adam")
    model.fit(*train, epochs=epochs, batch_size=1, verbose=0)
    return _errors(lambda X: model.predict(X, verbose=0)[:, 0], train, test, scaler)


def our_errors(seed: int, epochs: int) -> Errors:
    train, test, scaler = published_rows()
    forecaster = LSTMForecaster(units=UNITS, epochs=epochs, batch_size=1, random_state=seed)
    return _errors(forecaster.fit(*train).predict, train, test, scaler)


def _errors(
    predict: Any, train: tuple[NDArray, NDArray], test: tuple[NDArray, NDArray], scaler: Any
) -> Errors:
    errors = {}
    for name, (X, y) in {"train": train, "test": test}.items():
        truth, predicted = (
            scaler.inverse_transform(values.reshape(-1, 1)) for values in (y, predict(X))
        )
        errors[name] = root_mean_squared_error(truth, predicted)
    return errors


def our_honest_errors(seed: int, epochs: int) -> Errors:
    series = load_airline_passengers()
    X, y = make_supervised(series)
    n_train = int(len(series) * TRAIN_SHARE) - 1  # the last of them has its target there too
    forecaster = LSTMForecaster(units=UNITS, epochs=epochs, batch_size=1, random_state=seed)
    model = TransformedTargetRegressor(
        regressor=make_pipeline(MinMaxScaler(), LookbackWindower(LOOK_BACK), forecaster),
        transformer=MinMaxScaler(),
    ).fit(X.iloc[:n_train], y.iloc[:n_train])
    complete = slice(LOOK_BACK - 1, None)
    return {
        "train": root_mean_squared_error(
            y.iloc[:n_train][complete], model.predict(X.iloc[:n_train])[complete]
        ),
        "test": root_mean_squared_error(y.iloc[n_train:], model.predict(X.iloc[n_train:])),
    }


class Seeds:
    """A protocol, run with another seed at each call."""

    def __init__(self, errors: Any, epochs: int) -> None:
        self.errors, self.epochs = errors, epochs
        self.seen: list[Errors] = []

    def __call__(self) -> float:
        """Train from the next seed; give the error of the test rows."""
        self.seen.append(self.errors(len(self.seen), self.epochs))
        return self.seen[-1]["test"]

    def column(self, name: str) -> list[float]:
        """List the errors of one kind of rows."""
        return [float(errors[name]) for errors in self.seen]


def main() -> None:
    options = arguments(__doc__)
    report = Report(__doc__, options)
    epochs = 5 if options.quick else 100
    keras = Seeds(keras_errors, epochs) if installed("keras", "tensorflow") else None
    sides = {
        "Keras": keras,
        "skl_lstm": Seeds(our_errors, epochs),
        "skl_lstm, honest protocol": Seeds(our_honest_errors, epochs),
    }
    alternate(sides, options.runs)
    for name, published in PUBLISHED.items():
        columns = {side: seeds and seeds.column(name) for side, seeds in sides.items()}
        report.add(
            f"RMSE of {name} rows", {"published": [published], **columns}, "k", relate=False
        )
        for side, errors in columns.items():
            if errors:
                print(f"  {side}: mean {np.mean(errors):.2f}, spread {np.std(errors):.2f}")
        if keras is not None:
            ratio = np.mean(columns["skl_lstm"]) / np.mean(columns["Keras"])
            print(f"  mean of skl_lstm over mean of Keras: {ratio:.3f}")
    report.close()


if __name__ == "__main__":
    main()
