"""The native engine: a fit, and the check that the kernel works here."""

from __future__ import annotations

import functools
import math
import os
import sys
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skl_lstm.engines.native.coverage import NotCovered, Plan, covers, make_plan
from skl_lstm.engines.native.epochs import AtOnce, ByPortions, are_at_once, epochs_of
from skl_lstm.network.forward import Stack
from skl_lstm.network.network import Network
from skl_lstm.network.windows import Windows
from skl_lstm.training.early_stopping import BestEpoch, warn_of_divergence
from skl_lstm.training.progress import Progress
from skl_lstm.training.rows import Rows
from skl_lstm.training.settings import Settings
from skl_lstm.training.state import TrainingState
from skl_lstm.warn import warn

# If the kernel is not loaded after this time, it is compiled, or the machine is busy.
LOADING_SECONDS = 2.0


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
    if settings.verbose and not _was_tried():
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
    note = threading.Timer(LOADING_SECONDS, _say_what_takes_time)
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


def _was_tried() -> bool:
    return kernel_failure.cache_info().currsize > 0


def _say_what_takes_time() -> None:
    print(
        "skl_lstm loads its training kernel. The first time on a machine it is compiled, which "
        "takes up to a minute.",
        file=sys.stderr,
    )


def stack_type(network: Network) -> type[Stack]:
    """Return the forward pass in the kernel if it is loaded and covers a network, or in NumPy."""
    if not _was_tried() or kernel_failure() or not covers(network):
        return Stack
    from skl_lstm.engines.native.forward import NativeStack

    return NativeStack


@functools.cache
def warn_if_kernel_failed(reason: str) -> None:
    """Warn, once per process, if Keras trains because the kernel fails here."""
    if _was_tried() and reason == kernel_failure():
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
    # The kernel reads one buffer; rows that were passed to fit to validate on have their own.
    one_buffer = not len(validation) or validation.windows.buffer is rows.windows.buffer
    at_once = one_buffer and are_at_once(len(rows) + len(validation), batch_size)
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
    way = AtOnce if at_once else ByPortions
    training = way(trainer, rows, validation, start.n_epochs, network, settings)
    history: dict[str, list[float]] = {}
    best = BestEpoch(settings.patience) if settings.early_stopping else None
    progress = Progress(start.n_epochs, settings.epochs, settings.verbose)
    try:
        for epoch, logs in enumerate(epochs_of(training), start.n_epochs):
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
