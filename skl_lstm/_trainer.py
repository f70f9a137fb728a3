"""Train a network with the compiled kernels: buffers, tables of names, threads.

The interface::

    reason = unsupported(loss="mse", output_activation="linear", optimizer="adam", ...)
    trainer = NativeTrainer(units=(50,), n_steps=12, ..., theta=theta, slots=slots, ...)
    loss = trainer.epoch(order)             # one pass over the positions, in that order
    losses = trainer.epochs(orders)         # several, or as many of them as one call can do
    validation = trainer.evaluate(positions)
    trainer.outputs                         # (n, n_outputs), by position, of the last pass
    trainer.iterations                      # updates so far
    trainer.states                          # stateful networks: h and c of every layer

`theta` and `slots` are the caller's arrays and are updated in place, so that training can stop,
be stored and go on. `OPTIMIZERS`, `LOSSES` and `ACTIVATIONS` say what the kernels know.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from numbers import Real
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from . import _kernels as kernels

# Rows of a batch that are worked on together. Part of the result: sums are taken shard by shard.
SHARD_ROWS = 16

# Handing work to a thread takes some 50 us, which is the time of so many multiply-adds.
THREADING_OPERATIONS = 16_000_000

# Numbers in a cache line.
CACHE_LINE = 16

ACTIVATIONS = {
    "linear": kernels.LINEAR,
    "sigmoid": kernels.SIGMOID,
    "softmax": kernels.SOFTMAX,
    "tanh": kernels.TANH,
    "relu": kernels.RELU,
}

# Name, and the name and default of the one argument that some have.
LOSSES: dict[str, tuple[int, str | None, float]] = {
    "mse": (kernels.MSE, None, 0.0),
    "mae": (kernels.MAE, None, 0.0),
    "huber": (kernels.HUBER, "delta", 1.0),
    "log_cosh": (kernels.LOG_COSH, None, 0.0),
    "pinball": (kernels.PINBALL, "quantile", 0.5),
    "binary_crossentropy": (kernels.BINARY_CROSSENTROPY, None, 0.0),
    "categorical_crossentropy": (kernels.CATEGORICAL_CROSSENTROPY, None, 0.0),
}

# Keras computes a cross-entropy from the logits of these activations; after any other it clips
# probabilities, which the kernels do not.
REQUIRED_ACTIVATION = {
    "binary_crossentropy": "sigmoid",
    "categorical_crossentropy": "softmax",
}

COMMON_DEFAULTS: dict[str, Any] = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
}
_LIMITS = ("clipnorm", "global_clipnorm", "clipvalue")
_SHARES = ("momentum", "rho", "beta_1", "beta_2")
_ADAM = {
    "learning_rate": 0.001,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-7,
    "amsgrad": False,
    **COMMON_DEFAULTS,
}

# Name, and Keras's arguments with their defaults.
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False, **COMMON_DEFAULTS},
    "rmsprop": {
        "learning_rate": 0.001,
        "rho": 0.9,
        "momentum": 0.0,
        "epsilon": 1e-7,
        "centered": False,
        **COMMON_DEFAULTS,
    },
    "adam": _ADAM,
    "adamw": {**_ADAM, "weight_decay": 0.004},
    "adamax": {name: value for name, value in _ADAM.items() if name != "amsgrad"},
}
_KINDS = {
    "sgd": kernels.SGD,
    "rmsprop": kernels.RMSPROP,
    "adam": kernels.ADAM,
    "adamw": kernels.ADAM,
    "adamax": kernels.ADAMAX,
}


def unsupported(
    *,
    loss: str,
    output_activation: str,
    optimizer: str,
    loss_args: Mapping[str, Any] | None = None,
    optimizer_args: Mapping[str, Any] | None = None,
) -> str | None:
    """Say what of a network's training the kernels do not cover.

    Parameters
    ----------
    loss, output_activation, optimizer : str
        Names, as in `LOSSES`, `ACTIVATIONS` and `OPTIMIZERS`.
    loss_args, optimizer_args : mapping, optional
        Arguments for the loss and the optimiser.

    Returns
    -------
    reason : str or None
        None where everything is covered.
    """
    if output_activation not in ACTIVATIONS:
        return f"output_activation={output_activation!r}"
    if loss not in LOSSES:
        return f"loss={loss!r}"
    needed = REQUIRED_ACTIVATION.get(loss, output_activation)
    if output_activation != needed:
        return f"loss={loss!r} after output_activation={output_activation!r}"
    if optimizer not in OPTIMIZERS:
        return f"optimizer={optimizer!r}"
    for name, value in (loss_args or {}).items():
        if name != LOSSES[loss][1]:
            return f"{name}={value!r} of loss={loss!r}"
    for name, value in (optimizer_args or {}).items():
        if name not in OPTIMIZERS[optimizer] or not _is_usual(name, value, optimizer):
            return f"{name}={value!r} of optimizer={optimizer!r}"
    limits = [name for name in _LIMITS if (optimizer_args or {}).get(name) is not None]
    if len(limits) > 1:
        return f"{' with '.join(limits)} of optimizer={optimizer!r}"
    return None


def _is_usual(name: str, value: Any, optimizer: str) -> bool:
    """Tell whether an argument is one that Keras takes too; what is not is for it to refuse."""
    if value is None:
        return name in COMMON_DEFAULTS and OPTIMIZERS[optimizer][name] is None
    if isinstance(OPTIMIZERS[optimizer][name], bool):
        return isinstance(value, bool)
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    number = float(value)
    if name in ("learning_rate", *_LIMITS):
        return 0.0 < number < math.inf
    return 0.0 <= number < (1.0 if name in _SHARES else math.inf)


def slot_names(optimizer: str, args: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Name the vectors of an optimiser's state, in the order in which Keras creates them.

    Parameters
    ----------
    optimizer : str
        A name in `OPTIMIZERS`.
    args : mapping, optional
        Its arguments, as far as they are not the defaults.

    Returns
    -------
    names : tuple of str
        Keras's names; one row of `slots` each.
    """
    args = {**OPTIMIZERS[optimizer], **(args or {})}
    if optimizer == "sgd":
        return ("momentum",) if args["momentum"] else ()
    if optimizer == "rmsprop":
        momentum = ("momentum",) if args["momentum"] > 0 else ()
        return ("velocity", *momentum, *(("average_gradient",) if args["centered"] else ()))
    if optimizer == "adamax":
        return ("momentum", "norm")
    return ("momentum", "velocity", *(("velocity_hat",) if args["amsgrad"] else ()))


def _optimizer(name: str, args: Mapping[str, Any]) -> kernels.Optimizer:
    args = {**OPTIMIZERS[name], **args}
    variant = args.get("nesterov") or args.get("centered") or args.get("amsgrad")
    return kernels.Optimizer(
        kind=_KINDS[name],
        variant=int(bool(variant)),
        learning_rate=float(args["learning_rate"]),
        momentum=float(args.get("momentum", args.get("beta_1", 0.0))),
        decay=float(args.get("rho", args.get("beta_2", 0.0))),
        epsilon=float(args.get("epsilon", 0.0)),
        weight_decay=float(args["weight_decay"] or 0.0),
        clipnorm=float(args["clipnorm"] or 0.0),
        global_clipnorm=float(args["global_clipnorm"] or 0.0),
        clipvalue=float(args["clipvalue"] or 0.0),
    )


@dataclass(frozen=True)
class _Layout:
    """Where everything stands in the flat arrays of the kernels."""

    layers: NDArray[np.int64]
    bounds: NDArray[np.int64]
    last_h: int
    logits: int
    deltas: int
    dense_transposed: int
    work_size: int
    transposed_size: int
    states_size: int

    @classmethod
    def of(
        cls,
        units: Sequence[int],
        n_steps: int,
        n_features: int,
        n_outputs: int,
        n_rows: int,
        batch_size: int,
        recurrent_dropout: bool,
    ) -> _Layout:
        """Lay out a network for shards of `n_rows` rows."""
        table = np.zeros((len(units), kernels.N_COLUMNS), dtype=np.int64)
        work, transposed = _Counter(CACHE_LINE), _Counter(CACHE_LINE)
        states = _Counter(1)
        bounds = [0]
        n_inputs = n_features
        for layer, n_units in enumerate(units):
            width = n_inputs + n_units
            # Nobody asks for the gradient of the first layer's inputs.
            d_width = width if layer > 0 else n_units
            row = table[layer]
            row[kernels.INPUTS] = n_inputs
            row[kernels.UNITS] = n_units
            row[kernels.WEIGHTS] = bounds[-1]
            row[kernels.TRANSPOSED] = transposed.take(4 * n_units * d_width)
            row[kernels.STATES] = states.take(2 * batch_size * n_units)
            row[kernels.XH] = work.take((n_steps + 1) * n_rows * width)
            row[kernels.GATES] = work.take(n_steps * n_rows * 4 * n_units)
            row[kernels.CELLS] = work.take((n_steps + 1) * n_rows * n_units)
            row[kernels.TANH_CELLS] = work.take(n_steps * n_rows * n_units)
            row[kernels.D_CELLS] = work.take(n_rows * n_units)
            row[kernels.D_XH] = work.take((n_steps + 1) * n_rows * d_width)
            if recurrent_dropout:
                row[kernels.MASKS] = work.take(n_rows * 4 * n_units)
                row[kernels.MASKED] = work.take((n_steps + 1) * n_rows * 4 * n_units)
            for rows in (n_inputs, n_units, 1):
                bounds.append(bounds[-1] + rows * 4 * n_units)
            n_inputs = n_units
        bounds.append(bounds[-1] + n_inputs * n_outputs)
        bounds.append(bounds[-1] + n_outputs)
        return cls(
            layers=table.ravel(),
            bounds=np.array(bounds, dtype=np.int64),
            last_h=work.take(n_rows * n_inputs),
            logits=work.take(n_rows * n_outputs),
            deltas=work.take(n_rows * n_outputs),
            dense_transposed=transposed.take(n_inputs * n_outputs),
            work_size=work.size,
            transposed_size=transposed.size,
            states_size=states.size,
        )


class _Counter:
    """Give out stretches of an array, each starting at a multiple of `alignment`."""

    def __init__(self, alignment: int) -> None:
        self.alignment = alignment
        self.size = 0

    def take(self, size: int) -> int:
        start = self.size
        self.size += -(-size // self.alignment) * self.alignment
        return start


@functools.cache
def _n_cores() -> int:
    """Count the cores that this process may use, containers and affinity considered."""
    return joblib.cpu_count()


def _read_only(array: NDArray, dtype: Any) -> NDArray:
    """See an array as flat and not writeable, so that the kernels meet one type, not two."""
    view = np.ascontiguousarray(array, dtype=dtype).reshape(-1).view()
    view.flags.writeable = False
    return view


class NativeTrainer:
    """Train one network on one set of windows.

    Parameters
    ----------
    units : sequence of int
        Units of each LSTM layer.
    n_steps, n_features, n_outputs : int
        Shape of a window, and the number of outputs.
    output_activation, loss, optimizer : str
        Names in `ACTIVATIONS`, `LOSSES` and `OPTIMIZERS`.
    loss_args, optimizer_args : mapping
        Their arguments, as far as they are not the defaults.
    dropout, recurrent_dropout : float
        Rates after each LSTM layer, and of the state that goes from step to step.
    stateful : bool
        Whether row j of a batch starts from the state in which row j of the one before ended.
    batch_size : int
        Rows between two updates.
    theta : ndarray of float32 of shape (n_parameters,)
        Parameters: kernel, recurrent kernel and bias of each layer, then kernel and bias of the
        Dense layer, as Keras lays them out. Updated in place.
    slots : ndarray of float32 of shape (n_slots, n_parameters)
        State of the optimiser, in the order of `slot_names`; zeros at first. Updated in place.
    iterations : int
        Updates so far.
    buffer : ndarray of float32 of shape (n_numbers,)
        What the windows are cut from.
    row_stride : int
        Window r is ``buffer[r * row_stride :][: n_steps * n_features]``.
    rows : ndarray of int64 of shape (n,)
        Numbers of the windows, by position.
    y : ndarray of float32 of shape (n, n_outputs)
        Targets, by position.
    sample_weight : ndarray of float32 of shape (n,) or None
        Weights, by position.
    seed : int
        What the dropout masks are drawn from, together with the number of the update.
    n_threads : int or None
        How many threads may share out a batch; None means one a core. Does not change the result.

    Attributes
    ----------
    outputs : ndarray of float32 of shape (n, n_outputs)
        Output for each position when it was last seen, before the update that followed.
    iterations : int
        Updates so far.
    states : ndarray of float32
        For each layer h then c, each ``(batch_size, units)``, of a stateful network.
    """

    def __init__(
        self,
        *,
        units: Sequence[int],
        n_steps: int,
        n_features: int,
        n_outputs: int,
        output_activation: str = "linear",
        loss: str = "mse",
        loss_args: Mapping[str, Any] | None = None,
        optimizer: str = "adam",
        optimizer_args: Mapping[str, Any] | None = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        stateful: bool = False,
        batch_size: int,
        theta: NDArray[np.float32],
        slots: NDArray[np.float32],
        iterations: int = 0,
        buffer: NDArray[np.float32],
        row_stride: int,
        rows: NDArray[np.int64],
        y: NDArray[np.float32],
        sample_weight: NDArray[np.float32] | None = None,
        seed: int = 0,
        n_threads: int | None = 1,
    ) -> None:
        dtype = theta.dtype
        shard_rows = min(SHARD_ROWS, batch_size)
        layout = _Layout.of(
            units, n_steps, n_features, n_outputs, shard_rows, batch_size, recurrent_dropout > 0
        )
        loss_kind, argument, default = LOSSES[loss]
        self._network = kernels.Network(
            n_layers=len(units),
            n_steps=n_steps,
            n_features=n_features,
            n_outputs=n_outputs,
            n_parameters=theta.size,
            batch_size=batch_size,
            shard_rows=shard_rows,
            activation=ACTIVATIONS[output_activation],
            loss=loss_kind,
            stateful=int(stateful),
            seed=seed,
            last_h=layout.last_h,
            logits=layout.logits,
            deltas=layout.deltas,
            dense_transposed=layout.dense_transposed,
            loss_parameter=float((loss_args or {}).get(argument or "", default)),
            dropout=float(dropout),
            recurrent_dropout=float(recurrent_dropout),
        )
        self._optimizer = _optimizer(optimizer, optimizer_args or {})
        self.outputs = np.zeros((len(rows), n_outputs), dtype=dtype)
        self._data = kernels.Data(
            buffer=_read_only(buffer, dtype),
            row_stride=row_stride,
            rows=_read_only(rows, np.int64),
            y=_read_only(y, dtype),
            weights=_read_only(np.zeros(0) if sample_weight is None else sample_weight, dtype),
            outputs=self.outputs.reshape(-1),
        )
        self.iterations = iterations
        self.states = np.zeros(layout.states_size if stateful else 0, dtype=dtype)
        self._layers = _read_only(layout.layers, np.int64)
        self._bounds = _read_only(layout.bounds, np.int64)
        self._theta = theta
        self._slots = slots.reshape(-1)
        n_shards = -(-batch_size // shard_rows)
        n_lanes = min(n_shards, kernels.LANES)
        self._gradients = np.zeros(n_lanes * theta.size, dtype=dtype)
        self._losses = np.zeros(n_shards)
        batch_operations = 3 * batch_size * n_steps * theta.size
        n_threads = _n_cores() if n_threads is None else n_threads
        n_threads = min(n_threads, n_lanes) if batch_operations > THREADING_OPERATIONS else 1
        self._work = [np.zeros(layout.work_size, dtype=dtype) for _ in range(n_threads)]
        self._transposed = [np.zeros(layout.transposed_size, dtype=dtype) for _ in self._work]
        self._pool = ThreadPoolExecutor(n_threads - 1) if n_threads > 1 else None

    def epoch(self, order: NDArray[np.int64]) -> float:
        """Train on every position once.

        Parameters
        ----------
        order : ndarray of int64
            Positions, in the order in which the batches take them.

        Returns
        -------
        loss : float
            Mean of the rows' weighted losses, each before the update that it led to.
        """
        return self.epochs([order])[0]

    def epochs(self, orders: Sequence[NDArray[np.int64]]) -> list[float]:
        """Train several epochs without coming back to Python between them.

        Parameters
        ----------
        orders : sequence of ndarray of int64
            The order of each epoch, all of one size.

        Returns
        -------
        losses : list of float
            The loss of each epoch that was run: all of them, up to the first loss that is not
            finite.
        """
        n_rows = orders[0].size
        n_batches = -(-n_rows // self._network.batch_size)
        if self._pool is None:
            order = orders[0] if len(orders) == 1 else np.concatenate(orders)
            losses = self._run(order, training=True, n_epochs=len(orders))
            self.iterations += len(losses) * n_batches
        else:
            losses = []
            for order in orders:
                losses.append(self._run_threads(self._pool, order, training=True))
                self.iterations += n_batches
                if not np.isfinite(losses[-1]):
                    break
        return [loss / n_rows for loss in losses]

    def evaluate(self, positions: NDArray[np.int64]) -> float:
        """Compute outputs and loss without dropout, and learn nothing.

        Parameters
        ----------
        positions : ndarray of int64
            Positions of the rows.

        Returns
        -------
        loss : float
            Mean of the rows' weighted losses.
        """
        if self._pool is not None:
            return self._run_threads(self._pool, positions, training=False) / positions.size
        return self._run(positions, training=False)[0] / positions.size

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _run(self, order: NDArray[np.int64], training: bool, n_epochs: int = 1) -> list[float]:
        """Run epochs in one call; give the sum of losses of each."""
        totals = np.zeros(n_epochs)
        n_run = self._run_batches(
            _read_only(order, np.int64),
            0,
            order.size // n_epochs,
            self.iterations,
            training,
            kernels.GRADIENTS | kernels.UPDATE,
            totals,
        )
        return totals[:n_run].tolist()

    def _run_threads(
        self, pool: ThreadPoolExecutor, order: NDArray[np.int64], training: bool
    ) -> float:
        """Run an epoch with the lanes of each batch shared out; give the sum of losses."""
        order = _read_only(order, np.int64)
        iteration = self.iterations
        total = np.zeros(1)
        epoch_loss = 0.0
        for start in range(0, order.size, self._network.batch_size):
            stop = min(start + self._network.batch_size, order.size)
            batch = (order, start, stop, iteration, training)
            others = [
                pool.submit(self._run_batches, *batch, kernels.GRADIENTS, np.zeros(1), thread)
                for thread in range(1, len(self._work))
            ]
            self._run_batches(*batch, kernels.GRADIENTS, total)
            for other in others:
                other.result()
            self._run_batches(*batch, kernels.UPDATE, total)
            epoch_loss += total[0]
            iteration += 1
        return float(epoch_loss)

    def _run_batches(
        self,
        order: NDArray[np.int64],
        start: int,
        stop: int,
        iteration: int,
        training: bool,
        phases: int,
        totals: NDArray[np.float64],
        thread: int = 0,
    ) -> int:
        arguments = (
            self._network,
            self._optimizer,
            self._layers,
            self._theta,
            self._transposed[thread],
            self._work[thread],
            self._data,
            order,
            start,
            stop,
            self.states,
            self._gradients,
            self._losses,
            self._slots,
            self._bounds,
            iteration,
            training,
            phases,
            thread,
            len(self._work),
            totals,
        )
        try:
            return kernels.run_batches(*arguments)
        except OSError:  # the cache of compiled code cannot be read or written
            compiled = bool(kernels.run_batches.signatures)
            run = kernels.run_batches if compiled else kernels.run_batches_uncached()
            return run(*arguments)
