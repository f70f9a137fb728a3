"""Training of one network with the compiled kernel.

`parameters` and `slots` are the caller's arrays and are updated in place, so that training can
be stopped, saved and continued.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skl_lstm.engines.native.coverage import Plan
from skl_lstm.engines.native.kernel import Kernel, data_of
from skl_lstm.network.network import Network
from skl_lstm.training.rows import Rows


class NativeTrainer:
    """Train one network on one set of windows.

    Parameters
    ----------
    network : Network
        Network to train.
    plan : Plan
        Plan of the training run.
    rows : Rows
        Windows with their targets and weights.
    batch_size, seed, n_threads
        As in :class:`skl_lstm.engines.native.kernel.Kernel`.
    parameters : ndarray of float32 of shape (network.size,)
        Flat vector of parameters. Updated in place.
    slots : ndarray of float32 of shape (n_slots, network.size)
        State of the optimizer, one row for each name in ``plan.slots``. Updated in place.
    iterations : int, default=0
        Number of updates so far.

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
        plan: Plan,
        rows: Rows,
        batch_size: int,
        parameters: NDArray[np.float32],
        *,
        slots: NDArray[np.float32],
        iterations: int = 0,
        seed: int = 0,
        n_threads: int | None = None,
    ) -> None:
        self.batch_size = batch_size
        self._plain = parameters, slots
        vectors = np.vstack([parameters, slots])
        self._kernel = Kernel(network, plan, batch_size, vectors, seed=seed, n_threads=n_threads)
        self._n_outputs = network.n_outputs
        self._loss_parameters = plan.loss_parameters
        self.take(rows)
        self.iterations = iterations
        self.states = self._kernel.states

    def take(self, rows: Rows) -> None:
        """Take other rows in place of those before, and go on from the same state.

        Parameters
        ----------
        rows : Rows
            Windows with their targets and weights, to which all positions then refer.
        """
        self.outputs = np.zeros((len(rows), self._n_outputs), dtype=self._plain[0].dtype)
        self._data = data_of(
            rows.windows,
            self.outputs,
            targets=rows.targets,
            weights=rows.sample_weight,
            loss_parameters=self._loss_parameters,
        )

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
        stacked = orders[0][np.newaxis] if len(orders) == 1 else np.stack(orders)
        losses = self._kernel.train(self._data, stacked, self.iterations)
        self.iterations += len(losses) * -(-n_rows // self.batch_size)
        parameters, slots = self._plain
        vectors = self._kernel.vectors
        parameters[:], slots[:] = vectors[0], vectors[1:]
        return [loss / n_rows for loss in losses]

    def evaluate(self, positions: NDArray[np.int64]) -> float:
        """Compute outputs and the loss, without dropout or updates.

        Parameters
        ----------
        positions : ndarray of int64
            Positions of the rows.

        Returns
        -------
        loss : float
            Mean of the rows' weighted losses.
        """
        return self._kernel.evaluate(self._data, positions) / positions.size

    def close(self) -> None:
        """Shut down the threads."""
        self._kernel.close()
