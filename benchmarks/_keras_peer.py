"""Plain Keras code, as in a tutorial, equivalent to an skl_lstm estimator."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


class PlainKeras:
    """Plain Keras network, built and trained according to an estimator's parameters.

    Parameters
    ----------
    estimator : LSTMForecaster or LSTMClassifier
        Estimator whose parameters are used; it is not fitted.
    seed : int
        Seed of the weights and the order of rows, for ``keras.utils.set_random_seed``.
    """

    def __init__(self, estimator: Any, seed: int) -> None:
        self.estimator, self.seed = estimator, seed

    def fit(self, X: NDArray, y: NDArray) -> PlainKeras:
        """Build, compile and train the network."""
        import keras

        keras.backend.clear_session()
        keras.utils.set_random_seed(self.seed)
        ours = self.estimator
        n_outputs, activation, loss = self._head(y)
        windows = self._windows(X)
        units = np.atleast_1d(ours.units).tolist()
        self.model = keras.Sequential(
            [
                keras.Input(batch_shape=(1 if ours.stateful else None, *windows.shape[1:])),
                *(
                    keras.layers.LSTM(
                        n_units, return_sequences=k < len(units) - 1, stateful=ours.stateful
                    )
                    for k, n_units in enumerate(units)
                ),
                keras.layers.Dense(n_outputs, activation=activation),
            ]
        )
        self.model.compile(loss=loss, optimizer=self._optimizer(), metrics=ours.metrics)
        self._train(windows, y)
        return self

    def predict(self, X: NDArray) -> NDArray:
        """Predict all rows; a stateful network starts from zero states."""
        outputs = self._outputs(X)
        if is_classifier(self.estimator):
            return np.argmax(outputs, axis=1) if outputs.shape[1] > 1 else outputs[:, 0] > 0.5
        return outputs[:, 0]

    def predict_proba(self, X: NDArray) -> NDArray:
        """Return the probability of each class."""
        outputs = self._outputs(X)
        return outputs if outputs.shape[1] > 1 else np.hstack([1.0 - outputs, outputs])

    def save(self, path: Path) -> None:
        """Save the Keras model."""
        self.model.save(path)

    def _outputs(self, X: NDArray) -> NDArray:
        self._reset_states()
        batch_size = 1 if self.estimator.stateful else None
        return self.model.predict(self._windows(X), batch_size=batch_size, verbose=0)

    def _train(self, windows: NDArray, y: NDArray) -> None:
        ours = self.estimator
        settings = {"batch_size": ours.batch_size, "verbose": 0}
        if not ours.stateful:
            self.history_ = self.model.fit(
                windows,
                y,
                epochs=ours.epochs,
                shuffle=ours.shuffle is not False,
                validation_split=ours.validation_split,
                **settings,
            ).history
            return
        for _ in range(ours.epochs):
            self.model.fit(windows, y, epochs=1, shuffle=False, **settings)
            self._reset_states()

    def _reset_states(self) -> None:
        for layer in self.model.layers:
            if getattr(layer, "stateful", False):
                layer.reset_state()

    def _windows(self, X: NDArray) -> NDArray:
        ours = self.estimator
        as_features = ours.reshape_mode == "features"
        per_step = 1 if ours.features_per_step == "auto" else ours.features_per_step
        shape = (1, -1) if as_features else (-1, per_step)
        return X.reshape(len(X), *shape).astype(np.float32)

    def _head(self, y: NDArray) -> tuple[int, str, str]:
        if not is_classifier(self.estimator):
            return 1, "linear", self.estimator.loss
        n_classes = len(np.unique(y))
        if n_classes == 2:
            return 1, "sigmoid", "binary_crossentropy"
        return n_classes, "softmax", "sparse_categorical_crossentropy"

    def _optimizer(self) -> Any:
        import keras

        ours = self.estimator
        config = dict(ours.optimizer_kwargs or {})
        if ours.learning_rate is not None:
            config["learning_rate"] = ours.learning_rate
        return keras.optimizers.get({"class_name": ours.optimizer, "config": config})


def predict_from_file(path: str, rows: list) -> list[float]:
    """Load a saved Keras model and predict windows of shape (n, n_steps, n_features)."""
    import keras

    return keras.models.load_model(path).predict(np.array(rows), verbose=0)[:, 0].tolist()
