"""Check of the config of a Keras model, layer by layer, and its conversion to a network.

Any layer that :class:`Network` does not have is refused by name, and nothing is ever passed to
Keras to be built, so a file cannot execute anything.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Any

import numpy as np

from skl_lstm.checks import check_integer
from skl_lstm.network.cells import CELLS, DENSE_PARTS, CellName
from skl_lstm.network.network import (
    DENSE_ACTIVATIONS,
    HIDDEN_ACTIVATIONS,
    OUTPUT_ACTIVATIONS,
    Network,
)
from skl_lstm.training.keras_parts import Config

# Names of the cells by the class of their layers.
CELL_NAMES: dict[str, CellName] = {cell.keras_class: name for name, cell in CELLS.items()}

# The parts of the weights of a layer, in Keras's order.
PARTS = {**{cell.keras_class: cell.parts for cell in CELLS.values()}, "Dense": DENSE_PARTS}

# Layers that scale and shift their inputs, so that the layer after them can do it.
BATCHES = "BatchNormalization"

# Layers and options that only training depends on.
TRAINING_LAYERS = {
    "Dropout",
    "SpatialDropout1D",
    "GaussianDropout",
    "GaussianNoise",
    "ActivityRegularization",
}
TRAINING_OPTIONS = {
    "dropout",
    "kernel_regularizer",
    "recurrent_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "recurrent_constraint",
    "bias_constraint",
}

# Options that must have a certain value (NEEDED), and options with free values (FREE). Any other
# must be off, so that an option of a future Keras version is refused rather than ignored.
COMMON = {"trainable": True, "dtype": "float32"}
NEEDED: dict[str, Config] = {
    "LSTM": COMMON | {"recurrent_activation": "sigmoid", "use_bias": True},
    "GRU": COMMON | {"recurrent_activation": "sigmoid", "use_bias": True, "reset_after": True},
    "Bidirectional": COMMON | {"merge_mode": "concat"},
    "Dense": COMMON | {"use_bias": True},
    "Flatten": COMMON,
    BATCHES: COMMON | {"axis": -1},
    **dict.fromkeys(TRAINING_LAYERS, COMMON),
}
INITIAL = {"name", "seed", "kernel_initializer", "bias_initializer", "batch_input_shape"}
RECURRENT_FREE = INITIAL | {
    "units",
    "activation",
    "return_sequences",
    "stateful",
    "recurrent_dropout",
    "recurrent_initializer",
    "unroll",
    "implementation",
    "zero_output_for_mask",
}
FREE: dict[str, set[str]] = {
    "LSTM": RECURRENT_FREE | {"unit_forget_bias"},
    "GRU": RECURRENT_FREE,
    "Bidirectional": INITIAL | {"layer", "backward_layer"},
    "Dense": INITIAL | {"units", "activation"},
    "Flatten": INITIAL | {"data_format"},
    BATCHES: INITIAL
    | {"momentum", "renorm_momentum", "epsilon", "center", "scale"}
    | {f"{part}_{what}" for part in ("beta", "gamma") for what in ("regularizer", "constraint")}
    | {f"{part}_initializer" for part in ("beta", "gamma", "moving_mean", "moving_variance")},
    **dict.fromkeys(TRAINING_LAYERS, INITIAL | {"rate", "stddev", "noise_shape", "l1", "l2"}),
}

MODULE = "keras.layers"


def network_of(config: Config, parameters: Config) -> tuple[Network, int | None]:
    """Return the network of a config, and its number of streams if it is stateful.

    `parameters` may give the dropout rates if those of the layers differ.
    """
    (n_streams, n_steps, n_features), layers = chain(config)
    recurrent = [layer for layer in layers if is_recurrent(layer)]
    each = [inner(layer)["config"] for layer in recurrent]
    after = [*layers[1:], {"class_name": None}]
    dropout = [
        following["config"]["rate"] if following["class_name"] == "Dropout" else 0.0
        for layer, following in zip(layers, after, strict=True)
        if is_recurrent(layer)
    ]
    recurrent_dropout = [options.get("recurrent_dropout", 0.0) for options in each]
    *hidden, output = [layer["config"] for layer in layers if layer["class_name"] == "Dense"]
    network = Network(
        n_steps=n_steps,
        n_features=n_features,
        units=tuple(options["units"] for options in each),
        n_outputs=output["units"],
        output_activation=_activation(output),
        dropout=_common("dropout", dropout, parameters),
        recurrent_dropout=_common("recurrent_dropout", recurrent_dropout, parameters),
        stateful=each[0].get("stateful", False),
        dense_units=tuple(options["units"] for options in hidden),
        dense_activation=_activation(hidden[0]) if hidden else "relu",
        hidden_activation=_activation(each[0]),
        cell=CELL_NAMES[inner(recurrent[0])["class_name"]],
        bidirectional=recurrent[0]["class_name"] == "Bidirectional",
        all_steps=each[-1].get("return_sequences", False),
        l2=float(parameters.get("l2", _l2(layers))),
    )
    return network, n_streams if network.stateful else None


def left_out(config: Config) -> list[str]:
    """Name what the network of a config is trained with in Keras, but not by an estimator."""
    _, layers = chain(config)
    found = []
    for before, layer in zip([None, *layers], layers, strict=False):
        kind, options = layer["class_name"], inner(layer)["config"]
        is_ours = kind == "Dropout" and before and is_recurrent(before)
        if kind in TRAINING_LAYERS and not is_ours:
            found.append(f"the {kind} layer {options['name']!r}")
        found += [
            f"{option} of the layer {options['name']!r}"
            for option in sorted(TRAINING_OPTIONS & options.keys())
            if options[option] and not (option == "kernel_regularizer" and _l2(layers))
        ]
    return found


def directions(layer: Config) -> list[Config]:
    """Return the layers that a Bidirectional holds, or the layer itself."""
    if layer["class_name"] != "Bidirectional":
        return [layer]
    return [layer["config"][name] for name in ("layer", "backward_layer")]


def inner(layer: Config) -> Config:
    """Return the first of the `directions` of a layer, which stands for both."""
    return directions(layer)[0]


def is_recurrent(layer: Config) -> bool:
    """Return whether a layer is recurrent, in one direction or in both."""
    return inner(layer)["class_name"] in CELL_NAMES


def parts_of(layer: Config) -> list[str]:
    """Return the names of the weights of one layer, which holds no others."""
    if layer["class_name"] != BATCHES:
        return list(PARTS.get(layer["class_name"], ()))
    learned = {"gamma": "scale", "beta": "center"}
    kept = [part for part, option in learned.items() if layer["config"].get(option, True)]
    return [*kept, "moving_mean", "moving_variance"]


def _activation(options: Config) -> Any:
    return options.get("activation") or "linear"


def _l2(layers: list[Config]) -> Any:
    """Return the factor of L2 regularization of all kernels; zero if it is not the same one."""
    having = [inner(layer) for layer in layers if inner(layer)["class_name"] in PARTS]
    given = [layer["config"].get("kernel_regularizer") or {} for layer in having]
    factors = [each["config"]["l2"] if each.get("class_name") == "L2" else 0.0 for each in given]
    return factors[0] if all(factor == factors[0] for factor in factors) else 0.0


def _common(name: str, rates: list[float], parameters: Config) -> float:
    """Return the rate of all layers, since an estimator has only one."""
    if name in parameters:
        return float(parameters[name])
    if len(set(rates)) > 1:
        raise ValueError(
            f"its layers have the rates {rates} of {name}, but an estimator has one for all of "
            f"them: pass {name}=… for further training; predictions do not depend on it"
        )
    return rates[0]


def chain(config: Config) -> tuple[list[Any], list[Config]]:
    """Check a model layer by layer, and return its layers.

    Returns
    -------
    input_shape : list
        Batch size (or None), number of time steps and of features.
    layers : list of dict
        LSTM or GRU layers, Bidirectional or not, then perhaps a Flatten layer, then Dense
        layers, and anywhere among them layers of `TRAINING_LAYERS`, or, except after the last
        one, `BATCHES`.
    """
    kind, options = config["class_name"], config["config"]
    if kind not in ("Sequential", "Functional"):
        raise ValueError(f"it must be a Sequential or functional model, got a {kind}")
    layers = options["layers"]
    for layer in layers:
        _check_known(layer, ("InputLayer", *NEEDED))
        if layer["class_name"] == "Bidirectional":
            for each in directions(layer):
                _check_known(each, CELL_NAMES)
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
        _check_options(inner(layer))
        _check_directions(layer)
    _check_activations(layers)
    if not isinstance(shape, list) or len(shape) != 3 or None in shape[1:]:
        raise ValueError(
            f"it must take windows of a fixed shape (n_steps, n_features), got {shape}"
        )
    for name, number in zip(("n_steps", "n_features"), shape[1:], strict=True):
        check_integer(name, number)
    return shape, layers


def _check_known(layer: Config, kinds: Collection[str]) -> None:
    known = layer["class_name"] in kinds
    if not known or layer.get("module", MODULE) != MODULE or layer.get("registered_name"):
        raise _refusal(
            layer,
            "is not supported: only LSTM, GRU, Bidirectional, Flatten, Dense, BatchNormalization "
            "and Dropout layers are",
        )


def _check_order(layers: list[Config]) -> None:
    passing = {*TRAINING_LAYERS, BATCHES}
    lasting = [layer for layer in layers if layer["class_name"] not in passing]
    for layer in reversed(layers):
        if layer["class_name"] == BATCHES:
            raise _refusal(layer, "is out of place: a Dense layer must follow it")
        if layer in lasting:
            break
    if not lasting:
        raise ValueError("it has no LSTM or GRU layer")
    recurrent = [layer for layer in lasting if is_recurrent(layer)]
    flat, dense = (
        [layer for layer in lasting if layer["class_name"] == kind]
        for kind in ("Flatten", "Dense")
    )
    wanted = recurrent + flat + dense if recurrent and dense else lasting[1:]
    for layer, expected in itertools.zip_longest(lasting, wanted):
        if layer is not expected or layer in flat[1:]:
            raise _refusal(
                layer,
                "is out of place: LSTM or GRU layers must come first, and Dense layers last",
            )
    for layer in recurrent:
        returns = inner(layer)["config"].get("return_sequences", False)
        if returns != (layer is not recurrent[-1]) and not (returns and flat):
            raise _refusal(
                layer,
                "must return sequences, unless it is the last of them and no Flatten follows",
            )
        if _classes(layer) != _classes(recurrent[0]):
            raise _refusal(
                layer, f"must be of the class of the first one, {_classes(recurrent[0])}"
            )
    _check_alike(recurrent, "stateful", False)
    _check_alike(recurrent, "activation", "linear")
    _check_alike(dense[:-1], "activation", "linear")


def _classes(layer: Config) -> str:
    return " of ".join(dict.fromkeys(each["class_name"] for each in (layer, inner(layer))))


def _check_alike(layers: list[Config], option: str, default: Any) -> None:
    """Refuse layers with different values of an option, of which an estimator has only one."""
    values = [inner(layer)["config"].get(option) or default for layer in layers]
    for layer, value in zip(layers, values, strict=True):
        if value != values[0]:
            raise _refusal(
                layer, f"has {option}={value!r}, but the first of them has {values[0]!r}"
            )


def _check_in_line(options: Config) -> None:
    """Refuse a functional model whose layers do not form a chain in the order listed."""
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
            raise _refusal(layer, f"does not follow the layer {before!r} and no other")
    if np.ravel(options["output_layers"]).tolist()[:1] != names[-1:]:
        raise _refusal(options["layers"][-1], "is not the output")


def _check_options(layer: Config) -> None:
    kind = layer["class_name"]
    for option, value in layer["config"].items():
        if isinstance(value, dict) and value.get("class_name") == "DTypePolicy":
            value = value["config"]["name"]
        needed = NEEDED[kind].get(option)
        free = FREE[kind] | TRAINING_OPTIONS
        right = value == needed if needed is not None else option in free or not value
        if not right:
            raise _refusal(layer, f"has {option}={value!r}, which is not supported")


def _check_directions(layer: Config) -> None:
    """Refuse a pair of layers that differ in prediction by more than their direction."""
    forwards, *backwards = directions(layer)
    mirrored = {**_lasting(forwards), "go_backwards": True}
    if any(_lasting(each) != mirrored for each in backwards):
        raise _refusal(layer, "must have layers that differ only in their direction")


def _lasting(layer: Config) -> Config:
    passing = INITIAL | TRAINING_OPTIONS | {"recurrent_initializer"}
    options = {name: value for name, value in layer["config"].items() if name not in passing}
    return {"class": layer["class_name"], **options}


def _check_activations(layers: list[Config]) -> None:
    recurrent = [inner(layer) for layer in layers if is_recurrent(layer)]
    *hidden, output = [layer for layer in layers if layer["class_name"] == "Dense"]
    for given, allowed in (
        (recurrent, HIDDEN_ACTIVATIONS),
        (hidden, DENSE_ACTIVATIONS),
        ([output], OUTPUT_ACTIVATIONS),
    ):
        for layer in given:
            if _activation(layer["config"]) not in allowed:
                raise _refusal(
                    layer,
                    f"has the activation {_activation(layer['config'])!r}, "
                    f"not {', '.join(allowed)}",
                )


def _refusal(layer: Config, why: str) -> ValueError:
    name = layer.get("name") or layer["config"].get("name")
    return ValueError(f"its layer {name!r}, of the class {layer['class_name']}, {why}")
