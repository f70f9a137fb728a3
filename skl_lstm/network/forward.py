"""The forward pass in NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from skl_lstm.network.blocks import blocks
from skl_lstm.network.cells import GRU, LSTM
from skl_lstm.network.network import Group, Network
from skl_lstm.network.scaling import WindowScaling
from skl_lstm.network.windows import LagsBehind, cast_finite

Weights = Sequence[NDArray[np.float32]]
States = Sequence[NDArray[np.float32]]

# Number of rows to process at once: enough for efficient matrix products, few enough for a step
# to stay in the cache. Blocks start at fixed rows, because NumPy's product with a different number
# of rows may round differently.
BLOCK_ROWS = 256

# Number of windows of a stateful network to process at once.
STATEFUL_ROWS = 4096


class Stack:
    """The layers of a network with the states of `n_rows` rows, initially zero.

    Parameters
    ----------
    network : Network
        The network. It takes the values of a window in ``n_steps`` time steps: `n_lags`, or 1.
    weights : sequence of ndarray
        The parts of its parameters.
    n_rows : int
        Number of windows to process in parallel.

    Notes
    -----
    How a product rounds a row may depend on the rows beside it and on its place among them, by
    some 1e-7 of the output.
    """

    # If windows are so short that more of them than `BLOCK_ROWS` have fewer values, number of
    # values to process at once.
    block_values = 0

    def __init__(self, network: Network, weights: Weights, n_rows: int) -> None:
        self.network = network
        self.n_rows = n_rows
        recurrent, self.dense = network.layers(weights)
        layer = _LAYERS[network.cell]
        made = iter(layer(parts, n_rows, network.hidden_activation) for parts in recurrent)
        self.layers = list(zip(*[made] * network.n_directions, strict=True))

    @property
    def states(self) -> list[NDArray[np.float32]]:
        """States (n_rows, units) of each layer, not copied."""
        return [state for layers in self.layers for layer in layers for state in layer.states]

    def reset(self) -> None:
        """Reset all states to zero."""
        for state in self.states:
            state[:] = 0.0

    def run(self, windows: NDArray) -> NDArray:
        """Process windows (n_rows, n_lags, n_series) and return the outputs (n_rows, n_outputs).

        The next windows start from the states in which these end.
        """
        steps = iter(windows.reshape(self.n_rows, self.network.n_steps, -1).transpose(1, 0, 2))
        for layers in self.layers:
            steps = _hidden_states(layers, steps)
        if self.network.all_steps:
            x = np.concatenate([hidden.copy() for hidden in steps], axis=1)
        else:
            x = _last_hidden_state(self.layers[-1], steps)
        for (kernel, bias), activation in zip(
            self.dense, self.network.dense_activations, strict=True
        ):
            x = _ACTIVATE[activation](x @ kernel + bias)
        return x

    def in_turn(self, windows: NDArray) -> NDArray:
        """Process windows of a single row, each from the state in which the one before ended."""
        outputs = np.empty((len(windows), self.network.n_outputs), dtype=np.float32)
        for row in range(len(windows)):
            outputs[row] = self.run(windows[row : row + 1])[0]
        return outputs

    def close(self) -> None:
        """Do nothing: there are no threads."""


def predict(
    network: Network,
    weights: Weights,
    lags: NDArray | LagsBehind,
    scaling: WindowScaling | None = None,
    rows: NDArray[np.int64] | None = None,
    stack_type: type[Stack] = Stack,
) -> NDArray:
    """Predict each window from zero states.

    Parameters
    ----------
    network, weights
        As in :class:`Stack`.
    lags : ndarray or LagsBehind of shape (n, n_lags, n_series)
        The windows, as an array or a strided view: float32, or any precision with `scaling`. A
        missing value is filled with the nearest known one of the same window and series.
    scaling : WindowScaling, default=None
        How to normalize each window, and its outputs back; none if None.
    rows : ndarray of int64, default=None
        Which windows to predict, in this order; all of them if None.
    stack_type : type, default=Stack
        What processes the windows.

    Returns
    -------
    outputs : ndarray of shape (n, n_outputs)
        Float32, or float64 with `scaling`. NaN for a window in which some series is not known at
        any lag.

    Notes
    -----
    Apart from the outputs, the memory does not grow with the number of windows.
    """
    n_rows = len(lags) if rows is None else len(rows)
    outputs = np.empty((n_rows, network.n_outputs), np.float64 if scaling else np.float32)
    block_rows = max(BLOCK_ROWS, stack_type.block_values // math.prod(lags.shape[1:]))
    stack = stack_type(network, weights, min(block_rows, n_rows))
    try:
        for part in blocks(n_rows, block_rows):
            block = fill_missing(lags[part] if rows is None else np.asarray(lags)[rows[part]])
            if len(block) < stack.n_rows:  # the last one
                stack.close()
                stack = stack_type(network, weights, len(block))
            if scaling:
                measured = scaling.measure(block)
                block = cast_finite(scaling.normalize(block, *measured), np.float32)
            stack.reset()
            said = stack.run(block)
            outputs[part] = scaling.restore(said, *measured) if scaling else said
    finally:
        stack.close()
    return outputs


def predict_stateful(
    network: Network,
    weights: Weights,
    lags: NDArray[np.float32] | LagsBehind,
    states: States = (),
    stack_type: type[Stack] = Stack,
) -> tuple[NDArray[np.float32], States]:
    """Predict each window from the state in which the previous one ended.

    Parameters
    ----------
    network, weights, lags, stack_type
        As in :func:`predict`.
    states : sequence of ndarray
        State before the first window, as in :class:`Stream`.

    Returns
    -------
    outputs : ndarray of float32 of shape (n, n_outputs)
        One prediction per window.
    states : list of ndarray of float32 of shape (units,)
        State after the last window.
    """
    stream = Stream(network, weights, states, stack_type)
    outputs = np.empty((len(lags), network.n_outputs), dtype=np.float32)
    for part in blocks(len(lags), STATEFUL_ROWS):
        outputs[part] = stream.next(lags[part])
    return outputs, stream.states


class Stream:
    """A stateful network that processes one window after the other.

    Parameters
    ----------
    network, weights, stack_type
        As in :func:`predict`.
    states : sequence of ndarray of shape (units,)
        States of each layer, hidden state first, first layer first; zeros if empty.
    """

    def __init__(
        self,
        network: Network,
        weights: Weights,
        states: States = (),
        stack_type: type[Stack] = Stack,
    ) -> None:
        self.stack = stack_type(network, weights, 1)
        for state, value in zip(self.stack.states, states, strict=len(states) > 0):
            state[:] = value

    @property
    def states(self) -> list[NDArray[np.float32]]:
        """A copy of the state, in the form that the constructor takes."""
        return [state[0].copy() for state in self.stack.states]

    def next(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Process windows (n, n_lags, n_series) in turn and return the outputs (n, n_outputs).

        A window in which some series is not known at any lag gives NaN and leaves the state
        unchanged, as in training.
        """
        filled = fill_missing(windows)
        unknown = np.isnan(filled).any(axis=(1, 2))
        if not unknown.any():
            return self.stack.in_turn(filled)
        outputs = np.full((len(windows), self.stack.network.n_outputs), np.nan, dtype=np.float32)
        outputs[~unknown] = self.stack.in_turn(filled[~unknown])
        return outputs


def fill_missing(lags: NDArray) -> NDArray:
    """Fill missing values with the nearest known one of the same window and series.

    That is the known one before it, or else the first one after it.

    Parameters
    ----------
    lags : ndarray of shape (n, n_lags, n_series)
        Windows in which missing values are NaN.

    Returns
    -------
    filled : ndarray of shape (n, n_lags, n_series)
        `lags` itself if nothing is missing.
    """
    missing = np.isnan(lags)
    if not missing.any():
        return lags
    steps = np.arange(lags.shape[1])[:, np.newaxis]
    known_before = np.maximum.accumulate(np.where(missing, -1, steps), axis=1)
    first_known = np.argmin(missing, axis=1)[:, np.newaxis]
    source = np.where(known_before < 0, first_known, known_before)
    return np.take_along_axis(lags, source, axis=1)


def _hidden_states(layers: Sequence[_Layer], steps: Iterator[NDArray]) -> Iterator[NDArray]:
    """Return the hidden states of a layer, or of a pair, each valid until the next is drawn."""
    forwards, *backwards = layers
    if not backwards:
        return map(forwards.step, steps)
    inputs = [x.copy() for x in steps]
    later = [backwards[0].step(x).copy() for x in reversed(inputs)]
    return (
        np.concatenate([forwards.step(x), hidden], axis=1)
        for x, hidden in zip(inputs, reversed(later), strict=True)
    )


def _last_hidden_state(layers: Sequence[_Layer], steps: Iterator[NDArray]) -> NDArray:
    """Return the hidden state in which a layer ends, or those in which a pair ends."""
    for _ in steps:
        pass
    last, *backwards = (layer.hidden for layer in layers)
    return np.concatenate([last, *backwards], axis=1) if backwards else last


class _Layer:
    """One recurrent layer and its states.

    Parameters
    ----------
    weights : ndarray of float32 of shape (1 + n_inputs + n_units, n_columns)
        Bias, kernel and recurrent kernel, stacked, so that all gates of a step are one product
        of ``[1, x, h]``.
    n_units, n_rows : int
        Number of units, and of windows to process in parallel.
    activation : str
        Activation of what is not a gate, as in ``Network.hidden_activation``.
    """

    def __init__(self, weights: NDArray, n_units: int, n_rows: int, activation: str) -> None:
        self.weights = weights
        self.activation = activation
        self.gates = np.empty((n_rows, weights.shape[1]), dtype=np.float32)
        self.joint = np.zeros((n_rows, len(weights)), dtype=np.float32)
        self.joint[:, 0] = 1.0
        self.x, self.hidden = np.split(self.joint[:, 1:], [len(weights) - 1 - n_units], axis=1)
        self.states = [self.hidden]

    def step(self, x: NDArray) -> NDArray:
        """Process one time step (n_rows, n_inputs) and return the hidden state."""
        raise NotImplementedError


class _LSTMLayer(_Layer):
    """One LSTM layer and its states.

    Notes
    -----
    Since sigmoid(z) = (1 + tanh(z / 2)) / 2, halving the columns of the sigmoid gates lets one
    call of tanh compute all gates, if tanh is the activation; with these three gates first, each
    remaining operation on them is one call too.
    """

    def __init__(self, parts: Group, n_rows: int, activation: str) -> None:
        kernel, recurrent, bias = parts
        n_units = len(recurrent)
        stacked = np.concatenate([bias[np.newaxis], kernel, recurrent])
        i, f, g, o = LSTM.split(stacked).values()
        weights = np.concatenate([i * 0.5, f * 0.5, o * 0.5, g], axis=1, dtype=np.float32)
        super().__init__(weights, n_units, n_rows, activation)
        self.sigmoids = self.gates[:, : 3 * n_units]
        self.i, self.f, self.o, self.g = np.split(self.gates, 4, axis=1)
        self.cell = np.zeros((n_rows, n_units), dtype=np.float32)
        self.states.append(self.cell)

    def step(self, x: NDArray) -> NDArray:
        self.x[:] = x
        np.matmul(self.joint, self.weights, out=self.gates)
        if self.activation == "tanh":
            np.tanh(self.gates, out=self.gates)
        else:
            np.tanh(self.sigmoids, out=self.sigmoids)
            _ACTIVATE_INTO[self.activation](self.g, self.g)
        self.sigmoids += 1.0
        self.sigmoids *= 0.5
        self.cell *= self.f
        self.i *= self.g
        self.cell += self.i
        _ACTIVATE_INTO[self.activation](self.cell, self.hidden)
        self.hidden *= self.o
        return self.hidden


class _GRULayer(_Layer):
    """One GRU layer and its state.

    Notes
    -----
    As in the LSTM layer, the columns of the sigmoid gates are halved. The reset gate multiplies
    only what the candidate has from the state, so that part has columns of its own.
    """

    def __init__(self, parts: Group, n_rows: int, activation: str) -> None:
        kernel, recurrent, bias = parts
        n_units = len(recurrent)
        of_inputs, of_state = (
            GRU.split(np.concatenate(stacked))
            for stacked in (
                [bias[:1], kernel, np.zeros_like(recurrent)],
                [bias[1:], np.zeros_like(kernel), recurrent],
            )
        )
        sigmoids = [(of_inputs[gate] + of_state[gate]) * 0.5 for gate in ("reset", "update")]
        candidates = [of_inputs["candidate"], of_state["candidate"]]
        weights = np.concatenate([*sigmoids, *candidates], axis=1, dtype=np.float32)
        super().__init__(weights, n_units, n_rows, activation)
        self.sigmoids = self.gates[:, : 2 * n_units]
        self.r, self.z, self.candidate, self.recalled = np.split(self.gates, 4, axis=1)

    def step(self, x: NDArray) -> NDArray:
        self.x[:] = x
        np.matmul(self.joint, self.weights, out=self.gates)
        np.tanh(self.sigmoids, out=self.sigmoids)
        self.sigmoids += 1.0
        self.sigmoids *= 0.5
        self.recalled *= self.r
        self.candidate += self.recalled
        _ACTIVATE_INTO[self.activation](self.candidate, self.candidate)
        self.hidden -= self.candidate
        self.hidden *= self.z
        self.hidden += self.candidate
        return self.hidden


_LAYERS: dict[str, type[_LSTMLayer] | type[_GRULayer]] = {"lstm": _LSTMLayer, "gru": _GRULayer}


def _softmax(z: NDArray) -> NDArray:
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


# Constants of Klambauer et al. (2017), as in Keras.
SELU_SCALE, SELU_ALPHA = 1.05070098, 1.67326324


def _sigmoid(z: NDArray) -> NDArray:
    return (1.0 + np.tanh(z * 0.5)) * 0.5


def _elu(z: NDArray, alpha: float = 1.0) -> NDArray:
    return np.where(z > 0.0, z, alpha * np.expm1(np.minimum(z, 0.0)))


_ACTIVATE: dict[str, Callable[[NDArray], NDArray]] = {
    "elu": _elu,
    "leaky_relu": lambda z: np.maximum(z, 0.2 * z),
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0.0),
    "selu": lambda z: SELU_SCALE * _elu(z, SELU_ALPHA),
    "sigmoid": _sigmoid,
    "silu": lambda z: z * _sigmoid(z),
    "softmax": _softmax,
    "softplus": lambda z: np.logaddexp(z, 0.0),
    "softsign": lambda z: z / (1.0 + np.abs(z)),
    "tanh": np.tanh,
}


def _into(activate: Callable[[NDArray], NDArray]) -> Callable[[NDArray, NDArray], object]:
    return lambda z, out: np.copyto(out, activate(z))


# Activations of recurrent layers, from one array to another; the usual ones without a copy.
_ACTIVATE_INTO: dict[str, Callable[[NDArray, NDArray], object]] = {
    **{name: _into(activate) for name, activate in _ACTIVATE.items()},
    "relu": lambda z, out: np.maximum(z, 0.0, out=out),
    "tanh": np.tanh,
}
