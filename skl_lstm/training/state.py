"""The state of training, and its result."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skl_lstm.network.network import Network
from skl_lstm.network.scaling import WindowScaling


@dataclass(frozen=True)
class TrainingState:
    """State of training: enough to predict and to continue training.

    Parameters
    ----------
    parameters : ndarray of float32 of shape (network.size,)
        Flat vector of parameters.
    optimizer : dict of str to ndarray
        ``iteration`` and the optimizer's slots, each of them flat and as long as `parameters`;
        empty before the first step.
    n_epochs : int
        Number of epochs so far.
    history : dict of str to list of float
        Loss and metrics of each epoch, under Keras's names.
    """

    parameters: NDArray[np.float32]
    optimizer: dict[str, NDArray] = field(default_factory=dict)
    n_epochs: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def fresh(cls, network: Network, seed: int) -> TrainingState:
        """Return the initial state, with weights drawn with `seed`."""
        return cls(network.initial_parameters(np.random.default_rng(seed)))

    def optimizer_state_for(self, slots: Collection[str]) -> dict[str, NDArray]:
        """Return the optimizer state if it has these slots; it is empty for another optimizer."""
        if set(self.optimizer) == {"iteration", *slots}:
            return self.optimizer
        return {}

    def followed_by(
        self,
        parameters: NDArray[np.float32],
        optimizer: dict[str, NDArray],
        history: dict[str, list[float]],
    ) -> TrainingState:
        """Return the state after further epochs; a value that one run lacks is NaN there."""
        names = [*self.history, *(name for name in history if name not in self.history)]
        n_new = len(history["loss"])
        before, after = [np.nan] * self.n_epochs, [np.nan] * n_new
        joined = {
            name: self.history.get(name, before) + history.get(name, after) for name in names
        }
        n_epochs = self.n_epochs + n_new
        return TrainingState(parameters, optimizer, n_epochs, joined)


@dataclass(frozen=True)
class Trained:
    """A trained network: everything that an estimator keeps of a fit except the encoding of y.

    Parameters
    ----------
    network : Network
        Sizes of the network.
    window_shape : tuple of int
        Time steps and features of a window, before any reshaping.
    seed : int
        Seed of the initial weights, the order of the rows and dropout.
    engine : {"native", "keras"}
        Engine that trained the network.
    state : TrainingState
        State of training.
    states : list of ndarray of float32 of shape (units,)
        States of a stateful network after the last training row; empty for a stateless one.
    scaling : WindowScaling or None
        How each window is normalized, if it is.
    """

    network: Network
    window_shape: tuple[int, int]
    seed: int
    engine: str
    state: TrainingState
    states: Sequence[NDArray[np.float32]]
    scaling: WindowScaling | None = None
