"""The native engine: the loop over epochs, and the check that its kernel works here."""

from __future__ import annotations

import functools
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skl_lstm.engines.native.coverage import NotCovered, Plan, covers, make_plan
from skl_lstm.engines.native.metrics import METRICS
from skl_lstm.network.forward import Stack
from skl_lstm.network.network import Network
from skl_lstm.network.quantiles import predicted
from skl_lstm.network.windows import Windows
from skl_lstm.training.early_stopping import BestEpoch, warn_of_divergence
from skl_lstm.training.orders import epoch_order, epoch_orders, time_order, time_order_parts
from skl_lstm.training.progress import Progress
from skl_lstm.training.rows import Rows
from skl_lstm.training.settings import Settings
from skl_lstm.training.state import TrainingState
from skl_lstm.warn import warn

if TYPE_CHECKING:
    from skl_lstm.engines.native.trainer import NativeTrainer

# If the kernel is not loaded after this time, it is being compiled.
LOADING_SECONDS = 2.0

# About the maximum time of one call of the kernel that runs several epochs.
CALL_SECONDS = 0.1

# Multiply-adds that the kernel does in a second at least: it is several times as fast. Before the
# first call, only this tells how many epochs it can take.
OPERATIONS_PER_SECOND = 1e9

# Number of rows up to which all are handed to the kernel at once, and otherwise that of a portion.
AT_ONCE = 2**18


def prepare(network: Network, settings: Settings) -> Plan:
    """Plan a training run, and load the kernel for it.

    Parameters
    ----------
    network : Network
        Network to train.
    settings : Settings
        Settings of the training run.

    Returns
    -------
    plan : Plan
        Plan for :func:`fit`.

    Raises
    ------
    NotCovered
        If a parameter is supported only by Keras, or Numba does not work here.
    """
    prepared = make_plan(network, settings)
    if settings.verbose and not kernel_failure.cache_info().currsize:
        print("Loading the training kernel; the first fit on a machine compiles it.")
    if failure := kernel_failure():
        raise NotCovered(failure)
    return prepared


# Threads that need the kernel at the same time load it once.
_LOADING = threading.Lock()


@functools.cache
def kernel_failure() -> str | None:
    """Load the compiled kernel, or compile it, once per process.

    Returns
    -------
    failure : str or None
        Reason why the kernel does not work; None if it does.
    """
    network = Network(n_steps=1, n_features=1, units=(1,), n_outputs=1)
    nothing = np.zeros((1, 1), dtype=np.float32)
    rows = Rows(Windows.of(nothing, 1, 1), nothing)
    settings = Settings(epochs=1)
    start = TrainingState.fresh(network, 0)
    note = threading.Timer(LOADING_SECONDS, _say_that_it_compiles)
    note.daemon = True
    try:
        with _LOADING:
            note.start()
            fit(network, rows, rows[:0], settings, start, make_plan(network, settings))
    except (ImportError, OSError, RuntimeError, NotImplementedError) as error:
        # Raised by Numba and LLVM if they are missing or cannot work here; a defect of the
        # kernel itself raises another error, which propagates.
        if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
            return "a process in which NUMBA_DISABLE_JIT keeps Numba from compiling"
        return f"this platform, where Numba fails ({type(error).__name__}: {error})"
    finally:
        note.cancel()
    return None


def _say_that_it_compiles() -> None:
    print(
        "skl_lstm compiles its training kernel; later processes load it from Numba's cache.",
        file=sys.stderr,
    )


def stack_type(network: Network) -> type[Stack] | None:
    """Return the forward pass in the kernel, if it is loaded and covers a network."""
    if not kernel_failure.cache_info().currsize or kernel_failure() or not covers(network):
        return None
    from skl_lstm.engines.native.forward import NativeStack

    return NativeStack


@functools.cache
def warn_if_kernel_failed(reason: str) -> None:
    """Warn, once per process, if Keras trains because the kernel fails here."""
    if kernel_failure.cache_info().currsize and reason == kernel_failure():
        warn(f"the native engine does not cover {reason}; Keras trains instead", RuntimeWarning)


def fit(
    network: Network,
    rows: Rows,
    validation: Rows,
    settings: Settings,
    start: TrainingState,
    plan: Plan,
) -> TrainingState:
    """Train a network with the kernel.

    Parameters
    ----------
    network, rows, validation, settings, start
        As in :func:`skl_lstm.engines.choice.train`.
    plan : Plan
        The settings in the kernel's terms.

    Returns
    -------
    state : TrainingState
        State after training.
    """
    from skl_lstm.engines.native.trainer import NativeTrainer

    slots = _Slots.of(start, plan.slots)
    parameters = start.parameters.copy()
    batch_size = min(settings.batch_size, settings.rows_per_epoch(len(rows)))
    at_once = len(rows) + len(validation) <= max(AT_ONCE, batch_size)
    all_rows = rows.followed_by(validation) if at_once else rows[:0]
    trainer = NativeTrainer(
        network,
        plan,
        all_rows,
        batch_size,
        parameters,
        slots=slots.vectors,
        iterations=slots.iteration,
        seed=settings.seed,
    )
    way = _AtOnce if at_once else _ByPortions
    training = way(trainer, rows, validation, start.n_epochs, network, settings)
    history: dict[str, list[float]] = {}
    best = BestEpoch(settings.patience) if settings.early_stopping else None
    progress = Progress(start.n_epochs, settings.epochs, settings.verbose)
    try:
        for epoch, logs in enumerate(_epochs(training, network, settings), start.n_epochs):
            for name, value in logs.items():
                history.setdefault(name, []).append(value)
            progress.update(epoch, logs)
            if not math.isfinite(logs["loss"]):
                warn_of_divergence(epoch)
                break
            if best and best.is_over(logs.get("val_loss", logs["loss"]), epoch, parameters):
                break
    finally:
        trainer.close()
        progress.close()
    kept = parameters if best is None or best.parameters is None else best.parameters
    state = {"iteration": np.array(trainer.iterations), **slots.by_name()}
    return start.followed_by(kept, state, history)


def _epochs(
    training: _AtOnce | _ByPortions, network: Network, settings: Settings
) -> Iterator[dict[str, float]]:
    """Train epoch by epoch; yield the loss and the metrics of each.

    If nothing has to be done between epochs, several run in one call, which releases the GIL;
    few enough to respond to Ctrl-C quickly.
    """
    watched = (
        len(training.validation)
        or settings.metrics
        or settings.early_stopping
        or settings.verbose
        or network.stateful
    )
    operations = 3 * settings.rows_per_epoch(len(training.rows)) * network.n_steps * network.size
    seconds = operations / OPERATIONS_PER_SECOND
    n_left = settings.epochs
    while n_left:
        n_together = 1 if watched else min(n_left, 1 + int(CALL_SECONDS / seconds))
        started = time.perf_counter()
        all_logs = training.epochs(n_together)
        seconds = (time.perf_counter() - started) / len(all_logs)
        n_left -= len(all_logs)
        for logs in all_logs:
            if len(training.validation):
                judged = training.judge()
                logs |= {f"val_{name}": value for name, value in judged.items()}
            yield logs


class _AtOnce:
    """Training on rows that are handed to the kernel once, all of them."""

    def __init__(
        self,
        trainer: NativeTrainer,
        rows: Rows,
        validation: Rows,
        n_epochs: int,
        network: Network,
        settings: Settings,
    ) -> None:
        self.trainer = trainer
        self.rows, self.validation = rows, validation
        self.settings = settings
        self.orders = epoch_orders(len(rows), n_epochs, network, settings)
        self.judged = len(rows) + time_order(len(validation), network, settings)

    def epochs(self, n_epochs: int) -> list[dict[str, float]]:
        """Train some epochs, in which nothing is measured if they are several."""
        self.trainer.states[:] = 0.0
        orders = [next(self.orders) for _ in range(n_epochs)]
        losses = self.trainer.epochs(orders)
        targets = self.rows.targets
        return [{"loss": loss, **self._measured(orders[0], targets, 0)} for loss in losses]

    def judge(self) -> dict[str, float]:
        """Evaluate on the validation rows."""
        self.trainer.states[:] = 0.0
        loss, targets = self.trainer.evaluate(self.judged), self.validation.targets
        return {"loss": loss, **self._measured(self.judged, targets, len(self.rows))}

    def _measured(
        self, positions: NDArray[np.int64], targets: NDArray, first: int
    ) -> dict[str, float]:
        if not self.settings.metrics:
            return {}
        outputs = self.trainer.outputs[positions]
        return _measured(targets[positions - first], outputs, self.settings)


class _ByPortions:
    """Training on rows that are handed to the kernel a portion at a time, in their order.

    So what a row takes apart from the series, such as its position, is needed for a portion only.
    """

    def __init__(
        self,
        trainer: NativeTrainer,
        rows: Rows,
        validation: Rows,
        n_epochs: int,
        network: Network,
        settings: Settings,
    ) -> None:
        self.trainer = trainer
        self.rows = rows
        self.validation = validation
        self.n_epochs = n_epochs
        self.network = network
        self.settings = settings
        batch_size = min(settings.batch_size, settings.rows_per_epoch(len(rows)))
        self.portion = max(AT_ONCE // batch_size, 1) * batch_size

    def epochs(self, n_epochs: int) -> list[dict[str, float]]:
        """Train one epoch, however many are left."""
        order = epoch_order(
            len(self.rows), self.n_epochs, self.network, self.settings, self.portion
        )
        self.n_epochs += 1
        return [self._run(self.rows, order, self.trainer.epoch)]

    def judge(self) -> dict[str, float]:
        """Evaluate on the validation rows."""
        n_rows = len(self.validation)
        order = time_order_parts(n_rows, self.network, self.settings, self.portion)
        return self._run(self.validation, order, self.trainer.evaluate)

    def _run(
        self,
        rows: Rows,
        order: Iterator[NDArray[np.int64]],
        run: Callable[[NDArray[np.int64]], float],
    ) -> dict[str, float]:
        self.trainer.states[:] = 0.0
        total, n_rows = 0.0, 0
        said: list[tuple[NDArray, NDArray]] = []
        for positions in order:
            portion = rows[positions]
            self.trainer.take(portion)
            total += run(np.arange(len(portion))) * len(portion)
            n_rows += len(portion)
            if self.settings.metrics:
                said.append((portion.targets, self.trainer.outputs))
            if not np.isfinite(total):
                break
        logs = {"loss": total / n_rows}
        if said:
            targets, outputs = (np.concatenate(each) for each in zip(*said, strict=True))
            logs |= _measured(targets, outputs, self.settings)
        return logs


def _measured(targets: NDArray, outputs: NDArray, settings: Settings) -> dict[str, float]:
    """Return the metrics of what is predicted."""
    outputs = predicted(outputs, settings.quantiles)
    return {name: float(METRICS[name](targets, outputs)) for name in settings.metrics}


@dataclass(frozen=True)
class _Slots:
    """The optimizer's state in the kernel's layout: one row of `vectors` for each name."""

    names: tuple[str, ...]
    vectors: NDArray[np.float32]
    iteration: int

    @classmethod
    def of(cls, start: TrainingState, names: tuple[str, ...]) -> _Slots:
        state = start.optimizer_state_for(names)
        vectors = np.zeros((len(names), start.parameters.size), dtype=np.float32)
        for vector, name in zip(vectors, names, strict=True):
            vector[:] = state.get(name, 0.0)
        return cls(names, vectors, int(state.get("iteration", 0)))

    def by_name(self) -> dict[str, NDArray[np.float32]]:
        return dict(zip(self.names, self.vectors, strict=True))
