"""Losses, optimizers and metrics are said in plain values, under Keras's names."""

import json

import keras
import numpy as np
import pytest

from skl_lstm import LSTMForecaster
from skl_lstm.training import keras_names

X = np.random.default_rng(0).normal(size=(24, 6)).astype(np.float32)
Y = np.tanh(X[:, 0])


def forecaster(**parameters):
    settings = {"units": 3, "features_per_step": 2, "epochs": 2, "random_state": 0}
    return LSTMForecaster(**{**settings, **parameters})


@pytest.mark.parametrize(
    ("names", "module"),
    [
        (keras_names.LOSS_CLASSES, keras.losses),
        (keras_names.OPTIMIZER_CLASSES, keras.optimizers),
        (keras_names.METRIC_CLASSES, keras.metrics),
        (keras_names.SCHEDULE_CLASSES, keras.optimizers.schedules),
    ],
)
def test_the_names_are_those_of_classes_of_keras(names, module):
    for name in names:
        assert isinstance(getattr(module, name), type), name


@pytest.mark.parametrize("name", keras_names.LOSS_CLASSES)
def test_every_loss_can_be_said_with_its_arguments(name):
    loss = getattr(keras.losses, name)()
    described = keras_names.describe(loss, keras_names.LOSS_CLASSES)
    if isinstance(described, dict):
        json.dumps(described)
        made = getattr(keras.losses, name).from_config(described["config"])
        again = keras_names.describe(made, keras_names.LOSS_CLASSES)
        assert again == described
    else:
        assert described == name


def test_a_loss_that_would_not_tell_its_arguments_is_refused(monkeypatch):
    loss = keras.losses.Huber(2.0)
    monkeypatch.delattr(loss, "_fn_kwargs")
    message = "Huber does not reveal its delta; if that is the default, pass"
    with pytest.raises(ValueError, match=message):
        keras_names.describe(loss, keras_names.LOSS_CLASSES)


@pytest.mark.parametrize(
    "description",
    [{}, {"class_name": "Adam"}, {"class_name": "system", "config": {}, "module": "os"}],
)
@pytest.mark.parametrize("name", ["loss", "optimizer", "metrics"])
def test_a_description_of_nothing_of_keras_is_an_error_that_names_the_parameter(name, description):
    value = [description] if name == "metrics" else description
    with pytest.raises(ValueError, match=f"^{name} must be .* got "):
        forecaster(**{name: value}).fit(X, Y)
