"""The forward pass in NumPy: weights and windows in, predictions out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Weights = Sequence[NDArray[np.float32]]

# Bytes that the gates of one chunk of rows may take: little enough to stay in a cache.
CHUNK_BYTES = 4_000_000


def predict(
    weights: Weights,
    lags: NDArray[np.float32],
    n_steps: int,
    activation: str,
    chunk_rows: int | None = None,
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
    chunk_rows : int, default=None
        How many windows go at once; as many as fit a cache where None. It bounds the memory
        and changes no result.

    Returns
    -------
    outputs : ndarray of float32 of shape (n, n_outputs)
        NaN for a window in which some series is not known at any lag.
    """
    layers = _folded(weights[:-2])
    if chunk_rows is None:
        row_bytes = n_steps * max(bias.nbytes for _, _, bias in layers)
        chunk_rows = max(CHUNK_BYTES // row_bytes, 1)
    outputs = np.empty((len(lags), weights[-1].size), dtype=np.float32)
    for start in range(0, len(lags), chunk_rows):
        chunk = fill_missing(lags[start : start + chunk_rows])
        sequence = chunk.reshape(len(chunk), n_steps, -1).transpose(1, 0, 2)
        for layer in layers:
            sequence = _lstm(sequence, *layer)
        outputs[start : start + chunk_rows] = _dense(sequence[-1], weights, activation)
    return outputs


def predict_stateful(
    weights: Weights, lags: NDArray[np.float32], n_steps: int, activation: str
) -> NDArray[np.float32]:
    """Predict each window from the state in which the one before it ended.

    Parameters
    ----------
    weights, lags, n_steps, activation
        As in :func:`predict`; the first window starts from zero states.

    Returns
    -------
    outputs : ndarray of float32 of shape (n, n_outputs)
        One prediction a window.
    """
    layers = _folded(weights[:-2])
    # Window after window is one long sequence, of which each window's last step counts.
    sequence = fill_missing(lags).reshape(len(lags) * n_steps, 1, -1)
    for layer in layers:
        sequence = _lstm(sequence, *layer)
    return _dense(sequence[n_steps - 1 :: n_steps, 0], weights, activation)


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


def _folded(lstm_weights: Weights) -> list[tuple[NDArray, NDArray, NDArray]]:
    """Halve the columns of the sigmoid gates: sigmoid(z) = (1 + tanh(z / 2)) / 2.

    With that, all four gates of a step are one call of tanh.
    """
    layers = []
    for kernel, recurrent, bias in zip(*(lstm_weights[k::3] for k in range(3)), strict=True):
        n_units = len(recurrent)
        scale = np.full(4 * n_units, 0.5, dtype=np.float32)
        scale[2 * n_units : 3 * n_units] = 1.0
        layers.append((kernel * scale, recurrent * scale, bias * scale))
    return layers


def _lstm(
    sequence: NDArray, kernel: NDArray, recurrent: NDArray, bias: NDArray
) -> NDArray[np.float32]:
    """Run one layer over a sequence (n_steps, n, n_inputs); every hidden state is returned."""
    n_steps, n_rows, n_inputs = sequence.shape
    n_units = len(recurrent)
    gates = sequence.reshape(-1, n_inputs) @ kernel
    gates += bias
    gates = gates.reshape(n_steps, n_rows, 4 * n_units)
    hidden = np.empty((n_steps, n_rows, n_units), dtype=np.float32)
    cell = np.zeros((n_rows, n_units), dtype=np.float32)
    for step in range(n_steps):
        gate = gates[step]
        if step:
            gate += hidden[step - 1] @ recurrent
        np.tanh(gate, out=gate)
        i, f, g, o = (gate[:, k * n_units : (k + 1) * n_units] for k in range(4))
        for sigmoid in (i, f, o):
            sigmoid += 1.0
            sigmoid *= 0.5
        cell *= f
        i *= g
        cell += i
        np.tanh(cell, out=hidden[step])
        hidden[step] *= o
    return hidden


def _dense(inputs: NDArray, weights: Weights, activation: str) -> NDArray:
    *_, kernel, bias = weights
    return ACTIVATIONS[activation](inputs @ kernel + bias)


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
