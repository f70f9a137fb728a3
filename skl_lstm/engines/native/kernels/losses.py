"""The activation of the outputs, the loss of a row, and its gradient for the logits."""

import numpy as np

from skl_lstm.engines.native.kernels.arithmetic import tanh
from skl_lstm.engines.native.kernels.compiling import HALF, ONE, TWO, ZERO, U, compactly, jit
from skl_lstm.engines.native.kernels.tables import (
    BINARY_CROSSENTROPY,
    HUBER,
    LINEAR,
    LOG_COSH,
    MAE,
    MSE,
    RELU,
    SIGMOID,
    SOFTMAX,
    TANH,
)


@jit
def activate_outputs(activation, values, at, n):
    """Apply the activation of the Dense layer to a row, in place."""
    compactly()
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
                x = HALF + HALF * tanh(HALF * x)
            elif activation == TANH:
                x = tanh(x)
            elif x < ZERO:
                x = ZERO
            values[U(at + k)] = x


@jit
def _elementwise_loss(loss, parameter, p, y):
    """Return the loss of a prediction and its derivative, as in ``keras.losses``."""
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
        return size + np.log1p(np.exp(-TWO * size)) - np.log(TWO), tanh(e)
    # Pinball: the maximum of q * (y - p) and (q - 1) * (y - p).
    slope = ONE - parameter if e > ZERO else -parameter
    return slope * e, slope


@jit
def _cross_entropy(net, work, logits, deltas, outputs, y, at):
    """Return the loss of a row and store its gradient, both from the logits, as in TensorFlow.

    Binary cross-entropy after a sigmoid is max(z, 0) - z * y + log(1 + exp(-|z|)), the mean over
    the outputs; categorical cross-entropy after a softmax is sum(y * (log(sum(exp(z))) - z)).
    The gradient of both is p - y.
    """
    compactly()
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


@jit
def row_loss(net, work, logits, deltas, outputs, at, parameters, y, target):
    """Return the loss of a row whose outputs start at `at`, and its targets at `target`.

    Each of the parameters of the loss has outputs of its own, one for each target. Stores the
    gradient with respect to the logits in the workspace at `deltas`.
    """
    compactly()
    if net.loss >= BINARY_CROSSENTROPY:
        return _cross_entropy(net, work, logits, deltas, outputs, y, at)
    n = net.n_outputs
    n_targets = n // parameters.size
    total = 0.0
    inner = ZERO
    for i in range(parameters.size):
        parameter = parameters[U(i)]
        for k in range(n_targets):
            place = i * n_targets + k
            p = outputs[U(at + place)]
            value, slope = _elementwise_loss(net.loss, parameter, p, y[U(target + k)])
            total += value
            slope /= np.float32(n)
            inner += slope * p
            work[U(deltas + place)] = slope
    for k in range(n):
        work[U(deltas + k)] = _through_activation(
            net.activation, outputs[U(at + k)], work[U(deltas + k)], inner
        )
    return total / n


@jit
def _through_activation(activation, p, slope, inner):
    """Return the gradient with respect to the logit.

    `slope` is the gradient with respect to the output `p`; `inner` is the sum of slope * p.
    """
    if activation == SIGMOID:
        return slope * p * (ONE - p)
    if activation == TANH:
        return slope * (ONE - p * p)
    if activation == SOFTMAX:
        return p * (slope - inner)
    if activation == RELU and p <= ZERO:
        return ZERO * slope
    return slope
