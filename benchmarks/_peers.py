"""The same network in plain Keras and in SciKeras, from our initial weights."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@cache
def initial_weights(units: int, n_steps: int, n_features: int) -> list[NDArray]:
    """Find the weights with which ``LSTMForecaster(random_state=0)`` starts.

    One step of a size that changes nothing shows them.
    """
    # Late, for a process that only loads a SciKeras model has no need of it.
    from skl_lstm import LSTMForecaster

    shown = LSTMForecaster(
        units=units, epochs=1, optimizer="sgd", learning_rate=1e-30, random_state=0
    )
    return shown.fit(np.zeros((1, n_steps, n_features)), np.zeros(1)).weights_


def keras_network(units: int, n_steps: int, n_features: int) -> Any:
    """Build plain Keras's model, compiled."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((n_steps, n_features)),
            keras.layers.LSTM(units),
            keras.layers.Dense(1),
        ]
    )
    model.compile(loss="mse", optimizer="adam")
    model.set_weights(initial_weights(units, n_steps, n_features))
    model.optimizer.build(model.trainable_variables)
    return model


def keras_rewinder(model: Any) -> Callable[[], None]:
    """Give a function that puts a model and its optimizer back to where they stand now.

    So a model that is traced once can be trained again from the start.
    """
    variables = [*model.variables, *model.optimizer.variables]
    values = [variable.numpy() for variable in variables]

    def rewind() -> None:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    return rewind


def scikeras_regressor(units: int, n_steps: int, n_features: int, **parameters: Any) -> Any:
    """Wrap the Keras model for scikit-learn; ``model__units`` can be searched over."""
    from scikeras.wrappers import KerasRegressor

    return KerasRegressor(
        model=_scikeras_network,
        model__units=units,
        model__n_steps=n_steps,
        model__n_features=n_features,
        loss="mse",
        optimizer="adam",
        verbose=0,
        **parameters,
    )


def _scikeras_network(units: int, n_steps: int, n_features: int) -> Any:
    import keras

    model = keras.Sequential(
        [
            keras.Input((n_steps, n_features)),
            keras.layers.LSTM(units),
            keras.layers.Dense(1),
        ]
    )
    model.set_weights(initial_weights(units, n_steps, n_features))
    return model
