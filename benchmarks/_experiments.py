"""The published experiments: estimators, rows, measurements and published figures.

The parameters of an estimator describe a network and its training completely, so plain Keras can
be configured from them too (`_keras_peer.PlainKeras`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from _airline import TRAIN_SHARE, published_rows
from _harness import in_fresh_process
from _keras_peer import PlainKeras, predict_from_file
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    root_mean_squared_error,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    LookbackWindower,
    LSTMClassifier,
    LSTMForecaster,
    load_airline_passengers,
    load_kernel,
    make_supervised,
)

Figures = dict[str, float]
Rows = tuple[NDArray, NDArray]


@dataclass(frozen=True)
class Experiment:
    """A network, its training rows and its measurements.

    Parameters
    ----------
    name : str
        Number and description.
    estimator : LSTMForecaster or LSTMClassifier
        The skl_lstm estimator, without a seed.
    train : tuple of ndarray
        X and y to fit on.
    measure : callable
        Function that takes a fitted model, of skl_lstm or plain Keras, and returns figures by
        name.
    published : mapping of str to float
        Published figures, with the same names.
    honest : callable, optional
        Function that takes the estimator with its seed and returns its figures, with the same
        names, without the data leaks of the published protocol.
    """

    name: str
    estimator: Any
    train: Rows
    measure: Callable[[Any], Figures]
    published: Mapping[str, float] = field(default_factory=dict)
    honest: Callable[[Any], Figures] | None = None


def experiments() -> list[Experiment]:
    """Return all experiments in the order of their numbers."""
    return [
        airline("1 airline, look_back 1, features", 1, (22.93, 47.53), reshape_mode="features"),
        airline("2 airline, look_back 3, features", 3, (24.19, 58.03), reshape_mode="features"),
        airline("3 airline, look_back 3, time steps", 3, (23.69, 58.88)),
        airline("4 airline, look_back 3, stateful", 3, (20.74, 52.23), stateful=True),
        airline("5 airline, two stateful layers", 3, (20.49, 56.35), units=(4, 4), stateful=True),
        sequence(),
        saved_pairs(),
        sine(),
        made_classes("9a two classes of synthetic sequences", periods=(6.0, 9.0)),
        made_classes("9b three classes of synthetic sequences", periods=(5.0, 7.0, 10.0)),
        digits(),
        optimizer("10a sgd, rate 0.1, momentum 0.3", "sgd", 0.1, {"momentum": 0.3}),
        optimizer("10b rmsprop", "rmsprop"),
        optimizer("10c adam", "adam"),
    ]


def airline(
    name: str, look_back: int, published: tuple[float, float], **parameters: Any
) -> Experiment:
    """Return an experiment on the airline series; its errors are in thousands of passengers.

    The published protocol scales the whole series at once, including the test values, and leaves
    out the last possible row of each part. A stateful network predicts the training rows and
    then the test rows, each from zero states, because the published code resets the states in
    between.
    """
    train, test, scaler = published_rows(look_back)
    parts = {
        "RMSE train": (train[0][:, :, 0], train[1]),
        "RMSE test": (test[0][:, :, 0], test[1]),
    }

    def measure(fitted: Any) -> Figures:
        return {
            part: root_mean_squared_error(_unscaled(y, scaler), _unscaled(predicted, scaler))
            for part, (X, y) in parts.items()
            for predicted in [fitted.predict(X)]
        }

    return Experiment(
        name,
        LSTMForecaster(**{"units": 4, "epochs": 100, "batch_size": 1, **parameters}),
        parts["RMSE train"],
        measure,
        dict(zip(parts, published, strict=True)),
        lambda forecaster: honest_airline(forecaster, look_back),
    )


def _unscaled(values: NDArray, scaler: MinMaxScaler) -> NDArray:
    return scaler.inverse_transform(values.reshape(-1, 1))[:, 0]


def honest_airline(forecaster: LSTMForecaster, look_back: int) -> Figures:
    """Return the errors without leaks: with training-only scalers, all rows, carried states."""
    X, y = make_supervised(load_airline_passengers())
    n_train = int((len(X) + 1) * TRAIN_SHARE) - 1  # the last training value is a target
    model = TransformedTargetRegressor(
        regressor=make_pipeline(MinMaxScaler(), LookbackWindower(look_back), forecaster),
        transformer=MinMaxScaler(),
    ).fit(X.iloc[:n_train], y.iloc[:n_train])
    # States, like windows, continue from the last training row.
    onwards = {"initial_state": "fit"} if forecaster.stateful else {}
    predicted = {
        "RMSE train": model.predict(X.iloc[:n_train])[look_back - 1 :],
        "RMSE test": model.predict(X.iloc[n_train:], **onwards),
    }
    truth = {"RMSE train": y.iloc[look_back - 1 : n_train], "RMSE test": y.iloc[n_train:]}
    return {part: root_mean_squared_error(truth[part], predicted[part]) for part in truth}


def sequence() -> Experiment:
    """Return the experiment that predicts the next value of 0.0, 0.1 … 0.8, in one batch."""
    X, y = _pairs(9)

    def measure(fitted: Any) -> Figures:
        predicted = fitted.predict(X)
        return {
            "MSE": mean_squared_error(y, predicted),
            "correct to one decimal, of 9": np.sum(np.rint(10 * predicted) == np.rint(10 * y)),
        }

    return Experiment(
        "6 the sequence 0.0, 0.1 … 0.9",
        LSTMForecaster(units=10, epochs=1000, batch_size=len(X)),
        (X, y),
        measure,
        {"MSE": 4.5e-5, "correct to one decimal, of 9": 9},
    )


def saved_pairs() -> Experiment:
    """Return the experiment that saves a model of five pairs and loads it in another process."""
    X, y = _pairs(5)

    def measure(fitted: Any) -> Figures:
        predicted = fitted.predict(X)
        return {
            "MSE": mean_squared_error(y, predicted),
            "change of the predictions": np.abs(_predicted_elsewhere(fitted, X) - predicted).max(),
        }

    return Experiment(
        "7 five pairs, saved, loaded in another process",
        LSTMForecaster(units=10, epochs=300, shuffle=False),
        (X, y),
        measure,
        {"change of the predictions": 0.0},
    )


def _pairs(n: int) -> Rows:
    values = np.arange(n + 1) / 10
    return values[:-1, np.newaxis], values[1:]


def _predicted_elsewhere(fitted: Any, X: NDArray) -> NDArray:
    """Save a model to a file and return the predictions of another process that loads it."""
    is_keras = isinstance(fitted, PlainKeras)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("model.keras" if is_keras else "model.h5")
        fitted.save(path)
        load = predict_from_file if is_keras else predict_from_our_file
        rows = X[..., np.newaxis] if is_keras else X
        _, predicted = in_fresh_process(load, str(path), rows.tolist())
    return np.array(predicted)


def predict_from_our_file(path: str, rows: list) -> list[float]:
    load_kernel()  # as a fit does: without it, the last bits differ
    return LSTMForecaster.load(path).predict(rows).tolist()


def sine() -> Experiment:
    """Return the experiment on a sine of 100 values, one radian apart, in windows of 50.

    Point by point, each window has true values. For the whole sequence, only the first window
    does, and each prediction becomes the last value of the next window. The published number of
    epochs is unknown; after 500 epochs of one update each, plain Keras follows the sine.
    """
    X, y = sine_rows()

    def measure(fitted: Any) -> Figures:
        return {
            "RMSE point by point": root_mean_squared_error(y, fitted.predict(X)),
            "RMSE whole sequence": root_mean_squared_error(y, whole_sequence(fitted, X[0], 50)),
        }

    return Experiment(
        "8 sine, windows of 50, network 1-5-20-1",
        LSTMForecaster(units=(5, 20), epochs=500, batch_size=512, validation_split=0.05),
        (X, y),
        measure,
    )


def sine_rows() -> Rows:
    wave = np.sin(np.arange(-50.0, 50.0))
    return np.lib.stride_tricks.sliding_window_view(wave, 50)[:-1], wave[50:]


def whole_sequence(fitted: Any, window: NDArray, n_steps: int) -> NDArray:
    """Predict step by step, appending each prediction to the window."""
    predicted = np.concatenate([window, np.empty(n_steps)])
    for step in range(n_steps):
        seen = predicted[np.newaxis, step : step + len(window)]
        predicted[step + len(window)] = fitted.predict(seen)[0]
    return predicted[len(window) :]


def made_classes(name: str, periods: tuple[float, ...]) -> Experiment:
    """Return the experiment that classifies noisy waves of 24 steps and any phase by period."""
    random = np.random.default_rng(0)
    labels = np.arange(600) % len(periods)
    phases = random.uniform(0.0, 2.0 * np.pi, (len(labels), 1))
    waves = np.sin(2.0 * np.pi * np.arange(24) / np.array(periods)[labels, np.newaxis] + phases)
    X = waves + random.normal(scale=0.8, size=waves.shape)
    return Experiment(
        name,
        LSTMClassifier(units=10, epochs=20, learning_rate=0.01),
        (X[:300], labels[:300]),
        lambda fitted: classification(fitted, X[300:], labels[300:]),
    )


def digits() -> Experiment:
    """Return the experiment on handwritten digits, with each of 8 pixel rows as a time step."""
    X, labels = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X / 16.0, labels, test_size=0.25, stratify=labels, random_state=0
    )
    return Experiment(
        "9c digits, 8 rows as 8 time steps",
        LSTMClassifier(units=64, features_per_step=8, epochs=30, learning_rate=0.005),
        (X_train, y_train),
        lambda fitted: classification(fitted, X_test, y_test),
    )


def classification(fitted: Any, X: NDArray, labels: NDArray) -> Figures:
    """Evaluate classes and probabilities on held-out rows."""
    return {
        "accuracy": accuracy_score(labels, fitted.predict(X)),
        "log loss": log_loss(labels, fitted.predict_proba(X)),
    }


def optimizer(
    name: str, optimizer: str, learning_rate: float | None = None, kwargs: dict | None = None
) -> Experiment:
    """Return a regression on the airline rows, evaluated on the test rows in scaled units."""
    train, test, _ = published_rows()
    X_test, y_test = test[0][:, :, 0], test[1]

    def measure(fitted: Any) -> Figures:
        predicted = fitted.predict(X_test)
        return {
            "MSE": mean_squared_error(y_test, predicted),
            "MAE": mean_absolute_error(y_test, predicted),
            "loss of the last epoch": fitted.history_["loss"][-1],
        }

    return Experiment(
        name,
        LSTMForecaster(
            units=10,
            epochs=100,
            batch_size=10,
            optimizer=optimizer,
            learning_rate=learning_rate,
            optimizer_kwargs=kwargs,
            metrics=["mae"],
        ),
        (train[0][:, :, 0], train[1]),
        measure,
    )
