"""The forward pass in the compiled kernel, for a process in which it is loaded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skl_lstm.engines.native.kernel import Kernel, windows_alone
from skl_lstm.network.forward import Stack, Weights
from skl_lstm.network.network import Network


class NativeStack(Stack):
    """The layers of a network with the states of `n_rows` rows, initially zero.

    The outputs for a row have the same bits whatever rows are processed with it, because the
    kernel sums each number in one order.

    Parameters
    ----------
    network, weights, n_rows
        As in :class:`skl_lstm.network.forward.Stack`.
    """

    block_values = 2**17  # so many that handing them to threads pays

    def __init__(self, network: Network, weights: Weights, n_rows: int) -> None:
        self.network = network
        self.n_rows = n_rows
        self._kernel = Kernel(network, None, n_rows, network.flatten(list(weights))[np.newaxis])

    @property
    def states(self) -> list[NDArray[np.float32]]:
        """States (n_rows, units) of each layer, not copied."""
        return [
            state.reshape(self.n_rows, -1)
            for state in self.network.states(self._kernel.states, self.n_rows)
        ]

    def reset(self) -> None:
        """Reset all states to zero."""
        self._kernel.states[:] = 0.0

    def run(self, windows: NDArray) -> NDArray[np.float32]:
        """Process windows (n_rows, n_lags, n_series) and return the outputs (n_rows, n_outputs).

        The next windows of a stateful network start from the states in which these end.
        """
        outputs = np.empty((len(windows), self.network.n_outputs), dtype=np.float32)
        self._kernel.evaluate(*windows_alone(windows, outputs))
        return outputs

    def in_turn(self, windows: NDArray) -> NDArray[np.float32]:
        """Process windows of a single row, each from the state in which the one before ended."""
        return self.run(windows)

    def close(self) -> None:
        """Shut down the threads."""
        self._kernel.close()
