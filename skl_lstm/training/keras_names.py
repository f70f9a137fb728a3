"""Keras's own losses, optimizers and metrics as plain values, without importing Keras."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Collection
from typing import Any

from skl_lstm.checks import did_you_mean

LOSS_CLASSES = (
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
)
OPTIMIZER_CLASSES = (
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Nadam",
    "RMSprop",
    "SGD",
)
METRIC_CLASSES = (
    *(loss for loss in LOSS_CLASSES if "Focal" not in loss and loss not in ("Huber", "LogCosh")),
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "LogCoshError",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
)
SCHEDULE_CLASSES = (
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
)

_SHORT = {
    "bce": "BinaryCrossentropy",
    "kld": "KLDivergence",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "mse": "MeanSquaredError",
    "msle": "MeanSquaredLogarithmicError",
}

# Names under which Keras's files hold what is not Keras's but ours.
PINBALL_LOSS, METRIC_OF_MEDIAN = "skl_lstm>PinballLoss", "skl_lstm>MetricOfMedian"

# Metrics that Keras resolves depending on the loss.
UNNAMED_METRICS = ("accuracy", "acc", "crossentropy", "ce")

# What a name can stand for in a parameter: the module of Keras that resolves it, its classes,
# and its other names. The classes include some that cannot be described in plain values, and
# some that the oldest supported Keras lacks.
_NAMED: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "loss": ("losses", (*LOSS_CLASSES, "CTC", "Circle", "Dice", "Tversky"), (*_SHORT,)),
    "optimizer": ("optimizers", (*OPTIMIZER_CLASSES, "Muon", "ScheduleFreeAdamW"), ()),
    "metrics": (
        "metrics",
        (*METRIC_CLASSES, "BinaryIoU", "ConcordanceCorrelation", "PearsonCorrelation"),
        (*(short for short in _SHORT if short != "kld"), *UNNAMED_METRICS),
    ),
}

# Arguments of every loss and metric, which a config may omit.
_COMMON = {"name", "dtype", "reduction"}


def is_of_keras(thing: Any) -> bool:
    """Return whether `thing` is a class or a function of Keras itself, not a subclass of one."""
    return hasattr(thing, "__name__") and getattr(thing, "__module__", "").startswith("keras.")


def class_name(name: str, classes: Collection[str]) -> str | None:
    """Return the class that Keras means by a name.

    Parameters
    ----------
    name : str
        Name of a class or a function, or a short form: ``"MeanSquaredError"``,
        ``"mean_squared_error"``, ``"mse"``.
    classes : collection of str
        Names of the classes to choose from.

    Returns
    -------
    name : str or None
        Name of the class; None if there is none.
    """
    name = _SHORT.get(name.lower(), name).replace("_", "").lower()
    return next((each for each in classes if each.lower() == name), None)


def check_name(parameter: str, name: str, own: Collection[str] = ()) -> None:
    """Raise ValueError for a name that neither Keras nor this package has.

    Keras is asked only if it has been imported already, because that takes seconds; only then
    can it have other names, which the user registered.

    Parameters
    ----------
    parameter : {"loss", "optimizer", "metrics"}
        The parameter to which the name was given.
    name : str
        The name.
    own : collection of str, default=()
        Names that this package adds.
    """
    module, classes, _ = _NAMED[parameter]
    functions, known = _names_of(parameter)
    searched = name.lower() if parameter == "optimizer" else name
    if name in own or searched in known or _is_of_imported_keras(module, name):
        return
    listed = sorted({*own, *functions})
    raise ValueError(
        f"{parameter} must be one of {', '.join(listed)}, or a name that Keras, once imported, "
        f"knows, got {name!r}{did_you_mean(name, [*classes, *listed])}"
    )


@functools.cache
def _names_of(parameter: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return Keras's names of functions for a parameter, and all those that it may have."""
    _, classes, others = _NAMED[parameter]
    to_function = str.lower if parameter == "optimizer" else _snake_case
    functions = frozenset({*others, *map(to_function, classes)})
    upper = (each.upper() for each in _SHORT if each in others)
    return functions, frozenset({*classes, *upper, *functions})


def _snake_case(name: str) -> str:
    """Return the name that Keras gives the function of a class."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _is_of_imported_keras(module: str, name: str) -> bool:
    keras = sys.modules.get("keras")
    try:
        return keras is not None and getattr(keras, module).get(name) is not None
    except Exception:  # Keras raises several kinds of error for such names
        return False


def describe(thing: Any, classes: Collection[str]) -> Any:
    """Describe a Keras object in plain values.

    Parameters
    ----------
    thing : object
        A name, a class, a function or an instance, or an existing description.
    classes : collection of str
        Names of the Keras classes that are allowed.

    Returns
    -------
    description : str or dict
        A name, or ``{"class_name": …, "config": …}`` for an instance with arguments.

    Raises
    ------
    ValueError
        If it is not Keras's own, or does not reveal its arguments.
    """
    if isinstance(thing, str):
        return thing
    if isinstance(thing, dict):
        return check_description(thing, classes)
    kind = thing if is_of_keras(thing) else type(thing)
    name = class_name(kind.__name__, classes) if is_of_keras(kind) else None
    if name is None:
        raise ValueError(f"{thing!r} is not one of Keras's own objects")
    if kind is thing:
        return kind.__name__
    parameters = inspect.signature(kind).parameters.values()
    arguments = {each.name for each in parameters if each.kind is not each.VAR_KEYWORD}
    # A private attribute, because the config of keras.losses.Huber lacks delta.
    kept = getattr(thing, "_fn_kwargs", {})
    config = _plain({**{name: kept[name] for name in arguments & set(kept)}, **thing.get_config()})
    if untold := sorted(arguments - set(config) - _COMMON):
        raise ValueError(
            f"{name} does not reveal its {', '.join(untold)}; if that is the default, pass the "
            f"name {name!r} instead of an instance"
        )
    return check_description({"class_name": name, "config": config}, classes)


def check_description(description: Any, classes: Collection[str]) -> Any:
    """Return a description in its shortest form; raise ValueError if it is invalid.

    Parameters
    ----------
    description : str or dict
        As returned by :func:`describe`; it may contain descriptions of learning rate schedules.
    classes : collection of str
        Names of the Keras classes that are allowed.
    """
    if isinstance(description, str):
        return description
    if not isinstance(description, dict) or not {"class_name", "config"} <= set(description):
        raise ValueError("a Keras object must be a name, or a class_name and a config")
    name, config = description["class_name"], description["config"]
    is_keras = description.get("module") in (None, *_MODULES)
    if name not in classes or not is_keras or description.get("registered_name") is not None:
        raise ValueError(f"{name!r} is not the name of one of Keras's own objects")
    if not isinstance(config, dict):
        raise ValueError(f"the config of {name} must be a dict, got {config!r}")
    checked = {
        key: check_description(value, SCHEDULE_CLASSES) if isinstance(value, dict) else value
        for key, value in config.items()
    }
    for key, value in checked.items():
        if not (_is_plain(value) or (isinstance(value, dict) and key == "learning_rate")):
            raise ValueError(f"{key} of {name} must be a plain value, got {value!r}")
    is_default = set(checked) <= _COMMON and checked.get("dtype") in (None, "float32")
    if (
        classes is LOSS_CLASSES
        and is_default
        and checked.get("reduction") == "sum_over_batch_size"
    ):
        return name
    return {"class_name": name, "config": checked}


_MODULES = ("keras.losses", "keras.optimizers", "keras.optimizers.schedules", "keras.metrics")


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(each) and not isinstance(each, list | tuple) for each in value)
    return isinstance(value, str | bool | int | float | None)


def _plain(value: Any) -> Any:
    """Convert NumPy scalars and arrays, and Keras dtype policies, to plain values."""
    if isinstance(value, dict) and value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value
