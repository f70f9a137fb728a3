"""Losses, optimizers and metrics are said in plain values, under Keras's names."""

import contextlib
import json
import re
import sys
from operator import attrgetter

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
        (keras_names.LOSS_CLASSES, "losses"),
        (keras_names.OPTIMIZER_CLASSES, "optimizers"),
        (keras_names.METRIC_CLASSES, "metrics"),
        (keras_names.SCHEDULE_CLASSES, "optimizers.schedules"),
    ],
)
def test_the_names_are_those_of_classes_of_keras(names, module):
    keras = pytest.importorskip("keras")
    for name in names:
        assert isinstance(attrgetter(f"{module}.{name}")(keras), type), name


# They are names, but not of anything to train with.
NOTHING = {"Loss", "Mean", "Metric", "Optimizer", "Sum"}


@pytest.mark.parametrize("module", ["losses", "optimizers", "metrics"])
def test_every_name_that_keras_resolves_is_known(module, monkeypatch):
    keras = pytest.importorskip("keras")
    parameter = {"losses": "loss", "optimizers": "optimizer", "metrics": "metrics"}[module]
    resolved = []
    for name in set(dir(getattr(keras, module))) - NOTHING:
        with contextlib.suppress(ValueError, TypeError, KeyError):
            getattr(keras, module).get(name)
            resolved.append(name)
    assert len(resolved) >= 11
    monkeypatch.delitem(sys.modules, "keras")
    for name in resolved:
        keras_names.check_name(parameter, name)


@pytest.mark.parametrize(
    ("parameter", "names"),
    [
        ("loss", ["mse", "MSE", "mean_squared_error", "MeanSquaredError", "kl_divergence", "KLD"]),
        ("optimizer", ["adam", "Adam", "ADAM", "adamw", "RMSprop", "rmsprop"]),
        ("metrics", ["mae", "MAE", "f1_score", "r2_score", "AUC", "auc", "acc", "crossentropy"]),
    ],
)
def test_a_name_may_be_written_in_each_of_the_ways_of_keras(parameter, names, monkeypatch):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    for name in names:
        keras_names.check_name(parameter, name)


@pytest.mark.parametrize(
    ("parameter", "name", "end"),
    [
        (
            "loss",
            "mean_square_error",
            "got 'mean_square_error'; did you mean 'mean_squared_error'?",
        ),
        ("loss", "Pinbal", "got 'Pinbal'; did you mean 'pinball'?"),
        ("loss", "Mean_Squared_Error", "did you mean 'mean_squared_error'?"),
        ("loss", "adam", "knows, got 'adam'"),
        ("optimizer", "Adm", "got 'Adm'; did you mean 'adam'?"),
        ("optimizer", "mse", "knows, got 'mse'"),
        ("metrics", "acuracy", "got 'acuracy'; did you mean 'accuracy'?"),
        ("metrics", "kld", "knows, got 'kld'"),
    ],
)
def test_an_unknown_name_is_answered_with_all_there_are_and_the_nearest(parameter, name, end):
    some = {
        "loss": "mse, msle, pinball, poisson",
        "optimizer": "one of adadelta, adafactor, adagrad, adam, adamax, adamw, ftrl, lion",
        "metrics": "one of acc, accuracy, auc, bce",
    }[parameter]
    own = ["pinball"] if parameter == "loss" else ()
    message = rf"^{parameter} must be .*{some}.*{re.escape(end)}$"
    with pytest.raises(ValueError, match=message):
        keras_names.check_name(parameter, name, own)


def test_a_name_that_the_user_registered_with_keras_is_known():
    keras = pytest.importorskip("keras")

    @keras.saving.register_keras_serializable("mine")
    class Slow(keras.optimizers.SGD):
        """It is an optimizer."""

    keras_names.check_name("optimizer", "mine>Slow")
    assert forecaster(optimizer="mine>Slow").fit(X, Y).engine_ == "keras"
    with keras.saving.custom_object_scope({"Slower": Slow}):
        keras_names.check_name("optimizer", "Slower")
    with pytest.raises(ValueError, match="optimizer must be one of"):
        keras_names.check_name("optimizer", "Slower")


@pytest.mark.parametrize("name", keras_names.LOSS_CLASSES)
def test_every_loss_can_be_said_with_its_arguments(name):
    keras = pytest.importorskip("keras")
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
    keras = pytest.importorskip("keras")
    loss = keras.losses.Huber(2.0)
    monkeypatch.delattr(loss, "_fn_kwargs")
    message = "Huber does not reveal its delta; if that is the default, pass"
    with pytest.raises(ValueError, match=message):
        keras_names.describe(loss, keras_names.LOSS_CLASSES)


@pytest.mark.needs("keras")
@pytest.mark.parametrize(
    "description",
    [{}, {"class_name": "Adam"}, {"class_name": "system", "config": {}, "module": "os"}],
)
@pytest.mark.parametrize("name", ["loss", "optimizer", "metrics"])
def test_a_description_of_nothing_of_keras_is_an_error_that_names_the_parameter(name, description):
    value = [description] if name == "metrics" else description
    with pytest.raises(ValueError, match=f"^{name} must be .* got "):
        forecaster(**{name: value}).fit(X, Y)
