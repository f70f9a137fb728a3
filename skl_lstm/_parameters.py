"""An estimator's parameters as plain values, fit for JSON, and back."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ._files import ModelFileError
from ._keras_names import LOSSES, METRICS, OPTIMIZERS, SCHEDULES, check_description, describe

if TYPE_CHECKING:
    from ._base import BaseLSTM

Estimator = TypeVar("Estimator", bound="BaseLSTM")

# JSON has neither tuples nor keys other than strings.
_TUPLE, _ITEMS = "__tuple__", "__items__"


def to_plain(estimator: BaseLSTM) -> dict[str, Any]:
    """Say the parameters of an estimator in plain values.

    Parameters
    ----------
    estimator : BaseLSTM
        A fitted estimator.

    Returns
    -------
    plain : dict of str to object
        By the names of the parameters. Keras's own losses, optimizers and metrics stand there
        by name or configuration, a random state as the seed drawn from it; callbacks do not.

    Raises
    ------
    ModelFileError
        If a parameter cannot be said so, as a function of the user's own.
    """
    plain = {}
    for name, value in estimator.get_params(deep=False).items():
        if name == "callbacks" and value is not None:
            warnings.warn(
                "callbacks are no part of a model and are not saved", UserWarning, stacklevel=5
            )
            value = None
        if name == "random_state" and isinstance(value, np.random.RandomState):
            value = estimator.seed_
        try:
            plain[name] = _encode(_described(name, value, describe))
        except ValueError as error:
            raise ModelFileError(f"{name} cannot be saved: {error}") from error
    return plain


def from_plain(kind: type[Estimator], plain: Any) -> Estimator:
    """Build an unfitted estimator; the inverse of :func:`to_plain`.

    Parameters
    ----------
    kind : type
        A class of estimators.
    plain : dict of str to object
        Parameters as :func:`to_plain` says them, of any origin. One that is not named keeps
        its default.

    Returns
    -------
    estimator : BaseLSTM
        With these parameters.

    Raises
    ------
    ValueError
        If a parameter does not exist or is not allowed.
    """
    if not isinstance(plain, dict):
        raise ValueError(f"parameters must be a JSON object, got {plain!r}")
    if unknown := sorted(set(plain) - set(kind().get_params(deep=False))):
        raise ValueError(f"{kind.__name__} has no parameter {', '.join(unknown)}")
    parameters = {
        name: _described(name, _decode(value), check_description) for name, value in plain.items()
    }
    estimator = kind(**parameters)
    if estimator.callbacks is not None:
        raise ValueError(f"callbacks must be null in a file, got {estimator.callbacks!r}")
    seed = estimator.random_state
    if seed is not None and not (type(seed) is int and 0 <= seed < 2**32):
        raise ValueError(f"random_state must be an integer in [0, 2**32) or null, got {seed!r}")
    estimator._check_parameters()
    return estimator


def _described(name: str, value: Any, say: Callable[[Any, Collection[str]], Any]) -> Any:
    """Pass the Keras objects of a parameter, where it has some, through `say`."""
    if name == "loss":
        return say(value, LOSSES)
    if name == "optimizer":
        return say(value, OPTIMIZERS)
    if name == "metrics" and isinstance(value, list | tuple):
        return type(value)(say(metric, METRICS) for metric in value)
    if name == "optimizer_kwargs" and isinstance(value, dict):
        rate = value.get("learning_rate")
        if not isinstance(rate, float | int | None):
            return {**value, "learning_rate": say(rate, SCHEDULES)}
    return value


def _encode(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        return [_encode(each) for each in value]
    if isinstance(value, tuple):
        return {_TUPLE: [_encode(each) for each in value]}
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: _encode(each) for key, each in value.items()}
        return {_ITEMS: [[_encode(key), _encode(each)] for key, each in value.items()]}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"a file holds finite numbers alone, got {value!r}")
    if isinstance(value, str | bool | int | float | None):
        return value
    raise ValueError(f"a file holds plain values alone, got {value!r}")


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(each) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {_TUPLE}:
        return tuple(_decode(value[_TUPLE]))
    if set(value) == {_ITEMS}:
        return {_decode(key): _decode(each) for key, each in value[_ITEMS]}
    return {key: _decode(each) for key, each in value.items()}
