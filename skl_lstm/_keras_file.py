"""What makes an HDF5 file one that Keras loads, written without Keras."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ._keras_names import LOSSES, METRICS, OPTIMIZERS, SCHEDULES, class_name, describe
from ._network import Network
from ._training import Settings

# The oldest Keras that the files are meant for, and the parts of each layer in its order.
KERAS_VERSION = "3.6.0"
SCHEDULES_MODULE = "keras.optimizers.schedules"
LSTM_PARTS = ("kernel", "recurrent_kernel", "bias")
DENSE_PARTS = ("kernel", "bias")


def weight_paths(network: Network) -> list[str]:
    """Say where Keras looks for each part of the weights in an HDF5 file."""
    return [f"model_weights/{layer}/{name}" for layer, name in _weight_names(network)]


def write(file: Any, network: Network, settings: Settings) -> None:
    """Add what makes an HDF5 file one of Keras's, but for the weights themselves.

    Parameters
    ----------
    file : h5py.File
        To which the arrays of :func:`weight_paths` are, or will be, added.
    network : Network
        What Keras is to build.
    settings : Settings
        What it is to be compiled with. Where Keras alone could not build that (the pinball
        loss, or what is not Keras's own), it is left uncompiled.

    Notes
    -----
    The optimiser's state is left out. Keras 3.6 to 3.15 restores none but its counter from
    such a file, and then refuses to train (``Unknown variable``): it builds the optimiser for
    no variables at all. Without it, training goes on with a fresh optimiser.
    """
    file.attrs["keras_version"] = KERAS_VERSION
    file.attrs["backend"] = "tensorflow"
    file.attrs["model_config"] = json.dumps(_model_config(network))
    if (compiled := _training_config(settings)) is not None:
        file.attrs["training_config"] = json.dumps(compiled)
    weights = file.require_group("model_weights")
    weights.attrs["keras_version"] = KERAS_VERSION
    weights.attrs["backend"] = "tensorflow"
    names: dict[str, list[str]] = {}
    for layer, name in _weight_names(network):
        names.setdefault(layer, []).append(name)
    weights.attrs["layer_names"] = list(names)
    for layer, parts in names.items():
        weights.require_group(layer).attrs["weight_names"] = parts


def _weight_names(network: Network) -> list[tuple[str, str]]:
    lstm = [
        (f"lstm_{i}", f"lstm_{i}/lstm_cell/{part}")
        for i in range(len(network.units))
        for part in LSTM_PARTS
    ]
    return lstm + [("dense", f"dense/{part}") for part in DENSE_PARTS]


def _model_config(network: Network) -> dict[str, Any]:
    n_streams = 1 if network.stateful else None
    layers = [
        _layer(
            "InputLayer",
            name="windows",
            batch_shape=[n_streams, network.n_steps, network.n_features],
            dtype="float32",
        )
    ]
    for i, n_units in enumerate(network.units):
        layers.append(
            _layer(
                "LSTM",
                name=f"lstm_{i}",
                units=n_units,
                return_sequences=i < len(network.units) - 1,
                stateful=network.stateful,
                recurrent_dropout=network.recurrent_dropout,
            )
        )
        if network.dropout:
            layers.append(_layer("Dropout", name=f"dropout_{i}", rate=network.dropout))
    activation = network.output_activation
    layers.append(_layer("Dense", name="dense", units=network.n_outputs, activation=activation))
    return _layer("Sequential", name="skl_lstm", layers=layers)


def _layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": config}


def _training_config(settings: Settings) -> dict[str, Any] | None:
    """Say how Keras is to compile; losses as classes, since it fails on some of their names."""
    try:
        loss = describe(settings.loss, LOSSES)
        optimizer = describe(settings.optimizer, OPTIMIZERS)
        metrics = [_metric(describe(metric, METRICS)) for metric in settings.metrics]
    except ValueError:
        return None
    loss, optimizer = _as_class(loss, LOSSES), _as_class(optimizer, OPTIMIZERS)
    if loss is None or optimizer is None:
        return None
    config = {**optimizer["config"], **settings.optimizer_kwargs}
    config = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in config.items()
    }
    if settings.learning_rate is not None:
        config["learning_rate"] = float(settings.learning_rate)
    rate = config.get("learning_rate", 0.0)
    if not isinstance(rate, float | int):
        config["learning_rate"] = {**describe(rate, SCHEDULES), "module": SCHEDULES_MODULE}
    return {
        "loss": loss,
        "loss_weights": None,
        "metrics": metrics or None,
        "weighted_metrics": None,
        "optimizer_config": {**optimizer, "config": config},
    }


def _metric(description: Any) -> Any:
    """Keep the name that a metric has in the history where Keras would give it another."""
    if isinstance(description, str) and (kind := class_name(description, METRICS)):
        return {"class_name": kind, "config": {"name": description}}
    return description


def _as_class(description: Any, classes: tuple[str, ...]) -> dict[str, Any] | None:
    if isinstance(description, dict):
        return description
    name = class_name(description, classes)
    return None if name is None else {"class_name": name, "config": {}}
