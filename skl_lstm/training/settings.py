"""The settings of a training run, and its seed."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils import check_random_state


@dataclass(frozen=True)
class Settings:
    """Settings of a training run, under the names of the estimators' parameters.

    The `quantiles` are those to learn with the pinball loss, and empty with any other loss.
    """

    loss: Any = "mse"
    quantiles: tuple[float, ...] = ()
    optimizer: Any = "adam"
    learning_rate: float | None = None
    optimizer_kwargs: dict[str, Any] = field(default_factory=dict)
    metrics: list[Any] = field(default_factory=list)
    epochs: int = 100
    batch_size: int = 32
    windows_per_epoch: int | None = None
    shuffle: bool = True
    validation_split: float | int = 0.0
    early_stopping: bool = False
    patience: int = 10
    callbacks: list[Any] = field(default_factory=list)
    verbose: int = 0
    seed: int = 0

    def rows_per_epoch(self, n_rows: int) -> int:
        """Return how many of `n_rows` training rows an epoch takes."""
        return n_rows if self.windows_per_epoch is None else min(self.windows_per_epoch, n_rows)


def draw_seed(random_state: int | np.random.RandomState | None) -> int:
    """Draw the seed of a training run; None uses system entropy, not NumPy's global state."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    if type(random_state) is int:
        return _seed_drawn_with(random_state)
    return _drawn(random_state)


@functools.lru_cache
def _seed_drawn_with(seed: int) -> int:
    """Draw from a number, which gives the same seed to all fits of a search."""
    return _drawn(seed)


def _drawn(random_state: Any) -> int:
    return int(check_random_state(random_state).randint(2**31 - 1))
