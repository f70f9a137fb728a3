"""The features of Keras that the kernel covers: one table, from which each fit makes a plan."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from skl_lstm.checks import is_number
from skl_lstm.engines.native.kernels import tables
from skl_lstm.engines.native.metrics import METRICS
from skl_lstm.network.network import Network
from skl_lstm.training.keras_names import is_of_keras
from skl_lstm.training.settings import Settings

Arguments = dict[str, Any]


@dataclass(frozen=True)
class KnownLoss:
    """A loss that the kernel supports.

    Parameters
    ----------
    number : int
        Number of the loss in the kernel.
    names : tuple of str
        Keras's names of the loss: functions, short forms and the class.
    parameter : float, default=0.0
        Argument of the loss: delta of the Huber loss, the quantile of the pinball loss if no
        other is set.
    activation : str, default=None
        The only output activation with which it is supported; any if None.
    """

    number: int
    names: tuple[str, ...]
    parameter: float = 0.0
    activation: str | None = None


@dataclass(frozen=True)
class KnownOptimizer:
    """An optimizer that the kernel supports.

    Parameters
    ----------
    number : int
        Number of the optimizer in the kernel.
    defaults : dict of str to object
        Keras's arguments with their defaults.
    slots : callable
        Function from all its arguments to the names of its state vectors, in Keras's order.
    """

    number: int
    defaults: Arguments
    slots: Callable[[Arguments], tuple[str, ...]]


ACTIVATIONS = {
    "linear": tables.LINEAR,
    "sigmoid": tables.SIGMOID,
    "softmax": tables.SOFTMAX,
    "tanh": tables.TANH,
    "relu": tables.RELU,
}

# What the kernel requires of a network, and in training alone.
NETWORK = {
    "cell": "lstm",
    "hidden_activation": "tanh",
    "bidirectional": False,
    "all_steps": False,
    "dense_units": (),
}
TRAINING = {"l2": 0.0}

# Keras computes a cross-entropy from the logits of one activation; after any other it clips
# probabilities, which the kernel does not.
LOSSES = (
    KnownLoss(tables.MSE, ("mse", "MSE", "mean_squared_error", "MeanSquaredError")),
    KnownLoss(tables.MAE, ("mae", "MAE", "mean_absolute_error", "MeanAbsoluteError")),
    KnownLoss(tables.HUBER, ("huber", "Huber"), parameter=1.0),
    KnownLoss(tables.LOG_COSH, ("log_cosh", "LogCosh")),
    KnownLoss(tables.PINBALL, ("pinball",), parameter=0.5),
    KnownLoss(
        tables.BINARY_CROSSENTROPY,
        ("bce", "BCE", "binary_crossentropy", "BinaryCrossentropy"),
        activation="sigmoid",
    ),
    KnownLoss(
        tables.CATEGORICAL_CROSSENTROPY,
        ("categorical_crossentropy", "CategoricalCrossentropy"),
        activation="softmax",
    ),
)

_LIMITS = ("clipnorm", "global_clipnorm", "clipvalue")
_ALWAYS: Arguments = {"weight_decay": None, **dict.fromkeys(_LIMITS)}
_ADAM: Arguments = {
    "learning_rate": 0.001,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-7,
    "amsgrad": False,
    **_ALWAYS,
}


def _slots_of_sgd(arguments: Arguments) -> tuple[str, ...]:
    return ("momentum",) if arguments["momentum"] else ()


def _slots_of_rmsprop(arguments: Arguments) -> tuple[str, ...]:
    momentum = ("momentum",) if arguments["momentum"] > 0 else ()
    return ("velocity", *momentum, *(("average_gradient",) if arguments["centered"] else ()))


def _slots_of_adam(arguments: Arguments) -> tuple[str, ...]:
    return ("momentum", "velocity", *(("velocity_hat",) if arguments["amsgrad"] else ()))


OPTIMIZERS = {
    "sgd": KnownOptimizer(
        tables.SGD,
        {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False, **_ALWAYS},
        _slots_of_sgd,
    ),
    "rmsprop": KnownOptimizer(
        tables.RMSPROP,
        {
            "learning_rate": 0.001,
            "rho": 0.9,
            "momentum": 0.0,
            "epsilon": 1e-7,
            "centered": False,
            **_ALWAYS,
        },
        _slots_of_rmsprop,
    ),
    "adam": KnownOptimizer(tables.ADAM, _ADAM, _slots_of_adam),
    "adamw": KnownOptimizer(tables.ADAM, {**_ADAM, "weight_decay": 0.004}, _slots_of_adam),
    "adamax": KnownOptimizer(
        tables.ADAMAX,
        {name: value for name, value in _ADAM.items() if name != "amsgrad"},
        lambda arguments: ("momentum", "norm"),
    ),
}

# Arguments of every Keras optimizer that the kernel lacks, with the values that turn them off.
_OFF = {
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}

# Arguments that must be less than one.
_SHARES = ("momentum", "rho", "beta_1", "beta_2")


class NotCovered(Exception):
    """Raised if the kernel does not cover a training run; the message names the parameter."""


@dataclass(frozen=True)
class Plan:
    """A training run in the kernel's terms.

    Parameters
    ----------
    loss : int
        Number of the loss.
    loss_parameters : tuple of float
        Argument of the loss, if it has one. With several, each has outputs of its own, as
        :mod:`skl_lstm.network.quantiles` says.
    optimizer : tables.Optimizer
        The optimizer and its constants.
    slots : tuple of str
        Keras's names of the optimizer's state vectors, in Keras's order.
    """

    loss: int
    loss_parameters: tuple[float, ...]
    optimizer: tables.Optimizer
    slots: tuple[str, ...]


def covers(network: Network) -> bool:
    """Return whether the kernel covers the forward pass of a network."""
    return all(getattr(network, name) == covered for name, covered in NETWORK.items())


def make_plan(network: Network, settings: Settings) -> Plan:
    """Convert a training run to the kernel's terms.

    Parameters
    ----------
    network : Network
        Network to train.
    settings : Settings
        Settings of the training run.

    Returns
    -------
    plan : Plan
        Plan for the trainer.

    Raises
    ------
    NotCovered
        If a parameter is supported only by Keras.
    """
    for name, covered in (NETWORK | TRAINING).items():
        value = getattr(network, name)
        if value != covered:
            raise NotCovered(f"{name}={value!r}")
    if settings.callbacks:
        raise NotCovered("callbacks")
    if not all(isinstance(name, str) and name in METRICS for name in settings.metrics):
        raise NotCovered(f"metrics={settings.metrics!r}")
    loss = _loss(settings.loss)
    name, given = _optimizer(settings)
    activation = network.output_activation
    if loss.activation not in (None, activation):
        raise NotCovered(f"loss={settings.loss!r} after output_activation={activation!r}")
    _check_arguments(name, given)
    arguments = {**OPTIMIZERS[name].defaults, **given}
    return Plan(
        loss.number,
        settings.quantiles or (loss.parameter,),
        _constants(name, arguments),
        OPTIMIZERS[name].slots(arguments),
    )


def _loss(loss: Any) -> KnownLoss:
    # An instance may have arguments that its config does not show.
    name = loss if isinstance(loss, str) else loss.__name__ if is_of_keras(loss) else None
    for known in LOSSES:
        if name in known.names:
            return known
    raise NotCovered(f"loss={loss!r}")


def _optimizer(settings: Settings) -> tuple[str, Arguments]:
    """Return the name of an optimizer and the arguments that it was given."""
    optimizer = settings.optimizer
    name: Any = None
    config: Any = {}
    if isinstance(optimizer, str):
        name = optimizer
    elif isinstance(optimizer, dict):
        name, config = optimizer.get("class_name"), optimizer.get("config")
    elif is_of_keras(optimizer):
        name = optimizer.__name__
    elif is_of_keras(type(optimizer)):
        name, config = type(optimizer).__name__, optimizer.get_config()
    if not (isinstance(name, str) and name.lower() in OPTIMIZERS and isinstance(config, dict)):
        raise NotCovered(f"optimizer={optimizer!r}")
    given = {**config, **settings.optimizer_kwargs}
    if settings.learning_rate is not None:
        given["learning_rate"] = float(settings.learning_rate)
    given.pop("name", None)
    return name.lower(), {
        key: value for key, value in given.items() if key not in _OFF or value != _OFF[key]
    }


def _check_arguments(optimizer: str, given: Arguments) -> None:
    defaults = OPTIMIZERS[optimizer].defaults
    for name, value in given.items():
        if name not in defaults or not _is_allowed(name, value, defaults[name]):
            raise NotCovered(f"{name}={value!r} of optimizer={optimizer!r}")
    limits = [name for name in _LIMITS if given.get(name) is not None]
    if len(limits) > 1:
        raise NotCovered(f"{' with '.join(limits)} of optimizer={optimizer!r}")


def _is_allowed(name: str, value: Any, default: Any) -> bool:
    """Return whether Keras would accept an argument; if not, Keras raises the error."""
    if value is None:
        return name in _ALWAYS and default is None
    if isinstance(default, bool):
        return isinstance(value, bool)
    if not is_number(value):
        return False
    number = float(value)
    if name in ("learning_rate", *_LIMITS):
        return 0.0 < number < math.inf
    return 0.0 <= number < (1.0 if name in _SHARES else math.inf)


def _constants(optimizer: str, arguments: Arguments) -> tables.Optimizer:
    variant = any(arguments.get(name) for name in ("nesterov", "centered", "amsgrad"))
    momentum = next(arguments[name] for name in ("momentum", "beta_1") if name in arguments)
    decay = next((arguments[name] for name in ("rho", "beta_2") if name in arguments), 0.0)
    return tables.Optimizer(
        kind=OPTIMIZERS[optimizer].number,
        variant=int(variant),
        learning_rate=float(arguments["learning_rate"]),
        momentum=float(momentum),
        decay=float(decay),
        epsilon=float(arguments.get("epsilon", 0.0)),
        weight_decay=float(arguments["weight_decay"] or 0.0),
        **{name: float(arguments[name] or 0.0) for name in _LIMITS},
    )
