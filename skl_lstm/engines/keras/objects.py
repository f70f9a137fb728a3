"""Losses, metrics and optimizers in the form that Keras takes."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from skl_lstm.engines.keras.quiet_start import keras, tf
from skl_lstm.network.quantiles import place_of_median
from skl_lstm.training.keras_names import (
    LOSS_CLASSES,
    METRIC_CLASSES,
    OPTIMIZER_CLASSES,
    SCHEDULE_CLASSES,
    UNNAMED_METRICS,
    check_description,
)
from skl_lstm.training.settings import Settings


@keras.saving.register_keras_serializable("skl_lstm")
class PinballLoss(keras.losses.Loss):
    """The loss whose mean is smallest at a quantile (Koenker and Bassett, 1978).

    That of several quantiles is their mean, and the outputs are laid out as
    :mod:`skl_lstm.network.quantiles` says.
    """

    __module__ = "skl_lstm"  # stored in Keras's files

    def __init__(
        self, quantile: float | Sequence[float] = 0.5, name: str = "pinball", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.quantile = quantile

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Compute the loss of each row."""
        quantiles = np.reshape(self.quantile, (-1, 1))
        below, above = (
            keras.ops.convert_to_tensor(slope, dtype=y_pred.dtype)
            for slope in (quantiles, quantiles - 1.0)
        )
        predicted = by_quantile(y_pred, len(quantiles))
        # Keras may pass y of one dimension as it is.
        error = keras.ops.reshape(y_true, (-1, 1, predicted.shape[2])) - predicted
        losses = keras.ops.maximum(below * error, above * error)
        return keras.ops.mean(keras.ops.reshape(losses, (-1, y_pred.shape[-1])), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the loss."""
        return {**super().get_config(), "quantile": self.quantile}


@keras.saving.register_keras_serializable("skl_lstm")
class MetricOfMedian(keras.metrics.Metric):
    """A metric of the median among the quantiles that a network predicts."""

    __module__ = "skl_lstm"  # stored in Keras's files

    def __init__(self, metric: Any, quantiles: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metric = metric
        self.quantiles = list(quantiles)

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        """Take a batch into account."""
        sorted_ones = keras.ops.sort(by_quantile(y_pred, len(self.quantiles)), axis=1)
        median = sorted_ones[:, place_of_median(self.quantiles)]
        self.metric.update_state(y_true, median, sample_weight)

    def result(self) -> tf.Tensor:
        """Return the metric."""
        return self.metric.result()

    def reset_state(self) -> None:
        """Forget all batches."""
        self.metric.reset_state()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the metric."""
        metric = keras.saving.serialize_keras_object(self.metric)
        return {**super().get_config(), "metric": metric, "quantiles": self.quantiles}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MetricOfMedian:
        """Create the metric from its arguments."""
        metric = keras.saving.deserialize_keras_object(config["metric"])
        return cls(**{**config, "metric": metric})


def by_quantile(outputs: tf.Tensor, n_quantiles: int) -> tf.Tensor:
    """Return outputs as a tensor (n, n_quantiles, n_targets)."""
    return keras.ops.reshape(outputs, (-1, n_quantiles, outputs.shape[-1] // n_quantiles))


def made_loss(settings: Settings) -> Any:
    """Return the loss as Keras's ``compile`` takes it; raise ValueError if it is invalid."""
    loss = settings.loss
    if isinstance(loss, str) and loss == "pinball":
        quantiles = settings.quantiles
        return PinballLoss(list(quantiles) if len(quantiles) > 1 else quantiles[0])
    try:
        if isinstance(loss, dict):
            return _made(loss, LOSS_CLASSES, keras.losses)
        keras.losses.get(loss() if isinstance(loss, type) else loss)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"loss must be a Keras loss (name, class, instance or function), got {loss!r}"
        ) from error
    return loss


def made_metrics(settings: Settings) -> list[Any]:
    """Return metrics as Keras's ``compile`` takes them; raise ValueError if one is invalid."""
    made = []
    try:
        for metric in settings.metrics:
            if isinstance(metric, dict):
                metric = _made(metric, METRIC_CLASSES, keras.metrics)
            elif metric not in UNNAMED_METRICS:
                keras.metrics.get(metric)
                metric = copy.deepcopy(metric)
            made.append(metric)
    except (ValueError, TypeError) as error:
        raise ValueError(f"metrics must be Keras metrics, got {settings.metrics!r}") from error
    if len(settings.quantiles) < 2:
        return made
    return [_of_median(metric, settings.quantiles) for metric in made]


def _of_median(metric: Any, quantiles: Sequence[float]) -> MetricOfMedian:
    if metric in UNNAMED_METRICS:
        raise ValueError(
            f"metrics must be those of numbers with several quantiles, got {metric!r}"
        )
    found = keras.metrics.get(metric)
    if not isinstance(found, keras.metrics.Metric):
        found = keras.metrics.MeanMetricWrapper(found)
    return MetricOfMedian(found, quantiles, name=metric if isinstance(metric, str) else found.name)


def _made(description: dict[str, Any], classes: tuple[str, ...], module: Any) -> Any:
    """Create an object of Keras's own from its description in plain values."""
    checked = check_description(description, classes)
    if isinstance(checked, str):
        return getattr(module, checked)()
    return getattr(module, checked["class_name"]).from_config(checked["config"])


def _with_schedule(config: dict[str, Any]) -> dict[str, Any]:
    """Create the learning rate schedule of a config from its description in plain values."""
    rate = config.get("learning_rate")
    if not isinstance(rate, dict):
        return config
    return {**config, "learning_rate": _made(rate, SCHEDULE_CLASSES, keras.optimizers.schedules)}


def optimizer_parameters(settings: Settings) -> dict[str, Any]:
    """Return the optimizer as SciKeras takes it: a class, and parameters routed to it."""
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
    """Return the class of an optimizer, and the config if it is a template."""
    kind = optimizer
    if isinstance(optimizer, str):
        with contextlib.suppress(ValueError):
            kind = type(keras.optimizers.get(optimizer))
    elif isinstance(optimizer, dict):
        with contextlib.suppress(ValueError):
            said = check_description(optimizer, OPTIMIZER_CLASSES)
            return getattr(keras.optimizers, said["class_name"]), _with_schedule(said["config"])
    elif isinstance(optimizer, keras.optimizers.Optimizer):
        return type(optimizer), optimizer.get_config()
    if not (isinstance(kind, type) and issubclass(kind, keras.optimizers.Optimizer)):
        raise ValueError(
            f"optimizer must be a Keras optimizer (name, class or instance), got {optimizer!r}"
        )
    return kind, {}
