"""The native engine: what of Keras it covers, and its loop over epochs."""

from __future__ import annotations

import functools
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._inference import fill_missing
from ._keras_names import is_of_keras
from ._network import Network
from ._progress import Progress
from ._training import (
    Rows,
    Settings,
    TrainingState,
    epoch_orders,
    time_order,
    warn_of_divergence,
)
from ._windows import Windows

if TYPE_CHECKING:
    from ._trainer import NativeTrainer

# How long one call of the kernel may last where several epochs can go in one.
CALL_SECONDS = 0.1

# Windows that are laid out at once to find the states in which they end.
STATE_ROWS = 4096

# The kernel's names, each with Keras's for the same: functions, short forms and classes.
LOSSES = {
    "mse": ("mse", "MSE", "mean_squared_error", "MeanSquaredError"),
    "mae": ("mae", "MAE", "mean_absolute_error", "MeanAbsoluteError"),
    "huber": ("huber", "Huber"),
    "log_cosh": ("log_cosh", "LogCosh"),
    "pinball": ("pinball",),
    "binary_crossentropy": ("bce", "BCE", "binary_crossentropy", "BinaryCrossentropy"),
    "categorical_crossentropy": ("categorical_crossentropy", "CategoricalCrossentropy"),
}
OPTIMIZERS = ("sgd", "rmsprop", "adam", "adamw", "adamax")

# Options of every Keras optimiser that the kernel lacks, with the values that turn them off.
_OFF = {
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}

Metric = Callable[[NDArray, NDArray], NDArray]
METRICS: dict[str, Metric] = {}


def _metric(*names: str) -> Callable[[Metric], Metric]:
    def register(metric: Metric) -> Metric:
        METRICS.update(dict.fromkeys(names, metric))
        return metric

    return register


@_metric("mse", "MSE", "mean_squared_error")
def _mean_squared_error(targets: NDArray, outputs: NDArray) -> NDArray:
    return np.square(targets - outputs).mean()


@_metric("mae", "MAE", "mean_absolute_error")
def _mean_absolute_error(targets: NDArray, outputs: NDArray) -> NDArray:
    return np.abs(targets - outputs).mean()


@_metric("mape", "MAPE", "mean_absolute_percentage_error")
def _mean_absolute_percentage_error(targets: NDArray, outputs: NDArray) -> NDArray:
    return 100.0 * (np.abs(targets - outputs) / np.maximum(np.abs(targets), 1e-7)).mean()


@_metric("root_mean_squared_error")
def _root_mean_squared_error(targets: NDArray, outputs: NDArray) -> NDArray:
    return np.sqrt(np.square(targets - outputs).mean())


@_metric("accuracy", "acc")
def _accuracy(targets: NDArray, outputs: NDArray) -> NDArray:
    if targets.shape[1] == 1:
        return np.mean((outputs > 0.5) == targets)
    return np.mean(outputs.argmax(axis=1) == targets.argmax(axis=1))


def why_not(network: Network, settings: Settings) -> str | None:
    """Say what of a training the kernel does not cover.

    Parameters
    ----------
    network : Network
        What is to be trained.
    settings : Settings
        How.

    Returns
    -------
    reason : str or None
        The first parameter that only Keras can serve; None where the kernel covers all.
    """
    if settings.callbacks:
        return "callbacks"
    for metric in settings.metrics:
        if not isinstance(metric, str) or metric not in METRICS:
            return f"metrics={settings.metrics!r}"
    loss = _known_loss(settings)
    if loss is None:
        return f"loss={settings.loss!r}"
    optimizer = _known_optimizer(settings)
    if optimizer is None:
        return f"optimizer={settings.optimizer!r}"
    if settings.verbose and not kernel_failure.cache_info().currsize:
        print("Loading the training kernel; the first fit on a machine compiles it.")
    if failure := kernel_failure():
        return failure
    from ._trainer import unsupported

    return unsupported(
        loss=loss[0],
        loss_args=loss[1],
        output_activation=network.output_activation,
        optimizer=optimizer[0],
        optimizer_args=optimizer[1],
    )


@functools.cache
def kernel_failure() -> str | None:
    """Load the compiled kernel, or compile it, once a process; say why where that fails.

    Returns
    -------
    failure : str or None
        None where the kernel works.
    """
    network = Network(n_steps=1, n_features=1, units=(1,), n_outputs=1)
    nothing = np.zeros((1, 1), dtype=np.float32)
    rows = Rows(Windows.of(nothing, 1, 1), nothing)
    try:
        fit(network, rows, rows[:0], Settings(epochs=1), TrainingState.fresh(network, 0))
    except (ImportError, OSError, RuntimeError, NotImplementedError) as error:
        # What Numba and LLVM raise where they are missing or cannot work; a defect of the
        # kernel itself is another error, and rises.
        return f"this platform, where Numba fails ({type(error).__name__}: {error})"
    return None


@functools.cache
def warn_if_kernel_failed(reason: str) -> None:
    """Warn, once a process, that Keras trains for this reason, if it is the platform."""
    if kernel_failure.cache_info().currsize and reason == kernel_failure():
        warnings.warn(
            f"the native engine does not cover {reason}; Keras trains instead",
            RuntimeWarning,
            stacklevel=5,
        )


def fit(
    network: Network, rows: Rows, validation: Rows, settings: Settings, start: TrainingState
) -> TrainingState:
    """Train a network by the kernel.

    Parameters and returns are those of :func:`skl_lstm._training.train`.
    """
    from ._trainer import NativeTrainer, slot_names

    loss, loss_args = _known_loss(settings) or ("", {})
    optimizer, optimizer_args = _known_optimizer(settings) or ("", {})
    slots = _Slots.of(start, slot_names(optimizer, optimizer_args))
    parameters = start.parameters.copy()
    all_rows = rows.followed_by(validation)
    trainer = NativeTrainer(
        units=network.units,
        n_steps=network.n_steps,
        n_features=network.n_features,
        n_outputs=network.n_outputs,
        output_activation=network.output_activation,
        loss=loss,
        loss_args=loss_args,
        optimizer=optimizer,
        optimizer_args=optimizer_args,
        dropout=network.dropout,
        recurrent_dropout=network.recurrent_dropout,
        stateful=network.stateful,
        batch_size=min(settings.batch_size, len(rows)),
        theta=parameters,
        slots=slots.vectors,
        iterations=slots.iteration,
        buffer=all_rows.windows.buffer,
        row_stride=all_rows.windows.row_stride,
        rows=all_rows.windows.rows,
        y=all_rows.targets,
        sample_weight=all_rows.sample_weight,
        seed=settings.seed,
        n_threads=None,
    )
    orders = epoch_orders(len(rows), start.n_epochs, network, settings)
    judged = len(rows) + time_order(len(validation), network, settings)
    history: dict[str, list[float]] = {}
    best = _Best(settings.patience) if settings.early_stopping else None
    progress = Progress(start.n_epochs, settings.epochs, settings.verbose)
    try:
        epochs = _epochs(trainer, orders, judged, network, settings, all_rows.targets)
        for epoch, logs in enumerate(epochs, start.n_epochs):
            for name, value in logs.items():
                history.setdefault(name, []).append(value)
            progress.update(epoch, logs)
            if not np.isfinite(logs["loss"]):
                warn_of_divergence(epoch)
                break
            if best and best.is_over(logs.get("val_loss", logs["loss"]), epoch, parameters):
                break
    finally:
        trainer.close()
        progress.close()
    kept = parameters if best is None or best.parameters is None else best.parameters
    state = {"iteration": np.array(trainer.iterations), **slots.by_name()}
    return start.followed_by(kept, state, history)


def last_states(
    network: Network, parameters: NDArray[np.float32], windows: Windows
) -> list[NDArray[np.float32]]:
    """Find the states in which a prediction of these windows ends, from zero ones on.

    Parameters and returns are those of :func:`skl_lstm._training.last_states`.
    """
    from ._trainer import NativeTrainer

    states = np.zeros(network.states_size, dtype=np.float32)
    lags = windows.view()
    for start in range(0, len(lags), STATE_ROWS):
        block = fill_missing(lags[start : start + STATE_ROWS])
        # As in training, a row of which nothing is known does not touch the state.
        block = block[~np.isnan(block).any(axis=(1, 2))].reshape(-1, windows.width)
        if not len(block):
            continue
        trainer = NativeTrainer(
            units=network.units,
            n_steps=network.n_steps,
            n_features=network.n_features,
            n_outputs=network.n_outputs,
            optimizer="sgd",
            stateful=True,
            batch_size=1,
            theta=parameters,
            slots=np.zeros((0, network.size), dtype=np.float32),
            buffer=block.reshape(-1),
            row_stride=windows.width,
            rows=np.arange(len(block)),
            y=np.zeros((len(block), network.n_outputs), dtype=np.float32),
        )
        trainer.states[:] = states
        trainer.evaluate(np.arange(len(block)))
        states = trainer.states
    return network.states(states)


def _epochs(
    trainer: NativeTrainer,
    orders: Iterator[NDArray[np.int64]],
    judged: NDArray[np.int64],
    network: Network,
    settings: Settings,
    targets: NDArray,
) -> Iterator[dict[str, float]]:
    """Train epoch after epoch; give the loss and the metrics of each.

    Where nobody looks at an epoch before the next, several go in one call, which holds no lock
    of Python's; few enough for Ctrl-C to be answered at once.
    """
    watched = (
        len(judged)
        or settings.metrics
        or settings.early_stopping
        or settings.verbose
        or network.stateful
    )
    n_left, n_together = settings.epochs, 1
    while n_left:
        trainer.states[:] = 0.0
        started = time.perf_counter()
        drawn = [next(orders) for _ in range(min(n_together, n_left))]
        losses = trainer.epochs(drawn)
        seconds = (time.perf_counter() - started) / len(losses)
        n_left -= len(losses)
        if not watched:
            n_together = 1 + int(CALL_SECONDS / seconds)
        for loss in losses:
            logs = {"loss": loss}
            logs |= {name: _measure(name, trainer, drawn[0], targets) for name in settings.metrics}
            if len(judged):
                trainer.states[:] = 0.0
                logs["val_loss"] = trainer.evaluate(judged)
                for name in settings.metrics:
                    logs[f"val_{name}"] = _measure(name, trainer, judged, targets)
            yield logs


def _measure(
    name: str, trainer: NativeTrainer, positions: NDArray[np.int64], targets: NDArray
) -> float:
    return float(METRICS[name](targets[positions], trainer.outputs[positions]))


class _Best:
    """The best epoch so far, and whether waiting for a better one has lasted long enough.

    Its rules are those of ``keras.callbacks.EarlyStopping(restore_best_weights=True)``.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.loss = np.inf
        self.waited = 0
        self.parameters: NDArray[np.float32] | None = None

    def is_over(self, loss: float, epoch: int, parameters: NDArray[np.float32]) -> bool:
        self.waited += 1
        if loss < self.loss or self.parameters is None:
            self.parameters = parameters.copy()
        if loss < self.loss:
            self.loss, self.waited = loss, 0
        return self.waited >= max(self.patience, 1) and epoch > 0


@dataclass(frozen=True)
class _Slots:
    """The optimiser's state as the kernel has it: a row of `vectors` for each name."""

    names: tuple[str, ...]
    vectors: NDArray[np.float32]
    iteration: int

    @classmethod
    def of(cls, start: TrainingState, names: tuple[str, ...]) -> _Slots:
        state = start.optimizer_state_for(names)
        vectors = np.zeros((len(names), start.parameters.size), dtype=np.float32)
        for vector, name in zip(vectors, names, strict=True):
            vector[:] = state.get(name, 0.0)
        return cls(names, vectors, int(state.get("iteration", 0)))

    def by_name(self) -> dict[str, NDArray[np.float32]]:
        return dict(zip(self.names, self.vectors, strict=True))


def _known_loss(settings: Settings) -> tuple[str, dict[str, float]] | None:
    """Give the kernel's name and arguments of a loss, or None where it does not know it."""
    loss = settings.loss
    if isinstance(loss, str):
        name = loss
    elif is_of_keras(loss):
        # An instance may have been given arguments that its configuration does not show.
        name = loss.__name__
    else:
        return None
    for known, names in LOSSES.items():
        if name in names:
            return known, {"quantile": settings.quantile} if known == "pinball" else {}
    return None


def _known_optimizer(settings: Settings) -> tuple[str, dict[str, Any]] | None:
    """Give the kernel's name and arguments of an optimiser, or None as above."""
    optimizer = settings.optimizer
    name: Any
    config: Any = {}
    if isinstance(optimizer, str):
        name = optimizer
    elif isinstance(optimizer, dict):
        name, config = optimizer.get("class_name"), optimizer.get("config")
        if not (isinstance(name, str) and isinstance(config, dict)):
            return None
    elif is_of_keras(optimizer):
        name = optimizer.__name__
    elif is_of_keras(type(optimizer)):
        name = type(optimizer).__name__
        config = optimizer.get_config()
    else:
        return None
    config = {**config, **settings.optimizer_kwargs}
    if settings.learning_rate is not None:
        config["learning_rate"] = float(settings.learning_rate)
    config.pop("name", None)
    arguments = {
        key: value for key, value in config.items() if key not in _OFF or value != _OFF[key]
    }
    return (name.lower(), arguments) if name.lower() in OPTIMIZERS else None
