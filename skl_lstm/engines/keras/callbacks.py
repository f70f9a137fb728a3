"""Callbacks that Keras calls during training."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skl_lstm.engines.keras.quiet_start import keras, tf
from skl_lstm.training.early_stopping import warn_of_divergence
from skl_lstm.training.settings import Settings


def callbacks_of(
    settings: Settings, *, monitor_validation: bool
) -> list[keras.callbacks.Callback]:
    """Copy the user's callbacks, and add those that can end training early.

    Parameters
    ----------
    settings : Settings
        Settings with the callbacks and the parameters of early stopping.
    monitor_validation : bool
        Whether there are validation rows to monitor.

    Returns
    -------
    callbacks : list of keras.callbacks.Callback
        Callbacks for one fit.
    """
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


class EpochOrder(keras.callbacks.Callback):
    """Set the order of the rows, and reset the states of a stateful network, for each epoch."""

    def __init__(self, n_rows: int, orders: Iterator[NDArray[np.int64]]) -> None:
        super().__init__()
        self.orders = orders
        with tf.device("CPU"):
            self.positions = tf.Variable(np.arange(n_rows), dtype=tf.int64, trainable=False)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Set the next order, and reset the states."""
        self.positions.assign(next(self.orders))
        self._reset_states()

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Evaluate from zero states."""
        self._reset_states()

    def _reset_states(self) -> None:
        for layer in self.model.layers:
            if getattr(layer, "stateful", False):
                layer.reset_state()


class _StopAtNaN(keras.callbacks.Callback):
    """Stop, with a warning, at the first epoch whose loss is not finite."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            warn_of_divergence(epoch)
            self.model.stop_training = True
