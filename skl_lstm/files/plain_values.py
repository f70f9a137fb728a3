"""Conversion of parameters and fitted attributes to plain values for JSON, and back."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from skl_lstm.files.whole_files import ModelFileError
from skl_lstm.training.keras_names import (
    LOSS_CLASSES,
    METRIC_CLASSES,
    OPTIMIZER_CLASSES,
    SCHEDULE_CLASSES,
    check_description,
    describe,
)

# NumPy dtypes allowed for fitted attributes that are arrays.
ARRAY_DTYPE = re.compile(r"[<|][biuf][1248]|<U\d{1,6}|\|O")

# JSON has neither tuples nor keys other than strings.
_TUPLE, _ITEMS = "__tuple__", "__items__"


def parameters_to_json(parameters: dict[str, Any]) -> dict[str, Any]:
    """Convert the parameters of an estimator to values for JSON.

    Parameters
    ----------
    parameters : dict of str to object
        Parameters by name.

    Returns
    -------
    values : dict of str to object
        Values by name; Keras's own losses, optimizers and metrics as names or configs.

    Raises
    ------
    ModelFileError
        If a parameter has no such form, such as a user-defined function.
    """
    values = {}
    for name, value in parameters.items():
        try:
            values[name] = _to_json(_keras_objects(name, value, describe))
        except ValueError as error:
            raise ModelFileError(f"{name} cannot be saved: {error}") from error
    return values


def parameters_from_json(values: Any) -> dict[str, Any]:
    """Convert untrusted values to parameters; the inverse of :func:`parameters_to_json`.

    Parameters
    ----------
    values : dict of str to object
        As returned by :func:`parameters_to_json`.

    Returns
    -------
    parameters : dict of str to object
        Parameters by name. Whether an estimator has and accepts them is checked by its class.

    Raises
    ------
    ValueError
        If a value is not allowed in a file.
    """
    if not isinstance(values, dict):
        raise ValueError(f"parameters must be a JSON object, got {values!r}")
    parameters = {
        name: _keras_objects(name, _from_json(value), check_description)
        for name, value in values.items()
    }
    callbacks, seed = parameters.get("callbacks"), parameters.get("random_state")
    if callbacks is not None:
        raise ValueError(f"callbacks must be null in a file, got {callbacks!r}")
    if seed is not None and not (type(seed) is int and 0 <= seed < 2**32):
        raise ValueError(f"random_state must be an integer in [0, 2**32) or null, got {seed!r}")
    return parameters


def attribute_to_json(name: str, value: Any) -> Any:
    """Convert a fitted attribute, an integer or an array of labels, to values for JSON."""
    if isinstance(value, np.ndarray):
        array = value.astype(value.dtype.newbyteorder("<"))
        if not (_are_plain(array.tolist()) and ARRAY_DTYPE.fullmatch(array.dtype.str)):
            raise ModelFileError(
                f"{name} must be numbers or strings to be saved, got {value.dtype}"
            )
        return {"dtype": array.dtype.str, "values": array.tolist()}
    return value


def attribute_from_json(name: str, value: Any, n_bytes: int) -> Any:
    """Convert an untrusted value to a fitted attribute of at most `n_bytes` bytes."""
    if type(value) is int:
        return value
    if not isinstance(value, dict) or set(value) != {"dtype", "values"}:
        raise ModelFileError(f"{name} must be an integer or an array, got {value!r}")
    dtype, values = value["dtype"], value["values"]
    if not (isinstance(values, list) and _are_plain(values) and ARRAY_DTYPE.fullmatch(dtype)):
        raise ModelFileError(f"{name} must be an array of plain values, got dtype {dtype!r}")
    if len(values) * np.dtype(dtype).itemsize > n_bytes:
        raise ModelFileError(f"{name} claims to be larger than the file")
    array = np.array(values, dtype=dtype)
    if array.tolist() != values:
        raise ModelFileError(f"the values of {name} do not have its dtype {dtype}")
    return array.astype(array.dtype.newbyteorder("="))


def _keras_objects(name: str, value: Any, convert: Callable[[Any, Collection[str]], Any]) -> Any:
    """Apply `convert` to the Keras objects in a parameter."""
    if name == "loss":
        return convert(value, LOSS_CLASSES)
    if name == "optimizer":
        return convert(value, OPTIMIZER_CLASSES)
    if name == "metrics" and isinstance(value, list | tuple):
        return type(value)(convert(metric, METRIC_CLASSES) for metric in value)
    if name == "optimizer_kwargs" and isinstance(value, dict):
        rate = value.get("learning_rate")
        if not isinstance(rate, float | int | None):
            return {**value, "learning_rate": convert(rate, SCHEDULE_CLASSES)}
    return value


def _to_json(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        return [_to_json(each) for each in value]
    if isinstance(value, tuple):
        return {_TUPLE: [_to_json(each) for each in value]}
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: _to_json(each) for key, each in value.items()}
        return {_ITEMS: [[_to_json(key), _to_json(each)] for key, each in value.items()]}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"a file holds only finite numbers, got {value!r}")
    if isinstance(value, str | bool | int | float | None):
        return value
    raise ValueError(f"a file holds only plain values, got {value!r}")


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_json(each) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {_TUPLE}:
        return tuple(_from_json(value[_TUPLE]))
    if set(value) == {_ITEMS}:
        return {_from_json(key): _from_json(each) for key, each in value[_ITEMS]}
    return {key: _from_json(each) for key, each in value.items()}


def _are_plain(values: list[Any]) -> bool:
    return all(isinstance(each, str | bool | int | float) for each in values)
