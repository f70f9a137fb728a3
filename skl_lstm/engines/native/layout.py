"""Positions of all data in the flat arrays that the kernel works on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skl_lstm.engines.native.kernels import tables
from skl_lstm.network.network import Network

# Number of float32 values in a cache line.
CACHE_LINE = 16


@dataclass(frozen=True)
class Layout:
    """Positions of all data in the flat arrays of the kernel."""

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
    def of(cls, network: Network, n_rows: int, batch_size: int) -> Layout:
        """Lay out a network for shards of `n_rows` rows."""
        n_steps = network.n_steps
        table = np.zeros((len(network.units), tables.N_COLUMNS), dtype=np.int64)
        work, transposed = _Counter(CACHE_LINE), _Counter(CACHE_LINE)
        states = _Counter(1)
        bounds = np.cumsum([0, *map(math.prod, network.shapes)])
        starts = bounds[:: len(network.recurrent_cell.parts)]
        n_inputs = network.n_features
        for layer, n_units in enumerate(network.units):
            n_columns = network.recurrent_cell.columns(n_units)
            width = n_inputs + n_units
            # The gradient of the first layer's inputs is not needed.
            d_width = width if layer > 0 else n_units
            row = table[layer]
            row[tables.INPUTS] = n_inputs
            row[tables.UNITS] = n_units
            row[tables.WEIGHTS] = starts[layer]
            row[tables.TRANSPOSED] = transposed.take(n_columns * d_width)
            row[tables.STATES] = states.take(
                len(network.recurrent_cell.states) * batch_size * n_units
            )
            row[tables.XH] = work.take((n_steps + 1) * n_rows * width)
            row[tables.GATES] = work.take(n_steps * n_rows * n_columns)
            row[tables.CELLS] = work.take((n_steps + 1) * n_rows * n_units)
            row[tables.TANH_CELLS] = work.take(n_steps * n_rows * n_units)
            row[tables.D_CELLS] = work.take(n_rows * n_units)
            row[tables.D_XH] = work.take((n_steps + 1) * n_rows * d_width)
            if network.recurrent_dropout:
                row[tables.MASKS] = work.take(n_rows * n_columns)
                row[tables.MASKED] = work.take((n_steps + 1) * n_rows * n_columns)
            n_inputs = n_units
        return cls(
            layers=table.ravel(),
            bounds=bounds,
            last_h=work.take(n_rows * n_inputs),
            logits=work.take(n_rows * network.n_outputs),
            deltas=work.take(n_rows * network.n_outputs),
            dense_transposed=transposed.take(n_inputs * network.n_outputs),
            work_size=work.size,
            transposed_size=transposed.size,
            states_size=states.size,
        )


class _Counter:
    """Allocate stretches of an array, each starting at a multiple of `alignment`."""

    def __init__(self, alignment: int) -> None:
        self.alignment = alignment
        self.size = 0

    def take(self, size: int) -> int:
        start = self.size
        self.size += -(-size // self.alignment) * self.alignment
        return start
