"""The Keras engine: train a network with Keras and read it back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skl_lstm.engines.keras.callbacks import EpochOrder, callbacks_of
from skl_lstm.engines.keras.model import wrapped
from skl_lstm.engines.keras.optimizer_state import read_state
from skl_lstm.engines.keras.quiet_start import keras, tf
from skl_lstm.network.network import Network
from skl_lstm.network.windows import Windows
from skl_lstm.training.orders import epoch_orders, time_order
from skl_lstm.training.progress import Progress
from skl_lstm.training.rows import Rows
from skl_lstm.training.settings import Settings
from skl_lstm.training.state import TrainingState


def fit(
    network: Network, rows: Rows, validation: Rows, settings: Settings, start: TrainingState
) -> TrainingState:
    """Train a network with Keras; SciKeras routes the parameters, compiles and fits.

    Parameters
    ----------
    network, rows, validation, settings, start
        As in :func:`skl_lstm.engines.choice.train`.

    Returns
    -------
    state : TrainingState
        State after training.
    """
    n_an_epoch = settings.rows_per_epoch(len(rows))
    batch_size = min(settings.batch_size, n_an_epoch)
    wrapper = wrapped(network, batch_size, settings, start)
    order = EpochOrder(n_an_epoch, epoch_orders(len(rows), start.n_epochs, network, settings))
    wrapper.dataset = _dataset(rows, network, batch_size, order.positions)
    if len(validation):
        last = time_order(len(validation), network, settings)
        wrapper.set_params(fit__validation_data=_dataset(validation, network, batch_size, last))
    callbacks = callbacks_of(settings, monitor_validation=len(validation) > 0)
    # SciKeras inspects these arrays; Keras receives the dataset.
    looked_at = np.zeros((len(rows), 1), dtype=np.float32)
    progress = Progress(start.n_epochs, settings.epochs, settings.verbose)
    shown = keras.callbacks.LambdaCallback(on_epoch_end=progress.update)
    wrapper.set_params(callbacks=[order, *callbacks, shown])
    with contextlib.closing(progress):
        wrapper.fit(looked_at, rows.targets, initial_epoch=start.n_epochs)
    history = wrapper.model_.history.history
    return start.followed_by(
        network.flatten(wrapper.model_.get_weights()),
        read_state(wrapper.model_, network),
        {name: [float(value) for value in values] for name, values in history.items()},
    )


def _dataset(
    rows: Rows, network: Network, batch_size: int, order: tf.Variable | NDArray
) -> tf.data.Dataset:
    """Gather each batch from the flat buffer when needed; the windows never exist all at once."""
    windows = rows.windows
    with tf.device("CPU"):
        buffer = tf.constant(windows.buffer)
        starts = tf.constant(windows.starts)
        targets = tf.constant(rows.targets)
        weights = None if rows.sample_weight is None else tf.constant(rows.sample_weight)
        lags = tf.range(windows.width, dtype=tf.int64)
        normalize = _normalizer(windows) if windows.columns else None

    def gather(places: tf.Tensor) -> tuple[tf.Tensor, ...]:
        positions = tf.gather(order, places)
        inputs = tf.gather(buffer, tf.gather(starts, positions)[:, tf.newaxis] + lags)
        if normalize is not None:
            inputs = normalize(inputs, positions)
        inputs = tf.reshape(inputs, (-1, network.n_steps, network.n_features))
        batch = (inputs, tf.gather(targets, positions))
        return batch if weights is None else (*batch, tf.gather(weights, positions))

    places = tf.data.Dataset.range(order.shape[0])
    places = places.batch(batch_size, drop_remainder=network.stateful)
    return places.map(gather).prefetch(2)


def _normalizer(windows: Windows) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return a function that normalizes the gathered windows of some positions."""
    rows = tf.constant(windows.numbers)
    locations, scales = tf.constant(windows.locations), tf.constant(windows.scales)
    # One row for each column to normalize, which puts its values in their place in a step.
    places = tf.one_hot(windows.columns, windows.n_features)
    others = 1.0 - tf.reduce_sum(places, axis=0)

    def normalize(inputs: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
        chosen = tf.gather(rows, positions)
        steps = tf.reshape(inputs, (-1, windows.n_steps, windows.n_features))
        location = tf.matmul(tf.gather(locations, chosen), places)[:, tf.newaxis]
        scale = tf.matmul(tf.gather(scales, chosen), places)[:, tf.newaxis]
        return (steps - location) / (scale + others)

    return normalize
