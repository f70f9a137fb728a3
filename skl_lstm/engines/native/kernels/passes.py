"""Forward and backward pass of one shard of a batch through all layers.

A batch is cut into shards of a fixed number of rows, and these are dealt out in turn to lanes. A
lane is the unit of work of a thread: it processes its shards in order and sums their gradients;
then the gradients of the lanes are summed in order. So the result does not depend on which
thread computed what, and the memory does not depend on the size of a batch.
"""

import numpy as np

from skl_lstm.engines.native.kernels.arithmetic import (
    add_rows,
    fill,
    pack,
    transpose,
)
from skl_lstm.engines.native.kernels.compiling import (
    FIRST,
    ONE,
    OVERWRITE,
    TRAINING,
    UNIT,
    ZERO,
    U,
    compactly,
    jit,
    stage,
)
from skl_lstm.engines.native.kernels.losses import activate_outputs, row_loss
from skl_lstm.engines.native.kernels.lstm import backward_layer, copy_outputs, forward_layer
from skl_lstm.engines.native.kernels.products import PANEL, multiply
from skl_lstm.engines.native.kernels.tables import (
    ARRANGED,
    CELLS,
    D_WIDTH,
    D_XH,
    INPUTS,
    KERNEL,
    LANES,
    N_COLUMNS,
    N_LANES,
    PACKED,
    STATES,
    TRANSPOSED,
    UNITS,
    UNTRANSPOSED,
    WIDTH,
    XH,
)


@jit
def arrange_weights(net, layers, theta, arranged, training):
    """Copy the weights into the forms in which products take them.

    These are packed panels of [K; R] of each large layer and, for the backward pass, the
    transposed [K; R] of each layer and the transposed Dense kernel. K is left out of the latter
    in the first layer, where the gradient of the inputs is not needed.
    """
    compactly()
    dropping = net.recurrent_dropout > 0.0
    for layer in range(net.n_layers):
        column = layer * N_COLUMNS
        n_inputs = layers[column + INPUTS]
        n_units = layers[column + UNITS]
        kernel = layers[column + KERNEL]
        n_gates = 4 * layers[column + N_LANES]
        if layers[column + PACKED] and not (training and dropping):
            n_inner = n_inputs + n_units
            pack(
                theta, kernel, n_gates, n_inner, n_gates,
                arranged, layers[column + ARRANGED], n_inner * PANEL,
            )  # fmt: skip
        if training and not layers[column + UNTRANSPOSED]:
            skipped = n_inputs * (layer == 0)
            panel, row = (
                (PANEL, layers[column + D_WIDTH]) if dropping else (n_gates * PANEL, PANEL)
            )
            transpose(
                theta, kernel + skipped * n_gates, n_inputs + n_units - skipped, n_gates,
                arranged, layers[column + TRANSPOSED], panel, row,
            )  # fmt: skip
    if training:
        n_units = layers[(net.n_layers - 1) * N_COLUMNS + UNITS]
        transpose(
            theta, net.dense_kernel, n_units, net.output_lanes,
            arranged, net.dense_transposed, net.output_lanes * PANEL, PANEL,
        )  # fmt: skip


@jit
def _gather_windows(net, layers, work, data, order, start, n_rows):
    """Copy the windows of a shard, normalized, to the inputs of the first layer."""
    compactly()
    width = layers[WIDTH]
    for r in range(n_rows):
        row = data.rows[U(order[U(start + r)])]
        window = row % data.n_windows * data.row_stride
        for t in range(net.n_steps):
            x_t = layers[XH] + (t * n_rows + r) * width
            for j in range(net.n_features):
                work[U(x_t + j)] = data.buffer[U(window + t * net.n_features + j)]
        for k in range(data.columns.size):
            measured = row * data.columns.size + k
            for v in range(data.columns[U(k)], net.n_steps * net.n_features, data.n_series):
                x = layers[XH] + (v // net.n_features * n_rows + r) * width + v % net.n_features
                work[U(x)] = (work[U(x)] - data.locations[U(measured)]) / data.scales[U(measured)]


@jit
def _load_states(net, layers, work, states, first_row, n_rows):
    """Set h_{-1} and c_{-1} of every layer: zero, or the stored state of the stream."""
    compactly()
    for layer in range(net.n_layers):
        column = layer * N_COLUMNS
        n_inputs = layers[column + INPUTS]
        n_units = layers[column + UNITS]
        n_lanes = layers[column + N_LANES]
        width = layers[column + WIDTH]
        for r in range(n_rows):
            h = layers[column + XH] + r * width + n_inputs
            c = layers[column + CELLS] + r * n_lanes
            if net.stateful:
                stored_h = layers[column + STATES] + (first_row + r) * n_units
                stored_c = stored_h + net.batch_size * n_units
                for j in range(n_units):
                    work[U(h + j)] = states[U(stored_h + j)]
                    work[U(c + j)] = states[U(stored_c + j)]
            else:
                fill(work, h, n_lanes, ZERO)
                fill(work, c, n_lanes, ZERO)


@jit
def _store_states(net, layers, work, states, first_row, n_rows):
    """Store the last h and c of every layer for the next window of each stream."""
    compactly()
    for layer in range(net.n_layers):
        column = layer * N_COLUMNS
        n_inputs = layers[column + INPUTS]
        n_units = layers[column + UNITS]
        for r in range(n_rows):
            last_row = net.n_steps * n_rows + r
            h = layers[column + XH] + last_row * layers[column + WIDTH] + n_inputs
            c = layers[column + CELLS] + last_row * layers[column + N_LANES]
            stored_h = layers[column + STATES] + (first_row + r) * n_units
            stored_c = stored_h + net.batch_size * n_units
            for j in range(n_units):
                states[U(stored_h + j)] = work[U(h + j)]
                states[U(stored_c + j)] = work[U(c + j)]


@stage
def _forward(net, layers, theta, arranged, work, first_row, n_rows, iteration, training):
    """Run all layers over a gathered shard, up to the logits."""
    for layer in range(net.n_layers):
        forward_layer(
            net, layer, layers, theta, arranged, work, first_row, n_rows, iteration, training
        )
        column = layer * N_COLUMNS
        n_units = layers[column + UNITS]
        width = layers[column + WIDTH]
        h = layers[column + XH] + n_rows * width + layers[column + INPUTS]
        if layer + 1 == net.n_layers:
            copy_outputs(
                net, layer, work, h + (net.n_steps - 1) * n_rows * width, width,
                net.last_h, layers[column + N_LANES], n_rows, n_units, net.n_steps - 1, first_row,
                iteration, training, OVERWRITE,
            )  # fmt: skip
        else:
            above = column + N_COLUMNS
            above_width = layers[above + WIDTH]
            for t in range(net.n_steps):
                copy_outputs(
                    net, layer, work, h + t * n_rows * width, width,
                    layers[above + XH] + t * n_rows * above_width, above_width,
                    n_rows, n_units, t, first_row, iteration, training, OVERWRITE,
                )  # fmt: skip
    last = (net.n_layers - 1) * N_COLUMNS
    multiply(
        n_rows, net.output_lanes, layers[last + UNITS],
        work, net.last_h, layers[last + N_LANES], UNIT,
        theta, net.dense_kernel, PANEL, net.output_lanes,
        theta, net.dense_bias, FIRST, work, net.logits, net.output_lanes,
    )  # fmt: skip


@jit
def _losses(net, work, data, order, start, n_rows, n_batch):
    """Store the outputs of a shard's rows; return the sum of their weighted losses.

    Stores the gradient of the batch's mean loss with respect to the logits in the workspace.
    Without targets the sum is zero.
    """
    compactly()
    n = net.n_outputs
    n_targets = n // data.loss_parameters.size
    total = 0.0
    for r in range(n_rows):
        p = order[U(start + r)]
        for k in range(n):
            data.outputs[U(p * n + k)] = work[U(net.logits + r * net.output_lanes + k)]
        activate_outputs(net.activation, data.outputs, p * n, n)
        if data.y.size > 0:
            deltas = net.deltas + r * net.output_lanes
            loss = row_loss(
                net, work, net.logits + r * net.output_lanes, deltas, data.outputs, p * n,
                data.loss_parameters, data.y, p * n_targets,
            )  # fmt: skip
            weight = data.weights[U(p)] if data.weights.size > 0 else ONE
            total += weight * loss
            for k in range(n):
                work[U(deltas + k)] *= weight / np.float32(n_batch)
    return total


@stage
def _backward(net, layers, theta, arranged, work, gradient, first_row, n_rows, iteration):
    """Run the backward pass from the gradient of the logits; add the result to `gradient`."""
    last = net.n_layers - 1
    column = last * N_COLUMNS
    n_units = layers[column + UNITS]
    n_lanes = layers[column + N_LANES]
    multiply(
        n_units, net.output_lanes, n_rows, work, net.last_h, UNIT, n_lanes,
        work, net.deltas, PANEL, net.output_lanes,
        gradient, net.dense_kernel, net.output_lanes,
        gradient, net.dense_kernel, net.output_lanes,
    )  # fmt: skip
    add_rows(work, net.deltas, n_rows, net.output_lanes, gradient, net.dense_bias)
    # From here on last_h holds its own gradient.
    multiply(
        n_rows, n_lanes, net.n_outputs, work, net.deltas, net.output_lanes, UNIT,
        arranged, net.dense_transposed, net.output_lanes * PANEL, PANEL,
        work, net.zeros, FIRST, work, net.last_h, n_lanes,
    )  # fmt: skip
    for layer in range(last, -1, -1):
        column = layer * N_COLUMNS
        n_units = layers[column + UNITS]
        n_below = layers[column + INPUTS] * (layer > 0)
        d_width = layers[column + D_WIDTH]
        d_last = layers[column + D_XH] + net.n_steps * n_rows * d_width
        fill(work, d_last, n_rows * d_width, ZERO)
        if layer == last:
            copy_outputs(
                net, layer, work, net.last_h, n_lanes, d_last + n_below, d_width,
                n_rows, n_units, net.n_steps - 1, first_row, iteration, TRAINING, OVERWRITE,
            )  # fmt: skip
        backward_layer(
            net, layer, layers, theta, arranged, work, gradient, first_row, n_rows, iteration
        )


@stage
def run_lanes(
    net, layers, theta, arranged, work, data, order, start, n_batch, first_lane, lane_step,
    states, gradients, losses, iteration, training,
):  # fmt: skip
    """Run the shards of every `lane_step`-th lane of a batch, from `first_lane` on.

    The batch is ``order[start:start + n_batch]``. Each shard stores its sum of losses in
    `losses` and, if `training`, each lane stores the sum of its gradients in `gradients`.
    """
    if training:
        arrange_weights(net, layers, theta, arranged, training)
    n_shards = (n_batch + net.shard_rows - 1) // net.shard_rows
    n_lanes = min(n_shards, LANES)
    for lane in range(first_lane, n_lanes, lane_step):
        gradient = gradients[lane * net.n_parameters : (lane + 1) * net.n_parameters]
        if training:
            fill(gradient, FIRST, net.n_parameters, ZERO)
        for shard in range(lane, n_shards, n_lanes):
            first_row = shard * net.shard_rows
            n_rows = min(net.shard_rows, n_batch - first_row)
            _gather_windows(net, layers, work, data, order, start + first_row, n_rows)
            _load_states(net, layers, work, states, first_row, n_rows)
            _forward(net, layers, theta, arranged, work, first_row, n_rows, iteration, training)
            losses[U(shard)] = _losses(net, work, data, order, start + first_row, n_rows, n_batch)
            if net.stateful:
                _store_states(net, layers, work, states, first_row, n_rows)
            if training:
                _backward(
                    net, layers, theta, arranged, work, gradient, first_row, n_rows, iteration
                )
