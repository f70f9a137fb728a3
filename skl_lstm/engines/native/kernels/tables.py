"""The structures passed to the kernel, and the numbers by which it identifies names.

This file does not need Numba.
"""

from typing import NamedTuple

import numpy as np


class Spec(NamedTuple):
    """Sizes and options of a network and its training."""

    n_layers: int
    n_steps: int
    n_features: int
    n_outputs: int
    n_parameters: int
    batch_size: int
    shard_rows: int
    activation: int
    loss: int
    stateful: int
    seed: int
    last_h: int  # in the workspace: h_T of the last layer after its dropout, (rows, n_lanes)
    logits: int  # in the workspace: last_h @ kernel + bias, (rows, output_lanes)
    deltas: int  # in the workspace: the gradient of the logits, (rows, output_lanes)
    zeros: int  # in the workspace: a row that stays zero
    output_lanes: int  # n_outputs, rounded up to whole vectors
    dense_kernel: int  # where the Dense kernel starts in the parameters, (u, output_lanes)
    dense_bias: int  # where the Dense bias starts in the parameters
    dense_transposed: int  # where the transposed Dense kernel starts among the arranged weights
    dropout: float
    recurrent_dropout: float


# Columns of the table `layers`, which has one row for each LSTM layer. Each gate has `n_lanes`
# numbers in a row: u, rounded up to whole vectors.
(
    INPUTS,  # d
    UNITS,  # u
    N_LANES,
    WIDTH,  # of a row of XH: d + n_lanes, rounded up
    D_WIDTH,  # of a row of D_XH: the inputs whose gradient is needed + n_lanes, rounded up
    KERNEL,  # where [K; R] starts in the parameters, (d + u, 4 n_lanes)
    BIAS,  # where b starts in the parameters, (4 n_lanes,)
    ROWS,  # d + u, rounded up to whole tiles if that is worth it
    PACKED,  # whether products take [K; R] and dz in packed panels
    UNTRANSPOSED,  # whether a step has so few rows that the transposed [K; R] is not made
    ARRANGED,  # where the panels of [K; R] start among the arranged weights
    TRANSPOSED,  # where the transposed [K; R] starts there, (4 n_lanes, D_WIDTH) in panels
    STATES,  # where the h and c of all streams start among the states
    XH,  # in the workspace: [x_t, h_{t-1}], (n_steps + 1, rows, WIDTH)
    GATES,  # i, f, g, o, and in the backward pass dz, (n_steps, rows, 4 n_lanes)
    CELLS,  # c_{t-1}, (n_steps + 1, rows, n_lanes)
    TANH_CELLS,  # tanh(c_t), (n_steps, rows, n_lanes)
    D_CELLS,  # dc, (rows, n_lanes)
    D_XH,  # gradient of [x_t, h_{t-1}], (n_steps + 1, rows, D_WIDTH)
    SCRATCH,  # one packed panel of dz
    MASKS,  # recurrent dropout, (rows, 4 n_lanes)
    MASKED,  # h_{t-1} times the masks of the four gates, (n_steps + 1, rows, 4 n_lanes)
    N_COLUMNS,
) = range(23)

# Numbers in a vector, columns in a panel of a matrix, and rows that a product takes together.
VECTOR, PANEL, TILE_ROWS = 8, 16, 4

# Number of rows of dz that one product for the gradients takes: as many as fit in a fast cache.
GRADIENT_ROWS = 128

LINEAR, SIGMOID, SOFTMAX, TANH, RELU = range(5)
(
    MSE,
    MAE,
    HUBER,
    LOG_COSH,
    PINBALL,
    BINARY_CROSSENTROPY,
    CATEGORICAL_CROSSENTROPY,
) = range(7)
SGD, RMSPROP, ADAM, ADAMAX = range(4)

GRADIENTS, UPDATE = 1, 2

# Number of gradients in which a batch is summed, and so the maximum number of threads for it.
LANES = 8


class Data(NamedTuple):
    """Windows, targets and weights, and the array for the outputs; all arrays are flat.

    Window p is ``buffer[rows[p] % n_windows * row_stride:][:n_steps * n_features]``; its target,
    weight and output are the p-th. `weights` is empty if every weight is one, and `y` is empty if
    the windows only go through the forward pass.

    `columns` are the positions, in a step of `n_series` values, of the columns to normalize, with
    ``locations[rows[p] * columns.size:]`` and `scales` of the same size.

    The outputs of a row are one for each target and each of the `loss_parameters`: those of the
    first parameter first.
    """

    buffer: np.ndarray
    row_stride: int
    n_windows: int
    rows: np.ndarray
    n_series: int
    columns: np.ndarray
    locations: np.ndarray
    scales: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    outputs: np.ndarray
    loss_parameters: np.ndarray


class Optimizer(NamedTuple):
    """An optimizer and its constants, under the names of ``keras.optimizers``.

    `momentum` is also beta_1, `decay` is rho or beta_2, `variant` is nesterov, centered or
    amsgrad. A `weight_decay` or clipping limit of zero means none. The slots (the state, in the
    order in which Keras creates it) are vectors of the parameters' size, one after the other.
    """

    kind: int = SGD
    variant: int = 0
    learning_rate: float = 0.0
    momentum: float = 0.0
    decay: float = 0.0
    epsilon: float = 0.0
    weight_decay: float = 0.0
    clipnorm: float = 0.0
    global_clipnorm: float = 0.0
    clipvalue: float = 0.0
