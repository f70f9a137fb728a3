"""A layer of LSTM cells, forward and backward over its time steps.

The equations (Hochreiter and Schmidhuber, 1997; the forget gate is from Gers, Schmidhuber and
Cummins, 2000), in the layout and gate order of ``keras.layers.LSTM``, for one time step of a
layer with ``d`` inputs and ``u`` units::

    z = [x_t, h_{t-1}] @ [K; R] + b           K (d, 4u), R (u, 4u), b (4u,)
    i, f, g, o = sigmoid(z_i), sigmoid(z_f), tanh(z_c), sigmoid(z_o)
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)

K and R are adjacent among the parameters, so ``[K; R]`` is one matrix of shape ``(d + u, 4u)``
there, and x and h are stored side by side, so that one product covers both. For the same reason
the gradients of K and R are one product, ``[x, h].T @ dz``.

Here `n_units` is u, and `n_lanes` is u rounded up to whole vectors: so many numbers each gate has
in a row. Those that are no units stay zero: their weights and their states are.
"""

import numpy as np

from skl_lstm.engines.native.kernels.arithmetic import add_rows, fill, pack, sigmoid, tanh
from skl_lstm.engines.native.kernels.compiling import (
    ADD,
    FIRST,
    ONE,
    TRAINING,
    UNIT,
    ZERO,
    U,
    compactly,
    jit,
    stage,
)
from skl_lstm.engines.native.kernels.dropout import mask_element, mask_stream
from skl_lstm.engines.native.kernels.products import INNER, PANEL, V, multiply, multiply_rows
from skl_lstm.engines.native.kernels.tables import (
    ARRANGED,
    BIAS,
    CELLS,
    D_CELLS,
    D_WIDTH,
    D_XH,
    GATES,
    GRADIENT_ROWS,
    INPUTS,
    KERNEL,
    MASKED,
    MASKS,
    N_COLUMNS,
    N_LANES,
    PACKED,
    ROWS,
    SCRATCH,
    TANH_CELLS,
    TRANSPOSED,
    UNITS,
    UNTRANSPOSED,
    WIDTH,
    XH,
)
from skl_lstm.engines.native.kernels.vectors import load, multiply_add, store


@jit
def _forward_cells(work, gates, cells, tanh_cells, h_at, h_row, n_rows, n_lanes):
    """Turn z into i, f, g, o in place; compute c_t = f * c_{t-1} + i * g, h_t = o * tanh(c_t)."""
    new_cells = cells + n_rows * n_lanes
    for r in range(n_rows):
        i_at = gates + r * 4 * n_lanes
        f_at = i_at + n_lanes
        g_at = f_at + n_lanes
        o_at = g_at + n_lanes
        unit = r * n_lanes
        h = h_at + r * h_row
        for j in range(0, n_lanes, V):
            i = sigmoid(load(work, i_at + j))
            f = sigmoid(load(work, f_at + j))
            g = tanh(load(work, g_at + j))
            o = sigmoid(load(work, o_at + j))
            c = multiply_add(f, load(work, cells + unit + j), i * g)
            tanh_c = tanh(c)
            store(work, i_at + j, i)
            store(work, f_at + j, f)
            store(work, g_at + j, g)
            store(work, o_at + j, o)
            store(work, new_cells + unit + j, c)
            store(work, tanh_cells + unit + j, tanh_c)
            store(work, h + j, o * tanh_c)


@jit
def _backward_cells(work, gates, cells, tanh_cells, d_cells, dh_at, dh_row, n_rows, n_lanes):
    """Turn i, f, g, o into dz in place, and dc_t into dc_{t-1}.

    ::

        dc_t += dh * o * (1 - tanh(c_t)^2)
        dz_i = dc_t * g * i * (1 - i)            dz_f = dc_t * c_{t-1} * f * (1 - f)
        dz_c = dc_t * i * (1 - g^2)              dz_o = dh * tanh(c_t) * o * (1 - o)
        dc_{t-1} = dc_t * f
    """
    for r in range(n_rows):
        i_at = gates + r * 4 * n_lanes
        f_at = i_at + n_lanes
        g_at = f_at + n_lanes
        o_at = g_at + n_lanes
        unit = r * n_lanes
        dh_row_at = dh_at + r * dh_row
        for j in range(0, n_lanes, V):
            i = load(work, i_at + j)
            f = load(work, f_at + j)
            g = load(work, g_at + j)
            o = load(work, o_at + j)
            tanh_c = load(work, tanh_cells + unit + j)
            dh = load(work, dh_row_at + j)
            dc = multiply_add(dh * o, ONE - tanh_c * tanh_c, load(work, d_cells + unit + j))
            store(work, i_at + j, dc * g * i * (ONE - i))
            store(work, f_at + j, dc * load(work, cells + unit + j) * f * (ONE - f))
            store(work, g_at + j, dc * i * (ONE - g * g))
            store(work, o_at + j, dh * tanh_c * o * (ONE - o))
            store(work, d_cells + unit + j, dc * f)


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
def _draw_recurrent_masks(
    net, layer, n_units, n_lanes, work, masks, first_row, n_rows, iteration
):  # fmt: skip
    """Draw the masks of recurrent dropout: one per row and gate, the same at every step."""
    compactly()
    rate = np.float32(net.recurrent_dropout)
    for r in range(n_rows):
        # Streams separate from those of the dropout after the layers.
        stream = mask_stream(net.seed, iteration, net.n_layers + layer, first_row + r)
        for gate in range(4):
            at = masks + (4 * r + gate) * n_lanes
            for j in range(n_units):
                work[U(at + j)] = mask_element(stream, gate * n_units + j, rate)


@jit
def _mask_state(work, masks, h_at, h_row, masked, n_rows, n_lanes):
    """Store h times the mask of each gate side by side, in the order of the gates."""
    compactly()
    for r in range(n_rows):
        for gate in range(4):
            at = (4 * r + gate) * n_lanes
            for j in range(0, n_lanes, V):
                h = load(work, h_at + r * h_row + j)
                store(work, masked + at + j, h * load(work, masks + at + j))


@jit
def _unmask_gradient(work, masks, masked, dh_at, dh_row, n_rows, n_lanes):
    """Sum the gradients of the four masked states, each multiplied by its mask."""
    compactly()
    for r in range(n_rows):
        for gate in range(4):
            at = (4 * r + gate) * n_lanes
            dh = dh_at + r * dh_row
            for j in range(0, n_lanes, V):
                kept = load(work, masked + at + j) * load(work, masks + at + j)
                store(work, dh + j, load(work, dh + j) + kept)


@jit
def forward_layer(
    net, layer, layers, theta, arranged, work, first_row, n_rows, iteration, training
):  # fmt: skip
    """Run a layer over all time steps.

    Its inputs and h_{-1} are already in XH, and c_{-1} is in CELLS; every h_t is stored next to
    x_{t+1}.
    """
    column = layer * N_COLUMNS
    n_inputs = layers[column + INPUTS]
    n_units = layers[column + UNITS]
    n_lanes = layers[column + N_LANES]
    width = layers[column + WIDTH]
    kernel = layers[column + KERNEL]
    masks = layers[column + MASKS]
    masked = layers[column + MASKED]
    n_gates = 4 * n_lanes
    recurrent = kernel + n_inputs * n_gates
    dropping = training and net.recurrent_dropout > 0.0
    if dropping:
        _draw_recurrent_masks(
            net, layer, n_units, n_lanes, work, masks, first_row, n_rows, iteration
        )
    n_inner = n_inputs + n_units * (not dropping)
    b, b_at, b_panel, b_row = theta, kernel, PANEL, n_gates
    if layers[column + PACKED] and not dropping:
        b, b_at, b_panel, b_row = arranged, layers[column + ARRANGED], n_inner * PANEL, PANEL

    for t in range(net.n_steps):
        xh = layers[column + XH] + t * n_rows * width
        z = layers[column + GATES] + t * n_rows * n_gates
        cells = layers[column + CELLS] + t * n_rows * n_lanes
        tanh_cells = layers[column + TANH_CELLS] + t * n_rows * n_lanes
        s, s_at, s_row = theta, layers[column + BIAS], FIRST
        for p in range(0, n_inner, INNER):
            multiply(
                n_rows, n_gates, min(INNER, n_inner - p), work, xh + p, width, UNIT,
                b, b_at + p * b_row, b_panel, b_row, s, s_at, s_row, work, z, n_gates,
            )  # fmt: skip
            s, s_at, s_row = work, z, n_gates
        if dropping:
            h_masked = masked + t * n_rows * n_gates
            _mask_state(work, masks, xh + n_inputs, width, h_masked, n_rows, n_lanes)
            for gate in range(0, n_gates, n_lanes):
                multiply(
                    n_rows, n_lanes, n_units, work, h_masked + gate, n_gates, UNIT,
                    theta, recurrent + gate, PANEL, n_gates,
                    work, z + gate, n_gates, work, z + gate, n_gates,
                )  # fmt: skip
        next_h = xh + n_rows * width + n_inputs
        _forward_cells(work, z, cells, tanh_cells, next_h, width, n_rows, n_lanes)


@jit
def backward_layer(
    net, layer, layers, theta, arranged, work, gradient, first_row, n_rows, iteration
):
    """Run the backward pass over the time steps of a layer.

    D_XH holds the gradient of the last h; those of the earlier ones, except in the last layer,
    come from the layer above. Stores the gradient of the inputs in D_XH, for the layer below,
    and adds those of the parameters to `gradient`.
    """
    column = layer * N_COLUMNS
    n_inputs = layers[column + INPUTS]
    n_units = layers[column + UNITS]
    n_lanes = layers[column + N_LANES]
    d_cells = layers[column + D_CELLS]
    masked = layers[column + MASKED]
    transposed = layers[column + TRANSPOSED]
    d_width = layers[column + D_WIDTH]
    n_gates = 4 * n_lanes
    n_below = n_inputs * (layer > 0)  # the gradient of the data is not needed
    d_step = n_rows * d_width
    dropping = net.recurrent_dropout > 0.0
    b_panel, b_row = (PANEL, d_width) if dropping else (n_gates * PANEL, PANEL)
    n_columns = (n_below + V - 1) // V * V if dropping else d_width
    fill(work, d_cells, n_rows * n_lanes, ZERO)

    for t in range(net.n_steps - 1, -1, -1):
        dz = layers[column + GATES] + t * n_rows * n_gates
        cells = layers[column + CELLS] + t * n_rows * n_lanes
        tanh_cells = layers[column + TANH_CELLS] + t * n_rows * n_lanes
        d_xh = layers[column + D_XH] + t * d_step
        dh = d_xh + d_step + n_below
        if layer + 1 < net.n_layers:
            above = column + N_COLUMNS
            above_width = layers[above + D_WIDTH]
            copy_outputs(
                net, layer, work, layers[above + D_XH] + t * n_rows * above_width, above_width,
                dh, d_width, n_rows, n_units, t, first_row, iteration, TRAINING, ADD,
            )  # fmt: skip
        _backward_cells(work, dz, cells, tanh_cells, d_cells, dh, d_width, n_rows, n_lanes)
        if t == 0 and layer == 0:
            break
        if layers[column + UNTRANSPOSED]:
            kernel = layers[column + KERNEL] + (n_inputs - n_below) * n_gates
            multiply_rows(
                n_rows, n_below + n_units, n_gates, work, dz, n_gates,
                theta, kernel, n_gates, work, d_xh, d_width,
            )  # fmt: skip
            continue
        s_at, s_row = net.zeros, FIRST
        for p in range(0, n_gates, INNER):
            multiply(
                n_rows, n_columns, min(INNER, n_gates - p), work, dz + p, n_gates, UNIT,
                arranged, transposed + p * b_row, b_panel, b_row,
                work, s_at, s_row, work, d_xh, d_width,
            )  # fmt: skip
            s_at, s_row = d_xh, d_width
        if dropping:
            d_masked = masked + net.n_steps * n_rows * n_gates
            for gate in range(0, n_gates, n_lanes):
                multiply(
                    n_rows, n_lanes, n_lanes, work, dz + gate, n_gates, UNIT,
                    arranged, transposed + gate * d_width + n_below, PANEL, d_width,
                    work, net.zeros, FIRST, work, d_masked + gate, n_gates,
                )  # fmt: skip
            for r in range(n_rows):
                fill(work, d_xh + r * d_width + n_below, n_lanes, ZERO)
            _unmask_gradient(
                work, layers[column + MASKS], d_masked, d_xh + n_below, d_width, n_rows, n_lanes
            )
    _layer_gradient(net, layer, layers, work, gradient, n_rows, dropping)


@stage
def _layer_gradient(net, layer, layers, work, gradient, n_rows, dropping):
    """Add [x, h].T @ dz, and the sum of dz for the bias, to the gradient."""
    column = layer * N_COLUMNS
    n_inputs = layers[column + INPUTS]
    n_units = layers[column + UNITS]
    n_lanes = layers[column + N_LANES]
    width = layers[column + WIDTH]
    kernel = layers[column + KERNEL]
    scratch = layers[column + SCRATCH]
    n_gates = 4 * n_lanes
    recurrent = kernel + n_inputs * n_gates
    n_total = net.n_steps * n_rows
    n_multiplied = n_inputs if dropping else layers[column + ROWS]
    for start in range(0, n_total, GRADIENT_ROWS):
        n_some = min(GRADIENT_ROWS, n_total - start)
        xh = layers[column + XH] + start * width
        dz = layers[column + GATES] + start * n_gates
        if layers[column + PACKED]:
            for j in range(0, n_gates, PANEL):
                pack(work, dz + j, n_gates, n_some, PANEL, work, scratch, FIRST)
                multiply(
                    n_multiplied, PANEL, n_some, work, xh, UNIT, width,
                    work, scratch, FIRST, PANEL,
                    gradient, kernel + j, n_gates, gradient, kernel + j, n_gates,
                )  # fmt: skip
        else:
            multiply(
                n_multiplied, n_gates, n_some, work, xh, UNIT, width, work, dz, PANEL, n_gates,
                gradient, kernel, n_gates, gradient, kernel, n_gates,
            )  # fmt: skip
        if dropping:
            masked = layers[column + MASKED] + start * n_gates
            for gate in range(0, n_gates, n_lanes):
                multiply(
                    n_units, n_lanes, n_some, work, masked + gate, UNIT, n_gates,
                    work, dz + gate, PANEL, n_gates,
                    gradient, recurrent + gate, n_gates, gradient, recurrent + gate, n_gates,
                )  # fmt: skip
        add_rows(work, dz, n_some, n_gates, gradient, layers[column + BIAS])
