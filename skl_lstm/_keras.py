"""Keras and SciKeras: a network built, trained and read back. Nowhere else is TensorFlow met.

Importing this module imports TensorFlow, so the others import it late.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import os
import random
import re
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._from_keras import Parts
from ._keras_names import (
    LOSSES,
    METRICS,
    OPTIMIZERS,
    SCHEDULES,
    check_description,
    describe,
    is_of_keras,
)
from ._network import Network
from ._progress import Progress
from ._training import Rows, Settings, TrainingState, epoch_orders, time_order, warn_of_divergence

# What TensorFlow writes to stderr while it is imported, whatever its log level.
_START_UP_LINE = re.compile(
    rb"[IWE]\d{4} |\d{4}-\d\d-\d\d [\d:.]+: [IWE] |"
    rb"WARNING: All log messages before absl|To enable the following instructions"
)


@contextlib.contextmanager
def _unnoticed() -> Iterator[None]:
    """Import what writes start-up lines to stderr and draws names from Python's generator.

    Whatever else is written to stderr meanwhile comes afterwards.
    """
    generator = random.getstate()
    _flush_stderr()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            random.setstate(generator)
            _flush_stderr()
            os.dup2(stderr, 2)
            os.close(stderr)
            written.seek(0)
            for line in written:
                if not _START_UP_LINE.match(line):
                    os.write(2, line)


def _flush_stderr() -> None:
    if sys.stderr is not None:  # as it is under pythonw
        sys.stderr.flush()


with _unnoticed():
    import keras
    import tensorflow as tf
    from scikeras.wrappers import BaseWrapper

    # The search for devices writes too, and would otherwise do so at the first fit.
    tf.config.list_physical_devices()


def fit(
    network: Network, rows: Rows, validation: Rows, settings: Settings, start: TrainingState
) -> TrainingState:
    """Train a network by Keras; parameters are routed, compiled and fitted by SciKeras.

    Parameters and returns are those of :func:`skl_lstm._training.train`.
    """
    batch_size = min(settings.batch_size, len(rows))
    wrapper = _wrapper(network, batch_size, settings, start)
    order = _EpochOrder(len(rows), epoch_orders(len(rows), start.n_epochs, network, settings))
    wrapper.dataset = _dataset(rows, network, batch_size, order.positions)
    if len(validation):
        last = time_order(len(validation), network, settings)
        wrapper.set_params(fit__validation_data=_dataset(validation, network, batch_size, last))
    callbacks = _callbacks(settings, monitor_validation=len(validation) > 0)
    # SciKeras looks at these arrays; what Keras sees is the dataset.
    looked_at = np.zeros((len(rows), 1), dtype=np.float32)
    progress = Progress(start.n_epochs, settings.epochs, settings.verbose)
    shown = keras.callbacks.LambdaCallback(on_epoch_end=progress.update)
    wrapper.set_params(callbacks=[order, *callbacks, shown])
    with contextlib.closing(progress):
        wrapper.fit(looked_at, rows.targets, initial_epoch=start.n_epochs)
    history = wrapper.model_.history.history
    return start.followed_by(
        network.flatten(wrapper.model_.get_weights()),
        _optimizer_state(wrapper.model_, network),
        {name: [float(value) for value in values] for name, values in history.items()},
    )


def to_model(network: Network, settings: Settings, state: TrainingState) -> keras.Model:
    """Build the Keras model, compiled, with weights and optimiser as they stand.

    Parameters
    ----------
    network : Network
        What to build; a stateful one takes a batch of one row.
    settings : Settings
        Loss, optimiser and metrics to compile it with.
    state : TrainingState
        Weights and optimiser state.

    Returns
    -------
    model : keras.Model
        From windows of shape ``(n, n_steps, n_features)`` to ``(n, n_outputs)``.
    """
    wrapper = _wrapper(network, 1, settings, state)
    return wrapper.initialize(np.zeros((1, 1)), np.zeros(1)).model_


def parts(model: Any) -> Parts:
    """Take a Keras model apart.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional.

    Returns
    -------
    parts : Parts
        What there is to it. Its loss and its optimizer are the objects themselves where plain
        values do not say them.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(f"model must be a Keras model or the path of one, got {model!r}")
    kind = type(model)
    if not is_of_keras(kind):
        raise ValueError(f"it must be a Sequential or functional model, got a {kind.__name__}")
    config = {"class_name": kind.__name__, "config": model.get_config()}
    compiled: dict[str, Any] = {}
    variables: list[NDArray] = []
    if model.compiled:
        # Saving as HDF5 lets Keras forget the optimizer here, and Huber never tells its delta.
        compiled = {"metrics": (model.get_compile_config() or {}).get("metrics")}
        for name, classes in (("loss", LOSSES), ("optimizer", OPTIMIZERS)):
            compiled[name] = getattr(model, name)
            with contextlib.suppress(ValueError):
                compiled[name] = describe(compiled[name], classes)
        variables = [variable.numpy() for variable in model.optimizer.variables]
    plain = json.loads(json.dumps(config, default=repr))
    return Parts(plain, compiled, model.get_weights(), variables)


def named(
    variables: list[NDArray], network: Network, settings: Settings
) -> dict[str, NDArray] | None:
    """Name the variables of an optimiser as ``TrainingState`` has them.

    Parameters
    ----------
    variables : list of ndarray
        In the order in which Keras makes them.
    network : Network
        What it optimises.
    settings : Settings
        Which one it is.

    Returns
    -------
    state : dict of str to ndarray or None
        None where this version of Keras makes other variables for it.
    """
    model = to_model(network, settings, TrainingState.fresh(network, seed=0))
    own = model.optimizer.variables
    if [variable.shape for variable in own] != [value.shape for value in variables]:
        return None
    for variable, value in zip(own, variables, strict=True):
        variable.assign(value)
    return _optimizer_state(model, network)


class _Wrapper(BaseWrapper):
    """SciKeras's wrapper, made to hand Keras a dataset in place of the arrays it was given."""

    dataset: tf.data.Dataset = None

    @property
    def feature_encoder(self) -> _Constant:
        return _Constant(self.dataset)

    @property
    def target_encoder(self) -> _Constant:
        return _Constant(None)


class _Constant:
    """An encoder, as SciKeras wants one, that knows its answer beforehand."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def fit(self, array: NDArray) -> _Constant:
        return self

    def transform(self, array: NDArray) -> Any:
        return self.value


def _wrapper(
    network: Network, batch_size: int, settings: Settings, state: TrainingState
) -> _Wrapper:
    def build(compile_kwargs: dict[str, Any]) -> keras.Model:
        model = _build(network, batch_size, _layer_seed(settings, state))
        model.compile(**{**compile_kwargs, "metrics": _metrics(settings.metrics)})
        _restore(model, network, state)
        return model

    return _Wrapper(
        model=build,
        loss=_loss(settings),
        epochs=settings.epochs,
        shuffle=False,
        verbose=0,
        **_optimizer_parameters(settings),
    )


def _build(network: Network, batch_size: int, seed: int) -> keras.Model:
    """Build the layers; weights are set afterwards, seeds keep global generators untouched."""
    unseen = {
        "kernel_initializer": keras.initializers.GlorotUniform(seed),
        "bias_initializer": "zeros",
    }
    n_streams = batch_size if network.stateful else None
    inputs = keras.Input(batch_shape=(n_streams, network.n_steps, network.n_features))
    outputs = inputs
    for i, n_units in enumerate(network.units):
        outputs = keras.layers.LSTM(
            n_units,
            return_sequences=i < len(network.units) - 1,
            stateful=network.stateful,
            recurrent_dropout=network.recurrent_dropout,
            recurrent_initializer=keras.initializers.Orthogonal(seed=seed),
            seed=seed + 2 * i,
            name=f"lstm_{i}",
            **unseen,
        )(outputs)
        if network.dropout:
            outputs = keras.layers.Dropout(
                network.dropout, seed=seed + 2 * i + 1, name=f"dropout_{i}"
            )(outputs)
    outputs = keras.layers.Dense(
        network.n_outputs, activation=network.output_activation, name="dense", **unseen
    )(outputs)
    return keras.Model(inputs, outputs, name="skl_lstm")


def _layer_seed(settings: Settings, state: TrainingState) -> int:
    """Choose the seed of dropout, another one where training goes on."""
    return int(np.random.default_rng([settings.seed, state.n_epochs]).integers(2**30))


@keras.saving.register_keras_serializable("skl_lstm")
class PinballLoss(keras.losses.Loss):
    """The loss whose smallest mean is at a quantile (Koenker and Bassett, 1978)."""

    def __init__(self, quantile: float = 0.5, name: str = "pinball", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.quantile = quantile

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        error = y_true - y_pred
        return keras.ops.mean(
            keras.ops.maximum(self.quantile * error, (self.quantile - 1.0) * error), axis=-1
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "quantile": self.quantile}


def _loss(settings: Settings) -> Any:
    loss = settings.loss
    if isinstance(loss, str) and loss == "pinball":
        return PinballLoss(settings.quantile)
    try:
        if isinstance(loss, dict):
            return _described(loss, LOSSES, keras.losses)
        keras.losses.get(loss() if isinstance(loss, type) else loss)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"loss must be a Keras loss (name, class, instance or function), got {loss!r}"
        ) from error
    return loss


def _metrics(metrics: list[Any]) -> list[Any]:
    made = []
    try:
        for metric in metrics:
            if isinstance(metric, dict):
                metric = _described(metric, METRICS, keras.metrics)
            elif metric not in ("accuracy", "acc", "crossentropy", "ce"):
                keras.metrics.get(metric)
                metric = copy.deepcopy(metric)
            made.append(metric)
    except (ValueError, TypeError) as error:
        raise ValueError(f"metrics must be Keras metrics, got {metrics!r}") from error
    return made


def _described(description: dict[str, Any], classes: tuple[str, ...], module: Any) -> Any:
    """Make an object of Keras's own that was said in plain values."""
    checked = check_description(description, classes)
    if isinstance(checked, str):
        return getattr(module, checked)()
    return getattr(module, checked["class_name"]).from_config(checked["config"])


def _with_schedule(config: dict[str, Any]) -> dict[str, Any]:
    """Make the learning rate schedule that a configuration says in plain values."""
    rate = config.get("learning_rate")
    if not isinstance(rate, dict):
        return config
    return {**config, "learning_rate": _described(rate, SCHEDULES, keras.optimizers.schedules)}


def _optimizer_parameters(settings: Settings) -> dict[str, Any]:
    """Say the optimiser as SciKeras takes it: a class, and parameters routed to it."""
    config = _with_schedule(dict(settings.optimizer_kwargs))
    if settings.learning_rate is not None:
        config["learning_rate"] = float(settings.learning_rate)
    optimizer, template = _optimizer_class(settings.optimizer)
    try:
        made = optimizer.from_config({**template, **config})
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"optimizer_kwargs must be parameters of {optimizer.__name__}, "
            f"got {settings.optimizer_kwargs!r}: {error}"
        ) from error
    if template:
        return {"optimizer": made}
    return {
        "optimizer": optimizer,
        **{f"optimizer__{name}": value for name, value in config.items()},
    }


def _optimizer_class(optimizer: Any) -> tuple[Any, dict[str, Any]]:
    """Give the class of an optimiser, and the configuration of one that is a template."""
    kind = optimizer
    if isinstance(optimizer, str):
        with contextlib.suppress(ValueError):
            kind = type(keras.optimizers.get(optimizer))
    elif isinstance(optimizer, dict):
        with contextlib.suppress(ValueError):
            said = check_description(optimizer, OPTIMIZERS)
            return getattr(keras.optimizers, said["class_name"]), _with_schedule(said["config"])
    elif isinstance(optimizer, keras.optimizers.Optimizer):
        return type(optimizer), optimizer.get_config()
    if not (isinstance(kind, type) and issubclass(kind, keras.optimizers.Optimizer)):
        raise ValueError(
            f"optimizer must be a Keras optimizer (name, class or instance), got {optimizer!r}"
        )
    return kind, {}


def _callbacks(settings: Settings, *, monitor_validation: bool) -> list[keras.callbacks.Callback]:
    if not all(isinstance(callback, keras.callbacks.Callback) for callback in settings.callbacks):
        raise ValueError(f"callbacks must be Keras callbacks, got {settings.callbacks!r}")
    callbacks = [*copy.deepcopy(settings.callbacks), _StopAtNaN()]
    if settings.early_stopping:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor="val_loss" if monitor_validation else "loss",
                mode="min",
                patience=settings.patience,
                restore_best_weights=True,
            )
        )
    return callbacks


class _EpochOrder(keras.callbacks.Callback):
    """Lay out the rows' order, and forget the states of a stateful network, for each epoch."""

    def __init__(self, n_rows: int, orders: Iterator[NDArray[np.int64]]) -> None:
        super().__init__()
        self.orders = orders
        with tf.device("CPU"):
            self.positions = tf.Variable(np.arange(n_rows), dtype=tf.int64, trainable=False)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.positions.assign(next(self.orders))
        self._reset_states()

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._reset_states()

    def _reset_states(self) -> None:
        for layer in self.model.layers:
            if getattr(layer, "stateful", False):
                layer.reset_state()


class _StopAtNaN(keras.callbacks.Callback):
    """Stop, and say so, at the first epoch whose loss is not a number."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            warn_of_divergence(epoch)
            self.model.stop_training = True


def _dataset(
    rows: Rows, network: Network, batch_size: int, order: tf.Variable | NDArray
) -> tf.data.Dataset:
    """Gather each batch from the flat buffer when it is due; windows never exist all at once."""
    windows = rows.windows
    with tf.device("CPU"):
        buffer = tf.constant(windows.buffer)
        starts = tf.constant(windows.rows * windows.row_stride)
        targets = tf.constant(rows.targets)
        weights = None if rows.sample_weight is None else tf.constant(rows.sample_weight)
        lags = tf.range(windows.width, dtype=tf.int64)

    def gather(places: tf.Tensor) -> tuple[tf.Tensor, ...]:
        positions = tf.gather(order, places)
        inputs = tf.gather(buffer, tf.gather(starts, positions)[:, tf.newaxis] + lags)
        inputs = tf.reshape(inputs, (-1, network.n_steps, network.n_features))
        batch = (inputs, tf.gather(targets, positions))
        return batch if weights is None else (*batch, tf.gather(weights, positions))

    places = tf.data.Dataset.range(len(rows)).batch(batch_size, drop_remainder=network.stateful)
    return places.map(gather).prefetch(2)


def _restore(model: keras.Model, network: Network, state: TrainingState) -> None:
    """Give a compiled model the weights and the optimiser state of where training stands."""
    model.set_weights(network.views(state.parameters))
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    slots = list(_slots(model))
    saved = state.optimizer_state_for({slot for _, slot, _ in slots if slot != "iteration"})
    for variable, slot, part in slots:
        if slot in saved:
            value = saved[slot]
            variable.assign(value if part is None else network.views(value)[part])


def _optimizer_state(model: keras.Model, network: Network) -> dict[str, NDArray]:
    """Read the optimiser's variables: each slot one flat vector in the network's layout."""
    state: dict[str, NDArray] = {}
    for variable, slot, part in _slots(model):
        value = variable.numpy()
        if part is None:
            state[slot] = value
        else:
            flat = state.setdefault(slot, np.zeros(network.size, dtype=np.float32))
            network.views(flat)[part][:] = value
    return state


def _slots(model: keras.Model) -> Iterator[tuple[keras.Variable, str, int | None]]:
    """List the optimiser's variables with their slot and the parameter they belong to.

    Keras names a slot's variable after the path of the parameter it belongs to; those that it
    does not name so, or that have another shape, are named by their order. The learning rate
    is left out: it is a parameter of the estimator, which may change between fits.
    """
    prefixes = [
        (variable.path.replace("/", "_") + "_", variable.shape)
        for variable in model.trainable_variables
    ]
    others = itertools.count(1)
    for variable in model.optimizer.variables:
        if variable.name == "learning_rate":
            continue
        for part, (prefix, shape) in enumerate(prefixes):
            if variable.name.startswith(prefix) and variable.shape == shape:
                yield variable, variable.name.removeprefix(prefix), part
                break
        else:
            counts = variable is model.optimizer.iterations
            yield variable, "iteration" if counts else f"other_{next(others)}", None
