"""What a network is: its sizes, the flat vector of its parameters, how they start."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Network:
    """LSTM layers one on the other, and a Dense layer on the last output of the last.

    Parameters
    ----------
    n_steps, n_features : int
        The shape of a window.
    units : tuple of int
        Units of each LSTM layer.
    n_outputs : int
        Units of the Dense layer.
    output_activation : str, default="linear"
        Activation of the Dense layer.
    dropout : float, default=0.0
        Rate of the dropout after each LSTM layer.
    recurrent_dropout : float, default=0.0
        Rate of the dropout of the state that goes from step to step.
    stateful : bool, default=False
        Whether a window starts from the state in which the one before it ended.

    Notes
    -----
    All parameters are one flat float32 vector. Its parts are those of Keras, in Keras's order
    and layout: for each LSTM layer the kernel ``(inputs, 4 * units)``, the recurrent kernel
    ``(units, 4 * units)`` and the bias ``(4 * units,)``, gates in the order input, forget,
    cell, output; then the kernel and the bias of the Dense layer.
    """

    n_steps: int
    n_features: int
    units: tuple[int, ...]
    n_outputs: int
    output_activation: str = "linear"
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    stateful: bool = False

    @cached_property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the parameters, in the order of the flat vector."""
        shapes: list[tuple[int, ...]] = []
        n_inputs = self.n_features
        for n_units in self.units:
            shapes += [(n_inputs, 4 * n_units), (n_units, 4 * n_units), (4 * n_units,)]
            n_inputs = n_units
        return [*shapes, (n_inputs, self.n_outputs), (self.n_outputs,)]

    @cached_property
    def size(self) -> int:
        """Number of parameters."""
        return sum(math.prod(shape) for shape in self.shapes)

    def views(self, flat: NDArray) -> list[NDArray]:
        """See a flat vector as its parts."""
        parts = []
        start = 0
        for shape in self.shapes:
            stop = start + math.prod(shape)
            parts.append(flat[start:stop].reshape(shape))
            start = stop
        return parts

    @property
    def states_size(self) -> int:
        """Number of values in the hidden and cell states of one row."""
        return 2 * sum(self.units)

    def states(self, flat: NDArray) -> list[NDArray]:
        """See a flat vector as hidden and cell state of each layer, one after the other."""
        return np.split(flat, np.cumsum(np.repeat(self.units, 2))[:-1])

    def flatten(self, parts: list[NDArray]) -> NDArray[np.float32]:
        """Lay the parts into one new flat vector."""
        return np.concatenate([part.ravel() for part in parts], dtype=np.float32)

    def initial_parameters(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw parameters as Keras's layers do by default.

        Parameters
        ----------
        rng : Generator
            What draws.

        Returns
        -------
        flat : ndarray of float32 of shape (size,)
            Kernels Glorot uniform, recurrent kernels orthogonal, biases zero but for the
            forget gate's, which are one.

        Notes
        -----
        Glorot and Bengio (2010); Saxe, McClelland and Ganguli (2014); for the forget bias
        Jozefowicz, Zaremba and Sutskever (2015). They are the defaults of
        ``keras.layers.LSTM`` and ``keras.layers.Dense``.
        """
        flat = np.zeros(self.size, dtype=np.float32)
        *lstm_parts, dense_kernel, _ = self.views(flat)
        for kernel, recurrent, bias, n_units in zip(
            lstm_parts[0::3], lstm_parts[1::3], lstm_parts[2::3], self.units, strict=True
        ):
            kernel[:] = _glorot_uniform(rng, kernel.shape)
            recurrent[:] = _orthogonal(rng, recurrent.shape)
            bias[n_units : 2 * n_units] = 1.0
        dense_kernel[:] = _glorot_uniform(rng, dense_kernel.shape)
        return flat


def _glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    limit = np.sqrt(6.0 / sum(shape))
    return rng.uniform(-limit, limit, shape)


def _orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    n_rows, n_columns = shape
    q, r = np.linalg.qr(rng.standard_normal((n_columns, n_rows)))
    # The signs make the draw uniform over the orthogonal matrices (Mezzadri, 2007).
    return (q * np.sign(np.diag(r))).T
