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
    matmul_add,
    repeat_row,
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
    stage,
)
from skl_lstm.engines.native.kernels.losses import activate_outputs, row_loss
from skl_lstm.engines.native.kernels.lstm import backward_layer, copy_outputs, forward_layer
from skl_lstm.engines.native.kernels.tables import (
    CELLS,
    D_XH,
    INPUTS,
    LANES,
    N_COLUMNS,
    STATES,
    TRANSPOSED,
    UNITS,
    WEIGHTS,
    XH,
)


@stage
def _transpose_weights(net, layers, theta, transposed):
    """Transpose the weights for the backward pass: [K; R] of each layer, and the Dense kernel.

    K is left out in the first layer, where the gradient of the inputs is not needed.
    """
    for layer in range(net.n_layers):
        column = layer * N_COLUMNS
        n_inputs = layers[column + INPUTS]
        n_units = layers[column + UNITS]
        skipped = n_inputs * (layer == 0)
        transpose(
            theta,
            layers[column + WEIGHTS] + skipped * 4 * n_units,
            n_inputs + n_units - skipped,
            4 * n_units,
            transposed,
            layers[column + TRANSPOSED],
        )
    n_units = layers[(net.n_layers - 1) * N_COLUMNS + UNITS]
    kernel = net.n_parameters - (n_units + 1) * net.n_outputs
    transpose(theta, kernel, n_units, net.n_outputs, transposed, net.dense_transposed)


@stage
def _gather_windows(net, layers, work, data, order, start, n_rows):
    """Copy the windows of a shard, normalized, to the inputs of the first layer."""
    width = net.n_features + layers[UNITS]
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


@stage
def _load_states(net, layers, work, states, first_row, n_rows):
    """Set h_{-1} and c_{-1} of every layer: zero, or the stored state of the stream."""
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
                fill(work, h, n_units, ZERO)
                fill(work, c, n_units, ZERO)


@stage
def _store_states(net, layers, work, states, first_row, n_rows):
    """Store the last h and c of every layer for the next window of each stream."""
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


@stage
def _forward(net, layers, theta, work, first_row, n_rows, iteration, training):
    """Run all layers over a gathered shard, up to the logits."""
    for layer in range(net.n_layers):
        forward_layer(net, layer, layers, theta, work, first_row, n_rows, iteration, training)
        column = layer * N_COLUMNS
        n_inputs = layers[column + INPUTS]
        n_units = layers[column + UNITS]
        width = n_inputs + n_units
        h = layers[column + XH] + n_rows * width + n_inputs
        if layer + 1 == net.n_layers:
            copy_outputs(
                net, layer, work, h + (net.n_steps - 1) * n_rows * width, width,
                net.last_h, n_units, n_rows, n_units, net.n_steps - 1, first_row,
                iteration, training, OVERWRITE,
            )  # fmt: skip
        else:
            above = column + N_COLUMNS
            above_width = n_units + layers[above + UNITS]
            for t in range(net.n_steps):
                copy_outputs(
                    net, layer, work, h + t * n_rows * width, width,
                    layers[above + XH] + t * n_rows * above_width, above_width,
                    n_rows, n_units, t, first_row, iteration, training, OVERWRITE,
                )  # fmt: skip
    n_units = layers[(net.n_layers - 1) * N_COLUMNS + UNITS]
    kernel = net.n_parameters - (n_units + 1) * net.n_outputs
    bias = kernel + n_units * net.n_outputs
    repeat_row(theta, bias, net.n_outputs, work, net.logits, n_rows)
    matmul_add(
        n_rows, net.n_outputs, n_units, work, net.last_h, n_units, UNIT,
        theta, kernel, net.n_outputs, work, net.logits, net.n_outputs,
    )  # fmt: skip


@stage
def _losses(net, work, data, order, start, n_rows, n_batch):
    """Store the outputs of a shard's rows; return the sum of their weighted losses.

    Stores the gradient of the batch's mean loss with respect to the logits in the workspace.
    Without targets the sum is zero.
    """
    n = net.n_outputs
    n_targets = n // data.loss_parameters.size
    total = 0.0
    for r in range(n_rows):
        p = order[U(start + r)]
        for k in range(n):
            data.outputs[U(p * n + k)] = work[U(net.logits + r * n + k)]
        activate_outputs(net.activation, data.outputs, p * n, n)
        if data.y.size > 0:
            deltas = net.deltas + r * n
            loss = row_loss(
                net, work, net.logits + r * n, deltas, data.outputs, p * n,
                data.loss_parameters, data.y, p * n_targets,
            )  # fmt: skip
            weight = data.weights[U(p)] if data.weights.size > 0 else ONE
            total += weight * loss
            for k in range(n):
                work[U(deltas + k)] *= weight / np.float32(n_batch)
    return total


@stage
def _backward(net, layers, transposed, work, gradient, first_row, n_rows, iteration):
    """Run the backward pass from the gradient of the logits; add the result to `gradient`."""
    last = net.n_layers - 1
    column = last * N_COLUMNS
    n_units = layers[column + UNITS]
    kernel = net.n_parameters - (n_units + 1) * net.n_outputs
    bias = kernel + n_units * net.n_outputs
    matmul_add(
        n_units, net.n_outputs, n_rows, work, net.last_h, UNIT, n_units,
        work, net.deltas, net.n_outputs, gradient, kernel, net.n_outputs,
    )  # fmt: skip
    add_rows(work, net.deltas, n_rows, net.n_outputs, gradient, bias)
    # From here on last_h holds its own gradient.
    fill(work, net.last_h, n_rows * n_units, ZERO)
    matmul_add(
        n_rows, n_units, net.n_outputs, work, net.deltas, net.n_outputs, UNIT,
        transposed, net.dense_transposed, n_units, work, net.last_h, n_units,
    )  # fmt: skip
    for layer in range(last, -1, -1):
        column = layer * N_COLUMNS
        n_units = layers[column + UNITS]
        n_below = layers[column + INPUTS] * (layer > 0)
        d_width = n_below + n_units
        d_last = layers[column + D_XH] + net.n_steps * n_rows * d_width
        fill(work, d_last, n_rows * d_width, ZERO)
        if layer == last:
            copy_outputs(
                net, layer, work, net.last_h, n_units, d_last + n_below, d_width,
                n_rows, n_units, net.n_steps - 1, first_row, iteration, TRAINING, OVERWRITE,
            )  # fmt: skip
        backward_layer(
            net, layer, layers, transposed, work, gradient, first_row, n_rows, iteration
        )


@stage
def run_lanes(
    net, layers, theta, transposed, work, data, order, start, n_batch, first_lane, lane_step,
    states, gradients, losses, iteration, training,
):  # fmt: skip
    """Run the shards of every `lane_step`-th lane of a batch, from `first_lane` on.

    The batch is ``order[start:start + n_batch]``. Each shard stores its sum of losses in
    `losses` and, if `training`, each lane stores the sum of its gradients in `gradients`.
    """
    if training:
        _transpose_weights(net, layers, theta, transposed)
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
            _forward(net, layers, theta, work, first_row, n_rows, iteration, training)
            losses[U(shard)] = _losses(net, work, data, order, start + first_row, n_rows, n_batch)
            if net.stateful:
                _store_states(net, layers, work, states, first_row, n_rows)
            if training:
                _backward(net, layers, transposed, work, gradient, first_row, n_rows, iteration)
