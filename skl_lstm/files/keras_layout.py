"""The attributes with which Keras can open an HDF5 file, written without Keras."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from skl_lstm.network.cells import DENSE_PARTS
from skl_lstm.network.network import Network
from skl_lstm.training.keras_names import (
    LOSS_CLASSES,
    METRIC_CLASSES,
    OPTIMIZER_CLASSES,
    SCHEDULE_CLASSES,
    class_name,
    describe,
)
from skl_lstm.training.keras_parts import dense_layers
from skl_lstm.training.keras_scaling import WINDOWS, scaling_layers
from skl_lstm.training.settings import Settings
from skl_lstm.training.state import Trained

# Oldest version of Keras for which the files are intended.
KERAS_VERSION = "3.6.0"
# Keras looks for an object within a layer only in the module that it names.
IN_LAYERS = {"module": "keras.layers", "registered_name": None}
IN_REGULARIZERS = {"module": "keras.regularizers", "registered_name": None}
SCHEDULES_MODULE = "keras.optimizers.schedules"


def weight_paths(network: Network) -> list[str]:
    """Return where Keras expects each part of the weights in an HDF5 file."""
    return [f"model_weights/{layer}/{name}" for layer, name in _weight_names(network)]


def write(file: Any, trained: Trained, settings: Settings) -> None:
    """Add everything that Keras needs to open an HDF5 file, except the weights themselves.

    Parameters
    ----------
    file : h5py.File
        File to which the arrays of :func:`weight_paths` are, or will be, added.
    trained : Trained
        The network for Keras to build, and how its windows are normalized.
    settings : Settings
        Settings for Keras to compile it with. If Keras alone cannot do that (the pinball loss,
        or objects that are not Keras's own), the model is left uncompiled.

    Notes
    -----
    The optimizer's state is left out. Keras 3.6 to 3.15 restores only its counter from such a
    file and then refuses to train (``Unknown variable``), because it builds the optimizer
    without variables. Without the state, training continues with a fresh optimizer.
    """
    network = trained.network
    file.attrs["keras_version"] = KERAS_VERSION
    file.attrs["backend"] = "tensorflow"
    file.attrs["model_config"] = json.dumps(_model_config(trained))
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
    cell = network.recurrent_cell.keras_name
    recurrent = []
    for i in range(len(network.units)):
        layer = f"{cell}_{i}"
        places = [layer]
        if network.bidirectional:
            layer = f"bidirectional_{i}"
            places = [f"{layer}/{direction}_{cell}_{i}" for direction in ("forward", "backward")]
        recurrent += [
            (layer, f"{place}/{cell}_cell/{part}")
            for place in places
            for part in network.recurrent_cell.parts
        ]
    dense = [
        (name, f"{name}/{part}") for name, *_ in dense_layers(network) for part in DENSE_PARTS
    ]
    return recurrent + dense


def _model_config(trained: Trained) -> dict[str, Any]:
    layers = _layers(trained.network)
    if trained.scaling is None:
        return _layer("Sequential", name="skl_lstm", layers=layers)
    before, after = scaling_layers(trained.network, trained.window_shape, trained.scaling)
    first, *others = layers
    last = before[-1].name
    graph = [_node(first, ())]
    graph += [_node(_layer(each.kind, **each.options), each.inputs) for each in before]
    for layer in others:
        graph.append(_node(layer, (last,)))
        last = layer["config"]["name"]
    graph += [_node(_layer(each.kind, **each.options), each.inputs) for each in after]
    return _layer(
        "Functional",
        name="skl_lstm",
        layers=graph,
        input_layers=[[graph[0]["name"], 0, 0]],
        output_layers=[[graph[-1]["name"], 0, 0]],
    )


def _node(layer: dict[str, Any], inputs: tuple[str, ...]) -> dict[str, Any]:
    """Add to a layer what a functional model needs: its name and the layers before it."""
    nodes = [[[name, 0, 0, {}] for name in inputs]] if inputs else []
    return {**layer, "name": layer["config"]["name"], "inbound_nodes": nodes}


def _layers(network: Network) -> list[dict[str, Any]]:
    n_streams = 1 if network.stateful else None
    layers = [
        _layer(
            "InputLayer",
            name=WINDOWS,
            batch_shape=[n_streams, network.n_steps, network.n_features],
            dtype="float32",
        )
    ]
    regularizer = {**_layer("L2", l2=network.l2), **IN_REGULARIZERS} if network.l2 else None
    for i, n_units in enumerate(network.units):
        layer = _layer(
            network.recurrent_cell.keras_class,
            name=f"{network.recurrent_cell.keras_name}_{i}",
            units=n_units,
            activation=network.hidden_activation,
            return_sequences=network.all_steps or i < len(network.units) - 1,
            stateful=network.stateful,
            recurrent_dropout=network.recurrent_dropout,
            kernel_regularizer=regularizer,
        )
        if network.bidirectional:
            held = {**layer, **IN_LAYERS}
            layer = _layer("Bidirectional", name=f"bidirectional_{i}", layer=held)
        layers.append(layer)
        if network.dropout:
            layers.append(_layer("Dropout", name=f"dropout_{i}", rate=network.dropout))
    if network.all_steps:
        layers.append(_layer("Flatten", name="all_steps"))
    layers += [
        _layer(
            "Dense",
            name=name,
            units=n_units,
            activation=activation,
            kernel_regularizer=regularizer,
        )
        for name, n_units, activation in dense_layers(network)
    ]
    return layers


def _layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": config}


def _training_config(settings: Settings) -> dict[str, Any] | None:
    """Return the compile config; losses are classes, since Keras fails on some of their names."""
    try:
        loss = describe(settings.loss, LOSS_CLASSES)
        optimizer = describe(settings.optimizer, OPTIMIZER_CLASSES)
        metrics = [_named_metric(describe(metric, METRIC_CLASSES)) for metric in settings.metrics]
    except ValueError:
        return None
    loss, optimizer = _as_class(loss, LOSS_CLASSES), _as_class(optimizer, OPTIMIZER_CLASSES)
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
        config["learning_rate"] = {**describe(rate, SCHEDULE_CLASSES), "module": SCHEDULES_MODULE}
    return {
        "loss": loss,
        "loss_weights": None,
        "metrics": metrics or None,
        "weighted_metrics": None,
        "optimizer_config": {**optimizer, "config": config},
    }


def _named_metric(description: Any) -> Any:
    """Keep the name that a metric has in the history, if Keras would give it another one."""
    if isinstance(description, str) and (kind := class_name(description, METRIC_CLASSES)):
        return {"class_name": kind, "config": {"name": description}}
    return description


def _as_class(description: Any, classes: tuple[str, ...]) -> dict[str, Any] | None:
    if isinstance(description, dict):
        return description
    name = class_name(description, classes)
    return None if name is None else {"class_name": name, "config": {}}
