"""The forward pass in NumPy: weights and windows in, predictions out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Weights = Sequence[NDArray[np.float32]]
States = Sequence[NDArray[np.float32]]

# Rows that go through the network at once: enough to keep the products busy, few enough for
# a step to stay in the cache. Blocks start at fixed rows, because a product of another number
# of rows may round otherwise.
BLOCK_ROWS = 256


def predict(
    weights: Weights, lags: NDArray[np.float32], n_steps: int, activation: str
) -> NDArray[np.float32]:
    """Predict each window from zero states.

    Parameters
    ----------
    weights : sequence of ndarray
        Kernel, recurrent kernel and bias of each LSTM layer, then kernel and bias of the
        Dense layer; gates in the order input, forget, cell, output.
    lags : ndarray of float32 of shape (n, n_lags, n_series)
        The windows; a strided view is as good as an array. A missing value is filled from
        the earliest known one of the same window and series.
    n_steps : int
        In how many steps the network takes the values of a window: `n_lags`, or 1.
    activation : str
        Activation of the Dense layer.

    Returns
    -------
    outputs : ndarray of float32 of shape (n, n_outputs)
        NaN for a window in which some series is not known at any lag.

    Notes
    -----
    Memory beside the outputs does not grow with the number of windows.
    """
    outputs = np.empty((len(lags), weights[-1].size), dtype=np.float32)
    stack = Stack(weights, min(BLOCK_ROWS, len(lags)))
    for start in range(0, len(lags), BLOCK_ROWS):
        block = fill_missing(lags[start : start + BLOCK_ROWS])
        if len(block) < stack.n_rows:  # the last one
            stack = Stack(weights, len(block))
        stack.reset()
        for step in block.reshape(len(block), n_steps, -1).transpose(1, 0, 2):
            hidden = stack.step(step)
        outputs[start : start + BLOCK_ROWS] = dense(hidden, weights, activation)
    return outputs


def predict_stateful(
    weights: Weights,
    lags: NDArray[np.float32],
    n_steps: int,
    activation: str,
    states: States = (),
) -> tuple[NDArray[np.float32], States]:
    """Predict each window from the state in which the one before it ended.

    Parameters
    ----------
    weights, lags, n_steps, activation
        As in :func:`predict`.
    states : sequence of ndarray
        Where the first window starts from, as :class:`Stream` takes it.

    Returns
    -------
    outputs : ndarray of float32 of shape (n, n_outputs)
        One prediction a window.
    states : list of ndarray of float32 of shape (units,)
        Where the last window ended.
    """
    stream = Stream(weights, n_steps, activation, states)
    outputs = np.empty((len(lags), weights[-1].size), dtype=np.float32)
    for row, window in enumerate(lags):
        outputs[row] = stream.next(window)
    return outputs, stream.states


class Stream:
    """A stateful network that takes one window after the other.

    Parameters
    ----------
    weights, n_steps, activation
        As in :func:`predict`.
    states : sequence of ndarray of shape (units,)
        Hidden and cell state of each layer, first layer first; none of them: zeros.
    """

    def __init__(
        self, weights: Weights, n_steps: int, activation: str, states: States = ()
    ) -> None:
        self.weights = weights
        self.n_steps = n_steps
        self.activation = activation
        self.stack = Stack(weights, 1)
        for state, value in zip(self.stack.states, states, strict=len(states) > 0):
            state[:] = value

    @property
    def states(self) -> list[NDArray[np.float32]]:
        """A copy of the state, as the constructor takes it."""
        return [state[0].copy() for state in self.stack.states]

    def next(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take a window (n_lags, n_series); give the outputs (n_outputs,).

        A window in which some series is not known at any lag gives NaN and leaves the state as
        it is, as such a window does in training.
        """
        (filled,) = fill_missing(window[np.newaxis])
        if np.isnan(filled).any():
            return np.full(self.weights[-1].size, np.nan, dtype=np.float32)
        for step in filled.reshape(self.n_steps, 1, -1):
            hidden = self.stack.step(step)
        return dense(hidden, self.weights, self.activation)[0]


def fill_missing(lags: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill missing values from the earliest known one of the same window and series.

    Parameters
    ----------
    lags : ndarray of shape (n, n_lags, n_series)
        Windows in which NaN stands for a value that is missing.

    Returns
    -------
    filled : ndarray of shape (n, n_lags, n_series)
        `lags` itself where nothing is missing.
    """
    missing = np.isnan(lags)
    if not missing.any():
        return lags
    first_known = np.argmin(missing, axis=1)[:, np.newaxis]
    return np.where(missing, np.take_along_axis(lags, first_known, axis=1), lags)


def dense(hidden: NDArray, weights: Weights, activation: str) -> NDArray:
    """Compute the outputs (n, n_outputs) from the last layer's hidden state (n, units)."""
    *_, kernel, bias = weights
    return ACTIVATIONS[activation](hidden @ kernel + bias)


class Stack:
    """LSTM layers one on the other, with the states of so many rows, from zero on.

    Parameters
    ----------
    weights : sequence of ndarray
        As :func:`predict` takes them.
    n_rows : int
        How many windows go through side by side.
    """

    def __init__(self, weights: Weights, n_rows: int) -> None:
        self.n_rows = n_rows
        kernels, recurrents, biases = (weights[k:-2:3] for k in range(3))
        self.layers = [
            _Layer(kernel, recurrent, bias, n_rows)
            for kernel, recurrent, bias in zip(kernels, recurrents, biases, strict=True)
        ]

    @property
    def states(self) -> list[NDArray[np.float32]]:
        """Hidden and cell state (n_rows, units) of each layer: the memory itself."""
        return [state for layer in self.layers for state in (layer.hidden, layer.cell)]

    def reset(self) -> None:
        """Begin again from zero states."""
        for state in self.states:
            state[:] = 0.0

    def step(self, x: NDArray) -> NDArray:
        """Take one time step (n_rows, n_features); give the last hidden state."""
        for layer in self.layers:
            x = layer.step(x)
        return x


class _Layer:
    """One LSTM layer and its state.

    Notes
    -----
    With ``[1, x, h]`` in one array, and bias, kernel and recurrent kernel one below the other,
    all gates of a step are one product. Since sigmoid(z) = (1 + tanh(z / 2)) / 2, halving the
    columns of the sigmoid gates makes all gates one call of tanh; putting the three of them
    first makes the rest of it one call each.
    """

    def __init__(self, kernel: NDArray, recurrent: NDArray, bias: NDArray, n_rows: int) -> None:
        n_units = len(recurrent)
        i, f, g, o = (
            np.concatenate([bias[np.newaxis, gate], kernel[:, gate], recurrent[:, gate]])
            for gate in (slice(k * n_units, (k + 1) * n_units) for k in range(4))
        )
        self.weights = np.concatenate([i * 0.5, f * 0.5, o * 0.5, g], axis=1, dtype=np.float32)
        self.gates = np.empty((n_rows, 4 * n_units), dtype=np.float32)
        self.sigmoids = self.gates[:, : 3 * n_units]
        self.i, self.f, self.o, self.g = np.split(self.gates, 4, axis=1)
        self.cell = np.zeros((n_rows, n_units), dtype=np.float32)
        self.joint = np.zeros((n_rows, len(self.weights)), dtype=np.float32)
        self.joint[:, 0] = 1.0
        self.x, self.hidden = np.split(self.joint[:, 1:], [len(kernel)], axis=1)

    def step(self, x: NDArray) -> NDArray:
        self.x[:] = x
        np.matmul(self.joint, self.weights, out=self.gates)
        np.tanh(self.gates, out=self.gates)
        self.sigmoids += 1.0
        self.sigmoids *= 0.5
        self.cell *= self.f
        self.i *= self.g
        self.cell += self.i
        np.tanh(self.cell, out=self.hidden)
        self.hidden *= self.o
        return self.hidden


def _softmax(z: NDArray) -> NDArray:
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


ACTIVATIONS: dict[str, Callable[[NDArray], NDArray]] = {
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0.0),
    "sigmoid": lambda z: (1.0 + np.tanh(z * 0.5)) * 0.5,
    "softmax": _softmax,
    "tanh": np.tanh,
}
