"""A Keras network of LSTM layers and a Dense one, taken over as an estimator.

What is read of a file is its configuration, as JSON, and arrays. None of it is ever handed to
Keras to be built: what is not one of the few layers of :class:`Network` is refused by name, so
a file cannot make anything run.
"""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import _hdf5
from ._checks import check_integer
from ._files import ModelFileError, parse_json, read_whole
from ._inference import ACTIVATIONS
from ._keras_file import DENSE_PARTS, LSTM_PARTS
from ._keras_names import LOSSES, METRICS, OPTIMIZERS, check_description, class_name
from ._network import Network
from ._training import Settings, TrainingState, draw_seed

if TYPE_CHECKING:
    from ._base import BaseLSTM

Estimator = TypeVar("Estimator", bound="BaseLSTM")
Config = dict[str, Any]

# Options that a layer must have, and those that make no difference to what it computes. Any
# other must be off, so that an option of a future Keras is refused rather than passed over.
COMMON = {"trainable": True, "dtype": "float32"}
NEEDED: dict[str, Config] = {
    "LSTM": COMMON | {"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True},
    "Dropout": COMMON,
    "Dense": COMMON | {"use_bias": True},
}
INITIAL = {"name", "seed", "kernel_initializer", "bias_initializer", "batch_input_shape"}
PARTS = {"LSTM": LSTM_PARTS, "Dropout": (), "Dense": DENSE_PARTS}
FREE: dict[str, set[str]] = {
    "LSTM": INITIAL
    | {"units", "return_sequences", "stateful", "recurrent_dropout", "recurrent_initializer"}
    | {"unit_forget_bias", "unroll", "implementation", "zero_output_for_mask"},
    "Dropout": INITIAL | {"rate"},
    "Dense": INITIAL | {"units", "activation"},
}

# What a configuration that is none of Keras's lets fail.
MISFITS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)

MODULE = "keras.layers"

# Metrics that Keras chooses by the loss.
UNNAMED_METRICS = ("accuracy", "acc", "crossentropy", "ce")

# A member of an archive may be so many times as long as the archive.
MAX_EXPANSION = 100
MAX_CONFIG_BYTES = 2**24

# How often Keras repeats the name of a layer, or of its model, one group in the other.
MAX_REPEATED = 8


@dataclass(frozen=True)
class Parts:
    """What there is to a Keras model.

    Parameters
    ----------
    config : dict
        Its class and configuration, as Keras says them in JSON.
    compiled : dict
        The same of its loss, optimizer and metrics; empty where it is not compiled.
    weights : list of ndarray
        In Keras's order.
    optimizer_variables : list of ndarray
        In Keras's order, where they have no names.
    optimizer_state : dict of str to ndarray or None
        The same as ``TrainingState`` names them, where they have; None is not to be told.
    """

    config: Config
    compiled: Config
    weights: list[NDArray]
    optimizer_variables: list[NDArray] = field(default_factory=list)
    optimizer_state: dict[str, NDArray] | None = field(default_factory=dict)


def from_keras(kind: type[Estimator], model: Any, parameters: Config) -> Estimator:
    """Take over a Keras model; see :meth:`BaseLSTM.from_keras`."""
    kind(**parameters)  # whether they are its own, before anything is read
    if not isinstance(model, str | os.PathLike):
        from . import _keras

        return _take_over(kind, _keras.parts(model), parameters)
    content = read_whole(model)
    try:
        return _take_over(kind, _read(content), parameters)
    except MISFITS as error:
        raise ModelFileError(f"{os.fspath(model)}: {error}") from error


def _take_over(kind: type[Estimator], parts: Parts, parameters: Config) -> Estimator:
    network, n_streams = _network(parts.config, parameters)
    shapes = [part.shape for part in parts.weights]
    if shapes != network.shapes:
        raise ValueError(f"its weights must be of the shapes {network.shapes}, got {shapes}")
    compiled = _compiled(parts.compiled, parameters)
    said = _said(kind, network, n_streams, parameters)
    estimator = kind(**{**said, **compiled, **parameters})
    estimator._check_parameters()
    window_shape = (network.n_steps, network.n_features)
    if estimator._network(window_shape, 3, network.n_outputs) != network:
        raise ValueError(
            f"a {kind.__name__} of {network.n_outputs} outputs has another activation than "
            f"{network.output_activation!r}"
        )
    seed = draw_seed(estimator.random_state)
    optimizer = {}
    if "optimizer" in compiled:
        optimizer = _optimizer_state(parts, network, estimator._settings(network, seed))
    zeros = np.zeros(network.states_size, dtype=np.float32)
    estimator._store(
        network,
        window_shape,
        seed,
        "keras",
        TrainingState(network.flatten(parts.weights), optimizer),
        network.states(zeros) if network.stateful else [],
        estimator._learnt_from_keras(network.n_outputs),
    )
    estimator.n_features_in_ = network.n_steps * network.n_features
    return estimator


def _said(kind: type[Estimator], network: Network, n_streams: int | None, given: Config) -> Config:
    """Say the parameters with which an estimator would have made this network."""
    said: Config = {
        "units": network.units if len(network.units) > 1 else network.units[0],
        "reshape_mode": "timesteps",
        "features_per_step": network.n_features,
        "stateful": network.stateful,
        "output_activation": network.output_activation,
    }
    if fixed := said.keys() & given.keys():
        raise ValueError(f"{min(fixed)} is what the Keras network says, and cannot be given")
    if "output_activation" not in kind().get_params(deep=False):
        del said["output_activation"]
    said |= {"dropout": network.dropout, "recurrent_dropout": network.recurrent_dropout}
    return said if n_streams is None else {**said, "batch_size": n_streams}


def _compiled(compiled: Config, given: Config) -> Config:
    """Describe what of the loss, the optimizer and the metrics is Keras's own and not given."""
    found = {}
    for name, classes in (("loss", LOSSES), ("optimizer", OPTIMIZERS), ("metrics", METRICS)):
        value = compiled.get(name)
        if value is None or name in given:
            continue
        try:
            several = isinstance(value, list)
            found[name] = (
                [_described(each, classes) for each in value]
                if several
                else _described(value, classes)
            )
        except ValueError as error:
            warnings.warn(
                f"the {name} of the Keras model is left out: {error}", UserWarning, stacklevel=6
            )
    return found


def _described(value: Any, classes: tuple[str, ...]) -> Any:
    if not isinstance(value, str | dict):
        return value  # an object of a living model
    if isinstance(value, dict) and value.get("class_name") == "function":
        value = value["config"]
    known = not isinstance(value, str) or class_name(value, classes) or value in UNNAMED_METRICS
    if not known:
        raise ValueError(f"{value!r} is not the name of one of Keras's own")
    return check_description(value, classes)


def _optimizer_state(parts: Parts, network: Network, settings: Settings) -> dict[str, NDArray]:
    state = parts.optimizer_state
    if any(np.any(variable) for variable in parts.optimizer_variables[:1]):  # steps taken
        from . import _keras

        state = _keras.named(parts.optimizer_variables, network, settings)
    if state is None:
        warnings.warn(
            "the state of the Keras model's optimizer is left out: its variables are not those "
            "that are known; training goes on with a fresh one",
            UserWarning,
            stacklevel=5,
        )
    return state or {}


def _read(content: bytes) -> Parts:
    if content.startswith(b"PK"):
        return _read_archive(content)
    found: dict[str, list[Config]] = {"model": [], "training": []}
    for text in _hdf5.texts(content):
        value = parse_json(text) if text.startswith(b"{") else {}
        if "class_name" in value:
            found["model"].append(value)
        elif "optimizer_config" in value:
            found["training"].append(value)
    if len(found["model"]) != 1:
        raise ModelFileError("it is no HDF5 file with the configuration of one Keras model")
    (config,) = found["model"]
    compiled = {}
    for training in found["training"][:1]:
        compiled = {**training, "optimizer": training["optimizer_config"]}
    _, layers = _chain(config)
    with _hdf5.opened(content) as file:
        paths = []
        for layer in layers:
            group = _innermost(file, f"model_weights/{layer['config']['name']}")
            paths += [f"{group}/{part}" for part in PARTS[layer["class_name"]]]
        weights = _hdf5.read_many(file, paths, len(content))
        state: dict[str, NDArray] | None = {}
        if "optimizer_weights" in _hdf5.children(file):
            state = _named_state(file, paths, weights, len(content))
    return Parts(config, compiled, weights, optimizer_state=state)


def _innermost(file: Any, path: str) -> str:
    """Follow groups that hold nothing but one group: Keras repeats the names of layers."""
    for _ in range(MAX_REPEATED):
        inner = _hdf5.children(_hdf5.find(file, path))
        if len(inner) != 1:
            return path
        path = f"{path}/{inner.pop()}"
    raise ModelFileError(f"{path} is nested deeper than Keras nests names")


def _named_state(
    file: Any, paths: list[str], weights: list[NDArray], n_bytes: int
) -> dict[str, NDArray] | None:
    """Read the optimiser's variables, named after the weights that they belong to.

    Those of an optimiser that names some of them otherwise cannot be told apart; then none are
    read.
    """
    group = _innermost(file, "optimizer_weights")
    names = _hdf5.children(_hdf5.find(file, group)) - {"learning_rate"}
    prefixes = ["_".join(path.split("/")[2:]) + "_" for path in paths]
    slots = sorted(
        name.removeprefix(prefixes[0]) for name in names if name.startswith(prefixes[0])
    )
    expected = {f"{prefix}{slot}" for prefix in prefixes for slot in slots}
    if names != {"iteration", *expected}:
        return None
    state = {}
    (state["iteration"],) = _hdf5.read_many(file, [f"{group}/iteration"], n_bytes)
    for slot in slots:
        parts = [f"{group}/{prefix}{slot}" for prefix in prefixes]
        values = _hdf5.read_many(file, parts, n_bytes)
        if [value.shape for value in values] != [weight.shape for weight in weights]:
            return None
        state[slot] = np.concatenate([value.ravel() for value in values], dtype=np.float32)
    return state


def _read_archive(content: bytes) -> Parts:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            config, stored = (
                _member(archive, name, len(content))
                for name in ("config.json", "model.weights.h5")
            )
    except ModelFileError:
        raise
    except Exception as error:  # zipfile too gives many kinds of error for a damaged file
        raise ModelFileError(f"it is no Keras archive: {error}") from error
    model = parse_json(config)
    _, layers = _chain(model)
    n_lstm = sum(layer["class_name"] == "LSTM" for layer in layers)
    groups = ["lstm", *(f"lstm_{number}" for number in range(1, n_lstm))]
    paths = [f"layers/{group}/cell/vars/{part}" for group in groups for part in range(3)]
    paths += [f"layers/dense/vars/{part}" for part in range(2)]
    with _hdf5.opened(stored) as file:
        weights = _hdf5.read_many(file, paths, len(stored))
        variables = []
        if "optimizer" in _hdf5.children(file):
            group = _hdf5.find(file, "optimizer/vars")
            paths = [f"optimizer/vars/{number}" for number in range(len(_hdf5.children(group)))]
            variables = _hdf5.read_many(file, paths, len(stored))
    return Parts(model, model.get("compile_config") or {}, weights, variables)


def _member(archive: zipfile.ZipFile, name: str, n_bytes: int) -> bytes:
    size = archive.getinfo(name).file_size
    if size > (MAX_CONFIG_BYTES if name == "config.json" else MAX_EXPANSION * n_bytes):
        raise ModelFileError(f"its {name} claims {size} bytes")
    return archive.read(name)


def _network(config: Config, parameters: Config) -> tuple[Network, int | None]:
    """Say what network it is, and its number of streams if it is stateful.

    `parameters` may say the dropout rates where the layers differ.
    """
    (n_streams, n_steps, n_features), layers = _chain(config)
    lstm = [layer["config"] for layer in layers if layer["class_name"] == "LSTM"]
    after = [*layers[1:], {"class_name": None}]
    dropout = [
        following["config"]["rate"] if following["class_name"] == "Dropout" else 0.0
        for layer, following in zip(layers, after, strict=True)
        if layer["class_name"] == "LSTM"
    ]
    recurrent_dropout = [options.get("recurrent_dropout", 0.0) for options in lstm]
    dense = layers[-1]["config"]
    network = Network(
        n_steps,
        n_features,
        tuple(options["units"] for options in lstm),
        dense["units"],
        dense.get("activation") or "linear",
        _common("dropout", dropout, parameters),
        _common("recurrent_dropout", recurrent_dropout, parameters),
        lstm[0].get("stateful", False),
    )
    return network, n_streams if network.stateful else None


def _common(name: str, rates: list[float], parameters: Config) -> float:
    """Find the one rate that an estimator has for all layers."""
    if name in parameters:
        return float(parameters[name])
    if len(set(rates)) > 1:
        raise ValueError(
            f"its layers have the rates {rates} of {name}, and an estimator has one for all of "
            f"them: say by which to train on, as {name}=…; predictions do not depend on it"
        )
    return rates[0]


def _chain(config: Config) -> tuple[list[Any], list[Config]]:
    """Check a model layer by layer.

    Returns
    -------
    input_shape : list
        Batch size, or None, time steps and features.
    layers : list of dict
        LSTM layers, each with or without a Dropout after it, and a Dense layer.
    """
    kind, options = config["class_name"], config["config"]
    if kind not in ("Sequential", "Functional"):
        raise ValueError(f"it must be a Sequential or functional model, got a {kind}")
    layers = options["layers"]
    for layer in layers:
        known = layer["class_name"] in ("InputLayer", *NEEDED)
        if not known or layer.get("module", MODULE) != MODULE or layer.get("registered_name"):
            raise _refusal(layer, "is not taken over: only LSTM, Dropout and Dense layers are")
    if kind == "Functional":
        _check_in_line(options)
    if layers and layers[0]["class_name"] == "InputLayer":
        first, *layers = layers
        shape = first["config"].get("batch_shape")
    else:
        shape = options.get("build_input_shape")
    _check_order(layers)
    for layer in layers:
        _check_options(layer)
    if not isinstance(shape, list) or len(shape) != 3 or None in shape[1:]:
        raise ValueError(f"it must take windows of a fixed shape, n_steps and n_features: {shape}")
    for name, number in zip(("n_steps", "n_features"), shape[1:], strict=True):
        check_integer(name, number)
    return shape, layers


def _check_order(layers: list[Config]) -> None:
    kinds = [layer["class_name"] for layer in layers]
    for number, layer in enumerate(layers):
        allowed = {"LSTM", "Dropout", "Dense"} if number else {"LSTM"}
        if number and kinds[number - 1] == "Dropout":
            allowed.remove("Dropout")
        if kinds[number] not in allowed or (kinds[number] == "Dense") != (layer is layers[-1]):
            raise _refusal(
                layer,
                "stands where none can be: LSTM layers, each with or without a Dropout after "
                "it, must come first and one Dense layer last",
            )
    lstm = [layer for layer in layers if layer["class_name"] == "LSTM"]
    for layer in lstm:
        if layer["config"].get("return_sequences", False) != (layer is not lstm[-1]):
            raise _refusal(layer, "must return sequences, unless it is the last of them")
        if layer["config"].get("stateful", False) != lstm[0]["config"].get("stateful", False):
            raise _refusal(layer, "must be stateful where the first is")
    if not lstm:
        raise ValueError("it has no LSTM layer")


def _check_in_line(options: Config) -> None:
    """Refuse a functional model whose layers do not follow each other as they are listed."""
    names = [layer["config"]["name"] for layer in options["layers"]]
    for before, layer in zip([None, *names], options["layers"], strict=False):
        nodes = layer["inbound_nodes"]
        sources = [
            [argument["config"]["keras_history"][0] for argument in node["args"]] for node in nodes
        ]
        plain = all(
            isinstance(value, bool | None)
            for node in nodes
            for value in node.get("kwargs", {}).values()
        )
        if sources != ([] if before is None else [[before]]) or not plain:
            raise _refusal(layer, f"does not follow the layer {before!r} alone")
    if np.ravel(options["output_layers"]).tolist()[:1] != names[-1:]:
        raise _refusal(options["layers"][-1], "is not the output")


def _check_options(layer: Config) -> None:
    kind = layer["class_name"]
    for option, value in layer["config"].items():
        if isinstance(value, dict) and value.get("class_name") == "DTypePolicy":
            value = value["config"]["name"]
        needed = NEEDED[kind].get(option)
        right = value == needed if needed is not None else option in FREE[kind] or not value
        if not right:
            raise _refusal(layer, f"has {option}={value!r}, which is not taken over")
    activation = layer["config"].get("activation") or "linear"
    if kind == "Dense" and activation not in ACTIVATIONS:
        raise _refusal(layer, f"has the activation {activation!r}, not {', '.join(ACTIVATIONS)}")


def _refusal(layer: Config, why: str) -> ValueError:
    name = layer.get("name") or layer["config"].get("name")
    return ValueError(f"its layer {name!r}, of the class {layer['class_name']}, {why}")
