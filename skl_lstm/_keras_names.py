"""Keras's own losses, optimizers and metrics in plain values, without importing Keras."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import Any

LOSSES = (
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
OPTIMIZERS = (
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
METRICS = (
    *(loss for loss in LOSSES if "Focal" not in loss and loss not in ("Huber", "LogCosh")),
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
SCHEDULES = (
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

# What every loss and metric takes, and what configurations may leave unsaid.
_COMMON = {"name", "dtype", "reduction"}


def is_of_keras(thing: Any) -> bool:
    """Tell whether `thing` is a class or a function of Keras itself, and no subclass of one."""
    return hasattr(thing, "__name__") and getattr(thing, "__module__", "").startswith("keras.")


def class_name(name: str, classes: Collection[str]) -> str | None:
    """Find the class that Keras means by a name.

    Parameters
    ----------
    name : str
        Of a class or a function, or a short form: ``"MeanSquaredError"``,
        ``"mean_squared_error"``, ``"mse"``.
    classes : collection of str
        The classes to choose from.

    Returns
    -------
    name : str or None
        Of one of them.
    """
    name = _SHORT.get(name.lower(), name).replace("_", "").lower()
    return next((each for each in classes if each.lower() == name), None)


def describe(thing: Any, classes: Collection[str]) -> Any:
    """Say a Keras object in plain values.

    Parameters
    ----------
    thing : object
        A name, a class, a function or an instance, or what this function returned for one.
    classes : collection of str
        The classes of Keras that it may be of.

    Returns
    -------
    description : str or dict
        A name, or ``{"class_name": …, "config": …}`` where an instance has arguments.

    Raises
    ------
    ValueError
        If it is not Keras's own, or does not tell its arguments.
    """
    if isinstance(thing, str):
        return thing
    if isinstance(thing, dict):
        return check_description(thing, classes)
    kind = thing if is_of_keras(thing) else type(thing)
    name = class_name(kind.__name__, classes) if is_of_keras(kind) else None
    if name is None:
        raise ValueError(f"{thing!r} is not one of Keras's own")
    if kind is thing:
        return kind.__name__
    parameters = inspect.signature(kind).parameters.values()
    arguments = {each.name for each in parameters if each.kind is not each.VAR_KEYWORD}
    # Private, because the configuration of keras.losses.Huber leaves its delta out.
    kept = getattr(thing, "_fn_kwargs", {})
    config = _plain({**{name: kept[name] for name in arguments & set(kept)}, **thing.get_config()})
    if untold := sorted(arguments - set(config) - _COMMON):
        raise ValueError(
            f"{name} does not tell what it was given for {', '.join(untold)}; where that is the "
            f"default, give the name {name!r} instead of an instance"
        )
    return check_description({"class_name": name, "config": config}, classes)


def check_description(description: Any, classes: Collection[str]) -> Any:
    """Return a description in its shortest form, or raise ValueError if it is none.

    Parameters
    ----------
    description : str or dict
        As :func:`describe` gives it, with nested ones of learning rate schedules.
    classes : collection of str
        The classes of Keras that it may name.
    """
    if isinstance(description, str):
        return description
    if not isinstance(description, dict) or not {"class_name", "config"} <= set(description):
        raise ValueError("a Keras object must be a name, or a class_name and a config")
    name, config = description["class_name"], description["config"]
    is_keras = description.get("module") in (None, *_MODULES)
    if name not in classes or not is_keras or description.get("registered_name") is not None:
        raise ValueError(f"{name!r} is not the name of one of Keras's own")
    if not isinstance(config, dict):
        raise ValueError(f"the config of {name} must be a dict, got {config!r}")
    checked = {
        key: check_description(value, SCHEDULES) if isinstance(value, dict) else value
        for key, value in config.items()
    }
    for key, value in checked.items():
        if not (_is_plain(value) or (isinstance(value, dict) and key == "learning_rate")):
            raise ValueError(f"{key} of {name} must be a plain value, got {value!r}")
    is_default = set(checked) <= _COMMON and checked.get("dtype") in (None, "float32")
    if classes is LOSSES and is_default and checked.get("reduction") == "sum_over_batch_size":
        return name
    return {"class_name": name, "config": checked}


_MODULES = ("keras.losses", "keras.optimizers", "keras.optimizers.schedules", "keras.metrics")


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(each) and not isinstance(each, list | tuple) for each in value)
    return isinstance(value, str | bool | int | float | None)


def _plain(value: Any) -> Any:
    """Turn NumPy's scalars and arrays, and Keras's policies, into what they stand for."""
    if isinstance(value, dict) and value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value
