"""The metrics of the native engine, under Keras's names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Metric = Callable[[NDArray, NDArray], NDArray]
METRICS: dict[str, Metric] = {}


def _named(*names: str) -> Callable[[Metric], Metric]:
    def register(metric: Metric) -> Metric:
        METRICS.update(dict.fromkeys(names, metric))
        return metric

    return register


@_named("mse", "MSE", "mean_squared_error")
def _mean_squared_error(targets: NDArray, outputs: NDArray) -> NDArray:
    return np.square(targets - outputs).mean()


@_named("mae", "MAE", "mean_absolute_error")
def _mean_absolute_error(targets: NDArray, outputs: NDArray) -> NDArray:
    return np.abs(targets - outputs).mean()


@_named("mape", "MAPE", "mean_absolute_percentage_error")
def _mean_absolute_percentage_error(targets: NDArray, outputs: NDArray) -> NDArray:
    return 100.0 * (np.abs(targets - outputs) / np.maximum(np.abs(targets), 1e-7)).mean()


@_named("root_mean_squared_error")
def _root_mean_squared_error(targets: NDArray, outputs: NDArray) -> NDArray:
    return np.sqrt(np.square(targets - outputs).mean())


@_named("accuracy", "acc")
def _accuracy(targets: NDArray, outputs: NDArray) -> NDArray:
    if targets.shape[1] == 1:
        return np.mean((outputs > 0.5) == targets)
    return np.mean(outputs.argmax(axis=1) == targets.argmax(axis=1))
