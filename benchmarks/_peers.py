"""The same network in plain Keras and SciKeras, with the initial weights of skl_lstm."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


# Units of one layer, or of several.
Units = int | tuple[int, ...]


@cache
def initial_weights(units: Units, n_steps: int, n_features: int) -> list[NDArray]:
    """Return the initial weights of ``LSTMForecaster(random_state=0)``.

    They are read after one update that is too small to change them.
    """
    # Imported here because a process that only loads a SciKeras model does not need it.
    from skl_lstm import LSTMForecaster

    shown = LSTMForecaster(
        units=units, epochs=1, optimizer="sgd", learning_rate=1e-30, random_state=0
    )
    return shown.fit(np.zeros((1, n_steps, n_features)), np.zeros(1)).weights_


def keras_network(units: Units, n_steps: int, n_features: int) -> Any:
    """Return the compiled model in plain Keras."""
    model = _network(units, n_steps, n_features)
    model.compile(loss="mse", optimizer="adam")
    model.optimizer.build(model.trainable_variables)
    return model


def keras_rewinder(model: Any) -> Callable[[], None]:
    """Return a function that restores the current state of a model and its optimizer.

    With it, a model that is traced once can be trained again from the start.
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
        model=_network,
        model__units=units,
        model__n_steps=n_steps,
        model__n_features=n_features,
        loss="mse",
        optimizer="adam",
        verbose=0,
        **parameters,
    )


def _network(units: Units, n_steps: int, n_features: int) -> Any:
    import keras

    *lower, last = (units,) if isinstance(units, int) else units
    model = keras.Sequential(
        [
            keras.Input((n_steps, n_features)),
            *(keras.layers.LSTM(n_units, return_sequences=True) for n_units in lower),
            keras.layers.LSTM(last),
            keras.layers.Dense(1),
        ]
    )
    model.set_weights(initial_weights(units, n_steps, n_features))
    return model
