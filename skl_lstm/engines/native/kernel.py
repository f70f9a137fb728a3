"""A network laid out for the compiled kernel, with its workspaces and threads."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstm.engines.native.coverage import ACTIVATIONS, Plan
from skl_lstm.engines.native.kernels import entry, tables
from skl_lstm.engines.native.layout import Layout
from skl_lstm.engines.native.threads import available_threads
from skl_lstm.network.network import Network
from skl_lstm.network.windows import Windows

# Number of rows of a batch that are processed together. It affects the result: the gradients are
# summed shard by shard.
SHARD_ROWS = 16

# Handing work to a thread takes some 50 us; below this number of multiply-adds it does not pay.
THREADING_OPERATIONS = 16_000_000


class Kernel:
    """The compiled kernel for one network.

    Parameters
    ----------
    network : Network
        The network.
    plan : Plan or None
        Plan of the training run; None for only the forward pass.
    batch_size : int
        Number of rows per update.
    vectors : ndarray of float32 of shape (1 + n_slots, network.size)
        Flat vector of parameters, then those of the optimizer's state. Copied.
    seed : int, default=0
        Seed of the dropout masks, used together with the number of the update.
    n_threads : int, default=None
        Maximum number of threads among which to divide a batch; as many as this process may use
        if None. Does not change the result.

    Attributes
    ----------
    states : ndarray of float32
        For each layer h and then c, each ``(batch_size, units)``, if the network is stateful.
    """

    def __init__(
        self,
        network: Network,
        plan: Plan | None,
        batch_size: int,
        vectors: NDArray[np.float32],
        *,
        seed: int = 0,
        n_threads: int | None = None,
    ) -> None:
        dtype = vectors.dtype
        self.batch_size = batch_size
        shard_rows = min(SHARD_ROWS, batch_size)
        self._layout = layout = Layout.of(network, shard_rows, batch_size)
        self._spec = tables.Spec(
            n_layers=len(network.units),
            n_steps=network.n_steps,
            n_features=network.n_features,
            n_outputs=network.n_outputs,
            n_parameters=layout.n_parameters,
            batch_size=batch_size,
            shard_rows=shard_rows,
            activation=ACTIVATIONS[network.output_activation],
            loss=plan.loss if plan else tables.MSE,
            stateful=int(network.stateful),
            seed=seed,
            **layout.places,
            dropout=float(network.dropout),
            recurrent_dropout=float(network.recurrent_dropout),
        )
        self._optimizer = plan.optimizer if plan else tables.Optimizer()
        laid_out = layout.to_kernel(vectors)
        self._theta, self._slots = laid_out[0], laid_out[1:]
        self.states = np.zeros(layout.states_size if network.stateful else 0, dtype=dtype)
        n_shards = -(-batch_size // shard_rows)
        n_lanes = min(n_shards, tables.LANES)
        self._gradients = np.zeros(n_lanes * layout.n_parameters if plan else 0, dtype=dtype)
        self._losses = np.zeros(n_shards)
        operations = (3 if plan else 1) * batch_size * network.n_steps * network.size
        if operations < THREADING_OPERATIONS or n_lanes == 1:
            n_threads = 1
        elif n_threads is None:
            n_threads = available_threads()
        self._work = [
            np.zeros(layout.work_size, dtype=dtype) for _ in range(min(n_threads, n_lanes))
        ]
        self._arranged = [np.zeros(layout.arranged_size, dtype=dtype) for _ in self._work]
        self._pool = ThreadPoolExecutor(len(self._work) - 1) if len(self._work) > 1 else None

    @property
    def vectors(self) -> NDArray[np.float32]:
        """A copy of the vectors, in the plain layout."""
        return self._layout.from_kernel(np.vstack([self._theta, self._slots]))

    def train(self, data: tables.Data, orders: NDArray[np.int64], iteration: int) -> list[float]:
        """Train epoch after epoch.

        Parameters
        ----------
        data : tables.Data
            Windows, targets and weights, made by :func:`data_of`.
        orders : ndarray of int64 of shape (n_epochs, n_rows)
            Positions of the rows in each epoch, in the order in which the batches take them.
        iteration : int
            Number of updates so far.

        Returns
        -------
        losses : list of float
            Sum of the rows' losses of each epoch, up to the first one that is not finite.
        """
        if self._pool is None:
            return self._run(data, orders, iteration, training=True)
        losses: list[float] = []
        for order in orders:
            losses.append(self._run_threads(self._pool, data, order, iteration, training=True))
            if not np.isfinite(losses[-1]):
                break
            iteration += -(-len(order) // self.batch_size)
        return losses

    def evaluate(self, data: tables.Data, order: NDArray[np.int64]) -> float:
        """Store the outputs at some positions, without dropout; return the sum of their losses.

        The parameters are as in :meth:`train`.
        """
        if self._pool is None:
            return self._run(data, order[np.newaxis], 0, training=False)[0]
        return self._run_threads(self._pool, data, order, 0, training=False)

    def close(self) -> None:
        """Shut down the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _run(
        self, data: tables.Data, orders: NDArray[np.int64], iteration: int, training: bool
    ) -> list[float]:
        """Run epochs in one call, which releases the GIL."""
        losses = np.zeros(len(orders))
        phases = tables.GRADIENTS | tables.UPDATE
        batch = (read_only(orders, np.int64), 0, orders.shape[1], iteration, training)
        n_run = self._run_batches(data, *batch, phases, losses)
        return losses[:n_run].tolist()

    def _run_threads(
        self,
        pool: ThreadPoolExecutor,
        data: tables.Data,
        order: NDArray[np.int64],
        iteration: int,
        training: bool,
    ) -> float:
        """Run an epoch with the lanes of each batch divided among threads; return its loss sum."""
        order = read_only(order, np.int64)
        total = np.zeros(1)
        epoch_loss = 0.0
        for start in range(0, order.size, self.batch_size):
            stop = min(start + self.batch_size, order.size)
            batch = (data, order, start, stop, iteration, training)
            others = [
                pool.submit(self._run_batches, *batch, tables.GRADIENTS, np.zeros(1), thread)
                for thread in range(1, len(self._work))
            ]
            self._run_batches(*batch, tables.GRADIENTS, total)
            for other in others:
                other.result()
            self._run_batches(*batch, tables.UPDATE, total)
            epoch_loss += total[0]
            iteration += 1
        return float(epoch_loss)

    def _run_batches(
        self,
        data: tables.Data,
        order: NDArray[np.int64],
        start: int,
        stop: int,
        iteration: int,
        training: bool,
        phases: int,
        totals: NDArray[np.float64],
        thread: int = 0,
    ) -> int:
        return entry.run_batches(
            self._spec,
            self._optimizer,
            self._layout.layers,
            self._theta,
            self._arranged[thread],
            self._work[thread],
            data,
            order,
            start,
            stop,
            self.states,
            self._gradients,
            self._losses,
            self._slots.reshape(-1),
            self._layout.bounds,
            iteration,
            training,
            phases,
            thread,
            len(self._work),
            totals,
        )


def data_of(
    windows: Windows,
    outputs: NDArray,
    *,
    targets: ArrayLike = (),
    weights: ArrayLike | None = None,
    loss_parameters: ArrayLike = (0.0,),
) -> tables.Data:
    """Return windows, and what belongs to them, in the kernel's form.

    Parameters
    ----------
    windows : Windows
        The windows.
    outputs : ndarray of float32 of shape (n, n_outputs)
        Array in which the kernel stores its outputs.
    targets, weights : array-like
        Targets and weights of the rows; without targets for only the forward pass.
    loss_parameters : array-like
        Those of the plan.
    """
    dtype = outputs.dtype
    return tables.Data(
        buffer=read_only(windows.buffer, dtype),
        row_stride=windows.row_stride,
        n_windows=windows.n_in_buffer,
        rows=read_only(windows.numbers, np.int64),
        n_series=windows.n_features,
        columns=read_only(windows.columns, np.int64),
        locations=read_only(windows.locations, dtype),
        scales=read_only(windows.scales, dtype),
        y=read_only(targets, dtype),
        weights=read_only(() if weights is None else weights, dtype),
        outputs=outputs.reshape(-1),
        loss_parameters=read_only(loss_parameters, np.float32),
    )


def windows_alone(windows: NDArray, outputs: NDArray) -> tuple[tables.Data, NDArray[np.int64]]:
    """Return windows (n, n_lags, n_series) in the kernel's form, and their order.

    Only the forward pass may take them, which stores its outputs in `outputs`.
    """
    buffer = windows.reshape(-1).view()
    order = np.arange(len(windows))
    for array in (buffer, order):
        array.flags.writeable = False
    data = _NO_DATA._replace(
        buffer=buffer,
        row_stride=math.prod(windows.shape[1:]),
        n_windows=len(windows),
        rows=order,
        outputs=outputs.reshape(-1),
    )
    return data, order


def read_only(array: ArrayLike, dtype: Any) -> NDArray:
    """Return a flat read-only view of an array, so that the kernel gets only one type."""
    view = np.ascontiguousarray(array, dtype=dtype).reshape(-1).view()
    view.flags.writeable = False
    return view


_NO_DATA = data_of(
    Windows.of(np.zeros((1, 1), dtype=np.float32), 1, 1), np.zeros((1, 1), dtype=np.float32)
)
