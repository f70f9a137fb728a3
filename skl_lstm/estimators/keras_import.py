"""Conversion of a Keras model to the parameters and fitted attributes of an estimator."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import check_keras
from skl_lstm.estimators.parameters import LSTMParameters
from skl_lstm.files import keras_reader
from skl_lstm.files.contents import Contents
from skl_lstm.files.keras_batches import merged
from skl_lstm.files.keras_config import left_out, network_of
from skl_lstm.files.whole_files import MISFITS, ModelFileError, read_whole
from skl_lstm.network.network import Network
from skl_lstm.training.keras_names import (
    LOSS_CLASSES,
    METRIC_CLASSES,
    METRIC_OF_MEDIAN,
    OPTIMIZER_CLASSES,
    PINBALL_LOSS,
    UNNAMED_METRICS,
    check_description,
    class_name,
)
from skl_lstm.training.keras_parts import Config, Parts
from skl_lstm.training.settings import Settings, draw_seed
from skl_lstm.training.state import Trained, TrainingState
from skl_lstm.warn import warn


def contents_of(kind: type[LSTMParameters], model: Any, given: Config) -> Contents:
    """Convert a Keras model to the contents of an estimator.

    Parameters
    ----------
    kind : type
        Class of the estimator.
    model : keras.Model, str or path-like
        The model, or the path of its file.
    given : dict of str to object
        Parameters of the estimator that override those of the model.

    Returns
    -------
    contents : Contents
        Contents of the estimator.

    Raises
    ------
    ModelFileError
        If the file is damaged or holds an unsupported network.
    ValueError
        If the model is not supported.
    """
    if not isinstance(model, str | os.PathLike):
        from skl_lstm.engines.keras.model import take_apart

        return _contents(kind, take_apart(model), given)
    content = read_whole(model)
    try:
        return _contents(kind, keras_reader.read_model(content), given)
    except MISFITS as error:
        raise ModelFileError(f"{os.fspath(model)}: {error}") from error


def _contents(kind: type[LSTMParameters], parts: Parts, given: Config) -> Contents:
    network, n_streams = network_of(parts.config, given)
    if names := left_out(parts.config):
        warn(
            f"{', '.join(names)}: left out of the network, whose predictions do not depend on "
            "this; further training is without it"
        )
    unmerged, names = merged(parts.config, parts.weights)
    if names:
        warn(
            f"{', '.join(map(repr, names))}: the normalization of batches is merged into the "
            "weights of the layers after it; further training is without it"
        )
    weights = network.flatten(unmerged)
    compiled = _compiled(kind, parts.compiled, given)
    parameters = {**_implied(kind, network, n_streams, given), **compiled, **given}
    estimator = kind(**parameters)
    estimator._check_parameters()
    window_shape = (network.n_steps, network.n_features)
    if estimator._network(window_shape, 3, network.n_outputs) != network:
        raise ValueError(
            f"a {kind.__name__} of {network.n_outputs} outputs cannot have the activation "
            f"{network.output_activation!r}"
        )
    seed = draw_seed(estimator.random_state)
    optimizer = {}
    if "optimizer" in compiled:
        optimizer = _optimizer_state(parts, network, estimator._settings(network, seed))
    state = TrainingState(weights, optimizer)
    zeros = np.zeros(network.states_size, dtype=np.float32)
    states = network.states(zeros) if network.stateful else []
    quantiles = estimator._quantiles()
    targets = kind._targets_class.of_outputs(network.n_outputs, quantiles)
    return Contents(
        kind.__name__,
        parameters,
        Trained(network, window_shape, seed, "keras", state, states),
        targets.stored(quantiles),
        network.n_steps * network.n_features,
    )


def _implied(
    kind: type[LSTMParameters], network: Network, n_streams: int | None, given: Config
) -> Config:
    """Return the parameters with which an estimator would build this network."""
    implied: Config = {
        "units": network.units if len(network.units) > 1 else network.units[0],
        "cell": network.cell,
        "hidden_activation": network.hidden_activation,
        "bidirectional": network.bidirectional,
        "all_steps": network.all_steps,
        "dense_units": network.dense_units,
        "dense_activation": network.dense_activation,
        "reshape_mode": "timesteps",
        "features_per_step": network.n_features,
        "stateful": network.stateful,
        "output_activation": network.output_activation,
    }
    normalizing = {"window_scaling", "target", "mirror"}
    if fixed := (implied.keys() | normalizing) & given.keys():
        raise ValueError(f"{min(fixed)} follows from the Keras network and cannot be given")
    if "output_activation" not in kind().get_params(deep=False):
        del implied["output_activation"]
    implied |= {
        "dropout": network.dropout,
        "recurrent_dropout": network.recurrent_dropout,
        "l2": network.l2,
    }
    return implied if n_streams is None else {**implied, "batch_size": n_streams}


def _compiled(kind: type[LSTMParameters], compiled: Config, given: Config) -> Config:
    """Describe the loss, optimizer and metrics that are Keras's or ours, and not in `given`."""
    found: Config = {}
    kinds = {"loss": LOSS_CLASSES, "optimizer": OPTIMIZER_CLASSES, "metrics": METRIC_CLASSES}
    for name, classes in kinds.items():
        value = compiled.get(name)
        if value is None or name in given:
            continue
        if _registered(value) == PINBALL_LOSS and "quantile" in kind().get_params(deep=False):
            found |= {"loss": "pinball", "quantile": value["config"]["quantile"]}
            continue
        try:
            several = isinstance(value, list)
            found[name] = (
                [_description(each, classes) for each in value]
                if several
                else _description(value, classes)
            )
        except ValueError as error:
            warn(f"the {name} of the Keras model is left out: {error}")
    return found


def _registered(value: Any) -> Any:
    """Return under which name a class of ours is registered at Keras, if `value` is of one."""
    if not isinstance(value, dict):
        return None
    return value.get("registered_name", value.get("class_name"))  # the latter in HDF5


def _description(value: Any, classes: tuple[str, ...]) -> Any:
    if _registered(value) == METRIC_OF_MEDIAN:
        name = value["config"]["name"]
        value = name if class_name(name, classes) else value["config"]["metric"]
    if not isinstance(value, str | dict):
        return value  # an object of a model in memory
    if isinstance(value, dict) and value.get("class_name") == "function":
        value = value["config"]
    known = not isinstance(value, str) or class_name(value, classes) or value in UNNAMED_METRICS
    if not known:
        raise ValueError(f"{value!r} is not the name of one of Keras's own objects")
    return check_description(value, classes)


def _optimizer_state(parts: Parts, network: Network, settings: Settings) -> dict[str, NDArray]:
    state = parts.optimizer_state
    if any(np.any(variable) for variable in parts.optimizer_variables[:1]):  # steps taken
        try:
            check_keras("reading it")
        except ImportError as error:
            warn(
                f"the state of the Keras model's optimizer is left out: {error}; training "
                "continues from a fresh optimizer state"
            )
            return {}
        from skl_lstm.engines.keras.model import named_state

        state = named_state(parts.optimizer_variables, network, settings)
    if state is None:
        warn(
            "the state of the Keras model's optimizer is left out: its variables are not the "
            "expected ones; training continues from a fresh optimizer state"
        )
    return state or {}
