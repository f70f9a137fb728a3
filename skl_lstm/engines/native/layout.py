"""Positions of all data in the flat arrays that the kernel works on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from skl_lstm.engines.native.kernels import tables
from skl_lstm.network.network import Network

# Number of float32 values in a cache line.
CACHE_LINE = 16

# Number of units from which products take packed panels: below, all of B is in the fastest cache.
PACKED_UNITS = 16


@dataclass(frozen=True)
class Part:
    """Kernels and bias of a layer among the parameters, as one matrix, plain and in whole vectors.

    A row has `n_groups` groups of `size` numbers, which the kernel has `lanes` apart.
    """

    start: int
    kernel_start: int
    n_rows: int
    n_groups: int
    size: int
    lanes: int

    def of_plain(self, vectors: NDArray) -> NDArray:
        """Return its view (n_vectors, n_rows, n_groups, size) of plain vectors of parameters."""
        stop = self.start + self.n_rows * self.n_groups * self.size
        return vectors[:, self.start : stop].reshape(-1, self.n_rows, self.n_groups, self.size)

    def of_kernel(self, vectors: NDArray) -> NDArray:
        """Return the same view of vectors of parameters in the kernel's layout."""
        stop = self.kernel_start + self.n_rows * self.n_groups * self.lanes
        part = vectors[:, self.kernel_start : stop]
        return part.reshape(-1, self.n_rows, self.n_groups, self.lanes)[..., : self.size]


@dataclass(frozen=True)
class Layout:
    """Positions of all data in the flat arrays of the kernel.

    The parameters are those of the network in the same order, each gate and each row of the Dense
    kernel extended to whole vectors by zeros, which stay zero.
    """

    layers: NDArray[np.int64]
    bounds: NDArray[np.int64]
    parts: tuple[Part, ...]
    n_parameters: int
    n_plain: int
    places: dict[str, int]
    work_size: int
    arranged_size: int
    states_size: int

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, network: Network, n_rows: int, batch_size: int) -> Layout:
        """Lay out a network for shards of `n_rows` rows."""
        n_steps = network.n_steps
        table = np.zeros((len(network.units), tables.N_COLUMNS), dtype=np.int64)
        work, arranged = _Counter(CACHE_LINE), _Counter(CACHE_LINE)
        plain, parameters, states = _Counter(1), _Counter(1), _Counter(1)
        parts, bounds = [], [0]
        n_inputs = network.n_features
        for layer, n_units in enumerate(network.units):
            n_lanes = _up(n_units, tables.VECTOR)
            n_inner = n_inputs + n_units
            n_below = n_inputs if layer > 0 else 0
            packed = n_units >= PACKED_UNITS
            # Of large layers a product for the gradients takes whole tiles of rows; it adds zeros
            # to the rows after [K; R], of which the first one is the bias.
            n_multiplied = _up(n_inner, tables.TILE_ROWS) if packed else n_inner
            width = _up(n_inputs + n_lanes, tables.TILE_ROWS)
            d_width = _up(n_below + n_lanes, tables.VECTOR)
            kernel = parameters.take(max(n_multiplied, n_inner + 1) * 4 * n_lanes)
            bias = kernel + n_inner * 4 * n_lanes
            start = plain.take((n_inner + 1) * 4 * n_units)
            parts.append(Part(start, kernel, n_inner + 1, 4, n_units, n_lanes))
            bounds += [kernel + n_inputs * 4 * n_lanes, bias, parameters.size]
            row = table[layer]
            row[tables.INPUTS] = n_inputs
            row[tables.UNITS] = n_units
            row[tables.N_LANES] = n_lanes
            row[tables.WIDTH] = width
            row[tables.D_WIDTH] = d_width
            row[tables.KERNEL] = kernel
            row[tables.BIAS] = bias
            row[tables.ROWS] = n_multiplied
            row[tables.PACKED] = packed
            row[tables.UNTRANSPOSED] = (
                n_rows < tables.TILE_ROWS and not packed and not network.recurrent_dropout
            )
            row[tables.ARRANGED] = arranged.take(n_inner * 4 * n_lanes * packed)
            row[tables.TRANSPOSED] = arranged.take(4 * n_lanes * _up(d_width, tables.PANEL))
            row[tables.STATES] = states.take(2 * batch_size * n_units)
            row[tables.XH] = work.take((n_steps + 1) * n_rows * width)
            row[tables.GATES] = work.take(n_steps * n_rows * 4 * n_lanes)
            row[tables.CELLS] = work.take((n_steps + 1) * n_rows * n_lanes)
            row[tables.TANH_CELLS] = work.take(n_steps * n_rows * n_lanes)
            row[tables.D_CELLS] = work.take(n_rows * n_lanes)
            row[tables.D_XH] = work.take((n_steps + 1) * n_rows * d_width)
            row[tables.SCRATCH] = work.take(tables.GRADIENT_ROWS * tables.PANEL * packed)
            if network.recurrent_dropout:
                row[tables.MASKS] = work.take(n_rows * 4 * n_lanes)
                row[tables.MASKED] = work.take((n_steps + 1) * n_rows * 4 * n_lanes)
            n_inputs = n_units
        lanes = _up(network.n_outputs, tables.VECTOR)
        kernel = parameters.take((n_inputs + 1) * lanes)
        bias = kernel + n_inputs * lanes
        start = plain.take((n_inputs + 1) * network.n_outputs)
        parts.append(Part(start, kernel, n_inputs + 1, 1, network.n_outputs, lanes))
        places = {
            "last_h": work.take(n_rows * n_lanes),
            "logits": work.take(n_rows * lanes),
            "deltas": work.take(n_rows * lanes),
            "zeros": work.take(int(table[:, tables.D_WIDTH].max())),
            "output_lanes": lanes,
            "dense_kernel": kernel,
            "dense_bias": bias,
            "dense_transposed": arranged.take(lanes * _up(n_lanes, tables.PANEL)),
        }
        bounds += [bias, parameters.size]
        return cls(
            layers=_shared(table.ravel()),
            bounds=_shared(np.array(bounds)),
            parts=tuple(parts),
            n_parameters=parameters.size,
            n_plain=plain.size,
            places=places,
            work_size=work.size,
            arranged_size=arranged.size,
            states_size=states.size,
        )

    def to_kernel(self, vectors: NDArray) -> NDArray:
        """Return vectors (n, network.size) of parameters in the kernel's layout."""
        laid_out = np.zeros((len(vectors), self.n_parameters), dtype=vectors.dtype)
        for part in self.parts:
            part.of_kernel(laid_out)[:] = part.of_plain(vectors)
        return laid_out

    def from_kernel(self, laid_out: NDArray) -> NDArray:
        """Return plain vectors of those in the kernel's layout."""
        vectors = np.empty((len(laid_out), self.n_plain), dtype=laid_out.dtype)
        for part in self.parts:
            part.of_plain(vectors)[:] = part.of_kernel(laid_out)
        return vectors


def _shared(array: NDArray) -> NDArray:
    array.flags.writeable = False
    return array


def _up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


class _Counter:
    """Allocate stretches of an array, each starting at a multiple of `alignment`."""

    def __init__(self, alignment: int) -> None:
        self.alignment = alignment
        self.size = 0

    def take(self, size: int) -> int:
        start = self.size
        self.size += _up(size, self.alignment)
        return start
