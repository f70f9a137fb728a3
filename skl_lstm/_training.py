"""What a training run is given and what comes of it, whichever engine does the work."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from . import _inference
from ._network import Network
from ._windows import Windows

# Keeps the draws for the order of rows apart from those for the first weights.
_ORDERS = 1


@dataclass(frozen=True)
class Settings:
    """How to train; the names are those of the estimators' parameters."""

    loss: Any = "mse"
    quantile: float = 0.5
    optimizer: Any = "adam"
    learning_rate: float | None = None
    optimizer_kwargs: dict[str, Any] = field(default_factory=dict)
    metrics: list[Any] = field(default_factory=list)
    epochs: int = 100
    batch_size: int = 32
    shuffle: bool = True
    validation_split: float = 0.0
    early_stopping: bool = False
    patience: int = 10
    callbacks: list[Any] = field(default_factory=list)
    verbose: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Rows:
    """Windows with their targets and weights.

    Parameters
    ----------
    windows : Windows
        The n windows.
    targets : ndarray of float32 of shape (n, n_outputs)
        A target for each window.
    sample_weight : ndarray of float32 of shape (n,) or None
        A weight for each window.
    """

    windows: Windows
    targets: NDArray[np.float32]
    sample_weight: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.windows)

    def complete(self) -> Rows:
        """Leave out the rows in whose window a value is missing."""
        complete = self.windows.complete()
        if complete is self.windows:
            return self
        return self[complete.rows]

    def followed_by(self, later: Rows) -> Rows:
        """Join rows of the same series."""
        if not len(later):
            return self
        windows = replace(
            self.windows, rows=np.concatenate([self.windows.rows, later.windows.rows])
        )
        weight = self.sample_weight
        if weight is not None and later.sample_weight is not None:
            weight = np.concatenate([weight, later.sample_weight])
        return Rows(windows, np.concatenate([self.targets, later.targets]), weight)

    def __getitem__(self, part: slice | NDArray) -> Rows:
        weight = self.sample_weight
        return Rows(
            self.windows[part], self.targets[part], None if weight is None else weight[part]
        )


@dataclass(frozen=True)
class TrainingState:
    """Where training stands: enough to predict, and enough to go on.

    Parameters
    ----------
    parameters : ndarray of float32 of shape (network.size,)
        The flat vector of parameters.
    optimizer : dict of str to ndarray
        ``iteration`` and the optimiser's slots, each flat and as long as `parameters`; empty
        before the first step.
    n_epochs : int
        Epochs done.
    history : dict of str to list of float
        Loss and metrics of each epoch, under Keras's names.
    """

    parameters: NDArray[np.float32]
    optimizer: dict[str, NDArray] = field(default_factory=dict)
    n_epochs: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def fresh(cls, network: Network, seed: int) -> TrainingState:
        """Start anew, from weights drawn with `seed`."""
        return cls(network.initial_parameters(np.random.default_rng(seed)))

    def optimizer_state_for(self, slots: Collection[str]) -> dict[str, NDArray]:
        """Give the optimiser's state if it is of these slots; another optimiser starts anew."""
        if set(self.optimizer) == {"iteration", *slots}:
            return self.optimizer
        return {}

    def followed_by(
        self,
        parameters: NDArray[np.float32],
        optimizer: dict[str, NDArray],
        history: dict[str, list[float]],
    ) -> TrainingState:
        """Add what some more epochs brought; a value that one run lacks is NaN there."""
        names = [*self.history, *(name for name in history if name not in self.history)]
        n_new = len(history["loss"])
        before, after = [np.nan] * self.n_epochs, [np.nan] * n_new
        joined = {
            name: self.history.get(name, before) + history.get(name, after) for name in names
        }
        n_epochs = self.n_epochs + n_new
        return TrainingState(parameters, optimizer, n_epochs, joined)


def draw_seed(random_state: int | np.random.RandomState | None) -> int:
    """Draw the seed of one training; None draws from the system, not from NumPy's global state."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    return int(check_random_state(random_state).randint(2**31 - 1))


def train(
    engine: str,
    network: Network,
    rows: Rows,
    validation: Rows,
    settings: Settings,
    start: TrainingState,
) -> tuple[str, TrainingState]:
    """Train a network from where it stands.

    Parameters
    ----------
    engine : {"auto", "native", "keras"}
        What does the arithmetic.
    network : Network
        What is trained.
    rows : Rows
        What it learns from, all complete, oldest first.
    validation : Rows
        What each epoch is judged by; may be empty.
    settings : Settings
        How to train.
    start : TrainingState
        Where to start from.

    Returns
    -------
    engine : {"native", "keras"}
        What did the arithmetic.
    state : TrainingState
        Where it ended, with the history of all epochs so far.
    """
    from . import _native

    if network.stateful:
        rows = _equal_streams(rows, settings.batch_size, "training")
        validation = _equal_streams(validation, settings.batch_size, "validation")
    reason = "" if engine == "keras" else _native.why_not(network, settings)
    if engine == "native" and reason:
        raise ValueError(f"engine='native' does not cover {reason}; engine='keras' may")
    if engine == "auto" and reason:
        _native.warn_if_kernel_failed(reason)
    if engine == "keras" or reason:
        from . import _keras

        if engine == "auto" and settings.verbose:
            print(f"Training by Keras: the native engine does not cover {reason}.")
        return "keras", _keras.fit(network, rows, validation, settings, start)
    return "native", _native.fit(network, rows, validation, settings, start)


def last_states(
    engine: str, network: Network, parameters: NDArray[np.float32], windows: Windows
) -> _inference.States:
    """Find the states in which a prediction of these windows ends.

    Parameters
    ----------
    engine : {"native", "keras"}
        What trained; the native one has a kernel at hand that is faster than NumPy.
    network : Network
        What was trained.
    parameters : ndarray of float32 of shape (network.size,)
        The flat vector of parameters.
    windows : Windows
        All rows, complete or not.

    Returns
    -------
    states : list of ndarray of float32 of shape (units,)
        Hidden and cell state of each layer; none unless the network is stateful.
    """
    if not network.stateful:
        return []
    if engine == "native":
        from . import _native

        return _native.last_states(network, parameters, windows)
    weights = network.views(parameters)
    return _inference.predict_stateful(
        weights, windows.view(), network.n_steps, network.output_activation
    )[1]


def epoch_orders(
    n_rows: int, first_epoch: int, network: Network, settings: Settings
) -> Iterator[NDArray[np.int64]]:
    """Say, epoch for epoch, in which order to take the rows.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    first_epoch : int
        Epochs gone before, so that training that goes on takes the orders that it would have
        taken in one go.
    network : Network
        Whether the rows are streams, which are not shuffled.
    settings : Settings
        Whether to shuffle, the seed, and the number of streams.

    Yields
    ------
    order : ndarray of int64 of shape (n_rows,)
        Positions of the rows.
    """
    if network.stateful or not settings.shuffle:
        order = time_order(n_rows, network, settings)
        while True:
            yield order
    # A sort of uniform numbers takes n_rows draws, neither more nor less, so that the draws of
    # any epoch can be found without those before it.
    generator = np.random.PCG64([settings.seed, _ORDERS])
    generator.advance(first_epoch * n_rows)
    uniform = np.random.Generator(generator).random
    while True:
        yield uniform(n_rows).argsort()


def time_order(n_rows: int, network: Network, settings: Settings) -> NDArray[np.int64]:
    """Order rows by time: as they are, or step for step through streams side by side.

    Parameters
    ----------
    n_rows : int
        Number of rows; a multiple of the number of streams of a stateful network.
    network : Network
        Whether the rows are streams.
    settings : Settings
        `batch_size` is the number of streams.

    Returns
    -------
    order : ndarray of int64 of shape (n_rows,)
        Positions of the rows.
    """
    order = np.arange(n_rows)
    return order.reshape(settings.batch_size, -1).T.ravel() if network.stateful else order


def _equal_streams(rows: Rows, n_streams: int, purpose: str) -> Rows:
    """Leave out the oldest rows that no equal cut into `n_streams` stretches has room for."""
    if 0 < len(rows) < n_streams:
        raise ValueError(
            f"batch_size={n_streams} streams of a stateful network need at least as many "
            f"{purpose} rows, got {len(rows)}"
        )
    n_left_over = len(rows) % n_streams
    if n_left_over:
        warnings.warn(
            f"stateful=True cuts {len(rows)} {purpose} rows into batch_size={n_streams} streams "
            f"of equal length; the oldest {n_left_over} are left out",
            UserWarning,
            stacklevel=5,
        )
    return rows[n_left_over:]


def warn_of_divergence(epoch: int) -> None:
    """Say that the loss is no longer a number, and since which epoch (counted from 1)."""
    warnings.warn(
        f"the training loss is not finite in epoch {epoch + 1}; training stops. A smaller "
        "learning_rate, clipnorm in optimizer_kwargs or scaled data may help",
        ConvergenceWarning,
        stacklevel=6,
    )
