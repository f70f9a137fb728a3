"""LSTM training in compiled loops: forward, backward, losses, optimisers.

Everything here works on flat one-dimensional arrays with sizes that are known at run time, so
one compilation serves every network. Nothing allocates memory, and the GIL is released.

The equations (Hochreiter and Schmidhuber, 1997; the forget gate is from Gers, Schmidhuber and
Cummins, 2000), in the layout and gate order of ``keras.layers.LSTM``, for one time step of a
layer with ``d`` inputs and ``u`` units::

    z = [x_t, h_{t-1}] @ [K; R] + b           K (d, 4u), R (u, 4u), b (4u,)
    i, f, g, o = sigmoid(z_i), sigmoid(z_f), tanh(z_c), sigmoid(z_o)
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)

K and R follow one another in the flat vector of parameters, so ``[K; R]`` is one matrix of shape
``(d + u, 4u)`` there, and x and h are kept side by side to make one product of the two. For the
same reason the gradients of K and R are one product, ``[x, h].T @ dz``.

A batch is cut into shards of a fixed number of rows, and these are dealt out to lanes, as cards
are to players. A lane is what a thread works on: it takes its shards in their order and adds up
a gradient of its own; then the gradients of the lanes are added up in theirs. So the result does
not depend on who computed which, nor the memory on the size of a batch.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

# Indices are cast to unsigned: for a signed one Numba adds the test for "counts from the end",
# and a loop with that test is not vectorised.
U = numba.types.uintp

# A Python literal is a double, and would make doubles of the arithmetic around it.
ZERO = np.float32(0.0)
HALF = np.float32(0.5)
ONE = np.float32(1.0)
TWO = np.float32(2.0)

OPTIONS = {
    "nogil": True,
    # Python's checks of every division would keep loops from being vectorised.
    "error_model": "numpy",
    # Sums may be reordered and multiply-adds fused; NaN and infinity keep their meaning.
    "fastmath": {"reassoc", "contract", "nsz"},
}

# Numba compiles a function anew for every literal that it is called with; not for these.
FIRST = np.int64(0)
UNIT = np.int64(1)
OVERWRITE = np.bool_(False)
ADD = np.bool_(True)
TRAINING = np.bool_(True)

# Rows of dz that one product for the gradients takes: as many as stay in a fast cache.
GRADIENT_ROWS = 64

# How many gradients a batch is added up in, and so how many threads can share it out.
LANES = 8


def _jit(function):
    """Compile as a function of its own: the small ones with the loops."""
    return numba.njit(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)


def _stage(function):
    """Compile as a part of its one caller, which takes less time than compiling both."""
    return numba.njit(function, inline="always", **OPTIONS)


def _entry(function):
    """Compile what Python calls, and keep the machine code on disk where that is possible."""
    try:
        return numba.njit(function, cache=True, no_cfunc_wrapper=True, **OPTIONS)
    except RuntimeError:  # no folder that a cache could be written to
        return numba.njit(function, no_cfunc_wrapper=True, **OPTIONS)


class Network(NamedTuple):
    """Sizes and options of a network and its training, all integers or floats."""

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
    last_h: int  # in the workspace: h_T of the last layer after its dropout, (rows, u)
    logits: int  # in the workspace: last_h @ kernel + bias, (rows, n_outputs)
    deltas: int  # in the workspace: the gradient of the logits, (rows, n_outputs)
    dense_transposed: int  # where the transposed Dense kernel starts among the transposed ones
    loss_parameter: float
    dropout: float
    recurrent_dropout: float


# Columns of the table `layers`, which has a row for each LSTM layer.
(
    INPUTS,  # d
    UNITS,  # u
    WEIGHTS,  # where [K; R; b] starts in the parameters
    TRANSPOSED,  # where the transposed [K; R] starts among the transposed ones
    STATES,  # where the h and c of all streams start among the states
    XH,  # in the workspace: [x_t, h_{t-1}], (n_steps + 1, rows, d + u)
    GATES,  # i, f, g, o, and on the way back dz, (n_steps, rows, 4u)
    CELLS,  # c_{t-1}, (n_steps + 1, rows, u)
    TANH_CELLS,  # tanh(c_t), (n_steps, rows, u)
    D_CELLS,  # dc, (rows, u)
    D_XH,  # gradient of [x_t, h_{t-1}], (n_steps + 1, rows, d + u)
    MASKS,  # recurrent dropout, (rows, 4u)
    MASKED,  # h_{t-1} times the masks of the four gates, (n_steps + 1, rows, 4u)
    N_COLUMNS,
) = range(14)

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


# ---------------------------------------------------------------------------------- arithmetic


@_jit
def _tanh(x):
    """Hyperbolic tangent, within 2e-7: the quotient of polynomials that Eigen uses."""
    x = np.float32(7.90531110763549805) if x > np.float32(7.90531110763549805) else x
    x = np.float32(-7.90531110763549805) if x < np.float32(-7.90531110763549805) else x
    s = x * x
    p = np.float32(-2.76076847742355e-16) * s + np.float32(2.00018790482477e-13)
    p = p * s + np.float32(-8.60467152213735e-11)
    p = p * s + np.float32(5.12229709037114e-08)
    p = p * s + np.float32(1.48572235717979e-05)
    p = p * s + np.float32(6.37261928875436e-04)
    p = p * s + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06) * s + np.float32(1.18534705686654e-04)
    q = q * s + np.float32(2.26843463243900e-03)
    q = q * s + np.float32(4.89352518554385e-03)
    return x * p / q


@_jit
def _matmul_add(
    n_rows, n_columns, n_inner, a, a_at, a_row, a_step, b, b_at, b_row, c, c_at, c_row
):
    """Add A @ B to C.

    A has shape ``(n_rows, n_inner)``, its element (i, p) is ``a[a_at + i * a_row + p * a_step]``,
    so that a transposed matrix can be given; B and C have contiguous rows.

    Four rows of C at a time and four of B: 16 multiply-adds for 8 loads and 4 stores is what
    keeps the arithmetic units busy.
    """
    i = 0
    while i + 4 <= n_rows:
        c_0 = c_at + i * c_row
        c_1 = c_0 + c_row
        c_2 = c_1 + c_row
        c_3 = c_2 + c_row
        a_0 = a_at + i * a_row
        b_0 = b_at
        p = 0
        while p + 4 <= n_inner:
            a_00, a_01, a_02, a_03 = _four(a, a_0, a_step)
            a_10, a_11, a_12, a_13 = _four(a, a_0 + a_row, a_step)
            a_20, a_21, a_22, a_23 = _four(a, a_0 + 2 * a_row, a_step)
            a_30, a_31, a_32, a_33 = _four(a, a_0 + 3 * a_row, a_step)
            b_1 = b_0 + b_row
            b_2 = b_1 + b_row
            b_3 = b_2 + b_row
            for j in range(n_columns):
                x_0 = b[U(b_0 + j)]
                x_1 = b[U(b_1 + j)]
                x_2 = b[U(b_2 + j)]
                x_3 = b[U(b_3 + j)]
                c[U(c_0 + j)] += a_00 * x_0 + a_01 * x_1 + a_02 * x_2 + a_03 * x_3
                c[U(c_1 + j)] += a_10 * x_0 + a_11 * x_1 + a_12 * x_2 + a_13 * x_3
                c[U(c_2 + j)] += a_20 * x_0 + a_21 * x_1 + a_22 * x_2 + a_23 * x_3
                c[U(c_3 + j)] += a_30 * x_0 + a_31 * x_1 + a_32 * x_2 + a_33 * x_3
            a_0 += 4 * a_step
            b_0 += 4 * b_row
            p += 4
        while p < n_inner:
            a_00, a_10, a_20, a_30 = _four(a, a_0, a_row)
            for j in range(n_columns):
                x_0 = b[U(b_0 + j)]
                c[U(c_0 + j)] += a_00 * x_0
                c[U(c_1 + j)] += a_10 * x_0
                c[U(c_2 + j)] += a_20 * x_0
                c[U(c_3 + j)] += a_30 * x_0
            a_0 += a_step
            b_0 += b_row
            p += 1
        i += 4
    while i < n_rows:
        c_0 = c_at + i * c_row
        a_0 = a_at + i * a_row
        b_0 = b_at
        p = 0
        while p + 4 <= n_inner:
            a_00, a_01, a_02, a_03 = _four(a, a_0, a_step)
            b_1 = b_0 + b_row
            b_2 = b_1 + b_row
            b_3 = b_2 + b_row
            for j in range(n_columns):
                c[U(c_0 + j)] += (
                    a_00 * b[U(b_0 + j)]
                    + a_01 * b[U(b_1 + j)]
                    + a_02 * b[U(b_2 + j)]
                    + a_03 * b[U(b_3 + j)]
                )
            a_0 += 4 * a_step
            b_0 += 4 * b_row
            p += 4
        while p < n_inner:
            a_00 = a[U(a_0)]
            for j in range(n_columns):
                c[U(c_0 + j)] += a_00 * b[U(b_0 + j)]
            a_0 += a_step
            b_0 += b_row
            p += 1
        i += 1


@_jit
def _four(a, at, step):
    """Four elements of an array, `step` apart."""
    return a[U(at)], a[U(at + step)], a[U(at + 2 * step)], a[U(at + 3 * step)]


@_jit
def _fill(array, at, size, value):
    for j in range(size):
        array[U(at + j)] = value


@_jit
def _repeat_row(source, source_at, n_columns, array, at, n_rows):
    """Put one row of numbers into each row of a matrix."""
    for r in range(n_rows):
        row = at + r * n_columns
        for j in range(n_columns):
            array[U(row + j)] = source[U(source_at + j)]


@_jit
def _add_rows(matrix, at, n_rows, n_columns, total, total_at):
    """Add every row of a matrix to one row."""
    for r in range(n_rows):
        row = at + r * n_columns
        for j in range(n_columns):
            total[U(total_at + j)] += matrix[U(row + j)]


@_jit
def _transpose(source, source_at, n_rows, n_columns, target, target_at):
    for j in range(n_columns):
        for r in range(n_rows):
            target[U(target_at + j * n_rows + r)] = source[U(source_at + r * n_columns + j)]


# ------------------------------------------------------------------------------------- dropout


@_jit
def _stream(seed, iteration, layer, row):
    """Return the number from which a row's mask in a layer and a training step is drawn."""
    x = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
    for part in (iteration, layer, row):
        # The finaliser of splitmix64 (Steele, Lea and Flood, 2014).
        x = x + np.uint64(part) + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return np.uint32(x)


@_jit
def _mask(stream, index, rate):
    """Draw an element of an inverted dropout mask: 0, or 1 / (1 - rate).

    A hash of the element's number rather than a generator with a state, so that the mask does
    not depend on the order in which, or the thread on which, it is asked for; it is not stored
    for the way back but drawn again. The constants are Wellons's "lowbias32".
    """
    x = np.uint32(stream + np.uint32(index) * np.uint32(0x9E3779B9))
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D))
    x = np.uint32((x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B))
    x = np.uint32(x ^ (x >> np.uint32(16)))
    uniform = np.float32(np.int32(x >> np.uint32(8))) * np.float32(2.0**-24)
    return ZERO if uniform < rate else ONE / (ONE - rate)


# --------------------------------------------------------------------------------- LSTM layers


@_jit
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
            work[U(row + j)] = s * _tanh(s * work[U(row + j)]) + (ONE - s)


@_jit
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
            tanh_c = _tanh(c)
            work[U(new_cell + j)] = c
            work[U(tanh_cell + j)] = tanh_c
            work[U(h + j)] = work[U(o + j)] * tanh_c


@_jit
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


@_jit
def _copy_outputs(
    net, layer, work, source, source_row, target, target_row, n_rows, n_units, t, first_row,
    iteration, training, add,
):  # fmt: skip
    """Copy or add the h of a time step, or its gradient, through the dropout after the layer."""
    if training and net.dropout > 0.0:
        rate = np.float32(net.dropout)
        for r in range(n_rows):
            stream = _stream(net.seed, iteration, layer, first_row + r)
            for j in range(n_units):
                kept = _mask(stream, t * n_units + j, rate) * work[U(source + r * source_row + j)]
                before = work[U(target + r * target_row + j)] if add else ZERO
                work[U(target + r * target_row + j)] = before + kept
    else:
        for r in range(n_rows):
            for j in range(n_units):
                kept = work[U(source + r * source_row + j)]
                before = work[U(target + r * target_row + j)] if add else ZERO
                work[U(target + r * target_row + j)] = before + kept


@_jit
def _draw_recurrent_masks(net, layer, n_units, work, masks, first_row, n_rows, iteration):
    """Draw the masks of recurrent dropout: for each row one a gate, the same at every step."""
    rate = np.float32(net.recurrent_dropout)
    for r in range(n_rows):
        # Streams of their own, apart from those of the dropout after the layers.
        stream = _stream(net.seed, iteration, net.n_layers + layer, first_row + r)
        for j in range(4 * n_units):
            work[U(masks + r * 4 * n_units + j)] = _mask(stream, j, rate)


@_jit
def _mask_state(work, masks, h_at, h_row, masked, n_rows, n_units):
    """Put h times the mask of each gate side by side, as the gates are."""
    for r in range(n_rows):
        for gate in range(4):
            at = (4 * r + gate) * n_units
            for j in range(n_units):
                h = work[U(h_at + r * h_row + j)]
                work[U(masked + at + j)] = h * work[U(masks + at + j)]


@_jit
def _unmask_gradient(work, masks, masked, dh_at, dh_row, n_rows, n_units):
    """Add up the gradients of the four masked states, each through its mask."""
    for r in range(n_rows):
        for gate in range(4):
            at = (4 * r + gate) * n_units
            for j in range(n_units):
                d_masked = work[U(masked + at + j)]
                work[U(dh_at + r * dh_row + j)] += d_masked * work[U(masks + at + j)]


@_stage
def _forward_layer(net, layer, layers, theta, work, first_row, n_rows, iteration, training):
    """Run a layer over all time steps.

    Its inputs stand in XH already, and h_{-1} and c_{-1}; every h_t is put beside x_{t+1}.
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
        _repeat_row(theta, bias, n_gates, work, z, n_rows)
        n_multiplied = n_inputs if dropping else width
        _matmul_add(
            n_rows, n_gates, n_multiplied, work, xh, width, UNIT, theta, kernel, n_gates,
            work, z, n_gates,
        )  # fmt: skip
        if dropping:
            h_masked = masked + t * n_rows * n_gates
            _mask_state(work, masks, xh + n_inputs, width, h_masked, n_rows, n_units)
            for gate in range(0, n_gates, n_units):
                _matmul_add(
                    n_rows, n_units, n_units, work, h_masked + gate, n_gates, UNIT,
                    theta, recurrent + gate, n_gates, work, z + gate, n_gates,
                )  # fmt: skip
        _activate_gates(work, z, n_rows, n_units)
        next_h = xh + n_rows * width + n_inputs
        _forward_cells(work, z, cells, tanh_cells, next_h, width, n_rows, n_units)


@_stage
def _backward_layer(net, layer, layers, transposed, work, gradient, first_row, n_rows, iteration):
    """Go back over the time steps of a layer.

    D_XH holds the gradient of the last h; those of the others, but for the last layer, come from
    the layer above. Leaves the gradient of the inputs in D_XH, for the layer below, and adds
    those of the parameters to `gradient`.
    """
    column = layer * N_COLUMNS
    n_inputs = layers[column + INPUTS]
    n_units = layers[column + UNITS]
    d_cells = layers[column + D_CELLS]
    masked = layers[column + MASKED]
    n_gates = 4 * n_units
    n_below = n_inputs * (layer > 0)  # nobody asks for the gradient of the data
    d_width = n_below + n_units
    d_step = n_rows * d_width
    dropping = net.recurrent_dropout > 0.0
    _fill(work, d_cells, n_rows * n_units, ZERO)

    for t in range(net.n_steps - 1, -1, -1):
        dz = layers[column + GATES] + t * n_rows * n_gates
        cells = layers[column + CELLS] + t * n_rows * n_units
        tanh_cells = layers[column + TANH_CELLS] + t * n_rows * n_units
        d_xh = layers[column + D_XH] + t * d_step
        dh = d_xh + d_step + n_below
        if layer + 1 < net.n_layers:
            above = column + N_COLUMNS
            above_width = n_units + layers[above + UNITS]
            _copy_outputs(
                net, layer, work, layers[above + D_XH] + t * n_rows * above_width, above_width,
                dh, d_width, n_rows, n_units, t, first_row, iteration, TRAINING, ADD,
            )  # fmt: skip
        _backward_cells(work, dz, cells, tanh_cells, d_cells, dh, d_width, n_rows, n_units)
        if t == 0 and layer == 0:
            break
        _fill(work, d_xh, d_step, ZERO)
        n_multiplied = n_below if dropping else d_width
        _matmul_add(
            n_rows, n_multiplied, n_gates, work, dz, n_gates, UNIT,
            transposed, layers[column + TRANSPOSED], d_width, work, d_xh, d_width,
        )  # fmt: skip
        if dropping:
            d_masked = masked + net.n_steps * n_rows * n_gates
            _fill(work, d_masked, n_rows * n_gates, ZERO)
            for gate in range(0, n_gates, n_units):
                _matmul_add(
                    n_rows, n_units, n_units, work, dz + gate, n_gates, UNIT, transposed,
                    layers[column + TRANSPOSED] + gate * d_width + n_below, d_width,
                    work, d_masked + gate, n_gates,
                )  # fmt: skip
            _unmask_gradient(
                work, layers[column + MASKS], d_masked, d_xh + n_below, d_width, n_rows, n_units
            )
    _layer_gradient(net, layer, layers, work, gradient, n_rows, dropping)


@_stage
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
        _matmul_add(
            n_multiplied, n_gates, n_some, work, xh, UNIT, width, work, dz, n_gates,
            gradient, kernel, n_gates,
        )  # fmt: skip
        if dropping:
            masked = layers[column + MASKED] + start * n_gates
            for gate in range(0, n_gates, n_units):
                _matmul_add(
                    n_units, n_units, n_some, work, masked + gate, UNIT, n_gates,
                    work, dz + gate, n_gates, gradient, recurrent + gate, n_gates,
                )  # fmt: skip
        _add_rows(work, dz, n_some, n_gates, gradient, bias)


# ------------------------------------------------------------------- output, loss and its gradient


@_jit
def _activate_outputs(activation, values, at, n):
    """Apply the activation of the Dense layer to a row, in place."""
    if activation == SOFTMAX:
        largest = values[U(at)]
        for k in range(1, n):
            largest = max(largest, values[U(at + k)])
        total = ZERO
        for k in range(n):
            values[U(at + k)] = np.exp(values[U(at + k)] - largest)
            total += values[U(at + k)]
        for k in range(n):
            values[U(at + k)] /= total
    elif activation != LINEAR:
        for k in range(n):
            x = values[U(at + k)]
            if activation == SIGMOID:
                x = HALF + HALF * _tanh(HALF * x)
            elif activation == TANH:
                x = _tanh(x)
            elif x < ZERO:
                x = ZERO
            values[U(at + k)] = x


@_jit
def _elementwise_loss(loss, parameter, p, y):
    """Loss of one output and its derivative by the prediction, as in ``keras.losses``."""
    e = p - y
    size = abs(e)
    sign = ONE if e > ZERO else (-ONE if e < ZERO else e)
    if loss == MSE:
        return e * e, TWO * e
    if loss == MAE:
        return size, sign
    if loss == HUBER:
        if size <= parameter:
            return HALF * e * e, e
        return parameter * size - HALF * parameter * parameter, parameter * sign
    if loss == LOG_COSH:
        # log(cosh(e)) = |e| + log(1 + exp(-2 |e|)) - log(2)
        return size + np.log1p(np.exp(-TWO * size)) - np.log(TWO), _tanh(e)
    # Pinball: the maximum of q * (y - p) and (q - 1) * (y - p).
    slope = ONE - parameter if e > ZERO else -parameter
    return slope * e, slope


@_jit
def _cross_entropy(net, work, logits, deltas, outputs, y, at):
    """Loss of a row from the logits, and its gradient by them, as in TensorFlow.

    The binary one after a sigmoid is max(z, 0) - z * y + log(1 + exp(-|z|)), the mean over the
    outputs; the categorical one after a softmax is sum(y * (log(sum(exp(z))) - z)). Of both the
    gradient is p - y.
    """
    n = net.n_outputs
    total = 0.0
    if net.loss == BINARY_CROSSENTROPY:
        for k in range(n):
            z = work[U(logits + k)]
            target = y[U(at + k)]
            total += (z if z > ZERO else ZERO) - z * target + np.log1p(np.exp(-abs(z)))
            work[U(deltas + k)] = (outputs[U(at + k)] - target) / np.float32(n)
        return total / n
    largest = work[U(logits)]
    for k in range(1, n):
        largest = max(largest, work[U(logits + k)])
    exponentials = 0.0
    for k in range(n):
        exponentials += np.exp(work[U(logits + k)] - largest)
    for k in range(n):
        target = y[U(at + k)]
        total += target * (np.log(exponentials) + largest - work[U(logits + k)])
        work[U(deltas + k)] = outputs[U(at + k)] - target
    return total


@_jit
def _row_loss(net, work, logits, deltas, outputs, y, at):
    """Loss of a row, whose outputs and targets start at `at`.

    Its gradient by the logits is left in the workspace at `deltas`.
    """
    if net.loss >= BINARY_CROSSENTROPY:
        return _cross_entropy(net, work, logits, deltas, outputs, y, at)
    n = net.n_outputs
    parameter = np.float32(net.loss_parameter)
    total = 0.0
    inner = ZERO
    for k in range(n):
        p = outputs[U(at + k)]
        value, slope = _elementwise_loss(net.loss, parameter, p, y[U(at + k)])
        total += value
        slope /= np.float32(n)
        inner += slope * p
        work[U(deltas + k)] = slope
    for k in range(n):
        work[U(deltas + k)] = _through_activation(
            net.activation, outputs[U(at + k)], work[U(deltas + k)], inner
        )
    return total / n


@_jit
def _through_activation(activation, p, slope, inner):
    """Gradient by the logit from that by the output p; `inner` is the sum of slope * p."""
    if activation == SIGMOID:
        return slope * p * (ONE - p)
    if activation == TANH:
        return slope * (ONE - p * p)
    if activation == SOFTMAX:
        return p * (slope - inner)
    if activation == RELU and p <= ZERO:
        return ZERO * slope
    return slope


# ---------------------------------------------------------------------------- one shard of a batch


class Data(NamedTuple):
    """Windows, targets and weights, and where the outputs go; all arrays are flat.

    Window p is ``buffer[rows[p] * row_stride:][:n_steps * n_features]``; its target, weight and
    output are the p-th. `weights` is empty where every weight is one.
    """

    buffer: np.ndarray
    row_stride: int
    rows: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    outputs: np.ndarray


@_stage
def _transpose_weights(net, layers, theta, transposed):
    """Prepare what the way back multiplies by: [K; R].T of each layer, and the Dense kernel's.

    K is left out in the first layer, where nobody asks for the gradient of the inputs.
    """
    for layer in range(net.n_layers):
        column = layer * N_COLUMNS
        n_inputs = layers[column + INPUTS]
        n_units = layers[column + UNITS]
        skipped = n_inputs * (layer == 0)
        _transpose(
            theta,
            layers[column + WEIGHTS] + skipped * 4 * n_units,
            n_inputs + n_units - skipped,
            4 * n_units,
            transposed,
            layers[column + TRANSPOSED],
        )
    n_units = layers[(net.n_layers - 1) * N_COLUMNS + UNITS]
    kernel = net.n_parameters - (n_units + 1) * net.n_outputs
    _transpose(theta, kernel, n_units, net.n_outputs, transposed, net.dense_transposed)


@_stage
def _gather_windows(net, layers, work, data, order, start, n_rows):
    """Copy the windows of a shard to where the first layer finds its inputs."""
    width = net.n_features + layers[UNITS]
    for r in range(n_rows):
        window = data.rows[U(order[U(start + r)])] * data.row_stride
        for t in range(net.n_steps):
            x_t = layers[XH] + (t * n_rows + r) * width
            for j in range(net.n_features):
                work[U(x_t + j)] = data.buffer[U(window + t * net.n_features + j)]


@_stage
def _load_states(net, layers, work, states, first_row, n_rows):
    """Set h_{-1} and c_{-1} of every layer: zero, or where the stream was left."""
    for layer in range(net.n_layers):
        column = layer * N_COLUMNS
        n_inputs = layers[column + INPUTS]
        n_units = layers[column + UNITS]
        width = n_inputs + n_units
        for r in range(n_rows):
            h = layers[column + XH] + r * width + n_inputs
            c = layers[column + CELLS] + r * n_units
            if net.stateful:
                stored_h = layers[column + STATES] + (first_row + r) * n_units
                stored_c = stored_h + net.batch_size * n_units
                for j in range(n_units):
                    work[U(h + j)] = states[U(stored_h + j)]
                    work[U(c + j)] = states[U(stored_c + j)]
            else:
                _fill(work, h, n_units, ZERO)
                _fill(work, c, n_units, ZERO)


@_stage
def _store_states(net, layers, work, states, first_row, n_rows):
    """Keep the last h and c of every layer for the next window of each stream."""
    for layer in range(net.n_layers):
        column = layer * N_COLUMNS
        n_inputs = layers[column + INPUTS]
        n_units = layers[column + UNITS]
        width = n_inputs + n_units
        for r in range(n_rows):
            last_row = net.n_steps * n_rows + r
            h = layers[column + XH] + last_row * width + n_inputs
            c = layers[column + CELLS] + last_row * n_units
            stored_h = layers[column + STATES] + (first_row + r) * n_units
            stored_c = stored_h + net.batch_size * n_units
            for j in range(n_units):
                states[U(stored_h + j)] = work[U(h + j)]
                states[U(stored_c + j)] = work[U(c + j)]


@_stage
def _forward(net, layers, theta, work, first_row, n_rows, iteration, training):
    """Run all layers over a gathered shard, up to the logits."""
    for layer in range(net.n_layers):
        _forward_layer(net, layer, layers, theta, work, first_row, n_rows, iteration, training)
        column = layer * N_COLUMNS
        n_inputs = layers[column + INPUTS]
        n_units = layers[column + UNITS]
        width = n_inputs + n_units
        h = layers[column + XH] + n_rows * width + n_inputs
        if layer + 1 == net.n_layers:
            _copy_outputs(
                net, layer, work, h + (net.n_steps - 1) * n_rows * width, width,
                net.last_h, n_units, n_rows, n_units, net.n_steps - 1, first_row,
                iteration, training, OVERWRITE,
            )  # fmt: skip
        else:
            above = column + N_COLUMNS
            above_width = n_units + layers[above + UNITS]
            for t in range(net.n_steps):
                _copy_outputs(
                    net, layer, work, h + t * n_rows * width, width,
                    layers[above + XH] + t * n_rows * above_width, above_width,
                    n_rows, n_units, t, first_row, iteration, training, OVERWRITE,
                )  # fmt: skip
    n_units = layers[(net.n_layers - 1) * N_COLUMNS + UNITS]
    kernel = net.n_parameters - (n_units + 1) * net.n_outputs
    bias = kernel + n_units * net.n_outputs
    _repeat_row(theta, bias, net.n_outputs, work, net.logits, n_rows)
    _matmul_add(
        n_rows, net.n_outputs, n_units, work, net.last_h, n_units, UNIT,
        theta, kernel, net.n_outputs, work, net.logits, net.n_outputs,
    )  # fmt: skip


@_stage
def _losses(net, work, data, order, start, n_rows, n_batch):
    """Sum of the weighted losses of a shard's rows.

    Stores the outputs, and leaves the gradient of the batch's mean loss by the logits in the
    workspace.
    """
    n = net.n_outputs
    total = 0.0
    for r in range(n_rows):
        p = order[U(start + r)]
        for k in range(n):
            data.outputs[U(p * n + k)] = work[U(net.logits + r * n + k)]
        _activate_outputs(net.activation, data.outputs, p * n, n)
        deltas = net.deltas + r * n
        loss = _row_loss(net, work, net.logits + r * n, deltas, data.outputs, data.y, p * n)
        weight = data.weights[U(p)] if data.weights.size > 0 else ONE
        total += weight * loss
        for k in range(n):
            work[U(deltas + k)] *= weight / np.float32(n_batch)
    return total


@_stage
def _backward(net, layers, transposed, work, gradient, first_row, n_rows, iteration):
    """Go back from the gradient of the logits; add that of every parameter to `gradient`."""
    last = net.n_layers - 1
    column = last * N_COLUMNS
    n_units = layers[column + UNITS]
    kernel = net.n_parameters - (n_units + 1) * net.n_outputs
    bias = kernel + n_units * net.n_outputs
    _matmul_add(
        n_units, net.n_outputs, n_rows, work, net.last_h, UNIT, n_units,
        work, net.deltas, net.n_outputs, gradient, kernel, net.n_outputs,
    )  # fmt: skip
    _add_rows(work, net.deltas, n_rows, net.n_outputs, gradient, bias)
    # From here on last_h is the gradient of itself.
    _fill(work, net.last_h, n_rows * n_units, ZERO)
    _matmul_add(
        n_rows, n_units, net.n_outputs, work, net.deltas, net.n_outputs, UNIT,
        transposed, net.dense_transposed, n_units, work, net.last_h, n_units,
    )  # fmt: skip
    for layer in range(last, -1, -1):
        column = layer * N_COLUMNS
        n_units = layers[column + UNITS]
        n_below = layers[column + INPUTS] * (layer > 0)
        d_width = n_below + n_units
        d_last = layers[column + D_XH] + net.n_steps * n_rows * d_width
        _fill(work, d_last, n_rows * d_width, ZERO)
        if layer == last:
            _copy_outputs(
                net, layer, work, net.last_h, n_units, d_last + n_below, d_width,
                n_rows, n_units, net.n_steps - 1, first_row, iteration, TRAINING, OVERWRITE,
            )  # fmt: skip
        _backward_layer(
            net, layer, layers, transposed, work, gradient, first_row, n_rows, iteration
        )


@_stage
def _run_lanes(
    net, layers, theta, transposed, work, data, order, start, n_batch, first_lane, lane_step,
    states, gradients, losses, iteration, training,
):  # fmt: skip
    """Run the shards of every `lane_step`-th lane of a batch, from `first_lane` on.

    The batch is ``order[start:start + n_batch]``. Each shard leaves its sum of losses in
    `losses` and, where `training`, each lane the sum of its gradients in `gradients`.
    """
    if training:
        _transpose_weights(net, layers, theta, transposed)
    n_shards = (n_batch + net.shard_rows - 1) // net.shard_rows
    n_lanes = min(n_shards, LANES)
    for lane in range(first_lane, n_lanes, lane_step):
        gradient = gradients[lane * net.n_parameters : (lane + 1) * net.n_parameters]
        if training:
            _fill(gradient, FIRST, net.n_parameters, ZERO)
        for shard in range(lane, n_shards, n_lanes):
            first_row = shard * net.shard_rows
            n_rows = min(net.shard_rows, n_batch - first_row)
            _gather_windows(net, layers, work, data, order, start + first_row, n_rows)
            _load_states(net, layers, work, states, first_row, n_rows)
            _forward(net, layers, theta, work, first_row, n_rows, iteration, training)
            losses[U(shard)] = _losses(net, work, data, order, start + first_row, n_rows, n_batch)
            if net.stateful:
                _store_states(net, layers, work, states, first_row, n_rows)
            if training:
                _backward(net, layers, transposed, work, gradient, first_row, n_rows, iteration)


# ------------------------------------------------------------------------------------- optimisers


class Optimizer(NamedTuple):
    """An optimiser and its constants, under the names of ``keras.optimizers``.

    `momentum` is also beta_1, `decay` is rho or beta_2, `variant` says nesterov, centered or
    amsgrad. Zero for `weight_decay` and the three clipping limits means none. The slots (the
    state, in the order in which Keras creates it) are vectors of the parameters' size, one after
    the other.
    """

    kind: int
    variant: int
    learning_rate: float
    momentum: float
    decay: float
    epsilon: float
    weight_decay: float
    clipnorm: float
    global_clipnorm: float
    clipvalue: float


@_jit
def _squared_norm(gradient, start, stop):
    total = ZERO
    for j in range(stop - start):
        total += gradient[U(start + j)] * gradient[U(start + j)]
    return total


@_jit
def _scale(gradient, start, stop, factor):
    for j in range(stop - start):
        gradient[U(start + j)] *= factor


@_jit
def _clip(optimizer, gradient, bounds):
    """Clip a gradient as the optimisers of Keras do: the first limit that is given counts."""
    n = gradient.size
    if optimizer.clipnorm > 0.0:
        limit = np.float32(optimizer.clipnorm)
        for part in range(bounds.size - 1):
            start, stop = bounds[part], bounds[part + 1]
            norm = np.sqrt(_squared_norm(gradient, start, stop))
            # Written so that a norm that is NaN makes the gradient NaN.
            _scale(gradient, start, stop, ONE if norm <= limit else limit / norm)
    elif optimizer.global_clipnorm > 0.0:
        limit = np.float32(optimizer.global_clipnorm)
        norm = np.sqrt(_squared_norm(gradient, FIRST, n))
        # An infinite norm makes the gradient NaN, as in Keras.
        _scale(gradient, FIRST, n, ONE if norm <= limit else limit / norm + (norm - norm))
    elif optimizer.clipvalue > 0.0:
        limit = np.float32(optimizer.clipvalue)
        for j in range(n):
            g = gradient[U(j)]
            g = limit if g > limit else g
            gradient[U(j)] = -limit if g < -limit else g


@_jit
def _sgd(optimizer, theta, gradient, slots):
    """Do v = mu v - lr g; theta += v, with Nesterov's momentum theta += mu v - lr g."""
    n = theta.size
    rate = np.float32(optimizer.learning_rate)
    mu = np.float32(optimizer.momentum)
    if optimizer.momentum == 0.0:
        for j in range(n):
            theta[U(j)] -= rate * gradient[U(j)]
        return
    for j in range(n):
        change = rate * gradient[U(j)]
        v = mu * slots[U(j)] - change
        slots[U(j)] = v
        theta[U(j)] += mu * v - change if optimizer.variant else v


@_jit
def _rmsprop(optimizer, theta, gradient, slots):
    """Do v = rho v + (1 - rho) g^2; theta -= lr g / sqrt(v + eps).

    Centred, the square of the running mean of g is taken from v first; with momentum, the
    change is mu times the one before plus the new one. Slots: v, then the change if there is
    momentum, then the mean if centred.
    """
    n = theta.size
    rate = np.float32(optimizer.learning_rate)
    mu = np.float32(optimizer.momentum)
    rho = np.float32(optimizer.decay)
    rest = np.float32(1.0 - optimizer.decay)
    epsilon = np.float32(optimizer.epsilon)
    change_at = n
    mean_at = 2 * n if optimizer.momentum > 0.0 else n
    for j in range(n):
        g = gradient[U(j)]
        v = rho * slots[U(j)] + rest * g * g
        slots[U(j)] = v
        if optimizer.variant:
            mean = rho * slots[U(mean_at + j)] + rest * g
            slots[U(mean_at + j)] = mean
            v -= mean * mean
        change = rate * g / np.sqrt(v + epsilon)
        if optimizer.momentum > 0.0:
            change += mu * slots[U(change_at + j)]
            slots[U(change_at + j)] = change
        theta[U(j)] -= change


@_jit
def _power(base, exponent):
    """Power of a float32, rounded to float32, as Keras has it."""
    return np.float32(np.float64(np.float32(base)) ** exponent)


@_jit
def _adam(optimizer, theta, gradient, slots, step):
    """Do m += (1 - b1) (g - m); v += (1 - b2) (g^2 - v); theta -= a m / (sqrt(v) + eps).

    With a = lr sqrt(1 - b2^t) / (1 - b1^t); AMSGrad takes the largest v so far, the third slot.
    """
    n = theta.size
    rest_1 = np.float32(1.0 - optimizer.momentum)
    rest_2 = np.float32(1.0 - optimizer.decay)
    epsilon = np.float32(optimizer.epsilon)
    left_1 = ONE - _power(optimizer.momentum, step)
    left_2 = ONE - _power(optimizer.decay, step)
    alpha = np.float32(optimizer.learning_rate) * np.sqrt(left_2) / left_1
    for j in range(n):
        g = gradient[U(j)]
        m = slots[U(j)]
        v = slots[U(n + j)]
        m += (g - m) * rest_1
        v += (g * g - v) * rest_2
        slots[U(j)] = m
        slots[U(n + j)] = v
        if optimizer.variant:
            largest = slots[U(2 * n + j)]
            v = largest if largest > v else v
            slots[U(2 * n + j)] = v
        theta[U(j)] -= m * alpha / (np.sqrt(v) + epsilon)


@_jit
def _adamax(optimizer, theta, gradient, slots, step):
    """Do m += (1 - b1) (g - m); u = max(b2 u, |g|); theta -= lr m / ((1 - b1^t) (u + eps))."""
    n = theta.size
    rest_1 = np.float32(1.0 - optimizer.momentum)
    beta_2 = np.float32(optimizer.decay)
    epsilon = np.float32(optimizer.epsilon)
    rate = np.float32(optimizer.learning_rate)
    left_1 = ONE - _power(optimizer.momentum, step)
    for j in range(n):
        g = gradient[U(j)]
        m = slots[U(j)]
        m += (g - m) * rest_1
        slots[U(j)] = m
        size = abs(g)
        u = beta_2 * slots[U(n + j)]
        u = u if u > size else size
        slots[U(n + j)] = u
        theta[U(j)] -= rate * m / (left_1 * (u + epsilon))


@_stage
def _apply_gradient(net, optimizer, theta, gradients, slots, bounds, n_batch, iteration):
    """Add up the gradients of a batch's lanes in their order, clip, decay, update."""
    n = net.n_parameters
    gradient = gradients[:n]
    n_shards = (n_batch + net.shard_rows - 1) // net.shard_rows
    for lane in range(1, min(n_shards, LANES)):
        for j in range(n):
            gradient[U(j)] += gradients[U(lane * n + j)]
    _clip(optimizer, gradient, bounds)
    if optimizer.weight_decay > 0.0:
        decay = np.float32(optimizer.weight_decay)
        rate = np.float32(optimizer.learning_rate)
        for j in range(n):
            theta[U(j)] -= theta[U(j)] * decay * rate
    if optimizer.kind == SGD:
        _sgd(optimizer, theta, gradient, slots)
    elif optimizer.kind == RMSPROP:
        _rmsprop(optimizer, theta, gradient, slots)
    elif optimizer.kind == ADAM:
        _adam(optimizer, theta, gradient, slots, iteration + 1)
    else:
        _adamax(optimizer, theta, gradient, slots, iteration + 1)


# ------------------------------------------------------------------------------------ the entry


@_entry
def run_batches(net, optimizer, layers, theta, transposed, work, data, order, first, stop, states,
                gradients, losses, slots, bounds, iteration, training, phases,
                first_lane, lane_step, epoch_losses):  # fmt: skip
    """Run the batches of ``order[first:stop]`` one after the other, epoch after epoch.

    The next epoch takes the next ``stop - first`` positions. Leaves the sum of losses of each
    epoch in `epoch_losses`, whose size is the number of epochs, and returns how many were run:
    none follows one whose losses are no longer finite.

    `phases` is the sum of `GRADIENTS`, to compute those of the lanes `first_lane`,
    `first_lane + lane_step`, ..., and of `UPDATE`, to change the parameters by them. A single
    thread does both in one call; several share out the lanes of a batch, and when all are done
    one of them updates. Where `training` is false, nothing is updated.
    """
    for epoch in range(epoch_losses.size):
        total = 0.0
        start_of_epoch = first + epoch * (stop - first)
        stop_of_epoch = start_of_epoch + (stop - first)
        for start in range(start_of_epoch, stop_of_epoch, net.batch_size):
            n_batch = min(net.batch_size, stop_of_epoch - start)
            if phases & GRADIENTS:
                _run_lanes(net, layers, theta, transposed, work, data, order, start, n_batch,
                           first_lane, lane_step, states, gradients, losses,
                           iteration, training)  # fmt: skip
            if phases & UPDATE:
                for shard in range((n_batch + net.shard_rows - 1) // net.shard_rows):
                    total += losses[U(shard)]
                if training:
                    _apply_gradient(
                        net, optimizer, theta, gradients, slots, bounds, n_batch, iteration
                    )
            iteration += 1
        epoch_losses[epoch] = total
        if not np.isfinite(total):
            return epoch + 1
    return epoch_losses.size


@functools.cache
def run_batches_uncached():
    """Compile `run_batches` for this process alone, where its cache cannot be read.

    Returns
    -------
    run_batches : callable
        The same function.
    """
    return numba.njit(run_batches.py_func, **OPTIONS)
