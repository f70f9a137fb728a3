"""Training of one network with the compiled kernel: buffers, batches, threads.

`parameters` and `slots` are the caller's arrays and are updated in place, so that training can
be stopped, saved and continued.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstm.engines.native.coverage import ACTIVATIONS, Plan
from skl_lstm.engines.native.kernels import entry, tables
from skl_lstm.engines.native.layout import Layout
from skl_lstm.engines.native.threads import available_threads
from skl_lstm.network.network import Network
from skl_lstm.training.rows import Rows

# Number of rows of a batch that are processed together. It affects the result: sums are computed
# shard by shard.
SHARD_ROWS = 16

# Handing work to a thread takes some 50 us; below this number of multiply-adds it does not pay.
THREADING_OPERATIONS = 16_000_000


class NativeTrainer:
    """Train one network on one set of windows, or only run the forward pass over them.

    Parameters
    ----------
    network : Network
        Network to train.
    plan : Plan or None
        Plan of the training run; None for only the forward pass.
    rows : Rows
        Windows with their targets and weights; without targets for only the forward pass.
    batch_size : int
        Number of rows per update.
    parameters : ndarray of float32 of shape (network.size,)
        Flat vector of parameters. Updated in place.
    slots : ndarray of float32 of shape (n_slots, network.size), default=None
        State of the optimizer, one row for each name in ``plan.slots``; initially zeros. Updated
        in place.
    iterations : int, default=0
        Number of updates so far.
    seed : int, default=0
        Seed of the dropout masks, used together with the number of the update.
    n_threads : int, default=None
        Maximum number of threads among which to divide a batch; as many as this process may use
        if None. Does not change the result.

    Attributes
    ----------
    outputs : ndarray of float32 of shape (n, n_outputs)
        Output for each position when it was last processed, before the update that followed.
    iterations : int
        Number of updates so far.
    states : ndarray of float32
        For each layer h and then c, each ``(batch_size, units)``, if the network is stateful.
    """

    def __init__(
        self,
        network: Network,
        plan: Plan | None,
        rows: Rows,
        batch_size: int,
        parameters: NDArray[np.float32],
        *,
        slots: NDArray[np.float32] | None = None,
        iterations: int = 0,
        seed: int = 0,
        n_threads: int | None = None,
    ) -> None:
        dtype = parameters.dtype
        shard_rows = min(SHARD_ROWS, batch_size)
        layout = Layout.of(network, shard_rows, batch_size)
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
        self.outputs = np.zeros((len(rows), network.n_outputs), dtype=dtype)
        windows, weight = rows.windows, rows.sample_weight
        self._data = tables.Data(
            buffer=_read_only(windows.buffer, dtype),
            row_stride=windows.row_stride,
            n_windows=windows.n_in_buffer,
            rows=_read_only(windows.rows, np.int64),
            n_series=windows.n_features,
            columns=_read_only(windows.columns, np.int64),
            locations=_read_only(windows.locations, dtype),
            scales=_read_only(windows.scales, dtype),
            y=_read_only(rows.targets, dtype),
            weights=_read_only(np.zeros(0) if weight is None else weight, dtype),
            outputs=self.outputs.reshape(-1),
            loss_parameters=_read_only(plan.loss_parameters if plan else [0.0], np.float32),
        )
        self.iterations = iterations
        self.states = np.zeros(layout.states_size if network.stateful else 0, dtype=dtype)
        self._layers = _read_only(layout.layers, np.int64)
        self._bounds = _read_only(layout.bounds, np.int64)
        self._layout = layout
        none = np.zeros((0, network.size), dtype=dtype)
        self._plain = [parameters[np.newaxis], none if slots is None else slots]
        self._theta, self._slots = map(layout.to_kernel, self._plain)
        n_shards = -(-batch_size // shard_rows)
        n_lanes = min(n_shards, tables.LANES)
        self._gradients = np.zeros(n_lanes * layout.n_parameters if plan else 0, dtype=dtype)
        self._losses = np.zeros(n_shards)
        batch_operations = 3 * batch_size * network.n_steps * network.size
        if batch_operations <= THREADING_OPERATIONS:
            n_threads = 1
        elif n_threads is None:
            n_threads = available_threads()
        n_threads = min(n_threads, n_lanes)
        self._work = [np.zeros(layout.work_size, dtype=dtype) for _ in range(n_threads)]
        self._arranged = [np.zeros(layout.arranged_size, dtype=dtype) for _ in self._work]
        self._pool = ThreadPoolExecutor(n_threads - 1) if n_threads > 1 else None

    def epoch(self, order: NDArray[np.int64]) -> float:
        """Train on every position once.

        Parameters
        ----------
        order : ndarray of int64
            Positions of the rows, in the order in which the batches take them.

        Returns
        -------
        loss : float
            Mean of the rows' weighted losses, each computed before the update to which it led.
        """
        return self.epochs([order])[0]

    def epochs(self, orders: Sequence[NDArray[np.int64]]) -> list[float]:
        """Train several epochs without returning to Python between them.

        Parameters
        ----------
        orders : sequence of ndarray of int64
            Order of the rows in each epoch, all of the same size.

        Returns
        -------
        losses : list of float
            Loss of each epoch that was run: all of them, up to the first loss that is not
            finite.
        """
        n_rows = orders[0].size
        n_batches = -(-n_rows // self._spec.batch_size)
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
        for laid_out, plain in zip((self._theta, self._slots), self._plain, strict=True):
            self._layout.from_kernel(laid_out, plain)
        return [loss / n_rows for loss in losses]

    def evaluate(self, positions: NDArray[np.int64]) -> float:
        """Compute outputs, and the loss if there are targets, without dropout or updates.

        Parameters
        ----------
        positions : ndarray of int64
            Positions of the rows.

        Returns
        -------
        loss : float
            Mean of the rows' weighted losses; zero without targets.
        """
        if self._pool is not None:
            return self._run_threads(self._pool, positions, training=False) / positions.size
        return self._run(positions, training=False)[0] / positions.size

    def close(self) -> None:
        """Shut down the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _run(self, order: NDArray[np.int64], training: bool, n_epochs: int = 1) -> list[float]:
        """Run epochs in one call; return the sum of losses of each."""
        totals = np.zeros(n_epochs)
        n_run = self._run_batches(
            _read_only(order, np.int64),
            0,
            order.size // n_epochs,
            self.iterations,
            training,
            tables.GRADIENTS | tables.UPDATE,
            totals,
        )
        return totals[:n_run].tolist()

    def _run_threads(
        self, pool: ThreadPoolExecutor, order: NDArray[np.int64], training: bool
    ) -> float:
        """Run an epoch with the lanes of each batch divided among threads; return its loss sum."""
        order = _read_only(order, np.int64)
        iteration = self.iterations
        total = np.zeros(1)
        epoch_loss = 0.0
        for start in range(0, order.size, self._spec.batch_size):
            stop = min(start + self._spec.batch_size, order.size)
            batch = (order, start, stop, iteration, training)
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
            self._layers,
            self._theta.reshape(-1),
            self._arranged[thread],
            self._work[thread],
            self._data,
            order,
            start,
            stop,
            self.states,
            self._gradients,
            self._losses,
            self._slots.reshape(-1),
            self._bounds,
            iteration,
            training,
            phases,
            thread,
            len(self._work),
            totals,
        )


def _read_only(array: ArrayLike, dtype: Any) -> NDArray:
    """Return a flat read-only view of an array, so that the kernel gets only one type."""
    view = np.ascontiguousarray(array, dtype=dtype).reshape(-1).view()
    view.flags.writeable = False
    return view
