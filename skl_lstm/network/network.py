"""The network: its sizes, the flat vector of its parameters, and their initial values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import check_choice, check_fraction, check_integer, check_not_negative
from skl_lstm.network.cells import CELLS, DENSE_PARTS, Cell, CellName

OutputActivation = Literal["linear", "relu", "sigmoid", "softmax", "tanh"]
DenseActivation = Literal["linear", "relu", "sigmoid", "tanh"]
HiddenActivation = Literal[
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "silu",
    "softplus",
    "softsign",
    "sigmoid",
    "linear",
]
OUTPUT_ACTIVATIONS = get_args(OutputActivation)
DENSE_ACTIVATIONS = get_args(DenseActivation)
HIDDEN_ACTIVATIONS = get_args(HiddenActivation)

# The parts of the parameters of one layer.
Group = tuple[NDArray, ...]


@dataclass(frozen=True)
class Network:
    """Sizes of a network: stacked recurrent layers, and Dense layers on the last output.

    A fitted estimator has one as its ``network_``.

    Parameters
    ----------
    n_steps, n_features : int
        Shape of a window.
    units : tuple of int
        Number of units of each recurrent layer.
    n_outputs : int
        Number of units of the last Dense layer.
    output_activation : {"linear", "relu", "sigmoid", "softmax", "tanh"}, default="linear"
        Activation of the last Dense layer.
    dropout : float, default=0.0
        Dropout rate after each recurrent layer, in [0, 1).
    recurrent_dropout : float, default=0.0
        Dropout rate of the hidden state between time steps, in [0, 1).
    stateful : bool, default=False
        Whether a window starts from the state in which the previous one ended.
    dense_units : tuple of int, default=()
        Number of units of each Dense layer before the last one.
    dense_activation : {"linear", "relu", "sigmoid", "tanh"}, default="relu"
        Activation of these.
    hidden_activation : {"tanh", "relu", "leaky_relu", "elu", "selu", "silu", "softplus", \
            "softsign", "sigmoid", "linear"}, default="tanh"
        Activation of the recurrent layers, except that of their gates.
    cell : {"lstm", "gru"}, default="lstm"
        Kind of the recurrent layers.
    bidirectional : bool, default=False
        Whether each recurrent layer is a pair, of which the second one takes the time steps in
        reverse; the outputs of both are side by side.
    all_steps : bool, default=False
        Whether the Dense layers take the outputs of all time steps, side by side.
    l2 : float, default=0.0
        Factor of the sum of the squared kernels of all layers in the loss.

    Raises
    ------
    ValueError
        If a size is not a positive integer, or another value is invalid.

    Notes
    -----
    All parameters are in one flat float32 vector. Its parts have the order and layout of Keras:
    for each LSTM layer the kernel ``(inputs, 4 * units)``, the recurrent kernel
    ``(units, 4 * units)`` and the bias ``(4 * units,)``, with the gates in the order input,
    forget, cell, output, or for each GRU layer those of its three gates, in the order update,
    reset, candidate, with a bias ``(2, 3 * units)`` for inputs and state; then the kernel and the
    bias of each Dense layer. The layers of a pair follow each other.

    Examples
    --------
    >>> from skl_lstm import Network
    >>> network = Network(n_steps=12, n_features=1, units=(4,), n_outputs=1)
    >>> network.shapes
    [(1, 16), (4, 16), (16,), (4, 1), (1,)]
    >>> network.size
    101
    """

    n_steps: int
    n_features: int
    units: tuple[int, ...]
    n_outputs: int
    output_activation: OutputActivation = "linear"
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    stateful: bool = False
    dense_units: tuple[int, ...] = ()
    dense_activation: DenseActivation = "relu"
    hidden_activation: HiddenActivation = "tanh"
    cell: CellName = "lstm"
    bidirectional: bool = False
    all_steps: bool = False
    l2: float = 0.0

    def __post_init__(self) -> None:
        for name in ("n_steps", "n_features", "n_outputs"):
            check_integer(name, getattr(self, name))
        if not (isinstance(self.units, tuple) and self.units):
            raise ValueError(f"units must be a tuple of positive integers, got {self.units!r}")
        if not isinstance(self.dense_units, tuple):
            raise ValueError(
                f"dense_units must be a tuple of positive integers, got {self.dense_units!r}"
            )
        for name in ("units", "dense_units"):
            for n_units in getattr(self, name):
                check_integer(name, n_units)
        check_choice("dense_activation", self.dense_activation, DENSE_ACTIVATIONS)
        check_choice("hidden_activation", self.hidden_activation, HIDDEN_ACTIVATIONS)
        check_choice("cell", self.cell, tuple(CELLS))
        check_not_negative("l2", self.l2)
        check_choice("output_activation", self.output_activation, OUTPUT_ACTIVATIONS)
        check_fraction("dropout", self.dropout)
        check_fraction("recurrent_dropout", self.recurrent_dropout)
        for name in ("stateful", "bidirectional", "all_steps"):
            check_choice(name, getattr(self, name), (True, False))

    @property
    def recurrent_cell(self) -> Cell:
        """The cell of the recurrent layers."""
        return CELLS[self.cell]

    @cached_property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the parts of the parameters, in the order of the flat vector."""
        recurrent: list[tuple[int, ...]] = []
        n_inputs = self.n_features
        for n_units in self.units:
            recurrent += self.n_directions * self.recurrent_cell.shapes(n_inputs, n_units)
            n_inputs = self.n_directions * n_units
        n_inputs *= self.n_steps if self.all_steps else 1
        sizes = itertools.pairwise([n_inputs, *self.dense_units, self.n_outputs])
        return recurrent + [shape for n_in, n_out in sizes for shape in ((n_in, n_out), (n_out,))]

    @property
    def n_directions(self) -> int:
        """Number of recurrent layers that take the same inputs: one, or a pair."""
        return 2 if self.bidirectional else 1

    @property
    def dense_activations(self) -> list[OutputActivation]:
        """Activation of each Dense layer."""
        return [self.dense_activation] * len(self.dense_units) + [self.output_activation]

    @cached_property
    def size(self) -> int:
        """Number of parameters."""
        return sum(math.prod(shape) for shape in self.shapes)

    def views(self, flat: NDArray) -> list[NDArray]:
        """Return views of the parts of a flat vector."""
        parts = []
        start = 0
        for shape in self.shapes:
            stop = start + math.prod(shape)
            parts.append(flat[start:stop].reshape(shape))
            start = stop
        return parts

    @property
    def states_size(self) -> int:
        """Number of values in the states of one row, over all layers."""
        return self._states_of_layer * sum(self.units)

    def states(self, flat: NDArray, n_rows: int = 1) -> list[NDArray]:
        """Return views of the states of each layer in a flat vector, each of `n_rows` rows."""
        sizes = np.repeat(self.units, self._states_of_layer) * n_rows
        return np.split(flat, np.cumsum(sizes)[:-1])

    @property
    def _states_of_layer(self) -> int:
        return self.n_directions * len(self.recurrent_cell.states)

    def flatten(self, parts: list[NDArray]) -> NDArray[np.float32]:
        """Copy the parts into one flat vector; raise ValueError if their shapes are wrong."""
        found = [part.shape for part in parts]
        if found != self.shapes:
            raise ValueError(f"weights must be of the shapes {self.shapes}, got {found}")
        return np.concatenate([part.ravel() for part in parts], dtype=np.float32)

    def initial_parameters(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw initial parameters as Keras's layers do by default.

        Parameters
        ----------
        rng : Generator
            Random number generator.

        Returns
        -------
        flat : ndarray of float32 of shape (size,)
            Glorot uniform kernels, orthogonal recurrent kernels, and biases of zero, except
            those of the forget gate of an LSTM, which are one.

        Notes
        -----
        See Glorot and Bengio (2010); Saxe, McClelland and Ganguli (2014); and for the forget
        bias Jozefowicz, Zaremba and Sutskever (2015). These are the defaults of
        ``keras.layers.LSTM``, ``keras.layers.GRU`` and ``keras.layers.Dense``.
        """
        flat = np.zeros(self.size, dtype=np.float32)
        layers, dense_layers = self.layers(self.views(flat))
        for kernel, recurrent, bias in layers:
            kernel[:] = _glorot_uniform(rng, kernel.shape)
            recurrent[:] = _orthogonal(rng, recurrent.shape)
            for gate in self.recurrent_cell.open_gates:
                self.recurrent_cell.split(bias)[gate][:] = 1.0
        for kernel, _ in dense_layers:
            kernel[:] = _glorot_uniform(rng, kernel.shape)
        return flat

    def layers(self, parts: Sequence[NDArray]) -> tuple[list[Group], list[Group]]:
        """Group the parts of the parameters by layer: recurrent layers, and Dense layers.

        The recurrent layers of a pair follow each other.
        """
        n_recurrent = self.n_directions * len(self.units) * len(self.recurrent_cell.parts)
        recurrent, dense = parts[:n_recurrent], parts[n_recurrent:]
        return _grouped(recurrent, len(self.recurrent_cell.parts)), _grouped(
            dense, len(DENSE_PARTS)
        )


def _grouped(parts: Sequence[NDArray], n: int) -> list[Group]:
    """Return each `n` successive parts as a tuple."""
    return [tuple(parts[start : start + n]) for start in range(0, len(parts), n)]


def _glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    limit = np.sqrt(6.0 / sum(shape))
    return rng.uniform(-limit, limit, shape)


def _orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    n_rows, n_columns = shape
    q, r = np.linalg.qr(rng.standard_normal((n_columns, n_rows)))
    # The signs make the draw uniform over the orthogonal matrices (Mezzadri, 2007).
    return (q * np.sign(np.diag(r))).T
