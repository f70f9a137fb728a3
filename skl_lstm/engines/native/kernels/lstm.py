"""A layer of LSTM cells, forward and backward over its time steps.

The equations (Hochreiter and Schmidhuber, 1997; the forget gate is from Gers, Schmidhuber and
Cummins, 2000), in the layout and gate order of ``keras.layers.LSTM``, for one time step of a
layer with ``d`` inputs and ``u`` units::

    z = [x_t, h_{t-1}] @ [K; R] + b           K (d, 4u), R (u, 4u), b (4u,)
    i, f, g, o = sigmoid(z_i), sigmoid(z_f), tanh(z_c), sigmoid(z_o)
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)

K and R are adjacent in the flat vector of parameters, so ``[K; R]`` is one matrix of shape
``(d + u, 4u)`` there, and x and h are stored side by side, so that one product covers both. For
the same reason the gradients of K and R are one product, ``[x, h].T @ dz``.
"""

import numpy as np

from skl_lstm.engines.native.kernels.arithmetic import (
    add_rows,
    fill,
    matmul_add,
    repeat_row,
    tanh,
)
from skl_lstm.engines.native.kernels.compiling import (
    ADD,
    HALF,
    ONE,
    TRAINING,
    UNIT,
    ZERO,
    U,
    jit,
    stage,
)
from skl_lstm.engines.native.kernels.dropout import mask_element, mask_stream
from skl_lstm.engines.native.kernels.tables import (
    CELLS,
    D_CELLS,
    D_XH,
    GATES,
    INPUTS,
    MASKED,
    MASKS,
    N_COLUMNS,
    TANH_CELLS,
    TRANSPOSED,
    UNITS,
    WEIGHTS,
    XH,
)

# Number of rows of dz that one product for the gradients takes: as many as fit in a fast cache.
GRADIENT_ROWS = 64


@jit
def _activate_gates(work, at, n_rows, n_units):
    """Turn z into i, f, g, o in place.

    sigmoid(z) = (1 + tanh(z / 2)) / 2, so with s = 1/2 for a sigmoid and s = 1 for the tanh both
    are s * tanh(s * z) + 1 - s.
    """
    n_gates = 4 * n_units
    for r in range(n_rows):
        row = at + r * n_gates
        for j in range(n_gates):
            s = ONE if 2 * n_units <= j < 3 * n_units else HALF
            work[U(row + j)] = s * tanh(s * work[U(row + j)]) + (ONE - s)


@jit
def _forward_cells(work, gates, cells, tanh_cells, h_at, h_row, n_rows, n_units):
    """Compute c_t = f * c_{t-1} + i * g, h_t = o * tanh(c_t)."""
    new_cells = cells + n_rows * n_units
    for r in range(n_rows):
        i = gates + r * 4 * n_units
        f = i + n_units
        g = f + n_units
        o = g + n_units
        cell = cells + r * n_units
        new_cell = new_cells + r * n_units
        tanh_cell = tanh_cells + r * n_units
        h = h_at + r * h_row
        for j in range(n_units):
            c = work[U(f + j)] * work[U(cell + j)] + work[U(i + j)] * work[U(g + j)]
            tanh_c = tanh(c)
            work[U(new_cell + j)] = c
            work[U(tanh_cell + j)] = tanh_c
            work[U(h + j)] = work[U(o + j)] * tanh_c


@jit
def _backward_cells(work, gates, cells, tanh_cells, d_cells, dh_at, dh_row, n_rows, n_units):
    """Turn i, f, g, o into dz in place, and dc_t into dc_{t-1}.

    ::

        dc_t += dh * o * (1 - tanh(c_t)^2)
        dz_i = dc_t * g * i * (1 - i)            dz_f = dc_t * c_{t-1} * f * (1 - f)
        dz_c = dc_t * i * (1 - g^2)              dz_o = dh * tanh(c_t) * o * (1 - o)
        dc_{t-1} = dc_t * f
    """
    for r in range(n_rows):
        i_at = gates + r * 4 * n_units
        f_at = i_at + n_units
        g_at = f_at + n_units
        o_at = g_at + n_units
        cell = cells + r * n_units
        tanh_cell = tanh_cells + r * n_units
        d_cell = d_cells + r * n_units
        dh_row_at = dh_at + r * dh_row
        for j in range(n_units):
            i = work[U(i_at + j)]
            f = work[U(f_at + j)]
            g = work[U(g_at + j)]
            o = work[U(o_at + j)]
            tanh_c = work[U(tanh_cell + j)]
            dh = work[U(dh_row_at + j)]
            dc = work[U(d_cell + j)] + dh * o * (ONE - tanh_c * tanh_c)
            work[U(i_at + j)] = dc * g * i * (ONE - i)
            work[U(f_at + j)] = dc * work[U(cell + j)] * f * (ONE - f)
            work[U(g_at + j)] = dc * i * (ONE - g * g)
            work[U(o_at + j)] = dh * tanh_c * o * (ONE - o)
            work[U(d_cell + j)] = dc * f


@jit
def copy_outputs(
    net, layer, work, source, source_row, target, target_row, n_rows, n_units, t, first_row,
    iteration, training, add,
):  # fmt: skip
    """Copy or add the h of a time step, or its gradient, through the dropout after the layer."""
    if training and net.dropout > 0.0:
        rate = np.float32(net.dropout)
        for r in range(n_rows):
            stream = mask_stream(net.seed, iteration, layer, first_row + r)
            for j in range(n_units):
                kept = (
                    mask_element(stream, t * n_units + j, rate)
                    * work[U(source + r * source_row + j)]
                )
                before = work[U(target + r * target_row + j)] if add else ZERO
                work[U(target + r * target_row + j)] = before + kept
    else:
        for r in range(n_rows):
            for j in range(n_units):
                kept = work[U(source + r * source_row + j)]
                before = work[U(target + r * target_row + j)] if add else ZERO
                work[U(target + r * target_row + j)] = before + kept


@jit
def _draw_recurrent_masks(net, layer, n_units, work, masks, first_row, n_rows, iteration):
    """Draw the masks of recurrent dropout: one per row and gate, the same at every step."""
    rate = np.float32(net.recurrent_dropout)
    for r in range(n_rows):
        # Streams separate from those of the dropout after the layers.
        stream = mask_stream(net.seed, iteration, net.n_layers + layer, first_row + r)
        for j in range(4 * n_units):
            work[U(masks + r * 4 * n_units + j)] = mask_element(stream, j, rate)


@jit
def _mask_state(work, masks, h_at, h_row, masked, n_rows, n_units):
    """Store h times the mask of each gate side by side, in the order of the gates."""
    for r in range(n_rows):
        for gate in range(4):
            at = (4 * r + gate) * n_units
            for j in range(n_units):
                h = work[U(h_at + r * h_row + j)]
                work[U(masked + at + j)] = h * work[U(masks + at + j)]


@jit
def _unmask_gradient(work, masks, masked, dh_at, dh_row, n_rows, n_units):
    """Sum the gradients of the four masked states, each multiplied by its mask."""
    for r in range(n_rows):
        for gate in range(4):
            at = (4 * r + gate) * n_units
            for j in range(n_units):
                d_masked = work[U(masked + at + j)]
                work[U(dh_at + r * dh_row + j)] += d_masked * work[U(masks + at + j)]


@stage
def forward_layer(net, layer, layers, theta, work, first_row, n_rows, iteration, training):
    """Run a layer over all time steps.

    Its inputs and h_{-1} are already in XH, and c_{-1} is in CELLS; every h_t is stored next to
    x_{t+1}.
    """
    column = layer * N_COLUMNS
    n_inputs = layers[column + INPUTS]
    n_units = layers[column + UNITS]
    kernel = layers[column + WEIGHTS]
    masks = layers[column + MASKS]
    masked = layers[column + MASKED]
    width = n_inputs + n_units
    n_gates = 4 * n_units
    recurrent = kernel + n_inputs * n_gates
    bias = recurrent + n_units * n_gates
    dropping = training and net.recurrent_dropout > 0.0
    if dropping:
        _draw_recurrent_masks(net, layer, n_units, work, masks, first_row, n_rows, iteration)

    for t in range(net.n_steps):
        xh = layers[column + XH] + t * n_rows * width
        z = layers[column + GATES] + t * n_rows * n_gates
        cells = layers[column + CELLS] + t * n_rows * n_units
        tanh_cells = layers[column + TANH_CELLS] + t * n_rows * n_units
        repeat_row(theta, bias, n_gates, work, z, n_rows)
        n_multiplied = n_inputs if dropping else width
        matmul_add(
            n_rows, n_gates, n_multiplied, work, xh, width, UNIT, theta, kernel, n_gates,
            work, z, n_gates,
        )  # fmt: skip
        if dropping:
            h_masked = masked + t * n_rows * n_gates
            _mask_state(work, masks, xh + n_inputs, width, h_masked, n_rows, n_units)
            for gate in range(0, n_gates, n_units):
                matmul_add(
                    n_rows, n_units, n_units, work, h_masked + gate, n_gates, UNIT,
                    theta, recurrent + gate, n_gates, work, z + gate, n_gates,
                )  # fmt: skip
        _activate_gates(work, z, n_rows, n_units)
        next_h = xh + n_rows * width + n_inputs
        _forward_cells(work, z, cells, tanh_cells, next_h, width, n_rows, n_units)


@stage
def backward_layer(net, layer, layers, transposed, work, gradient, first_row, n_rows, iteration):
    """Run the backward pass over the time steps of a layer.

    D_XH holds the gradient of the last h; those of the earlier ones, except in the last layer,
    come from the layer above. Stores the gradient of the inputs in D_XH, for the layer below,
    and adds those of the parameters to `gradient`.
    """
    column = layer * N_COLUMNS
    n_inputs = layers[column + INPUTS]
    n_units = layers[column + UNITS]
    d_cells = layers[column + D_CELLS]
    masked = layers[column + MASKED]
    n_gates = 4 * n_units
    n_below = n_inputs * (layer > 0)  # the gradient of the data is not needed
    d_width = n_below + n_units
    d_step = n_rows * d_width
    dropping = net.recurrent_dropout > 0.0
    fill(work, d_cells, n_rows * n_units, ZERO)

    for t in range(net.n_steps - 1, -1, -1):
        dz = layers[column + GATES] + t * n_rows * n_gates
        cells = layers[column + CELLS] + t * n_rows * n_units
        tanh_cells = layers[column + TANH_CELLS] + t * n_rows * n_units
        d_xh = layers[column + D_XH] + t * d_step
        dh = d_xh + d_step + n_below
        if layer + 1 < net.n_layers:
            above = column + N_COLUMNS
            above_width = n_units + layers[above + UNITS]
            copy_outputs(
                net, layer, work, layers[above + D_XH] + t * n_rows * above_width, above_width,
                dh, d_width, n_rows, n_units, t, first_row, iteration, TRAINING, ADD,
            )  # fmt: skip
        _backward_cells(work, dz, cells, tanh_cells, d_cells, dh, d_width, n_rows, n_units)
        if t == 0 and layer == 0:
            break
        fill(work, d_xh, d_step, ZERO)
        n_multiplied = n_below if dropping else d_width
        matmul_add(
            n_rows, n_multiplied, n_gates, work, dz, n_gates, UNIT,
            transposed, layers[column + TRANSPOSED], d_width, work, d_xh, d_width,
        )  # fmt: skip
        if dropping:
            d_masked = masked + net.n_steps * n_rows * n_gates
            fill(work, d_masked, n_rows * n_gates, ZERO)
            for gate in range(0, n_gates, n_units):
                matmul_add(
                    n_rows, n_units, n_units, work, dz + gate, n_gates, UNIT, transposed,
                    layers[column + TRANSPOSED] + gate * d_width + n_below, d_width,
                    work, d_masked + gate, n_gates,
                )  # fmt: skip
            _unmask_gradient(
                work, layers[column + MASKS], d_masked, d_xh + n_below, d_width, n_rows, n_units
            )
    _layer_gradient(net, layer, layers, work, gradient, n_rows, dropping)


@stage
def _layer_gradient(net, layer, layers, work, gradient, n_rows, dropping):
    """Add [x, h].T @ dz, and the sum of dz for the bias, to the gradient."""
    column = layer * N_COLUMNS
    n_inputs = layers[column + INPUTS]
    n_units = layers[column + UNITS]
    kernel = layers[column + WEIGHTS]
    width = n_inputs + n_units
    n_gates = 4 * n_units
    recurrent = kernel + n_inputs * n_gates
    bias = recurrent + n_units * n_gates
    n_total = net.n_steps * n_rows
    for start in range(0, n_total, GRADIENT_ROWS):
        n_some = min(GRADIENT_ROWS, n_total - start)
        xh = layers[column + XH] + start * width
        dz = layers[column + GATES] + start * n_gates
        n_multiplied = n_inputs if dropping else width
        matmul_add(
            n_multiplied, n_gates, n_some, work, xh, UNIT, width, work, dz, n_gates,
            gradient, kernel, n_gates,
        )  # fmt: skip
        if dropping:
            masked = layers[column + MASKED] + start * n_gates
            for gate in range(0, n_gates, n_units):
                matmul_add(
                    n_units, n_units, n_some, work, masked + gate, UNIT, n_gates,
                    work, dz + gate, n_gates, gradient, recurrent + gate, n_gates,
                )  # fmt: skip
        add_rows(work, dz, n_some, n_gates, gradient, bias)
