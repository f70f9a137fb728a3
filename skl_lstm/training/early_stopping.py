"""Early end of training: the loss no longer decreases, or is not finite."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from skl_lstm.warn import warn


class BestEpoch:
    """The best epoch so far, and whether `patience` epochs have passed since.

    The rules are those of ``keras.callbacks.EarlyStopping(restore_best_weights=True)``.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.loss = np.inf
        self.waited = 0
        self.parameters: NDArray[np.float32] | None = None

    def is_over(self, loss: float, epoch: int, parameters: NDArray[np.float32]) -> bool:
        """Record an epoch, counted from 0; return whether it should be the last."""
        self.waited += 1
        if loss < self.loss or self.parameters is None:
            self.parameters = parameters.copy()
        if loss < self.loss:
            self.loss, self.waited = loss, 0
        return self.waited >= max(self.patience, 1) and epoch > 0


def warn_of_divergence(epoch: int) -> None:
    """Warn that the loss is not finite in this epoch, counted from 0."""
    warn(
        f"the training loss is not finite in epoch {epoch + 1}; training stops. A smaller "
        "learning_rate, clipnorm in optimizer_kwargs or scaled data may help",
        ConvergenceWarning,
    )
