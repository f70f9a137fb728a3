"""The native engine: the loop over epochs, and the check that its kernel works here."""

from __future__ import annotations

import functools
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
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
from skl_lstm.training.orders import epoch_orders, time_order
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
    all_rows = rows.followed_by(validation)
    trainer = NativeTrainer(
        network,
        plan,
        all_rows,
        min(settings.batch_size, settings.rows_per_epoch(len(rows))),
        parameters,
        slots=slots.vectors,
        iterations=slots.iteration,
        seed=settings.seed,
    )
    orders = epoch_orders(len(rows), start.n_epochs, network, settings)
    judged = len(rows) + time_order(len(validation), network, settings)
    history: dict[str, list[float]] = {}
    best = BestEpoch(settings.patience) if settings.early_stopping else None
    progress = Progress(start.n_epochs, settings.epochs, settings.verbose)
    try:
        epochs = _epochs(trainer, orders, judged, network, settings, all_rows.targets)
        for epoch, logs in enumerate(epochs, start.n_epochs):
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
    trainer: NativeTrainer,
    orders: Iterator[NDArray[np.int64]],
    judged: NDArray[np.int64],
    network: Network,
    settings: Settings,
    targets: NDArray,
) -> Iterator[dict[str, float]]:
    """Train epoch by epoch; yield the loss and the metrics of each.

    If nothing has to be done between epochs, several run in one call, which releases the GIL;
    few enough to respond to Ctrl-C quickly.
    """
    watched = (
        len(judged)
        or settings.metrics
        or settings.early_stopping
        or settings.verbose
        or network.stateful
    )
    operations = 3 * settings.rows_per_epoch(len(targets)) * network.n_steps * network.size
    seconds = operations / OPERATIONS_PER_SECOND
    n_left = settings.epochs
    while n_left:
        trainer.states[:] = 0.0
        n_together = 1 if watched else min(n_left, 1 + int(CALL_SECONDS / seconds))
        drawn = [next(orders) for _ in range(n_together)]
        started = time.perf_counter()
        losses = trainer.epochs(drawn)
        seconds = (time.perf_counter() - started) / len(losses)
        n_left -= len(losses)
        for loss in losses:
            logs = {"loss": loss}
            if watched:
                logs |= _measured(trainer, drawn[0], settings, targets)
            if len(judged):
                trainer.states[:] = 0.0
                logs["val_loss"] = trainer.evaluate(judged)
                of_judged = _measured(trainer, judged, settings, targets)
                logs |= {f"val_{name}": value for name, value in of_judged.items()}
            yield logs


def _measured(
    trainer: NativeTrainer, positions: NDArray[np.int64], settings: Settings, targets: NDArray
) -> dict[str, float]:
    """Return the metrics of what is predicted at some positions."""
    if not settings.metrics:
        return {}
    outputs = predicted(trainer.outputs[positions], settings.quantiles)
    return {name: float(METRICS[name](targets[positions], outputs)) for name in settings.metrics}


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
